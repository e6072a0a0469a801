#include "core/tone_image.h"

#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/err.h"

/* The description is an app's (esp_app_desc_t) with another magic. */
enum { DESC_VERSION = 16, DESC_PROJECT = 48, DESC_TIME = 80, DESC_DATE = 96 };
enum { VERSION_LEN = 32, PROJECT_LEN = 32, TIME_LEN = 16, DATE_LEN = 16 };

const char *al_tone_check_name(enum al_tone_check check)
{
    static const char *const names[] = {
        [AL_TONE_OK] = "ok",
        [AL_TONE_SHORT] = "short",
        [AL_TONE_BAD_TAG] = "bad_tag",
        [AL_TONE_BAD_FORMAT] = "bad_format",
        [AL_TONE_BAD_COUNT] = "bad_count",
        [AL_TONE_BAD_MAGIC] = "bad_magic",
        [AL_TONE_BAD_PROJECT] = "bad_project",
        [AL_TONE_BAD_ENTRY_TAG] = "bad_entry_tag",
        [AL_TONE_BAD_INDEX] = "bad_index",
        [AL_TONE_BAD_ADDRESS] = "bad_address",
        [AL_TONE_BAD_LENGTH] = "bad_length",
        [AL_TONE_BAD_TAIL] = "bad_tail",
        [AL_TONE_BAD_CRC] = "bad_crc",
    };
    return (size_t)check < sizeof names / sizeof *names ? names[check] : "unknown";
}

static int refuse(struct al_tone_fault *f, enum al_tone_check check, uint32_t offset,
                  uint32_t expected, uint32_t found)
{
    f->check = check;
    f->offset = offset;
    f->expected = expected;
    f->found = found;
    return AL_ERR_IMAGE_INVALID;
}

static int read_at(const struct al_tone_source *s, uint32_t offset, void *dst, uint32_t len,
                   struct al_tone_fault *fault)
{
    fault->check = AL_TONE_OK;
    if (offset > s->size || len > s->size - offset) {
        uint32_t end = len > UINT32_MAX - offset ? UINT32_MAX : offset + len;
        return refuse(fault, AL_TONE_SHORT, offset, end, s->size);
    }
    return s->read(s->ctx, offset, dst, len);
}

static uint32_t table_offset(const struct al_tone *t)
{
    return AL_TONE_HEADER_LEN + (t->format == 1 ? AL_TONE_DESC_LEN : 0);
}

static uint32_t table_end(const struct al_tone *t)
{
    return table_offset(t) + t->count * AL_TONE_ENTRY_LEN;
}

uint32_t al_tone_padded(uint32_t length)
{
    return (length + 3) & ~(uint32_t)3;
}

/* Where the file and its padding end. The last file of format 0 may end with the source. */
static uint32_t file_end(const struct al_tone *t, const struct al_tone_file *f)
{
    uint32_t padding = al_tone_padded(f->length) - f->length, end = f->address + f->length;
    return end + (padding < t->source.size - end ? padding : t->source.size - end);
}

int al_tone_open(struct al_tone *t, const struct al_tone_source *source,
                 struct al_tone_fault *fault)
{
    uint8_t raw[AL_TONE_HEADER_LEN];
    *fault = (struct al_tone_fault){0};
    *t = (struct al_tone){.source = *source};
    int err = read_at(source, 0, raw, sizeof raw, fault);
    if (err) return err;
    struct al_cur c = al_cur(raw, sizeof raw);
    uint16_t tag = al_le16(&c);
    t->count = al_le16(&c);
    t->format = al_le32(&c);
    if (tag != AL_TONE_TAG) return refuse(fault, AL_TONE_BAD_TAG, 0, AL_TONE_TAG, tag);
    if (t->format > 1) return refuse(fault, AL_TONE_BAD_FORMAT, 4, 1, t->format);
    if (t->count == 0 || t->count > AL_TONE_FILES)
        return refuse(fault, AL_TONE_BAD_COUNT, 2, AL_TONE_FILES, t->count);
    if (table_end(t) > source->size)
        return refuse(fault, AL_TONE_SHORT, table_offset(t), table_end(t), source->size);
    return 0;
}

