/* Forming, joining, data over one and more hops, leaving, restarts: whole networks on the
 * model of the air. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/nwk_bench.h"

static struct nwk_bench bench;

static int set_up(void **state)
{
    nwk_bench_init(&bench, NULL);
    nwk_bench_add(&bench, COORDINATOR);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    nwk_bench_free(&bench);
    return 0;
}

static void a_new_network_says_who_it_is(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER);
    nwk_bench_try_join(r);
    assert_true(r->found);
    assert_int_equal(r->best.pan_id, NWK_BENCH_PAN);
    assert_int_equal(r->best.addr, 0);
    assert_int_equal(r->best.depth, 0);
    assert_int_equal(r->best.stack_profile, 2);
    assert_int_equal(r->best.channel, NWK_BENCH_CHANNEL);
    assert_true(c->nwk.up);
}

static void all_kinds_join_and_talk(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench);
    for (enum nwk_kind kind = ROUTER; kind <= SLEEPY; kind++) {
        struct nwk_node *n = nwk_bench_add(&bench, kind);
        nwk_bench_join(n);
        if (kind == ROUTER) nwk_bench_permit(n, 0); /* all at the coordinator */
        assert_int_equal(c->children, kind);
        assert_in_range(n->nwk.addr, 1, 0xfff7);
        assert_int_equal(al_nwk_addr_of(&c->nwk, n->ext), n->nwk.addr);
        assert_int_equal(al_nwk_ext_of(&n->nwk, 0), c->ext);
        nwk_bench_passes(c, n, "down");
        nwk_bench_passes(n, c, "up");
        assert_int_equal(al_nwk_sleepy_child(&c->nwk, n->nwk.addr), kind == SLEEPY);
    }
    assert_int_equal(c->nwk.dropped_mic + c->nwk.dropped_replay + c->nwk.dropped_unsecured, 0);
}

static void a_closed_network_takes_nobody(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER);
    nwk_bench_permit(c, 0);
    nwk_bench_try_join(r);
    assert_false(r->found); /* the beacon said so */
    nwk_bench_permit(c, 1);
    nwk_bench_try_join(r);
    assert_true(r->found);
    assert_int_equal(r->joined, AL_ZB_OK);
    /* Who asks all the same is refused. */
    struct nwk_node *late = nwk_bench_add(&bench, ROUTER);
    late->best = r->best;
    assert_false(al_nwk_permitted(&c->nwk, nwk_bench_now(&bench)));
    assert_int_equal(al_nwk_join(&late->nwk, nwk_bench_now(&bench), &late->best), 0);
    nwk_bench_arm(late);
    nwk_bench_run(&bench, SECOND);
    assert_int_equal(late->joined, AL_ZB_DENIED);
}

static void a_child_without_key_is_dropped(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *n = nwk_bench_add(&bench, SLEEPY);
    c->give_no_key = true;
    nwk_bench_try_join(n);
    assert_int_equal(n->joined, AL_ZB_OK);
    assert_false(n->nwk.up);
    assert_non_null(al_nwk_neighbour_ext(&c->nwk, n->ext));
    nwk_bench_run(&bench, 25 * SECOND);
    assert_null(al_nwk_neighbour_ext(&c->nwk, n->ext));
}

static void the_same_device_gets_the_same_address(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *n = nwk_bench_add(&bench, END_DEVICE);
    nwk_bench_join(n);
    uint16_t addr = n->nwk.addr;
    nwk_bench_passes(n, c, "before");
    al_nwk_forget(&n->nwk);
    n->nwk.counter = n->nwk.counter_reserved = 0; /* a device that forgets even that */
    nwk_bench_join(n);
    assert_int_equal(n->nwk.addr, addr);
    nwk_bench_passes(n, c, "after");
    assert_int_equal(c->nwk.dropped_replay, 0);
}

