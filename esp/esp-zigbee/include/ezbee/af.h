/* Endpoints of the device. */
#pragma once

#include <ezbee/core_types.h>
#include <ezbee/zcl/zcl_desc.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EZB_AF_ENDPOINT_BROADCAST_ID 0xffu
#define EZB_INVALID_DESC             NULL

enum ezb_af_profile_id_e {
    EZB_AF_ZDP_PROFILE_ID = 0x0000,
    EZB_AF_HA_PROFILE_ID = 0x0104,
    EZB_AF_SE_PROFILE_ID = 0x0109,
    EZB_AF_TL_PROFILE_ID = 0xc05e,
    EZB_AF_GP_PROFILE_ID = 0xa1e0
};
typedef uint16_t ezb_af_profile_id_t;

typedef void *ezb_af_ep_desc_t;
#define EZB_INVALID_AF_EP_DESC EZB_INVALID_DESC
typedef void *ezb_af_device_desc_t;
#define EZB_INVALID_AF_DEVICE_DESC EZB_INVALID_DESC
typedef uint8_t ezb_af_ep_id_t;

typedef struct ezb_af_ep_config_s {
    uint8_t ep_id; /* 1..240 */
    uint16_t app_profile_id;
    uint16_t app_device_id;
    uint8_t app_device_version : 4;
    uint8_t reserved : 4;
} ezb_af_ep_config_t;

/* What became of a command that was sent: 0, or another value when it did not arrive. */
typedef struct ezb_af_user_cnf_s {
    uint8_t status;
    uint8_t tsn;
    ezb_address_t dst_addr;
    uint8_t src_ep;
    uint8_t dst_ep;
    uint16_t cluster_id;
    uint16_t profile_id;
} ezb_af_user_cnf_t;
typedef void (*ezb_af_user_cnf_callback_t)(ezb_af_user_cnf_t *cnf, void *user_ctx);

typedef struct ezb_af_user_cnf_ctx_s {
    ezb_af_user_cnf_callback_t cb; /* NULL: nobody asks */
    void *user_ctx;
} ezb_af_user_cnf_ctx_t;

void ezb_af_node_desc_set_manuf_code(uint16_t manuf_code);

/* NULL: no memory. */
ezb_af_device_desc_t ezb_af_create_device_desc(void);
void ezb_af_free_device_desc(ezb_af_device_desc_t dev_desc); /* and all in it; NULL allowed */
/* EZB_ERR_INV_ARG: NULL, a number that is not 1..240 or is taken, or already in a device. */
ezb_err_t ezb_af_device_add_endpoint_desc(ezb_af_device_desc_t dev_desc, ezb_af_ep_desc_t ep_desc);
/* NULL: not there. */
ezb_af_ep_desc_t ezb_af_device_get_endpoint_desc(ezb_af_device_desc_t dev_desc, uint8_t ep_id);
/* Between esp_zigbee_init() and esp_zigbee_start(), once. Takes dev_desc over.
 * EZB_ERR_INV_STATE. */
ezb_err_t ezb_af_device_desc_register(ezb_af_device_desc_t dev_desc);

ezb_af_ep_desc_t ezb_af_create_endpoint_desc(const ezb_af_ep_config_t *ep_config);
void ezb_af_free_endpoint_desc(ezb_af_ep_desc_t ep_desc); /* and its clusters; NULL allowed */
/* EZB_ERR_INV_ARG: NULL, that side of the cluster is there, or it is in an endpoint. */
ezb_err_t ezb_af_endpoint_add_cluster_desc(ezb_af_ep_desc_t ep_desc,
                                           ezb_zcl_cluster_desc_t cluster_desc);
ezb_zcl_cluster_desc_t ezb_af_endpoint_get_cluster_desc(const ezb_af_ep_desc_t ep_desc,
                                                        uint16_t cluster_id, uint8_t role);
/* Of the registered device. NULL: not there. */
ezb_af_ep_desc_t ezb_af_get_ep_desc(uint8_t ep_id);
uint8_t ezb_af_ep_desc_get_ep_id(const ezb_af_ep_desc_t ep_desc);       /* NULL: 0 */
uint16_t ezb_af_ep_desc_get_profile_id(const ezb_af_ep_desc_t ep_desc); /* NULL: 0 */

#ifdef __cplusplus
}
#endif
