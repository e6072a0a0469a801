/* Partition table: 32-byte entries, an optional MD5 entry, an end marker.
 * Little-endian. Source: ESP-IDF esp_flash_partitions.h, flash_partitions.c. */
#ifndef CORE_PART_TABLE_H
#define CORE_PART_TABLE_H

#include "core/crypto.h"
#include "core/flash.h"

#define AL_PART_TABLE_OFFSET 0x8000u /* default place in flash */
#define AL_PART_TABLE_LEN    0xc00u  /* bytes of entries at most */
#define AL_PART_MAX          95u     /* entries at most (TABLE_LEN / 32 - end marker) */
#define AL_PART_ENTRY        32u
#define AL_PART_MAGIC        0x50aau
#define AL_PART_MAGIC_MD5    0xebebu

enum al_part_type {
    AL_PART_APP = 0x00,
    AL_PART_DATA = 0x01,
    AL_PART_BOOTLOADER = 0x02,
    AL_PART_PARTITION_TABLE = 0x03,
    AL_PART_ANY = 0xff
};
enum al_part_subtype {
    AL_PART_FACTORY = 0x00,
    AL_PART_OTA_0 = 0x10,
    AL_PART_OTA_15 = 0x1f,
    AL_PART_TEST = 0x20,
    AL_PART_DATA_OTA = 0x00,
    AL_PART_DATA_PHY = 0x01,
    AL_PART_DATA_NVS = 0x02,
    AL_PART_DATA_NVS_KEYS = 0x04,
    AL_PART_DATA_EFUSE = 0x05,
    AL_PART_DATA_UNDEFINED = 0x06,
    AL_PART_PRIMARY = 0x00, /* of boot loader and partition table */
    AL_PART_OTA = 0x01,
    AL_PART_RECOVERY = 0x02
};
#define AL_PART_ENCRYPTED 0x1u
#define AL_PART_READONLY  0x2u

struct al_part {
    uint8_t type;    /* @2 */
    uint8_t subtype; /* @3 */
    uint32_t offset; /* @4  bytes */
    uint32_t size;   /* @8  bytes */
    char label[17];  /* @12 16 bytes, NUL padded; here always NUL terminated */
    uint32_t flags;  /* @28 AL_PART_ENCRYPTED, AL_PART_READONLY */
};

struct al_part_table {
    uint32_t count;
    bool has_md5;
    struct al_part part[AL_PART_MAX];
};

/* What is wrong with a table, for messages. */
enum al_part_check {
    AL_PART_CHECK_NONE,
    AL_PART_CHECK_MAGIC,  /* neither entry, MD5 nor end marker; found: the magic */
    AL_PART_CHECK_BEYOND, /* entry reaches behind the flash; expected: flash size */
    AL_PART_CHECK_MD5,    /* digest differs */
    AL_PART_CHECK_TWO_MD5,
    AL_PART_CHECK_NO_END, /* no end marker */
    AL_PART_CHECK_NO_MD5, /* app's loader: MD5 entry required */
    AL_PART_CHECK_READ,   /* flash could not be read */
    /* of user partitions, see part_customize.h; expected..found: where they may lie */
    AL_PART_CHECK_OUTSIDE, /* reaches out of that */
    AL_PART_CHECK_OVERLAP, /* with an entry before it: expected its offset, found its size */
    AL_PART_CHECK_ALIGN,   /* does not begin with a sector */
    AL_PART_CHECK_TYPE     /* app, boot loader, partition table, or one that is reserved */
};
struct al_part_fault {
    enum al_part_check check;
    uint32_t index;                  /* entry, from 0 */
    uint32_t offset;                 /* byte inside the table where that entry begins */
    uint32_t part_offset, part_size; /* of the entry, for BEYOND and user partitions */
    uint32_t expected, found;
};

/* One entry to and from its 32 bytes. Decode does not look at the magic. */
void al_part_decode(const uint8_t raw[AL_PART_ENTRY], struct al_part *out);
void al_part_encode(const struct al_part *p, uint8_t raw[AL_PART_ENTRY]);

/* Parses and judges raw (at most AL_PART_TABLE_LEN bytes) as the boot loader
 * does (esp_partition_table_verify). flash_size: bytes. out NULL: only the
 * verdict is wanted. fault may be NULL. 0, AL_ERR_INVALID_SIZE (beyond the flash) or
 * AL_ERR_INVALID_STATE; on an error out->count is 0. */
int al_part_table_parse(const uint8_t *raw, size_t len, uint32_t flash_size,
                        const struct al_crypto *crypto, struct al_part_table *out,
                        struct al_part_fault *fault);

/* The same, from flash at offset. */
int al_part_table_read(const struct al_flash *f, uint32_t offset, const struct al_crypto *crypto,
                       struct al_part_table *out, struct al_part_fault *fault);

/* As the application's loader does (partition.c load_partitions): entries up to
 * the first that is none. md5: the MD5 entry is required (CONFIG_PARTITION_TABLE_MD5);
 * one that is there is checked in any case. AL_ERR_NOT_FOUND: no MD5 entry, or no
 * entries at all; AL_ERR_INVALID_STATE: wrong MD5. */
int al_part_table_load(const struct al_flash *f, uint32_t offset, bool md5,
                       const struct al_crypto *crypto, struct al_part_table *out,
                       struct al_part_fault *fault);

/* Writes the table with its MD5 entry (if with_md5) and 0xff to the end.
 * AL_ERR_INVALID_SIZE: too many entries. */
int al_part_table_build(const struct al_part_table *t, bool with_md5,
                        const struct al_crypto *crypto, uint8_t raw[AL_PART_TABLE_LEN]);

/* First match in table order; AL_PART_ANY and label NULL match all. */
const struct al_part *al_part_find(const struct al_part_table *t, uint8_t type, uint8_t subtype,
                                   const char *label);
/* The window of p; readonly follows its flag. AL_ERR_INVALID_SIZE: not inside the flash. */
int al_part_window(const struct al_flash *f, const struct al_part *p, struct al_window *out);

/* OTA slots as the application counts them: ota_0, ota_1, ... up to the first
 * missing. The boot loader counts every app partition 0x10..0x1f. */
uint32_t al_part_ota_count(const struct al_part_table *t);
uint32_t al_part_ota_count_all(const struct al_part_table *t);

/* Words of types and subtypes as tables and logs show them ("app", "ota_0");
 * NULL: none. */
const char *al_part_type_name(uint8_t type);
const char *al_part_subtype_name(uint8_t type, uint8_t subtype);

#endif
