/* Reading over HTTP and HTTPS, as http_stream does: 30 s, 2048 bytes at a time, redirects. */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "esp/esp-adf/data_reader.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp_crt_bundle.h"
#include "esp_http_client.h"
#include "esp_log.h"

static const char *TAG = "HTTP_STREAM";

enum {
    TIMEOUT_MS = 30000,
    SLICE_MS = 250, /* how often a waiting read looks whether it shall stop */
    BUFFER_SIZE = 2048,
    REDIRECTS = 10
};

struct http_reader {
    esp_http_client_handle_t client;
    bool (*stop)(void);
    bool encoded; /* by a content coding */
    bool ended, complete;
    int64_t size, done; /* size -1: not announced */
};

static esp_err_t look_at_headers(esp_http_client_event_t *event)
{
    struct http_reader *h = event->user_data;
    if (event->event_id == HTTP_EVENT_ON_HEADER &&
        !strcasecmp(event->header_key, "Content-Encoding") &&
        strcasecmp(event->header_value, "identity"))
        h->encoded = true;
    return ESP_OK;
}

static bool is_redirect(int status)
{
    return status == HttpStatus_MovedPermanently || status == HttpStatus_Found ||
           status == HttpStatus_SeeOther || status == HttpStatus_TemporaryRedirect ||
           status == HttpStatus_PermanentRedirect;
}

/* One request; gives its status, or -1. */
static int ask(struct http_reader *h)
{
    h->encoded = false;
    if (esp_http_client_open(h->client, 0) != ESP_OK) {
        ESP_LOGE(TAG, "Failed to open http stream");
        return -1;
    }
    if (esp_http_client_fetch_headers(h->client) < 0) {
        ESP_LOGE(TAG, "The server did not answer within %d s", TIMEOUT_MS / 1000);
        return -1;
    }
    return esp_http_client_get_status_code(h->client);
}

static bool open_stream(struct http_reader *h)
{
    int status = ask(h);
    for (int i = 0; is_redirect(status); i++) {
        bool follow = i < REDIRECTS && esp_http_client_set_redirection(h->client) == ESP_OK;
        if (!follow) break;
        esp_http_client_flush_response(h->client, NULL);
        status = ask(h);
    }
    if (status < 0) return false;
    if (status != 200 && status != 206) {
        ESP_LOGE(TAG, "Invalid HTTP stream, status code = %d", status);
        return false;
    }
    if (h->encoded) {
        ESP_LOGE(TAG, "The server sent the data with a content coding (gzip, ...) that was not "
                      "asked for: switch compression off for this file");
        return false;
    }
    h->size = esp_http_client_get_content_length(h->client);
    return true;
}

bool data_reader_trusts_bundle(const char *cert_pem)
{
    return !cert_pem && airlift_config_bool("MBEDTLS_CERTIFICATE_BUNDLE");
}

void *data_reader_http_open(const char *uri, const char *cert_pem, bool (*stop)(void))
{
    struct http_reader *h = calloc(1, sizeof *h);
    if (!h) return NULL;
    esp_http_client_config_t config = {
        .url = uri,
        .cert_pem = cert_pem,
        .crt_bundle_attach = data_reader_trusts_bundle(cert_pem) ? esp_crt_bundle_attach : NULL,
        .timeout_ms = TIMEOUT_MS,
        .buffer_size = BUFFER_SIZE,
        .buffer_size_tx = BUFFER_SIZE,
        .event_handler = look_at_headers,
        .user_data = h,
    };
    h->stop = stop;
    h->client = esp_http_client_init(&config);
    if (h->client && open_stream(h)) {
        esp_http_client_set_timeout_ms(h->client, SLICE_MS);
        return h;
    }
    esp_http_client_cleanup(h->client);
    free(h);
    return NULL;
}

/* At the end of the body, or of the connection. */
static int end(struct http_reader *h, int n)
{
    int error = n < 0 ? esp_http_client_get_errno(h->client) : 0;
    h->complete = esp_http_client_is_complete_data_received(h->client);
    bool first = !h->ended;
    h->ended = true;
    if (first)
        ESP_LOGW(TAG, "No more data,errno:%d, total_bytes:%llu, rlen = %d", error,
                 (unsigned long long)h->done, n < 0 ? n : 0);
    if (h->complete) return 0;
    if (first && h->size >= 0)
        ESP_LOGE(TAG, "The connection ended after %lld of %lld bytes", (long long)h->done,
                 (long long)h->size);
    else if (first)
        ESP_LOGE(TAG, "The connection ended after %lld bytes, in the middle of the data",
                 (long long)h->done);
    return DATA_READER_FAIL;
}

static int http_read(void *ctx, void *buf, size_t len)
{
    struct http_reader *h = ctx;
    if (h->ended) return h->complete ? 0 : DATA_READER_FAIL;
    for (int waited = 0; waited < TIMEOUT_MS; waited += SLICE_MS) {
        if (h->stop && h->stop()) return DATA_READER_ABORT;
        int n = esp_http_client_read(h->client, buf, (int)len);
        if (n > 0) {
            h->done += n;
            return n;
        }
        if (n != -ESP_ERR_HTTP_EAGAIN) return end(h, n);
    }
    ESP_LOGE(TAG, "The server sent nothing for %d s", TIMEOUT_MS / 1000);
    h->ended = true;
    return DATA_READER_FAIL;
}

static int64_t http_size(const void *ctx)
{
    return ((const struct http_reader *)ctx)->size;
}

static void http_close(void *ctx)
{
    struct http_reader *h = ctx;
    esp_http_client_close(h->client);
    esp_http_client_cleanup(h->client);
    free(h);
}

const struct data_reader_ops data_reader_http = {
    .name = "http",
    .read = http_read,
    .size = http_size,
    .close = http_close,
};
