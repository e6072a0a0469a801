/* NVS, the parts that its files share. Not for callers. Offsets in bytes,
 * little-endian.
 *
 *   page   @0 state  @4 sequence number  @8 version  @9 ff  @28 crc of 4..27
 *          @32 entry states, 2 bits each  @64 entries
 *   entry  @0 namespace  @1 type  @2 span  @3 chunk index  @4 crc of the rest
 *          @8 key, 15 bytes and NUL  @24 data, 8 bytes
 *
 * All functions return 0 or a negative AL_ERR_* if nothing else is said. A
 * struct al_nvs_page pointer is valid until a page is taken or released. */
#ifndef CORE_NVS_INTERNAL_H
#define CORE_NVS_INTERNAL_H

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/err.h"
#include "core/nvs.h"

#define NVS_PAGE          0x1000u
#define NVS_STATES        32u /* offset of the entry states */
#define NVS_ENTRIES_AT    64u /* offset of entry 0 */
#define NVS_CRC_INIT      0xffffffffu
#define NVS_CHUNK_NONE    0xffu /* chunk index of everything but blob chunks */
#define NVS_CHUNK_VER1    0x80u /* chunk start: 0, or this after every second change */
#define NVS_NAMESPACES    0u    /* namespace index of the names themselves */
#define NVS_VERSION_2     0xfeu
#define NVS_PAGE_CAPACITY 4000u /* data bytes of an item that fills a page */

enum nvs_entry_state { NVS_ERASED = 0, NVS_ILLEGAL = 1, NVS_WRITTEN = 2, NVS_EMPTY = 3 };

/* ---- page: nvs_page.c ---- */

int al_nvs_page_read(const struct al_nvs *nvs, const struct al_nvs_page *p, uint32_t off, void *dst,
                     uint32_t len);
int al_nvs_page_program(const struct al_nvs *nvs, const struct al_nvs_page *p, uint32_t off,
                        const void *src, uint32_t len);
/* All len bytes are ff: 1, or 0. */
int al_nvs_page_blank(const struct al_nvs *nvs, const struct al_nvs_page *p, uint32_t off,
                      uint32_t len);
/* The 32 bytes of an entry: mapped, or read into buf. NULL: the flash failed. */
const uint8_t *al_nvs_entry(const struct al_nvs *nvs, const struct al_nvs_page *p, unsigned entry,
                            uint8_t buf[AL_NVS_ENTRY]);
int al_nvs_states(const struct al_nvs *nvs, const struct al_nvs_page *p, uint8_t states[32]);
static inline enum nvs_entry_state al_nvs_state_of(const uint8_t states[32], unsigned entry)
{
    return (enum nvs_entry_state)(states[entry / 4] >> entry % 4 * 2 & 3);
}

/* Programs the states of count entries, highest word first, and keeps live. */
int al_nvs_mark(const struct al_nvs *nvs, struct al_nvs_page *p, unsigned first, unsigned count,
                enum nvs_entry_state state);
/* Marks count entries ERASED; purge: zeroes their bytes after that. */
int al_nvs_discard_entries(const struct al_nvs *nvs, struct al_nvs_page *p, unsigned first,
                           unsigned count, bool purge);
/* Writes the header of an erased page that is in use. */
int al_nvs_page_begin(const struct al_nvs *nvs, struct al_nvs_page *p);
/* state: FULL or FREEING. */
int al_nvs_page_set_state(const struct al_nvs *nvs, struct al_nvs_page *p,
                          enum al_nvs_page_state state);
int al_nvs_page_erase(const struct al_nvs *nvs, struct al_nvs_page *p);
/* The state that a state word of flash stands for; CORRUPT: none known. */
enum al_nvs_page_state al_nvs_page_state_of(uint32_t word);
/* One entry and its state word, to the next free entry. */
int al_nvs_append(const struct al_nvs *nvs, struct al_nvs_page *p, const uint8_t raw[AL_NVS_ENTRY]);

/* ---- item: nvs_item.c ---- */

/* A live item found in flash. */
struct al_nvs_item {
    struct al_nvs_page *page;
    uint8_t entry; /* of its header */
    uint8_t type, span, chunk;
    uint8_t raw[AL_NVS_ENTRY]; /* the header */
};
/* Size of string, chunk (u16) or whole blob (u32), and CRC of the data. */
static inline uint32_t al_nvs_data_size(const uint8_t raw[AL_NVS_ENTRY])
{
    return raw[1] == AL_NVS_BLOB_IDX ? al_get_le32(raw + 24) : al_get_le16(raw + 24);
}
static inline uint32_t al_nvs_data_crc(const uint8_t raw[AL_NVS_ENTRY])
{
    return al_get_le32(raw + 28);
}
static inline bool al_nvs_type_variable(uint8_t type)
{
    return type == AL_NVS_STR || type == AL_NVS_BLOB_V1 || type == AL_NVS_BLOB;
}
static inline bool al_nvs_type_number(uint8_t type)
{
    unsigned kind = type >> 4, size = type & 15u;
    bool power = size == 1 || size == 2 || size == 4 || size == 8;
    return (kind <= 1 && power) || type == AL_NVS_FLOAT || type == AL_NVS_DOUBLE;
}

