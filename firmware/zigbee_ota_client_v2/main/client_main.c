/* A device on API 2.x that joins a network and upgrades itself: when a server notifies it, and
 * when the BOOT key is pressed, if there is something new. */
#include "driver/gpio.h"
#include "esp_check.h"
#include "esp_log.h"
#include "ezbee/zha.h"
#include "nvs_flash.h"
#include "upgrade.h"

#define ENDPOINT           10
#define PRIMARY_CHANNELS   (1u << 13)
#define SECONDARY_CHANNELS 0x07fff800u
#define MAX_CHILDREN       10
#define KEEP_ALIVE_MS      3000
#define BOOT_KEY           9
#define STORAGE            "zb_storage"

static const char *TAG = "OTA_CLIENT";

/* ---- The key ---- */

static void query_sent(ezb_zcl_cmd_cnf_t *cnf, void *ctx)
{
    ESP_LOGI(TAG, "Query Next Image was sent, status: 0x%02x", cnf->status);
}

static void query(void *ctx)
{
    ezb_zcl_ota_upgrade_query_next_image_req_cmd_t cmd = {
        .cmd_ctrl = {.dst_addr = EZB_ADDRESS_NONE(), .src_ep = ENDPOINT, .cnf_ctx.cb = query_sent},
        .payload = {.manuf_code = CONFIG_EXAMPLE_MANUFACTURER,
                    .image_type = CONFIG_EXAMPLE_IMAGE_TYPE,
                    .file_version = CONFIG_EXAMPLE_FILE_VERSION},
    };
    if (ezb_zcl_ota_upgrade_query_next_image_cmd_req(&cmd))
        ESP_LOGW(TAG, "Not now: no network, or a download is under way");
}

