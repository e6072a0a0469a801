#include "update.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "esp_app_desc.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"

#include "progress.h"
#include "resume_point.h"

/* NVS wears: the progress is saved once for this many bytes. */
#define SAVE_EVERY (32 * 1024)

static const char *TAG = "demo";

extern const uint8_t ca_cert_pem_start[] asm("_binary_ca_cert_pem_start");

/* Of the last answer; and of the last image that was looked at and not wanted, so
 * that the server can say "not modified". */
static char answered_etag[96], unwanted_etag[96];

static esp_err_t remember_etag(esp_http_client_event_t *evt)
{
    if (evt->event_id == HTTP_EVENT_ON_HEADER && strcasecmp(evt->header_key, "ETag") == 0)
        snprintf(answered_etag, sizeof answered_etag, "%s", evt->header_value);
    return ESP_OK;
}

static esp_err_t send_etag(esp_http_client_handle_t client)
{
    return unwanted_etag[0] ? esp_http_client_set_header(client, "If-None-Match", unwanted_etag)
                            : ESP_OK;
}

/* Looking is done every second: only what matters is told. */
static void quiet(bool all)
{
    static const char *const tags[] = {"esp_https_ota", "esp-tls", "HTTP_CLIENT", "transport_base",
                                       "esp-tls-mbedtls"};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        esp_log_level_set(tags[i], all ? ESP_LOG_NONE : ESP_LOG_WARN);
}

/* offset 0: from the beginning, if it is not the image that is known already. */
static esp_err_t begin(uint32_t offset, esp_https_ota_handle_t *ota)
{
    esp_http_client_config_t http = {
        .url = CONFIG_DEMO_URL,
        .cert_pem = (const char *)ca_cert_pem_start,
        .event_handler = remember_etag,
        .timeout_ms = 5000,
        .keep_alive_enable = true,
        .buffer_size = 4096,
    };
    esp_https_ota_config_t config = {
        .http_config = &http,
        .http_client_init_cb = offset ? NULL : send_etag,
        .ota_resumption = offset > 0,
        .ota_image_bytes_written = offset,
    };
    answered_etag[0] = 0;
    return esp_https_ota_begin(&config, ota);
}

static bool same_version(const esp_app_desc_t *a, const esp_app_desc_t *b)
{
    return memcmp(a->version, b->version, sizeof a->version) == 0;
}

/* Neither the version that runs, nor one that has failed here before. */
static bool wanted(const esp_app_desc_t *offered)
{
    esp_app_desc_t failed;
    if (same_version(offered, esp_app_get_description())) return false;
    const esp_partition_t *invalid = esp_ota_get_last_invalid_partition();
    if (esp_ota_get_partition_description(invalid, &failed) != ESP_OK ||
        !same_version(offered, &failed))
        return true;
    ESP_LOGW(TAG, "version %s is offered, but it failed its self-test here: skipped",
             offered->version);
    return false;
}

static esp_err_t download(esp_https_ota_handle_t ota, struct resume_point *point)
{
    uint32_t saved = point->bytes;
    int length = esp_https_ota_get_image_size(ota);
    progress_reset();
    for (;;) {
        esp_err_t err = esp_https_ota_perform(ota);
        uint32_t done = (uint32_t)esp_https_ota_get_image_len_read(ota);
        progress_show(done, length > 0 ? (size_t)length : 0);
        if (err == ESP_OK && !esp_https_ota_is_complete_data_received(ota)) err = ESP_FAIL;
        if (err != ESP_ERR_HTTPS_OTA_IN_PROGRESS) return err;
        if (done < saved + SAVE_EVERY) continue;
        saved = point->bytes = done / 1024 * 1024;
        resume_point_save(point);
    }
}

/* ota: begun at the start of the image; it is used, or closed. */
static esp_err_t install(esp_https_ota_handle_t ota, const esp_app_desc_t *offered)
{
    struct resume_point point = resume_point_load(offered->version);
    esp_err_t err = ESP_OK;
    if (point.bytes) {
        ESP_LOGI(TAG, "version %s: going on at %u KiB", offered->version,
                 (unsigned)(point.bytes / 1024));
        esp_https_ota_abort(ota);
        err = begin(point.bytes, &ota);
        if (err != ESP_OK) return err;
    } else {
        ESP_LOGI(TAG, "version %s is offered: downloading", offered->version);
    }
    err = download(ota, &point);
    if (err != ESP_OK) {
        esp_https_ota_abort(ota);
        return err;
    }
    resume_point_save(NULL);
    return esp_https_ota_finish(ota);
}

void update_poll(void)
{
    static bool unreachable;
    esp_https_ota_handle_t ota;
    esp_app_desc_t offered;
    quiet(unreachable);
    esp_err_t err = begin(0, &ota);
    if (err == ESP_ERR_HTTP_NOT_MODIFIED) return;
    if (err != ESP_OK) {
        if (!unreachable) ESP_LOGW(TAG, "no firmware from the server; asking on");
        unreachable = true;
        return;
    }
    unreachable = false;
    quiet(false);
    if (esp_https_ota_get_img_desc(ota, &offered) != ESP_OK || !wanted(&offered)) {
        memcpy(unwanted_etag, answered_etag, sizeof unwanted_etag);
        esp_https_ota_abort(ota);
        return;
    }
    err = install(ota, &offered);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "update to version %s failed: %s", offered.version, esp_err_to_name(err));
        return;
    }
    ESP_LOGI(TAG, "version %s is installed: restarting into it", offered.version);
    esp_restart();
}
