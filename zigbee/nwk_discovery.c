/* Route discovery: a request floods the network and collects link costs, the reply comes
 * back on the cheapest way. */
#include "zigbee/nwk_internal.h"

#define DISCOVERY_TIME  (10 * AL_NWK_S) /* nwkcRouteDiscoveryTime */
#define REQUEST_JITTER  (128 * AL_NWK_MS)
#define REQUESTS_APART  (250 * AL_NWK_MS) /* each makes all routers send */
#define RELAYED_REPEATS 1u
#define ASK_AGAIN       (3 * AL_NWK_S)
#define UNKNOWN_COST    UINT8_MAX

static struct al_nwk_route *discovery(const struct al_nwk *n, uint64_t now, uint16_t asked_by,
                                      uint8_t id)
{
    for (unsigned i = 0; i < n->c.route_count; i++) {
        struct al_nwk_route *r = &n->c.routes[i];
        if (r->state == AL_ROUTE_DISCOVERY && r->expires > now && r->asked_by == asked_by &&
            r->request_id == id)
            return r;
    }
    return NULL;
}

static bool under_way(const struct al_nwk *n, uint64_t now, uint16_t dst)
{
    for (unsigned i = 0; i < n->c.route_count; i++) {
        const struct al_nwk_route *r = &n->c.routes[i];
        if (r->state == AL_ROUTE_DISCOVERY && r->asked_by == n->addr && r->dst == dst &&
            r->expires + ASK_AGAIN > now + DISCOVERY_TIME)
            return true;
    }
    return false;
}

static struct al_nwk_route *begin(struct al_nwk *n, uint64_t now, uint16_t asked_by, uint8_t id,
                                  uint16_t dst)
{
    struct al_nwk_route *r = al_nwk_route_take(n, now);
    if (!r) return NULL;
    *r = (struct al_nwk_route){.dst = dst,
                               .state = AL_ROUTE_DISCOVERY,
                               .reply_cost = UNKNOWN_COST,
                               .request_id = id,
                               .asked_by = asked_by,
                               .expires = now + DISCOVERY_TIME};
    return r;
}

bool al_nwk_ask_route(struct al_nwk *n, uint64_t now, uint16_t dst)
{
    const struct al_nwk_how how = {.flags = AL_W_BLIND, .tries = AL_NWK_REPEATS};
    if (under_way(n, now, dst)) return true;
    struct al_nwk_command cmd = {
        .id = AL_NWK_ROUTE_REQUEST,
        .route_request = {.dst = dst, .id = ++n->route_request_id},
    };
    struct al_nwk_route *r = begin(n, now, n->addr, cmd.route_request.id, dst);
    if (!r) return false;
    n->next_route_request = now + REQUESTS_APART;
    if (al_nwk_command(n, now, &cmd, AL_NWK_ALL_ROUTERS, 0, 0, &how) == 0) return true;
    r->state = AL_ROUTE_FREE;
    return false;
}

/* ---- Requests ---- */

/* A request of the same discovery that has not left yet is replaced by the cheaper one. */
static void withdraw(struct al_nwk *n, uint16_t asked_by, uint8_t id)
{
    for (unsigned i = 0; i < n->c.waiting_count; i++) {
        struct al_nwk_waiting *w = &n->c.waiting[i];
        struct al_nwk_frame f;
        struct al_nwk_command cmd;
        bool idle = w->state == AL_WAIT_READY || w->state == AL_WAIT_ECHO;
        if (!idle || !(w->flags & AL_W_BLIND) || al_nwk_parse(&f, w->frame, w->len)) continue;
        if (f.src != asked_by || al_nwk_command_parse(&cmd, f.payload, f.payload_len)) continue;
        if (cmd.id == AL_NWK_ROUTE_REQUEST && cmd.route_request.id == id) w->state = AL_WAIT_FREE;
    }
}