static void a_row(unsigned routers, bool sleepy)
{
    nwk_bench_form(&bench);
    for (unsigned i = 0; i < routers; i++) nwk_bench_add(&bench, ROUTER);
    if (sleepy) nwk_bench_add(&bench, SLEEPY);
    nwk_bench_row(&bench);
    for (unsigned i = 1; i < bench.count; i++) nwk_bench_join(&bench.node[i]);
    nwk_bench_run(&bench, 40 * SECOND); /* link status both ways */
}

static void frames_pass_over_three_hops(void **state)
{
    a_row(2, true);
    struct nwk_node *c = &bench.node[0], *r1 = &bench.node[1], *s = &bench.node[3];
    assert_int_equal(s->nwk.parent, bench.node[2].nwk.addr);
    assert_int_equal(s->nwk.depth, 3);
    nwk_bench_passes(s, c, "from the far end");
    assert_int_equal(c->relay, r1->nwk.addr);
    nwk_bench_passes(c, s, "to the far end");
    nwk_bench_passes(s, r1, "half way");
}

static void a_broadcast_reaches_all_once(void **state)
{
    a_row(3, true);
    struct nwk_node *leaf = nwk_bench_add(&bench, END_DEVICE);
    struct nwk_node *sleepy = nwk_bench_add(&bench, SLEEPY);
    for (unsigned i = 1; i < bench.count; i++) { /* both at the coordinator */
        if (&bench.node[i] != leaf) nwk_bench_part(leaf, &bench.node[i]);
        if (&bench.node[i] != sleepy) nwk_bench_part(sleepy, &bench.node[i]);
    }
    nwk_bench_join(leaf);
    nwk_bench_join(sleepy);
    for (unsigned from = 0; from < bench.count; from++) {
        for (unsigned i = 0; i < bench.count; i++) bench.node[i].got = 0;
        assert_int_equal(nwk_bench_send(&bench.node[from], AL_NWK_ALL, "all", 1), 0);
        nwk_bench_run(&bench, 12 * SECOND);
        assert_int_equal(bench.node[from].sent[1], AL_ZB_OK);
        for (unsigned i = 0; i < bench.count; i++) {
            assert_int_equal(bench.node[i].got, i != from);
            if (i != from) assert_int_equal(bench.node[i].from, bench.node[from].nwk.addr);
        }
    }
    /* Sleepers are not meant by 0xfffd, leaves not by 0xfffc. */
    for (unsigned i = 0; i < bench.count; i++) bench.node[i].got = 0;
    nwk_bench_send(&bench.node[1], AL_NWK_ALL_RX_ON, "listeners", 1);
    nwk_bench_run(&bench, 12 * SECOND);
    nwk_bench_send(&bench.node[1], AL_NWK_ALL_ROUTERS, "routers", 1);
    nwk_bench_run(&bench, 12 * SECOND);
    assert_int_equal(bench.node[0].got, 2);
    assert_int_equal(bench.node[3].got, 2);
    assert_int_equal(leaf->got, 1);
    assert_int_equal(sleepy->got, 0);
    assert_int_equal(bench.node[4].got, 0);
}

static void leaving_is_told_and_forgotten(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *e = nwk_bench_add(&bench, END_DEVICE),
                    *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(e);
    nwk_bench_join(s);
    assert_int_equal(al_nwk_leave(&e->nwk, nwk_bench_now(&bench), 0, false, false), 0);
    nwk_bench_arm(e);
    nwk_bench_run(&bench, SECOND);
    assert_int_equal(e->left, 1);
    assert_false(e->left_to_rejoin || e->nwk.up);
    assert_int_equal(c->children_left, 1);
    assert_int_equal(c->last_left, e->ext);
    assert_int_equal(al_nwk_addr_of(&c->nwk, e->ext), AL_NWK_NO_ADDR);
    /* Told to by the parent; it may come back. */
    assert_int_equal(al_nwk_leave(&c->nwk, nwk_bench_now(&bench), s->ext, false, true), 0);
    nwk_bench_arm(c);
    nwk_bench_run(&bench, 6 * SECOND);
    assert_int_equal(s->left, 1);
    assert_true(s->left_to_rejoin);
    assert_int_equal(c->children_left, 2);
    nwk_bench_rejoin(s, true);
    assert_int_equal(s->joined, AL_ZB_OK);
    nwk_bench_passes(c, s, "back");
    assert_int_equal(al_nwk_leave(&c->nwk, 0, 0x1234, false, false), AL_ERR_NOT_FOUND);
}

