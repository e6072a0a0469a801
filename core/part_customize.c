#include "core/part_customize.h"

#include "core/bytes.h"
#include "core/err.h"

const struct al_part *al_part_customize_area(const struct al_part_table *primary)
{
    return al_part_find(primary, AL_PART_CUSTOMIZE_TYPE, AL_PART_CUSTOMIZE_SUBTYPE,
                        AL_PART_CUSTOMIZE_LABEL);
}

static uint64_t first_free(const struct al_part *area)
{
    return (uint64_t)area->offset + AL_PART_CUSTOMIZE_TABLE;
}

static uint64_t end_of(const struct al_part *p)
{
    return (uint64_t)p->offset + p->size;
}

enum al_part_check al_part_customize_check(uint8_t type, uint64_t offset, uint64_t size,
                                           const struct al_part *area)
{
    bool own = type >= AL_PART_CUSTOMIZE_TYPE && type != AL_PART_ANY;
    if (type != AL_PART_DATA && !own) return AL_PART_CHECK_TYPE;
    if (offset % AL_SECTOR) return AL_PART_CHECK_ALIGN;
    if (offset < first_free(area) || offset > end_of(area) || size > end_of(area) - offset)
        return AL_PART_CHECK_OUTSIDE;
    return AL_PART_CHECK_NONE;
}

static int fail(struct al_part_fault *fault, enum al_part_check check, uint32_t index,
                const struct al_part *p)
{
    fault->check = check;
    fault->index = index;
    fault->offset = index * AL_PART_ENTRY;
    fault->part_offset = p->offset;
    fault->part_size = p->size;
    bool reach = check == AL_PART_CHECK_OUTSIDE || check == AL_PART_CHECK_OVERLAP;
    return reach ? AL_ERR_INVALID_SIZE : AL_ERR_INVALID_STATE;
}

static int check_entry(const struct al_part_table *t, uint32_t index, const struct al_part *area,
                       struct al_part_fault *fault)
{
    const struct al_part *p = &t->part[index];
    enum al_part_check check = al_part_customize_check(p->type, p->offset, p->size, area);
    fault->expected = (uint32_t)first_free(area);
    fault->found = (uint32_t)end_of(area);
    if (check) return fail(fault, check, index, p);
    for (uint32_t i = 0; i < index; i++) {
        const struct al_part *q = &t->part[i];
        if (p->offset >= end_of(q) || q->offset >= end_of(p)) continue;
        fault->expected = q->offset;
        fault->found = q->size;
        return fail(fault, AL_PART_CHECK_OVERLAP, index, p);
    }
    return AL_OK;
}

int al_part_customize_judge(const struct al_part_table *t, const struct al_part *area,
                            struct al_part_fault *fault)
{
    int err = AL_OK;
    for (uint32_t i = 0; !err && i < t->count; i++) err = check_entry(t, i, area, fault);
    return err;
}

int al_part_customize_read(const struct al_flash *f, const struct al_part *area,
                           const struct al_crypto *crypto, struct al_part_table *out,
                           struct al_part_fault *fault)
{
    struct al_part_fault unused;
    if (!fault) fault = &unused;
    memset(fault, 0, sizeof *fault);
    out->count = 0;
    if (area->size < AL_PART_CUSTOMIZE_TABLE || end_of(area) > f->size)
        return fail(fault, AL_PART_CHECK_OUTSIDE, 0, area);
    int err = al_part_table_read(f, area->offset, crypto, out, fault);
    bool erased =
        fault->check == AL_PART_CHECK_MAGIC && fault->index == 0 && fault->found == 0xffff;
    if (!err) err = al_part_customize_judge(out, area, fault);
    if (err)
        out->count = 0;
    else
        memset(fault, 0, sizeof *fault);
    return erased ? AL_ERR_NOT_FOUND : err;
}
