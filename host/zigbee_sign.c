#include "host/zigbee_sign.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/err.h"
#include "host/file.h"
#include "zigbee/hash.h"

#define KEY_FILE_MAX 65536u

static const struct zigbee_suite suites[2] = {
    {1, "sect163k1", AL_ZFILE_SIGNATURE, AL_ZFILE_CERTIFICATE, 42, 48, 22, 0, 22, 30},
    {2, "sect283k1", AL_ZFILE_SIGNATURE_2, AL_ZFILE_CERTIFICATE_2, 72, 74, 37, 37, 28, 11},
};

struct zigbee_key {
    const struct zigbee_suite *suite;
    EC_GROUP *group;
    EC_POINT *point;
    BIGNUM *secret; /* NULL: a public key */
};

const struct zigbee_suite *zigbee_suite(int number)
{
    return number == 1 || number == 2 ? &suites[number - 1] : NULL;
}

const struct zigbee_suite *zigbee_suite_of_tag(uint16_t tag)
{
    for (size_t i = 0; i < 2; i++)
        if (suites[i].signature_tag == tag || suites[i].certificate_tag == tag) return &suites[i];
    return NULL;
}

const struct zigbee_suite *zigbee_suite_of_certificate(size_t len)
{
    for (size_t i = 0; i < 2; i++)
        if (suites[i].certificate_len == len) return &suites[i];
    return NULL;
}

static uint64_t get_be64(const uint8_t *p)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++) v = v << 8 | p[i];
    return v;
}

static void put_be(uint8_t *p, uint64_t v, unsigned bytes)
{
    while (bytes--) *p++ = (uint8_t)(v >> 8 * bytes);
}

uint64_t zigbee_certificate_subject(const struct zigbee_suite *s, const uint8_t *certificate)
{
    return get_be64(certificate + s->subject_at);
}

uint64_t zigbee_certificate_issuer(const struct zigbee_suite *s, const uint8_t *certificate)
{
    return get_be64(certificate + s->issuer_at);
}

void zigbee_key_free(struct zigbee_key *key)
{
    if (!key) return;
    EC_POINT_free(key->point);
    BN_clear_free(key->secret);
    EC_GROUP_free(key->group);
    free(key);
}

/* Without point and secret; NULL: out of memory, or OpenSSL lacks the curve. */
static struct zigbee_key *new_key(const struct zigbee_suite *s)
{
    struct zigbee_key *key = calloc(1, sizeof *key);
    if (!key) return NULL;
    key->suite = s;
    key->group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(s->curve));
    key->point = key->group ? EC_POINT_new(key->group) : NULL;
    if (key->point) return key;
    zigbee_key_free(key);
    return NULL;
}

/* 0 < secret < order; takes over secret. */
static int set_secret(struct zigbee_key *key, BIGNUM *secret)
{
    key->secret = secret;
    if (!secret || BN_is_zero(secret) || BN_is_negative(secret) ||
        BN_cmp(secret, EC_GROUP_get0_order(key->group)) >= 0)
        return AL_ERR_INVALID_ARG;
    return EC_POINT_mul(key->group, key->point, secret, NULL, NULL, NULL) ? 0 : AL_FAIL;
}

static int set_point(struct zigbee_key *key, const uint8_t *point, size_t len)
{
    if (!EC_POINT_oct2point(key->group, key->point, point, len, NULL) ||
        EC_POINT_is_at_infinity(key->group, key->point))
        return AL_ERR_INVALID_ARG;
    return 0;
}

static int from_pkey(const EVP_PKEY *pkey, struct zigbee_key **out)
{
    char curve[32] = "";
    uint8_t point[80];
    size_t point_len = 0;
    BIGNUM *secret = NULL;
    const struct zigbee_suite *s = NULL;
    EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve, NULL);
    for (size_t i = 0; i < 2; i++)
        if (strcmp(curve, suites[i].curve) == 0) s = &suites[i];
    if (!s) return AL_ERR_NOT_SUPPORTED;
    struct zigbee_key *key = new_key(s);
    if (!key) return AL_ERR_NO_MEM;
    int err = AL_ERR_INVALID_ARG;
    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &secret))
        err = set_secret(key, secret);
    else if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
                                             &point_len))
        err = set_point(key, point, point_len);
    if (err)
        zigbee_key_free(key);
    else
        *out = key;
    return err;
}

static int no_password(char *buf, int size, int writing, void *ctx)
{
    return -1; /* never ask on the terminal */
}

static EVP_PKEY *read_pem(const uint8_t *data, size_t len)
{
    BIO *bio = BIO_new_mem_buf(data, (int)len);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    if (bio && !pkey) {
        (void)BIO_reset(bio);
        pkey = PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
    }
    BIO_free(bio);
    return pkey;
}

