/* The OTA server takes requests for data: is the file there, may the client have it now.
 * The answer itself waits for its turn; see ota_server_pump.c. */
#include "core/err.h"
#include "zigbee/ota_server_internal.h"

enum {
    DUPLICATE_S = 2, /* the same TSN and offset within this time is the same request */
    OLDER = 8,       /* TSNs back: a late copy, within the same time */
    NO_ROOM_S = 60   /* the table is full of downloads */
};

int al_zotas_send_abort(struct al_zota_server *s, struct al_zota_session *c, uint8_t seq)
{
    struct al_zota_frame f = {
        .command = AL_ZOTA_IMAGE_BLOCK_RSP,
        .u.image_block_rsp = {.status = AL_ZCL_ABORT},
    };
    struct al_zota_send how = al_zotas_to(s, c);
    return al_zota_wire_send(&s->transport, &how, seq, &f);
}

static void aborted(struct al_zota_server *s, struct al_zota_session *c, uint64_t now, uint8_t seq)
{
    c->pending = c->paging = false;
    if (al_zotas_send_abort(s, c, seq) == AL_ERR_NO_MEM) return; /* with the next request */
    c->record.abort = 0;
    c->record.status = AL_ZCL_ABORT;
    al_zotas_set_state(s, c, now, AL_ZOTA_SESSION_ABORTED);
}

void al_zota_server_abort(struct al_zota_server *s, uint64_t now, struct al_zota_session *c)
{
    c->record.abort = 1;
    al_zotas_save(s, c, now);
    if (c->paging)
        aborted(s, c, now, c->page_tsn);
    else if (c->pending)
        aborted(s, c, now, c->tsn);
}

/* A refusal without a session. */
static void send_wait_to(struct al_zota_server *s, const struct al_zotas_request *q)
{
    struct al_zota_frame f = {
        .command = AL_ZOTA_IMAGE_BLOCK_RSP,
        .u.image_block_rsp = {.status = AL_ZCL_WAIT_FOR_DATA,
                              .request_time = NO_ROOM_S,
                              .has_min_block_period = true},
    };
    struct al_zota_send how = al_zotas_reply(q);
    al_zota_wire_send(&s->transport, &how, q->seq, &f);
}

/* What block and page requests have in common. */
struct wish {
    const struct al_zota_id *id;
    uint32_t offset;
    uint64_t node_addr; /* 0: not told */
    bool has_period;    /* of the client; 0 as good as none */
    uint16_t period;
    uint8_t max_data;
};

/* The session if data may be sent to it; NULL: *status, or it was answered already. */
static struct al_zota_session *admit(struct al_zota_server *s, const struct al_zotas_request *q,
                                     const struct wish *w, uint8_t *status)
{
    *status = AL_ZCL_SUCCESS;
    struct al_zota_peer from = q->rx->from;
    struct al_zota_session *c = al_zota_server_find(s, from.addr, from.endpoint);
    bool known = c && c->record.image.size && al_zota_same_id(&c->record.image.id, w->id);
    struct al_zota_image image = {0};
    if (known) {
        image = c->record.image;
    } else if (s->app.get(s->app.ctx, from, w->id, &image)) {
        *status = AL_ZCL_NO_IMAGE_AVAILABLE;
        return NULL;
    }
    if (w->offset >= image.size || w->max_data == 0) {
        *status = AL_ZCL_MALFORMED;
        return NULL;
    }
    c = al_zotas_open(s, q->now, from);
    if (!c) {
        send_wait_to(s, q);
        return NULL;
    }
    if (!known) {
        c->record.image = image;
        c->record.offset = 0;
        c->pending = c->paging = c->answered = false;
        if (c->record.state != AL_ZOTA_SESSION_HELD) c->record.state = AL_ZOTA_SESSION_NEW;
    }
    al_zotas_claim(s, c, w->node_addr);
    if (c->record.abort) {
        c->last_seen = q->now;
        aborted(s, c, q->now, q->seq);
        return NULL;
    }
    al_zotas_asked(s, c, q->now);
    uint32_t hold = al_zotas_hold(s, c, q->now);
    c->last_seen = q->now;
    if (hold) {
        c->pending = c->paging = false;
        uint64_t since = c->held_since;
        al_zotas_set_state(s, c, q->now, AL_ZOTA_SESSION_HELD);
        c->held_since = since;
        if (al_zotas_send_wait(s, c, q->seq, hold) == 0)
            al_zotas_emit(s, c, AL_ZOTA_SERVER_HELD, w->offset, hold, 0);
        return NULL;
    }
    if (c->record.state != AL_ZOTA_SESSION_DOWNLOADING) {
        bool goes_on = c->record.state == AL_ZOTA_SESSION_VERIFYING;
        if (goes_on)
            al_zotas_set_state(s, c, q->now, AL_ZOTA_SESSION_DOWNLOADING);
        else
            al_zotas_begin(s, c, q->now, w->offset);
    }
    return c;
}

