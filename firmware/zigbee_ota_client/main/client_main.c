/* A device that joins a network, finds the OTA server there, and upgrades itself. */
#include "esp_app_desc.h"
#include "esp_check.h"
#include "esp_log.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "upgrade.h"

#define ENDPOINT       5
#define MANUFACTURER   0x1001
#define IMAGE_TYPE     0x1011
#define HW_VERSION     0x0101
#define QUERY_INTERVAL 60 /* minutes */
#define KEEP_ALIVE_MS  3000
#define MAX_CHILDREN   10
#define CHANNELS       ESP_ZB_TRANSCEIVER_ALL_CHANNELS_MASK

static const char *TAG = "ESP_OTA_CLIENT";

/* ---- The server ---- */

static void server_found(esp_zb_zdp_status_t status, uint16_t addr, uint8_t endpoint, void *ctx)
{
    if (status != ESP_ZB_ZDP_STATUS_SUCCESS) {
        ESP_LOGW(TAG, "No OTA Server found");
        return;
    }
    esp_zb_ota_upgrade_client_query_interval_set(ENDPOINT, QUERY_INTERVAL);
    esp_zb_ota_upgrade_client_query_image_req(addr, endpoint);
    ESP_LOGI(TAG, "Query OTA upgrade from server endpoint: %d after %d minutes", endpoint,
             QUERY_INTERVAL);
}

static void find_server(void)
{
    uint16_t cluster = ESP_ZB_ZCL_CLUSTER_ID_OTA_UPGRADE;
    esp_zb_zdo_match_desc_req_param_t req = {.dst_nwk_addr = 0x0000,
                                             .addr_of_interest = 0x0000,
                                             .profile_id = ESP_ZB_AF_HA_PROFILE_ID,
                                             .num_in_clusters = 1,
                                             .cluster_list = &cluster};
    esp_zb_zdo_match_cluster(&req, server_found, NULL);
}

/* ---- The network ---- */

static void commission(uint8_t mode)
{
    ESP_RETURN_ON_FALSE(esp_zb_bdb_start_top_level_commissioning(mode) == ESP_OK, , TAG,
                        "Failed to start Zigbee commissioning");
}

static void started(esp_zb_app_signal_type_t signal, esp_err_t status)
{
    if (status != ESP_OK) {
        ESP_LOGW(TAG, "%s failed with status: %s, retrying", esp_zb_zdo_signal_to_string(signal),
                 esp_err_to_name(status));
        esp_zb_scheduler_alarm(commission, ESP_ZB_BDB_MODE_INITIALIZATION, 1000);
        return;
    }
    ESP_LOGI(TAG, "Device started up in%s factory-reset mode",
             esp_zb_bdb_is_factory_new() ? "" : " non");
    if (esp_zb_bdb_is_factory_new()) {
        ESP_LOGI(TAG, "Start network steering");
        commission(ESP_ZB_BDB_MODE_NETWORK_STEERING);
    } else {
        ESP_LOGI(TAG, "Device rebooted");
        find_server();
    }
}

static void steered(esp_err_t status)
{
    esp_zb_ieee_addr_t epid;
    if (status != ESP_OK) {
        ESP_LOGI(TAG, "Network steering was not successful (status: %s)", esp_err_to_name(status));
        esp_zb_scheduler_alarm(commission, ESP_ZB_BDB_MODE_NETWORK_STEERING, 5000);
        return;
    }
    esp_zb_get_extended_pan_id(epid);
    ESP_LOGI(TAG,
             "Joined network successfully (Extended PAN ID: "
             "%02x:%02x:%02x:%02x:%02x:%02x:%02x:%02x, PAN ID: 0x%04hx, Channel:%d, "
             "Short Address: 0x%04hx)",
             epid[7], epid[6], epid[5], epid[4], epid[3], epid[2], epid[1], epid[0],
             esp_zb_get_pan_id(), esp_zb_get_current_channel(), esp_zb_get_short_address());
    find_server();
}

