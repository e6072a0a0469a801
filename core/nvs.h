/* NVS: key-value storage in flash, in the vendor's page format, with its
 * write order and recovery. Source: ESP-IDF v6.2-dev components/nvs_flash.
 *
 *   page   4096 bytes: header 32, entry states 32, 126 entries of 32 bytes
 *   item   a header entry and the data entries behind it; never crosses a page
 *
 * What a power cut leaves: the old value or the new one, never neither. The
 * original breaks this in a few corners; this implementation does not
 * (docs/nvs.md names them). No heap: the caller places the page table. */
#ifndef CORE_NVS_H
#define CORE_NVS_H

#include "core/flash.h"

#define AL_NVS_ENTRIES    126u /* entries of a page */
#define AL_NVS_ENTRY      32u
#define AL_NVS_KEY_LEN    15u     /* bytes of a key or namespace name, without NUL */
#define AL_NVS_STR_MAX    4000u   /* with NUL */
#define AL_NVS_CHUNK_MAX  4000u   /* bytes of a blob that one page takes */
#define AL_NVS_CHUNKS_MAX 127u    /* of a blob */
#define AL_NVS_BLOB_MAX   508000u /* and at most (pages - 1) * AL_NVS_CHUNK_MAX */

enum al_nvs_type {
    AL_NVS_U8 = 0x01,
    AL_NVS_I8 = 0x11,
    AL_NVS_U16 = 0x02,
    AL_NVS_I16 = 0x12,
    AL_NVS_U32 = 0x04,
    AL_NVS_I32 = 0x14,
    AL_NVS_U64 = 0x08,
    AL_NVS_I64 = 0x18,
    AL_NVS_FLOAT = 0x24,
    AL_NVS_DOUBLE = 0x28,
    AL_NVS_STR = 0x21,
    AL_NVS_BLOB_V1 = 0x41,  /* read only */
    AL_NVS_BLOB = 0x42,     /* what the API calls a blob; in flash: one chunk */
    AL_NVS_BLOB_IDX = 0x48, /* in flash: the index of a blob */
    AL_NVS_ANY = 0xff
};

enum al_nvs_page_state {
    AL_NVS_PAGE_UNINIT, /* erased, or in use with its header not written yet */
    AL_NVS_PAGE_ACTIVE,
    AL_NVS_PAGE_FULL,
    AL_NVS_PAGE_FREEING, /* being copied to another page, then erased */
    AL_NVS_PAGE_CORRUPT  /* unreadable; erased when it is taken into use */
};

/* What is kept in memory about a page, 12 bytes. */
struct al_nvs_page {
    uint32_t seq;    /* order of the pages; of pages in use */
    uint16_t sector; /* its place in the partition, in pages */
    uint8_t state;   /* enum al_nvs_page_state */
    uint8_t version; /* 0xff: 1, 0xfe: 2; of pages with a header */
    uint8_t next;    /* first entry not used yet; 126: none */
    uint8_t live;    /* entries WRITTEN */
};

/* Placed by the caller, who serializes all calls. */
struct al_nvs {
    struct al_window part;
    struct al_nvs_page *pages; /* caller's, one a page of the partition:
                                  pages[0..used-1] in use, in order of seq; then the
                                  free ones, first in first out */
    uint16_t page_count;
    uint16_t used;
    uint32_t next_seq;
    uint8_t namespaces[32];   /* bit n: index n is taken */
    uint16_t namespace_count; /* entries, not names */
    bool ready;               /* init succeeded */
};

/* Opens a partition and repairs what power cuts left (7 of the format):
 * may write. pages: at least part->size / 4096 elements (page_count), alive as
 * long as nvs; a remainder of the partition is ignored.
 * AL_ERR_NVS_NO_FREE_PAGES, AL_ERR_NVS_NEW_VERSION_FOUND, AL_ERR_NOT_ALLOWED
 * (read-only and in need of repair), AL_ERR_INVALID_ARG (no page, more than
 * 65535, or too few elements), or the flash's. After an error every other call
 * gives AL_ERR_NVS_NOT_INITIALIZED. */
