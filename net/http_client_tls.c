#include "net/http_client_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALPN_MAX 256

struct http_tls {
    bool insecure, skip_name_check, ca_bundle, sessions;
    int version;
    char *ca; /* PEM text */
    size_t ca_len;
    bool ca_unreadable; /* anchors were given, but no certificate is in them */
    char *ca_file, *common_name, *client_cert, *client_key, *key_password;
    unsigned char alpn[ALPN_MAX]; /* each name with its length before it */
    unsigned alpn_len;
    /* What the last verification said. */
    int fault; /* X509_V_ERR_* */
    char subject[200], issuer[200];
    char not_before[32], not_after[32];
};

static int ctx_index; /* our http_tls of an SSL_CTX */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_index(void)
{
    ctx_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static char *copy(const char *s)
{
    return s ? strdup(s) : NULL;
}

static char *pem_of_der(const unsigned char *der, size_t len)
{
    X509 *cert = d2i_X509(NULL, &der, (long)len);
    BIO *mem = cert ? BIO_new(BIO_s_mem()) : NULL;
    char *text = NULL, *data;
    if (mem && PEM_write_bio_X509(mem, cert)) {
        long n = BIO_get_mem_data(mem, &data);
        text = strndup(data, (size_t)n);
    }
    BIO_free(mem);
    X509_free(cert);
    ERR_clear_error();
    return text;
}

char *http_tls_pem(const void *data, size_t len)
{
    char *text = strndup(data, len); /* a length may count the NUL */
    if (text && strstr(text, "-----BEGIN ")) return text;
    free(text);
    return pem_of_der(data, len);
}

static void take_anchors(struct http_tls *t, const struct http_config *cfg)
{
    t->ca = http_tls_pem(cfg->ca_pem, cfg->ca_pem_len ? cfg->ca_pem_len : strlen(cfg->ca_pem));
    t->ca_len = t->ca ? strlen(t->ca) : 0;
    t->ca_unreadable = !t->ca;
}

static void take_alpn(struct http_tls *t, const char *const *names)
{
    for (; names && *names; names++) {
        size_t n = strlen(*names);
        if (n == 0 || n > 255 || t->alpn_len + n + 1 > ALPN_MAX) continue;
        t->alpn[t->alpn_len++] = (unsigned char)n;
        memcpy(t->alpn + t->alpn_len, *names, n);
        t->alpn_len += (unsigned)n;
    }
}

struct http_tls *http_tls_new(const struct http_config *cfg)
{
    pthread_once(&once, make_index);
    struct http_tls *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->insecure = cfg->insecure;
    t->skip_name_check = cfg->skip_name_check;
    t->ca_bundle = cfg->ca_bundle;
    t->sessions = cfg->tls_sessions;
    t->version = cfg->tls_version;
    t->ca_file = copy(cfg->ca_file);
    t->common_name = copy(cfg->common_name);
    t->client_cert = copy(cfg->client_cert_pem);
    t->client_key = copy(cfg->client_key_pem);
    t->key_password = copy(cfg->client_key_password);
    if (cfg->ca_pem) take_anchors(t, cfg);
    take_alpn(t, cfg->alpn);
    return t;
}

void http_tls_free(struct http_tls *t)
{
    if (!t) return;
    free(t->ca);
    free(t->ca_file);
    free(t->common_name);
    free(t->client_cert);
    if (t->client_key) OPENSSL_cleanse(t->client_key, strlen(t->client_key));
    free(t->client_key);
    if (t->key_password) OPENSSL_cleanse(t->key_password, strlen(t->key_password));
    free(t->key_password);
    free(t);
}

static void date_text(const ASN1_TIME *when, char text[static 32])
{
    struct tm tm;
    text[0] = 0;
    if (when && ASN1_TIME_to_tm(when, &tm)) strftime(text, 32, "%Y-%m-%d %H:%M UTC", &tm);
}

/* OpenSSL asks about each certificate; only the first fault is kept. */
static int note_verification(int ok, X509_STORE_CTX *store)
{
    if (ok) return ok;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct http_tls *t = ssl ? SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ctx_index) : NULL;
    if (!t || t->fault) return 0;
    t->fault = X509_STORE_CTX_get_error(store);
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    if (!cert) return 0;
    X509_NAME_oneline(X509_get_subject_name(cert), t->subject, sizeof t->subject);
    X509_NAME_oneline(X509_get_issuer_name(cert), t->issuer, sizeof t->issuer);
    date_text(X509_get0_notBefore(cert), t->not_before);
    date_text(X509_get0_notAfter(cert), t->not_after);
    return 0;
}

/* Adds the certificates of t->ca to the system's. */
static void add_anchors(struct http_tls *t, SSL_CTX *ctx)
{
    BIO *mem = BIO_new_mem_buf(t->ca, (int)t->ca_len);
    X509 *cert;
    while (mem && (cert = PEM_read_bio_X509(mem, NULL, NULL, NULL))) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), cert);
        X509_free(cert);
    }
    BIO_free(mem);
    ERR_clear_error();
}

