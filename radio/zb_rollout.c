#include "radio/zb_rollout.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "core/err.h"
#include "zigbee/zcl_ota.h"

#define GOLDEN_ANGLE    2.399963
#define HA_PROFILE      0x0104u
#define DEVICES_MAX     500u
#define STEER_TRIES     20u
#define SECOND          1000000ull
#define REOPEN_US       (120 * SECOND)
#define NOTIFY_AGAIN_US (60 * SECOND)
#define A_DAY           (86400 * SECOND)
#define CHAIN_STEP_M \
    18.0 /* of MEDIUM_RANGE_M 30: the next is heard well, the one behind not at all */

struct device {
    struct run *run;
    struct zb_rollout_device *r;
    struct zb_sim_node *sim;
    struct al_zcl_endpoint endpoint;
    struct al_zcl_ota_client ota;
    struct zb_engine engine;
    uint8_t *page;
    bool steered, wrong, ended;
    enum al_zb_status status;
};

struct run {
    const struct zb_rollout_config *c;
    struct zb_sim *sim;
    struct zb_sim_node *coordinator;
    struct al_zcl_endpoint endpoint;
    struct al_zcl_ota_server ota;
    struct zb_engine engine;
    struct al_zota_session *sessions;
    struct device *devices;
    uint64_t began;          /* virtual time of the notification */
    unsigned ended, waiting; /* of the clients that have joined */
    bool formed;
};

/* That the devices have before. */
static uint32_t running_version(const struct zb_rollout_config *c)
{
    return c->id.file_version ? c->id.file_version - 1 : 1;
}

/* ---- The server ---- */

static int find(void *ctx, const struct al_zota_wanted *wanted, struct al_zota_image *image)
{
    const struct run *run = ctx;
    const struct al_zota_image_limits limits = {.downgrade = true};
    if (!al_zota_image_fits(&run->c->id, &limits, wanted)) return AL_ERR_NOT_FOUND;
    *image = (struct al_zota_image){.id = run->c->id, .size = (uint32_t)run->c->size};
    return 0;
}

static int get(void *ctx, struct al_zota_peer peer, const struct al_zota_id *id,
               struct al_zota_image *image)
{
    const struct run *run = ctx;
    (void)peer;
    if (memcmp(id, &run->c->id, sizeof *id) != 0) return AL_ERR_NOT_FOUND;
    *image = (struct al_zota_image){.id = run->c->id, .size = (uint32_t)run->c->size};
    return 0;
}

static int read_file(void *ctx, struct al_zota_peer peer, const struct al_zota_image *image,
                     uint32_t offset, void *buf, size_t len)
{
    const struct run *run = ctx;
    (void)peer, (void)image;
    memcpy(buf, run->c->file + offset, len);
    return (int)len;
}

/* What the node descriptor and the child table would tell. */
static void describe(void *ctx, struct al_zota_peer peer, struct al_zota_device *d)
{
    const struct run *run = ctx;
    for (unsigned i = 0; i < run->c->devices; i++)
        if (run->devices[i].r->addr == peer.addr) {
            d->ext_addr = run->devices[i].r->ext;
            d->sleepy = run->devices[i].r->sleepy;
        }
}

static uint64_t server_next(void *ctx)
{
    return al_zcl_ota_server_next(ctx);
}

static void server_run(void *ctx, uint64_t now)
{
    al_zcl_ota_server_run(ctx, now);
}

static void coordinator_event(void *ctx, uint64_t now, const struct al_bdb_event_args *a)
{
    struct run *run = ctx;
    (void)now;
    if (a->event == AL_BDB_FORMED) run->formed = a->status == AL_ZB_OK;
}

