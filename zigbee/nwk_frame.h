/* Frames of the Zigbee NWK layer. Parsed payloads point into the input.
 * Source: Zigbee core specification, 3.3. */
#ifndef ZIGBEE_NWK_FRAME_H
#define ZIGBEE_NWK_FRAME_H

#include "zigbee/security.h"

enum al_nwk_type { AL_NWK_DATA, AL_NWK_COMMAND, AL_NWK_INTER_PAN = 3 };

#define AL_NWK_VERSION    2u
#define AL_NWK_RELAYS_MAX 12u /* longer source routes are not handled */

struct al_nwk_frame {
    uint64_t dst_ext, src_ext; /* EUI-64s, with has_dst_ext, has_src_ext */
    const uint8_t *frame;      /* parsed: the frame's first octet */
    const uint8_t *payload;    /* parsed and secured: encrypted, with the MIC */
    size_t payload_len;
    struct al_aux aux; /* with secured */
    uint16_t dst, src;
    uint16_t relays[AL_NWK_RELAYS_MAX]; /* source route; [0] is nearest to the destination */
    uint8_t relay_count;
    uint8_t relay_index;
    uint8_t type;           /* enum al_nwk_type */
    uint8_t discover_route; /* 0 suppress, 1 enable */
    uint8_t radius;
    uint8_t seq;
    uint8_t aux_at; /* parsed: offset of the auxiliary header in frame */
    bool secured;
    bool source_route; /* the relays are there */
    bool has_dst_ext, has_src_ext;
    bool end_device; /* initiated by an end device */
    uint16_t fcf;    /* as parsed; al_nwk_build does not look at it */
};

/* The multicast octet is skipped. Returns 0 or
 *   AL_ERR_INVALID_VERSION  protocol version not 2 (3: Green Power)
 *   AL_ERR_NOT_SUPPORTED    inter-PAN or reserved frame type; more than 12 relays
 *   AL_ERR_SHORT            ends inside the header, or too short for a MIC */
int al_nwk_parse(struct al_nwk_frame *f, const uint8_t *npdu, size_t len);

/* Octets of the header, with auxiliary header, source route and EUI-64s. */
size_t al_nwk_header_size(const struct al_nwk_frame *f);

/* Header, auxiliary header if secured, payload as it is. To relay a frame, or for one
 * without security. 0, or AL_ERR_INVALID_SIZE: no room; AL_ERR_INVALID_ARG: > 12 relays. */
int al_nwk_build(const struct al_nwk_frame *f, struct al_put *p);

/* The same for a plain payload: encrypts it and appends the MIC. AL_ERR_INVALID_ARG: f is not
 * secured. After an error what was written is of no use. */
int al_nwk_seal(const struct al_nwk_frame *f, const struct al_aes *aes, const uint8_t key[16],
                struct al_put *p);

/* Checks and decrypts what al_nwk_parse found. source: EUI-64 of the sender, used when the
 * auxiliary header has none. plain: payload_len octets; may be f->payload's own place.
 * Then f->payload is plain. 0, AL_ERR_INVALID_ARG (f is not secured), or the errors of
 * al_security_open(); f is then as before. The frame counter is the
 * caller's to check, afterwards. */
int al_nwk_open(struct al_nwk_frame *f, const struct al_aes *aes, const uint8_t key[16],
                uint64_t source, uint8_t *plain);

#endif
