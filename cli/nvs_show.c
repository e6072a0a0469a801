/* nvs show: what is in an NVS partition, as the device would read it. Works on a
 * copy: the repairs that opening makes never reach the file. */
#include "cli/nvs_file.h"
#include "cli/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/err.h"
#include "host/vendor_log.h"

#define PEOPLE_MAX 48u /* bytes of a value that people are shown */

static const char *const page_states[] = {"UNINITIALIZED", "ACTIVE", "FULL", "FREEING", "CORRUPT"};

static char *hex(const uint8_t *data, size_t len)
{
    char *out = malloc(2 * len + 1);

    for (size_t i = 0; out && i < len; i++) sprintf(out + 2 * i, "%02x", data[i]);
    if (out) out[2 * len] = 0;
    return out;
}

static void add_hex(cJSON *o, const char *key, const uint8_t *data, size_t len)
{
    char *text = hex(data, len);

    if (text) cJSON_AddStringToObject(o, key, text);
    free(text);
}

/* Numbers as text that is exact: cJSON's are doubles. */
static void number_text(uint8_t type, const uint8_t *data, char out[32])
{
    unsigned size = type & 15u;
    uint64_t u = 0;

    memcpy(&u, data, size);
    if (type == AL_NVS_FLOAT || type == AL_NVS_DOUBLE) {
        float f;
        double d;
        memcpy(&f, data, sizeof f);
        memcpy(&d, &u, sizeof d);
        if (type == AL_NVS_FLOAT) d = (double)f;
        snprintf(out, 32, isfinite(d) ? "%.*g" : "null", type == AL_NVS_FLOAT ? 9 : 17, d);
    } else if (type & 0x10) {
        int64_t n = (int64_t)(u << (64 - 8 * size)) >> (64 - 8 * size);
        snprintf(out, 32, "%" PRId64, n);
    } else {
        snprintf(out, 32, "%" PRIu64, u);
    }
}

static void add_value(cJSON *o, uint8_t type, const uint8_t *data, size_t len)
{
    char text[32];

    if (type == AL_NVS_BLOB) {
        add_hex(o, "value", data, len);
    } else if (type == AL_NVS_STR && len && text_is_utf8(data, len - 1)) {
        cJSON_AddStringToObject(o, "value", (const char *)data);
    } else if (type == AL_NVS_STR) {
        add_hex(o, "value_hex", data, len ? len - 1 : 0);
    } else {
        number_text(type, data, text);
        cJSON_AddItemToObject(o, "value", cJSON_CreateRaw(text));
        if (type == AL_NVS_FLOAT || type == AL_NVS_DOUBLE) add_hex(o, "bytes", data, len);
    }
}

static cJSON *read_key(struct nvs_file *f, uint8_t ns, uint8_t type, const char *key)
{
    cJSON *o = cJSON_CreateObject();
    size_t len = 0;
    uint8_t *data = NULL;
    int err = al_nvs_get(&f->nvs, ns, type, key, NULL, 0, &len);

    if (!err && !(data = calloc(1, len + 1))) err = AL_ERR_NO_MEM;
    if (!err) err = al_nvs_get(&f->nvs, ns, type, key, data, len, &len);
    cJSON_AddStringToObject(o, "type", nvs_type_name(type));
    if (err)
        cJSON_AddStringToObject(o, "error", vendor_err_name(al_err_vendor(err)));
    else
        add_value(o, type, data, len);
    free(data);
    return o;
}

static cJSON *child(cJSON *parent, const char *name)
{
    cJSON *o = cJSON_GetObjectItemCaseSensitive(parent, name);
    return o ? o : cJSON_AddObjectToObject(parent, name);
}

