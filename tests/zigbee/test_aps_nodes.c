/* APS and trust on whole nodes over the model of the air: what messages cost there, that
 * nobody waits for others, new network keys, install codes, removal. */
#include "tests/support/zb_world.h"
#include "zigbee/trust.h"

#include <string.h>

#define PROFILE 0xc0deu /* of no application: nobody answers */
#define SECOND  1000000u
#define LENGTH  240u

static uint8_t asdu[512];

static int begin(void **state)
{
    *state = zb_world_new(&(struct medium_config){.seed = 4});
    return 0;
}

static int finish(void **state)
{
    zb_world_free(*state);
    return 0;
}

static struct al_aps *aps_of(struct zb_sim_node *n)
{
    return &n->zb.node.aps;
}

static void send(struct zb_world *w, struct zb_sim_node *from, struct zb_sim_node *to,
                 bool link_key)
{
    struct al_aps_send s = {
        .dst = to->zb.node.nwk.addr,
        .dst_ep = 200,
        .src_ep = 200,
        .profile = PROFILE,
        .asdu = asdu,
        .len = LENGTH,
        .fragment = true,
        .link_key = link_key,
    };
    assert_int_equal(al_aps_send(aps_of(from), zb_sim_now(w->sim), &s), 0);
    zb_sim_touch(from);
}

struct ended {
    const struct al_aps *aps;
    uint32_t messages;
};

static bool messages_ended(void *ctx)
{
    struct ended *e = ctx;
    return e->aps->tx_messages >= e->messages;
}

/* Microseconds for a message, the mean of many. */
static uint64_t cost(struct zb_world *w, struct zb_sim_node *from, struct zb_sim_node *to,
                     unsigned count)
{
    uint64_t start = zb_sim_now(w->sim);
    uint32_t failures = aps_of(from)->tx_failures;
    for (unsigned i = 0; i < count; i++) {
        struct ended e = {aps_of(from), aps_of(from)->tx_messages + 1};
        asdu[0]++;
        send(w, from, to, false);
        assert_true(zb_sim_run(w->sim, 60 * SECOND, messages_ended, &e));
    }
    assert_int_equal(aps_of(from)->tx_failures, failures);
    return (zb_sim_now(w->sim) - start) / count;
}

static void fragments_cost_what_their_frames_cost(void **state)
{
    /* Of three frames of 127 octets and acknowledgements of 48: typical times, and the least
     * that the air allows. */
    const uint64_t block = 6880, ack = 4352, least = 3 * 5120 + 2592;
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_ROUTER, false);
    zb_world_join(w, d);
    zb_sim_run(w->sim, 10 * SECOND, NULL, NULL);
    assert_in_range(cost(w, c, d, 100), least, (3 * block + ack) * 100 / 95);
    aps_of(c)->c.window = aps_of(d)->c.window = 1;
    assert_in_range(cost(w, c, d, 100), least, (3 * block + 3 * ack) * 100 / 95);
    /* The receiver finds out that the sender waits after each block. */
    aps_of(d)->c.window = 8;
    cost(w, c, d, 2);
    assert_in_range(cost(w, c, d, 100), least, (3 * block + 3 * ack) * 100 / 95);
}

static void twenty_receivers_are_served_as_fast_as_one(void **state)
{
    enum { COUNT = 20, ROUNDS = 5 };
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w), *d[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        d[i] = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
        zb_world_join(w, d[i]);
    }
    zb_sim_run(w->sim, 10 * SECOND, NULL, NULL);
    uint64_t one = cost(w, c, d[0], 50);
    struct ended e = {aps_of(c), aps_of(c)->tx_messages + COUNT * ROUNDS};
    uint32_t before[COUNT];
    for (unsigned i = 0; i < COUNT; i++) before[i] = aps_of(d[i])->rx_messages;
    uint64_t start = zb_sim_now(w->sim);
    for (unsigned i = 0; i < COUNT * ROUNDS; i++) {
        asdu[0]++;
        if (i == COUNT * ROUNDS / 2) { /* half of them in: everybody has had its turn */
            struct ended half = {aps_of(c), e.messages - COUNT * ROUNDS / 2};
            assert_true(zb_sim_run(w->sim, 60 * SECOND, messages_ended, &half));
            for (unsigned k = 0; k < COUNT; k++)
                assert_in_range(aps_of(d[k])->rx_messages - before[k], 2, 3);
        }
        send(w, c, d[i % COUNT], false);
    }
    assert_true(zb_sim_run(w->sim, 60 * SECOND, messages_ended, &e));
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(aps_of(d[i])->rx_messages - before[i], ROUNDS);
    assert_in_range((zb_sim_now(w->sim) - start) / (COUNT * ROUNDS), 1, one * 120 / 100);
}

