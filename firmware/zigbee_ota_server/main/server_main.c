/* A coordinator that serves one OTA file: it forms a network, opens it, and tells devices of
 * the file when they come and when the BOOT key is pressed. */
#include "esp_check.h"
#include "esp_log.h"
#include "nvs_flash.h"
#include "ota_file.h"
#include "switch_driver.h"

#define ENDPOINT      5
#define FILE_INDEX    0
#define FILE_COUNT    1
#define QUERY_JITTER  100
#define CURRENT_TIME  0x12345 /* the Time cluster is not used */
#define UPGRADE_AFTER 5       /* s */
#define OPEN_FOR      180     /* s */
#define CHANNELS      (1l << 13)
#define MAX_CHILDREN  10

static const char *TAG = "ESP_OTA_SERVER";

static switch_func_pair_t keys[] = {{GPIO_INPUT_IO_TOGGLE_SWITCH, SWITCH_ON_CONTROL}};

/* ---- The file ---- */

static esp_err_t next_data(esp_zb_ota_zcl_information_t message, uint16_t index, uint8_t size,
                           uint8_t **data)
{
    ESP_RETURN_ON_FALSE(index == FILE_INDEX, ESP_FAIL, TAG,
                        "Failed to locate the OTA image using the index (%d)", index);
    *data = (uint8_t *)ota_file_next(size);
    ESP_LOGI(TAG, "-- OTA Server transmits data from 0x%x to 0x%x: progress [%ld/%ld]",
             message.dst_short_addr, message.src_addr.u.short_addr, ota_file_position(),
             ota_file_size());
    if (ota_file_position() >= ota_file_size()) ota_file_rewind();
    return ESP_OK;
}

static esp_err_t put_into_table(bool notify)
{
    esp_zb_ota_upgrade_server_notify_req_t req = {
        .endpoint = ENDPOINT,
        .index = FILE_INDEX,
        .notify_on = notify,
        .ota_upgrade_time = CURRENT_TIME + UPGRADE_AFTER,
        .next_data_cb = next_data,
    };
    ESP_RETURN_ON_ERROR(ota_file_describe(&req.ota_file_header), TAG, "There is no OTA file");
    return esp_zb_ota_upgrade_server_notify_req(&req);
}

static void key_pressed(switch_func_pair_t *key)
{
    esp_zb_lock_acquire(portMAX_DELAY);
    if (esp_zb_bdb_dev_joined()) {
        put_into_table(true);
        ESP_LOGI(TAG, "Send OTA Server notify image request");
    }
    esp_zb_lock_release();
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
    bool ready = switch_driver_init(keys, PAIR_SIZE(keys), key_pressed);
    ESP_LOGI(TAG, "Deferred driver initialization %s", ready ? "successful" : "failed");
    ESP_LOGI(TAG, "Device started up in%s factory-reset mode",
             esp_zb_bdb_is_factory_new() ? "" : " non");
    if (esp_zb_bdb_is_factory_new()) {
        ESP_LOGI(TAG, "Start network formation");
        commission(ESP_ZB_BDB_MODE_NETWORK_FORMATION);
    } else {
        put_into_table(false); /* clients that were at it go on */
        esp_zb_bdb_open_network(OPEN_FOR);
        ESP_LOGI(TAG, "Device rebooted");
    }
}

static void formed(esp_err_t status)
{
    esp_zb_ieee_addr_t epid;
    if (status != ESP_OK) {
        ESP_LOGI(TAG, "Restart network formation (status: %s)", esp_err_to_name(status));
        esp_zb_scheduler_alarm(commission, ESP_ZB_BDB_MODE_NETWORK_FORMATION, 1000);
        return;
    }
    esp_zb_get_extended_pan_id(epid);
    ESP_LOGI(TAG,
             "Formed network successfully (Extended PAN ID: "
             "%02x:%02x:%02x:%02x:%02x:%02x:%02x:%02x, PAN ID: 0x%04hx, Channel:%d, "
             "Short Address: 0x%04hx)",
             epid[7], epid[6], epid[5], epid[4], epid[3], epid[2], epid[1], epid[0],
             esp_zb_get_pan_id(), esp_zb_get_current_channel(), esp_zb_get_short_address());
    commission(ESP_ZB_BDB_MODE_NETWORK_STEERING);
}

