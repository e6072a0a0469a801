/* NVS: reading one page when a partition is opened (7.1 of the format). Discards
 * what a power cut left half done in it. */
#include "core/nvs_internal.h"

/* Entries that were programmed, or begun, without their state: unusable. */
static int close_half_written(const struct al_nvs *nvs, struct al_nvs_page *p)
{
    while (p->next < AL_NVS_ENTRIES) {
        int blank =
            al_nvs_page_blank(nvs, p, NVS_ENTRIES_AT + p->next * AL_NVS_ENTRY, AL_NVS_ENTRY);
        if (blank < 0) return blank;
        if (blank) break;
        int err = al_nvs_discard_entries(nvs, p, p->next, 1, true);
        if (err) return err;
    }
    return 0;
}

int al_nvs_earlier_in_page(const struct al_nvs *nvs, struct al_nvs_page *p,
                           const uint8_t raw[AL_NVS_ENTRY], uint8_t type, unsigned before,
                           struct al_nvs_walk *w)
{
    int more = al_nvs_walk_begin(w, nvs, p);

    if (more) return more;
    while ((more = al_nvs_walk_step(w)) > 0 && w->entry < before)
        if (al_nvs_same_name(w->raw, raw[0], raw + 8) && w->raw[3] == raw[3] &&
            (type == AL_NVS_ANY || w->raw[1] == type))
            return 1;
    return more < 0 ? more : 0;
}

static int discard_earlier(const struct al_nvs *nvs, struct al_nvs_page *p,
                           const uint8_t raw[AL_NVS_ENTRY], uint8_t type, unsigned before)
{
    struct al_nvs_walk w;
    int found = al_nvs_earlier_in_page(nvs, p, raw, type, before, &w);

    return found <= 0 ? found : al_nvs_discard_entries(nvs, p, w.entry, w.span, true);
}

static bool span_written(const uint8_t states[32], unsigned entry, unsigned span)
{
    for (unsigned i = entry; i < entry + span; i++)
        if (al_nvs_state_of(states, i) != NVS_WRITTEN) return false;
    return true;
}

/* A WRITTEN entry at *i. Discards what is no whole item, and moves *i behind it.
 * header: set when an item began here. */
static int check_item(const struct al_nvs *nvs, struct al_nvs_page *p, const uint8_t states[32],
                      unsigned *i, uint8_t header[AL_NVS_ENTRY], bool *whole)
{
    unsigned entry = *i, span = 1;
    const uint8_t *raw = al_nvs_entry(nvs, p, entry, header);

    if (!raw) return AL_ERR_FLASH_OP_FAIL;
    if (raw != header) memcpy(header, raw, AL_NVS_ENTRY);
    *whole = al_nvs_header_ok(header, entry);
    if (*whole && al_nvs_type_variable(header[1])) {
        span = header[2];
        *whole = span_written(states, entry, span);
    }
    *i = entry + span;
    return *whole ? 0 : al_nvs_discard_entries(nvs, p, entry, span, true);
}

/* The last item of the page. Its last data entry is perhaps half written and only
 * looks WRITTEN: two bits are cleared to mark an entry ERASED, and a cut in an
 * earlier recovery may have cleared one. Then the old value is the one to keep. */
static int check_newest(const struct al_nvs *nvs, struct al_nvs_page *p, unsigned entry,
                        const uint8_t header[AL_NVS_ENTRY], bool *whole)
{
    int sound = al_nvs_data_ok(nvs, p, entry, header);

    if (sound != 0) return sound < 0 ? sound : 0;
    *whole = false;
    return al_nvs_discard_entries(nvs, p, entry, header[2], true);
}

/* What the scan of an ACTIVE page remembers. */
struct scan {
    uint8_t states[32];
    unsigned at;                  /* next entry to look at */
    unsigned last;                /* the one looked at before */
    bool whole;                   /* an item began there ... */
    uint8_t header[AL_NVS_ENTRY]; /* ... with this header */
};

static int scan_entries(const struct al_nvs *nvs, struct al_nvs_page *p, struct scan *s)
{
    int err = al_nvs_states(nvs, p, s->states);

    while (!err && s->at < p->next) {
        enum nvs_entry_state state = al_nvs_state_of(s->states, s->at);
        s->last = s->at;
        if (state != NVS_WRITTEN) {
            s->whole = false;
            if (state != NVS_ERASED) err = al_nvs_discard_entries(nvs, p, s->at, 1, true);
            s->at++;
            continue;
        }
        err = check_item(nvs, p, s->states, &s->at, s->header, &s->whole);
        if (!err && s->whole && s->at == p->next)
            err = check_newest(nvs, p, s->last, s->header, &s->whole);
        if (!err && s->whole && al_nvs_type_variable(s->header[1]))
            err = discard_earlier(nvs, p, s->header, AL_NVS_ANY, s->last);
    }
    return err;
}

