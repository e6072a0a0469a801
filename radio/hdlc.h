/* HDLC-lite, the framing of spinel on a byte stream:
 *
 *   7e | escaped (payload | FCS, low byte first) | 7e
 *
 * One flag may end a frame and begin the next. 7d says that the next byte has bit 5
 * inverted; so travel 7e 7d 11 13 f8. FCS: CRC-16/X-25 (not the radio's). */
#ifndef RADIO_HDLC_H
#define RADIO_HDLC_H

#include "zigbee/put.h"

#define HDLC_PAYLOAD_MAX 2048u
/* Room that a payload of n bytes may need on the line. */
#define HDLC_LINE_MAX(n) (2u * ((n) + 2u) + 2u)

#define HDLC_FLAG 0x7e

/* Appends a frame; out fails when it does not fit. */
void hdlc_put(struct al_put *out, const uint8_t *payload, size_t len);

/* A zeroed one is ready. */
struct hdlc_decoder {
    uint8_t payload[HDLC_PAYLOAD_MAX + 2]; /* of the frame found; valid until the next call */
    size_t len;
    bool escaped, too_long, complete;
    uint32_t bad; /* frames dropped so far: wrong FCS, too short or too long, cut escape */
};

/* Takes bytes up to the end of a good frame; *used: how many were taken. Returns the
 * payload's length (at least 1), 0 when all bytes were taken and no frame is complete.
 * Bytes 11 and 13 that are not escaped are flow control of the line and are skipped;
 * empty frames too. */
size_t hdlc_take(struct hdlc_decoder *d, const uint8_t *data, size_t len, size_t *used);

#endif
