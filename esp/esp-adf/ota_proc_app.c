/* The default process of apps: over esp_fs_ota or esp_https_ota, by the scheme. */
#include <stdlib.h>
#include <string.h>

#include "audio_error.h"
#include "esp/esp-adf/data_reader.h"
#include "esp/esp-adf/ota_run.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp_crt_bundle.h"
#include "esp_fs_ota.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "mbedtls/sha256.h"
#include "ota_proc_default.h"

static const char *TAG = "OTA_DEFAULT";

enum { FILE_BUFFER = 5 * 1024, HTTP_BUFFER = 1024, HTTP_TIMEOUT_MS = 5000, RETRY_MS = 1000 };

struct backend {
    const char *name; /* as the log calls it */
    bool resumes;
    /* from: bytes of the image that the slot has already, when it resumes */
    esp_err_t (*begin)(const ota_node_attr_t *node, size_t from, void **handle);
    esp_err_t (*img_desc)(void *handle, esp_app_desc_t *desc);
    esp_err_t (*perform)(void *handle);
    esp_err_t in_progress;
    int (*len_read)(void *handle);
    int (*image_size)(void *handle);
    esp_err_t (*finish)(void *handle);
    esp_err_t (*abort)(void *handle);
};

struct app {
    const struct backend *backend;
    void *handle; /* NULL: it could not be gone on with */
    const esp_partition_t *slot;
    int tries; /* to go on */
    struct ota_pace pace;
};

static esp_err_t begin_file(const ota_node_attr_t *node, size_t from, void **handle)
{
    esp_fs_ota_config_t config = {.path = node->uri, .buffer_size = FILE_BUFFER};
    return esp_fs_ota_begin(&config, handle);
}

static esp_err_t begin_http(const ota_node_attr_t *node, size_t from, void **handle)
{
    bool bundle = data_reader_trusts_bundle(node->cert_pem);
    esp_http_client_config_t http = {
        .url = node->uri,
        .cert_pem = node->cert_pem,
        .crt_bundle_attach = bundle ? esp_crt_bundle_attach : NULL,
        .timeout_ms = HTTP_TIMEOUT_MS,
        .buffer_size = HTTP_BUFFER,
    };
    esp_https_ota_config_t config = {.http_config = &http,
                                     .bulk_flash_erase = true,
                                     .ota_resumption = from > 0,
                                     .ota_image_bytes_written = from};
    return esp_https_ota_begin(&config, handle);
}

static const struct backend file_backend = {
    .name = "FS",
    .begin = begin_file,
    .img_desc = esp_fs_ota_get_img_desc,
    .perform = esp_fs_ota_perform,
    .in_progress = ESP_ERR_FS_OTA_IN_PROGRESS,
    .len_read = esp_fs_ota_get_image_len_read,
    .image_size = esp_fs_ota_get_image_size,
    .finish = esp_fs_ota_finish,
    .abort = esp_fs_ota_abort,
};

static const struct backend http_backend = {
    .name = "HTTPS",
    .resumes = true,
    .begin = begin_http,
    .img_desc = esp_https_ota_get_img_desc,
    .perform = esp_https_ota_perform,
    .in_progress = ESP_ERR_HTTPS_OTA_IN_PROGRESS,
    .len_read = esp_https_ota_get_image_len_read,
    .image_size = esp_https_ota_get_image_size,
    .finish = esp_https_ota_finish,
    .abort = esp_https_ota_abort,
};

static ota_service_err_reason_t app_prepare(void **handle, ota_node_attr_t *node)
{
    AUDIO_NULL_CHECK(TAG, handle, return OTA_SERV_ERR_REASON_NULL_POINTER);
    AUDIO_NULL_CHECK(TAG, node, return OTA_SERV_ERR_REASON_NULL_POINTER);
    AUDIO_NULL_CHECK(TAG, node->uri, return OTA_SERV_ERR_REASON_NULL_POINTER);
    enum data_reader_kind kind = data_reader_kind(node->uri);
    if (kind == DATA_READER_NONE) {
        ESP_LOGE(TAG, "not support uri: %s", node->uri);
        return OTA_SERV_ERR_REASON_URL_PARSE_FAIL;
    }
    struct app *app = calloc(1, sizeof *app);
    if (!app) return OTA_SERV_ERR_REASON_UNKNOWN;
    app->backend = kind == DATA_READER_FILE ? &file_backend : &http_backend;
    app->slot = esp_ota_get_next_update_partition(NULL);
    if (app->backend->begin(node, 0, &app->handle) != ESP_OK) {
        ESP_LOGE(TAG, "ESP %s OTA Begin failed", app->backend->name);
        free(app);
        return OTA_SERV_ERR_REASON_UNKNOWN;
    }
    *handle = app;
    return OTA_SERV_ERR_REASON_SUCCESS;
}

/* desc.version need not end with a NUL. */
static void version_of(const esp_app_desc_t *desc, char text[sizeof desc->version + 1])
{
    memcpy(text, desc->version, sizeof desc->version);
    text[sizeof desc->version] = 0;
}

static ota_service_err_reason_t compare_versions(char *running, char *incoming)
{
    int is = ota_get_version_number(running), comes = ota_get_version_number(incoming);
    if (comes < 0) {
        ESP_LOGE(TAG, "Error version incoming");
        return OTA_SERV_ERR_REASON_ERROR_VERSION;
    }
    if (comes > is) return OTA_SERV_ERR_REASON_SUCCESS;
    ESP_LOGW(TAG, "Current running version is the same as or higher than a new. "
                  "We will not continue the update.");
    return OTA_SERV_ERR_REASON_NO_HIGHER_VERSION;
}

