/* An update over HTTPS, whole or step by step. */
#pragma once

#include "bootloader_common.h"
#include "esp_app_desc.h"
#include "esp_bootloader_desc.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_partition.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

ESP_EVENT_DECLARE_BASE(ESP_HTTPS_OTA_EVENT);

typedef enum {
    ESP_HTTPS_OTA_START,
    ESP_HTTPS_OTA_CONNECTED,
    ESP_HTTPS_OTA_GET_IMG_DESC,
    ESP_HTTPS_OTA_VERIFY_CHIP_ID,       /* data: esp_chip_id_t of the new image */
    ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, /* data: uint16_t, its minimum */
    ESP_HTTPS_OTA_DECRYPT_CB,
    ESP_HTTPS_OTA_WRITE_FLASH,           /* data: int, bytes written so far */
    ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, /* data: esp_partition_subtype_t */
    ESP_HTTPS_OTA_FINISH,
    ESP_HTTPS_OTA_ABORT
} esp_https_ota_event_t;

typedef void *esp_https_ota_handle_t;
typedef esp_err_t (*http_client_init_cb_t)(esp_http_client_handle_t client);

/* A layer between download and flash: data_out is malloc'ed by the callback. */
typedef struct {
    const char *data_in;
    size_t data_in_len;
    char *data_out;
    size_t data_out_len;
} decrypt_cb_arg_t;

typedef esp_err_t (*decrypt_cb_t)(decrypt_cb_arg_t *args, void *user_ctx);

/* All fields are there whatever the configuration; those of an option that is not
 * set are ignored. */
typedef struct {
    const esp_http_client_config_t *http_config;
    http_client_init_cb_t http_client_init_cb; /* before the first request */
    bool bulk_flash_erase;                     /* false: sector by sector while writing */
    bool partial_http_download;                /* CONFIG_ESP_HTTPS_OTA_ENABLE_PARTIAL_DOWNLOAD */
    int max_http_request_size;                 /* bytes of each part, 0: 65536 */
    uint32_t buffer_caps;
    bool ota_resumption;
    size_t ota_image_bytes_written; /* where to go on */
    decrypt_cb_t decrypt_cb;        /* CONFIG_ESP_HTTPS_OTA_DECRYPT_CB: required */
    void *decrypt_user_ctx;
    uint16_t enc_img_header_size;
    struct {
        const esp_partition_t *staging; /* NULL: the next OTA slot */
        const esp_partition_t *final;   /* NULL: staging */
        bool finalize_with_copy;
    } partition;
} esp_https_ota_config_t;

#define ESP_ERR_HTTPS_OTA_BASE        0x9000
#define ESP_ERR_HTTPS_OTA_IN_PROGRESS (ESP_ERR_HTTPS_OTA_BASE + 1)

/* The whole update; the app restarts itself afterwards. */
esp_err_t esp_https_ota(const esp_https_ota_config_t *ota_config);

/* Step by step: begin, perform while it says IN_PROGRESS, finish (or abort). */
esp_err_t esp_https_ota_begin(const esp_https_ota_config_t *ota_config,
                              esp_https_ota_handle_t *handle);
esp_err_t esp_https_ota_perform(esp_https_ota_handle_t https_ota_handle);
bool esp_https_ota_is_complete_data_received(esp_https_ota_handle_t https_ota_handle);
/* Verifies, selects the new slot, frees the handle. */
esp_err_t esp_https_ota_finish(esp_https_ota_handle_t https_ota_handle);
esp_err_t esp_https_ota_abort(esp_https_ota_handle_t https_ota_handle);

esp_err_t esp_https_ota_get_img_desc(esp_https_ota_handle_t https_ota_handle,
                                     esp_app_desc_t *new_app_info);
esp_err_t esp_https_ota_get_bootloader_img_desc(esp_https_ota_handle_t https_ota_handle,
                                                esp_bootloader_desc_t *new_img_info);
int esp_https_ota_get_image_len_read(esp_https_ota_handle_t https_ota_handle);
int esp_https_ota_get_status_code(esp_https_ota_handle_t https_ota_handle);
/* -1: the server did not tell */
int esp_https_ota_get_image_size(esp_https_ota_handle_t https_ota_handle);

#ifdef __cplusplus
}
#endif
