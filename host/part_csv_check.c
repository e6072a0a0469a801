/* Placement of rows, and the rules that a whole table has to obey. */
#include "host/part_csv_row.h"

#include "core/err.h"
#include "core/ota_data.h"

#include <stdlib.h>
#include <string.h>

#define NVS_LEAST 0x3000

static bool is(const struct csv_row *r, int64_t type, int64_t subtype)
{
    return r->type == type && r->subtype == subtype;
}

/* The boot loader and the table itself lie before the first free place. */
static bool lies_before(const struct csv_row *r)
{
    return is(r, AL_PART_BOOTLOADER, AL_PART_PRIMARY) ||
           is(r, AL_PART_PARTITION_TABLE, AL_PART_PRIMARY);
}

static int64_t alignment(const struct csv_row *r)
{
    return r->type == AL_PART_APP ? 0x10000 : AL_SECTOR;
}

/* --- placement --- */

static bool same(const struct csv_row *a, const struct csv_row *b)
{
    return strcmp(a->name, b->name) == 0 && is(a, b->type, b->subtype) && a->has_offset &&
           b->has_offset && a->offset == b->offset && a->size == b->size;
}

static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) return a < 0 ? -INT64_MAX : INT64_MAX;
    return sum;
}

int csv_place(struct csv_row *rows, size_t count, uint32_t table_offset, struct part_csv_fault *f)
{
    int64_t last_end = (int64_t)table_offset + AL_SECTOR;
    for (struct csv_row *r = rows; r < rows + count; r++) {
        if (lies_before(r)) continue;
        if (r->has_offset && r->offset < last_end) {
            if (same(r, rows))
                return csv_fail(f, "OVERLAP_TABLE", r->line,
                                "CSV Error at line %u: Partitions overlap. Partition sets offset "
                                "%s. But partition table occupies the whole sector %s. Use a free "
                                "offset %s or higher.",
                                r->line, csv_hex(r->offset).text, csv_hex(table_offset).text,
                                csv_hex(last_end).text);
            return csv_fail(f, "OVERLAP", r->line,
                            "CSV Error at line %u: Partitions overlap. Partition sets offset %s. "
                            "Previous partition ends %s",
                            r->line, csv_hex(r->offset).text, csv_hex(last_end).text);
        }
        if (!r->has_offset) {
            int64_t rest = last_end % alignment(r);
            r->offset = rest ? plus(last_end, alignment(r) - rest) : last_end;
            r->has_offset = true;
        }
        if (r->size < 0) r->size = plus(-r->size, -r->offset); /* was an end address */
        last_end = plus(r->offset, r->size);
    }
    return AL_OK;
}

/* --- single rows --- */

static bool names_type(const char *name, int64_t *type)
{
    for (unsigned t = AL_PART_APP; t <= AL_PART_PARTITION_TABLE; t++) {
        if (strcmp(name, al_part_type_name((uint8_t)t)) != 0) continue;
        *type = t;
        return true;
    }
    return false;
}

static bool names_subtype(const char *name, const struct csv_row *r, bool *fits)
{
    bool found = false;
    *fits = false;
    for (unsigned i = 0; i < 4 * 256; i++) {
        const char *word = al_part_subtype_name((uint8_t)(i / 256), (uint8_t)i);
        if (!word || strcmp(word, name) != 0) continue;
        found = true;
        if (is(r, i / 256, i % 256)) *fits = true;
    }
    return found;
}

static void warn_of_name(const struct csv_row *r, const struct part_csv_options *o)
{
    struct part_csv_fault text;
    int64_t type;
    bool fits;
    if (!o->warn) return;
    if (names_type(r->name, &type) && type != r->type) {
        csv_fail(&text, "", 0,
                 "WARNING: Partition has name '%s' which is a partition type, but does not match "
                 "this partition's type (%s). Mistake in partition table?",
                 r->name, csv_hex(r->type).text);
        o->warn(o->ctx, r->line, text.message);
    }
    if (names_subtype(r->name, r, &fits) && !fits) {
        csv_fail(&text, "", 0,
                 "WARNING: Partition has name '%s' which is a partition subtype, but this "
                 "partition has non-matching type %s and subtype %s. Mistake in partition table?",
                 r->name, csv_hex(r->type).text, csv_hex(r->subtype).text);
        o->warn(o->ctx, r->line, text.message);
    }
}

static int misaligned(const struct csv_row *r, const char *error_class, const char *what,
                      int64_t value, int64_t align, struct part_csv_fault *f)
{
    return csv_fail(f, error_class, r->line, "Partition %s invalid: %s %s is not aligned to %s",
                    r->name, what, csv_hex(value).text, csv_hex(align).text);
}

static int verify_row(const struct csv_row *r, const struct part_csv_options *o,
                      struct part_csv_fault *f)
{
    int64_t size_align = o->secure == PART_CSV_SECURE_V1 ? 0x10000 : AL_SECTOR;
    if (r->offset % alignment(r))
        return misaligned(r, "OFFSET_ALIGN", "Offset", r->offset, alignment(r), f);
    if (r->type == AL_PART_APP && r->size % size_align)
        return misaligned(r, "SIZE_ALIGN", "Size", r->size, size_align, f);
    warn_of_name(r, o);
    bool readonly = r->flags & AL_PART_READONLY;
    if (readonly && (is(r, AL_PART_DATA, AL_PART_DATA_OTA) || is(r, AL_PART_DATA, 0x03)))
        return csv_fail(f, "READONLY_NOT_ALLOWED", r->line,
                        "Partition %s invalid: '%s' partition of type %lld and subtype %lld is "
                        "always read-write and cannot be read-only",
                        r->name, r->name, (long long)r->type, (long long)r->subtype);
    if (!readonly && is(r, AL_PART_DATA, AL_PART_DATA_NVS) && r->size < NVS_LEAST)
        return csv_fail(f, "NVS_TOO_SMALL", r->line,
                        "Partition %s invalid: '%s' partition of type %lld and subtype %lld of "
                        "this size (%s) must be flagged as 'readonly' (the size of read/write NVS "
                        "has to be at least %s)",
                        r->name, r->name, (long long)r->type, (long long)r->subtype,
                        csv_hex(r->size).text, csv_hex(NVS_LEAST).text);
    return AL_OK;
}