void esp_zb_app_signal_handler(esp_zb_app_signal_t *s)
{
    esp_zb_app_signal_type_t signal = *s->p_app_signal;
    switch (signal) {
    case ESP_ZB_ZDO_SIGNAL_SKIP_STARTUP:
        ESP_LOGI(TAG, "Initialize Zigbee stack");
        commission(ESP_ZB_BDB_MODE_INITIALIZATION);
        break;
    case ESP_ZB_BDB_SIGNAL_DEVICE_FIRST_START:
    case ESP_ZB_BDB_SIGNAL_DEVICE_REBOOT:
        started(signal, s->esp_err_status);
        break;
    case ESP_ZB_BDB_SIGNAL_STEERING:
        steered(s->esp_err_status);
        break;
    case ESP_ZB_COMMON_SIGNAL_CAN_SLEEP:
        esp_zb_sleep_now();
        break;
    default:
        ESP_LOGI(TAG, "ZDO signal: %s (0x%x), status: %s", esp_zb_zdo_signal_to_string(signal),
                 signal, esp_err_to_name(s->esp_err_status));
    }
}

/* ---- Upgrades ---- */

static esp_err_t offered(const esp_zb_zcl_ota_upgrade_query_image_resp_message_t *m)
{
    if (m->query_status != ESP_ZB_ZCL_STATUS_SUCCESS) {
        ESP_LOGI(TAG, "No OTA image for this device (status: 0x%x)", m->query_status);
        return ESP_ERR_NOT_FOUND;
    }
    ESP_LOGI(TAG, "Queried OTA image from address: 0x%04hx, endpoint: %d",
             m->server_addr.u.short_addr, m->server_endpoint);
    ESP_LOGI(TAG, "Image version: 0x%lx, manufacturer code: 0x%x, image size: %ld", m->file_version,
             m->manufacturer_code, m->image_size);
    ESP_LOGI(TAG, "Approving OTA image upgrade");
    return ESP_OK;
}

static esp_err_t on_action(esp_zb_core_action_callback_id_t id, const void *message)
{
    switch (id) {
    case ESP_ZB_CORE_OTA_UPGRADE_VALUE_CB_ID:
        return upgrade_step(message);
    case ESP_ZB_CORE_OTA_UPGRADE_QUERY_IMAGE_RESP_CB_ID:
        return offered(message);
    default:
        ESP_LOGW(TAG, "Receive Zigbee action(0x%x) callback", id);
        return ESP_OK;
    }
}

/* ---- Setting up ---- */

static esp_zb_attribute_list_t *ota_cluster(void)
{
    esp_zb_ota_cluster_cfg_t config = {
        .ota_upgrade_file_version = CONFIG_EXAMPLE_FILE_VERSION,
        .ota_upgrade_downloaded_file_ver = CONFIG_EXAMPLE_FILE_VERSION,
        .ota_upgrade_manufacturer = MANUFACTURER,
        .ota_upgrade_image_type = IMAGE_TYPE,
    };
    esp_zb_zcl_ota_upgrade_client_variable_t variable = {
        .timer_query = ESP_ZB_ZCL_OTA_UPGRADE_QUERY_TIMER_COUNT_DEF,
        .hw_version = HW_VERSION,
        .max_data_size = CONFIG_EXAMPLE_BLOCK_SIZE,
    };
    esp_zb_attribute_list_t *list = esp_zb_ota_cluster_create(&config);
    ESP_ERROR_CHECK(
        esp_zb_ota_cluster_add_attr(list, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_CLIENT_DATA_ID, &variable));
    return list;
}

