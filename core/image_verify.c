#include "core/image_verify.h"

#include "core/bytes.h"
#include "core/err.h"

#define SIXTEEN_MB   0x1000000u
#define DEFAULT_PAGE 0x10000u
#define FIRST_LOADED 0x10000000u /* lower load addresses are never loaded */
#define MAP_CHUNK    0x4000u     /* stays in the cache between checksum and hash */
#define READ_CHUNK   256u

struct verifier {
    const struct al_image_rules *rules;
    struct al_window image; /* from the image to the end of the flash: that the slot is
                               shorter is found last, as in the original */
    struct al_image *img;
    struct al_image_fault *fault;
    bool measure; /* only length and digest are wanted */
    bool hashing;
    uint32_t signed_len; /* what lies before the signature, when keys are set */
    struct al_hash sha;
    uint32_t sum; /* XOR of all data, not folded to a byte yet */
};

/* Most faults make an image invalid; those of chip, revision, description and
 * secure version are a plain failure in the original. Inlined everywhere it would
 * cost a chip 100 bytes. */
__attribute__((noinline)) static int refuse(struct verifier *v, enum al_image_check check,
                                            uint32_t offset, uint32_t expected, uint32_t found)
{
    static const uint32_t plain =
        1u << AL_IMAGE_CHECK_CHIP_ID | 1u << AL_IMAGE_CHECK_MIN_CHIP_REV |
        1u << AL_IMAGE_CHECK_MAX_CHIP_REV | 1u << AL_IMAGE_CHECK_APP_DESC_MAGIC |
        1u << AL_IMAGE_CHECK_MIN_EFUSE_REV | 1u << AL_IMAGE_CHECK_MAX_EFUSE_REV |
        1u << AL_IMAGE_CHECK_SECURE_VERSION;
    v->fault->check = check;
    v->fault->offset = offset;
    v->fault->expected = expected;
    v->fault->found = found;
    return plain >> check & 1 ? AL_FAIL : AL_ERR_IMAGE_INVALID;
}

static int read_at(struct verifier *v, uint32_t off, void *dst, uint32_t len)
{
    int err = al_window_read(&v->image, off, dst, len);
    if (!err) return AL_OK;
    refuse(v, AL_IMAGE_CHECK_READ, off, 0, 0);
    return err == AL_ERR_POWER ? err : AL_ERR_IMAGE_FLASH_FAIL;
}

/* The checksum is the XOR of single bytes, so words may be gathered first. In flash,
 * segments begin at words. */
static uint32_t xor_all(uint32_t sum, const uint8_t *p, uint32_t len)
{
    if ((uintptr_t)p % sizeof sum == 0) {
        for (; len >= sizeof sum; len -= (uint32_t)sizeof sum, p += sizeof sum) {
            uint32_t word;
            memcpy(&word, __builtin_assume_aligned(p, sizeof sum), sizeof word);
            sum ^= word;
        }
    }
    while (len--) sum ^= *p++;
    return sum;
}

/* Takes bytes of the image into the hash, and data into the checksum as well. */
static int feed(struct verifier *v, uint32_t off, uint32_t len, bool data)
{
    _Alignas(uint32_t) uint8_t buf[READ_CHUNK];
    while (len > 0) {
        uint32_t n = len < MAP_CHUNK ? len : MAP_CHUNK;
        const uint8_t *p = al_window_map(&v->image, off, n);
        int err = AL_OK;
        if (!p) {
            if (n > READ_CHUNK) n = READ_CHUNK;
            p = buf;
            err = read_at(v, off, buf, n);
        }
        if (!err && data) v->sum = xor_all(v->sum, p, n);
        if (!err && v->hashing) err = al_hash_update(&v->sha, p, n);
        if (err) return err;
        off += n;
        len -= n;
    }
    return AL_OK;
}

/* 0 and 65535 stand for no limit. */
static bool limited(uint16_t rev)
{
    return rev != 0 && rev != 0xffff;
}

/* Lowest and highest revision; the check of the highest comes next in the enum, and
 * its field next in the image. */
