/* partition build, show, verify. */
#include "cli/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/flash_device.h"
#include "core/err.h"
#include "core/part_customize.h"
#include "host/crypto_openssl.h"

#define DEFAULT_FLASH 0x400000u
#define TABLE_FILE    AL_SECTOR /* a longer file is a flash image, unless it begins with a table */

cJSON *partition_json(const struct al_part *p)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", p->label);
    cJSON_AddNumberToObject(o, "type", p->type);
    cJSON_AddNumberToObject(o, "subtype", p->subtype);
    cJSON_AddNumberToObject(o, "offset", p->offset);
    cJSON_AddNumberToObject(o, "size", p->size);
    cJSON_AddNumberToObject(o, "flags", p->flags);
    return o;
}

/* --- build --- */

static int flash_size_of(const struct cli_args *a, uint32_t fallback, uint32_t *size)
{
    bool ok = true;
    *size = (uint32_t)cli_number(a, "--flash-size", fallback, FLASH_IMAGE_MAX, &ok);
    if (!ok) return CLI_USAGE;
    if (cli_has(a, "--flash-size") && (*size == 0 || *size % AL_SECTOR))
        return cli_usage(a, "--flash-size has to be a multiple of 4096 above 0, for example 4MB");
    return CLI_OK;
}

static int refuse(const struct cli_args *a, int status, cJSON *error)
{
    if (!cli_json_wanted(a) || !error) {
        cJSON_Delete(error);
        return status;
    }
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddItemToObject(doc, "error", error);
    (void)cli_print_json(doc);
    return status;
}

static int run_build(const struct cli_args *a)
{
    static struct al_part_table t;
    uint8_t raw[AL_PART_TABLE_LEN];
    uint32_t flash_size, offset;
    cJSON *error;
    const char *out = cli_value(a, "--out");
    if (!out) return cli_usage(a, "--out BIN is missing");
    int status = flash_size_of(a, 0, &flash_size);
    if (status) return status;
    status = partition_file(a, cli_operand(a, 0), flash_size, raw, &offset, &error);
    if (status) return refuse(a, status, error);
    status = cli_write_file(out, raw, sizeof raw);
    if (status) return status;
    (void)al_part_table_parse(raw, sizeof raw, UINT32_MAX, &crypto_openssl, &t, NULL);
    char text[400];
    if (ota_slots_have_hole(&t, text, sizeof text)) cli_warn("warning: %s", text);
    if (!cli_json_wanted(a)) return CLI_OK;
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "file", out);
    cJSON_AddNumberToObject(doc, "entries", t.count);
    cJSON_AddNumberToObject(doc, "size", sizeof raw);
    cJSON_AddNumberToObject(doc, "offset", offset);
    cJSON_AddBoolToObject(doc, "md5", t.has_md5);
    return cli_print_json(doc);
}

/* --- show and verify --- */

/* A table out of a table file or a flash image, by the boot loader's rules. */
struct opened {
    struct al_part_table table;
    struct al_part_fault fault;
    int err;
    uint32_t flash_size;
};

/* The user partitions of a flash image instead of the primary ones. */
static int take_user(struct flash_image *image, struct opened *o)
{
    char why[512];
    if (!image->table.count) {
        flash_image_table_fault(image, why, sizeof why);
        return cli_fail("%s", why);
    }
    if (!al_part_customize_area(&image->table))
        return cli_fail("%s: the partition table has no partition at_customize (type 0x40, subtype "
                        "0), so there are no user partitions",
                        image->path);
    o->err = flash_image_read_user(image);
    o->table = image->user;
    o->fault = image->user_fault;
    return CLI_OK;
}

static int open_image(const struct cli_args *a, uint32_t offset, struct opened *o)
{
    char why[512];
    static struct flash_image image;
    int status = CLI_OK;
    if (flash_image_open(&image, cli_operand(a, 0), offset, why, sizeof why))
        return cli_fail("%s", why);
    o->flash_size = image.flash.size;
    if (cli_has(a, "--at-customize"))
        status = take_user(&image, o);
    else
        o->err = al_part_table_read(&image.flash, image.table_offset, &crypto_openssl, &o->table,
                                    &o->fault);
    flash_image_close(&image);
    return status;
}

