/* The network layer as a whole: set-up, forming, resuming, the beacon, time. */
#include "zigbee/nwk_internal.h"

#define LONG_POLL_MS  5000u
#define FAST_POLL_MS  100u
#define LINK_STATUS_S 15u
#define PERMIT_MAX    254u
#define MAX_DEPTH     15u

const struct al_mac_up al_nwk_mac_up = {
    .data = al_nwk_mac_data,
    .sent = al_nwk_sent,
    .beacon = al_nwk_beacon_in,
    .energy = al_nwk_energy_in,
    .scan_done = al_nwk_scan_done,
    .associated = al_nwk_associated,
    .association = al_nwk_association_in,
    .disassociated = al_nwk_disassociated,
    .child_polled = al_nwk_child_polled,
    .poll_done = al_nwk_poll_done,
};

/* ---- Set-up ---- */

static void clear_tables(struct al_nwk *n)
{
    for (unsigned i = 0; i < n->c.neighbour_count; i++)
        n->c.neighbours[i] = (struct al_nwk_neighbour){.relation = AL_NWK_NOBODY};
    for (unsigned i = 0; i < n->c.address_count; i++) n->c.addresses[i].ext = 0;
    for (unsigned i = 0; i < n->c.route_count; i++) n->c.routes[i].state = AL_ROUTE_FREE;
    for (unsigned i = 0; i < n->c.source_route_count; i++) n->c.source_routes[i].used = false;
    for (unsigned i = 0; i < n->c.broadcast_count; i++) n->c.broadcasts[i].expires = 0;
}

static void clear_timers(struct al_nwk *n)
{
    n->permit_until = 0;
    n->fast_until = 0;
    n->next_poll = n->next_link_status = n->next_many_to_one = AL_NWK_NEVER;
    n->next_keepalive = n->next_ageing = n->wait_until = AL_NWK_NEVER;
    n->move.at = AL_NWK_NEVER;
}

void al_nwk_init(struct al_nwk *n, const struct al_nwk_config *c)
{
    memset(n, 0, sizeof *n);
    n->c = *c;
    if (!n->c.max_children)
        n->c.max_children =
            c->neighbour_count > UINT8_MAX ? UINT8_MAX : (uint8_t)c->neighbour_count;
    if (!n->c.long_poll_ms) n->c.long_poll_ms = LONG_POLL_MS;
    if (!n->c.fast_poll_ms) n->c.fast_poll_ms = FAST_POLL_MS;
    if (!n->c.link_status_s) n->c.link_status_s = LINK_STATUS_S;
    n->ext = c->mac->c.ext_addr;
    n->addr = n->parent = AL_NWK_NO_ADDR;
    n->seq = (uint8_t)al_nwk_random(n, 256);
    n->route_request_id = (uint8_t)al_nwk_random(n, 256);
    for (unsigned i = 0; i < c->waiting_count; i++) c->waiting[i].state = AL_WAIT_FREE;
    clear_tables(n);
    clear_timers(n);
}

void al_nwk_clear(struct al_nwk *n)
{
    clear_tables(n);
    memset(n->keys, 0, sizeof n->keys);
    n->active_key = 0;
    n->addr = n->parent = AL_NWK_NO_ADDR;
    n->pan_id = AL_MAC_BROADCAST;
    n->epid = 0;
    n->channel = n->update_id = n->depth = n->parent_info = 0;
    n->state = AL_NWK_IDLE;
    n->awaiting_key = n->home.valid = false;
    n->polling = n->poll_again = false; /* the MAC has forgotten it, too */
}

void al_nwk_forget(struct al_nwk *n)
{
    al_nwk_go_down(n);
    for (unsigned i = 0; i < n->c.waiting_count; i++) n->c.waiting[i].state = AL_WAIT_FREE;
    al_mac_stop(n->c.mac);
    al_nwk_erase_records(n);
    al_nwk_clear(n);
}

uint8_t al_nwk_capability(const struct al_nwk *n)
{
    uint32_t cap = AL_CAP_ALLOCATE;
    if (n->c.role != AL_NWK_ROLE_END_DEVICE) cap |= AL_CAP_ROUTER | AL_CAP_MAINS | AL_CAP_RX_ON;
    if (n->c.role == AL_NWK_ROLE_COORDINATOR) cap |= AL_CAP_ALT_COORDINATOR;
    if (n->c.mains) cap |= AL_CAP_MAINS;
    if (!n->c.rx_off) cap |= AL_CAP_RX_ON;
    return (uint8_t)cap;
}

int al_nwk_start_mac(struct al_nwk *n)
{
    bool rx_on = al_nwk_is_parent_role(n) || !n->c.rx_off;
    return al_mac_start(n->c.mac, n->channel, n->pan_id, n->addr, rx_on);
}

/* ---- On air, off air ---- */

void al_nwk_update_beacon(struct al_nwk *n)
{
    if (!n->up || !al_nwk_is_parent_role(n)) {
        al_mac_set_beacon(n->c.mac, NULL);
        return;
    }
    bool room = al_nwk_children(n) < n->c.max_children && n->depth < MAX_DEPTH;
    const struct al_mac_beacon_ind b = {
        .pan_id = n->pan_id,
        .permit_join = n->permit_until != 0,
        .pan_coordinator = n->c.role == AL_NWK_ROLE_COORDINATOR,
        .zigbee = {.epid = n->epid,
                   .tx_offset = 0xffffff,
                   .profile = 2,
                   .version = AL_NWK_VERSION,
                   .depth = n->depth,
                   .update_id = n->update_id,
                   .router_capacity = room,
                   .end_device_capacity = room},
    };
    al_mac_set_beacon(n->c.mac, &b);
}

