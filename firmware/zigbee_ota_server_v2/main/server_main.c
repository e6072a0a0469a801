/* A coordinator on API 2.x that serves one OTA file: it forms a network, opens it, and tells
 * devices of the file when they come, and all when the BOOT key is pressed. */
#include <string.h>

#include "driver/gpio.h"
#include "esp_check.h"
#include "esp_log.h"
#include "esp_zigbee.h"
#include "ezbee/zha.h"
#include "nvs_flash.h"

#define ENDPOINT           1
#define ALL_ENDPOINTS      0xff
#define ALL_DEVICES        0xfffd /* whose receiver is on */
#define OPEN_FOR           180    /* s */
#define PRIMARY_CHANNELS   (1u << 13)
#define SECONDARY_CHANNELS 0x07fff800u
#define MAX_CHILDREN       10
#define BOOT_KEY           9
#define STORAGE            "zb_storage"

static const char *TAG = "OTA_SERVER";

extern const uint8_t file_start[] asm("_binary_ota_file_zigbee_start");
extern const uint8_t file_end[] asm("_binary_ota_file_zigbee_end");

/* ---- Notify ---- */

static void notify(uint16_t addr)
{
    ezb_zcl_ota_file_header_t header;
    memcpy(&header, file_start, sizeof header);
    ezb_zcl_ota_upgrade_image_notify_cmd_t cmd = {
        .cmd_ctrl = {.dst_addr = EZB_ADDRESS_SHORT(addr),
                     .dst_ep = ALL_ENDPOINTS,
                     .src_ep = ENDPOINT},
        .payload =
            {
                .type = EZB_ZCL_OTA_UPGRADE_IMAGE_NOTIFY_PAYLOAD_TYPE_JITTER_CODE_IMAGE_VERSION,
                .query_jitter = EZB_ZCL_OTA_UPGRADE_MAX_QUERY_JITTER_VALUE,
                .manuf_code = header.manufacturer_code,
                .image_type = header.image_type,
                .file_version = header.file_version,
            },
    };
    if (ezb_zcl_ota_upgrade_image_notify_cmd_req(&cmd))
        ESP_LOGE(TAG, "Failed to send OTA Image Notify Command");
    else
        ESP_LOGI(TAG, "Broadcast OTA Image Notify Command");
}

static void notify_all(void *ctx)
{
    notify(ALL_DEVICES);
}

static void key_pressed(void *arg)
{
    esp_zigbee_task_queue_post(notify_all, NULL);
}

static esp_err_t watch_key(void)
{
    const gpio_config_t key = {.pin_bit_mask = 1ull << BOOT_KEY,
                               .mode = GPIO_MODE_INPUT,
                               .pull_up_en = GPIO_PULLUP_ENABLE,
                               .intr_type = GPIO_INTR_NEGEDGE};
    ESP_RETURN_ON_ERROR(gpio_config(&key), TAG, "The key's pin cannot be used");
    ESP_RETURN_ON_ERROR(gpio_install_isr_service(0), TAG, "No interrupts");
    return gpio_isr_handler_add(BOOT_KEY, key_pressed, NULL);
}

/* ---- The network ---- */

static void commission(ezb_bdb_comm_mode_mask_t mode)
{
    if (ezb_bdb_start_top_level_commissioning(mode))
        ESP_LOGE(TAG, "Failed to start Zigbee commissioning");
}

static void started(void)
{
    ESP_LOGI(TAG, "Deferred driver initialization %s", watch_key() ? "failed" : "successful");
    ESP_LOGI(TAG, "Device started up in%s factory-reset mode",
             ezb_bdb_is_factory_new() ? "" : " non");
    if (ezb_bdb_is_factory_new()) {
        commission(EZB_BDB_MODE_NETWORK_FORMATION);
    } else {
        ezb_bdb_open_network(OPEN_FOR);
        ESP_LOGI(TAG, "Device reboot");
    }
}

