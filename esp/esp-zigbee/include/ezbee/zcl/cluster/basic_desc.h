/* Basic: what the device is. */
#pragma once

#include <ezbee/zcl/zcl_common.h>
#include <ezbee/zcl/zcl_desc.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EZB_ZCL_BASIC_CLUSTER_REVISION (3)

typedef enum {
    EZB_ZCL_ATTR_BASIC_ZCL_VERSION_ID = 0x0000,
    EZB_ZCL_ATTR_BASIC_APPLICATION_VERSION_ID = 0x0001,
    EZB_ZCL_ATTR_BASIC_STACK_VERSION_ID = 0x0002,
    EZB_ZCL_ATTR_BASIC_HW_VERSION_ID = 0x0003,
    EZB_ZCL_ATTR_BASIC_MANUFACTURER_NAME_ID = 0x0004,
    EZB_ZCL_ATTR_BASIC_MODEL_IDENTIFIER_ID = 0x0005,
    EZB_ZCL_ATTR_BASIC_DATE_CODE_ID = 0x0006,
    EZB_ZCL_ATTR_BASIC_POWER_SOURCE_ID = 0x0007,
    EZB_ZCL_ATTR_BASIC_GENERIC_DEVICE_CLASS_ID = 0x0008,
    EZB_ZCL_ATTR_BASIC_GENERIC_DEVICE_TYPE_ID = 0x0009,
    EZB_ZCL_ATTR_BASIC_PRODUCT_CODE_ID = 0x000a,
    EZB_ZCL_ATTR_BASIC_PRODUCT_URL_ID = 0x000b,
    EZB_ZCL_ATTR_BASIC_MANUFACTURER_VERSION_DETAILS_ID = 0x000c,
    EZB_ZCL_ATTR_BASIC_SERIAL_NUMBER_ID = 0x000d,
    EZB_ZCL_ATTR_BASIC_PRODUCT_LABEL_ID = 0x000e,
    EZB_ZCL_ATTR_BASIC_LOCATION_DESCRIPTION_ID = 0x0010,
    EZB_ZCL_ATTR_BASIC_PHYSICAL_ENVIRONMENT_ID = 0x0011,
    EZB_ZCL_ATTR_BASIC_DEVICE_ENABLED_ID = 0x0012,
    EZB_ZCL_ATTR_BASIC_ALARM_MASK_ID = 0x0013,
    EZB_ZCL_ATTR_BASIC_DISABLE_LOCAL_CONFIG_ID = 0x0014,
    EZB_ZCL_ATTR_BASIC_SW_BUILD_ID_ID = 0x4000
} ezb_zcl_basic_server_attr_t;

typedef struct ezb_zcl_basic_cluster_server_config_s {
    uint8_t zcl_version;
    uint8_t power_source;
} ezb_zcl_basic_cluster_server_config_t;
typedef ezb_zcl_basic_cluster_server_config_t ezb_zcl_basic_cluster_config_t;

typedef enum {
    EZB_ZCL_BASIC_POWER_SOURCE_UNKNOWN = 0x00,
    EZB_ZCL_BASIC_POWER_SOURCE_SINGLE_PHASE_MAINS = 0x01,
    EZB_ZCL_BASIC_POWER_SOURCE_THREE_PHASE_MAINS = 0x02,
    EZB_ZCL_BASIC_POWER_SOURCE_BATTERY = 0x03,
    EZB_ZCL_BASIC_POWER_SOURCE_DC_SOURCE = 0x04,
    EZB_ZCL_BASIC_POWER_SOURCE_EMERGENCY_MAINS_CONSTANTLY_POWERED = 0x05,
    EZB_ZCL_BASIC_POWER_SOURCE_EMERGENCY_MAINS_AND_TRANSFER_SWITCH = 0x06
} ezb_zcl_basic_server_power_source_t;

#define EZB_ZCL_BASIC_ZCL_VERSION_DEFAULT_VALUE  (0x08)
#define EZB_ZCL_BASIC_POWER_SOURCE_DEFAULT_VALUE (0x00)

/* value is copied: a number of the attribute's size, or a text with its length in front
 * ("\x09" "ESPRESSIF"). EZB_ERR_INV_ARG: there already, or no attribute of the cluster. */
ezb_err_t ezb_zcl_basic_cluster_desc_add_attr(ezb_zcl_cluster_desc_t cluster_desc, uint16_t attr_id,
                                              const void *value);
/* cluster_cfg: of the server, or NULL for the defaults. NULL: no memory, or an unknown role. */
ezb_zcl_cluster_desc_t ezb_zcl_basic_create_cluster_desc(const void *cluster_cfg,
                                                         uint8_t role_mask);

#ifdef __cplusplus
}
#endif
