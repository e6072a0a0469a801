/* What this node asks others. */
#include "zigbee/zdo_internal.h"

#define SLEEPY_US    8000000u /* a child's frame may lie here before it polls */
#define FAST_POLL_US 3000000u /* for the answer, when this node sleeps */

static struct al_zdo_request *free_request(struct al_zdo *z)
{
    for (unsigned i = 0; i < z->c.request_count; i++) {
        if (!z->c.requests[i].deadline) return &z->c.requests[i];
    }
    return NULL;
}

static int send(struct al_zdo *z, uint64_t now, uint16_t dst, const struct al_zdp *q,
                uint16_t handle)
{
    uint8_t asdu[AL_ZCL_PAYLOAD_MAX];
    struct al_put p = al_put(asdu, sizeof asdu);
    struct al_zdp numbered = *q;
    numbered.seq = z->seq;
    int err = al_zdp_build(&numbered, &p);
    if (err) return err;
    err = al_aps_send(z->c.aps, now,
                      &(struct al_aps_send){
                          .dst = dst,
                          .profile = AL_PROFILE_ZDP,
                          .cluster = q->cluster,
                          .asdu = asdu,
                          .len = p.len,
                          .ack = !AL_NWK_BROADCAST(dst),
                          .handle = handle,
                      });
    if (!err) z->seq++;
    return err;
}

int al_zdo_request(struct al_zdo *z, uint64_t now, uint16_t dst, const struct al_zdp *q,
                   void (*done)(void *ctx, uint64_t now, const struct al_zdo_answer *a), void *ctx)
{
    struct al_zdo_request *r = done ? free_request(z) : NULL;
    if (!done) return send(z, now, dst, q, 0);
    if (!r) return AL_ERR_NO_MEM;
    uint16_t handle = (uint16_t)(AL_ZDO_HANDLES + z->next_handle % 0xfffu);
    uint8_t seq = z->seq;
    int err = send(z, now, dst, q, handle);
    if (err) return err;
    z->next_handle++;
    *r = (struct al_zdo_request){
        .seq = seq,
        .many = AL_NWK_BROADCAST(dst) && q->cluster == AL_ZDP_MATCH_DESC,
        .cluster = q->cluster,
        .dst = dst,
        .handle = handle,
        .deadline = now + z->c.timeout_ms * 1000u,
        .done = done,
        .ctx = ctx,
    };
    if (al_nwk_sleepy_child(z->c.nwk, dst)) r->deadline += SLEEPY_US;
    if (z->c.nwk->c.rx_off) al_nwk_fast_poll(z->c.nwk, now, now + FAST_POLL_US);
    return 0;
}

void al_zdo_cancel(struct al_zdo *z, const void *ctx)
{
    for (unsigned i = 0; i < z->c.request_count; i++) {
        if (z->c.requests[i].ctx == ctx) z->c.requests[i].deadline = 0;
    }
}

/* ---- Their ends ---- */

void al_zdo_answered(struct al_zdo *z, uint64_t now, const struct al_aps_data_ind *ind,
                     const struct al_zdp *response)
{
    uint16_t asked = response->cluster & (uint16_t)~AL_ZDP_RESPONSE;
    for (unsigned i = 0; i < z->c.request_count; i++) {
        struct al_zdo_request *r = &z->c.requests[i];
        if (!r->deadline || r->seq != response->seq || r->cluster != asked) continue;
        if (!AL_NWK_BROADCAST(r->dst) && r->dst != ind->src) continue;
        if (!r->many) r->deadline = 0; /* free for what done() may ask next */
        r->done(r->ctx, now,
                &(struct al_zdo_answer){.status = AL_ZB_OK, .src = ind->src, .response = response});
        return;
    }
}

static void fail(struct al_zdo_request *r, uint64_t now, enum al_zb_status status)
{
    r->deadline = 0;
    r->done(r->ctx, now, &(struct al_zdo_answer){.status = status, .src = r->dst});
}

void al_zdo_request_ended(struct al_zdo *z, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    for (unsigned i = 0; i < z->c.request_count; i++) {
        struct al_zdo_request *r = &z->c.requests[i];
        if (!r->deadline || r->handle != handle) continue;
        fail(r, now, status);
        return;
    }
}

