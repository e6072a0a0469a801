#include "tests/support/zota_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "zigbee/zcl_frame.h"

enum {
    FIRST_ADDR = 0x1000,
    CLIENT_ENDPOINT = 10,
    SERVER_ENDPOINT = 5,
    SERVER_QUEUE = 12,
    APS_TRIES = 4,
    FAST_POLL_US = 250000,
    LONG_POLL_US = 5000000
};

uint32_t zota_net_random(struct zota_net *n, uint32_t below)
{
    n->rng ^= n->rng << 13;
    n->rng ^= n->rng >> 17;
    n->rng ^= n->rng << 5;
    return below ? n->rng % below : n->rng;
}

static bool chance(struct zota_net *n, unsigned percent)
{
    return percent && zota_net_random(n, 100) < percent;
}

/* Microseconds of one acknowledged frame of L octets. */
static uint64_t airtime(size_t mpdu)
{
    return 2624 + 32 * (6 + mpdu);
}

/* The whole exchange of one ASDU: fragments, and the APS acknowledgement. */
static uint64_t exchange(size_t asdu, bool aps_ack)
{
    uint64_t us;
    if (asdu <= 82) {
        us = airtime(45 + asdu);
        return aps_ack ? us + airtime(45) : us;
    }
    us = 0;
    for (; asdu > 80; asdu -= 80) us += airtime(127);
    return us + airtime(47 + asdu) + airtime(48);
}

static struct zota_net_event *add(struct zota_net *n, uint64_t at)
{
    for (unsigned i = 0; i < ZOTA_NET_EVENTS; i++)
        if (!n->event[i].used) {
            n->event[i] = (struct zota_net_event){.used = true, .at = at};
            return &n->event[i];
        }
    fail_msg("more than %d events", ZOTA_NET_EVENTS);
    return NULL;
}

/* When a frame that is ready at some time reaches a client that polls. */
static uint64_t poll_at(const struct zota_net *n, int to, uint64_t at)
{
    if (to < 0 || (unsigned)to >= n->config.sleepy) return at;
    uint64_t period = al_zota_client_awaits(&n->client[to].engine) ? FAST_POLL_US : LONG_POLL_US;
    return at - at % period + period;
}

static void deliver_at(struct zota_net *n, uint64_t at, int from, int to,
                       const struct al_zota_send *s)
{
    if (n->config.jitter) at += zota_net_random(n, n->config.jitter * 1000);
    at = poll_at(n, to, at);
    for (int copies = chance(n, n->config.twice) ? 2 : 1; copies > 0; copies--) {
        struct zota_net_event *e = add(n, at);
        e->from = from;
        e->to = to;
        e->life = to < 0 ? n->server_life : n->life[to];
        e->len = (uint16_t)s->len;
        memcpy(e->zcl, s->zcl, s->len);
        at += 3000 + zota_net_random(n, 20000);
    }
}

static int transmit(struct zota_net *n, int from, const struct al_zota_send *s)
{
    int to = s->to.addr == 0 ? -1 : s->to.addr - FIRST_ADDR;
    assert_true(s->len <= sizeof n->event[0].zcl);
    assert_true(s->len <= 82 || s->may_fragment);
    if (to < -1 || to >= (int)n->config.clients) return 0; /* nobody is there */
    if (from < 0 && n->waiting >= SERVER_QUEUE) return AL_ERR_NO_MEM;
    bool there = false, known = false;
    uint64_t at = n->now > n->air_free ? n->now : n->air_free;
    bool hopeless = s->len > 82 && n->config.no_fragments;
    for (int tries = s->aps_ack ? APS_TRIES : 1; tries > 0 && !known; tries--) {
        at += exchange(s->len, s->aps_ack);
        if (tries == (s->aps_ack ? APS_TRIES : 1)) n->air_free = at;
        bool arrived = !hopeless && !chance(n, n->config.loss);
        /* APS rejects what it has had already. */
        if (arrived && !there) deliver_at(n, at - (s->aps_ack ? airtime(45) : 0), from, to, s);
        there = there || arrived;
        known = arrived && (!s->aps_ack || !chance(n, n->config.loss));
        if (!known && s->aps_ack) at += (n->config.reach ? n->config.reach : 1600) * UINT64_C(1000);
    }
    if (s->handle) {
        struct zota_net_event *e = add(n, at);
        e->confirm = true;
        e->to = from;
        e->life = from < 0 ? n->server_life : n->life[from];
        e->handle = s->handle;
        /* Without an acknowledgement the next hop's is all there is. */
        e->ok = s->aps_ack ? known : true;
        if (from < 0) e->at = poll_at(n, to, at);
        if (from < 0) n->waiting++;
    }
    return 0;
}

