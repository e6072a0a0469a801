/* The OTA client on its endpoint: frames, attributes, and the search for a server. */
#include "zigbee/zcl_ota_link.h"

#define SEARCH_TRIES     3u
#define SEARCH_AGAIN_US  1000000u /* ZDO had no room for the question */
#define FAST_POLL_MAX_US 6000000u /* at a time, while an answer is awaited */

struct al_zota_client *al_zcl_ota_client_at(struct al_zcl_ota_client *o, uint64_t now)
{
    o->link.now = now;
    o->engine.config.hops = o->link.zcl->c.aps->c.nwk->depth; /* changes with the parent */
    return &o->engine;
}

/* A sleepy device fetches its answers quickly. */
static void poll_for_answer(struct al_zcl_ota_client *o, uint64_t now)
{
    struct al_nwk *nwk = o->link.zcl->c.aps->c.nwk;
    uint64_t until = al_zota_client_next(&o->engine);
    if (!nwk->c.rx_off || !al_zota_client_awaits(&o->engine)) return;
    if (until > now + FAST_POLL_MAX_US) until = now + FAST_POLL_MAX_US;
    if (until > now) al_nwk_fast_poll(nwk, now, until);
}

static int command(void *ctx, uint64_t now, const struct al_zcl_rx *rx)
{
    struct al_zcl_ota_client *o = ctx;
    struct al_zota_received received = al_zota_link_received(rx);
    al_zota_client_receive(al_zcl_ota_client_at(o, now), now, &received);
    poll_for_answer(o, now);
    return AL_ZCL_ANSWERED;
}

static void default_response(void *ctx, uint64_t now, const struct al_zcl_rx *rx,
                             const struct al_zcl_default_rsp *d)
{
    command(ctx, now, rx);
}

static void sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    struct al_zcl_ota_client *o = ctx;
    uint32_t engine_handle = al_zota_link_take(&o->link, handle);
    al_zota_client_sent(al_zcl_ota_client_at(o, now), now, engine_handle, status == AL_ZB_OK);
}

static uint8_t read(void *ctx, const struct al_zcl_attribute *a, struct al_put *out)
{
    const struct al_zcl_ota_client *o = ctx;
    struct al_zota_attribute value;
    if (al_zota_client_attribute(&o->engine, a->id, &value)) return AL_ZCL_UNSUP_ATTRIBUTE;
    al_zcl_put_number(out, value.type, value.value);
    return AL_ZCL_SUCCESS;
}

/* ---- The engine's callbacks ---- */

static uint8_t app_offer(void *ctx, const struct al_zota_file *file, bool reinstall,
                         uint32_t *offset)
{
    struct al_zcl_ota_client *o = ctx;
    return o->app.offer(o->app.ctx, file, reinstall, offset);
}

static int app_data(void *ctx, uint32_t offset, const uint8_t *data, size_t len)
{
    struct al_zcl_ota_client *o = ctx;
    return o->app.data(o->app.ctx, offset, data, len);
}

static int app_check(void *ctx, const struct al_zota_file *file)
{
    struct al_zcl_ota_client *o = ctx;
    return o->app.check(o->app.ctx, file);
}

static void app_save(void *ctx, const struct al_zota_progress *p)
{
    struct al_zcl_ota_client *o = ctx;
    o->app.save(o->app.ctx, p);
}

/* The engine may not be called from here: the search begins with the next run. */
static void app_event(void *ctx, const struct al_zota_client_event *e)
{
    struct al_zcl_ota_client *o = ctx;
    if (e->kind == AL_ZOTA_CLIENT_FIND_SERVER && o->zdo) {
        o->search.wanted = true;
        o->search.tries = 0;
        o->search.at = 0;
    }
    if (o->app.event) o->app.event(o->app.ctx, e);
}

