/* AT+CIPFWVER?: which versions the cloud has for this module. */
#include "at/at_cipfwver.h"

#include "at/at_json.h"
#include "at/at_ota_settings.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp_crt_bundle.h"
#include "esp_http_client.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "net/pace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX     65536 /* the original has room for 8192 bytes, and does not look */
#define SILENT_MS    10000
#define VERSION_PATH "/v1/device/rom"

static const char *TAG = "at-ota";

struct body {
    char *data;
    size_t len;
    bool too_long;
    int64_t heard_ms; /* when something came last, pace_now_ms */
};

static esp_err_t on_event(esp_http_client_event_t *event)
{
    struct body *b = event->user_data;
    b->heard_ms = pace_now_ms();
    if (event->event_id == HTTP_EVENT_HEADERS_SENT) b->len = 0; /* after a redirect, too */
    if (event->event_id != HTTP_EVENT_ON_DATA) return ESP_OK;
    size_t len = (size_t)event->data_len;
    b->too_long |= len > BODY_MAX - b->len;
    if (b->too_long) return ESP_OK;
    memcpy(b->data + b->len, event->data, len);
    b->len += len;
    return ESP_OK;
}

/* As in the original always the scheme's own port in compat mode. */
static void make_url(const struct at_ota_settings *s, char *url, size_t size)
{
    const char *scheme = s->tls ? "https" : "http";
    if (s->connect_to[0])
        snprintf(url, size, "%s://%s" VERSION_PATH, scheme, s->connect_to);
    else if (airlift_config_bool("AT_COMPAT"))
        snprintf(url, size, "%s://%s" VERSION_PATH, scheme, s->server);
    else
        snprintf(url, size, "%s://%s:%d" VERSION_PATH, scheme, s->server, s->port);
}

/* A server that sends a byte now and then would never let it end otherwise. */
static esp_err_t perform(esp_http_client_handle_t http, struct body *b, int64_t limit_ms)
{
    esp_err_t err;
    int64_t end_ms = pace_now_ms() + limit_ms;
    b->heard_ms = pace_now_ms();
    while ((err = esp_http_client_perform(http)) == ESP_ERR_HTTP_EAGAIN) {
        int64_t now_ms = pace_now_ms();
        if (now_ms >= end_ms || now_ms - b->heard_ms >= SILENT_MS) return ESP_ERR_TIMEOUT;
        vTaskDelay(1);
    }
    return err;
}

static enum at_result exchange(struct at_call *call, esp_http_client_handle_t http,
                               const struct at_ota_settings *s, struct body *b)
{
    char authorization[AT_CLOUD_TOKEN_MAX + 16];
    snprintf(authorization, sizeof authorization, "token %s", s->token);
    esp_err_t err = esp_http_client_set_header(http, "Authorization", authorization);
    if (!err && s->connect_to[0]) err = esp_http_client_set_header(http, "Host", s->server);
    if (!err) err = perform(http, b, s->limit_ms);
    int status = esp_http_client_get_status_code(http);
    if (err == ESP_ERR_TIMEOUT)
        return at_error(call, "%s did not finish in time (%d s, or %d s of silence)", s->server,
                        (int)(s->limit_ms / 1000), SILENT_MS / 1000);
    if (err)
        return at_error(call, "no answer from %s: %s; the log tells why", s->server,
                        esp_err_to_name(err));
    if (status >= 400)
        return at_error(call, "%s answers %d%s", s->server, status,
                        status == 403 ? ": check the token" : "");
    if (b->too_long)
        return at_error(call, "the list of %s is longer than %d bytes", s->server, BODY_MAX);
    return AT_OK;
}

static enum at_result fetch(struct at_call *call, const struct at_ota_settings *s, struct body *b)
{
    char url[320];
    bool verify = s->tls && at_ota_settings_verify();
    char *ca = verify ? at_ota_settings_ca() : NULL;
    make_url(s, url, sizeof url);
    esp_http_client_config_t cfg = {
        .url = url,
        .timeout_ms = SILENT_MS,
        .is_async = true,
        .event_handler = on_event,
        .user_data = b,
        .cert_pem = ca,
        .crt_bundle_attach = verify && !ca ? esp_crt_bundle_attach : NULL,
        .common_name = s->connect_to[0] ? s->server : NULL,
    };
    esp_http_client_handle_t http = esp_http_client_init(&cfg);
    enum at_result result =
        http ? exchange(call, http, s, b) : at_error(call, "%s is no server", s->server);
    if (http) esp_http_client_cleanup(http);
    free(ca);
    return result;
}

static void print_version(void *ctx, const char *key, const char *value, bool text)
{
    bool wanted = text && strcmp(key, "version") == 0;
    if (wanted && at_cloud_text_fits(value, AT_CLOUD_VERSION_MAX))
        at_print(ctx, "+CIPFWVER:\"%s\"\r\n", value);
}

enum at_result at_cipfwver_query(struct at_call *call)
{
    struct at_ota_settings s;
    struct at_json json;
    struct body b = {0};
    at_ota_settings_load(&s, airlift_config_bool("AT_OTA_SSL_SUPPORT"));
    if (!airlift_config_bool("AT_OTA_SUPPORT"))
        return at_error(call, "this firmware has no upgrades from the cloud "
                              "(CONFIG_AT_OTA_SUPPORT)");
    if (!at_cloud_text_fits(s.token, AT_CLOUD_TOKEN_MAX))
        return at_error(call, "this module has no token (key token of airlift_ota)");
    b.data = malloc(BODY_MAX);
    if (!b.data) return at_error(call, "out of memory");
    enum at_result result = fetch(call, &s, &b);
    if (result == AT_OK) {
        ESP_LOGI(TAG, "%zu bytes of versions", b.len);
        at_json_init(&json, print_version, call);
        at_json_feed(&json, b.data, b.len);
    }
    free(b.data);
    return result;
}
