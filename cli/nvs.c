/* nvs: partitions of keys and values, in a flash image or a file of their own. */
#include "cli/nvs_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "host/nvs_csv.h"
#include "host/nvs_csv_text.h"
#include "host/vendor_log.h"

#define MAX_CSV   (16u << 20)
#define MAX_VALUE (2u << 20)

/* ---- set ---- */

static int parse_float(uint8_t type, const char *text, struct nvs_csv_value *out)
{
    char *end;
    double d = strtod(text, &end);
    float f = (float)d;

    if (end == text || *end || d != d)
        return cli_fail("'%s' is no number; like 1.5, -2e3 or inf", text);
    out->len = type & 15u;
    out->data = malloc(8);
    if (!out->data) return cli_fail("out of memory");
    memcpy(out->data, type == AL_NVS_FLOAT ? (const void *)&f : &d, out->len);
    return CLI_OK;
}

/* VALUE, or the content of --file. */
static int take_value(const struct cli_args *a, uint8_t type, struct nvs_csv_value *out)
{
    const char *path = cli_value(a, "--file"), *word = cli_operand(a, 3);
    const char *text = cli_operand_count(a) > 4 ? cli_operand(a, 4) : NULL;
    uint8_t *content = NULL;
    size_t len = text ? strlen(text) : 0;
    char why[256];
    struct nvs_csv_fault fault = {.why = why, .size = sizeof why};

    if (!path == !text) return cli_usage(a, "give either VALUE or --file");
    if (path && type != AL_NVS_STR && type != AL_NVS_BLOB)
        return cli_usage(a, "--file is for str and blob");
    if (type == AL_NVS_FLOAT || type == AL_NVS_DOUBLE) return parse_float(type, text, out);
    if (path) {
        if (cli_read_file(path, MAX_VALUE, &content, &len)) return CLI_FAILED;
        if (type == AL_NVS_STR && memchr(content, 0, len)) {
            free(content);
            return cli_fail("%s holds a zero byte, which ends a string; set it as blob", path);
        }
    }
    if (type == AL_NVS_STR) word = "string";
    if (type == AL_NVS_BLOB) word = path ? "binary" : "hex2bin";
    int err = nvs_csv_decode(word, path ? (char *)content : text, len, out, &fault);
    free(content);
    return err ? cli_fail("%s", why) : CLI_OK;
}

static int fail_set(const struct nvs_file *f, const char *key, const struct nvs_csv_value *v,
                    int err)
{
    switch (err) {
    case AL_ERR_NVS_KEY_TOO_LONG:
        return cli_fail("a key or namespace has 15 bytes at most: '%s'", key);
    case AL_ERR_NVS_VALUE_TOO_LONG:
        return cli_fail("%zu bytes are too long: a string has 4000 with its zero, a blob in this "
                        "partition %u",
                        v->len, (f->nvs.page_count - 1u) * AL_NVS_CHUNK_MAX);
    case AL_ERR_NVS_NOT_ENOUGH_SPACE:
        return cli_fail("%s: no space left for '%s'; erase keys or take a larger partition",
                        f->image.path, key);
    case AL_ERR_NOT_ALLOWED:
        return cli_fail("%s: the partition table marks the partition read-only", f->image.path);
    default:
        return cli_fail("%s: setting '%s' failed (%s)", f->image.path, key,
                        vendor_err_name(al_err_vendor(err)));
    }
}

static int report(const struct cli_args *a, const struct nvs_file *f, const char *what)
{
    if (!cli_json_wanted(a)) {
        cli_print("%s\n", what);
        return CLI_OK;
    }
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "file", f->image.path);
    cJSON_AddStringToObject(doc, "done", what);
    return cli_print_json(doc);
}

static int set_and_save(const struct cli_args *a, struct nvs_file *f, uint8_t type,
                        const struct nvs_csv_value *v)
{
    const char *space = cli_operand(a, 1), *key = cli_operand(a, 2);
    char what[64];
    uint8_t ns;

    if (f->init) return nvs_file_fail_init(f);
    int err = al_nvs_namespace(&f->nvs, space, true, &ns);
    if (err) return fail_set(f, space, v, err);
    err = al_nvs_set(&f->nvs, ns, type, key, v->data, v->len, false);
    if (err) return fail_set(f, key, v, err);
    int status = nvs_file_save(f);
    snprintf(what, sizeof what, "set %s/%s", space, key);
    return status ? status : report(a, f, what);
}

static int run_set(const struct cli_args *a)
{
    uint8_t type = nvs_type_by_name(cli_operand(a, 3));
    struct nvs_csv_value v = {.data = NULL};
    struct nvs_file f;

    if (!type)
        return cli_usage(a,
                         "type '%s' is unknown; take u8 i8 u16 i16 u32 i32 u64 i64 float double "
                         "str or blob",
                         cli_operand(a, 3));
    int status = take_value(a, type, &v);
    if (!status) {
        status = nvs_file_open(a, &f);
        if (!status) {
            status = set_and_save(a, &f, type, &v);
            nvs_file_close(&f);
        }
    }
    free(v.data);
    return status;
}

/* ---- erase ---- */

static int erase_keys(struct nvs_file *f, const char *space, const char *key, bool purge)
{
    uint8_t ns;

    if (f->init) return nvs_file_fail_init(f);
    int err = al_nvs_namespace(&f->nvs, space, false, &ns);
    if (err == AL_ERR_NVS_NOT_FOUND)
        return cli_fail("%s: no namespace '%s'; see 'airlift nvs show'", f->image.path, space);
    if (!err)
        err =
            key ? al_nvs_erase_key(&f->nvs, ns, key, purge) : al_nvs_erase_all(&f->nvs, ns, purge);
    if (err == AL_ERR_NVS_NOT_FOUND)
        return cli_fail("%s: no key '%s' in namespace '%s'", f->image.path, key, space);
    if (!err && purge && !key) err = al_nvs_purge_all(&f->nvs, ns);
    return err ? fail_set(f, key ? key : space, &(struct nvs_csv_value){.len = 0}, err) : CLI_OK;
}

