/* NVS: what callers do with keys. The pages and items below it: nvs_internal.h. */
#include "core/nvs_internal.h"

static bool settable(uint8_t type)
{
    return al_nvs_type_number(type) || type == AL_NVS_STR || type == AL_NVS_BLOB;
}

/* The item that a set of this type replaces, or whatever else has the key. */
static int find_old(struct al_nvs *nvs, uint8_t ns, uint8_t type, const uint8_t key[16],
                    struct al_nvs_item *old)
{
    uint8_t stored = type == AL_NVS_BLOB ? AL_NVS_BLOB_IDX : type;
    int err = al_nvs_find(nvs, ns, stored, key, NVS_CHUNK_NONE, old);

    if (err != AL_ERR_NVS_NOT_FOUND) return err;
    return al_nvs_find(nvs, ns, AL_NVS_ANY, key, NVS_CHUNK_NONE, old);
}

static int discard_any(struct al_nvs *nvs, const struct al_nvs_item *item, bool purge)
{
    return item->type == AL_NVS_BLOB_IDX ? al_nvs_blob_discard(nvs, item, purge)
                                         : al_nvs_discard_item(nvs, item, purge);
}

/* Old value of the same type and content: 1, or 0. */
static int unchanged(struct al_nvs *nvs, const struct al_nvs_item *old, uint8_t type,
                     const void *value, size_t len)
{
    if (type == AL_NVS_BLOB)
        return old->type == AL_NVS_BLOB_IDX ? al_nvs_blob_equal(nvs, old, value, len) : 0;
    if (old->type != type) return 0;
    if (type != AL_NVS_STR) return memcmp(old->raw + 24, value, len) == 0;

    uint32_t size = al_nvs_data_size(old->raw);
    if (len < size || al_crc32(NVS_CRC_INIT, value, size) != al_nvs_data_crc(old->raw)) return 0;
    return al_nvs_data_equal(nvs, old->page, old->entry, value, size);
}

static int write_plain(struct al_nvs *nvs, uint8_t ns, uint8_t type, const char *key,
                       const void *value, size_t len)
{
    struct al_nvs_new item = {
        .ns = ns, .type = type, .chunk = NVS_CHUNK_NONE, .key = key, .data = value, .len = len};
    int err = al_nvs_write_item(nvs, &item);

    if (err != AL_ERR_NVS_PAGE_FULL) return err;
    err = al_nvs_next_page(nvs);
    if (!err) err = al_nvs_write_item(nvs, &item);
    return err == AL_ERR_NVS_PAGE_FULL ? AL_ERR_NVS_NOT_ENOUGH_SPACE : err;
}

static int set(struct al_nvs *nvs, uint8_t ns, uint8_t type, const char *key, const void *value,
               size_t len, bool purge)
{
    struct al_nvs_item old;
    uint8_t name[16];

    al_nvs_key(key, name);
    int err = find_old(nvs, ns, type, name, &old);
    bool had = err == 0;
    if (err && err != AL_ERR_NVS_NOT_FOUND) return err;
    if (had) {
        int same = unchanged(nvs, &old, type, value, len);
        if (same) return same < 0 ? same : 0;
    }

    if (type == AL_NVS_BLOB)
        err = al_nvs_blob_write(nvs, ns, key, value, len,
                                had && old.type == AL_NVS_BLOB_IDX ? &old : NULL);
    else
        err = write_plain(nvs, ns, type, key, value, len);
    if (err || !had) return err;

    /* Garbage collection may have moved it; it is before the new one in any case. */
    err = al_nvs_find(nvs, ns, old.type, name, NVS_CHUNK_NONE, &old);
    if (err == AL_ERR_NVS_NOT_FOUND) return 0;
    if (!err) err = discard_any(nvs, &old, purge);
    return err == AL_ERR_FLASH_OP_FAIL ? AL_ERR_NVS_REMOVE_FAILED : err;
}

int al_nvs_namespace(struct al_nvs *nvs, const char *name, bool create, uint8_t *index)
{
    struct al_nvs_item item;
    uint8_t key[16];

    if (!nvs->ready) return AL_ERR_NVS_NOT_INITIALIZED;
    if (!name) return AL_ERR_INVALID_ARG;
    al_nvs_key(name, key);
    int err = al_nvs_find(nvs, NVS_NAMESPACES, AL_NVS_U8, key, NVS_CHUNK_NONE, &item);
    if (!err) {
        /* 0 and 255 are reserved; only a forged partition has them. */
        *index = item.raw[24];
        return *index == 0 || *index == 0xff ? AL_ERR_NVS_NOT_FOUND : 0;
    }
    if (err != AL_ERR_NVS_NOT_FOUND || !create) return err;

    unsigned free = 1;
    while (free < 255 && nvs->namespaces[free / 8] >> free % 8 & 1) free++;
    if (free == 255) return AL_ERR_NVS_NOT_ENOUGH_SPACE;
    uint8_t value = (uint8_t)free;
    err = set(nvs, NVS_NAMESPACES, AL_NVS_U8, name, &value, 1, false);
    if (err) return err;
    nvs->namespaces[free / 8] |= (uint8_t)(1u << free % 8);
    nvs->namespace_count++;
    *index = value;
    return 0;
}

