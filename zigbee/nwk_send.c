/* Outgoing frames. Each lies here in clear until it has left for good, and is protected
 * anew for every try.
 *
 *             no route          found
 *   READY ----------------> ROUTE ----.       unicast sent, or given up
 *    | ^  <---------------------------'  .------------------------------> told, free
 *    | '-- a moment later - not acked ---|
 *    '----------> MAC -------------------+--> ECHO (broadcast) -- missed by some --> READY  */
#include "zigbee/nwk_internal.h"

#define ROUTE_ASKS       3u
#define ROUTE_WAIT       (10 * AL_NWK_S)
#define BLOCKED_WAIT     (10 * AL_NWK_MS)
#define BLOCKED_INDIRECT (100 * AL_NWK_MS) /* room comes only by a poll */
#define BLIND_REPEAT     (254 * AL_NWK_MS)
#define LINK_FAILURES    3u  /* frames in a row: the link is lost */
#define HEARD_FAILURES   12u /* the same of a neighbour that is heard */
#define HEARD_WITHIN     (500 * AL_NWK_MS)

/* ---- The queue ---- */

static struct al_nwk_waiting *take(struct al_nwk *n)
{
    for (unsigned i = 0; i < n->c.waiting_count; i++) {
        if (n->c.waiting[i].state == AL_WAIT_FREE) return &n->c.waiting[i];
    }
    return NULL;
}

static uint16_t mac_handle(struct al_nwk *n)
{
    n->next_handle = (uint16_t)((n->next_handle + 1) & (AL_NWK_ASSOC_HANDLE - 1));
    if (!n->next_handle) n->next_handle = 1;
    return n->next_handle;
}

static void done_later(struct al_nwk_waiting *w, uint64_t now, enum al_zb_status status)
{
    w->state = AL_WAIT_DONE;
    w->status = (uint8_t)status;
    w->at = now;
}

/* Frees w and tells whom it concerns. */
static void finish(struct al_nwk *n, uint64_t now, struct al_nwk_waiting *w,
                   enum al_zb_status status)
{
    struct al_nwk_waiting was = *w;
    struct al_nwk_frame f;
    struct al_nwk_command cmd;
    w->state = AL_WAIT_FREE;
    if (al_nwk_parse(&f, was.frame, was.len)) return;
    if (was.flags & AL_W_RELAYED) {
        if (status != AL_ZB_OK && status != AL_ZB_EXPIRED) al_nwk_relay_failed(n, now, &f, status);
    } else if (f.type == AL_NWK_COMMAND && !al_nwk_command_parse(&cmd, f.payload, f.payload_len)) {
        if (cmd.id == AL_NWK_REJOIN_RESPONSE) al_nwk_rejoin_sent(n, now, &f, status);
        if (cmd.id == AL_NWK_LEAVE && !cmd.leave.request) al_nwk_gone(n, now, cmd.leave.rejoin);
    }
    if (was.handle) AL_NWK_TELL(sent, now, was.handle, status);
}

bool al_nwk_waiting_for(const struct al_nwk *n, uint16_t next_hop, uint8_t flags)
{
    for (unsigned i = 0; i < n->c.waiting_count; i++) {
        const struct al_nwk_waiting *w = &n->c.waiting[i];
        if (w->state != AL_WAIT_FREE && (w->flags & flags) == flags && w->next_hop == next_hop)
            return true;
    }
    return false;
}

void al_nwk_waiting_fail(struct al_nwk *n)
{
    for (unsigned i = 0; i < n->c.waiting_count; i++) {
        struct al_nwk_waiting *w = &n->c.waiting[i];
        if (w->state == AL_WAIT_FREE) continue;
        if (w->state == AL_WAIT_MAC) al_mac_purge(n->c.mac, w->mac_handle);
        if (w->handle)
            done_later(w, 0, AL_ZB_NOT_THERE);
        else
            w->state = AL_WAIT_FREE;
    }
}

/* ---- One try ---- */

static bool by_mac_broadcast(const struct al_nwk *n, const struct al_nwk_waiting *w)
{
    return AL_NWK_BROADCAST(w->dst) && !(w->flags & AL_W_FIXED) && al_nwk_is_parent_role(n);
}