static int add_coordinator(struct run *run)
{
    const struct zb_rollout_config *c = run->c;
    const struct medium_node_config place = {.placed = c->chain || c->area_m > 0};
    run->coordinator = zb_sim_add(run->sim,
                                  &(struct al_node_config){
                                      .role = AL_NWK_ROLE_COORDINATOR,
                                      .mains = true,
                                      .aps_window = c->aps_window,
                                      .sizes = al_node_sizes_coordinator((uint16_t)c->devices),
                                      .ctx = run,
                                      .event = coordinator_event,
                                  },
                                  &place);
    if (!run->coordinator) return AL_ERR_NO_MEM;
    struct zb_node *zb = &run->coordinator->zb;
    run->endpoint = (struct al_zcl_endpoint){.id = 1, .profile = HA_PROFILE};
    int err = al_zcl_ota_server_init(
        &run->ota, &zb->node.zcl, &run->endpoint, (struct al_zb_random){zb, zb_node_random},
        &(struct al_zota_server_config){
            .max_block = c->max_block, .parallel = c->parallel, .no_pages = !c->page_size},
        &(struct al_zota_server_app){
            .ctx = run, .find = find, .get = get, .read = read_file, .device = describe},
        run->sessions, (uint16_t)c->devices);
    if (!err) err = al_zcl_add_endpoint(&zb->node.zcl, &run->endpoint);
    run->engine = (struct zb_engine){&run->ota, server_next, server_run, NULL};
    zb_node_add_engine(zb, &run->engine);
    return err;
}

/* ---- The devices ---- */

static uint8_t offer(void *ctx, const struct al_zota_file *file, bool reinstall, uint32_t *offset)
{
    (void)ctx, (void)file, (void)reinstall, (void)offset;
    return AL_ZCL_SUCCESS;
}

static int data(void *ctx, uint32_t offset, const uint8_t *bytes, size_t len)
{
    struct device *d = ctx;
    const struct zb_rollout_config *c = d->run->c;
    if (offset != d->r->bytes || len > c->size - offset ||
        memcmp(c->file + offset, bytes, len) != 0)
        d->wrong = true;
    d->r->bytes = offset + (uint32_t)len;
    return 0;
}

static int check(void *ctx, const struct al_zota_file *file)
{
    const struct device *d = ctx;
    return d->wrong || d->r->bytes != file->size ? AL_ZCL_INVALID_IMAGE : AL_ZCL_SUCCESS;
}

static void event(void *ctx, const struct al_zota_client_event *e)
{
    struct device *d = ctx;
    uint64_t us = zb_sim_now(d->run->sim) - d->run->began;
    if (e->kind == AL_ZOTA_CLIENT_START && !d->r->started) d->r->started = us;
    if (e->kind == AL_ZOTA_CLIENT_RETRY) d->r->retries++;
    if (e->kind == AL_ZOTA_CLIENT_GAVE_UP) d->r->reason = e->reason;
    if (e->kind == AL_ZOTA_CLIENT_COMPLETE) d->r->finished = us;
    if (e->kind != AL_ZOTA_CLIENT_FINISH || d->ended) return;
    d->ended = true;
    d->ota.engine.config.file_version = d->run->c->id.file_version; /* the new program runs */
    d->r->correct = !d->wrong && d->r->bytes == d->run->c->size;
    d->run->ended++;
}

static uint64_t client_next(void *ctx)
{
    return al_zcl_ota_client_next(ctx);
}

static void client_run(void *ctx, uint64_t now)
{
    al_zcl_ota_client_run(ctx, now);
}

static void device_event(void *ctx, uint64_t now, const struct al_bdb_event_args *a)
{
    struct device *d = ctx;
    (void)now;
    if (a->event == AL_BDB_STEERED) {
        d->steered = true;
        d->status = a->status;
    }
}

