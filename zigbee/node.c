/* The layers joined together: who gets what from whom. */
#include "zigbee/node.h"

#include "core/err.h"
#include "zigbee/deadline.h"

#define EVENT(...) ((struct al_bdb_event_args){__VA_ARGS__})

static void tell(struct al_node *n, uint64_t now, struct al_bdb_event_args a)
{
    if (n->c.event) n->c.event(n->c.ctx, now, &a);
}

/* ---- From NWK ---- */

static void nwk_data(void *ctx, uint64_t now, const struct al_nwk_data_ind *ind)
{
    struct al_node *n = ctx;
    al_aps_nwk_data(&n->aps, now, ind);
}

static void nwk_sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    struct al_node *n = ctx;
    al_aps_nwk_sent(&n->aps, now, handle, status);
}

static void nwk_found(void *ctx, uint64_t now, const struct al_nwk_candidate *c)
{
    struct al_node *n = ctx;
    (void)now;
    al_bdb_found(&n->bdb, c);
}

static void nwk_energy(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    struct al_node *n = ctx;
    (void)now;
    al_bdb_energy(&n->bdb, channel, dbm);
}

static void nwk_discovered(void *ctx, uint64_t now)
{
    struct al_node *n = ctx;
    al_bdb_discovered(&n->bdb, now);
}

static void nwk_joined(void *ctx, uint64_t now, enum al_zb_status status)
{
    struct al_node *n = ctx;
    al_bdb_joined(&n->bdb, now, status);
}

static void nwk_child(void *ctx, uint64_t now, const struct al_nwk_neighbour *child, bool rejoin,
                      bool secured)
{
    struct al_node *n = ctx;
    if (!rejoin)
        tell(n, now, EVENT(.event = AL_BDB_ASSOCIATED, .ext = child->ext, .addr = child->addr));
    al_trust_child(&n->trust, now, child, rejoin, secured);
}

static void nwk_device_left(void *ctx, uint64_t now, uint16_t addr, uint64_t ext, bool rejoin)
{
    struct al_node *n = ctx;
    al_trust_child_left(&n->trust, now, ext, addr);
    tell(n, now, EVENT(.event = AL_BDB_DEVICE_LEFT, .ext = ext, .addr = addr, .value = rejoin));
}

static void nwk_left(void *ctx, uint64_t now, bool rejoin)
{
    struct al_node *n = ctx;
    al_aps_stop(&n->aps, now, AL_ZB_NOT_THERE);
    al_bdb_left(&n->bdb, now, rejoin);
}

static void nwk_parent_lost(void *ctx, uint64_t now)
{
    struct al_node *n = ctx;
    al_bdb_parent_lost(&n->bdb, now);
}

static void nwk_status(void *ctx, uint64_t now, uint8_t code, uint16_t addr)
{
    struct al_node *n = ctx;
    if (code == AL_NWK_STATUS_ADDRESS_UPDATE && addr == n->nwk.addr) al_zdo_announce(&n->zdo, now);
    if (code == AL_NWK_STATUS_NO_ROUTE)
        tell(n, now,
             EVENT(.event = AL_BDB_UNAVAILABLE, .addr = addr, .ext = al_nwk_ext_of(&n->nwk, addr)));
    tell(n, now, EVENT(.event = AL_BDB_NWK_STATUS, .addr = addr, .value = code));
}

static const struct al_nwk_up nwk_up = {
    .data = nwk_data,
    .sent = nwk_sent,
    .found = nwk_found,
    .energy = nwk_energy,
    .discovered = nwk_discovered,
    .joined = nwk_joined,
    .child = nwk_child,
    .device_left = nwk_device_left,
    .left = nwk_left,
    .parent_lost = nwk_parent_lost,
    .status = nwk_status,
};

/* ---- From APS ---- */

static void aps_data(void *ctx, uint64_t now, const struct al_aps_data_ind *ind)
{
    struct al_node *n = ctx;
    if (ind->dst_ep == 0 && !ind->group)
        al_zdo_data(&n->zdo, now, ind);
    else
        al_zcl_data(&n->zcl, now, ind);
}

