/* OTA files piece by piece. See ota_stream.h. */
#include "zigbee/ota_stream.h"

#include "core/bytes.h"
#include "core/err.h"

enum { BY_VALUE, BY_TAG };

struct feed {
    struct al_zstream *s;
    const struct al_aes *aes;
    const struct al_zstream_app *app;
    const uint8_t *data;
    size_t len;
};

void al_zstream_begin(struct al_zstream *s)
{
    memset(s, 0, sizeof *s);
    al_mmo_begin(&s->mmo, NULL);
}

static int fail(struct al_zstream *s, int err)
{
    s->state = AL_ZSTREAM_FAILED;
    s->err = err;
    return err;
}

static int invalid(struct al_zstream *s, enum al_zfile_class class, uint32_t offset,
                   uint64_t expected, uint64_t found)
{
    s->fault = (struct al_zfile_fault){class, offset, expected, found};
    return fail(s, AL_ERR_IMAGE_INVALID);
}

/* The next n bytes, hashed. */
static const uint8_t *consume(struct feed *f, size_t n)
{
    const uint8_t *p = f->data;
    if (f->aes) al_mmo_update(&f->s->mmo, p, n);
    f->data += n;
    f->len -= n;
    f->s->position += (uint32_t)n;
    return p;
}

/* Collects until want bytes are together; they are not hashed yet. True when they are. */
static bool gather(struct feed *f, size_t want)
{
    struct al_zstream *s = f->s;
    while (s->fill < want && f->len) {
        s->gather[s->fill++] = *f->data++;
        f->len--;
        s->position++;
    }
    return s->fill >= want;
}

/* Between two elements: on to the next one, or the end. */
static int next_element(struct al_zstream *s)
{
    uint32_t left = s->header.total_image_size - s->position;
    s->fill = 0;
    s->state = left ? AL_ZSTREAM_ELEMENT : AL_ZSTREAM_DONE;
    if (left && left < AL_ZFILE_ELEMENT_HEADER)
        return invalid(s, AL_ZFILE_PARTIAL_ELEMENT, s->position, AL_ZFILE_ELEMENT_HEADER, left);
    return 0;
}

static int take_header(struct feed *f)
{
    struct al_zstream *s = f->s;
    struct al_zfile_fault fault;
    size_t want = AL_ZFILE_HEADER_MIN;
    if (s->fill >= want) want = al_zfile_header_size(al_get_le16(s->gather + 8));
    if (!gather(f, want)) return 0;
    if (al_zfile_parse_header(s->gather, s->fill, &s->header, &fault)) {
        /* Only the optional fields are missing: the next round gathers them. */
        if (fault.class == AL_ZFILE_TRUNCATED_HEADER) return 0;
        s->fault = fault;
        return fail(s, AL_ERR_IMAGE_INVALID);
    }
    if (f->aes) al_mmo_update(&s->mmo, s->gather, s->fill);
    s->state = AL_ZSTREAM_MORE_HEADER;
    int err = f->app->header ? f->app->header(f->app->ctx, &s->header) : 0;
    if (err < 0) return fail(s, err);
    return s->position == s->header.header_length ? next_element(s) : 0;
}

static int skip_header(struct feed *f)
{
    struct al_zstream *s = f->s;
    size_t left = s->header.header_length - s->position;
    consume(f, left < f->len ? left : f->len);
    return s->position == s->header.header_length ? next_element(s) : 0;
}

/* The first six bytes behind the header are those of an image rather than of an element:
 * they promise more than there is, or they are the magic of an ESP application image or
 * of a delta patch where a tag would be one that nobody has assigned. */
static bool looks_raw(const struct al_zstream *s, uint32_t left)
{
    static const uint8_t patch[4] = {0x10, 0xde, 0xcd, 0xfc};
    uint16_t tag = al_get_le16(s->gather);
    if (s->position != s->header.header_length + AL_ZFILE_ELEMENT_HEADER) return false;
    if (memcmp(s->gather, patch, sizeof patch) == 0) return true;
    return al_get_le32(s->gather + 2) > left || (s->gather[0] == 0xe9 && tag > 6 && tag < 0xf000);
}

static int hand_on(struct feed *f, uint32_t offset, const uint8_t *data, size_t len)
{
    struct al_zstream *s = f->s;
    int err = len && f->app->data ? f->app->data(f->app->ctx, &s->element, offset, data, len) : 0;
    return err < 0 ? fail(s, err) : 0;
}

static int begin_raw(struct feed *f)
{
    struct al_zstream *s = f->s;
    uint32_t at = s->header.header_length;
    s->element =
        (struct al_zfile_element){AL_ZFILE_UPGRADE_IMAGE, s->header.total_image_size - at, at};
    s->raw = s->has_image = true;
    s->image = s->element;
    s->state = AL_ZSTREAM_DATA;
    int err = hand_on(f, 0, s->gather, AL_ZFILE_ELEMENT_HEADER);
    return err || s->position < s->header.total_image_size ? err : next_element(s);
}