/* Entries behind the first EMPTY one should be EMPTY and blank. If not, in the same
 * state word: a repair that was cut, which is finished. Elsewhere: a bit error;
 * then the page takes no more items. */
static int check_behind(const struct al_nvs *nvs, struct al_nvs_page *p, struct scan *s)
{
    unsigned end = AL_NVS_ENTRIES, word = p->next / 16 * 16 + 16;
    int err = al_nvs_states(nvs, p, s->states);

    if (err) return err;
    if (word < end) end = word;
    while (end > p->next && al_nvs_state_of(s->states, end - 1) == NVS_EMPTY) end--;
    if (end > p->next) {
        p->next = (uint8_t)end;
        err = scan_entries(nvs, p, s);
        if (!err) err = close_half_written(nvs, p);
    }
    if (err || p->next == AL_NVS_ENTRIES) return err;
    uint32_t free = NVS_ENTRIES_AT + p->next * AL_NVS_ENTRY;
    int blank = al_nvs_page_blank(nvs, p, free, NVS_PAGE - free);
    for (unsigned i = p->next; i < AL_NVS_ENTRIES; i++)
        if (al_nvs_state_of(s->states, i) != NVS_EMPTY) blank = 0;
    if (blank == 0) p->next = AL_NVS_ENTRIES;
    return blank < 0 ? blank : 0;
}

static int check_active(const struct al_nvs *nvs, struct al_nvs_page *p)
{
    struct scan s = {.at = 0};
    int err = close_half_written(nvs, p);

    if (!err) err = scan_entries(nvs, p, &s);
    if (!err) err = check_behind(nvs, p, &s);
    /* The newest item: a cut may have come before its old value was discarded. */
    if (!err && s.whole) err = discard_earlier(nvs, p, s.header, s.header[1], s.last);
    return err;
}

static int check_full(const struct al_nvs *nvs, struct al_nvs_page *p)
{
    uint8_t header[AL_NVS_ENTRY], states[32];
    bool whole;
    int err = al_nvs_states(nvs, p, states);

    for (unsigned i = 0; !err && i < AL_NVS_ENTRIES;) {
        if (al_nvs_state_of(states, i) != NVS_WRITTEN)
            i++;
        else
            err = check_item(nvs, p, states, &i, header, &whole);
    }
    return err;
}

static int load_entries(const struct al_nvs *nvs, struct al_nvs_page *p)
{
    uint8_t states[32];
    int err = al_nvs_states(nvs, p, states);

    if (err) return err;
    p->live = 0;
    p->next = AL_NVS_ENTRIES;
    for (unsigned i = AL_NVS_ENTRIES; i-- > 0;) {
        enum nvs_entry_state s = al_nvs_state_of(states, i);
        if (s == NVS_WRITTEN) p->live++;
        if (s == NVS_EMPTY && p->state == AL_NVS_PAGE_ACTIVE) p->next = (uint8_t)i;
    }
    return p->state == AL_NVS_PAGE_ACTIVE ? check_active(nvs, p) : check_full(nvs, p);
}

static bool header_sound(const uint8_t raw[32])
{
    return al_get_le32(raw + 28) == al_crc32(NVS_CRC_INIT, raw + 4, 24);
}

void al_nvs_page_header(const uint8_t raw[32], struct al_nvs_page *out)
{
    uint32_t word = al_get_le32(raw);

    out->seq = al_get_le32(raw + 4);
    out->version = raw[8];
    out->state = AL_NVS_PAGE_CORRUPT;
    if (word == 0xffffffffu)
        out->state = AL_NVS_PAGE_UNINIT;
    else if (header_sound(raw))
        out->state = (uint8_t)al_nvs_page_state_of(word);
}

int al_nvs_load_page(const struct al_nvs *nvs, struct al_nvs_page *p)
{
    uint8_t raw[32];
    int err = al_nvs_page_read(nvs, p, 0, raw, sizeof raw);

    if (err) return err;
    al_nvs_page_header(raw, p);
    if (p->state == AL_NVS_PAGE_UNINIT) {
        int blank = al_nvs_page_blank(nvs, p, 0, NVS_PAGE);
        if (blank == 0) p->state = AL_NVS_PAGE_CORRUPT;
        return blank < 0 ? blank : 0;
    }
    /* Of a newer format, whatever its state may mean there. */
    if (header_sound(raw) && raw[8] < NVS_VERSION_2) return AL_ERR_NVS_NEW_VERSION_FOUND;
    return p->state == AL_NVS_PAGE_CORRUPT ? 0 : load_entries(nvs, p);
}
