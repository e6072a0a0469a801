/* flash create, read, write, erase: flash images and the partitions in them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/flash_device.h"
#include "cli/partition.h"
#include "core/app_image.h"
#include "core/chip.h"
#include "host/flash_image.h"

static int missing(const struct cli_args *a, const char *option)
{
    return cli_value(a, option) ? CLI_OK : cli_usage(a, "%s is missing", option);
}

/* "nvs, otadata, ota_0", user partitions last. */
static void list_names(const struct flash_image *f, char *out, size_t size)
{
    size_t used = 0;
    *out = '\0';
    for (uint32_t i = 0; i < f->table.count + f->user.count && used < size; i++) {
        const struct al_part *p =
            i < f->table.count ? &f->table.part[i] : &f->user.part[i - f->table.count];
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "",
                                 flash_image_slot_name(p));
    }
}

static int unknown_partition(const char *what, const char *name, const struct flash_image *f)
{
    char names[1024];
    list_names(f, names, sizeof names);
    return cli_fail("%s: no partition \"%s\"; the table has %s", what, name,
                    f->table.count ? names : "no partitions");
}

/* --- create --- */

/* A flash that is put together in memory, until it can be written whole. */
struct build {
    struct flash_image flash;
    uint32_t table_offset;
    uint32_t files; /* put so far */
};

/* Where NAME leads: a partition, an offset, or the boot loader's place. */
static int find_place(const struct build *b, const char *name, const uint8_t *data, size_t len,
                      struct al_part *out)
{
    const struct al_part *p = flash_image_part(&b->flash, name);
    const struct al_chip *chip = NULL;
    uint64_t offset;
    if (p) {
        *out = *p;
        return CLI_OK;
    }
    *out = (struct al_part){.size = b->flash.flash.size};
    if (cli_parse_number(name, b->flash.flash.size - 1, &offset)) {
        out->offset = (uint32_t)offset;
        out->size -= (uint32_t)offset;
        return CLI_OK;
    }
    if (strcmp(name, "bootloader") != 0) return unknown_partition("--put", name, &b->flash);
    if (len >= AL_IMAGE_HEADER_LEN && data[0] == AL_IMAGE_MAGIC) {
        struct al_image_header h;
        al_image_header_parse(data, &h);
        chip = al_chip_by_id(h.chip_id);
    }
    if (!chip)
        return cli_fail("--put bootloader: the file is no image of a known chip, so its place is "
                        "unknown; give the offset, --put 0x1000=FILE");
    out->offset = chip->bootloader_offset;
    out->size = b->table_offset > out->offset ? b->table_offset - out->offset : 0;
    return CLI_OK;
}

/* "NAME=FILE" */
static int put_file(struct build *b, const char *option)
{
    char name[64];
    const char *equals = strchr(option, '=');
    size_t name_len = equals ? (size_t)(equals - option) : 0;
    if (!name_len || name_len >= sizeof name)
        return cli_fail("--put %s: expected NAME=FILE, for example ota_0=app.bin", option);
    memcpy(name, option, name_len);
    name[name_len] = '\0';
    const char *path = equals + 1;
    uint8_t *data;
    size_t len;
    struct al_part place;
    int status = cli_read_file(path, FLASH_IMAGE_MAX, &data, &len);
    if (status) return status;
    status = find_place(b, name, data, len, &place);
    if (!status && (len > place.size || place.offset > b->flash.flash.size - len))
        status = cli_fail("%s: %zu bytes do not fit into %s, which has %u at 0x%x", path, len, name,
                          place.size, place.offset);
    if (!status) memcpy(b->flash.bytes + place.offset, data, len);
    (void)flash_image_read_user(&b->flash); /* it may have been their table */
    b->files++;
    free(data);
    return status;
}

