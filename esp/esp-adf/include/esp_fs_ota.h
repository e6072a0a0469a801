/* An app update from a file: begin, perform while it says IN_PROGRESS, finish. */
#pragma once

#include "bootloader_common.h"
#include "esp_app_desc.h"
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void *esp_fs_ota_handle_t;

#define ESP_ERR_FS_OTA_BASE        (0x10000)
#define ESP_ERR_FS_OTA_IN_PROGRESS (ESP_ERR_FS_OTA_BASE + 1)

typedef struct {
    const char *path;      /* "file://sdcard/app.bin": the file is /sdcard/app.bin */
    const int buffer_size; /* bytes, at least 289 are used */
} esp_fs_ota_config_t;

/* The whole update; the app restarts itself afterwards. */
esp_err_t esp_fs_ota(esp_fs_ota_config_t *ota_config);

/* Opens file and next slot. ESP_ERR_INVALID_ARG, ESP_FAIL, ESP_ERR_NO_MEM. */
esp_err_t esp_fs_ota_begin(esp_fs_ota_config_t *ota_config, esp_fs_ota_handle_t *handle);
/* A piece. ESP_ERR_FS_OTA_IN_PROGRESS, ESP_OK at the end of the file, or what went wrong. */
esp_err_t esp_fs_ota_perform(esp_fs_ota_handle_t fs_ota_handle);
/* Verifies, selects the slot if the whole file was written, frees the handle. */
esp_err_t esp_fs_ota_finish(esp_fs_ota_handle_t fs_ota_handle);
/* The description of the app in the file, before the first perform. Not checked for its magic. */
esp_err_t esp_fs_ota_get_img_desc(esp_fs_ota_handle_t fs_ota_handle, esp_app_desc_t *new_app_info);
/* Bytes read so far; -1 before any were. */
int esp_fs_ota_get_image_len_read(esp_fs_ota_handle_t fs_ota_handle);

/* Not in the original: ends without selecting, and how long the file is. */
esp_err_t esp_fs_ota_abort(esp_fs_ota_handle_t fs_ota_handle);
int esp_fs_ota_get_image_size(esp_fs_ota_handle_t fs_ota_handle);

#ifdef __cplusplus
}
#endif
