/* The lower half of the MAC, for radios that can only sense, send and receive:
 * unslotted CSMA-CA, acknowledgements within aTurnaroundTime, the wait for them and
 * repetitions, the address filter, "frame pending", a receiver that sleeps while idle.
 * Source: IEEE 802.15.4-2006 clauses 6.9.9, 7.5.1.4, 7.5.6.
 *
 * It stands between struct al_radio (zigbee/radio.h), which a port makes of it with its
 * clock, and struct al_phy, which the hardware or a model of it offers. It does nothing
 * by itself: call al_transceiver_run() when the clock reaches al_transceiver_next().
 *
 *            transmit               idle channel           192 us
 *   IDLE ---> BACKOFF ---> SENSING ------> TURNAROUND ---> SENDING ---> AWAITING ack
 *    ^          ^  ^--busy----'                              |            |    |
 *    |          '------------- no ack within 864 us ---------|------------'    |
 *    '---- TRANSMITTED <-------- no ack asked for -----------'----- ack -------'
 *
 * Acknowledgements that this node sends go beside that: while one is due, the frame
 * that was to be sent begins a new backoff behind it. */
#ifndef ZIGBEE_TRANSCEIVER_H
#define ZIGBEE_TRANSCEIVER_H

#include <stddef.h>

#include "zigbee/mac_frame.h"
#include "zigbee/radio.h"

/* Microseconds; a symbol is 16. */
#define AL_SYMBOL_US         16u
#define AL_BACKOFF_US        320u /* aUnitBackoffPeriod */
#define AL_CCA_US            128u
#define AL_TURNAROUND_US     192u
#define AL_ACK_WAIT_US       864u /* macAckWaitDuration */
#define AL_SIFS_US           192u /* behind frames of up to 18 octets with FCS */
#define AL_LIFS_US           640u
#define AL_MIN_BE            3u
#define AL_MAX_BE            5u
#define AL_MAX_CSMA_BACKOFFS 4u
#define AL_MAX_FRAME_RETRIES 3u
#define AL_FCS_LEN           2u
#define AL_ACK_LEN           3u /* MPDU of an acknowledgement without FCS */

/* Time on the air of an MPDU of len octets without FCS: 4 octets preamble, delimiter,
 * length, the MPDU, FCS; 32 us each. */
static inline uint32_t al_airtime(uint32_t len)
{
    return 32u * (6u + len + AL_FCS_LEN);
}

/* What the transceiver asks of the hardware; ctx is the hardware's. Answers come
 * later, never from inside a call. */
struct al_phy {
    void *ctx;
    /* A frame that is being sent ends on the old channel. */
    void (*tune)(void *ctx, uint8_t channel, int8_t power);
    /* Receiver on or off; only a hint for saving energy: frames that come while it is
     * off are dropped by the transceiver. */
    void (*listen)(void *ctx, bool on);
    /* Clear channel assessment for AL_CCA_US from now: al_transceiver_sensed(). */
    void (*sense)(void *ctx);
    /* Sends now; the bytes stay until al_transceiver_sent(), at the end of the frame. */
    void (*send)(void *ctx, const uint8_t *mpdu, uint8_t len);
    /* Highest level on channel within us: al_transceiver_measured(). */
    void (*measure)(void *ctx, uint8_t channel, uint32_t us);
    uint32_t (*random)(void *ctx);
};

/* What the transceiver tells its user; ctx is the user's. As in struct radio_events. */
struct al_transceiver_user {
    void *ctx;
    void (*received)(void *ctx, uint64_t now, const struct al_radio_rx *rx);
    void (*transmitted)(void *ctx, uint64_t now, enum al_radio_status status, bool pending);
    void (*scanned)(void *ctx, uint64_t now, uint8_t channel, int8_t dbm);
};

/* A frame with a good FCS, as the hardware hands it over at its end: fill the first
 * fields, then al_air_frame_parse(). */
struct al_air_frame {
    const uint8_t *mpdu; /* without FCS */
    uint8_t len;         /* 3..125; others are dropped */
    int8_t rssi;
    uint8_t lqi;
    uint64_t start, end; /* first symbol of the preamble, behind the last of the FCS */
    struct al_mac_frame mac;
    bool good; /* mac holds it; else only promiscuous nodes take it */
};
void al_air_frame_parse(struct al_air_frame *f);

