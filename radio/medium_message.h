/* The messages between a medium and the processes attached to it: one a packet of the
 * socket, little-endian, first an octet that says which. docs/radio.md shows them.
 *
 *   node to medium                          medium to node
 *   01 ATTACH      version, EUI-64, name    80 HELLO        "airlift medium", version
 *   02 CONFIGURE   struct al_radio_config   81 ATTACHED     EUI-64, flags, speed, time
 *   03 TRANSMIT    MPDU                     82 RECEIVED     time, RSSI, LQI, flags, MPDU
 *   04 SET_PENDING flags, address           83 TRANSMITTED  time, status, flags
 *   05 SCAN        channel, us              84 SCANNED      time, channel, dBm
 *   06 WAITING     until, messages seen     85 TIME         time
 *                                           8f ERROR        text; then the medium hangs up */
#ifndef RADIO_MEDIUM_MESSAGE_H
#define RADIO_MEDIUM_MESSAGE_H

#include <stddef.h>

#include "zigbee/radio.h"

#define MEDIUM_VERSION     1u
#define MEDIUM_MESSAGE_MAX 256 /* octets */
#define MEDIUM_NAME_MAX    32  /* characters of a node's name, without the NUL */

enum medium_message_type {
    MEDIUM_ATTACH = 0x01,
    MEDIUM_CONFIGURE = 0x02,
    MEDIUM_TRANSMIT = 0x03,
    MEDIUM_SET_PENDING = 0x04,
    MEDIUM_SCAN = 0x05,
    MEDIUM_WAITING = 0x06,
    MEDIUM_HELLO = 0x80,
    MEDIUM_ATTACHED_AS = 0x81,
    MEDIUM_RECEIVED = 0x82,
    MEDIUM_TRANSMITTED = 0x83,
    MEDIUM_SCANNED = 0x84,
    MEDIUM_TIME = 0x85,
    MEDIUM_ERROR = 0x8f
};

/* Fields of a message; those that its type has not are zero. */
struct medium_message {
    enum medium_message_type type;
    uint64_t time;   /* microseconds of the medium; WAITING: until when */
    uint64_t eui64;  /* ATTACH: 0: any. SET_PENDING: the address */
    uint32_t number; /* SCAN: us. WAITING: messages seen since ATTACHED, that one included.
                        ATTACHED: virtual seconds in 1000 seconds */
    uint8_t version; /* ATTACH, HELLO */
    uint8_t status;  /* enum al_radio_status */
    uint8_t channel; /* SCAN, SCANNED */
    int8_t dbm;      /* RECEIVED, SCANNED */
    uint8_t lqi;
    bool pending;  /* RECEIVED, TRANSMITTED, SET_PENDING; CONFIGURE: for all */
    bool extended; /* SET_PENDING */
    bool fast;     /* ATTACHED */
    struct al_radio_config config;
    uint8_t len; /* of data */
    uint8_t
        data[MEDIUM_MESSAGE_MAX]; /* MPDU; name and text end with a NUL that len does not count */
};

/* False: why then names what is wrong with it. */
bool medium_message_parse(struct medium_message *m, const void *packet, size_t len, char *why,
                          size_t why_size);

/* Octets written to packet. The message must be one that parse accepts. */
size_t medium_message_build(const struct medium_message *m, uint8_t packet[MEDIUM_MESSAGE_MAX]);

/* "TRANSMIT"; "unknown" */
const char *medium_message_name(unsigned type);

#endif
