/* What a node keeps, and power cuts between any two records: it then resumes or joins anew,
 * never hangs, and never uses a frame counter twice. */
#include <stdlib.h>
#include <string.h>

#include "radio/zb_memory.h"
#include "tests/support/zb_world.h"

/* ---- A store that loses its power, or wears out, at the nth save ---- */

struct cut_store {
    struct al_zb_store store;
    const struct al_zb_store *below;
    unsigned saves, cut_at; /* 0: never */
    bool worn_out;          /* saves fail; else the node is switched off, too */
    bool cut;
};

static int cut_save(void *ctx, uint16_t record, const void *data, size_t len)
{
    struct cut_store *s = ctx;
    s->saves++;
    if (s->cut_at && s->saves >= s->cut_at) s->cut = true;
    if (!s->cut) return s->below->save(s->below->ctx, record, data, len);
    return AL_ERR_INVALID_STATE;
}

static int cut_load(void *ctx, uint16_t record, void *data, size_t size)
{
    const struct cut_store *s = ctx;
    return s->below->load(s->below->ctx, record, data, size);
}

static void put_store(struct zb_world *w, struct cut_store *s, struct zb_sim_node *n,
                      unsigned cut_at, bool worn_out)
{
    *s = (struct cut_store){.store = {s, cut_save, cut_load},
                            .below = n->config.store,
                            .cut_at = cut_at,
                            .worn_out = worn_out};
    zb_sim_power_off(n);
    n->config.store = &s->store;
    zb_world_power_on(w, n);
}

static void repair(struct cut_store *s)
{
    s->cut_at = 0;
    s->cut = false;
}

/* ---- Frame counters on the air ---- */

struct used {
    uint64_t source;
    uint32_t counter;
    uint8_t key_seq, pan, len;
    uint8_t frame[AL_RADIO_MPDU_MAX];
};

static struct {
    struct used *list;
    size_t count, room;
} used;

/* Two different frames under one counter would give away both. */
static void watch_counters(void *ctx, const struct medium_frame *f)
{
    struct al_mac_frame mac;
    struct al_nwk_frame nwk;
    if (al_mac_parse(&mac, f->mpdu, f->len) || mac.type != AL_MAC_DATA) return;
    if (al_nwk_parse(&nwk, mac.payload, mac.payload_len) || !nwk.secured) return;
    for (size_t i = 0; i < used.count; i++) {
        const struct used *u = &used.list[i];
        if (u->source != nwk.aux.source || u->counter != nwk.aux.counter ||
            u->key_seq != nwk.aux.key_seq)
            continue;
        assert_int_equal(u->len, mac.payload_len);
        assert_memory_equal(u->frame, mac.payload, mac.payload_len);
        return;
    }
    if (used.count == used.room) {
        used.room = used.room * 2 + 64;
        used.list = realloc(used.list, used.room * sizeof *used.list);
        assert_non_null(used.list);
    }
    struct used *u = &used.list[used.count++];
    *u = (struct used){.source = nwk.aux.source,
                       .counter = nwk.aux.counter,
                       .key_seq = nwk.aux.key_seq,
                       .len = (uint8_t)mac.payload_len};
    memcpy(u->frame, mac.payload, mac.payload_len);
}

static struct zb_world *new_world(unsigned seed)
{
    used.count = 0;
    return zb_world_new(&(struct medium_config){.seed = seed, .frame = watch_counters});
}

/* ---- A device that joins ---- */

struct watched {
    const struct cut_store *store;
    const struct zb_world_node *node;
    enum al_bdb_event event;
    unsigned events;
};

static unsigned events_of(const struct zb_world_node *n, enum al_bdb_event event)
{
    unsigned count = 0;
    for (unsigned i = 0; i < n->event_count; i++) count += n->events[i].event == event;
    return count;
}

static bool cut_or_done(void *ctx)
{
    const struct watched *a = ctx;
    if (a->store->cut && !a->store->worn_out) return true;
    return events_of(a->node, a->event) > a->events;
}

static void until_cut_or(struct zb_world *w, const struct cut_store *s, struct zb_sim_node *n,
                         enum al_bdb_event event)
{
    struct watched a = {s, zb_world_of(w, n), event, events_of(zb_world_of(w, n), event)};
    zb_sim_touch(n);
    if (!zb_sim_run(w->sim, 400000000, cut_or_done, &a)) fail_msg("it hangs");
}

