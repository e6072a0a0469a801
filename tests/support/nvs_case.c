#include "tests/support/nvs_case.h"

#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "host/vendor_log.h"

static void record(struct nvs_case *c, bool erase, uint32_t offset, uint32_t len)
{
    if (c->ops < NVS_CASE_OPS) c->op[c->ops] = (struct nvs_op){erase, offset, len};
    c->ops++;
}

static int count_read(void *ctx, uint32_t addr, void *dst, uint32_t len)
{
    struct nvs_case *c = ctx;
    return c->mem.flash.read(c->mem.flash.ctx, addr, dst, len);
}

static int count_program(void *ctx, uint32_t addr, const void *src, uint32_t len)
{
    struct nvs_case *c = ctx;
    record(c, false, addr, len);
    return c->mem.flash.program(c->mem.flash.ctx, addr, src, len);
}

static int count_erase(void *ctx, uint32_t addr, uint32_t len)
{
    struct nvs_case *c = ctx;
    record(c, true, addr, len);
    return c->mem.flash.erase(c->mem.flash.ctx, addr, len);
}

static const uint8_t *count_map(void *ctx, uint32_t addr, uint32_t len)
{
    struct nvs_case *c = ctx;
    return c->mem.flash.map(c->mem.flash.ctx, addr, len);
}

struct nvs_case *nvs_case_new(const char *start, bool mapped)
{
    struct nvs_case *c = calloc(1, sizeof *c);
    uint8_t *image = NULL;
    unsigned pages;
    size_t len;

    assert_non_null(c);
    if (sscanf(start, "erased:%u", &pages) == 1)
        len = pages * 4096u;
    else
        image = vector_file(&len, "nvs/%s", start);
    mem_flash_init(&c->mem, (uint32_t)len, mapped);
    if (image) mem_flash_put(&c->mem, 0, image, len);
    free(image);
    c->flash = (struct al_flash){.ctx = c,
                                 .size = (uint32_t)len,
                                 .read = count_read,
                                 .program = count_program,
                                 .erase = count_erase,
                                 .map = mapped ? count_map : NULL};
    c->part = al_window_all(&c->flash);
    return c;
}

/* One edit's bytes: hex, "XX*N", "cSRC:N" of base, "dSRC:N" of donor. */
static void apply_edit(struct nvs_case *c, uint32_t at, const char *what, const uint8_t *base,
                       const uint8_t *donor)
{
    uint8_t *dst = c->mem.bytes + at;
    unsigned byte, from, count;

    if (sscanf(what, "c%u:%u", &from, &count) == 2) {
        memcpy(dst, base + from, count);
    } else if (what[0] == 'd' && strchr(what, ':') && sscanf(what, "d%u:%u", &from, &count) == 2) {
        assert_non_null(donor);
        memcpy(dst, donor + from, count);
    } else if (sscanf(what, "%2x*%u", &byte, &count) == 2) {
        memset(dst, (int)byte, count);
    } else {
        for (; sscanf(what, "%2x", &byte) == 1 && what[0]; what += 2) *dst++ = (uint8_t)byte;
    }
}

void nvs_case_edit(struct nvs_case *c, const cJSON *edits, const char *donor)
{
    uint8_t *base = malloc(c->flash.size), *other = NULL;
    const cJSON *edit;
    size_t len;

    assert_non_null(base);
    memcpy(base, c->mem.bytes, c->flash.size);
    if (donor) other = vector_file(&len, "nvs/%s", donor);
    cJSON_ArrayForEach(edit, edits)
    {
        uint32_t at = (uint32_t)cJSON_GetArrayItem(edit, 0)->valuedouble;
        apply_edit(c, at, cJSON_GetArrayItem(edit, 1)->valuestring, base, other);
    }
    free(base);
    free(other);
}

void nvs_case_free(struct nvs_case *c)
{
    mem_flash_free(&c->mem);
    free(c);
}

int nvs_case_init(struct nvs_case *c)
{
    return al_nvs_init(&c->nvs, &c->part, c->page, NVS_CASE_PAGES);
}

void sha256_hex(const void *data, size_t len, char out[65])
{
    uint8_t hash[32];
    SHA256(data, len, hash);
    for (int i = 0; i < 32; i++) sprintf(out + 2 * i, "%02x", hash[i]);
}

void nvs_case_sha256(const struct nvs_case *c, char out[65])
{
    sha256_hex(c->mem.bytes, c->flash.size, out);
}