static int check_revisions(struct verifier *v, enum al_image_check lowest, uint32_t offset,
                           uint16_t min, uint16_t max, uint16_t rev)
{
    if (rev < min) return refuse(v, lowest, offset, min, rev);
    if (limited(max) && rev > max) return refuse(v, lowest + 1, offset + 2, max, rev);
    return AL_OK;
}

int al_image_check_chip(const struct al_image_header *h, const struct al_device_ids *device,
                        enum al_image_kind kind, struct al_image_fault *fault)
{
    struct al_image_fault unused;
    if (!fault) fault = &unused;
    struct verifier v = {.fault = fault};
    if (h->chip_id != device->chip->id)
        return refuse(&v, AL_IMAGE_CHECK_CHIP_ID, 12, device->chip->id, h->chip_id);
    bool any_max = kind != AL_IMAGE_APP || device->ignore_max_revision;
    return check_revisions(&v, AL_IMAGE_CHECK_MIN_CHIP_REV, 15, h->min_chip_rev_full,
                           any_max ? 0 : h->max_chip_rev_full, device->revision);
}

static int check_header(struct verifier *v)
{
    uint8_t raw[AL_IMAGE_HEADER_LEN];
    struct al_image_header *h = &v->img->header;
    int err = read_at(v, 0, raw, sizeof raw);
    if (err) return err;
    al_image_header_parse(raw, h);
    if (h->magic != AL_IMAGE_MAGIC)
        return refuse(v, AL_IMAGE_CHECK_MAGIC, 0, AL_IMAGE_MAGIC, h->magic);
    if (!v->measure) err = al_image_check_chip(h, &v->rules->device, v->rules->kind, v->fault);
    if (err) return err;
    if (h->segment_count > AL_IMAGE_MAX_SEGMENTS)
        return refuse(v, AL_IMAGE_CHECK_SEGMENT_COUNT, 1, AL_IMAGE_MAX_SEGMENTS, h->segment_count);

    /* The signature covers more than the hash, and stands in for it. */
    v->hashing = v->measure || (h->hash_appended && !v->rules->skip_hash && !v->rules->keys &&
                                !v->rules->skip_data);
    if (v->hashing) err = al_hash_begin(&v->sha, v->rules->crypto, AL_SHA256);
    return err ? err : feed(v, 0, sizeof raw, false);
}

/* Segment 0 of an app begins with its description. */
static int read_desc(struct verifier *v, const struct al_image_segment *seg)
{
    uint8_t raw[AL_APP_DESC_LEN];
    struct al_app_desc *desc = &v->img->desc;
    if (seg->len < sizeof raw)
        return refuse(v, AL_IMAGE_CHECK_SEGMENT0_SHORT, seg->offset - 4, sizeof raw, seg->len);
    int err = read_at(v, seg->offset, raw, sizeof raw);
    if (err) return err;
    v->img->has_desc = al_app_desc_parse(raw, desc) == AL_OK;
    if (!v->rules->device.chip->mmu_page_configurable) return AL_OK;

    if (!v->img->has_desc)
        return refuse(v, AL_IMAGE_CHECK_APP_DESC_MAGIC, seg->offset, AL_APP_DESC_MAGIC,
                      desc->magic_word);
    uint32_t configured = v->img->mmu_page_size;
    if (desc->mmu_page_size >= 13 && desc->mmu_page_size <= 18)
        v->img->mmu_page_size = 1u << desc->mmu_page_size;
    const struct al_image_trace *t = v->rules->trace;
    if (configured != v->img->mmu_page_size && t && t->page_size)
        t->page_size(t->ctx, configured, v->img->mmu_page_size);
    return AL_OK;
}

