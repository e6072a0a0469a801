/* A rate limit on reading: what is not read fills the socket's buffer, which slows the
 * sender down. */
#ifndef NET_PACE_H
#define NET_PACE_H

#include <stddef.h>
#include <stdint.h>

struct pace {
    uint64_t rate;   /* bytes a second; 0: no limit */
    int64_t from_ms; /* begin of the first read, 0: not yet */
    uint64_t bytes;  /* read since then */
};

/* Waits until the limit allows more; gives how much of len. */
size_t pace_wait(struct pace *p, size_t len);

/* Milliseconds of the monotonic clock. */
int64_t pace_now_ms(void);

#endif
