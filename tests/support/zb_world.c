#include "tests/support/zb_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_CLUSTER 0xfc00u
#define TEST_COMMAND 0x42u
#define HA_PROFILE   0x0104u
#define TRIES        12
#define A_MINUTE     60000000u

static void note_event(void *ctx, uint64_t now, const struct al_bdb_event_args *a)
{
    struct zb_world_node *n = ctx;
    if (getenv("ZB_WORLD_TRACE"))
        printf("%10.6f %04x %s status %s ext %016llx addr %04x value %u\n", (double)now / 1e6,
               n->sim ? n->sim->zb.node.nwk.addr : 0xffff, al_bdb_event_name(a->event),
               al_zb_status_name(a->status), (unsigned long long)a->ext, a->addr, a->value);
    if (n->event_count < ZB_WORLD_EVENTS) n->events[n->event_count++] = *a;
}

static void note_state(void *ctx, uint64_t now, const char *from, const char *to)
{
    const struct zb_world_node *n = ctx;
    if (getenv("ZB_WORLD_TRACE"))
        printf("%10.6f %04x %s -> %s\n", (double)now / 1e6,
               n->sim ? n->sim->zb.node.nwk.addr : 0xffff, from, to);
}

static int count_command(void *ctx, uint64_t now, const struct al_zcl_rx *rx)
{
    struct zb_world_node *n = ctx;
    (void)now;
    if (rx->frame->command != TEST_COMMAND) return AL_ZCL_UNSUP_CLUSTER_COMMAND;
    n->commands++;
    n->last_from = rx->aps->src;
    return AL_ZCL_SUCCESS;
}

/* The seed that the environment asks for instead of this one. */
static uint64_t seed_for(uint64_t seed)
{
    const char *first = getenv("ZB_WORLD_SEED");
    return first ? seed - 1 + strtoull(first, NULL, 10) : seed;
}

struct zb_world *zb_world_new(const struct medium_config *c)
{
    struct medium_config config = *c;
    struct zb_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    config.seed = seed_for(config.seed);
    w->sim = zb_sim_new(&config);
    assert_non_null(w->sim);
    return w;
}

void zb_world_free(struct zb_world *w)
{
    if (!w) return;
    zb_sim_free(w->sim);
    free(w);
}

int zb_world_begin(void **state)
{
    *state = zb_world_new(&(struct medium_config){.seed = 1});
    return 0;
}

int zb_world_end(void **state)
{
    zb_world_free(*state);
    return 0;
}

struct zb_world_node *zb_world_of(struct zb_world *w, const struct zb_sim_node *n)
{
    for (unsigned i = 0; i < w->count; i++)
        if (w->nodes[i].sim == n) return &w->nodes[i];
    fail_msg("a node of another world");
    return NULL;
}

/* What an application registers at each start. */
static void register_endpoint(struct zb_world_node *n)
{
    n->endpoint = (struct al_zcl_endpoint){.id = 1, .profile = HA_PROFILE, .device_id = 1};
    n->cluster = (struct al_zcl_cluster){.id = TEST_CLUSTER, .ctx = n, .command = count_command};
    assert_int_equal(al_zcl_add_cluster(&n->endpoint, &n->cluster), 0);
    assert_int_equal(al_zcl_add_endpoint(&n->sim->zb.node.zcl, &n->endpoint), 0);
}

static struct zb_sim_node *add(struct zb_world *w, enum al_nwk_role role, bool sleepy,
                               const struct medium_node_config *place)
{
    struct zb_world_node *n = &w->nodes[w->count];
    struct al_node_config c = {
        .role = role,
        .rx_off = sleepy,
        .mains = !sleepy,
        .timeout_index = 8,
        .long_poll_ms = 1000,
        .sizes = role == AL_NWK_ROLE_COORDINATOR ? al_node_sizes_coordinator(ZB_WORLD_NODES)
                 : role == AL_NWK_ROLE_ROUTER    ? al_node_sizes_router
                                                 : al_node_sizes_end_device,
        .ctx = n,
        .event = note_event,
        .trace = note_state,
    };
    assert_true(w->count < ZB_WORLD_NODES);
    w->count++;
    n->sim = zb_sim_add(w->sim, &c, place);
    assert_non_null(n->sim);
    register_endpoint(n);
    return n->sim;
}

struct zb_sim_node *zb_world_add(struct zb_world *w, enum al_nwk_role role, bool sleepy)
{
    return add(w, role, sleepy, NULL);
}

struct zb_sim_node *zb_world_add_at(struct zb_world *w, enum al_nwk_role role, bool sleepy,
                                    double x)
{
    return add(w, role, sleepy, &(struct medium_node_config){.placed = true, .x = x});
}

/* ---- Waiting for events ---- */

struct wait {
    struct zb_world_node *node;
    enum al_bdb_event event;
    enum al_zb_status status;
};

static bool event_came(void *ctx)
{
    struct wait *wait = ctx;
    struct zb_world_node *n = wait->node;
    while (n->seen < n->event_count) {
        const struct al_bdb_event_args *a = &n->events[n->seen++];
        if (a->event != wait->event) continue;
        wait->status = a->status;
        return true;
    }
    return false;
}

enum al_zb_status zb_world_wait(struct zb_world *w, struct zb_sim_node *n, enum al_bdb_event event,
                                unsigned seconds)
{
    struct wait wait = {.node = zb_world_of(w, n), .event = event};
    zb_sim_touch(n);
    if (!zb_sim_run(w->sim, seconds * 1000000ull, event_came, &wait))
        fail_msg("%s did not come within %u s", al_bdb_event_name(event), seconds);
    return wait.status;
}

