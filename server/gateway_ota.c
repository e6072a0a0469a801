/* Between the OTA engine and the schedule. The engine's callbacks must not call it back:
 * what they bring about waits for the gateway's next tick. */
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "server/gateway_impl.h"

#define BEGIN_US (120 * GATEWAY_S) /* from the offer to the first block */

struct al_zota_session *gateway_session(const struct gateway_device *d)
{
    return al_zota_server_find_ext(&d->gateway->ota.engine, d->ext);
}

/* The engine's callbacks have no time, but its entries were given it. */
static struct gateway *entered(void *ctx)
{
    struct gateway *g = ctx;
    if (g->ota.link.now > g->now) g->now = g->ota.link.now;
    return g;
}

static struct gateway_device *device_of(struct gateway *g, struct al_zota_peer peer, uint64_t ext)
{
    struct gateway_device *d = gateway_device(g, ext);
    return d ? d : gateway_device_at(g, peer.addr);
}

/* ---- What the engine asks ---- */

/* A query tells more than attributes do. */
static void learn(struct gateway_device *d, const struct al_zota_wanted *w)
{
    bool new = d->ota_manufacturer != w->id.manufacturer || d->image_type != w->id.image_type ||
               d->ota_endpoint != w->peer.endpoint || d->has_hardware != w->has_hardware_version ||
               d->hardware != w->hardware_version;
    d->ota_manufacturer = w->id.manufacturer;
    d->image_type = w->id.image_type;
    d->ota_endpoint = w->peer.endpoint;
    d->has_hardware = w->has_hardware_version;
    d->hardware = w->hardware_version;
    if (d->upgrade == GATEWAY_UPGRADE_RESTARTING) d->restarted = true;
    if (w->id.file_version != GATEWAY_ANY_VERSION) gateway_version_seen(d, w->id.file_version);
    if (new) gateway_device_save(d);
}

static struct al_zota_image offer_of(const struct gateway_image *i)
{
    const struct al_zfile_header *h = &i->header;
    return (struct al_zota_image){
        .id = {h->manufacturer, h->image_type, h->file_version},
        .size = h->total_image_size,
        .ref = i->ref,
    };
}

static void refuse(struct gateway_device *d, const char *why)
{
    cJSON *more = cJSON_CreateObject();
    cJSON_AddStringToObject(more, "answer", "no image");
    gateway_tell(d->gateway, GATEWAY_QUERY, d, why, more);
}

static void begin(struct gateway_device *d, const struct gateway_image *i)
{
    d->asleep = false;
    d->target = i->header.file_version;
    d->before = d->version;
    d->ref = i->ref;
    d->told = 0;
    gateway_upgrade_set(d, GATEWAY_UPGRADE_RUNNING, d->gateway->now + BEGIN_US);
}

static void stranger_answer(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    struct gateway *g = ctx;
    g->now = now;
    if (a->status != AL_ZB_OK || a->response->status != 0) return;
    struct gateway_device *d = gateway_device_add(g, a->response->addr_rsp.ext, a->src);
    if (!d) return;
    d->away = false;
    gateway_device_save(d);
    if (!d->interviewed) gateway_interview_start(d, now);
}

/* It is in the network, but who it is is not known: it may ask again when it is. */
static void ask_stranger(struct gateway *g, uint16_t addr)
{
    al_zdo_ieee_addr(&g->zb->node.zdo, g->now, addr, stranger_answer, g);
}

static int find(void *ctx, const struct al_zota_wanted *wanted, struct al_zota_image *image)
{
    struct gateway *g = entered(ctx);
    char why[200] = "";
    struct al_zota_wanted w = *wanted;
    struct gateway_device *d = device_of(g, w.peer, w.ext_addr);
    if (!d) d = gateway_device_add(g, al_nwk_ext_of(&g->zb->node.nwk, w.peer.addr), w.peer.addr);
    if (!d) {
        ask_stranger(g, w.peer.addr);
        return AL_ERR_NOT_FOUND;
    }
    w.ext_addr = d->ext;
    if (!w.device_specific) learn(d, &w);
    const struct gateway_image *i = gateway_choose(d, &w, why, sizeof why);
    if (!i) {
        if (d->upgrade == GATEWAY_UPGRADE_NOTIFIED || d->upgrade == GATEWAY_UPGRADE_WAITING) {
            bool ordered = d->ordered;
            d->ordered = d->force = false;
            if (ordered)
                gateway_upgrade_fail(d, GATEWAY_UPGRADE_FAILED, why);
            else
                gateway_upgrade_set(d, GATEWAY_UPGRADE_NONE, GATEWAY_NEVER);
        }
        refuse(d, why);
        return AL_ERR_NOT_FOUND;
    }
    if (g->c.dry_run) {
        snprintf(why, sizeof why, "dry run: would get %s", i->name);
        refuse(d, why);
        return AL_ERR_NOT_FOUND;
    }
    if (!gateway_upgrade_active(d) && !gateway_may_start(d, why, sizeof why)) {
        if (!g->c.manual) gateway_upgrade_set(d, GATEWAY_UPGRADE_WAITING, g->now);
        refuse(d, why);
        return AL_ERR_NOT_FOUND;
    }
    *image = offer_of(i);
    begin(d, i);
    return 0;
}

