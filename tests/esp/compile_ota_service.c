/* Every name that ESP-ADF's examples/ota and the test of its ota_service take from the headers,
 * and the numbers and orders that they depend on. It is linked as firmware and not run. */
#include <assert.h>
#include <stddef.h>

#include "audio_common.h"
#include "audio_error.h"
#include "audio_idf_version.h"
#include "audio_mem.h"
#include "audio_sys.h"
#include "audio_thread.h"
#include "board.h"
#include "driver/sdmmc_defs.h"
#include "driver/sdmmc_host.h"
#include "driver/sdmmc_types.h"
#include "esp_fs_ota.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_peripherals.h"
#include "esp_system.h"
#include "esp_vfs.h"
#include "esp_vfs_fat.h"
#include "esp_wifi.h"
#include "ff.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "ota_proc_default.h"
#include "ota_service.h"
#include "periph_sdcard.h"
#include "periph_wifi.h"
#include "sdmmc_cmd.h"
#include "tone_partition.h"
#include "unity.h"

#define VALUE(name, number)  static_assert((name) == (number), #name)
#define SIZE(type, bytes)    static_assert(sizeof(type) == (bytes), #type)
#define AT(type, field, off) static_assert(offsetof(type, field) == (off), #type "." #field)

VALUE(OTA_SERV_ERR_REASON_UNKNOWN, -1);
VALUE(OTA_SERV_ERR_REASON_SUCCESS, 0);
VALUE(OTA_SERV_ERR_REASON_NULL_POINTER, 0x90001);
VALUE(OTA_SERV_ERR_REASON_URL_PARSE_FAIL, 0x90002);
VALUE(OTA_SERV_ERR_REASON_ERROR_VERSION, 0x90003);
VALUE(OTA_SERV_ERR_REASON_NO_HIGHER_VERSION, 0x90004);
VALUE(OTA_SERV_ERR_REASON_ERROR_MAGIC_WORD, 0x90005);
VALUE(OTA_SERV_ERR_REASON_ERROR_PROJECT_NAME, 0x90006);
VALUE(OTA_SERV_ERR_REASON_FILE_NOT_FOUND, 0x90007);
VALUE(OTA_SERV_ERR_REASON_PARTITION_NOT_FOUND, 0x90008);
VALUE(OTA_SERV_ERR_REASON_PARTITION_WT_FAIL, 0x90009);
VALUE(OTA_SERV_ERR_REASON_PARTITION_RD_FAIL, 0x9000a);
VALUE(OTA_SERV_ERR_REASON_STREAM_INIT_FAIL, 0x9000b);
VALUE(OTA_SERV_ERR_REASON_STREAM_RD_FAIL, 0x9000c);
VALUE(OTA_SERV_ERR_REASON_GET_NEW_APP_DESC_FAIL, 0x9000d);
VALUE(OTA_SERV_EVENT_TYPE_RESULT, 0);
VALUE(OTA_SERV_EVENT_TYPE_FINISH, 1);
VALUE(ESP_ERR_FS_OTA_IN_PROGRESS, 0x10001);
VALUE(SD_MODE_1_LINE, 1);
VALUE(TONE_VERSION_0, 0);
VALUE(TONE_VERSION_1, 1);
VALUE(FLASH_TONE_HEADER, 0x2053);
VALUE(FLASH_TONE_TAIL, 0xdfac);
VALUE(FLASH_TONE_MAGIC_WORD, 0xf55f9876);
SIZE(flash_tone_header_t, 8);
SIZE(tone_file_info_t, 64);
SIZE(esp_app_desc_t, 256);
AT(tone_file_info_t, song_adr, 4);
AT(tone_file_info_t, song_len, 8);
AT(tone_file_info_t, info_crc, 60);
static_assert(ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(4, 1, 0), "a version that has esp_netif");

static const char *TAG = "compile";
static EventGroupHandle_t events;
static char label[] = "flash_tone", data_uri[] = "file://sdcard/flash_tone.bin";
static char app_uri[] = "https://192.168.0.3:8070/hello-world.bin";

