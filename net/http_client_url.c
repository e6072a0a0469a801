#include "net/http_client_url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SET_FLAGS = CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE };

static char *dup_part(CURLU *from, CURLUPart part, unsigned flags)
{
    char *got = NULL;
    if (curl_url_get(from, part, &got, flags) != CURLUE_OK) return NULL;
    char *mine = strdup(got);
    curl_free(got);
    return mine;
}

/* libcurl gives IPv6 literals with their brackets. */
static char *dup_host(CURLU *from)
{
    char *host = dup_part(from, CURLUPART_HOST, 0);
    size_t n = host ? strlen(host) : 0;
    if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
        memmove(host, host + 1, n - 2);
        host[n - 2] = 0;
    }
    return host;
}

static int port_of(CURLU *from, const char *scheme)
{
    char *text = dup_part(from, CURLUPART_PORT, 0);
    int port = text ? atoi(text) : strcmp(scheme, "https") == 0 ? 443 : 80;
    free(text);
    return port;
}

void http_url_clear(struct http_url *u)
{
    free(u->scheme);
    free(u->host);
    free(u->user);
    if (u->password) explicit_bzero(u->password, strlen(u->password));
    free(u->password);
    free(u->path);
    free(u->query);
    *u = (struct http_url){0};
}

bool http_url_parse(struct http_url *u, const char *text, const char **why)
{
    struct http_url got = {0};
    CURLU *parsed = curl_url();
    char *base = u->host ? http_url_text(u) : NULL;
    CURLUcode err = parsed ? CURLUE_OK : CURLUE_OUT_OF_MEMORY;
    if (!err && base) err = curl_url_set(parsed, CURLUPART_URL, base, SET_FLAGS);
    if (!err) err = curl_url_set(parsed, CURLUPART_URL, text, SET_FLAGS);
    if (!err) {
        got.scheme = dup_part(parsed, CURLUPART_SCHEME, 0);
        got.host = dup_host(parsed);
        got.user = dup_part(parsed, CURLUPART_USER, CURLU_URLDECODE);
        got.password = dup_part(parsed, CURLUPART_PASSWORD, CURLU_URLDECODE);
        got.path = dup_part(parsed, CURLUPART_PATH, 0);
        got.query = dup_part(parsed, CURLUPART_QUERY, 0);
        if (!got.scheme || !got.host || !got.host[0] || !got.path) err = CURLUE_NO_HOST;
    }
    if (!err) got.port = port_of(parsed, got.scheme);
    curl_url_cleanup(parsed);
    free(base);
    if (why) *why = curl_url_strerror(err);
    http_url_clear(err ? &got : u);
    if (!err) *u = got;
    return !err;
}

char *http_url_text(const struct http_url *u)
{
    bool six = strchr(u->host, ':') != NULL;
    bool own_port = u->port == (strcmp(u->scheme, "https") == 0 ? 443 : 80);
    char port[16] = "";
    char *text;
    if (!own_port) snprintf(port, sizeof port, ":%d", u->port);
    int n = asprintf(&text, "%s://%s%s%s%s%s%s%s", u->scheme, six ? "[" : "", u->host,
                     six ? "]" : "", port, u->path, u->query ? "?" : "", u->query ? u->query : "");
    return n < 0 ? NULL : text;
}
