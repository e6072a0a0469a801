#include "cli/flash_device.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/flash_loader.h"
#include "core/err.h"
#include "device/device.h"
#include "device/efuse.h"
#include "host/crypto_openssl.h"

/* --- the log --- */

static void on_boot_event(void *ctx, const struct al_boot_event_args *a)
{
    struct flash_device *d = ctx;
    struct vendor_line lines[VENDOR_LINES_MAX];
    if (d->boot_event) d->boot_event(d->ctx, a);
    if (!d->line || a->event == AL_BOOT_EV_PARTITION) return;
    size_t n = vendor_lines_boot(a, lines);
    for (size_t i = 0; i < n; i++)
        if (lines[i].level != 'D') d->line(d->ctx, &lines[i]);
}

static void on_ota_event(void *ctx, const struct al_ota_event_args *a)
{
    struct flash_device *d = ctx;
    struct vendor_line line;
    vendor_line_ota(a, &line);
    if (d->line && line.level) d->line(d->ctx, &line);
}

/* --- eFuse --- */

static uint32_t version_get(void *ctx)
{
    return ((const struct flash_device *)ctx)->efuse_version;
}

static int version_raise(void *ctx, uint32_t version)
{
    struct flash_device *d = ctx;
    if (version > d->boot.device.chip->secure_version_bits) return AL_ERR_INVALID_ARG;
    if (version < d->efuse_version) return AL_FAIL;
    d->efuse_version = version;
    return AL_OK;
}

/* --- the device --- */

void flash_device_init(struct flash_device *d, struct flash_image *image,
                       const struct al_device_ids *ids)
{
    memset(d, 0, sizeof *d);
    d->image = image;
    d->version = (struct al_secure_version){.ctx = d, .get = version_get, .raise = version_raise};
    d->boot = (struct al_boot_config){
        .crypto = &crypto_openssl,
        .device = *ids,
        .table_offset = image->table_offset,
        .secure_version = &d->version,
        .event_ctx = d,
        .event = on_boot_event,
    };
    if (!ids->chip) flash_image_device(image, &d->boot.device);
    /* Without any image the first check of each slot fails, whatever the chip. */
    if (!d->boot.device.chip) d->boot.device.chip = al_chip_at(0);
    d->ota = (struct al_ota){
        .flash = &image->flash,
        .table = &image->table,
        .crypto = &crypto_openssl,
        .device = d->boot.device,
        .secure_version = &d->version,
        .bootloader_offset = d->boot.device.chip->bootloader_offset,
        .table_offset = image->table_offset,
        .event_ctx = d,
        .event = on_ota_event,
    };
}

int flash_device_reset(struct flash_device *d)
{
    int err = al_boot(&d->image->flash, &d->boot, &d->result);
    const struct al_part *p = d->result.part;
    d->ota.rollback = d->boot.rollback;
    d->ota.anti_rollback = d->boot.anti_rollback;
    d->ota.keys = d->boot.keys;
    d->ota.open = NULL;
    d->ota.running = p ? &d->image->table.part[p - d->result.table.part] : NULL;
    return err;
}

void flash_device_otadata(const struct flash_device *d, struct al_ota_entry e[2])
{
    struct al_window w;
    const struct al_part *p = NULL;
    const struct al_part_table *t = &d->image->table;
    for (uint32_t i = 0; i < t->count; i++) /* the boot loader takes the last */
        if (t->part[i].type == AL_PART_DATA && t->part[i].subtype == AL_PART_DATA_OTA)
            p = &t->part[i];
    memset(e, 0xff, 2 * sizeof *e);
    if (p && !al_part_window(&d->image->flash, p, &w)) (void)al_ota_data_read(&w, e);
}

/* --- options --- */

static bool number(const struct cli_args *a, const char *option, uint32_t *value, uint32_t max)
{
    bool ok = true;
    uint64_t n = cli_number(a, option, *value, max, &ok);
    if (ok) *value = (uint32_t)n;
    return ok;
}

static int open_efuse(const struct cli_args *a, struct efuse *e, bool writable)
{
    const char *path = cli_value(a, "--efuse");
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0) return cli_fail("cannot open %s: %s", path, strerror(errno));
    int err = efuse_file(e, fd, writable);
    if (!err) return CLI_OK;
    close(fd);
    if (err == AL_ERR_INVALID_ARG)
        return cli_fail("%s is no eFuse file: expected %u bytes that begin with \"ALEF\", as "
                        "'airlift device create' makes them",
                        path, EFUSE_LEN);
    return cli_fail("cannot read %s: %s", path, strerror(-err));
}

struct figures {
    struct al_device_ids ids;
    struct al_trusted_keys keys;
    uint32_t version;
};

static int read_efuse(const struct cli_args *a, struct figures *f)
{
    struct efuse e;
    if (!cli_has(a, "--efuse")) return CLI_OK;
    int status = open_efuse(a, &e, false);
    if (status) return status;
    efuse_device_ids(&e, &f->ids);
    f->version = efuse_secure_version(&e);
    if (efuse_secure_boot(&e)) efuse_keys(&e, &f->keys);
    efuse_close(&e);
    return CLI_OK;
}