struct side {
    struct zota_net *n;
    int i;
};
static struct side sides[ZOTA_NET_CLIENTS + 1];

static int on_send(void *ctx, const struct al_zota_send *s)
{
    struct side *side = ctx;
    return transmit(side->n, side->i, s);
}

static uint32_t on_random(void *ctx)
{
    struct side *side = ctx;
    return zota_net_random(side->n, 0);
}

/* ---- the device */

static uint8_t on_offer(void *ctx, const struct al_zota_file *file, bool reinstall,
                        uint32_t *offset)
{
    struct side *side = ctx;
    struct zota_net_client *c = &side->n->client[side->i];
    assert_int_equal(file->size, side->n->file.size);
    if (side->n->config.writer_tells && c->cuts) *offset = c->written;
    assert_true(*offset <= c->written);
    c->written = *offset;
    if (c->started == 0) c->started = side->n->now;
    return AL_ZCL_SUCCESS;
}

static int on_data(void *ctx, uint32_t offset, const uint8_t *data, size_t len)
{
    struct side *side = ctx;
    struct zota_net_client *c = &side->n->client[side->i];
    assert_int_equal(offset, c->written); /* once, in order */
    assert_true(len > 0 && offset + len <= side->n->file.size);
    memcpy(c->flash + offset, data, len);
    c->written += (uint32_t)len;
    return 0;
}

static int on_check(void *ctx, const struct al_zota_file *file)
{
    struct side *side = ctx;
    struct zota_net_client *c = &side->n->client[side->i];
    assert_int_equal(c->written, file->size);
    assert_memory_equal(c->flash, side->n->image, file->size);
    return AL_ZCL_SUCCESS;
}

static void on_save(void *ctx, const struct al_zota_progress *p)
{
    struct side *side = ctx;
    side->n->client[side->i].saved = *p;
}

static void on_event(void *ctx, const struct al_zota_client_event *e)
{
    struct side *side = ctx;
    struct zota_net_client *c = &side->n->client[side->i];
    switch (e->kind) {
    case AL_ZOTA_CLIENT_FINISH:
        c->end = ZOTA_NET_FINISHED;
        c->finished_at = side->n->now;
        break;
    case AL_ZOTA_CLIENT_GAVE_UP:
        assert_int_not_equal(e->reason, AL_ZOTA_REASON_NONE);
        c->reason = e->reason;
        c->gave_up++;
        break;
    case AL_ZOTA_CLIENT_RETRY:
        c->retries++;
        break;
    default:
        break;
    }
}

static void start_client(struct zota_net *n, unsigned i)
{
    struct zota_net_client *c = &n->client[i];
    struct al_zota_client_config f = n->config.client;
    f.endpoint = CLIENT_ENDPOINT;
    f.ext_addr = 0x744dbdfffe600000 + i;
    f.manufacturer = n->file.id.manufacturer;
    f.image_type = n->file.id.image_type;
    f.file_version = 1;
    f.max_data_size = n->config.block;
    f.page_size = n->config.page;
    f.page_buffer = n->config.page ? c->page : NULL;
    if (f.start_delay == 0) f.start_delay = 1;
    if (f.resume_delay == 0) f.resume_delay = 1000;
    struct al_zota_client_app app = {&sides[i], on_offer, on_data, on_check, on_save, on_event};
    struct al_zota_transport t = {.ctx = &sides[i], .send = on_send, .random = on_random};
    al_zota_client_init(&c->engine, &f, &app, &t);
    al_zota_client_set_server(&c->engine, n->now, (struct al_zota_peer){0, SERVER_ENDPOINT}, 1);
    c->on = true;
    n->life[i]++;
    struct al_zota_progress saved = c->saved;
    al_zota_client_start(&c->engine, n->now, &saved);
}

