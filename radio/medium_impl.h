/* The inside of the medium: for medium*.c only. */
#ifndef RADIO_MEDIUM_IMPL_H
#define RADIO_MEDIUM_IMPL_H

#include "radio/medium.h"
#include "radio/medium_queue.h"

#define CHANNELS     16
#define LONGEST_US   (32u * 133) /* airtime of a frame of 127 octets */
#define EVENT_KINDS  3           /* queue slots of a node: its index times this, plus one of */
#define EVENT_TIMER  0           /* of its transceiver */
#define EVENT_PHY    1           /* end of sensing, sending or measuring */
#define EVENT_WAKE   2           /* of its user */
#define NO_NODE      UINT32_MAX
#define LEVEL_NEVER  (-1000.0f) /* of links that carry nothing */
#define PRR_BY_LEVEL (-1.0f)

struct link {
    float dbm; /* level at 0 dBm sent */
    float prr; /* PRR_BY_LEVEL, or given */
};

struct transmission {
    uint64_t start, end;
    uint32_t from; /* index; NO_NODE: the sender is gone */
    int8_t power;
    uint8_t len;
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
};

/* What is and was lately on a channel, in the order of the starts. */
struct air {
    struct transmission *ring; /* [size], a power of two */
    size_t size;
    uint64_t first, end; /* numbers; in use: ring[first % size] .. ring[(end - 1) % size] */
    uint64_t busy_until;
};

enum phy_work { PHY_NOTHING, PHY_SENSING, PHY_SENDING, PHY_MEASURING };

struct medium_node {
    struct medium *medium;
    uint32_t index;
    uint8_t channel;
    int8_t power;
    enum phy_work work;
    uint64_t work_began;
    uint64_t transmission; /* its number on the channel */
    uint8_t sending_channel, measured_channel;
    float measured;
    uint64_t random;
    struct al_transceiver transceiver;
    struct al_radio port;
    struct medium_node_config config;
    struct al_pending_addr *pending;
    char name[40];
};

struct medium {
    struct medium_config config;
    uint64_t now;
    uint64_t random;
    struct medium_queue queue;
    struct medium_node **nodes; /* [room]; NULL: free */
    size_t count, room;         /* count: highest index in use + 1 */
    struct link *links;         /* [room][room]: from, to */
    struct air air[CHANNELS];
    unsigned measuring; /* nodes that do */
    struct medium_stats stats;
};

uint32_t medium_random(uint64_t *state);
double medium_random_unit(uint64_t *state); /* 0 <= x < 1 */
uint64_t medium_mix(uint64_t x);

static inline struct link *medium_link(const struct medium *m, uint32_t from, uint32_t to)
{
    return &m->links[from * m->room + to];
}

/* medium_links.c: both directions between n and all others. */
void medium_link_up(struct medium *m, struct medium_node *n);
/* Level of a transmission at a node, LEVEL_NEVER when it cannot be heard. */
float medium_level(const struct medium *m, const struct transmission *x, uint32_t to);
/* Probability that an undisturbed frame arrives. */
double medium_reception(const struct medium *m, const struct transmission *x, uint32_t to,
                        float level);

/* medium_air.c: the hardware that a transceiver works with. */
struct al_phy medium_phy(struct medium_node *n);
void medium_phy_event(struct medium_node *n); /* its EVENT_PHY has come */
void medium_phy_gone(struct medium_node *n);
/* To be called after everything that may have moved the transceiver's deadlines. */
void medium_node_sync(struct medium_node *n);

#endif
