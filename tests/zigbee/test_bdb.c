/* Leaving, being sent away, ageing out, and layers that never answer. Whole nodes in virtual
 * time. */
#include "tests/support/zb_world.h"

static struct zb_sim_node *c, *r, *d; /* coordinator at 0 m, router, sleepy device behind it */

static void three_nodes(struct zb_world *w)
{
    c = zb_world_coordinator_at(w, 0);
    r = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, ZB_WORLD_HOP);
    d = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, true, 2 * ZB_WORLD_HOP);
    zb_world_join(w, r);
    zb_world_join(w, d);
    zb_world_run(w, 20);
}

static bool knows(const struct zb_sim_node *n, const struct zb_sim_node *other)
{
    return al_nwk_addr_of(&n->zb.node.nwk, other->config.ext) != AL_NWK_NO_ADDR;
}

static void assert_gone(struct zb_world *w)
{
    zb_world_wait(w, d, AL_BDB_LEFT, 20);
    assert_true(al_bdb_factory_new(&d->zb.node.bdb));
    assert_null(al_aps_key(&d->zb.node.aps, c->config.ext));
    zb_world_run(w, 5);
    zb_world_expect(w, c, AL_BDB_DEVICE_LEFT, d->config.ext);
    assert_false(knows(c, d));
    assert_null(al_nwk_neighbour_ext(&r->zb.node.nwk, d->config.ext));
    assert_int_equal(al_bdb_open(&c->zb.node.bdb, zb_sim_now(w->sim), 254), 0);
    zb_world_run(w, 2);
    zb_world_join(w, d);
    zb_world_exchange(w, c, d);
}

/* ---- Leaving ---- */

