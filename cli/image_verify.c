/* image verify, image verify-signature: the device's verdict, and the signing tool's. */
#include "cli/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "host/crypto_openssl.h"
#include "host/flash_image.h"
#include "host/image_describe.h"
#include "host/image_sign.h"
#include "host/signature_check.h"
#include "host/vendor_log.h"

#define APP_OFFSET     0x10000u
#define APP_SIZE       0x100000u
#define LEAST_FLASH    0x400000u
#define LARGEST_SLOT   0x1000000u /* a larger one is refused unseen */
#define V1_RAW_KEY_LEN 64u        /* X, Y */

/* --- keys --- */

static int read_key(const char *path, uint8_t block[AL_SIG_BLOCK_LEN])
{
    struct image_key *key;
    int err = image_key_load(path, &key);
    if (err == AL_ERR_INVALID_ARG)
        return cli_fail("%s: no public key in PEM form (begins with \"-----BEGIN\")", path);
    if (err == AL_ERR_NOT_SUPPORTED)
        return cli_fail("%s: RSA-3072 or ECDSA P-192, P-256, P-384 is needed", path);
    if (err) return cli_fail("%s: %s", path, strerror(-err));
    err = image_key_block(key, block);
    image_key_free(key);
    return err ? cli_fail("%s: this key cannot be used (-0x%x)", path, -err) : CLI_OK;
}

/* All --key options as keys that a device trusts. */
static int read_trusted(const struct cli_args *a, struct al_trusted_keys *keys)
{
    const char *path;
    memset(keys, 0, sizeof *keys);
    while ((path = cli_value_at(a, "--key", keys->count))) {
        uint8_t block[AL_SIG_BLOCK_LEN];
        struct al_sig_block b;
        if (keys->count == 3) return cli_usage(a, "a device trusts at most three keys");
        if (read_key(path, block)) return CLI_FAILED;
        (void)al_sig_block_parse(block, &b); /* it has no CRC */
        if (keys->count && keys->version != b.version)
            return cli_fail("%s: a device has keys of one scheme, RSA or ECDSA", path);
        keys->version = b.version;
        if (al_sig_key_digest(block, &b, &crypto_openssl, keys->digest[keys->count++]))
            return cli_fail("%s: SHA-256 failed", path);
    }
    return CLI_OK;
}

/* --- the device --- */

/* A device with the image in a slot. */
struct bench {
    struct flash_image flash;
    struct al_window slot;
    struct al_image_rules rules;
    struct al_trusted_keys keys;
    struct al_chip unknown;
};

/* A flash in which all of the file lies, with erased sectors behind. */
static int make_flash(struct bench *b, const uint8_t *img, size_t len)
{
    size_t room = b->slot.size < LARGEST_SLOT ? b->slot.size : LARGEST_SLOT;
    size_t size = b->slot.offset + (len > room ? len : room) + 0x100000;
    size -= size % AL_SECTOR;
    if (size < LEAST_FLASH) size = LEAST_FLASH;
    uint8_t *bytes = malloc(size);
    if (!bytes) return cli_fail("no memory for a flash of %zu bytes", size);
    memset(bytes, 0xff, size);
    memcpy(bytes + b->slot.offset, img, len);
    int err = flash_image_memory(&b->flash, bytes, (uint32_t)size, 0);
    free(bytes);
    b->slot.flash = &b->flash.flash;
    return err ? cli_fail("out of memory") : CLI_OK;
}

