/* esp_https_ota: beginning, ending, asking. */
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/https_ota_impl.h"
#include "esp_event.h"
#include "esp_flash_encrypt.h"
#include "esp_heap_caps.h"
#include "esp_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ESP_EVENT_DEFINE_BASE(ESP_HTTPS_OTA_EVENT);

static const char *TAG = HTTPS_OTA_TAG;

void https_ota_post(esp_https_ota_event_t id, const void *data, size_t len)
{
    static const char *const names[] = {
        "ESP_HTTPS_OTA_START",
        "ESP_HTTPS_OTA_CONNECTED",
        "ESP_HTTPS_OTA_GET_IMG_DESC",
        "ESP_HTTPS_OTA_VERIFY_CHIP_ID",
        "ESP_HTTPS_OTA_VERIFY_CHIP_REVISION",
        "ESP_HTTPS_OTA_DECRYPT_CB",
        "ESP_HTTPS_OTA_WRITE_FLASH",
        "ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION",
        "ESP_HTTPS_OTA_FINISH",
        "ESP_HTTPS_OTA_ABORT",
    };
    long wait_ms = airlift_config_int("ESP_HTTPS_OTA_EVENT_POST_TIMEOUT", 2000);
    TickType_t ticks = wait_ms < 0 ? portMAX_DELAY : pdMS_TO_TICKS((TickType_t)wait_ms);
    if (esp_event_post(ESP_HTTPS_OTA_EVENT, id, data, len, ticks) != ESP_OK)
        ESP_LOGE(TAG, "Failed to post https_ota event: %s", names[id]);
}

/* ---- begin ---- */

static esp_err_t check_config(const esp_https_ota_config_t *config)
{
    const esp_http_client_config_t *http = config->http_config;
    if (!http->cert_pem && !http->use_global_ca_store && !http->crt_bundle_attach) {
        if (!airlift_config_bool("ESP_HTTPS_OTA_ALLOW_HTTP")) {
            ESP_LOGE(TAG,
                     "No option for server verification is enabled in esp_http_client config.");
            return ESP_ERR_INVALID_ARG;
        }
        ESP_LOGW(TAG, "Continuing with insecure option because CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP is "
                      "set.");
    }
    if (!airlift_config_bool("ESP_HTTPS_OTA_DECRYPT_CB")) return ESP_OK;
    if (!config->decrypt_cb) return ESP_ERR_INVALID_ARG;
    return config->ota_resumption ? ESP_ERR_NOT_SUPPORTED : ESP_OK;
}

static void take_config(struct https_ota *ota, const esp_https_ota_config_t *config)
{
    const esp_http_client_config_t *http = config->http_config;
    int retries = http->max_authorization_retries;
    ota->partial = config->partial_http_download &&
                   airlift_config_bool("ESP_HTTPS_OTA_ENABLE_PARTIAL_DOWNLOAD");
    ota->request_len =
        config->max_http_request_size ? config->max_http_request_size : HTTPS_OTA_REQUEST_LEN;
    ota->authorizations_left = retries == 0 ? 10 : retries < 0 ? 0 : retries;
    ota->max_redirects = http->max_redirection_count > 0 ? http->max_redirection_count : 10;
    ota->bulk_erase = config->bulk_flash_erase;
    ota->resumption = config->ota_resumption;
    ota->image_len = -1;
    if (airlift_config_bool("ESP_HTTPS_OTA_DECRYPT_CB")) {
        ota->decrypt = config->decrypt_cb;
        ota->decrypt_ctx = config->decrypt_user_ctx;
        ota->enc_header_len = config->enc_img_header_size;
    }
    if (ota->resumption && config->ota_image_bytes_written >= HTTPS_OTA_HEADER_LEN) {
        ota->written = config->ota_image_bytes_written;
        if (esp_flash_encryption_enabled()) ota->written -= ota->written % 16;
        ESP_LOGD(TAG, "Resuming OTA from offset: %d", (int)ota->written);
    }
}

