/* OTA upgrade: the server's table of files, the client's queries. */
#pragma once

#include "esp_err.h"
#include "esp_zigbee_type.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Who asks for a block. */
typedef struct esp_zb_ota_zcl_information_s {
    esp_zb_zcl_addr_t src_addr;
    uint16_t dst_short_addr;
    uint8_t src_endpoint;
    uint8_t dst_endpoint;
    uint16_t cluster_id;
    uint16_t profile_id;
    uint8_t command_id;
    uint16_t manufacturer_specific;
} esp_zb_ota_zcl_information_t;

typedef struct esp_zb_ota_file_optional_s {
    uint8_t security_credential_version;
    esp_zb_ieee_addr_t upgrade_file_destination;
    uint16_t minimum_hardware_version;
    uint16_t maximum_hardware_version;
} esp_zb_ota_file_optional_t;

typedef struct esp_zb_ota_file_header_s {
    uint16_t manufacturer_code;
    uint16_t image_type;
    uint32_t file_version;
    uint32_t image_size;    /* bytes behind the OTA header, which the stack makes itself */
    uint16_t field_control; /* which of optional there are; ..._FILE_HEADER_FC_* */
    esp_zb_ota_file_optional_t optional;
} esp_zb_ota_file_header_t;

/* The next size bytes of file `index` behind its header: *data points to them, until the
 * next call. Each byte is asked for in order and, as long as the answer is ESP_OK, once a
 * download: repeats and further clients are served from what was given. See
 * airlift_zigbee.h for files that can be read anywhere. */
typedef esp_err_t (*esp_zb_ota_next_data_callback_t)(esp_zb_ota_zcl_information_t message,
                                                     uint16_t index, uint8_t size, uint8_t **data);

typedef struct esp_zb_zcl_ota_upgrade_client_variable_s {
    uint16_t timer_query; /* minutes between queries */
    uint16_t hw_version;
    uint8_t max_data_size; /* of a block */
} esp_zb_zcl_ota_upgrade_client_variable_t;

typedef struct esp_zb_zcl_ota_upgrade_server_variable_s {
    uint8_t query_jitter; /* 1..100 */
    uint32_t current_time;
    uint8_t file_count; /* places in the table */
} esp_zb_zcl_ota_upgrade_server_variable_t;

typedef struct esp_zb_ota_upgrade_server_notify_req_s {
    uint8_t endpoint;
    uint8_t index;     /* in the table */
    uint8_t notify_on; /* tell devices about it */
    uint32_t ota_upgrade_time;
    esp_zb_ota_file_header_t ota_file_header;
    esp_zb_ota_next_data_callback_t next_data_cb;
} esp_zb_ota_upgrade_server_notify_req_t;

/* Puts a file into the table. With notify_on an Image Notify goes to the device of
 * optional.upgrade_file_destination, or to all. ESP_ERR_NOT_FOUND: no server variables on
 * that endpoint; ESP_ERR_INVALID_ARG: index or next_data_cb. */
esp_err_t esp_zb_ota_upgrade_server_notify_req(esp_zb_ota_upgrade_server_notify_req_t *req);

/* The server to ask, and periodic queries from now on: the first comes within a minute.
 * The vendor's header names the two parameters the other way round. ESP_FAIL: there is no OTA
 * client. */
esp_err_t esp_zb_ota_upgrade_client_query_image_req(uint16_t server_addr, uint8_t server_ep);
/* interval: minutes; 0: no periodic queries. */
esp_err_t esp_zb_ota_upgrade_client_query_interval_set(uint8_t endpoint, uint16_t interval);
/* Ends the periodic query and what is being asked or downloaded. */
esp_err_t esp_zb_ota_upgrade_client_query_image_stop(void);

#ifdef __cplusplus
}
#endif
