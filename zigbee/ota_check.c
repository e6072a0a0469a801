/* Whether an OTA file is what it should be, and for whom. See ota_file.h. */
#include "core/bytes.h"
#include "core/err.h"
#include "zigbee/hash.h"
#include "zigbee/ota_file.h"

/* Hashes [from, to). */
static int hash_range(const struct al_zfile *f, struct al_mmo *m, uint32_t from, uint32_t to)
{
    uint8_t buf[256];
    while (from < to) {
        size_t n = to - from < sizeof buf ? to - from : sizeof buf;
        int err = al_zfile_read(f, from, buf, n);
        if (err) return err;
        al_mmo_update(m, buf, n);
        from += (uint32_t)n;
    }
    return 0;
}

int al_zfile_digest(const struct al_zfile *f, const struct al_aes *aes, uint32_t end, uint32_t skip,
                    uint32_t skip_len, uint8_t digest[16])
{
    struct al_mmo m;
    al_mmo_begin(&m, aes);
    int err = hash_range(f, &m, 0, skip < end ? skip : end);
    if (!err && skip < end && skip_len < end - skip) err = hash_range(f, &m, skip + skip_len, end);
    if (!err) al_mmo_finish(&m, digest);
    return err;
}

int al_zfile_integrity(const struct al_zfile *f, const struct al_aes *aes,
                       enum al_zfile_coverage *coverage)
{
    uint8_t code[16], digest[16];
    struct al_mmo all, up_to_tag;
    uint32_t value = f->integrity.offset;
    *coverage = AL_ZFILE_COVERS_NOTHING_KNOWN;
    if (!f->has_integrity || f->integrity.length != sizeof code) return AL_ERR_NOT_FOUND;
    al_mmo_begin(&all, aes);
    int err = al_zfile_read(f, value, code, sizeof code);
    if (!err) err = hash_range(f, &all, 0, value - AL_ZFILE_ELEMENT_HEADER);
    if (err) return err;
    up_to_tag = all;
    err = hash_range(f, &all, value - AL_ZFILE_ELEMENT_HEADER, value);
    if (err) return err;
    al_mmo_finish(&up_to_tag, digest);
    if (memcmp(digest, code, sizeof code) == 0) *coverage = AL_ZFILE_UP_TO_TAG;
    al_mmo_finish(&all, digest);
    if (memcmp(digest, code, sizeof code) == 0) *coverage = AL_ZFILE_UP_TO_VALUE;
    return 0;
}

const struct al_zfile_fault *al_zfile_error(const struct al_zfile_verdict *v, bool lenient)
{
    for (uint8_t i = 0; i < v->count; i++)
        if (!lenient || !al_zfile_class_lenient(v->fault[i].class)) return &v->fault[i];
    return NULL;
}

static void add(struct al_zfile_verdict *v, enum al_zfile_class class, uint32_t offset,
                uint64_t expected, uint64_t found)
{
    v->fault[v->count++] = (struct al_zfile_fault){class, offset, expected, found};
}

static int check_integrity(const struct al_zfile *f, const struct al_aes *aes,
                           struct al_zfile_verdict *v)
{
    enum al_zfile_coverage coverage;
    const struct al_zfile_element *code = &f->integrity;
    if (!f->has_integrity) return 0;
    if (code->length != 16) {
        add(v, AL_ZFILE_BAD_INTEGRITY, code->offset - 4, 16, code->length);
        return 0;
    }
    int err = aes ? al_zfile_integrity(f, aes, &coverage) : 0;
    if (aes && !err && coverage == AL_ZFILE_COVERS_NOTHING_KNOWN)
        add(v, AL_ZFILE_BAD_INTEGRITY, code->offset, 16, 16);
    return err;
}

/* Where the hardware versions lie in the header. */
static uint32_t hardware_offset(const struct al_zfile_header *h)
{
    return al_zfile_header_size(h->field_control) - 4u;
}

void al_zfile_check_header(const struct al_zfile_header *h, struct al_zfile_verdict *v)
{
    if (h->field_control & AL_ZFILE_HAS_HARDWARE && h->min_hardware > h->max_hardware)
        add(v, AL_ZFILE_BAD_HW_RANGE, hardware_offset(h), h->max_hardware, h->min_hardware);
    if (h->image_type == 0xffff)
        add(v, AL_ZFILE_WILDCARD_ID, 12, 0xfffe, 0xffff);
    else if (h->file_version == 0xffffffff)
        add(v, AL_ZFILE_WILDCARD_ID, 14, 0xfffffffe, 0xffffffff);
}

int al_zfile_check(const struct al_zfile *f, const struct al_aes *aes, struct al_zfile_verdict *v)
{
    bool chain = f->chain != AL_ZFILE_CHAIN_NONE;
    int err = 0;
    v->count = 0;
    if (!chain) v->fault[v->count++] = f->chain_fault;
    if (chain && !f->has_image) add(v, AL_ZFILE_NO_IMAGE, f->header.header_length, 1, 0);
    if (chain) err = check_integrity(f, aes, v);
    al_zfile_check_header(&f->header, v);
    if (chain && f->images > 1)
        add(v, AL_ZFILE_DUPLICATE_IMAGE, f->second_image - AL_ZFILE_ELEMENT_HEADER, 1, f->images);
    return err;
}

static uint64_t reversed(uint64_t v)
{
    uint8_t b[8], r[8];
    al_put_le64(b, v);
    for (unsigned i = 0; i < 8; i++) r[i] = b[7 - i];
    return al_get_le64(r);
}

int al_zfile_check_device(const struct al_zfile_header *h, uint32_t payload,
                          const struct al_zfile_device *d, struct al_zfile_fault *fault)
{
    enum al_zfile_fit fit = AL_ZFILE_FITS;
    *fault = (struct al_zfile_fault){.class = AL_ZFILE_WRONG_DEVICE};
    if (h->field_control & AL_ZFILE_HAS_DESTINATION && h->destination != d->ext_addr) {
        fault->offset = h->field_control & AL_ZFILE_HAS_CREDENTIAL ? 57 : 56;
        fault->expected = d->ext_addr;
        fault->found = h->destination;
        if (reversed(h->destination) != d->ext_addr) return AL_ERR_NOT_ALLOWED;
        fit = AL_ZFILE_FITS_REVERSED;
    }
    if (h->field_control & AL_ZFILE_HAS_HARDWARE && d->has_hardware &&
        (d->hardware < h->min_hardware || d->hardware > h->max_hardware)) {
        bool below = d->hardware < h->min_hardware;
        fault->offset = hardware_offset(h) + (below ? 0 : 2);
        fault->expected = d->hardware;
        fault->found = below ? h->min_hardware : h->max_hardware;
        return AL_ERR_NOT_ALLOWED;
    }
    uint32_t size = payload ? payload : h->total_image_size;
    if (d->space != UINT32_MAX && size > d->space) {
        *fault = (struct al_zfile_fault){AL_ZFILE_TOO_LARGE, 52, d->space, size};
        return AL_ERR_NOT_ALLOWED;
    }
    if (fit == AL_ZFILE_FITS) fault->class = AL_ZFILE_OK;
    return (int)fit;
}
