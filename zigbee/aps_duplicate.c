/* Messages that have been delivered: a repetition is acknowledged, not delivered again.
 * Counters are of 8 bits and a fast sender is round within two seconds, so the digest has
 * to agree as well. */
#include "zigbee/aps_internal.h"

#define REMEMBER_US       (21000u * AL_APS_MS)
#define REMEMBER_BLOCK_US (4000u * AL_APS_MS) /* blocks have no digest of the message */
#define REMEMBER_ONCE_US  (1000u * AL_APS_MS) /* not repeated by APS; when full it goes first */

#define FNV_START 2166136261u
#define FNV_PRIME 16777619u

static uint32_t mix(uint32_t h, uint32_t v)
{
    return (h ^ (v & 0xffu)) * FNV_PRIME;
}

uint32_t al_aps_digest(const struct al_aps_frame *f)
{
    uint32_t h = FNV_START;
    h = mix(h, f->type);
    h = mix(h, f->dst_endpoint);
    h = mix(h, f->src_endpoint);
    h = mix(mix(h, f->cluster), f->cluster >> 8);
    h = mix(mix(h, f->profile), f->profile >> 8);
    for (size_t i = 0; i < f->payload_len; i++) h = mix(h, f->payload[i]);
    return h;
}

struct al_aps_duplicate *al_aps_duplicate(struct al_aps *a, uint64_t now, uint16_t src,
                                          uint8_t counter)
{
    for (unsigned i = 0; i < a->c.duplicate_count; i++) {
        struct al_aps_duplicate *d = &a->c.duplicates[i];
        if (d->expires > now && d->src == src && d->counter == counter) return d;
    }
    return NULL;
}

static uint64_t life(const struct al_aps_frame *f, uint8_t window)
{
    if (window) return REMEMBER_BLOCK_US;
    return f->ack_request ? REMEMBER_US : REMEMBER_ONCE_US;
}

void al_aps_remember(struct al_aps *a, uint64_t now, const struct al_aps_in *in, uint32_t digest,
                     uint8_t window)
{
    uint16_t src = in->nwk->src;
    uint8_t counter = in->f.counter;
    if (!a->c.duplicate_count) return;
    struct al_aps_duplicate *d = al_aps_duplicate(a, now, src, counter);
    for (unsigned i = 0; !d && i < a->c.duplicate_count; i++) {
        if (a->c.duplicates[i].expires <= now) d = &a->c.duplicates[i];
    }
    if (!d) { /* full: the one that would go first */
        d = &a->c.duplicates[0];
        for (unsigned i = 1; i < a->c.duplicate_count; i++) {
            if (a->c.duplicates[i].expires < d->expires) d = &a->c.duplicates[i];
        }
    }
    *d = (struct al_aps_duplicate){
        .src = src,
        .counter = counter,
        .window = window,
        .digest = digest,
        .expires = now + life(&in->f, window),
    };
}