static enum al_zb_status wait_for(struct zb_world *w, struct zb_sim_node *n,
                                  enum al_bdb_event event)
{
    return zb_world_wait(w, n, event, 60);
}

unsigned zb_world_count(struct zb_world *w, const struct zb_sim_node *n, enum al_bdb_event event,
                        uint64_t ext)
{
    const struct zb_world_node *node = zb_world_of(w, n);
    unsigned count = 0;
    for (unsigned i = 0; i < node->event_count; i++)
        count += node->events[i].event == event && (!ext || node->events[i].ext == ext);
    return count;
}

void zb_world_run(struct zb_world *w, double seconds)
{
    for (unsigned i = 0; i < w->count; i++) zb_sim_touch(w->nodes[i].sim);
    zb_sim_run(w->sim, (uint64_t)(seconds * 1e6), NULL, NULL);
}

struct state_wait {
    const struct al_bdb *bdb;
    enum al_bdb_state state;
};

static bool in_state(void *ctx)
{
    const struct state_wait *wait = ctx;
    return wait->bdb->state == wait->state;
}

void zb_world_until_state(struct zb_world *w, struct zb_sim_node *n, enum al_bdb_state state)
{
    struct state_wait wait = {&n->zb.node.bdb, state};
    zb_sim_touch(n);
    if (!zb_sim_run(w->sim, A_MINUTE, in_state, &wait)) fail_msg("state %u not reached", state);
}

void zb_world_expect(struct zb_world *w, struct zb_sim_node *n, enum al_bdb_event event,
                     uint64_t ext)
{
    if (!zb_world_count(w, n, event, ext)) fail_msg("no event %s", al_bdb_event_name(event));
}

static struct zb_sim_node *form(struct zb_world *w, struct zb_sim_node *c)
{
    struct al_bdb *b = &c->zb.node.bdb;
    assert_int_equal(al_bdb_form(b, zb_sim_now(w->sim)), 0);
    assert_int_equal(wait_for(w, c, AL_BDB_FORMED), AL_ZB_OK);
    assert_int_equal(al_bdb_open(b, zb_sim_now(w->sim), 254), 0);
    zb_sim_touch(c);
    return c;
}

struct zb_sim_node *zb_world_coordinator(struct zb_world *w)
{
    return form(w, zb_world_add(w, AL_NWK_ROLE_COORDINATOR, false));
}

struct zb_sim_node *zb_world_coordinator_at(struct zb_world *w, double x)
{
    return form(w, zb_world_add_at(w, AL_NWK_ROLE_COORDINATOR, false, x));
}

enum al_zb_status zb_world_steer(struct zb_world *w, struct zb_sim_node *n)
{
    assert_int_equal(al_bdb_steer(&n->zb.node.bdb, zb_sim_now(w->sim)), 0);
    return wait_for(w, n, AL_BDB_STEERED);
}

void zb_world_join(struct zb_world *w, struct zb_sim_node *n)
{
    enum al_zb_status status = AL_ZB_OK;
    for (int i = 0; i < TRIES; i++) {
        status = zb_world_steer(w, n);
        if (status == AL_ZB_OK) return;
    }
    fail_msg("not joined: %s", al_zb_status_name(status));
}

void zb_world_power_on(struct zb_world *w, struct zb_sim_node *n)
{
    assert_int_equal(zb_sim_power_on(n), 0);
    register_endpoint(zb_world_of(w, n));
}

void zb_world_restart(struct zb_world *w, struct zb_sim_node *n)
{
    zb_world_power_on(w, n);
    zb_world_of(w, n)->seen = zb_world_of(w, n)->event_count; /* not the result of another start */
    assert_int_equal(al_bdb_initialise(&n->zb.node.bdb, zb_sim_now(w->sim)), 0);
    assert_int_equal(wait_for(w, n, AL_BDB_INITIALISED), AL_ZB_OK);
}

/* ---- Losses ---- */

static void hear_no_beacon(void *ctx, struct zb_sim_node *n, const struct al_radio_rx *rx)
{
    unsigned *left = ctx;
    if ((rx->mpdu[0] & 7) == AL_MAC_BEACON && *left)
        (*left)--;
    else
        zb_sim_hear(n, rx);
}

void zb_world_lose_beacons(struct zb_sim_node *n, unsigned *left)
{
    n->hears = hear_no_beacon;
    n->hears_ctx = left;
}

/* ---- Data ---- */

struct arrival {
    const struct zb_world_node *node;
    unsigned before;
};

static bool command_came(void *ctx)
{
    const struct arrival *a = ctx;
    return a->node->commands > a->before;
}

void zb_world_exchange(struct zb_world *w, struct zb_sim_node *from, struct zb_sim_node *to)
{
    struct arrival a = {zb_world_of(w, to), zb_world_of(w, to)->commands};
    int err = al_zcl_send(&from->zb.node.zcl, zb_sim_now(w->sim),
                          &(struct al_zcl_send){.dst = to->zb.node.nwk.addr,
                                                .dst_ep = 1,
                                                .src_ep = 1,
                                                .cluster = TEST_CLUSTER,
                                                .command = TEST_COMMAND,
                                                .cluster_specific = true,
                                                .no_default_response = true});
    assert_true(err >= 0);
    zb_sim_touch(from);
    if (!zb_sim_run(w->sim, A_MINUTE, command_came, &a))
        fail_msg("%04x did not hear %04x", to->zb.node.nwk.addr, from->zb.node.nwk.addr);
    assert_int_equal(a.node->last_from, from->zb.node.nwk.addr);
    zb_sim_run(w->sim, 2000000, NULL, NULL);
    assert_int_equal(a.node->commands, a.before + 1);
}
