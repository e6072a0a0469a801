/* esp_http_client: requests and responses, step by step. */
#include "esp/esp-idf/http_client_impl.h"
#include "esp_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *TAG = HTTP_CLIENT_TAG;

static const char *const method_names[] = {
    "GET",    "POST",      "PUT",         "PATCH",     "DELETE", "HEAD",
    "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "OPTIONS",   "COPY",   "MOVE",
    "LOCK",   "UNLOCK",    "PROPFIND",    "PROPPATCH", "MKCOL",  "REPORT",
};
_Static_assert(sizeof method_names / sizeof *method_names == HTTP_METHOD_MAX, "a name each");

/* ---- the request ---- */

/* The original builds the head in a buffer of buffer_size_tx bytes; apps and scripts know its
 * refusals, so they stay, with the way out said. */
static esp_err_t check_sizes(esp_http_client_handle_t client)
{
    const struct http_url *u = &client->url;
    size_t room = (size_t)client->buffer_size_tx;
    size_t line = strlen(method_names[client->method]) + strlen(" ") + strlen(u->path) +
                  (u->query ? 1 + strlen(u->query) : 0) + strlen(" HTTP/1.1\r\n");
    size_t header = http_client_longest_header(client->net);
    if (line >= room) {
        ESP_LOGE(TAG, "Out of buffer");
        ESP_LOGE(TAG, "The request line has %u bytes, buffer_size_tx is %u: set it higher",
                 (unsigned)line, (unsigned)room);
        return ESP_FAIL;
    }
    if (header >= room) {
        ESP_LOGE(TAG, "A request header has %u bytes, buffer_size_tx is %u: set it higher",
                 (unsigned)header, (unsigned)room);
        return ESP_ERR_HTTP_HEADER_TOO_LONG;
    }
    return ESP_OK;
}

static void set_last_error(esp_http_client_handle_t client, esp_err_t err)
{
    client->last_error = (struct esp_tls_last_error){
        .last_error = err, .esp_tls_flags = err == ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED};
    client->tell_end = true;
}

/* The original hands out the error of the transport. */
static void tell_with_error(esp_http_client_handle_t client, esp_http_client_event_id_t id)
{
    http_client_tell(client, id, &client->last_error, 0, NULL, NULL);
}

static esp_err_t check_transport(esp_http_client_handle_t client)
{
    switch (esp_http_client_get_transport_type(client)) {
    case HTTP_TRANSPORT_OVER_TCP:
        return ESP_OK;
    case HTTP_TRANSPORT_OVER_SSL:
        if (!client->unverified) return ESP_OK;
        ESP_LOGE("esp-tls-mbedtls", "No server verification option set in esp_tls_cfg_t structure. "
                                    "Check esp_tls API reference");
        set_last_error(client, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED);
        return ESP_ERR_HTTP_CONNECT;
    default:
        ESP_LOGE(TAG, "No transport found");
        return ESP_ERR_HTTP_INVALID_TRANSPORT;
    }
}

/* Begins to connect (or takes the kept connection) and to send the head. */
static esp_err_t start(esp_http_client_handle_t client, int write_len)
{
    esp_err_t err = check_transport(client);
    if (!err) err = check_sizes(client);
    if (err) return err;
    free(client->location);
    free(client->challenge);
    client->location = client->challenge = NULL;
    client->last_error = (struct esp_tls_last_error){.last_error = ESP_OK};
    client->received = 0;
    client->process_again = false;
    client->unframe = (struct unframe){.on = write_len < 0};
    http_client_set_timeout(client->net, client->timeout_ms);
    http_client_set_method(client->net, method_names[client->method]);
    http_auth_apply(client);
    char *url = http_url_text(&client->url);
    int bad = url ? http_client_set_url(client->net, url) : HTTP_ERR_NO_MEM;
    free(url);
    if (!bad) bad = http_client_start(client->net, write_len < 0 ? -1 : write_len);
    client->exchange = bad ? EXCHANGE_NONE : EXCHANGE_OPENING;
    return !bad ? ESP_OK : bad == HTTP_ERR_NO_MEM ? ESP_ERR_NO_MEM : ESP_ERR_HTTP_CONNECT;
}