static int check_efuse_block_rev(struct verifier *v)
{
    const struct al_app_desc *d = &v->img->desc;
    const struct al_device_ids *dev = &v->rules->device;
    if (dev->chip->id == 0) return AL_OK; /* ESP32 has no such eFuse */
    uint16_t min = d->min_efuse_blk_rev_full;
    return check_revisions(v, AL_IMAGE_CHECK_MIN_EFUSE_REV, AL_IMAGE_DESC_OFFSET + 176,
                           limited(min) ? min : 0, d->max_efuse_blk_rev_full, dev->efuse_block_rev);
}

static int check_segment(struct verifier *v, uint32_t index)
{
    uint8_t raw[AL_IMAGE_SEGMENT_HEADER_LEN];
    struct al_image_segment *seg = &v->img->segment[index];
    uint32_t header = v->img->image_len;
    bool first_of_app = index == 0 && v->rules->kind == AL_IMAGE_APP && !v->measure;
    int err = read_at(v, header, raw, sizeof raw);
    if (!err) err = feed(v, header, sizeof raw, false);
    if (err) return err;
    seg->load_addr = al_get_le32(raw);
    seg->len = al_get_le32(raw + 4);
    seg->offset = header + AL_IMAGE_SEGMENT_HEADER_LEN;

    v->fault->segment = index;
    if (seg->len % 4 || seg->len >= SIXTEEN_MB)
        return refuse(v, AL_IMAGE_CHECK_SEGMENT_LENGTH, header + 4, SIXTEEN_MB, seg->len);
    if (first_of_app) err = read_desc(v, seg);
    if (err) return err;

    bool mapped = al_chip_mapped(v->rules->device.chip, seg->load_addr);
    bool loaded = v->rules->loading && !mapped && seg->load_addr >= FIRST_LOADED;
    uint32_t address = v->image.offset + seg->offset;
    if (mapped && !v->measure && (address ^ seg->load_addr) % v->img->mmu_page_size)
        return refuse(v, AL_IMAGE_CHECK_SEGMENT_ADDRESS, header, seg->load_addr, address);
    const struct al_image_trace *t = v->rules->trace;
    if (t && t->segment) t->segment(t->ctx, index, seg, address, mapped, loaded);
    if (loaded && seg->load_addr + seg->len < seg->load_addr)
        return refuse(v, AL_IMAGE_CHECK_SEGMENT_RANGE, header, seg->load_addr,
                      seg->load_addr + seg->len);
    if (first_of_app) err = check_efuse_block_rev(v);
    if (!err && !v->rules->skip_data) err = feed(v, seg->offset, seg->len, true);
    v->img->image_len = seg->offset + seg->len;
    return err;
}

static int check_checksum(struct verifier *v)
{
    uint32_t end = v->img->image_len, pad = al_image_checksum_pad(end);
    v->img->checksum_offset = end + pad - 1;
    v->img->image_len = end + pad;
    int err = read_at(v, v->img->checksum_offset, &v->img->checksum, 1);
    if (!err) err = feed(v, end, pad, false);
    if (err) return err;

    uint32_t sum = AL_IMAGE_CHECKSUM_SEED;
    for (uint32_t s = v->sum; s; s >>= 8) sum ^= s & 0xff;
    if (sum != v->img->checksum && !v->measure && !v->rules->skip_data)
        return refuse(v, AL_IMAGE_CHECK_CHECKSUM, v->img->checksum_offset, sum, v->img->checksum);
    return AL_OK;
}

static int check_length(struct verifier *v, uint32_t slot_size)
{
    if (v->img->header.hash_appended) v->img->image_len += AL_IMAGE_HASH_LEN;
    uint32_t len = v->img->image_len;
    if (v->rules->keys && !v->measure) {
        bool v1 = v->rules->keys->v1;
        v->signed_len = v1 ? len : (len + AL_SECTOR - 1) & ~(AL_SECTOR - 1);
        len = v->signed_len + (v1 ? AL_SIG_V1_LEN : AL_SIG_SECTOR);
    }
    if (len > slot_size) return refuse(v, AL_IMAGE_CHECK_LENGTH, slot_size, slot_size, len);
    return AL_OK;
}