static void aps_sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    struct al_node *n = ctx;
    if (al_zdo_sent(&n->zdo, now, handle, status) || al_zcl_sent(&n->zcl, now, handle, status))
        return;
    if (n->c.sent) n->c.sent(n->c.ctx, now, handle, status);
}

static void aps_command(void *ctx, uint64_t now, const struct al_aps_command_ind *ind)
{
    struct al_node *n = ctx;
    al_trust_command(&n->trust, now, ind);
}

static void aps_command_sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    struct al_node *n = ctx;
    al_trust_sent(&n->trust, now, handle, status);
}

static const struct al_aps_up aps_up = {
    .data = aps_data,
    .sent = aps_sent,
    .command = aps_command,
    .command_sent = aps_command_sent,
};

/* ---- From the trust centre's and joiner's side ---- */

static void trust_network_key(void *ctx, uint64_t now, enum al_zb_status status)
{
    struct al_node *n = ctx;
    al_bdb_network_key(&n->bdb, now, status);
}

static void trust_exchanged(void *ctx, uint64_t now, enum al_zb_status status)
{
    struct al_node *n = ctx;
    al_bdb_exchanged(&n->bdb, now, status);
}

static void trust_update(void *ctx, uint64_t now, uint64_t ext, uint16_t addr, uint16_t parent,
                         uint8_t status)
{
    struct al_node *n = ctx;
    if (status == AL_UPDATE_LEFT) {
        /* A child of this node has been told of already. */
        if (parent != n->nwk.addr)
            tell(n, now, EVENT(.event = AL_BDB_DEVICE_LEFT, .ext = ext, .addr = addr));
        return;
    }
    tell(
        n, now,
        EVENT(.event = AL_BDB_DEVICE, .ext = ext, .addr = addr, .parent = parent, .value = status));
}

static void trust_authorised(void *ctx, uint64_t now, uint64_t ext, uint16_t addr,
                             enum al_zb_status status)
{
    struct al_node *n = ctx;
    tell(n, now, EVENT(.event = AL_BDB_AUTHORISED, .status = status, .ext = ext, .addr = addr));
}

static void trust_proved(void *ctx, uint64_t now, uint64_t ext, uint16_t addr)
{
    struct al_node *n = ctx;
    tell(n, now, EVENT(.event = AL_BDB_PROVED, .ext = ext, .addr = addr));
}

static void trust_removed(void *ctx, uint64_t now)
{
    struct al_node *n = ctx;
    al_bdb_leave(&n->bdb, now);
}

static bool trust_admit(void *ctx, uint64_t ext)
{
    struct al_node *n = ctx;
    return !n->c.admit || n->c.admit(n->c.ctx, ext);
}

static const struct al_trust_up trust_up = {
    .network_key = trust_network_key,
    .exchanged = trust_exchanged,
    .update = trust_update,
    .authorised = trust_authorised,
    .proved = trust_proved,
    .removed = trust_removed,
    .admit = trust_admit,
};

/* ---- From ZDO ---- */

static void zdo_announced(void *ctx, uint64_t now, uint16_t addr, uint64_t ext, uint8_t capability)
{
    struct al_node *n = ctx;
    tell(n, now, EVENT(.event = AL_BDB_ANNOUNCED, .ext = ext, .addr = addr, .value = capability));
}

static void zdo_permit(void *ctx, uint64_t now, uint16_t src, uint8_t seconds)
{
    struct al_node *n = ctx;
    (void)src;
    al_bdb_permitted(&n->bdb, now, seconds);
}

static void zdo_channel(void *ctx, uint64_t now, uint8_t channel, uint8_t update_id)
{
    struct al_node *n = ctx;
    al_nwk_move(&n->nwk, now, channel, n->nwk.pan_id, update_id);
}

static const struct al_zdo_up zdo_up = {
    .announced = zdo_announced,
    .permit = zdo_permit,
    .channel = zdo_channel,
};

/* ---- Setting up ---- */

