/* NVS: items. What a right header is, finding, reading and writing them. */
#include "core/nvs_internal.h"

void al_nvs_key(const char *text, uint8_t key[16])
{
    memset(key, 0, 16);
    for (unsigned i = 0; i < AL_NVS_KEY_LEN && text[i]; i++) key[i] = (uint8_t)text[i];
}

uint32_t al_nvs_header_crc(const uint8_t raw[AL_NVS_ENTRY])
{
    return al_crc32(al_crc32(NVS_CRC_INIT, raw, 4), raw + 8, 24);
}

static unsigned data_entries(size_t len)
{
    return (unsigned)((len + AL_NVS_ENTRY - 1) / AL_NVS_ENTRY);
}

bool al_nvs_header_ok(const uint8_t raw[AL_NVS_ENTRY], unsigned entry)
{
    uint8_t type = raw[1], span = raw[2], chunk = raw[3];

    if (al_get_le32(raw + 4) != al_nvs_header_crc(raw)) return false;
    if (al_nvs_type_number(type)) return span == 1;

    uint32_t size = al_nvs_data_size(raw);
    if (type == AL_NVS_BLOB_IDX)
        return span == 1 && chunk == NVS_CHUNK_NONE && size <= AL_NVS_BLOB_MAX;
    if (!al_nvs_type_variable(type)) return false;
    if (type == AL_NVS_BLOB && chunk == NVS_CHUNK_NONE) return false;
    return size <= (AL_NVS_ENTRIES - 1 - entry) * AL_NVS_ENTRY && span <= AL_NVS_ENTRIES - entry &&
           span == 1 + data_entries(size);
}

int al_nvs_walk_begin(struct al_nvs_walk *w, const struct al_nvs *nvs, struct al_nvs_page *page)
{
    w->nvs = nvs;
    w->page = page;
    w->next = 0;
    return page->live == 0 ? 0 : al_nvs_states(nvs, page, w->states);
}

int al_nvs_walk_step(struct al_nvs_walk *w)
{
    if (w->page->live == 0) return 0;
    for (unsigned i = w->next; i < AL_NVS_ENTRIES; i++) {
        if (al_nvs_state_of(w->states, i) != NVS_WRITTEN) continue;
        w->raw = al_nvs_entry(w->nvs, w->page, i, w->buf);
        if (!w->raw) return AL_ERR_FLASH_OP_FAIL;
        /* Init has seen a right header here; a span that is impossible now is decay. */
        bool fits = w->raw[2] >= 1 && w->raw[2] <= AL_NVS_ENTRIES - i;
        w->span = fits ? w->raw[2] : 1;
        w->entry = (uint8_t)i;
        w->next = (uint8_t)(i + w->span);
        return 1;
    }
    return 0;
}

static int find_in_page(struct al_nvs *nvs, struct al_nvs_page *p, const uint8_t name[17],
                        uint8_t type, uint8_t chunk, struct al_nvs_item *out)
{
    struct al_nvs_walk w;
    int more = al_nvs_walk_begin(&w, nvs, p);

    if (more) return more;
    while ((more = al_nvs_walk_step(&w)) > 0) {
        if (!al_nvs_same_name(w.raw, name[0], name + 1) || w.raw[3] != chunk) continue;
        if (!al_nvs_header_ok(w.raw, w.entry)) {
            int err = al_nvs_discard_entries(nvs, p, w.entry, 1, true);
            if (err && err != AL_ERR_NOT_ALLOWED) return err;
            w.next = (uint8_t)(w.entry + 1);
            continue;
        }
        if (type != AL_NVS_ANY && w.raw[1] != type) return AL_ERR_NVS_NOT_FOUND;
        out->page = p;
        out->entry = w.entry;
        out->type = w.raw[1];
        out->span = w.raw[2];
        out->chunk = w.raw[3];
        memcpy(out->raw, w.raw, AL_NVS_ENTRY);
        return 0;
    }
    return more < 0 ? more : AL_ERR_NVS_NOT_FOUND;
}

int al_nvs_find(struct al_nvs *nvs, uint8_t ns, uint8_t type, const uint8_t key[16], uint8_t chunk,
                struct al_nvs_item *out)
{
    uint8_t name[17];

    name[0] = ns;
    memcpy(name + 1, key, 16);
    for (unsigned i = 0; i < nvs->used; i++) {
        int err = find_in_page(nvs, &nvs->pages[i], name, type, chunk, out);
        if (err != AL_ERR_NVS_NOT_FOUND) return err;
    }
    return AL_ERR_NVS_NOT_FOUND;
}

int al_nvs_discard_item(struct al_nvs *nvs, const struct al_nvs_item *item, bool purge)
{
    return al_nvs_discard_entries(nvs, item->page, item->entry, item->span, purge);
}

