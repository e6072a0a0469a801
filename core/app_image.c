#include "core/app_image.h"

#include "core/bytes.h"
#include "core/err.h"

/* All records here have a fixed length that the prototypes promise, so their
 * fields are taken by their offsets. */

void al_image_header_parse(const uint8_t raw[AL_IMAGE_HEADER_LEN], struct al_image_header *out)
{
    out->magic = raw[0];
    out->segment_count = raw[1];
    out->spi_mode = raw[2];
    out->spi_speed = raw[3] & 15;
    out->spi_size = raw[3] >> 4;
    out->entry_addr = al_get_le32(raw + 4);
    out->wp_pin = raw[8];
    memcpy(out->spi_pin_drv, raw + 9, 3);
    out->chip_id = al_get_le16(raw + 12);
    out->min_chip_rev = raw[14];
    out->min_chip_rev_full = al_get_le16(raw + 15);
    out->max_chip_rev_full = al_get_le16(raw + 17);
    out->hash_appended = raw[23];
}

void al_image_header_build(const struct al_image_header *h, uint8_t raw[AL_IMAGE_HEADER_LEN])
{
    memset(raw, 0, AL_IMAGE_HEADER_LEN);
    raw[0] = h->magic;
    raw[1] = h->segment_count;
    raw[2] = h->spi_mode;
    raw[3] = (uint8_t)(h->spi_size << 4 | h->spi_speed);
    al_put_le32(raw + 4, h->entry_addr);
    raw[8] = h->wp_pin;
    memcpy(raw + 9, h->spi_pin_drv, 3);
    al_put_le16(raw + 12, h->chip_id);
    raw[14] = h->min_chip_rev;
    al_put_le16(raw + 15, h->min_chip_rev_full);
    al_put_le16(raw + 17, h->max_chip_rev_full);
    raw[23] = h->hash_appended;
}

/* A field of n bytes, NUL padded, to a string of n + 1. */
static void get_text(char *dst, const uint8_t *src, size_t n)
{
    memcpy(dst, src, n);
    dst[n] = '\0';
}

/* Back again, into zeros: nothing behind the NUL is kept. */
static void put_text(uint8_t *dst, const char *src, size_t n)
{
    for (size_t i = 0; i < n && src[i]; i++) dst[i] = (uint8_t)src[i];
}

int al_app_desc_parse(const uint8_t raw[AL_APP_DESC_LEN], struct al_app_desc *out)
{
    out->magic_word = al_get_le32(raw);
    out->secure_version = al_get_le32(raw + 4);
    get_text(out->version, raw + 16, 32);
    get_text(out->project_name, raw + 48, 32);
    get_text(out->time, raw + 80, 16);
    get_text(out->date, raw + 96, 16);
    get_text(out->idf_ver, raw + 112, 32);
    memcpy(out->app_elf_sha256, raw + 144, 32);
    out->min_efuse_blk_rev_full = al_get_le16(raw + 176);
    out->max_efuse_blk_rev_full = al_get_le16(raw + 178);
    out->mmu_page_size = raw[180];
    out->spi_flash_mode = raw[181];
    return out->magic_word == AL_APP_DESC_MAGIC ? AL_OK : AL_ERR_NOT_FOUND;
}

void al_app_desc_build(const struct al_app_desc *d, uint8_t raw[AL_APP_DESC_LEN])
{
    memset(raw, 0, AL_APP_DESC_LEN);
    al_put_le32(raw, d->magic_word);
    al_put_le32(raw + 4, d->secure_version);
    put_text(raw + 16, d->version, 32);
    put_text(raw + 48, d->project_name, 32);
    put_text(raw + 80, d->time, 16);
    put_text(raw + 96, d->date, 16);
    put_text(raw + 112, d->idf_ver, 32);
    memcpy(raw + 144, d->app_elf_sha256, 32);
    al_put_le16(raw + 176, d->min_efuse_blk_rev_full);
    al_put_le16(raw + 178, d->max_efuse_blk_rev_full);
    raw[180] = d->mmu_page_size;
    raw[181] = d->spi_flash_mode;
}

int al_boot_desc_parse(const uint8_t raw[AL_BOOT_DESC_LEN], struct al_boot_desc *out)
{
    out->magic_byte = raw[0];
    out->secure_version = raw[3];
    out->version = al_get_le32(raw + 4);
    get_text(out->idf_ver, raw + 8, 32);
    get_text(out->date_time, raw + 40, 24);
    return out->magic_byte == AL_BOOT_DESC_MAGIC ? AL_OK : AL_ERR_NOT_FOUND;
}

void al_boot_desc_build(const struct al_boot_desc *d, uint8_t raw[AL_BOOT_DESC_LEN])
{
    memset(raw, 0, AL_BOOT_DESC_LEN);
    raw[0] = d->magic_byte;
    raw[3] = d->secure_version;
    al_put_le32(raw + 4, d->version);
    put_text(raw + 8, d->idf_ver, 32);
    put_text(raw + 40, d->date_time, 24);
}
