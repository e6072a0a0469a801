/* Which part of ZDO a frame is for; answers, and what waits for its time. */
#include "zigbee/zdo_internal.h"

#define JITTER_US 500000u

void al_zdo_init(struct al_zdo *z, const struct al_zdo_config *c)
{
    memset(z, 0, sizeof *z);
    z->c = *c;
    if (!z->c.timeout_ms) z->c.timeout_ms = 5000;
    for (unsigned i = 0; i < c->request_count; i++) c->requests[i].deadline = 0;
    for (unsigned i = 0; i < c->binding_count; i++) c->bindings[i].mode = 0;
}

/* ---- Answers ---- */

/* Many answer a broadcast: not all at the same moment. */
static uint32_t jitter(const struct al_zdo *z)
{
    const struct al_zb_random *random = &z->c.nwk->c.random;
    return random->next ? random->next(random->ctx) % JITTER_US : 0;
}

void al_zdo_answer(const struct al_zdo_asked *a, struct al_zdp *r)
{
    uint8_t asdu[AL_ZCL_PAYLOAD_MAX];
    struct al_put p = al_put(asdu, sizeof asdu);
    struct al_zdo *z = a->zdo;
    r->cluster = a->ind->cluster | AL_ZDP_RESPONSE;
    r->seq = a->q->seq;
    if (al_zdp_build(r, &p)) return;
    if (r->status == AL_ZDP_SUCCESS)
        z->requests_answered++;
    else
        z->requests_refused++;
    al_aps_send(z->c.aps, a->now,
                &(struct al_aps_send){
                    .dst = a->ind->src,
                    .profile = AL_PROFILE_ZDP,
                    .cluster = r->cluster,
                    .asdu = asdu,
                    .len = p.len,
                    .ack = true,
                    .fragment = true,
                    .handle = z->leave.at ? AL_ZDO_LEAVE_HANDLE : 0,
                    .delay_us = a->ind->broadcast ? jitter(z) : 0,
                });
}

void al_zdo_answer_status(const struct al_zdo_asked *a, uint8_t status)
{
    struct al_zdp r = {.status = status};
    if (!a->ind->broadcast) al_zdo_answer(a, &r);
}

void al_zdo_refuse(const struct al_zdo_asked *a, uint8_t status)
{
    struct al_zdp r = {.status = status};
    if (a->ind->broadcast) return;
    /* The address asked for stands at the same place in all responses that have it. */
    switch (a->q->cluster) {
    case AL_ZDP_NWK_ADDR:
    case AL_ZDP_IEEE_ADDR:
        r.addr_rsp.ext = a->q->addr_req.ext;
        r.addr_rsp.addr = a->q->cluster == AL_ZDP_NWK_ADDR ? AL_NWK_NO_ADDR : a->q->addr_req.addr;
        break;
    case AL_ZDP_NODE_DESC:
        r.node_rsp.addr = a->q->desc_req.addr;
        break;
    case AL_ZDP_POWER_DESC:
        r.power_rsp.addr = a->q->desc_req.addr;
        break;
    case AL_ZDP_SIMPLE_DESC:
        r.simple_rsp.addr = a->q->desc_req.addr;
        break;
    case AL_ZDP_ACTIVE_EP:
        r.endpoints_rsp.addr = a->q->desc_req.addr;
        break;
    case AL_ZDP_MATCH_DESC:
        r.endpoints_rsp.addr = a->q->match_req.addr;
        break;
    default:
        break;
    }
    al_zdo_answer(a, &r);
}

size_t al_zdo_room(const struct al_zdo_asked *a, size_t before, size_t size)
{
    size_t room = al_aps_room(a->zdo->c.aps, a->ind->src, false);
    room = room > before ? room - before : 0;
    return room < size ? room : size;
}

/* ---- Frames ---- */

