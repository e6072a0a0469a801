/* Identify: how long the device shows which one it is. */
#pragma once

#include <ezbee/zcl/zcl_common.h>
#include <ezbee/zcl/zcl_desc.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EZB_ZCL_IDENTIFY_CLUSTER_REVISION (2)

typedef enum { EZB_ZCL_ATTR_IDENTIFY_IDENTIFY_TIME_ID = 0x0000 } ezb_zcl_identify_server_attr_t;

typedef struct ezb_zcl_identify_cluster_server_config_s {
    uint16_t identify_time; /* s */
} ezb_zcl_identify_cluster_server_config_t;
typedef ezb_zcl_identify_cluster_server_config_t ezb_zcl_identify_cluster_config_t;

#define EZB_ZCL_IDENTIFY_IDENTIFY_TIME_DEFAULT_VALUE (0x0000)

/* As for Basic. */
ezb_err_t ezb_zcl_identify_cluster_desc_add_attr(ezb_zcl_cluster_desc_t cluster_desc,
                                                 uint16_t attr_id, const void *value);
ezb_zcl_cluster_desc_t ezb_zcl_identify_create_cluster_desc(const void *cluster_cfg,
                                                            uint8_t role_mask);

#ifdef __cplusplus
}
#endif