static void an_end_device_sees_to_it_that_its_parent_hears_it_leave(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *e = nwk_bench_add(&bench, END_DEVICE);
    nwk_bench_join(e);
    medium_set_link(e->air, c->air, 0, MEDIUM_LEVEL_DBM);
    assert_int_equal(al_nwk_leave(&e->nwk, nwk_bench_now(&bench), 0, false, false), 0);
    nwk_bench_arm(e);
    nwk_bench_run(&bench, 25 * MS); /* the repetitions of its MAC are over */
    medium_set_link(e->air, c->air, 1, MEDIUM_LEVEL_DBM);
    nwk_bench_run(&bench, SECOND);
    assert_int_equal(e->left, 1);
    assert_int_equal(c->children_left, 1);
}

static void nobody_but_parent_and_coordinator_sends_away(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r1 = nwk_bench_add(&bench, ROUTER),
                    *r2 = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r1);
    nwk_bench_permit(r1, 0);
    nwk_bench_join(r2);
    nwk_bench_run(&bench, 20 * SECOND);
    assert_int_equal(al_nwk_leave(&r1->nwk, nwk_bench_now(&bench), r2->ext, false, false), 0);
    assert_int_equal(al_nwk_leave(&r1->nwk, nwk_bench_now(&bench), c->ext, false, false), 0);
    nwk_bench_arm(r1);
    nwk_bench_run(&bench, SECOND);
    assert_true(r2->nwk.up && c->nwk.up);
    al_nwk_leave(&c->nwk, nwk_bench_now(&bench), r2->ext, false, false);
    nwk_bench_arm(c);
    nwk_bench_run(&bench, SECOND);
    assert_int_equal(r2->left, 1);
}

static void a_silent_child_ages_out_and_is_told_so(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *e = nwk_bench_add(&bench, END_DEVICE);
    nwk_bench_join(e);
    assert_int_equal(c->neighbours[0].timeout_index, 1); /* it asked for 2 minutes */
    assert_int_equal(e->nwk.parent_info, AL_NWK_PARENT_POLL | AL_NWK_PARENT_REQUEST);
    nwk_bench_run(&bench, 600 * SECOND);
    assert_int_equal(c->children_left, 0); /* it is there, and says so */
    nwk_bench_kill(e);
    nwk_bench_run(&bench, 130 * SECOND);
    assert_int_equal(c->children_left, 1);
    assert_int_equal(c->last_left, e->ext);
    nwk_bench_restart(e); /* it believes to be a child still */
    nwk_bench_run(&bench, 2 * SECOND);
    assert_int_equal(e->left, 1);
    assert_true(e->left_to_rejoin);
}

static void an_old_parent_that_polls_unknown_is_asked_to_rejoin(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(s);
    nwk_bench_run(&bench, 20 * SECOND);
    al_nwk_unlearn(&c->nwk, nwk_bench_now(&bench), s->ext);
    nwk_bench_arm(c);
    nwk_bench_run(&bench, 12 * SECOND);
    assert_true(s->left_to_rejoin);
    nwk_bench_rejoin(s, true);
    assert_int_equal(s->joined, AL_ZB_OK);
}

