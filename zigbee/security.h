/* The auxiliary header of secured NWK and APS frames, and their protection.
 * Source: Zigbee core specification, chapter 4.
 *
 * On the air the level in the control octet is 0; the computation uses level 5
 * (encryption, MIC of 4 octets). */
#ifndef ZIGBEE_SECURITY_H
#define ZIGBEE_SECURITY_H

#include "zigbee/aes.h"
#include "zigbee/ccm.h"
#include "zigbee/put.h"

enum al_sec_key { /* key ids: which key protects a frame */
                  AL_SEC_KEY_LINK,
                  AL_SEC_KEY_NETWORK,
                  AL_SEC_KEY_TRANSPORT, /* derived from a link key: al_key_derive() */
                  AL_SEC_KEY_LOAD
};

struct al_aux {
    uint64_t source;     /* EUI-64; on the air only with has_source, in the nonce always */
    uint32_t counter;    /* frame counter */
    uint8_t key_id;      /* enum al_sec_key */
    uint8_t key_seq;     /* only with AL_SEC_KEY_NETWORK */
    uint8_t level;       /* as on the air: 0. Not used in the computation */
    bool has_source;     /* extended nonce */
    bool verify_counter; /* R23: asks for a verified frame counter; 0 is sent */
};

#define AL_AUX_NWK_SIZE 14u /* network key, with the source */
#define AL_AUX_APS_SIZE 13u /* a link key, with the source */

size_t al_aux_size(const struct al_aux *aux);
/* Failure stays in the cursor. */
void al_aux_parse(struct al_aux *aux, struct al_cur *c);
void al_aux_build(const struct al_aux *aux, struct al_put *p);

/* A secured frame: header, auxiliary header, payload [, MIC], lying in one piece. */
#define AL_SECURED_HEADER_MAX 127u /* longest header with auxiliary header */

/* Encrypts the payload of the frame that fills p from offset frame_at to its end, and
 * appends the MIC. aux_at: offset in p of its auxiliary header. source: EUI-64 for the
 * nonce, used when the auxiliary header has none.
 * Returns 0, AL_ERR_INVALID_SIZE (no room in p, or its failure before), AL_ERR_SHORT. */
int al_security_seal(const struct al_aes *aes, const uint8_t key[16], uint64_t source,
                     struct al_put *p, size_t frame_at, size_t aux_at);

/* Checks and decrypts. frame, len: with the MIC; aux_at: offset in frame of its auxiliary
 * header. plain takes the payload without MIC: up to len octets; it may be the payload's
 * own place in frame. Returns the payload's length, or
 *   AL_ERR_INVALID_CRC  the MIC is wrong: other key, other source, or a changed frame
 *   AL_ERR_SHORT        no complete auxiliary header and MIC
 *   AL_ERR_INVALID_SIZE header longer than AL_SECURED_HEADER_MAX */
int al_security_open(const struct al_aes *aes, const uint8_t key[16], uint64_t source,
                     const uint8_t *frame, size_t len, size_t aux_at, uint8_t *plain);

/* The same for a frame as its parser leaves it: *payload, *payload_len are encrypted, with the
 * MIC. On success they are plain's; 0 or an error as above. */
int al_security_open_payload(const struct al_aes *aes, const uint8_t key[16], uint64_t source,
                             const uint8_t *frame, size_t aux_at, const uint8_t **payload,
                             size_t *payload_len, uint8_t *plain);

#endif
