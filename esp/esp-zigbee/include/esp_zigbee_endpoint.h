/* Lists of endpoints, and handing them to the stack. */
#pragma once

#include "esp_err.h"
#include "esp_zigbee_type.h"

#ifdef __cplusplus
extern "C" {
#endif

esp_zb_ep_list_t *esp_zb_ep_list_create(void);
/* ESP_ERR_INVALID_ARG: the endpoint is not 1..240, or there already. */
esp_err_t esp_zb_ep_list_add_ep(esp_zb_ep_list_t *ep_list, esp_zb_cluster_list_t *cluster_list,
                                esp_zb_endpoint_config_t endpoint_config);
esp_zb_cluster_list_t *esp_zb_ep_list_get_ep(esp_zb_ep_list_t *ep_list, uint8_t ep_id);

/* Takes the lists over, which must not change afterwards. Between esp_zb_init() and
 * esp_zb_start(). ESP_ERR_INVALID_STATE: after that, or a second time. */
esp_err_t esp_zb_device_register(esp_zb_ep_list_t *ep_list);

#ifdef __cplusplus
}
#endif
