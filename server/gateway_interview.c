/* Who a device is: node descriptor, endpoints and their clusters, Basic attributes, and what
 * its OTA client says of itself. One question at a time; a silent device is asked again
 * later, or when it is heard of. */
#include <stdio.h>
#include <string.h>

#include "server/gateway_impl.h"

#define TRIES    3u
#define PAUSE_US (3 * GATEWAY_S)

#define ATTR_MAKER        0x0004u
#define ATTR_MODEL        0x0005u
#define ATTR_POWER        0x0007u
#define ATTR_BUILD        0x4000u
#define ATTR_FILE_VERSION 0x0002u
#define ATTR_MANUFACTURER 0x0007u
#define ATTR_IMAGE_TYPE   0x0008u

void gateway_interview_start(struct gateway_device *d, uint64_t at)
{
    if (d->asking) return;
    d->ask = GATEWAY_ASK_NODE;
    d->tries = 0;
    d->ask_at = at;
    gateway_touch(d->gateway);
}

static void finish(struct gateway_device *d)
{
    bool again = d->interviewed;
    d->interviewed = true;
    d->ask = GATEWAY_ASKED;
    d->ask_at = GATEWAY_NEVER;
    gateway_device_save(d);
    gateway_tell(d->gateway, GATEWAY_INTERVIEW, d, again ? "asked again" : "is known",
                 gateway_device_json(d));
    d->gateway->look = true;
}

/* The next question, once the last one was answered (or will never be). */
static void next(struct gateway_device *d, enum gateway_ask ask)
{
    d->asking = false;
    d->tries = 0;
    d->ask = ask;
    d->ask_at = d->gateway->now;
    if (ask == GATEWAY_ASK_SIMPLE && d->asked_endpoint >= d->endpoint_count)
        d->ask = ask = GATEWAY_ASK_BASIC;
    if (ask == GATEWAY_ASK_BASIC && !d->basic_endpoint) d->ask = ask = GATEWAY_ASK_OTA;
    if (ask == GATEWAY_ASK_OTA && !d->ota_endpoint) ask = GATEWAY_ASKED;
    if (ask == GATEWAY_ASKED) finish(d);
    gateway_touch(d->gateway);
}

static void unanswered(struct gateway_device *d)
{
    const struct gateway_config *c = &d->gateway->c;
    d->asking = false;
    if (++d->tries < TRIES) {
        d->ask_at = d->gateway->now + PAUSE_US;
    } else { /* later, from the start */
        d->ask = GATEWAY_ASK_NODE;
        d->tries = 0;
        d->ask_at = d->gateway->now + (uint64_t)c->rescan_s * GATEWAY_S;
    }
    gateway_touch(d->gateway);
}

/* ---- Answers of ZDO ---- */

static void node_answer(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    struct gateway_device *d = ctx;
    d->gateway->now = now;
    if (a->status != AL_ZB_OK) {
        unanswered(d);
        return;
    }
    if (a->response->status == 0) {
        const struct al_zdp_node_desc *desc = &a->response->node_rsp.desc;
        d->manufacturer = desc->manufacturer;
        d->capability = desc->capability;
        d->no_fragments = desc->max_incoming && desc->max_incoming < 128;
    }
    next(d, GATEWAY_ASK_ENDPOINTS);
}

static void endpoints_answer(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    struct gateway_device *d = ctx;
    d->gateway->now = now;
    if (a->status != AL_ZB_OK) {
        unanswered(d);
        return;
    }
    d->endpoint_count = 0;
    for (unsigned i = 0; a->response->status == 0 && i < a->response->endpoints_rsp.count; i++) {
        uint8_t endpoint = a->response->endpoints_rsp.endpoints[i];
        if (endpoint >= 1 && endpoint <= AL_ZCL_ENDPOINT_MAX &&
            d->endpoint_count < GATEWAY_ENDPOINTS)
            d->endpoints[d->endpoint_count++] = endpoint;
    }
    d->asked_endpoint = 0;
    d->basic_endpoint = d->ota_endpoint = 0;
    next(d, GATEWAY_ASK_SIMPLE);
}

static bool has_cluster(const struct al_zdp_ids *ids, uint16_t cluster)
{
    for (unsigned i = 0; i < ids->count; i++)
        if (al_zdp_id(ids, i) == cluster) return true;
    return false;
}

static void simple_answer(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    struct gateway_device *d = ctx;
    d->gateway->now = now;
    if (a->status != AL_ZB_OK) {
        unanswered(d);
        return;
    }
    const struct al_zdp_simple_desc *desc = &a->response->simple_rsp.desc;
    uint8_t endpoint = d->endpoints[d->asked_endpoint];
    if (a->response->status == 0) {
        if (!d->basic_endpoint && has_cluster(&desc->in, AL_ZCL_BASIC))
            d->basic_endpoint = endpoint;
        if (!d->ota_endpoint && has_cluster(&desc->out, AL_ZOTA_CLUSTER))
            d->ota_endpoint = endpoint;
    }
    d->asked_endpoint++;
    next(d, GATEWAY_ASK_SIMPLE);
}

/* ---- Attributes ---- */

static void take_text(char *out, const struct al_zcl_value *v)
{
    size_t len = 0;
    const uint8_t *text = al_zcl_value_string(v, &len);
    size_t used = 0;
    for (size_t i = 0; text && i < len && used < GATEWAY_TEXT - 1; i++) {
        if (!text[i]) break;
        out[used++] = text[i] >= 0x20 && text[i] < 0x7f ? (char)text[i] : '?';
    }
    out[used] = '\0';
}

