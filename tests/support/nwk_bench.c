#include "tests/support/nwk_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zigbee_vector.h"

#define TRANSPORT_KEY 0x21 /* APS command with security */

static uint32_t next_random(void *ctx)
{
    struct nwk_node *n = ctx;
    n->random = n->random * 1664525 + 1013904223;
    return n->random >> 8;
}

/* ---- Records ---- */

static struct nwk_record *record(struct nwk_node *n, uint16_t number)
{
    for (unsigned i = 0; i < NWK_BENCH_RECORDS; i++)
        if (n->records[i].len && n->records[i].number == number) return &n->records[i];
    return NULL;
}

static int save(void *ctx, uint16_t number, const void *data, size_t len)
{
    struct nwk_node *n = ctx;
    struct nwk_record *r = record(n, number);
    assert_true(len <= AL_ZB_RECORD_MAX);
    if (n->save_error) return n->save_error;
    for (unsigned i = 0; !r && len && i < NWK_BENCH_RECORDS; i++)
        if (!n->records[i].len) r = &n->records[i];
    if (!r) {
        assert_int_equal(len, 0);
        return 0;
    }
    r->number = number;
    r->len = (uint8_t)len;
    if (len) memcpy(r->bytes, data, len);
    return 0;
}

static int load(void *ctx, uint16_t number, void *data, size_t size)
{
    struct nwk_record *r = record(ctx, number);
    if (!r) return AL_ERR_NOT_FOUND;
    assert_true(r->len <= size);
    memcpy(data, r->bytes, r->len);
    return r->len;
}

/* ---- What the layer says ---- */

static void data(void *ctx, uint64_t now, const struct al_nwk_data_ind *ind)
{
    struct nwk_node *n = ctx;
    if (!ind->secured) {
        assert_int_equal(ind->payload[0], TRANSPORT_KEY);
        assert_int_equal(ind->len, 18);
        al_nwk_set_key(&n->nwk, now, ind->payload + 2, ind->payload[1]);
        return;
    }
    n->got++;
    n->from = ind->src;
    n->relay = ind->relay;
    snprintf(n->text, sizeof n->text, "%.*s", (int)ind->len, (const char *)ind->payload);
}

static void sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    struct nwk_node *n = ctx;
    assert_in_range(handle, 1, 31);
    n->sent[handle] = (int)status;
    n->sents++;
}

static void found(void *ctx, uint64_t now, const struct al_nwk_candidate *c)
{
    struct nwk_node *n = ctx;
    bool room = n->kind == ROUTER ? c->router_room : c->end_device_room;
    if (c->epid != NWK_BENCH_EPID || !c->permit_join || !room) return;
    if (!n->found || c->lqi > n->best.lqi) n->best = *c;
    n->found = true;
}

static void discovered(void *ctx, uint64_t now)
{
    struct nwk_node *n = ctx;
    n->discovered = true;
}

static void joined(void *ctx, uint64_t now, enum al_zb_status status)
{
    struct nwk_node *n = ctx;
    n->joined = (int)status;
}

static void child(void *ctx, uint64_t now, const struct al_nwk_neighbour *c, bool rejoin,
                  bool secured)
{
    struct nwk_node *n = ctx;
    uint8_t payload[18] = {TRANSPORT_KEY, n->bench->key_seq};
    uint64_t ext = c->ext;
    n->children++;
    n->rejoins += rejoin;
    n->child_secured = secured;
    if (secured || n->give_no_key) return;
    memcpy(payload + 2, n->bench->key, 16);
    const struct al_nwk_send s = {.dst = c->addr,
                                  .dst_ext = ext,
                                  .payload = payload,
                                  .len = sizeof payload,
                                  .unsecured = true};
    assert_int_equal(al_nwk_send(&n->nwk, now, &s), 0);
    if (!n->tell_no_result) al_nwk_child_authenticated(&n->nwk, now, ext, true);
}

static void device_left(void *ctx, uint64_t now, uint16_t addr, uint64_t ext, bool rejoin)
{
    struct nwk_node *n = ctx;
    n->children_left++;
    n->last_left = ext;
}

static void left(void *ctx, uint64_t now, bool rejoin)
{
    struct nwk_node *n = ctx;
    n->left++;
    n->left_to_rejoin = rejoin;
}

static void parent_lost(void *ctx, uint64_t now)
{
    struct nwk_node *n = ctx;
    n->lost++;
}

static void status(void *ctx, uint64_t now, uint8_t code, uint16_t addr)
{
    struct nwk_node *n = ctx;
    n->last_status = code;
    n->conflicts += code == AL_NWK_STATUS_ADDRESS_CONFLICT;
    n->readdressed += code == AL_NWK_STATUS_ADDRESS_UPDATE && addr == n->nwk.addr;
}

static const struct al_nwk_up up = {
    .data = data,
    .sent = sent,
    .found = found,
    .discovered = discovered,
    .joined = joined,
    .child = child,
    .device_left = device_left,
    .left = left,
    .parent_lost = parent_lost,
    .status = status,
};

