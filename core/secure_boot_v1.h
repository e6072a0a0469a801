/* The signature of Secure Boot V1 (ESP32): 68 bytes right behind the image, u32 0,
 * then r and s, 32 bytes each, big-endian, of ECDSA P-256 over SHA-256 of everything
 * before. It names no key. Source: esp_secure_boot.h, secure_boot_v1/, espsecure. */
#ifndef CORE_SECURE_BOOT_V1_H
#define CORE_SECURE_BOOT_V1_H

#include "core/secure_boot.h"

/* What al_trusted_keys.v1 points to. */
struct al_sig_v1 {
    int (*verify)(const struct al_window *slot, uint32_t signed_len, const struct al_sig_v1 *key,
                  const struct al_crypto *crypto, struct al_sig_fault *fault);
    uint8_t x[32], y[32]; /* of the public key, little-endian */
};

/* A key from x and y, 32 bytes each, as X.509 and the vendor's key files have
 * them: big-endian. */
void al_sig_v1_init(struct al_sig_v1 *key, const uint8_t xy[64]);

/* 0 if the 68 bytes at sig sign digest, else AL_ERR_NOT_FOUND (no signature) or
 * AL_FAIL. */
int al_sig_v1_check(const uint8_t sig[AL_SIG_V1_LEN], const struct al_sig_v1 *key,
                    const uint8_t digest[32], const struct al_crypto *crypto);

#endif
