/* Own CA and server certificate, or given ones. See tls_material.h. */
#include "net/tls_material.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "host/file.h"
#include "net/tls_names.h"

#define DAY_S          86400L
#define CA_DAYS        3650L
#define SERVER_DAYS    825L /* the longest that browsers take from a CA added by hand */
#define RENEW_DAYS     90L
#define BACKDATE_DAYS  1L /* for clients whose clock is a little behind */
#define PEM_FILE_LIMIT 1048576u
#define PATH_LEN       4096u

/* One certificate with its key, as files and decoded. */
struct pair {
    char cert_path[PATH_LEN], key_path[PATH_LEN];
    X509 *cert;
    EVP_PKEY *key;
    char *cert_pem, *key_pem;
};

struct maker {
    const char *dir;
    char *why;
    size_t why_size;
};

__attribute__((format(printf, 2, 3))) static void set_fault(struct maker *m, const char *format,
                                                            ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(m->why, m->why_size, format, list);
    va_end(list);
    ERR_clear_error();
}
#define FAULT(...) (set_fault(__VA_ARGS__), -1)

static void pair_free(struct pair *p)
{
    X509_free(p->cert);
    EVP_PKEY_free(p->key);
    free(p->cert_pem);
    if (p->key_pem) OPENSSL_cleanse(p->key_pem, strlen(p->key_pem));
    free(p->key_pem);
    p->cert = NULL, p->key = NULL, p->cert_pem = p->key_pem = NULL;
}

static char *read_text(struct maker *m, const char *what, const char *path)
{
    uint8_t *data;
    size_t len;
    int err = file_read(path, PEM_FILE_LIMIT, &data, &len);
    if (err == 0) return (char *)data;
    set_fault(m, "the %s %s cannot be read: %s", what, path, strerror(-err));
    return NULL;
}

static int refuse_passphrase(char *buf, int size, int writing, void *asked)
{
    *(bool *)asked = true;
    return -1;
}

static X509 *parse_cert(struct maker *m, const char *pem, const char *path)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (!cert)
        set_fault(m, "%s holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", path);
    return cert;
}

static EVP_PKEY *parse_key(struct maker *m, const char *pem, const char *path)
{
    bool asked = false;
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, &asked) : NULL;
    BIO_free(bio);
    if (!key && asked)
        set_fault(m,
                  "the key %s is encrypted; write it without pass phrase first: "
                  "openssl pkey -in %s -out plain.key",
                  path, path);
    else if (!key)
        set_fault(m, "%s holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)", path);
    return key;
}

/* Reads both files and checks that they belong together. */
static int pair_load(struct maker *m, struct pair *p)
{
    if (!(p->cert_pem = read_text(m, "certificate", p->cert_path))) return -1;
    if (!(p->key_pem = read_text(m, "key", p->key_path))) return -1;
    if (!(p->cert = parse_cert(m, p->cert_pem, p->cert_path))) return -1;
    if (!(p->key = parse_key(m, p->key_pem, p->key_path))) return -1;
    if (X509_check_private_key(p->cert, p->key) == 1) return 0;
    return FAULT(m,
                 "the key %s does not fit the certificate %s; give the key that the "
                 "certificate was made for (the server's certificate comes first in its file)",
                 p->key_path, p->cert_path);
}

static char *to_pem(const X509 *cert, const EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *text = NULL;
    bool done = bio && (cert ? PEM_write_bio_X509(bio, cert)
                             : PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
    if (done) {
        long len = BIO_get_mem_data(bio, &data);
        text = strndup(data, (size_t)len);
    }
    BIO_free(bio);
    return text;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool added = e && X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
    return added;
}

static bool set_random_serial(X509 *cert)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
    bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, always 16 bytes */
    BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool set = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
    BN_free(n);
    return set;
}

/* Subject, dates, serial and key: all but issuer and extensions. */
static X509 *begin_cert(EVP_PKEY *key, const char *common_name, long days)
{
    X509 *cert = X509_new();
    X509_NAME *subject = cert ? X509_get_subject_name(cert) : NULL;
    char cn[65];
    snprintf(cn, sizeof cn, "%s", common_name); /* ub-common-name: 64 */
    bool good = subject && X509_set_version(cert, 2) && set_random_serial(cert) &&
                X509_set_pubkey(cert, key) &&
                X509_gmtime_adj(X509_getm_notBefore(cert), -BACKDATE_DAYS * DAY_S) &&
                X509_gmtime_adj(X509_getm_notAfter(cert), days * DAY_S) &&
                X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
                                           (const unsigned char *)"Airlift", -1, -1, 0) &&
                X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)cn,
                                           -1, -1, 0);
    if (good) return cert;
    X509_free(cert);
    return NULL;
}