/* Key or name as it lies in flash: at most 15 bytes, then zeros. */
void al_nvs_key(const char *text, uint8_t key[16]);
uint32_t al_nvs_header_crc(const uint8_t raw[AL_NVS_ENTRY]);
/* CRC, type, span and size fit the header of an item at this entry. */
bool al_nvs_header_ok(const uint8_t raw[AL_NVS_ENTRY], unsigned entry);

/* Steps through the live items of a page in entry order. Discarding the item
 * found does not disturb it. */
struct al_nvs_walk {
    const struct al_nvs *nvs;
    struct al_nvs_page *page;
    uint8_t entry; /* of the item found */
    uint8_t span;
    uint8_t next;
    const uint8_t *raw; /* its header, valid until the next step */
    uint8_t states[32], buf[AL_NVS_ENTRY];
};
int al_nvs_walk_begin(struct al_nvs_walk *w, const struct al_nvs *nvs, struct al_nvs_page *page);
/* 1: found; 0: end. */
int al_nvs_walk_step(struct al_nvs_walk *w);
static inline bool al_nvs_same_name(const uint8_t *a, uint8_t ns, const uint8_t key[16])
{
    return a[0] == ns && memcmp(a + 8, key, AL_NVS_KEY_LEN) == 0;
}

/* First item in page and entry order, or AL_ERR_NVS_NOT_FOUND. An item of the
 * same name and chunk but another type ends the search in its page, as in the
 * original. type AL_NVS_ANY: any type. */
int al_nvs_find(struct al_nvs *nvs, uint8_t ns, uint8_t type, const uint8_t key[16], uint8_t chunk,
                struct al_nvs_item *out);
int al_nvs_discard_item(struct al_nvs *nvs, const struct al_nvs_item *item, bool purge);
/* Data of a string or chunk into out. AL_ERR_NVS_NOT_FOUND: its CRC is wrong; it was discarded. */
int al_nvs_read_data(struct al_nvs *nvs, const struct al_nvs_item *item, void *out);
/* The item's data CRC is right: 1, or 0. */
int al_nvs_data_ok(const struct al_nvs *nvs, const struct al_nvs_page *p, unsigned entry,
                   const uint8_t raw[AL_NVS_ENTRY]);
/* The data behind the header equals data: 1, or 0. */
int al_nvs_data_equal(const struct al_nvs *nvs, const struct al_nvs_page *p, unsigned entry,
                      const uint8_t *data, uint32_t len);

/* Writes an item to the current page. AL_ERR_NVS_PAGE_FULL: it does not fit. */
struct al_nvs_new {
    uint8_t ns, type, chunk;
    const char *key;
    const void *data; /* number: its bytes; BLOB_IDX: the 8 data bytes */
    size_t len;
};
int al_nvs_write_item(struct al_nvs *nvs, const struct al_nvs_new *item);

/* ---- order of the pages, free list: nvs_pages.c ---- */

static inline struct al_nvs_page *al_nvs_current(const struct al_nvs *nvs)
{
    return &nvs->pages[nvs->used - 1];
}
/* Puts the first free page in use, behind the others. AL_ERR_NVS_INVALID_STATE: none. */
int al_nvs_take_page(struct al_nvs *nvs);
/* Erases page index of the order and appends it to the free list. */
int al_nvs_free_page(struct al_nvs *nvs, unsigned index);
/* Copies live items (all their entries) to the current page, which has room. */
int al_nvs_copy_live(struct al_nvs *nvs, struct al_nvs_page *from);
int al_nvs_copy_item(struct al_nvs *nvs, const struct al_nvs_page *from, unsigned entry,
                     unsigned span);
/* Marks the current page FULL and puts another in use; collects one when
 * only the reserve is free. AL_ERR_NVS_NOT_ENOUGH_SPACE, _INVALID_STATE. */
int al_nvs_next_page(struct al_nvs *nvs);

/* ---- opening: nvs_load.c, nvs_recover.c ---- */

/* Reads and repairs the page at p->sector; fills in the rest of p.
 * AL_ERR_NVS_NEW_VERSION_FOUND. */
int al_nvs_load_page(const struct al_nvs *nvs, struct al_nvs_page *p);
/* The first live item before entry `before` with the name and chunk of raw. type
 * AL_NVS_ANY: of any type. 1: found, w stands on it; 0: none. */
int al_nvs_earlier_in_page(const struct al_nvs *nvs, struct al_nvs_page *p,
                           const uint8_t raw[AL_NVS_ENTRY], uint8_t type, unsigned before,
                           struct al_nvs_walk *w);

/* ---- blob: nvs_blob.c ---- */

/* old: its BLOB_IDX, or NULL. Writes chunks and index; discards nothing old. */
int al_nvs_blob_write(struct al_nvs *nvs, uint8_t ns, const char *key, const uint8_t *data,
                      size_t len, const struct al_nvs_item *old);
/* Same size and content, as far as the original sees it: 1, or 0. */
int al_nvs_blob_equal(struct al_nvs *nvs, const struct al_nvs_item *index, const uint8_t *data,
                      size_t len);
int al_nvs_blob_get(struct al_nvs *nvs, uint8_t ns, const uint8_t key[16], void *out, size_t len,
                    size_t *found);
/* The index, then its chunks in ascending order. */
int al_nvs_blob_discard(struct al_nvs *nvs, const struct al_nvs_item *index, bool purge);

#endif
