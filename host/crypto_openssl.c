#include "host/crypto_openssl.h"

#include "core/err.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <string.h>

static const EVP_MD *md_of(enum al_hash_alg alg)
{
    return alg == AL_MD5 ? EVP_md5() : alg == AL_SHA256 ? EVP_sha256() : EVP_sha384();
}

/* h->store holds only the pointer to the context. */
static void set_context(struct al_hash *h, EVP_MD_CTX *ctx)
{
    h->store[0] = (uintptr_t)ctx;
}

static EVP_MD_CTX *context_of(const struct al_hash *h)
{
    return (EVP_MD_CTX *)(uintptr_t)h->store[0];
}

static int hash_begin(struct al_hash *h)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    set_context(h, ctx);
    if (!ctx) return AL_ERR_NO_MEM;
    return EVP_DigestInit_ex(ctx, md_of(h->alg), NULL) == 1 ? AL_OK : AL_FAIL;
}

static int hash_update(struct al_hash *h, const void *data, size_t len)
{
    EVP_MD_CTX *ctx = context_of(h);
    return ctx && EVP_DigestUpdate(ctx, data, len) == 1 ? AL_OK : AL_FAIL;
}

static int hash_finish(struct al_hash *h, uint8_t *digest)
{
    EVP_MD_CTX *ctx = context_of(h);
    int err = AL_OK;
    if (digest) err = ctx && EVP_DigestFinal_ex(ctx, digest, NULL) == 1 ? AL_OK : AL_FAIL;
    EVP_MD_CTX_free(ctx);
    set_context(h, NULL);
    return err;
}

/* A public key from named parameters; NULL when they make none. */
static EVP_PKEY *public_key(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *rsa_key(const uint8_t n[384], uint32_t e)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *modulus = BN_lebin2bn(n, 384, NULL);
    if (build && modulus && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) &&
        OSSL_PARAM_BLD_push_uint32(build, OSSL_PKEY_PARAM_RSA_E, e))
        key = public_key("RSA", build);
    BN_free(modulus);
    OSSL_PARAM_BLD_free(build);
    return key;
}

static int rsa_pss_verify(const uint8_t n[384], uint32_t e, const uint8_t digest[32],
                          const uint8_t sig[384])
{
    uint8_t big_endian[384];
    for (size_t i = 0; i < sizeof big_endian; i++) big_endian[i] = sig[sizeof big_endian - 1 - i];

    EVP_PKEY *key = rsa_key(n, e);
    EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    bool good = ctx && EVP_PKEY_verify_init(ctx) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32) == 1 &&
                EVP_PKEY_verify(ctx, big_endian, sizeof big_endian, digest, 32) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return good ? AL_OK : AL_FAIL;
}

static EVP_PKEY *ec_key(const char *group, const uint8_t *x, const uint8_t *y, size_t len)
{
    uint8_t point[1 + 2 * 48] = {4}; /* uncompressed */
    for (size_t i = 0; i < len; i++) {
        point[1 + i] = x[len - 1 - i];
        point[1 + len + i] = y[len - 1 - i];
    }
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (build && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * len))
        key = public_key("EC", build);
    OSSL_PARAM_BLD_free(build);
    return key;
}

/* The DER form that EVP takes; the length, or 0. */
static size_t ecdsa_der(const uint8_t *r, const uint8_t *s, size_t len, uint8_t der[160])
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *br = BN_lebin2bn(r, (int)len, NULL), *bs = BN_lebin2bn(s, (int)len, NULL);
    if (!sig || !br || !bs || !ECDSA_SIG_set0(sig, br, bs)) {
        BN_free(br);
        BN_free(bs);
        ECDSA_SIG_free(sig);
        return 0;
    }
    uint8_t *p = der;
    int n = i2d_ECDSA_SIG(sig, &p); /* two numbers of at most 49 bytes: fits */
    ECDSA_SIG_free(sig);
    return n > 0 ? (size_t)n : 0;
}

static int ecdsa_verify(enum al_curve curve, const uint8_t *x, const uint8_t *y,
                        const uint8_t *digest, size_t digest_len, const uint8_t *r,
                        const uint8_t *s)
{
    static const struct {
        const char *group;
        size_t len;
    } curves[] = {
        [AL_P192] = {"prime192v1", 24},
        [AL_P256] = {"prime256v1", 32},
        [AL_P384] = {"secp384r1", 48},
    };
    if (curve < AL_P192 || curve > AL_P384) return AL_ERR_NOT_SUPPORTED;
    size_t len = curves[curve].len;

    uint8_t der[160];
    size_t der_len = ecdsa_der(r, s, len, der);
    EVP_PKEY *key = ec_key(curves[curve].group, x, y, len);
    EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    bool good = der_len && ctx && EVP_PKEY_verify_init(ctx) == 1 &&
                EVP_PKEY_verify(ctx, der, der_len, digest, digest_len) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return good ? AL_OK : AL_FAIL;
}

const struct al_crypto crypto_openssl = {
    .hash_begin = hash_begin,
    .hash_update = hash_update,
    .hash_finish = hash_finish,
    .rsa_pss_verify = rsa_pss_verify,
    .ecdsa_verify = ecdsa_verify,
};

void crypto_digest(enum al_hash_alg alg, const void *data, size_t len, uint8_t *digest)
{
    EVP_Digest(data, len, digest, NULL, md_of(alg), NULL);
}

void crypto_hex(const uint8_t *bytes, size_t len, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *hex++ = digits[bytes[i] >> 4];
        *hex++ = digits[bytes[i] & 15];
    }
    *hex = '\0';
}