/* A copy of a request that came by a longer way, when the client is further already. */
static bool late_copy(struct al_zota_session *c, const struct al_zotas_request *q, uint32_t offset)
{
    uint8_t back = (uint8_t)(c->newest_seq - q->seq);
    if (c->newest_at && q->now - c->newest_at < DUPLICATE_S * AL_ZOTAS_S && back >= 1 &&
        back <= OLDER && offset < c->newest_offset)
        return true;
    c->newest_at = q->now ? q->now : 1;
    c->newest_offset = offset;
    c->newest_seq = q->seq;
    return false;
}

/* A client that does not keep the period is told it, once; after that its answers are
 * held back. True: it was told, that is the answer. */
static bool told_period(struct al_zota_server *s, struct al_zota_session *c,
                        const struct al_zotas_request *q, const struct wish *w)
{
    uint32_t period = al_zotas_period(s, c);
    if (period == 0 || c->told_period) return false;
    if (w->has_period &&
        w->period >= (c->device.period_in_seconds ? (period + 999) / 1000 : period))
        return false;
    c->told_period = al_zotas_send_wait(s, c, q->seq, 0) == 0;
    return c->told_period;
}

/* What a request says of the answer before: asked for again although it was confirmed, it
 * did not arrive where it should; else it has arrived, confirmed or not. */
static void adapt(struct al_zota_server *s, struct al_zota_session *c, bool repeat, uint32_t offset)
{
    bool changed = false;
    if (!repeat && c->answered)
        changed = al_zota_ladder_good(&c->ladder);
    else if (repeat && c->in_air == 0 && !c->last_failed)
        changed = al_zota_ladder_bad(&c->ladder);
    if (changed)
        al_zotas_emit(s, c, AL_ZOTA_SERVER_PACE, offset, al_zota_ladder_size(&c->ladder), 0);
}

uint8_t al_zotas_on_block(struct al_zota_server *s, const struct al_zotas_request *q,
                          const struct al_zota_image_block_req *r)
{
    struct wish w = {
        .id = &r->id,
        .offset = r->file_offset,
        .node_addr = r->has_node_addr ? r->node_addr : 0,
        .has_period = r->has_min_block_period,
        .period = r->min_block_period,
        .max_data = r->max_data_size,
    };
    uint8_t status;
    struct al_zota_session *c = admit(s, q, &w, &status);
    if (!c) return status;
    if (late_copy(c, q, w.offset)) return AL_ZCL_SUCCESS;
    if (c->paging) { /* it no longer waits for the page */
        c->paging = false;
        al_zotas_release_air(s, c);
    }
    if (c->answered && c->last_tsn == q->seq && c->last_offset == w.offset && !c->last_failed &&
        q->now - c->served < DUPLICATE_S * AL_ZOTAS_S)
        return AL_ZCL_SUCCESS;
    if (told_period(s, c, q, &w)) return AL_ZCL_SUCCESS;
    bool repeat = c->answered && c->last_offset == w.offset;
    adapt(s, c, repeat, w.offset);
    if (!repeat) al_zotas_release_air(s, c);
    c->pending = true;
    c->tsn = q->seq;
    c->max_data = w.max_data;
    c->want = w.offset;
    uint64_t period = al_zotas_period(s, c);
    if (period < c->pace) period = c->pace;
    c->due = c->served && period ? c->served + period * AL_ZOTAS_MS : q->now;
    al_zotas_pump(s, q->now);
    return AL_ZCL_SUCCESS;
}

uint8_t al_zotas_on_page(struct al_zota_server *s, const struct al_zotas_request *q,
                         const struct al_zota_image_page_req *r)
{
    if (s->config.no_pages) return AL_ZCL_UNSUP_CLUSTER_COMMAND;
    if (r->page_size == 0) return AL_ZCL_MALFORMED;
    struct wish w = {
        .id = &r->id,
        .offset = r->file_offset,
        .node_addr = r->has_node_addr ? r->node_addr : 0,
        .has_period = true, /* response spacing is the client's to choose */
        .period = UINT16_MAX,
        .max_data = r->max_data_size,
    };
    uint8_t status;
    struct al_zota_session *c = admit(s, q, &w, &status);
    if (!c) return status;
    if (c->newest_at && c->page_end && c->page_tsn == q->seq &&
        q->now - c->newest_at < DUPLICATE_S * AL_ZOTAS_S)
        return AL_ZCL_SUCCESS;
    if (late_copy(c, q, w.offset)) return AL_ZCL_SUCCESS;
    al_zotas_release_air(s, c);
    uint32_t left = c->record.image.size - r->file_offset;
    uint32_t period = al_zotas_period(s, c);
    c->pending = c->answered = false;
    c->paging = true;
    c->page_tsn = q->seq;
    c->page_max = r->max_data_size;
    c->page_next = r->file_offset;
    c->page_end = r->file_offset + (r->page_size < left ? r->page_size : left);
    c->page_spacing = r->response_spacing;
    if (period > c->page_spacing)
        c->page_spacing = period > UINT16_MAX ? UINT16_MAX : (uint16_t)period;
    c->page_due = q->now;
    c->page_fails = 0;
    al_zotas_pump(s, q->now);
    return AL_ZCL_SUCCESS;
}