static esp_err_t make_client(struct https_ota *ota, const esp_https_ota_config_t *config)
{
    ota->http = esp_http_client_init(config->http_config);
    if (!ota->http) {
        ESP_LOGE(TAG, "Failed to initialise HTTP connection");
        return ESP_FAIL;
    }
    if (!config->http_client_init_cb) return ESP_OK;
    esp_err_t err = config->http_client_init_cb(ota->http);
    if (err != ESP_OK) ESP_LOGE(TAG, "http_client_init_cb returned 0x%x", err);
    return err;
}

static esp_err_t connect_first(struct https_ota *ota)
{
    esp_err_t err = ESP_OK;
    if (ota->partial) {
        err = https_ota_prepare_partial(ota);
    } else if (ota->resumption) {
        char range[40];
        snprintf(range, sizeof range, "bytes=%zu-", ota->written);
        err = esp_http_client_set_header(ota->http, "Range", range);
    }
    if (err == ESP_OK) err = https_ota_first_connect(ota);
    if (err != ESP_OK) {
        if (err != ESP_ERR_HTTP_NOT_MODIFIED) ESP_LOGE(TAG, "Failed to establish HTTP connection");
        return err;
    }
    https_ota_post(ESP_HTTPS_OTA_CONNECTED, NULL, 0);
    if (ota->partial) return ESP_OK;
    int64_t len = esp_http_client_get_content_length(ota->http);
    if (len < 0) return ESP_OK;
    ota->image_len = len - (ota->decrypt ? ota->enc_header_len : 0) + (int64_t)ota->written;
    return ESP_OK;
}

static esp_err_t choose_partitions(struct https_ota *ota, const esp_https_ota_config_t *config)
{
    const esp_partition_t *staging = config->partition.staging, *final = config->partition.final;
    ESP_LOGI(TAG, "Starting OTA...");
    ota->staging =
        staging ? esp_partition_verify(staging) : esp_ota_get_next_update_partition(NULL);
    if (!ota->staging) {
        ESP_LOGE(TAG, "Given staging partition or another suitable Passive OTA partition could not "
                      "be found");
        return ESP_FAIL;
    }
    ota->final = ota->staging;
    if (final && final != staging) {
        ota->final = esp_partition_verify(final);
        if (!ota->final) {
            ESP_LOGE(TAG, "Given final partition not found");
            return ESP_FAIL;
        }
        ota->copy_to_final = config->partition.finalize_with_copy;
    }
    ESP_LOGI(TAG, "Writing to <%s> partition at offset 0x%" PRIx32, ota->staging->label,
             ota->staging->address);
    return ESP_OK;
}

static esp_err_t make_buffer(struct https_ota *ota, const esp_https_ota_config_t *config)
{
    int wanted = config->http_config->buffer_size;
    ota->buffer_len = wanted > HTTPS_OTA_HEADER_LEN ? (size_t)wanted : HTTPS_OTA_HEADER_LEN;
    ota->buffer = config->buffer_caps ? heap_caps_malloc(ota->buffer_len, config->buffer_caps)
                                      : malloc(ota->buffer_len);
    if (ota->buffer) return ESP_OK;
    ESP_LOGE(TAG, "Couldn't allocate memory to upgrade data buffer");
    return ESP_ERR_NO_MEM;
}

static void release(struct https_ota *ota)
{
    if (ota->http) esp_http_client_cleanup(ota->http);
    heap_caps_free(ota->buffer);
    free(ota);
}

