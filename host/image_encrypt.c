#include "host/image_encrypt.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/err.h"

#define WRAPPED_AT  4
#define WRAPPED_LEN 384
#define IV_AT       388
#define IV_LEN      16
#define LENGTH_AT   404
#define TAG_AT      408
#define TAG_LEN     16
#define AES_KEY_LEN 32
#define POINT_LEN   64 /* X and Y; OpenSSL puts 04 before them */
#define SALT_LEN    32

static const uint8_t magic[4] = {0xcf, 0xb6, 0x88, 0x07};

enum scheme { SCHEME_NONE, SCHEME_RSA, SCHEME_ECIES };

static enum scheme scheme_of(const struct image_key *key)
{
    if (strcmp(image_key_kind(key), "RSA-3072") == 0) return SCHEME_RSA;
    return strcmp(image_key_kind(key), "ECDSA P-256") == 0 ? SCHEME_ECIES : SCHEME_NONE;
}

static bool rsa_wrap(EVP_PKEY *pkey, const uint8_t *aes_key, uint8_t *wrapped)
{
    size_t len = WRAPPED_LEN;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    bool ok = ctx && EVP_PKEY_encrypt_init(ctx) > 0 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
              EVP_PKEY_encrypt(ctx, wrapped, &len, aes_key, AES_KEY_LEN) > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static bool rsa_unwrap(EVP_PKEY *pkey, const uint8_t *wrapped, uint8_t *aes_key)
{
    uint8_t plain[WRAPPED_LEN];
    size_t len = sizeof plain;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    bool ok = ctx && EVP_PKEY_decrypt_init(ctx) > 0 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
              EVP_PKEY_decrypt(ctx, plain, &len, wrapped, WRAPPED_LEN) > 0 && len == AES_KEY_LEN;
    EVP_PKEY_CTX_free(ctx);
    if (ok) memcpy(aes_key, plain, AES_KEY_LEN);
    return ok;
}

/* ECDH, then HKDF-SHA256 with the scheme's info. */
static bool ecies_key(EVP_PKEY *own, EVP_PKEY *peer, const uint8_t *salt, uint8_t *aes_key)
{
    static char info[] = "_esp_enc_img_ecc", sha[] = "SHA256";
    uint8_t shared[32];
    size_t shared_len = sizeof shared;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
    bool ok = ctx && EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
              EVP_PKEY_derive(ctx, shared, &shared_len) > 0;
    EVP_PKEY_CTX_free(ctx);
    if (!ok) return false;

    uint8_t own_salt[SALT_LEN];
    memcpy(own_salt, salt, SALT_LEN);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, shared, shared_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, own_salt, SALT_LEN),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof info - 1),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *kctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    ok = kctx && EVP_KDF_derive(kctx, aes_key, AES_KEY_LEN, params) > 0;
    EVP_KDF_CTX_free(kctx);
    EVP_KDF_free(kdf);
    return ok;
}

static bool ecies_wrap(EVP_PKEY *device, uint8_t *aes_key, uint8_t *wrapped)
{
    EVP_PKEY *ephemeral = EVP_EC_gen("P-256");
    uint8_t *point = NULL, *salt = wrapped + POINT_LEN;
    bool ok = ephemeral && RAND_bytes(salt, SALT_LEN) == 1 &&
              EVP_PKEY_get1_encoded_public_key(ephemeral, &point) == POINT_LEN + 1 &&
              ecies_key(ephemeral, device, salt, aes_key);
    if (ok) memcpy(wrapped, point + 1, POINT_LEN);
    OPENSSL_free(point);
    EVP_PKEY_free(ephemeral);
    return ok;
}

static bool ecies_unwrap(EVP_PKEY *device, const uint8_t *wrapped, uint8_t *aes_key)
{
    uint8_t point[POINT_LEN + 1] = {0x04};
    memcpy(point + 1, wrapped, POINT_LEN);
    EVP_PKEY *peer = EVP_PKEY_new();
    bool ok = peer && EVP_PKEY_copy_parameters(peer, device) > 0 &&
              EVP_PKEY_set1_encoded_public_key(peer, point, sizeof point) > 0 &&
              ecies_key(device, peer, wrapped + POINT_LEN, aes_key);
    EVP_PKEY_free(peer);
    return ok;
}