static esp_err_t register_device(void)
{
    esp_zb_endpoint_config_t endpoint = {.endpoint = ENDPOINT,
                                         .app_profile_id = ESP_ZB_AF_HA_PROFILE_ID,
                                         .app_device_id = ESP_ZB_HA_TEST_DEVICE_ID};
    esp_zb_attribute_list_t *basic = esp_zb_basic_cluster_create(NULL);
    esp_zb_cluster_list_t *clusters = esp_zb_zcl_cluster_list_create();
    esp_zb_ep_list_t *endpoints = esp_zb_ep_list_create();
    ESP_ERROR_CHECK(esp_zb_basic_cluster_add_attr(basic, ESP_ZB_ZCL_ATTR_BASIC_MANUFACTURER_NAME_ID,
                                                  "\x09"
                                                  "ESPRESSIF"));
    ESP_ERROR_CHECK(esp_zb_basic_cluster_add_attr(basic, ESP_ZB_ZCL_ATTR_BASIC_MODEL_IDENTIFIER_ID,
                                                  "\x07" CONFIG_IDF_TARGET));
    ESP_ERROR_CHECK(
        esp_zb_cluster_list_add_basic_cluster(clusters, basic, ESP_ZB_ZCL_CLUSTER_SERVER_ROLE));
    ESP_ERROR_CHECK(esp_zb_cluster_list_add_ota_cluster(clusters, ota_cluster(),
                                                        ESP_ZB_ZCL_CLUSTER_CLIENT_ROLE));
    ESP_ERROR_CHECK(esp_zb_ep_list_add_ep(endpoints, clusters, endpoint));
    return esp_zb_device_register(endpoints);
}

enum role { ROUTER, END_DEVICE, SLEEPY };

#if CONFIG_EXAMPLE_ROUTER
#define CONFIGURED_ROLE ROUTER
#elif CONFIG_EXAMPLE_SLEEPY
#define CONFIGURED_ROLE SLEEPY
#else
#define CONFIGURED_ROLE END_DEVICE
#endif

/* What the factory wrote into NVS, so that one program serves all products of a family; else
 * the choice of the configuration. */
static enum role role(void)
{
    uint8_t role = CONFIGURED_ROLE;
    nvs_handle_t handle;
    if (nvs_open("device", NVS_READONLY, &handle) == ESP_OK) {
        nvs_get_u8(handle, "role", &role);
        nvs_close(handle);
    }
    return role;
}

static esp_zb_cfg_t network_config(enum role role)
{
    if (role == ROUTER)
        return (esp_zb_cfg_t){.esp_zb_role = ESP_ZB_DEVICE_TYPE_ROUTER,
                              .nwk_cfg.zczr_cfg = {.max_children = MAX_CHILDREN}};
    return (esp_zb_cfg_t){
        .esp_zb_role = ESP_ZB_DEVICE_TYPE_ED,
        .nwk_cfg.zed_cfg = {.ed_timeout = ESP_ZB_ED_AGING_TIMEOUT_64MIN,
                            .keep_alive = KEEP_ALIVE_MS},
    };
}

static void zigbee_task(void *arg)
{
    esp_zb_cfg_t config = network_config(role());
    if (role() == SLEEPY) esp_zb_sleep_enable(true);
    esp_zb_init(&config);
    ESP_ERROR_CHECK(register_device());
    esp_zb_core_action_handler_register(on_action);
    esp_zb_set_primary_network_channel_set(CHANNELS);
    ESP_ERROR_CHECK(esp_zb_start(false));
    esp_zb_stack_main_loop();
}

void app_main(void)
{
    esp_zb_platform_config_t config = {
        .radio_config = {.radio_mode = ZB_RADIO_MODE_NATIVE},
        .host_config = {.host_connection_mode = ZB_HOST_CONNECTION_MODE_NONE},
    };
    ESP_LOGW(TAG, "ESP Zigbee OTA example %s is running, file version 0x%lx",
             esp_app_get_description()->version, (unsigned long)CONFIG_EXAMPLE_FILE_VERSION);
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_zb_platform_config(&config));
    xTaskCreate(zigbee_task, "Zigbee_main", 4096, NULL, 5, NULL);
}
