/* The certificate of an HTTP server, replaced while it runs: connections made before keep
 * theirs, later handshakes get the new one. For http_server.c; GnuTLS is what libmicrohttpd
 * speaks TLS with. */
#ifndef NET_HTTP_CERTIFICATE_H
#define NET_HTTP_CERTIFICATE_H

#include <stdatomic.h>
#include <stddef.h>

#include <gnutls/abstract.h>

struct http_certificate;

/* Zeros: none yet. */
struct http_certificates {
    _Atomic(struct http_certificate *) now;
};

/* Puts a chain (PEM, the server's first) and its key (PEM) in force. One caller at a time;
 * handshakes may run meanwhile. 0, or -1 and why; then the one before stays. */
int http_certificates_set(struct http_certificates *all, const char *cert_pem, const char *key_pem,
                          char *why, size_t why_size);

/* For a handshake: chain and key in force, which stay all's. 0, or -1: there is none. */
int http_certificates_get(const struct http_certificates *all, gnutls_pcert_st **chain,
                          unsigned *count, gnutls_privkey_t *key);

/* Once no handshake runs any more. */
void http_certificates_free(struct http_certificates *all);

#endif