/* Hexadecimal digits with white space around: how many bytes; 0: something else. */
static size_t read_hex(const uint8_t *text, size_t len, uint8_t *out, size_t max)
{
    size_t n = 0;
    while (len && isspace(text[len - 1])) len--;
    while (len && isspace(*text)) text++, len--;
    if (len % 2 || len / 2 > max) return 0;
    for (; n < len / 2; n++) {
        int high = OPENSSL_hexchar2int(text[2 * n]), low = OPENSSL_hexchar2int(text[2 * n + 1]);
        if (high < 0 || low < 0) return 0;
        out[n] = (uint8_t)(high << 4 | low);
    }
    return n;
}

size_t zigbee_certificate_from_text(uint8_t *data, size_t len)
{
    uint8_t bytes[ZIGBEE_CERTIFICATE_MAX];
    if (zigbee_suite_of_certificate(len)) return len;
    size_t n = read_hex(data, len, bytes, sizeof bytes);
    if (!zigbee_suite_of_certificate(n)) return 0;
    memcpy(data, bytes, n);
    return n;
}

/* By its length: 21, 36 are private keys, 22, 37 compressed public ones. */
static int from_bytes(const uint8_t *bytes, size_t len, struct zigbee_key **out)
{
    for (size_t i = 0; i < 2; i++) {
        const struct zigbee_suite *s = &suites[i];
        bool private = len == s->point_len - 1u;
        if (!private && len != s->point_len) continue;
        struct zigbee_key *key = new_key(s);
        if (!key) return AL_ERR_NO_MEM;
        int err = private ? set_secret(key, BN_bin2bn(bytes, (int)len, NULL))
                          : set_point(key, bytes, len);
        if (err)
            zigbee_key_free(key);
        else
            *out = key;
        return err;
    }
    return AL_ERR_INVALID_ARG;
}

int zigbee_key_load(const char *path, struct zigbee_key **key)
{
    uint8_t *data, bytes[40];
    size_t len;
    int err = file_read(path, KEY_FILE_MAX, &data, &len);
    if (err) return err;
    size_t n = read_hex(data, len, bytes, sizeof bytes);
    if (n) {
        err = from_bytes(bytes, n, key);
    } else {
        EVP_PKEY *pkey = read_pem(data, len);
        err = pkey ? from_pkey(pkey, key) : AL_ERR_INVALID_ARG;
        EVP_PKEY_free(pkey);
    }
    OPENSSL_cleanse(data, len);
    OPENSSL_cleanse(bytes, sizeof bytes);
    free(data);
    return err;
}

const struct zigbee_suite *zigbee_key_suite(const struct zigbee_key *key)
{
    return key->suite;
}

bool zigbee_key_is_private(const struct zigbee_key *key)
{
    return key->secret != NULL;
}

bool zigbee_key_same(const struct zigbee_key *a, const struct zigbee_key *b)
{
    return a->suite == b->suite && EC_POINT_cmp(a->group, a->point, b->point, NULL) == 0;
}

int zigbee_key_point(const struct zigbee_key *key, uint8_t *point)
{
    size_t len = EC_POINT_point2oct(key->group, key->point, POINT_CONVERSION_COMPRESSED, point,
                                    key->suite->point_len, NULL);
    return len == key->suite->point_len ? 0 : AL_FAIL;
}

/* e: the hash of a certificate as a number. */
static BIGNUM *certificate_hash(const struct zigbee_suite *s, const uint8_t *certificate,
                                const struct al_aes *aes)
{
    uint8_t hash[16];
    al_mmo(aes, certificate, s->certificate_len, hash);
    return BN_bin2bn(hash, sizeof hash, NULL);
}

int zigbee_key_of_certificate(const struct zigbee_suite *s, const uint8_t *certificate,
                              const struct zigbee_key *authority, const struct al_aes *aes,
                              struct zigbee_key **out)
{
    if (authority->suite != s) return AL_ERR_INVALID_ARG;
    struct zigbee_key *key = new_key(s);
    if (!key) return AL_ERR_NO_MEM;
    BIGNUM *e = certificate_hash(s, certificate, aes);
    int err = set_point(key, certificate + s->point_at, s->point_len);
    if (!err && (!EC_POINT_mul(key->group, key->point, NULL, key->point, e, NULL) ||
                 !EC_POINT_add(key->group, key->point, key->point, authority->point, NULL) ||
                 EC_POINT_is_at_infinity(key->group, key->point)))
        err = AL_ERR_INVALID_ARG;
    BN_free(e);
    if (err)
        zigbee_key_free(key);
    else
        *out = key;
    return err;
}

/* The key as OpenSSL signs with it. */
static EVP_PKEY *to_pkey(const struct zigbee_key *key)
{
    uint8_t point[80];
    EVP_PKEY *pkey = NULL;
    size_t len = EC_POINT_point2oct(key->group, key->point, POINT_CONVERSION_UNCOMPRESSED, point,
                                    sizeof point, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    bool ok =
        build && ctx && len &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, key->suite->curve, 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, len) &&
        (!key->secret || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, key->secret));
    OSSL_PARAM *params = ok ? OSSL_PARAM_BLD_to_param(build) : NULL;
    if (params && EVP_PKEY_fromdata_init(ctx) > 0)
        EVP_PKEY_fromdata(ctx, &pkey, key->secret ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

int zigbee_key_write(const struct zigbee_key *key, const char *path)
{
    EVP_PKEY *pkey = to_pkey(key);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    int err = -ENOMEM;
    if (pkey && bio && PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)) {
        long len = BIO_get_mem_data(bio, &text);
        err = file_write(path, text, (size_t)len, 0600);
    }
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return err;
}

