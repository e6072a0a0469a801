#include "core/version_number.h"

#include <string.h>

#define FIELDS 3u

/* A field of len digits. -1: it is empty, no number, or beyond 255. */
static int32_t parse_field(const char *digits, size_t len)
{
    int32_t value = len ? 0 : -1;
    for (size_t i = 0; i < len && value >= 0; i++) {
        if (digits[i] < '0' || digits[i] > '9') return -1;
        value = value * 10 + (digits[i] - '0');
        if (value > 255) return -1;
    }
    return value;
}

int32_t al_version_number(const char *text)
{
    int32_t number = 0;
    size_t fields = 0;
    if (strlen(text) > AL_VERSION_TEXT_MAX) return -1;
    for (text += strspn(text, "."); *text; text += strspn(text, ".")) {
        size_t len = strcspn(text, ".");
        size_t prefix = fields == 0 ? 1 : 0;
        if (fields++ == FIELDS || (prefix && *text != 'v' && *text != 'V')) return -1;
        int32_t value = parse_field(text + prefix, len - prefix);
        if (value < 0) return -1;
        number = number << 8 | value;
        text += len;
    }
    return fields == FIELDS ? number : -1;
}
