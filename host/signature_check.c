#include "host/signature_check.h"

#include "core/bytes.h"
#include "core/err.h"
#include "core/secure_boot_v1.h"
#include "host/crypto_openssl.h"

#include <stdio.h>

static bool verify_block(const struct al_sig_block *b, const uint8_t *digest, size_t digest_len)
{
    if (b->version == AL_SIG_RSA)
        return crypto_openssl.rsa_pss_verify(b->n, b->e, digest, b->sig) == AL_OK;
    return crypto_openssl.ecdsa_verify(b->curve, b->x, b->y, digest, digest_len, b->r, b->s) ==
           AL_OK;
}

static void check_block(const uint8_t *file, size_t signed_len, const uint8_t key_digest[32],
                        const uint8_t *raw, struct signature_block_check *c)
{
    uint8_t digest[48];
    int err = al_sig_block_parse(raw, &c->b);
    c->present = err != AL_ERR_NOT_FOUND;
    if (!c->present || c->b.key_len == 0) return;
    enum al_hash_alg alg = c->b.sha_version ? AL_SHA384 : AL_SHA256;
    crypto_digest(alg, file, signed_len, digest);
    c->digest_ok = memcmp(digest, c->b.image_digest, alg) == 0;
    if (al_sig_key_digest(raw, &c->b, &crypto_openssl, c->key_digest)) return;
    c->verified = err == AL_OK && c->digest_ok && memcmp(c->key_digest, key_digest, 32) == 0 &&
                  verify_block(&c->b, digest, alg);
}

void signature_check_v2(const uint8_t *file, size_t len, const uint8_t key[AL_SIG_BLOCK_LEN],
                        struct signature_check *out)
{
    struct al_sig_block k;
    uint8_t key_digest[32];
    memset(out, 0, sizeof *out);
    (void)al_sig_block_parse(key, &k); /* it has no CRC */
    if (al_sig_key_digest(key, &k, &crypto_openssl, key_digest)) return;
    if (len == 0 || len % AL_SECTOR) {
        snprintf(out->why, sizeof out->why,
                 "%zu bytes are no multiple of 4096: a signed image ends with a whole sector of "
                 "signatures; is the file cut short?",
                 len);
        return;
    }
    size_t signed_len = len - AL_SIG_SECTOR;
    bool foreign = false;
    for (uint32_t i = 0; i < AL_SIG_BLOCKS; i++) {
        struct signature_block_check *c = &out->block[i];
        c->offset = (uint32_t)(signed_len + i * AL_SIG_BLOCK_LEN);
        check_block(file, signed_len, key_digest, file + c->offset, c);
        out->valid = out->valid || c->verified;
        if (!c->present || !c->b.crc_ok || c->b.key_len == 0 || c->digest_ok) continue;
        if (!foreign)
            snprintf(out->why, sizeof out->why,
                     "signature block %u (offset %u) was made for other bytes: the image was "
                     "changed after signing",
                     i, c->offset);
        foreign = true;
    }
    if (foreign) out->valid = false;
    if (!out->valid && !foreign)
        snprintf(out->why, sizeof out->why,
                 "no signature block in the last sector (offset %zu) verifies with this key",
                 signed_len);
}

void signature_check_v1(const uint8_t *file, size_t len, const uint8_t x[32], const uint8_t y[32],
                        struct signature_check *out)
{
    uint8_t digest[32], xy[64];
    struct al_sig_v1 key;
    memset(out, 0, sizeof *out);
    if (len <= AL_SIG_V1_LEN) {
        snprintf(out->why, sizeof out->why,
                 "%zu bytes: too short for an image with 68 bytes of signature", len);
        return;
    }
    const uint8_t *block = file + len - AL_SIG_V1_LEN;
    if (al_get_le32(block) != 0) {
        snprintf(out->why, sizeof out->why,
                 "the signature at offset %zu has version %u, expected 0: not signed for Secure "
                 "Boot V1",
                 len - AL_SIG_V1_LEN, al_get_le32(block));
        return;
    }
    crypto_digest(AL_SHA256, file, len - AL_SIG_V1_LEN, digest);
    memcpy(xy, x, 32);
    memcpy(xy + 32, y, 32);
    al_sig_v1_init(&key, xy);
    out->valid = al_sig_v1_check(block, &key, digest, &crypto_openssl) == AL_OK;
    if (!out->valid)
        snprintf(out->why, sizeof out->why,
                 "the signature at offset %zu does not verify with this key: another key, or the "
                 "image was changed after signing",
                 len - AL_SIG_V1_LEN);
}
