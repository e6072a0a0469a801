/* A radio near a network that is no member of it: overhears, and sends whatever it likes. */
#ifndef TESTS_ZB_ROGUE_H
#define TESTS_ZB_ROGUE_H

#include "tests/support/zb_upgrade.h"

#define ZB_ROGUE_KEPT 256

struct zb_rogue {
    struct zb_upgrade *u;
    /* Writes the next frame (without FCS) to p; false: none now. */
    bool (*make)(struct zb_rogue *r, struct al_put *p);
    void *ctx;
    uint32_t random; /* seed */
    uint32_t gap_us; /* between two frames, at least; 0: 10 ms */
    bool stop;
    /* Own */
    struct medium_node *air;
    uint8_t mpdu[ZB_ROGUE_KEPT][AL_RADIO_MPDU_MAX], len[ZB_ROGUE_KEPT]; /* the last ones heard */
    unsigned heard, sent;
    bool busy;
};

/* On the channel of the coordinator. r lives as long as r->u. */
void zb_rogue_start(struct zb_rogue *r);
uint32_t zb_rogue_random(struct zb_rogue *r, uint32_t below);
/* One of the frames overheard; false: none yet. */
bool zb_rogue_pick(struct zb_rogue *r, struct al_put *p);

#endif
