/* Whole Zigbee nodes on the model of the air (radio/medium.h), in virtual time: for tests
 * and for `airlift zigbee simulate`. One process, one thread, deterministic by seed. */
#ifndef RADIO_ZB_SIM_H
#define RADIO_ZB_SIM_H

#include "radio/medium.h"
#include "radio/zb_node.h"

struct zb_sim;

/* A node of the simulation. Valid until zb_sim_free(). */
struct zb_sim_node {
    struct zb_node zb;
    struct zb_sim *sim;
    struct medium_node *air;
    struct zb_memory *records;
    struct al_node_config config; /* for zb_sim_power_on() */
    bool on;
    bool timed;   /* cpu_s is measured */
    double cpu_s; /* processor time that this node took */
    /* Instead of the node hears this frame: tests drop, change, double and delay frames
     * here, by zb_sim_hear(). NULL: it hears everything. */
    void (*hears)(void *ctx, struct zb_sim_node *n, const struct al_radio_rx *rx);
    void *hears_ctx;
};

struct zb_sim *zb_sim_new(const struct medium_config *c); /* NULL: no memory */
void zb_sim_free(struct zb_sim *s);                       /* NULL allowed */
struct medium *zb_sim_medium(struct zb_sim *s);
uint64_t zb_sim_now(const struct zb_sim *s);

/* c: radio, store and ext (from `place`, when 0) are filled in as well. place: may be NULL:
 * heard by all; else its name, eui64 and position. NULL: no memory. */
struct zb_sim_node *zb_sim_add(struct zb_sim *s, const struct al_node_config *c,
                               const struct medium_node_config *place);
/* The power goes and comes: all but the records is gone, engines too. */
void zb_sim_power_off(struct zb_sim_node *n);
int zb_sim_power_on(struct zb_sim_node *n);

/* As if the radio had received it now. Not from inside one of the node's callbacks but
 * `hears`. */
void zb_sim_hear(struct zb_sim_node *n, const struct al_radio_rx *rx);
/* After calls into a node from outside its callbacks: its timers have changed. */
void zb_sim_touch(struct zb_sim_node *n);
/* Lets time pass; stops early when until() (may be NULL) says so. True: it did. */
bool zb_sim_run(struct zb_sim *s, uint64_t us, bool (*until)(void *ctx), void *ctx);

#endif
