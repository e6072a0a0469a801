/* Status codes of ZDO, signals of the stack, and what comes with them. */
#pragma once

#include "bdb/esp_zigbee_bdb_commissioning.h"
#include "esp_zigbee_type.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_ZB_ZDP_STATUS_SUCCESS = 0x00,
    ESP_ZB_ZDP_STATUS_INV_REQUESTTYPE = 0x80,
    ESP_ZB_ZDP_STATUS_DEVICE_NOT_FOUND = 0x81,
    ESP_ZB_ZDP_STATUS_INVALID_EP = 0x82,
    ESP_ZB_ZDP_STATUS_NOT_ACTIVE = 0x83,
    ESP_ZB_ZDP_STATUS_NOT_SUPPORTED = 0x84,
    ESP_ZB_ZDP_STATUS_TIMEOUT = 0x85,
    ESP_ZB_ZDP_STATUS_NO_MATCH = 0x86,
    ESP_ZB_ZDP_STATUS_NO_ENTRY = 0x88,
    ESP_ZB_ZDP_STATUS_NO_DESCRIPTOR = 0x89,
    ESP_ZB_ZDP_STATUS_INSUFFICIENT_SPACE = 0x8a,
    ESP_ZB_ZDP_STATUS_NOT_PERMITTED = 0x8b,
    ESP_ZB_ZDP_STATUS_TABLE_FULL = 0x8c,
    ESP_ZB_ZDP_STATUS_NOT_AUTHORIZED = 0x8d,
    ESP_ZB_ZDP_STATUS_BINDING_TABLE_FULL = 0x8e,
    ESP_ZB_ZDP_STATUS_INVALID_INDEX = 0x8f
} esp_zb_zdp_status_t;

typedef enum {
    ESP_ZB_ZDO_SIGNAL_DEFAULT_START = 0x00,
    ESP_ZB_ZDO_SIGNAL_SKIP_STARTUP = 0x01,
    ESP_ZB_ZDO_SIGNAL_DEVICE_ANNCE = 0x02,
    ESP_ZB_ZDO_SIGNAL_LEAVE = 0x03,
    ESP_ZB_ZDO_SIGNAL_ERROR = 0x04,
    ESP_ZB_BDB_SIGNAL_DEVICE_FIRST_START = 0x05,
    ESP_ZB_BDB_SIGNAL_DEVICE_REBOOT = 0x06,
    ESP_ZB_BDB_SIGNAL_TOUCHLINK_NWK_STARTED = 0x07,
    ESP_ZB_BDB_SIGNAL_TOUCHLINK_NWK_JOINED_ROUTER = 0x08,
    ESP_ZB_BDB_SIGNAL_TOUCHLINK = 0x09,
    ESP_ZB_BDB_SIGNAL_STEERING = 0x0a,
    ESP_ZB_BDB_SIGNAL_FORMATION = 0x0b,
    ESP_ZB_BDB_SIGNAL_FINDING_AND_BINDING_TARGET_FINISHED = 0x0c,
    ESP_ZB_BDB_SIGNAL_FINDING_AND_BINDING_INITIATOR_FINISHED = 0x0d,
    ESP_ZB_BDB_SIGNAL_TOUCHLINK_TARGET = 0x0e,
    ESP_ZB_BDB_SIGNAL_TOUCHLINK_NWK = 0x0f,
    ESP_ZB_BDB_SIGNAL_TOUCHLINK_TARGET_FINISHED = 0x10,
    ESP_ZB_NWK_SIGNAL_DEVICE_ASSOCIATED = 0x12,
    ESP_ZB_ZDO_SIGNAL_LEAVE_INDICATION = 0x13,
    ESP_ZB_ZGP_SIGNAL_COMMISSIONING = 0x15,
    ESP_ZB_COMMON_SIGNAL_CAN_SLEEP = 0x16,
    ESP_ZB_ZDO_SIGNAL_PRODUCTION_CONFIG_READY = 0x17,
    ESP_ZB_NWK_SIGNAL_NO_ACTIVE_LINKS_LEFT = 0x18,
    ESP_ZB_ZDO_SIGNAL_DEVICE_AUTHORIZED = 0x2f,
    ESP_ZB_ZDO_SIGNAL_DEVICE_UPDATE = 0x30,
    ESP_ZB_NWK_SIGNAL_PANID_CONFLICT_DETECTED = 0x31,
    ESP_ZB_NLME_STATUS_INDICATION = 0x32,
    ESP_ZB_BDB_SIGNAL_TC_REJOIN_DONE = 0x35,
    ESP_ZB_NWK_SIGNAL_PERMIT_JOIN_STATUS = 0x36,
    ESP_ZB_BDB_SIGNAL_STEERING_CANCELLED = 0x37,
    ESP_ZB_BDB_SIGNAL_FORMATION_CANCELLED = 0x38,
    ESP_ZB_ZGP_SIGNAL_MODE_CHANGE = 0x3b,
    ESP_ZB_ZDO_DEVICE_UNAVAILABLE = 0x3c,
    ESP_ZB_ZGP_SIGNAL_APPROVE_COMMISSIONING = 0x3d,
    ESP_ZB_SIGNAL_END = 0x3e
} esp_zb_app_signal_type_t;

