/* Frames from the MAC: opened, checked, and given to whom they are for. */
#include "zigbee/nwk_internal.h"

/* A protected APS command: the only data that may come without network security, to a
 * node that waits for its key. */
#define APS_TYPE_MASK 0x03u
#define APS_COMMAND   0x01u
#define APS_SECURED   0x20u

#define COPIES_MS 1000u /* all tries of one hop lie within it */

void al_nwk_deliver(struct al_nwk *n, uint64_t now, const struct al_mac_data_ind *ind,
                    const struct al_nwk_frame *f, struct al_nwk_neighbour *who)
{
    if (f->type == AL_NWK_COMMAND) {
        al_nwk_command_in(n, now, ind, f, who);
        return;
    }
    const struct al_nwk_data_ind up = {
        .dst = f->dst,
        .src = f->src,
        .relay = ind->src.short_addr,
        .src_ext = f->has_src_ext ? f->src_ext : al_nwk_ext_of(n, f->src),
        .secured = f->secured,
        .old_key = f->secured && n->keys[n->active_key].seq != f->aux.key_seq,
        .seq = f->seq,
        .lqi = ind->lqi,
        .payload = f->payload,
        .len = f->payload_len,
    };
    AL_NWK_TELL(data, now, &up);
}

/* ---- Passing on ---- */

/* The record grows by each relay. */
static bool add_to_record(const struct al_nwk *n, struct al_nwk_frame *f, uint8_t *payload,
                          size_t size)
{
    struct al_nwk_command cmd;
    struct al_put p = al_put(payload, size);
    if (al_nwk_command_parse(&cmd, f->payload, f->payload_len)) return false;
    if (cmd.route_record.count == AL_NWK_RELAYS_MAX) return false;
    cmd.route_record.relays[cmd.route_record.count++] = n->addr;
    if (al_nwk_command_build(&cmd, &p)) return false;
    f->payload = payload;
    f->payload_len = p.len;
    return true;
}

/* The next hop of a source route; false: this node does not stand where it should. */
static bool follow_source_route(const struct al_nwk *n, struct al_nwk_frame *f, uint16_t *hop)
{
    if (f->relay_index >= f->relay_count || f->relays[f->relay_index] != n->addr) return false;
    if (f->relay_index == 0) {
        *hop = f->dst;
    } else {
        f->relay_index--;
        *hop = f->relays[f->relay_index];
    }
    return true;
}

static void relay(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                  const struct al_nwk_neighbour *from)
{
    uint8_t payload[AL_NWK_PAYLOAD_MAX];
    struct al_nwk_frame copy = *f;
    struct al_nwk_how how = {.flags = AL_W_RELAYED, .tries = AL_NWK_RETRIES, .from = from->addr};
    bool of_leaf = al_nwk_is_leaf(from) && f->src == from->addr;
    bool record =
        f->type == AL_NWK_COMMAND && f->payload_len && f->payload[0] == AL_NWK_ROUTE_RECORD;
    if (!al_nwk_is_parent_role(n) || f->radius <= 1) return;
    copy.radius--;
    if (record && !add_to_record(n, &copy, payload, sizeof payload)) return;
    if (f->source_route) {
        if (!follow_source_route(n, &copy, &how.next_hop)) return;
        how.flags |= AL_W_FIXED;
    } else if (of_leaf) {
        how.flags |= f->discover_route ? AL_W_DISCOVER : 0;
        if (!record) al_nwk_send_record(n, now, f->src, f->dst);
    }
    if (!al_nwk_queue(n, now, &copy, &how)) n->relayed++;
}

/* ---- Without security ---- */

static void unsecured(struct al_nwk *n, uint64_t now, const struct al_mac_data_ind *ind,
                      const struct al_nwk_frame *f)
{
    bool for_key = f->type == AL_NWK_DATA && n->awaiting_key && f->payload_len &&
                   (f->payload[0] & APS_TYPE_MASK) == APS_COMMAND && f->payload[0] & APS_SECURED;
    bool request = al_nwk_is_command(f, AL_NWK_REJOIN_REQUEST) && f->src == ind->src.short_addr;
    bool response = al_nwk_is_command(f, AL_NWK_REJOIN_RESPONSE) && !n->rejoin_secured;
    if (f->dst == n->addr && (for_key || request || response))
        al_nwk_deliver(n, now, ind, f, NULL);
    else
        n->dropped_unsecured++;
}

/* ---- All ---- */

/* An end device hears its parent only, a sleepy one only what it polled for: what it
 * overhears while it waits for a frame would make that frame's older counter a replay. */
