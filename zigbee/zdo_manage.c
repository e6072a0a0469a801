/* What others tell this node to do, and what it tells of its tables. */
#include "zigbee/zdo_internal.h"

#define LEAVE_WITHIN_US  2000000u /* even when the answer does not get out */
#define MGMT_HEADER      5u       /* sequence, status, total, start, count */
#define MGMT_ENTRIES_MAX 200u

/* ---- Announcements ---- */

void al_zdo_announced(const struct al_zdo_asked *a)
{
    struct al_zdo *z = a->zdo;
    uint64_t ext = a->q->device_annce.ext;
    uint16_t addr = a->q->device_annce.addr;
    if (ext == z->c.nwk->ext || AL_NWK_BROADCAST(addr)) return;
    al_nwk_learn(z->c.nwk, a->now, addr, ext);
    if (z->c.up && z->c.up->announced)
        z->c.up->announced(z->c.up_ctx, a->now, addr, ext, a->q->device_annce.capability);
}

/* ---- Tables ---- */

static void put_neighbour(const struct al_nwk *n, const struct al_nwk_neighbour *who,
                          struct al_put *p)
{
    static const uint8_t relations[] = {
        [AL_NWK_PARENT] = 0, [AL_NWK_CHILD] = 1, [AL_NWK_SIBLING] = 2, [AL_NWK_JOINING] = 1};
    static const uint8_t types[] = {[AL_NWK_ROLE_COORDINATOR] = AL_ZDP_COORDINATOR,
                                    [AL_NWK_ROLE_ROUTER] = AL_ZDP_ROUTER,
                                    [AL_NWK_ROLE_END_DEVICE] = AL_ZDP_END_DEVICE};
    bool child = relations[who->relation] == 1;
    struct al_zdp_neighbour e = {
        .epid = n->epid,
        .ext = who->ext,
        .addr = who->addr,
        .type = types[who->role],
        .rx_on = who->rx_on,
        .relation = relations[who->relation],
        .permit = who->role == AL_NWK_ROLE_END_DEVICE ? 0 : 2,
        .depth = child ? (uint8_t)(n->depth + 1u) : 0,
        .lqi = who->lqi,
    };
    if (who->relation == AL_NWK_PARENT && n->depth) e.depth = (uint8_t)(n->depth - 1u);
    al_zdp_neighbour_put(&e, p);
}

static void put_route(const struct al_nwk_route *route, struct al_put *p)
{
    struct al_zdp_route e = {
        .dst = route->dst,
        .next_hop = route->next_hop,
        .status = route->expires ? 1 : 0, /* being discovered, or active */
        .many_to_one = route->many_to_one,
        .record_required = route->record,
    };
    al_zdp_route_put(&e, p);
}

/* Entry i of the table that cluster asks for; false: that place is empty. */
static bool put_entry(const struct al_zdo *z, uint16_t cluster, unsigned i, struct al_put *p)
{
    const struct al_nwk *n = z->c.nwk;
    switch (cluster) {
    case AL_ZDP_MGMT_LQI:
        if (n->c.neighbours[i].relation == AL_NWK_NOBODY) return false;
        put_neighbour(n, &n->c.neighbours[i], p);
        return true;
    case AL_ZDP_MGMT_RTG:
        if (!n->c.routes[i].state) return false;
        put_route(&n->c.routes[i], p);
        return true;
    default:
        if (!z->c.bindings[i].mode) return false;
        al_zdp_binding_put(&z->c.bindings[i], p);
        return true;
    }
}

static unsigned table_size(const struct al_zdo *z, uint16_t cluster)
{
    if (cluster == AL_ZDP_MGMT_LQI) return z->c.nwk->c.neighbour_count;
    if (cluster == AL_ZDP_MGMT_RTG) return z->c.nwk->c.route_count;
    return z->c.binding_count;
}

void al_zdo_tell_list(const struct al_zdo_asked *a)
{
    uint8_t entries[MGMT_ENTRIES_MAX];
    struct al_put p = al_put(entries, al_zdo_room(a, MGMT_HEADER, sizeof entries));
    struct al_zdp r = {.mgmt_rsp = {.entries = entries, .start = a->q->mgmt_req.start}};
    unsigned total = 0;
    if (a->ind->broadcast) return;
    for (unsigned i = 0; i < table_size(a->zdo, a->q->cluster); i++) {
        uint8_t one[AL_ZDP_NEIGHBOUR_SIZE];
        struct al_put entry = al_put(one, sizeof one);
        if (!put_entry(a->zdo, a->q->cluster, i, &entry)) continue;
        if (total++ < r.mgmt_rsp.start || p.failed) continue;
        al_put_bytes(&p, one, entry.len);
        if (!p.failed) r.mgmt_rsp.count++;
    }
    r.mgmt_rsp.total = (uint8_t)(total < UINT8_MAX ? total : UINT8_MAX);
    r.mgmt_rsp.len = p.len;
    al_zdo_answer(a, &r);
}

