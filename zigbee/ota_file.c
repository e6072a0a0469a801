/* Reading OTA files: header and elements. See ota_file.h; the checks are in ota_check.c. */
#include "zigbee/ota_file.h"

#include "core/err.h"
#include "zigbee/put.h"

static const struct {
    const char *name;
    bool lenient;
} classes[] = {
    {"ok", true},
    {"no_magic", false},
    {"truncated_header", false},
    {"bad_header_version", false},
    {"bad_header_length", false},
    {"bad_total_size", false},
    {"truncated_file", false},
    {"element_overrun", true},
    {"partial_element", true},
    {"no_image", true},
    {"bad_integrity", true},
    {"bad_hw_range", true},
    {"wildcard_id", false},
    {"duplicate_image", true},
    {"wrong_device", false},
    {"too_large", false},
};
#define CLASSES (sizeof classes / sizeof classes[0])

const char *al_zfile_class_name(enum al_zfile_class c)
{
    return (unsigned)c < CLASSES ? classes[c].name : "unknown";
}

bool al_zfile_class_lenient(enum al_zfile_class c)
{
    return (unsigned)c < CLASSES && classes[c].lenient;
}

static int fail(struct al_zfile_fault *fault, enum al_zfile_class class, uint32_t offset,
                uint64_t expected, uint64_t found, int err)
{
    *fault = (struct al_zfile_fault){class, offset, expected, found};
    return err;
}

uint16_t al_zfile_header_size(uint16_t field_control)
{
    unsigned size = AL_ZFILE_HEADER_MIN;
    if (field_control & AL_ZFILE_HAS_CREDENTIAL) size += 1;
    if (field_control & AL_ZFILE_HAS_DESTINATION) size += 8;
    if (field_control & AL_ZFILE_HAS_HARDWARE) size += 4;
    return (uint16_t)size;
}

static void read_fixed_part(struct al_cur *c, struct al_zfile_header *h)
{
    h->header_version = al_le16(c);
    h->header_length = al_le16(c);
    h->field_control = al_le16(c);
    h->manufacturer = al_le16(c);
    h->image_type = al_le16(c);
    h->file_version = al_le32(c);
    h->stack_version = al_le16(c);
    al_bytes(c, h->string, sizeof h->string);
    h->total_image_size = al_le32(c);
}

static void read_optional_part(struct al_cur *c, struct al_zfile_header *h)
{
    if (h->field_control & AL_ZFILE_HAS_CREDENTIAL) h->credential_version = al_u8(c);
    if (h->field_control & AL_ZFILE_HAS_DESTINATION) h->destination = al_le64(c);
    if (h->field_control & AL_ZFILE_HAS_HARDWARE) {
        h->min_hardware = al_le16(c);
        h->max_hardware = al_le16(c);
    }
}

int al_zfile_parse_header(const uint8_t *p, size_t len, struct al_zfile_header *h,
                          struct al_zfile_fault *fault)
{
    struct al_cur c = al_cur(p, len);
    memset(h, 0, sizeof *h);
    uint32_t magic = al_le32(&c);
    if (c.failed || magic != AL_ZFILE_MAGIC)
        return fail(fault, AL_ZFILE_NO_MAGIC, 0, AL_ZFILE_MAGIC, magic, AL_ERR_NOT_FOUND);
    read_fixed_part(&c, h);
    if (c.failed)
        return fail(fault, AL_ZFILE_TRUNCATED_HEADER, 0, AL_ZFILE_HEADER_MIN, len, AL_ERR_SHORT);
    if (h->header_version >> 8 != AL_ZFILE_HEADER_VERSION >> 8)
        return fail(fault, AL_ZFILE_BAD_HEADER_VERSION, 4, AL_ZFILE_HEADER_VERSION,
                    h->header_version, AL_ERR_INVALID_VERSION);
    uint16_t need = al_zfile_header_size(h->field_control);
    if (h->header_length < need)
        return fail(fault, AL_ZFILE_BAD_HEADER_LENGTH, 6, need, h->header_length,
                    AL_ERR_INVALID_SIZE);
    read_optional_part(&c, h);
    if (c.failed) return fail(fault, AL_ZFILE_TRUNCATED_HEADER, 0, need, len, AL_ERR_SHORT);
    if (h->total_image_size < h->header_length)
        return fail(fault, AL_ZFILE_BAD_TOTAL_SIZE, 52, h->header_length, h->total_image_size,
                    AL_ERR_INVALID_SIZE);
    return 0;
}

