/* NVS: one page. Header, entry states, erasing. */
#include "core/nvs_internal.h"

#define STATE_ACTIVE  0xfffffffeu
#define STATE_FULL    0xfffffffcu
#define STATE_FREEING 0xfffffff8u

static uint32_t page_offset(const struct al_nvs_page *p, uint32_t off)
{
    return p->sector * NVS_PAGE + off;
}

static uint32_t entry_offset(unsigned entry)
{
    return NVS_ENTRIES_AT + entry * AL_NVS_ENTRY;
}

int al_nvs_page_read(const struct al_nvs *nvs, const struct al_nvs_page *p, uint32_t off, void *dst,
                     uint32_t len)
{
    return al_window_read(&nvs->part, page_offset(p, off), dst, len);
}

int al_nvs_page_program(const struct al_nvs *nvs, const struct al_nvs_page *p, uint32_t off,
                        const void *src, uint32_t len)
{
    return al_window_program(&nvs->part, page_offset(p, off), src, len);
}

int al_nvs_page_blank(const struct al_nvs *nvs, const struct al_nvs_page *p, uint32_t off,
                      uint32_t len)
{
    uint8_t buf[64];

    for (uint32_t n; len > 0; off += n, len -= n) {
        n = len < sizeof buf ? len : (uint32_t)sizeof buf;
        int err = al_nvs_page_read(nvs, p, off, buf, n);
        if (err) return err;
        for (uint32_t i = 0; i < n; i++)
            if (buf[i] != 0xff) return 0;
    }
    return 1;
}

const uint8_t *al_nvs_entry(const struct al_nvs *nvs, const struct al_nvs_page *p, unsigned entry,
                            uint8_t buf[AL_NVS_ENTRY])
{
    uint32_t off = page_offset(p, entry_offset(entry));
    const uint8_t *mapped = al_window_map(&nvs->part, off, AL_NVS_ENTRY);

    if (mapped) return mapped;
    return al_window_read(&nvs->part, off, buf, AL_NVS_ENTRY) ? NULL : buf;
}

int al_nvs_states(const struct al_nvs *nvs, const struct al_nvs_page *p, uint8_t states[32])
{
    return al_nvs_page_read(nvs, p, NVS_STATES, states, 32);
}

/* Two-bit states of entries a..b of a word, all set to 1 in the mask. */
static uint32_t word_mask(unsigned a, unsigned b)
{
    uint32_t low = 0xffffffffu << a * 2;
    return b == 15 ? low : low & ((1u << (b + 1) * 2) - 1);
}

static unsigned count_written(uint32_t word)
{
    unsigned n = 0;
    for (uint32_t bits = (word >> 1) & ~word & 0x55555555u; bits; bits &= bits - 1) n++;
    return n;
}

int al_nvs_mark(const struct al_nvs *nvs, struct al_nvs_page *p, unsigned first, unsigned count,
                enum nvs_entry_state state)
{
    unsigned last = first + count - 1;

    for (unsigned w = last / 16 + 1; w-- > first / 16;) {
        uint32_t mask =
            word_mask(w == first / 16 ? first % 16 : 0, w == last / 16 ? last % 16 : 15);
        uint8_t raw[4];
        int err = al_nvs_page_read(nvs, p, NVS_STATES + w * 4, raw, 4);
        if (err) return err;

        uint32_t old = al_get_le32(raw);
        uint32_t word = old & (~mask | (uint32_t)state * 0x55555555u);
        al_put_le32(raw, word);
        err = al_nvs_page_program(nvs, p, NVS_STATES + w * 4, raw, 4);
        if (err) return err;
        p->live = (uint8_t)(p->live + count_written(word) - count_written(old));
    }
    return 0;
}

int al_nvs_discard_entries(const struct al_nvs *nvs, struct al_nvs_page *p, unsigned first,
                           unsigned count, bool purge)
{
    static const uint8_t zeros[AL_NVS_ENTRY];

    /* What a broken write left behind the last entry must not be written over. */
    if (p->next < first + count) p->next = (uint8_t)(first + count);
    int err = al_nvs_mark(nvs, p, first, count, NVS_ERASED);
    for (unsigned i = first; purge && !err && i < first + count; i++)
        err = al_nvs_page_program(nvs, p, entry_offset(i), zeros, AL_NVS_ENTRY);
    return err;
}

int al_nvs_page_begin(const struct al_nvs *nvs, struct al_nvs_page *p)
{
    uint8_t raw[32];

    memset(raw, 0xff, sizeof raw);
    al_put_le32(raw, STATE_ACTIVE);
    al_put_le32(raw + 4, p->seq);
    raw[8] = NVS_VERSION_2;
    al_put_le32(raw + 28, al_crc32(NVS_CRC_INIT, raw + 4, 24));
    int err = al_nvs_page_program(nvs, p, 0, raw, sizeof raw);
    if (err) return err;
    p->state = AL_NVS_PAGE_ACTIVE;
    p->version = NVS_VERSION_2;
    p->next = p->live = 0;
    return 0;
}

enum al_nvs_page_state al_nvs_page_state_of(uint32_t word)
{
    switch (word) {
    case STATE_ACTIVE:
        return AL_NVS_PAGE_ACTIVE;
    case STATE_FULL:
        return AL_NVS_PAGE_FULL;
    case STATE_FREEING:
        return AL_NVS_PAGE_FREEING;
    default:
        return AL_NVS_PAGE_CORRUPT;
    }
}

int al_nvs_page_set_state(const struct al_nvs *nvs, struct al_nvs_page *p,
                          enum al_nvs_page_state state)
{
    uint8_t raw[4];

    al_put_le32(raw, state == AL_NVS_PAGE_FULL ? STATE_FULL : STATE_FREEING);
    int err = al_nvs_page_program(nvs, p, 0, raw, sizeof raw);
    if (err) return err;
    p->state = (uint8_t)state;
    p->next = AL_NVS_ENTRIES;
    return 0;
}

int al_nvs_page_erase(const struct al_nvs *nvs, struct al_nvs_page *p)
{
    int err = al_window_erase(&nvs->part, page_offset(p, 0), NVS_PAGE);
    if (err) return err;
    p->state = AL_NVS_PAGE_UNINIT;
    p->next = p->live = 0;
    return 0;
}

int al_nvs_append(const struct al_nvs *nvs, struct al_nvs_page *p, const uint8_t raw[AL_NVS_ENTRY])
{
    unsigned entry = p->next++; /* used up even if the program fails half way */
    int err = al_nvs_page_program(nvs, p, entry_offset(entry), raw, AL_NVS_ENTRY);
    return err ? err : al_nvs_mark(nvs, p, entry, 1, NVS_WRITTEN);
}
