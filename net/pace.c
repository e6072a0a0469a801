#include "net/pace.h"

#include <time.h>
#include <unistd.h>

int64_t pace_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

size_t pace_wait(struct pace *p, size_t len)
{
    if (!p->rate) return len;
    uint64_t at_once = p->rate / 20 < 256 ? 256 : p->rate / 20;
    if (p->from_ms == 0) p->from_ms = pace_now_ms();
    int64_t due = p->from_ms + (int64_t)(p->bytes * 1000 / p->rate);
    for (int64_t now; (now = pace_now_ms()) < due;) usleep((useconds_t)(due - now) * 1000);
    return len < at_once ? len : at_once;
}