int al_tone_read_desc(const struct al_tone *t, struct al_tone_desc *desc,
                      struct al_tone_fault *fault)
{
    uint8_t raw[AL_TONE_DESC_LEN];
    *desc = (struct al_tone_desc){0};
    if (t->format != 1) return refuse(fault, AL_TONE_BAD_FORMAT, 4, 1, t->format);
    int err = read_at(&t->source, AL_TONE_HEADER_LEN, raw, sizeof raw, fault);
    if (err) return err;
    struct al_cur c = al_cur(raw, sizeof raw);
    desc->magic = al_le32(&c);
    desc->secure_version = al_le32(&c);
    memcpy(desc->version, raw + DESC_VERSION, VERSION_LEN);
    memcpy(desc->project, raw + DESC_PROJECT, PROJECT_LEN);
    memcpy(desc->time, raw + DESC_TIME, TIME_LEN);
    memcpy(desc->date, raw + DESC_DATE, DATE_LEN);
    return 0;
}

int al_tone_read_file(const struct al_tone *t, uint32_t index, struct al_tone_file *file,
                      struct al_tone_fault *fault)
{
    uint8_t raw[AL_TONE_ENTRY_LEN];
    uint32_t at = table_offset(t) + index * AL_TONE_ENTRY_LEN;
    if (index >= t->count) return AL_ERR_INVALID_ARG;
    fault->file = index;
    int err = read_at(&t->source, at, raw, sizeof raw, fault);
    if (err) return err;
    struct al_cur c = al_cur(raw, sizeof raw);
    uint8_t tag = al_u8(&c);
    file->index = al_u8(&c);
    file->type = al_u8(&c);
    file->version = al_u8(&c);
    file->address = al_le32(&c);
    file->length = al_le32(&c);
    if (tag != AL_TONE_ENTRY_TAG)
        return refuse(fault, AL_TONE_BAD_ENTRY_TAG, at, AL_TONE_ENTRY_TAG, tag);
    if (file->index != index) return refuse(fault, AL_TONE_BAD_INDEX, at + 1, index, file->index);
    if (file->address < table_end(t))
        return refuse(fault, AL_TONE_BAD_ADDRESS, at + 4, table_end(t), file->address);
    if (file->address > t->source.size || file->length > t->source.size - file->address) {
        uint32_t room = file->address > t->source.size ? 0 : t->source.size - file->address;
        return refuse(fault, AL_TONE_BAD_LENGTH, at + 8, room, file->length);
    }
    return 0;
}

int al_tone_find_end(const struct al_tone *t, uint32_t *len, struct al_tone_fault *fault)
{
    struct al_tone_file last;
    uint8_t raw[AL_TONE_TRAILER];
    int err = al_tone_read_file(t, t->count - 1, &last, fault);
    if (err) return err;
    *len = file_end(t, &last);
    if (t->format == 0) return 0;
    err = read_at(&t->source, *len, raw, sizeof raw, fault);
    if (err) return err;
    uint16_t tail = al_get_le16(raw + AL_TONE_CRC_LEN);
    if (tail != AL_TONE_TAIL)
        return refuse(fault, AL_TONE_BAD_TAIL, *len + AL_TONE_CRC_LEN, AL_TONE_TAIL, tail);
    *len += AL_TONE_TRAILER;
    return 0;
}