static void a_device_leaves_by_itself(void **state)
{
    struct zb_world *w = *state;
    three_nodes(w);
    assert_int_equal(al_bdb_leave(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
    assert_gone(w);
}

static struct al_zdo_answer answer;
static uint8_t answer_status;
static unsigned answers;

static void answered(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    answer = *a;
    answer_status = a->response ? a->response->status : 0xff;
    answers++;
}

static void order_leave(struct zb_world *w, struct zb_sim_node *from, struct zb_sim_node *to,
                        bool rejoin)
{
    answers = 0;
    assert_int_equal(al_zdo_leave(&from->zb.node.zdo, zb_sim_now(w->sim), to->zb.node.nwk.addr, 0,
                                  false, rejoin, answered, NULL),
                     0);
    zb_world_run(w, 3);
    assert_int_equal(answers, 1);
    assert_int_equal(answer.status, AL_ZB_OK);
}

static void mgmt_leave_sends_a_device_away(void **state)
{
    struct zb_world *w = *state;
    three_nodes(w);
    order_leave(w, c, d, false);
    assert_int_equal(answer_status, AL_ZDP_SUCCESS);
    assert_gone(w);
}

static void mgmt_leave_with_rejoin_brings_it_back(void **state)
{
    struct zb_world *w = *state;
    three_nodes(w);
    uint16_t addr = d->zb.node.nwk.addr;
    order_leave(w, c, d, true);
    assert_int_equal(answer_status, AL_ZDP_SUCCESS);
    assert_int_equal(zb_world_wait(w, d, AL_BDB_REJOINED, 20), AL_ZB_OK);
    zb_world_expect(w, d, AL_BDB_LEFT, 0);
    assert_int_equal(d->zb.node.nwk.addr, addr);
    assert_true(al_aps_key(&d->zb.node.aps, c->config.ext)->verified);
    zb_world_exchange(w, c, d);
    /* A router, too. */
    order_leave(w, c, r, true);
    assert_int_equal(zb_world_wait(w, r, AL_BDB_REJOINED, 20), AL_ZB_OK);
    zb_world_run(w, 30);
    zb_world_exchange(w, c, d);
}

static void mgmt_leave_of_a_stranger_is_refused(void **state)
{
    struct zb_world *w = *state;
    three_nodes(w);
    struct zb_sim_node *stranger = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, false, 10);
    zb_world_join(w, stranger);
    order_leave(w, stranger, r, false);
    assert_int_equal(answer_status, AL_ZDP_NOT_AUTHORISED);
    order_leave(w, d, r, false); /* a child may not send its parent away */
    assert_int_equal(answer_status, AL_ZDP_NOT_AUTHORISED);
    order_leave(w, c, r, true); /* the coordinator may: see above */
    assert_int_equal(answer_status, AL_ZDP_SUCCESS);
    zb_world_run(w, 30);
    assert_true(al_bdb_is_member(&r->zb.node.bdb));
    assert_true(al_bdb_is_member(&d->zb.node.bdb));
}

static void remove_device_takes_a_routers_child_away(void **state)
{
    struct zb_world *w = *state;
    three_nodes(w);
    assert_int_equal(al_trust_remove(&c->zb.node.trust, zb_sim_now(w->sim), d->config.ext), 0);
    assert_gone(w);
}

static void factory_reset_ends_whatever_is_under_way(void **state)
{
    struct zb_world *w = *state;
    three_nodes(w);
    zb_sim_power_off(r);
    zb_world_until_state(w, d, AL_BDB_REJOIN);
    al_node_factory_reset(&d->zb.node, zb_sim_now(w->sim));
    assert_true(al_bdb_factory_new(&d->zb.node.bdb));
    zb_world_run(w, 60);
    assert_true(al_bdb_factory_new(&d->zb.node.bdb));
    zb_world_restart(w, r);
    al_bdb_open(&r->zb.node.bdb, zb_sim_now(w->sim), 254);
    zb_world_run(w, 2);
    zb_world_join(w, d);
}

/* ---- Ageing, conflicts ---- */

static void a_dead_child_is_dropped_and_the_trust_centre_hears_of_it(void **state)
{
    struct zb_world *w = *state;
    c = zb_world_coordinator_at(w, 0);
    r = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, ZB_WORLD_HOP);
    d = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, true, 2 * ZB_WORLD_HOP);
    d->zb.node.nwk.c.timeout_index = 1; /* two minutes */
    zb_world_join(w, r);
    zb_world_join(w, d);
    zb_world_run(w, 10);
    assert_int_equal(al_nwk_neighbour_ext(&r->zb.node.nwk, d->config.ext)->timeout_index, 1);
    zb_world_run(w, 300); /* its polls keep it */
    assert_non_null(al_nwk_neighbour_ext(&r->zb.node.nwk, d->config.ext));
    zb_sim_power_off(d);
    zb_world_run(w, 110);
    assert_non_null(al_nwk_neighbour_ext(&r->zb.node.nwk, d->config.ext));
    assert_int_equal(zb_world_count(w, c, AL_BDB_DEVICE_LEFT, d->config.ext), 0);
    zb_world_run(w, 20);
    assert_null(al_nwk_neighbour_ext(&r->zb.node.nwk, d->config.ext));
    assert_int_equal(zb_world_count(w, c, AL_BDB_DEVICE_LEFT, d->config.ext), 1);
    /* Its keys are still known: it comes back without being let in. */
    al_bdb_open(&c->zb.node.bdb, zb_sim_now(w->sim), 0);
    zb_world_restart(w, d);
    zb_world_exchange(w, c, d);
}