static void formed(ezb_bdb_comm_status_t status)
{
    ezb_extpanid_t epid;
    if (status != EZB_BDB_STATUS_SUCCESS) {
        ESP_LOGW(TAG, "Failed to form network with status(0x%02x)", status);
        commission(EZB_BDB_MODE_NETWORK_FORMATION);
        return;
    }
    ezb_nwk_get_extended_panid(&epid);
    ESP_LOGI(TAG,
             "Formed network successfully: PAN ID(0x%04hx, EXT: 0x%llx), Channel(%d), "
             "Short Address(0x%04hx)",
             ezb_nwk_get_panid(), epid.u64, ezb_nwk_get_current_channel(),
             ezb_nwk_get_short_address());
    commission(EZB_BDB_MODE_NETWORK_STEERING);
}

static void permitted(uint8_t seconds)
{
    if (seconds)
        ESP_LOGI(TAG, "Network(0x%04hx) is open for %d seconds", ezb_nwk_get_panid(), seconds);
    else
        ESP_LOGW(TAG, "Network(0x%04hx) closed, devices joining not allowed.", ezb_nwk_get_panid());
}

static bool on_signal(const ezb_app_signal_t *signal)
{
    ezb_app_signal_type_t type = ezb_app_signal_get_type(signal);
    const ezb_bdb_signal_simple_params_t *bdb = ezb_app_signal_get_params(signal);
    const ezb_zdo_signal_device_annce_params_t *device = ezb_app_signal_get_params(signal);
    const ezb_nwk_signal_permit_join_status_params_t *permit = ezb_app_signal_get_params(signal);
    switch (type) {
    case EZB_ZDO_SIGNAL_SKIP_STARTUP:
        ESP_LOGI(TAG, "Initialize Zigbee stack");
        commission(EZB_BDB_MODE_INITIALIZATION);
        break;
    case EZB_BDB_SIGNAL_DEVICE_FIRST_START:
    case EZB_BDB_SIGNAL_DEVICE_REBOOT:
        started();
        break;
    case EZB_BDB_SIGNAL_FORMATION:
        formed(bdb->status);
        break;
    case EZB_BDB_SIGNAL_STEERING:
        ESP_LOGI(TAG, "Network steering completed");
        break;
    case EZB_ZDO_SIGNAL_DEVICE_ANNCE:
        ESP_LOGI(TAG, "New device commissioned or rejoined (short: 0x%04hx)", device->short_addr);
        notify(device->short_addr);
        break;
    case EZB_NWK_SIGNAL_PERMIT_JOIN_STATUS:
        permitted(permit->duration);
        break;
    default:
        ESP_LOGI(TAG, "Zigbee APP Signal: %s(type: 0x%02x)", ezb_app_signal_to_string(type), type);
    }
    return true;
}

/* ---- Upgrades ---- */

static void queried(const ezb_zcl_ota_upgrade_server_progress_start_t *s)
{
    ESP_LOGI(TAG, "OTA Query Start:");
    ESP_LOGI(TAG, "  Client: short_addr=0x%04x, ep_id=%d", s->query.short_address, s->query.ep_id);
    ESP_LOGI(TAG,
             "  Query: manuf_code=0x%04x, image_type=0x%04x, file_version=0x%08lx, "
             "hw_version=0x%04x",
             s->query.manuf_code, s->query.image_type, s->query.file_version, s->query.hw_version);
    ESP_LOGI(TAG, "  Policy: file_version=0x%08lx", s->policy.file_version);
}

static void on_progress(ezb_zcl_ota_upgrade_server_progress_message_t *m)
{
    const ezb_zcl_ota_upgrade_server_progress_sending_t *s = &m->in.sending;
    const ezb_zcl_ota_upgrade_server_progress_finish_t *f = &m->in.finish;
    ESP_LOGI(TAG, "-- OTA Upgrade Server Progress");
    switch (m->in.progress) {
    case EZB_ZCL_OTA_UPGRADE_PROGRESS_START:
        queried(&m->in.start);
        break;
    case EZB_ZCL_OTA_UPGRADE_PROGRESS_SENDING:
        ESP_LOGI(TAG, "OTA Sending Block:");
        ESP_LOGI(TAG, "  manuf_code=0x%04x, image_type=0x%04x, file_version=0x%08lx", s->manuf_code,
                 s->image_type, s->file_version);
        ESP_LOGW(TAG, "In progress: [%ld / %ld]", s->file_offset, (long)(file_end - file_start));
        break;
    case EZB_ZCL_OTA_UPGRADE_PROGRESS_FINISH:
        ESP_LOGI(TAG, "OTA Upgrade End:");
        ESP_LOGI(TAG, "  status=0x%02x, manuf_code=0x%04x, image_type=0x%04x, file_version=0x%08lx",
                 f->status, f->manuf_code, f->image_type, f->file_version);
        break;
    default:
        ESP_LOGW(TAG, "OTA Abort");
    }
}