/* A table file that is held to be one of user partitions. */
static int judge_user(const struct cli_args *a, struct opened *o)
{
    struct al_part area;
    const char *where = cli_value(a, "--at-customize");
    if (!where)
        return cli_usage(a,
                         "%s is a table, not a flash image: --at-customize needs WHERE, the "
                         "primary table or OFFSET:SIZE",
                         cli_operand(a, 0));
    int status = partition_area(a, where, &area);
    if (!status && !o->err) o->err = al_part_customize_judge(&o->table, &area, &o->fault);
    return status;
}

/* flash_size 0: no limit; a short file is followed by erased flash if a device reads it. */
static int open_table(const struct cli_args *a, uint32_t flash_size, bool device, struct opened *o)
{
    const char *path = cli_operand(a, 0);
    uint8_t *data, raw[AL_PART_TABLE_LEN];
    size_t len;
    bool ok = true;
    uint32_t offset = (uint32_t)cli_number(a, "--table-offset", 0, FLASH_IMAGE_MAX, &ok);
    if (!ok) return CLI_USAGE;
    memset(o, 0, sizeof *o);
    int status = cli_read_file(path, FLASH_IMAGE_MAX, &data, &len);
    if (status) return status;
    bool table = len <= TABLE_FILE || (data[0] == 0xaa && data[1] == 0x50);
    if (len > sizeof raw) len = sizeof raw;
    memset(raw, 0xff, sizeof raw);
    memcpy(raw, data, len);
    free(data);
    if (!table) return open_image(a, offset, o);
    o->flash_size = flash_size;
    o->err = al_part_table_parse(raw, device ? sizeof raw : len, flash_size, &crypto_openssl,
                                 &o->table, &o->fault);
    return device && cli_has(a, "--at-customize") ? judge_user(a, o) : CLI_OK;
}

static cJSON *fault_json(const struct opened *o, const char *why)
{
    struct vendor_line line;
    cJSON *e = cJSON_CreateObject();
    cJSON_AddNumberToObject(e, "code", al_err_vendor(o->err));
    cJSON_AddStringToObject(e, "name", vendor_err_name(al_err_vendor(o->err)));
    cJSON_AddStringToObject(e, "check", part_check_name(o->fault.check));
    cJSON_AddNumberToObject(e, "entry", o->fault.index);
    cJSON_AddNumberToObject(e, "offset", o->fault.offset);
    cJSON_AddStringToObject(e, "message", why);
    vendor_line_table(&o->fault, &line);
    if (line.level) {
        char text[256];
        vendor_line_print(&line, 0, false, text, sizeof text);
        cJSON_AddStringToObject(e, "log", text);
    }
    return e;
}

static void print_table(const struct al_part_table *t)
{
    cli_print("%-16s  %-15s  %-9s  %-10s  %-10s  %s\n", "name", "type", "subtype", "offset", "size",
              "flags");
    for (uint32_t i = 0; i < t->count; i++) {
        const struct al_part *p = &t->part[i];
        const char *type = al_part_type_name(p->type),
                   *subtype = al_part_subtype_name(p->type, p->subtype);
        char type_number[8], subtype_number[8];
        snprintf(type_number, sizeof type_number, "0x%02x", p->type);
        snprintf(subtype_number, sizeof subtype_number, "0x%02x", p->subtype);
        cli_print("%-16s  %-15s  %-9s  0x%-8x  0x%-8x  %s%s\n", p->label, type ? type : type_number,
                  subtype ? subtype : subtype_number, p->offset, p->size,
                  p->flags & AL_PART_ENCRYPTED ? "encrypted " : "",
                  p->flags & AL_PART_READONLY ? "readonly" : "");
    }
}

static int run_show(const struct cli_args *a)
{
    static struct opened o;
    char why[300];
    int status = open_table(a, UINT32_MAX, false, &o);
    if (status) return status;
    if (o.err) {
        part_fault_explain(&o.fault, why, sizeof why);
        return refuse(a, cli_fail("%s: %s", cli_operand(a, 0), why), fault_json(&o, why));
    }
    if (cli_has(a, "--csv")) {
        char *text = part_csv_write(&o.table);
        if (!text) return cli_fail("out of memory");
        fputs(text, stdout);
        free(text);
        return CLI_OK;
    }
    if (!cli_json_wanted(a)) {
        print_table(&o.table);
        return CLI_OK;
    }
    cJSON *doc = cJSON_CreateArray();
    for (uint32_t i = 0; i < o.table.count; i++)
        cJSON_AddItemToArray(doc, partition_json(&o.table.part[i]));
    return cli_print_json(doc);
}

