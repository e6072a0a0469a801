#include "zigbee/ota_server.h"

#include "core/err.h"
#include "zigbee/ota_server_internal.h"

enum { AIR_LIMIT_S = 40, AIR_MOST = 16 }; /* a confirmation that does not come */

static void set_defaults(struct al_zota_server_config *f)
{
    if (f->max_block == 0) f->max_block = AL_ZOTA_BLOCK_MAX;
    if (f->outstanding == 0) f->outstanding = 3;
    if (f->outstanding > AIR_MOST) f->outstanding = AIR_MOST;
    if (f->stall_limit == 0) f->stall_limit = 150;
    if (f->sleepy_limit == 0) f->sleepy_limit = 1800;
    if (f->verify_limit == 0) f->verify_limit = 3600;
    if (f->slot_limit == 0) f->slot_limit = 30;
    if (f->save_interval == 0) f->save_interval = 5;
}

void al_zota_server_init(struct al_zota_server *s, const struct al_zota_server_config *config,
                         const struct al_zota_server_app *app,
                         const struct al_zota_transport *transport, struct al_zota_session *table,
                         uint16_t sessions)
{
    *s = (struct al_zota_server){
        .config = *config,
        .app = *app,
        .transport = *transport,
        .session = table,
        .sessions = sessions,
    };
    set_defaults(&s->config);
    for (uint16_t i = 0; i < sessions; i++) table[i] = (struct al_zota_session){0};
}

int al_zota_server_notify(struct al_zota_server *s, struct al_zota_peer to, uint8_t payload_type,
                          uint8_t jitter, const struct al_zota_id *id)
{
    if (payload_type > 3 || jitter == 0 || jitter > 100) return AL_ERR_INVALID_ARG;
    struct al_zota_frame f = {
        .command = AL_ZOTA_IMAGE_NOTIFY,
        .u.image_notify = {.payload_type = payload_type, .query_jitter = jitter},
    };
    if (id) f.u.image_notify.id = *id;
    struct al_zota_send how = {
        .to = to,
        .src_endpoint = s->config.endpoint,
        .aps_ack = to.addr < AL_ZOTA_BROADCAST,
    };
    return al_zota_wire_send(&s->transport, &how, ++s->tsn, &f);
}

static uint8_t dispatch(struct al_zota_server *s, const struct al_zotas_request *q,
                        const struct al_zota_frame *f)
{
    switch (f->command) {
    case AL_ZOTA_QUERY_NEXT_IMAGE_REQ:
        return al_zotas_on_query(s, q, &f->u.query_next_image_req);
    case AL_ZOTA_IMAGE_BLOCK_REQ:
        return al_zotas_on_block(s, q, &f->u.image_block_req);
    case AL_ZOTA_IMAGE_PAGE_REQ:
        return al_zotas_on_page(s, q, &f->u.image_page_req);
    case AL_ZOTA_UPGRADE_END_REQ:
        return al_zotas_on_end(s, q, &f->u.upgrade_end_req);
    case AL_ZOTA_SPECIFIC_FILE_REQ:
        return al_zotas_on_specific(s, q, &f->u.specific_file_req);
    default:
        return AL_ZCL_UNSUP_CLUSTER_COMMAND;
    }
}

static void emit_refused(struct al_zota_server *s, const struct al_zota_received *rx,
                         uint8_t command, uint8_t status)
{
    if (!s->app.event) return;
    struct al_zota_server_event e = {
        .kind = AL_ZOTA_SERVER_REFUSED, .peer = rx->from, .arg = command, .status = status};
    s->app.event(s->app.ctx, &e);
}

int al_zota_server_receive(struct al_zota_server *s, uint64_t now,
                           const struct al_zota_received *rx)
{
    struct al_zcl_frame h;
    int err = al_zcl_parse(&h, rx->zcl, rx->len);
    if (err) return err == AL_ERR_NOT_SUPPORTED ? 0 : err;
    if (h.to_client || (!h.cluster_specific && h.command != AL_ZCL_DEFAULT_RSP))
        return AL_ERR_NOT_SUPPORTED;
    /* Default responses say nothing new: some clients complain of blocks and go on. */
    if (!h.cluster_specific || rx->broadcast) return 0;
    uint8_t status;
    if (h.manufacturer_specific) {
        status = AL_ZCL_UNSUP_MANUF_COMMAND;
    } else {
        struct al_zota_frame f;
        struct al_zotas_request q = {now, rx, h.seq};
        err = al_zota_parse(h.command, h.payload, h.payload_len, &f);
        status = err ? al_zota_wire_status(err) : dispatch(s, &q, &f);
    }
    if (status == AL_ZCL_SUCCESS) return 0;
    emit_refused(s, rx, h.command, status);
    al_zota_wire_default(&s->transport, rx, &h, status);
    return 0;
}

void al_zota_server_sent(struct al_zota_server *s, uint64_t now, uint32_t handle, bool ok)
{
    if (handle == 0) return;
    for (size_t i = 0; i < AL_ZOTA_OUTSTANDING; i++)
        if (s->outstanding[i].handle == handle) {
            al_zotas_confirmed(s, now, &s->outstanding[i], ok);
            break;
        }
    al_zotas_pump(s, now);
}

uint64_t al_zota_server_next(const struct al_zota_server *s)
{
    uint64_t next = AL_ZOTAS_NEVER;
    for (uint16_t i = 0; i < s->sessions; i++) {
        const struct al_zota_session *c = &s->session[i];
        if (c->record.state == AL_ZOTA_SESSION_FREE) continue;
        uint64_t due = al_zotas_due(s, c), stall = al_zotas_stall_at(s, c);
        if (due < s->retry_at) due = s->retry_at;
        if (due < next) next = due;
        if (stall < next) next = stall;
    }
    for (size_t i = 0; i < AL_ZOTA_OUTSTANDING; i++) {
        const struct al_zota_outstanding *o = &s->outstanding[i];
        if (o->handle && o->since + AIR_LIMIT_S * AL_ZOTAS_S < next)
            next = o->since + AIR_LIMIT_S * AL_ZOTAS_S;
    }
    return next;
}

void al_zota_server_run(struct al_zota_server *s, uint64_t now)
{
    for (size_t i = 0; i < AL_ZOTA_OUTSTANDING; i++) {
        struct al_zota_outstanding *o = &s->outstanding[i];
        if (o->handle && o->since + AIR_LIMIT_S * AL_ZOTAS_S <= now)
            al_zotas_confirmed(s, now, o, false);
    }
    for (uint16_t i = 0; i < s->sessions; i++) {
        struct al_zota_session *c = &s->session[i];
        if (c->record.state == AL_ZOTA_SESSION_FREE || al_zotas_stall_at(s, c) > now) continue;
        c->pending = c->paging = false;
        al_zotas_set_state(s, c, now, AL_ZOTA_SESSION_LOST);
        al_zotas_emit(s, c, AL_ZOTA_SERVER_STALLED, c->record.offset, 0, 0);
    }
    al_zotas_pump(s, now);
}

void al_zota_server_wake(struct al_zota_server *s, uint64_t now)
{
    for (uint16_t i = 0; i < s->sessions; i++) {
        struct al_zota_session *c = &s->session[i];
        if (c->data_since == AL_ZOTAS_NEVER) continue;
        if (c->pending) c->due = now;
        if (c->paging) c->page_due = now;
    }
    al_zotas_pump(s, now);
}