/* A child, an address, the network itself. */
static int is_of_a_network(void *ctx, uint16_t record, const void *data, size_t len)
{
    return (record >= AL_ZB_REC_DEVICES && record < AL_ZB_REC_OTA_SERVER) ||
           record == AL_ZB_REC_NETWORK || record == AL_ZB_REC_NWK_KEYS;
}

/* The power comes back: it resumes, or it is as new and joins. proven: with a link key of
 * its own, whatever was cut short. True: it was as new. */
static bool come_back(struct zb_world *w, struct zb_sim_node *c, struct zb_sim_node *d, bool proven)
{
    zb_sim_power_off(d);
    zb_world_run(w, 2);
    zb_world_power_on(w, d);
    assert_int_equal(al_bdb_initialise(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
    enum al_zb_status status = zb_world_wait(w, d, AL_BDB_INITIALISED, 60);
    if (status == AL_ZB_NOT_THERE) {
        assert_int_equal(zb_memory_each(d->records, is_of_a_network, NULL), 0);
        zb_world_join(w, d);
    }
    assert_true(al_bdb_is_member(&d->zb.node.bdb));
    if (proven) {
        assert_true(al_aps_key(&d->zb.node.aps, c->config.ext)->verified);
        assert_true(al_aps_key(&c->zb.node.aps, d->config.ext)->verified);
    }
    zb_world_run(w, 5);
    zb_world_exchange(w, d, c);
    zb_world_exchange(w, c, d);
    return status == AL_ZB_NOT_THERE;
}

static void join_with_cuts(enum al_nwk_role role, bool sleepy, bool worn_out)
{
    bool joined = false;
    for (unsigned nth = 1; !joined; nth++) {
        struct zb_world *w = new_world(nth);
        struct zb_sim_node *c = zb_world_coordinator(w);
        struct zb_sim_node *d = zb_world_add(w, role, sleepy);
        struct cut_store store;
        put_store(w, &store, d, nth, worn_out);
        zb_world_run(w, 2);
        assert_int_equal(al_bdb_steer(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
        until_cut_or(w, &store, d, AL_BDB_STEERED);
        joined = !store.cut;
        if (joined) assert_true(nth > 5); /* the key, its number, the network, counters */
        uint32_t aps_counter = d->zb.node.aps.tx_counter;
        repair(&store);
        come_back(w, c, d, !worn_out);
        assert_true(d->zb.node.aps.tx_counter >= aps_counter);
        zb_world_free(w);
    }
}

static void an_end_device_survives_a_power_cut_at_any_save_of_its_join(void **state)
{
    join_with_cuts(AL_NWK_ROLE_END_DEVICE, true, false);
}

static void a_router_survives_a_power_cut_at_any_save_of_its_join(void **state)
{
    join_with_cuts(AL_NWK_ROLE_ROUTER, false, false);
}

static void a_device_whose_store_wears_out_while_it_joins_does_not_hang(void **state)
{
    join_with_cuts(AL_NWK_ROLE_END_DEVICE, false, true);
}

static void a_device_survives_a_power_cut_while_it_leaves(void **state)
{
    bool left = false;
    for (unsigned nth = 1; !left; nth++) {
        struct zb_world *w = new_world(nth);
        struct zb_sim_node *c = zb_world_coordinator_at(w, 0);
        struct zb_sim_node *d = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, ZB_WORLD_HOP);
        struct cut_store store;
        put_store(w, &store, d, 0, false);
        zb_world_join(w, d);
        struct zb_sim_node *child =
            zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, true, 2 * ZB_WORLD_HOP);
        zb_world_join(w, child);
        zb_sim_power_off(child);
        store.cut_at = store.saves + nth;
        assert_int_equal(al_bdb_leave(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
        until_cut_or(w, &store, d, AL_BDB_LEFT);
        left = !store.cut;
        repair(&store);
        al_bdb_open(&c->zb.node.bdb, zb_sim_now(w->sim), 254);
        bool as_new = come_back(w, c, d, true);
        assert_true(as_new || !left);
        /* Children of its former life are nobody's now. */
        const struct al_nwk_neighbour *old =
            al_nwk_neighbour_ext(&d->zb.node.nwk, child->config.ext);
        if (as_new) assert_null(old);
        zb_world_free(w);
    }
}

/* ---- A coordinator ---- */

static void a_coordinator_survives_a_power_cut_while_it_forms(void **state)
{
    bool formed = false;
    for (unsigned nth = 1; !formed; nth++) {
        struct zb_world *w = new_world(nth);
        struct zb_sim_node *c = zb_world_add(w, AL_NWK_ROLE_COORDINATOR, false);
        struct cut_store store;
        put_store(w, &store, c, nth, false);
        assert_int_equal(al_bdb_form(&c->zb.node.bdb, zb_sim_now(w->sim)), 0);
        until_cut_or(w, &store, c, AL_BDB_FORMED);
        formed = !store.cut;
        repair(&store);
        zb_sim_power_off(c);
        zb_world_power_on(w, c);
        struct al_bdb *b = &c->zb.node.bdb;
        assert_int_equal(al_bdb_initialise(b, zb_sim_now(w->sim)), 0);
        if (zb_world_wait(w, c, AL_BDB_INITIALISED, 10) == AL_ZB_NOT_THERE) {
            assert_false(formed);
            assert_int_equal(al_bdb_form(b, zb_sim_now(w->sim)), 0);
            assert_int_equal(zb_world_wait(w, c, AL_BDB_FORMED, 10), AL_ZB_OK);
        }
        assert_int_equal(al_bdb_open(b, zb_sim_now(w->sim), 254), 0);
        struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
        zb_world_join(w, d);
        zb_world_exchange(w, c, d);
        zb_world_free(w);
    }
}

/* The channel lies at 32, the short address at 20, the PAN at 18. */
static void a_network_record_out_of_range_is_no_network(void **state)
{
    static const struct {
        size_t at;
        uint8_t bytes[2], len;
    } wrong[] = {{32, {27}, 1}, {32, {10}, 1}, {20, {1, 0}, 2}, {18, {0xff, 0xff}, 2}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct zb_world *w = new_world(1);
        struct zb_sim_node *c = zb_world_coordinator(w);
        const struct al_zb_store *s = c->config.store;
        uint8_t record[AL_ZB_RECORD_MAX];
        int len = s->load(s->ctx, AL_ZB_REC_NETWORK, record, sizeof record);
        assert_true(len > 32);
        zb_world_run(w, 1);
        memcpy(record + wrong[i].at, wrong[i].bytes, wrong[i].len);
        zb_sim_power_off(c);
        assert_int_equal(s->save(s->ctx, AL_ZB_REC_NETWORK, record, (size_t)len), 0);
        zb_world_power_on(w, c);
        zb_world_of(w, c)->seen = zb_world_of(w, c)->event_count;
        assert_int_equal(al_bdb_initialise(&c->zb.node.bdb, zb_sim_now(w->sim)), 0);
        assert_int_equal(zb_world_wait(w, c, AL_BDB_INITIALISED, 10), AL_ZB_NOT_THERE);
        zb_world_free(w);
    }
}

static void a_coordinator_survives_a_power_cut_while_a_device_joins(void **state)
{
    bool joined = false;
    for (unsigned nth = 1; !joined; nth++) {
        struct zb_world *w = new_world(nth);
        struct zb_sim_node *c = zb_world_coordinator(w);
        struct cut_store store;
        put_store(w, &store, c, 0, false);
        assert_int_equal(al_bdb_initialise(&c->zb.node.bdb, zb_sim_now(w->sim)), 0);
        assert_int_equal(zb_world_wait(w, c, AL_BDB_INITIALISED, 10), AL_ZB_OK);
        al_bdb_open(&c->zb.node.bdb, zb_sim_now(w->sim), 254);
        struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
        zb_world_run(w, 2);
        store.cut_at = store.saves + nth;
        assert_int_equal(al_bdb_steer(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
        until_cut_or(w, &store, d, AL_BDB_STEERED);
        joined = !store.cut;
        repair(&store);
        zb_sim_power_off(c);
        zb_world_restart(w, c);
        al_bdb_open(&c->zb.node.bdb, zb_sim_now(w->sim), 254);
        if (!joined && zb_world_wait(w, d, AL_BDB_STEERED, 300) != AL_ZB_OK) zb_world_join(w, d);
        assert_true(al_aps_key(&d->zb.node.aps, c->config.ext)->verified);
        zb_world_exchange(w, c, d);
        zb_world_exchange(w, d, c);
        zb_world_free(w);
    }
}

/* ---- Bindings and reports ---- */

#define REPORT_CLUSTER 0xfc01u

struct reporter {
    struct al_zcl_cluster cluster;
    struct al_zcl_attribute attr;
    uint16_t value;
};

static void add_reporter(struct zb_world *w, struct zb_sim_node *n, struct reporter *r)
{
    *r = (struct reporter){
        .value = 5,
        .attr = {.id = 1,
                 .type = AL_ZCL_UINT16,
                 .access = AL_ZCL_MAY_READ | AL_ZCL_MAY_REPORT,
                 .value = &r->value},

        .cluster = {.id = REPORT_CLUSTER, .attributes = &r->attr, .attribute_count = 1}};
    assert_int_equal(al_zcl_add_cluster(&zb_world_of(w, n)->endpoint, &r->cluster), 0);
}

static unsigned reports, group_reports;
static uint16_t in_group;

static void report_came(void *ctx, uint64_t now, const struct al_zcl_rx *rx)
{
    if (rx->aps->cluster != REPORT_CLUSTER) return;
    reports++;
    group_reports += rx->aps->group != 0;
}

static bool is_in_group(void *ctx, uint8_t endpoint, uint16_t group)
{
    return group == in_group;
}

static const struct al_zcl_up gateway = {.report = report_came, .in_group = is_in_group};

static void listen(struct zb_sim_node *c)
{
    c->zb.node.zcl.c.up = &gateway;
    reports = group_reports = 0;
}

static void done(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    assert_int_equal(a->status, AL_ZB_OK);
    *(int *)ctx = a->response->status;
}

static void bind(struct zb_world *w, struct zb_sim_node *c, struct zb_sim_node *d, bool unbind,
                 struct al_zdp_binding b)
{
    int status = -1;
    b.src = d->config.ext;
    b.src_endpoint = 1;
    b.cluster = REPORT_CLUSTER;
    const struct al_zdp q = {.cluster = unbind ? AL_ZDP_UNBIND : AL_ZDP_BIND, .bind = b};
    assert_int_equal(
        al_zdo_request(&c->zb.node.zdo, zb_sim_now(w->sim), d->zb.node.nwk.addr, &q, done, &status),
        0);
    zb_world_run(w, 3);
    assert_int_equal(status, AL_ZDP_SUCCESS);
}

static void configure(struct zb_world *w, struct zb_sim_node *c, struct zb_sim_node *d)
{
    /* direction, attribute, type, minimum 1 s, maximum 10 s, change 1 */
    static const uint8_t payload[] = {0, 1, 0, AL_ZCL_UINT16, 1, 0, 10, 0, 1, 0};
    assert_true(al_zcl_send(&c->zb.node.zcl, zb_sim_now(w->sim),
                            &(struct al_zcl_send){.dst = d->zb.node.nwk.addr,
                                                  .dst_ep = 1,
                                                  .src_ep = 1,
                                                  .cluster = REPORT_CLUSTER,
                                                  .command = AL_ZCL_CONFIGURE_REPORTING,
                                                  .payload = payload,
                                                  .len = sizeof payload}) >= 0);
    zb_world_run(w, 3);
}

static void restart_reporter(struct zb_world *w, struct zb_sim_node *d, struct reporter *r)
{
    zb_sim_power_off(d);
    zb_world_run(w, 10); /* no sequence number of its broadcasts is remembered any more */
    zb_world_power_on(w, d);
    add_reporter(w, d, r);
    assert_int_equal(al_bdb_initialise(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
    assert_int_equal(zb_world_wait(w, d, AL_BDB_INITIALISED, 60), AL_ZB_OK);
}

static void bindings_and_reports_survive_a_restart(void **state)
{
    struct zb_world *w = new_world(1);
    struct reporter r;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true);
    add_reporter(w, d, &r);
    listen(c);
    zb_world_join(w, d);
    bind(w, c, d, false,
         (struct al_zdp_binding){.mode = AL_ZDP_BIND_EXT, .dst = c->config.ext, .dst_endpoint = 1});
    configure(w, c, d);
    zb_world_run(w, 25);
    assert_in_range(reports, 3, 4);

    restart_reporter(w, d, &r);
    reports = 0;
    zb_world_run(w, 25);
    assert_in_range(reports, 3, 4);

    /* Unbound, it is silent also after a restart; the configuration is still there. */
    bind(w, c, d, true,
         (struct al_zdp_binding){.mode = AL_ZDP_BIND_EXT, .dst = c->config.ext, .dst_endpoint = 1});
    restart_reporter(w, d, &r);
    reports = 0;
    zb_world_run(w, 25);
    assert_int_equal(reports, 0);
    assert_int_equal(d->zb.node.zcl.c.reports[0].endpoint, 1);

    /* Who leaves forgets both. */
    bind(w, c, d, false, (struct al_zdp_binding){.mode = AL_ZDP_BIND_GROUP, .group = 1});
    assert_int_equal(d->zb.node.zdo.c.bindings[0].mode, AL_ZDP_BIND_GROUP);
    assert_int_equal(al_bdb_leave(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
    zb_world_run(w, 5);
    zb_sim_power_off(d);
    zb_world_power_on(w, d);
    assert_int_equal(d->zb.node.zcl.c.reports[0].endpoint, 0);
    assert_int_equal(d->zb.node.zdo.c.bindings[0].mode, 0);
    zb_world_free(w);
}

static void reports_go_to_groups(void **state)
{
    struct zb_world *w = new_world(1);
    struct reporter r;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    add_reporter(w, d, &r);
    listen(c);
    zb_world_join(w, d);
    bind(w, c, d, false, (struct al_zdp_binding){.mode = AL_ZDP_BIND_GROUP, .group = 0x1234});
    configure(w, c, d);
    in_group = 0x1235;
    zb_world_run(w, 25);
    assert_int_equal(reports, 0);
    in_group = 0x1234;
    zb_world_run(w, 25);
    assert_in_range(group_reports, 2, 3);
    assert_int_equal(reports, group_reports);
    zb_world_free(w);
}

/* The target of a binding is found again, though a device keeps no addresses. */
static void a_binding_to_another_device_works_after_a_restart(void **state)
{
    struct zb_world *w = new_world(1);
    struct reporter r;
    struct zb_sim_node *c = zb_world_coordinator_at(w, 0);
    struct zb_sim_node *router = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, ZB_WORLD_HOP);
    struct zb_sim_node *d = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, true, -ZB_WORLD_HOP);
    add_reporter(w, d, &r);
    zb_world_join(w, router);
    zb_world_join(w, d);
    bind(w, c, d, false,
         (struct al_zdp_binding){
             .mode = AL_ZDP_BIND_EXT, .dst = router->config.ext, .dst_endpoint = 1});
    configure(w, c, d);
    assert_int_equal(d->zb.node.nwk.parent, AL_NWK_COORDINATOR);
    restart_reporter(w, d, &r);
    listen(router);
    zb_world_run(w, 25);
    assert_in_range(reports, 2, 4);

    /* Away for a while, it is asked for until it is there. */
    zb_sim_power_off(router);
    restart_reporter(w, d, &r);
    zb_world_run(w, 20);
    zb_world_restart(w, router);
    listen(router);
    al_nwk_unlearn(&d->zb.node.nwk, zb_sim_now(w->sim), router->config.ext); /* announced */
    zb_world_run(w, 60);
    assert_in_range(reports, 2, 6);
    zb_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_device_survives_a_power_cut_at_any_save_of_its_join),
        cmocka_unit_test(a_router_survives_a_power_cut_at_any_save_of_its_join),
        cmocka_unit_test(a_device_whose_store_wears_out_while_it_joins_does_not_hang),
        cmocka_unit_test(a_device_survives_a_power_cut_while_it_leaves),
        cmocka_unit_test(a_coordinator_survives_a_power_cut_while_it_forms),
        cmocka_unit_test(a_network_record_out_of_range_is_no_network),
        cmocka_unit_test(a_coordinator_survives_a_power_cut_while_a_device_joins),
        cmocka_unit_test(bindings_and_reports_survive_a_restart),
        cmocka_unit_test(reports_go_to_groups),
        cmocka_unit_test(a_binding_to_another_device_works_after_a_restart),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(used.list);
    return failed;
}