static bool listens(const struct al_nwk *n, const struct al_mac_data_ind *ind)
{
    if (ind->src.mode != AL_MAC_SHORT || ind->dst.mode != AL_MAC_SHORT) return false;
    if (!n->up && !n->awaiting_key && n->state != AL_NWK_REJOIN_WAIT) return false;
    if (al_nwk_is_parent_role(n)) return true;
    if (n->c.rx_off && ind->dst.short_addr == AL_MAC_BROADCAST) return false;
    return ind->src.short_addr == n->parent;
}

/* A broadcast that was heard before: a late repetition says nothing new about its source. */
static bool heard_before(const struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f)
{
    for (unsigned i = 0; i < n->c.broadcast_count; i++) {
        const struct al_nwk_broadcast *b = &n->c.broadcasts[i];
        if (b->expires > now && b->src == f->src && b->seq == f->seq) return true;
    }
    return false;
}

/* Where the source of a relayed frame is. */
static void learn_source(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                         const struct al_nwk_neighbour *from)
{
    struct al_nwk_neighbour *who = al_nwk_neighbour_ext(n, f->src_ext);
    if (heard_before(n, now, f)) return;
    /* A leaf whose frames come over somebody else has another parent now. */
    if (who && who != from && al_nwk_is_leaf(who)) al_nwk_neighbour_drop(n, now, who);
    al_nwk_learn(n, now, f->src, f->src_ext);
}

/* A neighbour that missed the MAC's acknowledgement sends a frame again, with another MAC
 * sequence number: passed on each time, it would fill the air behind every relay. One that
 * comes again over somebody else went round: the route is a loop. */
static bool is_copy(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f, uint16_t from)
{
    uint32_t ms = (uint32_t)(now / AL_NWK_MS);
    if (f->type != AL_NWK_DATA) return false;
    for (unsigned i = 0; i < AL_NWK_RECENT; i++) {
        const struct al_nwk_recent *r = &n->recent[i];
        if (!r->used || r->src != f->src || r->seq != f->seq || ms - r->at_ms >= COPIES_MS)
            continue;
        if (r->from != from && f->dst != n->addr && !f->source_route)
            al_nwk_route_forget(n, f->dst);
        return true;
    }
    n->recent[n->next_recent] = (struct al_nwk_recent){f->src, from, f->seq, true, ms};
    n->next_recent = (uint8_t)((n->next_recent + 1u) % AL_NWK_RECENT);
    return false;
}

static void secured(struct al_nwk *n, uint64_t now, const struct al_mac_data_ind *ind,
                    struct al_nwk_frame *f)
{
    uint8_t plain[AL_RADIO_MPDU_MAX];
    struct al_nwk_neighbour *who = NULL;
    uint16_t relay_addr = ind->src.short_addr;
    if (!al_nwk_unprotect(n, now, f, ind, plain, &who)) return;
    if (who) al_nwk_heard(n, now, who, ind->lqi);
    if (who && al_nwk_is_router(who)) n->router_heard = now;
    if (!who) { /* a rejoin request */
        if (f->dst == n->addr) al_nwk_deliver(n, now, ind, f, NULL);
        return;
    }
    if (f->has_src_ext && f->src == n->addr && f->src_ext != n->ext) {
        al_nwk_conflict(n, now, f->src);
        return;
    }
    if (f->has_src_ext && f->src != relay_addr) learn_source(n, now, f, who);
    if (!AL_NWK_BROADCAST(f->dst)) {
        if (is_copy(n, now, f, relay_addr)) return;
        al_nwk_route_seen(n, now, f->src, who);
    }
    if (AL_NWK_BROADCAST(f->dst)) {
        al_nwk_broadcast_in(n, now, ind, f, who);
    } else if (f->dst == n->addr) {
        if (!f->has_dst_ext || f->dst_ext == n->ext) al_nwk_deliver(n, now, ind, f, who);
    } else if (f->src != n->addr) {
        relay(n, now, f, who);
    }
}

void al_nwk_mac_data(void *ctx, uint64_t now, const struct al_mac_data_ind *ind)
{
    struct al_nwk *n = ctx;
    struct al_nwk_frame f;
    if (!listens(n, ind)) return;
    n->rx_frames++;
    if (ind->pending) n->poll_again = true;
    if (al_nwk_parse(&f, ind->payload, ind->len)) return;
    if (f.secured)
        secured(n, now, ind, &f);
    else
        unsecured(n, now, ind, &f);
}
