/* The upper half of the IEEE 802.15.4 MAC for a PAN without beacons: addresses, a
 * transmit queue, scans, beacons, association, indirect transmission and polling, and
 * rejection of duplicates. CSMA-CA, acknowledgements and retries are the radio's
 * (zigbee/radio.h). Source: IEEE 802.15.4-2006; constants: Zigbee PRO.
 *
 *            al_mac_send ...                      data, sent, beacon ...
 *   NWK ------------------------> struct al_mac ------------------------> NWK
 *                                  |        ^
 *                  radio->transmit v        | al_mac_received, al_mac_transmitted
 *                                    radio                                          */
#ifndef ZIGBEE_MAC_H
#define ZIGBEE_MAC_H

#include "zigbee/mac_frame.h"
#include "zigbee/radio.h"
#include "zigbee/status.h"

#define AL_MAC_PERSISTENCE_US   7680000u /* of an indirect frame */
#define AL_MAC_RESPONSE_WAIT_US 491520u

/* One frame in the queue; the caller hands in an array of them. */
struct al_mac_slot {
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
    uint8_t len;   /* 0: free */
    bool indirect; /* waits for a poll of dst */
    bool released; /* indirect, and polled for: to be sent until release_by */
    bool answer;   /* to an association request */
    bool failed;   /* the radio refused it; sent() comes with the next run */
    uint16_t handle;
    uint32_t order; /* first in, first out */
    struct al_mac_addr dst;
    uint64_t not_before;          /* jitter of beacons */
    uint64_t release_by, expires; /* indirect */
};

/* Duplicates: the last frame of a neighbour. A repetition has the same bytes. */
struct al_mac_seen {
    uint64_t addr; /* short or extended address */
    uint8_t mode;  /* AL_MAC_NONE: free */
    uint8_t seq;
    uint32_t crc; /* of all but the frame control field: "pending" may differ */
    uint64_t at;
};

struct al_mac_data_ind {
    struct al_mac_addr dst, src;
    const uint8_t *payload;
    size_t len;
    uint8_t lqi;
    int8_t rssi;
    bool pending; /* the sender has more for this child */
};

struct al_mac_beacon_ind {
    uint8_t channel, lqi;
    uint16_t pan_id, addr; /* of the sender */
    bool permit_join, pan_coordinator;
    struct al_zb_beacon zigbee; /* the payload (mac_frame.h) */
};

/* What the MAC tells the layer above; any may be NULL. A callback may call the MAC. None
 * comes from inside al_mac_send(), al_mac_scan(), al_mac_associate() and al_mac_poll(). */
struct al_mac_up {
    void (*data)(void *ctx, uint64_t now, const struct al_mac_data_ind *ind);
    /* A frame with a handle other than 0 has left, or never will. */
    void (*sent)(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status);
    void (*beacon)(void *ctx, uint64_t now, const struct al_mac_beacon_ind *ind);
    void (*energy)(void *ctx, uint64_t now, uint8_t channel, int8_t dbm);
    void (*scan_done)(void *ctx, uint64_t now);
    /* Joiner: the answer of the parent. TIMEOUT, NO_ACK...: none came. */
    void (*associated)(void *ctx, uint64_t now, enum al_zb_status status, uint16_t addr);
    /* Parent: somebody asks; answer by al_mac_association_answer(), or not. */
    void (*association)(void *ctx, uint64_t now, uint64_t ext, uint8_t capability);
    void (*disassociated)(void *ctx, uint64_t now, const struct al_mac_addr *src, uint8_t reason);
    /* Parent: a child polled (short or extended address). */
    void (*child_polled)(void *ctx, uint64_t now, const struct al_mac_addr *child);
    /* Child: end of al_mac_poll(): OK a frame came (after data()), NO_DATA, NO_ACK... */
    void (*poll_done)(void *ctx, uint64_t now, enum al_zb_status status);
};

struct al_mac_config {
    const struct al_radio *radio;
    struct al_zb_random random;
    uint64_t ext_addr;
    struct al_mac_slot *slots; /* direct and indirect frames together */
    uint16_t slot_count;
    struct al_mac_seen *seen;
    uint16_t seen_count;
    const struct al_mac_up *up;
    void *up_ctx;
};

