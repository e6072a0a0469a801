#include "zigbee/fcs.h"

/* Both sums for the 16 values of a nibble: small enough for a small device. */
static const uint16_t nibbles[16] = {
    0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387,
    0x8408, 0x9489, 0xa50a, 0xb58b, 0xc60c, 0xd68d, 0xe70e, 0xf78f,
};

uint16_t al_fcs(uint16_t fcs, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++) {
        fcs = (uint16_t)(fcs >> 4 ^ nibbles[(fcs ^ p[i]) & 0x0f]);
        fcs = (uint16_t)(fcs >> 4 ^ nibbles[(fcs ^ p[i] >> 4) & 0x0f]);
    }
    return fcs;
}

uint16_t al_crc_x25(uint16_t crc, const void *data, size_t len)
{
    return (uint16_t)~al_fcs((uint16_t)~crc, data, len);
}
