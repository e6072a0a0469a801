/* NVS: opening a partition. Reads every page, repairs what a power cut left,
 * in the order of the format's 7.1 (pages), 7.2 (writable partitions) and 7.3
 * (namespaces and blobs). A cut in here loses nothing either: init starts anew. */
#include "core/nvs_internal.h"

/* ---- 7.1: every page, in physical order ---- */

static int load_pages(struct al_nvs *nvs)
{
    for (unsigned n = 0; n < nvs->page_count; n++) {
        struct al_nvs_page page = {.sector = (uint16_t)n};
        int err = al_nvs_load_page(nvs, &page);
        if (err) return err;

        unsigned at = n; /* free pages: behind the others, in physical order */
        if (page.state != AL_NVS_PAGE_UNINIT && page.state != AL_NVS_PAGE_CORRUPT) {
            for (at = nvs->used; at > 0 && nvs->pages[at - 1].seq > page.seq;) at--;
            memmove(&nvs->pages[at + 1], &nvs->pages[at], (n - at) * sizeof page);
            nvs->used++;
        }
        nvs->pages[at] = page;
    }
    return 0;
}

/* ---- 7.2: writable partitions ---- */

/* The last item was perhaps just written, and the old one not discarded. */
static int discard_older(struct al_nvs *nvs)
{
    struct al_nvs_page *last = al_nvs_current(nvs);
    struct al_nvs_walk w;
    uint8_t raw[AL_NVS_ENTRY];
    unsigned entry = AL_NVS_ENTRIES;
    int more = al_nvs_walk_begin(&w, nvs, last);

    if (more) return more;
    while ((more = al_nvs_walk_step(&w)) > 0) {
        entry = w.entry;
        memcpy(raw, w.raw, sizeof raw);
    }
    if (more < 0 || entry == AL_NVS_ENTRIES) return more;

    /* A value may have been replaced by one of another type. Chunks that lose
     * their index here are discarded with the orphans below. */
    uint8_t type = raw[3] == NVS_CHUNK_NONE ? AL_NVS_ANY : raw[1];
    for (struct al_nvs_page *p = nvs->pages; p <= last; p++) {
        if (p->state == AL_NVS_PAGE_FREEING) continue;
        int found =
            al_nvs_earlier_in_page(nvs, p, raw, type, p == last ? entry : AL_NVS_ENTRIES, &w);
        if (found < 0) return found;
        if (found) return al_nvs_discard_entries(nvs, p, w.entry, w.span, true);
    }
    return 0;
}

/* A byte for byte equal of this item of page a is live in page b: 1, or 0. */
static int has_copy(const struct al_nvs *nvs, const struct al_nvs_page *a,
                    const struct al_nvs_walk *item, struct al_nvs_page *b)
{
    struct al_nvs_walk w;
    int more = al_nvs_walk_begin(&w, nvs, b);

    if (more) return more;
    while ((more = al_nvs_walk_step(&w)) > 0) {
        bool equal = memcmp(w.raw, item->raw, AL_NVS_ENTRY) == 0;
        for (unsigned i = 1; equal && i < item->span; i++) {
            uint8_t x[AL_NVS_ENTRY], y[AL_NVS_ENTRY];
            const uint8_t *from = al_nvs_entry(nvs, a, item->entry + i, x);
            const uint8_t *to = al_nvs_entry(nvs, b, w.entry + i, y);
            if (!from || !to) return AL_ERR_FLASH_OP_FAIL;
            equal = memcmp(from, to, AL_NVS_ENTRY) == 0;
        }
        if (equal) return 1;
    }
    return more;
}

/* The current page holds a sound item that the FREEING page lacks: it is no
 * unfinished copy of it, which may be thrown away. Either the erase of the
 * FREEING page was begun, or a bit error made it one. 1, or 0. */
static int current_is_needed(struct al_nvs *nvs, struct al_nvs_page *freeing)
{
    struct al_nvs_page *last = al_nvs_current(nvs);
    struct al_nvs_walk w;
    int more = al_nvs_walk_begin(&w, nvs, last);

    if (more) return more;
    while ((more = al_nvs_walk_step(&w)) > 0) {
        int sound = al_nvs_data_ok(nvs, last, w.entry, w.raw);
        if (sound < 0) return sound;
        if (!sound) continue;
        int has = has_copy(nvs, last, &w, freeing);
        if (has <= 0) return has < 0 ? has : 1;
    }
    return more;
}