esp_err_t esp_https_ota_begin(const esp_https_ota_config_t *ota_config,
                              esp_https_ota_handle_t *handle)
{
    https_ota_post(ESP_HTTPS_OTA_START, NULL, 0);
    if (handle) *handle = NULL;
    if (!handle || !ota_config || !ota_config->http_config) {
        ESP_LOGE(TAG, "esp_https_ota_begin: Invalid argument");
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = check_config(ota_config);
    if (err != ESP_OK) return err;
    struct https_ota *ota = calloc(1, sizeof *ota);
    if (!ota) {
        ESP_LOGE(TAG, "Couldn't allocate memory to upgrade data buffer");
        return ESP_ERR_NO_MEM;
    }
    take_config(ota, ota_config);
    err = make_client(ota, ota_config);
    if (err == ESP_OK) err = connect_first(ota);
    if (err == ESP_OK) err = choose_partitions(ota, ota_config);
    if (err == ESP_OK) err = make_buffer(ota, ota_config);
    if (err != ESP_OK) {
        release(ota);
        return err;
    }
    ota->state = ota->written > 0 ? HTTPS_OTA_RESUME : HTTPS_OTA_BEGIN;
    *handle = ota;
    return ESP_OK;
}

/* ---- the end ---- */

/* The new app boots next. An image that was only staged outside the app slots boots from where
 * it was copied to. A factory app is not selected: that would erase otadata. */
static esp_err_t select_slot(struct https_ota *ota)
{
    esp_partition_subtype_t subtype = ota->final->subtype;
    bool staged_app = ota->staging->type == ESP_PARTITION_TYPE_APP;
    esp_err_t err = ESP_OK;
    if (subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MIN && subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MAX)
        err = esp_ota_set_boot_partition(staged_app ? ota->staging : ota->final);
    if (err != ESP_OK)
        ESP_LOGE(TAG, "esp_ota_set_boot_partition failed! err=0x%x", err);
    else
        https_ota_post(ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, &subtype, sizeof subtype);
    return err;
}

static bool is_open(const struct https_ota *ota)
{
    return ota->state == HTTPS_OTA_IN_PROGRESS || ota->state == HTTPS_OTA_SUCCESS;
}

esp_err_t esp_https_ota_finish(esp_https_ota_handle_t https_ota_handle)
{
    struct https_ota *ota = https_ota_handle;
    if (!ota) return ESP_ERR_INVALID_ARG;
    if (ota->state < HTTPS_OTA_BEGIN) return ESP_FAIL;
    esp_err_t err = is_open(ota) ? esp_ota_end(ota->update) : ESP_OK;
    bool app = ota->state == HTTPS_OTA_SUCCESS && ota->final->type == ESP_PARTITION_TYPE_APP;
    if (err == ESP_OK && app) err = select_slot(ota);
    release(ota);
    https_ota_post(ESP_HTTPS_OTA_FINISH, NULL, 0);
    return err;
}

esp_err_t esp_https_ota_abort(esp_https_ota_handle_t https_ota_handle)
{
    struct https_ota *ota = https_ota_handle;
    https_ota_post(ESP_HTTPS_OTA_ABORT, NULL, 0);
    if (!ota) return ESP_ERR_INVALID_ARG;
    if (ota->state < HTTPS_OTA_BEGIN) return ESP_FAIL;
    esp_err_t err = is_open(ota) ? esp_ota_abort(ota->update) : ESP_OK;
    release(ota);
    return err;
}

esp_err_t esp_https_ota(const esp_https_ota_config_t *ota_config)
{
    esp_https_ota_handle_t ota = NULL;
    if (!ota_config || !ota_config->http_config) {
        ESP_LOGE(TAG, "esp_https_ota: Invalid argument");
        return ESP_ERR_INVALID_ARG;
    }
    if (ota_config->ota_resumption) {
        ESP_LOGE(TAG, "OTA resumption is not supported in esp_https_ota API");
        return ESP_ERR_NOT_SUPPORTED;
    }
    esp_err_t err = esp_https_ota_begin(ota_config, &ota);
    if (!ota) return err;
    do {
        err = esp_https_ota_perform(ota);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err != ESP_OK) {
        esp_https_ota_abort(ota);
        return err;
    }
    return esp_https_ota_finish(ota);
}

/* ---- questions ---- */

bool esp_https_ota_is_complete_data_received(esp_https_ota_handle_t https_ota_handle)
{
    return https_ota_is_complete(https_ota_handle);
}

/* The description behind the headers: from flash when resuming, else from the first bytes of
 * the download, which stay for perform. */
static esp_err_t read_desc(struct https_ota *ota, void *desc, size_t len)
{
    size_t at = sizeof(esp_image_header_t) + sizeof(esp_image_segment_header_t);
    if (ota->written >= at + len) return esp_partition_read(ota->staging, at, desc, len);
    esp_err_t err = ota->header_len ? ESP_OK : https_ota_read_header(ota);
    if (err == ESP_OK) memcpy(desc, ota->buffer + at, len);
    return err;
}

/* room: bytes at out; the final partition, not the call, decides what is read. */
static esp_err_t get_desc(struct https_ota *ota, void *out, size_t room)
{
    union {
        esp_app_desc_t app;
        esp_bootloader_desc_t boot;
    } desc;
    https_ota_post(ESP_HTTPS_OTA_GET_IMG_DESC, NULL, 0);
    if (airlift_config_bool("ESP_HTTPS_OTA_DECRYPT_CB")) return ESP_ERR_NOT_SUPPORTED;
    if (!ota || !out) {
        ESP_LOGE(TAG, "esp_https_ota_get_img_desc: Invalid argument");
        return ESP_ERR_INVALID_ARG;
    }
    if (ota->state < HTTPS_OTA_BEGIN) {
        ESP_LOGE(TAG, "esp_https_ota_get_img_desc: Invalid state");
        return ESP_ERR_INVALID_STATE;
    }
    bool app = ota->final->type == ESP_PARTITION_TYPE_APP;
    if (!app && ota->final->type != ESP_PARTITION_TYPE_BOOTLOADER) return ESP_FAIL;
    size_t len = app ? sizeof desc.app : sizeof desc.boot;
    if (len > room) {
        ESP_LOGE(TAG, "Incorrect bootloader descriptor magic");
        return ESP_FAIL;
    }
    esp_err_t err = read_desc(ota, &desc, len);
    if (err != ESP_OK) return err;
    bool good = app ? desc.app.magic_word == ESP_APP_DESC_MAGIC_WORD
                    : desc.boot.magic_byte == ESP_BOOTLOADER_DESC_MAGIC_BYTE;
    if (!good) {
        ESP_LOGE(TAG, "Incorrect %s descriptor magic", app ? "app" : "bootloader");
        return ESP_FAIL;
    }
    memcpy(out, &desc, len);
    return ESP_OK;
}

esp_err_t esp_https_ota_get_img_desc(esp_https_ota_handle_t https_ota_handle,
                                     esp_app_desc_t *new_app_info)
{
    return get_desc(https_ota_handle, new_app_info, sizeof *new_app_info);
}

esp_err_t esp_https_ota_get_bootloader_img_desc(esp_https_ota_handle_t https_ota_handle,
                                                esp_bootloader_desc_t *new_img_info)
{
    return get_desc(https_ota_handle, new_img_info, sizeof *new_img_info);
}

int esp_https_ota_get_image_len_read(esp_https_ota_handle_t https_ota_handle)
{
    const struct https_ota *ota = https_ota_handle;
    return !ota || ota->state < HTTPS_OTA_IN_PROGRESS ? -1 : (int)ota->written;
}

int esp_https_ota_get_status_code(esp_https_ota_handle_t https_ota_handle)
{
    const struct https_ota *ota = https_ota_handle;
    return !ota || !ota->http ? -1 : esp_http_client_get_status_code(ota->http);
}

int esp_https_ota_get_image_size(esp_https_ota_handle_t https_ota_handle)
{
    const struct https_ota *ota = https_ota_handle;
    return !ota || ota->state < HTTPS_OTA_BEGIN ? -1 : (int)ota->image_len;
}
