/* What zigbee/ asks of a cryptography library: AES-128 in the forward direction.
 * CCM*, the hash and the keyed hash are made from it here. */
#ifndef ZIGBEE_AES_H
#define ZIGBEE_AES_H

#include <stddef.h>
#include <stdint.h>

/* Filled by the caller (host/aes_openssl.h on Linux). */
struct al_aes {
    void *ctx;
    /* Encrypts count blocks of 16 bytes, each by itself (ECB). in and out may be the
     * same. Called often with the same key: an implementation may keep its schedule. */
    void (*encrypt)(void *ctx, const uint8_t key[16], const uint8_t *in, uint8_t *out,
                    size_t count);
};

#endif
