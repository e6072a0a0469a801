#include "esp_fs_ota.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp/esp-adf/ota_run.h"
#include "esp/esp-adf/sdcard.h"
#include "esp_log.h"
#include "esp_ota_ops.h"

static const char *TAG = "esp_fs_ota";

enum {
    HEADER_LEN = 289, /* image header, segment header, app description, and one byte more */
    DESC_AT = 32,
    SCHEME_LEN = 6 /* "file:/" */
};

struct fs_ota {
    FILE *file;
    const esp_partition_t *slot;
    esp_ota_handle_t update;
    enum { FS_BEGIN, FS_IN_PROGRESS, FS_SUCCESS } state;
    int64_t file_len, taken; /* taken: read from the file */
    size_t header_len;       /* bytes of the header that wait in buffer */
    size_t buffer_len;
    uint8_t buffer[];
};

static FILE *open_app(const char *path, int64_t *len)
{
    bool longer = strlen(path) > SCHEME_LEN;
    const char *vfs = longer ? path + SCHEME_LEN : path;
    FILE *file = longer ? adf_sdcard_open(vfs, len) : NULL;
    if (!file) ESP_LOGE(TAG, "Failed to open the app bin %s", vfs);
    return file;
}

esp_err_t esp_fs_ota_begin(esp_fs_ota_config_t *ota_config, esp_fs_ota_handle_t *handle)
{
    if (handle) *handle = NULL;
    if (!ota_config || !handle || !ota_config->path) {
        ESP_LOGE(TAG, "esp_fs_ota_begin: Invalid argument");
        return ESP_ERR_INVALID_ARG;
    }
    int64_t len;
    FILE *file = open_app(ota_config->path, &len);
    if (!file) return ESP_FAIL;
    ESP_LOGI(TAG, "Starting OTA...");
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    size_t size =
        ota_config->buffer_size > HEADER_LEN ? (size_t)ota_config->buffer_size : HEADER_LEN;
    struct fs_ota *ota = slot ? calloc(1, sizeof *ota + size) : NULL;
    if (!ota) {
        ESP_LOGE(TAG, slot ? "Couldn't allocate memory to upgrade data buffer"
                           : "Passive OTA partition not found");
        fclose(file);
        return slot ? ESP_ERR_NO_MEM : ESP_FAIL;
    }
    ESP_LOGI(TAG, "Writing to partition subtype %d at offset 0x%x", slot->subtype,
             (unsigned)slot->address);
    ota->file = file;
    ota->file_len = len;
    ota->slot = slot;
    ota->buffer_len = size;
    *handle = ota;
    return ESP_OK;
}

/* Up to len bytes into the buffer; 0: the end; -1: fewer than the file had. */
static int read_some(struct fs_ota *ota, size_t len)
{
    size_t n = fread(ota->buffer, 1, len, ota->file);
    ota->taken += (int64_t)n;
    if (n > 0) return (int)n;
    if (!ferror(ota->file) && ota->taken >= ota->file_len) return 0;
    ESP_LOGE(TAG, "The file ended after %lld of its %lld bytes: %s", (long long)ota->taken,
             (long long)ota->file_len,
             ferror(ota->file) ? strerror(errno) : "it was cut meanwhile");
    return -1;
}

static esp_err_t read_header(struct fs_ota *ota)
{
    if (ota->header_len) return ESP_OK;
    int n = read_some(ota, HEADER_LEN);
    if (n != HEADER_LEN) {
        ESP_LOGE(TAG, "Complete headers were not read");
        return ESP_FAIL;
    }
    ota->header_len = HEADER_LEN;
    return ESP_OK;
}

esp_err_t esp_fs_ota_get_img_desc(esp_fs_ota_handle_t fs_ota_handle, esp_app_desc_t *new_app_info)
{
    struct fs_ota *ota = fs_ota_handle;
    if (!ota || !new_app_info) {
        ESP_LOGE(TAG, "esp_fs_ota_get_img_desc: Invalid argument");
        return ESP_ERR_INVALID_ARG;
    }
    if (ota->state != FS_BEGIN) {
        ESP_LOGE(TAG, "esp_fs_ota_get_img_desc: Invalid state");
        return ESP_FAIL;
    }
    esp_err_t err = read_header(ota);
    if (!err) memcpy(new_app_info, ota->buffer + DESC_AT, sizeof *new_app_info);
    return err;
}

