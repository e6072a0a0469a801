#include "core/secure_boot.h"

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/err.h"
#include "core/secure_boot_v1.h"

#define CRC_OFFSET 1196u
#define DIGEST     4u /* of the image */
#define RSA_KEY    36u
#define RSA_LEN    384u
#define RSA_SIG    812u
#define CHUNK      256u

static uint32_t curve_len(enum al_curve curve)
{
    return curve == AL_P192 ? 24 : curve == AL_P256 ? 32 : 48;
}

static void parse_rsa(const uint8_t *raw, struct al_sig_block *out)
{
    out->n = raw + RSA_KEY;
    out->e = al_get_le32(raw + RSA_KEY + RSA_LEN);
    out->mdash = al_get_le32(raw + RSA_SIG - 4);
    out->sig = raw + RSA_SIG;
    out->key_offset = RSA_KEY;
    out->key_len = RSA_SIG - RSA_KEY;
}

/* Room for key and signature is that of the longest curve of the layout: 64
 * bytes each with SHA-256, 96 with SHA-384. */
static int parse_ecdsa(const uint8_t *raw, struct al_sig_block *out)
{
    uint32_t digest_len = out->sha_version ? 48 : 32;
    uint32_t curve_offset = DIGEST + digest_len;
    out->curve = (enum al_curve)raw[curve_offset];
    if (out->curve < AL_P192 || out->curve > AL_P384 ||
        (out->curve == AL_P384) != (out->sha_version == 1))
        return AL_ERR_NOT_SUPPORTED;
    uint32_t len = curve_len(out->curve);
    out->x = raw + curve_offset + 1;
    out->y = out->x + len;
    out->r = out->x + 2 * digest_len;
    out->s = out->r + len;
    out->key_offset = curve_offset;
    out->key_len = 1 + 2 * digest_len;
    return AL_OK;
}

int al_sig_block_parse(const uint8_t raw[AL_SIG_BLOCK_LEN], struct al_sig_block *out)
{
    memset(out, 0, sizeof *out);
    out->magic = raw[0];
    out->version = raw[1];
    out->sha_version = raw[2];
    if (out->magic != AL_SIG_MAGIC) return AL_ERR_NOT_FOUND;
    out->image_digest = raw + DIGEST;
    out->crc = al_get_le32(raw + CRC_OFFSET);
    out->crc_ok = out->crc == al_crc32(0, raw, CRC_OFFSET);

    int err = AL_ERR_NOT_SUPPORTED;
    if (out->version == AL_SIG_RSA && out->sha_version == 0) {
        parse_rsa(raw, out);
        err = AL_OK;
    } else if (out->version == AL_SIG_ECDSA && out->sha_version <= 1) {
        err = parse_ecdsa(raw, out);
    }
    return out->crc_ok ? err : AL_ERR_INVALID_CRC;
}

int al_sig_key_digest(const uint8_t raw[AL_SIG_BLOCK_LEN], const struct al_sig_block *b,
                      const struct al_crypto *crypto, uint8_t digest[32])
{
    struct al_hash h;
    int err = al_hash_begin(&h, crypto, AL_SHA256);
    if (!err) err = al_hash_update(&h, raw + b->key_offset, b->key_len);
    int end = al_hash_finish(&h, digest);
    return err ? err : end;
}

/* One verification: the digest of the image is made once per kind, on demand. */
struct sig_check {
    const struct al_window *slot;
    uint32_t signed_len;
    const struct al_trusted_keys *keys;
    const struct al_crypto *crypto;
    bool strict;
    enum al_hash_alg alg; /* of digest; 0: none made */
    uint8_t digest[48];
    uint8_t raw[AL_SIG_BLOCK_LEN];
};