static void two_devices_with_one_address_get_different_ones(void **state)
{
    struct zb_world *w = *state;
    three_nodes(w);
    struct zb_sim_node *other = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, true, 5);
    zb_world_join(w, other);
    assert_int_equal(other->zb.node.nwk.parent, AL_NWK_COORDINATOR);
    zb_world_run(w, 5);
    /* Both parents gave the same one, behind each other's back. */
    uint16_t addr = d->zb.node.nwk.addr;
    struct al_nwk *parent = &c->zb.node.nwk;
    al_nwk_unlearn(parent, zb_sim_now(w->sim), d->config.ext);
    al_nwk_neighbour_ext(parent, other->config.ext)->addr = addr;
    other->zb.node.nwk.addr = addr;
    al_mac_start(&other->zb.node.mac, other->zb.node.nwk.channel, other->zb.node.nwk.pan_id, addr,
                 false);
    assert_int_equal(al_zdo_announce(&d->zb.node.zdo, zb_sim_now(w->sim)), 0);
    zb_world_run(w, 60);
    assert_int_not_equal(other->zb.node.nwk.addr, d->zb.node.nwk.addr);
    zb_world_expect(w, c, AL_BDB_NWK_STATUS, 0);
    assert_int_equal(al_nwk_addr_of(&c->zb.node.nwk, d->config.ext), d->zb.node.nwk.addr);
    assert_int_equal(al_nwk_addr_of(&c->zb.node.nwk, other->config.ext), other->zb.node.nwk.addr);
    zb_world_exchange(w, c, d);
    zb_world_exchange(w, c, other);
}

/* ---- Layers that never answer ---- */

/* Stands below base device behaviour and says nothing of this kind. */
static struct al_nwk_up mute_nwk;
static struct al_trust_up mute_trust;

static void make_mute(struct zb_sim_node *n, enum al_bdb_state state)
{
    mute_nwk = *n->zb.node.nwk.c.up;
    mute_trust = *n->zb.node.trust.c.up;
    switch (state) {
    case AL_BDB_ENERGY:
    case AL_BDB_DISCOVER:
        mute_nwk.discovered = NULL;
        break;
    case AL_BDB_JOIN:
    case AL_BDB_REJOIN:
        mute_nwk.joined = NULL;
        break;
    case AL_BDB_WAIT_KEY:
        mute_trust.network_key = NULL;
        break;
    case AL_BDB_EXCHANGE:
        mute_trust.exchanged = NULL;
        break;
    case AL_BDB_LEAVE:
        mute_nwk.left = NULL;
        break;
    default:
        break;
    }
    n->zb.node.nwk.c.up = &mute_nwk;
    n->zb.node.trust.c.up = &mute_trust;
}

static void every_wait_of_steering_ends(void **state)
{
    static const struct {
        enum al_bdb_state state;
        enum al_zb_status status;
    } waits[] = {{AL_BDB_DISCOVER, AL_ZB_RADIO},
                 {AL_BDB_JOIN, AL_ZB_TIMEOUT},
                 {AL_BDB_WAIT_KEY, AL_ZB_TIMEOUT},
                 {AL_BDB_EXCHANGE, AL_ZB_TIMEOUT}};
    struct zb_world *w = *state;
    c = zb_world_coordinator(w);
    for (unsigned i = 0; i < sizeof waits / sizeof *waits; i++) {
        struct zb_sim_node *n = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, i % 2);
        const struct al_nwk_up *nwk_up = n->zb.node.nwk.c.up;
        const struct al_trust_up *trust_up = n->zb.node.trust.c.up;
        al_nwk_permit(&c->zb.node.nwk, zb_sim_now(w->sim), 254);
        zb_world_run(w, 2);
        make_mute(n, waits[i].state);
        enum al_zb_status status = AL_ZB_NO_NETWORK; /* also when a beacon collides */
        while (status == AL_ZB_NO_NETWORK) {
            assert_int_equal(al_bdb_steer(&n->zb.node.bdb, zb_sim_now(w->sim)), 0);
            status = zb_world_wait(w, n, AL_BDB_STEERED, 400);
        }
        assert_int_equal(status, waits[i].status);
        assert_true(al_bdb_factory_new(&n->zb.node.bdb));
        /* Nothing is stuck: with the layers talking again it works. */
        n->zb.node.nwk.c.up = nwk_up;
        n->zb.node.trust.c.up = trust_up;
        al_nwk_permit(&c->zb.node.nwk, zb_sim_now(w->sim), 254);
        zb_world_join(w, n);
        zb_world_exchange(w, c, n);
    }
}

