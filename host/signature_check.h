/* Signatures of a file, checked as the vendor's signing tool (espsecure) does it:
 * against one public key, without a device. */
#ifndef HOST_SIGNATURE_CHECK_H
#define HOST_SIGNATURE_CHECK_H

#include "core/secure_boot.h"

struct signature_block_check {
    bool present; /* magic there */
    uint32_t offset;
    struct al_sig_block b;
    uint8_t key_digest[32];
    bool digest_ok; /* its own digest field fits the file */
    bool verified;  /* with the key given */
};
struct signature_check {
    bool valid;
    struct signature_block_check block[AL_SIG_BLOCKS];
    char why[256]; /* when not valid */
};

/* key: a block with the key's parts, see image_key_block. file: its last sector
 * holds the blocks. A block made for other bytes makes the file invalid, whatever
 * the other blocks say. */
void signature_check_v2(const uint8_t *file, size_t len, const uint8_t key[AL_SIG_BLOCK_LEN],
                        struct signature_check *out);

/* The 68 bytes behind a Secure Boot V1 image. x, y: ECDSA P-256, big-endian. */
void signature_check_v1(const uint8_t *file, size_t len, const uint8_t x[32], const uint8_t y[32],
                        struct signature_check *out);

#endif