static const struct {
    const char *name;
    enum al_nvs_type type;
} types[] = {{"u8", AL_NVS_U8},         {"i8", AL_NVS_I8},   {"u16", AL_NVS_U16},
             {"i16", AL_NVS_I16},       {"u32", AL_NVS_U32}, {"i32", AL_NVS_I32},
             {"u64", AL_NVS_U64},       {"i64", AL_NVS_I64}, {"float", AL_NVS_FLOAT},
             {"double", AL_NVS_DOUBLE}, {"str", AL_NVS_STR}, {"blob", AL_NVS_BLOB},
             {"any", AL_NVS_ANY}};

enum al_nvs_type nvs_type(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, name) == 0) return types[i].type;
    fail_msg("type %s of a vector is unknown", name);
    return 0;
}

const char *nvs_type_word(enum al_nvs_type type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type) return types[i].name;
    return NULL;
}

static uint8_t *number_bytes(enum al_nvs_type type, const char *text, size_t *len)
{
    uint8_t *out = calloc(1, 8);
    uint64_t bits = text[0] == '-' ? (uint64_t)strtoll(text, NULL, 10) : strtoull(text, NULL, 10);
    double d = strtod(text, NULL);
    float f = (float)d;

    assert_non_null(out);
    *len = type & 15u;
    if (type == AL_NVS_DOUBLE)
        memcpy(out, &d, 8);
    else if (type == AL_NVS_FLOAT)
        memcpy(out, &f, 4);
    else
        memcpy(out, &bits, *len);
    return out;
}

uint8_t *nvs_value_bytes(enum al_nvs_type type, const char *text, size_t *len)
{
    unsigned count, seed;

    if (type != AL_NVS_STR && type != AL_NVS_BLOB) return number_bytes(type, text, len);
    bool str = type == AL_NVS_STR, made = sscanf(text, "@%u:%u", &count, &seed) == 2;
    if (!made) count = text[0] == '-' ? 0 : (unsigned)strlen(text) / 2;
    uint8_t *out = calloc(1, count + 1);
    assert_non_null(out);
    uint32_t x = made ? seed * 2654435761u + 1 : 0;
    for (unsigned i = 0, byte; i < count; i++) {
        if (made) {
            x = x * 1664525u + 1013904223u;
            byte = x >> 24;
            if (str) byte = 32 + byte % 95;
        } else {
            assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
        }
        out[i] = (uint8_t)byte;
    }
    *len = count + str;
    return out;
}

static double number_of(enum al_nvs_type type, const uint8_t *data)
{
    uint64_t u = 0;
    unsigned bits = (type & 15u) * 8;

    memcpy(&u, data, type & 15u);
    if (!(type & 0x10)) return (double)u;
    return (double)((int64_t)(u << (64 - bits)) >> (64 - bits));
}

void nvs_assert_bytes(enum al_nvs_type type, const uint8_t *data, size_t len, const cJSON *value,
                      const cJSON *sha256)
{
    char text[65] = "";
    bool str = type == AL_NVS_STR, number = type < AL_NVS_STR;

    if (sha256) {
        sha256_hex(data, len - str, text);
        assert_string_equal(text, sha256->valuestring);
    } else if (str) {
        assert_int_equal(len, strlen(value->valuestring) + 1);
        assert_memory_equal(data, value->valuestring, len);
    } else if (number && cJSON_IsString(value)) {
        snprintf(text, sizeof text, "%lld", *(const long long *)(const void *)data);
        if (type == AL_NVS_U64)
            snprintf(text, sizeof text, "%llu", *(const unsigned long long *)(const void *)data);
        assert_string_equal(text, value->valuestring);
    } else if (number) {
        assert_true(number_of(type, data) == value->valuedouble);
    } else {
        size_t wanted;
        uint8_t *bytes = nvs_value_bytes(AL_NVS_BLOB, value->valuestring, &wanted);
        assert_int_equal(len, wanted);
        assert_memory_equal(data, bytes, len);
        free(bytes);
    }
}

void nvs_assert_value(struct nvs_case *c, uint8_t ns, const char *key, const cJSON *expected)
{
    enum al_nvs_type type = nvs_type(vector_string(expected, "type"));
    const cJSON *fails = cJSON_GetObjectItem(expected, "get");
    size_t len = 0;
    uint8_t *data = calloc(1, 600000);

    assert_non_null(data);
    int err = al_nvs_get(&c->nvs, ns, type, key, NULL, 0, &len);
    if (!err) err = al_nvs_get(&c->nvs, ns, type, key, data, len, &len);
    assert_string_equal(vendor_err_name(al_err_vendor(err)), fails ? fails->valuestring : "ESP_OK");
    const cJSON *length = cJSON_GetObjectItem(expected, "length");
    if (length) assert_int_equal(len, length->valuedouble);
    if (!fails)
        nvs_assert_bytes(type, data, len, cJSON_GetObjectItem(expected, "value"),
                         cJSON_GetObjectItem(expected, "sha256"));
    free(data);
}
