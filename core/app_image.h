/* ESP application and boot loader images: header, segments, descriptions.
 * Little-endian. Source: esp_app_format.h, esp_app_desc.h, esp_bootloader_desc.h. */
#ifndef CORE_APP_IMAGE_H
#define CORE_APP_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AL_IMAGE_MAGIC              0xe9u
#define AL_IMAGE_HEADER_LEN         24u
#define AL_IMAGE_SEGMENT_HEADER_LEN 8u
#define AL_IMAGE_MAX_SEGMENTS       16u
#define AL_IMAGE_DESC_OFFSET        32u /* of the description in the file */
#define AL_IMAGE_CHECKSUM_SEED      0xefu
#define AL_IMAGE_HASH_LEN           32u
#define AL_APP_DESC_LEN             256u
#define AL_APP_DESC_MAGIC           0xabcd5432u
#define AL_BOOT_DESC_LEN            80u
#define AL_BOOT_DESC_MAGIC          0x50u

enum al_image_kind { AL_IMAGE_APP, AL_IMAGE_BOOTLOADER };

struct al_image_header {
    uint8_t magic;              /* @0  0xe9 */
    uint8_t segment_count;      /* @1  at most 16 */
    uint8_t spi_mode;           /* @2  0 QIO 1 QOUT 2 DIO 3 DOUT 4 FAST_READ 5 SLOW_READ */
    uint8_t spi_speed;          /* @3  low nibble: divider code */
    uint8_t spi_size;           /* @3  high nibble: log2 of MB */
    uint32_t entry_addr;        /* @4 */
    uint8_t wp_pin;             /* @8 */
    uint8_t spi_pin_drv[3];     /* @9 */
    uint16_t chip_id;           /* @12 */
    uint8_t min_chip_rev;       /* @14 legacy */
    uint16_t min_chip_rev_full; /* @15 major * 100 + minor */
    uint16_t max_chip_rev_full; /* @17 0 and 65535: no limit */
    uint8_t hash_appended;      /* @23 non-zero: SHA-256 behind the checksum */
};

struct al_image_segment {
    uint32_t load_addr;
    uint32_t len;    /* bytes of data */
    uint32_t offset; /* of the data, from the start of the image */
};

struct al_app_desc {
    uint32_t magic_word;             /* @0  0xabcd5432 */
    uint32_t secure_version;         /* @4 */
    char version[33];                /* @16 32 bytes; here NUL terminated */
    char project_name[33];           /* @48 */
    char time[17];                   /* @80 HH:MM:SS */
    char date[17];                   /* @96 Mmm dd yyyy */
    char idf_ver[33];                /* @112 */
    uint8_t app_elf_sha256[32];      /* @144 */
    uint16_t min_efuse_blk_rev_full; /* @176 */
    uint16_t max_efuse_blk_rev_full; /* @178 */
    uint8_t mmu_page_size;           /* @180 log2; 0: before ESP-IDF 5.4 */
    uint8_t spi_flash_mode;          /* @181 1 QIO 2 QOUT 3 DIO 4 DOUT 5 OPI, 0 unknown */
};

struct al_boot_desc {
    uint8_t magic_byte;     /* @0 0x50 */
    uint8_t secure_version; /* @3 */
    uint32_t version;       /* @4 */
    char idf_ver[33];       /* @8 */
    char date_time[25];     /* @40 Mmm dd yyyy HH:MM:SS */
};

/* Parsing and building single records. parse: raw has the full length. */
void al_image_header_parse(const uint8_t raw[AL_IMAGE_HEADER_LEN], struct al_image_header *out);
void al_image_header_build(const struct al_image_header *h, uint8_t raw[AL_IMAGE_HEADER_LEN]);
/* 0, or AL_ERR_NOT_FOUND when the magic is wrong (out is filled all the same). */
int al_app_desc_parse(const uint8_t raw[AL_APP_DESC_LEN], struct al_app_desc *out);
void al_app_desc_build(const struct al_app_desc *d, uint8_t raw[AL_APP_DESC_LEN]);
int al_boot_desc_parse(const uint8_t raw[AL_BOOT_DESC_LEN], struct al_boot_desc *out);
void al_boot_desc_build(const struct al_boot_desc *d, uint8_t raw[AL_BOOT_DESC_LEN]);

/* Bytes from the end of the last segment's data to the end of the checksum
 * byte: 1..16. */
static inline uint32_t al_image_checksum_pad(uint32_t end_of_segments)
{
    return 16u - end_of_segments % 16u;
}

#endif
