#include "host/image_build.h"

#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/err.h"
#include "host/crypto_openssl.h"

#define DEFAULT_PAGE    0x10000u
#define MAX_SEGMENT_LEN 0x1000000u

/* An image under construction: everything lies in one buffer that is large
 * enough from the start. */
struct builder {
    uint8_t *buf;
    uint32_t len;
    uint32_t segments;
    uint8_t checksum;
};

/* A place in RAM where the second stage loader of the chip keeps its data. */
static uint32_t ram_address(const struct al_chip *chip)
{
    switch (chip->id) {
    case 0:
        return 0x3fff0030;
    case 2:
        return 0x3ffe6100;
    case 5:
        return 0x3fcd5820;
    case 9:
        return 0x3fce2820;
    case 12:
        return 0x3fcc8020;
    default:
        return al_chip_mapped(chip, 0x40840000) ? 0x4ff2b000 : 0x40840000;
    }
}

static uint32_t round_up(uint32_t n, uint32_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* data NULL: zeros. */
static void add_segment(struct builder *b, uint32_t load_addr, const void *data, uint32_t len)
{
    uint32_t padded = round_up(len, 4);
    uint8_t *at = b->buf + b->len;
    al_put_le32(at, load_addr);
    al_put_le32(at + 4, padded);
    at += AL_IMAGE_SEGMENT_HEADER_LEN;
    memset(at, 0, padded);
    if (data) memcpy(at, data, len);
    for (uint32_t i = 0; i < len; i++) b->checksum ^= at[i];
    b->len += AL_IMAGE_SEGMENT_HEADER_LEN + padded;
    b->segments++;
}

/* So that image, checksum and hash end with a page; the signature sector follows. */
static void add_secure_pad(struct builder *b, uint32_t page)
{
    uint32_t past = b->len + AL_IMAGE_SEGMENT_HEADER_LEN + 16 + AL_IMAGE_HASH_LEN;
    add_segment(b, 0, NULL, round_up(past, page) - past);
}

static void finish(struct builder *b, const struct image_spec *spec, uint32_t entry)
{
    struct al_image_header header = {
        .magic = AL_IMAGE_MAGIC,
        .segment_count = (uint8_t)b->segments,
        .spi_mode = spec->spi_mode,
        .spi_speed = spec->spi_speed,
        .spi_size = spec->spi_size,
        .entry_addr = entry,
        .wp_pin = 0xee,
        .chip_id = spec->chip->id,
        .min_chip_rev_full = spec->min_chip_rev_full,
        .max_chip_rev_full = spec->max_chip_rev_full ? spec->max_chip_rev_full : 0xffff,
        .hash_appended = !spec->no_hash,
    };
    /* The field of older boot loaders: minor revision on ESP32-C3, major elsewhere. */
    header.min_chip_rev = (uint8_t)(spec->chip->id == 5 ? header.min_chip_rev_full % 100
                                                        : header.min_chip_rev_full / 100);
    al_image_header_build(&header, b->buf);

    uint32_t pad = al_image_checksum_pad(b->len);
    memset(b->buf + b->len, 0, pad);
    b->len += pad;
    b->buf[b->len - 1] = b->checksum;
    if (spec->no_hash) return;
    crypto_digest(AL_SHA256, b->buf, b->len, b->buf + b->len);
    b->len += AL_IMAGE_HASH_LEN;
}

static int begin(struct builder *b, uint32_t content, uint32_t page)
{
    *b = (struct builder){.len = AL_IMAGE_HEADER_LEN, .checksum = AL_IMAGE_CHECKSUM_SEED};
    b->buf = malloc(content + 2 * page + 256);
    return b->buf ? 0 : AL_ERR_NO_MEM;
}

static bool page_size_ok(const struct al_chip *chip, uint32_t page)
{
    if (!chip->mmu_page_configurable) return page == DEFAULT_PAGE;
    uint32_t least = chip->id == 12 ? 0x4000 : 0x2000; /* ESP32-C2 begins at 16 KiB */
    return page >= least && page <= DEFAULT_PAGE && (page & (page - 1)) == 0;
}

/* The program's load address: in a page of its own, and at the same place in
 * the page as in the file, so that no padding segment is needed. */
static uint32_t program_address(const struct al_chip *chip, uint32_t file_offset, uint32_t page)
{
    uint32_t first = chip->irom_low == chip->drom_low ? chip->irom_low + page : chip->irom_low;
    return round_up(first, page) + file_offset % page;
}

int image_build_app(const struct image_spec *spec, const struct al_app_desc *desc,
                    const uint8_t *elf, size_t elf_len, uint8_t **out, size_t *out_len)
{
    uint32_t page = spec->mmu_page_size ? spec->mmu_page_size : DEFAULT_PAGE;
    if (!page_size_ok(spec->chip, page)) return AL_ERR_INVALID_ARG;
    const uint32_t program_at =
        AL_IMAGE_DESC_OFFSET + AL_APP_DESC_LEN + AL_IMAGE_SEGMENT_HEADER_LEN;
    uint32_t address = program_address(spec->chip, program_at, page);
    if (address >= spec->chip->irom_high) return AL_ERR_NOT_SUPPORTED;
    if (elf_len == 0 || elf_len >= MAX_SEGMENT_LEN || elf_len > spec->chip->irom_high - address)
        return AL_ERR_INVALID_SIZE;

    struct builder b;
    int err = begin(&b, (uint32_t)elf_len + AL_APP_DESC_LEN, page);
    if (err) return err;
    struct al_app_desc full = *desc;
    full.magic_word = AL_APP_DESC_MAGIC;
    full.mmu_page_size = (uint8_t)__builtin_ctz(page);
    crypto_digest(AL_SHA256, elf, elf_len, full.app_elf_sha256);
    uint8_t raw[AL_APP_DESC_LEN];
    al_app_desc_build(&full, raw);

    add_segment(&b, spec->chip->drom_low + AL_IMAGE_DESC_OFFSET, raw, sizeof raw);
    add_segment(&b, address, elf, (uint32_t)elf_len);
    if (spec->secure_pad) add_secure_pad(&b, page);
    finish(&b, spec, address);
    *out = b.buf;
    *out_len = b.len;
    return 0;
}

int image_build_bootloader(const struct image_spec *spec, const struct al_boot_desc *desc,
                           const char *config, uint8_t **out, size_t *out_len)
{
    size_t config_len = strlen(config);
    if (config_len >= 0x10000) return AL_ERR_INVALID_SIZE;
    struct builder b;
    int err = begin(&b, (uint32_t)config_len + AL_BOOT_DESC_LEN, DEFAULT_PAGE);
    if (err) return err;
    struct al_boot_desc full = *desc;
    full.magic_byte = AL_BOOT_DESC_MAGIC;
    uint8_t raw[AL_BOOT_DESC_LEN];
    al_boot_desc_build(&full, raw);

    uint32_t address = ram_address(spec->chip);
    add_segment(&b, address, raw, sizeof raw);
    add_segment(&b, address + AL_BOOT_DESC_LEN, config, (uint32_t)config_len);
    finish(&b, spec, address);
    *out = b.buf;
    *out_len = b.len;
    return 0;
}

/* First segment whose data begins with the given bytes. */
static bool find_segment(const uint8_t *img, size_t len, const struct al_image_segment *segs,
                         uint32_t count, const char *first, uint32_t *offset, uint32_t *size)
{
    size_t first_len = strlen(first);
    for (uint32_t i = 0; i < count && i < AL_IMAGE_MAX_SEGMENTS; i++) {
        if (segs[i].offset > len || segs[i].len > len - segs[i].offset) return false;
        if (segs[i].len < first_len || memcmp(img + segs[i].offset, first, first_len) != 0)
            continue;
        *offset = segs[i].offset;
        *size = segs[i].len;
        return true;
    }
    return false;
}

bool image_find_program(const uint8_t *img, size_t len, const struct al_image_segment *segs,
                        uint32_t count, uint32_t *offset, uint32_t *size)
{
    return find_segment(img, len, segs, count, "\177ELF", offset, size);
}

bool image_find_boot_config(const uint8_t *img, size_t len, const struct al_image_segment *segs,
                            uint32_t count, uint32_t *offset, uint32_t *size)
{
    if (!find_segment(img, len, segs, count, BOOT_CONFIG_FIRST_LINE, offset, size)) return false;
    while (*size && img[*offset + *size - 1] == 0) --*size; /* padding to 4 bytes */
    return true;
}
