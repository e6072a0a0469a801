#include "core/secure_boot_v1.h"

#include "core/bytes.h"
#include "core/err.h"

#define CHUNK 256u

static void reverse(uint8_t to[32], const uint8_t from[32])
{
    for (uint32_t i = 0; i < 32; i++) to[i] = from[31 - i];
}

int al_sig_v1_check(const uint8_t sig[AL_SIG_V1_LEN], const struct al_sig_v1 *key,
                    const uint8_t digest[32], const struct al_crypto *crypto)
{
    uint8_t r[32], s[32];
    if (al_get_le32(sig) != 0) return AL_ERR_NOT_FOUND;
    reverse(r, sig + 4);
    reverse(s, sig + 36);
    return crypto->ecdsa_verify(AL_P256, key->x, key->y, digest, 32, r, s) ? AL_FAIL : AL_OK;
}

static int digest_of(const struct al_window *slot, uint32_t len, const struct al_crypto *crypto,
                     uint8_t digest[32])
{
    struct al_hash h;
    uint8_t buf[CHUNK];
    int err = al_hash_begin(&h, crypto, AL_SHA256);
    for (uint32_t off = 0, n; !err && off < len; off += n) {
        n = len - off < CHUNK ? len - off : CHUNK;
        err = al_window_read(slot, off, buf, n);
        if (!err) err = al_hash_update(&h, buf, n);
    }
    int end = al_hash_finish(&h, digest);
    return err ? err : end;
}

static int verify(const struct al_window *slot, uint32_t signed_len, const struct al_sig_v1 *key,
                  const struct al_crypto *crypto, struct al_sig_fault *fault)
{
    uint8_t sig[AL_SIG_V1_LEN], digest[32];
    struct al_sig_fault f = {.v1 = true, .offset = signed_len};
    int err = al_window_read(slot, signed_len, sig, sizeof sig);
    if (err) {
        f.check = AL_SIG_CHECK_NO_BLOCK;
    } else if ((err = digest_of(slot, signed_len, crypto, digest))) {
        f.check = AL_SIG_CHECK_IMAGE_DIGEST;
    } else if ((err = al_sig_v1_check(sig, key, digest, crypto))) {
        f.check = err == AL_ERR_NOT_FOUND ? AL_SIG_CHECK_NO_BLOCK : AL_SIG_CHECK_SIGNATURE;
        f.found = al_get_le32(sig);
    }
    if (fault) *fault = f;
    return err ? AL_ERR_IMAGE_INVALID : AL_OK;
}

void al_sig_v1_init(struct al_sig_v1 *key, const uint8_t xy[64])
{
    key->verify = verify;
    reverse(key->x, xy);
    reverse(key->y, xy + 32);
}
