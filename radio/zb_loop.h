/* A Zigbee node on a radio of this machine: one thread, one loop. */
#ifndef RADIO_ZB_LOOP_H
#define RADIO_ZB_LOOP_H

#include "radio/radio.h"
#include "radio/zb_node.h"

struct zb_loop {
    struct zb_node zb;
    struct radio *radio;
    bool open;
};

/* where: as radio_open(). c->ext 0: the radio's own address, or a random one that is kept in
 * c->store. Otherwise as zb_node_open(). On failure l is closed and the reason stands in
 * error. */
int zb_loop_open(struct zb_loop *l, const char *where, const char *name,
                 const struct al_node_config *c, char *error, size_t error_size);
void zb_loop_close(struct zb_loop *l);

uint64_t zb_loop_now(struct zb_loop *l);
/* Lets the node live until the time `until`, an event, or until descriptor extra (-1: none)
 * is readable. 0, or AL_FAIL: the radio is lost for good; radio_error(l->radio) says why. */
int zb_loop_wait(struct zb_loop *l, uint64_t until, int extra);

#endif
