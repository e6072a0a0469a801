/* Pre-encrypted images: AES-256-GCM, the key wrapped for one device. Source:
 * esp_encrypted_img 2.7.1, esp_enc_img_gen.py.
 *
 *   @0    magic cf b6 88 07
 *   @4    384 bytes: RSA-3072 (PKCS#1 v1.5) of the AES key; or for ECDSA keys' curve
 *         P-256: X, Y of an ephemeral point, 32 bytes salt, zeros
 *   @388  IV, 16 bytes
 *   @404  u32 length of the ciphertext
 *   @408  GCM tag, 16 bytes; then zeros
 *   @512  ciphertext
 * The file does not say which scheme it has: the key decides. */
#ifndef HOST_IMAGE_ENCRYPT_H
#define HOST_IMAGE_ENCRYPT_H

#include "host/image_sign.h"

#define IMAGE_ENCRYPTED_HEADER 512u

/* key: the device's, public or private. *out is malloc'ed. 0;
 * AL_ERR_NOT_SUPPORTED: neither RSA-3072 nor P-256; AL_ERR_INVALID_SIZE: 4 GiB
 * or more; AL_FAIL. */
int image_encrypt(const uint8_t *plain, size_t len, const struct image_key *key, uint8_t **out,
                  size_t *out_len);

/* 0; AL_ERR_SHORT: no whole header; AL_ERR_NOT_FOUND: wrong magic; AL_ERR_INVALID_SIZE:
 * the file is not as long as its header says; AL_ERR_INVALID_ARG: not a private
 * key; AL_ERR_NOT_SUPPORTED as above; AL_ERR_NOT_ALLOWED: not made for this key, or
 * the wrapped key is damaged; AL_ERR_INVALID_CRC: the tag does not fit the data. */
int image_decrypt(const uint8_t *file, size_t len, const struct image_key *key, uint8_t **out,
                  size_t *out_len);

#endif
