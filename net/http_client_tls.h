/* The TLS side of http_client: what of a config goes to libcurl and OpenSSL,
 * and what a failed handshake means in words. */
#ifndef NET_HTTP_CLIENT_TLS_H
#define NET_HTTP_CLIENT_TLS_H

#include "net/http_client.h"

#include <curl/curl.h>

struct http_tls;

/* PEM text of PEM text or of one DER certificate, malloc'ed. NULL: neither. */
char *http_tls_pem(const void *data, size_t len);

/* Copies what it needs of cfg. NULL: no memory. */
struct http_tls *http_tls_new(const struct http_config *cfg);
void http_tls_free(struct http_tls *t);

/* Sets all TLS options of easy; t must outlive it. */
void http_tls_apply(struct http_tls *t, CURL *easy);

/* The certificate fault of the last handshake in words: what is wrong with which
 * certificate and what to do. host: name that was asked for; curl_says: libcurl's
 * message. Returns the length, as snprintf. */
int http_tls_explain(const struct http_tls *t, CURLcode code, const char *host,
                     const char *curl_says, char *text, size_t size);

#endif