static int compose(const struct cli_args *a, uint32_t size, struct build *b, cJSON **error)
{
    uint8_t raw[AL_PART_TABLE_LEN], *erased = malloc(size);
    const char *csv = cli_value(a, "--partitions");
    if (!erased) return cli_fail("no memory for a flash of %u bytes", size);
    memset(erased, 0xff, size);
    int status = partition_file(a, csv, size, raw, &b->table_offset, error);
    if (!status && b->table_offset > size - AL_SECTOR)
        status = cli_fail("the table at 0x%x lies behind the flash of 0x%x bytes", b->table_offset,
                          size);
    if (!status) memcpy(erased + b->table_offset, raw, sizeof raw);
    if (!status && flash_image_memory(&b->flash, erased, size, b->table_offset))
        status = cli_fail("no memory for a flash of %u bytes", size);
    free(erased);
    const char *put;
    for (size_t i = 0; !status && (put = cli_value_at(a, "--put", i)); i++)
        status = put_file(b, put);
    return status;
}

static int run_create(const struct cli_args *a)
{
    struct build b = {.files = 0};
    bool ok = true;
    cJSON *error = NULL;
    if (missing(a, "--partitions") || missing(a, "--size") || missing(a, "--out")) return CLI_USAGE;
    uint32_t size = (uint32_t)cli_number(a, "--size", 0, FLASH_IMAGE_MAX, &ok);
    if (!ok) return CLI_USAGE;
    if (size == 0 || size % AL_SECTOR)
        return cli_usage(a, "--size has to be a multiple of 4096 above 0, for example 4MB");
    const char *out = cli_value(a, "--out");
    int status = compose(a, size, &b, &error);
    if (!status) status = cli_write_file(out, b.flash.bytes, size);
    if (cli_json_wanted(a) && (error || !status)) {
        cJSON *doc = cJSON_CreateObject();
        cJSON_AddStringToObject(doc, "file", out);
        cJSON_AddNumberToObject(doc, "size", size);
        cJSON_AddNumberToObject(doc, "put", b.files);
        cJSON *parts = cJSON_AddArrayToObject(doc, "partitions");
        for (uint32_t i = 0; i < b.flash.table.count; i++)
            cJSON_AddItemToArray(parts, partition_json(&b.flash.table.part[i]));
        if (error) cJSON_AddItemToObject(doc, "error", error);
        error = NULL;
        int printed = cli_print_json(doc);
        if (!status) status = printed;
    }
    cJSON_Delete(error);
    flash_image_close(&b.flash);
    return status;
}

/* --- read, write, erase --- */

struct opened {
    struct flash_image flash;
    const struct al_part *part;
    struct al_window window;
};

static int open_partition(const struct cli_args *a, struct opened *o)
{
    char why[512];
    bool ok = true;
    const char *name = cli_value(a, "--partition");
    if (missing(a, "--partition")) return CLI_USAGE;
    uint32_t offset = (uint32_t)cli_number(a, "--table-offset", 0, FLASH_IMAGE_MAX, &ok);
    if (!ok) return CLI_USAGE;
    if (flash_image_open(&o->flash, cli_operand(a, 0), offset, why, sizeof why))
        return cli_fail("%s", why);
    int status = CLI_OK;
    o->part = flash_image_part(&o->flash, name);
    if (o->flash.table.count == 0) {
        flash_image_table_fault(&o->flash, why, sizeof why);
        status = cli_fail("%s", why);
    } else if (!o->part) {
        status = unknown_partition(o->flash.path, name, &o->flash);
    } else {
        (void)al_part_window(&o->flash.flash, o->part, &o->window); /* the table was checked */
    }
    if (status) flash_image_close(&o->flash);
    return status;
}

static int report(const struct cli_args *a, const struct opened *o, const char *file, size_t len)
{
    if (!cli_json_wanted(a)) return CLI_OK;
    cJSON *doc = partition_json(o->part);
    if (file) cJSON_AddStringToObject(doc, "file", file);
    cJSON_AddNumberToObject(doc, "bytes", (double)len);
    return cli_print_json(doc);
}

static int run_read(const struct cli_args *a)
{
    struct opened o;
    const char *out = cli_value(a, "--out");
    if (missing(a, "--out")) return CLI_USAGE;
    int status = open_partition(a, &o);
    if (status) return status;
    status = cli_write_file(out, o.flash.bytes + o.part->offset, o.part->size);
    if (!status) status = report(a, &o, out, o.part->size);
    flash_image_close(&o.flash);
    return status;
}