/* DER to r and s of equal length, one behind the other. */
static int split_signature(const struct zigbee_suite *s, const uint8_t *der, size_t len,
                           uint8_t *signature)
{
    int half = s->signature_len / 2;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature, half) == half &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature + half, half) == half;
    ECDSA_SIG_free(sig);
    return ok ? 0 : AL_FAIL;
}

int zigbee_sign(const struct zigbee_key *key, const uint8_t digest[16], uint8_t *signature)
{
    uint8_t der[128];
    size_t len = sizeof der;
    if (!key->secret) return AL_ERR_INVALID_ARG;
    EVP_PKEY *pkey = to_pkey(key);
    EVP_PKEY_CTX *ctx = pkey ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
    int err = AL_FAIL;
    if (ctx && EVP_PKEY_sign_init(ctx) > 0 && EVP_PKEY_sign(ctx, der, &len, digest, 16) > 0)
        err = split_signature(key->suite, der, len, signature);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return err;
}

bool zigbee_signature_ok(const struct zigbee_key *key, const uint8_t digest[16],
                         const uint8_t *signature)
{
    int half = key->suite->signature_len / 2;
    uint8_t *der = NULL;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    EVP_PKEY *pkey = to_pkey(key);
    EVP_PKEY_CTX *ctx = pkey ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
    bool ok = false;
    if (sig && ECDSA_SIG_set0(sig, BN_bin2bn(signature, half, NULL),
                              BN_bin2bn(signature + half, half, NULL))) {
        int len = i2d_ECDSA_SIG(sig, &der);
        ok = len > 0 && ctx && EVP_PKEY_verify_init(ctx) > 0 &&
             EVP_PKEY_verify(ctx, der, (size_t)len, digest, 16) == 1;
    }
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return ok;
}

/* All of a certificate but its point. */
static void fill_certificate(const struct zigbee_suite *s, uint64_t subject, uint64_t issuer,
                             uint64_t now, uint8_t *c)
{
    memset(c, 0, s->certificate_len);
    put_be(c + s->subject_at, subject, 8);
    put_be(c + s->issuer_at, issuer, 8);
    if (s->number == 1) {
        put_be(c + 38, 0x0109, 2); /* profile: Smart Energy */
        return;
    }
    put_be(c + 1, now << 20 ^ subject, 8); /* serial number */
    c[9] = 0x0d;                           /* curve sect283k1 */
    c[10] = 0x08;                          /* hash AES-MMO */
    put_be(c + 19, now, 5);                /* valid from */
    put_be(c + 24, 0xffffffff, 4);         /* for ever */
    c[36] = 0x88;                          /* key usage: signatures, key agreement */
}

static BIGNUM *random_scalar(const EC_GROUP *group)
{
    BIGNUM *k = BN_new();
    while (k && BN_priv_rand_range(k, EC_GROUP_get0_order(group)) && BN_is_zero(k)) continue;
    return k;
}

/* ECQV with both sides in one place: the numbers r of the subject and k of the authority,
 * whose sum gives the point, are one random number r here; the subject's private key is
 * e * r + that of the authority. */
int zigbee_certify(const struct zigbee_key *authority, uint64_t subject, uint64_t issuer,
                   uint64_t now, const struct al_aes *aes, uint8_t *certificate,
                   struct zigbee_key **out)
{
    const struct zigbee_suite *s = authority->suite;
    const BIGNUM *order = EC_GROUP_get0_order(authority->group);
    if (!authority->secret) return AL_ERR_INVALID_ARG;
    struct zigbee_key *point = new_key(s), *key = new_key(s);
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *e = NULL, *d = BN_new();
    int err = AL_ERR_NO_MEM;
    if (point && key && ctx && d) err = set_secret(point, random_scalar(point->group));
    fill_certificate(s, subject, issuer, now, certificate);
    if (!err) err = zigbee_key_point(point, certificate + s->point_at);
    if (!err) e = certificate_hash(s, certificate, aes);
    if (!err && (!e || !BN_mod_mul(d, e, point->secret, order, ctx) ||
                 !BN_mod_add(d, d, authority->secret, order, ctx)))
        err = AL_FAIL;
    if (!err) {
        err = set_secret(key, d);
        d = NULL;
    }
    BN_free(e);
    BN_clear_free(d);
    BN_CTX_free(ctx);
    zigbee_key_free(point);
    if (err)
        zigbee_key_free(key);
    else
        *out = key;
    return err;
}