/* ---- The air ---- */

void nwk_bench_arm(struct nwk_node *n)
{
    uint64_t mac = al_mac_next(&n->mac), nwk = al_nwk_next(&n->nwk);
    medium_node_wake(n->air, n->dead ? UINT64_MAX : mac < nwk ? mac : nwk);
}

static void received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    struct nwk_node *n = ctx;
    if (n->dead) return;
    al_mac_received(&n->mac, now, rx);
    nwk_bench_arm(n);
}

static void transmitted(void *ctx, uint64_t now, enum al_radio_status result, bool pending)
{
    struct nwk_node *n = ctx;
    if (n->dead) return;
    al_mac_transmitted(&n->mac, now, result, pending);
    nwk_bench_arm(n);
}

static void scanned(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    struct nwk_node *n = ctx;
    if (n->dead) return;
    al_mac_scanned(&n->mac, now, channel, dbm);
    nwk_bench_arm(n);
}

static void wake(void *ctx, uint64_t now)
{
    struct nwk_node *n = ctx;
    if (n->dead) return;
    al_mac_run(&n->mac, now);
    al_nwk_run(&n->nwk, now);
    nwk_bench_arm(n);
}

static void on_air(void *ctx, const struct medium_frame *f)
{
    struct nwk_bench *b = ctx;
    if (b->frame) b->frame(b, f);
}

/* ---- Nodes ---- */

void nwk_bench_init(struct nwk_bench *b, const struct medium_config *c)
{
    struct medium_config config = c ? *c : (struct medium_config){.seed = 1};
    memset(b, 0, sizeof *b);
    config.frame = on_air;
    config.frame_ctx = b;
    b->medium = medium_new(&config);
    assert_non_null(b->medium);
    memcpy(b->key, zigbee_network_key, sizeof b->key);
}

void nwk_bench_free(struct nwk_bench *b)
{
    medium_free(b->medium);
}

static void set_up(struct nwk_node *n)
{
    const struct al_mac_config mac = {
        .radio = medium_node_port(n->air),
        .random = {n, next_random},
        .ext_addr = n->ext,
        .slots = n->slots,
        .slot_count = sizeof n->slots / sizeof *n->slots,
        .seen = n->seen,
        .seen_count = sizeof n->seen / sizeof *n->seen,
        .up = &al_nwk_mac_up,
        .up_ctx = &n->nwk,
    };
    bool leaf = n->kind >= END_DEVICE;
    const struct al_nwk_config nwk = {
        .mac = &n->mac,
        .aes = zigbee_aes(),
        .random = {n, next_random},
        .store = &n->store,
        .role = leaf                ? AL_NWK_ROLE_END_DEVICE
                : n->kind == ROUTER ? AL_NWK_ROLE_ROUTER
                                    : AL_NWK_ROLE_COORDINATOR,
        .rx_off = n->kind == SLEEPY,
        .timeout_index = leaf,
        .link_status_s = n->bench->link_status_s,
        .concentrator = n->kind == COORDINATOR && n->bench->concentrator,
        .neighbours = n->neighbours,
        .neighbour_count = leaf ? 1 : NWK_BENCH_NODES,
        .addresses = n->addresses,
        .address_count = leaf ? 0 : NWK_BENCH_NODES,
        .routes = n->routes,
        .route_count = leaf ? 0 : sizeof n->routes / sizeof *n->routes,
        .source_routes = n->source_routes,
        .source_route_count = n->bench->concentrator ? NWK_BENCH_NODES : 0,
        .broadcasts = n->broadcasts,
        .broadcast_count = sizeof n->broadcasts / sizeof *n->broadcasts,
        .waiting = n->waiting,
        .waiting_count = sizeof n->waiting / sizeof *n->waiting,
        .up = &up,
        .up_ctx = n,
    };
    al_mac_init(&n->mac, &mac);
    al_nwk_init(&n->nwk, &nwk);
    for (unsigned i = 0; i < 32; i++) n->sent[i] = -1;
    n->joined = -1;
}

struct nwk_node *nwk_bench_add(struct nwk_bench *b, enum nwk_kind kind)
{
    assert_true(b->count < NWK_BENCH_NODES);
    struct nwk_node *n = &b->node[b->count++];
    n->bench = b;
    n->kind = kind;
    n->ext = b->next_ext ? b->next_ext : 0x7af1000000000000u + b->count;
    b->next_ext = 0;
    n->random = b->count * 7919;
    n->store = (struct al_zb_store){.ctx = n, .save = save, .load = load};
    const struct medium_node_config c = {
        .eui64 = n->ext,
        .events = {.received = received, .transmitted = transmitted, .scanned = scanned},
        .wake = wake,
        .ctx = n,
    };
    n->air = medium_add_node(b->medium, &c);
    assert_non_null(n->air);
    set_up(n);
    return n;
}