void zota_net_cut_client(struct zota_net *n, unsigned i, uint64_t pause)
{
    struct zota_net_client *c = &n->client[i];
    if (!c->on) return;
    c->on = false;
    c->cuts++;
    c->on_at = n->now + pause;
}

/* ---- the server */

static int on_find(void *ctx, const struct al_zota_wanted *wanted, struct al_zota_image *image)
{
    struct side *side = ctx;
    struct al_zota_image_limits limits = {0};
    if (!al_zota_image_fits(&side->n->file.id, &limits, wanted)) return AL_ERR_NOT_FOUND;
    *image = side->n->file;
    return 0;
}

static int on_get(void *ctx, struct al_zota_peer peer, const struct al_zota_id *id,
                  struct al_zota_image *image)
{
    struct side *side = ctx;
    if (memcmp(id, &side->n->file.id, sizeof *id) != 0) return AL_ERR_NOT_FOUND;
    *image = side->n->file;
    return 0;
}

static int on_read(void *ctx, struct al_zota_peer peer, const struct al_zota_image *image,
                   uint32_t offset, void *buf, size_t len)
{
    struct side *side = ctx;
    assert_true(offset + len <= side->n->file.size);
    memcpy(buf, side->n->image + offset, len);
    return (int)len;
}

static void on_device(void *ctx, struct al_zota_peer peer, struct al_zota_device *d)
{
    struct side *side = ctx;
    d->sleepy = peer.addr - FIRST_ADDR < (int)side->n->config.sleepy;
}

static void on_server_save(void *ctx, const struct al_zota_session *s)
{
    struct side *side = ctx;
    side->n->record[s->record.peer.addr - FIRST_ADDR] = s->record;
}

static void on_server_event(void *ctx, const struct al_zota_server_event *e)
{
    struct side *side = ctx;
    if (e->kind == AL_ZOTA_SERVER_REPEATED) side->n->repeats++;
}

static void start_server(struct zota_net *n)
{
    struct side *side = &sides[ZOTA_NET_CLIENTS];
    struct al_zota_server_config f = n->config.server;
    f.endpoint = SERVER_ENDPOINT;
    struct al_zota_server_app app = {.ctx = side,
                                     .find = on_find,
                                     .get = on_get,
                                     .read = on_read,
                                     .device = on_device,
                                     .save = on_server_save,
                                     .event = on_server_event};
    struct al_zota_transport t = {.ctx = side, .send = on_send, .random = on_random};
    al_zota_server_init(&n->server, &f, &app, &t, n->table, ZOTA_NET_CLIENTS + 4);
    for (unsigned i = 0; i < n->config.clients; i++)
        if (n->record[i].magic && n->record[i].state != AL_ZOTA_SESSION_FREE)
            assert_int_equal(al_zota_server_restore(&n->server, n->now, &n->record[i]), 0);
    n->server_on = true;
    n->server_life++;
    n->waiting = 0;
}

void zota_net_cut_server(struct zota_net *n, uint64_t pause)
{
    if (!n->server_on) return;
    n->server_on = false;
    n->server_cuts++;
    n->server_on_at = n->now + pause;
}

/* ---- the course of time */

void zota_net_init(struct zota_net *n, const struct zota_net_config *config)
{
    *n = (struct zota_net){
        .config = *config,
        .now = 1000000,
        .rng = config->seed * 2654435761u + 1,
        .file = {{0x131b, 0x0001, 2}, config->size, 0},
    };
    assert_true(config->clients <= ZOTA_NET_CLIENTS);
    n->image = malloc(config->size);
    for (uint32_t i = 0; i < config->size; i++) n->image[i] = (uint8_t)(i * 7 + i / 251);
    sides[ZOTA_NET_CLIENTS] = (struct side){n, -1};
    start_server(n);
    for (unsigned i = 0; i < config->clients; i++) {
        sides[i] = (struct side){n, (int)i};
        n->client[i].flash = malloc(config->size);
        n->client[i].page = malloc(AL_ZOTA_PAGE_BUFFER(config->page) + 1u);
        start_client(n, i);
    }
}

