/* The joiner's side: discovery, association, rejoin. */
#include "zigbee/nwk_internal.h"

#define RESPONSE_TIME   (5 * AL_NWK_S)
#define SCAN_DURATION   4u
#define STACK_PROFILE   2u
#define REJOIN_ATTEMPTS 2u /* repetitions of the request */

/* ---- Discovery ---- */

static int scan(struct al_nwk *n, uint64_t now, enum al_mac_scan_kind kind, uint32_t mask,
                uint8_t duration, enum al_nwk_state state)
{
    if (n->state != AL_NWK_IDLE) return AL_ERR_INVALID_STATE;
    int err = al_mac_scan(n->c.mac, now, kind, mask, duration);
    if (!err) n->state = (uint8_t)state;
    return err;
}

int al_nwk_energy(struct al_nwk *n, uint64_t now, uint32_t mask, uint8_t duration)
{
    return scan(n, now, AL_MAC_SCAN_ENERGY, mask, duration, AL_NWK_MEASURING);
}

int al_nwk_discover(struct al_nwk *n, uint64_t now, uint32_t mask, uint8_t duration)
{
    return scan(n, now, AL_MAC_SCAN_ACTIVE, mask, duration, AL_NWK_DISCOVERING);
}

void al_nwk_energy_in(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    struct al_nwk *n = ctx;
    AL_NWK_TELL(energy, now, channel, dbm);
}

/* Keeps the best parents for a rejoin, best first. */
static void consider(struct al_nwk *n, const struct al_nwk_candidate *c)
{
    bool room = n->c.role == AL_NWK_ROLE_ROUTER ? c->router_room : c->end_device_room;
    bool own = c->addr == n->parent; /* has this node among its children already */
    uint8_t at = n->candidate_count;
    if (c->epid != n->epid || c->stack_profile != STACK_PROFILE || !(room || own)) return;
    for (uint8_t i = 0; i < n->candidate_count; i++) {
        if (n->candidates[i].addr == c->addr && n->candidates[i].pan_id == c->pan_id) return;
    }
    while (at > 0 && n->candidates[at - 1].lqi < c->lqi) at--;
    if (at == AL_NWK_CANDIDATES) return;
    if (n->candidate_count < AL_NWK_CANDIDATES) n->candidate_count++;
    for (uint8_t i = (uint8_t)(n->candidate_count - 1); i > at; i--)
        n->candidates[i] = n->candidates[i - 1];
    n->candidates[at] = *c;
}

void al_nwk_beacon_in(void *ctx, uint64_t now, const struct al_mac_beacon_ind *ind)
{
    struct al_nwk *n = ctx;
    const struct al_nwk_candidate c = {
        .epid = ind->zigbee.epid,
        .pan_id = ind->pan_id,
        .addr = ind->addr,
        .channel = ind->channel,
        .lqi = ind->lqi,
        .depth = ind->zigbee.depth,
        .update_id = ind->zigbee.update_id,
        .stack_profile = ind->zigbee.profile,
        .version = ind->zigbee.version,
        .permit_join = ind->permit_join,
        .router_room = ind->zigbee.router_capacity,
        .end_device_room = ind->zigbee.end_device_capacity,
    };
    if (n->state == AL_NWK_DISCOVERING) AL_NWK_TELL(found, now, &c);
    if (n->state == AL_NWK_REJOIN_SCAN && c.version == AL_NWK_VERSION) consider(n, &c);
}

/* ---- The parent ---- */

/* The entry of a parent of long standing keeps its counter. */
struct al_nwk_neighbour *al_nwk_set_parent(struct al_nwk *n, uint64_t now, uint16_t addr,
                                           uint64_t ext)
{
    struct al_nwk_neighbour *who = al_nwk_neighbour(n, addr);
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        struct al_nwk_neighbour *old = &n->c.neighbours[i];
        if (old->relation != AL_NWK_PARENT || old == who) continue;
        if (al_nwk_is_parent_role(n))
            old->relation = AL_NWK_SIBLING;
        else
            old->relation = AL_NWK_NOBODY;
    }
    n->parent = addr;
    if (who && ext && who->ext && who->ext != ext) {
        al_nwk_neighbour_drop(n, now, who);
        who = NULL;
    }
    if (!who) who = al_nwk_neighbour_take(n, now, addr, ext, AL_NWK_PARENT, 0);
    if (!who) return NULL;
    who->relation = AL_NWK_PARENT;
    who->one_way = false;
    if (ext) who->ext = ext;
    return who;
}

