/* What a node offers, and which endpoint and cluster a frame is for. */
#include "zigbee/zcl_internal.h"

void al_zcl_init(struct al_zcl *z, const struct al_zcl_config *c)
{
    memset(z, 0, sizeof *z);
    z->c = *c;
    if (!z->c.timeout_ms) z->c.timeout_ms = 8000;
    z->next_claim = AL_ZCL_CLAIMED_HANDLES;
    for (unsigned i = 0; i < c->request_count; i++) c->requests[i].deadline = 0;
    for (unsigned i = 0; i < c->report_count; i++) c->reports[i].endpoint = 0;
}

/* ---- Endpoints and clusters ---- */

int al_zcl_add_endpoint(struct al_zcl *z, struct al_zcl_endpoint *e)
{
    struct al_zcl_endpoint **last = &z->endpoints;
    if (e->id == 0 || e->id > AL_ZCL_ENDPOINT_MAX || al_zcl_endpoint(z, e->id))
        return AL_ERR_INVALID_ARG;
    while (*last) last = &(*last)->next;
    e->next = NULL;
    *last = e;
    return 0;
}

int al_zcl_add_cluster(struct al_zcl_endpoint *e, struct al_zcl_cluster *c)
{
    struct al_zcl_cluster **last = &e->clusters;
    if (al_zcl_cluster(e, c->id, c->client)) return AL_ERR_INVALID_ARG;
    while (*last) last = &(*last)->next;
    c->next = NULL;
    *last = c;
    return 0;
}

int al_zcl_claim(struct al_zcl *z, struct al_zcl_handles *h)
{
    if (!h->count || h->count > UINT16_MAX - z->next_claim) return AL_ERR_NO_MEM;
    h->first = z->next_claim;
    z->next_claim = (uint16_t)(z->next_claim + h->count);
    h->next = z->handles;
    z->handles = h;
    return 0;
}

struct al_zcl_endpoint *al_zcl_endpoint(const struct al_zcl *z, uint8_t id)
{
    struct al_zcl_endpoint *e = z->endpoints;
    while (e && e->id != id) e = e->next;
    return e;
}

struct al_zcl_cluster *al_zcl_cluster(const struct al_zcl_endpoint *e, uint16_t id, bool client)
{
    struct al_zcl_cluster *c = e->clusters;
    while (c && (c->id != id || c->client != client)) c = c->next;
    return c;
}

/* ---- Frames ---- */

static bool is_response(const struct al_zcl_frame *f)
{
    if (f->cluster_specific) return false;
    switch (f->command) {
    case AL_ZCL_READ_RSP:
    case AL_ZCL_WRITE_RSP:
    case AL_ZCL_CONFIGURE_REPORTING_RSP:
    case AL_ZCL_READ_REPORTING_RSP:
    case AL_ZCL_DISCOVER_RSP:
        return true;
    default:
        return false;
    }
}

static void default_response_came(const struct al_zcl_rx *rx, uint64_t now)
{
    struct al_zcl_default_rsp d;
    struct al_zcl *z = rx->zcl;
    if (al_zcl_default_rsp_parse(&d, rx->frame->payload, rx->frame->payload_len)) {
        z->rx_bad++;
        return;
    }
    if (al_zcl_answered(rx, now)) return;
    if (rx->cluster && rx->cluster->default_response)
        rx->cluster->default_response(rx->cluster->ctx, now, rx, &d);
    else if (z->c.up && z->c.up->response)
        z->c.up->response(z->c.up_ctx, now, rx);
}

/* Responses and reports are taken even without the cluster: a gateway has none of those
 * that it listens to. */
static void response_came(const struct al_zcl_rx *rx, uint64_t now)
{
    const struct al_zcl_up *up = rx->zcl->c.up;
    if (!al_zcl_answered(rx, now) && up && up->response) up->response(rx->zcl->c.up_ctx, now, rx);
    al_zcl_default_response(rx, now, AL_ZCL_SUCCESS);
}

static void report_came(const struct al_zcl_rx *rx, uint64_t now)
{
    const struct al_zcl_up *up = rx->zcl->c.up;
    bool heard = up && up->report;
    if (heard) up->report(rx->zcl->c.up_ctx, now, rx);
    al_zcl_default_response(rx, now,
                            heard || rx->cluster ? AL_ZCL_SUCCESS : AL_ZCL_UNSUPPORTED_CLUSTER);
}

