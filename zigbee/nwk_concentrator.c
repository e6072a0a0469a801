/* Many to one: a concentrator asks everybody for the way; devices record the way of their
 * frames to it, and it sends back along that way. */
#include "zigbee/nwk_internal.h"

#define EVERY    (60 * AL_NWK_S)
#define AT_LEAST (10 * AL_NWK_S)

struct al_nwk_source_route *al_nwk_source_route(const struct al_nwk *n, uint16_t dst)
{
    for (unsigned i = 0; i < n->c.source_route_count; i++) {
        struct al_nwk_source_route *s = &n->c.source_routes[i];
        if (s->used && s->dst == dst) return s;
    }
    return NULL;
}

void al_nwk_many_to_one(struct al_nwk *n, uint64_t now)
{
    const struct al_nwk_how how = {.flags = AL_W_BLIND, .tries = AL_NWK_REPEATS};
    const struct al_nwk_command cmd = {
        .id = AL_NWK_ROUTE_REQUEST,
        .route_request = {.dst = AL_NWK_ALL_ROUTERS,
                          .id = ++n->route_request_id,
                          .many_to_one =
                              n->c.source_route_count ? AL_NWK_MTO_RECORD : AL_NWK_MTO_NO_RECORD},
    };
    if (al_nwk_active_key(n)) al_nwk_command(n, now, &cmd, AL_NWK_ALL_ROUTERS, 0, 0, &how);
    n->last_many_to_one = now;
    n->next_many_to_one = now + EVERY + al_nwk_random(n, (uint32_t)AL_NWK_S);
}

void al_nwk_many_to_one_soon(struct al_nwk *n, uint64_t now)
{
    uint64_t earliest = n->last_many_to_one + AT_LEAST;
    if (!n->c.concentrator || !n->up) return;
    if (earliest < now) earliest = now;
    n->next_many_to_one = al_earlier(n->next_many_to_one, earliest);
}

void al_nwk_send_record(struct al_nwk *n, uint64_t now, uint16_t src, uint16_t dst)
{
    uint8_t payload[4];
    struct al_put p = al_put(payload, sizeof payload);
    struct al_nwk_route *r = al_nwk_route(n, dst);
    struct al_nwk_neighbour *leaf = src == n->addr ? NULL : al_nwk_neighbour(n, src);
    bool *due = leaf ? &leaf->record : r ? &r->record : NULL;
    if (!r || !r->many_to_one || !*due || (!leaf && r->next_hop == dst)) return;
    *due = false;
    struct al_nwk_command cmd = {.id = AL_NWK_ROUTE_RECORD};
    if (leaf) cmd.route_record.relays[cmd.route_record.count++] = n->addr;
    if (al_nwk_command_build(&cmd, &p)) return;
    const struct al_nwk_frame f = {
        .type = AL_NWK_COMMAND,
        .dst = dst,
        .src = src,
        .src_ext = al_nwk_ext_of(n, src),
        .has_src_ext = al_nwk_ext_of(n, src) != 0,
        .radius = AL_NWK_RADIUS,
        .seq = n->seq++,
        .payload = payload,
        .payload_len = p.len,
    };
    const struct al_nwk_how how = {
        .flags = AL_W_FIXED | AL_W_RELAYED, .next_hop = r->next_hop, .tries = AL_NWK_RETRIES};
    al_nwk_queue(n, now, &f, &how);
}

static bool sound(const struct al_nwk *n, uint16_t src, const struct al_nwk_command *cmd)
{
    for (unsigned i = 0; i < cmd->route_record.count; i++) {
        uint16_t relay = cmd->route_record.relays[i];
        if (relay == n->addr || relay == src || AL_NWK_BROADCAST(relay)) return false;
    }
    return true;
}

void al_nwk_route_record_in(struct al_nwk *n, uint16_t src, const struct al_nwk_command *cmd)
{
    struct al_nwk_source_route *s = al_nwk_source_route(n, src);
    if (!n->c.concentrator || !sound(n, src, cmd)) return;
    if (cmd->route_record.count == 0) {
        if (s) s->used = false; /* a neighbour */
        return;
    }
    for (unsigned i = 0; !s && i < n->c.source_route_count; i++) {
        if (!n->c.source_routes[i].used) s = &n->c.source_routes[i];
    }
    if (!s && n->c.source_route_count)
        s = &n->c.source_routes[al_nwk_random(n, n->c.source_route_count)];
    if (!s) return;
    s->used = true;
    s->dst = src;
    s->count = cmd->route_record.count;
    memcpy(s->relays, cmd->route_record.relays, sizeof s->relays);
}