static void sleepy_child_fetches_fragments(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true);
    zb_world_join(w, d);
    zb_sim_run(w->sim, 20 * SECOND, NULL, NULL);
    uint64_t down = cost(w, c, d, 10), up = cost(w, d, c, 10);
    assert_in_range(down, 1, 3 * SECOND / 2);
    assert_in_range(up, 1, SECOND / 4);
    assert_int_equal(aps_of(c)->tx_repeats, 0);
}

static void link_keys_protect_messages_over_two_hops(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator_at(w, 0);
    struct zb_sim_node *r = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, ZB_WORLD_HOP);
    zb_world_join(w, r);
    struct zb_sim_node *d = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, false, 2 * ZB_WORLD_HOP);
    zb_world_join(w, d);
    zb_sim_run(w->sim, 20 * SECOND, NULL, NULL);
    struct ended e = {aps_of(c), aps_of(c)->tx_messages + 1};
    uint32_t before = aps_of(d)->rx_messages;
    send(w, c, d, true);
    assert_true(zb_sim_run(w->sim, 10 * SECOND, messages_ended, &e));
    assert_int_equal(aps_of(c)->tx_failures, 0);
    assert_int_equal(aps_of(d)->rx_messages, before + 1);
}

/* ---- Trust ---- */

static uint8_t key_seq(const struct zb_sim_node *n)
{
    return al_nwk_active_key(&n->zb.node.nwk)->seq;
}

static void new_network_key_reaches_routers_and_sleepers(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *n[4] = {zb_world_coordinator_at(w, 0)};
    n[1] = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, ZB_WORLD_HOP);
    zb_world_join(w, n[1]);
    n[2] =
        zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, true, 2 * ZB_WORLD_HOP); /* behind the router */
    zb_world_join(w, n[2]);
    n[3] = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, true, -ZB_WORLD_HOP);
    zb_world_join(w, n[3]);
    zb_sim_run(w->sim, 20 * SECOND, NULL, NULL);
    for (uint8_t seq = 1; seq < 4; seq++) {
        assert_int_equal(al_trust_change_key(&n[0]->zb.node.trust, zb_sim_now(w->sim)), 0);
        zb_sim_touch(n[0]);
        zb_sim_run(w->sim, 60 * SECOND, NULL, NULL);
        for (unsigned i = 0; i < 4; i++) assert_int_equal(key_seq(n[i]), seq);
        zb_world_exchange(w, n[2], n[3]);
        zb_world_exchange(w, n[0], n[2]);
    }
}

static void install_codes_open_the_door(void **state)
{
    static const uint8_t key[16] = {0x66, 0xb6, 0x90, 0x09};
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true);
    struct al_trust *centre = &c->zb.node.trust;
    centre->c.install_codes_only = true;
    assert_int_not_equal(zb_world_steer(w, d), AL_ZB_OK);
    assert_int_equal(al_trust_add_install_key(centre, d->config.ext, key), 0);
    assert_int_not_equal(zb_world_steer(w, d), AL_ZB_OK); /* it does not know the code */
    assert_int_equal(al_trust_add_install_key(&d->zb.node.trust, AL_APS_ANY_PARTNER, key), 0);
    zb_world_join(w, d);
    assert_int_equal(al_aps_key(aps_of(c), d->config.ext)->kind, AL_APS_KEY_UNIQUE);
    zb_world_exchange(w, c, d);
}

static void trust_centre_throws_out(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator_at(w, 0);
    struct zb_sim_node *r = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, ZB_WORLD_HOP);
    zb_world_join(w, r);
    struct zb_sim_node *d = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, true, 2 * ZB_WORLD_HOP);
    zb_world_join(w, d);
    zb_sim_run(w->sim, 20 * SECOND, NULL, NULL);
    assert_int_equal(al_trust_remove(&c->zb.node.trust, zb_sim_now(w->sim), d->config.ext), 0);
    zb_sim_touch(c);
    zb_sim_run(w->sim, 10 * SECOND, NULL, NULL);
    zb_world_expect(w, d, AL_BDB_LEFT, 0);
    assert_true(al_bdb_factory_new(&d->zb.node.bdb));
    assert_int_equal(al_trust_remove(&c->zb.node.trust, zb_sim_now(w->sim), r->config.ext), 0);
    zb_sim_touch(c);
    zb_sim_run(w->sim, 10 * SECOND, NULL, NULL);
    zb_world_expect(w, r, AL_BDB_LEFT, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)
    const struct CMUnitTest tests[] = {
        TEST(fragments_cost_what_their_frames_cost),
        TEST(twenty_receivers_are_served_as_fast_as_one),
        TEST(sleepy_child_fetches_fragments),
        TEST(link_keys_protect_messages_over_two_hops),
        TEST(new_network_key_reaches_routers_and_sleepers),
        TEST(install_codes_open_the_door),
        TEST(trust_centre_throws_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