typedef enum {
    ESP_ZB_NWK_LEAVE_TYPE_RESET = 0x00,
    ESP_ZB_NWK_LEAVE_TYPE_REJOIN = 0x01
} esp_zb_nwk_leave_type_t;

typedef struct esp_zb_zdo_signal_leave_params_s {
    uint8_t leave_type; /* esp_zb_nwk_leave_type_t */
} esp_zb_zdo_signal_leave_params_t;

typedef struct esp_zb_zdo_signal_leave_indication_params_s {
    uint16_t short_addr;
    esp_zb_ieee_addr_t device_addr;
    uint8_t rejoin;
} esp_zb_zdo_signal_leave_indication_params_t;

typedef struct esp_zb_zdo_signal_device_annce_params_s {
    uint16_t device_short_addr;
    esp_zb_ieee_addr_t ieee_addr;
    uint8_t capability;
} esp_zb_zdo_signal_device_annce_params_t;

typedef struct esp_zb_nwk_signal_device_associated_params_s {
    esp_zb_ieee_addr_t device_addr;
} esp_zb_nwk_signal_device_associated_params_t;

typedef struct esp_zb_zdo_signal_device_update_params_s {
    esp_zb_ieee_addr_t long_addr;
    uint16_t short_addr;
    uint8_t status; /* 0 secured rejoin, 1 unsecured join, 2 left, 3 trust centre rejoin */
    uint8_t tc_action;
    uint16_t parent_short;
} esp_zb_zdo_signal_device_update_params_t;

typedef struct esp_zb_zdo_signal_device_authorized_params_s {
    esp_zb_ieee_addr_t long_addr;
    uint16_t short_addr;
    uint8_t authorization_type;   /* 0 legacy, 1 its own link key */
    uint8_t authorization_status; /* 0 done, 1 timeout, 2 failed */
} esp_zb_zdo_signal_device_authorized_params_t;

typedef struct esp_zb_zdo_signal_nwk_status_indication_params_s {
    uint8_t status;
    uint16_t network_addr;
    uint8_t unknown_command_id;
} ESP_ZB_PACKED_STRUCT esp_zb_zdo_signal_nwk_status_indication_params_t;

typedef struct esp_zb_zdo_signal_can_sleep_params_s {
    uint32_t sleep_duration; /* ms */
} esp_zb_zdo_signal_can_sleep_params_t;

typedef struct esp_zb_zdo_device_unavailable_params_s {
    esp_zb_ieee_addr_t long_addr;
    uint16_t short_addr;
} esp_zb_zdo_device_unavailable_params_t;

/* "BDB Formation"; "UNKNOWN SIGNAL" */
const char *esp_zb_zdo_signal_to_string(esp_zb_app_signal_type_t signal);

#ifdef __cplusplus
}
#endif