/* Both directions; tag is written, or compared. */
static bool gcm(bool encrypt, const uint8_t *aes_key, const uint8_t *iv, const uint8_t *in,
                size_t len, uint8_t *out, uint8_t *tag)
{
    int n = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok = ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL, encrypt) > 0 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_IVLEN, IV_LEN, NULL) > 0 &&
              EVP_CipherInit_ex(ctx, NULL, NULL, aes_key, iv, encrypt) > 0 &&
              EVP_CipherUpdate(ctx, out, &n, in, (int)len) > 0;
    if (ok && !encrypt) ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) > 0;
    ok = ok && EVP_CipherFinal_ex(ctx, out + n, &n) > 0;
    if (ok && encrypt) ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN, tag) > 0;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

int image_encrypt(const uint8_t *plain, size_t len, const struct image_key *key, uint8_t **out,
                  size_t *out_len)
{
    enum scheme scheme = scheme_of(key);
    if (scheme == SCHEME_NONE) return AL_ERR_NOT_SUPPORTED;
    if (len > INT32_MAX) return AL_ERR_INVALID_SIZE;
    uint8_t *buf = calloc(1, IMAGE_ENCRYPTED_HEADER + len);
    if (!buf) return AL_ERR_NO_MEM;
    uint8_t aes_key[AES_KEY_LEN];
    memcpy(buf, magic, sizeof magic);
    al_put_le32(buf + LENGTH_AT, (uint32_t)len);
    EVP_PKEY *pkey = image_key_evp(key);
    bool ok =
        RAND_bytes(aes_key, sizeof aes_key) == 1 && RAND_bytes(buf + IV_AT, IV_LEN) == 1 &&
        (scheme == SCHEME_RSA ? rsa_wrap(pkey, aes_key, buf + WRAPPED_AT)
                              : ecies_wrap(pkey, aes_key, buf + WRAPPED_AT)) &&
        gcm(true, aes_key, buf + IV_AT, plain, len, buf + IMAGE_ENCRYPTED_HEADER, buf + TAG_AT);
    OPENSSL_cleanse(aes_key, sizeof aes_key);
    if (!ok) {
        free(buf);
        return AL_FAIL;
    }
    *out = buf;
    *out_len = IMAGE_ENCRYPTED_HEADER + len;
    return 0;
}

int image_decrypt(const uint8_t *file, size_t len, const struct image_key *key, uint8_t **out,
                  size_t *out_len)
{
    enum scheme scheme = scheme_of(key);
    if (scheme == SCHEME_NONE) return AL_ERR_NOT_SUPPORTED;
    if (!image_key_is_private(key)) return AL_ERR_INVALID_ARG;
    if (len < IMAGE_ENCRYPTED_HEADER) return AL_ERR_SHORT;
    if (memcmp(file, magic, sizeof magic) != 0) return AL_ERR_NOT_FOUND;
    size_t data_len = len - IMAGE_ENCRYPTED_HEADER;
    if (data_len > INT32_MAX || al_get_le32(file + LENGTH_AT) != data_len)
        return AL_ERR_INVALID_SIZE;

    uint8_t aes_key[AES_KEY_LEN], tag[TAG_LEN];
    EVP_PKEY *pkey = image_key_evp(key);
    if (!(scheme == SCHEME_RSA ? rsa_unwrap(pkey, file + WRAPPED_AT, aes_key)
                               : ecies_unwrap(pkey, file + WRAPPED_AT, aes_key)))
        return AL_ERR_NOT_ALLOWED;
    uint8_t *buf = malloc(data_len + 1);
    if (!buf) return AL_ERR_NO_MEM;
    memcpy(tag, file + TAG_AT, TAG_LEN);
    bool ok = gcm(false, aes_key, file + IV_AT, file + IMAGE_ENCRYPTED_HEADER, data_len, buf, tag);
    OPENSSL_cleanse(aes_key, sizeof aes_key);
    if (!ok) {
        free(buf);
        return AL_ERR_INVALID_CRC;
    }
    *out = buf;
    *out_len = data_len;
    return 0;
}
