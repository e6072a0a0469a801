/* Is what somebody publishes what it claims to be? An app or boot loader image is held
 * against the checks that a device would make, with the figures the image itself asks for. */
#ifndef SERVER_IMAGE_CHECK_H
#define SERVER_IMAGE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/store.h"

struct image_refusal {
    char check[32];    /* short name: "checksum", "length"... */
    char message[512]; /* for people */
};

/* The kinds that artifacts can have: "esp-app", "esp-bootloader", "zigbee" (zigbee_check.h),
 * "other" (not looked at). */
bool image_kind_ok(const char *kind);

/* a->kind says as what ("": it is found out); project, version, chip and secure_version are
 * filled in. false: why. */
bool image_check(const uint8_t *data, size_t len, struct artifact *a, struct image_refusal *why);

#endif