/* --- the whole table --- */

/* Rows by name or offset; equal ones stay in the order of the file. */
struct ref {
    const struct csv_row *row;
};

static int by_name(const void *a, const void *b)
{
    const struct csv_row *x = ((const struct ref *)a)->row, *y = ((const struct ref *)b)->row;
    int order = strcmp(x->name, y->name);
    return order ? order : (x > y) - (x < y);
}

static int by_offset(const void *a, const void *b)
{
    const struct csv_row *x = ((const struct ref *)a)->row, *y = ((const struct ref *)b)->row;
    int order = (x->offset > y->offset) - (x->offset < y->offset);
    return order ? order : (x > y) - (x < y);
}

static int verify_names(struct ref *sorted, size_t count, struct part_csv_fault *f)
{
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i - 1].row->name, sorted[i].row->name) == 0)
            return csv_fail(f, "DUPLICATE_NAME", sorted[i].row->line,
                            "Partition names must be unique");
    return AL_OK;
}

static int verify_overlaps(struct ref *sorted, size_t count, uint32_t table_offset,
                           struct part_csv_fault *f)
{
    int64_t first_free = (int64_t)table_offset + AL_SECTOR;
    qsort(sorted, count, sizeof *sorted, by_offset);
    for (size_t i = 0; i < count; i++) {
        const struct csv_row *r = sorted[i].row, *last = i ? sorted[i - 1].row : NULL;
        if (r->offset < first_free && !lies_before(r))
            return csv_fail(f, "BELOW_TABLE", r->line, "Partition offset %s is below %s",
                            csv_hex(r->offset).text, csv_hex(first_free).text);
        if (last && r->offset < plus(last->offset, last->size))
            return csv_fail(f, "OVERLAP", r->line, "Partition at %s overlaps %s-%s",
                            csv_hex(r->offset).text, csv_hex(last->offset).text,
                            csv_hex(plus(last->offset, last->size) - 1).text);
    }
    return AL_OK;
}

/* At most one partition that says which app boots, and of the one right size. */
static int verify_only(const struct csv_row *rows, size_t count, int64_t subtype,
                       const char *const classes[2], const char *const texts[2],
                       struct part_csv_fault *f)
{
    const struct csv_row *only = NULL;
    for (const struct csv_row *r = rows; r < rows + count; r++) {
        if (!is(r, AL_PART_DATA, subtype)) continue;
        if (only) return csv_fail(f, classes[0], r->line, "%s", texts[0]);
        only = r;
    }
    if (only && only->size != AL_OTADATA_LEN)
        return csv_fail(f, classes[1], only->line, "%s", texts[1]);
    return AL_OK;
}

int csv_verify(const struct csv_row *rows, size_t count, const struct part_csv_options *o,
               struct part_csv_fault *f)
{
    static const char *const ota_classes[] = {"OTADATA_DUPLICATE", "OTADATA_SIZE"},
                             *const tee_classes[] = {"TEE_OTADATA_DUPLICATE", "TEE_OTADATA_SIZE"};
    static const char *const ota_texts[] = {
        "Found multiple otadata partitions. Only one partition can be defined with "
        "type=\"data\"(1) and subtype=\"ota\"(0).",
        "otadata partition must have size = 0x2000"};
    static const char *const tee_texts[] = {
        "Found multiple TEE otadata partitions. Only one partition can be defined with "
        "type=\"data\"(1) and subtype=\"tee_ota\"(0x90).",
        "TEE otadata partition must have size = 0x2000"};
    struct ref *sorted = calloc(count + 1, sizeof *sorted);
    if (!sorted) return AL_ERR_NO_MEM;
    int err = AL_OK;
    for (size_t i = 0; i < count && !err; i++) {
        sorted[i].row = &rows[i];
        err = verify_row(&rows[i], o, f);
    }
    if (!err) err = verify_names(sorted, count, f);
    if (!err) err = verify_overlaps(sorted, count, csv_table_offset(o), f);
    if (!err) err = verify_only(rows, count, AL_PART_DATA_OTA, ota_classes, ota_texts, f);
    if (!err) err = verify_only(rows, count, 0x90, tee_classes, tee_texts, f);
    free(sorted);
    return err;
}

int csv_verify_fits(const struct csv_row *rows, size_t count, uint32_t flash_size,
                    struct part_csv_fault *f)
{
    const struct csv_row *last = rows;
    if (!flash_size || !count) return AL_OK;
    for (const struct csv_row *r = rows; r < rows + count; r++)
        if (r->offset > last->offset) last = r;
    int64_t end = plus(last->offset, last->size);
    if (end <= flash_size) return AL_OK;
    return csv_fail(f, "FLASH_SIZE", last->line,
                    "Partitions tables occupies %.1fMB of flash (%lld bytes) which does not fit in "
                    "configured flash size %uMB. Change the flash size in menuconfig under the "
                    "'Serial Flasher Config' menu.",
                    (double)end / 0x100000, (long long)end, flash_size / 0x100000);
}