int al_nvs_init(struct al_nvs *nvs, const struct al_window *part, struct al_nvs_page *pages,
                size_t page_count);

/* What the first 32 bytes of a page say: state, seq, version. UNINIT: the state
 * word is blank; whether the page is too is not looked at. For tools. */
void al_nvs_page_header(const uint8_t raw[32], struct al_nvs_page *out);

/* Namespace index 1..254 of name. create: made if missing. Only 15 bytes of a
 * longer name are compared. AL_ERR_NVS_NOT_FOUND, _KEY_TOO_LONG, _NOT_ENOUGH_SPACE. */
int al_nvs_namespace(struct al_nvs *nvs, const char *name, bool create, uint8_t *index);

/* Numbers: value points to the type's bytes, low nibble of type many, little-endian.
 * Strings: len counts the NUL. Types: those above but BLOB_V1, BLOB_IDX, ANY.
 * Atomic under power cuts; an equal value writes nothing (a blob of two or more
 * chunks is written anew). purge: the old item's bytes are zeroed as well
 * (NVS_READWRITE_PURGE).
 * AL_ERR_INVALID_ARG (type, length of a number, NULL), AL_ERR_NVS_KEY_TOO_LONG,
 * _VALUE_TOO_LONG, _NOT_ENOUGH_SPACE, _INVALID_STATE, _REMOVE_FAILED (the new value
 * is there, the old one could not be discarded), or the flash's. */
int al_nvs_set(struct al_nvs *nvs, uint8_t ns, enum al_nvs_type type, const char *key,
               const void *value, size_t len, bool purge);

/* len: room; numbers need exactly their size. The size found is stored in *found
 * (may be NULL). out NULL: only the size. Data whose CRC is wrong is discarded.
 * AL_ERR_NVS_NOT_FOUND (also for another type, or damaged data),
 * AL_ERR_NVS_INVALID_LENGTH. */
int al_nvs_get(struct al_nvs *nvs, uint8_t ns, enum al_nvs_type type, const char *key, void *out,
               size_t len, size_t *found);
/* type: of the first item of that name, AL_NVS_BLOB for blobs of both formats; may be NULL. */
int al_nvs_find_key(struct al_nvs *nvs, uint8_t ns, const char *key, enum al_nvs_type *type);
int al_nvs_erase_key(struct al_nvs *nvs, uint8_t ns, const char *key, bool purge);
/* All items of the namespace; its name stays. Empty: 0. */
int al_nvs_erase_all(struct al_nvs *nvs, uint8_t ns, bool purge);
/* Zeroes the bytes of what was discarded earlier without purge. */
int al_nvs_purge_all(struct al_nvs *nvs, uint8_t ns);

/* Iteration in flash order. Start with a zeroed iterator; ns 0: all
 * namespaces. 0, or AL_ERR_NVS_NOT_FOUND at the end. A blob comes once, as
 * AL_NVS_BLOB; blobs of the old format come only with their type as the filter. Writing in between
 * is allowed; moved items may then be seen twice or not. */
struct al_nvs_iter {
    uint8_t ns, type; /* filters; type 0 or AL_NVS_ANY: all */
    uint16_t page;    /* where to go on */
    uint8_t entry;
    char namespace_name[16]; /* of the item found; "" when its namespace is lost */
    char key[16];
    enum al_nvs_type found_type;
    uint8_t found_ns;
};
int al_nvs_next(struct al_nvs *nvs, struct al_nvs_iter *it);

struct al_nvs_stats {
    uint32_t used, free, available, total, namespaces; /* entries */
};
/* AL_FAIL: a page is being collected (read-only partitions only). */
int al_nvs_stats(struct al_nvs *nvs, struct al_nvs_stats *out);
/* Live entries of the namespace, data and index entries included. */
int al_nvs_used_entries(struct al_nvs *nvs, uint8_t ns, uint32_t *count);

#endif
