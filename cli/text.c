#include "cli/text.h"

#include <string.h>

/* Bytes of the UTF-8 character that begins s, 1 to 4; 0: none does. */
static size_t character(const uint8_t *s, size_t len)
{
    /* Bounds of the second byte keep out overlong forms, surrogates and what is
     * behind U+10FFFF. */
    uint8_t low = 0x80, high = 0xbf;
    size_t n;
    if (s[0] < 0x80) return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
    if (s[0] == 0xe0) low = 0xa0;
    if (s[0] == 0xed) high = 0x9f;
    if (s[0] == 0xf0) low = 0x90;
    if (s[0] == 0xf4) high = 0x8f;
    n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (n > len || s[1] < low || s[1] > high) return 0;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return n;
}

bool text_is_utf8(const uint8_t *s, size_t len)
{
    for (size_t n; len > 0; s += n, len -= n)
        if ((n = character(s, len)) == 0) return false;
    return true;
}

/* C0, DEL and C1. */
static bool is_control(const uint8_t *s, size_t n)
{
    return (n == 1 && (s[0] < 0x20 || s[0] == 0x7f)) || (n == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

void text_write_plain(FILE *out, const char *text)
{
    const uint8_t *s = (const uint8_t *)text;
    size_t left = strlen(text);
    while (left > 0) {
        size_t n = character(s, left);
        bool shown = n > 0 && (s[0] == '\n' || !is_control(s, n));
        if (n == 0) n = 1;
        if (shown)
            fwrite(s, 1, n, out);
        else
            for (size_t i = 0; i < n; i++) fprintf(out, "\\x%02x", s[i]);
        s += n;
        left -= n;
    }
}

void text_write_json(FILE *out, const char *json)
{
    const uint8_t *s = (const uint8_t *)json;
    size_t left = strlen(json);
    while (left > 0) {
        size_t n = character(s, left);
        if (n == 0)
            fprintf(out, "\\\\x%02x", s[0]);
        else if (s[0] >= 0x7f && is_control(s, n))
            fprintf(out, "\\u%04x", n == 1 ? s[0] : s[1]);
        else
            fwrite(s, 1, n, out);
        if (n == 0) n = 1;
        s += n;
        left -= n;
    }
}