uint16_t al_zfile_build_header(const struct al_zfile_header *h, uint8_t out[AL_ZFILE_HEADER_MAX])
{
    struct al_put p = al_put(out, AL_ZFILE_HEADER_MAX);
    al_put32(&p, AL_ZFILE_MAGIC);
    al_put16(&p, h->header_version);
    al_put16(&p, al_zfile_header_size(h->field_control));
    al_put16(&p, h->field_control);
    al_put16(&p, h->manufacturer);
    al_put16(&p, h->image_type);
    al_put32(&p, h->file_version);
    al_put16(&p, h->stack_version);
    al_put_bytes(&p, h->string, sizeof h->string);
    al_put32(&p, h->total_image_size);
    if (h->field_control & AL_ZFILE_HAS_CREDENTIAL) al_put8(&p, h->credential_version);
    if (h->field_control & AL_ZFILE_HAS_DESTINATION) al_put64(&p, h->destination);
    if (h->field_control & AL_ZFILE_HAS_HARDWARE) {
        al_put16(&p, h->min_hardware);
        al_put16(&p, h->max_hardware);
    }
    return (uint16_t)p.len;
}

/* The next magic at or behind from: 1, 0: none; or the source's error. */
static int find_magic(const struct al_zfile_source *s, uint32_t from, uint32_t *at)
{
    static const uint8_t magic[4] = {0x1e, 0xf1, 0xee, 0x0b};
    uint8_t buf[256];
    while (from < s->size && s->size - from >= sizeof magic) {
        uint32_t left = s->size - from;
        size_t n = left < sizeof buf ? left : sizeof buf;
        int err = s->read(s->ctx, from, buf, n);
        if (err) return err;
        for (size_t i = 0; i + sizeof magic <= n; i++) {
            if (memcmp(buf + i, magic, sizeof magic) != 0) continue;
            *at = from + (uint32_t)i;
            return 1;
        }
        from += (uint32_t)(n - (sizeof magic - 1));
    }
    return 0;
}

/* 0, AL_ERR_IMAGE_INVALID with the fault, or the source's error. */
static int read_header(struct al_zfile *f, uint32_t start, struct al_zfile_fault *fault)
{
    uint8_t buf[AL_ZFILE_HEADER_MAX];
    uint32_t left = f->source.size - start;
    size_t n = left < sizeof buf ? left : sizeof buf;
    int err = f->source.read(f->source.ctx, start, buf, n);
    if (err) return err;
    f->start = start;
    if (al_zfile_parse_header(buf, n, &f->header, fault)) return AL_ERR_IMAGE_INVALID;
    if (f->header.total_image_size > left)
        return fail(fault, AL_ZFILE_TRUNCATED_FILE, 52, f->header.total_image_size, left,
                    AL_ERR_IMAGE_INVALID);
    return 0;
}

static int find_header(struct al_zfile *f, struct al_zfile_fault *fault)
{
    struct al_zfile first = *f;
    struct al_zfile_fault other, first_fault = {.class = AL_ZFILE_OK};
    uint32_t at = 0;
    int found;
    while ((found = find_magic(&f->source, at, &at)) == 1) {
        int err = read_header(f, at, &other);
        if (err != AL_ERR_IMAGE_INVALID) return err;
        if (first_fault.class == AL_ZFILE_OK) {
            first = *f;
            first_fault = other;
        }
        at++;
    }
    if (found < 0) return found;
    if (first_fault.class == AL_ZFILE_OK)
        return fail(fault, AL_ZFILE_NO_MAGIC, 0, AL_ZFILE_MAGIC, 0, AL_ERR_IMAGE_INVALID);
    *f = first;
    *fault = first_fault;
    return AL_ERR_IMAGE_INVALID;
}

/* Where the header lies tells the wrapping, and a length in it confirms that. */
static int find_wrapping(struct al_zfile *f)
{
    uint8_t head[72];
    f->wrapping = f->start ? AL_ZFILE_JUNK : AL_ZFILE_PLAIN;
    size_t n = f->start < sizeof head ? f->start : sizeof head;
    int err = n ? f->source.read(f->source.ctx, 0, head, n) : 0;
    if (err || n < 4) return err;
    uint32_t size = f->source.size;
    if (f->start == 4 && size - 4 >= 17 && al_get_le32(head) == size - 21)
        f->wrapping = AL_ZFILE_LEGRAND;
    else if (n >= 20 && memcmp(head, "NGIS", 4) == 0 && al_get_le32(head + 16) == f->start)
        f->wrapping = AL_ZFILE_NGIS;
    else if (f->start == 152 && al_get_le32(head + 68) == size - 64)
        f->wrapping = AL_ZFILE_THIRD_REALITY;
    return 0;
}

