/* The OTA server hands out data: one block at a time to whoever has waited longest. How much
 * may be under way: ota_server_air.c. */
#include "core/err.h"
#include "zigbee/ota_server_internal.h"

enum {
    PAGE_AIR = 2,   /* blocks of a page under way: one in the air, one behind it */
    PAGE_FAILS = 8, /* in a row: nobody is there */
    QUEUE_FULL_MS = 5,
    DATA_PAUSE_MS = 100, /* read has nothing yet */
    PACE_FIRST_MS = 20,
    PACE_MOST_MS = 500,
    DATA_LIMIT_MS = 1000, /* then the client is told to wait */
    BLOCK_HEAD = 17,      /* bytes of Image Block Response before the data, ZCL header too */
    FRAGMENT_HEAD = 2,
    HOPS = 3,  /* behind so many the air is free again */
    HOP_MS = 7 /* of a full frame with its acknowledgement */
};

int al_zotas_send_wait(struct al_zota_server *s, struct al_zota_session *c, uint8_t seq,
                       uint32_t seconds)
{
    uint32_t period = al_zotas_period(s, c);
    if (c->device.period_in_seconds) period = (period + 999) / 1000;
    struct al_zota_frame f = {
        .command = AL_ZOTA_IMAGE_BLOCK_RSP,
        .u.image_block_rsp = {.status = AL_ZCL_WAIT_FOR_DATA,
                              .request_time = seconds,
                              .has_min_block_period = true,
                              .min_block_period = (uint16_t)period},
    };
    struct al_zota_send how = al_zotas_to(s, c);
    return al_zota_wire_send(&s->transport, &how, seq, &f);
}

void al_zotas_pace(struct al_zota_session *c, bool ok)
{
    uint32_t pace = c->pace;
    if (ok)
        pace -= (pace + 7) / 8;
    else
        pace = pace == 0 ? PACE_FIRST_MS : pace * 2;
    c->pace = (uint16_t)(pace < PACE_MOST_MS ? pace : PACE_MOST_MS);
}

void al_zotas_confirmed(struct al_zota_server *s, uint64_t now, struct al_zota_outstanding *o,
                        bool ok)
{
    struct al_zota_session *c = &s->session[o->session];
    if (c->in_air > 0) c->in_air--;
    if (ok) c->last_seen = now;
    if (!ok) c->lost++;
    al_zotas_had(s, c, now, o, ok);
    al_zotas_pace(c, ok);
    bool changed = false;
    if (o->page) {
        c->page_fails = ok ? 0 : (uint8_t)(c->page_fails + 1);
        if (c->page_fails >= PAGE_FAILS) c->paging = false;
    } else {
        changed = !ok && al_zota_ladder_bad(&c->ladder);
        c->last_failed = !ok;
        /* Asked for again while it was on its way, and now it is there. */
        if (ok && c->pending && c->want == o->offset) c->pending = false;
    }
    al_zotas_free_air(s, o);
    if (changed)
        al_zotas_emit(s, c, AL_ZOTA_SERVER_PACE, o->offset, al_zota_ladder_size(&c->ladder), 0);
}

static bool may_answer(const struct al_zota_session *c)
{
    return c->pending && (c->in_air == 0 || c->want != c->last_offset);
}

static bool may_page(const struct al_zota_session *c)
{
    return c->paging && c->in_air < (c->device.sleepy ? 1 : PAGE_AIR);
}

uint64_t al_zotas_due(const struct al_zota_server *s, const struct al_zota_session *c)
{
    uint64_t room = al_zotas_room_at(s, c);
    uint64_t due = may_answer(c) ? c->due : may_page(c) ? c->page_due : AL_ZOTAS_NEVER;
    if (!may_answer(c) && !c->device.sleepy && due < s->pages_at) due = s->pages_at;
    return due > room ? due : room;
}

/* Whole frames: a last one that is nearly empty costs as much as a full one. */
static uint32_t whole_frames(const struct al_zota_server *s, const struct al_zota_session *c,
                             uint32_t size, bool single)
{
    const struct al_zota_transport *t = &s->transport;
    size_t room = t->room ? t->room(t->ctx, c->record.peer) : 0;
    if (room <= BLOCK_HEAD + FRAGMENT_HEAD || BLOCK_HEAD + size <= room) return size;
    size_t fragment = room - FRAGMENT_HEAD, frames = (BLOCK_HEAD + size) / fragment;
    size_t rest = (BLOCK_HEAD + size) % fragment;
    if (single || (frames == 1 && rest < fragment / 2)) return (uint32_t)(room - BLOCK_HEAD);
    return rest < fragment / 2 ? (uint32_t)(frames * fragment - BLOCK_HEAD) : size;
}

static uint8_t data_size(const struct al_zota_server *s, const struct al_zota_session *c,
                         uint8_t asked, bool single)
{
    uint8_t size = al_zota_ladder_size(&c->ladder);
    if (size > asked) size = asked;
    if (size > s->config.max_block) size = s->config.max_block;
    if (c->device.max_block && size > c->device.max_block) size = c->device.max_block;
    single = single || c->device.no_fragments;
    if (single && size > AL_ZOTA_BLOCK_SINGLE) size = AL_ZOTA_BLOCK_SINGLE;
    return (uint8_t)whole_frames(s, c, size, single);
}