static int get(void *ctx, struct al_zota_peer peer, const struct al_zota_id *id,
               struct al_zota_image *image)
{
    struct gateway *g = entered(ctx);
    const struct gateway_device *d = gateway_device_at(g, peer.addr);
    if (!d || g->c.dry_run || d->upgrade == GATEWAY_UPGRADE_ABORTED) return AL_ERR_NOT_FOUND;
    const struct gateway_image *i = d->ref ? gateway_images_of(g->c.images, d->ref) : NULL;
    if (!i) return AL_ERR_NOT_FOUND;
    *image = offer_of(i);
    return memcmp(&image->id, id, sizeof *id) == 0 ? 0 : AL_ERR_NOT_FOUND;
}

static int read_image(void *ctx, struct al_zota_peer peer, const struct al_zota_image *image,
                      uint32_t offset, void *buf, size_t len)
{
    struct gateway *g = entered(ctx);
    if (g->paused || gateway_quiet(g)) return AL_ERR_NOT_FINISHED; /* the client is held */
    return gateway_images_read(g->c.images, image->ref, offset, buf, len);
}

static void describe(void *ctx, struct al_zota_peer peer, struct al_zota_device *out)
{
    const struct gateway_device *d = gateway_device_at(ctx, peer.addr);
    if (!d) return;
    out->ext_addr = d->ext;
    out->sleepy = gateway_device_sleepy(d);
    out->no_fragments = d->no_fragments;
    gateway_quirks(d->ota_manufacturer != 0xffff ? d->ota_manufacturer : d->manufacturer, out);
}

/* ---- What it tells ---- */

static void save(void *ctx, const struct al_zota_session *session)
{
    struct gateway *g = ctx;
    const struct al_zb_store *s = g->c.store;
    _Static_assert(sizeof session->record <= AL_ZB_RECORD_MAX, "a record takes it");
    if (!s) return;
    bool there = session->record.state != AL_ZOTA_SESSION_FREE;
    s->save(s->ctx, (uint16_t)(AL_ZB_REC_OTA_SERVER + (session - g->sessions)), &session->record,
            there ? sizeof session->record : 0);
}

static const char *status_words(uint8_t status)
{
    switch (status) {
    case AL_ZOTA_INVALID_IMAGE:
        return "the device says INVALID_IMAGE: the file did not pass its check";
    case AL_ZOTA_ABORT:
        return "the device gave up (ABORT)";
    case AL_ZCL_INSUFFICIENT_SPACE:
        return "the device has not enough space (INSUFFICIENT_SPACE)";
    default:
        return "the device ended the upgrade with an error";
    }
}

static void attempt_failed(struct gateway_device *d, const char *why, uint8_t status)
{
    struct gateway *g = d->gateway;
    char text[160];
    if (status)
        snprintf(text, sizeof text, "%s (status 0x%02x)", why, status);
    else
        snprintf(text, sizeof text, "%s", why);
    if (++d->attempts >= g->c.tries) {
        gateway_upgrade_fail(d, GATEWAY_UPGRADE_FAILED, text);
        return;
    }
    snprintf(d->error, sizeof d->error, "%s", text);
    gateway_tell(g, GATEWAY_WARNING, d, text, NULL);
    gateway_upgrade_set(d, GATEWAY_UPGRADE_WAITING, g->now + GATEWAY_RETRY_US);
}

static void lost(struct gateway_device *d, const struct al_zota_session *s)
{
    char text[160];
    if (s->record.offset >= s->record.image.size) {
        gateway_upgrade_fail(d, GATEWAY_UPGRADE_FAILED,
                             "it has all bytes and did not say what came of them");
        return;
    }
    snprintf(text, sizeof text, "silent since byte %u of %u", s->record.offset,
             s->record.image.size);
    attempt_failed(d, text, 0);
}

