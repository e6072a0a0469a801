/* Broadcasts: each is passed on once; that neighbours pass it on tells that they have it
 * (passive acknowledgement). */
#include "zigbee/nwk_internal.h"

static struct al_nwk_broadcast *find(const struct al_nwk *n, uint64_t now, uint16_t src,
                                     uint8_t seq)
{
    for (unsigned i = 0; i < n->c.broadcast_count; i++) {
        struct al_nwk_broadcast *b = &n->c.broadcasts[i];
        if (b->expires > now && b->src == src && b->seq == seq) return b;
    }
    return NULL;
}

struct al_nwk_broadcast *al_nwk_broadcast_note(struct al_nwk *n, uint64_t now, uint16_t src,
                                               uint8_t seq, bool *known)
{
    struct al_nwk_broadcast *b = find(n, now, src, seq);
    *known = b != NULL;
    for (unsigned i = 0; !b && i < n->c.broadcast_count; i++) {
        if (n->c.broadcasts[i].expires <= now) b = &n->c.broadcasts[i];
    }
    if (b && !*known)
        *b = (struct al_nwk_broadcast){.src = src, .seq = seq, .expires = now + AL_NWK_DELIVERY};
    return b;
}

static uint64_t bit_of(const struct al_nwk *n, const struct al_nwk_neighbour *who)
{
    return 1ull << (who - n->c.neighbours) % 64;
}

bool al_nwk_broadcast_wanted(const struct al_nwk *n, uint64_t now, uint16_t src, uint8_t seq,
                             uint8_t tries)
{
    const struct al_nwk_broadcast *b = find(n, now, src, seq);
    if (!b) return false;
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        const struct al_nwk_neighbour *who = &n->c.neighbours[i];
        if (al_nwk_is_router(who) && !who->one_way && who->addr != src &&
            !(b->heard & bit_of(n, who)))
            return true;
        /* A leaf that listens passes nothing on: once more for it. */
        if (al_nwk_is_leaf(who) && who->rx_on && tries == AL_NWK_REPEATS) return true;
    }
    return false;
}

static bool concerns(const struct al_nwk *n, uint16_t dst)
{
    switch (dst) {
    case AL_NWK_ALL:
        return true;
    case AL_NWK_ALL_RX_ON:
        return !n->c.rx_off || al_nwk_is_parent_role(n);
    case AL_NWK_ALL_ROUTERS:
        return al_nwk_is_parent_role(n);
    default:
        return false;
    }
}

void al_nwk_broadcast_to_sleepers(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f)
{
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        const struct al_nwk_neighbour *who = &n->c.neighbours[i];
        if (!al_nwk_is_child(who) || !who->proven || who->rx_on || who->addr == f->src) continue;
        const struct al_nwk_how how = {.flags = AL_W_FIXED | AL_W_INDIRECT | AL_W_RELAYED,
                                       .next_hop = who->addr};
        al_nwk_queue(n, now, f, &how);
    }
}

static void pass_on(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f)
{
    struct al_nwk_frame copy = *f;
    const struct al_nwk_how how = {.flags = AL_W_RELAYED,
                                   .tries = AL_NWK_REPEATS,
                                   .at = now + 1 + al_nwk_random(n, AL_NWK_JITTER_US)};
    if (!al_nwk_is_parent_role(n) || f->radius <= 1) return;
    copy.radius--;
    copy.source_route = false;
    if (!al_nwk_queue(n, now, &copy, &how)) n->relayed++;
    if (f->dst == AL_NWK_ALL) al_nwk_broadcast_to_sleepers(n, now, &copy);
}

/* Its own way through the network, or never passed on. */
static bool apart(const struct al_nwk_frame *f)
{
    return al_nwk_is_command(f, AL_NWK_ROUTE_REQUEST) || al_nwk_is_command(f, AL_NWK_LINK_STATUS) ||
           al_nwk_is_command(f, AL_NWK_LEAVE);
}

void al_nwk_broadcast_in(struct al_nwk *n, uint64_t now, const struct al_mac_data_ind *ind,
                         const struct al_nwk_frame *f, struct al_nwk_neighbour *who)
{
    bool known;
    if (apart(f)) {
        if (f->src != n->addr && concerns(n, f->dst)) al_nwk_deliver(n, now, ind, f, who);
        return;
    }
    struct al_nwk_broadcast *b = al_nwk_broadcast_note(n, now, f->src, f->seq, &known);
    if (!b) return;
    b->heard |= bit_of(n, who);
    if (known) return;
    if (f->src == n->addr) return; /* older than the table */
    pass_on(n, now, f);
    if (concerns(n, f->dst)) al_nwk_deliver(n, now, ind, f, who);
}
