/* What the MAC asks of an IEEE 802.15.4 radio that makes CSMA-CA, immediate
 * acknowledgements and retransmissions itself, as the radio of an ESP32-H2/C6, an
 * OpenThread co-processor and the virtual medium do. A radio that can only send and
 * receive gets them from zigbee/transceiver.h.
 *
 * MPDUs here are without the two FCS octets: the radio makes and checks them.
 * Times are microseconds of the node's clock. */
#ifndef ZIGBEE_RADIO_H
#define ZIGBEE_RADIO_H

#include <stdbool.h>
#include <stdint.h>

#define AL_RADIO_MPDU_MAX 125 /* 127 less FCS */

struct al_radio_config {
    uint8_t channel;     /* 11..26 */
    int8_t power;        /* dBm */
    uint16_t pan_id;     /* 0xffff: none, every PAN is received */
    uint16_t short_addr; /* 0xffff, 0xfffe: none */
    uint64_t ext_addr;
    bool rx_on; /* receiver on while idle; off: on only after a data request with an
                   acknowledgement that says "pending", for AL_RADIO_FRAME_WAIT */
    bool promiscuous;
};

/* macMaxFrameTotalWaitTime */
#define AL_RADIO_FRAME_WAIT_US 19520u

enum al_radio_status {
    AL_RADIO_SENT, /* acknowledged, where an acknowledgement was asked for */
    AL_RADIO_NO_ACK,
    AL_RADIO_CHANNEL_BUSY,
    AL_RADIO_FAILED /* the radio is gone or refused; see its own messages */
};

struct al_radio_rx {
    const uint8_t *mpdu;
    uint8_t len;  /* 3..125 */
    int8_t rssi;  /* dBm */
    uint8_t lqi;  /* 0..255 */
    bool pending; /* the radio acknowledged it with "frame pending" set */
};

/* Calls return 0 or AL_ERR_*; AL_ERR_INVALID_STATE: a transmission or scan is under
 * way. Results come later, never from inside a call: al_mac_transmitted(),
 * al_mac_received(), al_mac_scanned(). */
struct al_radio {
    void *ctx;
    int (*configure)(void *ctx, const struct al_radio_config *c);
    /* One frame at a time: CSMA-CA with macMinBE 3, macMaxBE 5, macMaxCSMABackoffs 4;
     * if its ack request bit is set, up to macMaxFrameRetries 3 repetitions. The bytes
     * are copied. */
    int (*transmit)(void *ctx, const uint8_t *mpdu, uint8_t len);
    /* Whether acknowledgements of this node's data requests say "pending". Unknown
     * addresses: no. */
    int (*set_pending)(void *ctx, bool extended, uint64_t addr, bool pending);
    /* Listens on channel for us; result: highest level in dBm. */
    int (*energy_scan)(void *ctx, uint8_t channel, uint32_t us);
};

#endif
