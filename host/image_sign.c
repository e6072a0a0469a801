#include "host/image_sign.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/err.h"
#include "host/crypto_openssl.h"

#define RSA_BYTES  384
#define CRC_OFFSET 1196u

struct image_key {
    EVP_PKEY *pkey;
    bool private;
    enum al_sig_version version;
    enum al_curve curve; /* ECDSA */
};

/* Where the fields of an ECDSA block lie; number: bytes of x, y, r and s. */
struct ecdsa_layout {
    const char *group, *kind;
    unsigned curve_at, point_at, sig_at, number;
};
static const struct ecdsa_layout ecdsa_layouts[] = {
    [AL_P192] = {"prime192v1", "ECDSA P-192", 36, 37, 101, 24},
    [AL_P256] = {"prime256v1", "ECDSA P-256", 36, 37, 101, 32},
    [AL_P384] = {"secp384r1", "ECDSA P-384", 52, 53, 149, 48},
};

static int no_password(char *buf, int size, int writing, void *ctx)
{
    return -1; /* never ask on the terminal */
}

static int classify(struct image_key *key)
{
    if (EVP_PKEY_is_a(key->pkey, "RSA")) {
        key->version = AL_SIG_RSA;
        return EVP_PKEY_get_bits(key->pkey) == RSA_BYTES * 8 ? 0 : AL_ERR_NOT_SUPPORTED;
    }
    char group[32];
    if (!EVP_PKEY_is_a(key->pkey, "EC") ||
        !EVP_PKEY_get_utf8_string_param(key->pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                        NULL))
        return AL_ERR_NOT_SUPPORTED;
    key->version = AL_SIG_ECDSA;
    for (int curve = AL_P192; curve <= AL_P384; curve++) {
        if (strcmp(group, ecdsa_layouts[curve].group) != 0) continue;
        key->curve = (enum al_curve)curve;
        return 0;
    }
    return AL_ERR_NOT_SUPPORTED;
}

int image_key_load(const char *path, struct image_key **out)
{
    FILE *f = fopen(path, "re");
    if (!f) return -errno;
    struct image_key key = {0};
    key.pkey = PEM_read_PrivateKey(f, NULL, no_password, NULL);
    key.private = key.pkey != NULL;
    if (!key.pkey) {
        rewind(f);
        key.pkey = PEM_read_PUBKEY(f, NULL, no_password, NULL);
    }
    fclose(f);
    if (!key.pkey) return AL_ERR_INVALID_ARG;
    int err = classify(&key);
    *out = err ? NULL : malloc(sizeof key);
    if (!*out) {
        EVP_PKEY_free(key.pkey);
        return err ? err : AL_ERR_NO_MEM;
    }
    **out = key;
    return 0;
}

void image_key_free(struct image_key *key)
{
    if (!key) return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

EVP_PKEY *image_key_evp(const struct image_key *key)
{
    return key->pkey;
}

bool image_key_is_private(const struct image_key *key)
{
    return key->private;
}

const char *image_key_kind(const struct image_key *key)
{
    return key->version == AL_SIG_RSA ? "RSA-3072" : ecdsa_layouts[key->curve].kind;
}

static bool number_param(const EVP_PKEY *pkey, const char *name, uint8_t *out, int len)
{
    BIGNUM *n = NULL;
    bool ok = EVP_PKEY_get_bn_param(pkey, name, &n) && BN_bn2lebinpad(n, out, len) == len;
    BN_free(n);
    return ok;
}

/* rinv = 2^6144 mod n, and mdash = -(n^-1) mod 2^32: what the chip's
 * Montgomery multiplier wants. */
static bool montgomery(const uint8_t *n_le, uint8_t *rinv, uint8_t *mdash)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_lebin2bn(n_le, RSA_BYTES, NULL), *r = BN_new();
    bool ok = ctx && n && r && BN_set_bit(r, RSA_BYTES * 16) && BN_mod(r, r, n, ctx) &&
              BN_bn2lebinpad(r, rinv, RSA_BYTES) == RSA_BYTES;
    BN_free(r);
    BN_free(n);
    BN_CTX_free(ctx);

    uint32_t low = al_get_le32(n_le), inverse = low; /* Newton: right bits double each round */
    for (int round = 0; round < 5; round++) inverse *= 2 - low * inverse;
    al_put_le32(mdash, 0 - inverse);
    return ok;
}

int image_key_block(const struct image_key *key, uint8_t block[AL_SIG_BLOCK_LEN])
{
    memset(block, 0, AL_SIG_BLOCK_LEN);
    block[0] = AL_SIG_MAGIC;
    block[1] = key->version;
    bool ok;
    if (key->version == AL_SIG_RSA) {
        ok = number_param(key->pkey, OSSL_PKEY_PARAM_RSA_N, block + 36, RSA_BYTES) &&
             number_param(key->pkey, OSSL_PKEY_PARAM_RSA_E, block + 420, 4) &&
             montgomery(block + 36, block + 424, block + 808);
    } else {
        const struct ecdsa_layout *l = &ecdsa_layouts[key->curve];
        block[2] = key->curve == AL_P384;
        block[l->curve_at] = key->curve;
        ok = number_param(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, block + l->point_at,
                          (int)l->number) &&
             number_param(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, block + l->point_at + l->number,
                          (int)l->number);
    }
    return ok ? 0 : AL_FAIL;
}

static enum al_hash_alg digest_of(const struct image_key *key)
{
    return key->version == AL_SIG_ECDSA && key->curve == AL_P384 ? AL_SHA384 : AL_SHA256;
}

