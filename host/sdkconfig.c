#include "host/sdkconfig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text behind "CONFIG_<name>=", up to the end of the line. */
static const char *find_value(const char *text, size_t len, const char *name, size_t *value_len)
{
    char key[128];
    int key_len = snprintf(key, sizeof key, "CONFIG_%s=", name);
    if (key_len < 0 || (size_t)key_len >= sizeof key) return NULL;
    for (const char *line = text, *end = text + len; line < end;) {
        const char *eol = memchr(line, '\n', (size_t)(end - line));
        if (!eol) eol = end;
        if (eol - line >= key_len && memcmp(line, key, (size_t)key_len) == 0) {
            const char *value = line + key_len;
            if (eol > value && eol[-1] == '\r') eol--;
            *value_len = (size_t)(eol - value);
            return value;
        }
        line = eol + 1;
    }
    return NULL;
}

bool sdkconfig_get(const char *text, size_t len, const char *name, char *value, size_t size)
{
    size_t raw_len;
    const char *raw = find_value(text, len, name, &raw_len);
    if (!raw || size == 0) return false;
    size_t n = 0;
    bool quoted = raw_len >= 2 && raw[0] == '"' && raw[raw_len - 1] == '"';
    size_t end = quoted ? raw_len - 1 : raw_len;
    for (size_t i = quoted; i < end; i++) {
        if (quoted && raw[i] == '\\' && i + 1 < end) i++;
        if (n + 1 == size) return false;
        value[n++] = raw[i];
    }
    value[n] = 0;
    return true;
}

bool sdkconfig_bool(const char *text, size_t len, const char *name)
{
    char value[4];
    return sdkconfig_get(text, len, name, value, sizeof value) && strcmp(value, "y") == 0;
}

long sdkconfig_int(const char *text, size_t len, const char *name, long fallback)
{
    char value[32], *end;
    if (!sdkconfig_get(text, len, name, value, sizeof value)) return fallback;
    long n = strtol(value, &end, 0);
    return end != value && *end == 0 ? n : fallback;
}
