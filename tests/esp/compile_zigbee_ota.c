/* Every name that the vendor's Zigbee OTA examples (1.0 to 1.6) take from his headers, and the
 * numbers and layouts that they and the air depend on. It is linked as firmware and not run. */
#include <assert.h>
#include <stddef.h>

#include "esp_check.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_timer.h"
#include "esp_zigbee_cluster.h"
#include "esp_zigbee_core.h"
#include "ha/esp_zigbee_ha_standard.h"
#include "nvs_flash.h"

#define VALUE(name, number)  static_assert((name) == (number), #name)
#define SIZE(type, bytes)    static_assert(sizeof(type) == (bytes), #type)
#define AT(type, field, off) static_assert(offsetof(type, field) == (off), #type "." #field)

VALUE(ESP_ZB_TRANSCEIVER_ALL_CHANNELS_MASK, 0x07fff800u);
VALUE(ESP_ZB_AF_HA_PROFILE_ID, 0x0104);
VALUE(ESP_ZB_AF_SE_PROFILE_ID, 0x0109);
VALUE(ESP_ZB_AF_ZLL_PROFILE_ID, 0xc05e);
VALUE(ESP_ZB_AF_GP_PROFILE_ID, 0xa1e0);
VALUE(ESP_ZB_HA_TEST_DEVICE_ID, 0xfff0);
VALUE(ESP_ZB_ZCL_CLUSTER_ID_TIME, 0x000a);
VALUE(ESP_ZB_ZCL_CLUSTER_ID_OTA_UPGRADE, 0x0019);
VALUE(ESP_ZB_DEVICE_TYPE_ED, 2);
VALUE(ESP_ZB_DEVICE_TYPE_NONE, 3);
VALUE(ESP_ZB_ED_AGING_TIMEOUT_64MIN, 6);
VALUE(ESP_ZB_ED_AGING_TIMEOUT_256MIN, 8);
VALUE(ESP_ZB_ED_AGING_TIMEOUT_16384MIN, 14);
VALUE(ZB_RADIO_MODE_UART_RCP, 1);
VALUE(ZB_HOST_CONNECTION_MODE_RCP_UART, 2);
VALUE(ESP_ZB_BDB_FINDING_N_BINDING, 0x08);
VALUE(ESP_ZB_BDB_TOUCHLINK_TARGET, 0x40);
VALUE(ESP_ZB_BDB_MODE_NETWORK_FORMATION, 4);
VALUE(ESP_ZB_ZCL_ATTR_BASIC_MANUFACTURER_NAME_ID, 4);
VALUE(ESP_ZB_ZCL_ATTR_BASIC_SW_BUILD_ID, 0x4000);
VALUE(ESP_ZB_ZCL_BASIC_ZCL_VERSION_DEFAULT_VALUE, 8);
VALUE(ESP_ZB_ZCL_STATUS_NO_IMAGE_AVAILABLE, 0x98);
VALUE(ESP_ZB_ZDP_STATUS_NOT_AUTHORIZED, 0x8d);
VALUE(ESP_ZB_ZCL_ADDR_TYPE_IEEE, 3);
VALUE(ESP_ZB_ZCL_ATTR_NON_MANUFACTURER_SPECIFIC, 0xffff);
VALUE(ESP_ZB_ZCL_ATTR_OTA_UPGRADE_IMAGE_STAMP_ID, 0x000a);
VALUE(ESP_ZB_ZCL_ATTR_OTA_UPGRADE_SERVER_DATA_ID, 0xfff0);
VALUE(ESP_ZB_ZCL_ATTR_OTA_UPGRADE_SERVER_ENDPOINT_ID, 0xfff3);
VALUE(ESP_ZB_ZCL_OTA_UPGRADE_QUERY_TIMER_COUNT_DEF, 1440);
VALUE(ESP_ZB_OTA_UPGRADE_MANUFACTURER_CODE_DEF_VALUE, 0x131b);
VALUE(ESP_ZB_OTA_UPGRADE_IMAGE_TYPE_DEF_VALUE, 0xffbf);
VALUE(ESP_ZB_ZCL_OTA_UPGRADE_STATUS_RECEIVE, 2);
VALUE(ESP_ZB_ZCL_OTA_UPGRADE_STATUS_CHECK, 5);
VALUE(ESP_ZB_ZCL_OTA_UPGRADE_STATUS_SERVER_NOT_FOUND, 10);
VALUE(ESP_ZB_ZCL_OTA_UPGRADE_SERVER_END, 2);
VALUE(ESP_ZB_ZCL_OTA_UPGRADE_FILE_HEADER_FC_HW_VER, 4);
VALUE(ESP_ZB_CORE_OTA_UPGRADE_VALUE_CB_ID, 0x0004);
VALUE(ESP_ZB_CORE_OTA_UPGRADE_SRV_STATUS_CB_ID, 0x0005);
VALUE(ESP_ZB_CORE_OTA_UPGRADE_SRV_QUERY_IMAGE_CB_ID, 0x0006);
VALUE(ESP_ZB_CORE_OTA_UPGRADE_QUERY_IMAGE_RESP_CB_ID, 0x0031);
VALUE(ESP_ZB_CORE_REPORT_ATTR_CB_ID, 0x2000);
VALUE(ESP_ZB_BDB_SIGNAL_DEVICE_REBOOT, 0x06);
VALUE(ESP_ZB_ZDO_SIGNAL_PRODUCTION_CONFIG_READY, 0x17);
VALUE(ESP_ZB_NWK_SIGNAL_PERMIT_JOIN_STATUS, 0x36);
VALUE(ESP_ZB_SIGNAL_END, 0x3e);

