#include "host/flash_image.h"

#include "core/app_image.h"
#include "core/bytes.h"
#include "core/err.h"
#include "core/part_customize.h"
#include "host/crypto_openssl.h"
#include "host/file.h"
#include "host/vendor_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SEARCH_END 0x20000u
#define NO_LIMIT   0xffffu /* a revision that asks for none */

/* --- the copy as a flash --- */

static int image_read(void *ctx, uint32_t addr, void *dst, uint32_t len)
{
    const struct flash_image *f = ctx;
    memcpy(dst, f->bytes + addr, len);
    return AL_OK;
}

static int image_program(void *ctx, uint32_t addr, const void *src, uint32_t len)
{
    struct flash_image *f = ctx;
    const uint8_t *from = src;
    for (uint32_t i = 0; i < len; i++)
        if (from[i] & ~f->bytes[addr + i]) return AL_ERR_NOT_NOR;
    memcpy(f->bytes + addr, from, len);
    return AL_OK;
}

static int image_erase(void *ctx, uint32_t addr, uint32_t len)
{
    struct flash_image *f = ctx;
    memset(f->bytes + addr, 0xff, len);
    return AL_OK;
}

static const uint8_t *image_map(void *ctx, uint32_t addr, uint32_t len)
{
    const struct flash_image *f = ctx;
    (void)len;
    return f->bytes + addr;
}

/* --- opening --- */

static bool begins_table(const struct flash_image *f, uint32_t offset)
{
    return offset + 2 <= f->flash.size && al_get_le16(f->bytes + offset) == AL_PART_MAGIC;
}

static void read_table(struct flash_image *f, uint32_t offset)
{
    f->table_offset = offset ? offset : AL_PART_TABLE_OFFSET;
    int err = al_part_table_read(&f->flash, f->table_offset, &crypto_openssl, &f->table, &f->fault);
    if (!err || offset || begins_table(f, f->table_offset)) return;
    for (uint32_t at = AL_SECTOR; at < SEARCH_END && at < f->flash.size; at += AL_SECTOR) {
        struct al_part_table t;
        if (!begins_table(f, at) || al_part_table_read(&f->flash, at, &crypto_openssl, &t, NULL))
            continue;
        f->table = t;
        f->table_offset = at;
        return;
    }
}

int flash_image_read_user(struct flash_image *f)
{
    const struct al_part *area = al_part_customize_area(&f->table);
    memset(&f->user, 0, sizeof f->user);
    memset(&f->user_fault, 0, sizeof f->user_fault);
    if (!area) return AL_ERR_NOT_FOUND;
    return al_part_customize_read(&f->flash, area, &crypto_openssl, &f->user, &f->user_fault);
}

static void set_up(struct flash_image *f, uint32_t size, uint32_t table_offset)
{
    f->flash = (struct al_flash){
        .ctx = f,
        .size = size,
        .read = image_read,
        .program = image_program,
        .erase = image_erase,
        .map = image_map,
    };
    read_table(f, table_offset);
    (void)flash_image_read_user(f);
}

int flash_image_memory(struct flash_image *f, const void *bytes, uint32_t size,
                       uint32_t table_offset)
{
    memset(f, 0, sizeof *f);
    f->bytes = malloc(size);
    if (!f->bytes) return AL_ERR_NO_MEM;
    memcpy(f->bytes, bytes, size);
    set_up(f, size, table_offset);
    return AL_OK;
}

int flash_image_open(struct flash_image *f, const char *path, uint32_t table_offset, char *why,
                     size_t why_size)
{
    size_t len;
    struct stat st;
    memset(f, 0, sizeof *f);
    f->path = path;
    int err = file_read(path, FLASH_IMAGE_MAX, &f->bytes, &len);
    if (err == -EFBIG) {
        snprintf(why, why_size, "%s is larger than 128 MB, the largest flash there is", path);
        return AL_FAIL;
    }
    if (err) {
        snprintf(why, why_size, "cannot read %s: %s", path, strerror(-err));
        return AL_FAIL;
    }
    if (len == 0 || len % AL_SECTOR) {
        snprintf(why, why_size,
                 "%s is no flash image: its length %zu is no multiple of 4096. A flash image holds "
                 "the whole chip, as `esptool read_flash 0 ALL` or `airlift flash create` gives it",
                 path, len);
        flash_image_close(f);
        return AL_FAIL;
    }
    f->mode = stat(path, &st) ? 0644 : st.st_mode & 07777u;
    set_up(f, (uint32_t)len, table_offset);
    return AL_OK;
}