/* Extensions that tell a CA from a server. san NULL: a CA. */
static bool add_extensions(X509 *cert, X509 *issuer, const char *san)
{
    bool good =
        san ? add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                  add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
                  add_extension(cert, issuer, NID_ext_key_usage, "serverAuth") &&
                  add_extension(cert, issuer, NID_subject_alt_name, san)
            : add_extension(cert, issuer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                  add_extension(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    return good && add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
           add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always");
}

/* Makes p->cert and p->key. signer NULL: signs itself. */
static int pair_make(struct maker *m, struct pair *p, const char *common_name, long days,
                     const struct pair *signer, const char *san)
{
    p->key = EVP_EC_gen("P-256");
    p->cert = p->key ? begin_cert(p->key, common_name, days) : NULL;
    if (!p->cert) return FAULT(m, "no key or certificate could be made: OpenSSL failed");
    X509 *issuer = signer ? signer->cert : p->cert;
    EVP_PKEY *signing_key = signer ? signer->key : p->key;
    if (!X509_set_issuer_name(p->cert, X509_get_subject_name(issuer)) ||
        !add_extensions(p->cert, issuer, san) || !X509_sign(p->cert, signing_key, EVP_sha256()))
        return FAULT(m, "the certificate could not be signed: OpenSSL failed");
    p->key_pem = to_pem(NULL, p->key);
    char *own = to_pem(p->cert, NULL);
    if (own && asprintf(&p->cert_pem, "%s%s", own, signer ? signer->cert_pem : "") < 0)
        p->cert_pem = NULL;
    free(own);
    return p->cert_pem && p->key_pem ? 0 : FAULT(m, "out of memory");
}

/* Key first: a cut between the two leaves a pair that does not fit, and is made again. */
static int pair_write(struct maker *m, const struct pair *p)
{
    int err = file_write(p->key_path, p->key_pem, strlen(p->key_pem), 0600);
    if (err != 0) return FAULT(m, "%s cannot be written: %s", p->key_path, strerror(-err));
    err = file_write(p->cert_path, p->cert_pem, strlen(p->cert_pem), 0644);
    if (err != 0) return FAULT(m, "%s cannot be written: %s", p->cert_path, strerror(-err));
    return 0;
}

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

/* "DNS:a,IP:b" */
static char *san_text(const struct tls_names *names)
{
    size_t room = names->count * (TLS_NAME_LEN + 6) + 1, used = 0;
    char *text = calloc(1, room);
    for (size_t i = 0; text && i < names->count; i++)
        used +=
            (size_t)snprintf(text + used, room - used, "%s%s:%s", i ? "," : "",
                             tls_name_is_address(names->name[i]) ? "IP" : "DNS", names->name[i]);
    return text;
}

/* Does the certificate carry just these names? */
static bool same_names(X509 *cert, const struct tls_names *names)
{
    GENERAL_NAMES *san = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int count = san ? sk_GENERAL_NAME_num(san) : 0;
    bool same = (size_t)count == names->count;
    for (int i = 0; same && i < count; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(san, i);
        char text[TLS_NAME_LEN] = "";
        if (g->type == GEN_DNS)
            snprintf(text, sizeof text, "%s", (const char *)ASN1_STRING_get0_data(g->d.dNSName));
        else if (g->type == GEN_IPADD)
            inet_ntop(ASN1_STRING_length(g->d.iPAddress) == 4 ? AF_INET : AF_INET6,
                      ASN1_STRING_get0_data(g->d.iPAddress), text, sizeof text);
        same = tls_names_have(names, text);
    }
    GENERAL_NAMES_free(san);
    return same;
}

static void set_paths(struct maker *m, struct pair *p, const char *name)
{
    snprintf(p->cert_path, sizeof p->cert_path, "%s/%s.pem", m->dir, name);
    snprintf(p->key_path, sizeof p->key_path, "%s/%s.key", m->dir, name);
}

/* Loads the CA's certificate; its key only when one has to sign. Makes both when the
 * certificate is not there. */
static int ca_ready(struct maker *m, struct pair *ca, const char *host, bool *made)
{
    *made = !exists(ca->cert_path);
    if (*made) {
        char name[TLS_NAME_LEN + 32];
        snprintf(name, sizeof name, "Airlift CA of %.40s", host);
        if (pair_make(m, ca, name, CA_DAYS, NULL, NULL) != 0) return -1;
        return pair_write(m, ca);
    }
    if (!(ca->cert_pem = read_text(m, "CA certificate", ca->cert_path))) return -1;
    if (!(ca->cert = parse_cert(m, ca->cert_pem, ca->cert_path))) return -1;
    if (X509_cmp_current_time(X509_get0_notBefore(ca->cert)) > 0)
        return FAULT(m, "the CA %s is not valid yet; is the clock of this machine right?",
                     ca->cert_path);
    if (X509_cmp_current_time(X509_get0_notAfter(ca->cert)) < 0)
        return FAULT(m,
                     "the CA %s is no longer valid. If the clock of this machine is right, move "
                     "the directory %s away; a new CA is made then, and clients have to trust it",
                     ca->cert_path, m->dir);
    return 0;
}

static bool server_still_good(const struct pair *server, const struct pair *ca,
                              const struct tls_names *names)
{
    time_t soon = time(NULL) + RENEW_DAYS * DAY_S;
    EVP_PKEY *ca_key = X509_get0_pubkey(ca->cert);
    return ca_key && X509_verify(server->cert, ca_key) == 1 &&
           X509_cmp_time(X509_get0_notAfter(server->cert), &soon) > 0 &&
           X509_cmp_current_time(X509_get0_notBefore(server->cert)) < 0 &&
           same_names(server->cert, names);
}

/* Loads the server's certificate, or makes it. */
static int server_ready(struct maker *m, struct pair *server, struct pair *ca,
                        const struct tls_names *names, bool *made)
{
    if (pair_load(m, server) == 0 && server_still_good(server, ca, names)) return 0;
    pair_free(server);
    ERR_clear_error();
    *made = true;
    if (!ca->key) {
        free(ca->cert_pem);
        X509_free(ca->cert);
        ca->cert_pem = NULL, ca->cert = NULL;
        if (pair_load(m, ca) != 0) {
            char what[PATH_LEN + 512];
            snprintf(what, sizeof what, "%s", m->why);
            return FAULT(m, "a new server certificate is needed, but %s", what);
        }
    }
    char *san = san_text(names);
    int err = san ? pair_make(m, server, names->name[0], SERVER_DAYS, ca, san)
                  : FAULT(m, "out of memory");
    free(san);
    return err == 0 ? pair_write(m, server) : err;
}

static void set_fingerprint(struct tls_material *out, const X509 *cert)
{
    unsigned char digest[32];
    unsigned len = 0;
    if (!X509_digest(cert, EVP_sha256(), digest, &len)) return;
    for (unsigned i = 0; i < len; i++)
        snprintf(out->fingerprint + 3 * i, 4, "%02X%s", digest[i], i + 1 < len ? ":" : "");
}

int tls_material_own(const char *dir, const char *const *names, struct tls_material *out, char *why,
                     size_t why_size)
{
    struct maker m = {dir, why, why_size};
    struct pair ca = {0}, server = {0};
    struct tls_names *all = calloc(1, sizeof *all);
    const char *bad;
    *out = (struct tls_material){0};
    if (!all) return FAULT(&m, "out of memory");
    set_paths(&m, &ca, "ca");
    set_paths(&m, &server, "server");
    int err = file_make_dirs(dir, 0755);
    if (err != 0)
        err = FAULT(&m, "the directory %s cannot be made: %s", dir, strerror(-err));
    else if (tls_names_collect(names, all, &bad) != 0)
        err = FAULT(&m, "'%s' is neither a host name nor an address", bad);
    else
        err = ca_ready(&m, &ca, all->name[0], &out->made_ca);
    if (err == 0) err = server_ready(&m, &server, &ca, all, &out->made_cert);
    if (err == 0) {
        set_fingerprint(out, ca.cert);
        out->cert_pem = server.cert_pem, server.cert_pem = NULL;
        out->key_pem = server.key_pem, server.key_pem = NULL;
        out->ca_pem = ca.cert_pem, ca.cert_pem = NULL;
    }
    free(all);
    pair_free(&ca);
    pair_free(&server);
    return err;
}

int tls_material_load(const char *cert_path, const char *key_path, struct tls_material *out,
                      char *why, size_t why_size)
{
    struct maker m = {NULL, why, why_size};
    struct pair p = {0};
    *out = (struct tls_material){0};
    why[0] = 0;
    snprintf(p.cert_path, sizeof p.cert_path, "%s", cert_path);
    snprintf(p.key_path, sizeof p.key_path, "%s", key_path);
    int err = pair_load(&m, &p);
    if (err == 0) {
        if (X509_cmp_current_time(X509_get0_notBefore(p.cert)) > 0)
            set_fault(&m,
                      "the certificate %s is not valid yet; is the clock of this machine right?",
                      cert_path);
        else if (X509_cmp_current_time(X509_get0_notAfter(p.cert)) < 0)
            set_fault(&m, "the certificate %s is no longer valid; clients will refuse it",
                      cert_path);
        set_fingerprint(out, p.cert);
        out->cert_pem = p.cert_pem, p.cert_pem = NULL;
        out->key_pem = p.key_pem, p.key_pem = NULL;
    }
    pair_free(&p);
    return err;
}

void tls_material_free(struct tls_material *m)
{
    free(m->cert_pem);
    if (m->key_pem) OPENSSL_cleanse(m->key_pem, strlen(m->key_pem));
    free(m->key_pem);
    free(m->ca_pem);
    *m = (struct tls_material){0};
}
