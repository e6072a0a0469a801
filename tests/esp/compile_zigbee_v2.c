/* Every name that the OTA examples of the vendor's Zigbee SDK 2.0 take from the SDK, so that
 * a missing one breaks the build, and the numbers that their devices agree on. It is linked
 * as firmware and not run. */
#include <stddef.h>

#include "esp_zigbee.h"
#include "ezbee/zcl/cluster/ota_upgrade.h"
#include "ezbee/zha.h"

#define IS(name, value)          _Static_assert((name) == (value), #name)
#define AT(type, member, offset) _Static_assert(offsetof(type, member) == (offset), #member)

/* ---- Numbers ---- */

IS(EZB_ZCL_CORE_SET_ATTR_VALUE_CB_ID, 0);
IS(EZB_ZCL_CORE_DEFAULT_RSP_CB_ID, 8);
IS(EZB_ZCL_CORE_OTA_UPGRADE_CLIENT_PROGRESS_CB_ID, 58);
IS(EZB_ZCL_CORE_OTA_UPGRADE_QUERY_NEXT_IMAGE_RSP_CB_ID, 59);
IS(EZB_ZCL_CORE_OTA_UPGRADE_SERVER_PROGRESS_CB_ID, 60);
IS(EZB_ZCL_OTA_UPGRADE_PROGRESS_START, 0);
IS(EZB_ZCL_OTA_UPGRADE_PROGRESS_RECEIVING, 1);
IS(EZB_ZCL_OTA_UPGRADE_PROGRESS_SENDING, 2);
IS(EZB_ZCL_OTA_UPGRADE_PROGRESS_CHECK, 3);
IS(EZB_ZCL_OTA_UPGRADE_PROGRESS_APPLY, 4);
IS(EZB_ZCL_OTA_UPGRADE_PROGRESS_FINISH, 5);
IS(EZB_ZCL_OTA_UPGRADE_PROGRESS_ABORT, 6);
IS(EZB_ZCL_OTA_FILE_IDENTIFIER, 0x0beef11e);
IS(EZB_ZCL_OTA_FILE_HEADER_VERSION, 0x0100);
IS(EZB_ZCL_OTA_UPGRADE_MAX_BLOCK_SIZE, 254);
IS(EZB_ZCL_OTA_UPGRADE_DEFAULT_BLOCK_SIZE_DEFAULT, 48);
IS(EZB_ZCL_OTA_UPGRADE_MAX_QUERY_JITTER_VALUE, 100);
IS(EZB_ZCL_OTA_UPGRADE_MANUF_CODE_WILD_CARD, 0xffff);
IS(EZB_ZCL_OTA_UPGRADE_FILE_VERSION_WILD_CARD, 0xffffffff);
IS(EZB_ZCL_OTA_UPGRADE_DEFAULT_UPGRADE_TIME, 0xffffffff);
IS(EZB_ZCL_OTA_UPGRADE_DEFAULT_RETRY, 3);
IS(EZB_ZCL_OTA_UPGRADE_DEFAULT_TIMEOUT, 5000);
IS(EZB_ZCL_OTA_UPGRADE_CLUSTER_REVISION, 4);
IS(EZB_ZCL_STATUS_ABORT, 0x95);
IS(EZB_ZCL_STATUS_NO_IMAGE_AVAILABLE, 0x98);
IS(EZB_BDB_MODE_INITIALIZATION, 0x01);
IS(EZB_BDB_MODE_NETWORK_STEERING, 0x04);
IS(EZB_BDB_MODE_NETWORK_FORMATION, 0x08);
IS(EZB_BDB_STATUS_NO_NETWORK, 3);
IS(EZB_BDB_STATUS_FORMATION_FAILURE, 5);
IS(EZB_BDB_STATUS_TCLK_EX_FAILURE, 10);
IS(EZB_ZDO_SIGNAL_SKIP_STARTUP, 0x0001);
IS(EZB_ZDO_SIGNAL_DEVICE_ANNCE, 0x0005);
IS(EZB_ZDO_SIGNAL_DEVICE_UPDATE, 0x0007);
IS(EZB_ZDO_SIGNAL_DEVICE_AUTHORIZED, 0x0008);
IS(EZB_BDB_SIGNAL_DEVICE_REBOOT, 0x0101);
IS(EZB_BDB_SIGNAL_STEERING, 0x0102);
IS(EZB_BDB_SIGNAL_FORMATION, 0x0103);
IS(EZB_NWK_SIGNAL_PERMIT_JOIN_STATUS, 0x0204);
IS(EZB_ERR_INV_ARG, 2);
IS(EZB_ERR_NOT_FOUND, 5);
IS(EZB_ERR_NOT_FINISHED, 0x0c);
IS(EZB_MAKE_ERROR(EZB_ERR_CATEGORY_ZCL, 0x87), 0x0587);
IS(EZB_ZHA_ON_OFF_LIGHT_DEVICE_ID, 0x0100);
IS(EZB_ZCL_OTA_FILE_VERSION_GET_APP_BUILD(0x10022000u), 2);
IS(EZB_ZCL_OTA_FILE_VERSION_SET_STACK_RELEASE(0x10022000u, 0x31u), 0x10023100);

