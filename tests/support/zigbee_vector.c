#include "tests/support/zigbee_vector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/aes_openssl.h"
#include "tests/support/vectors.h"

const uint8_t zigbee_network_key[16] = {0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x07, 0x18,
                                        0x29, 0x3a, 0x4b, 0x5c, 0x6d, 0x7e, 0x8f, 0x90};

size_t zigbee_hex(const char *text, uint8_t *out, size_t size)
{
    size_t len = 0;
    for (; *text; text += 2) {
        while (*text == ' ') text++;
        if (!*text) break;
        unsigned byte;
        if (sscanf(text, "%2x", &byte) != 1 || len == size) fail_msg("bad hex: %s", text);
        out[len++] = (uint8_t)byte;
    }
    return len;
}

static bool find(const char *file, unsigned number, char hex[256])
{
    size_t len;
    char *text = (char *)vector_file(&len, "zigbee-stack/%s", file), *at = text;
    bool found = false;
    for (char *line = strsep(&at, "\n"); line && !found; line = strsep(&at, "\n")) {
        unsigned n;
        found = sscanf(line, "%u %*s %*s %255s", &n, hex) == 2 && n == number;
    }
    free(text);
    return found;
}

size_t zigbee_vector(unsigned number, uint8_t mpdu[127])
{
    char hex[256];
    if (!find("join-ota.txt", number, hex) && !find("fragments.txt", number, hex))
        fail_msg("no frame %u in tests/vectors/zigbee-stack", number);
    return zigbee_hex(hex, mpdu, 127);
}

static struct aes_openssl *aes;

static void free_aes(void)
{
    aes_openssl_free(aes);
}

const struct al_aes *zigbee_aes(void)
{
    if (!aes) {
        aes = aes_openssl_new();
        assert_non_null(aes);
        atexit(free_aes);
    }
    return aes_openssl_aes(aes);
}