static int run_erase(const struct cli_args *a)
{
    size_t count = cli_operand_count(a);
    const char *space = count > 1 ? cli_operand(a, 1) : NULL;
    const char *key = count > 2 ? cli_operand(a, 2) : NULL;
    struct nvs_file f;
    char what[64];
    int status = nvs_file_open(a, &f);

    if (status) return status;
    if (space) {
        status = erase_keys(&f, space, key, cli_has(a, "--purge"));
    } else {
        int err = al_window_erase(&f.part, 0, f.part.size);
        if (err) status = fail_set(&f, "everything", &(struct nvs_csv_value){.len = 0}, err);
    }
    if (!status) status = nvs_file_save(&f);
    snprintf(what, sizeof what, "erased %s%s%s", space ? space : "the whole partition",
             key ? "/" : "", key ? key : "");
    if (!status) status = report(a, &f, what);
    nvs_file_close(&f);
    return status;
}

/* ---- build ---- */

static void warn(void *ctx, unsigned line, const char *text)
{
    cli_warn("%s, line %u: %s", (const char *)ctx, line, text);
}

static int run_build(const struct cli_args *a)
{
    const char *path = cli_operand(a, 0), *out_path = cli_value(a, "--out");
    char csv_name[256], why[512];
    bool ok = true;
    uint32_t size = (uint32_t)cli_number(a, "--size", 0, 0x1000000, &ok);
    const char *version = cli_value(a, "--version");

    if (!ok) return CLI_USAGE;
    if (!cli_has(a, "--size")) return cli_usage(a, "--size X is missing, like 0x6000");
    if (!out_path) return cli_usage(a, "--out BIN is missing");
    snprintf(csv_name, sizeof csv_name, "%s", path);
    struct nvs_csv_options options = {
        .size = size, .version = version && *version == '1' ? 1 : 2, .warn = warn, .ctx = csv_name};
    uint8_t *text, *image;
    size_t len;
    if (cli_read_file(path, MAX_CSV, &text, &len)) return CLI_FAILED;
    int err = nvs_csv_build((char *)text, len, &options, &image, why, sizeof why);
    free(text);
    if (err) return cli_fail("%s: %s", path, why);
    int status = cli_write_file(out_path, image, size);
    free(image);
    if (status) return status;
    if (!cli_json_wanted(a)) {
        cli_print("%s: %u bytes, version %u\n", out_path, (unsigned)size, options.version);
        return CLI_OK;
    }
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "file", out_path);
    cJSON_AddNumberToObject(doc, "size", size);
    cJSON_AddNumberToObject(doc, "version", options.version);
    return cli_print_json(doc);
}

/* ---- the commands ---- */

static const struct cli_option show_options[] = {
    {"--readonly", NULL, "open as a read-only partition: nothing is repaired", false},
    NVS_FILE_OPTIONS,
    {0},
};
static const struct cli_option set_options[] = {
    {"--file", "FILE", "the value of a str or blob is the content of this file", false},
    NVS_FILE_OPTIONS,
    {0},
};
static const struct cli_option erase_options[] = {
    {"--purge", NULL, "zero the bytes as well, as for secrets", false},
    NVS_FILE_OPTIONS,
    {0},
};
static const struct cli_option build_options[] = {
    {"--size", "X", "size of the partition, a multiple of 0x1000", false},
    {"--out", "BIN", "where the image goes", false},
    {"--version", "1|2", "page format; default 2", false},
    {0},
};

#define ABOUT_FILE \
    "FLASH is a flash image with a partition table, or a file that is the NVS partition alone. "

const struct cli_command nvs_commands[] = {
    {
        .name = "nvs show",
        .operands = "FLASH",
        .summary = "list what an NVS partition holds",
        .details = ABOUT_FILE "Shown is what a device reads after it has repaired what a power cut "
                              "left; the file itself is never changed.",
        .example = "airlift nvs show flash.bin",
        .options = show_options,
        .run = nvs_show,
    },
    {
        .name = "nvs set",
        .operands = "FLASH NS KEY TYPE [VALUE]",
        .summary = "store a value, as a device would",
        .details = ABOUT_FILE "TYPE is u8 i8 u16 i16 u32 i32 u64 i64 float double str or blob. The "
                              "value of a blob is hex. The namespace is made if it is missing.",
        .example = "airlift nvs set flash.bin wifi ssid str home",
        .options = set_options,
        .run = run_set,
    },
    {
        .name = "nvs erase",
        .operands = "FLASH [NS] [KEY]",
        .summary = "erase a key, a namespace's keys, or the partition",
        .details = ABOUT_FILE,
        .example = "airlift nvs erase flash.bin wifi ssid",
        .options = erase_options,
        .run = run_erase,
    },
    {
        .name = "nvs build",
        .operands = "CSV",
        .summary = "make an NVS partition from CSV",
        .details = "The CSV and the bytes of the result are those of the vendor's "
                   "nvs_partition_gen.py. Paths of 'file' rows are relative to the current "
                   "directory. Below 0x3000 bytes the image has no reserve page: it is for a "
                   "read-only partition.",
        .example = "airlift nvs build nvs.csv --size 0x6000 --out nvs.bin",
        .options = build_options,
        .run = run_build,
    },
    {0},
};
