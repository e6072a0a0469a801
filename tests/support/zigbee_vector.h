/* Frames of tests/vectors/zigbee-stack and what their README says of keys and addresses. */
#ifndef TESTS_SUPPORT_ZIGBEE_VECTOR_H
#define TESTS_SUPPORT_ZIGBEE_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "zigbee/aes.h"

#define ZIGBEE_VECTORS 30u

#define ZIGBEE_COORDINATOR 0x744dbdfffe63788aull
#define ZIGBEE_DEVICE      0x744dbdfffe60aa02ull
#define ZIGBEE_DEVICE_ADDR 0x60ebu
#define ZIGBEE_PAN         0xa1eau

extern const uint8_t zigbee_network_key[16];

/* Frame 1..30 with its FCS; its length. */
size_t zigbee_vector(unsigned number, uint8_t mpdu[127]);

/* Bytes of hexadecimal text, blanks skipped; their count. */
size_t zigbee_hex(const char *text, uint8_t *out, size_t size);

/* AES of OpenSSL, one for the program. */
const struct al_aes *zigbee_aes(void);

#endif
