/* AT+USEROTA: firmware from a URL, which comes as data behind the prompt. */
#include "at/at.h"

#include "at/at_ota_settings.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp_crt_bundle.h"
#include "esp_err.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URL_MAX    8192
#define TIMEOUT_MS 10000
#define RX_BUFFER  2048

static const char *TAG = "at-user";

/* Of the request under way. */
struct progress {
    int total, received; /* bytes; total 0: not told */
    int status;
};

static esp_err_t on_event(esp_http_client_event_t *event)
{
    struct progress *p = event->user_data;
    switch (event->event_id) {
    case HTTP_EVENT_ON_STATUS_CODE: /* the answer after a redirect begins anew */
        *p = (struct progress){.status = *(const int *)event->data};
        break;
    case HTTP_EVENT_ON_HEADER:
        if (strcasecmp(event->header_key, "Content-Length") == 0)
            p->total = (int)strtol(event->header_value, NULL, 10);
        break;
    case HTTP_EVENT_ON_DATA:
        p->received += event->data_len;
        if (p->total > 0)
            ESP_LOGI(TAG, "total_len=%d(%d), %0.1f%%!", p->total, p->received,
                     (double)p->received * 100 / p->total);
        else
            ESP_LOGI(TAG, "receive len=%d, receive total len=%d", event->data_len, p->received);
        break;
    default:
        break;
    }
    return ESP_OK;
}

/* Exactly len bytes behind the prompt, NUL behind them; fewer when the port is gone. */
static char *read_url(struct at_call *call, size_t len)
{
    char *url = calloc(1, len + 1);
    size_t got = 0;
    if (!url) return NULL;
    at_answer(call, AT_OK_AND_PROMPT);
    for (size_t n = 1; got < len && n; got += n) n = at_read(call, url + got, len - got);
    at_tell_received(call, got);
    return url;
}

static bool is_url(const char *text, size_t len)
{
    bool scheme = strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f) return false;
    return scheme;
}

static const char *reason(esp_err_t err, const struct progress *p)
{
    switch (err) {
    case ESP_ERR_HTTP_CONNECT:
        return "no connection; the log tells why (name, port, certificate)";
    case ESP_ERR_OTA_VALIDATE_FAILED:
        return "what came is no image for this device, or is damaged";
    case ESP_ERR_OTA_ROLLBACK_INVALID_STATE:
        return "the running firmware is on trial and not confirmed: try again after ready";
    case ESP_ERR_OTA_ALREADY_IN_PROGRESS:
        return "another upgrade is under way";
    case ESP_ERR_TIMEOUT:
        return "the server is silent";
    case ESP_ERR_INVALID_SIZE:
        return "the image is larger than the slot";
    default:
        return p->status >= 400 ? "the server has no such file, or refuses it"
                                : "the log tells why";
    }
}

static enum at_result upgrade(struct at_call *call, const char *url)
{
    bool plain = strncasecmp(url, "http:", 5) == 0;
    if (plain && !airlift_config_bool("ESP_HTTPS_OTA_ALLOW_HTTP"))
        return at_error(call, "http:// is not taken (CONFIG_AT_OTA_ALLOW_HTTP): use https://");
    struct progress progress = {0};
    bool verify = at_ota_settings_verify();
    char *ca = verify ? at_ota_settings_ca() : NULL;
    esp_http_client_config_t http = {
        .url = url,
        .timeout_ms = TIMEOUT_MS,
        .buffer_size = RX_BUFFER,
        .buffer_size_tx = URL_MAX + 64, /* a request line has the whole URL */
        .keep_alive_enable = true,
        .cert_pem = ca,
        .crt_bundle_attach = verify && !ca ? esp_crt_bundle_attach : NULL,
        .event_handler = on_event,
        .user_data = &progress,
    };
    esp_https_ota_config_t ota = {.http_config = &http};
    esp_err_t err = esp_https_ota(&ota);
    free(ca);
    if (err == ESP_OK) return AT_OK;
    if (err == -ESP_ERR_HTTP_EAGAIN) err = ESP_ERR_TIMEOUT; /* no head, as the original gives it */
    const char *why = reason(err, &progress);
    ESP_LOGE(TAG, "upgrade failed: %s (status %d)", esp_err_to_name(err), progress.status);
    return at_error(call, "%s: %s", esp_err_to_name(err), why);
}

static enum at_result set(struct at_call *call)
{
    int64_t len;
    if (!at_param_count_is(call, 1, 1) || at_param_int(call, 0, &len) != AT_PARAM_OK)
        return AT_ERROR;
    if (len < 1 || len > URL_MAX) return at_param_invalid(call, 0);
    char *url = read_url(call, (size_t)len);
    if (!url) return at_error(call, "out of memory");
    enum at_result result =
        is_url(url, (size_t)len)
            ? upgrade(call, url)
            : at_error(call, "expected an URL: http:// or https://, no blanks, no control bytes");
    free(url);
    if (result != AT_OK) return result;
    at_answer(call, AT_OK);
    at_restart(call);
}

const struct at_command at_user_ota_commands[] = {
    {.name = "+USEROTA", .set = set},
    {.name = NULL},
};
