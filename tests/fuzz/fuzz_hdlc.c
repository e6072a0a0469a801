/* Any bytes on the line: what is decoded does not depend on the pieces in which they come,
 * and travels again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "radio/hdlc.h"

static struct hdlc_decoder whole, pieces, again;

static void travel(const uint8_t *payload, size_t len)
{
    static uint8_t line[HDLC_LINE_MAX(HDLC_PAYLOAD_MAX)];
    struct al_put p = al_put(line, sizeof line);
    size_t used;
    hdlc_put(&p, payload, len);
    if (p.failed || hdlc_take(&again, line, p.len, &used) != len || used != p.len) abort();
    if (memcmp(again.payload, payload, len) != 0) abort();
}

/* The next frame, fed in pieces of `size`; 0: none up to the end. */
static size_t next_in_pieces(const uint8_t *data, size_t len, size_t *at, size_t size)
{
    while (*at < len) {
        size_t used, left = len - *at;
        size_t n = hdlc_take(&pieces, data + *at, left < size ? left : size, &used);
        if (used == 0) abort();
        *at += used;
        if (n) return n;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    size_t piece = data[0] % 9 + 1u, at = 0, at_pieces = 0;
    memset(&whole, 0, sizeof whole);
    memset(&pieces, 0, sizeof pieces);
    data++;
    size--;
    for (;;) {
        size_t used, n = hdlc_take(&whole, data + at, size - at, &used);
        at += used;
        if (n != next_in_pieces(data, size, &at_pieces, piece)) abort();
        if (!n) break;
        if (at != at_pieces || memcmp(whole.payload, pieces.payload, n) != 0) abort();
        travel(whole.payload, n);
    }
    if (whole.bad != pieces.bad) abort();
    return 0;
}
