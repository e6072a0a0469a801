/* NVS: blobs. Chunks in any pages, then the index that makes the blob exist.
 *
 * Chunks are numbered from 0x00 or 0x80; each change of a blob takes the other
 * start, so that old and new chunks have different names. */
#include "core/nvs_internal.h"

/* A first chunk shorter than that goes to another page. */
#define ROOM_TOO_SMALL (NVS_PAGE_CAPACITY / 10)

/* Bytes of an item's data that the current page takes. */
static uint32_t room(const struct al_nvs *nvs)
{
    const struct al_nvs_page *p = al_nvs_current(nvs);

    if (p->state == AL_NVS_PAGE_UNINIT) return NVS_PAGE_CAPACITY;
    if (p->state != AL_NVS_PAGE_ACTIVE || p->next >= AL_NVS_ENTRIES - 1) return 0;
    return (AL_NVS_ENTRIES - 1 - p->next) * AL_NVS_ENTRY;
}

/* Before the first chunk. */
static int make_room(struct al_nvs *nvs, size_t len)
{
    for (;;) {
        uint32_t have = room(nvs);
        bool too_small = have < len || (have == 0 && len == 0);
        if (!too_small || have >= ROOM_TOO_SMALL) return 0;
        int err = al_nvs_next_page(nvs);
        if (err) return err;
        if (room(nvs) == have) return AL_ERR_NVS_NOT_ENOUGH_SPACE;
    }
}

static int write_chunks(struct al_nvs *nvs, struct al_nvs_new *chunk, const uint8_t *data,
                        size_t len, unsigned *written)
{
    int err = make_room(nvs, len);

    for (size_t left = len; !err;) {
        uint32_t have = room(nvs);
        if (have == 0) return AL_ERR_NVS_NOT_ENOUGH_SPACE;
        chunk->len = left < have ? left : have;
        chunk->data = data + (len - left);
        err = al_nvs_write_item(nvs, chunk);
        if (err) break;
        chunk->chunk++;
        ++*written;
        left -= chunk->len;
        if (left > 0 || have - chunk->len < AL_NVS_ENTRY) err = al_nvs_next_page(nvs);
        if (left == 0) break;
    }
    return err;
}

/* Chunks first..first+count-1 of the blob, as many as there are. */
static int discard_chunks(struct al_nvs *nvs, uint8_t ns, const uint8_t key[16], unsigned first,
                          unsigned count, bool purge)
{
    for (unsigned i = first; i < first + count; i++) {
        struct al_nvs_item item;
        int err = al_nvs_find(nvs, ns, AL_NVS_BLOB, key, (uint8_t)i, &item);
        if (err == AL_ERR_NVS_NOT_FOUND) continue;
        if (!err) err = al_nvs_discard_item(nvs, &item, purge);
        if (err) return err;
    }
    return 0;
}

int al_nvs_blob_write(struct al_nvs *nvs, uint8_t ns, const char *key, const uint8_t *data,
                      size_t len, const struct al_nvs_item *old)
{
    uint32_t pages = nvs->page_count - 1u;
    uint8_t start = old && old->raw[29] != NVS_CHUNK_VER1 ? NVS_CHUNK_VER1 : 0;
    struct al_nvs_new item = {.ns = ns, .type = AL_NVS_BLOB, .chunk = start, .key = key};
    unsigned chunks = 0;

    if (pages > AL_NVS_CHUNKS_MAX) pages = AL_NVS_CHUNKS_MAX;
    if (len > pages * AL_NVS_CHUNK_MAX) return AL_ERR_NVS_VALUE_TOO_LONG;
    int err = write_chunks(nvs, &item, data, len, &chunks);
    if (!err) {
        uint8_t index[8] = {[4] = (uint8_t)chunks, start, 0xff, 0xff};
        al_put_le32(index, (uint32_t)len);
        item.type = AL_NVS_BLOB_IDX;
        item.chunk = NVS_CHUNK_NONE;
        item.data = index;
        item.len = sizeof index;
        err = al_nvs_write_item(nvs, &item);
    }
    if (err && chunks) {
        uint8_t name[16];
        al_nvs_key(key, name);
        (void)discard_chunks(nvs, ns, name, start, chunks, false); /* err tells more */
    }
    return err == AL_ERR_NVS_PAGE_FULL ? AL_ERR_NVS_NOT_ENOUGH_SPACE : err;
}

