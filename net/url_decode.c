/* See url_decode.h. */
#include "net/url_decode.h"

#include <ctype.h>
#include <stdlib.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    int lower = tolower((unsigned char)c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

char *url_decode(const char *text, size_t len, bool query)
{
    char *out = malloc(len + 1), *to = out;
    if (!out) return NULL;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            int high = len - i > 2 ? hex_digit(text[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
            if (low < 0 || (high == 0 && low == 0)) {
                free(out);
                return NULL;
            }
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && query) {
            c = ' ';
        }
        *to++ = c;
    }
    *to = 0;
    return out;
}
