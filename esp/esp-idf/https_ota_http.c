/* esp_https_ota: requests, redirects, ranges. */
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/https_ota_impl.h"
#include "esp_log.h"
#include "net/http_client.h"

#include <inttypes.h>
#include <stdio.h>

#define DRAIN_PIECE 256
#define DRAIN_MAX   65536 /* a longer body of a redirect costs more than a new connection */

static const char *TAG = HTTPS_OTA_TAG;

static bool asks_again(int status)
{
    return http_status_redirects(status) || status == HttpStatus_Unauthorized;
}

static esp_err_t authorize(struct https_ota *ota, int status)
{
    if (ota->authorizations_left == 0) {
        ESP_LOGE(TAG, "Reached max_authorization_retries (%d)", status);
        return ESP_FAIL;
    }
    ota->authorizations_left--;
    esp_err_t err = esp_http_client_add_auth(ota->http);
    if (err != ESP_OK) ESP_LOGE(TAG, "Authorization Failed");
    return err;
}

static esp_err_t redirect(struct https_ota *ota, int redirects)
{
    if (redirects > ota->max_redirects) {
        ESP_LOGE(TAG,
                 "More than %d redirects (max_redirection_count): is the server's in a circle?",
                 ota->max_redirects);
        return ESP_ERR_HTTP_MAX_REDIRECT;
    }
    esp_err_t err = esp_http_client_set_redirection(ota->http);
    if (err != ESP_OK) ESP_LOGE(TAG, "URL redirection Failed");
    return err;
}

/* A resumed download goes on only with exactly the range that was asked for. */
static esp_err_t check_resumed(const struct https_ota *ota, int status)
{
    bool offset_matters = !ota->partial || ota->written > 0;
    if (!ota->resumption || !offset_matters || status == 206) return ESP_OK;
    ESP_LOGW(TAG, "Server ignored the requested Range header");
    ESP_LOGW(TAG, "OTA resumption requires server with range request support.");
    return ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE;
}

static esp_err_t judge(struct https_ota *ota, int status, int redirects)
{
    if (http_status_redirects(status)) return redirect(ota, redirects);
    if (status == HttpStatus_Unauthorized) return authorize(ota, status);
    if (status == HttpStatus_NotModified) {
        ESP_LOGI(TAG, "OTA image not modified since last request (status code: %d)", status);
        return ESP_ERR_HTTP_NOT_MODIFIED;
    }
    if (status == HttpStatus_RangeNotSatisfiable) {
        ESP_LOGI(TAG, "Requested range is incorrect (status code: %d)", status);
        return ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE;
    }
    if (status == HttpStatus_NotFound || status == HttpStatus_Forbidden) {
        ESP_LOGE(TAG, "File not found(%d)", status);
        return ESP_FAIL;
    }
    if (status >= HttpStatus_InternalError) {
        ESP_LOGE(TAG, "Server error (%d)", status);
        return ESP_FAIL;
    }
    if (status >= HttpStatus_BadRequest) {
        ESP_LOGE(TAG, "Client error (%d)", status);
        return ESP_FAIL;
    }
    return check_resumed(ota, status);
}

/* So that the connection can be used again. */
static void drain(struct https_ota *ota)
{
    char waste[DRAIN_PIECE];
    for (int total = 0; total < DRAIN_MAX; total += DRAIN_PIECE)
        if (esp_http_client_read(ota->http, waste, sizeof waste) <= 0) return;
}

static esp_err_t request(struct https_ota *ota)
{
    char *body = NULL;
    int len = esp_http_client_get_post_field(ota->http, &body);
    esp_err_t err = esp_http_client_open(ota->http, len);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Failed to open HTTP connection: %s", esp_err_to_name(err));
        return err;
    }
    for (int at = 0, n; at < len; at += n) {
        n = esp_http_client_write(ota->http, body + at, len - at);
        if (n <= 0) return ESP_FAIL;
    }
    int64_t length = esp_http_client_fetch_headers(ota->http);
    return length < 0 ? (esp_err_t)length : ESP_OK;
}

esp_err_t https_ota_connect(struct https_ota *ota)
{
    for (int redirects = 1;; redirects++) {
        esp_err_t err = request(ota);
        if (err != ESP_OK) return err;
        int status = esp_http_client_get_status_code(ota->http);
        if (asks_again(status)) drain(ota);
        err = judge(ota, status, redirects);
        if (err != ESP_OK || !asks_again(status)) return err;
        if (!http_status_redirects(status)) redirects--;
    }
}

bool https_ota_is_complete(const struct https_ota *ota)
{
    if (ota->partial) return ota->image_len == (int64_t)ota->written;
    return esp_http_client_is_complete_data_received(ota->http);
}