static void take_basic(struct gateway_device *d, const struct al_zcl_record *r)
{
    if (r->attr == ATTR_MAKER) take_text(d->maker, &r->value);
    if (r->attr == ATTR_MODEL) take_text(d->model, &r->value);
    if (r->attr == ATTR_BUILD) take_text(d->build, &r->value);
    if (r->attr == ATTR_POWER) d->power = (uint8_t)al_zcl_value_unsigned(&r->value);
}

static void take_ota(struct gateway_device *d, const struct al_zcl_record *r)
{
    uint32_t value = (uint32_t)al_zcl_value_unsigned(&r->value);
    if (r->attr == ATTR_MANUFACTURER) d->ota_manufacturer = (uint16_t)value;
    if (r->attr == ATTR_IMAGE_TYPE) d->image_type = (uint16_t)value;
    if (r->attr == ATTR_FILE_VERSION && value != GATEWAY_ANY_VERSION)
        gateway_version_seen(d, value);
}

/* Each attribute that came with a value. False: nobody answered. */
static bool attributes(struct gateway_device *d, const struct al_zcl_answer *a,
                       void (*take)(struct gateway_device *d, const struct al_zcl_record *r))
{
    struct al_zcl_record r;
    if (a->status != AL_ZB_OK) return false;
    if (a->frame->command != AL_ZCL_READ_RSP) return true; /* it cannot be read */
    struct al_cur c = al_cur(a->frame->payload, a->frame->payload_len);
    while (al_zcl_record_get(&r, AL_ZCL_READ_RSP, &c) == 1)
        if (r.status == AL_ZCL_SUCCESS) take(d, &r);
    return true;
}

static void basic_answer(void *ctx, uint64_t now, const struct al_zcl_answer *a)
{
    struct gateway_device *d = ctx;
    d->gateway->now = now;
    if (!attributes(d, a, take_basic))
        unanswered(d);
    else
        next(d, d->ask + 1);
}

static void ota_answer(void *ctx, uint64_t now, const struct al_zcl_answer *a)
{
    struct gateway_device *d = ctx;
    d->gateway->now = now;
    if (!attributes(d, a, take_ota))
        unanswered(d);
    else
        next(d, GATEWAY_ASKED);
}

static void version_answer(void *ctx, uint64_t now, const struct al_zcl_answer *a)
{
    struct gateway_device *d = ctx;
    d->gateway->now = now;
    d->reading = false;
    attributes(d, a, take_ota);
}

static int read_attributes(struct gateway_device *d, uint64_t now, const uint16_t *ids,
                           uint8_t count,
                           void (*done)(void *ctx, uint64_t now, const struct al_zcl_answer *a))
{
    bool ota = ids[0] == ATTR_FILE_VERSION;
    struct al_zcl_send s = {
        .dst = d->addr,
        .dst_ep = ota ? d->ota_endpoint : d->basic_endpoint,
        .src_ep = GATEWAY_ENDPOINT,
        .cluster = ota ? AL_ZOTA_CLUSTER : AL_ZCL_BASIC,
        .to_client = ota,
    };
    return al_zcl_read(&d->gateway->zb->node.zcl, now, &s, ids, count, done, d);
}

void gateway_read_version(struct gateway_device *d, uint64_t now)
{
    static const uint16_t ids[] = {ATTR_FILE_VERSION};
    if (d->reading || !d->ota_endpoint || d->away) return;
    d->reading = read_attributes(d, now, ids, 1, version_answer) == 0;
}

/* ---- Asking ---- */

static int ask(struct gateway_device *d, uint64_t now)
{
    static const uint16_t basic[] = {ATTR_MAKER, ATTR_MODEL}, build[] = {ATTR_BUILD, ATTR_POWER};
    static const uint16_t ota[] = {ATTR_FILE_VERSION, ATTR_MANUFACTURER, ATTR_IMAGE_TYPE};
    struct al_zdo *zdo = &d->gateway->zb->node.zdo;
    switch ((enum gateway_ask)d->ask) {
    case GATEWAY_ASK_NODE:
        return al_zdo_node_desc(zdo, now, d->addr, node_answer, d);
    case GATEWAY_ASK_ENDPOINTS:
        return al_zdo_active_ep(zdo, now, d->addr, endpoints_answer, d);
    case GATEWAY_ASK_SIMPLE:
        return al_zdo_simple_desc(zdo, now, d->addr, d->endpoints[d->asked_endpoint], simple_answer,
                                  d);
    case GATEWAY_ASK_BASIC:
        return read_attributes(d, now, basic, 2, basic_answer);
    case GATEWAY_ASK_BUILD:
        return read_attributes(d, now, build, 2, basic_answer);
    case GATEWAY_ASK_OTA:
        return read_attributes(d, now, ota, 3, ota_answer);
    case GATEWAY_ASKED:
        break;
    }
    return 0;
}

void gateway_interview_tick(struct gateway *g, uint64_t now)
{
    unsigned asking = 0;
    for (unsigned i = 0; i < g->c.devices; i++) asking += g->devices[i].asking;
    for (unsigned i = 0; i < g->c.devices && asking < GATEWAY_ASK_AT_ONCE; i++) {
        struct gateway_device *d = &g->devices[i];
        if (!d->ext || d->away || d->asking || d->ask_at > now) continue;
        d->asking = true;
        d->ask_at = GATEWAY_NEVER;
        if (ask(d, now)) unanswered(d); /* queues are full */
        asking++;
    }
}
