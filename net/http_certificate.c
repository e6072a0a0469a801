/* Certificates of a running HTTP server. See http_certificate.h. */
#include "net/http_certificate.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CHAIN 16u

struct http_certificate {
    struct http_certificate *before; /* the one replaced; a handshake may still use it */
    gnutls_pcert_st chain[MAX_CHAIN];
    unsigned count;
    gnutls_privkey_t key;
};

static void certificate_free(struct http_certificate *c)
{
    for (unsigned i = 0; i < c->count; i++) gnutls_pcert_deinit(&c->chain[i]);
    if (c->key) gnutls_privkey_deinit(c->key);
    free(c);
}

static gnutls_datum_t datum_of(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)};
}

static int import(struct http_certificate *c, const char *cert_pem, const char *key_pem)
{
    gnutls_datum_t cert = datum_of(cert_pem), key = datum_of(key_pem);
    unsigned count = MAX_CHAIN;
    int err = gnutls_pcert_list_import_x509_raw(c->chain, &count, &cert, GNUTLS_X509_FMT_PEM, 0);
    if (err < 0) return err;
    c->count = count;
    if ((err = gnutls_privkey_init(&c->key)) < 0) return err;
    return gnutls_privkey_import_x509_raw(c->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
}

int http_certificates_set(struct http_certificates *all, const char *cert_pem, const char *key_pem,
                          char *why, size_t why_size)
{
    struct http_certificate *c = calloc(1, sizeof *c);
    int err = c ? import(c, cert_pem, key_pem) : GNUTLS_E_MEMORY_ERROR;
    if (err >= 0 && c) {
        c->before = all->now;
        all->now = c;
        return 0;
    }
    snprintf(why, why_size, "the server's certificate or key cannot be used: %s",
             gnutls_strerror(err));
    if (c) certificate_free(c);
    return -1;
}

int http_certificates_get(const struct http_certificates *all, gnutls_pcert_st **chain,
                          unsigned *count, gnutls_privkey_t *key)
{
    struct http_certificate *c = all->now;
    if (!c) return -1;
    *chain = c->chain;
    *count = c->count;
    *key = c->key;
    return 0;
}

void http_certificates_free(struct http_certificates *all)
{
    struct http_certificate *c = all->now;
    all->now = NULL;
    while (c) {
        struct http_certificate *before = c->before;
        certificate_free(c);
        c = before;
    }
}
