/* http_client: making a handle, and what the next request will be. */
#include "net/http_client_impl.h"
#include "net/http_client_url.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UPLOAD_SIZE (64 * 1024)

static void global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void set_options(struct http_client *c, const struct http_config *cfg)
{
    CURL *e = c->easy;
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_PROXY, ""); /* a device knows of no proxy */
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)HTTP_READ_CHUNK);
    curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_SIZE);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->curl_says);
    curl_easy_setopt(e, CURLOPT_USERAGENT, cfg->user_agent);
    curl_easy_setopt(e, CURLOPT_IPRESOLVE,
                     cfg->address_family == AF_INET    ? (long)CURL_IPRESOLVE_V4
                     : cfg->address_family == AF_INET6 ? (long)CURL_IPRESOLVE_V6
                                                       : (long)CURL_IPRESOLVE_WHATEVER);
    if (cfg->interface) snprintf(c->interface, sizeof c->interface, "if!%s", cfg->interface);
    if (cfg->keep_alive) {
        long idle = cfg->keep_alive_idle_s ? cfg->keep_alive_idle_s : 5;
        long interval = cfg->keep_alive_interval_s ? cfg->keep_alive_interval_s : 5;
        curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
        curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, idle);
        curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, interval);
    }
    http_client_hook(c);
    http_tls_apply(c->tls, e);
}

struct http_client *http_client_new(const struct http_config *cfg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, global_init);
    struct http_client *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->cfg = *cfg;
    c->timeout_ms = cfg->timeout_ms > 0 ? cfg->timeout_ms : HTTP_TIMEOUT_MS;
    c->easy = curl_easy_init();
    c->multi = curl_multi_init();
    c->tls = http_tls_new(cfg);
    c->method = strdup("GET");
    if (!c->easy || !c->multi || !c->tls || !c->method) {
        http_client_free(c);
        return NULL;
    }
    set_options(c, cfg);
    return c;
}

void http_client_free(struct http_client *c)
{
    if (!c) return;
    http_client_close(c);
    curl_easy_cleanup(c->easy);
    curl_multi_cleanup(c->multi);
    http_tls_free(c->tls);
    http_client_clear_headers(c);
    free(c->url);
    free(c->method);
    free(c->spill);
    free(c);
}

static int replace(char **old, const char *with)
{
    char *mine = strdup(with);
    if (!mine) return HTTP_ERR_NO_MEM;
    free(*old);
    *old = mine;
    return 0;
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcasecmp(host, "localhost") == 0;
}

int http_client_set_url(struct http_client *c, const char *url)
{
    struct http_url u = {0};
    const char *why;
    bool good = http_url_parse(&u, url, &why);
    if (good && c->interface[0])
        curl_easy_setopt(c->easy, CURLOPT_INTERFACE, is_loopback(u.host) ? NULL : c->interface);
    if (good && strcmp(u.scheme, "http") != 0 && strcmp(u.scheme, "https") != 0) {
        good = false;
        why = "the scheme is neither http nor https";
    }
    http_url_clear(&u);
    if (!good) return http_client_say(c, HTTP_ERR_URL, "URL \"%s\" cannot be used: %s", url, why);
    return replace(&c->url, url);
}

int http_client_set_method(struct http_client *c, const char *method)
{
    return replace(&c->method, method);
}

struct header **http_client_find_header(struct http_client *c, const char *name)
{
    struct header **at = &c->headers;
    while (*at && strcasecmp((*at)->name, name) != 0) at = &(*at)->next;
    return at;
}

static void drop_header(struct header **at)
{
    struct header *h = *at;
    *at = h->next;
    free(h->name);
    free(h->value);
    free(h);
}

int http_client_set_header(struct http_client *c, const char *name, const char *value)
{
    if (!name[0] || strpbrk(name, ": \t\r\n") || (value && strpbrk(value, "\r\n")))
        return http_client_say(c, HTTP_ERR_ARG,
                               "header \"%s\": a name has no blank or colon, a value no line end",
                               name);
    struct header **at = http_client_find_header(c, name);
    if (!value) {
        if (*at) drop_header(at);
        return 0;
    }
    if (*at) return replace(&(*at)->value, value);
    struct header *h = calloc(1, sizeof *h);
    if (h) {
        h->name = strdup(name);
        h->value = strdup(value);
        *at = h;
    }
    if (h && h->name && h->value) return 0;
    if (h) drop_header(at);
    return HTTP_ERR_NO_MEM;
}

const char *http_client_get_header(struct http_client *c, const char *name)
{
    struct header *h = *http_client_find_header(c, name);
    return h ? h->value : NULL;
}

void http_client_clear_headers(struct http_client *c)
{
    while (c->headers) drop_header(&c->headers);
}

size_t http_client_longest_header(const struct http_client *c)
{
    size_t longest = 0;
    for (const struct header *h = c->headers; h; h = h->next) {
        size_t n = strlen(h->name) + strlen(h->value) + 4; /* ": " and CR LF */
        if (n > longest) longest = n;
    }
    return longest;
}

int http_client_set_auth(struct http_client *c, enum http_auth how, const char *user,
                         const char *password)
{
    static const unsigned long methods[] = {
        [HTTP_AUTH_NONE] = CURLAUTH_NONE,
        [HTTP_AUTH_BASIC] = CURLAUTH_BASIC,
        [HTTP_AUTH_DIGEST] = CURLAUTH_DIGEST,
    };
    bool on = how != HTTP_AUTH_NONE;
    c->auth = how;
    CURLcode err = curl_easy_setopt(c->easy, CURLOPT_USERNAME, on ? user : NULL);
    if (!err) err = curl_easy_setopt(c->easy, CURLOPT_PASSWORD, on ? password : NULL);
    /* Also set when off: libcurl would send user information of the URL by itself. */
    if (!err) err = curl_easy_setopt(c->easy, CURLOPT_HTTPAUTH, methods[how]);
    return err ? HTTP_ERR_NO_MEM : 0;
}

void http_client_set_timeout(struct http_client *c, int timeout_ms)
{
    c->timeout_ms = timeout_ms < 0 ? 0 : timeout_ms ? timeout_ms : HTTP_TIMEOUT_MS;
}
