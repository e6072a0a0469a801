/* Questions to the ZDO of other devices. Callbacks come from the stack's task, once. */
#pragma once

#include "esp_err.h"
#include "zdo/esp_zigbee_zdo_common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* addr 0xffff, endpoint 0xff: nobody answered. */
typedef void (*esp_zb_zdo_match_desc_callback_t)(esp_zb_zdp_status_t zdo_status, uint16_t addr,
                                                 uint8_t endpoint, void *user_ctx);

typedef struct esp_zb_zdo_match_desc_req_param_s {
    uint16_t dst_nwk_addr;
    uint16_t addr_of_interest;
    uint16_t profile_id;
    uint8_t num_in_clusters;
    uint8_t num_out_clusters;
    uint16_t *cluster_list; /* input clusters, then output clusters */
} esp_zb_zdo_match_desc_req_param_t;

/* Who has these clusters; the first answer counts. ESP_ERR_INVALID_SIZE: none, or more than
 * fit into a request; ESP_ERR_NO_MEM. */
esp_err_t esp_zb_zdo_match_cluster(esp_zb_zdo_match_desc_req_param_t *param,
                                   esp_zb_zdo_match_desc_callback_t user_cb, void *user_ctx);

typedef struct esp_zb_zdo_nwk_addr_list_s {
    uint8_t start_index;
    uint8_t total;
    uint8_t count;
    uint16_t *nwk_addresses;
} esp_zb_zdo_nwk_addr_list_t;

typedef struct esp_zb_zdo_nwk_addr_rsp_s {
    esp_zb_ieee_addr_t ieee_addr;
    uint16_t nwk_addr;
    esp_zb_zdo_nwk_addr_list_t *ext_resp; /* NULL */
} esp_zb_zdo_nwk_addr_rsp_t;
typedef esp_zb_zdo_nwk_addr_rsp_t esp_zb_zdo_ieee_addr_rsp_t;

typedef void (*esp_zb_zdo_ieee_addr_callback_t)(esp_zb_zdp_status_t zdo_status,
                                                esp_zb_zdo_ieee_addr_rsp_t *resp, void *user_ctx);

typedef struct esp_zb_zdo_ieee_addr_req_param_s {
    uint16_t dst_nwk_addr;
    uint16_t addr_of_interest;
    uint8_t request_type; /* 0: one device */
    uint8_t start_index;
} esp_zb_zdo_ieee_addr_req_param_t;

/* user_cb gets status TIMEOUT and resp NULL when nobody answers. */
void esp_zb_zdo_ieee_addr_req(esp_zb_zdo_ieee_addr_req_param_t *cmd_req,
                              esp_zb_zdo_ieee_addr_callback_t user_cb, void *user_ctx);

typedef void (*esp_zb_zdo_leave_callback_t)(esp_zb_zdp_status_t zdo_status, void *user_ctx);

typedef struct esp_zb_zdo_mgmt_leave_req_param_s {
    esp_zb_ieee_addr_t device_address; /* zeros: dst_nwk_addr itself */
    uint16_t dst_nwk_addr;
    uint8_t reserved : 6;
    uint8_t remove_children : 1;
    uint8_t rejoin : 1;
} esp_zb_zdo_mgmt_leave_req_param_t;

void esp_zb_zdo_device_leave_req(esp_zb_zdo_mgmt_leave_req_param_t *cmd_req,
                                 esp_zb_zdo_leave_callback_t user_cb, void *user_ctx);

#ifdef __cplusplus
}
#endif
