#include "at/at_cloud_request.h"

#include <stdio.h>
#include <string.h>

/* The blank at the end of User-Agent belongs to it; Accept-Encoding is not meant. */
#define FIELDS                                                                         \
    "Host: %s:%d\r\n"                                                                  \
    "Connection: keep-alive\r\n"                                                       \
    "Cache-Control: no-cache\r\n"                                                      \
    "User-Agent: Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like Gecko) " \
    "Chrome/30.0.1599.101 Safari/537.36 \r\n"                                          \
    "Accept: */*\r\n"                                                                  \
    "Authorization: token %s\r\n"                                                      \
    "Accept-Encoding: gzip,deflate,sdch\r\n"                                           \
    "Accept-Language: zh-CN,zh;q=0.8\r\n"                                              \
    "\r\n"

#define SERVER_MAX 253

bool at_cloud_text_fits(const char *text, size_t max)
{
    size_t len = 0;
    for (; text[len]; len++) {
        unsigned char c = (unsigned char)text[len];
        if (len == max || c <= 0x20 || c == 0x7f) return false;
    }
    return len > 0;
}

static bool peer_fits(const struct at_cloud_peer *p)
{
    return at_cloud_text_fits(p->server, SERVER_MAX) &&
           at_cloud_text_fits(p->token, AT_CLOUD_TOKEN_MAX);
}

static size_t whole(int n)
{
    return n > 0 && n < AT_CLOUD_REQUEST_MAX ? (size_t)n : 0;
}

size_t at_cloud_query(const struct at_cloud_peer *p, char out[static AT_CLOUD_REQUEST_MAX])
{
    if (!peer_fits(p)) return 0;
    return whole(snprintf(out, AT_CLOUD_REQUEST_MAX,
                          "GET /v1/device/rom/?is_format_simple=true HTTP/1.0\r\n" FIELDS,
                          p->server, p->port, p->token));
}

size_t at_cloud_download(const struct at_cloud_peer *p, const char *version, const char *name,
                         char out[static AT_CLOUD_REQUEST_MAX])
{
    bool fits = peer_fits(p) && at_cloud_text_fits(name, AT_CLOUD_VERSION_MAX) &&
                (!version[0] || at_cloud_text_fits(version, AT_CLOUD_VERSION_MAX));
    if (!fits) return 0;
    return whole(snprintf(out, AT_CLOUD_REQUEST_MAX,
                          "GET /v1/device/rom/?action=download_rom&version=%s&filename=%s.bin "
                          "HTTP/1.1\r\n" FIELDS,
                          version, name, p->server, p->port, p->token));
}
