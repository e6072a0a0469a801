/* See spinel_examples.h. */
#include "tests/support/spinel_examples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SEND_BEACON                                                                                \
    "8703711c00008003621a0000ffcf0000002284010000fefffa12f4ffffff00c41f0f010401010001000000000000" \
    "00000f"
#define SENT "8706000000010000c48000000a000fc878e6a052b060060001000005000000000000"
#define RECEIVED                                                                     \
    "8006710a00030801ffffffff07c4b1c48000000a000fc890e2a052b06006000100000500000000" \
    "0000"

const struct spinel_example spinel_examples[] = {
    {"get protocol version", "810201", "7e810201c5b27e"},
    {"protocol version", "8106010403", "7e8106010403db0a7e"},
    {"get RCP API version", "8402b001", "7e8402b001033d7e"},
    {"RCP API version", "8406b0010b", "7e8406b0010be10e7e"},
    {"reset stack", "860102", "7e86010233267e"},
    {"reset done", "80060072", "7e80060072fc577e"},
    {"PHY on", "87032001", "7e870320014f5b7e"},
    {"channel 15", "8803210f", "7e8803210f10197e"},
    {"channel 17", "88032111", "7e8803217d31efe07e"},
    {"channel 19", "88032113", "7e8803217d33fdc37e"},
    {"long address", "8a0334f412fafffe000001", "7e8a0334f412fafffe00000146ca7e"},
    {"PAN", "8c0336621a", "7e8c0336621a96ae7e"},
    {"raw stream on", "8e033701", "7e8e033701b57a7e"},
    {"send beacon", SEND_BEACON, "7e" SEND_BEACON "9f907e"},
    {"sent", SENT, "7e" SENT "7b8b7e"},
    {"received beacon request", RECEIVED, "7e" RECEIVED "a3cb7e"},
    {"no ack", "850600110001", "7e8506007d310001f27d337e"},
    {"channel access failure", "850600120001", "7e85060012000196fc7e"},
    {0},
};

const struct spinel_example *spinel_example(const char *what)
{
    for (const struct spinel_example *e = spinel_examples; e->what; e++)
        if (strcmp(e->what, what) == 0) return e;
    fail_msg("no example '%s'", what);
    return NULL;
}

size_t hex_bytes(const char *hex, uint8_t *out, size_t size)
{
    size_t n = strlen(hex) / 2;
    assert_true(strlen(hex) % 2 == 0 && n <= size);
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return n;
}
