/* image info: what is in an image file. */
#include "cli/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/chip.h"
#include "core/err.h"
#include "host/crypto_openssl.h"
#include "host/image_describe.h"

static void add_number(cJSON *o, const char *key, double n)
{
    cJSON_AddNumberToObject(o, key, n);
}

static void add_hex(cJSON *o, const char *key, const uint8_t *bytes, size_t len)
{
    char hex[2 * 48 + 1];
    crypto_hex(bytes, len, hex);
    cJSON_AddStringToObject(o, key, hex);
}

const char *image_scheme_name(const struct al_sig_block *b)
{
    if (b->version == AL_SIG_RSA) return "RSA-3072 PSS";
    return b->curve == AL_P192   ? "ECDSA P-192"
           : b->curve == AL_P256 ? "ECDSA P-256"
                                 : "ECDSA P-384";
}

static void add_header(cJSON *doc, const struct al_image_header *h)
{
    const struct al_chip *chip = al_chip_by_id(h->chip_id);
    if (chip)
        cJSON_AddStringToObject(doc, "chip", chip->name);
    else
        cJSON_AddNullToObject(doc, "chip");
    add_number(doc, "chip_id", h->chip_id);
    add_number(doc, "entry_addr", h->entry_addr);
    add_number(doc, "segment_count", h->segment_count);
    add_number(doc, "spi_mode", h->spi_mode);
    add_number(doc, "spi_speed", h->spi_speed);
    add_number(doc, "spi_size", h->spi_size);
    add_number(doc, "wp_pin", h->wp_pin);
    add_number(doc, "min_chip_rev", h->min_chip_rev);
    add_number(doc, "min_chip_rev_full", h->min_chip_rev_full);
    add_number(doc, "max_chip_rev_full", h->max_chip_rev_full);
}

static void add_app_desc(cJSON *doc, const struct al_app_desc *d)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "app_desc");
    cJSON_AddStringToObject(o, "project_name", d->project_name);
    cJSON_AddStringToObject(o, "version", d->version);
    add_number(o, "secure_version", d->secure_version);
    cJSON_AddStringToObject(o, "idf_ver", d->idf_ver);
    cJSON_AddStringToObject(o, "date", d->date);
    cJSON_AddStringToObject(o, "time", d->time);
    add_hex(o, "app_elf_sha256", d->app_elf_sha256, 32);
    add_number(o, "min_efuse_blk_rev_full", d->min_efuse_blk_rev_full);
    add_number(o, "max_efuse_blk_rev_full", d->max_efuse_blk_rev_full);
    add_number(o, "mmu_page_size_log2", d->mmu_page_size);
    add_number(o, "spi_flash_mode", d->spi_flash_mode);
}

static void add_boot_desc(cJSON *doc, const struct al_boot_desc *d)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "bootloader_desc");
    add_number(o, "version", d->version);
    add_number(o, "secure_version", d->secure_version);
    cJSON_AddStringToObject(o, "idf_ver", d->idf_ver);
    cJSON_AddStringToObject(o, "date_time", d->date_time);
}

static bool hash_ok(const struct image_description *d)
{
    return memcmp(d->hash, d->hash_calculated, sizeof d->hash) == 0;
}

static void add_signatures(cJSON *doc, const struct image_description *d)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "signatures");
    for (uint32_t i = 0; i < d->signature_count; i++) {
        const struct image_signature *s = &d->signature[i];
        cJSON *o = cJSON_CreateObject();
        add_number(o, "block", s->block);
        add_number(o, "offset", s->offset);
        cJSON_AddStringToObject(o, "scheme", image_scheme_name(&s->b));
        add_hex(o, "key_digest", s->key_digest, 32);
        add_hex(o, "image_digest", s->b.image_digest, s->b.sha_version ? 48 : 32);
        cJSON_AddBoolToObject(o, "crc_ok", s->b.crc_ok);
        cJSON_AddItemToArray(list, o);
    }
}

