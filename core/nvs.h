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

#define AL_NVS_ENTRIES 126u /* entries of a page */
#define AL_NVS_ENTRY   32u
#define AL_NVS_KEY_LEN 15u   /* bytes of a key or namespace name, without NUL */
#define AL_NVS_STR_MAX 4000u /* with NUL */

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
    AL_NVS_PAGE_UNINIT,
    AL_NVS_PAGE_ACTIVE,
    AL_NVS_PAGE_FULL,
    AL_NVS_PAGE_FREEING,
    AL_NVS_PAGE_CORRUPT,
    AL_NVS_PAGE_BAD /* state word of no known value */
};

/* What is kept in memory about a page, 16 bytes. */
struct al_nvs_page {
    uint32_t seq;
    uint16_t sector; /* its place in the partition, in pages */
    uint8_t state;   /* enum al_nvs_page_state */
    uint8_t version; /* 0xff: 1, 0xfe: 2 */
    uint8_t next;    /* first entry not used yet; 126: none */
    uint8_t live;    /* entries WRITTEN */
    uint16_t order;  /* kept by nvs.c */
    uint32_t reserved;
};

struct al_nvs {
    struct al_window part;
    struct al_nvs_page *pages; /* caller's, one a page of the partition */
    uint16_t page_count;       /* pages of the partition */
    uint16_t used;             /* pages[0..used-1]: in use, in order of seq;
                                  then the free list, first in first out */
    uint32_t next_seq;
    uint8_t namespaces[32]; /* bit n: index n is taken */
    uint16_t namespace_count;
    bool ready;
};

/* Opens a partition and repairs what power cuts left (§7 of the format):
 * may write. pages: part->size / 4096 elements, alive as long as nvs.
 * AL_ERR_NVS_NO_FREE_PAGES, AL_ERR_NVS_NEW_VERSION_FOUND, AL_ERR_NOT_ALLOWED
 * (read-only and in need of repair), AL_ERR_INVALID_ARG (no page), or the flash's. */
int al_nvs_init(struct al_nvs *nvs, const struct al_window *part, struct al_nvs_page *pages,
                size_t page_count);

/* Namespace index 1..254 of name. create: made if missing.
 * AL_ERR_NVS_NOT_FOUND, _KEY_TOO_LONG, _NOT_ENOUGH_SPACE. */
int al_nvs_namespace(struct al_nvs *nvs, const char *name, bool create, uint8_t *index);

/* Numbers: value points to the type's bytes (low nibble of type), little-endian
 * host. set is atomic under power cuts; an equal value writes nothing.
 * purge: the old item's bytes are zeroed as well (NVS_READWRITE_PURGE). */
int al_nvs_set(struct al_nvs *nvs, uint8_t ns, enum al_nvs_type type, const char *key,
               const void *value, size_t len, bool purge);
/* len: room; numbers need exactly their size. The size found is stored in *found.
 * out NULL: only the size. AL_ERR_NVS_NOT_FOUND (also for another type, or damaged data),
 * AL_ERR_NVS_INVALID_LENGTH. */
int al_nvs_get(struct al_nvs *nvs, uint8_t ns, enum al_nvs_type type, const char *key, void *out,
               size_t len, size_t *found);
int al_nvs_find_key(struct al_nvs *nvs, uint8_t ns, const char *key, enum al_nvs_type *type);
int al_nvs_erase_key(struct al_nvs *nvs, uint8_t ns, const char *key, bool purge);
int al_nvs_erase_all(struct al_nvs *nvs, uint8_t ns, bool purge);
int al_nvs_purge_all(struct al_nvs *nvs, uint8_t ns);

/* Iteration in flash order. Start with a zeroed iterator; ns 0: all
 * namespaces. 0, or AL_ERR_NVS_NOT_FOUND at the end. Writing in between is
 * allowed; moved items may then be seen twice or not. */
struct al_nvs_iter {
    uint8_t ns, type; /* filters; type 0 or AL_NVS_ANY: all */
    uint16_t page;
    uint8_t entry;
    char namespace_name[16], key[16]; /* of the item found */
    enum al_nvs_type found_type;
    uint8_t found_ns;
};
int al_nvs_next(struct al_nvs *nvs, struct al_nvs_iter *it);

struct al_nvs_stats {
    uint32_t used, free, available, total, namespaces; /* entries */
};
void al_nvs_stats(struct al_nvs *nvs, struct al_nvs_stats *out);
int al_nvs_used_entries(struct al_nvs *nvs, uint8_t ns, uint32_t *count);

#endif