static int check_hash(struct verifier *v)
{
    uint8_t appended[AL_IMAGE_HASH_LEN];
    uint32_t offset = v->img->image_len - AL_IMAGE_HASH_LEN;
    if (!v->hashing) return AL_OK;
    v->hashing = false;
    int err = al_hash_finish(&v->sha, v->img->hash);
    if (err || !v->img->header.hash_appended) return err;
    err = read_at(v, offset, appended, sizeof appended);
    if (!err && memcmp(appended, v->img->hash, sizeof appended) != 0)
        err = refuse(v, AL_IMAGE_CHECK_HASH, offset, 0, 0);
    return err;
}

static int check_trust(struct verifier *v, const struct al_window *slot)
{
    const struct al_image_rules *r = v->rules;
    if (r->keys && !r->skip_data) {
        int err = al_sig_verify(slot, v->signed_len, r->keys, r->loading, r->crypto, NULL,
                                &v->fault->signature);
        if (err) return refuse(v, AL_IMAGE_CHECK_SIGNATURE, v->fault->signature.offset, 0, 0);
    }
    if (r->check_secure_version && r->kind == AL_IMAGE_APP &&
        v->img->desc.secure_version < r->secure_version)
        return refuse(v, AL_IMAGE_CHECK_SECURE_VERSION, AL_IMAGE_DESC_OFFSET + 4, r->secure_version,
                      v->img->desc.secure_version);
    return AL_OK;
}

static int process(struct verifier *v, const struct al_window *slot)
{
    if (slot->size > SIXTEEN_MB) {
        refuse(v, AL_IMAGE_CHECK_SLOT_SIZE, 0, SIXTEEN_MB, slot->size);
        return AL_ERR_INVALID_ARG;
    }
    int err = check_header(v);
    v->img->image_len = AL_IMAGE_HEADER_LEN;
    for (uint32_t i = 0; !err && i < v->img->header.segment_count; i++) err = check_segment(v, i);
    v->img->segment_count = v->img->header.segment_count;
    if (!err) err = check_checksum(v);
    if (!err) err = check_length(v, slot->size);
    if (!err) err = check_hash(v);
    if (!err && !v->measure) err = check_trust(v, slot);
    if (v->hashing) (void)al_hash_finish(&v->sha, NULL);
    return err;
}

static int run(const struct al_window *slot, const struct al_image_rules *rules, bool measure,
               struct al_image *img, struct al_image_fault *fault)
{
    struct al_image_fault unused;
    if (!fault) fault = &unused;
    struct verifier v = {.rules = rules,
                         .image = {.flash = slot->flash,
                                   .offset = slot->offset,
                                   .size = slot->flash->size - slot->offset},
                         .img = img,
                         .fault = fault,
                         .measure = measure};
    memset(img, 0, sizeof *img);
    memset(v.fault, 0, sizeof *v.fault);
    img->mmu_page_size = rules->default_page_size ? rules->default_page_size : DEFAULT_PAGE;
    int err = process(&v, slot);
    if (err) memset(img, 0, sizeof *img);
    if (!err) memset(v.fault, 0, sizeof *v.fault);
    v.fault->err = err;
    v.fault->address = slot->offset;
    return err;
}

int al_image_verify(const struct al_window *slot, const struct al_image_rules *rules,
                    struct al_image *out, struct al_image_fault *fault)
{
    struct al_image unused;
    return run(slot, rules, false, out ? out : &unused, fault);
}

int al_image_sha256(const struct al_window *slot, const struct al_image_rules *rules,
                    uint8_t digest[32])
{
    struct al_image img;
    int err = run(slot, rules, true, &img, NULL);
    memcpy(digest, img.hash, sizeof img.hash);
    return err ? AL_ERR_IMAGE_INVALID : AL_OK;
}

int al_app_desc_read(const struct al_window *slot, struct al_app_desc *out)
{
    uint8_t raw[AL_APP_DESC_LEN];
    int err = al_window_read(slot, AL_IMAGE_DESC_OFFSET, raw, sizeof raw);
    return err ? err : al_app_desc_parse(raw, out);
}