static uint32_t data_offset(unsigned entry)
{
    return NVS_ENTRIES_AT + (entry + 1) * AL_NVS_ENTRY;
}

int al_nvs_read_data(struct al_nvs *nvs, const struct al_nvs_item *item, void *out)
{
    uint32_t size = al_nvs_data_size(item->raw);
    int err = size ? al_nvs_page_read(nvs, item->page, data_offset(item->entry), out, size) : 0;

    if (err) return err;
    if (al_crc32(NVS_CRC_INIT, out, size) == al_nvs_data_crc(item->raw)) return 0;
    err = al_nvs_discard_item(nvs, item, true);
    return err && err != AL_ERR_NOT_ALLOWED ? err : AL_ERR_NVS_NOT_FOUND;
}

int al_nvs_data_ok(const struct al_nvs *nvs, const struct al_nvs_page *p, unsigned entry,
                   const uint8_t raw[AL_NVS_ENTRY])
{
    uint8_t buf[AL_NVS_ENTRY];
    uint32_t crc = NVS_CRC_INIT;

    if (!al_nvs_type_variable(raw[1])) return 1;
    for (uint32_t left = al_nvs_data_size(raw); left > 0;) {
        uint32_t n = left < AL_NVS_ENTRY ? left : AL_NVS_ENTRY;
        const uint8_t *data = al_nvs_entry(nvs, p, ++entry, buf);
        if (!data) return AL_ERR_FLASH_OP_FAIL;
        crc = al_crc32(crc, data, n);
        left -= n;
    }
    return crc == al_nvs_data_crc(raw);
}

int al_nvs_data_equal(const struct al_nvs *nvs, const struct al_nvs_page *p, unsigned entry,
                      const uint8_t *data, uint32_t len)
{
    uint8_t buf[AL_NVS_ENTRY];

    for (uint32_t n; len > 0; data += n, len -= n) {
        n = len < AL_NVS_ENTRY ? len : AL_NVS_ENTRY;
        const uint8_t *found = al_nvs_entry(nvs, p, ++entry, buf);
        if (!found) return AL_ERR_FLASH_OP_FAIL;
        if (memcmp(found, data, n) != 0) return 0;
    }
    return 1;
}

/* Data entries of an item whose header is written: whole entries in one
 * program, then their states, then the rest like an entry of its own. */
static int write_data(const struct al_nvs *nvs, struct al_nvs_page *p, const uint8_t *data,
                      size_t len)
{
    uint32_t whole = (uint32_t)(len - len % AL_NVS_ENTRY);

    if (whole) {
        unsigned first = p->next, count = whole / AL_NVS_ENTRY;
        p->next = (uint8_t)(first + count);
        int err = al_nvs_page_program(nvs, p, NVS_ENTRIES_AT + first * AL_NVS_ENTRY, data, whole);
        if (!err) err = al_nvs_mark(nvs, p, first, count, NVS_WRITTEN);
        if (err) return err;
    }
    if (whole == len) return 0;

    uint8_t tail[AL_NVS_ENTRY];
    memset(tail, 0xff, sizeof tail);
    memcpy(tail, data + whole, len - whole);
    return al_nvs_append(nvs, p, tail);
}

int al_nvs_write_item(struct al_nvs *nvs, const struct al_nvs_new *item)
{
    struct al_nvs_page *p = al_nvs_current(nvs);
    bool variable = al_nvs_type_variable(item->type);
    int err;

    if (p->state == AL_NVS_PAGE_UNINIT && (err = al_nvs_page_begin(nvs, p)) < 0) return err;
    if (p->state != AL_NVS_PAGE_ACTIVE) return AL_ERR_NVS_PAGE_FULL;
    if (strlen(item->key) > AL_NVS_KEY_LEN) return AL_ERR_NVS_KEY_TOO_LONG;
    if (item->len > NVS_PAGE_CAPACITY) return AL_ERR_NVS_VALUE_TOO_LONG;
    unsigned span = 1 + (variable ? data_entries(item->len) : 0);
    if (p->next + span > AL_NVS_ENTRIES) return AL_ERR_NVS_PAGE_FULL;

    uint8_t raw[AL_NVS_ENTRY];
    memset(raw, 0xff, sizeof raw);
    raw[0] = item->ns;
    raw[1] = item->type;
    raw[2] = (uint8_t)span;
    raw[3] = item->chunk;
    al_nvs_key(item->key, raw + 8);
    if (variable) {
        al_put_le16(raw + 24, (uint16_t)item->len);
        al_put_le32(raw + 28, al_crc32(NVS_CRC_INIT, item->data, item->len));
    } else {
        memcpy(raw + 24, item->data, item->len);
    }
    al_put_le32(raw + 4, al_nvs_header_crc(raw));
    err = al_nvs_append(nvs, p, raw);
    return err || !variable ? err : write_data(nvs, p, item->data, item->len);
}
