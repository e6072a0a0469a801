/* Whole nodes on the model of the air: they form, join, come back and leave. */
#include "tests/support/zb_world.h"

static void a_coordinator_forms_and_a_router_joins(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *r = zb_world_add(w, AL_NWK_ROLE_ROUTER, false);
    zb_world_join(w, r);
    assert_int_equal(r->zb.node.nwk.pan_id, c->zb.node.nwk.pan_id);
    assert_int_equal(r->zb.node.nwk.epid, c->zb.node.nwk.ext);
    assert_int_not_equal(r->zb.node.nwk.addr, 0);
    assert_int_equal(al_nwk_addr_of(&c->zb.node.nwk, r->config.ext), r->zb.node.nwk.addr);
    /* Its own link key, not the one that everybody knows. */
    const struct al_aps_link_key *k = al_aps_key(&c->zb.node.aps, r->config.ext);
    assert_non_null(k);
    assert_int_equal(k->kind, AL_APS_KEY_UNIQUE);
    assert_true(k->verified);
    zb_world_expect(w, c, AL_BDB_ASSOCIATED, r->config.ext);
    zb_world_expect(w, c, AL_BDB_DEVICE, r->config.ext);
    zb_world_expect(w, c, AL_BDB_ANNOUNCED, r->config.ext);
    zb_world_expect(w, c, AL_BDB_AUTHORISED, r->config.ext);
    zb_world_expect(w, c, AL_BDB_PROVED, r->config.ext);
}

static void end_devices_join_listening_and_sleeping(void **state)
{
    struct zb_world *w = *state;
    zb_world_coordinator(w);
    struct zb_sim_node *listening = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    struct zb_sim_node *sleepy = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true);
    zb_world_join(w, listening);
    zb_world_join(w, sleepy);
    zb_world_exchange(w, listening, sleepy);
    zb_world_exchange(w, sleepy, listening);
}

static void a_sleepy_device_joins_behind_two_routers(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator_at(w, 0);
    struct zb_sim_node *r1 = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, ZB_WORLD_HOP);
    zb_world_join(w, r1);
    struct zb_sim_node *r2 = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, 2 * ZB_WORLD_HOP);
    zb_world_join(w, r2);
    struct zb_sim_node *d = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, true, 3 * ZB_WORLD_HOP);
    zb_world_join(w, d);
    assert_int_equal(d->zb.node.nwk.parent, r2->zb.node.nwk.addr);
    assert_int_equal(r2->zb.node.nwk.depth, 2);
    zb_world_exchange(w, d, c);
    zb_world_exchange(w, c, d);
}

static void every_node_comes_back_after_a_power_cut(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *nodes[] = {
        zb_world_coordinator(w),
        zb_world_add(w, AL_NWK_ROLE_ROUTER, false),
        zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false),
        zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true),
    };
    for (int i = 1; i < 4; i++) zb_world_join(w, nodes[i]);
    for (int i = 0; i < 4; i++) {
        uint16_t addr = nodes[i]->zb.node.nwk.addr;
        zb_sim_power_off(nodes[i]);
        zb_sim_run(w->sim, 3000000, NULL, NULL);
        zb_world_restart(w, nodes[i]);
        assert_int_equal(nodes[i]->zb.node.nwk.addr, addr);
        for (int other = 0; other < 4; other++)
            if (other != i) {
                zb_world_exchange(w, nodes[i], nodes[other]);
                zb_world_exchange(w, nodes[other], nodes[i]);
            }
    }
}

static void a_closed_network_takes_nobody(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    assert_int_equal(al_bdb_open(&c->zb.node.bdb, zb_sim_now(w->sim), 0), 0);
    struct zb_sim_node *r = zb_world_add(w, AL_NWK_ROLE_ROUTER, false);
    assert_int_equal(zb_world_steer(w, r), AL_ZB_NO_NETWORK);
    assert_true(al_bdb_factory_new(&r->zb.node.bdb));
}

static void a_device_that_is_told_to_leaves_and_may_join_again(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true);
    zb_world_join(w, d);
    assert_int_equal(al_trust_remove(&c->zb.node.trust, zb_sim_now(w->sim), d->config.ext), 0);
    zb_sim_touch(c);
    zb_sim_run(w->sim, 12000000, NULL, NULL);
    zb_world_expect(w, d, AL_BDB_LEFT, 0);
    assert_true(al_bdb_factory_new(&d->zb.node.bdb));
    zb_world_join(w, d);
}

static struct {
    unsigned count;
    uint64_t first, last;
} matches;

static void match_came(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    if (a->status != AL_ZB_OK) return;
    if (!matches.count++) matches.first = now;
    matches.last = now;
}

static void answers_to_a_broadcast_are_spread(void **state)
{
    static const uint16_t cluster = 0xfc00;
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    for (int i = 0; i < 6; i++) zb_world_join(w, zb_world_add(w, AL_NWK_ROLE_ROUTER, false));
    zb_world_run(w, 5);
    memset(&matches, 0, sizeof matches);
    assert_int_equal(al_zdo_match_desc(&c->zb.node.zdo, zb_sim_now(w->sim), AL_NWK_ALL_RX_ON,
                                       AL_PROFILE_HA, &cluster, 1, NULL, 0, match_came, NULL),
                     0);
    zb_world_run(w, 5);
    assert_int_equal(matches.count, 6);
    /* Six answers at once would be through in 60 ms. */
    assert_in_range(matches.last - matches.first, 70000, 800000);
}

static void joining_works_through_loss(void **state)
{
    zb_world_free(*state);
    for (unsigned seed = 1; seed <= 10; seed++) {
        struct zb_world *w = zb_world_new(&(struct medium_config){.seed = seed, .loss = 0.2});
        *state = w;
        struct zb_sim_node *c = zb_world_coordinator(w);
        struct zb_sim_node *r = zb_world_add(w, AL_NWK_ROLE_ROUTER, false);
        struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true);
        zb_world_join(w, r);
        zb_world_join(w, d);
        zb_world_exchange(w, c, d);
        zb_world_free(w);
        *state = NULL;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ZB_WORLD_TEST(a_coordinator_forms_and_a_router_joins),
        ZB_WORLD_TEST(end_devices_join_listening_and_sleeping),
        ZB_WORLD_TEST(a_sleepy_device_joins_behind_two_routers),
        ZB_WORLD_TEST(every_node_comes_back_after_a_power_cut),
        ZB_WORLD_TEST(a_closed_network_takes_nobody),
        ZB_WORLD_TEST(a_device_that_is_told_to_leaves_and_may_join_again),
        ZB_WORLD_TEST(answers_to_a_broadcast_are_spread),
        ZB_WORLD_TEST(joining_works_through_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
