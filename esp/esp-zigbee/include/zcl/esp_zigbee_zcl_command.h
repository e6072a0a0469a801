/* What the stack tells the application about clusters, and attributes of this device. */
#pragma once

#include "esp_err.h"
#include "esp_zigbee_ota.h"
#include "zcl/esp_zigbee_zcl_common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of callbacks without CMD in their name. */
typedef struct esp_zb_device_cb_common_info_s {
    esp_zb_zcl_status_t status;
    uint8_t dst_endpoint; /* of this device */
    uint16_t cluster;
} esp_zb_device_cb_common_info_t;

typedef struct esp_zb_zcl_attribute_data_s {
    esp_zb_zcl_attr_type_t type;
    uint16_t size; /* of value */
    void *value;
} ESP_ZB_PACKED_STRUCT esp_zb_zcl_attribute_data_t;

typedef struct esp_zb_zcl_attribute_s {
    uint16_t id;
    esp_zb_zcl_attribute_data_t data;
} esp_zb_zcl_attribute_t;

/* ESP_ZB_CORE_SET_ATTR_VALUE_CB_ID: another device has written an attribute. */
typedef struct esp_zb_zcl_set_attr_value_message_s {
    esp_zb_device_cb_common_info_t info;
    esp_zb_zcl_attribute_t attribute;
} esp_zb_zcl_set_attr_value_message_t;

/* ESP_ZB_CORE_OTA_UPGRADE_VALUE_CB_ID, on the client. ota_header.image_size: without the
 * OTA header. payload: only in RECEIVE, the file's bytes behind its header. */
typedef struct esp_zb_zcl_ota_upgrade_value_message_s {
    esp_zb_device_cb_common_info_t info;
    esp_zb_zcl_ota_upgrade_status_t upgrade_status;
    esp_zb_ota_file_header_t ota_header;
    uint16_t payload_size;
    uint8_t *payload;
} esp_zb_zcl_ota_upgrade_value_message_t;

/* ESP_ZB_CORE_OTA_UPGRADE_QUERY_IMAGE_RESP_CB_ID, on the client. Another answer than ESP_OK:
 * no download. image_size: the whole file. */
typedef struct esp_zb_zcl_ota_upgrade_query_image_resp_message_s {
    esp_zb_device_cb_common_info_t info;
    esp_zb_zcl_addr_t server_addr;
    uint8_t server_endpoint;
    uint8_t query_status;
    uint16_t manufacturer_code;
    uint16_t image_type;
    uint32_t file_version;
    uint32_t image_size;
} esp_zb_zcl_ota_upgrade_query_image_resp_message_t;

/* ESP_ZB_CORE_OTA_UPGRADE_SRV_STATUS_CB_ID. upgrade_time: only with END, may be changed. */
typedef struct esp_zb_zcl_ota_upgrade_server_status_message_s {
    esp_zb_device_cb_common_info_t info;
    esp_zb_zcl_addr_t zcl_addr; /* the client */
    esp_zb_ota_upgrade_server_status_t server_status;
    uint16_t image_type;
    uint32_t version;
    uint32_t *upgrade_time;
} esp_zb_zcl_ota_upgrade_server_status_message_t;

/* ESP_ZB_CORE_OTA_UPGRADE_SRV_QUERY_IMAGE_CB_ID. version: that the client runs.
 * table_idx: the file that fits, NULL: none; may be changed. ESP_OK: it is offered. */
typedef struct esp_zb_zcl_ota_upgrade_server_query_image_message_s {
    esp_zb_device_cb_common_info_t info;
    esp_zb_zcl_addr_t zcl_addr;
    uint16_t image_type;
    uint16_t manufacturer_code;
    uint32_t version;
    uint8_t *table_idx;
} esp_zb_zcl_ota_upgrade_server_query_image_message_t;

/* NULL: no such attribute. Values of the OTA client are of the moment of the call. */
esp_zb_zcl_attr_t *esp_zb_zcl_get_attribute(uint8_t endpoint, uint16_t cluster_id,
                                            uint8_t cluster_role, uint16_t attr_id);
/* value: as esp_zb_zcl_attr_t.data_p. check: refuses attributes that may not be written. */
esp_zb_zcl_status_t esp_zb_zcl_set_attribute_val(uint8_t endpoint, uint16_t cluster_id,
                                                 uint8_t cluster_role, uint16_t attr_id,
                                                 void *value_p, bool check);

#ifdef __cplusplus
}
#endif
