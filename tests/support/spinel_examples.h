/* Spinel frames and how they travel, recorded between zigbee-on-host and a co-processor. */
#ifndef TESTS_SUPPORT_SPINEL_EXAMPLES_H
#define TESTS_SUPPORT_SPINEL_EXAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct spinel_example {
    const char *what;
    const char *payload; /* hex */
    const char *wire;    /* hex */
};
extern const struct spinel_example spinel_examples[]; /* ends with a zeroed one */

/* The example named so; fails the test when there is none. */
const struct spinel_example *spinel_example(const char *what);

/* Bytes of hex digits; gives their number. */
size_t hex_bytes(const char *hex, uint8_t *out, size_t size);

#endif