void zota_net_free(struct zota_net *n)
{
    free(n->image);
    for (unsigned i = 0; i < n->config.clients; i++) {
        free(n->client[i].flash);
        free(n->client[i].page);
    }
}

void zota_net_inject(struct zota_net *n, int to, struct al_zota_peer from, const uint8_t *zcl,
                     size_t len)
{
    struct al_zota_received rx = {from, to < 0 ? SERVER_ENDPOINT : CLIENT_ENDPOINT, false, zcl,
                                  len};
    if (to < 0 && n->server_on)
        al_zota_server_receive(&n->server, n->now, &rx);
    else if (to >= 0 && n->client[to].on)
        al_zota_client_receive(&n->client[to].engine, n->now, &rx);
}

static void count_data(struct zota_net *n, const struct zota_net_event *e)
{
    if (e->len > 17 && e->zcl[2] == AL_ZOTA_IMAGE_BLOCK_RSP && e->zcl[3] == 0)
        n->client[e->to].asked += e->len - 17u;
}

static void happen(struct zota_net *n, struct zota_net_event *slot)
{
    struct zota_net_event e = *slot;
    slot->used = false;
    bool server = e.to < 0;
    unsigned life = server ? n->server_life : n->life[e.to];
    bool on = server ? n->server_on : n->client[e.to].on;
    if (e.confirm && server && life == e.life && n->waiting) n->waiting--;
    if (!on || life != e.life) return;
    if (e.confirm) {
        if (server)
            al_zota_server_sent(&n->server, n->now, e.handle, e.ok);
        else
            al_zota_client_sent(&n->client[e.to].engine, n->now, e.handle, e.ok);
        return;
    }
    struct al_zota_peer from = {(uint16_t)(FIRST_ADDR + e.from), CLIENT_ENDPOINT};
    if (e.from < 0) from = (struct al_zota_peer){0, SERVER_ENDPOINT};
    if (!server) count_data(n, &e);
    zota_net_inject(n, e.to, from, e.zcl, e.len);
}

bool zota_net_done(const struct zota_net *n)
{
    for (unsigned i = 0; i < n->config.clients; i++)
        if (n->client[i].end == ZOTA_NET_RUNNING) return false;
    return true;
}

static uint64_t earliest(const struct zota_net *n)
{
    uint64_t next = n->server_on ? al_zota_server_next(&n->server) : n->server_on_at;
    for (unsigned i = 0; i < n->config.clients; i++) {
        const struct zota_net_client *c = &n->client[i];
        uint64_t at = c->on ? al_zota_client_next(&c->engine) : c->on_at;
        if (at < next) next = at;
    }
    for (unsigned i = 0; i < ZOTA_NET_EVENTS; i++)
        if (n->event[i].used && n->event[i].at < next) next = n->event[i].at;
    return next;
}

/* The next frame that is due; the one that was due first. */
static struct zota_net_event *due_event(struct zota_net *n)
{
    struct zota_net_event *first = NULL;
    for (unsigned i = 0; i < ZOTA_NET_EVENTS; i++) {
        struct zota_net_event *e = &n->event[i];
        if (e->used && e->at <= n->now && (!first || e->at < first->at)) first = e;
    }
    return first;
}

void zota_net_run(struct zota_net *n, uint64_t until)
{
    unsigned same = 0;
    while (!zota_net_done(n)) {
        uint64_t next = earliest(n);
        if (next > until) break;
        /* An engine whose timer is always due would stop the time. */
        same = next > n->now ? 0 : same + 1;
        assert_true(same < 10000);
        if (next > n->now) n->now = next;
        for (struct zota_net_event *e = due_event(n); e; e = due_event(n)) happen(n, e);
        if (!n->server_on && n->server_on_at <= n->now) start_server(n);
        if (n->server_on && al_zota_server_next(&n->server) <= n->now)
            al_zota_server_run(&n->server, n->now);
        for (unsigned i = 0; i < n->config.clients; i++) {
            struct zota_net_client *c = &n->client[i];
            if (!c->on && c->on_at <= n->now)
                start_client(n, i);
            else if (c->on && al_zota_client_next(&c->engine) <= n->now)
                al_zota_client_run(&c->engine, n->now);
        }
    }
    if (n->now < until && !zota_net_done(n)) n->now = until;
}