/* ---- Bytes of a file ---- */

IS(sizeof(ezb_zcl_ota_file_header_t), 56);
IS(sizeof(ezb_zcl_ota_file_header_optional_t), 13);
IS(sizeof(ezb_zcl_ota_file_sub_element_header_t), 6);
AT(ezb_zcl_ota_file_header_t, hdr_length, 6);
AT(ezb_zcl_ota_file_header_t, file_version, 14);
AT(ezb_zcl_ota_file_header_t, hdr_string, 20);
AT(ezb_zcl_ota_file_header_t, total_image_size, 52);
IS(sizeof(ezb_extaddr_t), 8);

/* ---- Members in their order ---- */

typedef ezb_zcl_ota_upgrade_client_progress_message_t client_message;
typedef ezb_zcl_ota_upgrade_server_progress_message_t server_message;
_Static_assert(offsetof(client_message, in.header) < offsetof(client_message, in.progress) &&
                   offsetof(client_message, in.progress) < offsetof(client_message, in.start) &&
                   offsetof(client_message, in.start) < offsetof(client_message, out.result),
               "client message");
_Static_assert(offsetof(client_message, in.start) == offsetof(client_message, in.finish),
               "a union");
_Static_assert(offsetof(server_message, out.result) < offsetof(server_message, out.finish),
               "server message");
AT(ezb_zcl_ota_upgrade_server_progress_upgrade_time_t, upgrade_time, 2);
AT(ezb_zcl_message_info_t, dst_ep, 1);
AT(ezb_zcl_message_info_t, cluster_id, 2);
AT(ezb_zcl_message_info_t, cluster_role, 4);
AT(ezb_zcl_ota_upgrade_image_notify_payload_t, query_jitter, 1);
AT(ezb_zcl_ota_upgrade_image_notify_payload_t, file_version, 8);
AT(ezb_zcl_ota_upgrade_query_next_image_req_payload_t, hw_version, 12);
AT(ezb_zcl_ota_upgrade_cluster_client_config_t, file_offset, 8);
AT(ezb_zcl_ota_upgrade_cluster_client_config_t, image_upgrade_status, 12);
AT(ezb_zcl_ota_upgrade_cluster_client_config_t, manufacturer_id, 14);
AT(ezb_zcl_ota_upgrade_cluster_client_config_t, image_type_id, 16);

/* ---- Functions ---- */

static bool on_signal(const ezb_app_signal_t *signal)
{
    const ezb_zdo_signal_device_annce_params_t *annce = ezb_app_signal_get_params(signal);
    const ezb_zdo_signal_leave_params_t *leave = ezb_app_signal_get_params(signal);
    const ezb_zdo_signal_leave_indication_params_t *left = ezb_app_signal_get_params(signal);
    ezb_extpanid_t epid;
    ezb_nwk_get_extended_panid(&epid);
    printf("%s %u %u %u %llx\n", ezb_app_signal_to_string(ezb_app_signal_get_type(signal)),
           annce->short_addr, leave->leave_type, left->short_addr, (unsigned long long)epid.u64);
    return ezb_bdb_is_factory_new();
}

static void on_confirm(ezb_zcl_cmd_cnf_t *cnf, void *ctx)
{
    printf("%u %u\n", cnf->status, cnf->tsn);
}

static void on_action(ezb_zcl_core_action_callback_id_t id, void *message)
{
    const ezb_zcl_ota_upgrade_query_next_image_rsp_message_t *answer = message;
    const ezb_zcl_cmd_default_rsp_message_t *response = message;
    printf("%u %u %u\n", (unsigned)id, answer->in.image.status, response->in.status_code);
}