/* The figures of the device: as given, else such that they suit the image. */
static int configure(const struct cli_args *a, const uint8_t *img, size_t len, struct bench *b)
{
    struct al_image_header h = {.chip_id = 0};
    struct al_app_desc desc = {.magic_word = 0};
    bool ok = true, boot = image_is_bootloader(img, len);
    if (len >= AL_IMAGE_HEADER_LEN) al_image_header_parse(img, &h);
    if (len >= AL_IMAGE_DESC_OFFSET + AL_APP_DESC_LEN && !boot)
        (void)al_app_desc_parse(img + AL_IMAGE_DESC_OFFSET, &desc);
    struct al_device_ids *dev = &b->rules.device;
    uint16_t chip = (uint16_t)cli_number(a, "--chip-id", h.chip_id, 0xffff, &ok);
    dev->chip = al_chip_by_id(chip);
    if (!dev->chip) {
        /* Nothing is known of its memory; its number can be compared all the same. */
        b->unknown = (struct al_chip){.id = chip, .name = "unknown", .title = "an unknown chip"};
        dev->chip = &b->unknown;
    }
    dev->revision = (uint16_t)cli_number(a, "--chip-rev", h.min_chip_rev_full, 0xffff, &ok);
    dev->efuse_block_rev = (uint16_t)cli_number(
        a, "--efuse-block-rev",
        desc.magic_word == AL_APP_DESC_MAGIC ? desc.min_efuse_blk_rev_full : 0, 0xffff, &ok);
    uint32_t loader = dev->chip->bootloader_offset;
    b->slot.offset =
        (uint32_t)cli_number(a, "--slot-offset", boot ? loader : APP_OFFSET, FLASH_IMAGE_MAX, &ok);
    /* As in the original, it is the place that makes a boot loader. */
    boot = b->slot.offset == loader;
    b->slot.size = (uint32_t)cli_number(
        a, "--slot-size", boot ? AL_PART_TABLE_OFFSET - loader : APP_SIZE, 0x40000000, &ok);
    b->rules.kind = boot ? AL_IMAGE_BOOTLOADER : AL_IMAGE_APP;
    b->rules.skip_hash = boot;
    b->rules.loading = true;
    b->rules.keys = b->keys.count ? &b->keys : NULL;
    return ok ? CLI_OK : CLI_USAGE;
}

/* --- image verify --- */

static cJSON *fault_json(const struct al_image_fault *f, const char *why)
{
    struct vendor_line line;
    char text[256];
    cJSON *o = cJSON_CreateObject();
    int code = al_err_vendor(f->err);
    cJSON_AddNumberToObject(o, "code", code);
    cJSON_AddStringToObject(o, "name", vendor_err_name(code));
    cJSON_AddStringToObject(o, "check", image_check_name(f->check));
    cJSON_AddNumberToObject(o, "offset", f->offset);
    cJSON_AddNumberToObject(o, "expected", f->expected);
    cJSON_AddNumberToObject(o, "found", f->found);
    cJSON_AddStringToObject(o, "message", why);
    vendor_line_image(f, &line);
    if (line.level) {
        vendor_line_print(&line, 0, false, text, sizeof text);
        cJSON_AddStringToObject(o, "log", text);
    }
    return o;
}

static int report(const struct cli_args *a, const struct bench *b, int err,
                  const struct al_image *img, const struct al_image_fault *fault)
{
    char why[300];
    int status = CLI_OK;
    image_fault_explain(fault, why, sizeof why);
    if (cli_json_wanted(a)) {
        cJSON *doc = cJSON_CreateObject();
        cJSON_AddBoolToObject(doc, "valid", err == 0);
        cJSON_AddNumberToObject(doc, "image_len", img->image_len);
        cJSON_AddStringToObject(doc, "chip", b->rules.device.chip->name);
        cJSON_AddItemToObject(doc, "error", err ? fault_json(fault, why) : cJSON_CreateNull());
        status = cli_print_json(doc);
    } else if (!err) {
        cli_print("%s: valid for %s at 0x%x, %u of %u bytes%s\n", cli_operand(a, 0),
                  b->rules.device.chip->title, b->slot.offset, img->image_len, b->slot.size,
                  b->keys.count ? ", signature good" : "");
    }
    if (err)
        return cli_fail("%s: %s: %s (%s)", cli_operand(a, 0), image_check_name(fault->check), why,
                        vendor_err_name(al_err_vendor(err)));
    return status;
}

