/* Host, origin, password. See web_guard.h. */
#include "at/web_guard.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/crypto_openssl.h"

#define HOST_MAX   254u
#define HEADER_MAX 512u

/* Host name without port and brackets, in lower case. */
static bool host_name(const char *host, char out[HOST_MAX + 1])
{
    const char *end = host + strcspn(host, ":");
    if (*host == '[') {
        end = strchr(++host, ']');
        if (!end || (end[1] && end[1] != ':')) return false;
    }
    size_t len = (size_t)(end - host);
    if (len == 0 || len > HOST_MAX) return false;
    for (size_t i = 0; i < len; i++)
        out[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] + 32 : host[i]);
    out[len] = 0;
    return true;
}

static bool is_address(const char *name)
{
    uint8_t raw[16];
    return inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;
}

static bool ends_with(const char *name, const char *tail)
{
    size_t a = strlen(name), b = strlen(tail);
    return a > b && strcmp(name + a - b, tail) == 0;
}

/* Names that the public DNS never has: those without a dot, and RFC 6762, RFC 8375. */
static bool is_local_name(const char *name)
{
    return !strchr(name, '.') || ends_with(name, ".local") || ends_with(name, ".home.arpa") ||
           ends_with(name, ".localhost");
}

static bool in_list(const char *name, const char *names)
{
    size_t len = strlen(name);
    while (*names) {
        size_t n = strcspn(names, " ");
        if (n == len && strncasecmp(names, name, n) == 0) return true;
        names += n + strspn(names + n, " ");
    }
    return false;
}

bool web_host_is_ours(const char *host, const char *names)
{
    char name[HOST_MAX + 1];
    return host_name(host, name) &&
           (is_address(name) || is_local_name(name) || in_list(name, names));
}

enum web_verdict web_check_any(const struct web_head *h, const char *names)
{
    /* Without Host it is HTTP/1.0: no browser. */
    return !h->host || web_host_is_ours(h->host, names) ? WEB_ALLOWED : WEB_FOREIGN_HOST;
}

/* Does a URL name this host, exactly as the browser wrote it into Host? */
static bool same_site(const char *url, const char *host)
{
    if (!host || strncmp(url, "http", 4) != 0) return false;
    url += strncmp(url, "https", 5) == 0 ? 5 : 4;
    if (strncmp(url, "://", 3) != 0) return false;
    url += 3;
    size_t len = strcspn(url, "/?#");
    return len == strlen(host) && strncasecmp(url, host, len) == 0;
}

/* What a form of any site may send unasked. */
static bool is_form_type(const char *type)
{
    static const char *const plain[] = {"application/x-www-form-urlencoded", "multipart/form-data",
                                        "text/plain"};
    if (!type) return true;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strncasecmp(type, plain[i], strlen(plain[i])) == 0) return true;
    return false;
}

enum web_verdict web_check_change(const struct web_head *h, const char *names, bool form)
{
    enum web_verdict v = web_check_any(h, names);
    if (v) return v;
    if (h->origin && !same_site(h->origin, h->host)) return WEB_FOREIGN_ORIGIN;
    if (!h->origin && h->referer && !same_site(h->referer, h->host)) return WEB_FOREIGN_ORIGIN;
    if (h->fetch_site && strcmp(h->fetch_site, "same-origin") != 0 &&
        strcmp(h->fetch_site, "none") != 0)
        return WEB_FOREIGN_ORIGIN;
    if (!form && !h->object && !h->requested_with && is_form_type(h->content_type))
        return WEB_PLAIN_FORM;
    return WEB_ALLOWED;
}

const char *web_verdict_text(enum web_verdict v)
{
    static const char *const text[] = {
        [WEB_ALLOWED] = "allowed",
        [WEB_FOREIGN_HOST] = "this host name is not the device's: open the page by its address",
        [WEB_FOREIGN_ORIGIN] = "a page of another site asked for this: open the device's own page",
        [WEB_PLAIN_FORM] = "a change needs Content-Type: application/json, or X-Requested-With",
    };
    return text[v];
}

bool web_password_fits(const char *authorization, const char *password)
{
    uint8_t raw[HEADER_MAX] = {0}, given[AL_SHA256], wanted[AL_SHA256];
    if (!authorization || strncasecmp(authorization, "Basic ", 6) != 0) return false;
    const char *code = authorization + 6;
    size_t len = strlen(code);
    if (len == 0 || len % 4 != 0 || len / 4 * 3 >= sizeof raw) return false;
    if (EVP_DecodeBlock(raw, (const unsigned char *)code, (int)len) < 0) return false;
    char *colon = memchr(raw, ':', sizeof raw - 1);
    if (!colon) return false;
    crypto_digest(AL_SHA256, colon + 1, strlen(colon + 1), given);
    crypto_digest(AL_SHA256, password, strlen(password), wanted);
    OPENSSL_cleanse(raw, sizeof raw);
    return CRYPTO_memcmp(given, wanted, sizeof given) == 0;
}

int web_failures_wait(const struct web_failures *f, const char *peer, int64_t now_s)
{
    for (size_t i = 0; i < WEB_FAILURES_PEERS; i++) {
        if (f->entry[i].count < WEB_FAILURES_FREE || strcmp(f->entry[i].peer, peer) != 0) continue;
        int64_t left = f->entry[i].last_s + WEB_FAILURES_WAIT_S - now_s;
        return left > 0 ? (int)left : 0;
    }
    return 0;
}

void web_failures_note(struct web_failures *f, const char *peer, int64_t now_s, bool right)
{
    size_t oldest = 0, found = WEB_FAILURES_PEERS;
    for (size_t i = 0; i < WEB_FAILURES_PEERS; i++) {
        if (f->entry[i].count && strcmp(f->entry[i].peer, peer) == 0) found = i;
        if (f->entry[i].last_s < f->entry[oldest].last_s || !f->entry[i].count) oldest = i;
    }
    if (right && found == WEB_FAILURES_PEERS) return;
    size_t i = found < WEB_FAILURES_PEERS ? found : oldest;
    if (right || found == WEB_FAILURES_PEERS) f->entry[i].count = 0;
    if (right) return;
    strncpy(f->entry[i].peer, peer, sizeof f->entry[i].peer - 1);
    f->entry[i].count++;
    f->entry[i].last_s = now_s;
}