static void device_came(const esp_zb_zdo_signal_device_annce_params_t *p)
{
    ESP_LOGI(TAG, "New device commissioned or rejoined (short: 0x%04hx)", p->device_short_addr);
    if (ota_file_in_use()) return;
    put_into_table(true);
    ESP_LOGI(TAG, "Notify OTA upgrade");
}

static void permit_changed(uint8_t seconds)
{
    if (seconds)
        ESP_LOGI(TAG, "Network(0x%04hx) is open for %d seconds", esp_zb_get_pan_id(), seconds);
    else
        ESP_LOGW(TAG, "Network(0x%04hx) closed, devices joining not allowed.", esp_zb_get_pan_id());
}

void esp_zb_app_signal_handler(esp_zb_app_signal_t *s)
{
    esp_zb_app_signal_type_t signal = *s->p_app_signal;
    const void *params = esp_zb_app_signal_get_params(s->p_app_signal);
    switch (signal) {
    case ESP_ZB_ZDO_SIGNAL_SKIP_STARTUP:
        ESP_LOGI(TAG, "Initialize Zigbee stack");
        commission(ESP_ZB_BDB_MODE_INITIALIZATION);
        break;
    case ESP_ZB_BDB_SIGNAL_DEVICE_FIRST_START:
    case ESP_ZB_BDB_SIGNAL_DEVICE_REBOOT:
        started(signal, s->esp_err_status);
        break;
    case ESP_ZB_BDB_SIGNAL_FORMATION:
        formed(s->esp_err_status);
        break;
    case ESP_ZB_BDB_SIGNAL_STEERING:
        if (s->esp_err_status == ESP_OK) ESP_LOGI(TAG, "Network steering started");
        break;
    case ESP_ZB_ZDO_SIGNAL_DEVICE_ANNCE:
        device_came(params);
        break;
    case ESP_ZB_NWK_SIGNAL_PERMIT_JOIN_STATUS:
        if (s->esp_err_status == ESP_OK) permit_changed(*(const uint8_t *)params);
        break;
    default:
        ESP_LOGI(TAG, "ZDO signal: %s (0x%x), status: %s", esp_zb_zdo_signal_to_string(signal),
                 signal, esp_err_to_name(s->esp_err_status));
    }
}

/* ---- What clients do ---- */

static esp_err_t status_came(const esp_zb_zcl_ota_upgrade_server_status_message_t *m)
{
    ESP_LOGI(TAG, "OTA client address: 0x%x", m->zcl_addr.u.short_addr);
    ESP_LOGI(TAG, "OTA version: 0x%lx, image type: 0x%x, server status: %d", m->version,
             m->image_type, m->server_status);
    if (m->upgrade_time) ESP_LOGI(TAG, "OTA upgrade time: 0x%lx", *m->upgrade_time);
    if (m->server_status != ESP_ZB_ZCL_OTA_UPGRADE_SERVER_STARTED) ota_file_rewind();
    return ESP_OK;
}

static esp_err_t query_came(const esp_zb_zcl_ota_upgrade_server_query_image_message_t *m)
{
    ESP_LOGI(TAG, "OTA upgrade server query image");
    ESP_LOGI(TAG, "OTA client address: 0x%x", m->zcl_addr.u.short_addr);
    ESP_LOGI(TAG, "OTA version: 0x%lx, image type: 0x%x, manufacturer code: %x, ", m->version,
             m->image_type, m->manufacturer_code);
    if (m->table_idx) ESP_LOGI(TAG, "OTA table index: 0x%x", *m->table_idx);
    ESP_RETURN_ON_FALSE(ota_file_is(m->manufacturer_code, m->image_type), ESP_ERR_NOT_FOUND, TAG,
                        "OTA query image mismatch");
    ota_file_rewind();
    return ESP_OK;
}