int image_verify_run(const struct cli_args *a)
{
    struct bench b = {.rules = {.crypto = &crypto_openssl}};
    struct al_image img;
    struct al_image_fault fault;
    uint8_t *file = NULL;
    size_t len = 0;
    int status = read_trusted(a, &b.keys);
    if (!status) status = image_read(cli_operand(a, 0), &file, &len);
    if (!status) status = configure(a, file, len, &b);
    if (!status) status = make_flash(&b, file, len);
    free(file);
    if (!status) {
        int err = al_image_verify(&b.slot, &b.rules, &img, &fault);
        status = report(a, &b, err, &img, &fault);
        flash_image_close(&b.flash);
    }
    return status;
}

/* --- image verify-signature --- */

static cJSON *block_json(uint32_t index, const struct signature_block_check *c)
{
    char digest[65];
    cJSON *o = cJSON_CreateObject();
    crypto_hex(c->key_digest, 32, digest);
    cJSON_AddNumberToObject(o, "block", index);
    cJSON_AddNumberToObject(o, "offset", c->offset);
    cJSON_AddStringToObject(o, "scheme", image_scheme_name(&c->b));
    cJSON_AddBoolToObject(o, "crc_ok", c->b.crc_ok);
    cJSON_AddBoolToObject(o, "digest_ok", c->digest_ok);
    cJSON_AddStringToObject(o, "key_digest", digest);
    cJSON_AddBoolToObject(o, "verified", c->verified);
    return o;
}

static int report_signature(const struct cli_args *a, const struct signature_check *s)
{
    int status = CLI_OK;
    if (cli_json_wanted(a)) {
        cJSON *doc = cJSON_CreateObject();
        cJSON_AddBoolToObject(doc, "valid", s->valid);
        cJSON *blocks = cJSON_AddArrayToObject(doc, "blocks");
        for (uint32_t i = 0; i < AL_SIG_BLOCKS; i++)
            if (s->block[i].present && s->block[i].b.key_len)
                cJSON_AddItemToArray(blocks, block_json(i, &s->block[i]));
        if (!s->valid)
            cJSON_AddStringToObject(cJSON_AddObjectToObject(doc, "error"), "message", s->why);
        status = cli_print_json(doc);
    } else if (s->valid) {
        cli_print("%s: signature good\n", cli_operand(a, 0));
    }
    return s->valid ? status : cli_fail("%s: %s", cli_operand(a, 0), s->why);
}

/* PEM, or the 64 bytes that espsecure writes for a V1 key. */
static int read_v1_key(const char *path, uint8_t x[32], uint8_t y[32])
{
    uint8_t *data, block[AL_SIG_BLOCK_LEN];
    size_t len;
    if (cli_read_file(path, 1 << 16, &data, &len)) return CLI_FAILED;
    bool raw = len == V1_RAW_KEY_LEN;
    if (raw) {
        memcpy(x, data, 32);
        memcpy(y, data + 32, 32);
    }
    free(data);
    if (raw) return CLI_OK;
    struct al_sig_block b;
    if (read_key(path, block)) return CLI_FAILED;
    (void)al_sig_block_parse(block, &b);
    if (b.version != AL_SIG_ECDSA || b.curve != AL_P256)
        return cli_fail("%s: Secure Boot V1 needs an ECDSA P-256 key", path);
    for (size_t i = 0; i < 32; i++) {
        x[i] = b.x[31 - i];
        y[i] = b.y[31 - i];
    }
    return CLI_OK;
}

int image_verify_signature_run(const struct cli_args *a)
{
    struct signature_check s;
    uint8_t *file, block[AL_SIG_BLOCK_LEN], x[32], y[32];
    size_t len;
    const char *key = cli_value(a, "--key"), *scheme = cli_value(a, "--scheme");
    if (!key) return cli_usage(a, "--key PUB.pem is missing");
    bool v1 = scheme && strcmp(scheme, "v1") == 0;
    int status = v1 ? read_v1_key(key, x, y) : read_key(key, block);
    if (!status) status = image_read(cli_operand(a, 0), &file, &len);
    if (status) return status;
    if (v1)
        signature_check_v1(file, len, x, y, &s);
    else
        signature_check_v2(file, len, block, &s);
    status = report_signature(a, &s);
    free(file);
    return status;
}
