/* Descriptors of clusters: made by ezb_zcl_<cluster>_create_cluster_desc(), put into an
 * endpoint (af.h), and the stack's once the device is registered. */
#pragma once

#include <ezbee/core_types.h>
#include <ezbee/zcl/zcl_type.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void *ezb_zcl_attr_desc_t;
typedef void *ezb_zcl_cluster_desc_t;

#define EZB_INVALID_ZCL_ATTR_DESC    EZB_INVALID_DESC
#define EZB_INVALID_ZCL_CLUSTER_DESC EZB_INVALID_DESC

/* Of a registered device. NULL: not there. */
ezb_zcl_cluster_desc_t ezb_zcl_get_cluster_desc(uint8_t ep_id, uint16_t cluster_id, uint8_t role);
void ezb_zcl_free_cluster_desc(ezb_zcl_cluster_desc_t cluster_desc);        /* NULL allowed */
uint16_t ezb_zcl_cluster_desc_get_id(ezb_zcl_cluster_desc_t cluster_desc);  /* NULL: 0xffff */
uint8_t ezb_zcl_cluster_desc_get_role(ezb_zcl_cluster_desc_t cluster_desc); /* NULL: 0xff */

#ifdef __cplusplus
}
#endif
