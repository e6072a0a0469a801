/* A MAC (zigbee/mac.h) on a radio that only notes what it is told, in virtual time. What
 * the MAC says upwards is written down as text, to be compared. */
#ifndef TESTS_SUPPORT_MAC_BENCH_H
#define TESTS_SUPPORT_MAC_BENCH_H

#include "zigbee/mac.h"

#define MAC_BENCH_EXT   0x7af1000000000001u
#define MAC_BENCH_PAN   0x1a62u
#define MAC_BENCH_ADDR  0x1234u
#define MAC_BENCH_SLOTS 8
#define MAC_BENCH_AIR   32

struct mac_bench {
    struct al_mac mac;
    uint64_t now;
    struct al_mac_slot slots[MAC_BENCH_SLOTS];
    struct al_mac_seen seen[4];
    struct al_radio radio;
    struct al_radio_config config; /* last configured */
    unsigned configured;           /* how often */
    struct {
        uint8_t mpdu[AL_RADIO_MPDU_MAX];
        uint8_t len;
    } air[MAC_BENCH_AIR]; /* transmitted; ends when the bench is over */
    unsigned sent, taken;
    int transmit_error, configure_error, energy_error; /* to give */
    uint8_t energy_channel;                            /* being measured; 0: none */
    uint32_t energy_us;
    char pending[256]; /* the last words about source match: "+1234 -1234" */
    char log[2048];
    uint32_t random;
    void (*on_sent)(struct mac_bench *b, uint16_t handle); /* to do inside sent() */
};

void mac_bench_init(struct mac_bench *b);
/* Init, then on channel 15 as a member with its address, receiver on. */
void mac_bench_member(struct mac_bench *b);

/* The next frame that was given to the radio, parsed; fails when there is none. */
struct al_mac_frame mac_bench_take(struct mac_bench *b);
bool mac_bench_silent(const struct mac_bench *b); /* nothing more was transmitted */
void mac_bench_done(struct mac_bench *b, enum al_radio_status status, bool ack_pending);
void mac_bench_sent(struct mac_bench *b); /* done, acknowledged, nothing pending */

void mac_bench_receive(struct mac_bench *b, const struct al_mac_frame *f, bool pending);
void mac_bench_receive_bytes(struct mac_bench *b, const void *mpdu, size_t len);
/* A data request of a child. pending: the radio acknowledged it so. */
void mac_bench_poll_from(struct mac_bench *b, struct al_mac_addr child, uint8_t seq, bool pending);

/* Queues data; fails on an error. */
void mac_bench_send(struct mac_bench *b, struct al_mac_addr dst, const char *text, bool indirect,
                    uint16_t handle);

/* The clock goes on by us, timers run when they are due. */
void mac_bench_wait(struct mac_bench *b, uint64_t us);

/* What was said upwards since the last time is exactly this. */
void mac_bench_expect(struct mac_bench *b, const char *log);

#endif