static int add_ota_client(struct device *d)
{
    const struct zb_rollout_config *c = d->run->c;
    struct zb_node *zb = &d->sim->zb;
    if (c->page_size && !(d->page = malloc(AL_ZOTA_PAGE_BUFFER(c->page_size))))
        return AL_ERR_NO_MEM;
    d->endpoint = (struct al_zcl_endpoint){.id = 10, .profile = HA_PROFILE};
    int err = al_zcl_ota_client_init(
        &d->ota, &zb->node.zcl, &zb->node.zdo, &d->endpoint,
        (struct al_zb_random){zb, zb_node_random},
        &(struct al_zota_client_config){.ext_addr = d->r->ext,
                                        .manufacturer = c->id.manufacturer,
                                        .image_type = c->id.image_type,
                                        .file_version = running_version(c),
                                        .max_data_size = c->max_block,
                                        .page_buffer = d->page,
                                        .page_size = c->page_size,
                                        .page_spacing = c->page_spacing},
        &(struct al_zota_client_app){
            .ctx = d, .offer = offer, .data = data, .check = check, .event = event});
    if (!err) err = al_zcl_add_endpoint(&zb->node.zcl, &d->endpoint);
    d->engine = (struct zb_engine){&d->ota, client_next, client_run, NULL};
    zb_node_add_engine(zb, &d->engine);
    return err;
}

/* A sunflower's spiral: the same density everywhere on the disc, from the centre outwards. */
static struct medium_node_config on_disc(double radius, unsigned index, unsigned count)
{
    double share = sqrt((index + 0.5) / count), angle = index * GOLDEN_ANGLE;
    return (struct medium_node_config){
        .placed = radius > 0, .x = radius * share * cos(angle), .y = radius * share * sin(angle)};
}

static struct medium_node_config place_of(const struct zb_rollout_config *c, unsigned index)
{
    unsigned line = c->clients ? c->devices - c->clients : index;
    if (c->chain)
        return (struct medium_node_config){.placed = true,
                                           .x = CHAIN_STEP_M * ((index < line ? index : line) + 1)};
    if (index < c->routers) return on_disc(c->area_m, index, c->routers);
    return on_disc(c->area_m, index - c->routers, c->devices - c->routers);
}

/* share of total, spread evenly */
static bool is_one_of(unsigned index, unsigned share, unsigned total)
{
    return (index + 1) * share / total > index * share / total;
}

/* The last router of a chain has all clients as its children. */
static void make_room(struct al_node_sizes *sizes, unsigned children)
{
    if (sizes->routes && sizes->neighbours < children + 4u)
        sizes->neighbours = (uint16_t)(children + 4u);
}

static int add_device(struct run *run, unsigned index)
{
    const struct zb_rollout_config *c = run->c;
    struct device *d = &run->devices[index];
    bool router = index < c->routers;
    d->run = run;
    d->r->client = !c->clients || index >= c->devices - c->clients;
    d->r->router = c->chain ? !c->clients || !d->r->client : router;
    d->r->sleepy = !router && is_one_of(index - c->routers, c->sleepy, c->devices - c->routers);
    struct medium_node_config place = place_of(c, index);
    struct al_node_sizes sizes = d->r->router ? al_node_sizes_router : al_node_sizes_end_device;
    if (c->chain && c->clients) make_room(&sizes, c->clients);
    d->sim = zb_sim_add(run->sim,
                        &(struct al_node_config){
                            .role = d->r->router ? AL_NWK_ROLE_ROUTER : AL_NWK_ROLE_END_DEVICE,
                            .rx_off = d->r->sleepy,
                            .mains = !d->r->sleepy,
                            .timeout_index = 8,
                            .long_poll_ms = c->long_poll_ms,
                            .fast_poll_ms = c->fast_poll_ms,
                            .aps_window = c->aps_window,
                            .sizes = sizes,
                            .ctx = d,
                            .event = device_event,
                        },
                        &place);
    if (!d->sim) return AL_ERR_NO_MEM;
    d->r->ext = d->sim->config.ext;
    return d->r->client ? add_ota_client(d) : 0;
}

/* ---- Forming and joining ---- */

static bool is_formed(void *ctx)
{
    return ((struct run *)ctx)->formed;
}

static bool has_steered(void *ctx)
{
    return ((struct device *)ctx)->steered;
}