static void bdb_event(void *ctx, uint64_t now, const struct al_bdb_event_args *a)
{
    struct al_node *n = ctx;
    tell(n, now, *a);
}

static void bdb_trace(void *ctx, uint64_t now, const char *from, const char *to)
{
    struct al_node *n = ctx;
    n->c.trace(n->c.ctx, now, from, to);
}

static void init_lower(struct al_node *n, const struct al_node_config *c,
                       const struct al_node_tables *t)
{
    const struct al_node_sizes *s = &c->sizes;
    al_mac_init(&n->mac, &(struct al_mac_config){
                             .radio = c->radio,
                             .random = c->random,
                             .ext_addr = c->ext,
                             .slots = t->mac_slots,
                             .slot_count = s->mac_slots,
                             .seen = t->seen,
                             .seen_count = s->neighbours,
                             .up = &al_nwk_mac_up,
                             .up_ctx = &n->nwk,
                         });
    al_nwk_init(&n->nwk, &(struct al_nwk_config){
                             .mac = &n->mac,
                             .aes = c->aes,
                             .random = c->random,
                             .store = c->store,
                             .role = c->role,
                             .rx_off = c->rx_off,
                             .mains = c->mains,
                             .timeout_index = c->timeout_index,
                             .max_children = c->max_children,
                             .long_poll_ms = c->long_poll_ms,
                             .fast_poll_ms = c->fast_poll_ms,
                             .concentrator = c->role == AL_NWK_ROLE_COORDINATOR,
                             .neighbours = t->neighbours,
                             .neighbour_count = s->neighbours,
                             .addresses = t->addresses,
                             .address_count = s->addresses,
                             .routes = t->routes,
                             .route_count = s->routes,
                             .source_routes = t->source_routes,
                             .source_route_count = s->source_routes,
                             .broadcasts = t->broadcasts,
                             .broadcast_count = s->broadcasts,
                             .waiting = t->waiting,
                             .waiting_count = s->waiting,
                             .up = &nwk_up,
                             .up_ctx = n,
                         });
    al_aps_init(&n->aps, &(struct al_aps_config){
                             .nwk = &n->nwk,
                             .aes = c->aes,
                             .store = c->store,
                             .tx = t->tx,
                             .tx_count = s->aps_tx,
                             .rx = t->rx,
                             .rx_count = s->aps_rx,
                             .asdu_size = s->asdu,
                             .bytes = t->asdus,
                             .duplicates = t->duplicates,
                             .duplicate_count = s->duplicates,
                             .keys = t->keys,
                             .key_count = s->link_keys,
                             .peers = t->peers,
                             .peer_count = s->aps_tx,
                             .window = c->aps_window,
                             .up = &aps_up,
                             .up_ctx = n,
                         });
}

static void init_upper(struct al_node *n, const struct al_node_config *c,
                       const struct al_node_tables *t)
{
    const struct al_node_sizes *s = &c->sizes;
    bool defaults = !c->primary_channels && !c->secondary_channels;
    al_trust_init(&n->trust, &(struct al_trust_config){
                                 .aps = &n->aps,
                                 .nwk = &n->nwk,
                                 .aes = c->aes,
                                 .random = c->random,
                                 .store = c->store,
                                 .trust_centre = c->role == AL_NWK_ROLE_COORDINATOR,
                                 .install_codes_only = c->install_codes_only,
                                 .require_exchange = c->require_exchange,
                                 .devices = t->admissions,
                                 .device_count = s->admissions,
                                 .up = &trust_up,
                                 .up_ctx = n,
                             });
    al_zcl_init(&n->zcl, &(struct al_zcl_config){
                             .aps = &n->aps,
                             .requests = t->zcl_requests,
                             .request_count = s->zcl_requests,
                             .reports = t->reports,
                             .report_count = s->reports,
                             .bindings = t->bindings,
                             .binding_count = s->bindings,
                             .store = c->store,
                             .up = c->zcl_up,
                             .up_ctx = c->ctx,
                         });
    al_zdo_init(&n->zdo, &(struct al_zdo_config){
                             .aps = &n->aps,
                             .nwk = &n->nwk,
                             .zcl = &n->zcl,
                             .store = c->store,
                             .manufacturer = c->manufacturer,
                             .requests = t->zdo_requests,
                             .request_count = s->zdo_requests,
                             .bindings = t->bindings,
                             .binding_count = s->bindings,
                             .up = &zdo_up,
                             .up_ctx = n,
                         });
    al_bdb_init(&n->bdb,
                &(struct al_bdb_config){
                    .nwk = &n->nwk,
                    .aps = &n->aps,
                    .trust = &n->trust,
                    .zdo = &n->zdo,
                    .random = c->random,
                    .primary = c->primary_channels,
                    .secondary = defaults ? AL_BDB_SECONDARY_CHANNELS : c->secondary_channels,
                    .epid = c->epid,
                    .pan_id = c->pan_id,
                    .up_ctx = n,
                    .event = bdb_event,
                    .trace = c->trace ? bdb_trace : NULL,
                });
}

