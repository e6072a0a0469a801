/* An upgrade list of two entries: tones from the SD card, then this app over HTTPS. */
#include "audio_mem.h"
#include "board.h"
#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_peripherals.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "nvs_flash.h"
#include "ota_proc_default.h"
#include "ota_service.h"
#include "periph_wifi.h"
#include "tone_partition.h"
#include "tone_rule.h"

#define LIST_IS_DONE BIT0

static const char *TAG = "HTTPS_OTA_EXAMPLE";
extern char ca_cert_pem[] asm("_binary_ca_cert_pem_start");
static EventGroupHandle_t events;

static void open_storage(void)
{
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
}

static void connect_wifi(esp_periph_set_handle_t set)
{
    periph_wifi_cfg_t config = {
        .wifi_config.sta.ssid = CONFIG_WIFI_SSID,
        .wifi_config.sta.password = CONFIG_WIFI_PASSWORD,
    };
    esp_periph_handle_t wifi = periph_wifi_init(&config);
    esp_periph_start(set, wifi);
    periph_wifi_wait_for_connected(wifi, portMAX_DELAY);
    esp_wifi_set_ps(WIFI_PS_NONE);
}

/* Runs in the service's task. */
static esp_err_t on_event(periph_service_handle_t handle, periph_service_event_t *event, void *ctx)
{
    if (event->type == OTA_SERV_EVENT_TYPE_FINISH) {
        xEventGroupSetBits(events, LIST_IS_DONE);
    } else if (event->type == OTA_SERV_EVENT_TYPE_RESULT) {
        const ota_result_t *r = event->data;
        if (r->result == OTA_SERV_ERR_REASON_SUCCESS)
            ESP_LOGI(TAG, "List id: %d, OTA success", r->id);
        else
            ESP_LOGE(TAG, "List id: %d, OTA failed, reason 0x%x", r->id, r->result);
    }
    return ESP_OK;
}

/* The service copies the list. */
static void set_list(periph_service_handle_t service)
{
    ota_upgrade_ops_t list[] = {
        {.node = {ESP_PARTITION_TYPE_DATA, CONFIG_DATA_PARTITION_LABEL, CONFIG_DATA_UPGRADE_URI,
                  ca_cert_pem}},
        {.node = {ESP_PARTITION_TYPE_APP, NULL, CONFIG_FIRMWARE_UPGRADE_URI, ca_cert_pem},
         .reboot_flag = true},
    };
    ota_data_get_default_proc(&list[0]);
    list[0].need_upgrade = tone_need_upgrade;
    ota_app_get_default_proc(&list[1]);
    ESP_ERROR_CHECK(ota_service_set_upgrade_param(service, list, sizeof list / sizeof *list));
}

void app_main(void)
{
    ESP_LOGI(TAG, "ota_service %s runs", esp_app_get_description()->version);
    open_storage();
    ESP_ERROR_CHECK(esp_netif_init());

    ESP_LOGI(TAG, "[1.0] Initialize peripherals management");
    esp_periph_config_t config = DEFAULT_ESP_PERIPH_SET_CONFIG();
    esp_periph_set_handle_t set = esp_periph_set_init(&config);
    ESP_LOGI(TAG, "[1.1] Start and wait for Wi-Fi network");
    connect_wifi(set);
    ESP_LOGI(TAG, "[1.2] Mount SDCard");
    audio_board_sdcard_init(set, SD_MODE_1_LINE); /* without a card the app still upgrades */

    ESP_LOGI(TAG, "[2.0] Create OTA service");
    ota_service_config_t service_config = OTA_SERVICE_DEFAULT_CONFIG();
    service_config.task_stack = 8 * 1024;
    service_config.evt_cb = on_event;
    events = xEventGroupCreate();
    periph_service_handle_t service = ota_service_create(&service_config);
    ESP_LOGI(TAG, "[2.1] Set upgrade list");
    set_list(service);
    ESP_LOGI(TAG, "[2.2] Start OTA service");
    AUDIO_MEM_SHOW(TAG);
    periph_service_start(service);

    xEventGroupWaitBits(events, LIST_IS_DONE, pdTRUE, pdFALSE, portMAX_DELAY);
    ESP_LOGI(TAG, "[2.3] Finish OTA service");
    ESP_LOGI(TAG, "[2.4] Clear OTA service");
    periph_service_destroy(service);
    vEventGroupDelete(events);
    esp_periph_set_destroy(set);
}