static uint8_t hops_of(const struct run *run, const struct device *d)
{
    uint16_t parent = d->sim->zb.node.nwk.parent;
    for (uint8_t hops = 1; hops < 32; hops++) {
        if (parent == AL_NWK_COORDINATOR) return hops;
        const struct device *up = NULL;
        for (unsigned i = 0; i < run->c->devices; i++)
            if (run->devices[i].r->addr == parent) up = &run->devices[i];
        if (!up) break;
        parent = up->sim->zb.node.nwk.parent;
    }
    return 0;
}

static void open_network(struct run *run)
{
    al_bdb_open(&run->coordinator->zb.node.bdb, zb_sim_now(run->sim), 254);
    zb_sim_touch(run->coordinator);
}

static void join(struct run *run, struct device *d)
{
    for (unsigned i = 0; i < STEER_TRIES && !d->r->joined; i++) {
        d->steered = false;
        if (al_bdb_steer(&d->sim->zb.node.bdb, zb_sim_now(run->sim))) break;
        zb_sim_touch(d->sim);
        zb_sim_run(run->sim, 120 * SECOND, has_steered, d);
        d->r->joined = d->steered && d->status == AL_ZB_OK;
    }
    d->r->addr = d->sim->zb.node.nwk.addr;
    d->r->parent = d->sim->zb.node.nwk.parent;
    d->r->hops = d->r->joined ? hops_of(run, d) : 0;
}

/* Those who heard nobody before may hear somebody who has joined since. */
static void join_the_rest(struct run *run, struct zb_rollout_result *r)
{
    for (unsigned i = 0; i < run->c->devices && r->joined < run->c->devices; i++) {
        if (run->devices[i].r->joined) continue;
        open_network(run);
        join(run, &run->devices[i]);
        r->joined += run->devices[i].r->joined;
    }
}

static int form_and_join(struct run *run, struct zb_rollout_result *r)
{
    int err = add_coordinator(run);
    if (err) return err;
    al_bdb_form(&run->coordinator->zb.node.bdb, 0);
    zb_sim_touch(run->coordinator);
    if (!zb_sim_run(run->sim, 60 * SECOND, is_formed, run)) return AL_ERR_TIMEOUT;
    open_network(run);
    uint64_t opened = zb_sim_now(run->sim);
    for (unsigned i = 0; i < run->c->devices && !err; i++) {
        if (zb_sim_now(run->sim) - opened > REOPEN_US) {
            open_network(run);
            opened = zb_sim_now(run->sim);
        }
        err = add_device(run, i);
        if (!err) join(run, &run->devices[i]);
        r->joined += run->devices[i].r->joined;
    }
    if (!err) join_the_rest(run, r);
    /* Broadcasts of the last join die away before the clock starts. */
    zb_sim_run(run->sim, 20 * SECOND, NULL, NULL);
    r->join_us = zb_sim_now(run->sim);
    return err;
}

/* ---- The roll-out ---- */

static void notify(struct run *run)
{
    struct al_zota_server *s = al_zcl_ota_server_at(&run->ota, zb_sim_now(run->sim));
    const struct al_zota_peer all = {AL_NWK_ALL, 0xff};
    al_zota_server_notify(s, all, 3, 100, &run->c->id);
    zb_sim_touch(run->coordinator);
}

static bool all_ended(void *ctx)
{
    const struct run *run = ctx;
    return run->ended == run->waiting;
}

static bool wants_it(const struct device *d)
{
    return d->r->joined && d->r->client;
}

static bool somebody_waits(const struct run *run)
{
    for (unsigned i = 0; i < run->c->devices; i++)
        if (wants_it(&run->devices[i]) && !run->devices[i].r->started) return true;
    return false;
}