static int to_mac(struct al_nwk *n, uint64_t now, struct al_nwk_waiting *w, struct al_nwk_frame *f)
{
    uint8_t npdu[AL_RADIO_MPDU_MAX];
    struct al_put p = al_put(npdu, sizeof npdu);
    if (!al_mac_free_slots(n->c.mac)) return AL_ERR_NO_MEM;
    int err = w->flags & AL_W_UNSECURED ? al_nwk_build(f, &p) : al_nwk_protect(n, f, &p);
    if (err) return err;
    w->mac_handle = mac_handle(n);
    struct al_mac_send s = {
        .dst = al_mac_short(n->pan_id, w->next_hop),
        .payload = npdu,
        .len = p.len,
        .handle = w->mac_handle,
        .indirect = w->next_hop != AL_MAC_BROADCAST &&
                    (w->flags & AL_W_INDIRECT || al_nwk_sleepy_child(n, w->next_hop)),
    };
    err = al_mac_send(n->c.mac, now, &s);
    if (!err) n->tx_frames++;
    return err;
}

static enum al_nwk_hop find_hop(struct al_nwk *n, uint64_t now, struct al_nwk_waiting *w,
                                struct al_nwk_frame *f)
{
    if (by_mac_broadcast(n, w)) {
        w->next_hop = AL_MAC_BROADCAST;
        return AL_HOP_OK;
    }
    if (w->flags & AL_W_FIXED) return AL_HOP_OK;
    if (AL_NWK_BROADCAST(w->dst)) {
        w->next_hop = n->parent;
        return AL_HOP_OK;
    }
    enum al_nwk_hop hop = al_nwk_next_hop(n, now, f, w->flags, &w->next_hop);
    if (hop != AL_HOP_OK || !(w->flags & AL_W_RELAYED) || w->next_hop != w->from) return hop;
    /* Back to where it came from: this route has had its time. */
    al_nwk_route_forget(n, w->dst);
    return AL_HOP_DISCOVER;
}

static void launch(struct al_nwk *n, uint64_t now, struct al_nwk_waiting *w)
{
    struct al_nwk_frame f;
    w->flags &= (uint8_t)~AL_W_BLOCKED;
    if (al_nwk_parse(&f, w->frame, w->len)) {
        done_later(w, now, AL_ZB_NO_ROUTE);
        return;
    }
    enum al_nwk_hop hop = find_hop(n, now, w, &f);
    bool ask = hop == AL_HOP_DISCOVER && w->flags & AL_W_DISCOVER;
    if (ask && now < n->next_route_request) {
        w->state = AL_WAIT_READY;
        w->at = n->next_route_request;
        return;
    }
    if (ask && al_nwk_ask_route(n, now, w->dst)) {
        w->state = AL_WAIT_ROUTE;
        w->tries = ROUTE_ASKS - 1;
        w->at = now + ROUTE_WAIT / ROUTE_ASKS;
        return;
    }
    if (hop != AL_HOP_OK) {
        done_later(w, now, AL_ZB_NO_ROUTE);
        return;
    }
    int err = to_mac(n, now, w, &f);
    if (err == AL_ERR_NO_MEM) {
        w->flags |= AL_W_BLOCKED;
        w->state = AL_WAIT_READY;
        w->at = now + (al_nwk_sleepy_child(n, w->next_hop) ? BLOCKED_INDIRECT : BLOCKED_WAIT);
    } else if (err) {
        done_later(w, now, err == AL_ERR_INVALID_SIZE ? AL_ZB_NO_ROUTE : AL_ZB_SECURITY);
    } else {
        w->state = AL_WAIT_MAC;
    }
}