static void orphans_find_another_parent(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER),
                    *s = nwk_bench_add(&bench, SLEEPY), *e = nwk_bench_add(&bench, END_DEVICE);
    nwk_bench_join(r);
    nwk_bench_permit(c, 0);
    nwk_bench_join(s);
    nwk_bench_join(e);
    assert_int_equal(s->nwk.parent, r->nwk.addr);
    uint16_t addr = s->nwk.addr;
    nwk_bench_kill(r);
    nwk_bench_run(&bench, 60 * SECOND);
    assert_true(s->lost >= 1);
    assert_true(e->lost >= 1);
    nwk_bench_rejoin(s, true);
    assert_int_equal(s->joined, AL_ZB_OK);
    assert_int_equal(s->nwk.addr, addr);
    assert_int_equal(s->nwk.parent, 0);
    assert_int_equal(c->rejoins, 1);
    assert_true(c->child_secured);
    nwk_bench_rejoin(e, false); /* without the key: it is given once more */
    assert_int_equal(e->joined, AL_ZB_OK);
    assert_true(e->nwk.up);
    assert_false(c->child_secured);
    nwk_bench_passes(c, s, "sleeper");
    nwk_bench_passes(e, c, "listener");
    nwk_bench_passes(s, e, "leaf to leaf");
}

static void rejoining_where_no_network_is_ends(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(s);
    nwk_bench_part(c, s);
    nwk_bench_rejoin(s, true);
    assert_int_equal(s->joined, AL_ZB_NO_NETWORK);
    nwk_bench_meet(c, s);
    nwk_bench_rejoin(s, true);
    assert_int_equal(s->joined, AL_ZB_OK);
    nwk_bench_passes(c, s, "again");
}

static void everybody_resumes_after_a_crash(void **state)
{
    a_row(1, true);
    nwk_bench_run(&bench, 300 * SECOND);
    for (unsigned i = 0; i < bench.count; i++) {
        uint32_t counter = bench.node[i].nwk.counter;
        nwk_bench_restart(&bench.node[i]);
        assert_true(bench.node[i].nwk.counter >= counter);
        nwk_bench_run(&bench, 35 * SECOND);
        nwk_bench_passes(&bench.node[0], &bench.node[2], "down");
        nwk_bench_passes(&bench.node[2], &bench.node[0], "up");
    }
    for (unsigned i = 0; i < bench.count; i++) {
        assert_int_equal(bench.node[i].left + bench.node[i].children_left, 0);
        assert_int_equal(bench.node[i].nwk.dropped_replay, 0);
    }
}

static void the_network_moves_to_another_pan_and_channel(void **state)
{
    a_row(1, true);
    for (unsigned i = 0; i < bench.count; i++) {
        al_nwk_move(&bench.node[i].nwk, nwk_bench_now(&bench), 20, 0x4444, 1);
        nwk_bench_arm(&bench.node[i]);
    }
    nwk_bench_run(&bench, 10 * SECOND);
    for (unsigned i = 0; i < bench.count; i++) {
        assert_int_equal(bench.node[i].nwk.channel, 20);
        assert_int_equal(bench.node[i].mac.radio.pan_id, 0x4444);
    }
    nwk_bench_passes(&bench.node[0], &bench.node[2], "there");
    /* One that is not newer changes nothing. */
    al_nwk_move(&bench.node[0].nwk, nwk_bench_now(&bench), 21, 0x5555, 1);
    nwk_bench_arm(&bench.node[0]);
    nwk_bench_run(&bench, 10 * SECOND);
    assert_int_equal(bench.node[0].nwk.channel, 20);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_new_network_says_who_it_is),
        T(all_kinds_join_and_talk),
        T(a_closed_network_takes_nobody),
        T(a_child_without_key_is_dropped),
        T(the_same_device_gets_the_same_address),
        T(frames_pass_over_three_hops),
        T(a_broadcast_reaches_all_once),
        T(leaving_is_told_and_forgotten),
        T(an_end_device_sees_to_it_that_its_parent_hears_it_leave),
        T(nobody_but_parent_and_coordinator_sends_away),
        T(a_silent_child_ages_out_and_is_told_so),
        T(an_old_parent_that_polls_unknown_is_asked_to_rejoin),
        T(orphans_find_another_parent),
        T(rejoining_where_no_network_is_ends),
        T(everybody_resumes_after_a_crash),
        T(the_network_moves_to_another_pan_and_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
