/* Lists of attributes. Values are copied; strings have their length in front. Adding gives
 * ESP_ERR_INVALID_ARG when the attribute is there already or the cluster has none such,
 * ESP_ERR_NO_MEM. */
#pragma once

#include "esp_err.h"
#include "esp_zigbee_type.h"
#include "zcl/esp_zigbee_zcl_common.h"

#ifdef __cplusplus
extern "C" {
#endif

esp_zb_attribute_list_t *esp_zb_zcl_attr_list_create(uint16_t cluster_id);
/* cfg NULL: defaults. */
esp_zb_attribute_list_t *esp_zb_basic_cluster_create(esp_zb_basic_cluster_cfg_t *basic_cfg);
esp_zb_attribute_list_t *
esp_zb_identify_cluster_create(esp_zb_identify_cluster_cfg_t *identify_cfg);
esp_zb_attribute_list_t *esp_zb_time_cluster_create(esp_zb_time_cluster_cfg_t *time_cfg);
/* The client's attributes. */
esp_zb_attribute_list_t *esp_zb_ota_cluster_create(esp_zb_ota_cluster_cfg_t *ota_cfg);

esp_err_t esp_zb_basic_cluster_add_attr(esp_zb_attribute_list_t *attr_list, uint16_t attr_id,
                                        void *value_p);
esp_err_t esp_zb_identify_cluster_add_attr(esp_zb_attribute_list_t *attr_list, uint16_t attr_id,
                                           void *value_p);
esp_err_t esp_zb_time_cluster_add_attr(esp_zb_attribute_list_t *attr_list, uint16_t attr_id,
                                       void *value_p);
/* Also SERVER_DATA, CLIENT_DATA, SERVER_ADDR, SERVER_ENDPOINT (esp_zigbee_zcl_ota.h). */
esp_err_t esp_zb_ota_cluster_add_attr(esp_zb_attribute_list_t *attr_list, uint16_t attr_id,
                                      void *value_p);
esp_err_t esp_zb_custom_cluster_add_custom_attr(esp_zb_attribute_list_t *attr_list,
                                                uint16_t attr_id, uint8_t attr_type,
                                                uint8_t attr_access, void *value_p);
esp_err_t esp_zb_cluster_update_attr(esp_zb_attribute_list_t *attr_list, uint16_t attr_id,
                                     void *value_p);

#ifdef __cplusplus
}
#endif
