/* User partitions of ESP-AT as CSV: what the vendor's tool does not ask, and a device needs. */
#include <string.h>

#include "core/err.h"
#include "core/part_customize.h"
#include "host/part_csv_row.h"

#define LABEL_MAX 16u

static int outside(const struct csv_row *r, const struct al_part *area, struct part_csv_fault *f)
{
    int64_t first = (int64_t)area->offset + AL_PART_CUSTOMIZE_TABLE,
            end = (int64_t)area->offset + area->size;
    return csv_fail(f, "OUTSIDE", r->line,
                    "User partition %s at %s with size %s is not inside %s..%s, which partition "
                    "at_customize has for user partitions (its first 4 KiB belong to the table)",
                    r->name, csv_hex(r->offset).text, csv_hex(r->size).text, csv_hex(first).text,
                    csv_hex(end).text);
}

static int verify_row(const struct csv_row *r, const struct al_part *area, struct part_csv_fault *f)
{
    if (strlen(r->name) > LABEL_MAX)
        return csv_fail(f, "NAME_TOO_LONG", r->line,
                        "The name of user partition %s has %zu bytes; %u fit, and the device looks "
                        "for the whole name",
                        r->name, strlen(r->name), LABEL_MAX);
    if (r->size <= 0 || r->offset < 0) return outside(r, area, f);
    switch (
        al_part_customize_check((uint8_t)r->type, (uint64_t)r->offset, (uint64_t)r->size, area)) {
    case AL_PART_CHECK_NONE:
        return AL_OK;
    case AL_PART_CHECK_TYPE:
        return csv_fail(
            f, "USER_TYPE", r->line,
            "User partition %s has type %s, but only data and 0x40 to 0xfe can be: apps, "
            "boot loaders and partition tables belong into the primary table",
            r->name, csv_hex(r->type).text);
    case AL_PART_CHECK_ALIGN:
        return csv_fail(f, "OFFSET_ALIGN", r->line,
                        "User partition %s: offset %s is not a multiple of 0x1000", r->name,
                        csv_hex(r->offset).text);
    default:
        return outside(r, area, f);
    }
}

int csv_verify_user(const struct csv_row *rows, size_t count, const struct part_csv_options *o,
                    struct part_csv_fault *f)
{
    int err = AL_OK;
    if (!count) return csv_fail(f, "EMPTY_TABLE", 0, "There are no user partitions in the table");
    for (const struct csv_row *r = rows; !err && r < rows + count; r++)
        err = verify_row(r, o->area, f);
    return err;
}