static esp_err_t on_action(esp_zb_core_action_callback_id_t id, const void *message)
{
    switch (id) {
    case ESP_ZB_CORE_OTA_UPGRADE_SRV_STATUS_CB_ID:
        return status_came(message);
    case ESP_ZB_CORE_OTA_UPGRADE_SRV_QUERY_IMAGE_CB_ID:
        return query_came(message);
    default:
        ESP_LOGW(TAG, "Receive Zigbee action(0x%x) callback", id);
        return ESP_OK;
    }
}

/* ---- Setting up ---- */

static esp_err_t register_device(void)
{
    esp_zb_zcl_ota_upgrade_server_variable_t variable = {
        .query_jitter = QUERY_JITTER, .current_time = CURRENT_TIME, .file_count = FILE_COUNT};
    esp_zb_endpoint_config_t endpoint = {.endpoint = ENDPOINT,
                                         .app_profile_id = ESP_ZB_AF_HA_PROFILE_ID,
                                         .app_device_id = ESP_ZB_HA_TEST_DEVICE_ID};
    esp_zb_attribute_list_t *basic = esp_zb_basic_cluster_create(NULL);
    esp_zb_attribute_list_t *ota = esp_zb_zcl_attr_list_create(ESP_ZB_ZCL_CLUSTER_ID_OTA_UPGRADE);
    esp_zb_cluster_list_t *clusters = esp_zb_zcl_cluster_list_create();
    esp_zb_ep_list_t *endpoints = esp_zb_ep_list_create();
    ESP_ERROR_CHECK(esp_zb_basic_cluster_add_attr(basic, ESP_ZB_ZCL_ATTR_BASIC_MANUFACTURER_NAME_ID,
                                                  "\x09"
                                                  "ESPRESSIF"));
    ESP_ERROR_CHECK(esp_zb_basic_cluster_add_attr(basic, ESP_ZB_ZCL_ATTR_BASIC_MODEL_IDENTIFIER_ID,
                                                  "\x07" CONFIG_IDF_TARGET));
    ESP_ERROR_CHECK(
        esp_zb_ota_cluster_add_attr(ota, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_SERVER_DATA_ID, &variable));
    ESP_ERROR_CHECK(
        esp_zb_cluster_list_add_basic_cluster(clusters, basic, ESP_ZB_ZCL_CLUSTER_SERVER_ROLE));
    ESP_ERROR_CHECK(
        esp_zb_cluster_list_add_ota_cluster(clusters, ota, ESP_ZB_ZCL_CLUSTER_SERVER_ROLE));
    ESP_ERROR_CHECK(esp_zb_ep_list_add_ep(endpoints, clusters, endpoint));
    return esp_zb_device_register(endpoints);
}

static void zigbee_task(void *arg)
{
    esp_zb_cfg_t config = {.esp_zb_role = ESP_ZB_DEVICE_TYPE_COORDINATOR,
                           .nwk_cfg.zczr_cfg = {.max_children = MAX_CHILDREN}};
    esp_zb_init(&config);
    esp_zb_set_primary_network_channel_set(CHANNELS);
    esp_zb_core_action_handler_register(on_action);
    ESP_ERROR_CHECK(register_device());
    ESP_ERROR_CHECK(esp_zb_start(false));
    esp_zb_stack_main_loop();
}

void app_main(void)
{
    esp_zb_platform_config_t config = {
        .radio_config = {.radio_mode = ZB_RADIO_MODE_NATIVE},
        .host_config = {.host_connection_mode = ZB_HOST_CONNECTION_MODE_NONE},
    };
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_zb_platform_config(&config));
    xTaskCreate(zigbee_task, "Zigbee_main", 4096, NULL, 5, NULL);
}
