/* Secure Boot signatures, as espsecure makes them.
 *
 *   V2  image, padded with 0xff to 4096 bytes; then one sector with up to
 *       three blocks of 1216 bytes (core/secure_boot.h has their layout)
 *   V1  image; then 68 bytes: u32 0, r and s of ECDSA P-256, big-endian */
#ifndef HOST_IMAGE_SIGN_H
#define HOST_IMAGE_SIGN_H

#include "core/secure_boot.h"

/* RSA-3072, or ECDSA on P-192, P-256 or P-384. */
struct image_key;

/* PEM file with a private key, or with a public one (which cannot sign).
 * 0; -errno; AL_ERR_INVALID_ARG: no key in PEM form, or it needs a password;
 * AL_ERR_NOT_SUPPORTED: another kind or size of key. */
int image_key_load(const char *path, struct image_key **out);
void image_key_free(struct image_key *key);
struct evp_pkey_st;
/* For OpenSSL; lives as long as key. */
struct evp_pkey_st *image_key_evp(const struct image_key *key);
bool image_key_is_private(const struct image_key *key);
/* "RSA-3072", "ECDSA P-256", ... */
const char *image_key_kind(const struct image_key *key);

/* The parts of a block that say which key it is: magic, version, curve,
 * public key. The rest is zeros. */
int image_key_block(const struct image_key *key, uint8_t block[AL_SIG_BLOCK_LEN]);

/* append: img ends with a signature sector already, and its blocks are kept.
 * *out is malloc'ed. 0; AL_ERR_INVALID_SIZE: more than three blocks;
 * AL_ERR_NOT_FOUND: append, but there is no signature; AL_ERR_IMAGE_INVALID:
 * append, but the signatures there are for other bytes; AL_ERR_INVALID_ARG:
 * keys of both schemes or with other digests, or a public key. */
int image_sign_v2(const uint8_t *img, size_t len, struct image_key *const keys[], size_t count,
                  bool append, uint8_t **out, size_t *out_len);

/* key: ECDSA P-256. */
int image_sign_v1(const uint8_t *img, size_t len, const struct image_key *key, uint8_t **out,
                  size_t *out_len);

#endif
