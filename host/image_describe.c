#include "host/image_describe.h"

#include "core/bytes.h"
#include "core/err.h"
#include "host/crypto_openssl.h"

#include <stdio.h>

static bool desc_at(const uint8_t *img, size_t len, size_t need)
{
    return len >= AL_IMAGE_DESC_OFFSET + need && img[0] == AL_IMAGE_MAGIC;
}

bool image_is_bootloader(const uint8_t *img, size_t len)
{
    struct al_app_desc app;
    struct al_boot_desc boot;
    if (!desc_at(img, len, AL_BOOT_DESC_LEN)) return false;
    if (desc_at(img, len, AL_APP_DESC_LEN) &&
        al_app_desc_parse(img + AL_IMAGE_DESC_OFFSET, &app) == AL_OK)
        return false;
    return al_boot_desc_parse(img + AL_IMAGE_DESC_OFFSET, &boot) == AL_OK;
}

static void read_descriptions(const uint8_t *img, size_t len, struct image_description *d)
{
    const uint8_t *raw = img + AL_IMAGE_DESC_OFFSET;
    d->has_boot_desc = image_is_bootloader(img, len);
    if (d->has_boot_desc)
        (void)al_boot_desc_parse(raw, &d->boot_desc);
    else if (desc_at(img, len, AL_APP_DESC_LEN))
        d->has_app_desc = al_app_desc_parse(raw, &d->app_desc) == AL_OK;
}

/* Segments, and with them the checksum. */
static int read_segments(struct al_cur *c, struct image_description *d, char *why, size_t why_size)
{
    uint8_t sum = AL_IMAGE_CHECKSUM_SEED;
    for (uint32_t i = 0; i < d->header.segment_count; i++) {
        struct al_image_segment *s = &d->segment[i];
        size_t header = c->pos;
        s->load_addr = al_le32(c);
        s->len = al_le32(c);
        s->offset = (uint32_t)c->pos;
        const uint8_t *data = al_take(c, s->len);
        if (!data) {
            snprintf(why, why_size,
                     "the file ends inside segment %u of %u: its header at offset %zu tells of %u "
                     "bytes, the file has %zu left; it is cut short or damaged",
                     i, d->header.segment_count, header, s->len, c->len - c->pos);
            return AL_ERR_SHORT;
        }
        for (uint32_t k = 0; k < s->len; k++) sum ^= data[k];
        d->segment_count = i + 1;
    }
    d->checksum_calculated = sum;
    return AL_OK;
}

static int read_tail(struct al_cur *c, struct image_description *d, char *why, size_t why_size)
{
    al_skip(c, al_image_checksum_pad((uint32_t)c->pos) - 1);
    d->checksum_offset = (uint32_t)c->pos;
    d->checksum = al_u8(c);
    size_t hashed = c->pos;
    if (d->header.hash_appended) al_bytes(c, d->hash, sizeof d->hash);
    if (c->failed) {
        snprintf(why, why_size,
                 "the file of %zu bytes ends before the %s at offset %zu; it is cut short", c->len,
                 d->header.hash_appended && hashed > d->checksum_offset ? "SHA-256" : "checksum",
                 c->pos);
        return AL_ERR_SHORT;
    }
    crypto_digest(AL_SHA256, c->buf, hashed, d->hash_calculated);
    d->image_len = (uint32_t)c->pos;
    return AL_OK;
}

static void read_signatures(const uint8_t *img, size_t len, struct image_description *d)
{
    uint64_t sector = ((uint64_t)d->image_len + AL_SECTOR - 1) / AL_SECTOR * AL_SECTOR;
    for (uint32_t i = 0; i < AL_SIG_BLOCKS; i++) {
        uint64_t offset = sector + i * AL_SIG_BLOCK_LEN;
        struct image_signature *s = &d->signature[d->signature_count];
        if (offset + AL_SIG_BLOCK_LEN > len) break;
        int err = al_sig_block_parse(img + offset, &s->b);
        if (err == AL_ERR_NOT_FOUND || s->b.key_len == 0) continue;
        s->block = i;
        s->offset = (uint32_t)offset;
        if (al_sig_key_digest(img + offset, &s->b, &crypto_openssl, s->key_digest) == AL_OK)
            d->signature_count++;
    }
}

int image_describe(const uint8_t *img, size_t len, struct image_description *out, char *why,
                   size_t why_size)
{
    struct al_cur c = al_cur(img, len);
    memset(out, 0, sizeof *out);
    const uint8_t *raw = al_take(&c, AL_IMAGE_HEADER_LEN);
    if (!raw || raw[0] != AL_IMAGE_MAGIC) {
        if (raw)
            snprintf(why, why_size, "no image: the first byte is 0x%02x, expected 0x%02x", raw[0],
                     AL_IMAGE_MAGIC);
        else
            snprintf(why, why_size, "no image: %zu bytes, the header alone takes %u", len,
                     AL_IMAGE_HEADER_LEN);
        return AL_ERR_IMAGE_INVALID;
    }
    al_image_header_parse(raw, &out->header);
    if (out->header.segment_count > AL_IMAGE_MAX_SEGMENTS) {
        snprintf(why, why_size,
                 "the header (offset 1) counts %u segments, at most %u are allowed: damaged",
                 out->header.segment_count, AL_IMAGE_MAX_SEGMENTS);
        return AL_ERR_SHORT;
    }
    read_descriptions(img, len, out);
    int err = read_segments(&c, out, why, why_size);
    if (!err) err = read_tail(&c, out, why, why_size);
    if (!err) read_signatures(img, len, out);
    return err;
}
