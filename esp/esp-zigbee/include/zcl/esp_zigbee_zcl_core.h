/* All of zcl/, and the handler through which the stack calls the application. */
#pragma once

#include "zcl/esp_zigbee_zcl_command.h"
#include "zcl/esp_zigbee_zcl_common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* With each comes a struct of esp_zigbee_zcl_command.h. Those that this stack raises are
 * SET_ATTR_VALUE and the OTA ones. */
typedef enum {
    ESP_ZB_CORE_SET_ATTR_VALUE_CB_ID = 0x0000,
    ESP_ZB_CORE_SCENES_STORE_SCENE_CB_ID = 0x0001,
    ESP_ZB_CORE_SCENES_RECALL_SCENE_CB_ID = 0x0002,
    ESP_ZB_CORE_IAS_ZONE_ENROLL_RESPONSE_VALUE_CB_ID = 0x0003,
    ESP_ZB_CORE_OTA_UPGRADE_VALUE_CB_ID = 0x0004,
    ESP_ZB_CORE_OTA_UPGRADE_SRV_STATUS_CB_ID = 0x0005,
    ESP_ZB_CORE_OTA_UPGRADE_SRV_QUERY_IMAGE_CB_ID = 0x0006,
    ESP_ZB_CORE_OTA_UPGRADE_QUERY_IMAGE_RESP_CB_ID = 0x0031,
    ESP_ZB_CORE_CMD_READ_ATTR_RESP_CB_ID = 0x1000,
    ESP_ZB_CORE_CMD_WRITE_ATTR_RESP_CB_ID = 0x1001,
    ESP_ZB_CORE_CMD_DEFAULT_RESP_CB_ID = 0x1005,
    ESP_ZB_CORE_CMD_CUSTOM_CLUSTER_REQ_CB_ID = 0x1040,
    ESP_ZB_CORE_CMD_PRIVILEGE_COMMAND_REQ_CB_ID = 0x1050,
    ESP_ZB_CORE_REPORT_ATTR_CB_ID = 0x2000
} esp_zb_core_action_callback_id_t;

/* message and all that it points to hold during the call only. */
typedef esp_err_t (*esp_zb_core_action_callback_t)(esp_zb_core_action_callback_id_t callback_id,
                                                   const void *message);

/* One for the whole device; NULL: none. */
void esp_zb_core_action_handler_register(esp_zb_core_action_callback_t cb);

#ifdef __cplusplus
}
#endif
