#include "radio/zb_sim.h"

#include <stdlib.h>
#include <time.h>

#include "core/err.h"
#include "radio/zb_memory.h"

#define EUI_BASE 0x744dbdfffe000000ull

struct zb_sim {
    struct medium *medium;
    struct zb_sim_node **nodes;
    size_t count;
    uint64_t seed;
};

void zb_sim_touch(struct zb_sim_node *n)
{
    if (n->on) medium_node_wake(n->air, zb_node_next(&n->zb));
}

/* Every event runs what is due, as it may have set timers to now. */
static void settle(struct zb_sim_node *n, uint64_t now)
{
    if (n->on) zb_node_run(&n->zb, now);
    zb_sim_touch(n);
}

/* Processor time so far; 0 when it is not wanted: asking costs more than most events. */
static double cpu(const struct zb_sim_node *n)
{
    struct timespec t;
    if (!n->timed) return 0;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void zb_sim_hear(struct zb_sim_node *n, const struct al_radio_rx *rx)
{
    uint64_t now = zb_sim_now(n->sim);
    if (n->on) al_node_received(&n->zb.node, now, rx);
    settle(n, now);
}

static void received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    struct zb_sim_node *n = ctx;
    double since = cpu(n);
    if (n->hears)
        n->hears(n->hears_ctx, n, rx);
    else
        zb_sim_hear(n, rx);
    n->cpu_s += cpu(n) - since;
}

static void transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    struct zb_sim_node *n = ctx;
    double since = cpu(n);
    if (n->on) al_node_transmitted(&n->zb.node, now, status, pending);
    settle(n, now);
    n->cpu_s += cpu(n) - since;
}

static void scanned(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    struct zb_sim_node *n = ctx;
    if (n->on) al_node_scanned(&n->zb.node, now, channel, dbm);
    settle(n, now);
}

static void wake(void *ctx, uint64_t now)
{
    struct zb_sim_node *n = ctx;
    double since = cpu(n);
    settle(n, now);
    n->cpu_s += cpu(n) - since;
}

struct zb_sim *zb_sim_new(const struct medium_config *c)
{
    struct zb_sim *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->seed = c->seed;
    s->medium = medium_new(c);
    if (s->medium) return s;
    free(s);
    return NULL;
}

static void free_node(struct zb_sim_node *n)
{
    zb_node_close(&n->zb);
    zb_memory_free(n->records);
    free(n);
}

void zb_sim_free(struct zb_sim *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->count; i++) free_node(s->nodes[i]);
    medium_free(s->medium);
    free(s->nodes);
    free(s);
}

struct medium *zb_sim_medium(struct zb_sim *s)
{
    return s->medium;
}

uint64_t zb_sim_now(const struct zb_sim *s)
{
    return medium_now(s->medium);
}

/* Another seed a node and a start, the same each run. */
static uint64_t seed_of(const struct zb_sim_node *n)
{
    return (n->config.ext ^ (n->sim->seed + 1) * 0x9e3779b97f4a7c15ull ^ zb_sim_now(n->sim)) | 1;
}

int zb_sim_power_on(struct zb_sim_node *n)
{
    int err = zb_node_open(&n->zb, &n->config, seed_of(n));
    n->on = err == 0;
    zb_sim_touch(n);
    return err;
}

void zb_sim_power_off(struct zb_sim_node *n)
{
    const struct al_radio *radio = n->config.radio;
    if (!n->on) return;
    n->on = false;
    zb_node_close(&n->zb);
    radio->configure(radio->ctx, &(struct al_radio_config){.channel = 11,
                                                           .pan_id = 0xffff,
                                                           .short_addr = 0xffff,
                                                           .ext_addr = n->config.ext});
    medium_node_wake(n->air, UINT64_MAX);
}

struct zb_sim_node *zb_sim_add(struct zb_sim *s, const struct al_node_config *c,
                               const struct medium_node_config *place)
{
    struct zb_sim_node **nodes = realloc(s->nodes, (s->count + 1) * sizeof(void *));
    if (!nodes) return NULL;
    s->nodes = nodes;
    struct zb_sim_node *n = calloc(1, sizeof *n);
    if (!n) return NULL;
    struct medium_node_config air = place ? *place : (struct medium_node_config){0};
    n->sim = s;
    n->config = *c;
    if (!n->config.ext) n->config.ext = air.eui64 ? air.eui64 : EUI_BASE + s->count + 1;
    air.eui64 = n->config.ext;
    air.events = (struct radio_events){received, transmitted, scanned, NULL};
    air.wake = wake;
    air.ctx = n;
    if (!air.pending_max) air.pending_max = c->sizes.mac_slots;
    n->air = medium_add_node(s->medium, &air);
    n->records = zb_memory_new();
    if (!n->air || !n->records) {
        if (n->air) medium_remove_node(n->air);
        free_node(n);
        return NULL;
    }
    n->config.radio = medium_node_port(n->air);
    n->config.store = zb_memory_store(n->records);
    s->nodes[s->count++] = n;
    return zb_sim_power_on(n) ? NULL : n;
}

bool zb_sim_run(struct zb_sim *s, uint64_t us, bool (*until)(void *ctx), void *ctx)
{
    uint64_t end = medium_now(s->medium) + us;
    if (until && until(ctx)) return true;
    while (medium_next(s->medium) <= end) {
        medium_step(s->medium);
        if (until && until(ctx)) return true;
    }
    medium_run_until(s->medium, end);
    return false;
}
