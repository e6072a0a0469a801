/* End devices and their parents: polls, which parent is taken, who is whose child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/nwk_bench.h"

static struct nwk_bench bench;

static int set_up(void **state)
{
    nwk_bench_init(&bench, NULL);
    nwk_bench_add(&bench, COORDINATOR);
    return 0;
}

static int tear_down(void **state)
{
    nwk_bench_free(&bench);
    return 0;
}

static void a_sleeper_fetches_all_that_waits_at_once(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(s);
    nwk_bench_run(&bench, 20 * SECOND);
    for (uint16_t handle = 1; handle <= 5; handle++)
        assert_int_equal(nwk_bench_send(c, s->nwk.addr, "x", handle), 0);
    while (!s->got) nwk_bench_run(&bench, MS);
    nwk_bench_run(&bench, 200 * MS); /* a poll is due every 5 s only */
    assert_int_equal(s->got, 5);
}

static void a_sleeper_polls_fast_while_it_expects_something(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(s);
    nwk_bench_run(&bench, 20 * SECOND);
    uint64_t now = nwk_bench_now(&bench);
    al_nwk_fast_poll(&s->nwk, now, now + 10 * SECOND);
    nwk_bench_arm(s);
    nwk_bench_run(&bench, 150 * MS);
    for (unsigned i = 0; i < 8; i++) {
        nwk_bench_send(c, s->nwk.addr, "x", 1);
        nwk_bench_run(&bench, 150 * MS);
        assert_int_equal(c->sent[1], AL_ZB_OK);
    }
    nwk_bench_run(&bench, 15 * SECOND);
    uint32_t rx = c->mac.rx_frames;
    nwk_bench_run(&bench, 20 * SECOND);
    assert_in_range(c->mac.rx_frames - rx, 3, 5); /* slow again */
}

static void frames_for_a_dead_sleeper_expire(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(s);
    nwk_bench_kill(s);
    nwk_bench_send(c, s->nwk.addr, "x", 1);
    nwk_bench_run(&bench, 7 * SECOND);
    assert_int_equal(c->sent[1], -1);
    nwk_bench_run(&bench, SECOND);
    assert_int_equal(c->sent[1], AL_ZB_EXPIRED);
}

/* A newer counter overheard would make what was polled for a replay. */
static void a_sleeper_does_not_listen_to_broadcasts(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(s);
    uint32_t before = s->nwk.rx_frames;
    const uint8_t payload[] = {0x08, 0x02, 0xff, 0xff, 0, 0, 30, 1, 0};
    const struct al_mac_data_ind ind = {.dst = al_mac_short(NWK_BENCH_PAN, AL_MAC_BROADCAST),
                                        .src = al_mac_short(NWK_BENCH_PAN, 0),
                                        .payload = payload,
                                        .len = sizeof payload};
    al_nwk_mac_up.data(&s->nwk, nwk_bench_now(&bench), &ind);
    assert_int_equal(s->nwk.rx_frames, before);
    nwk_bench_passes(c, s, "polled for");
}

static void the_first_secured_frame_makes_a_member(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *e = nwk_bench_add(&bench, END_DEVICE);
    c->tell_no_result = true;
    nwk_bench_join(e); /* its time-out request was the first */
    assert_int_equal(al_nwk_neighbour_ext(&c->nwk, e->ext)->relation, AL_NWK_CHILD);
    nwk_bench_run(&bench, 30 * SECOND);
    nwk_bench_passes(c, e, "still there");
    /* Once more, with counters that begin anew: those of a child that is known count until the
     * key has gone out. */
    c->tell_no_result = false;
    uint16_t addr = e->nwk.addr;
    al_nwk_forget(&e->nwk);
    e->nwk.counter = e->nwk.counter_reserved = 0;
    nwk_bench_join(e);
    assert_int_equal(e->nwk.addr, addr);
    nwk_bench_passes(e, c, "anew");
    assert_int_equal(c->nwk.dropped_replay, 0);
}

static void the_parent_heard_best_is_taken(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r1 = nwk_bench_add(&bench, ROUTER),
                    *r2 = nwk_bench_add(&bench, ROUTER), *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(r1);
    nwk_bench_join(r2);
    nwk_bench_permit(r1, 0);
    nwk_bench_permit(r2, 0);
    nwk_bench_join(s);
    assert_int_equal(s->nwk.parent, 0);
    struct nwk_node *all[] = {c, r1, r2};
    for (unsigned best = 0; best < 6; best++) {
        for (unsigned i = 0; i < 3; i++)
            medium_set_link(all[i]->air, s->air, 1, i == best % 3 ? -70 : -80);
        nwk_bench_rejoin(s, true);
        assert_int_equal(s->joined, AL_ZB_OK);
        assert_int_equal(s->nwk.parent, all[best % 3]->nwk.addr);
    }
    /* The next best one, when the best does not answer. */
    medium_set_link(r1->air, s->air, 1, -65);
    medium_set_link(s->air, r1->air, 0, -70);
    s->joined = -1;
    nwk_bench_rejoin(s, true);
    nwk_bench_run(&bench, 5 * SECOND);
    assert_int_equal(s->joined, AL_ZB_OK);
    assert_int_equal(s->nwk.parent, r2->nwk.addr);
}

