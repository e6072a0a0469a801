#include "radio/zb_loop.h"

#include <stdio.h>

#include "core/err.h"

/* Events come in before the node is there: not for it. */
static void received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    struct zb_loop *l = ctx;
    if (l->open) al_node_received(&l->zb.node, now, rx);
}

static void transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    struct zb_loop *l = ctx;
    if (l->open) al_node_transmitted(&l->zb.node, now, status, pending);
}

static void scanned(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    struct zb_loop *l = ctx;
    if (l->open) al_node_scanned(&l->zb.node, now, channel, dbm);
}

static const struct radio_events events = {received, transmitted, scanned, NULL};

/* The address of the run before comes from the store: a network knows it. */
static uint64_t kept_address(const struct al_zb_store *store)
{
    uint8_t bytes[8];
    if (!store || store->load(store->ctx, AL_ZB_REC_ADDRESS, bytes, sizeof bytes) != sizeof bytes)
        return 0;
    return al_get_le64(bytes);
}

static int keep_address(const struct al_zb_store *store, uint64_t ext)
{
    uint8_t bytes[8];
    if (!store) return 0;
    al_put_le64(bytes, ext);
    return store->save(store->ctx, AL_ZB_REC_ADDRESS, bytes, sizeof bytes);
}

int zb_loop_open(struct zb_loop *l, const char *where, const char *name,
                 const struct al_node_config *c, char *error, size_t error_size)
{
    struct al_node_config config = *c;
    memset(l, 0, sizeof *l);
    if (!config.ext) config.ext = kept_address(c->store);
    l->radio = radio_open(where, config.ext, name, &events, l, error, error_size);
    if (!l->radio) return AL_FAIL;
    config.radio = radio_port(l->radio);
    if (!config.ext) config.ext = radio_eui64(l->radio);
    int err = keep_address(c->store, config.ext);
    if (err)
        snprintf(error, error_size, "the node's state cannot be saved");
    else if ((err = zb_node_open(&l->zb, &config, 0)))
        snprintf(error, error_size, "not enough memory for the node's tables");
    if (err) {
        radio_close(l->radio);
        l->radio = NULL;
        return err;
    }
    l->open = true;
    return 0;
}

void zb_loop_close(struct zb_loop *l)
{
    l->open = false;
    radio_close(l->radio);
    l->radio = NULL;
    zb_node_close(&l->zb);
}

uint64_t zb_loop_now(struct zb_loop *l)
{
    return radio_now(l->radio);
}

int zb_loop_wait(struct zb_loop *l, uint64_t until, int extra)
{
    uint64_t next = zb_node_next(&l->zb);
    int err = radio_wait(l->radio, next < until ? next : until, extra);
    if (!err) zb_node_run(&l->zb, radio_now(l->radio));
    return err;
}