int al_nvs_blob_equal(struct al_nvs *nvs, const struct al_nvs_item *index, const uint8_t *data,
                      size_t len)
{
    size_t done = 0;

    if (al_nvs_data_size(index->raw) != len) return 0;
    for (unsigned i = 0; i < index->raw[28]; i++) {
        struct al_nvs_item chunk;
        int err = al_nvs_find(nvs, index->raw[0], AL_NVS_BLOB, index->raw + 8,
                              (uint8_t)(index->raw[29] + i), &chunk);
        if (err) return err == AL_ERR_NVS_NOT_FOUND ? 0 : err;
        uint32_t size = al_nvs_data_size(chunk.raw);
        if (size > len - done) return 0;
        /* The start of the data, not data + done: the original writes a blob of
         * several chunks anew, and equal bytes in flash are wanted. */
        if (al_crc32(NVS_CRC_INIT, data, size) != al_nvs_data_crc(chunk.raw)) return 0;
        int same = al_nvs_data_equal(nvs, chunk.page, chunk.entry, data + done, size);
        if (same <= 0) return same;
        done += size;
    }
    return done == len;
}

static int read_chunks(struct al_nvs *nvs, const struct al_nvs_item *index, uint8_t *out)
{
    size_t left = al_nvs_data_size(index->raw);

    for (unsigned i = 0; i < index->raw[28]; i++) {
        struct al_nvs_item chunk;
        int err = al_nvs_find(nvs, index->raw[0], AL_NVS_BLOB, index->raw + 8,
                              (uint8_t)(index->raw[29] + i), &chunk);
        if (err) return err;
        uint32_t size = al_nvs_data_size(chunk.raw);
        if (size > left) return AL_ERR_NVS_NOT_FOUND;
        err = al_nvs_read_data(nvs, &chunk, out);
        if (err) return err;
        out += size;
        left -= size;
    }
    return left ? AL_ERR_NVS_NOT_FOUND : 0;
}

int al_nvs_blob_get(struct al_nvs *nvs, uint8_t ns, const uint8_t key[16], void *out, size_t len,
                    size_t *found)
{
    struct al_nvs_item item;
    int err = al_nvs_find(nvs, ns, AL_NVS_BLOB_IDX, key, NVS_CHUNK_NONE, &item);

    if (err == AL_ERR_NVS_NOT_FOUND)
        err = al_nvs_find(nvs, ns, AL_NVS_BLOB_V1, key, NVS_CHUNK_NONE, &item);
    if (err) return err;
    *found = al_nvs_data_size(item.raw);
    if (!out) return 0;
    if (len < *found) return AL_ERR_NVS_INVALID_LENGTH;
    if (item.type == AL_NVS_BLOB_V1) return al_nvs_read_data(nvs, &item, out);

    err = read_chunks(nvs, &item, out);
    if (err == AL_ERR_NVS_NOT_FOUND) {
        /* A part is lost: nobody can use the rest. */
        int gone = al_nvs_blob_discard(nvs, &item, true);
        if (gone && gone != AL_ERR_NOT_ALLOWED) return gone;
    }
    return err;
}

int al_nvs_blob_discard(struct al_nvs *nvs, const struct al_nvs_item *index, bool purge)
{
    int err = al_nvs_discard_item(nvs, index, purge);

    if (err) return err;
    return discard_chunks(nvs, index->raw[0], index->raw + 8, index->raw[29], index->raw[28],
                          purge);
}