int al_tone_check_crc(const struct al_tone *t, uint32_t len, struct al_tone_fault *fault)
{
    uint8_t block[256];
    uint32_t crc = 0, end = len - AL_TONE_TRAILER;
    int err;
    if (t->format != 1 || len < AL_TONE_TRAILER) return AL_ERR_INVALID_ARG;
    for (uint32_t at = 0; at < end;) {
        uint32_t n = end - at < sizeof block ? end - at : (uint32_t)sizeof block;
        err = read_at(&t->source, at, block, n, fault);
        if (err) return err;
        crc = al_crc32(crc, block, n);
        at += n;
    }
    err = read_at(&t->source, end, block, AL_TONE_CRC_LEN, fault);
    if (err) return err;
    uint32_t stored = al_get_le32(block);
    return stored == crc ? 0 : refuse(fault, AL_TONE_BAD_CRC, end, crc, stored);
}

static int verify_desc(const struct al_tone *t, struct al_tone_fault *fault)
{
    struct al_tone_desc desc;
    int err = al_tone_read_desc(t, &desc, fault);
    if (err) return err;
    if (desc.magic != AL_TONE_MAGIC)
        return refuse(fault, AL_TONE_BAD_MAGIC, AL_TONE_HEADER_LEN, AL_TONE_MAGIC, desc.magic);
    if (memcmp(desc.project, AL_TONE_PROJECT, sizeof AL_TONE_PROJECT) != 0)
        return refuse(fault, AL_TONE_BAD_PROJECT, AL_TONE_HEADER_LEN + DESC_PROJECT, 0, 0);
    return 0;
}

int al_tone_verify(const struct al_tone *t, uint32_t *len, struct al_tone_fault *fault)
{
    int err = t->format == 1 ? verify_desc(t, fault) : 0;
    uint32_t end = table_end(t);
    for (uint32_t i = 0; !err && i < t->count; i++) {
        struct al_tone_file file;
        err = al_tone_read_file(t, i, &file, fault);
        if (!err && file.address < end) {
            uint32_t field = table_offset(t) + i * AL_TONE_ENTRY_LEN + 4;
            err = refuse(fault, AL_TONE_BAD_ADDRESS, field, end, file.address);
        }
        if (!err) end = file_end(t, &file);
    }
    if (!err) err = al_tone_find_end(t, len, fault);
    if (!err && t->format == 1) err = al_tone_check_crc(t, *len, fault);
    return err;
}

void al_tone_put_header(uint8_t out[AL_TONE_HEADER_LEN], uint32_t count, uint32_t format)
{
    al_put_le16(out, AL_TONE_TAG);
    al_put_le16(out + 2, (uint16_t)count);
    al_put_le32(out + 4, format);
}

static void put_text(uint8_t *out, const char *text, size_t room)
{
    for (size_t i = 0; i < room && text[i]; i++) out[i] = (uint8_t)text[i];
}

void al_tone_put_desc(uint8_t out[AL_TONE_DESC_LEN], const struct al_tone_desc *desc)
{
    memset(out, 0, AL_TONE_DESC_LEN);
    al_put_le32(out, desc->magic);
    al_put_le32(out + 4, desc->secure_version);
    put_text(out + DESC_VERSION, desc->version, VERSION_LEN);
    put_text(out + DESC_PROJECT, desc->project, PROJECT_LEN);
    put_text(out + DESC_TIME, desc->time, TIME_LEN);
    put_text(out + DESC_DATE, desc->date, DATE_LEN);
}

void al_tone_put_file(uint8_t out[AL_TONE_ENTRY_LEN], const struct al_tone_file *file)
{
    memset(out, 0, AL_TONE_ENTRY_LEN);
    out[0] = AL_TONE_ENTRY_TAG;
    out[1] = file->index;
    out[2] = file->type;
    out[3] = file->version;
    al_put_le32(out + 4, file->address);
    al_put_le32(out + 8, file->length);
}

void al_tone_put_trailer(uint8_t out[AL_TONE_TRAILER], uint32_t crc)
{
    al_put_le32(out, crc);
    al_put_le16(out + AL_TONE_CRC_LEN, AL_TONE_TAIL);
}
