/* Frames of the Zigbee APS layer. Parsed payloads point into the input.
 * Source: Zigbee core specification, 2.2.5. */
#ifndef ZIGBEE_APS_FRAME_H
#define ZIGBEE_APS_FRAME_H

#include "zigbee/security.h"

enum al_aps_type { AL_APS_DATA, AL_APS_COMMAND, AL_APS_ACK };
enum al_aps_delivery { AL_APS_UNICAST = 0, AL_APS_BROADCAST = 2, AL_APS_GROUP = 3 };
enum al_aps_fragment {
    AL_APS_WHOLE = 0,
    AL_APS_FIRST = 1,  /* block: how many blocks there are. In acks always this one */
    AL_APS_MIDDLE = 2, /* block: index, from 1 */
    AL_APS_LAST = 3    /* reserved in the standard; zigbee-on-host sends it */
};

#define AL_PROFILE_ZDP  0x0000u
#define AL_PROFILE_HA   0x0104u
#define AL_PROFILE_ANY  0xffffu
#define AL_ENDPOINT_ALL 255u
#define AL_ENDPOINT_GP  242u

struct al_aps_frame {
    const uint8_t *frame;   /* parsed: the frame's first octet */
    const uint8_t *payload; /* parsed and secured: encrypted, with the MIC */
    size_t payload_len;
    struct al_aux aux;         /* with secured */
    uint16_t cluster, profile; /* data, and acks of data */
    uint16_t group;            /* AL_APS_GROUP: instead of dst_endpoint */
    uint8_t type;              /* enum al_aps_type */
    uint8_t delivery;          /* enum al_aps_delivery */
    uint8_t dst_endpoint, src_endpoint;
    uint8_t counter;
    uint8_t fragment; /* enum al_aps_fragment, with extended */
    uint8_t block;    /* block number; in acks the first of the window */
    uint8_t ack_bits; /* acks of blocks: bit i: block + i has arrived */
    uint8_t aux_at;   /* parsed: offset of the auxiliary header in frame */
    bool ack_format;  /* acks: of a command, so without endpoints and cluster */
    bool secured;
    bool ack_request;
    bool extended; /* extended header */
    uint8_t fcf;   /* as parsed; al_aps_build does not look at it */
};

/* Returns 0 or
 *   AL_ERR_NOT_SUPPORTED  inter-PAN frame
 *   AL_ERR_INVALID_ARG    delivery mode 1
 *   AL_ERR_SHORT          ends inside the header, or too short for a MIC */
int al_aps_parse(struct al_aps_frame *f, const uint8_t *apdu, size_t len);

/* Octets of the header, with extended and auxiliary header. */
size_t al_aps_header_size(const struct al_aps_frame *f);

/* Header, auxiliary header if secured, payload as it is. 0, or AL_ERR_INVALID_SIZE. */
int al_aps_build(const struct al_aps_frame *f, struct al_put *p);

/* As al_nwk_seal(). key: already derived for the key id (al_key_derive). */
int al_aps_seal(const struct al_aps_frame *f, const struct al_aes *aes, const uint8_t key[16],
                struct al_put *p);

/* As al_nwk_open(), with such a key. */
int al_aps_open(struct al_aps_frame *f, const struct al_aes *aes, const uint8_t key[16],
                uint64_t source, uint8_t *plain);

/* The acknowledgement of f (data, a block of data, or a command), endpoints swapped. For a
 * block: block and ack_bits are the caller's to set. */
struct al_aps_frame al_aps_ack_of(const struct al_aps_frame *f);

#endif
