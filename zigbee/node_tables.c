#include "zigbee/node_tables.h"

const struct al_node_sizes al_node_sizes_end_device = {
    .mac_slots = 4,
    .neighbours = 2,
    .addresses = 2,
    .broadcasts = 6,
    .waiting = 4,
    .aps_tx = 3,
    .aps_rx = 1,
    .asdu = 256,
    .duplicates = 8,
    .link_keys = 2,
    .zdo_requests = 2,
    .bindings = 2,
    .zcl_requests = 1,
    .reports = 2,
};

const struct al_node_sizes al_node_sizes_router = {
    .mac_slots = 16,
    .neighbours = 32,
    .addresses = 16,
    .routes = 24,
    .broadcasts = 24,
    .waiting = 16,
    .aps_tx = 6,
    .aps_rx = 2,
    .asdu = 256,
    .duplicates = 16,
    .link_keys = 4,
    .zdo_requests = 4,
    .bindings = 8,
    .zcl_requests = 2,
    .reports = 4,
};

#define DEVICES_MAX 1000

static uint16_t at_least(unsigned n, unsigned least)
{
    return (uint16_t)(n > least ? n : least);
}

struct al_node_sizes al_node_sizes_coordinator(uint16_t devices)
{
    unsigned n = devices < DEVICES_MAX ? devices : DEVICES_MAX;
    return (struct al_node_sizes){
        .mac_slots = at_least(n * 2, 32),
        .neighbours = at_least(n + 8, 32),
        .addresses = at_least(n * 2, 32),
        .routes = at_least(n, 32),
        .source_routes = at_least(n, 32),
        .broadcasts = at_least(n, 64),
        .waiting = at_least(n / 2, 24),
        .aps_tx = at_least(n + 8 < AL_APS_TX_MAX ? n + 8 : AL_APS_TX_MAX, 16),
        .aps_rx = 8,
        .asdu = 512,
        .duplicates = at_least(n * 4, 64),
        .link_keys = at_least(n * 2, 32),
        .admissions = 16,
        .zdo_requests = at_least(n / 8, 16),
        .bindings = 32,
        .zcl_requests = at_least(n / 4, 16),
        .reports = 16,
    };
}

/* A walk over the memory; with base NULL it only counts. */
struct place {
    uint8_t *base;
    size_t used;
};

static void *take(struct place *p, size_t count, size_t size)
{
    void *at = p->base ? p->base + p->used : NULL;
    p->used += (count * size + AL_NODE_ALIGN - 1) / AL_NODE_ALIGN * AL_NODE_ALIGN;
    return count ? at : NULL;
}

static size_t lay_out(const struct al_node_sizes *s, void *memory, struct al_node_tables *t)
{
    struct place p = {.base = memory};
    t->mac_slots = take(&p, s->mac_slots, sizeof *t->mac_slots);
    t->seen = take(&p, s->neighbours, sizeof *t->seen);
    t->neighbours = take(&p, s->neighbours, sizeof *t->neighbours);
    t->addresses = take(&p, s->addresses, sizeof *t->addresses);
    t->routes = take(&p, s->routes, sizeof *t->routes);
    t->source_routes = take(&p, s->source_routes, sizeof *t->source_routes);
    t->broadcasts = take(&p, s->broadcasts, sizeof *t->broadcasts);
    t->waiting = take(&p, s->waiting, sizeof *t->waiting);
    t->tx = take(&p, s->aps_tx, sizeof *t->tx);
    t->rx = take(&p, s->aps_rx, sizeof *t->rx);
    t->asdus = take(&p, (size_t)s->aps_tx + s->aps_rx, s->asdu);
    t->duplicates = take(&p, s->duplicates, sizeof *t->duplicates);
    t->peers = take(&p, s->aps_tx, sizeof *t->peers);
    t->keys = take(&p, s->link_keys, sizeof *t->keys);
    t->admissions = take(&p, s->admissions, sizeof *t->admissions);
    t->zdo_requests = take(&p, s->zdo_requests, sizeof *t->zdo_requests);
    t->bindings = take(&p, s->bindings, sizeof *t->bindings);
    t->zcl_requests = take(&p, s->zcl_requests, sizeof *t->zcl_requests);
    t->reports = take(&p, s->reports, sizeof *t->reports);
    return p.used;
}

size_t al_node_memory(const struct al_node_sizes *s)
{
    struct al_node_tables t;
    return lay_out(s, NULL, &t);
}

void al_node_place(const struct al_node_sizes *s, void *memory, struct al_node_tables *t)
{
    lay_out(s, memory, t);
}