static void state_changed(struct gateway_device *d, const struct al_zota_session *s)
{
    struct gateway *g = d->gateway;
    switch ((enum al_zota_session_state)s->record.state) {
    case AL_ZOTA_SESSION_DOWNLOADING:
        if (d->upgrade != GATEWAY_UPGRADE_ABORTED)
            gateway_upgrade_set(d, GATEWAY_UPGRADE_RUNNING, GATEWAY_NEVER);
        break;
    case AL_ZOTA_SESSION_HELD:
        gateway_upgrade_set(d, GATEWAY_UPGRADE_RUNNING, GATEWAY_NEVER);
        break;
    case AL_ZOTA_SESSION_VERIFYING:
        gateway_upgrade_set(d, GATEWAY_UPGRADE_VERIFYING, GATEWAY_NEVER);
        break;
    case AL_ZOTA_SESSION_ENDED:
        d->restarted = false;
        d->read_at = g->now + GATEWAY_RETRY_US;
        gateway_upgrade_set(d, GATEWAY_UPGRADE_RESTARTING, g->now + GATEWAY_RESTART_US);
        break;
    case AL_ZOTA_SESSION_FAILED:
        attempt_failed(d, status_words(s->record.status), s->record.status);
        break;
    case AL_ZOTA_SESSION_ABORTED:
        if (d->upgrade != GATEWAY_UPGRADE_ABORTED)
            attempt_failed(d, status_words(AL_ZOTA_ABORT), s->record.status);
        break;
    case AL_ZOTA_SESSION_LOST:
        if (d->upgrade != GATEWAY_UPGRADE_ABORTED) lost(d, s);
        break;
    case AL_ZOTA_SESSION_MORE: /* it asks for its next file by itself */
        gateway_upgrade_set(d, GATEWAY_UPGRADE_NONE, GATEWAY_NEVER);
        break;
    default:
        break;
    }
}

static void event(void *ctx, const struct al_zota_server_event *e)
{
    struct gateway *g = entered(ctx);
    struct gateway_device *d = device_of(g, e->peer, e->session ? e->session->record.ext_addr : 0);
    char text[100];
    if (!d) return;
    if (e->kind == AL_ZOTA_SERVER_STATE && e->session) {
        state_changed(d, e->session);
    } else if (e->kind == AL_ZOTA_SERVER_QUERY && e->session && e->status == 0) {
        cJSON *more = cJSON_CreateObject();
        cJSON_AddStringToObject(more, "answer", "offered");
        gateway_tell(g, GATEWAY_QUERY, d, "an image is offered", more);
    } else if (e->kind == AL_ZOTA_SERVER_STARTED) {
        gateway_tell(g, GATEWAY_STARTED, d, "the transfer has begun", gateway_transfer_json(d));
    } else if (e->kind == AL_ZOTA_SERVER_REFUSED) {
        snprintf(text, sizeof text, "its command 0x%02x was refused with status 0x%02x", e->arg,
                 e->status);
        gateway_tell(g, GATEWAY_WARNING, d, text, NULL);
    }
    gateway_touch(g);
}

const struct al_zota_server_app gateway_ota_app = {
    .find = find,
    .get = get,
    .read = read_image,
    .device = describe,
    .save = save,
    .event = event,
};

/* ---- After a restart ---- */

/* The engine fills its table from the start: records move up. */
void gateway_sessions_restore(struct gateway *g, uint64_t now)
{
    const struct al_zb_store *s = g->c.store;
    struct al_zota_record record;
    for (unsigned i = 0; s && i < g->c.devices; i++) {
        uint16_t number = (uint16_t)(AL_ZB_REC_OTA_SERVER + i);
        int len = s->load(s->ctx, number, &record, sizeof record);
        if (len <= 0) continue;
        if (len != sizeof record || al_zota_server_restore(&g->ota.engine, now, &record) != 0) {
            s->save(s->ctx, number, NULL, 0);
            continue;
        }
        const struct al_zota_session *c =
            al_zota_server_find(&g->ota.engine, record.peer.addr, record.peer.endpoint);
        if (!c || (unsigned)(c - g->sessions) == i) continue;
        s->save(s->ctx, number, NULL, 0);
        save(g, c);
    }
}