static ota_service_err_reason_t need_upgrade(void *handle, ota_node_attr_t *node)
{
    flash_tone_header_t header = {0};
    esp_app_desc_t desc = {0};
    const esp_partition_t *p =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, node->label);
    tone_partition_handle_t tone = tone_partition_init(node->label, false);
    if (tone_partition_get_app_desc(tone, &desc) != ESP_OK)
        return OTA_SERV_ERR_REASON_PARTITION_RD_FAIL;
    if (ota_data_image_stream_read(handle, (char *)&header, sizeof(flash_tone_header_t)) != ESP_OK)
        return OTA_SERV_ERR_REASON_STREAM_RD_FAIL;
    if (ota_get_version_number(desc.version) < 0) return OTA_SERV_ERR_REASON_ERROR_VERSION;
    esp_partition_erase_range(p, 0, p->size);
    ota_data_partition_erase_mark(handle);
    ota_data_partition_write(handle, (char *)&header, sizeof(flash_tone_header_t));
    return OTA_SERV_ERR_REASON_SUCCESS;
}

static esp_err_t on_event(periph_service_handle_t handle, periph_service_event_t *evt, void *ctx)
{
    ota_result_t *result = evt->data;
    if (evt->type == OTA_SERV_EVENT_TYPE_RESULT)
        ESP_LOGI(TAG, "List id: %d: %d", result->id, result->result);
    else
        xEventGroupSetBits(events, BIT0);
    return ESP_OK;
}

TEST_CASE("a card can be mounted", "[audio][timeout=100][test_env=UT_T1_AUDIO]")
{
    esp_vfs_fat_sdmmc_mount_config_t config = {
        .format_if_mount_failed = true, .max_files = 5, .allocation_unit_size = 16 * 1024};
    sdmmc_host_t host = SDMMC_HOST_DEFAULT();
    sdmmc_slot_config_t slot = SDMMC_SLOT_CONFIG_DEFAULT();
    slot.flags |= SDMMC_SLOT_FLAG_INTERNAL_PULLUP;
    slot.width = 1;
    slot.clk = ESP_SD_PIN_CLK;
    slot.cmd = ESP_SD_PIN_CMD;
    slot.d0 = ESP_SD_PIN_D0;
    gpio_set_pull_mode(GPIO_NUM_15, GPIO_PULLUP_ONLY);
    TEST_ESP_OK(esp_vfs_fat_sdmmc_mount("/sdcard", &host, &slot, &config, NULL));
    TEST_ASSERT_NOT_NULL(events);
    TEST_ASSERT(events != NULL);
    TEST_ESP_OK(esp_vfs_fat_sdmmc_unmount());
}

void app_main(void);
void app_main(void)
{
    esp_periph_config_t periph_cfg = DEFAULT_ESP_PERIPH_SET_CONFIG();
    esp_periph_set_handle_t set = esp_periph_set_init(&periph_cfg);
    periph_wifi_cfg_t wifi_cfg = {
        .wifi_config.sta.ssid = "myssid",
        .wifi_config.sta.password = "mypassword",
    };
    esp_periph_handle_t wifi_handle = periph_wifi_init(&wifi_cfg);
    esp_periph_start(set, wifi_handle);
    periph_wifi_wait_for_connected(wifi_handle, portMAX_DELAY);
    esp_wifi_set_ps(WIFI_PS_NONE);
    audio_board_sdcard_init(set, SD_MODE_1_LINE);

    ota_service_config_t config = OTA_SERVICE_DEFAULT_CONFIG();
    config.task_stack = 8 * 1024;
    config.evt_cb = on_event;
    config.cb_ctx = NULL;
    periph_service_handle_t service = ota_service_create(&config);
    events = xEventGroupCreate();
    /* By position, as apps write it. */
    ota_upgrade_ops_t list[] = {
        {{ESP_PARTITION_TYPE_DATA, label, data_uri, NULL}, NULL, NULL, NULL, NULL, false, false},
        {{ESP_PARTITION_TYPE_APP, NULL, app_uri, NULL}, NULL, NULL, NULL, NULL, true, false}};
    ota_data_get_default_proc(&list[0]);
    list[0].need_upgrade = need_upgrade;
    ota_app_get_default_proc(&list[1]);
    ota_service_set_upgrade_param(service, list, sizeof(list) / sizeof(ota_upgrade_ops_t));
    AUDIO_MEM_SHOW(TAG);
    periph_service_start(service);
    EventBits_t bits = xEventGroupWaitBits(events, BIT0, true, false, portMAX_DELAY);
    AUDIO_CHECK(TAG, bits & BIT0, return, "not finished");
    AUDIO_NULL_CHECK(TAG, service, return );
    AUDIO_MEM_CHECK(TAG, events, return );
    periph_service_destroy(service);
    vEventGroupDelete(events);
    unity_run_all_tests();
}
