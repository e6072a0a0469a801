/* A Zigbee node of this machine: struct al_node (zigbee/node.h) with its memory, AES,
 * random numbers and the engines that run beside it. Where its frames go is the caller's:
 * a radio (radio/zb_loop.h) or a simulation (radio/zb_sim.h). */
#ifndef RADIO_ZB_NODE_H
#define RADIO_ZB_NODE_H

#include "zigbee/node.h"

/* Something with timers of its own: an OTA client or server, an application. */
struct zb_engine {
    void *ctx;
    uint64_t (*next)(void *ctx); /* UINT64_MAX: nothing is due */
    void (*run)(void *ctx, uint64_t now);
    struct zb_engine *following; /* zb_node_add_engine() */
};

struct zb_node {
    struct al_node node;
    struct aes_openssl *aes;
    void *memory;
    uint64_t prng; /* of a simulation; 0: the kernel's random numbers */
    struct zb_engine *engines;
};

/* c: aes, random and memory are filled in. seed 0: unpredictable random numbers, for real
 * networks; else the same run each time. AL_ERR_NO_MEM, or as al_node_init(). */
int zb_node_open(struct zb_node *n, const struct al_node_config *c, uint64_t seed);
void zb_node_close(struct zb_node *n);

/* e is placed by the caller and lives as long as the node. */
void zb_node_add_engine(struct zb_node *n, struct zb_engine *e);

uint64_t zb_node_next(const struct zb_node *n);
void zb_node_run(struct zb_node *n, uint64_t now);

/* For struct al_zota_transport and others that want a function alone; ctx: struct zb_node. */
uint32_t zb_node_random(void *ctx);

#endif