int al_nwk_queue(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                 const struct al_nwk_how *how)
{
    struct al_nwk_frame clear = *f;
    clear.secured = false;
    size_t protection = how->flags & AL_W_UNSECURED ? 0 : AL_AUX_NWK_SIZE + AL_CCM_MIC;
    if (al_nwk_header_size(&clear) + f->payload_len + protection > AL_NWK_NPDU_MAX)
        return AL_ERR_INVALID_SIZE;
    struct al_nwk_waiting *w = take(n);
    if (!w) return AL_ERR_NO_MEM;
    struct al_put p = al_put(w->frame, sizeof w->frame);
    int err = al_nwk_build(&clear, &p);
    if (err) return err;
    w->len = (uint8_t)p.len;
    w->flags = how->flags;
    w->tries = how->tries;
    w->rounds = 0;
    w->handle = how->handle;
    w->dst = f->dst;
    w->next_hop = how->next_hop;
    w->from = how->from;
    w->order = n->order++;
    w->at = how->at;
    w->state = AL_WAIT_READY;
    if (w->at <= now) launch(n, now, w);
    return 0;
}

int al_nwk_command(struct al_nwk *n, uint64_t now, const struct al_nwk_command *cmd, uint16_t dst,
                   uint64_t dst_ext, uint8_t radius, const struct al_nwk_how *how)
{
    uint8_t payload[AL_NWK_PAYLOAD_MAX];
    struct al_put p = al_put(payload, sizeof payload);
    int err = al_nwk_command_build(cmd, &p);
    if (err) return err;
    const struct al_nwk_frame f = {
        .type = AL_NWK_COMMAND,
        .dst = dst,
        .src = n->addr,
        .src_ext = n->ext,
        .has_src_ext = true,
        .dst_ext = dst_ext,
        .has_dst_ext = dst_ext != 0,
        .radius = radius ? radius : AL_NWK_RADIUS,
        .seq = n->seq++,
        .end_device = !al_nwk_is_parent_role(n),
        .payload = payload,
        .payload_len = p.len,
    };
    return al_nwk_queue(n, now, &f, how);
}

/* ---- For the layer above ---- */

static struct al_nwk_frame data_frame(const struct al_nwk *n, const struct al_nwk_send *s)
{
    bool direct = s->dst == n->parent || al_nwk_neighbour(n, s->dst);
    return (struct al_nwk_frame){
        .type = AL_NWK_DATA,
        .dst = s->dst,
        .src = n->addr,
        .src_ext = n->ext,
        .has_src_ext = s->with_src_ext,
        .dst_ext = s->dst_ext,
        .has_dst_ext = s->dst_ext != 0,
        .discover_route = !s->no_discovery && !direct && !AL_NWK_BROADCAST(s->dst),
        .radius = s->radius ? s->radius : (uint8_t)AL_NWK_RADIUS,
        .seq = n->seq,
        .end_device = !al_nwk_is_parent_role(n),
        .payload = s->payload,
        .payload_len = s->len,
    };
}

int al_nwk_send(struct al_nwk *n, uint64_t now, const struct al_nwk_send *s)
{
    bool broadcast = AL_NWK_BROADCAST(s->dst);
    bool known;
    if (!n->up || (!s->unsecured && !al_nwk_active_key(n))) return AL_ERR_INVALID_STATE;
    if (s->dst == n->addr || (broadcast && s->unsecured)) return AL_ERR_INVALID_ARG;
    struct al_nwk_frame f = data_frame(n, s);
    n->seq++;
    struct al_nwk_how how = {
        .handle = s->handle,
        .tries = broadcast ? AL_NWK_REPEATS : AL_NWK_RETRIES,
        .flags = (uint8_t)((s->unsecured ? AL_W_UNSECURED : 0) |
                           (s->no_discovery || broadcast ? 0 : AL_W_DISCOVER)),
    };
    int err = al_nwk_queue(n, now, &f, &how);
    if (err || !broadcast) return err;
    al_nwk_broadcast_note(n, now, f.src, f.seq, &known);
    f.radius--;
    if (s->dst == AL_NWK_ALL) al_nwk_broadcast_to_sleepers(n, now, &f);
    return 0;
}

size_t al_nwk_room(const struct al_nwk *n, uint16_t dst)
{
    const struct al_nwk_neighbour *who = al_nwk_neighbour(n, dst);
    const struct al_nwk_source_route *r =
        n->c.concentrator && !who ? al_nwk_source_route(n, dst) : NULL;
    return AL_NWK_PAYLOAD_MAX - (r ? 2u + 2u * r->count : 0u);
}

