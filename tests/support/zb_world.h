/* A small Zigbee network in virtual time, for tests (radio/zb_sim.h). Each node has
 * endpoint 1 with a test cluster whose commands are counted.
 *
 * From the environment:
 *   ZB_WORLD_SEED=n   other luck: a world of seed s gets s - 1 + n (1: as written)
 *   ZB_WORLD_TRACE=1  prints the events and states of base device behaviour */
#ifndef TESTS_ZB_WORLD_H
#define TESTS_ZB_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these before it */
#include <cmocka.h>

#include "radio/zb_sim.h"
#include "zigbee/bdb_internal.h" /* its states */

#define ZB_WORLD_NODES  64
#define ZB_WORLD_EVENTS 256
/* Metres: no frame is lost over one hop but by others; over two nothing is heard. From 18.9
 * to 30 m frames get lost by chance (MEDIUM_FRINGE_DB). */
#define ZB_WORLD_HOP    16

struct zb_world_node {
    struct zb_sim_node *sim;
    struct al_zcl_endpoint endpoint;
    struct al_zcl_cluster cluster;
    struct al_bdb_event_args events[ZB_WORLD_EVENTS]; /* the first of them */
    unsigned event_count;
    unsigned seen; /* events looked at by zb_world_wait() */
    unsigned commands;
    uint16_t last_from;
};

struct zb_world {
    struct zb_sim *sim;
    struct zb_world_node nodes[ZB_WORLD_NODES];
    unsigned count;
};

struct zb_world *zb_world_new(const struct medium_config *c);
void zb_world_free(struct zb_world *w); /* NULL allowed */

/* A test with a world of its own, of seed 1 and without losses, as its state. */
int zb_world_begin(void **state);
int zb_world_end(void **state);
#define ZB_WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, zb_world_begin, zb_world_end)

/* Formed and open. */
struct zb_sim_node *zb_world_coordinator(struct zb_world *w);
struct zb_sim_node *zb_world_coordinator_at(struct zb_world *w, double x);
struct zb_sim_node *zb_world_add(struct zb_world *w, enum al_nwk_role role, bool sleepy);
struct zb_sim_node *zb_world_add_at(struct zb_world *w, enum al_nwk_role role, bool sleepy,
                                    double x);

/* Steers until the node is a member: up to 12 tries, as a device in the field makes. */
void zb_world_join(struct zb_world *w, struct zb_sim_node *n);
/* One try; its result. */
enum al_zb_status zb_world_steer(struct zb_world *w, struct zb_sim_node *n);
/* Power on, and what an application registers; nothing more. */
void zb_world_power_on(struct zb_world *w, struct zb_sim_node *n);
/* Power on and initialise; fails the test unless it is a member again. */
void zb_world_restart(struct zb_world *w, struct zb_sim_node *n);
/* Time passes. */
void zb_world_run(struct zb_world *w, double seconds);
/* The next event of that kind, of those not waited for yet: its status. Fails the test when
 * it does not come in time. */
enum al_zb_status zb_world_wait(struct zb_world *w, struct zb_sim_node *n, enum al_bdb_event event,
                                unsigned seconds);
/* How many such events came so far (ext 0: whatever its EUI). */
unsigned zb_world_count(struct zb_world *w, const struct zb_sim_node *n, enum al_bdb_event event,
                        uint64_t ext);
/* Steps on until the node's base device behaviour is in this state. */
void zb_world_until_state(struct zb_world *w, struct zb_sim_node *n, enum al_bdb_state state);
/* A command of the test cluster arrives, once. */
void zb_world_exchange(struct zb_world *w, struct zb_sim_node *from, struct zb_sim_node *to);
/* The node has heard of this event (ext 0: whatever its EUI). */
void zb_world_expect(struct zb_world *w, struct zb_sim_node *n, enum al_bdb_event event,
                     uint64_t ext);
/* The node does not hear the next *left beacons; the number is counted down. */
void zb_world_lose_beacons(struct zb_sim_node *n, unsigned *left);
struct zb_world_node *zb_world_of(struct zb_world *w, const struct zb_sim_node *n);

#endif