SIZE(esp_zb_zcl_addr_t, 9);
SIZE(esp_zb_zcl_attr_t, 6 + sizeof(void *));
SIZE(esp_zb_endpoint_config_t, 6);
SIZE(esp_zb_zcl_cluster_t, 7 + 2 * sizeof(void *));
SIZE(esp_zb_ota_file_optional_t, 14);
SIZE(esp_zb_ota_file_header_t, 28);
SIZE(esp_zb_ota_zcl_information_t, 22);
SIZE(esp_zb_zcl_ota_upgrade_server_variable_t, 12);
SIZE(esp_zb_zcl_ota_upgrade_client_variable_t, 6);
SIZE(esp_zb_ota_cluster_cfg_t, 32);
AT(esp_zb_ota_file_header_t, image_size, 8);
AT(esp_zb_ota_file_header_t, optional.minimum_hardware_version, 24);
AT(esp_zb_ota_zcl_information_t, cluster_id, 14);
AT(esp_zb_zcl_ota_upgrade_value_message_t, upgrade_status, 8);
AT(esp_zb_zcl_ota_upgrade_value_message_t, ota_header, 12);
AT(esp_zb_zcl_ota_upgrade_query_image_resp_message_t, server_endpoint, 17);
AT(esp_zb_zdo_signal_device_annce_params_t, ieee_addr, 2);
AT(esp_zb_cfg_t, nwk_cfg, 8);

static const char *TAG = "zigbee";

static void commission(uint8_t mode)
{
    esp_zb_bdb_start_top_level_commissioning(mode);
}

void esp_zb_app_signal_handler(esp_zb_app_signal_t *s)
{
    esp_zb_app_signal_type_t type = *s->p_app_signal;
    esp_zb_ieee_addr_t epid;
    esp_zb_get_extended_pan_id(epid);
    ESP_LOGI(TAG, "%s (0x%x): %s, 0x%04hx 0x%04hx %d", esp_zb_zdo_signal_to_string(type), type,
             esp_err_to_name(s->esp_err_status), esp_zb_get_pan_id(), esp_zb_get_short_address(),
             esp_zb_get_current_channel());
    esp_zb_scheduler_alarm((esp_zb_callback_t)commission, ESP_ZB_BDB_MODE_INITIALIZATION, 1000);
    if (esp_zb_bdb_is_factory_new()) esp_zb_bdb_open_network(180);
}