void nwk_bench_part(struct nwk_node *a, struct nwk_node *b)
{
    medium_set_link(a->air, b->air, 0, MEDIUM_LEVEL_DBM);
    medium_set_link(b->air, a->air, 0, MEDIUM_LEVEL_DBM);
}

void nwk_bench_meet(struct nwk_node *a, struct nwk_node *b)
{
    medium_set_link(a->air, b->air, 1, MEDIUM_LEVEL_DBM);
    medium_set_link(b->air, a->air, 1, MEDIUM_LEVEL_DBM);
}

void nwk_bench_row(struct nwk_bench *b)
{
    for (unsigned i = 0; i < b->count; i++)
        for (unsigned k = i + 2; k < b->count; k++) nwk_bench_part(&b->node[i], &b->node[k]);
}

uint64_t nwk_bench_now(const struct nwk_bench *b)
{
    return medium_now(b->medium);
}

void nwk_bench_run(struct nwk_bench *b, uint64_t us)
{
    medium_run_until(b->medium, medium_now(b->medium) + us);
}

/* ---- The network ---- */

void nwk_bench_permit(struct nwk_node *n, uint8_t seconds)
{
    assert_int_equal(al_nwk_permit(&n->nwk, nwk_bench_now(n->bench), seconds), 0);
    nwk_bench_arm(n);
}

struct nwk_node *nwk_bench_form(struct nwk_bench *b)
{
    struct nwk_node *n = &b->node[0];
    uint64_t now = nwk_bench_now(b);
    assert_int_equal(n->kind, COORDINATOR);
    assert_int_equal(al_nwk_form(&n->nwk, now, NWK_BENCH_CHANNEL, NWK_BENCH_PAN, NWK_BENCH_EPID),
                     0);
    al_nwk_set_key(&n->nwk, now, b->key, b->key_seq);
    nwk_bench_permit(n, 254);
    return n;
}

void nwk_bench_try_join(struct nwk_node *n)
{
    struct nwk_bench *b = n->bench;
    n->found = n->discovered = false;
    n->joined = -1;
    assert_int_equal(al_nwk_discover(&n->nwk, nwk_bench_now(b), NWK_BENCH_MASK, 4), 0);
    nwk_bench_arm(n);
    nwk_bench_run(b, 500 * MS);
    assert_true(n->discovered);
    if (!n->found) return;
    assert_int_equal(al_nwk_join(&n->nwk, nwk_bench_now(b), &n->best), 0);
    nwk_bench_arm(n);
    nwk_bench_run(b, 2 * SECOND);
}

void nwk_bench_join(struct nwk_node *n)
{
    nwk_bench_try_join(n);
    assert_true(n->found);
    assert_int_equal(n->joined, AL_ZB_OK);
    assert_true(n->nwk.up);
    if (n->kind == ROUTER) nwk_bench_permit(n, 254);
}

void nwk_bench_rejoin(struct nwk_node *n, bool secured)
{
    n->joined = -1;
    assert_int_equal(al_nwk_rejoin(&n->nwk, nwk_bench_now(n->bench), NWK_BENCH_MASK, secured), 0);
    nwk_bench_arm(n);
    nwk_bench_run(n->bench, 3 * SECOND);
}

int nwk_bench_send(struct nwk_node *n, uint16_t dst, const char *text, uint16_t handle)
{
    const struct al_nwk_send s = {
        .dst = dst, .payload = (const uint8_t *)text, .len = strlen(text), .handle = handle};
    n->sent[handle] = -1;
    int err = al_nwk_send(&n->nwk, nwk_bench_now(n->bench), &s);
    nwk_bench_arm(n);
    return err;
}

void nwk_bench_passes(struct nwk_node *from, struct nwk_node *to, const char *text)
{
    unsigned got = to->got;
    assert_int_equal(nwk_bench_send(from, to->nwk.addr, text, 1), 0);
    /* A sleeper's next poll may be far. */
    nwk_bench_run(from->bench, to->kind == SLEEPY ? 6 * SECOND : 2 * SECOND);
    assert_int_equal(from->sent[1], AL_ZB_OK);
    assert_int_equal(to->got, got + 1);
    assert_string_equal(to->text, text);
    assert_int_equal(to->from, from->nwk.addr);
}

void nwk_bench_kill(struct nwk_node *n)
{
    const struct al_radio *radio = medium_node_port(n->air);
    struct al_radio_config off = n->mac.radio;
    n->dead = true;
    off.rx_on = false;
    off.short_addr = off.pan_id = AL_MAC_BROADCAST;
    radio->configure(radio->ctx, &off);
    nwk_bench_arm(n);
}

void nwk_bench_restart(struct nwk_node *n)
{
    nwk_bench_kill(n);
    nwk_bench_run(n->bench, SECOND);
    n->dead = false;
    set_up(n);
    assert_true(al_nwk_restore(&n->nwk));
    assert_int_equal(al_nwk_resume(&n->nwk, nwk_bench_now(n->bench)), 0);
    nwk_bench_arm(n);
}