int al_zfile_read(const struct al_zfile *f, uint32_t off, void *buf, size_t len)
{
    uint32_t total = f->header.total_image_size;
    if (off > total || len > total - off) return AL_ERR_INVALID_SIZE;
    return f->source.read(f->source.ctx, f->start + off, buf, len);
}

/* One element. 1, 0: the end; AL_ERR_IMAGE_INVALID with class 7 or 8; or the source's. */
static int step(const struct al_zfile *f, bool telink, struct al_zfile_iter *it,
                struct al_zfile_fault *fault)
{
    uint32_t at = it->position, left = f->header.total_image_size - at;
    uint8_t head[AL_ZFILE_ELEMENT_HEADER];
    if (left == 0) return 0;
    if (left < sizeof head)
        return fail(fault, AL_ZFILE_PARTIAL_ELEMENT, at, sizeof head, left, AL_ERR_IMAGE_INVALID);
    int err = al_zfile_read(f, at, head, sizeof head);
    if (err) return err;
    struct al_zfile_element *e = &it->element;
    e->tag = al_get_le16(head);
    e->length = al_get_le32(head + 2);
    uint32_t extra = telink && e->tag == AL_ZFILE_TELINK_AES ? 2 : 0;
    left -= (uint32_t)sizeof head;
    if (extra > left || e->length > left - extra)
        return fail(fault, AL_ZFILE_ELEMENT_OVERRUN, at + 2, extra > left ? 0 : left - extra,
                    e->length, AL_ERR_IMAGE_INVALID);
    e->offset = at + (uint32_t)sizeof head + extra;
    it->position = e->offset + e->length;
    return 1;
}

static void note_element(struct al_zfile *f, const struct al_zfile_element *e, bool telink)
{
    f->elements++;
    if (e->tag == AL_ZFILE_UPGRADE_IMAGE) {
        if (f->images == 0) f->image = *e;
        if (++f->images == 2) f->second_image = e->offset;
        f->has_image = true;
    } else if (telink && e->tag == AL_ZFILE_TELINK_AES && !f->has_image) {
        f->image = *e;
        f->has_image = true;
    } else if (e->tag == AL_ZFILE_INTEGRITY_CODE && !f->has_integrity) {
        f->integrity = *e;
        f->has_integrity = true;
    }
}

/* 0, AL_ERR_IMAGE_INVALID with f->chain_fault, or the source's error. */
static int walk(struct al_zfile *f, bool telink)
{
    struct al_zfile_iter it = al_zfile_first(f);
    int more;
    f->elements = f->images = 0;
    f->has_image = f->has_integrity = false;
    while ((more = step(f, telink, &it, &f->chain_fault)) == 1)
        note_element(f, &it.element, telink);
    return more;
}

/* The Telink reading comes second: plain elements of tag 0xf000 exist as well. */
static int walk_either_way(struct al_zfile *f)
{
    int err = walk(f, false);
    f->chain = AL_ZFILE_CHAIN_STANDARD;
    if (err != AL_ERR_IMAGE_INVALID) return err;
    struct al_zfile standard = *f;
    err = walk(f, true);
    f->chain = AL_ZFILE_CHAIN_TELINK;
    if (err != AL_ERR_IMAGE_INVALID) return err;
    *f = standard;
    f->chain = AL_ZFILE_CHAIN_NONE;
    return 0;
}

int al_zfile_open(struct al_zfile *f, const struct al_zfile_source *source,
                  struct al_zfile_fault *fault)
{
    memset(f, 0, sizeof *f);
    *fault = (struct al_zfile_fault){.class = AL_ZFILE_OK};
    f->source = *source;
    int err = find_header(f, fault);
    if (!err) err = find_wrapping(f);
    if (!err) err = walk_either_way(f);
    return err;
}

struct al_zfile_iter al_zfile_first(const struct al_zfile *f)
{
    return (struct al_zfile_iter){.position = f->header.header_length};
}

int al_zfile_next(const struct al_zfile *f, struct al_zfile_iter *it)
{
    struct al_zfile_fault fault;
    int more = step(f, f->chain == AL_ZFILE_CHAIN_TELINK, it, &fault);
    return more == AL_ERR_IMAGE_INVALID ? 0 : more;
}