/* last < 0: to the end */
static esp_err_t set_range(struct https_ota *ota, int64_t first, int64_t last)
{
    char text[64];
    if (last < 0)
        snprintf(text, sizeof text, "bytes=%" PRId64 "-", first);
    else
        snprintf(text, sizeof text, "bytes=%" PRId64 "-%" PRId64, first, last);
    return esp_http_client_set_header(ota->http, "Range", text);
}

/* For servers that refuse HEAD: the first byte tells the total. */
static esp_err_t length_by_range(struct https_ota *ota)
{
    bool resumption = ota->resumption;
    esp_http_client_set_method(ota->http, HTTP_METHOD_GET);
    set_range(ota, 0, 0);
    ota->resumption = false; /* a server without ranges may answer here */
    esp_err_t err = https_ota_connect(ota);
    ota->resumption = resumption;
    if (err != ESP_OK) return err;
    int status = esp_http_client_get_status_code(ota->http);
    if (status == HttpStatus_Ok) {
        ota->image_len = esp_http_client_get_content_length(ota->http);
    } else if (status == 206) {
        ota->image_len = esp_http_client_get_content_range(ota->http);
    } else {
        ESP_LOGE(TAG, "Received incorrect http status %d", status);
        return ESP_FAIL;
    }
    esp_http_client_delete_header(ota->http, "Range");
    return ESP_OK;
}

static esp_err_t find_length(struct https_ota *ota)
{
    esp_http_client_set_method(ota->http, HTTP_METHOD_HEAD);
    esp_err_t err = esp_http_client_perform(ota->http);
    if (err != ESP_OK) return err;
    int status = esp_http_client_get_status_code(ota->http);
    if (status == HttpStatus_NotModified) {
        ESP_LOGI(TAG, "OTA image not modified since last request (status code: %d)", status);
        return ESP_ERR_HTTP_NOT_MODIFIED;
    }
    if (status != HttpStatus_Ok) return length_by_range(ota);
    ota->image_len = esp_http_client_get_content_length(ota->http);
    return ESP_OK;
}

esp_err_t https_ota_prepare_partial(struct https_ota *ota)
{
    esp_err_t err = find_length(ota);
    if (err == ESP_OK && ota->image_len < 0) {
        ESP_LOGE(TAG, "Failed to get image length from http response");
        err = ESP_FAIL;
    }
    if (err != ESP_OK) return err;
    if (ota->decrypt) ota->image_len -= ota->enc_header_len;
    esp_http_client_close(ota->http);
    int64_t first = (int64_t)ota->written, last = ota->image_len;
    if (ota->image_len > ota->request_len + first) last = first + ota->request_len - 1;
    if (last - first < ota->image_len) set_range(ota, first, last);
    return esp_http_client_set_method(ota->http, HTTP_METHOD_GET);
}

esp_err_t https_ota_first_connect(struct https_ota *ota)
{
    esp_err_t err = https_ota_connect(ota);
    if (err != ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE || !ota->resumption) return err;
    ESP_LOGE(TAG, "OTA resumption failed with err: %d.", err);
    ESP_LOGI(TAG, "Falling back to OTA without resumption and restarting download from beginning");
    ota->resumption = false;
    ota->written = 0;
    esp_http_client_delete_header(ota->http, "Range");
    if (ota->partial && ota->image_len > ota->request_len) set_range(ota, 0, ota->request_len - 1);
    esp_http_client_close(ota->http);
    esp_http_client_clear_response_buffer(ota->http);
    return https_ota_connect(ota);
}

esp_err_t https_ota_next_piece(struct https_ota *ota, size_t at)
{
    int64_t left = ota->image_len - (int64_t)at;
    int64_t first = (int64_t)at + (ota->decrypt ? ota->enc_header_len : 0);
    ESP_LOGD(TAG, "Connection closed");
    if (!esp_http_client_is_persistent_connection(ota->http)) esp_http_client_close(ota->http);
    set_range(ota, first, left > ota->request_len ? first + ota->request_len - 1 : -1);
    if (https_ota_connect(ota) != ESP_OK) {
        ESP_LOGE(TAG, "Failed to establish HTTP connection");
        return ESP_FAIL;
    }
    if (esp_http_client_get_status_code(ota->http) != 206) {
        ESP_LOGE(TAG, "Server ignored the requested Range header");
        return ESP_FAIL;
    }
    if (esp_http_client_get_content_length(ota->http) != 0) return ESP_OK;
    ESP_LOGE(TAG, "Server answered with an empty range"); /* and would, again and again */
    return ESP_FAIL;
}