void al_zdo_requests_run(struct al_zdo *z, uint64_t now)
{
    for (unsigned i = 0; i < z->c.request_count; i++) {
        struct al_zdo_request *r = &z->c.requests[i];
        if (r->deadline && now >= r->deadline) fail(r, now, AL_ZB_TIMEOUT);
    }
}

/* ---- What is often asked ---- */

int al_zdo_nwk_addr(struct al_zdo *z, uint64_t now, uint16_t dst, uint64_t ext, AL_ZDO_DONE)
{
    struct al_zdp q = {.cluster = AL_ZDP_NWK_ADDR, .addr_req = {.ext = ext}};
    return al_zdo_request(z, now, dst, &q, done, ctx);
}

int al_zdo_ieee_addr(struct al_zdo *z, uint64_t now, uint16_t addr, AL_ZDO_DONE)
{
    struct al_zdp q = {.cluster = AL_ZDP_IEEE_ADDR, .addr_req = {.addr = addr}};
    return al_zdo_request(z, now, addr, &q, done, ctx);
}

int al_zdo_node_desc(struct al_zdo *z, uint64_t now, uint16_t addr, AL_ZDO_DONE)
{
    struct al_zdp q = {.cluster = AL_ZDP_NODE_DESC, .desc_req = {.addr = addr}};
    return al_zdo_request(z, now, addr, &q, done, ctx);
}

int al_zdo_active_ep(struct al_zdo *z, uint64_t now, uint16_t addr, AL_ZDO_DONE)
{
    struct al_zdp q = {.cluster = AL_ZDP_ACTIVE_EP, .desc_req = {.addr = addr}};
    return al_zdo_request(z, now, addr, &q, done, ctx);
}

int al_zdo_simple_desc(struct al_zdo *z, uint64_t now, uint16_t addr, uint8_t endpoint, AL_ZDO_DONE)
{
    struct al_zdp q = {.cluster = AL_ZDP_SIMPLE_DESC,
                       .desc_req = {.addr = addr, .endpoint = endpoint}};
    return al_zdo_request(z, now, addr, &q, done, ctx);
}

int al_zdo_match_desc(struct al_zdo *z, uint64_t now, uint16_t dst, uint16_t profile,
                      const uint16_t *in, uint8_t in_count, const uint16_t *out, uint8_t out_count,
                      AL_ZDO_DONE)
{
    struct al_zdp q = {.cluster = AL_ZDP_MATCH_DESC,
                       .match_req = {.in = {.own = in, .count = in_count},
                                     .out = {.own = out, .count = out_count},
                                     .addr = dst,
                                     .profile = profile}};
    return al_zdo_request(z, now, dst, &q, done, ctx);
}

int al_zdo_leave(struct al_zdo *z, uint64_t now, uint16_t dst, uint64_t ext, bool remove_children,
                 bool rejoin, AL_ZDO_DONE)
{
    struct al_zdp q = {
        .cluster = AL_ZDP_MGMT_LEAVE,
        .leave_req = {.ext = ext, .remove_children = remove_children, .rejoin = rejoin}};
    return al_zdo_request(z, now, dst, &q, done, ctx);
}

int al_zdo_permit(struct al_zdo *z, uint64_t now, uint16_t dst, uint8_t seconds, AL_ZDO_DONE)
{
    struct al_zdp q = {.cluster = AL_ZDP_MGMT_PERMIT_JOINING,
                       .permit_req = {.duration = seconds, .tc_significance = 1}};
    return al_zdo_request(z, now, dst, &q, done, ctx);
}

int al_zdo_change_channel(struct al_zdo *z, uint64_t now, uint8_t channel)
{
    struct al_nwk *nwk = z->c.nwk;
    if (nwk->c.role != AL_NWK_ROLE_COORDINATOR || !nwk->up) return AL_ERR_INVALID_STATE;
    if (channel < 11 || channel > 26) return AL_ERR_INVALID_ARG;
    struct al_zdp q = {.cluster = AL_ZDP_MGMT_NWK_UPDATE,
                       .nwk_update_req = {.channels = 1u << channel,
                                          .duration = AL_ZDP_CHANGE_CHANNEL,
                                          .update_id = (uint8_t)(nwk->update_id + 1u)}};
    int err = al_zdo_request(z, now, AL_NWK_ALL_RX_ON, &q, NULL, NULL);
    if (!err) al_nwk_move(nwk, now, channel, nwk->pan_id, q.nwk_update_req.update_id);
    return err;
}
