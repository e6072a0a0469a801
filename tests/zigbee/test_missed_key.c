/* A network key that was changed while a device could not hear: it notices by what it can no
 * longer read, and gets the key from the trust centre. */
#include "tests/support/zb_world.h"

/* Child of c; a frame for it waits shorter than it sleeps. */
static struct zb_sim_node *long_sleeper(struct zb_world *w)
{
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true);
    zb_world_join(w, d);
    d->zb.node.nwk.c.long_poll_ms = 60000;
    zb_world_run(w, 30);
    return d;
}

static uint8_t key_seq(const struct zb_sim_node *n)
{
    return al_nwk_active_key(&n->zb.node.nwk)->seq;
}

static void change_key(struct zb_world *w, struct zb_sim_node *c)
{
    assert_int_equal(al_trust_change_key(&c->zb.node.trust, zb_sim_now(w->sim)), 0);
    zb_sim_touch(c);
    zb_world_run(w, 40);
    assert_int_equal(key_seq(c), 1);
}

static void a_sleeper_that_cannot_read_its_parent_gets_the_new_key(void **state)
{
    static const uint8_t payload[8];
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w), *d = long_sleeper(w);
    change_key(w, c);
    assert_int_equal(key_seq(d), 0); /* else this test shows nothing */
    d->zb.node.nwk.c.long_poll_ms = 1000;
    al_nwk_fast_poll(&d->zb.node.nwk, zb_sim_now(w->sim), zb_sim_now(w->sim) + 1000000);
    zb_sim_touch(d);
    for (unsigned i = 0; i < 3; i++) {
        struct al_nwk_send s = {.dst = d->zb.node.nwk.addr, .payload = payload, .len = 8};
        assert_true(al_nwk_send(&c->zb.node.nwk, zb_sim_now(w->sim), &s) >= 0);
        zb_sim_touch(c);
        assert_int_equal(key_seq(d), 0); /* one frame may be anybody's */
        zb_world_run(w, 5);
    }
    zb_world_run(w, 60);
    assert_int_equal(key_seq(d), 1);
    zb_world_exchange(w, c, d);
    zb_world_exchange(w, d, c);
}

static void a_listening_device_that_missed_the_switch_hears_that_it_did(void **state)
{
    struct zb_world *w = *state;
    static const uint8_t fresh[16] = {9, 9, 9};
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    zb_world_join(w, d);
    zb_world_run(w, 30);
    al_nwk_set_key(&c->zb.node.nwk, zb_sim_now(w->sim), fresh, 1);
    al_nwk_switch_key(&c->zb.node.nwk, zb_sim_now(w->sim), 1);
    zb_sim_touch(c);
    zb_world_run(w, 120);
    assert_int_equal(key_seq(d), 1);
    zb_world_exchange(w, c, d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ZB_WORLD_TEST(a_sleeper_that_cannot_read_its_parent_gets_the_new_key),
        ZB_WORLD_TEST(a_listening_device_that_missed_the_switch_hears_that_it_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