static int image_digest(struct sig_check *s, enum al_hash_alg alg)
{
    if (s->alg == alg) return AL_OK;
    struct al_hash h;
    int err = al_hash_begin(&h, s->crypto, alg);
    const uint8_t *all = al_window_map(s->slot, 0, s->signed_len);
    if (!err && all) err = al_hash_update(&h, all, s->signed_len);
    for (uint32_t off = 0; !err && !all && off < s->signed_len; off += CHUNK) {
        uint8_t buf[CHUNK]; /* signed_len is a multiple of 4096 */
        err = al_window_read(s->slot, off, buf, CHUNK);
        if (!err) err = al_hash_update(&h, buf, CHUNK);
    }
    int end = al_hash_finish(&h, s->digest);
    if (!err) err = end;
    s->alg = err ? 0 : alg;
    return err;
}

static bool trusted(const struct sig_check *s, const struct al_sig_block *b)
{
    const struct al_trusted_keys *k = s->keys;
    uint8_t digest[32];
    if (al_sig_key_digest(s->raw, b, s->crypto, digest)) return false;
    for (uint32_t i = 0; i < k->count; i++)
        if (memcmp(digest, k->digest[i], k->digest_len ? k->digest_len : 32) == 0) return true;
    return false;
}

/* The verdict on the block in s->raw: how far it came; NONE: it verifies. */
static enum al_sig_check check_block(struct sig_check *s, struct al_sig_fault *f)
{
    struct al_sig_block b;
    int err = al_sig_block_parse(s->raw, &b);
    if (err == AL_ERR_NOT_FOUND) return AL_SIG_CHECK_NO_BLOCK;
    if (!b.crc_ok) {
        f->expected = b.crc;
        f->found = al_crc32(0, s->raw, CRC_OFFSET);
        return AL_SIG_CHECK_CRC;
    }
    if (err || b.version != s->keys->version || (s->keys->curve && s->keys->curve != b.curve)) {
        f->expected = s->keys->version;
        f->found = b.version;
        return AL_SIG_CHECK_SCHEME;
    }
    enum al_hash_alg alg = b.sha_version ? AL_SHA384 : AL_SHA256;
    if (image_digest(s, alg)) return AL_SIG_CHECK_IMAGE_DIGEST;
    if (s->strict && memcmp(b.image_digest, s->digest, alg) != 0) return AL_SIG_CHECK_IMAGE_DIGEST;
    if (!trusted(s, &b)) return AL_SIG_CHECK_KEY;
    if (b.version == AL_SIG_RSA)
        err = s->crypto->rsa_pss_verify(b.n, b.e, s->digest, b.sig);
    else
        err = s->crypto->ecdsa_verify(b.curve, b.x, b.y, s->digest, alg, b.r, b.s);
    return err ? AL_SIG_CHECK_SIGNATURE : AL_SIG_CHECK_NONE;
}

int al_sig_verify(const struct al_window *slot, uint32_t signed_len,
                  const struct al_trusted_keys *keys, bool strict, const struct al_crypto *crypto,
                  uint32_t *used, struct al_sig_fault *fault)
{
    struct sig_check s = {
        .slot = slot, .signed_len = signed_len, .keys = keys, .crypto = crypto, .strict = strict};
    struct al_sig_fault unused;
    if (keys->v1) return keys->v1->verify(slot, signed_len, keys->v1, crypto, fault);
    uint32_t blocks = keys->first_block_only ? 1 : AL_SIG_BLOCKS;
    if (!fault) fault = &unused;
    fault->check = AL_SIG_CHECK_NONE;
    for (uint32_t i = 0; i < blocks; i++) {
        struct al_sig_fault f = {.block = i, .offset = signed_len + i * AL_SIG_BLOCK_LEN};
        f.check = al_window_read(slot, f.offset, s.raw, AL_SIG_BLOCK_LEN) ? AL_SIG_CHECK_NO_BLOCK
                                                                          : check_block(&s, &f);
        if (f.check == AL_SIG_CHECK_NONE) {
            if (used) *used = i;
            return AL_OK;
        }
        /* The block that came furthest tells most. */
        if (f.check > fault->check) *fault = f;
    }
    return AL_ERR_IMAGE_INVALID;
}