static void key_pressed(void *arg)
{
    esp_zigbee_task_queue_post(query, NULL);
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

static void started(ezb_bdb_comm_status_t status)
{
    if (status != EZB_BDB_STATUS_SUCCESS) {
        ESP_LOGW(TAG, "The network is gone (status 0x%02x): looking for it goes on", status);
        return;
    }
    ESP_LOGI(TAG, "Device started up in%s factory-reset mode",
             ezb_bdb_is_factory_new() ? "" : " non");
    if (ezb_bdb_is_factory_new())
        commission(EZB_BDB_MODE_NETWORK_STEERING);
    else
        ESP_LOGI(TAG, "Device reboot");
}

static void steered(ezb_bdb_comm_status_t status)
{
    ezb_extpanid_t epid;
    if (status != EZB_BDB_STATUS_SUCCESS) {
        ESP_LOGW(TAG, "Failed to join network with status(0x%02x)", status);
        commission(EZB_BDB_MODE_NETWORK_STEERING);
        return;
    }
    ezb_nwk_get_extended_panid(&epid);
    ESP_LOGI(TAG,
             "Joined network successfully: PAN ID(0x%04hx, EXT: 0x%llx), Channel(%d), "
             "Short Address(0x%04hx)",
             ezb_nwk_get_panid(), epid.u64, ezb_nwk_get_current_channel(),
             ezb_nwk_get_short_address());
}

static bool on_signal(const ezb_app_signal_t *signal)
{
    ezb_app_signal_type_t type = ezb_app_signal_get_type(signal);
    const ezb_bdb_signal_simple_params_t *bdb = ezb_app_signal_get_params(signal);
    switch (type) {
    case EZB_ZDO_SIGNAL_SKIP_STARTUP:
        ESP_LOGI(TAG, "Initialize Zigbee stack");
        commission(EZB_BDB_MODE_INITIALIZATION);
        break;
    case EZB_BDB_SIGNAL_DEVICE_FIRST_START:
    case EZB_BDB_SIGNAL_DEVICE_REBOOT:
        started(bdb->status);
        break;
    case EZB_BDB_SIGNAL_STEERING:
        steered(bdb->status);
        break;
    default:
        ESP_LOGI(TAG, "Zigbee APP Signal: %s(type: 0x%02x)", ezb_app_signal_to_string(type), type);
    }
    return true;
}

/* ---- Upgrades ---- */

static void offered(const ezb_zcl_ota_upgrade_new_image_t *image)
{
    ESP_LOGI(TAG, "-- OTA Upgrade Query Next Image Response");
    if (image->status != EZB_ZCL_OTA_UPGRADE_STATUS_CODE_SUCCESS) {
        ESP_LOGW(TAG, "No image available, status: 0x%02x", image->status);
        return;
    }
    ESP_LOGI(TAG, "New image available:");
    ESP_LOGI(TAG, "  Server address: 0x%016llx", image->server_address.u64);
    ESP_LOGI(TAG, "  Endpoint: %d", image->ep_id);
    ESP_LOGI(TAG, "  Manufacturer code: 0x%04x", image->manuf_code);
    ESP_LOGI(TAG, "  Image type: 0x%04x", image->image_type);
    ESP_LOGI(TAG, "  File version: 0x%08lx", image->file_version);
    ESP_LOGI(TAG, "  Image size: %ld bytes", image->size);
}

static void on_action(ezb_zcl_core_action_callback_id_t id, void *message)
{
    const ezb_zcl_ota_upgrade_query_next_image_rsp_message_t *answer = message;
    const ezb_zcl_cmd_default_rsp_message_t *response = message;
    switch (id) {
    case EZB_ZCL_CORE_OTA_UPGRADE_CLIENT_PROGRESS_CB_ID:
        upgrade_step(message);
        break;
    case EZB_ZCL_CORE_OTA_UPGRADE_QUERY_NEXT_IMAGE_RSP_CB_ID:
        offered(&answer->in.image);
        break;
    case EZB_ZCL_CORE_DEFAULT_RSP_CB_ID:
        ESP_LOGI(TAG, "Received ZCL Default Response with status(0x%02x)",
                 response->in.status_code);
        break;
    default:
        ESP_LOGW(TAG, "Application Action: 0x%08lx", id);
    }
}

/* ---- Setting up ---- */

static void create_device(void)
{
    const ezb_af_ep_config_t config = {.ep_id = ENDPOINT,
                                       .app_profile_id = EZB_AF_HA_PROFILE_ID,
                                       .app_device_id = EZB_ZHA_ON_OFF_LIGHT_DEVICE_ID};
    const ezb_zcl_ota_upgrade_cluster_client_config_t ota = {
        .upgrade_server_id = EZB_ZCL_OTA_UPGRADE_UPGRADE_SERVER_ID_DEFAULT_VALUE,
        .manufacturer_id = CONFIG_EXAMPLE_MANUFACTURER,
        .image_type_id = CONFIG_EXAMPLE_IMAGE_TYPE,
    };
    ezb_af_device_desc_t device = ezb_af_create_device_desc();
    ezb_af_ep_desc_t endpoint = ezb_af_create_endpoint_desc(&config);
    ezb_zcl_cluster_desc_t basic = ezb_zcl_basic_create_cluster_desc(NULL, EZB_ZCL_CLUSTER_SERVER);
    ezb_zcl_cluster_desc_t client =
        ezb_zcl_ota_upgrade_create_cluster_desc(&ota, EZB_ZCL_CLUSTER_CLIENT);
    ezb_zcl_basic_cluster_desc_add_attr(basic, EZB_ZCL_ATTR_BASIC_MANUFACTURER_NAME_ID,
                                        "\x09"
                                        "ESPRESSIF");
    ezb_zcl_basic_cluster_desc_add_attr(basic, EZB_ZCL_ATTR_BASIC_MODEL_IDENTIFIER_ID,
                                        "\x07" CONFIG_IDF_TARGET);
#if CONFIG_EXAMPLE_TELLS_VERSION
    uint32_t version = CONFIG_EXAMPLE_FILE_VERSION;
    ESP_ERROR_CHECK(ezb_zcl_ota_upgrade_cluster_desc_add_attr(
        client, EZB_ZCL_ATTR_OTA_UPGRADE_CURRENT_FILE_VERSION_ID, &version));
#endif
    ESP_ERROR_CHECK(ezb_af_endpoint_add_cluster_desc(endpoint, basic));
    ESP_ERROR_CHECK(ezb_af_endpoint_add_cluster_desc(endpoint, client));
    ESP_ERROR_CHECK(ezb_af_device_add_endpoint_desc(device, endpoint));
    ESP_ERROR_CHECK(ezb_af_device_desc_register(device));
    ESP_ERROR_CHECK(
        ezb_zcl_ota_upgrade_set_download_block_size(ENDPOINT, CONFIG_EXAMPLE_BLOCK_SIZE));
    ezb_zcl_core_action_handler_register(on_action);
}

static void zigbee_task(void *arg)
{
    esp_zigbee_config_t config = {
#if CONFIG_EXAMPLE_ROUTER
        .device_config = {.device_type = EZB_NWK_DEVICE_TYPE_ROUTER,
                          .zczr_config = {.max_children = MAX_CHILDREN}},
#else
        .device_config = {.device_type = EZB_NWK_DEVICE_TYPE_END_DEVICE,
                          .zed_config = {.ed_timeout = EZB_NWK_ED_TIMEOUT_64MIN,
                                         .keep_alive = KEEP_ALIVE_MS}},
#endif
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
    ESP_LOGW(TAG, "ESP Zigbee OTA example (0x%lx) is running",
             (unsigned long)CONFIG_EXAMPLE_FILE_VERSION);
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(nvs_flash_init_partition(STORAGE));
    ESP_ERROR_CHECK(watch_key());
    xTaskCreate(zigbee_task, "Zigbee_main", 4096, NULL, 5, NULL);
}
