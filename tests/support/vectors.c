#include "tests/support/vectors.h"

#include "host/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

uint8_t *vector_file(size_t *len, const char *path, ...)
{
    char full[512] = "tests/vectors/";
    size_t prefix = strlen(full);
    va_list ap;
    va_start(ap, path);
    vsnprintf(full + prefix, sizeof full - prefix, path, ap);
    va_end(ap);

    uint8_t *data = NULL;
    int err = file_read(full, 1u << 26, &data, len);
    if (err) fail_msg("%s: %s", full, strerror(-err));
    return data;
}

cJSON *vector_json(const char *path)
{
    size_t len;
    uint8_t *text = vector_file(&len, "%s", path);
    cJSON *json = cJSON_ParseWithLength((const char *)text, len);
    free(text);
    if (!json) fail_msg("tests/vectors/%s is not JSON", path);
    return json;
}

const cJSON *vector_get(const cJSON *object, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!v) fail_msg("vector has no key \"%s\"", key);
    return v;
}

int64_t vector_to_number(const cJSON *value)
{
    if (cJSON_IsNumber(value)) return (int64_t)value->valuedouble;
    if (!cJSON_IsString(value)) fail_msg("vector: \"%s\" is no number", value->string);
    if (strcmp(value->valuestring, "erased") == 0) return 0xffffffff;
    char *end;
    int64_t n = strtoll(value->valuestring, &end, 0);
    if (*end || end == value->valuestring) fail_msg("vector: \"%s\": no number", value->string);
    return n;
}

int64_t vector_number(const cJSON *object, const char *key)
{
    return vector_to_number(vector_get(object, key));
}

const char *vector_string(const cJSON *object, const char *key)
{
    const cJSON *v = vector_get(object, key);
    if (!cJSON_IsString(v)) fail_msg("vector: \"%s\" is no string", key);
    return v->valuestring;
}

void vector_hex(const cJSON *object, const char *key, uint8_t *out, size_t len)
{
    const char *hex = vector_string(object, key);
    if (strlen(hex) != 2 * len) fail_msg("vector: \"%s\" is not %zu bytes", key, len);
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) fail_msg("vector: \"%s\" is no hex", key);
        out[i] = (uint8_t)byte;
    }
}
