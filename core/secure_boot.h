/* Secure Boot V2 signature sector: up to three blocks of 1216 bytes behind the
 * image, which is padded with 0xff to 4096 bytes. Little-endian.
 * Source: rom/secure_boot.h, secure_boot_v2/, espsecure. V1: see
 * secure_boot_v1.h. */
#ifndef CORE_SECURE_BOOT_H
#define CORE_SECURE_BOOT_H

#include "core/crypto.h"
#include "core/flash.h"

#define AL_SIG_BLOCK_LEN 1216u
#define AL_SIG_BLOCKS    3u
#define AL_SIG_MAGIC     0xe7u
#define AL_SIG_SECTOR    AL_SECTOR
#define AL_SIG_V1_LEN    68u

enum al_sig_version { AL_SIG_RSA = 2, AL_SIG_ECDSA = 3 };

/* One block, decoded. Pointers lead into the 1216 raw bytes. */
struct al_sig_block {
    uint8_t magic;                /* @0 0xe7 */
    uint8_t version;              /* @1 enum al_sig_version */
    uint8_t sha_version;          /* @2 0 SHA-256, 1 SHA-384 */
    enum al_curve curve;          /* ECDSA: @36, P-384 @52 */
    const uint8_t *image_digest;  /* @4, 32 or 48 bytes */
    const uint8_t *n, *sig;       /* RSA: @36, @812, 384 bytes each */
    uint32_t e, mdash;            /* RSA: @420, @808 */
    const uint8_t *x, *y, *r, *s; /* ECDSA: curve bytes each */
    uint32_t crc;                 /* @1196 CRC-32 of bytes 0..1195 */
    bool crc_ok;
    uint32_t key_offset, key_len; /* bytes that the public key digest covers */
};

/* 0, or AL_ERR_NOT_FOUND (no magic), AL_ERR_INVALID_CRC, AL_ERR_NOT_SUPPORTED
 * (version or curve). out is filled as far as the block goes. */
int al_sig_block_parse(const uint8_t raw[AL_SIG_BLOCK_LEN], struct al_sig_block *out);

/* SHA-256 of the public key part of a block: what eFuse stores. */
int al_sig_key_digest(const uint8_t raw[AL_SIG_BLOCK_LEN], const struct al_sig_block *b,
                      const struct al_crypto *crypto, uint8_t digest[32]);

struct al_sig_v1;

/* Digests of the keys a device trusts. */
struct al_trusted_keys {
    enum al_sig_version version;
    enum al_curve curve; /* ECDSA: 0 accepts P-256 and P-384 */
    uint32_t count;      /* 1..3 */
    uint8_t digest[3][32];
    uint8_t digest_len;    /* 0: 32; ESP32-C2 stores 16 */
    bool first_block_only; /* signed on update without Secure Boot */
    /* Set: this key of Secure Boot V1 counts, and nothing above. Called through the
     * pointer, so that a boot loader for V2 does not carry V1. */
    const struct al_sig_v1 *v1;
};

enum al_sig_check {
    AL_SIG_CHECK_NONE,
    AL_SIG_CHECK_NO_BLOCK,     /* no block with magic; V1: found is its version, not 0 */
    AL_SIG_CHECK_CRC,          /* expected: stored, found: calculated */
    AL_SIG_CHECK_SCHEME,       /* expected, found: version */
    AL_SIG_CHECK_IMAGE_DIGEST, /* digest field differs from the image */
    AL_SIG_CHECK_KEY,          /* no block's key is trusted */
    AL_SIG_CHECK_SIGNATURE     /* trusted key, bad signature */
};
struct al_sig_fault {
    enum al_sig_check check;
    bool v1;
    uint32_t block;
    uint32_t offset; /* of the block, from the start of the image */
    uint32_t expected, found;
};

/* Checks the signature at signed_len (V2: a multiple of 4096) of slot against
 * the digest of everything before it. strict: the block's own digest field must
 * fit too (espsecure and boot loader; the app's verifier does not look).
 * 0, or AL_ERR_IMAGE_INVALID. used: block that verified, may be NULL. */
int al_sig_verify(const struct al_window *slot, uint32_t signed_len,
                  const struct al_trusted_keys *keys, bool strict, const struct al_crypto *crypto,
                  uint32_t *used, struct al_sig_fault *fault);

#endif
