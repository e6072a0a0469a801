/* Frames of the OTA engines on their way through APS, and the server's glue, which is
 * little more than that. The client's is in zcl_ota_client.c. */
#include "zigbee/zcl_ota_link.h"

/* ---- The link ---- */

static int send(void *ctx, const struct al_zota_send *s)
{
    struct al_zcl_ota_link *l = ctx;
    bool broadcast = AL_NWK_BROADCAST(s->to.addr);
    uint16_t place = 0;
    if (s->handle) {
        while (place < l->range.count && l->handles[place]) place++;
        if (place == l->range.count) return AL_ERR_NO_MEM;
    }
    int err = al_aps_send(l->zcl->c.aps, l->now,
                          &(struct al_aps_send){
                              .dst = s->to.addr,
                              .dst_ep = s->to.endpoint,
                              .src_ep = s->src_endpoint,
                              .profile = l->endpoint->profile,
                              .cluster = AL_ZOTA_CLUSTER,
                              .asdu = s->zcl,
                              .len = s->len,
                              .ack = s->aps_ack && !broadcast,
                              .fragment = s->may_fragment && !broadcast,
                              .handle = s->handle ? (uint16_t)(l->range.first + place) : 0,
                          });
    if (!err && s->handle) l->handles[place] = s->handle;
    return err;
}

static size_t room(void *ctx, struct al_zota_peer to)
{
    const struct al_zcl_ota_link *l = ctx;
    return al_aps_room(l->zcl->c.aps, to.addr, false);
}

static uint8_t hops(void *ctx, struct al_zota_peer to)
{
    const struct al_zcl_ota_link *l = ctx;
    return al_nwk_hops(l->zcl->c.aps->c.nwk, to.addr);
}

static uint32_t next_random(void *ctx)
{
    struct al_zcl_ota_link *l = ctx;
    return l->random.next(l->random.ctx);
}

int al_zota_link_init(struct al_zcl_ota_link *l, struct al_zcl *zcl,
                      const struct al_zcl_endpoint *e, struct al_zb_random random,
                      uint32_t *handles, uint16_t count, void *ctx,
                      void (*sent)(void *ctx, uint64_t now, uint16_t handle,
                                   enum al_zb_status status))
{
    *l = (struct al_zcl_ota_link){
        .zcl = zcl,
        .endpoint = e,
        .random = random,
        .range = {.count = count, .ctx = ctx, .sent = sent},
        .handles = handles,
    };
    return al_zcl_claim(zcl, &l->range);
}

struct al_zota_transport al_zota_link_transport(struct al_zcl_ota_link *l)
{
    return (struct al_zota_transport){
        .ctx = l, .send = send, .random = next_random, .room = room, .hops = hops};
}

uint32_t al_zota_link_take(struct al_zcl_ota_link *l, uint16_t handle)
{
    uint32_t *place = &l->handles[handle - l->range.first];
    uint32_t engine_handle = *place;
    *place = 0;
    return engine_handle;
}

struct al_zota_received al_zota_link_received(const struct al_zcl_rx *rx)
{
    return (struct al_zota_received){
        .from = {.addr = rx->aps->src, .endpoint = rx->aps->src_ep},
        .dst_endpoint = rx->endpoint->id,
        .broadcast = rx->aps->broadcast,
        .zcl = rx->aps->asdu,
        .len = rx->aps->len,
    };
}

/* ---- The server ---- */

struct al_zota_server *al_zcl_ota_server_at(struct al_zcl_ota_server *o, uint64_t now)
{
    o->link.now = now;
    return &o->engine;
}

static int server_command(void *ctx, uint64_t now, const struct al_zcl_rx *rx)
{
    struct al_zota_received received = al_zota_link_received(rx);
    al_zota_server_receive(al_zcl_ota_server_at(ctx, now), now, &received);
    return AL_ZCL_ANSWERED;
}

static void server_default_response(void *ctx, uint64_t now, const struct al_zcl_rx *rx,
                                    const struct al_zcl_default_rsp *d)
{
    server_command(ctx, now, rx);
}

static void server_sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    struct al_zcl_ota_server *o = ctx;
    uint32_t engine_handle = al_zota_link_take(&o->link, handle);
    al_zota_server_sent(al_zcl_ota_server_at(o, now), now, engine_handle, status == AL_ZB_OK);
}

int al_zcl_ota_server_init(struct al_zcl_ota_server *o, struct al_zcl *zcl,
                           struct al_zcl_endpoint *e, struct al_zb_random random,
                           const struct al_zota_server_config *config,
                           const struct al_zota_server_app *app, struct al_zota_session *table,
                           uint16_t sessions)
{
    memset(o, 0, sizeof *o);
    int err = al_zota_link_init(&o->link, zcl, e, random, o->handles, AL_ZOTA_OUTSTANDING, o,
                                server_sent);
    if (err) return err;
    struct al_zota_server_config c = *config;
    struct al_zota_transport transport = al_zota_link_transport(&o->link);
    c.endpoint = e->id;
    al_zota_server_init(&o->engine, &c, app, &transport, table, sessions);
    o->cluster = (struct al_zcl_cluster){
        .id = AL_ZOTA_CLUSTER,
        .revision = AL_ZOTA_CLUSTER_REVISION,
        .ctx = o,
        .command = server_command,
        .default_response = server_default_response,
    };
    return al_zcl_add_cluster(e, &o->cluster);
}

uint64_t al_zcl_ota_server_next(const struct al_zcl_ota_server *o)
{
    return al_zota_server_next(&o->engine);
}

void al_zcl_ota_server_run(struct al_zcl_ota_server *o, uint64_t now)
{
    al_zota_server_run(al_zcl_ota_server_at(o, now), now);
}