static esp_err_t next_data(esp_zb_ota_zcl_information_t message, uint16_t index, uint8_t size,
                           uint8_t **data)
{
    *data = NULL;
    return message.dst_short_addr == message.src_addr.u.short_addr ? ESP_OK : ESP_FAIL;
}

static void found(esp_zb_zdp_status_t status, uint16_t addr, uint8_t endpoint, void *ctx)
{
    esp_zb_ota_upgrade_client_query_interval_set(5, 60);
    esp_zb_ota_upgrade_client_query_image_req(addr, endpoint);
    esp_zb_ota_upgrade_client_query_image_stop();
}

static esp_err_t on_action(esp_zb_core_action_callback_id_t id, const void *message)
{
    const esp_zb_zcl_ota_upgrade_value_message_t *v = message;
    const esp_zb_zcl_ota_upgrade_server_status_message_t *s = message;
    const esp_zb_zcl_ota_upgrade_server_query_image_message_t *q = message;
    ESP_LOGI(TAG, "%d %lu %p %d", v->payload_size, (unsigned long)v->ota_header.image_size,
             (void *)s->upgrade_time, q->table_idx ? *q->table_idx : 0);
    return ESP_OK;
}

static esp_zb_ep_list_t *device(void)
{
    esp_zb_zcl_ota_upgrade_server_variable_t variable = {.file_count = 1};
    esp_zb_endpoint_config_t config = {.endpoint = 5, .app_profile_id = ESP_ZB_AF_HA_PROFILE_ID};
    esp_zb_attribute_list_t *basic = esp_zb_basic_cluster_create(NULL);
    esp_zb_attribute_list_t *ota = esp_zb_zcl_attr_list_create(ESP_ZB_ZCL_CLUSTER_ID_OTA_UPGRADE);
    esp_zb_cluster_list_t *clusters = esp_zb_zcl_cluster_list_create();
    esp_zb_ep_list_t *endpoints = esp_zb_ep_list_create();
    ESP_ERROR_CHECK(
        esp_zb_ota_cluster_add_attr(ota, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_SERVER_DATA_ID, &variable));
    esp_zb_cluster_list_add_basic_cluster(clusters, basic, ESP_ZB_ZCL_CLUSTER_SERVER_ROLE);
    esp_zb_cluster_list_add_ota_cluster(clusters, ota, ESP_ZB_ZCL_CLUSTER_SERVER_ROLE);
    esp_zb_ep_list_add_ep(endpoints, clusters, config);
    return endpoints;
}

void app_main(void);
void app_main(void)
{
    uint16_t cluster = ESP_ZB_ZCL_CLUSTER_ID_OTA_UPGRADE;
    esp_zb_platform_config_t platform = {.radio_config = {.radio_mode = ZB_RADIO_MODE_NATIVE}};
    esp_zb_cfg_t config = {.esp_zb_role = ESP_ZB_DEVICE_TYPE_COORDINATOR,
                           .install_code_policy = false,
                           .nwk_cfg.zczr_cfg = {.max_children = 10}};
    esp_zb_ota_upgrade_server_notify_req_t req = {
        .endpoint = 5, .notify_on = true, .next_data_cb = next_data};
    esp_zb_zdo_match_desc_req_param_t match = {.num_in_clusters = 1, .cluster_list = &cluster};
    ESP_ERROR_CHECK(esp_zb_platform_config(&platform));
    esp_zb_init(&config);
    ESP_ERROR_CHECK(esp_zb_device_register(device()));
    esp_zb_core_action_handler_register(on_action);
    ESP_ERROR_CHECK(esp_zb_start(false));
    esp_zb_lock_acquire(portMAX_DELAY);
    esp_zb_ota_upgrade_server_notify_req(&req);
    esp_zb_zdo_match_cluster(&match, found, NULL);
    esp_zb_lock_release();
    esp_zb_stack_main_loop();
}
