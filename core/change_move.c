/* Copying and swapping of contents, sector by sector. See change.h. */
#include "core/change_internal.h"

#include "core/err.h"

#include <string.h>

#define CHUNK 256u

/* Bytes of a sector from limit on count as 0xff. */
struct source {
    uint32_t at, limit;
};

static int read_chunk(const struct al_window *all, struct source from, uint32_t off,
                      uint8_t buf[CHUNK])
{
    uint32_t left = from.limit > off ? from.limit - off : 0;
    uint32_t n = left < CHUNK ? left : CHUNK;
    memset(buf + n, 0xff, CHUNK - n);
    return n ? al_window_read(all, from.at + off, buf, n) : AL_OK;
}

static int same_sector(const struct al_window *all, uint32_t at, struct source from, bool *same)
{
    uint8_t is[CHUNK], wanted[CHUNK];
    *same = true;
    for (uint32_t off = 0; *same && off < AL_SECTOR; off += CHUNK) {
        int err = al_window_read(all, at + off, is, CHUNK);
        if (!err) err = read_chunk(all, from, off, wanted);
        if (err) return err;
        *same = memcmp(is, wanted, CHUNK) == 0;
    }
    return AL_OK;
}

static bool blank(const uint8_t buf[CHUNK])
{
    for (uint32_t i = 0; i < CHUNK; i++)
        if (buf[i] != 0xff) return false;
    return true;
}

/* Leaves alone what is right already. AL_ERR_FLASH_OP_FAIL: reads back differently. */
static int copy_sector(const struct al_window *all, uint32_t at, struct source from)
{
    uint8_t buf[CHUNK];
    bool same;
    int err = same_sector(all, at, from, &same);
    if (err || same) return err;
    err = al_window_erase(all, at, AL_SECTOR);
    for (uint32_t off = 0; !err && off < AL_SECTOR; off += CHUNK) {
        err = read_chunk(all, from, off, buf);
        if (!err && !blank(buf)) err = al_window_program(all, at + off, buf, CHUNK);
    }
    if (!err) err = same_sector(all, at, from, &same);
    return err ? err : same ? AL_OK : AL_ERR_FLASH_OP_FAIL;
}

static uint32_t limit_of(uint32_t len, uint32_t off)
{
    return off >= len ? 0 : len - off < AL_SECTOR ? len - off : AL_SECTOR;
}

static int copy_range(const struct al_change *c, const struct al_change_part *p, uint32_t from,
                      uint32_t len)
{
    struct al_window all = al_window_all(c->o->flash);
    int err = AL_OK;
    for (uint32_t off = from; !err && off < p->target_size; off += AL_SECTOR)
        err = copy_sector(&all, p->target + off,
                          (struct source){p->staged + off, limit_of(len, off)});
    return err;
}

int al_change_copy(const struct al_change *c, uint32_t part)
{
    const struct al_change_part *p = &c->set.part[part];
    return copy_range(c, p, 0, p->len);
}

/* target -> scratch -> staged, staged -> target; mark: number of the sector's first. What has
 * a mark is not done again: its source may be gone. */
static int swap_sector(const struct al_change *c, uint32_t mark, bool back, uint32_t target,
                       struct source staged)
{
    struct al_window all = al_window_all(c->o->flash);
    uint32_t scratch = c->area.offset + c->area.size - AL_CHANGE_RESERVE;
    struct source whole = {staged.at, AL_SECTOR};
    int err = AL_OK;
    if (!al_change_marked(c, mark, back)) {
        bool same, clean;
        err = same_sector(&all, target, staged, &same);
        if (!err) err = same_sector(&all, target, whole, &clean);
        if (err || (same && clean)) return err;
        err = copy_sector(&all, scratch, (struct source){target, AL_SECTOR});
        if (!err) err = al_change_mark(c, mark, back);
    }
    if (!err && !al_change_marked(c, mark + 1, back)) {
        err = copy_sector(&all, target, staged);
        if (!err) err = al_change_mark(c, mark + 1, back);
    }
    if (!err && !al_change_marked(c, mark + 2, back)) {
        err = copy_sector(&all, staged.at, (struct source){scratch, AL_SECTOR});
        if (!err) err = al_change_mark(c, mark + 2, back);
    }
    return err;
}

int al_change_swap(const struct al_change *c, uint32_t part, bool back)
{
    const struct al_change_part *p = &c->set.part[part];
    uint32_t mark = CHANGE_MARK_STEPS;
    for (uint32_t i = 0; i < part; i++) mark += c->set.part[i].swap_len / AL_SECTOR * CHANGE_STEPS;
    int err = AL_OK;
    for (uint32_t off = 0; !err && off < p->swap_len; off += AL_SECTOR, mark += CHANGE_STEPS) {
        uint32_t limit = back ? AL_SECTOR : limit_of(p->len, off);
        err = swap_sector(c, mark, back, p->target + off, (struct source){p->staged + off, limit});
    }
    /* Behind it neither the old content nor the new has anything. */
    return err ? err : copy_range(c, p, p->swap_len, 0);
}