static void roll_out(struct run *run, const struct zb_rollout_result *r)
{
    const struct zb_rollout_config *c = run->c;
    uint64_t limit = c->limit_us ? c->limit_us : A_DAY;
    uint64_t interval = c->interval_us ? c->interval_us : SECOND, notified = 0;
    run->began = zb_sim_now(run->sim);
    for (unsigned i = 0; i < c->devices; i++) {
        struct device *d = &run->devices[i];
        if (!wants_it(d)) continue;
        run->waiting++;
        al_zota_client_start(al_zcl_ota_client_at(&d->ota, run->began), run->began, NULL);
        zb_sim_touch(d->sim);
    }
    notify(run);
    for (;;) {
        bool done = zb_sim_run(run->sim, interval, all_ended, run);
        uint64_t us = zb_sim_now(run->sim) - run->began;
        if (c->progress) c->progress(c->ctx, us, r->device);
        if (done || us >= limit) return;
        if (us - notified >= NOTIFY_AGAIN_US && somebody_waits(run)) {
            notify(run);
            notified = us;
        }
    }
}

/* ---- The result ---- */

static void subtract(struct medium_stats *s, const struct medium_stats *before)
{
    uint64_t *a = (uint64_t *)s;
    const uint64_t *b = (const uint64_t *)before;
    _Static_assert(sizeof *s % sizeof *a == 0, "counters only");
    for (size_t i = 0; i < sizeof *s / sizeof *a; i++) a[i] -= b[i];
}

static void sum_up(const struct zb_rollout_config *c, struct zb_rollout_result *r)
{
    uint64_t first = UINT64_MAX, last = 0;
    double slowest = INFINITY, sum = 0;
    for (unsigned i = 0; i < c->devices; i++) {
        const struct zb_rollout_device *d = &r->device[i];
        r->clients += d->client;
        if (!d->correct) continue;
        r->finished++;
        if (d->started < first) first = d->started;
        if (d->finished > last) last = d->finished;
        double rate = (double)c->size * 1e6 / (double)(d->finished - d->started);
        sum += rate;
        if (rate < slowest) slowest = rate;
    }
    if (!r->finished) return;
    r->us = last;
    r->rate = (double)c->size * r->finished * 1e6 / (double)(last - first);
    r->fair = slowest / (sum / r->finished);
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run_it(struct run *run, struct zb_rollout_result *r)
{
    const struct zb_rollout_config *c = run->c;
    struct medium_stats before;
    run->sim = zb_sim_new(&(struct medium_config){
        .seed = c->seed, .loss = c->loss, .frame = c->frame, .frame_ctx = c->frame_ctx});
    run->devices = calloc(c->devices, sizeof *run->devices);
    run->sessions = calloc(c->devices, sizeof *run->sessions);
    r->device = calloc(c->devices, sizeof *r->device);
    if (!run->sim || !run->devices || !run->sessions || !r->device) return AL_ERR_NO_MEM;
    for (unsigned i = 0; i < c->devices; i++) run->devices[i].r = &r->device[i];
    int err = form_and_join(run, r);
    if (err) return err;
    medium_stats(zb_sim_medium(run->sim), &before);
    run->coordinator->timed = c->timed;
    roll_out(run, r);
    r->server_cpu_s = run->coordinator->cpu_s;
    medium_stats(zb_sim_medium(run->sim), &r->air);
    subtract(&r->air, &before);
    sum_up(c, r);
    return 0;
}

int zb_rollout_run(const struct zb_rollout_config *c, struct zb_rollout_result *r)
{
    double began = seconds_now();
    struct run run = {.c = c};
    memset(r, 0, sizeof *r);
    if (!c->devices || c->devices > DEVICES_MAX || c->routers > c->devices ||
        c->clients > c->devices || c->sleepy > c->devices - c->routers || !c->file || !c->size)
        return AL_ERR_INVALID_ARG;
    int err = run_it(&run, r);
    zb_sim_free(run.sim);
    for (unsigned i = 0; run.devices && i < c->devices; i++) free(run.devices[i].page);
    free(run.devices);
    free(run.sessions);
    if (err) {
        free(r->device);
        r->device = NULL;
    }
    r->real_s = seconds_now() - began;
    return err;
}
