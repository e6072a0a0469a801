/* Frames of this node: commands, requests that wait for their answer, answers. */
#include "zigbee/zcl_internal.h"

#define HEADER_MAX   5u
#define SLEEPY_US    8000000u /* a child's frame may lie here before it polls */
#define FAST_POLL_US 3000000u /* for the answer to a request, when this node sleeps */

static uint16_t profile_of(const struct al_zcl *z, uint16_t profile, uint8_t endpoint)
{
    const struct al_zcl_endpoint *e = al_zcl_endpoint(z, endpoint);
    if (profile) return profile;
    return e ? e->profile : AL_PROFILE_HA;
}

static int send(struct al_zcl *z, uint64_t now, const struct al_zcl_send *s, uint16_t handle)
{
    uint8_t asdu[HEADER_MAX + AL_ZCL_PAYLOAD_MAX];
    struct al_put p = al_put(asdu, sizeof asdu);
    bool ack = !s->no_ack && !AL_NWK_BROADCAST(s->dst);
    struct al_zcl_frame f = {
        .payload = s->payload,
        .payload_len = s->len,
        .manufacturer = s->manufacturer,
        .manufacturer_specific = s->manufacturer != 0,
        .seq = z->seq,
        .command = s->command,
        .cluster_specific = s->cluster_specific,
        .to_client = s->to_client,
        .no_default_response = s->no_default_response,
    };
    if (al_zcl_build(&f, &p)) return AL_ERR_INVALID_SIZE;
    int err = al_aps_send(z->c.aps, now,
                          &(struct al_aps_send){
                              .dst = s->dst,
                              .dst_ep = s->dst_ep,
                              .group = s->group,
                              .src_ep = s->src_ep,
                              .profile = profile_of(z, s->profile, s->src_ep),
                              .cluster = s->cluster,
                              .asdu = asdu,
                              .len = p.len,
                              .ack = ack,
                              .fragment = ack,
                              .handle = handle,
                          });
    if (err) return err;
    z->seq++;
    return f.seq;
}

int al_zcl_send(struct al_zcl *z, uint64_t now, const struct al_zcl_send *s)
{
    return send(z, now, s, s->handle);
}

/* ---- Requests ---- */

static struct al_zcl_request *free_request(struct al_zcl *z)
{
    for (unsigned i = 0; i < z->c.request_count; i++) {
        if (!z->c.requests[i].deadline) return &z->c.requests[i];
    }
    return NULL;
}

int al_zcl_request(struct al_zcl *z, uint64_t now, const struct al_zcl_send *s,
                   void (*done)(void *ctx, uint64_t now, const struct al_zcl_answer *a), void *ctx)
{
    struct al_zcl_request *r = free_request(z);
    struct al_nwk *nwk = z->c.aps->c.nwk;
    if (!r) return AL_ERR_NO_MEM;
    uint16_t handle = (uint16_t)(AL_ZCL_REQUEST_HANDLES | (z->next_handle & 0xfff));
    int seq = send(z, now, s, handle);
    if (seq < 0) return seq;
    z->next_handle++;
    *r = (struct al_zcl_request){
        .seq = (uint8_t)seq,
        .command = s->command,
        .to_client = s->to_client,
        .dst_ep = s->dst_ep,
        .src_ep = s->src_ep,
        .dst = s->dst,
        .cluster = s->cluster,
        .handle = handle,
        .deadline = now + z->c.timeout_ms * 1000u,
        .done = done,
        .ctx = ctx,
    };
    if (al_nwk_sleepy_child(nwk, s->dst)) r->deadline += SLEEPY_US;
    if (nwk->c.rx_off) al_nwk_fast_poll(nwk, now, now + FAST_POLL_US);
    return seq;
}

int al_zcl_read(struct al_zcl *z, uint64_t now, const struct al_zcl_send *s, const uint16_t *ids,
                uint8_t count, void (*done)(void *ctx, uint64_t now, const struct al_zcl_answer *a),
                void *ctx)
{
    uint8_t payload[AL_ZCL_PAYLOAD_MAX];
    struct al_put p = al_put(payload, sizeof payload);
    struct al_zcl_send read = *s;
    for (unsigned i = 0; i < count; i++) al_put16(&p, ids[i]);
    if (p.failed) return AL_ERR_INVALID_SIZE;
    read.command = AL_ZCL_READ;
    read.cluster_specific = false;
    read.no_default_response = true;
    read.payload = payload;
    read.len = p.len;
    return al_zcl_request(z, now, &read, done, ctx);
}

void al_zcl_cancel(struct al_zcl *z, const void *ctx)
{
    for (unsigned i = 0; i < z->c.request_count; i++) {
        if (z->c.requests[i].ctx == ctx) z->c.requests[i].deadline = 0;
    }
}

/* The slot is free again before done(), which may use it for the next request. */
static void end(struct al_zcl_request *r, uint64_t now, const struct al_zcl_answer *a)
{
    r->deadline = 0;
    if (r->done) r->done(r->ctx, now, a);
}