/* All keys first, then their values: reading may discard what is damaged. */
static int list(struct nvs_file *f, uint8_t filter, cJSON *namespaces, cJSON *iteration)
{
    struct al_nvs_iter it = {.type = filter}, *found = NULL;
    size_t count = 0;

    while (al_nvs_next(&f->nvs, &it) == 0) {
        struct al_nvs_iter *more = realloc(found, (count + 1) * sizeof *found);
        if (!more) {
            free(found);
            return cli_fail("out of memory");
        }
        found = more;
        found[count++] = it;
    }
    for (size_t i = 0; i < count; i++) {
        bool old = filter == AL_NVS_BLOB_V1;
        uint8_t type = old ? AL_NVS_BLOB : (uint8_t)found[i].found_type;
        const char *space = found[i].namespace_name, *key = found[i].key;
        cJSON *row = cJSON_CreateArray(), *in = child(namespaces, space);
        cJSON_AddItemToArray(row, cJSON_CreateString(space));
        cJSON_AddItemToArray(row, cJSON_CreateString(key));
        cJSON_AddItemToArray(row, cJSON_CreateString(nvs_type_name(type)));
        /* Of two items of a key the first is the one that is read. */
        if (!cJSON_HasObjectItem(in, key)) {
            cJSON *value = read_key(f, found[i].found_ns, type, key);
            if (old) cJSON_AddTrueToObject(value, "old_format");
            cJSON_AddItemToObject(in, key, value);
        }
        if (old)
            cJSON_Delete(row);
        else
            cJSON_AddItemToArray(iteration, row);
    }
    free(found);
    return CLI_OK;
}

static void add_pages(cJSON *doc, const struct nvs_file *f)
{
    cJSON *pages = cJSON_AddArrayToObject(doc, "pages");

    for (uint32_t at = 0; at + AL_SECTOR <= f->part.size; at += AL_SECTOR) {
        const uint8_t *raw = f->before + at;
        struct al_nvs_page p = {.state = 0};
        cJSON *o = cJSON_CreateObject();
        bool blank = true;
        al_nvs_page_header(raw, &p);
        for (uint32_t i = 0; i < AL_SECTOR && blank; i++) blank = raw[i] == 0xff;
        if (p.state == AL_NVS_PAGE_UNINIT && !blank) p.state = AL_NVS_PAGE_CORRUPT;
        cJSON_AddStringToObject(o, "state", page_states[p.state]);
        bool header = p.state != AL_NVS_PAGE_UNINIT && p.state != AL_NVS_PAGE_CORRUPT;
        cJSON_AddItemToObject(o, "seq", header ? cJSON_CreateNumber(p.seq) : cJSON_CreateNull());
        cJSON_AddItemToObject(o, "version",
                              header ? cJSON_CreateNumber(0x100 - p.version) : cJSON_CreateNull());
        cJSON_AddItemToArray(pages, o);
    }
}

static void add_stats(cJSON *doc, struct nvs_file *f)
{
    struct al_nvs_stats s;

    if (al_nvs_stats(&f->nvs, &s)) return;
    cJSON *o = cJSON_AddObjectToObject(doc, "stats");
    cJSON_AddNumberToObject(o, "used", s.used);
    cJSON_AddNumberToObject(o, "free", s.free);
    cJSON_AddNumberToObject(o, "available", s.available);
    cJSON_AddNumberToObject(o, "total", s.total);
    cJSON_AddNumberToObject(o, "namespaces", s.namespaces);
}

/* ---- for people ---- */

static void print_text(const cJSON *key)
{
    const cJSON *value = cJSON_GetObjectItem(key, "value"),
                *error = cJSON_GetObjectItem(key, "error");

    if (!value) value = cJSON_GetObjectItem(key, "value_hex");
    cli_print("  %-15s  %-6s  ", key->string, cJSON_GetObjectItem(key, "type")->valuestring);
    if (error)
        cli_print("unreadable: %s\n", error->valuestring);
    else if (strlen(value->valuestring) > PEOPLE_MAX)
        cli_print("%.*s... (%zu characters)\n", (int)PEOPLE_MAX, value->valuestring,
                  strlen(value->valuestring));
    else
        cli_print("%s\n", value->valuestring);
}