/* ---- What became of it ---- */

static void unblock(struct al_nwk *n, uint64_t now)
{
    struct al_nwk_waiting *first = NULL;
    for (unsigned i = 0; i < n->c.waiting_count; i++) {
        struct al_nwk_waiting *w = &n->c.waiting[i];
        if (w->state != AL_WAIT_READY || !(w->flags & AL_W_BLOCKED)) continue;
        if (!first || (int32_t)(w->order - first->order) < 0) first = w;
    }
    if (first) first->at = now;
}

static uint64_t retry_delay(const struct al_nwk *n, const struct al_nwk_waiting *w)
{
    unsigned used = w->tries < AL_NWK_RETRIES ? AL_NWK_RETRIES - w->tries : 0;
    return AL_NWK_RETRY_LEAST_US + al_nwk_random(n, AL_NWK_RETRY_FIRST_US << used);
}

static void again(struct al_nwk_waiting *w, uint64_t at)
{
    w->tries--;
    w->state = AL_WAIT_READY;
    w->at = at;
}

static void broadcast_left(struct al_nwk *n, uint64_t now, struct al_nwk_waiting *w)
{
    uint16_t handle = w->handle;
    w->handle = 0; /* repetitions are not told */
    if (w->tries) {
        w->state = AL_WAIT_ECHO;
        w->at = now + (w->flags & AL_W_BLIND ? BLIND_REPEAT : AL_NWK_PASSIVE_ACK) +
                al_nwk_random(n, AL_NWK_JITTER_US);
        if (handle) AL_NWK_TELL(sent, now, handle, AL_ZB_OK);
    } else {
        w->handle = handle;
        finish(n, now, w, AL_ZB_OK);
    }
}

static void start_over(struct al_nwk_waiting *w, uint64_t at)
{
    w->tries = AL_NWK_RETRIES;
    w->state = AL_WAIT_READY;
    w->at = at;
}

/* One that is heard is not gone, only busy; or it does not hear this node. */
static bool is_lost(const struct al_nwk_neighbour *who, uint64_t now)
{
    bool heard = now - who->heard < HEARD_WITHIN;
    return who->failures >= (heard ? HEARD_FAILURES : LINK_FAILURES);
}

/* All tries of a router's frame have failed. In a busy network that happens over good links,
 * too: the link is given up when it happens again and again. Then there may be another way. */
static void router_failed(struct al_nwk *n, uint64_t now, struct al_nwk_waiting *w,
                          enum al_zb_status status)
{
    struct al_nwk_neighbour *who = al_nwk_neighbour(n, w->next_hop);
    bool leaf = who && al_nwk_is_leaf(who);
    bool may_turn = w->flags & AL_W_DISCOVER && !(w->flags & (AL_W_REPAIRED | AL_W_FIXED));
    if (who && status == AL_ZB_NO_ACK) who->failures++;
    bool lost = !who || is_lost(who, now);
    if (lost && !leaf) al_nwk_link_lost(n, w->next_hop);
    bool goes_on = !leaf && (may_turn || w->flags & AL_W_RELAYED) && ++w->rounds < LINK_FAILURES;
    if (!lost && status == AL_ZB_NO_ACK && goes_on) {
        start_over(w, now + retry_delay(n, w));
    } else if (lost && !leaf && may_turn) {
        w->flags |= AL_W_REPAIRED;
        start_over(w, now);
    } else {
        /* One frame to a leaf is no reason to tell its source that the route has failed. */
        bool quiet = w->flags & AL_W_RELAYED && leaf && !lost;
        finish(n, now, w, quiet ? AL_ZB_EXPIRED : status);
    }
}

/* All tries over this hop have failed. */
static void hop_failed(struct al_nwk *n, uint64_t now, struct al_nwk_waiting *w,
                       enum al_zb_status status)
{
    if (al_nwk_is_parent_role(n)) {
        router_failed(n, now, w, status);
    } else {
        if (w->next_hop == n->parent && n->up) al_nwk_parent_failed(n, now);
        finish(n, now, w, status);
    }
}