static const struct {
    uint16_t cluster;
    void (*act)(const struct al_zdo_asked *a);
} services[] = {
    {AL_ZDP_NWK_ADDR, al_zdo_tell_addr},
    {AL_ZDP_IEEE_ADDR, al_zdo_tell_addr},
    {AL_ZDP_NODE_DESC, al_zdo_tell_node},
    {AL_ZDP_POWER_DESC, al_zdo_tell_power},
    {AL_ZDP_SIMPLE_DESC, al_zdo_tell_simple},
    {AL_ZDP_ACTIVE_EP, al_zdo_tell_endpoints},
    {AL_ZDP_MATCH_DESC, al_zdo_tell_match},
    {AL_ZDP_DEVICE_ANNCE, al_zdo_announced},
    {AL_ZDP_PARENT_ANNCE, al_zdo_parents},
    {AL_ZDP_BIND, al_zdo_bind},
    {AL_ZDP_UNBIND, al_zdo_bind},
    {AL_ZDP_MGMT_LQI, al_zdo_tell_list},
    {AL_ZDP_MGMT_RTG, al_zdo_tell_list},
    {AL_ZDP_MGMT_BIND, al_zdo_tell_list},
    {AL_ZDP_MGMT_LEAVE, al_zdo_ordered_to_leave},
    {AL_ZDP_MGMT_PERMIT_JOINING, al_zdo_ordered_to_permit},
    {AL_ZDP_MGMT_NWK_UPDATE, al_zdo_ordered_to_update},
};

void al_zdo_data(struct al_zdo *z, uint64_t now, const struct al_aps_data_ind *ind)
{
    struct al_zdp q;
    struct al_zdo_asked a = {.zdo = z, .now = now, .ind = ind, .q = &q};
    int err = al_zdp_parse(&q, ind->cluster, ind->asdu, ind->len);
    if (ind->cluster & AL_ZDP_RESPONSE) {
        if (!err && ind->cluster == (AL_ZDP_PARENT_ANNCE | AL_ZDP_RESPONSE))
            al_zdo_children_moved(z, now, &q);
        else if (!err)
            al_zdo_answered(z, now, ind, &q);
        return;
    }
    if (ind->len == 0) return; /* not even a sequence number to answer with */
    if (err) {
        al_zdo_refuse(&a,
                      err == AL_ERR_NOT_SUPPORTED ? AL_ZDP_NOT_SUPPORTED : AL_ZDP_INVALID_REQUEST);
        return;
    }
    for (unsigned i = 0; i < sizeof services / sizeof *services; i++) {
        if (services[i].cluster == ind->cluster) services[i].act(&a);
    }
}

int al_zdo_announce(struct al_zdo *z, uint64_t now)
{
    uint8_t asdu[16];
    struct al_put p = al_put(asdu, sizeof asdu);
    struct al_nwk *nwk = z->c.nwk;
    struct al_zdp q = {
        .cluster = AL_ZDP_DEVICE_ANNCE,
        .seq = z->seq++,
        .device_annce = {.ext = nwk->ext, .addr = nwk->addr, .capability = al_nwk_capability(nwk)}};
    al_zdp_build(&q, &p);
    return al_aps_send(z->c.aps, now,
                       &(struct al_aps_send){
                           .dst = AL_NWK_ALL_RX_ON,
                           .profile = AL_PROFILE_ZDP,
                           .cluster = AL_ZDP_DEVICE_ANNCE,
                           .asdu = asdu,
                           .len = p.len,
                           .with_src_ext = true,
                       });
}

bool al_zdo_sent(struct al_zdo *z, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    if (handle == AL_ZDO_LEAVE_HANDLE) {
        if (z->leave.at) z->leave.at = now;
        return true;
    }
    if (handle < AL_ZDO_HANDLES || handle > AL_ZDO_LEAVE_HANDLE) return false;
    if (status != AL_ZB_OK) al_zdo_request_ended(z, now, handle, status);
    return true;
}

/* ---- Time ---- */

uint64_t al_zdo_next(const struct al_zdo *z)
{
    uint64_t at = z->leave.at ? z->leave.at : AL_ZDO_NEVER;
    if (z->parents.at && z->parents.at < at) at = z->parents.at;
    if (z->targets.at && z->targets.at < at) at = z->targets.at;
    for (unsigned i = 0; i < z->c.request_count; i++) {
        const struct al_zdo_request *r = &z->c.requests[i];
        if (r->deadline && r->deadline < at) at = r->deadline;
    }
    return at;
}

void al_zdo_run(struct al_zdo *z, uint64_t now)
{
    if (z->leave.at && now >= z->leave.at) {
        z->leave.at = 0;
        al_nwk_leave(z->c.nwk, now, 0, z->leave.remove_children, z->leave.rejoin);
    }
    if (z->parents.at && now >= z->parents.at) al_zdo_parents_due(z, now);
    if (z->targets.at && now >= z->targets.at) al_zdo_targets_due(z, now);
    al_zdo_requests_run(z, now);
}