static void log_failure(esp_http_client_handle_t client, int err)
{
    bool handshake = err == HTTP_ERR_TLS;
    set_last_error(client, handshake                 ? ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED
                           : err == HTTP_ERR_RESOLVE ? ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME
                           : err == HTTP_ERR_TIMEOUT ? ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT
                                                     : ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
    ESP_LOGE(handshake ? "esp-tls-mbedtls" : "esp-tls", "%s", http_client_error_text(client->net));
    if (client->exchange == EXCHANGE_OPENING) ESP_LOGE(TAG, "Connection failed, sock < 0");
}

/* Until the head is out. ESP_ERR_HTTP_CONNECTING: not yet (only when no waiting was asked). */
static esp_err_t wait_sent(esp_http_client_handle_t client, bool wait)
{
    int timeout_ms = client->timeout_ms > 0 ? client->timeout_ms : 5000;
    /* the layer below ends the attempt itself and says why; then its word is the better one */
    int err = http_client_wait_open(client->net, wait ? timeout_ms + 200 : 0);
    if (err == HTTP_ERR_TIMEOUT && !wait) return ESP_ERR_HTTP_CONNECTING;
    if (!err) {
        client->exchange = EXCHANGE_SENT;
        return ESP_OK;
    }
    log_failure(client, err);
    client->exchange = EXCHANGE_NONE;
    errno = http_client_errno(client->net);
    return err == HTTP_ERR_SEND ? ESP_ERR_HTTP_WRITE_DATA : ESP_ERR_HTTP_CONNECT;
}

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    esp_err_t err = start(client, write_len);
    if (!err) err = wait_sent(client, true);
    if (err) tell_with_error(client, HTTP_EVENT_ERROR);
    return err;
}

esp_err_t esp_http_client_prepare(esp_http_client_handle_t client)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    client->process_again = false;
    return ESP_OK;
}

esp_err_t esp_http_client_request_send(esp_http_client_handle_t client, int write_len)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    esp_err_t err = start(client, write_len);
    return err ? err : wait_sent(client, true);
}

/* Feeds one piece of framing or data; gives the bytes used, or -1. */
static int unframe_step(esp_http_client_handle_t client, const char *data, size_t len)
{
    struct unframe *u = &client->unframe;
    const char *digit = memchr("0123456789abcdefABCDEF", data[0], 22);
    size_t n;
    switch (u->part) {
    case CHUNK_SIZE:
        if (digit) {
            n = (size_t)(digit - "0123456789abcdefABCDEF");
            u->left = u->left * 16 + (n > 15 ? n - 6 : n);
            return 1;
        }
        u->part = CHUNK_EXTENSION;
        return 0;
    case CHUNK_EXTENSION:
        if (data[0] == '\n') u->part = u->left ? CHUNK_DATA : CHUNK_END;
        return 1;
    case CHUNK_DATA:
        n = len < u->left ? len : u->left;
        if (http_client_write(client->net, data, n) != (int)n) return -1;
        u->left -= n;
        if (u->left == 0) u->part = CHUNK_END;
        return (int)n;
    default: /* line end behind the data */
        if (data[0] == '\n') u->part = CHUNK_SIZE;
        return 1;
    }
}

int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len)
{
    if (!client || !buffer || len < 0 || client->exchange != EXCHANGE_SENT) return ESP_FAIL;
    int n = 0;
    if (!client->unframe.on) {
        if (len) n = http_client_write(client->net, buffer, (size_t)len);
    } else {
        for (int step = 0; n < len && step >= 0; n += step)
            step = unframe_step(client, buffer + n, (size_t)(len - n));
        if (n < len) n = ESP_FAIL;
    }
    if (n < 0) errno = http_client_errno(client->net);
    return n < 0 ? ESP_FAIL : n;
}

/* ---- the response ---- */

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client)
{
    if (!client || client->exchange == EXCHANGE_NONE) return ESP_FAIL;
    int err = http_client_headers(client->net);
    errno = err ? http_client_errno(client->net) : 0;
    if (err == HTTP_ERR_TIMEOUT) return -ESP_ERR_HTTP_EAGAIN;
    if (err) {
        ESP_LOGE(TAG, "%s", http_client_error_text(client->net));
        return ESP_FAIL;
    }
    client->exchange = EXCHANGE_ANSWERED;
    http_client_tell(client, HTTP_EVENT_ON_HEADERS_COMPLETE, NULL, 0, NULL, NULL);
    int64_t length = http_client_content_length(client->net);
    return length > 0 ? length : 0;
}

/* Some bytes of body, told as ON_DATA; otherwise as http_client_read. */
static int read_piece(esp_http_client_handle_t client, char *buffer, int len)
{
    errno = 0;
    int n = http_client_read(client->net, buffer, (size_t)len);
    if (n < 0) errno = http_client_errno(client->net);
    if (n <= 0) return n;
    client->received += n;
    http_client_tell(client, HTTP_EVENT_ON_DATA, buffer, n, NULL, NULL);
    return n;
}

