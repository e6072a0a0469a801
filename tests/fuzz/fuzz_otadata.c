/* otadata, partition table and slots of any content through the boot loader and the app's
 * calls. Never a crash, never a program against the NOR rules, and what boots is an app
 * partition of the table with an image that verifies.
 *
 *   input  up to 4096 bytes: entry 0 (32), entry 1 (32), then the set-up
 *          longer: two sectors of otadata; the set-up lies in the first behind byte 64
 *   set-up flags, secure version, rows; a row: subtype, image, and where it is damaged */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/boot.h"
#include "core/bytes.h"
#include "core/err.h"
#include "device/nor_flash.h"
#include "host/crypto_openssl.h"
#include "host/file.h"

#define FLASH    0x60000u
#define OTADATA  0xd000u
#define APPS     0x10000u
#define SLOT     0x4000u
#define ROWS_MAX 19u
#define IMAGE    "tests/vectors/esp-flash/otadata/images/app_3.1.0_sec2.bin"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct nor_flash nor;
static uint8_t *image;
static size_t image_len;
static uint32_t efuse;

static uint32_t version_get(void *ctx)
{
    return efuse;
}

static int version_raise(void *ctx, uint32_t version)
{
    if (version < efuse) return AL_FAIL;
    efuse = version;
    return AL_OK;
}

static const struct al_secure_version version = {.get = version_get, .raise = version_raise};

static void set_up(void)
{
    if (image) return;
    if (nor_flash_memory(&nor, FLASH) || file_read(IMAGE, SLOT, &image, &image_len)) {
        fprintf(stderr, "cannot read " IMAGE ": run this from the project's root\n");
        exit(2);
    }
}

static void put_rows(struct al_cur *c, uint32_t rows, bool otadata_twice)
{
    static const uint8_t subtypes[] = {0x10, 0x11, 0x12, 0x13, 0x1f, 0x00, 0x20, 0x30};
    uint8_t raw[AL_PART_TABLE_LEN];
    struct al_part_table t = {.count = 1};
    t.part[0] = (struct al_part){.type = AL_PART_DATA,
                                 .subtype = AL_PART_DATA_OTA,
                                 .offset = OTADATA,
                                 .size = AL_OTADATA_LEN};
    if (otadata_twice) t.part[t.count++] = t.part[0];
    for (uint32_t i = 0; i < rows; i++) {
        uint8_t what = al_u8(c), how = al_u8(c);
        struct al_part *p = &t.part[t.count++];
        *p = (struct al_part){.subtype = subtypes[what % 8],
                              .offset = APPS + i * SLOT,
                              .size = what & 0x40 ? 0 : SLOT};
        if (what & 0x80) continue; /* empty */
        nor_flash_fill(&nor, p->offset, image, (uint32_t)image_len);
        if (how) nor.bytes[p->offset + how * 32u % image_len] ^= (uint8_t)(1 + how % 7);
    }
    if (al_part_table_build(&t, true, &crypto_openssl, raw)) abort();
    nor_flash_fill(&nor, AL_PART_TABLE_OFFSET, raw, sizeof raw);
}

static void check(const struct al_boot_config *cfg, const struct al_boot_result *r, int err)
{
    const struct al_part *p = r->part;
    if ((err == AL_OK) != (p != NULL)) abort();
    if (!p) return;
    if (p < r->table.part || p >= r->table.part + r->table.count) abort();
    if (p->type != AL_PART_APP || p->subtype > AL_PART_TEST || p->size == 0) abort();
    struct al_window w;
    const struct al_image_rules rules = {
        .crypto = cfg->crypto, .device = cfg->device, .loading = true};
    if (al_part_window(&nor.flash, p, &w) || al_image_verify(&w, &rules, NULL, NULL)) abort();
    if (cfg->anti_rollback && r->image.desc.secure_version < efuse && !r->initial) abort();
}

/* What an app may do; results do not matter here. */
static void run_app(const struct al_boot_config *cfg, const struct al_boot_result *r)
{
    struct al_ota o = {.flash = &nor.flash,
                       .table = &r->table,
                       .crypto = cfg->crypto,
                       .device = cfg->device,
                       .running = r->part,
                       .rollback = cfg->rollback,
                       .anti_rollback = cfg->anti_rollback,
                       .secure_version = &version,
                       .bootloader_offset = 0x1000};
    const struct al_part *next = al_ota_next_update(&o, NULL);
    uint32_t state;
    (void)al_ota_get_boot(&o);
    (void)al_ota_last_invalid(&o);
    (void)al_ota_get_state(&o, r->part, &state);
    (void)al_ota_rollback_possible(&o);
    if (efuse & 1) (void)al_ota_mark_valid(&o);
    if (efuse & 2) (void)al_ota_mark_invalid(&o);
    if (efuse & 4) (void)al_ota_invalidate_inactive(&o);
    if (next) (void)al_ota_set_boot(&o, next, efuse & 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct al_boot_result r;
    set_up();
    memset(nor.bytes, 0xff, FLASH);
    struct al_cur c = al_cur(data, size);
    const uint8_t *entries = al_take(&c, 2 * AL_OTA_ENTRY_LEN);
    if (!entries) return 0;
    uint8_t flags = al_u8(&c);
    efuse = al_u8(&c) % 16;
    put_rows(&c, al_u8(&c) % (ROWS_MAX + 1), flags & 0x10);
    if (size > AL_SECTOR) {
        nor_flash_fill(&nor, OTADATA, data,
                       (uint32_t)(size < AL_OTADATA_LEN ? size : AL_OTADATA_LEN));
    } else {
        nor_flash_fill(&nor, OTADATA, entries, AL_OTA_ENTRY_LEN);
        nor_flash_fill(&nor, OTADATA + AL_SECTOR, entries + AL_OTA_ENTRY_LEN, AL_OTA_ENTRY_LEN);
    }
    const struct al_boot_config cfg = {
        .crypto = &crypto_openssl,
        .device = {.chip = al_chip_by_id(13)},
        .rollback = flags & 1,
        .anti_rollback = flags & 2,
        .test_pin = flags & 4,
        .factory_reset_pin = flags & 8,
        .factory_reset_otadata = flags & 0x20,
        .factory_reset_labels = "nvs, phy",
        .secure_version = &version,
    };
    for (int resets = 0; resets < 3; resets++) {
        int err = al_boot(&nor.flash, &cfg, &r);
        check(&cfg, &r, err);
        if (r.part) run_app(&cfg, &r);
    }
    return 0;
}