static CURLcode prepare_ctx(CURL *easy, void *ssl_ctx, void *user)
{
    SSL_CTX *ctx = ssl_ctx;
    struct http_tls *t = user;
    t->fault = 0;
    t->subject[0] = t->issuer[0] = 0;
    SSL_CTX_set_ex_data(ctx, ctx_index, t);
    SSL_CTX_set_verify(ctx, SSL_CTX_get_verify_mode(ctx), note_verification);
    SSL_CTX_set_msg_callback(ctx, NULL); /* libcurl's trace of every record costs time */
    /* The bodies here end by their own length or hash; servers that forget the
     * closing alert are common (openssl s_server among them). */
    SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (t->ca && t->ca_bundle) add_anchors(t, ctx);
    if (t->common_name && !t->insecure && !t->skip_name_check) {
        X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
        if (!X509_VERIFY_PARAM_set1_ip_asc(param, t->common_name) &&
            !X509_VERIFY_PARAM_set1_host(param, t->common_name, 0))
            return CURLE_OUT_OF_MEMORY;
        ERR_clear_error();
    }
    if (t->alpn_len && SSL_CTX_set_alpn_protos(ctx, t->alpn, t->alpn_len))
        return CURLE_OUT_OF_MEMORY;
    return CURLE_OK;
}

static void set_blob(CURL *easy, CURLoption option, char *data, size_t len)
{
    struct curl_blob blob = {.data = data, .len = len, .flags = CURL_BLOB_NOCOPY};
    curl_easy_setopt(easy, option, &blob);
}

static void apply_anchors(struct http_tls *t, CURL *easy)
{
    /* libcurl trusts the system's store unless told otherwise. */
    if (!t->ca_bundle) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, t->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    } else if (t->ca_file) {
        const char *path = curl_version_info(CURLVERSION_NOW)->capath;
        curl_easy_setopt(easy, CURLOPT_CAINFO, t->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, path ? path : "/etc/ssl/certs");
    }
    if (t->ca && !t->ca_bundle) set_blob(easy, CURLOPT_CAINFO_BLOB, t->ca, t->ca_len);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, t->insecure ? 0L : 1L);
    bool by_url = !t->insecure && !t->skip_name_check && !t->common_name;
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, by_url ? 2L : 0L);
}

void http_tls_apply(struct http_tls *t, CURL *easy)
{
    apply_anchors(t, easy);
    long version = t->version == 13   ? CURL_SSLVERSION_TLSv1_3 | CURL_SSLVERSION_MAX_TLSv1_3
                   : t->version == 12 ? CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2
                                      : CURL_SSLVERSION_TLSv1_2;
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, version);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, t->sessions ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, t->alpn_len ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, prepare_ctx);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, t);
    if (t->client_cert)
        set_blob(easy, CURLOPT_SSLCERT_BLOB, t->client_cert, strlen(t->client_cert));
    if (t->client_key) set_blob(easy, CURLOPT_SSLKEY_BLOB, t->client_key, strlen(t->client_key));
    if (t->key_password) curl_easy_setopt(easy, CURLOPT_KEYPASSWD, t->key_password);
}

static int explain_clock(const struct http_tls *t, bool expired, char *text, size_t size)
{
    char now[32];
    time_t seconds = time(NULL);
    struct tm tm;
    strftime(now, sizeof now, "%Y-%m-%d %H:%M UTC", gmtime_r(&seconds, &tm));
    return snprintf(text, size, "certificate %s is valid from %s to %s, but the clock says %s: %s",
                    t->subject, t->not_before, t->not_after, now,
                    expired ? "renew the server's certificate, or set the clock if it is ahead"
                            : "set the clock, or wait until the certificate is valid");
}

static int explain_fault(const struct http_tls *t, const char *host, char *text, size_t size)
{
    switch (t->fault) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return explain_clock(t, t->fault == X509_V_ERR_CERT_HAS_EXPIRED, text, size);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return snprintf(text, size,
                        "certificate %s was issued by %s, which is not among the trusted "
                        "certificates%s: trust that issuer's root certificate",
                        t->subject, t->issuer, t->ca_bundle ? " of this system" : " given");
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return snprintf(text, size,
                        "certificate %s is not for the expected name \"%s\": correct the expected "
                        "name, or use the server that has it",
                        t->subject, t->common_name ? t->common_name : host);
    default:
        return snprintf(text, size, "certificate %s is refused: %s", t->subject,
                        X509_verify_cert_error_string(t->fault));
    }
}

int http_tls_explain(const struct http_tls *t, CURLcode code, const char *host,
                     const char *curl_says, char *text, size_t size)
{
    if (code == CURLE_SSL_CACERT_BADFILE || (t->ca_unreadable && !t->insecure))
        return snprintf(text, size,
                        "the trusted certificates%s%s cannot be read: expected PEM text%s (%s)",
                        t->ca_file ? " in " : "", t->ca_file ? t->ca_file : "",
                        t->ca_file ? "" : ", or one DER certificate", curl_says);
    if (code == CURLE_SSL_CERTPROBLEM)
        return snprintf(text, size,
                        "the client's own certificate or key cannot be used: check that both are "
                        "PEM, belong together, and that the password fits (%s)",
                        curl_says);
    if (t->fault && !t->insecure) return explain_fault(t, host, text, size);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return snprintf(text, size,
                        "the server's certificate is not for \"%s\": use the name that is in the "
                        "certificate, or expect that name (common_name) (%s)",
                        host, curl_says);
    return snprintf(text, size,
                    "TLS handshake with %s failed: %s; check that it is an https server and which "
                    "TLS versions it speaks",
                    host, curl_says);
}