int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len)
{
    int got = 0, n = 0;
    if (!client || !buffer || len < 0) return ESP_FAIL;
    while (got < len && (n = read_piece(client, buffer + got, len - got)) > 0) got += n;
    if (n >= 0 || got > 0) return got;
    if (n == HTTP_ERR_TIMEOUT) return -ESP_ERR_HTTP_EAGAIN;
    bool complete = esp_http_client_is_complete_data_received(client);
    ESP_LOG_LEVEL_LOCAL(complete ? ESP_LOG_DEBUG : ESP_LOG_WARN, TAG,
                        "esp_transport_read returned:%d and errno:%d ", n, errno);
    return complete ? 0 : ESP_FAIL;
}

int esp_http_client_read_response(esp_http_client_handle_t client, char *buffer, int len)
{
    int got = 0, n;
    while (got < len && (n = esp_http_client_read(client, buffer + got, len - got)) != 0) {
        if (n < 0) return got ? got : ESP_FAIL;
        got += n;
    }
    return got;
}

esp_err_t esp_http_client_flush_response(esp_http_client_handle_t client, int *len)
{
    char waste[1024];
    int n, total = 0;
    if (!client) return ESP_ERR_INVALID_ARG;
    while ((n = esp_http_client_read(client, waste, sizeof waste)) > 0) total += n;
    if (len) *len = total;
    return n < 0 ? ESP_FAIL : ESP_OK;
}

void esp_http_client_clear_response_buffer(esp_http_client_handle_t client)
{
    if (client) http_client_drop(client->net);
}

esp_err_t esp_http_client_close(esp_http_client_handle_t client)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    bool connected = client->connected, tell = client->tell_end;
    client->exchange = EXCHANGE_NONE;
    client->connected = client->tell_end = false;
    if (tell) tell_with_error(client, HTTP_EVENT_DISCONNECTED);
    if (connected)
        http_client_disconnect(client->net);
    else
        http_client_close(client->net);
    return ESP_OK;
}

esp_err_t esp_http_client_cancel_request(esp_http_client_handle_t client)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    if (client->exchange == EXCHANGE_NONE) return ESP_ERR_INVALID_STATE;
    return esp_http_client_close(client);
}

int esp_http_client_get_status_code(esp_http_client_handle_t client)
{
    return client ? http_client_status(client->net) : -1;
}

int64_t esp_http_client_get_content_length(esp_http_client_handle_t client)
{
    return client ? http_client_content_length(client->net) : -1;
}

int64_t esp_http_client_get_content_range(esp_http_client_handle_t client)
{
    return client ? http_client_range_total(client->net) : -1;
}

/* The original calls every response so whose length is not announced. */
bool esp_http_client_is_chunked_response(esp_http_client_handle_t client)
{
    return client && esp_http_client_get_content_length(client) <= 0;
}

bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client)
{
    if (!client) return false;
    int64_t length = esp_http_client_get_content_length(client);
    return length > 0 ? client->received == length : http_client_complete(client->net);
}

bool esp_http_client_is_persistent_connection(esp_http_client_handle_t client)
{
    return client && http_client_persistent(client->net);
}

/* ---- redirects ---- */

esp_err_t esp_http_client_set_redirection(esp_http_client_handle_t client)
{
    if (!client || !client->location) return ESP_ERR_INVALID_ARG;
    struct http_url to = {0};
    char *here = http_url_text(&client->url);
    bool good =
        here && http_url_parse(&to, here, NULL) && http_url_parse(&to, client->location, NULL);
    bool downgrade =
        good && strcmp(client->url.scheme, "https") == 0 && strcmp(to.scheme, "https") != 0;
    bool moved = good && strcmp(client->url.host, to.host) != 0;
    http_url_clear(&to);
    free(here);
    if (downgrade) {
        ESP_LOGE(TAG, "Redirect from https to %s refused: it would leave TLS", client->location);
        return ESP_ERR_HTTP_REDIRECT_DOWNGRADE;
    }
    if (moved) { /* who one is concerns the first host only */
        esp_http_client_delete_header(client, "Authorization");
        esp_http_client_set_username(client, NULL);
        esp_http_client_set_password(client, NULL);
        client->auth_type = HTTP_AUTH_TYPE_NONE;
    }
    char *location = strdup(client->location); /* closing may forget it */
    if (!location) return ESP_ERR_NO_MEM;
    ESP_LOGD(TAG, "Redirect to %s", location);
    esp_err_t err = esp_http_client_set_url(client, location);
    free(location);
    if (err) return err;
    client->redirects++;
    client->process_again = true;
    return ESP_OK;
}