static int run_verify(const struct cli_args *a)
{
    static struct opened o;
    char why[300] = "", hole[400] = "";
    uint32_t flash_size;
    int status = flash_size_of(a, DEFAULT_FLASH, &flash_size);
    if (!status) status = open_table(a, flash_size, true, &o);
    if (status) return status;
    if (o.err) part_fault_explain(&o.fault, why, sizeof why);
    bool warned = !o.err && ota_slots_have_hole(&o.table, hole, sizeof hole);
    if (warned) cli_warn("warning: %s", hole);
    if (cli_json_wanted(a)) {
        cJSON *doc = cJSON_CreateObject();
        cJSON_AddBoolToObject(doc, "valid", !o.err);
        cJSON_AddNumberToObject(doc, "entries", o.table.count);
        cJSON_AddNumberToObject(doc, "flash_size", o.flash_size);
        cJSON_AddItemToObject(doc, "error", o.err ? fault_json(&o, why) : cJSON_CreateNull());
        cJSON *warnings = cJSON_AddArrayToObject(doc, "warnings");
        if (warned) cJSON_AddItemToArray(warnings, cJSON_CreateString(hole));
        status = cli_print_json(doc);
    } else if (!o.err) {
        cli_print("%s: valid, %u partitions, for a flash of 0x%x bytes\n", cli_operand(a, 0),
                  o.table.count, o.flash_size);
    }
    if (o.err)
        return cli_fail("%s: %s: %s (%s)", cli_operand(a, 0), part_check_name(o.fault.check), why,
                        vendor_err_name(al_err_vendor(o.err)));
    return status;
}

/* --- the table of commands --- */

static const struct cli_option build_options[] = {
    {"--out", "BIN", "the table", false},
    {"--flash-size", "4MB", "refuse a table that does not fit into this flash", false},
    PARTITION_AT_OPTION,
    PARTITION_CSV_OPTIONS,
    {0},
};

static const struct cli_option show_options[] = {
    {"--csv", NULL, "as the CSV text that gives this table", false},
    {"--at-customize", NULL, "of a flash image: the user partitions of ESP-AT instead", false},
    {"--table-offset", "X", "where the table lies in a flash image (0x8000)", false},
    {0},
};

static const struct cli_option verify_options[] = {
    {"--flash-size", "4MB", "of the device (4MB; of a flash image: its own size)", false},
    {"--at-customize", "[WHERE]",
     "the user partitions of ESP-AT; of a table file: inside at_customize of a primary table, or "
     "inside OFFSET:SIZE",
     false},
    {"--table-offset", "X", "where the table lies in a flash image (0x8000)", false},
    {0},
};

const struct cli_command partition_commands[] = {
    {
        .name = "partition build",
        .operands = "CSV",
        .summary = "compile a partition table, as the vendor's gen_esp32part.py",
        .details = "The output is the same byte for byte, and what the vendor's tool refuses is "
                   "refused in its words, with the line and a class of error.\n\n"
                   "With --at-customize the table is the secondary one of ESP-AT, which lies at "
                   "the start of partition at_customize: its partitions have to lie in the rest of "
                   "that.",
        .example = "airlift partition build partitions.csv --out partition-table.bin "
                   "--flash-size 4MB",
        .options = build_options,
        .run = run_build,
    },
    {
        .name = "partition show",
        .operands = "FILE",
        .summary = "show the partition table in a table file or flash image",
        .example = "airlift partition show flash.bin",
        .options = show_options,
        .run = run_show,
    },
    {
        .name = "partition verify",
        .operands = "FILE",
        .summary = "check a table as the boot loader of a device would",
        .details =
            "A device looks at less than the tool that builds tables: alignment and overlaps "
            "are no error to it.",
        .example = "airlift partition verify partition-table.bin --flash-size 4MB",
        .options = verify_options,
        .run = run_verify,
    },
    {0},
};