/* The parent has an address for this node; it is a member as soon as it has the key. */
static void settle(struct al_nwk *n, uint64_t now, uint16_t addr, bool has_key,
                   enum al_zb_status status)
{
    const struct al_nwk_candidate *c = &n->candidates[n->candidate];
    struct al_nwk_neighbour *parent = al_nwk_neighbour(n, n->parent);
    n->addr = addr;
    n->depth = (uint8_t)(c->depth + 1);
    n->update_id = c->update_id;
    n->state = AL_NWK_IDLE;
    n->wait_until = AL_NWK_NEVER;
    n->parent_info = 0;
    if (parent) al_nwk_heard(n, now, parent, c->lqi);
    al_nwk_start_mac(n);
    n->awaiting_key = !has_key;
    if (has_key) {
        al_nwk_go_up(n, now);
        al_nwk_save_network(n, now);
    } else {
        al_nwk_poll_start(n, now);
    }
    AL_NWK_TELL(joined, now, status);
}

/* ---- Association ---- */

int al_nwk_join(struct al_nwk *n, uint64_t now, const struct al_nwk_candidate *c)
{
    if (n->state != AL_NWK_IDLE || n->up || n->c.role == AL_NWK_ROLE_COORDINATOR)
        return AL_ERR_INVALID_STATE;
    int err = al_mac_associate(n->c.mac, now, c->channel, c->pan_id, c->addr, al_nwk_capability(n));
    if (err) return err;
    n->candidates[0] = *c;
    n->candidate = 0;
    n->candidate_count = 1;
    n->awaiting_key = false;
    n->state = AL_NWK_ASSOCIATING;
    return 0;
}

void al_nwk_associated(void *ctx, uint64_t now, enum al_zb_status status, uint16_t addr)
{
    struct al_nwk *n = ctx;
    const struct al_nwk_candidate *c = &n->candidates[0];
    if (n->state != AL_NWK_ASSOCIATING) return;
    if (status != AL_ZB_OK) {
        n->state = AL_NWK_IDLE;
        AL_NWK_TELL(joined, now, status);
        return;
    }
    n->channel = c->channel;
    n->pan_id = c->pan_id;
    n->epid = c->epid;
    memset(n->keys, 0, sizeof n->keys);
    struct al_nwk_neighbour *parent =
        al_nwk_set_parent(n, now, c->addr, n->c.mac->assoc.parent_ext);
    if (parent) parent->counter_known = false;
    settle(n, now, addr, false, AL_ZB_OK);
}

/* ---- Rejoin ---- */

/* Every try begins from where this node was: what a beacon or an unsecured response of the
 * last one said is forgotten. */
void al_nwk_go_home(struct al_nwk *n)
{
    if (n->home.valid) {
        n->channel = n->home.channel;
        n->pan_id = n->home.pan_id;
        n->addr = n->home.addr;
    }
    n->home.valid = true;
    n->home.channel = n->channel;
    n->home.pan_id = n->pan_id;
    n->home.addr = n->addr;
}

int al_nwk_rejoin(struct al_nwk *n, uint64_t now, uint32_t mask, bool secured)
{
    if (n->addr == AL_NWK_NO_ADDR || n->c.role == AL_NWK_ROLE_COORDINATOR)
        return AL_ERR_INVALID_STATE;
    if (secured && !al_nwk_active_key(n)) return AL_ERR_INVALID_STATE;
    int err = scan(n, now, AL_MAC_SCAN_ACTIVE, mask, SCAN_DURATION, AL_NWK_REJOIN_SCAN);
    if (err) return err;
    al_nwk_go_down(n);
    al_nwk_go_home(n);
    n->awaiting_key = false;
    n->rejoin_secured = secured;
    n->candidate_count = 0;
    n->candidate = 0;
    return 0;
}