/* An item of this name and chunk is live in another page, or later in this one: 1, or 0. */
static int is_stale(const struct al_nvs *nvs, const struct al_nvs_walk *item)
{
    for (unsigned i = 0; i < nvs->used; i++) {
        struct al_nvs_page *p = &nvs->pages[i];
        struct al_nvs_walk w;
        int more = al_nvs_walk_begin(&w, nvs, p);
        if (more) return more;
        if (p == item->page) w.next = item->next;
        while ((more = al_nvs_walk_step(&w)) > 0)
            if (al_nvs_same_name(w.raw, item->raw[0], item->raw + 8) && w.raw[3] == item->raw[3])
                return 1;
        if (more) return more;
    }
    return 0;
}

/* An erase that was cut may have set the bits that said an entry is discarded:
 * old values are back. Items live once, so the others are the right ones. */
static int discard_stale(struct al_nvs *nvs, struct al_nvs_page *freeing)
{
    struct al_nvs_walk w;
    int more = al_nvs_walk_begin(&w, nvs, freeing);

    if (more) return more;
    while ((more = al_nvs_walk_step(&w)) > 0) {
        int stale = is_stale(nvs, &w);
        int err = stale > 0 ? al_nvs_discard_entries(nvs, freeing, w.entry, w.span, true) : stale;
        if (err) return err;
    }
    return more;
}

/* Copies what only the FREEING page has; the current page has something of its own. */
static int rescue(struct al_nvs *nvs, struct al_nvs_page *freeing)
{
    struct al_nvs_walk w;
    int more = al_nvs_walk_begin(&w, nvs, freeing);

    if (more) return more;
    while ((more = al_nvs_walk_step(&w)) > 0) {
        struct al_nvs_page *last = al_nvs_current(nvs);
        int sound = al_nvs_data_ok(nvs, freeing, w.entry, w.raw);
        if (sound < 0) return sound;
        if (!sound) continue;
        int err = 0;
        if (last->next + w.span > AL_NVS_ENTRIES) {
            err = al_nvs_page_set_state(nvs, last, AL_NVS_PAGE_FULL);
            if (!err) err = al_nvs_take_page(nvs);
        }
        if (!err) err = al_nvs_copy_item(nvs, freeing, w.entry, w.span);
        if (err) return err;
    }
    return more;
}

/* A page was being collected: the copy is done anew. */
static int finish_collection(struct al_nvs *nvs)
{
    unsigned at = 0;

    while (at < nvs->used && nvs->pages[at].state != AL_NVS_PAGE_FREEING) at++;
    if (at == nvs->used) return 0;
    struct al_nvs_page *freeing = &nvs->pages[at];
    bool copy_begun = al_nvs_current(nvs)->state == AL_NVS_PAGE_ACTIVE;
    int needed = copy_begun ? current_is_needed(nvs, freeing) : 0;
    int err = needed < 0 ? needed : 0;

    if (!err && copy_begun && !needed) err = al_nvs_free_page(nvs, nvs->used - 1u);
    if (!err) err = discard_stale(nvs, freeing);
    if (!err && needed) {
        err = rescue(nvs, freeing);
    } else if (!err) {
        err = al_nvs_take_page(nvs);
        if (!err) err = al_nvs_copy_live(nvs, freeing);
    }
    if (!err) err = al_nvs_free_page(nvs, at);
    return err == AL_ERR_NVS_INVALID_STATE ? AL_ERR_NVS_NO_FREE_PAGES : err;
}

/* ---- 7.3: namespaces and blobs ---- */

static int read_namespaces(struct al_nvs *nvs)
{
    for (unsigned i = 0; i < nvs->used; i++) {
        struct al_nvs_walk w;
        int more = al_nvs_walk_begin(&w, nvs, &nvs->pages[i]);
        if (more) return more;
        while ((more = al_nvs_walk_step(&w)) > 0) {
            if (w.raw[0] != NVS_NAMESPACES || w.raw[1] != AL_NVS_U8) continue;
            nvs->namespaces[w.raw[24] / 8] |= (uint8_t)(1u << w.raw[24] % 8);
            nvs->namespace_count++;
        }
        if (more) return more;
    }
    return 0;
}

