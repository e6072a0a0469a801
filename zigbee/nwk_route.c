/* Where a frame goes next: to a neighbour, by a source route, by the table. */
#include "zigbee/nwk_internal.h"

/* A link of this cost or less is taken without asking for a better way. */
#define GOOD_COST 3u

struct al_nwk_route *al_nwk_route(const struct al_nwk *n, uint16_t dst)
{
    for (unsigned i = 0; i < n->c.route_count; i++) {
        struct al_nwk_route *r = &n->c.routes[i];
        if (r->state == AL_ROUTE_ACTIVE && r->dst == dst) return r;
    }
    return NULL;
}

/* A free entry: unused, a discovery that is over, or any route but one to a concentrator. */
struct al_nwk_route *al_nwk_route_take(struct al_nwk *n, uint64_t now)
{
    struct al_nwk_route *old = NULL;
    uint32_t first = n->c.route_count ? al_nwk_random(n, n->c.route_count) : 0;
    for (unsigned i = 0; i < n->c.route_count; i++) {
        struct al_nwk_route *r = &n->c.routes[(first + i) % n->c.route_count];
        if (r->state == AL_ROUTE_FREE) return r;
        if (r->state == AL_ROUTE_DISCOVERY && r->expires <= now) return r;
        if (r->state == AL_ROUTE_ACTIVE && !r->many_to_one) old = r;
    }
    return old;
}

void al_nwk_route_set(struct al_nwk *n, uint64_t now, uint16_t dst, uint16_t hop, uint8_t cost)
{
    struct al_nwk_route *r = al_nwk_route(n, dst);
    if (!r) r = al_nwk_route_take(n, now);
    if (!r) return;
    bool many_to_one = r->state == AL_ROUTE_ACTIVE && r->dst == dst && r->many_to_one;
    bool record = many_to_one && r->record;
    *r = (struct al_nwk_route){.dst = dst,
                               .next_hop = hop,
                               .state = AL_ROUTE_ACTIVE,
                               .cost = cost,
                               .many_to_one = many_to_one,
                               .record = record};
}

/* Answers to what came over hop find their way back without a discovery. */
void al_nwk_route_seen(struct al_nwk *n, uint64_t now, uint16_t src,
                       const struct al_nwk_neighbour *hop)
{
    uint8_t cost = al_nwk_link_cost(hop);
    if (!al_nwk_is_parent_role(n) || !cost || al_nwk_is_leaf(hop)) return;
    if (src == hop->addr || src == n->addr || AL_NWK_BROADCAST(src)) return;
    if (!al_nwk_route(n, src)) al_nwk_route_set(n, now, src, hop->addr, cost);
}

void al_nwk_route_forget(struct al_nwk *n, uint16_t dst)
{
    struct al_nwk_route *r = al_nwk_route(n, dst);
    struct al_nwk_source_route *s = al_nwk_source_route(n, dst);
    if (r) r->state = AL_ROUTE_FREE;
    if (s) s->used = false;
}

uint8_t al_nwk_hops(const struct al_nwk *n, uint16_t dst)
{
    const struct al_nwk_route *r = al_nwk_route(n, dst);
    const struct al_nwk_source_route *s = al_nwk_source_route(n, dst);
    const struct al_nwk_neighbour *who = al_nwk_neighbour(n, dst);
    if (who && (al_nwk_is_leaf(who) || !r || r->next_hop == dst)) return 1;
    if (s) return (uint8_t)(s->count + 1u);
    return r && r->next_hop != dst ? 2 : 1;
}

void al_nwk_link_lost(struct al_nwk *n, uint16_t hop)
{
    struct al_nwk_neighbour *who = al_nwk_neighbour(n, hop);
    if (who && !al_nwk_is_leaf(who)) {
        who->one_way = true; /* until its link status names this node */
        who->out_cost = 0;
    }
    for (unsigned i = 0; i < n->c.route_count; i++) {
        struct al_nwk_route *r = &n->c.routes[i];
        if (r->state == AL_ROUTE_ACTIVE && r->next_hop == hop) r->state = AL_ROUTE_FREE;
    }
    for (unsigned i = 0; i < n->c.source_route_count; i++) {
        struct al_nwk_source_route *s = &n->c.source_routes[i];
        if (s->used && s->count && s->relays[s->count - 1] == hop) s->used = false;
    }
}

/* ---- The next hop ---- */

static bool by_source_route(struct al_nwk *n, struct al_nwk_frame *f, uint8_t flags, uint16_t *hop)
{
    const struct al_nwk_source_route *s = n->c.concentrator ? al_nwk_source_route(n, f->dst) : NULL;
    if (!s || flags & (AL_W_RELAYED | AL_W_UNSECURED)) return false;
    struct al_nwk_frame routed = *f;
    routed.source_route = true;
    routed.relay_count = s->count;
    routed.relay_index = (uint8_t)(s->count - 1);
    memcpy(routed.relays, s->relays, sizeof routed.relays);
    size_t size = al_nwk_header_size(&routed) + f->payload_len + AL_AUX_NWK_SIZE + AL_CCM_MIC;
    if (size > AL_NWK_NPDU_MAX) return false;
    *f = routed;
    *hop = s->relays[s->count - 1];
    return true;
}

static bool goes_direct(const struct al_nwk_neighbour *who, uint8_t worst)
{
    if (!who) return false;
    if (al_nwk_is_leaf(who) || who->relation == AL_NWK_JOINING) return true;
    uint8_t cost = al_nwk_link_cost(who);
    return cost && cost <= worst;
}

enum al_nwk_hop al_nwk_next_hop(struct al_nwk *n, uint64_t now, struct al_nwk_frame *f,
                                uint8_t flags, uint16_t *hop)
{
    const struct al_nwk_neighbour *who = al_nwk_neighbour(n, f->dst);
    const struct al_nwk_route *r = al_nwk_route(n, f->dst);
    if (!al_nwk_is_parent_role(n)) {
        *hop = n->parent;
        return AL_HOP_OK;
    }
    *hop = f->dst;
    if (goes_direct(who, GOOD_COST)) return AL_HOP_OK;
    if (by_source_route(n, f, flags, hop)) return AL_HOP_OK;
    if (r) {
        *hop = r->next_hop;
        if (!(flags & AL_W_RELAYED) && f->type == AL_NWK_DATA)
            al_nwk_send_record(n, now, n->addr, f->dst);
        return AL_HOP_OK;
    }
    if (goes_direct(who, UINT8_MAX)) return AL_HOP_OK;
    return AL_HOP_DISCOVER;
}

/* ---- Failures ---- */

void al_nwk_relay_failed(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                         enum al_zb_status status)
{
    uint8_t code = AL_NWK_STATUS_LINK_FAILURE;
    if (f->source_route)
        code = AL_NWK_STATUS_SOURCE_ROUTE_FAILURE;
    else if (status == AL_ZB_NO_ROUTE)
        code = AL_NWK_STATUS_NO_ROUTE;
    if (AL_NWK_BROADCAST(f->dst) || !n->up) return;
    if (al_nwk_is_command(f, AL_NWK_STATUS) || al_nwk_is_command(f, AL_NWK_ROUTE_RECORD)) return;
    al_nwk_send_status(n, now, f->src, code, f->dst);
}
