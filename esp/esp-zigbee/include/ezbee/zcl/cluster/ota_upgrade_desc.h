/* OTA Upgrade: attributes, commands, descriptors. */
#pragma once

#include <ezbee/zcl/zcl_common.h>
#include <ezbee/zcl/zcl_desc.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EZB_ZCL_OTA_UPGRADE_CLUSTER_REVISION (4)

/* Server; of this device only, never on the air. */
typedef enum {
    EZB_ZCL_ATTR_OTA_UPGRADE_OTA_UPGRADE_FILE_TABLE_SIZE_ID = 0xeff0,
    EZB_ZCL_ATTR_OTA_UPGRADE_OTA_UPGRADE_FILE_TABLE_ID = 0xeff1
} ezb_zcl_ota_upgrade_server_attr_t;

typedef struct ezb_zcl_ota_upgrade_cluster_server_config_s {
    uint8_t ota_upgrade_file_table_size; /* files at a time */
} ezb_zcl_ota_upgrade_cluster_server_config_t;
typedef ezb_zcl_ota_upgrade_cluster_server_config_t ezb_zcl_ota_upgrade_cluster_config_t;

#define EZB_ZCL_OTA_UPGRADE_OTA_UPGRADE_FILE_TABLE_SIZE_DEFAULT_VALUE (0x01)

typedef enum {
    EZB_ZCL_CMD_OTA_UPGRADE_QUERY_NEXT_IMAGE_REQUEST_ID = 0x01,
    EZB_ZCL_CMD_OTA_UPGRADE_IMAGE_BLOCK_REQUEST_ID = 0x03,
    EZB_ZCL_CMD_OTA_UPGRADE_IMAGE_PAGE_REQUEST_ID = 0x04,
    EZB_ZCL_CMD_OTA_UPGRADE_UPGRADE_END_REQUEST_ID = 0x06,
    EZB_ZCL_CMD_OTA_UPGRADE_QUERY_DEVICE_SPECIFIC_FILE_REQUEST_ID = 0x08
} ezb_zcl_ota_upgrade_server_cmd_id_t;

typedef enum {
    EZB_ZCL_ATTR_OTA_UPGRADE_UPGRADE_SERVER_ID_ID = 0x0000,
    EZB_ZCL_ATTR_OTA_UPGRADE_FILE_OFFSET_ID = 0x0001,
    EZB_ZCL_ATTR_OTA_UPGRADE_CURRENT_FILE_VERSION_ID = 0x0002,
    EZB_ZCL_ATTR_OTA_UPGRADE_CURRENT_ZIGBEE_STACK_VERSION_ID = 0x0003,
    EZB_ZCL_ATTR_OTA_UPGRADE_DOWNLOADED_FILE_VERSION_ID = 0x0004,
    EZB_ZCL_ATTR_OTA_UPGRADE_DOWNLOADED_ZIGBEE_STACK_VERSION_ID = 0x0005,
    EZB_ZCL_ATTR_OTA_UPGRADE_IMAGE_UPGRADE_STATUS_ID = 0x0006,
    EZB_ZCL_ATTR_OTA_UPGRADE_MANUFACTURER_ID_ID = 0x0007,
    EZB_ZCL_ATTR_OTA_UPGRADE_IMAGE_TYPE_ID_ID = 0x0008,
    EZB_ZCL_ATTR_OTA_UPGRADE_MINIMUM_BLOCK_PERIOD_ID = 0x0009,
    EZB_ZCL_ATTR_OTA_UPGRADE_IMAGE_STAMP_ID = 0x000a,
    EZB_ZCL_ATTR_OTA_UPGRADE_UPGRADE_ACTIVATION_POLICY_ID = 0x000b,
    EZB_ZCL_ATTR_OTA_UPGRADE_UPGRADE_TIMEOUT_POLICY_ID = 0x000c,
    /* Of the vendor's own; not in this stack. */
    EZB_ZCL_ATTR_OTA_UPGRADE_OTA_UPGRADE_DOWNLOADING_CONTEXT_ID = 0xeff0
} ezb_zcl_ota_upgrade_client_attr_t;

typedef struct ezb_zcl_ota_upgrade_cluster_client_config_s {
    uint64_t upgrade_server_id; /* EUI-64; all ones: to be found */
    uint32_t file_offset;
    uint8_t image_upgrade_status;
    uint16_t manufacturer_id;
    uint16_t image_type_id;
} ezb_zcl_ota_upgrade_cluster_client_config_t;