/* Erases all of the partition and programs len bytes, then replaces the file. */
static int change(const struct cli_args *a, struct opened *o, const uint8_t *data, size_t len)
{
    if ((o->part->flags & AL_PART_READONLY) && !cli_has(a, "--ignore-readonly"))
        return cli_fail("%s: partition %s is flagged readonly; --ignore-readonly changes it all "
                        "the same",
                        o->flash.path, flash_image_slot_name(o->part));
    if (len > o->part->size)
        return cli_fail("%zu bytes do not fit into partition %s, which has %u", len,
                        flash_image_slot_name(o->part), o->part->size);
    memset(o->flash.bytes + o->part->offset, 0xff, o->part->size);
    if (len) memcpy(o->flash.bytes + o->part->offset, data, len);
    return flash_device_replace(&o->flash);
}

static int run_write(const struct cli_args *a)
{
    struct opened o;
    uint8_t *data;
    size_t len;
    const char *in = cli_value(a, "--input");
    if (missing(a, "--input")) return CLI_USAGE;
    int status = open_partition(a, &o);
    if (status) return status;
    status = cli_read_file(in, FLASH_IMAGE_MAX, &data, &len);
    if (!status) {
        status = change(a, &o, data, len);
        free(data);
    }
    if (!status) status = report(a, &o, in, len);
    flash_image_close(&o.flash);
    return status;
}

static int run_erase(const struct cli_args *a)
{
    struct opened o;
    int status = open_partition(a, &o);
    if (status) return status;
    status = change(a, &o, NULL, 0);
    if (!status) status = report(a, &o, NULL, o.part->size);
    flash_image_close(&o.flash);
    return status;
}

/* --- the table of commands --- */

#define PLACE_OPTIONS                                                                          \
    {"--partition", "NAME", "label of the partition, or its subtype (ota_0, factory)", false}, \
    {                                                                                          \
        "--table-offset", "X", "where the table lies (0x8000)", false                          \
    }

static const struct cli_option create_options[] = {
    {"--size", "4MB", "of the flash", false},
    {"--partitions", "CSV", "partition table, as CSV or binary", false},
    {"--put", "NAME=FILE", "content: of a partition, at an offset, or bootloader=FILE", true},
    {"--out", "FILE", "the flash image", false},
    PARTITION_CSV_OPTIONS,
    {0},
};
static const struct cli_option read_options[] = {
    PLACE_OPTIONS, {"--out", "FILE", "where to", false}, {0}};
static const struct cli_option write_options[] = {
    PLACE_OPTIONS,
    {"--input", "FILE", "what to write", false},
    {"--ignore-readonly", NULL, "change a partition that is flagged readonly", false},
    {0},
};
static const struct cli_option erase_options[] = {
    PLACE_OPTIONS,
    {"--ignore-readonly", NULL, "change a partition that is flagged readonly", false},
    {0},
};

const struct cli_command flash_commands[] = {
    {
        .name = "flash create",
        .operands = "",
        .summary = "make a flash image from a partition table and files",
        .details = "Everything that no file fills is erased (0xff). The image is what 'esptool "
                   "read_flash' would give. User partitions of ESP-AT can be put once their table "
                   "is, by at_customize=FILE.",
        .example = "airlift flash create --size 4MB --partitions partitions.csv --put "
                   "bootloader=bootloader.bin --put factory=app.bin --out flash.bin",
        .options = create_options,
        .run = run_create,
    },
    {
        .name = "flash read",
        .operands = "FLASH",
        .summary = "copy a partition out of a flash image",
        .example = "airlift flash read flash.bin --partition ota_0 --out app.bin",
        .options = read_options,
        .run = run_read,
    },
    {
        .name = "flash write",
        .operands = "FLASH",
        .summary = "erase a partition of a flash image and write a file into it",
        .example = "airlift flash write flash.bin --partition ota_0 --input app.bin",
        .options = write_options,
        .run = run_write,
    },
    {
        .name = "flash erase",
        .operands = "FLASH",
        .summary = "erase a partition of a flash image",
        .example = "airlift flash erase flash.bin --partition nvs",
        .options = erase_options,
        .run = run_erase,
    },
    {0},
};