static void on_action(ezb_zcl_core_action_callback_id_t id, void *message)
{
    const ezb_zcl_cmd_default_rsp_message_t *response = message;
    switch (id) {
    case EZB_ZCL_CORE_OTA_UPGRADE_SERVER_PROGRESS_CB_ID:
        on_progress(message);
        break;
    case EZB_ZCL_CORE_DEFAULT_RSP_CB_ID:
        ESP_LOGI(TAG, "Received ZCL Default Response with status(0x%02x)",
                 response->in.status_code);
        break;
    default:
        ESP_LOGW(TAG, "ZCL Core Action: ID(0x%04lx)", id);
    }
}

/* ---- Setting up ---- */

static void create_device(void)
{
    const ezb_af_ep_config_t config = {.ep_id = ENDPOINT,
                                       .app_profile_id = EZB_AF_HA_PROFILE_ID,
                                       .app_device_id = EZB_ZHA_ON_OFF_SWITCH_DEVICE_ID};
    const ezb_zcl_ota_upgrade_cluster_server_config_t ota = {.ota_upgrade_file_table_size = 1};
    ezb_af_device_desc_t device = ezb_af_create_device_desc();
    ezb_af_ep_desc_t endpoint = ezb_af_create_endpoint_desc(&config);
    ezb_zcl_cluster_desc_t basic = ezb_zcl_basic_create_cluster_desc(NULL, EZB_ZCL_CLUSTER_SERVER);
    ezb_zcl_cluster_desc_t server =
        ezb_zcl_ota_upgrade_create_cluster_desc(&ota, EZB_ZCL_CLUSTER_SERVER);
    ESP_ERROR_CHECK(ezb_af_endpoint_add_cluster_desc(endpoint, basic));
    ESP_ERROR_CHECK(ezb_af_endpoint_add_cluster_desc(endpoint, server));
    ESP_ERROR_CHECK(ezb_af_device_add_endpoint_desc(device, endpoint));
    ESP_ERROR_CHECK(ezb_af_device_desc_register(device));
    ezb_zcl_core_action_handler_register(on_action);
    if (!ezb_zcl_ota_upgrade_add_ota_file(ENDPOINT, file_start, (uint32_t)(file_end - file_start)))
        ESP_LOGE(TAG, "Failed to add OTA file");
}

static void zigbee_task(void *arg)
{
    esp_zigbee_config_t config = {
        .device_config = {.device_type = EZB_NWK_DEVICE_TYPE_COORDINATOR,
                          .zczr_config = {.max_children = MAX_CHILDREN}},
        .platform_config = {.storage_partition_name = STORAGE},
    };
    ESP_ERROR_CHECK(esp_zigbee_init(&config));
    ESP_ERROR_CHECK(ezb_bdb_set_primary_channel_set(PRIMARY_CHANNELS));
    ESP_ERROR_CHECK(ezb_bdb_set_secondary_channel_set(SECONDARY_CHANNELS));
    ESP_ERROR_CHECK(ezb_app_signal_add_handler(on_signal));
    create_device();
    ESP_ERROR_CHECK(esp_zigbee_start(false));
    esp_zigbee_launch_mainloop();
    vTaskDelete(NULL);
}

void app_main(void)
{
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(nvs_flash_init_partition(STORAGE));
    ESP_LOGI(TAG, "Start ESP Zigbee Stack");
    xTaskCreate(zigbee_task, "Zigbee_main", 4096, NULL, 5, NULL);
}
