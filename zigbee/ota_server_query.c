/* The OTA server answers what does not carry data: queries and the end of an upgrade. */
#include "core/err.h"
#include "zigbee/ota_server_internal.h"

static bool within(uint32_t v, uint32_t min, uint32_t max)
{
    return v >= min && v <= max;
}

static bool version_fits(const struct al_zota_id *file, const struct al_zota_image_limits *l,
                         uint32_t running)
{
    uint32_t min = l->min_running, max = l->max_running;
    if ((min != 0 && min != UINT32_MAX) || (max != 0 && max != UINT32_MAX)) {
        if (running == AL_ZOTA_ANY_FILE_VERSION) return false;
        if (!within(running, min == UINT32_MAX ? 0 : min, max == 0 ? UINT32_MAX : max))
            return false;
    }
    if (running == AL_ZOTA_ANY_FILE_VERSION) return true; /* the device does not tell */
    if (file->file_version == running) return l->force;
    return file->file_version > running || l->downgrade;
}

bool al_zota_image_fits(const struct al_zota_id *file, const struct al_zota_image_limits *limits,
                        const struct al_zota_wanted *wanted)
{
    const struct al_zota_id *w = &wanted->id;
    if (file->manufacturer != AL_ZOTA_ANY_MANUFACTURER && file->manufacturer != w->manufacturer)
        return false;
    if (file->image_type != w->image_type) return false;
    if (limits->has_destination && limits->destination != wanted->ext_addr) return false;
    if (limits->has_hardware && wanted->has_hardware_version &&
        !within(wanted->hardware_version, limits->min_hardware, limits->max_hardware))
        return false;
    if (wanted->device_specific)
        return w->file_version == AL_ZOTA_ANY_FILE_VERSION || w->file_version == file->file_version;
    return version_fits(file, limits, w->file_version);
}

static void emit_query(struct al_zota_server *s, const struct al_zota_session *c,
                       const struct al_zota_wanted *w, uint8_t status)
{
    if (!s->app.event) return;
    struct al_zota_server_event e = {
        .kind = AL_ZOTA_SERVER_QUERY,
        .peer = w->peer,
        .session = c,
        .wanted = w,
        .status = status,
    };
    s->app.event(s->app.ctx, &e);
}

/* A query by a device that was told to upgrade shows what came of it. One that runs the new
 * version has it, whatever was heard last: a late copy of a block request, or no end. */
static void look_at_running(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                            uint32_t running)
{
    bool new = running == c->record.image.id.file_version;
    bool under_way = c->record.state == AL_ZOTA_SESSION_DOWNLOADING ||
                     c->record.state == AL_ZOTA_SESSION_VERIFYING ||
                     c->record.state == AL_ZOTA_SESSION_LOST;
    if (c->record.state == AL_ZOTA_SESSION_ENDED)
        al_zotas_set_state(s, c, now, new ? AL_ZOTA_SESSION_UPDATED : AL_ZOTA_SESSION_NOT_APPLIED);
    else if (under_way && new && c->record.running != running)
        al_zotas_set_state(s, c, now, AL_ZOTA_SESSION_UPDATED);
}

static void offered(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                    const struct al_zota_wanted *w, const struct al_zota_image *image)
{
    bool same =
        c->record.image.size == image->size && al_zota_same_id(&c->record.image.id, &image->id);
    c->last_seen = now;
    c->record.image = *image;
    al_zotas_claim(s, c, w->ext_addr);
    if (!w->device_specific) c->record.running = w->id.file_version;
    /* One that lost contact and asks again goes on where it was. */
    if (same &&
        (c->record.state == AL_ZOTA_SESSION_DOWNLOADING || c->record.state == AL_ZOTA_SESSION_HELD))
        return;
    c->record.offset = 0;
    c->record.released = 0;
    c->record.status = 0;
    c->pending = c->paging = c->answered = false;
    al_zotas_set_state(s, c, now, AL_ZOTA_SESSION_QUERIED);
}

/* Completes w by what is known of its sender. False: it gives itself out for another. */
static bool identify(const struct al_zota_server *s, const struct al_zota_session *c,
                     struct al_zota_wanted *w)
{
    struct al_zota_device d = {0};
    if (c)
        d = c->device;
    else if (s->app.device)
        s->app.device(s->app.ctx, w->peer, &d);
    if (w->ext_addr) return !d.ext_addr || d.ext_addr == w->ext_addr;
    w->ext_addr = d.ext_addr || !c ? d.ext_addr : c->record.ext_addr;
    return true;
}

static void answer_query(struct al_zota_server *s, const struct al_zotas_request *q,
                         struct al_zota_wanted *w, uint8_t response)
{
    struct al_zota_session *c = al_zota_server_find(s, w->peer.addr, w->peer.endpoint);
    struct al_zota_image image = {0};
    bool itself = identify(s, c, w);
    if (c && !w->device_specific) look_at_running(s, c, q->now, w->id.file_version);
    int err = itself ? s->app.find(s->app.ctx, w, &image) : AL_ERR_NOT_ALLOWED;
    uint8_t status = err == 0                    ? AL_ZCL_SUCCESS
                     : err == AL_ERR_NOT_ALLOWED ? AL_ZCL_NOT_AUTHORIZED
                                                 : AL_ZCL_NO_IMAGE_AVAILABLE;
    if (err == 0) {
        c = al_zotas_open(s, q->now, w->peer);
        if (c) offered(s, c, q->now, w, &image);
    }
    emit_query(s, err ? NULL : c, w, status);
    struct al_zota_frame f = {
        .command = response,
        .u.query_next_image_rsp = {.status = status, .id = image.id, .image_size = image.size},
    };
    struct al_zota_send how = al_zotas_reply(q);
    al_zota_wire_send(&s->transport, &how, q->seq, &f); /* lost: it will ask again */
}