static void cluster_command(const struct al_zcl_rx *rx, uint64_t now)
{
    const struct al_zcl_cluster *c = rx->cluster;
    const struct al_zcl_frame *f = rx->frame;
    int status = AL_ZCL_UNSUP_CLUSTER_COMMAND;
    if (al_zcl_answered(rx, now)) {
        status = AL_ZCL_SUCCESS;
    } else if (!c) {
        status = f->manufacturer_specific ? AL_ZCL_UNSUP_MANUF_COMMAND : AL_ZCL_UNSUPPORTED_CLUSTER;
    } else if (f->manufacturer_specific &&
               (!c->manufacturer || c->manufacturer != f->manufacturer)) {
        status = AL_ZCL_UNSUP_MANUF_COMMAND;
    } else if (c->command) {
        status = c->command(c->ctx, now, rx);
    }
    if (status != AL_ZCL_ANSWERED) al_zcl_default_response(rx, now, (uint8_t)status);
}

static void general_command(const struct al_zcl_rx *rx, uint64_t now)
{
    if (rx->frame->command == AL_ZCL_DEFAULT_RSP)
        default_response_came(rx, now);
    else if (is_response(rx->frame))
        response_came(rx, now);
    else if (rx->frame->command == AL_ZCL_REPORT)
        report_came(rx, now);
    else if (!rx->cluster)
        al_zcl_default_response(rx, now, AL_ZCL_UNSUPPORTED_CLUSTER);
    else if (!al_zcl_general(rx, now))
        al_zcl_default_response(rx, now, AL_ZCL_UNSUP_GENERAL_COMMAND);
}

/* The public profiles of before Zigbee 3.0, which stand for one another: home automation and
 * its sisters. */
static bool is_common(uint16_t profile)
{
    return profile >= 0x0101 && profile <= 0x0109;
}

static bool is_for(const struct al_zcl *z, const struct al_zcl_endpoint *e,
                   const struct al_aps_data_ind *ind)
{
    const struct al_zcl_up *up = z->c.up;
    bool profile = ind->profile == e->profile || ind->profile == AL_PROFILE_ANY ||
                   e->profile == AL_PROFILE_ANY || ind->profile == AL_PROFILE_HA ||
                   (is_common(ind->profile) && is_common(e->profile));
    if (!profile) return false;
    if (ind->group) return up && up->in_group && up->in_group(z->c.up_ctx, e->id, ind->group);
    return ind->dst_ep == e->id || ind->dst_ep == AL_ENDPOINT_ALL;
}

void al_zcl_data(struct al_zcl *z, uint64_t now, const struct al_aps_data_ind *ind)
{
    struct al_zcl_frame f;
    z->rx_frames++;
    if (al_zcl_parse(&f, ind->asdu, ind->len)) {
        z->rx_bad++;
        return;
    }
    for (struct al_zcl_endpoint *e = z->endpoints; e; e = e->next) {
        if (!is_for(z, e, ind)) continue;
        const struct al_zcl_rx rx = {
            .zcl = z,
            .endpoint = e,
            .cluster = al_zcl_cluster(e, ind->cluster, f.to_client),
            .aps = ind,
            .frame = &f,
        };
        if (z->c.up && z->c.up->frame && z->c.up->frame(z->c.up_ctx, now, &rx)) continue;
        if (f.cluster_specific)
            cluster_command(&rx, now);
        else
            general_command(&rx, now);
    }
}

bool al_zcl_sent(struct al_zcl *z, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    if (handle >= AL_ZCL_REQUEST_HANDLES && handle < AL_ZCL_REQUEST_HANDLES + 0x1000u) {
        if (status != AL_ZB_OK) al_zcl_request_ended(z, now, handle, status);
        return true;
    }
    for (struct al_zcl_handles *h = z->handles; h; h = h->next) {
        if (handle < h->first || handle - h->first >= h->count) continue;
        h->sent(h->ctx, now, handle, status);
        return true;
    }
    return false;
}

/* ---- Time ---- */

uint64_t al_zcl_next(const struct al_zcl *z)
{
    uint64_t at = AL_ZCL_NEVER;
    for (unsigned i = 0; i < z->c.request_count; i++) {
        const struct al_zcl_request *r = &z->c.requests[i];
        if (r->deadline && r->deadline < at) at = r->deadline;
    }
    for (unsigned i = 0; i < z->c.report_count; i++) {
        const struct al_zcl_report *r = &z->c.reports[i];
        if (r->endpoint && r->started && r->due < at) at = r->due;
    }
    return at;
}

void al_zcl_run(struct al_zcl *z, uint64_t now)
{
    al_zcl_requests_run(z, now);
    al_zcl_report_run(z, now);
}