int al_zcl_ota_client_init(struct al_zcl_ota_client *o, struct al_zcl *zcl, struct al_zdo *zdo,
                           struct al_zcl_endpoint *e, struct al_zb_random random,
                           const struct al_zota_client_config *config,
                           const struct al_zota_client_app *app)
{
    memset(o, 0, sizeof *o);
    o->zdo = zdo;
    o->app = *app;
    o->search.found.addr = AL_NWK_NO_ADDR;
    int err = al_zota_link_init(&o->link, zcl, e, random, o->handles,
                                sizeof o->handles / sizeof *o->handles, o, sent);
    if (err) return err;
    struct al_zota_client_config c = *config;
    struct al_zota_client_app through = {.ctx = o,
                                         .offer = app_offer,
                                         .data = app_data,
                                         .check = app_check,
                                         .save = app->save ? app_save : NULL,
                                         .event = app_event};
    struct al_zota_transport transport = al_zota_link_transport(&o->link);
    c.endpoint = e->id;
    al_zota_client_init(&o->engine, &c, &through, &transport);
    for (unsigned i = 0; i < AL_ZOTA_ATTRIBUTES; i++) {
        struct al_zota_attribute a = {0};
        al_zota_client_attribute(&o->engine, al_zota_attribute_ids[i], &a);
        o->attributes[i] =
            (struct al_zcl_attribute){.id = a.id, .type = a.type, .access = AL_ZCL_MAY_READ};
    }
    o->cluster = (struct al_zcl_cluster){
        .id = AL_ZOTA_CLUSTER,
        .client = true,
        .attributes = o->attributes,
        .attribute_count = AL_ZOTA_ATTRIBUTES,
        .ctx = o,
        .command = command,
        .default_response = default_response,
        .read = read,
    };
    return al_zcl_add_cluster(e, &o->cluster);
}

/* ---- The search ---- */

static void take(struct al_zcl_ota_client *o, uint64_t now, uint64_t ext)
{
    struct al_zota_peer server = o->search.found;
    o->search.wanted = o->search.asking = false;
    o->search.found.addr = AL_NWK_NO_ADDR;
    if (!o->engine.searching) return; /* an Image Notify was faster */
    al_zota_client_set_server(al_zcl_ota_client_at(o, now), now, server, ext ? ext : UINT64_MAX);
    poll_for_answer(o, now);
}

static void ext_came(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    bool known = a->status == AL_ZB_OK && a->response->status == AL_ZDP_SUCCESS;
    take(ctx, now, known ? a->response->addr_rsp.ext : 0);
}

/* Somebody has it. Its EUI-64 is only for the attribute: the search does not fail by it. */
static void found(struct al_zcl_ota_client *o, uint64_t now, struct al_zota_peer server)
{
    uint64_t ext = al_nwk_ext_of(o->zdo->c.nwk, server.addr);
    o->search.found = server;
    al_zdo_cancel(o->zdo, o);
    if (ext || al_zdo_ieee_addr(o->zdo, now, server.addr, ext_came, o)) take(o, now, ext);
}

static void nobody(struct al_zcl_ota_client *o, uint64_t now)
{
    o->search.asking = false;
    if (o->search.tries < SEARCH_TRIES) {
        o->search.at = now;
        return;
    }
    bool guess = !o->search.guessed && o->zdo->c.nwk->addr != AL_NWK_COORDINATOR;
    o->search.guessed = guess;
    if (guess) {
        found(o, now, (struct al_zota_peer){AL_NWK_COORDINATOR, 1});
        return;
    }
    o->search.wanted = false;
    al_zota_client_no_server(al_zcl_ota_client_at(o, now), now);
}

static void matched(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    struct al_zcl_ota_client *o = ctx;
    if (a->status != AL_ZB_OK) {
        nobody(o, now);
        return;
    }
    if (a->response->status != AL_ZDP_SUCCESS || !a->response->endpoints_rsp.count) return;
    o->search.guessed = false;
    found(o, now, (struct al_zota_peer){a->src, a->response->endpoints_rsp.endpoints[0]});
}

static void search(struct al_zcl_ota_client *o, uint64_t now)
{
    static const uint16_t cluster[] = {AL_ZOTA_CLUSTER};
    if (!o->engine.searching) {
        al_zdo_cancel(o->zdo, o);
        o->search.wanted = o->search.asking = false;
        return;
    }
    if (o->search.asking || now < o->search.at) return;
    int err = al_zdo_match_desc(o->zdo, now, AL_NWK_ALL_RX_ON, o->link.endpoint->profile, cluster,
                                1, NULL, 0, matched, o);
    if (err) {
        o->search.at = now + SEARCH_AGAIN_US;
        return;
    }
    o->search.asking = true;
    o->search.tries++;
}

/* ---- Time ---- */

uint64_t al_zcl_ota_client_next(const struct al_zcl_ota_client *o)
{
    uint64_t at = al_zota_client_next(&o->engine);
    bool due = o->search.wanted && !o->search.asking;
    return due && o->search.at < at ? o->search.at : at;
}

void al_zcl_ota_client_run(struct al_zcl_ota_client *o, uint64_t now)
{
    al_zota_client_run(al_zcl_ota_client_at(o, now), now);
    if (o->search.wanted) search(o, now);
    poll_for_answer(o, now);
}