/* ---- a whole exchange ---- */

static esp_err_t check_response(esp_http_client_handle_t client)
{
    int status = esp_http_client_get_status_code(client);
    if (http_status_redirects(status) && client->redirects >= client->max_redirection_count) {
        ESP_LOGE(TAG, "Error, reach max_redirection_count count=%d", client->redirects);
        return ESP_ERR_HTTP_MAX_REDIRECT;
    }
    if (status == HttpStatus_Unauthorized && client->max_authorization_retries == 0) {
        ESP_LOGE(TAG, "Error, reached max_authorization_retries count=%d",
                 client->max_authorization_retries);
        return ESP_FAIL;
    }
    return ESP_OK;
}

/* After the body: where a redirect or challenge leads. */
static esp_err_t follow(esp_http_client_handle_t client)
{
    int status = esp_http_client_get_status_code(client);
    if (http_status_redirects(status)) {
        if (!client->disable_auto_redirect) return esp_http_client_set_redirection(client);
        http_client_tell(client, HTTP_EVENT_REDIRECT, NULL, 0, NULL, NULL);
    } else if (status == HttpStatus_Unauthorized) {
        client->max_authorization_retries--;
        esp_http_client_add_auth(client); /* without it, the 401 is the result */
    }
    return ESP_OK;
}

static esp_err_t send_post_field(esp_http_client_handle_t client)
{
    if (client->post_len <= 0) return ESP_OK;
    int n = esp_http_client_write(client, client->post_data, client->post_len);
    return n == client->post_len ? ESP_OK : ESP_ERR_HTTP_WRITE_DATA;
}

static esp_err_t fetch(esp_http_client_handle_t client)
{
    int64_t n = esp_http_client_fetch_headers(client);
    if (n >= 0) return check_response(client);
    if (client->is_async && n == -ESP_ERR_HTTP_EAGAIN) return ESP_ERR_HTTP_EAGAIN;
    return errno == ENOTCONN ? ESP_ERR_HTTP_CONNECTION_CLOSED : ESP_ERR_HTTP_FETCH_HEADER;
}

static esp_err_t take_body(esp_http_client_handle_t client)
{
    int n;
    if (!client->buffer) client->buffer = malloc((size_t)client->buffer_size);
    if (!client->buffer) return ESP_ERR_NO_MEM;
    while ((n = read_piece(client, client->buffer, client->buffer_size)) > 0) continue;
    if (n == HTTP_ERR_TIMEOUT)
        return client->is_async ? ESP_ERR_HTTP_EAGAIN : ESP_ERR_HTTP_READ_TIMEOUT;
    if (n < 0) {
        ESP_LOGE(TAG, "%s", http_client_error_text(client->net));
        return ESP_ERR_HTTP_INCOMPLETE_DATA;
    }
    return ESP_OK;
}

/* One step of the exchange; after the last one exchange is EXCHANGE_NONE. */
static esp_err_t advance(esp_http_client_handle_t client)
{
    esp_err_t err;
    switch (client->exchange) {
    case EXCHANGE_NONE:
        return start(client, client->post_len);
    case EXCHANGE_OPENING:
        err = wait_sent(client, !client->is_async);
        if (err == ESP_ERR_HTTP_CONNECTING) return ESP_ERR_HTTP_EAGAIN;
        if (!err) err = send_post_field(client);
        if (!err && client->is_async) http_client_set_timeout(client->net, -1);
        return err;
    case EXCHANGE_SENT:
        return fetch(client);
    default:
        err = take_body(client);
        if (!err) err = follow(client);
        if (err) return err;
        http_client_tell(client, HTTP_EVENT_ON_FINISH, NULL, 0, NULL, NULL);
        client->exchange = EXCHANGE_NONE;
        if (!esp_http_client_is_persistent_connection(client)) esp_http_client_close(client);
        return ESP_OK;
    }
}

esp_err_t esp_http_client_perform(esp_http_client_handle_t client)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    do {
        esp_err_t err = advance(client);
        if (err == ESP_ERR_HTTP_EAGAIN) return err;
        if (err) {
            tell_with_error(client, HTTP_EVENT_ERROR);
            esp_http_client_close(client);
            return err;
        }
    } while (client->exchange != EXCHANGE_NONE || client->process_again);
    client->redirects = 0;
    return ESP_OK;
}
