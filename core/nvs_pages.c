/* NVS: the pages together. Their order, the free list, and garbage collection.
 *
 * One page stays free, the reserve. When it is the only one, the page with the
 * most discarded entries is marked FREEING, its live items are copied to the
 * reserve, and it is erased: it is the next reserve. A cut in between leaves the
 * FREEING page; init then does the copy again (nvs_recover.c). */
#include "core/nvs_internal.h"

int al_nvs_take_page(struct al_nvs *nvs)
{
    if (nvs->used == nvs->page_count) return AL_ERR_NVS_INVALID_STATE;

    struct al_nvs_page *p = &nvs->pages[nvs->used];
    if (p->state == AL_NVS_PAGE_CORRUPT) {
        int err = al_nvs_page_erase(nvs, p);
        if (err) return err;
    }
    p->seq = nvs->next_seq++;
    p->state = AL_NVS_PAGE_UNINIT;
    p->next = p->live = 0;
    nvs->used++;
    return 0;
}

int al_nvs_free_page(struct al_nvs *nvs, unsigned index)
{
    int err = al_nvs_page_erase(nvs, &nvs->pages[index]);
    if (err) return err;

    struct al_nvs_page page = nvs->pages[index];
    memmove(&nvs->pages[index], &nvs->pages[index + 1],
            (nvs->page_count - index - 1u) * sizeof page);
    nvs->pages[nvs->page_count - 1] = page;
    nvs->used--;
    return 0;
}

int al_nvs_copy_item(struct al_nvs *nvs, const struct al_nvs_page *from, unsigned entry,
                     unsigned span)
{
    struct al_nvs_page *to = al_nvs_current(nvs);
    int err = to->state == AL_NVS_PAGE_UNINIT ? al_nvs_page_begin(nvs, to) : 0;

    for (; !err && span > 0; entry++, span--) {
        uint8_t buf[AL_NVS_ENTRY];
        const uint8_t *raw = al_nvs_entry(nvs, from, entry, buf);
        err = raw ? al_nvs_append(nvs, to, raw) : AL_ERR_FLASH_OP_FAIL;
    }
    return err;
}

int al_nvs_copy_live(struct al_nvs *nvs, struct al_nvs_page *from)
{
    struct al_nvs_walk w;
    int more = al_nvs_walk_begin(&w, nvs, from);

    if (more) return more;
    while ((more = al_nvs_walk_step(&w)) > 0) {
        int err = al_nvs_copy_item(nvs, from, w.entry, w.span);
        if (err) return err;
    }
    return more;
}

/* Index of the page with the most entries not live, the first if equal; -1:
 * every entry of every page is live. */
static int choose_victim(const struct al_nvs *nvs)
{
    unsigned most = 0;
    int victim = -1;

    for (unsigned i = 0; i < nvs->used; i++) {
        unsigned dead = AL_NVS_ENTRIES - nvs->pages[i].live;
        if (dead <= most) continue;
        most = dead;
        victim = (int)i;
    }
    return victim;
}

int al_nvs_next_page(struct al_nvs *nvs)
{
    struct al_nvs_page *p = al_nvs_current(nvs);
    int err = p->state != AL_NVS_PAGE_FULL ? al_nvs_page_set_state(nvs, p, AL_NVS_PAGE_FULL) : 0;

    if (err) return err;
    if (nvs->page_count - nvs->used != 1) return al_nvs_take_page(nvs);

    int victim = choose_victim(nvs);
    if (victim < 0) return AL_ERR_NVS_NOT_ENOUGH_SPACE;
    err = al_nvs_page_set_state(nvs, &nvs->pages[victim], AL_NVS_PAGE_FREEING);
    if (!err) err = al_nvs_take_page(nvs);
    if (!err) err = al_nvs_copy_live(nvs, &nvs->pages[victim]);
    return err ? err : al_nvs_free_page(nvs, (unsigned)victim);
}
