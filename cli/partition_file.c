/* A partition table from a file: CSV or binary. */
#include "cli/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/part_customize.h"
#include "host/crypto_openssl.h"
#include "host/vendor_log.h"

#define CSV_MAX (1u << 20)

static void warn(void *ctx, unsigned line, const char *text)
{
    cli_warn("%s:%u: %s", (const char *)ctx, line, text);
}

static bool options_from(const struct cli_args *a, uint32_t flash_size, struct part_csv_options *o)
{
    bool ok = true;
    const char *secure = cli_value(a, "--secure");
    o->crypto = &crypto_openssl;
    o->flash_size = flash_size;
    o->table_offset = (uint32_t)cli_number(a, "--offset", AL_PART_TABLE_OFFSET, 0x7ffff000, &ok);
    o->primary_given = cli_has(a, "--primary-bootloader-offset");
    o->recovery_given = cli_has(a, "--recovery-bootloader-offset");
    o->primary_offset = (uint32_t)cli_number(a, "--primary-bootloader-offset", 0, UINT32_MAX, &ok);
    o->recovery_offset =
        (uint32_t)cli_number(a, "--recovery-bootloader-offset", 0, UINT32_MAX, &ok);
    o->no_md5 = cli_has(a, "--disable-md5sum");
    o->no_verify = cli_has(a, "--no-verify");
    if (cli_has(a, "--secure"))
        o->secure = secure && strcmp(secure, "v2") == 0 ? PART_CSV_SECURE_V2 : PART_CSV_SECURE_V1;
    return ok;
}

static cJSON *error_json(const char *error_class, unsigned line, const char *message)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "class", error_class);
    if (line)
        cJSON_AddNumberToObject(o, "line", line);
    else
        cJSON_AddNullToObject(o, "line");
    cJSON_AddStringToObject(o, "message", message);
    return o;
}

static bool is_binary(const uint8_t *data, size_t len)
{
    return len >= 2 && data[0] == (AL_PART_MAGIC & 0xff) && data[1] == AL_PART_MAGIC >> 8;
}

static int take_binary(const char *path, const uint8_t *data, size_t len,
                       const struct part_csv_options *o, uint8_t *raw, cJSON **error)
{
    static struct al_part_table t;
    struct al_part_fault fault;
    char why[400];
    memset(raw, 0xff, AL_PART_TABLE_LEN);
    memcpy(raw, data, len < AL_PART_TABLE_LEN ? len : AL_PART_TABLE_LEN);
    int err =
        al_part_table_parse(raw, AL_PART_TABLE_LEN, o->flash_size ? o->flash_size : UINT32_MAX,
                            &crypto_openssl, &t, &fault);
    if (!err && o->area) err = al_part_customize_judge(&t, o->area, &fault);
    if (!err) return CLI_OK;
    part_fault_explain(&fault, why, sizeof why);
    *error = error_json(part_check_name(fault.check), 0, why);
    return cli_fail("%s: %s", path, why);
}

static int refused(const char *path, const struct part_csv_fault *f)
{
    if (f->line) return cli_fail("%s:%u: %s: %s", path, f->line, f->error_class, f->message);
    return cli_fail("%s: %s: %s", path, f->error_class, f->message);
}

/* Reads the file and compiles or takes it. */
static int compile(const char *path, const struct part_csv_options *options,
                   uint8_t raw[AL_PART_TABLE_LEN], cJSON **error)
{
    struct part_csv_options o = *options;
    struct part_csv_fault fault;
    uint8_t *data;
    size_t len;
    char name[1024];
    *error = NULL;
    int status = cli_read_file(path, CSV_MAX, &data, &len);
    if (status) return status;
    snprintf(name, sizeof name, "%s", path);
    o.ctx = name;
    o.warn = warn;
    int err = AL_OK;
    if (is_binary(data, len))
        status = take_binary(path, data, len, &o, raw, error);
    else
        err = part_csv_compile(data, len, &o, raw, &fault);
    free(data);
    if (!err) return status;
    if (err == AL_ERR_NO_MEM) return cli_fail("%s: out of memory", path);
    *error = error_json(fault.error_class, fault.line, fault.message);
    return refused(path, &fault);
}

/* "0x1e000:0x42000" */
static bool parse_area(const char *text, struct al_part *area)
{
    char offset[32];
    uint64_t at, size;
    const char *colon = strchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : sizeof offset;
    if (n >= sizeof offset) return false;
    memcpy(offset, text, n);
    offset[n] = '\0';
    if (!cli_parse_number(offset, 0x7ffff000, &at) ||
        !cli_parse_number(colon + 1, 0x80000000 - at, &size))
        return false;
    *area = (struct al_part){.offset = (uint32_t)at, .size = (uint32_t)size};
    return true;
}

static int area_of_table(const char *path, struct al_part *area)
{
    static struct al_part_table t;
    struct part_csv_options o = {.crypto = &crypto_openssl};
    uint8_t raw[AL_PART_TABLE_LEN];
    cJSON *error;
    int status = compile(path, &o, raw, &error);
    cJSON_Delete(error);
    if (status) return status;
    (void)al_part_table_parse(raw, sizeof raw, UINT32_MAX, &crypto_openssl, &t, NULL);
    const struct al_part *p = al_part_customize_area(&t);
    if (!p)
        return cli_fail("%s: the table has no partition at_customize (type 0x40, subtype 0), in "
                        "which user partitions could lie",
                        path);
    *area = *p;
    return CLI_OK;
}

int partition_area(const struct cli_args *a, const char *where, struct al_part *area)
{
    if (!parse_area(where, area)) {
        int status = area_of_table(where, area);
        if (status) return status;
    }
    if (area->offset % AL_SECTOR || area->size <= AL_PART_CUSTOMIZE_TABLE)
        return cli_usage(a,
                         "--at-customize 0x%x:0x%x: the offset has to be a multiple of 0x1000, "
                         "and the size more than the 0x1000 of the table",
                         area->offset, area->size);
    return CLI_OK;
}

int partition_file(const struct cli_args *a, const char *path, uint32_t flash_size,
                   uint8_t raw[AL_PART_TABLE_LEN], uint32_t *table_offset, cJSON **error)
{
    struct part_csv_options o = {.ctx = NULL};
    struct al_part area = {.offset = 0};
    const char *where = cli_value(a, "--at-customize");
    *error = NULL;
    if (!options_from(a, flash_size, &o)) return CLI_USAGE;
    if (where) {
        int status = partition_area(a, where, &area);
        if (status) return status;
        o.area = &area;
    }
    *table_offset = where ? area.offset : o.table_offset;
    if (o.table_offset == 0 || o.table_offset % AL_SECTOR)
        return cli_usage(a, "--offset 0x%x is no multiple of 0x1000 above 0", o.table_offset);
    return compile(path, &o, raw, error);
}