static void hop_took(struct al_nwk *n, const struct al_nwk_waiting *w)
{
    struct al_nwk_neighbour *who = al_nwk_neighbour(n, w->next_hop);
    if (w->next_hop == n->parent) n->failed_polls = 0;
    if (who) who->failures = 0;
}

void al_nwk_sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    struct al_nwk *n = ctx;
    struct al_nwk_waiting *w = NULL;
    if (handle & AL_NWK_ASSOC_HANDLE) {
        al_nwk_association_sent(n, now, handle & (AL_NWK_ASSOC_HANDLE - 1), status);
        return;
    }
    unblock(n, now);
    for (unsigned i = 0; !w && i < n->c.waiting_count; i++) {
        if (n->c.waiting[i].state == AL_WAIT_MAC && n->c.waiting[i].mac_handle == handle)
            w = &n->c.waiting[i];
    }
    if (!w) return;
    bool failed = status == AL_ZB_NO_ACK || status == AL_ZB_CHANNEL_BUSY;
    if (status == AL_ZB_OK) hop_took(n, w);
    if (failed && w->tries)
        again(w, now + retry_delay(n, w));
    else if (failed && !by_mac_broadcast(n, w))
        hop_failed(n, now, w, status);
    else if (status == AL_ZB_OK && by_mac_broadcast(n, w))
        broadcast_left(n, now, w);
    else
        finish(n, now, w, status);
}

void al_nwk_route_found(struct al_nwk *n, uint64_t now, uint16_t dst)
{
    for (unsigned i = 0; i < n->c.waiting_count; i++) {
        struct al_nwk_waiting *w = &n->c.waiting[i];
        if (w->state != AL_WAIT_ROUTE || w->dst != dst) continue;
        w->state = AL_WAIT_READY;
        w->tries = AL_NWK_RETRIES;
        w->at = now;
    }
}

/* ---- Time ---- */

uint64_t al_nwk_waiting_next(const struct al_nwk *n)
{
    uint64_t at = AL_NWK_NEVER;
    for (unsigned i = 0; i < n->c.waiting_count; i++) {
        const struct al_nwk_waiting *w = &n->c.waiting[i];
        if (w->state != AL_WAIT_FREE && w->state != AL_WAIT_MAC) at = al_earlier(at, w->at);
    }
    return at;
}

/* Requests and replies get lost, too. */
static void ask_again(struct al_nwk *n, uint64_t now, struct al_nwk_waiting *w)
{
    if (!w->tries) {
        finish(n, now, w, AL_ZB_NO_ROUTE);
        return;
    }
    w->tries--;
    w->at = now + ROUTE_WAIT / ROUTE_ASKS;
    al_nwk_ask_route(n, now, w->dst);
}

static void due(struct al_nwk *n, uint64_t now, struct al_nwk_waiting *w)
{
    switch (w->state) {
    case AL_WAIT_READY:
        launch(n, now, w);
        break;
    case AL_WAIT_ROUTE:
        ask_again(n, now, w);
        break;
    case AL_WAIT_ECHO: {
        struct al_nwk_frame f;
        bool wanted =
            !al_nwk_parse(&f, w->frame, w->len) &&
            (w->flags & AL_W_BLIND || al_nwk_broadcast_wanted(n, now, f.src, f.seq, w->tries));
        if (wanted)
            again(w, now);
        else
            w->state = AL_WAIT_FREE;
        break;
    }
    case AL_WAIT_DONE:
        finish(n, now, w, w->status);
        break;
    default:
        break;
    }
}

/* In order: what comes first leaves first. */
void al_nwk_waiting_run(struct al_nwk *n, uint64_t now)
{
    for (;;) {
        struct al_nwk_waiting *first = NULL;
        for (unsigned i = 0; i < n->c.waiting_count; i++) {
            struct al_nwk_waiting *w = &n->c.waiting[i];
            if (w->state == AL_WAIT_FREE || w->state == AL_WAIT_MAC || w->at > now) continue;
            if (!first || (int32_t)(w->order - first->order) < 0) first = w;
        }
        if (!first) return;
        due(n, now, first);
    }
}