/* Options win over the eFuses, and those over what the image suggests. */
static int read_figures(const struct cli_args *a, const struct flash_image *image,
                        struct figures *f)
{
    memset(f, 0, sizeof *f);
    flash_image_device(image, &f->ids);
    int status = read_efuse(a, f);
    if (status) return status;
    uint32_t id = 0, rev = f->ids.revision, block = f->ids.efuse_block_rev;
    if (!number(a, "--chip-id", &id, 0xffff) || !number(a, "--chip-rev", &rev, 0xffff) ||
        !number(a, "--efuse-block-rev", &block, 0xffff) ||
        !number(a, "--secure-version", &f->version, 32))
        return CLI_USAGE;
    f->ids.revision = (uint16_t)rev;
    f->ids.efuse_block_rev = (uint16_t)block;
    if (!cli_has(a, "--chip-id")) return CLI_OK;
    f->ids.chip = al_chip_by_id((uint16_t)id);
    if (!f->ids.chip)
        return cli_usage(a, "--chip-id %u is no chip that is known; 5 is ESP32-C3, 13 ESP32-C6",
                         id);
    return CLI_OK;
}

/* Options win over what the boot loader in the flash says of itself. */
static void choose_rollback(const struct cli_args *a, struct flash_device *d)
{
    struct loader_config built;
    d->boot.anti_rollback = cli_has(a, "--anti-rollback");
    d->boot.rollback = d->boot.anti_rollback || cli_has(a, "--rollback");
    if (!d->boot.rollback && flash_loader_config(d->image, &d->boot.device, &built)) {
        d->as_built = true;
        d->boot.anti_rollback = built.anti_rollback;
        d->boot.rollback = built.rollback;
    }
    d->ota.rollback = d->boot.rollback;
    d->ota.anti_rollback = d->boot.anti_rollback;
}

int flash_device_open(const struct cli_args *a, struct flash_image *image, struct flash_device *d)
{
    char why[512];
    uint32_t table_offset = 0;
    struct figures f;
    if (!number(a, "--table-offset", &table_offset, FLASH_IMAGE_MAX)) return CLI_USAGE;
    if (flash_image_open(image, cli_operand(a, 0), table_offset, why, sizeof why))
        return cli_fail("%s", why);
    int status = read_figures(a, image, &f);
    if (status) {
        flash_image_close(image);
        return status;
    }
    flash_device_init(d, image, &f.ids);
    d->efuse_version = f.version;
    d->keys = f.keys;
    if (f.keys.count) d->boot.keys = &d->keys;
    choose_rollback(a, d);
    d->ota.keys = d->boot.keys;
    return CLI_OK;
}

/* Is this flash.bin of a device directory whose chip is on? */
static bool is_in_use(const char *path)
{
    char dir[PATH_MAX];
    if (!realpath(path, dir)) return false;
    char *slash = strrchr(dir, '/');
    if (!slash || strcmp(slash, "/flash.bin") != 0) return false;
    *slash = '\0';
    return device_is_running(dir);
}

int flash_device_replace(const struct flash_image *image)
{
    char why[512];
    if (is_in_use(image->path))
        return cli_fail("%s belongs to a device that is running, which would not see the change; "
                        "end that run first",
                        image->path);
    return flash_image_save(image, why, sizeof why) ? cli_fail("%s", why) : CLI_OK;
}

int flash_device_save(const struct cli_args *a, struct flash_device *d)
{
    struct efuse e;
    if (!cli_has(a, "--write")) return CLI_OK;
    int status = flash_device_replace(d->image);
    if (status || !cli_has(a, "--efuse")) return status;
    status = open_efuse(a, &e, true);
    if (status) return status;
    int err = efuse_secure_version(&e) < d->efuse_version
                  ? efuse_raise_secure_version(&e, d->efuse_version)
                  : AL_OK;
    efuse_close(&e);
    return err ? cli_fail("%s: secure version %u cannot be burnt", cli_value(a, "--efuse"),
                          d->efuse_version)
               : CLI_OK;
}

/* --- words --- */

const char *ota_state_name(uint32_t state)
{
    static const char *const names[] = {"NEW", "PENDING_VERIFY", "VALID", "INVALID", "ABORTED"};
    if (state == AL_OTA_UNDEFINED) return "UNDEFINED";
    return state < sizeof names / sizeof *names ? names[state] : "unknown";
}

cJSON *ota_entries_json(const struct al_ota_entry e[2])
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < 2; i++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddNumberToObject(o, "seq", e[i].seq);
        cJSON_AddNumberToObject(o, "state", e[i].state);
        cJSON_AddNumberToObject(o, "crc", e[i].crc);
        cJSON_AddBoolToObject(o, "crc_ok", al_ota_entry_crc_ok(&e[i]));
        cJSON_AddStringToObject(o, "state_name", ota_state_name(e[i].state));
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

void print_strings(const cJSON *doc, const char *key, const char *indent)
{
    const cJSON *list = cJSON_GetObjectItem(doc, key);
    for (const cJSON *item = list ? list->child : NULL; item; item = item->next)
        cli_print("%s%s\n", indent, cJSON_GetStringValue(item));
}

bool ota_slots_have_hole(const struct al_part_table *t, char *text, size_t size)
{
    uint32_t reached = al_part_ota_count(t), rows = al_part_ota_count_all(t);
    if (reached == rows) return false;
    snprintf(text, size,
             "the table has %u OTA app partitions, but their subtypes are not ota_0 to ota_%u "
             "without a gap or repetition: apps can use the first %u only, and the boot loader "
             "counts differently; number them in order",
             rows, rows - 1, reached);
    return true;
}