struct piece {
    uint32_t offset;
    uint32_t end; /* not beyond this */
    uint8_t seq;
    uint8_t asked;
    bool page;
};

/* read had nothing: later, and after a while the client is told so. */
static void no_data(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                    const struct piece *p)
{
    if (c->data_since == AL_ZOTAS_NEVER) c->data_since = now;
    c->due = c->page_due = now + DATA_PAUSE_MS * AL_ZOTAS_MS;
    if (now - c->data_since < DATA_LIMIT_MS * AL_ZOTAS_MS) return;
    if (al_zotas_send_wait(s, c, p->seq, 1)) return;
    al_zotas_emit(s, c, AL_ZOTA_SERVER_HELD, p->offset, 1, 0);
    c->data_since = AL_ZOTAS_NEVER;
    c->pending = c->paging = false;
}

static void cannot_read(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                        const struct piece *p)
{
    c->pending = c->paging = false;
    al_zotas_send_abort(s, c, p->seq);
    c->record.status = AL_ZCL_ABORT;
    al_zotas_set_state(s, c, now, AL_ZOTA_SESSION_FAILED);
}

/* Sends data of p; more than 0: so many bytes are on their way; 0: not now. */
static uint32_t send_piece(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                           const struct piece *p)
{
    uint8_t data[UINT8_MAX];
    for (;;) {
        uint32_t size = data_size(s, c, p->asked, p->page), left = p->end - p->offset;
        if (size > left) size = left;
        int n = s->app.read(s->app.ctx, c->record.peer, &c->record.image, p->offset, data, size);
        if (n == AL_ERR_NOT_FINISHED) {
            no_data(s, c, now, p);
            return 0;
        }
        if (n <= 0 || (uint32_t)n > size) {
            cannot_read(s, c, now, p);
            return 0;
        }
        c->data_since = AL_ZOTAS_NEVER;
        struct al_zota_frame f = {
            .command = AL_ZOTA_IMAGE_BLOCK_RSP,
            .u.image_block_rsp = {.status = AL_ZCL_SUCCESS,
                                  .id = c->record.image.id,
                                  .file_offset = p->offset,
                                  .data_size = (uint8_t)n,
                                  .data = data},
        };
        if (++s->handle == 0) s->handle = 1;
        struct al_zota_send how = {
            .to = c->record.peer,
            .src_endpoint = s->config.endpoint,
            .aps_ack = !p->page,
            .may_fragment = !p->page && n > AL_ZOTA_BLOCK_SINGLE,
            .handle = s->handle,
        };
        int err = al_zota_wire_send(&s->transport, &how, p->seq, &f);
        if (err == AL_ERR_INVALID_SIZE) {
            uint8_t before = al_zota_ladder_size(&c->ladder);
            al_zota_ladder_refused(&c->ladder, (uint8_t)n);
            if (al_zota_ladder_size(&c->ladder) < before) continue;
        }
        if (err == AL_ERR_NO_MEM) {
            s->retry_at = now + QUEUE_FULL_MS * AL_ZOTAS_MS;
            return 0;
        }
        if (err == 0) al_zotas_take_air(s, c, now, s->handle, p->offset, p->page);
        c->last_failed = err != 0;
        if (err) c->lost++;
        return (uint32_t)n;
    }
}

static void serve_block(struct al_zota_server *s, struct al_zota_session *c, uint64_t now)
{
    struct piece p = {c->want, c->record.image.size, c->tsn, c->max_data, false};
    uint32_t n = send_piece(s, c, now, &p);
    if (n == 0) return;
    c->pending = false;
    c->answered = true;
    c->last_tsn = p.seq;
    c->last_offset = p.offset;
    /* Who asks for this byte has all before it. */
    if (c->record.offset < p.offset) c->record.offset = p.offset;
    al_zotas_progress(s, c, now, p.offset, n);
}

static void serve_page(struct al_zota_server *s, struct al_zota_session *c, uint64_t now)
{
    struct piece p = {c->page_next, c->page_end, c->page_tsn, c->page_max, true};
    uint32_t n = send_piece(s, c, now, &p);
    if (n == 0) return;
    c->page_next += n;
    uint16_t spacing = c->page_spacing > c->pace ? c->page_spacing : c->pace;
    c->page_due = now + spacing * AL_ZOTAS_MS;
    c->paging = c->page_next < c->page_end;
    unsigned hops = s->transport.hops ? s->transport.hops(s->transport.ctx, c->record.peer) : 1;
    if (hops > 1) s->pages_at = now + (hops < HOPS ? hops : HOPS) * HOP_MS * AL_ZOTAS_MS;
    if (c->record.offset < p.offset) c->record.offset = p.offset;
    al_zotas_progress(s, c, now, p.offset, n);
}

void al_zotas_pump(struct al_zota_server *s, uint64_t now)
{
    while (s->retry_at <= now) {
        struct al_zota_session *best = NULL;
        for (uint16_t i = 0; i < s->sessions; i++) {
            struct al_zota_session *c = &s->session[i];
            if (c->record.state == AL_ZOTA_SESSION_FREE || al_zotas_due(s, c) > now) continue;
            /* Turns wrap: what is behind the current one is older. */
            if (!best || s->turn - c->turn > s->turn - best->turn) best = c;
        }
        if (!best) return;
        if (may_answer(best))
            serve_block(s, best, now);
        else
            serve_page(s, best, now);
    }
}
