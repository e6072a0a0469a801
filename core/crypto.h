/* What core/ asks of a cryptography library. The caller fills one
 * struct al_crypto (host/crypto_openssl.h on Linux) and passes it in. */
#ifndef CORE_CRYPTO_H
#define CORE_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

struct al_crypto;

enum al_hash_alg { AL_MD5 = 16, AL_SHA256 = 32, AL_SHA384 = 48 }; /* value: digest bytes */

/* A hash under way. The caller places it; the library keeps its state in
 * store (a context, or a pointer to one). Each begin is followed by exactly
 * one finish, which releases what the library holds. */
struct al_hash {
    const struct al_crypto *crypto;
    enum al_hash_alg alg;
    uint64_t store[28];
};

enum al_curve { AL_P192 = 1, AL_P256 = 2, AL_P384 = 3 }; /* value: curve id in a signature block */

struct al_crypto {
    int (*hash_begin)(struct al_hash *h); /* crypto and alg are set */
    int (*hash_update)(struct al_hash *h, const void *data, size_t len);
    int (*hash_finish)(struct al_hash *h, uint8_t *digest); /* NULL: only release */

    /* RSA-3072 PSS, SHA-256, MGF1-SHA-256, salt 32 bytes. All little-endian,
     * as they lie in the block. 0: good; AL_FAIL: bad. */
    int (*rsa_pss_verify)(const uint8_t n[384], uint32_t e, const uint8_t digest[32],
                          const uint8_t sig[384]);
    /* x, y, r, s: little-endian, 24, 32 or 48 bytes each. */
    int (*ecdsa_verify)(enum al_curve curve, const uint8_t *x, const uint8_t *y,
                        const uint8_t *digest, size_t digest_len, const uint8_t *r,
                        const uint8_t *s);
};

static inline int al_hash_begin(struct al_hash *h, const struct al_crypto *c, enum al_hash_alg alg)
{
    h->crypto = c;
    h->alg = alg;
    return c->hash_begin(h);
}

static inline int al_hash_update(struct al_hash *h, const void *data, size_t len)
{
    return h->crypto->hash_update(h, data, len);
}

static inline int al_hash_finish(struct al_hash *h, uint8_t *digest)
{
    return h->crypto->hash_finish(h, digest);
}

#endif
