/* http_client: what came back, and what went wrong. */
#include "net/http_client_impl.h"
#include "net/http_client_url.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int http_client_say(struct http_client *c, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->text, sizeof c->text, format, args);
    va_end(args);
    return err;
}

int http_error_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_OUT_OF_MEMORY:
        return HTTP_ERR_NO_MEM;
    case CURLE_URL_MALFORMAT:
        return HTTP_ERR_URL;
    case CURLE_COULDNT_RESOLVE_HOST:
        return HTTP_ERR_RESOLVE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
        return HTTP_ERR_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_ERR_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
        return HTTP_ERR_TLS;
    case CURLE_SEND_ERROR:
        return HTTP_ERR_SEND;
    case CURLE_UNSUPPORTED_PROTOCOL: /* "HTTP/0.9": bytes that are no status line */
    case CURLE_WEIRD_SERVER_REPLY:
        return HTTP_ERR_PROTOCOL;
    default:
        return HTTP_ERR_RECV;
    }
}

int http_client_error_class(const struct http_client *c)
{
    return http_error_of(c->result);
}

int http_error_explain(const struct http_fault *f, char *text, size_t size)
{
    const char *why = f->curl_says[0] ? f->curl_says : curl_easy_strerror(f->code);
    int err = http_error_of(f->code);
    switch (err) {
    case HTTP_ERR_RESOLVE:
        snprintf(text, size, "no address for \"%s\": check the name and this machine's DNS (%s)",
                 f->host, why);
        break;
    case HTTP_ERR_CONNECT:
        snprintf(text, size,
                 "cannot connect to %s port %d: %s; is the server running and reachable from here?",
                 f->host, f->port, why);
        break;
    case HTTP_ERR_TIMEOUT:
        snprintf(text, size, "no connection to %s port %d within %d ms (%s)", f->host, f->port,
                 f->timeout_ms, why);
        break;
    case HTTP_ERR_TLS:
        http_tls_explain(f->tls, f->code, f->host, why, text, size);
        break;
    case HTTP_ERR_PROTOCOL:
        snprintf(text, size, "%s port %d does not speak HTTP here (%s); is it https://?", f->host,
                 f->port, why);
        break;
    default:
        snprintf(text, size, "connection to %s port %d broke off: %s", f->host, f->port, why);
    }
    return err;
}

static void explain(struct http_client *c)
{
    struct http_url u = {0};
    if (!http_url_parse(&u, c->url, NULL)) return;
    struct http_fault f = {
        .code = c->result,
        .curl_says = c->curl_says,
        .tls = c->tls,
        .host = u.host,
        .port = u.port,
        .timeout_ms = c->timeout_ms,
    };
    http_error_explain(&f, c->text, sizeof c->text);
    http_url_clear(&u);
}

void http_client_note_end(struct http_client *c, CURLcode result)
{
    long os_errno = 0;
    c->done = c->head_done = true;
    c->result = result;
    curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &os_errno);
    if (result == CURLE_OK) return;
    explain(c);
    c->os_errno = (int)os_errno;
    if (c->os_errno) return;
    if (result == CURLE_PARTIAL_FILE || result == CURLE_GOT_NOTHING) c->os_errno = ENOTCONN;
    if (result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR) c->os_errno = ECONNRESET;
}

/* ---- the response ---- */

int http_client_status(const struct http_client *c)
{
    return c->head_done ? c->status : 0;
}

const char *http_client_response_header(struct http_client *c, const char *name)
{
    struct curl_header *h;
    if (curl_easy_header(c->easy, name, 0, CURLH_HEADER, -1, &h)) return NULL;
    return h->value;
}

static const char *field(const struct http_client *c, const char *name)
{
    struct curl_header *h;
    return curl_easy_header(c->easy, name, 0, CURLH_HEADER, -1, &h) ? "" : h->value;
}

int64_t http_client_content_length(const struct http_client *c)
{
    curl_off_t n = -1;
    curl_easy_getinfo(c->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &n);
    return n;
}

bool http_client_chunked(const struct http_client *c)
{
    return strcasestr(field(c, "Transfer-Encoding"), "chunked") != NULL;
}

int64_t http_client_range_total(const struct http_client *c)
{
    const char *slash = strchr(field(c, "Content-Range"), '/');
    if (!slash || slash[1] < '0' || slash[1] > '9') return -1;
    char *end;
    errno = 0;
    long long total = strtoll(slash + 1, &end, 10);
    return *end || errno ? -1 : total;
}

bool http_client_complete(const struct http_client *c)
{
    return c->done && c->result == CURLE_OK && c->status && c->spill_at == c->spill_len;
}

bool http_client_persistent(const struct http_client *c)
{
    long version = 0;
    const char *connection = field(c, "Connection");
    curl_easy_getinfo(c->easy, CURLINFO_HTTP_VERSION, &version);
    bool kept = version == CURL_HTTP_VERSION_1_0 ? strcasestr(connection, "keep-alive") != NULL
                                                 : strcasestr(connection, "close") == NULL;
    return kept && c->head_done && (http_client_chunked(c) || http_client_content_length(c) >= 0);
}

int http_client_errno(const struct http_client *c)
{
    return c->os_errno;
}

const char *http_client_error_text(const struct http_client *c)
{
    return c->text;
}
