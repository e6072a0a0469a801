/* esp_https_ota: from the response into flash. */
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/https_ota_impl.h"
#include "esp_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *TAG = HTTPS_OTA_TAG;

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The original waits for ever for a silent server; so does this, unless a limit is set. */
static bool is_stalled(const struct https_ota *ota)
{
    long limit_s = airlift_config_int("AIRLIFT_HTTPS_OTA_STALL_TIMEOUT_S", 0);
    if (limit_s <= 0 || now_us() - ota->last_data_us < (int64_t)limit_s * 1000000) return false;
    ESP_LOGE(TAG, "No data for %ld s (CONFIG_AIRLIFT_HTTPS_OTA_STALL_TIMEOUT_S): giving up",
             limit_s);
    return true;
}

static int read_data(struct https_ota *ota, char *to, size_t len)
{
    if (ota->last_data_us == 0) ota->last_data_us = now_us();
    int n = esp_http_client_read(ota->http, to, (int)len);
    if (n > 0) ota->last_data_us = now_us();
    return n;
}

esp_err_t https_ota_read_header(struct https_ota *ota)
{
    size_t got = 0;
    while (got < HTTPS_OTA_HEADER_LEN) {
        int n = read_data(ota, ota->buffer + got, HTTPS_OTA_HEADER_LEN - got);
        if (n == -ESP_ERR_HTTP_EAGAIN) {
            if (is_stalled(ota)) return ESP_ERR_TIMEOUT;
            continue;
        }
        bool next = n == 0 && ota->partial && (int64_t)got < ota->image_len;
        if (next && https_ota_next_piece(ota, got) != ESP_OK) return ESP_FAIL;
        if (n < 0) ESP_LOGE(TAG, "Connection closed, errno = %d", errno);
        if (n < 0 || (n == 0 && !next)) break;
        got += (size_t)n;
    }
    if (got < HTTPS_OTA_HEADER_LEN) {
        ESP_LOGE(TAG, "Complete headers were not received");
        return ESP_FAIL;
    }
    ota->header_len = got;
    return ESP_OK;
}

/* Through the app's layer, if there is one. *out is malloc'ed then and *len may be 0; after
 * an error it stays the app's, as in the original. */
static esp_err_t decrypt(struct https_ota *ota, const char *data, const char **out, size_t *len)
{
    decrypt_cb_arg_t args = {.data_in = data, .data_in_len = *len};
    *out = data;
    if (!ota->decrypt) return ESP_OK;
    https_ota_post(ESP_HTTPS_OTA_DECRYPT_CB, NULL, 0);
    esp_err_t err = ota->decrypt(&args, ota->decrypt_ctx);
    if (err != ESP_OK) ESP_LOGE(TAG, "Decrypt callback failed %d", err);
    *out = err == ESP_OK ? args.data_out : NULL;
    *len = args.data_out_len;
    return err;
}

static void release(const struct https_ota *ota, const char *out)
{
    if (ota->decrypt) free((void *)(uintptr_t)out);
}

static esp_err_t write_data(struct https_ota *ota, const char *data, size_t len)
{
    esp_err_t err = esp_ota_write(ota->update, data, len);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Error: esp_ota_write failed! err=0x%x", err);
    } else {
        ota->written += len;
        ESP_LOGD(TAG, "Written image length %d", (int)ota->written);
        err = ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    }
    int written = (int)ota->written;
    https_ota_post(ESP_HTTPS_OTA_WRITE_FLASH, &written, sizeof written);
    return err;
}

/* May the image run here? data: its first len bytes, at least the image header. */
static esp_err_t check_header(struct https_ota *ota, const char *data, size_t len)
{
    esp_image_header_t header;
    esp_app_desc_t desc;
    size_t desc_at = sizeof header + sizeof(esp_image_segment_header_t);
    bool spi_mode = !airlift_config[0].name || airlift_config_bool("ESP_HTTPS_OTA_VERIFY_SPI_MODE");
    bool app = ota->final->type == ESP_PARTITION_TYPE_APP;
    bool has_desc = app && spi_mode && len >= desc_at + sizeof desc;
    memcpy(&header, data, sizeof header);
    if (has_desc) memcpy(&desc, data + desc_at, sizeof desc);
    esp_chip_id_t chip = header.chip_id;
    uint16_t revision = header.min_chip_rev_full;
    https_ota_post(ESP_HTTPS_OTA_VERIFY_CHIP_ID, &chip, sizeof chip);
    https_ota_post(ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, &revision, sizeof revision);
    return esp_ota_check_image_validity(ota->final->type, &header, has_desc ? &desc : NULL);
}