static int print_doc(const struct nvs_file *f, const cJSON *doc)
{
    const cJSON *page, *space, *key, *s = cJSON_GetObjectItem(doc, "stats");
    int i = 0;

    cli_print("%s%sNVS partition at 0x%x, 0x%x bytes", f->label, *f->label ? ": " : "",
              f->part.offset, f->part.size);
    if (s)
        cli_print(", %d of %d entries used, %d available", cJSON_GetObjectItem(s, "used")->valueint,
                  cJSON_GetObjectItem(s, "total")->valueint,
                  cJSON_GetObjectItem(s, "available")->valueint);
    cli_print("\n");
    cJSON_ArrayForEach(page, cJSON_GetObjectItem(doc, "pages"))
    {
        const cJSON *seq = cJSON_GetObjectItem(page, "seq");
        cli_print("page %-3d  %-13s", i++, cJSON_GetObjectItem(page, "state")->valuestring);
        if (cJSON_IsNumber(seq))
            cli_print("  sequence %.0f, version %d", seq->valuedouble,
                      cJSON_GetObjectItem(page, "version")->valueint);
        cli_print("\n");
    }
    cJSON_ArrayForEach(space, cJSON_GetObjectItem(doc, "namespaces"))
    {
        cli_print("%s\n", *space->string ? space->string : "(namespace lost)");
        cJSON_ArrayForEach(key, space)
        {
            print_text(key);
        }
    }
    if (!cJSON_IsTrue(cJSON_GetObjectItem(doc, "clean")) && f->init == 0)
        cli_warn("a device will repair this partition when it starts; shown is what it will then "
                 "read");
    return CLI_OK;
}

/* ---- the command ---- */

static int show(const struct cli_args *a, struct nvs_file *f)
{
    /* Images below 0x3000 bytes are made without a reserve, for read-only partitions. */
    bool reserve = f->part.size >= 3 * AL_SECTOR;
    if (cli_has(a, "--readonly") || (f->init == AL_ERR_NVS_NO_FREE_PAGES && !reserve))
        nvs_file_reopen_readonly(f);

    int init = f->init;
    bool clean = memcmp(f->before, f->image.bytes + f->part.offset, f->part.size) == 0;
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddBoolToObject(doc, "valid", init == 0);
    cJSON_AddStringToObject(doc, "init", vendor_err_name(al_err_vendor(init)));
    cJSON_AddBoolToObject(doc, "clean", init == 0 && clean);
    cJSON_AddBoolToObject(doc, "readonly", f->part.readonly);
    if (*f->label) cJSON_AddStringToObject(doc, "partition", f->label);
    cJSON_AddNumberToObject(doc, "offset", f->part.offset);
    cJSON_AddNumberToObject(doc, "size", f->part.size);
    add_pages(doc, f);
    add_stats(doc, f);
    /* What a partition without a free page holds can still be read. */
    if (init == AL_ERR_NVS_NO_FREE_PAGES) nvs_file_reopen_readonly(f);
    cJSON *spaces = cJSON_AddObjectToObject(doc, "namespaces");
    cJSON *iteration = cJSON_AddArrayToObject(doc, "iteration");
    int status = list(f, 0, spaces, iteration);
    if (!status) status = list(f, AL_NVS_BLOB_V1, spaces, iteration);
    f->init = init;
    if (!status) {
        if (cli_json_wanted(a)) {
            status = cli_print_json(doc);
            doc = NULL;
        } else {
            status = print_doc(f, doc);
        }
    }
    cJSON_Delete(doc);
    return status || init == 0 ? status : nvs_file_fail_init(f);
}

int nvs_show(const struct cli_args *a)
{
    struct nvs_file f;
    int status = nvs_file_open(a, &f);

    if (status) return status;
    status = show(a, &f);
    nvs_file_close(&f);
    return status;
}
