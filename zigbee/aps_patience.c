/* How long an acknowledgement is waited for: at first as long as those of this destination
 * take, as TCP does it (RFC 6298). Repetitions too early cost air only, because the other
 * side rejects duplicates; too late ones let a transfer stand still. After two such the
 * destination is given the time that is configured, as often as is configured: it may be
 * restarting. */
#include "zigbee/aps_internal.h"

#define LEAST_US (250u * AL_APS_MS)
#define SLOW     (AL_APS_TX_SLEEPY | AL_APS_TX_INDIRECT)

static struct al_aps_peer *find(const struct al_aps *a, uint16_t addr)
{
    for (unsigned i = 0; i < a->c.peer_count; i++) {
        if (a->c.peers[i].mean_us && a->c.peers[i].addr == addr) return &a->c.peers[i];
    }
    return NULL;
}

/* The places are taken in turn. */
static struct al_aps_peer *take(struct al_aps *a, uint16_t addr)
{
    if (!a->c.peer_count) return NULL;
    struct al_aps_peer *p = &a->c.peers[a->next_peer++ % a->c.peer_count];
    *p = (struct al_aps_peer){.addr = addr};
    return p;
}

void al_aps_measured(struct al_aps *a, uint64_t now, const struct al_aps_tx *t)
{
    /* Of a repeated frame nobody knows which one was acknowledged. */
    if (t->repeated || t->flags & SLOW || now <= t->given_at) return;
    uint64_t most = (uint64_t)a->c.ack_wait_ms * AL_APS_MS;
    uint32_t us = (uint32_t)(now - t->given_at < most ? now - t->given_at : most);
    struct al_aps_peer *p = find(a, t->dst);
    if (!p) {
        p = take(a, t->dst);
        if (!p) return;
        p->mean_us = us;
        p->deviation_us = us / 2;
        return;
    }
    uint32_t off = us > p->mean_us ? us - p->mean_us : p->mean_us - us;
    p->deviation_us += off / 4 - p->deviation_us / 4;
    p->mean_us += us / 8 - p->mean_us / 8;
    if (!p->mean_us) p->mean_us = 1;
}

uint64_t al_aps_patience(const struct al_aps *a, const struct al_aps_tx *t)
{
    uint64_t most = (uint64_t)a->c.ack_wait_ms * AL_APS_MS;
    if (t->flags & SLOW) return (uint64_t)a->c.ack_wait_sleepy_ms * AL_APS_MS;
    const struct al_aps_peer *p = find(a, t->dst);
    if (!p || !t->quick) return most;
    uint64_t us = p->mean_us + 4ull * p->deviation_us;
    if (us < LEAST_US) us = LEAST_US;
    us <<= AL_APS_QUICK - t->quick;
    return us < most ? us : most;
}
