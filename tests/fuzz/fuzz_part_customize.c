/* Any table of user partitions: what is accepted lies inside its area, behind the table, and
 * nothing overlaps; what is refused has a reason and adds nothing. */
#include <stdlib.h>
#include <string.h>

#include "core/part_customize.h"
#include "host/crypto_openssl.h"
#include "host/vendor_log.h"

#define FLASH 0x100000u

static uint8_t bytes[FLASH];

static int read_bytes(void *ctx, uint32_t addr, void *dst, uint32_t len)
{
    (void)ctx;
    memcpy(dst, bytes + addr, len);
    return 0;
}

static void check(const struct al_part_table *t, const struct al_part *area)
{
    uint64_t first = (uint64_t)area->offset + AL_SECTOR, end = (uint64_t)area->offset + area->size;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct al_part *p = &t->part[i];
        if (p->offset < first || (uint64_t)p->offset + p->size > end) abort();
        for (uint32_t j = 0; j < i; j++) {
            const struct al_part *q = &t->part[j];
            if ((uint64_t)p->offset < (uint64_t)q->offset + q->size &&
                (uint64_t)q->offset < (uint64_t)p->offset + p->size)
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct al_part_table t;
    const struct al_flash flash = {.size = FLASH, .read = read_bytes};
    struct al_part_fault fault;
    char why[400];
    if (size < 4) return 0;
    /* The first bytes say where the area lies: usual places, and edges of the flash. */
    const struct al_part area = {.offset = (uint32_t)data[0] << 12,
                                 .size = ((uint32_t)data[1] << 12) - (data[2] & 1) * 0x800u};
    data += 4;
    size -= 4;
    if (size > AL_PART_TABLE_LEN) size = AL_PART_TABLE_LEN;
    memset(bytes, 0xff, sizeof bytes);
    if (size > FLASH - area.offset) size = FLASH - area.offset;
    memcpy(bytes + area.offset, data, size);
    int err = al_part_customize_read(&flash, &area, &crypto_openssl, &t, &fault);
    if (err && (t.count || fault.check == AL_PART_CHECK_NONE)) abort();
    part_fault_explain(&fault, why, sizeof why);
    if (!err) check(&t, &area);
    return 0;
}