void al_nwk_go_up(struct al_nwk *n, uint64_t now)
{
    n->up = true;
    n->home.valid = false;
    n->failed_polls = 0;
    if (al_nwk_is_parent_role(n)) {
        n->next_link_status = now + al_nwk_random(n, (uint32_t)AL_NWK_S);
        n->next_ageing = now + AL_NWK_S;
        if (n->c.concentrator)
            n->next_many_to_one = now + AL_NWK_S + al_nwk_random(n, (uint32_t)AL_NWK_S);
    } else {
        al_nwk_poll_start(n, now);
    }
    al_nwk_update_beacon(n);
}

void al_nwk_go_down(struct al_nwk *n)
{
    n->up = false;
    clear_timers(n);
    al_nwk_waiting_fail(n);
    al_nwk_update_beacon(n);
}

int al_nwk_form(struct al_nwk *n, uint64_t now, uint8_t channel, uint16_t pan_id, uint64_t epid)
{
    if (n->c.role != AL_NWK_ROLE_COORDINATOR || n->up) return AL_ERR_INVALID_STATE;
    n->addr = AL_NWK_COORDINATOR;
    n->channel = channel;
    n->pan_id = pan_id;
    n->epid = epid ? epid : n->ext;
    n->depth = 0;
    n->update_id = 0;
    int err = al_nwk_start_mac(n);
    if (err) {
        n->addr = AL_NWK_NO_ADDR;
        return err;
    }
    al_nwk_go_up(n, now);
    al_nwk_save_network(n, now);
    return 0;
}

int al_nwk_resume(struct al_nwk *n, uint64_t now)
{
    if (n->addr == AL_NWK_NO_ADDR || !al_nwk_active_key(n)) return AL_ERR_INVALID_STATE;
    al_nwk_go_home(n);
    n->awaiting_key = false;
    int err = al_nwk_start_mac(n);
    if (err) return err;
    /* Nobody is out of time because this node was. */
    for (unsigned i = 0; i < n->c.neighbour_count; i++) n->c.neighbours[i].heard = now;
    al_nwk_go_up(n, now);
    return 0;
}

int al_nwk_permit(struct al_nwk *n, uint64_t now, uint8_t seconds)
{
    if (!n->up || !al_nwk_is_parent_role(n)) return AL_ERR_INVALID_STATE;
    uint64_t length = seconds > PERMIT_MAX ? PERMIT_MAX : seconds;
    n->permit_until = seconds ? now + length * AL_NWK_S : 0;
    al_nwk_update_beacon(n);
    return 0;
}

bool al_nwk_permitted(const struct al_nwk *n, uint64_t now)
{
    return now < n->permit_until;
}

void al_nwk_readdress(struct al_nwk *n, uint64_t now, uint16_t addr)
{
    n->addr = addr;
    al_nwk_start_mac(n);
    al_nwk_save_network(n, now);
    AL_NWK_TELL(status, now, AL_NWK_STATUS_ADDRESS_UPDATE, addr);
}

void al_nwk_move(struct al_nwk *n, uint64_t now, uint8_t channel, uint16_t pan_id,
                 uint8_t update_id)
{
    bool newer = (int8_t)(update_id - n->update_id) > 0;
    if (!n->up || !newer || channel < 11 || channel > 26 || pan_id == AL_MAC_BROADCAST) return;
    n->move.at = now + AL_NWK_DELIVERY;
    n->move.channel = channel;
    n->move.pan_id = pan_id;
    n->move.update_id = update_id;
}

static void move_now(struct al_nwk *n, uint64_t now)
{
    n->move.at = AL_NWK_NEVER;
    n->channel = n->move.channel;
    n->pan_id = n->move.pan_id;
    n->update_id = n->move.update_id;
    al_nwk_start_mac(n);
    al_nwk_update_beacon(n);
    al_nwk_save_network(n, now);
    AL_NWK_TELL(status, now, AL_NWK_STATUS_PAN_ID_UPDATE, n->addr);
}

/* ---- Time ---- */

uint64_t al_nwk_next(const struct al_nwk *n)
{
    uint64_t at = al_earlier(al_nwk_waiting_next(n), al_nwk_poll_next(n));
    if (n->permit_until) at = al_earlier(at, n->permit_until);
    at = al_earlier(at, n->next_link_status);
    at = al_earlier(at, n->next_many_to_one);
    at = al_earlier(at, n->next_keepalive);
    at = al_earlier(at, n->next_ageing);
    at = al_earlier(at, n->move.at);
    return al_earlier(at, n->wait_until);
}

void al_nwk_run(struct al_nwk *n, uint64_t now)
{
    if (n->permit_until && now >= n->permit_until) al_nwk_permit(n, now, 0);
    if (now >= n->move.at) move_now(n, now);
    if (now >= n->wait_until) al_nwk_rejoin_timeout(n, now);
    if (now >= n->next_ageing) {
        n->next_ageing = now + AL_NWK_S;
        al_nwk_age_children(n, now);
    }
    if (now >= n->next_link_status) al_nwk_send_link_status(n, now);
    if (now >= n->next_many_to_one) al_nwk_many_to_one(n, now);
    if (now >= n->next_keepalive) al_nwk_keepalive(n, now);
    al_nwk_poll_run(n, now);
    al_nwk_waiting_run(n, now);
}