static void a_child_that_moved_is_nobodys_twice(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER),
                    *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(r);
    nwk_bench_permit(r, 0);
    nwk_bench_join(s);
    nwk_bench_run(&bench, 20 * SECOND);
    medium_set_link(c->air, s->air, 0, -50);
    nwk_bench_rejoin(s, true);
    assert_int_equal(s->nwk.parent, r->nwk.addr);
    assert_true(al_nwk_sleepy_child(&c->nwk, s->nwk.addr));
    const struct al_nwk_send annce = {.dst = AL_NWK_ALL_RX_ON,
                                      .payload = (const uint8_t *)"here",
                                      .len = 4,
                                      .with_src_ext = true};
    assert_int_equal(al_nwk_send(&s->nwk, nwk_bench_now(&bench), &annce), 0);
    nwk_bench_arm(s);
    nwk_bench_run(&bench, 2 * SECOND);
    assert_false(al_nwk_sleepy_child(&c->nwk, s->nwk.addr));
    assert_true(al_nwk_sleepy_child(&r->nwk, s->nwk.addr));
    assert_int_equal(al_nwk_addr_of(&c->nwk, s->ext), s->nwk.addr);
    nwk_bench_passes(c, s, "over its new parent");
}

static void a_parent_is_lost_by_failures_in_a_row_only(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *e = nwk_bench_add(&bench, END_DEVICE);
    nwk_bench_join(e);
    nwk_bench_run(&bench, 5 * SECOND);
    for (unsigned i = 0; i < 5; i++) {
        nwk_bench_part(c, e);
        nwk_bench_send(e, 0, "lost", 1);
        nwk_bench_run(&bench, SECOND);
        assert_int_equal(e->sent[1], AL_ZB_NO_ACK);
        nwk_bench_meet(c, e);
        nwk_bench_passes(e, c, "not lost");
    }
    assert_int_equal(e->lost, 0);
    nwk_bench_part(c, e);
    for (unsigned i = 0; i < 4; i++) {
        nwk_bench_send(e, 0, "lost", 1);
        nwk_bench_run(&bench, SECOND);
    }
    assert_int_equal(e->lost, 1);
}

static void a_key_that_the_network_left_behind_needs_the_other_rejoin(void **state)
{
    static const uint8_t fresh[16] = {7, 7};
    struct nwk_node *c = nwk_bench_form(&bench), *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(s);
    nwk_bench_kill(s);
    for (uint8_t seq = 1; seq <= 2; seq++) { /* both keys are replaced */
        al_nwk_set_key(&c->nwk, nwk_bench_now(&bench), fresh, seq);
        al_nwk_switch_key(&c->nwk, nwk_bench_now(&bench), seq);
    }
    memcpy(bench.key, fresh, sizeof fresh);
    bench.key_seq = 2;
    nwk_bench_restart(s);
    nwk_bench_rejoin(s, true);
    nwk_bench_run(&bench, 20 * SECOND);
    assert_int_equal(s->joined, AL_ZB_TIMEOUT);
    nwk_bench_rejoin(s, false);
    assert_int_equal(s->joined, AL_ZB_OK);
    assert_int_equal(al_nwk_active_key(&s->nwk)->seq, 2);
    nwk_bench_passes(c, s, "with the new key");
    nwk_bench_passes(s, c, "both ways");
}

static void nobody_ages_while_the_parent_is_dead(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *e = nwk_bench_add(&bench, END_DEVICE);
    nwk_bench_join(e);
    nwk_bench_run(&bench, 300 * SECOND);
    nwk_bench_restart(c);
    nwk_bench_run(&bench, 3 * SECOND);
    assert_int_equal(c->children_left, 0);
    nwk_bench_passes(c, e, "at once");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_sleeper_fetches_all_that_waits_at_once),
        T(a_sleeper_polls_fast_while_it_expects_something),
        T(frames_for_a_dead_sleeper_expire),
        T(a_sleeper_does_not_listen_to_broadcasts),
        T(the_first_secured_frame_makes_a_member),
        T(the_parent_heard_best_is_taken),
        T(a_child_that_moved_is_nobodys_twice),
        T(a_parent_is_lost_by_failures_in_a_row_only),
        T(nobody_ages_while_the_parent_is_dead),
        T(a_key_that_the_network_left_behind_needs_the_other_rejoin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