typedef enum {
    EZB_ZCL_OTA_UPGRADE_IMAGE_UPGRADE_STATUS_NORMAL = 0,
    EZB_ZCL_OTA_UPGRADE_IMAGE_UPGRADE_STATUS_DOWNLOAD_IN_PROGRESS = 1,
    EZB_ZCL_OTA_UPGRADE_IMAGE_UPGRADE_STATUS_DOWNLOAD_COMPLETE = 2,
    EZB_ZCL_OTA_UPGRADE_IMAGE_UPGRADE_STATUS_WAITING_TO_UPGRADE = 3,
    EZB_ZCL_OTA_UPGRADE_IMAGE_UPGRADE_STATUS_COUNT_DOWN = 4,
    EZB_ZCL_OTA_UPGRADE_IMAGE_UPGRADE_STATUS_WAIT_FOR_MORE = 5,
    EZB_ZCL_OTA_UPGRADE_IMAGE_UPGRADE_STATUS_WAITING_TO_UPGRADE_VIA_EXTERNAL_EVENT = 6
} ezb_zcl_ota_upgrade_client_image_upgrade_status_t;

typedef enum {
    EZB_ZCL_OTA_UPGRADE_UPGRADE_ACTIVATION_POLICY_OTA_SERVER_ACTIVATION_ALLOWED = 0,
    EZB_ZCL_OTA_UPGRADE_UPGRADE_ACTIVATION_POLICY_OUT_OF_BAND_ACTIVATION_ONLY = 1
} ezb_zcl_ota_upgrade_client_upgrade_activation_policy_t;

typedef enum {
    EZB_ZCL_OTA_UPGRADE_UPGRADE_TIMEOUT_POLICY_APPLY_UPGRADE_AFTER_TIMEOUT = 0,
    EZB_ZCL_OTA_UPGRADE_UPGRADE_TIMEOUT_POLICY_DO_NOT_APPLY_UPGRADE_AFTER_TIMEOUT = 1
} ezb_zcl_ota_upgrade_client_upgrade_timeout_policy_t;

/* clang-format off */
#define EZB_ZCL_OTA_UPGRADE_UPGRADE_SERVER_ID_DEFAULT_VALUE               (0xffffffffffffffff)
#define EZB_ZCL_OTA_UPGRADE_FILE_OFFSET_DEFAULT_VALUE                     (0xffffffff)
#define EZB_ZCL_OTA_UPGRADE_CURRENT_FILE_VERSION_DEFAULT_VALUE            (0xffffffff)
#define EZB_ZCL_OTA_UPGRADE_CURRENT_ZIGBEE_STACK_VERSION_DEFAULT_VALUE    (0xffff)
#define EZB_ZCL_OTA_UPGRADE_DOWNLOADED_FILE_VERSION_DEFAULT_VALUE         (0xffffffff)
#define EZB_ZCL_OTA_UPGRADE_DOWNLOADED_ZIGBEE_STACK_VERSION_DEFAULT_VALUE (0xffff)
#define EZB_ZCL_OTA_UPGRADE_IMAGE_UPGRADE_STATUS_DEFAULT_VALUE            (0x00)
#define EZB_ZCL_OTA_UPGRADE_MINIMUM_BLOCK_PERIOD_DEFAULT_VALUE            (0x0000)
#define EZB_ZCL_OTA_UPGRADE_MINIMUM_BLOCK_PERIOD_MIN_VALUE                (0x0000)
#define EZB_ZCL_OTA_UPGRADE_MINIMUM_BLOCK_PERIOD_MAX_VALUE                (0xfffe)
#define EZB_ZCL_OTA_UPGRADE_UPGRADE_ACTIVATION_POLICY_DEFAULT_VALUE       (0x00)
#define EZB_ZCL_OTA_UPGRADE_UPGRADE_TIMEOUT_POLICY_DEFAULT_VALUE          (0x00)
/* clang-format on */

typedef enum {
    EZB_ZCL_CMD_OTA_UPGRADE_IMAGE_NOTIFY_ID = 0x00,
    EZB_ZCL_CMD_OTA_UPGRADE_QUERY_NEXT_IMAGE_RESPONSE_ID = 0x02,
    EZB_ZCL_CMD_OTA_UPGRADE_IMAGE_BLOCK_RESPONSE_ID = 0x05,
    EZB_ZCL_CMD_OTA_UPGRADE_UPGRADE_END_RESPONSE_ID = 0x07,
    EZB_ZCL_CMD_OTA_UPGRADE_QUERY_DEVICE_SPECIFIC_FILE_RESPONSE_ID = 0x09
} ezb_zcl_ota_upgrade_client_cmd_id_t;

/* Client only: 0x0002, 0x0003, 0x000a, 0x000b, 0x000c tell the stack something; the others
 * it knows better by itself. As for Basic otherwise. */
ezb_err_t ezb_zcl_ota_upgrade_cluster_desc_add_attr(ezb_zcl_cluster_desc_t cluster_desc,
                                                    uint16_t attr_id, const void *value);
/* cluster_cfg: ..._server_config_t or ..._client_config_t by role_mask; NULL: the defaults. One
 * server and one client a device. */
ezb_zcl_cluster_desc_t ezb_zcl_ota_upgrade_create_cluster_desc(const void *cluster_cfg,
                                                               uint8_t role_mask);

#ifdef __cplusplus
}
#endif
