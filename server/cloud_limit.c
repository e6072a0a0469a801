/* See cloud_limit.h. */
#include "server/cloud_limit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SETS 4096u
#define WAYS 4u

/* used: what it lacks, in 1/60000 of a request. */
struct bucket {
    uint64_t who;
    int64_t used, at_ms;
};

struct cloud_limit {
    pthread_mutex_t lock;
    uint32_t per_minute;
    struct bucket buckets[SETS][WAYS];
};

struct cloud_limit *cloud_limit_new(uint32_t per_minute)
{
    struct cloud_limit *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    pthread_mutex_init(&l->lock, NULL);
    l->per_minute = per_minute;
    return l;
}

void cloud_limit_free(struct cloud_limit *l)
{
    if (!l) return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static uint64_t mix(uint64_t h, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len--) h = (h ^ *p++) * UINT64_C(0x100000001b3); /* FNV-1a */
    return h ^ h >> 29;
}

uint64_t cloud_limit_text(const char *text)
{
    return mix(UINT64_C(0xcbf29ce484222325), text, strlen(text));
}

uint64_t cloud_limit_address(const char *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct in6_addr v6;
    if (inet_pton(AF_INET6, address, &v6) != 1) return cloud_limit_text(address);
    if (memcmp(v6.s6_addr, mapped, sizeof mapped) == 0) {
        char v4[INET_ADDRSTRLEN] = "";
        inet_ntop(AF_INET, v6.s6_addr + 12, v4, sizeof v4);
        return cloud_limit_text(v4);
    }
    return mix(UINT64_C(0x84222325cbf29ce4), v6.s6_addr, 8);
}

/* The caller's bucket, or the one least recently used in its place. */
static struct bucket *bucket_of(struct cloud_limit *l, uint64_t who, int64_t now_ms)
{
    struct bucket *set = l->buckets[who % SETS], *oldest = set;
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].who == who) return &set[i];
        if (set[i].at_ms < oldest->at_ms) oldest = &set[i];
    }
    *oldest = (struct bucket){.who = who, .at_ms = now_ms};
    return oldest;
}

unsigned cloud_limit_take(struct cloud_limit *l, uint64_t who, int64_t now_ms)
{
    unsigned wait = 0;
    if (l->per_minute == 0) return 0;
    int64_t minute = INT64_C(60000) * l->per_minute; /* a request costs 60000 of these */
    pthread_mutex_lock(&l->lock);
    struct bucket *b = bucket_of(l, who, now_ms);
    int64_t passed = now_ms > b->at_ms ? now_ms - b->at_ms : 0;
    int64_t filled = passed > 60000 ? minute : passed * l->per_minute;
    b->used = b->used > filled ? b->used - filled : 0;
    b->at_ms = now_ms;
    if (b->used + 60000 <= minute)
        b->used += 60000;
    else
        wait = (unsigned)((b->used + 60000 - minute) / l->per_minute / 1000 + 1);
    pthread_mutex_unlock(&l->lock);
    return wait;
}