static void formation_and_return_end_as_well(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *other = zb_world_add(w, AL_NWK_ROLE_COORDINATOR, false);
    make_mute(other, AL_BDB_ENERGY);
    assert_int_equal(al_bdb_form(&other->zb.node.bdb, zb_sim_now(w->sim)), 0);
    assert_int_equal(zb_world_wait(w, other, AL_BDB_FORMED, 60), AL_ZB_RADIO);
    assert_true(al_bdb_factory_new(&other->zb.node.bdb));

    c = zb_world_coordinator(w);
    d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    zb_world_join(w, d);
    zb_sim_power_off(d);
    assert_int_equal(zb_sim_power_on(d), 0);
    const struct al_nwk_up *talking = d->zb.node.nwk.c.up;
    make_mute(d, AL_BDB_REJOIN);
    assert_int_equal(al_bdb_initialise(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
    assert_int_equal(zb_world_wait(w, d, AL_BDB_INITIALISED, 300), AL_ZB_RADIO);
    d->zb.node.nwk.c.up = talking;
    assert_int_equal(zb_world_wait(w, d, AL_BDB_REJOINED, 100), AL_ZB_OK);
}

static uint32_t always(void *ctx)
{
    return *(const uint32_t *)ctx;
}

static void a_new_network_takes_no_pan_id_that_is_taken(void **state)
{
    struct zb_world *w = *state;
    c = zb_world_coordinator(w);
    uint32_t random = c->zb.node.nwk.pan_id - 1u; /* leads to the same one */
    struct zb_sim_node *other = zb_world_add(w, AL_NWK_ROLE_COORDINATOR, false);
    other->zb.node.bdb.c.random = (struct al_zb_random){&random, always};
    assert_int_equal(al_bdb_form(&other->zb.node.bdb, zb_sim_now(w->sim)), 0);
    assert_int_equal(zb_world_wait(w, other, AL_BDB_FORMED, 10), AL_ZB_OK);
    assert_int_equal(other->zb.node.nwk.pan_id, c->zb.node.nwk.pan_id + 1);
}

static void a_leave_that_is_stuck_does_not_keep_it_from_trying_again(void **state)
{
    struct zb_world *w = *state;
    c = zb_world_coordinator(w);
    d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    make_mute(d, AL_BDB_LEAVE);
    mute_trust.exchanged = NULL;
    assert_int_equal(al_bdb_steer(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
    assert_int_equal(zb_world_wait(w, d, AL_BDB_STEERED, 400), AL_ZB_TIMEOUT);
    assert_int_equal(zb_world_count(w, c, AL_BDB_AUTHORISED, d->config.ext), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ZB_WORLD_TEST(a_device_leaves_by_itself),
        ZB_WORLD_TEST(mgmt_leave_sends_a_device_away),
        ZB_WORLD_TEST(mgmt_leave_with_rejoin_brings_it_back),
        ZB_WORLD_TEST(mgmt_leave_of_a_stranger_is_refused),
        ZB_WORLD_TEST(remove_device_takes_a_routers_child_away),
        ZB_WORLD_TEST(factory_reset_ends_whatever_is_under_way),
        ZB_WORLD_TEST(a_dead_child_is_dropped_and_the_trust_centre_hears_of_it),
        ZB_WORLD_TEST(two_devices_with_one_address_get_different_ones),
        ZB_WORLD_TEST(every_wait_of_steering_ends),
        ZB_WORLD_TEST(formation_and_return_end_as_well),
        ZB_WORLD_TEST(a_new_network_takes_no_pan_id_that_is_taken),
        ZB_WORLD_TEST(a_leave_that_is_stuck_does_not_keep_it_from_trying_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
