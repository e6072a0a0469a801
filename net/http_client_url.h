/* URLs taken apart, and references ("/v2/app.bin", "../app.bin") resolved
 * against the URL they came from. RFC 3986, through libcurl. */
#ifndef NET_HTTP_CLIENT_URL_H
#define NET_HTTP_CLIENT_URL_H

#include <stdbool.h>
#include <stddef.h>

/* All strings are malloc'ed. */
struct http_url {
    char *scheme;          /* "http", "https", or what was given; lower case */
    char *host;            /* IPv6 literals without brackets */
    char *user, *password; /* decoded; NULL: none in the URL */
    char *path;            /* begins with '/'; not decoded */
    char *query;           /* without '?'; NULL: none */
    int port;              /* given, or 443 for https, 80 otherwise */
};

/* Takes text apart into u; if text is only a reference, what it lacks comes from
 * what u held (u may be all NULL). What was in u is freed.
 * False: no URL, or no host in it or in u; u is then as it was. why: may be NULL. */
bool http_url_parse(struct http_url *u, const char *text, const char **why);
void http_url_clear(struct http_url *u);

/* "scheme://host[:port]path[?query]", malloc'ed; the port only if it is not the
 * scheme's own. No user information. NULL: no memory. */
char *http_url_text(const struct http_url *u);

#endif