static esp_err_t write_header(struct https_ota *ota)
{
    const char *data;
    size_t len = ota->header_len;
    esp_err_t err = decrypt(ota, ota->buffer, &data, &len);
    if (err != ESP_OK || len < sizeof(esp_image_header_t)) {
        ESP_LOGE(TAG, "Decryption of image header failed");
        release(ota, data);
        return ESP_FAIL;
    }
    ota->header_len = 0;
    err = check_header(ota, data, len);
    if (err == ESP_OK) err = write_data(ota, data, len);
    release(ota, data);
    return err;
}

static size_t erase_size(const struct https_ota *ota)
{
    if (!ota->bulk_erase) return OTA_WITH_SEQUENTIAL_WRITES;
    return ota->image_len > 0 ? (size_t)ota->image_len : OTA_SIZE_UNKNOWN;
}

static esp_err_t open_update(struct https_ota *ota, bool resume)
{
    esp_err_t err = resume
                        ? esp_ota_resume(ota->staging, erase_size(ota), ota->written, &ota->update)
                        : esp_ota_begin(ota->staging, erase_size(ota), &ota->update);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "%s failed (%s)", resume ? "esp_ota_resume" : "esp_ota_begin",
                 esp_err_to_name(err));
        if (ota->update) esp_ota_abort(ota->update); /* open although its erase failed */
        return err;
    }
    ota->state = HTTPS_OTA_IN_PROGRESS; /* from here on finish and abort close the update */
    return esp_ota_set_final_partition(ota->update, ota->final, ota->copy_to_final);
}

static esp_err_t perform_begin(struct https_ota *ota)
{
    esp_err_t err = open_update(ota, false);
    if (err != ESP_OK) return err;
    bool image = ota->final->type == ESP_PARTITION_TYPE_APP ||
                 ota->final->type == ESP_PARTITION_TYPE_BOOTLOADER;
    if (!image) return ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    if (ota->header_len == 0) err = https_ota_read_header(ota);
    return err == ESP_OK ? write_header(ota) : err;
}

static esp_err_t end_of_data(struct https_ota *ota)
{
    /* of the response: a piece's end is not the image's */
    if (!esp_http_client_is_complete_data_received(ota->http)) {
        ESP_LOGE(TAG, "Connection closed before complete data was received!");
        return ESP_FAIL;
    }
    if (!ota->partial || ota->image_len == (int64_t)ota->written) {
        ESP_LOGD(TAG, "Connection closed");
        ota->state = HTTPS_OTA_SUCCESS;
        return ESP_OK;
    }
    if (ota->image_len < (int64_t)ota->written) {
        ESP_LOGE(TAG, "Server sent more than the %lld bytes it announced",
                 (long long)ota->image_len);
        return ESP_FAIL;
    }
    esp_err_t err = https_ota_next_piece(ota, ota->written);
    return err == ESP_OK ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : err;
}

static esp_err_t perform_read(struct https_ota *ota)
{
    const char *data;
    int n = read_data(ota, ota->buffer, ota->buffer_len);
    if (n == 0) return end_of_data(ota);
    if (n == -ESP_ERR_HTTP_EAGAIN)
        return is_stalled(ota) ? ESP_ERR_TIMEOUT : ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    if (n < 0) {
        ESP_LOGE(TAG, "data read %d, errno %d", n, errno);
        return ESP_FAIL;
    }
    size_t len = (size_t)n;
    esp_err_t err = decrypt(ota, ota->buffer, &data, &len);
    if (err == ESP_OK) err = len ? write_data(ota, data, len) : ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    release(ota, data);
    return err;
}

esp_err_t esp_https_ota_perform(esp_https_ota_handle_t https_ota_handle)
{
    struct https_ota *ota = https_ota_handle;
    esp_err_t err;
    if (!ota) return ESP_ERR_INVALID_ARG;
    switch (ota->state) {
    case HTTPS_OTA_BEGIN:
        return perform_begin(ota);
    case HTTPS_OTA_RESUME:
        ESP_LOGD(TAG, "OTA resumption case");
        err = open_update(ota, true);
        return err == ESP_OK ? perform_read(ota) : err;
    case HTTPS_OTA_IN_PROGRESS:
        return perform_read(ota);
    default:
        ESP_LOGE(TAG, "Invalid ESP HTTPS OTA State");
        return ESP_FAIL;
    }
}