static ota_service_err_reason_t app_need_upgrade(void *handle, ota_node_attr_t *node)
{
    struct app *app = handle;
    esp_app_desc_t desc, own;
    char running[sizeof desc.version + 1] = "", incoming[sizeof desc.version + 1];
    AUDIO_NULL_CHECK(TAG, app, return OTA_SERV_ERR_REASON_NULL_POINTER);
    if (app->backend->img_desc(app->handle, &desc) != ESP_OK) {
        ESP_LOGE(TAG, "get_img_desc failed");
        return OTA_SERV_ERR_REASON_GET_NEW_APP_DESC_FAIL;
    }
    if (esp_ota_get_partition_description(esp_ota_get_running_partition(), &own) == ESP_OK)
        version_of(&own, running);
    version_of(&desc, incoming);
    ESP_LOGI(TAG, "Running firmware version: %s, the incoming firmware version %s", running,
             incoming);
    if (!airlift_config_bool("FORCE_CHECK_FIRMWARE_VERSION_NUMBER"))
        return OTA_SERV_ERR_REASON_SUCCESS;
    return compare_versions(running, incoming);
}

/* What was written, against the digest that the list asks for. */
static bool written_fits(const struct app *app)
{
    const struct ota_run *run = ota_run_current();
    if (!run || !run->sha256) return true;
    size_t left = (size_t)app->backend->len_read(app->handle), at = 0;
    uint8_t part[4096], digest[32];
    mbedtls_sha256_context sha;
    mbedtls_sha256_init(&sha);
    mbedtls_sha256_starts(&sha, 0);
    esp_err_t err = ESP_OK;
    for (size_t n; !err && left > 0; left -= n, at += n) {
        n = left < sizeof part ? left : sizeof part;
        err = esp_partition_read(app->slot, at, part, n);
        if (!err) mbedtls_sha256_update(&sha, part, n);
    }
    mbedtls_sha256_finish(&sha, digest);
    mbedtls_sha256_free(&sha);
    return !err && ota_run_digest_fits(digest);
}

/* After a broken connection: once more, from where it stopped. false: that is not wanted, or no
 * try got through; the handle is NULL then. */
static bool go_on(struct app *app, const ota_node_attr_t *node)
{
    const struct ota_run *run = ota_run_current();
    int len = app->backend->len_read(app->handle), most = run ? run->options.retries : 0;
    if (!app->backend->resumes || app->tries >= most || len <= 0) return false;
    app->backend->abort(app->handle);
    app->handle = NULL;
    while (app->tries < most && !ota_run_cancelled()) {
        app->tries++;
        ESP_LOGW(TAG, "The download broke after %d bytes: try %d of %d to go on", len, app->tries,
                 most);
        vTaskDelay(pdMS_TO_TICKS(RETRY_MS));
        if (app->backend->begin(node, (size_t)len, &app->handle) == ESP_OK) return true;
    }
    return false;
}

static bool is_broken_connection(esp_err_t err)
{
    return err == ESP_FAIL || err == ESP_ERR_TIMEOUT;
}

static ota_service_err_reason_t app_execute(void *handle, ota_node_attr_t *node)
{
    struct app *app = handle;
    AUDIO_NULL_CHECK(TAG, app, return OTA_SERV_ERR_REASON_NULL_POINTER);
    ota_pace_begin(&app->pace);
    for (;;) {
        if (ota_run_cancelled()) return OTA_SERV_ERR_REASON_CANCELLED;
        esp_err_t err = app->backend->perform(app->handle);
        int len = app->backend->len_read(app->handle);
        if (err == ESP_OK) break;
        if (is_broken_connection(err) && go_on(app, node)) continue;
        if (err != app->backend->in_progress)
            return ota_run_cancelled() ? OTA_SERV_ERR_REASON_CANCELLED
                                       : (ota_service_err_reason_t)err;
        if (len < 0) continue;
        ota_pace_log(&app->pace, "app", (size_t)len);
        ota_run_progress(len, app->backend->image_size(app->handle));
    }
    return written_fits(app) ? OTA_SERV_ERR_REASON_SUCCESS : OTA_SERV_ERR_REASON_WRONG_DIGEST;
}

/* After a failure there is nothing to finish. The original does, and tells the finish's result. */
static esp_err_t close_app(struct app *app, bool finish, esp_err_t err)
{
    if (!app->handle)
        err = err ? err : ESP_FAIL;
    else if (finish)
        err = app->backend->finish(app->handle);
    else
        app->backend->abort(app->handle);
    free(app);
    if (err == ESP_ERR_OTA_VALIDATE_FAILED)
        ESP_LOGE(TAG, "Image validation failed, image is corrupted");
    if (finish && err) ESP_LOGE(TAG, "upgrade failed %d", err);
    return err;
}

static ota_service_err_reason_t app_finished(void *handle, ota_node_attr_t *node,
                                             ota_service_err_reason_t result)
{
    bool good = result == OTA_SERV_ERR_REASON_SUCCESS;
    bool ours = result == OTA_SERV_ERR_REASON_CANCELLED ||
                result == OTA_SERV_ERR_REASON_WRONG_DIGEST; /* the original knows neither */
    bool finish = good || (ota_run_compat() && !ours);
    if (!handle) return finish ? OTA_SERV_ERR_REASON_NULL_POINTER : result;
    return (ota_service_err_reason_t)close_app(handle, finish, (esp_err_t)result);
}

void ota_app_get_default_proc(ota_upgrade_ops_t *ops)
{
    ops->prepare = app_prepare;
    ops->need_upgrade = app_need_upgrade;
    ops->execute_upgrade = app_execute;
    ops->finished_check = app_finished;
}