void al_nwk_cancel(struct al_nwk *n)
{
    if (n->up) return;
    al_mac_stop(n->c.mac);
    n->state = AL_NWK_IDLE;
    n->wait_until = AL_NWK_NEVER;
    n->awaiting_key = false;
    n->polling = n->poll_again = false;
}

static void rejoin_failed(struct al_nwk *n, uint64_t now, enum al_zb_status status)
{
    n->state = AL_NWK_IDLE;
    n->wait_until = AL_NWK_NEVER;
    AL_NWK_TELL(joined, now, status);
}

static void try_candidate(struct al_nwk *n, uint64_t now)
{
    const struct al_nwk_candidate *c = &n->candidates[n->candidate];
    const struct al_nwk_command cmd = {.id = AL_NWK_REJOIN_REQUEST,
                                       .rejoin_request = {.capability = al_nwk_capability(n)}};
    const struct al_nwk_how how = {
        .flags = (uint8_t)(AL_W_FIXED | (n->rejoin_secured ? 0 : AL_W_UNSECURED)),
        .next_hop = c->addr,
        .tries = REJOIN_ATTEMPTS,
    };
    n->state = AL_NWK_REJOIN_WAIT;
    n->wait_until = now + RESPONSE_TIME;
    n->channel = c->channel;
    n->pan_id = c->pan_id;
    struct al_nwk_neighbour *who = al_nwk_set_parent(n, now, c->addr, 0);
    al_nwk_start_mac(n);
    al_nwk_command(n, now, &cmd, c->addr, who ? who->ext : 0, 1, &how);
    if (n->c.rx_off) n->next_poll = now + n->c.fast_poll_ms * AL_NWK_MS;
}

static void try_next(struct al_nwk *n, uint64_t now, enum al_zb_status last)
{
    if (++n->candidate < n->candidate_count)
        try_candidate(n, now);
    else
        rejoin_failed(n, now, last);
}

void al_nwk_rejoin_timeout(struct al_nwk *n, uint64_t now)
{
    n->wait_until = AL_NWK_NEVER;
    if (n->state == AL_NWK_REJOIN_WAIT) try_next(n, now, AL_ZB_TIMEOUT);
}

void al_nwk_rejoin_response_in(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                               const struct al_nwk_command *cmd)
{
    uint16_t addr = cmd->rejoin_response.addr;
    uint8_t status = cmd->rejoin_response.status;
    bool granted = status == AL_MAC_ASSOC_OK || status == AL_MAC_ASSOC_CONFLICT;
    bool valid = addr && addr < AL_NWK_BROADCAST_MIN;
    if (f->src != n->parent || (f->has_dst_ext && f->dst_ext != n->ext)) return;
    if (n->state == AL_NWK_REJOIN_WAIT) {
        if (f->secured != n->rejoin_secured) return;
        if (granted && valid)
            settle(n, now, addr, f->secured, addr == n->addr ? AL_ZB_OK : AL_ZB_CONFLICT);
        else
            try_next(n, now, status == AL_MAC_ASSOC_FULL ? AL_ZB_PAN_FULL : AL_ZB_DENIED);
    } else if (n->up && f->secured && f->has_dst_ext && granted && valid && addr != n->addr) {
        al_nwk_readdress(n, now, addr); /* the parent resolves a conflict */
    }
}

void al_nwk_scan_done(void *ctx, uint64_t now)
{
    struct al_nwk *n = ctx;
    uint8_t was = n->state;
    n->state = AL_NWK_IDLE;
    if (was == AL_NWK_MEASURING || was == AL_NWK_DISCOVERING) {
        AL_NWK_TELL(discovered, now);
    } else if (was == AL_NWK_REJOIN_SCAN) {
        if (n->candidate_count)
            try_candidate(n, now);
        else
            rejoin_failed(n, now, AL_ZB_NO_NETWORK);
    }
}