struct al_mac {
    struct al_mac_config c;
    struct al_radio_config radio; /* as last configured */
    uint8_t seq, beacon_seq;
    uint32_t order;
    struct al_mac_slot own;      /* the MAC's own command: beacon, association or data request */
    struct al_mac_slot *sending; /* under way, or NULL */
    bool radio_busy;             /* a transmission is under way, perhaps of before a stop */
    bool radio_due;              /* the radio has yet to learn its configuration */
    uint64_t retry_at;           /* the radio was busy with something else; 0: it was not */
    uint16_t used, top;          /* slots: how many, and behind the last of them */
    bool answers_beacons;
    struct al_mac_beacon_ind own_beacon;
    struct {
        uint8_t kind; /* 0: none; AL_MAC_SCAN_* */
        uint8_t state;
        uint8_t channel, duration;
        uint32_t mask; /* channels left */
        uint64_t until;
        struct al_radio_config before;
    } scan;
    struct {
        uint8_t state;
        uint8_t capability;
        uint16_t parent;
        uint64_t parent_ext; /* of the answer */
        uint64_t next_poll, until;
    } assoc;
    struct {
        uint8_t state;
        uint16_t parent;
        uint64_t until;
    } poll;
    uint32_t tx_frames, tx_failures, rx_frames, rx_duplicates, rx_bad; /* counted for people */
};

/* Zeroes m; nothing is on yet. */
void al_mac_init(struct al_mac *m, const struct al_mac_config *c);

/* On air with these addresses. addr 0xffff: not yet known (joining). rx_on: the receiver
 * is on while idle. Frames in the queue stay. */
int al_mac_start(struct al_mac *m, uint8_t channel, uint16_t pan_id, uint16_t addr, bool rx_on);
/* Forgets queue, scan, association, poll; no callbacks; receiver off. */
void al_mac_stop(struct al_mac *m);

/* Answers beacon requests after a short random time with this (channel, lqi and addr are
 * filled in); NULL: no more. */
void al_mac_set_beacon(struct al_mac *m, const struct al_mac_beacon_ind *b);

struct al_mac_send {
    struct al_mac_addr dst; /* its pan is not looked at; short 0xffff: broadcast */
    const uint8_t *payload;
    size_t len;
    bool indirect;   /* keep until dst polls with this address; sent() with EXPIRED after
                        AL_MAC_PERSISTENCE_US */
    uint16_t handle; /* 0: no sent() */
};
/* Copies. AL_ERR_NO_MEM: no slot free (the last ones are kept for direct frames);
 * AL_ERR_INVALID_SIZE: longer than an MPDU; AL_ERR_INVALID_STATE: not started. */
int al_mac_send(struct al_mac *m, uint64_t now, const struct al_mac_send *s);
/* Takes a queued frame back; false: it is under way or not there. */
bool al_mac_purge(struct al_mac *m, uint16_t handle);
unsigned al_mac_free_slots(const struct al_mac *m);

enum al_mac_scan_kind { AL_MAC_SCAN_ENERGY = 1, AL_MAC_SCAN_ACTIVE };
/* mask: bit n is channel n. duration: n of 960 * (2^n + 1) symbols a channel. Afterwards
 * the radio is as before. AL_ERR_INVALID_STATE: a scan is under way. */
int al_mac_scan(struct al_mac *m, uint64_t now, enum al_mac_scan_kind kind, uint32_t mask,
                uint8_t duration);

/* Sets channel and PAN, asks, polls for the answer; ends with associated(). capability:
 * AL_CAP_* of mac_frame.h. */
int al_mac_associate(struct al_mac *m, uint64_t now, uint8_t channel, uint16_t pan_id,
                     uint16_t parent, uint8_t capability);
/* Parent: the answer waits for the joiner's poll. addr is 0xffff unless status is OK;
 * handle as in al_mac_send(). An answer to ext that still waits is dropped without a word.
 * AL_ERR_NO_MEM: too many wait. */
int al_mac_association_answer(struct al_mac *m, uint64_t now, uint64_t ext, uint16_t addr,
                              enum al_zb_status status, uint16_t handle);

/* Child: one data request to parent (by short address, or extended while addr is not
 * known); ends with poll_done(). AL_ERR_INVALID_STATE: one is under way. */
int al_mac_poll(struct al_mac *m, uint64_t now, uint16_t parent);

/* From the radio. */
void al_mac_received(struct al_mac *m, uint64_t now, const struct al_radio_rx *rx);
void al_mac_transmitted(struct al_mac *m, uint64_t now, enum al_radio_status status,
                        bool ack_pending);
void al_mac_scanned(struct al_mac *m, uint64_t now, uint8_t channel, int8_t dbm);

uint64_t al_mac_next(const struct al_mac *m); /* when to call run; UINT64_MAX: not needed */
void al_mac_run(struct al_mac *m, uint64_t now);

#endif