/* The code is known once all bytes it covers have come: now. */
static void begin_integrity(struct al_zstream *s, const struct al_mmo *up_to_tag)
{
    struct al_mmo m = *up_to_tag;
    al_mmo_finish(&m, s->expect[BY_TAG]);
    m = s->mmo;
    al_mmo_finish(&m, s->expect[BY_VALUE]);
    s->up_to_tag = s->up_to_value = true;
}

static int take_element(struct feed *f)
{
    struct al_zstream *s = f->s;
    if (!gather(f, AL_ZFILE_ELEMENT_HEADER)) return 0;
    struct al_mmo before = s->mmo;
    uint32_t left = s->header.total_image_size - s->position;
    if (f->aes) al_mmo_update(&s->mmo, s->gather, AL_ZFILE_ELEMENT_HEADER);
    if (looks_raw(s, left)) return begin_raw(f);
    struct al_zfile_element e = {al_get_le16(s->gather), al_get_le32(s->gather + 2), s->position};
    s->element = e;
    if (e.length > left) return invalid(s, AL_ZFILE_ELEMENT_OVERRUN, e.offset - 4, left, e.length);
    if (e.tag == AL_ZFILE_UPGRADE_IMAGE && s->has_image)
        return invalid(s, AL_ZFILE_DUPLICATE_IMAGE, e.offset - AL_ZFILE_ELEMENT_HEADER, 1, 2);
    if (e.tag == AL_ZFILE_UPGRADE_IMAGE) {
        s->has_image = true;
        s->image = e;
    } else if (e.tag == AL_ZFILE_INTEGRITY_CODE && !s->has_integrity) {
        s->has_integrity = true;
        s->integrity_at = e.offset;
        if (f->aes) begin_integrity(s, &before);
    }
    s->state = AL_ZSTREAM_DATA;
    return e.length ? 0 : next_element(s);
}

static void compare_integrity(struct feed *f, uint32_t offset, const uint8_t *data, size_t len)
{
    struct al_zstream *s = f->s;
    for (size_t i = 0; i < len && offset + i < 16; i++) {
        s->up_to_value &= data[i] == s->expect[BY_VALUE][offset + i];
        s->up_to_tag &= data[i] == s->expect[BY_TAG][offset + i];
    }
    if (offset + len == 16 && s->element.length == 16)
        s->integrity_ok = !f->aes || s->up_to_value || s->up_to_tag;
}

static int take_data(struct feed *f)
{
    struct al_zstream *s = f->s;
    uint32_t offset = s->position - s->element.offset, left = s->element.length - offset;
    size_t n = left < f->len ? left : f->len;
    const uint8_t *p = consume(f, n);
    if (s->has_integrity && s->element.offset == s->integrity_at)
        compare_integrity(f, offset, p, n);
    int err = hand_on(f, offset, p, n);
    return err || n < left ? err : next_element(s);
}

int al_zstream_feed(struct al_zstream *s, const struct al_aes *aes,
                    const struct al_zstream_app *app, const uint8_t *data, size_t len)
{
    struct feed f = {s, aes, app, data, len};
    int err = s->state == AL_ZSTREAM_FAILED ? s->err : 0;
    s->mmo.aes = aes;
    while (!err && f.len && s->state != AL_ZSTREAM_DONE) {
        switch (s->state) {
        case AL_ZSTREAM_HEADER:
            err = take_header(&f);
            break;
        case AL_ZSTREAM_MORE_HEADER:
            err = skip_header(&f);
            break;
        case AL_ZSTREAM_ELEMENT:
            err = take_element(&f);
            break;
        case AL_ZSTREAM_DATA:
            err = take_data(&f);
            break;
        default:
            return err; /* DONE and FAILED do not get here */
        }
    }
    return err;
}

int al_zstream_end(struct al_zstream *s)
{
    struct al_zfile_verdict v = {.count = 0};
    if (s->state == AL_ZSTREAM_FAILED) return s->err;
    if (s->state != AL_ZSTREAM_DONE) return AL_ERR_NOT_FINISHED;
    if (!s->has_image) return invalid(s, AL_ZFILE_NO_IMAGE, s->header.header_length, 1, 0);
    if (s->has_integrity && !s->integrity_ok)
        return invalid(s, AL_ZFILE_BAD_INTEGRITY, s->integrity_at, 16, 16);
    al_zfile_check_header(&s->header, &v);
    if (v.count == 0) return 0;
    s->fault = v.fault[0];
    return fail(s, AL_ERR_IMAGE_INVALID);
}
