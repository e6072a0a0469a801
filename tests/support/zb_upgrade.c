#include "tests/support/zb_upgrade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/chip.h"
#include "core/err.h"
#include "core/image_verify.h"
#include "host/aes_openssl.h"
#include "host/crypto_openssl.h"
#include "tests/support/vectors.h"

#define OLD_VERSION 1u
#define RESTART_US  (1 * ZB_UPGRADE_SECOND)
#define RETRY_US    (10 * ZB_UPGRADE_SECOND) /* a device that did not come back tries again */
#define JOIN_TRIES  40
#define NVS_KEY     "progress"

uint64_t zb_upgrade_now(const struct zb_upgrade *u)
{
    return zb_sim_now(u->world->sim);
}

uint32_t zb_upgrade_random(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

/* ---- A device: its flash ---- */

static void load_progress(struct zb_upgrade_client *c)
{
    struct al_window whole = al_window_all(&c->nor.flash), part;
    size_t found = 0;
    uint32_t slot = whole.size - ZB_UPGRADE_NVS;
    assert_int_equal(al_window_sub(&whole, 0, slot, &c->slot), 0);
    assert_int_equal(al_window_sub(&whole, slot, ZB_UPGRADE_NVS, &part), 0);
    assert_int_equal(al_nvs_init(&c->nvs, &part, c->pages, ZB_UPGRADE_NVS / AL_SECTOR), 0);
    memset(&c->saved, 0, sizeof c->saved);
    if (al_nvs_namespace(&c->nvs, "zota", false, &c->ns) ||
        al_nvs_get(&c->nvs, c->ns, AL_NVS_BLOB, NVS_KEY, &c->saved, sizeof c->saved, &found))
        c->saved.ota.magic = 0;
    else
        assert_int_equal(found, sizeof c->saved);
}

static int save_progress(struct zb_upgrade_client *c)
{
    c->now.written = c->writer.written;
    c->now.ota = (struct al_zota_progress){AL_ZOTA_PROGRESS_MAGIC, c->ota.engine.file,
                                           c->now.stream.position};
    int err = al_nvs_namespace(&c->nvs, "zota", true, &c->ns);
    if (!err) err = al_nvs_set(&c->nvs, c->ns, AL_NVS_BLOB, NVS_KEY, &c->now, sizeof c->now, false);
    if (!err) c->saved = c->now;
    return err;
}

static void new_flash(struct zb_upgrade_client *c)
{
    uint32_t slot = (c->u->image_len + AL_SECTOR - 1) / AL_SECTOR * AL_SECTOR;
    if (c->nor.bytes) nor_flash_close(&c->nor);
    assert_int_equal(nor_flash_memory(&c->nor, ZB_UPGRADE_NVS + slot), 0);
    load_progress(c);
}

/* ---- A device: the application of its OTA client ---- */

static uint8_t offer(void *ctx, const struct al_zota_file *file, bool reinstall, uint32_t *offset)
{
    struct zb_upgrade_client *c = ctx;
    bool known = c->saved.ota.magic == AL_ZOTA_PROGRESS_MAGIC &&
                 memcmp(&c->saved.ota.file.id, &file->id, sizeof file->id) == 0 &&
                 c->saved.ota.file.size == file->size;
    if (known)
        c->now = c->saved;
    else {
        memset(&c->now, 0, sizeof c->now);
        al_zstream_begin(&c->now.stream);
    }
    *offset = c->now.stream.position;
    const struct al_slot_config slot = {
        .slot = c->slot, .offset = c->now.written, .content = AL_SLOT_IMAGE};
    return al_slot_begin(&c->writer, &slot) ? AL_ZOTA_ABORT : AL_ZOTA_SUCCESS;
}

static int write_image(void *ctx, const struct al_zfile_element *e, uint32_t offset,
                       const uint8_t *data, size_t len)
{
    struct zb_upgrade_client *c = ctx;
    if (e->tag != AL_ZFILE_UPGRADE_IMAGE) return 0;
    assert_int_equal(offset, c->writer.written);
    return al_slot_write(&c->writer, data, (uint32_t)len);
}

/* Progress is saved where a sector of the slot is full: going on there needs nothing of
 * what lies behind. */
static int data(void *ctx, uint32_t offset, const uint8_t *bytes, size_t len)
{
    struct zb_upgrade_client *c = ctx;
    const struct al_zstream_app app = {.ctx = c, .data = write_image};
    assert_int_equal(offset, c->now.stream.position);
    c->bytes += len;
    while (len) {
        uint32_t before = c->writer.written, room = AL_SECTOR - before % AL_SECTOR;
        size_t n = len < room ? len : room;
        int err = al_zstream_feed(&c->now.stream, aes_openssl_aes(c->sim->zb.aes), &app, bytes, n);
        if (!err && c->writer.written != before && c->writer.written % AL_SECTOR == 0)
            err = save_progress(c);
        if (err) return err;
        bytes += n;
        len -= n;
    }
    return 0;
}

static int check(void *ctx, const struct al_zota_file *file)
{
    struct zb_upgrade_client *c = ctx;
    uint16_t chip = (uint16_t)(c->u->image[12] | c->u->image[13] << 8);
    const struct al_image_rules rules = {.crypto = &crypto_openssl,
                                         .device = {.chip = al_chip_by_id(chip)}};
    bool good = !al_slot_flush(&c->writer) && !al_zstream_end(&c->now.stream) &&
                c->now.stream.has_integrity && c->now.stream.integrity_ok &&
                !al_image_verify(&c->slot, &rules, NULL, NULL);
    c->invalid += !good;
    return good ? AL_ZOTA_SUCCESS : AL_ZOTA_INVALID_IMAGE;
}

static void save(void *ctx, const struct al_zota_progress *p)
{
    struct zb_upgrade_client *c = ctx;
    if (p->magic || !c->saved.ota.magic) return; /* data() saves at better places */
    if (!al_nvs_erase_key(&c->nvs, c->ns, NVS_KEY, false)) c->saved.ota.magic = 0;
}

static void install(struct zb_upgrade_client *c)
{
    assert_memory_equal(c->nor.bytes, c->u->image, c->u->image_len);
    c->installed++;
    c->config.file_version = ZB_UPGRADE_NEW_VERSION;
    c->restart = true;
}

static void event(void *ctx, const struct al_zota_client_event *e)
{
    struct zb_upgrade_client *c = ctx;
    if (getenv("ZB_WORLD_TRACE") && e->kind != AL_ZOTA_CLIENT_BLOCK)
        printf("%10.6f %04x ota event %d in %s, offset %u, %s\n",
               (double)zb_upgrade_now(c->u) / 1e6, c->sim->zb.node.nwk.addr, (int)e->kind,
               al_zota_client_state_name(e->state), e->offset, al_zota_reason_name(e->reason));
    c->queries += e->kind == AL_ZOTA_CLIENT_QUERY;
    c->blocks += e->kind == AL_ZOTA_CLIENT_BLOCK;
    c->retries += e->kind == AL_ZOTA_CLIENT_RETRY;
    c->ends += e->kind == AL_ZOTA_CLIENT_END_SENT;
    if (e->kind == AL_ZOTA_CLIENT_START) {
        c->starts++;
        c->resumed_at = e->offset;
    }
    if (e->kind == AL_ZOTA_CLIENT_GAVE_UP) {
        c->reason = e->reason;
        c->gave_up++;
    }
    if (e->kind == AL_ZOTA_CLIENT_FINISH) install(c);
}

/* ---- A device: its life ---- */

/* The OTA client begins when the node is in the network. */
static uint64_t client_next(void *ctx)
{
    const struct zb_upgrade_client *c = ctx;
    if (c->started) return al_zcl_ota_client_next(&c->ota);
    return !c->u->hold && al_bdb_is_member(&c->sim->zb.node.bdb) ? 0 : UINT64_MAX;
}

static void client_run(void *ctx, uint64_t now)
{
    struct zb_upgrade_client *c = ctx;
    if (c->started) {
        al_zcl_ota_client_run(&c->ota, now);
        return;
    }
    c->started = true;
    al_zota_client_start(al_zcl_ota_client_at(&c->ota, now), now,
                         c->saved.ota.magic ? &c->saved.ota : NULL);
}

static void start_client(struct zb_upgrade_client *c)
{
    struct zb_node *zb = &c->sim->zb;
    c->started = c->restart = false;
    c->on_at = 0;
    c->endpoint = (struct al_zcl_endpoint){.id = ZB_UPGRADE_ENDPOINT, .profile = AL_PROFILE_HA};
    assert_int_equal(al_zcl_ota_client_init(&c->ota, &zb->node.zcl, &zb->node.zdo, &c->endpoint,
                                            (struct al_zb_random){zb, zb_node_random}, &c->config,
                                            &(struct al_zota_client_app){.ctx = c,
                                                                         .offer = offer,
                                                                         .data = data,
                                                                         .check = check,
                                                                         .save = save,
                                                                         .event = event}),
                     0);
    assert_int_equal(al_zcl_add_endpoint(&zb->node.zcl, &c->endpoint), 0);
    c->engine = (struct zb_engine){c, client_next, client_run, NULL};
    zb_node_add_engine(zb, &c->engine);
}

/* Beacons are neither acknowledged nor repeated: at 30 % loss every second scan is in vain. */
static void join(struct zb_upgrade *u, struct zb_sim_node *n)
{
    struct al_trust *centre = &u->servers[0].sim->zb.node.trust, *joiner = &n->zb.node.trust;
    centre->c.install_codes_only = u->code_key != NULL;
    if (u->code_key) {
        assert_int_equal(al_trust_add_install_key(centre, n->config.ext, u->code_key), 0);
        assert_int_equal(al_trust_add_install_key(joiner, AL_APS_ANY_PARTNER, u->code_key), 0);
    }
    for (int i = 0; i < JOIN_TRIES; i++)
        if (zb_world_steer(u->world, n) == AL_ZB_OK) return;
    fail_msg("not joined in %d tries", JOIN_TRIES);
}

struct zb_upgrade_client *zb_upgrade_add_client(struct zb_upgrade *u, enum al_nwk_role role,
                                                bool sleepy, double at,
                                                const struct al_zota_client_config *config)
{
    struct zb_upgrade_client *c = &u->clients[u->client_count];
    assert_true(u->client_count < ZB_UPGRADE_CLIENTS);
    u->client_count++;
    c->u = u;
    c->sim =
        at < 0 ? zb_world_add(u->world, role, sleepy) : zb_world_add_at(u->world, role, sleepy, at);
    if (config) c->config = *config;
    c->config.manufacturer = ZB_UPGRADE_MANUFACTURER;
    c->config.image_type = ZB_UPGRADE_IMAGE_TYPE;
    c->config.file_version = OLD_VERSION;
    c->config.ext_addr = c->sim->config.ext;
    if (!c->config.start_delay) c->config.start_delay = 1;
    if (!c->config.resume_delay) c->config.resume_delay = 1;
    if (!c->config.again_pause) c->config.again_pause = 20000;
    if (!c->config.search_pause) c->config.search_pause = 20000;
    new_flash(c);
    join(u, c->sim);
    start_client(c);
    zb_sim_touch(c->sim);
    return c;
}

void zb_upgrade_cut(struct zb_upgrade_client *c, uint64_t pause)
{
    if (!c->sim->on) return;
    c->cuts++;
    c->on_at = zb_upgrade_now(c->u) + pause;
    zb_sim_power_off(c->sim);
}

void zb_upgrade_kill(struct zb_upgrade_server *s, uint64_t pause)
{
    if (!s->sim->on) return;
    s->on_at = zb_upgrade_now(s->u) + pause;
    zb_sim_power_off(s->sim);
}

void zb_upgrade_renew(struct zb_upgrade_client *c)
{
    c->config.file_version = OLD_VERSION;
    c->installed = c->cuts = c->starts = c->queries = c->gave_up = 0;
    c->bytes = 0;
    new_flash(c);
    zb_sim_power_off(c->sim);
    c->on_at = zb_upgrade_now(c->u);
}

static void come_back(struct zb_sim_node *n)
{
    struct al_bdb *b = &n->zb.node.bdb;
    al_bdb_initialise(b, zb_sim_now(n->sim));
    zb_sim_touch(n);
}

static void power_on(struct zb_upgrade_client *c)
{
    nor_flash_power_on(&c->nor);
    load_progress(c);
    assert_int_equal(zb_sim_power_on(c->sim), 0);
    start_client(c);
    come_back(c->sim);
    if (c->cut_at) {
        c->nor.power->seed = c->cut_at;
        nor_flash_cut_at(&c->nor, c->cut_at);
    }
    c->cut_at = 0;
}

/* Whose power has gone, and whose comes back. */
static void look_after(struct zb_upgrade *u)
{
    uint64_t now = zb_upgrade_now(u);
    for (unsigned i = 0; i < u->client_count; i++) {
        struct zb_upgrade_client *c = &u->clients[i];
        if (c->sim->on && (c->restart || c->nor.power->off)) zb_upgrade_cut(c, RESTART_US);
        if (c->sim->on || now < c->on_at) continue;
        power_on(c);
    }
    for (unsigned i = 0; i < u->server_count; i++) {
        struct zb_upgrade_server *s = &u->servers[i];
        if (s->sim->on || now < s->on_at) continue;
        assert_int_equal(zb_sim_power_on(s->sim), 0);
        zb_upgrade_start_server(s);
        come_back(s->sim);
    }
}

/* A node that did not find its network again: its application tries once more. */
static void try_again(struct zb_upgrade *u)
{
    for (unsigned i = 0; i < u->client_count; i++) {
        struct zb_sim_node *n = u->clients[i].sim;
        if (n->on && !al_bdb_is_member(&n->zb.node.bdb)) come_back(n);
    }
}

struct waiting {
    struct zb_upgrade *u;
    bool (*until)(void *ctx);
    void *ctx;
    bool done;
};

static bool something_to_do(void *ctx)
{
    struct waiting *w = ctx;
    for (unsigned i = 0; i < w->u->client_count; i++) {
        const struct zb_upgrade_client *c = &w->u->clients[i];
        if (c->sim->on && (c->restart || c->nor.power->off)) return true;
    }
    w->done = w->until && w->until(w->ctx);
    return w->done;
}

static uint64_t next_power_on(const struct zb_upgrade *u, uint64_t end)
{
    uint64_t next = zb_upgrade_now(u) + RETRY_US;
    for (unsigned i = 0; i < u->client_count; i++)
        if (!u->clients[i].sim->on && u->clients[i].on_at < next) next = u->clients[i].on_at;
    for (unsigned i = 0; i < u->server_count; i++)
        if (!u->servers[i].sim->on && u->servers[i].on_at < next) next = u->servers[i].on_at;
    return next < end ? next : end;
}

bool zb_upgrade_run(struct zb_upgrade *u, uint64_t us, bool (*until)(void *ctx), void *ctx)
{
    uint64_t end = zb_upgrade_now(u) + us;
    struct waiting w = {u, until, ctx, false};
    for (unsigned i = 0; i < u->client_count; i++) zb_sim_touch(u->clients[i].sim);
    while (!w.done && zb_upgrade_now(u) < end) {
        look_after(u);
        uint64_t next = next_power_on(u, end), now = zb_upgrade_now(u);
        uint64_t wait = next > now ? next - now : 0;
        if (!zb_sim_run(u->world->sim, wait, something_to_do, &w) && wait == RETRY_US) try_again(u);
    }
    return w.done;
}

bool zb_upgrade_all_installed(void *ctx)
{
    const struct zb_upgrade *u = ctx;
    for (unsigned i = 0; i < u->client_count; i++)
        if (!u->clients[i].installed) return false;
    return true;
}

void zb_upgrade_print(const struct zb_upgrade *u)
{
    for (unsigned i = 0; i < u->client_count; i++) {
        const struct zb_upgrade_client *c = &u->clients[i];
        printf("client %u at %.1f s: %s, installed %u, offset %u, %llu bytes, %u starts, %u "
               "queries, %u retries, %u cuts, gave up %u times (%s)\n",
               i, (double)zb_upgrade_now(u) / 1e6, al_zota_client_state_name(c->ota.engine.state),
               c->installed, c->now.stream.position, (unsigned long long)c->bytes, c->starts,
               c->queries, c->retries, c->cuts, c->gave_up, al_zota_reason_name(c->reason));
    }
}

void zb_upgrade_finish(struct zb_upgrade *u, uint64_t us)
{
    bool done = zb_upgrade_run(u, us, zb_upgrade_all_installed, u);
    if (!done || getenv("ZB_WORLD_TRACE")) zb_upgrade_print(u);
    assert_true(done);
}

struct zb_upgrade *zb_upgrade_new(const struct medium_config *c, const char *payload, double at)
{
    struct zb_upgrade *u = calloc(1, sizeof *u);
    size_t len;
    assert_non_null(u);
    u->world = zb_world_new(c);
    u->image = vector_file(&len, "esp-flash/%s", payload);
    u->image_len = (uint32_t)len;
    zb_upgrade_add_server(u, at < 0 ? zb_world_coordinator(u->world)
                                    : zb_world_coordinator_at(u->world, at));
    return u;
}

void zb_upgrade_free(struct zb_upgrade *u)
{
    if (!u) return;
    zb_world_free(u->world);
    for (unsigned i = 0; i < u->server_count; i++) free(u->servers[i].file.bytes);
    for (unsigned i = 0; i < u->client_count; i++) nor_flash_close(&u->clients[i].nor);
    free(u->image);
    free(u);
}