int al_node_init(struct al_node *n, const struct al_node_config *c)
{
    struct al_node_tables tables;
    if (!c->radio || !c->aes || !c->random.next || !c->ext || !c->memory) return AL_ERR_INVALID_ARG;
    if ((uintptr_t)c->memory % AL_NODE_ALIGN) return AL_ERR_INVALID_ARG;
    memset(n, 0, sizeof *n);
    n->c = *c;
    memset(c->memory, 0, al_node_memory(&c->sizes));
    al_node_place(&c->sizes, c->memory, &tables);
    init_lower(n, c, &tables);
    init_upper(n, c, &tables);
    al_aps_restore(&n->aps);
    al_trust_restore(&n->trust);
    al_zdo_restore(&n->zdo);
    al_zcl_restore(&n->zcl);
    /* The trust centre is the coordinator: its address need not be learnt again. */
    if (al_nwk_restore(&n->nwk) && n->trust.centre)
        al_nwk_learn(&n->nwk, 0, AL_NWK_COORDINATOR, n->trust.centre);
    return 0;
}

void al_node_factory_reset(struct al_node *n, uint64_t now)
{
    al_aps_stop(&n->aps, now, AL_ZB_NOT_THERE);
    al_bdb_reset(&n->bdb, now);
}

/* ---- From the radio, and time ---- */

void al_node_received(struct al_node *n, uint64_t now, const struct al_radio_rx *rx)
{
    al_mac_received(&n->mac, now, rx);
}

void al_node_transmitted(struct al_node *n, uint64_t now, enum al_radio_status status, bool pending)
{
    al_mac_transmitted(&n->mac, now, status, pending);
}

void al_node_scanned(struct al_node *n, uint64_t now, uint8_t channel, int8_t dbm)
{
    al_mac_scanned(&n->mac, now, channel, dbm);
}

uint64_t al_node_next(const struct al_node *n)
{
    uint64_t next = al_mac_next(&n->mac);
    next = al_earlier(next, al_nwk_next(&n->nwk));
    next = al_earlier(next, al_aps_next(&n->aps));
    next = al_earlier(next, al_trust_next(&n->trust));
    next = al_earlier(next, al_zdo_next(&n->zdo));
    next = al_earlier(next, al_zcl_next(&n->zcl));
    return al_earlier(next, al_bdb_next(&n->bdb));
}

void al_node_run(struct al_node *n, uint64_t now)
{
    if (al_mac_next(&n->mac) <= now) al_mac_run(&n->mac, now);
    if (al_nwk_next(&n->nwk) <= now) al_nwk_run(&n->nwk, now);
    if (al_aps_next(&n->aps) <= now) al_aps_run(&n->aps, now);
    if (al_trust_next(&n->trust) <= now) al_trust_run(&n->trust, now);
    if (al_zdo_next(&n->zdo) <= now) al_zdo_run(&n->zdo, now);
    if (al_zcl_next(&n->zcl) <= now) al_zcl_run(&n->zcl, now);
    if (al_bdb_next(&n->bdb) <= now) al_bdb_run(&n->bdb, now);
}