/* ---- Orders ---- */

/* The specification lets every member send anybody away. Here only the coordinator may, who
 * is the trust centre, and a device's own parent, who can do so by NWK anyhow. */
static bool may_send_away(const struct al_zdo_asked *a)
{
    const struct al_nwk *n = a->zdo->c.nwk;
    bool parent = a->ind->src == n->parent && n->c.role == AL_NWK_ROLE_END_DEVICE;
    return a->ind->src == AL_NWK_COORDINATOR || parent;
}

void al_zdo_ordered_to_leave(const struct al_zdo_asked *a)
{
    struct al_zdo *z = a->zdo;
    uint64_t ext = a->q->leave_req.ext;
    bool remove_children = a->q->leave_req.remove_children, rejoin = a->q->leave_req.rejoin;
    if (a->ind->broadcast) return;
    if (!may_send_away(a)) {
        al_zdo_answer_status(a, AL_ZDP_NOT_AUTHORISED);
        return;
    }
    if (ext && ext != z->c.nwk->ext) {
        int err = al_nwk_leave(z->c.nwk, a->now, ext, remove_children, rejoin);
        al_zdo_answer_status(a, err ? AL_ZDP_DEVICE_NOT_FOUND : AL_ZDP_SUCCESS);
        return;
    }
    if (z->c.nwk->c.role == AL_NWK_ROLE_COORDINATOR) {
        al_zdo_answer_status(a, AL_ZDP_NOT_PERMITTED);
        return;
    }
    z->leave.at = a->now + LEAVE_WITHIN_US;
    z->leave.remove_children = remove_children;
    z->leave.rejoin = rejoin;
    al_zdo_answer_status(a, AL_ZDP_SUCCESS);
    if (z->c.up && z->c.up->leaving) z->c.up->leaving(z->c.up_ctx, a->now, a->ind->src, rejoin);
}

void al_zdo_ordered_to_permit(const struct al_zdo_asked *a)
{
    struct al_zdo *z = a->zdo;
    uint8_t seconds = a->q->permit_req.duration == 0xff ? 0xfe : a->q->permit_req.duration;
    if (z->c.nwk->c.role == AL_NWK_ROLE_END_DEVICE) {
        al_zdo_answer_status(a, AL_ZDP_NOT_SUPPORTED);
        return;
    }
    if (al_nwk_permit(z->c.nwk, a->now, seconds)) {
        al_zdo_answer_status(a, AL_ZDP_NOT_PERMITTED);
        return;
    }
    if (z->c.up && z->c.up->permit) z->c.up->permit(z->c.up_ctx, a->now, a->ind->src, seconds);
    al_zdo_answer_status(a, AL_ZDP_SUCCESS);
}

/* Only a change of channel, from the network manager; it has no answer when all is well. */
void al_zdo_ordered_to_update(const struct al_zdo_asked *a)
{
    struct al_zdo *z = a->zdo;
    uint32_t channels = a->q->nwk_update_req.channels;
    uint8_t channel = 11, update_id = a->q->nwk_update_req.update_id;
    if (a->q->nwk_update_req.duration != AL_ZDP_CHANGE_CHANNEL) {
        al_zdo_answer_status(a, AL_ZDP_NOT_SUPPORTED);
        return;
    }
    while (channel < 26 && !(channels >> channel & 1)) channel++;
    if (channels != 1u << channel) {
        al_zdo_answer_status(a, AL_ZDP_INVALID_REQUEST);
        return;
    }
    if (a->ind->src != AL_NWK_COORDINATOR) {
        al_zdo_answer_status(a, AL_ZDP_NOT_AUTHORISED);
        return;
    }
    al_nwk_move(z->c.nwk, a->now, channel, z->c.nwk->pan_id, update_id);
    if (z->c.up && z->c.up->channel) z->c.up->channel(z->c.up_ctx, a->now, channel, update_id);
}
