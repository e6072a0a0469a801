/* Lists of clusters. role_mask: ESP_ZB_ZCL_CLUSTER_SERVER_ROLE or _CLIENT_ROLE. Adding takes
 * the attributes over; ESP_ERR_INVALID_ARG: they are of another cluster, or that side of the
 * cluster is there already. Updating puts other attributes in place; ESP_ERR_NOT_FOUND. */
#pragma once

#include "esp_err.h"
#include "esp_zigbee_type.h"

#ifdef __cplusplus
extern "C" {
#endif

esp_zb_cluster_list_t *esp_zb_zcl_cluster_list_create(void);

esp_err_t esp_zb_cluster_list_add_basic_cluster(esp_zb_cluster_list_t *cluster_list,
                                                esp_zb_attribute_list_t *attr_list,
                                                uint8_t role_mask);
esp_err_t esp_zb_cluster_list_add_identify_cluster(esp_zb_cluster_list_t *cluster_list,
                                                   esp_zb_attribute_list_t *attr_list,
                                                   uint8_t role_mask);
esp_err_t esp_zb_cluster_list_add_time_cluster(esp_zb_cluster_list_t *cluster_list,
                                               esp_zb_attribute_list_t *attr_list,
                                               uint8_t role_mask);
esp_err_t esp_zb_cluster_list_add_ota_cluster(esp_zb_cluster_list_t *cluster_list,
                                              esp_zb_attribute_list_t *attr_list,
                                              uint8_t role_mask);
esp_err_t esp_zb_cluster_list_add_custom_cluster(esp_zb_cluster_list_t *cluster_list,
                                                 esp_zb_attribute_list_t *attr_list,
                                                 uint8_t role_mask);

esp_err_t esp_zb_cluster_list_update_basic_cluster(esp_zb_cluster_list_t *cluster_list,
                                                   esp_zb_attribute_list_t *attr_list,
                                                   uint8_t role_mask);
esp_err_t esp_zb_cluster_list_update_ota_cluster(esp_zb_cluster_list_t *cluster_list,
                                                 esp_zb_attribute_list_t *attr_list,
                                                 uint8_t role_mask);

/* NULL: not there. */
esp_zb_attribute_list_t *esp_zb_cluster_list_get_cluster(esp_zb_cluster_list_t *cluster_list,
                                                         uint16_t cluster_id, uint8_t role_mask);

#ifdef __cplusplus
}
#endif