static esp_err_t write_some(struct fs_ota *ota, size_t len)
{
    esp_err_t err = esp_ota_write(ota->update, ota->buffer, len);
    if (err == ESP_OK) return ESP_ERR_FS_OTA_IN_PROGRESS;
    ESP_LOGE(TAG, "Error: esp_ota_write failed! err=0x%x", err);
    return err;
}

static esp_err_t first_piece(struct fs_ota *ota)
{
    esp_err_t err = esp_ota_begin(ota->slot, OTA_SIZE_UNKNOWN, &ota->update);
    if (err) {
        ESP_LOGE(TAG, "esp_ota_begin failed (%s)", esp_err_to_name(err));
        if (ota->update) esp_ota_abort(ota->update); /* open although its erase failed */
        return err;
    }
    ota->state = FS_IN_PROGRESS; /* from here on finish and abort close the update */
    err = read_header(ota);
    return err ? err : write_some(ota, ota->header_len);
}

esp_err_t esp_fs_ota_perform(esp_fs_ota_handle_t fs_ota_handle)
{
    struct fs_ota *ota = fs_ota_handle;
    if (!ota) {
        ESP_LOGE(TAG, "esp_fs_ota_perform: Invalid argument");
        return ESP_ERR_INVALID_ARG;
    }
    if (ota->state == FS_BEGIN) return first_piece(ota);
    if (ota->state == FS_SUCCESS) {
        ESP_LOGE(TAG, "Invalid ESP FS OTA State");
        return ESP_FAIL;
    }
    int n = read_some(ota, ota->buffer_len);
    if (n > 0) return write_some(ota, (size_t)n);
    if (n < 0) return ESP_FAIL;
    ota->state = FS_SUCCESS;
    return ESP_OK;
}

static void release(struct fs_ota *ota)
{
    fclose(ota->file);
    free(ota);
}

esp_err_t esp_fs_ota_finish(esp_fs_ota_handle_t fs_ota_handle)
{
    struct fs_ota *ota = fs_ota_handle;
    if (!ota) return ESP_ERR_INVALID_ARG;
    esp_err_t err = ota->state == FS_BEGIN ? ESP_OK : esp_ota_end(ota->update);
    if (!err && ota->state == FS_SUCCESS) {
        err = esp_ota_set_boot_partition(ota->slot);
        if (err) ESP_LOGE(TAG, "esp_ota_set_boot_partition failed! err=0x%d", err);
        if (ota_run_compat()) err = ESP_OK;
    }
    release(ota);
    return err;
}

esp_err_t esp_fs_ota_abort(esp_fs_ota_handle_t fs_ota_handle)
{
    struct fs_ota *ota = fs_ota_handle;
    if (!ota) return ESP_ERR_INVALID_ARG;
    esp_err_t err = ota->state == FS_BEGIN ? ESP_OK : esp_ota_abort(ota->update);
    release(ota);
    return err;
}

int esp_fs_ota_get_image_len_read(esp_fs_ota_handle_t fs_ota_handle)
{
    struct fs_ota *ota = fs_ota_handle;
    return ota && ota->state != FS_BEGIN ? (int)ota->taken : -1;
}

int esp_fs_ota_get_image_size(esp_fs_ota_handle_t fs_ota_handle)
{
    struct fs_ota *ota = fs_ota_handle;
    return ota ? (int)ota->file_len : -1;
}

esp_err_t esp_fs_ota(esp_fs_ota_config_t *ota_config)
{
    esp_fs_ota_handle_t ota = NULL;
    esp_err_t err = esp_fs_ota_begin(ota_config, &ota);
    if (err) return err;
    do {
        err = esp_fs_ota_perform(ota);
    } while (err == ESP_ERR_FS_OTA_IN_PROGRESS);
    if (err) {
        esp_fs_ota_abort(ota);
        return err;
    }
    return esp_fs_ota_finish(ota);
}
