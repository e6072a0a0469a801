/* struct al_crypto through OpenSSL's EVP. Thread-safe: no state of its own. */
#ifndef HOST_CRYPTO_OPENSSL_H
#define HOST_CRYPTO_OPENSSL_H

#include "core/crypto.h"

extern const struct al_crypto crypto_openssl;

/* One-shot digest. digest: alg bytes (16, 32 or 48). */
void crypto_digest(enum al_hash_alg alg, const void *data, size_t len, uint8_t *digest);

/* 2 * len hex characters and a NUL. */
void crypto_hex(const uint8_t *bytes, size_t len, char *hex);

#endif
