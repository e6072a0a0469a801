/* A radio of this machine, as `--radio R` names it:
 *   medium:SOCKET           a port on the virtual medium (radio/medium_port.h)
 *   spinel:DEVICE           a co-processor on a serial line or pty; spinel:DEVICE?baud=460800
 *   spinel:tcp://HOST:PORT  the same over TCP
 * One event loop, one thread; every callback comes from radio_wait(). */
#ifndef RADIO_RADIO_H
#define RADIO_RADIO_H

#include <stddef.h>

#include "zigbee/radio.h"

struct radio;

/* What comes from a radio; ctx is the caller's. now: microseconds of radio_now(). */
struct radio_events {
    void (*received)(void *ctx, uint64_t now, const struct al_radio_rx *rx);
    /* pending: the acknowledgement had "frame pending" set. */
    void (*transmitted)(void *ctx, uint64_t now, enum al_radio_status status, bool pending);
    void (*scanned)(void *ctx, uint64_t now, uint8_t channel, int8_t dbm);
    /* The radio started anew (a co-processor reset) and has its configuration again; a
     * transmission that was under way has been answered with AL_RADIO_FAILED. */
    void (*restarted)(void *ctx, uint64_t now);
};

/* Whether it reads like a radio; if one is there, only radio_open() knows. */
bool radio_is_named(const char *where);
/* eui64: the address to use; 0: the radio's own, or a random local one on a medium.
 * name: shown in the medium's messages. NULL: what went wrong stands in error. */
struct radio *radio_open(const char *where, uint64_t eui64, const char *name,
                         const struct radio_events *events, void *ctx, char *error,
                         size_t error_size);
void radio_close(struct radio *r); /* NULL allowed */

/* The MAC's view; valid until radio_close(). */
const struct al_radio *radio_port(struct radio *r);
uint64_t radio_eui64(const struct radio *r);

/* The node's clock: monotonic microseconds; on a medium that runs as fast as
 * possible, the medium's. */
uint64_t radio_now(struct radio *r);

/* Delivers events until the clock reaches `until` (UINT64_MAX: for ever), at least one
 * event was delivered, or descriptor extra (-1: none) became readable. Returns 0, or
 * AL_FAIL when the radio is lost for good: see radio_error(). A fast medium advances
 * only while its nodes wait here. */
int radio_wait(struct radio *r, uint64_t until, int extra);
const char *radio_error(const struct radio *r);

#endif