static void pass_on(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                    struct al_nwk_command cmd, uint8_t cost)
{
    uint8_t payload[AL_NWK_PAYLOAD_MAX];
    struct al_put p = al_put(payload, sizeof payload);
    struct al_nwk_frame copy = *f;
    const struct al_nwk_how how = {
        .flags = AL_W_BLIND | AL_W_RELAYED,
        .tries = RELAYED_REPEATS,
        .at = now + 2 * AL_NWK_MS + al_nwk_random(n, (uint32_t)REQUEST_JITTER),
    };
    if (f->radius <= 1) return;
    cmd.route_request.cost = cost;
    withdraw(n, f->src, cmd.route_request.id);
    if (al_nwk_command_build(&cmd, &p)) return;
    copy.radius--;
    copy.payload = payload;
    copy.payload_len = p.len;
    if (!al_nwk_queue(n, now, &copy, &how)) n->relayed++;
}

static void reply(struct al_nwk *n, uint64_t now, uint16_t originator, uint16_t responder,
                  uint8_t id, uint8_t cost, uint16_t hop)
{
    const struct al_nwk_command cmd = {
        .id = AL_NWK_ROUTE_REPLY,
        .route_reply = {.originator = originator, .responder = responder, .id = id, .cost = cost},
    };
    const struct al_nwk_how how = {.flags = AL_W_FIXED, .next_hop = hop, .tries = AL_NWK_RETRIES};
    al_nwk_command(n, now, &cmd, hop, al_nwk_ext_of(n, hop), 0, &how);
}

/* A concentrator asks: everybody on the way learns the way back to it. */
static void concentrator_asks(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                              const struct al_nwk_command *cmd, uint16_t hop, uint8_t cost)
{
    al_nwk_route_set(n, now, f->src, hop, cost);
    struct al_nwk_route *r = al_nwk_route(n, f->src);
    if (!r) return;
    r->many_to_one = true;
    r->record = cmd->route_request.many_to_one == AL_NWK_MTO_RECORD;
    for (unsigned i = 0; i < n->c.neighbour_count; i++) n->c.neighbours[i].record = r->record;
    al_nwk_route_found(n, now, f->src);
}

static uint8_t sum(uint8_t a, uint8_t b)
{
    return a + b < UNKNOWN_COST ? (uint8_t)(a + b) : UNKNOWN_COST - 1;
}

void al_nwk_route_request_in(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                             const struct al_nwk_command *cmd, const struct al_nwk_neighbour *who)
{
    uint8_t link = al_nwk_link_cost(who), id = cmd->route_request.id;
    uint16_t dst = cmd->route_request.dst, hop = who->addr;
    if (!al_nwk_is_parent_role(n) || !link || f->src == n->addr) return;
    if (!AL_NWK_BROADCAST(f->dst)) return;
    uint8_t cost = sum(cmd->route_request.cost, link);
    struct al_nwk_route *d = discovery(n, now, f->src, id);
    if (d && cost >= d->cost) return;
    if (!d) d = begin(n, now, f->src, id, dst);
    if (!d) return;
    d->cost = cost;
    d->next_hop = hop;

    const struct al_nwk_neighbour *leaf = al_nwk_neighbour(n, dst);
    if (cmd->route_request.many_to_one != AL_NWK_ONE_TO_ONE) {
        concentrator_asks(n, now, f, cmd, hop, cost);
    } else if (dst == n->addr || (leaf && al_nwk_is_leaf(leaf))) {
        al_nwk_route_set(n, now, f->src, hop, cost);
        reply(n, now, f->src, dst, id, 0, hop);
        return;
    }
    pass_on(n, now, f, *cmd, cost);
}

/* ---- Replies ---- */

void al_nwk_route_reply_in(struct al_nwk *n, uint64_t now, const struct al_nwk_command *cmd,
                           const struct al_nwk_neighbour *who)
{
    uint16_t originator = cmd->route_reply.originator, responder = cmd->route_reply.responder;
    uint8_t link = al_nwk_link_cost(who);
    struct al_nwk_route *d = discovery(n, now, originator, cmd->route_reply.id);
    if (!al_nwk_is_parent_role(n) || !d || d->dst != responder || !link) return;
    uint8_t cost = sum(cmd->route_reply.cost, link);
    if (cost >= d->reply_cost) return;
    d->reply_cost = cost;
    uint16_t back = d->next_hop;
    uint8_t back_cost = d->cost;
    al_nwk_route_set(n, now, responder, who->addr, cost);
    if (originator == n->addr) {
        al_nwk_route_found(n, now, responder);
    } else {
        al_nwk_route_set(n, now, originator, back, back_cost);
        reply(n, now, originator, responder, cmd->route_reply.id, cost, back);
    }
}
