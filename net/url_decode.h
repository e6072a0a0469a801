/* Percent-decoding of one part of a URL. */
#ifndef NET_URL_DECODE_H
#define NET_URL_DECODE_H

#include <stdbool.h>
#include <stddef.h>

/* malloc'ed text; NULL: no memory, a '%' without two hex digits, or an encoded NUL.
 * query: '+' is a space. */
char *url_decode(const char *text, size_t len, bool query);

#endif
