/* Addresses, and the lists that describe a device: attributes in a cluster, clusters in an
 * endpoint, endpoints in a device. Members and their order are the vendor's. */
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ZB_PACKED_STRUCT __attribute__((packed))
#define ESP_ZB_DEPRECATED    __attribute__((deprecated))

/* Least significant byte first. */
typedef uint8_t esp_zb_64bit_addr_t[8];
typedef esp_zb_64bit_addr_t esp_zb_ieee_addr_t;
typedef esp_zb_64bit_addr_t esp_zb_ext_pan_id_t;

typedef void (*esp_zb_zcl_cluster_init_t)(void);
typedef void (*esp_zb_callback_t)(uint8_t param);
typedef void (*esp_zb_user_callback_t)(void *param);
typedef uint8_t esp_zb_user_cb_handle_t;
#define ESP_ZB_USER_CB_HANDLE_INVALID 0x00

typedef union {
    uint16_t addr_short;
    esp_zb_ieee_addr_t addr_long;
} esp_zb_addr_u;

#define ESP_ZB_ZCL_ADDR_TYPE_SHORT      0u
#define ESP_ZB_ZCL_ADDR_TYPE_IEEE_GPD   1u
#define ESP_ZB_ZCL_ADDR_TYPE_SRC_ID_GPD 2u
#define ESP_ZB_ZCL_ADDR_TYPE_IEEE       3u
#define ESP_ZB_CCM_KEY_SIZE             16u
#define ESP_ZB_ZCL_MAX_STRING_SIZE      0xffu

typedef struct esp_zb_zcl_addr_s {
    uint8_t addr_type; /* ESP_ZB_ZCL_ADDR_TYPE_* */
    union {
        uint16_t short_addr;
        uint32_t src_id;
        esp_zb_ieee_addr_t ieee_addr;
    } u;
} ESP_ZB_PACKED_STRUCT esp_zb_zcl_addr_t;

/* ---- Attributes ---- */

typedef struct esp_zb_zcl_attr_s {
    uint16_t id;
    uint8_t type;   /* esp_zb_zcl_attr_type_t */
    uint8_t access; /* esp_zb_zcl_attr_access_t */
    uint16_t manuf_code;
    void *data_p; /* as on the air: little-endian, strings with their length in front */
} ESP_ZB_PACKED_STRUCT esp_zb_zcl_attr_t;

/* The first node carries the cluster id only. */
typedef struct esp_zb_attribute_list_s {
    esp_zb_zcl_attr_t attribute;
    uint16_t cluster_id;
    struct esp_zb_attribute_list_s *next;
} esp_zb_attribute_list_t;

/* ---- Clusters ---- */

typedef struct esp_zb_zcl_cluster_s {
    uint16_t cluster_id;
    uint16_t attr_count;
    union {
        esp_zb_zcl_attr_t *attr_desc_list;
        esp_zb_attribute_list_t *attr_list;
    } ESP_ZB_PACKED_STRUCT;
    uint8_t role_mask; /* esp_zb_zcl_cluster_role_t */
    uint16_t manuf_code;
    esp_zb_zcl_cluster_init_t cluster_init;
} ESP_ZB_PACKED_STRUCT esp_zb_zcl_cluster_t;

typedef struct esp_zb_cluster_list_s {
    esp_zb_zcl_cluster_t cluster;
    struct esp_zb_cluster_list_s *next;
} esp_zb_cluster_list_t;

/* ---- Endpoints ---- */

typedef struct esp_zb_af_node_desc_s {
    uint16_t node_desc_flags;
    uint8_t mac_capability_flags;
    uint16_t manufacturer_code;
    uint8_t max_buf_size;
    uint16_t max_incoming_transfer_size;
    uint16_t server_mask;
    uint16_t max_outgoing_transfer_size;
    uint8_t desc_capability_field;
} ESP_ZB_PACKED_STRUCT esp_zb_af_node_desc_t;

typedef struct esp_zb_af_simple_desc_1_1_s {
    uint8_t endpoint;
    uint16_t app_profile_id;
    uint16_t app_device_id;
    uint32_t app_device_version : 4;
    uint32_t reserved : 4;
    uint8_t app_input_cluster_count;
    uint8_t app_output_cluster_count;
    uint16_t app_cluster_list[2]; /* input clusters, then output clusters: more than two */
} ESP_ZB_PACKED_STRUCT esp_zb_af_simple_desc_1_1_t;

typedef struct esp_zb_endpoint_config_s {
    uint8_t endpoint; /* 1..240 */
    uint16_t app_profile_id;
    uint16_t app_device_id;
    uint32_t app_device_version : 4;
} ESP_ZB_PACKED_STRUCT esp_zb_endpoint_config_t;

typedef struct esp_zb_endpoint_s {
    uint8_t ep_id;
    uint16_t profile_id;
    esp_zb_callback_t device_handler;
    esp_zb_callback_t identify_handler;
    uint8_t reserved_size;
    void *reserved_ptr;
    uint8_t cluster_count;
    union {
        esp_zb_zcl_cluster_t *cluster_desc_list;
        esp_zb_cluster_list_t *cluster_list;
    } ESP_ZB_PACKED_STRUCT;
    esp_zb_af_simple_desc_1_1_t *simple_desc;
    uint8_t rep_info_count;
    void *reporting_info;
    uint8_t cvc_alarm_count;
    void *cvc_alarm_info;
} ESP_ZB_PACKED_STRUCT esp_zb_endpoint_t;

typedef struct esp_zb_ep_list_s {
    esp_zb_endpoint_t endpoint;
    struct esp_zb_ep_list_s *next;
} esp_zb_ep_list_t;

/* ---- What the standard clusters begin with ---- */

typedef struct esp_zb_basic_cluster_cfg_s {
    uint8_t zcl_version;
    uint8_t power_source;
} esp_zb_basic_cluster_cfg_t;

typedef struct esp_zb_identify_cluster_cfg_s {
    uint16_t identify_time; /* s */
} esp_zb_identify_cluster_cfg_t;

typedef struct esp_zb_time_cluster_cfg_s {
    uint32_t time; /* UTC, s since 2000-01-01 */
    uint8_t time_status;
} esp_zb_time_cluster_cfg_t;

typedef struct esp_zb_ota_cluster_cfg_s {
    uint32_t ota_upgrade_file_version; /* that runs now */
    uint16_t ota_upgrade_manufacturer;
    uint16_t ota_upgrade_image_type;
    uint16_t ota_min_block_reque;
    uint32_t ota_upgrade_file_offset;
    uint32_t ota_upgrade_downloaded_file_ver;
    esp_zb_ieee_addr_t ota_upgrade_server_id;
    uint8_t ota_image_upgrade_status;
} esp_zb_ota_cluster_cfg_t;

#ifdef __cplusplus
}
#endif