uint8_t al_zotas_on_query(struct al_zota_server *s, const struct al_zotas_request *q,
                          const struct al_zota_query_next_image_req *r)
{
    struct al_zota_wanted w = {
        .peer = q->rx->from,
        .id = r->id,
        .has_hardware_version = r->has_hardware_version,
        .hardware_version = r->hardware_version,
    };
    answer_query(s, q, &w, AL_ZOTA_QUERY_NEXT_IMAGE_RSP);
    return AL_ZCL_SUCCESS;
}

uint8_t al_zotas_on_specific(struct al_zota_server *s, const struct al_zotas_request *q,
                             const struct al_zota_specific_file_req *r)
{
    if (r->id.image_type < 0xffc0 || r->id.image_type == AL_ZOTA_ANY_IMAGE_TYPE)
        return AL_ZCL_INVALID_VALUE;
    struct al_zota_wanted w = {
        .peer = q->rx->from,
        .ext_addr = r->node_addr,
        .device_specific = true,
        .id = r->id,
        .stack_version = r->stack_version,
    };
    answer_query(s, q, &w, AL_ZOTA_SPECIFIC_FILE_RSP);
    return AL_ZCL_SUCCESS;
}

static int send_order(struct al_zota_server *s, struct al_zota_send how, uint8_t seq,
                      const struct al_zota_id *id, const struct al_zota_order *order)
{
    struct al_zota_frame f = {
        .command = AL_ZOTA_UPGRADE_END_RSP,
        .u.upgrade_end_rsp = {*id, order->current_time, order->upgrade_time},
    };
    return al_zota_wire_send(&s->transport, &how, seq, &f);
}

/* The client ended without success: not an error of the exchange. */
static void ended_badly(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                        uint8_t status)
{
    if (c->record.state == AL_ZOTA_SESSION_ENDED) return; /* late */
    c->record.status = status;
    c->pending = c->paging = false;
    al_zotas_set_state(s, c, now,
                       status == AL_ZCL_ABORT                ? AL_ZOTA_SESSION_ABORTED
                       : status == AL_ZCL_REQUIRE_MORE_IMAGE ? AL_ZOTA_SESSION_MORE
                                                             : AL_ZOTA_SESSION_FAILED);
    al_zotas_emit(s, c, AL_ZOTA_SERVER_END, c->record.offset, 0, status);
}

uint8_t al_zotas_on_end(struct al_zota_server *s, const struct al_zotas_request *q,
                        const struct al_zota_upgrade_end_req *r)
{
    struct al_zota_session *c = al_zota_server_find(s, q->rx->from.addr, q->rx->from.endpoint);
    bool ours = c && r->has_id && al_zota_same_id(&c->record.image.id, &r->id);
    if (r->status != AL_ZCL_SUCCESS) {
        if (c && (ours || !r->has_id)) ended_badly(s, c, q->now, r->status);
        /* Always a default response, also where the request asks for none on success. */
        struct al_zcl_frame h = {
            .seq = q->seq, .command = AL_ZOTA_UPGRADE_END_REQ, .cluster_specific = true};
        al_zota_wire_default(&s->transport, q->rx, &h, AL_ZCL_SUCCESS);
        return AL_ZCL_SUCCESS;
    }
    if (!ours) {
        struct al_zota_image image;
        if (s->app.get(s->app.ctx, q->rx->from, &r->id, &image)) return AL_ZCL_NO_IMAGE_AVAILABLE;
        c = al_zotas_open(s, q->now, q->rx->from);
        if (c) c->record.image = image;
    }
    struct al_zota_order order = {0, 0};
    if (c) {
        c->last_seen = q->now;
        c->record.offset = c->record.image.size;
        c->pending = c->paging = false;
        bool again = c->record.state == AL_ZOTA_SESSION_ENDED;
        if (c->record.released) order = c->record.order;
        if (s->app.end) s->app.end(s->app.ctx, c, &order);
        c->record.order = order;
        al_zotas_set_state(s, c, q->now, AL_ZOTA_SESSION_ENDED);
        if (!again) al_zotas_emit(s, c, AL_ZOTA_SERVER_END, c->record.offset, 0, r->status);
    }
    send_order(s, al_zotas_reply(q), q->seq, &r->id, &order); /* lost: it will ask again */
    return AL_ZCL_SUCCESS;
}

int al_zota_server_release(struct al_zota_server *s, uint64_t now, struct al_zota_session *c,
                           struct al_zota_order order)
{
    if (c->record.state != AL_ZOTA_SESSION_ENDED) return AL_ERR_INVALID_STATE;
    c->record.order = order;
    c->record.released = 1;
    al_zotas_save(s, c, now);
    return send_order(s, al_zotas_to(s, c), ++s->tsn, &c->record.image.id, &order);
}
