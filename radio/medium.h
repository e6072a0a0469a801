/* A model of the air: 2.4 GHz channels of IEEE 802.15.4 with any number of nodes, in
 * virtual time. It is a discrete-event simulation: one queue of events, microseconds,
 * no threads, the same run for the same seed and calls. docs/radio.md says what it
 * models and what not.
 *
 * A node is a transceiver (zigbee/transceiver.h) and offers struct al_radio, so that a
 * stack runs on it as on any radio; its timers go through the same queue
 * (medium_node_wake). The whole of a network is then one process:
 *
 *   struct medium *m = medium_new(&(struct medium_config){.seed = 1, .loss = 0.05});
 *   struct medium_node *n = medium_add_node(m, &(struct medium_node_config){...});
 *   mac_init(..., medium_node_port(n));      callbacks come from medium_run_until()
 *   medium_node_wake(n, al_mac_next(...));   in every callback
 *   medium_run_until(m, 3600000000);
 */
#ifndef RADIO_MEDIUM_H
#define RADIO_MEDIUM_H

#include <stddef.h>

#include "radio/radio.h"
#include "zigbee/transceiver.h"

#define MEDIUM_SENSITIVITY_DBM (-95)  /* below it a frame is not heard, not sensed either */
#define MEDIUM_NOISE_DBM       (-100) /* level of an idle channel */
#define MEDIUM_LEVEL_DBM       (-50)  /* of links for which neither place nor link is given */
#define MEDIUM_FRINGE_DB       6      /* above the sensitivity, where frames begin to be lost */
#define MEDIUM_RANGE_M         30.0
#define MEDIUM_EXPONENT        3.0

struct medium;
struct medium_node;

/* A frame on the air, told at its end. */
struct medium_frame {
    uint64_t start, end;
    const struct medium_node *from;
    const uint8_t *mpdu; /* without FCS */
    uint8_t len;
    uint8_t channel;
    int8_t power;  /* dBm at the sender */
    bool overlaps; /* another frame was on the channel meanwhile, heard or not */
};

/* Zeros mean the defaults. */
struct medium_config {
    uint64_t seed;
    double loss;       /* 0..1: probability that a receiver loses a frame, besides the rest */
    double capture_db; /* the stronger of two overlapping frames survives when it is
                          stronger by this; 0: both are lost */
    double range_m;  /* distance at which a sender of 0 dBm is just not heard; 0: MEDIUM_RANGE_M */
    double exponent; /* of the path loss; 0: MEDIUM_EXPONENT */
    double shadowing_db; /* standard deviation of each link's level; 0: none */
    void (*frame)(void *ctx,
                  const struct medium_frame *f); /* every frame on the air; may be NULL */
    void *frame_ctx;
};

struct medium_node_config {
    uint64_t eui64;
    const char *name;           /* copied; for people; NULL: none */
    bool placed;                /* x, y are given; else it hears and is heard by all */
    double x, y;                /* metres */
    uint16_t pending_max;       /* addresses for set_pending; 0: 256 */
    struct radio_events events; /* restarted is never called; others may be NULL */
    /* The time asked for with medium_node_wake() has come; may be NULL. */
    void (*wake)(void *ctx, uint64_t now);
    void *ctx; /* of events and wake */
};

struct medium_stats {
    uint64_t frames;      /* put on the air, acknowledgements included */
    uint64_t acks;        /* of them */
    uint64_t repetitions; /* of them */
    uint64_t delivered;   /* to a receiver that wanted them; acknowledgements included */
    uint64_t collisions;  /* lost at a receiver that wanted them, by another frame */
    uint64_t losses;      /* lost at a receiver that wanted them, by chance or a weak link */
    uint64_t no_ack, channel_busy; /* transmissions given up */
    uint64_t events;
    uint64_t airtime_us; /* sum over all frames */
    uint64_t air_us[16]; /* time in which channel 11 + i carried at least one frame */
};

struct medium *medium_new(const struct medium_config *c); /* NULL: no memory */
void medium_free(struct medium *m);                       /* with its nodes; NULL allowed */

/* NULL: no memory. The node begins with its receiver off: configure it. */
struct medium_node *medium_add_node(struct medium *m, const struct medium_node_config *c);
/* Its frame on the air breaks off. Not from inside one of the node's own callbacks. */
void medium_remove_node(struct medium_node *n);

/* The link from one node to the other, one direction. prr: 0..1, packet reception rate
 * besides medium_config.loss (0: out of range, not sensed); dbm: level at 0 dBm sent. */
void medium_set_link(struct medium_node *from, struct medium_node *to, double prr, int8_t dbm);
/* Moves a node: its links are worked out anew, explicit ones too. */
void medium_place_node(struct medium_node *n, double x, double y);

const struct al_radio *medium_node_port(struct medium_node *n);
uint64_t medium_node_eui64(const struct medium_node *n);
const char *medium_node_name(const struct medium_node *n);
const struct al_transceiver *medium_node_transceiver(const struct medium_node *n);
struct medium *medium_of(const struct medium_node *n);
/* All nodes: index from 0 to medium_node_room() - 1; NULL: none has that index. */
size_t medium_node_room(const struct medium *m);
struct medium_node *medium_node_at(const struct medium *m, size_t index);
void medium_node_pending_for_all(struct medium_node *n, bool on);

/* One wake-up a node: a later call replaces the time; UINT64_MAX: none. A time that
 * has passed: at once, in the next step. */
void medium_node_wake(struct medium_node *n, uint64_t at);

uint64_t medium_now(const struct medium *m);
uint64_t medium_next(const struct medium *m); /* time of the next event; UINT64_MAX: none */
/* Makes the next event happen and the time its time; false: there is none. */
bool medium_step(struct medium *m);
/* Makes all events up to and at `until` happen; the time is then `until`. */
void medium_run_until(struct medium *m, uint64_t until);

void medium_stats(const struct medium *m, struct medium_stats *s);

#endif