/* What the other half of a blob says about raw, the header of an index or a chunk. */
struct kin {
    uint32_t size, chunks; /* sums over the chunks of an index */
    bool owned;            /* an index covers this chunk */
};

static void add_kin(const uint8_t raw[AL_NVS_ENTRY], const uint8_t other[AL_NVS_ENTRY],
                    struct kin *kin)
{
    if (raw[1] == AL_NVS_BLOB_IDX && other[1] == AL_NVS_BLOB &&
        (other[3] & NVS_CHUNK_VER1) == (raw[29] & NVS_CHUNK_VER1)) {
        kin->size += al_nvs_data_size(other);
        kin->chunks++;
    }
    if (raw[1] == AL_NVS_BLOB && other[1] == AL_NVS_BLOB_IDX && raw[3] >= other[29] &&
        raw[3] < other[29] + other[28])
        kin->owned = true;
}

static int find_kin(struct al_nvs *nvs, const uint8_t raw[AL_NVS_ENTRY], struct kin *kin)
{
    memset(kin, 0, sizeof *kin);
    for (unsigned i = 0; i < nvs->used; i++) {
        struct al_nvs_walk w;
        int more = al_nvs_walk_begin(&w, nvs, &nvs->pages[i]);
        if (more) return more;
        while ((more = al_nvs_walk_step(&w)) > 0)
            if (al_nvs_same_name(w.raw, raw[0], raw + 8)) add_kin(raw, w.raw, kin);
        if (more) return more;
    }
    return 0;
}

/* Read-only partitions keep them; reading such a blob gives AL_ERR_NVS_NOT_FOUND.
 * type BLOB_IDX: indexes whose chunks are not all there. BLOB: chunks without index. */
static int discard_parts(struct al_nvs *nvs, uint8_t type)
{
    for (unsigned i = 0; i < nvs->used; i++) {
        struct al_nvs_walk w;
        struct kin kin;
        int more = al_nvs_walk_begin(&w, nvs, &nvs->pages[i]);
        if (more) return more;
        while ((more = al_nvs_walk_step(&w)) > 0) {
            if (w.raw[1] != type) continue;
            int err = find_kin(nvs, w.raw, &kin);
            if (err) return err;
            bool keep = type == AL_NVS_BLOB
                            ? kin.owned
                            : kin.size == al_nvs_data_size(w.raw) && kin.chunks == w.raw[28];
            if (!keep) err = al_nvs_discard_entries(nvs, w.page, w.entry, w.span, true);
            if (err) return err;
        }
        if (more) return more;
    }
    return 0;
}

static int repair_writable(struct al_nvs *nvs)
{
    int err = discard_older(nvs);

    if (!err) err = finish_collection(nvs);
    if (!err && nvs->used == nvs->page_count) err = AL_ERR_NVS_NO_FREE_PAGES;
    return err;
}

int al_nvs_init(struct al_nvs *nvs, const struct al_window *part, struct al_nvs_page *pages,
                size_t page_count)
{
    uint32_t count = part->size / NVS_PAGE;

    memset(nvs, 0, sizeof *nvs);
    if (count == 0 || count > UINT16_MAX || page_count < count) return AL_ERR_INVALID_ARG;
    nvs->part = *part;
    nvs->pages = pages;
    nvs->page_count = (uint16_t)count;
    int err = load_pages(nvs);
    if (err) return err;

    if (nvs->used == 0) {
        err = al_nvs_take_page(nvs);
    } else {
        nvs->next_seq = al_nvs_current(nvs)->seq + 1;
        if (!part->readonly) err = repair_writable(nvs);
    }
    if (!err) err = read_namespaces(nvs);
    if (!err && !part->readonly) err = discard_parts(nvs, AL_NVS_BLOB_IDX);
    if (!err && !part->readonly) err = discard_parts(nvs, AL_NVS_BLOB);
    nvs->ready = err == 0;
    return err;
}
