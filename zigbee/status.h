/* How a request of the stack ended: the same names in every layer. */
#ifndef ZIGBEE_STATUS_H
#define ZIGBEE_STATUS_H

#include <stdint.h>

enum al_zb_status {
    AL_ZB_OK,
    AL_ZB_NO_ACK,       /* no acknowledgement after all repetitions (of MAC or APS) */
    AL_ZB_CHANNEL_BUSY, /* CSMA-CA gave up */
    AL_ZB_EXPIRED,      /* a sleepy child did not fetch it in time */
    AL_ZB_NO_DATA,      /* polled: the parent had nothing */
    AL_ZB_NO_ROUTE,
    AL_ZB_NO_NETWORK, /* no beacon of a network that fits */
    AL_ZB_PAN_FULL,   /* association refused */
    AL_ZB_DENIED,
    AL_ZB_CONFLICT, /* the address is taken; rejoin: a new one was given */
    AL_ZB_TIMEOUT,
    AL_ZB_SECURITY,  /* no key, or a peer proved another one */
    AL_ZB_NOT_THERE, /* not part of a network, or the layer is stopped */
    AL_ZB_RADIO      /* the radio failed */
};

const char *al_zb_status_name(enum al_zb_status status); /* "NO_ACK" */

/* 32 random bits a call. */
struct al_zb_random {
    void *ctx;
    uint32_t (*next)(void *ctx);
};

#endif