int flash_image_save(const struct flash_image *f, char *why, size_t why_size)
{
    int err = file_write(f->path, f->bytes, f->flash.size, f->mode);
    if (!err) return AL_OK;
    snprintf(why, why_size, "cannot write %s: %s; it is as it was", f->path, strerror(-err));
    return AL_FAIL;
}

void flash_image_close(struct flash_image *f)
{
    free(f->bytes);
    f->bytes = NULL;
}

void flash_image_table_fault(const struct flash_image *f, char *why, size_t why_size)
{
    char what[256];
    if (f->fault.check == AL_PART_CHECK_NONE)
        snprintf(what, sizeof what, "no entries");
    else
        part_fault_explain(&f->fault, what, sizeof what);
    snprintf(why, why_size, "%s: no valid partition table at 0x%x: %s", f->path ? f->path : "flash",
             f->table_offset, what);
}

/* --- what lies in it --- */

/* described: only an image with a description. */
static bool device_at(const struct flash_image *f, uint32_t offset, bool described,
                      struct al_device_ids *out)
{
    struct al_image_header h;
    struct al_app_desc desc;
    const uint8_t *at = f->bytes + offset;
    uint32_t need = AL_IMAGE_DESC_OFFSET + AL_APP_DESC_LEN;
    if (offset > f->flash.size || need > f->flash.size - offset) return false;
    al_image_header_parse(at, &h);
    bool app = al_app_desc_parse(at + AL_IMAGE_DESC_OFFSET, &desc) == AL_OK;
    if (h.magic != AL_IMAGE_MAGIC || !al_chip_by_id(h.chip_id)) return false;
    if (described && !app && at[AL_IMAGE_DESC_OFFSET] != AL_BOOT_DESC_MAGIC) return false;
    *out = (struct al_device_ids){.chip = al_chip_by_id(h.chip_id),
                                  .revision = h.min_chip_rev_full,
                                  .efuse_block_rev = app ? desc.min_efuse_blk_rev_full : 0};
    if (out->efuse_block_rev == NO_LIMIT) out->efuse_block_rev = 0;
    return true;
}

static uint16_t larger(uint16_t a, uint16_t b)
{
    return a > b ? a : b;
}

/* So new a device that every app for its chip runs on it, as far as a least revision
 * is asked for. */
static void suit_apps(const struct flash_image *f, struct al_device_ids *device)
{
    for (uint32_t i = 0; i < f->table.count; i++) {
        struct al_device_ids app;
        if (f->table.part[i].type != AL_PART_APP ||
            !device_at(f, f->table.part[i].offset, true, &app) || app.chip != device->chip)
            continue;
        device->revision = larger(device->revision, app.revision);
        device->efuse_block_rev = larger(device->efuse_block_rev, app.efuse_block_rev);
    }
}

static bool first_device(const struct flash_image *f, struct al_device_ids *out)
{
    static const uint32_t loaders[] = {0x0, 0x1000, 0x2000};
    for (int described = 1; described >= 0; described--) {
        for (size_t i = 0; i < sizeof loaders / sizeof *loaders; i++)
            if (device_at(f, loaders[i], described, out) &&
                out->chip->bootloader_offset == loaders[i])
                return true;
        for (uint32_t i = 0; i < f->table.count; i++)
            if (f->table.part[i].type == AL_PART_APP &&
                device_at(f, f->table.part[i].offset, described, out))
                return true;
    }
    return false;
}

bool flash_image_device(const struct flash_image *f, struct al_device_ids *out)
{
    bool found = first_device(f, out);
    if (found)
        suit_apps(f, out);
    else
        memset(out, 0, sizeof *out);
    return found;
}

const struct al_part *flash_image_part(const struct flash_image *f, const char *name)
{
    const struct al_part *p = al_part_find(&f->table, AL_PART_ANY, AL_PART_ANY, name);
    for (uint32_t i = 0; !p && i < f->table.count; i++) {
        const struct al_part *row = &f->table.part[i];
        const char *word = al_part_subtype_name(row->type, row->subtype);
        if (row->type == AL_PART_APP && word && strcmp(word, name) == 0) p = row;
    }
    return p ? p : al_part_find(&f->user, AL_PART_ANY, AL_PART_ANY, name);
}

const char *flash_image_slot_name(const struct al_part *p)
{
    const char *word = al_part_subtype_name(p->type, p->subtype);
    return p->label[0] || !word ? p->label : word;
}