/* An address whose data requests are answered with "pending". */
struct al_pending_addr {
    uint64_t addr;
    bool extended;
};

enum al_transceiver_state {
    AL_TRX_IDLE,
    AL_TRX_BACKOFF,
    AL_TRX_SENSING,
    AL_TRX_TURNAROUND,
    AL_TRX_SENDING,
    AL_TRX_AWAITING, /* an acknowledgement */
    AL_TRX_SCANNING
};

struct al_transceiver_counts {
    uint32_t sent;         /* frames put on the air, with repetitions, without acks */
    uint32_t repetitions;  /* of them */
    uint32_t acks;         /* acknowledgements put on the air */
    uint32_t received;     /* frames handed to the user */
    uint32_t busy;         /* assessments that found the channel busy */
    uint32_t no_ack;       /* transmissions that failed so */
    uint32_t channel_busy; /* transmissions that failed so */
};

/* Placed by the caller. All but counts is private. */
struct al_transceiver {
    struct al_phy phy;
    struct al_transceiver_user user;
    struct al_radio_config config;
    struct al_pending_addr *pending; /* [pending_max], pending_count in use */
    uint16_t pending_max, pending_count;
    bool pending_all;

    enum al_transceiver_state state;
    uint64_t deadline;   /* of the state; UINT64_MAX: none */
    uint64_t not_before; /* IFS behind the last transmission */
    uint8_t backoffs, exponent, repeats;
    uint8_t len;
    uint8_t scan_channel;
    uint32_t scan_us;
    uint8_t frame[AL_RADIO_MPDU_MAX];

    uint8_t ack[AL_ACK_LEN];
    uint64_t ack_at; /* when an acknowledgement begins; UINT64_MAX: none is due */
    bool ack_sending;
    bool listening;
    uint64_t listening_since;
    uint64_t window_until; /* the receiver is on although config.rx_on is false */
    struct al_transceiver_counts counts;
};

/* pending: room for pending_max addresses, lives as long as t; may be NULL with 0. Begins
 * on channel 11 with 0 dBm, no addresses and the receiver off. */
void al_transceiver_init(struct al_transceiver *t, const struct al_phy *phy,
                         const struct al_transceiver_user *user, struct al_pending_addr *pending,
                         uint16_t pending_max);

/* As in struct al_radio. AL_ERR_INVALID_ARG: channel, length. AL_ERR_INVALID_STATE: a
 * transmission or scan is under way (configure: only when it would change the channel).
 * AL_ERR_NO_MEM: no room for one more pending address. */
int al_transceiver_configure(struct al_transceiver *t, uint64_t now,
                             const struct al_radio_config *c);
int al_transceiver_transmit(struct al_transceiver *t, uint64_t now, const uint8_t *mpdu,
                            uint8_t len);
int al_transceiver_set_pending(struct al_transceiver *t, bool extended, uint64_t addr,
                               bool pending);
int al_transceiver_energy_scan(struct al_transceiver *t, uint64_t now, uint8_t channel,
                               uint32_t us);
/* Every data request is answered with "pending", as a co-processor does whose host
 * keeps no table. */
void al_transceiver_pending_for_all(struct al_transceiver *t, bool on);

/* What the hardware tells. */
void al_transceiver_sensed(struct al_transceiver *t, uint64_t now, bool busy);
void al_transceiver_sent(struct al_transceiver *t, uint64_t now);
void al_transceiver_received(struct al_transceiver *t, const struct al_air_frame *f);
void al_transceiver_measured(struct al_transceiver *t, uint64_t now, int8_t dbm);

/* Whether the receiver was on for all of the frame and the address filter lets it
 * through: al_transceiver_received() drops every other. */
bool al_transceiver_hears(const struct al_transceiver *t, const struct al_air_frame *f);

uint64_t al_transceiver_next(const struct al_transceiver *t); /* UINT64_MAX: nothing is due */
void al_transceiver_run(struct al_transceiver *t, uint64_t now);

#endif
