/* The two checksums of 802.15.4 and Zigbee; both use the polynomial 0x1021, bit
 * reversed (0x8408). */
#ifndef ZIGBEE_FCS_H
#define ZIGBEE_FCS_H

#include <stddef.h>
#include <stdint.h>

/* Frame check sequence of 802.15.4: starts at 0, nothing inverted, sent low octet first.
 * Running: give 0 first, then the result so far. Over a frame and its FCS: 0. */
uint16_t al_fcs(uint16_t fcs, const void *data, size_t len);

/* CRC-16/X-25 (install codes, HDLC): starts at 0xffff, inverted at the end, sent low octet
 * first. Running: give 0 first, then the result so far. Over data and its CRC:
 * AL_CRC_X25_GOOD. */
#define AL_CRC_X25_GOOD 0x0f47u
uint16_t al_crc_x25(uint16_t crc, const void *data, size_t len);

#endif