int al_nvs_set(struct al_nvs *nvs, uint8_t ns, enum al_nvs_type type, const char *key,
               const void *value, size_t len, bool purge)
{
    uint8_t t = (uint8_t)type;

    if (!nvs->ready) return AL_ERR_NVS_NOT_INITIALIZED;
    if (!key || (!value && len > 0) || ns == NVS_NAMESPACES || !settable(t))
        return AL_ERR_INVALID_ARG;
    if (al_nvs_type_number(t) && len != (t & 15u)) return AL_ERR_INVALID_ARG;
    return set(nvs, ns, t, key, len ? value : "", len, purge);
}

int al_nvs_get(struct al_nvs *nvs, uint8_t ns, enum al_nvs_type type, const char *key, void *out,
               size_t len, size_t *found)
{
    struct al_nvs_item item;
    uint8_t name[16], t = (uint8_t)type;
    size_t size = 0;

    if (!nvs->ready) return AL_ERR_NVS_NOT_INITIALIZED;
    if (!key || !settable(t)) return AL_ERR_INVALID_ARG;
    al_nvs_key(key, name);
    if (t == AL_NVS_BLOB) return al_nvs_blob_get(nvs, ns, name, out, len, found ? found : &size);

    int err = al_nvs_find(nvs, ns, t, name, NVS_CHUNK_NONE, &item);
    if (err) return err;
    size = t == AL_NVS_STR ? al_nvs_data_size(item.raw) : t & 15u;
    if (found) *found = size;
    if (!out) return 0;
    if (t == AL_NVS_STR)
        return len < size ? AL_ERR_NVS_INVALID_LENGTH : al_nvs_read_data(nvs, &item, out);
    if (len != size) return AL_ERR_NVS_INVALID_LENGTH;
    memcpy(out, item.raw + 24, size);
    return 0;
}

static int find_any(struct al_nvs *nvs, uint8_t ns, const char *key, struct al_nvs_item *item)
{
    uint8_t name[16];

    if (!nvs->ready) return AL_ERR_NVS_NOT_INITIALIZED;
    if (!key || ns == NVS_NAMESPACES) return AL_ERR_INVALID_ARG;
    al_nvs_key(key, name);
    return al_nvs_find(nvs, ns, AL_NVS_ANY, name, NVS_CHUNK_NONE, item);
}

int al_nvs_find_key(struct al_nvs *nvs, uint8_t ns, const char *key, enum al_nvs_type *type)
{
    struct al_nvs_item item;
    int err = find_any(nvs, ns, key, &item);

    if (err || !type) return err;
    bool blob = item.type == AL_NVS_BLOB_IDX || item.type == AL_NVS_BLOB_V1;
    *type = blob ? AL_NVS_BLOB : (enum al_nvs_type)item.type;
    return 0;
}

int al_nvs_erase_key(struct al_nvs *nvs, uint8_t ns, const char *key, bool purge)
{
    struct al_nvs_item item;
    int err = find_any(nvs, ns, key, &item);

    return err ? err : discard_any(nvs, &item, purge);
}

int al_nvs_erase_all(struct al_nvs *nvs, uint8_t ns, bool purge)
{
    if (!nvs->ready) return AL_ERR_NVS_NOT_INITIALIZED;
    if (ns == NVS_NAMESPACES) return AL_ERR_INVALID_ARG;
    for (unsigned i = 0; i < nvs->used; i++) {
        struct al_nvs_walk w;
        int more = al_nvs_walk_begin(&w, nvs, &nvs->pages[i]);
        if (more) return more;
        while ((more = al_nvs_walk_step(&w)) > 0) {
            if (w.raw[0] != ns) continue;
            int err = al_nvs_discard_entries(nvs, w.page, w.entry, w.span, purge);
            if (err) return err;
        }
        if (more) return more;
    }
    return 0;
}

/* Zeroes every discarded item of the page whose bytes are still there. */
static int purge_page(struct al_nvs *nvs, struct al_nvs_page *p, uint8_t ns)
{
    uint8_t states[32], buf[AL_NVS_ENTRY];
    int err = al_nvs_states(nvs, p, states);

    for (unsigned i = 0; !err && i < AL_NVS_ENTRIES; i++) {
        if (al_nvs_state_of(states, i) != NVS_ERASED) continue;
        const uint8_t *raw = al_nvs_entry(nvs, p, i, buf);
        if (!raw) return AL_ERR_FLASH_OP_FAIL;
        if (raw[0] != ns || !al_nvs_header_ok(raw, i)) continue;
        static const uint8_t zeros[AL_NVS_ENTRY];
        for (unsigned end = i + raw[2]; !err && i < end; i++)
            if (al_nvs_state_of(states, i) == NVS_ERASED)
                err = al_nvs_page_program(nvs, p, NVS_ENTRIES_AT + i * AL_NVS_ENTRY, zeros,
                                          AL_NVS_ENTRY);
        i--;
    }
    return err;
}

int al_nvs_purge_all(struct al_nvs *nvs, uint8_t ns)
{
    int err = nvs->ready ? 0 : AL_ERR_NVS_NOT_INITIALIZED;

    if (!err && ns == NVS_NAMESPACES) err = AL_ERR_INVALID_ARG;
    for (unsigned i = 0; !err && i < nvs->used; i++)
        if (nvs->pages[i].state != AL_NVS_PAGE_UNINIT) err = purge_page(nvs, &nvs->pages[i], ns);
    return err;
}