static cJSON *to_json(const struct image_description *d, size_t file_len, const char *why)
{
    cJSON *doc = cJSON_CreateObject();
    bool whole = d->image_len != 0;
    add_header(doc, &d->header);
    cJSON *segments = cJSON_AddArrayToObject(doc, "segments");
    for (uint32_t i = 0; i < d->segment_count; i++) {
        cJSON *o = cJSON_CreateObject();
        add_number(o, "load_addr", d->segment[i].load_addr);
        add_number(o, "length", d->segment[i].len);
        add_number(o, "offset", d->segment[i].offset);
        cJSON_AddItemToArray(segments, o);
    }
    if (d->has_app_desc)
        add_app_desc(doc, &d->app_desc);
    else
        cJSON_AddNullToObject(doc, "app_desc");
    if (d->has_boot_desc) add_boot_desc(doc, &d->boot_desc);
    if (whole) {
        add_number(doc, "checksum_offset", d->checksum_offset);
        add_number(doc, "checksum", d->checksum);
    }
    cJSON_AddBoolToObject(doc, "checksum_ok", whole && d->checksum == d->checksum_calculated);
    cJSON_AddBoolToObject(doc, "hash_appended", d->header.hash_appended != 0);
    if (!d->header.hash_appended) {
        cJSON_AddNullToObject(doc, "hash_ok");
    } else {
        cJSON_AddBoolToObject(doc, "hash_ok", whole && hash_ok(d));
        if (whole) add_hex(doc, "hash", d->hash, sizeof d->hash);
    }
    add_number(doc, "image_len", d->image_len);
    add_number(doc, "file_len", (double)file_len);
    add_signatures(doc, d);
    if (why[0]) cJSON_AddStringToObject(cJSON_AddObjectToObject(doc, "error"), "message", why);
    return doc;
}

static void print_descriptions(const struct image_description *d)
{
    if (d->has_app_desc) {
        const struct al_app_desc *a = &d->app_desc;
        char sha[65];
        crypto_hex(a->app_elf_sha256, 32, sha);
        cli_print("project       %s\nversion       %s\nsecure ver.   %u\n", a->project_name,
                  a->version, a->secure_version);
        cli_print("ESP-IDF       %s\nbuilt         %s %s\nELF SHA-256   %s\n", a->idf_ver, a->date,
                  a->time, sha);
    }
    if (d->has_boot_desc)
        cli_print("boot loader   version %u, ESP-IDF %s, built %s\n", d->boot_desc.version,
                  d->boot_desc.idf_ver, d->boot_desc.date_time);
    if (!d->has_app_desc && !d->has_boot_desc) cli_print("description   none\n");
}

static void print_text(const struct image_description *d)
{
    const struct al_chip *chip = al_chip_by_id(d->header.chip_id);
    unsigned rev = d->header.min_chip_rev_full;
    cli_print("chip          %s (id %u), revision from v%u.%u\n", chip ? chip->title : "unknown",
              d->header.chip_id, rev / 100, rev % 100);
    print_descriptions(d);
    cli_print("entry         0x%08x\n", d->header.entry_addr);
    for (uint32_t i = 0; i < d->segment_count; i++)
        cli_print("segment %-2u    %8u bytes at offset 0x%-6x load address 0x%08x%s\n", i,
                  d->segment[i].len, d->segment[i].offset, d->segment[i].load_addr,
                  d->segment[i].load_addr == 0                            ? " (padding)"
                  : chip && al_chip_mapped(chip, d->segment[i].load_addr) ? " (mapped)"
                                                                          : "");
    if (!d->image_len) return;
    cli_print("checksum      0x%02x, %s\n", d->checksum,
              d->checksum == d->checksum_calculated ? "right" : "WRONG");
    cli_print("SHA-256       %s\n", !d->header.hash_appended ? "none appended"
                                    : hash_ok(d)             ? "right"
                                                             : "WRONG");
    cli_print("image length  %u bytes\n", d->image_len);
    for (uint32_t i = 0; i < d->signature_count; i++) {
        char digest[65];
        crypto_hex(d->signature[i].key_digest, 32, digest);
        cli_print("signature %u   %s, key %s%s\n", d->signature[i].block,
                  image_scheme_name(&d->signature[i].b), digest,
                  d->signature[i].b.crc_ok ? "" : ", CRC WRONG");
    }
}

int image_read(const char *path, uint8_t **img, size_t *len)
{
    return cli_read_file(path, IMAGE_FILE_MAX, img, len);
}

int image_info_run(const struct cli_args *a)
{
    uint8_t *img;
    size_t len;
    struct image_description d;
    char why[256] = "";
    const char *path = cli_operand(a, 0);
    if (image_read(path, &img, &len)) return CLI_FAILED;
    int err = image_describe(img, len, &d, why, sizeof why), status = CLI_OK;
    if (cli_json_wanted(a)) {
        cJSON *doc = err == AL_ERR_IMAGE_INVALID ? cJSON_CreateObject() : to_json(&d, len, why);
        if (err == AL_ERR_IMAGE_INVALID)
            cJSON_AddStringToObject(cJSON_AddObjectToObject(doc, "error"), "message", why);
        status = cli_print_json(doc);
    } else if (err != AL_ERR_IMAGE_INVALID) {
        print_text(&d);
    }
    free(img);
    return err ? cli_fail("%s: %s", path, why) : status;
}
