/* Time to verify an app image in flash, as the boot loader does at every
 * reset, next to SHA-256 by OpenSSL over the same bytes and nothing else.
 * Usage: boot_verify IMAGE ROUNDS; prints JSON. */
#include "core/image_verify.h"
#include "device/nor_flash.h"
#include "host/crypto_openssl.h"
#include "host/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLOT 0x10000u

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double best(double a, double b)
{
    return a == 0 || b < a ? b : a;
}

int main(int argc, char **argv)
{
    uint8_t *image, digest[32];
    size_t len;
    struct nor_flash nor;
    if (argc != 3 || file_read(argv[1], 12u << 20, &image, &len) || len < 48) {
        fprintf(stderr, "usage: boot_verify IMAGE ROUNDS\n");
        return 2;
    }
    if (nor_flash_memory(&nor, 16u << 20)) return 1;
    nor_flash_fill(&nor, SLOT, image, (uint32_t)len);

    struct al_image_header header;
    al_image_header_parse(image, &header);
    const struct al_window slot = {&nor.flash, SLOT, (16u << 20) - SLOT, true};
    const struct al_image_rules rules = {
        .crypto = &crypto_openssl,
        .device = {.chip = al_chip_by_id(header.chip_id), .revision = header.min_chip_rev_full},
        .loading = true,
    };
    double verify = 0, hash = 0;
    for (int i = atoi(argv[2]); i > 0; i--) {
        double began = now();
        struct al_image_fault fault;
        if (al_image_verify(&slot, &rules, NULL, &fault)) {
            fprintf(stderr, "boot_verify: the image is not valid (check %d)\n", fault.check);
            return 1;
        }
        verify = best(verify, now() - began);
        began = now();
        crypto_digest(AL_SHA256, nor.readable + SLOT, len, digest);
        hash = best(hash, now() - began);
    }
    printf("{\"bytes\": %zu, \"verify_s\": %.9f, \"sha256_s\": %.9f}\n", len, verify, hash);
    nor_flash_close(&nor);
    free(image);
    return 0;
}
