/* Frames of the 802.15.4 MAC as Zigbee uses them: frame version 0 or 1, no MAC security.
 * MPDUs are without the two FCS octets. Parsed payloads point into the MPDU. */
#ifndef ZIGBEE_MAC_FRAME_H
#define ZIGBEE_MAC_FRAME_H

#include "zigbee/put.h"

#define AL_MPDU_MIN 3u
#define AL_MPDU_MAX 125u

#define AL_MAC_BROADCAST 0xffffu /* short address and PAN id */
#define AL_MAC_NO_SHORT  0xfffeu /* associated, but without a short address */

enum al_mac_type { AL_MAC_BEACON, AL_MAC_DATA, AL_MAC_ACK, AL_MAC_COMMAND };
enum al_mac_mode { AL_MAC_NONE = 0, AL_MAC_SHORT = 2, AL_MAC_EXT = 3 };

struct al_mac_addr {
    uint64_t ext;        /* AL_MAC_EXT */
    uint16_t pan;        /* not with AL_MAC_NONE */
    uint16_t short_addr; /* AL_MAC_SHORT */
    uint8_t mode;        /* enum al_mac_mode */
};

struct al_mac_frame {
    struct al_mac_addr dst, src;
    const uint8_t *payload; /* of a command: its id and what follows */
    uint8_t payload_len;
    uint8_t type; /* enum al_mac_type */
    uint8_t seq;
    bool pending;
    bool ack_request;
    uint16_t fcf; /* as parsed; al_mac_build does not look at it */
};

/* Returns 0 or
 *   AL_ERR_INVALID_SIZE     shorter than 3 or longer than 125 octets
 *   AL_ERR_NOT_SUPPORTED    frame type above 3, or MAC security
 *   AL_ERR_INVALID_VERSION  frame version 2 or 3
 *   AL_ERR_INVALID_ARG      address mode 1, or PAN id compression without two addresses
 *   AL_ERR_SHORT            ends inside the addresses */
int al_mac_parse(struct al_mac_frame *f, const uint8_t *mpdu, size_t len);

/* Header, then the payload if there is one (a caller may also write it behind). The source
 * PAN is left out when both addresses are present and the PANs are equal.
 * 0, or AL_ERR_INVALID_SIZE: no room. */
int al_mac_build(const struct al_mac_frame *f, struct al_put *p);

struct al_mac_addr al_mac_short(uint16_t pan, uint16_t addr);
struct al_mac_addr al_mac_ext(uint16_t pan, uint64_t addr);

/* Capability information of association and rejoin requests and of Device_annce. */
#define AL_CAP_ALT_COORDINATOR 0x01u
#define AL_CAP_ROUTER          0x02u
#define AL_CAP_MAINS           0x04u
#define AL_CAP_RX_ON           0x08u
#define AL_CAP_SECURITY        0x40u
#define AL_CAP_ALLOCATE        0x80u

/* Command frames. */
enum al_mac_command_id {
    AL_MAC_ASSOC_REQUEST = 1,
    AL_MAC_ASSOC_RESPONSE = 2,
    AL_MAC_DISASSOC = 3,
    AL_MAC_DATA_REQUEST = 4,
    AL_MAC_BEACON_REQUEST = 7
};

enum al_mac_assoc_status {
    AL_MAC_ASSOC_OK = 0,
    AL_MAC_ASSOC_FULL = 1,
    AL_MAC_ASSOC_DENIED = 2,
    AL_MAC_ASSOC_CONFLICT = 0xf0 /* Zigbee: address conflict */
};

struct al_mac_command {
    uint8_t id;          /* enum al_mac_command_id */
    uint8_t capability;  /* association request */
    uint16_t short_addr; /* association response */
    uint8_t status;      /* association response: al_mac_assoc_status; disassociation: reason */
};

/* payload, len: of the frame. AL_ERR_NOT_SUPPORTED: another id (it is set); AL_ERR_SHORT. */
int al_mac_command_parse(struct al_mac_command *cmd, const uint8_t *payload, size_t len);
int al_mac_command_build(const struct al_mac_command *cmd, struct al_put *p);

/* What a Zigbee network says of itself in its beacons. */
struct al_zb_beacon {
    uint64_t epid;        /* extended PAN id */
    uint32_t tx_offset;   /* 24 bits; 0xffffff */
    uint8_t profile;      /* stack profile: 2 */
    uint8_t version;      /* protocol version: 2 */
    uint8_t depth;        /* 0..15 */
    uint8_t update_id;    /* nwkUpdateId */
    bool router_capacity; /* takes routers as children */
    bool end_device_capacity;
};

/* The payload of a beacon frame. */
struct al_mac_beacon {
    struct al_zb_beacon zigbee;
    uint16_t superframe;
};

#define AL_SUPERFRAME_NO_BEACONS  0x0fffu /* beacon order 15, superframe order 15, slot 15 */
#define AL_SUPERFRAME_COORDINATOR 0x4000u
#define AL_SUPERFRAME_PERMIT      0x8000u

/* AL_ERR_NOT_SUPPORTED: not of a Zigbee network (another protocol id, guaranteed time slots,
 * pending addresses); superframe is set. AL_ERR_SHORT. */
int al_mac_beacon_parse(struct al_mac_beacon *b, const uint8_t *payload, size_t len);
int al_mac_beacon_build(const struct al_mac_beacon *b, struct al_put *p);

#endif