static void commands(void)
{
    ezb_zcl_ota_upgrade_image_notify_cmd_t notify = {
        .cmd_ctrl = {.dst_addr = EZB_ADDRESS_SHORT(0xfffd), .cnf_ctx = {on_confirm, NULL}}};
    ezb_zcl_ota_upgrade_query_next_image_req_cmd_t query = {
        .cmd_ctrl = {.dst_addr = EZB_ADDRESS_NONE()},
        .payload.fc = EZB_ZCL_OTA_UPGRADE_QUERY_NEXT_IMAGE_FC_HW_VERSION_PRESENT};
    ezb_zcl_ota_file_handle_t file = ezb_zcl_ota_upgrade_add_ota_file(1, "", 0);
    ezb_zcl_ota_upgrade_image_notify_cmd_req(&notify);
    ezb_zcl_ota_upgrade_query_next_image_cmd_req(&query);
    if (file != EZB_ZCL_OTA_FILE_INVALID_HANDLE) ezb_zcl_ota_upgrade_remove_ota_file(1, file);
    ezb_zcl_ota_upgrade_set_download_block_size(1, 223);
    ezb_zcl_ota_upgrade_set_hw_version(1, 0);
    ezb_zcl_ota_upgrade_set_download_retry(1, EZB_ZCL_OTA_UPGRADE_DEFAULT_RETRY,
                                           EZB_ZCL_OTA_UPGRADE_DEFAULT_TIMEOUT);
}

static void device(void)
{
    const ezb_af_ep_config_t config = {.ep_id = 10, .app_profile_id = EZB_AF_HA_PROFILE_ID};
    ezb_af_device_desc_t dev = ezb_af_create_device_desc();
    ezb_af_ep_desc_t ep = ezb_af_create_endpoint_desc(&config);
    ezb_zcl_cluster_desc_t basic = EZB_INVALID_ZCL_CLUSTER_DESC;
    basic = ezb_zcl_basic_create_cluster_desc(NULL, EZB_ZCL_CLUSTER_SERVER);
    ezb_zcl_basic_cluster_desc_add_attr(basic, EZB_ZCL_ATTR_BASIC_MODEL_IDENTIFIER_ID, "\x01x");
    ezb_af_endpoint_add_cluster_desc(ep, basic);
    ezb_af_endpoint_add_cluster_desc(
        ep, ezb_zcl_identify_create_cluster_desc(NULL, EZB_ZCL_CLUSTER_SERVER));
    ezb_af_endpoint_add_cluster_desc(
        ep, ezb_zcl_ota_upgrade_create_cluster_desc(NULL, EZB_ZCL_CLUSTER_CLIENT));
    ESP_ERROR_CHECK(ezb_af_device_add_endpoint_desc(dev, ep));
    ESP_ERROR_CHECK(ezb_af_device_desc_register(dev));
    ezb_zcl_core_action_handler_register(on_action);
}

void app_main(void);
void app_main(void)
{
    esp_zigbee_config_t config = {
        .device_config = {.device_type = EZB_NWK_DEVICE_TYPE_ROUTER,
                          .install_code_policy = false,
                          .zczr_config = {.max_children = 10}},
        .platform_config = {.storage_partition_name = "zb_storage",
                            .radio_config = {.radio_mode = ESP_ZIGBEE_RADIO_MODE_NATIVE}},
    };
    ESP_ERROR_CHECK(esp_zigbee_init(&config));
    ezb_aps_secur_enable_distributed_security(false);
    ESP_ERROR_CHECK(ezb_bdb_set_primary_channel_set(1u << 13));
    ESP_ERROR_CHECK(ezb_bdb_set_secondary_channel_set(0x07fff800u));
    ESP_ERROR_CHECK(ezb_app_signal_add_handler(on_signal));
    device();
    ESP_ERROR_CHECK(esp_zigbee_start(false));
    esp_zigbee_lock_acquire(portMAX_DELAY);
    ezb_bdb_start_top_level_commissioning(EZB_BDB_MODE_INITIALIZATION);
    ezb_bdb_open_network(180);
    commands();
    printf("%u %u %u\n", ezb_nwk_get_panid(), ezb_nwk_get_current_channel(),
           ezb_nwk_get_short_address());
    esp_zigbee_lock_release();
    esp_zigbee_launch_mainloop();
    esp_zigbee_deinit();
    vTaskDelete(NULL);
}