static bool answers(const struct al_zcl_request *r, const struct al_zcl_rx *rx)
{
    const struct al_aps_data_ind *ind = rx->aps;
    if (!r->deadline || r->seq != rx->frame->seq || r->cluster != ind->cluster) return false;
    if (r->to_client == rx->frame->to_client) return false;
    if (r->src_ep != ind->dst_ep) return false;
    if (AL_NWK_BROADCAST(r->dst)) return true;
    return r->dst == ind->src && (r->dst_ep == ind->src_ep || r->dst_ep == AL_ENDPOINT_ALL);
}

bool al_zcl_answered(const struct al_zcl_rx *rx, uint64_t now)
{
    struct al_zcl *z = rx->zcl;
    struct al_zcl_default_rsp d = {0};
    bool is_default = !rx->frame->cluster_specific && rx->frame->command == AL_ZCL_DEFAULT_RSP;
    if (is_default) al_zcl_default_rsp_parse(&d, rx->frame->payload, rx->frame->payload_len);
    for (unsigned i = 0; i < z->c.request_count; i++) {
        struct al_zcl_request *r = &z->c.requests[i];
        if (!answers(r, rx) || (is_default && d.command != r->command)) continue;
        end(r, now,
            &(struct al_zcl_answer){
                .status = AL_ZB_OK,
                .src = rx->aps->src,
                .src_ep = rx->aps->src_ep,
                .cluster = rx->aps->cluster,
                .frame = rx->frame,
                .zcl_status = d.status,
            });
        return true;
    }
    return false;
}

static void fail(struct al_zcl_request *r, uint64_t now, enum al_zb_status status)
{
    end(r, now,
        &(struct al_zcl_answer){
            .status = status, .src = r->dst, .src_ep = r->dst_ep, .cluster = r->cluster});
}

void al_zcl_request_ended(struct al_zcl *z, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    for (unsigned i = 0; i < z->c.request_count; i++) {
        struct al_zcl_request *r = &z->c.requests[i];
        if (r->deadline && r->handle == handle) {
            fail(r, now, status);
            return;
        }
    }
}

void al_zcl_requests_run(struct al_zcl *z, uint64_t now)
{
    for (unsigned i = 0; i < z->c.request_count; i++) {
        struct al_zcl_request *r = &z->c.requests[i];
        if (r->deadline && now >= r->deadline) fail(r, now, AL_ZB_TIMEOUT);
    }
}

/* ---- Answers ---- */

static int answer(const struct al_zcl_rx *rx, uint64_t now, struct al_zcl_frame *f,
                  const uint8_t *payload, size_t len)
{
    uint8_t asdu[HEADER_MAX + AL_ZCL_PAYLOAD_MAX];
    struct al_put p = al_put(asdu, sizeof asdu);
    const struct al_aps_data_ind *ind = rx->aps;
    f->payload = payload;
    f->payload_len = len;
    if (al_zcl_build(f, &p)) return AL_ERR_INVALID_SIZE;
    return al_aps_send(
        rx->zcl->c.aps, now,
        &(struct al_aps_send){
            .dst = ind->src,
            .dst_ep = ind->src_ep,
            .src_ep = rx->endpoint->id,
            .profile = ind->profile == AL_PROFILE_ANY ? rx->endpoint->profile : ind->profile,
            .cluster = ind->cluster,
            .asdu = asdu,
            .len = p.len,
            .ack = true,
            .fragment = true,
            .link_key = ind->link_secured,
        });
}

int al_zcl_respond(const struct al_zcl_rx *rx, uint64_t now, uint8_t command,
                   const uint8_t *payload, size_t len)
{
    struct al_zcl_frame f = al_zcl_answer_to(rx->frame, true, command);
    return answer(rx, now, &f, payload, len);
}

void al_zcl_answer(const struct al_zcl_rx *rx, uint64_t now, uint8_t command,
                   const struct al_put *payload)
{
    if (rx->aps->broadcast) return;
    struct al_zcl_frame f = al_zcl_answer_to(rx->frame, false, command);
    answer(rx, now, &f, payload->buf, payload->len);
}

size_t al_zcl_answer_room(const struct al_zcl_rx *rx, size_t size)
{
    size_t room = al_aps_room(rx->zcl->c.aps, rx->aps->src, rx->aps->link_secured);
    room = room > HEADER_MAX ? room - HEADER_MAX : 0;
    return room < size ? room : size;
}

void al_zcl_default_response(const struct al_zcl_rx *rx, uint64_t now, uint8_t status)
{
    const struct al_zcl_frame *asked = rx->frame;
    uint8_t payload[2];
    struct al_put p = al_put(payload, sizeof payload);
    if (rx->aps->broadcast) return;
    if (!asked->cluster_specific && asked->command == AL_ZCL_DEFAULT_RSP) return;
    if (asked->no_default_response && status == AL_ZCL_SUCCESS) return;
    al_zcl_default_rsp_put(&(struct al_zcl_default_rsp){asked->command, status}, &p);
    rx->zcl->default_responses++;
    al_zcl_answer(rx, now, AL_ZCL_DEFAULT_RSP, &p);
}