/* Raw signature of a digest in sig (*len: room, then used): PSS, or DER for ECDSA. */
static bool sign_digest(const struct image_key *key, const uint8_t *digest, uint8_t *sig,
                        size_t *len)
{
    const EVP_MD *md = digest_of(key) == AL_SHA384 ? EVP_sha384() : EVP_sha256();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    bool ok = ctx && EVP_PKEY_sign_init(ctx) > 0;
    if (ok && key->version == AL_SIG_RSA)
        ok = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32) > 0;
    ok = ok && EVP_PKEY_CTX_set_signature_md(ctx, md) > 0 &&
         EVP_PKEY_sign(ctx, sig, len, digest, digest_of(key)) > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* r and s of a DER signature, each number bytes. */
static bool split_ecdsa(const uint8_t *der, size_t der_len, bool little_endian, uint8_t *out,
                        int number)
{
    const uint8_t *p = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der_len);
    if (!sig) return false;
    const BIGNUM *r = ECDSA_SIG_get0_r(sig), *s = ECDSA_SIG_get0_s(sig);
    int (*put)(const BIGNUM *, unsigned char *, int) =
        little_endian ? BN_bn2lebinpad : BN_bn2binpad;
    bool ok = put(r, out, number) == number && put(s, out + number, number) == number;
    ECDSA_SIG_free(sig);
    return ok;
}

static int make_block(const struct image_key *key, const uint8_t *digest,
                      uint8_t block[AL_SIG_BLOCK_LEN])
{
    int err = image_key_block(key, block);
    if (err) return err;
    memcpy(block + 4, digest, digest_of(key));
    uint8_t sig[512];
    size_t sig_len = sizeof sig;
    if (!sign_digest(key, digest, sig, &sig_len)) return AL_FAIL;
    if (key->version == AL_SIG_RSA) {
        for (size_t i = 0; i < RSA_BYTES; i++) block[812 + i] = sig[RSA_BYTES - 1 - i];
    } else {
        const struct ecdsa_layout *l = &ecdsa_layouts[key->curve];
        if (!split_ecdsa(sig, sig_len, true, block + l->sig_at, (int)l->number)) return AL_FAIL;
    }
    al_put_le32(block + CRC_OFFSET, al_crc32(0, block, CRC_OFFSET));
    return 0;
}

/* Blocks of a sector that are there already, checked against the image. */
static int count_blocks(const uint8_t *img, size_t signed_len, const struct image_key *key,
                        size_t *count)
{
    for (*count = 0; *count < AL_SIG_BLOCKS; ++*count) {
        struct al_sig_block b;
        int err = al_sig_block_parse(img + signed_len + *count * AL_SIG_BLOCK_LEN, &b);
        if (err == AL_ERR_NOT_FOUND) break;
        if (err) return AL_ERR_IMAGE_INVALID;
        uint8_t digest[48];
        enum al_hash_alg alg = b.sha_version == 1 ? AL_SHA384 : AL_SHA256;
        crypto_digest(alg, img, signed_len, digest);
        if (memcmp(digest, b.image_digest, alg) != 0) return AL_ERR_IMAGE_INVALID;
        if (b.version != key->version || alg != digest_of(key)) return AL_ERR_INVALID_ARG;
    }
    return *count ? 0 : AL_ERR_NOT_FOUND;
}

static bool keys_fit(struct image_key *const keys[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!keys[i]->private || keys[i]->version != keys[0]->version ||
            digest_of(keys[i]) != digest_of(keys[0]))
            return false;
    return count > 0;
}

int image_sign_v2(const uint8_t *img, size_t len, struct image_key *const keys[], size_t count,
                  bool append, uint8_t **out, size_t *out_len)
{
    if (!keys_fit(keys, count)) return AL_ERR_INVALID_ARG;
    size_t there = 0, signed_len = (len + AL_SIG_SECTOR - 1) / AL_SIG_SECTOR * AL_SIG_SECTOR;
    if (append) {
        if (len % AL_SIG_SECTOR != 0 || len <= AL_SIG_SECTOR) return AL_ERR_NOT_FOUND;
        signed_len = len - AL_SIG_SECTOR;
        int err = count_blocks(img, signed_len, keys[0], &there);
        if (err) return err;
    }
    if (there + count > AL_SIG_BLOCKS) return AL_ERR_INVALID_SIZE;

    uint8_t *buf = malloc(signed_len + AL_SIG_SECTOR);
    if (!buf) return AL_ERR_NO_MEM;
    memset(buf, 0xff, signed_len + AL_SIG_SECTOR);
    memcpy(buf, img, len);
    uint8_t digest[48];
    crypto_digest(digest_of(keys[0]), buf, signed_len, digest);
    for (size_t i = 0; i < count; i++) {
        int err = make_block(keys[i], digest, buf + signed_len + (there + i) * AL_SIG_BLOCK_LEN);
        if (err) {
            free(buf);
            return err;
        }
    }
    *out = buf;
    *out_len = signed_len + AL_SIG_SECTOR;
    return 0;
}

int image_sign_v1(const uint8_t *img, size_t len, const struct image_key *key, uint8_t **out,
                  size_t *out_len)
{
    if (!key->private || key->version != AL_SIG_ECDSA || key->curve != AL_P256)
        return AL_ERR_INVALID_ARG;
    uint8_t digest[32], der[128];
    size_t der_len = sizeof der;
    crypto_digest(AL_SHA256, img, len, digest);
    uint8_t *buf = calloc(1, len + AL_SIG_V1_LEN);
    if (!buf) return AL_ERR_NO_MEM;
    memcpy(buf, img, len);
    if (!sign_digest(key, digest, der, &der_len) ||
        !split_ecdsa(der, der_len, false, buf + len + 4, 32)) {
        free(buf);
        return AL_FAIL;
    }
    *out = buf;
    *out_len = len + AL_SIG_V1_LEN;
    return 0;
}
