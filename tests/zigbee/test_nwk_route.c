/* Routes: asked for, repaired, recorded; link status; losses; addresses that clash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/nwk_bench.h"

static struct nwk_bench bench;

static int tear_down(void **state)
{
    nwk_bench_free(&bench);
    return 0;
}

static int set_up(void **state)
{
    nwk_bench_init(&bench, NULL);
    nwk_bench_add(&bench, COORDINATOR);
    return 0;
}

static void join_all(uint64_t settle)
{
    nwk_bench_form(&bench);
    for (unsigned i = 1; i < bench.count; i++) nwk_bench_join(&bench.node[i]);
    nwk_bench_run(&bench, settle);
}

static void add_routers(unsigned count)
{
    for (unsigned i = 0; i < count; i++) nwk_bench_add(&bench, ROUTER);
}

static void six_hops_are_found(void **state)
{
    add_routers(6);
    nwk_bench_row(&bench);
    join_all(40 * SECOND);
    struct nwk_node *first = &bench.node[0], *last = &bench.node[6];
    nwk_bench_passes(first, last, "there");
    const struct al_nwk_route *r = NULL;
    for (unsigned i = 0; i < 24; i++)
        if (first->routes[i].state == 1 && first->routes[i].dst == last->nwk.addr)
            r = &first->routes[i];
    assert_non_null(r);
    assert_int_equal(r->next_hop, bench.node[1].nwk.addr);
    assert_int_equal(r->cost, 6); /* six links of cost 1 */
    /* The way back was learned with it: no further request. */
    uint8_t requests = last->nwk.route_request_id;
    nwk_bench_passes(last, first, "and back");
    assert_int_equal(last->nwk.route_request_id, requests);
}

static void nobody_there_ends_without_route(void **state)
{
    add_routers(1);
    join_all(20 * SECOND);
    nwk_bench_send(&bench.node[0], 0x4321, "hello?", 3);
    nwk_bench_run(&bench, 9 * SECOND);
    assert_int_equal(bench.node[0].sent[3], -1);
    nwk_bench_run(&bench, 3 * SECOND);
    assert_int_equal(bench.node[0].sent[3], AL_ZB_NO_ROUTE);
    const struct al_nwk_send s = {.dst = 0x4321,
                                  .payload = (const uint8_t *)"x",
                                  .len = 1,
                                  .handle = 4,
                                  .no_discovery = true};
    assert_int_equal(al_nwk_send(&bench.node[0].nwk, nwk_bench_now(&bench), &s), 0);
    nwk_bench_arm(&bench.node[0]);
    nwk_bench_run(&bench, MS);
    assert_int_equal(bench.node[0].sent[4], AL_ZB_NO_ROUTE);
    /* One request serves all that wait. */
    uint8_t asked = bench.node[0].nwk.route_request_id;
    for (uint16_t handle = 5; handle < 9; handle++)
        assert_int_equal(nwk_bench_send(&bench.node[0], 0x4321, "x", handle), 0);
    assert_int_equal((uint8_t)(bench.node[0].nwk.route_request_id - asked), 1);
}

static void a_route_is_asked_for_again(void **state)
{
    add_routers(2);
    nwk_bench_row(&bench);
    join_all(60 * SECOND);
    struct nwk_node *c = &bench.node[0], *last = &bench.node[2];
    nwk_bench_part(&bench.node[1], last);
    nwk_bench_send(c, last->nwk.addr, "late", 1);
    nwk_bench_run(&bench, 2 * SECOND);
    nwk_bench_meet(&bench.node[1], last);
    nwk_bench_run(&bench, 4 * SECOND);
    assert_int_equal(c->sent[1], AL_ZB_OK);
    assert_string_equal(last->text, "late");
}

static void frames_die_where_their_radius_ends(void **state)
{
    add_routers(3);
    nwk_bench_row(&bench);
    join_all(60 * SECOND);
    struct nwk_node *c = &bench.node[0], *last = &bench.node[3];
    struct al_nwk_send s = {
        .dst = last->nwk.addr, .payload = (const uint8_t *)"x", .len = 1, .radius = 3};
    nwk_bench_passes(c, last, "a route is there");
    for (unsigned turn = 0; turn < 2; turn++) {
        unsigned got = last->got;
        assert_int_equal(al_nwk_send(&c->nwk, nwk_bench_now(&bench), &s), 0);
        nwk_bench_arm(c);
        nwk_bench_run(&bench, SECOND);
        assert_int_equal(last->got - got, turn == 0);
        s.radius = 2;
    }
    s.dst = AL_NWK_ALL;
    c->got = bench.node[1].got = bench.node[2].got = last->got = 0;
    assert_int_equal(al_nwk_send(&c->nwk, nwk_bench_now(&bench), &s), 0);
    nwk_bench_arm(c);
    nwk_bench_run(&bench, 5 * SECOND);
    assert_int_equal(bench.node[1].got, 1);
    assert_int_equal(bench.node[2].got, 1);
    assert_int_equal(last->got, 0);
}

/* c - a - d with bad links, c - b - d with good ones. */
static void the_cheaper_way_is_taken_and_replaced_when_it_breaks(void **state)
{
    add_routers(3);
    struct nwk_node *c = &bench.node[0], *a = &bench.node[1], *b = &bench.node[2],
                    *d = &bench.node[3];
    nwk_bench_part(c, d);
    nwk_bench_part(a, b);
    medium_set_link(c->air, a->air, 1, -86);
    medium_set_link(a->air, c->air, 1, -86);
    join_all(60 * SECOND);
    nwk_bench_passes(d, c, "over b");
    assert_int_equal(c->relay, b->nwk.addr);
    nwk_bench_passes(c, d, "over b");
    assert_int_equal(d->relay, b->nwk.addr);
    nwk_bench_kill(b);
    unsigned got = d->got;
    nwk_bench_send(c, d->nwk.addr, "over a", 1);
    nwk_bench_run(&bench, 5 * SECOND);
    assert_int_equal(c->sent[1], AL_ZB_OK);
    assert_int_equal(d->got, got + 1);
    assert_int_equal(d->relay, a->nwk.addr);
}

/* Two hops of cost 5, or three of cost 1. */
static void costs_count_not_hops(void **state)
{
    add_routers(4);
    struct nwk_node *c = &bench.node[0], *a = &bench.node[1], *b1 = &bench.node[2],
                    *b2 = &bench.node[3], *d = &bench.node[4];
    struct nwk_node *parted[][2] = {{c, b2}, {c, d}, {a, b1}, {a, b2}, {b1, d}};
    for (unsigned i = 0; i < 5; i++) nwk_bench_part(parted[i][0], parted[i][1]);
    struct nwk_node *bad[][2] = {{c, a}, {a, d}};
    for (unsigned i = 0; i < 2; i++) {
        medium_set_link(bad[i][0]->air, bad[i][1]->air, 1, -88);
        medium_set_link(bad[i][1]->air, bad[i][0]->air, 1, -88);
    }
    join_all(60 * SECOND);
    for (unsigned turn = 0; turn < 8; turn++) { /* who is first is a matter of jitter */
        for (unsigned i = 0; i < bench.count; i++)
            memset(bench.node[i].routes, 0, sizeof bench.node[i].routes);
        nwk_bench_passes(c, d, "x");
        nwk_bench_run(&bench, 11 * SECOND);
        nwk_bench_passes(c, d, "cheap");
        assert_int_equal(d->relay, b2->nwk.addr);
        nwk_bench_passes(d, c, "cheap");
        assert_int_equal(c->relay, b1->nwk.addr);
    }
}

static void a_neighbour_out_of_reach_is_reached_over_another(void **state)
{
    add_routers(2);
    join_all(60 * SECOND);
    struct nwk_node *c = &bench.node[0], *a = &bench.node[1], *b = &bench.node[2];
    nwk_bench_passes(c, a, "direct");
    assert_int_equal(a->relay, 0);
    nwk_bench_part(c, a);
    nwk_bench_send(c, a->nwk.addr, "around", 1);
    nwk_bench_run(&bench, 3 * SECOND);
    assert_int_equal(c->sent[1], AL_ZB_OK);
    assert_string_equal(a->text, "around");
    assert_int_equal(a->relay, b->nwk.addr);
}

static unsigned broadcasts_on_air;

static void count_broadcasts(struct nwk_bench *b, const struct medium_frame *frame)
{
    struct al_mac_frame mac;
    struct al_nwk_frame f;
    if (al_mac_parse(&mac, frame->mpdu, frame->len) || mac.type != AL_MAC_DATA) return;
    if (al_nwk_parse(&f, mac.payload, mac.payload_len) || f.type != AL_NWK_DATA) return;
    broadcasts_on_air += AL_NWK_BROADCAST(f.dst);
}

static void who_was_heard_passing_it_on_is_not_sent_it_again(void **state)
{
    add_routers(4);
    nwk_bench_row(&bench);
    join_all(60 * SECOND);
    bench.frame = count_broadcasts;
    broadcasts_on_air = 0;
    nwk_bench_send(&bench.node[0], AL_NWK_ALL_ROUTERS, "x", 1);
    nwk_bench_run(&bench, 12 * SECOND);
    assert_int_equal(broadcasts_on_air, 5);
    nwk_bench_kill(&bench.node[4]); /* its neighbour tries twice more */
    broadcasts_on_air = 0;
    nwk_bench_send(&bench.node[0], AL_NWK_ALL_ROUTERS, "x", 1);
    nwk_bench_run(&bench, 12 * SECOND);
    assert_int_equal(broadcasts_on_air, 4 + 2);
}

static void a_break_further_on_is_told_to_the_source(void **state)
{
    add_routers(4);
    nwk_bench_row(&bench);
    join_all(60 * SECOND);
    struct nwk_node *c = &bench.node[0], *last = &bench.node[4];
    nwk_bench_passes(c, last, "whole");
    nwk_bench_kill(last);
    c->last_status = 0xff;
    /* In a row: one frame may fail over a good link. */
    for (unsigned i = 0; i < 3 && c->last_status == 0xff; i++) {
        nwk_bench_send(c, last->nwk.addr, "lost", 1);
        nwk_bench_run(&bench, 4 * SECOND);
        assert_int_equal(c->sent[1], AL_ZB_OK); /* the first hop had it */
    }
    assert_true(c->last_status == AL_NWK_STATUS_LINK_FAILURE ||
                c->last_status == AL_NWK_STATUS_NO_ROUTE);
    for (unsigned i = 0; i < 24; i++)
        assert_false(c->routes[i].state == 1 && c->routes[i].dst == last->nwk.addr);
}

/* ---- Concentrator ---- */

static unsigned on_air_to_last;

static void count_to_last(struct nwk_bench *b, const struct medium_frame *frame)
{
    struct al_mac_frame mac;
    struct al_nwk_frame f;
    if (al_mac_parse(&mac, frame->mpdu, frame->len) || mac.type != AL_MAC_DATA) return;
    if (al_nwk_parse(&f, mac.payload, mac.payload_len) || f.type != AL_NWK_DATA) return;
    on_air_to_last += f.dst == b->node[3].nwk.addr;
}

/* 1 and 2 each think that the other one leads to 3. */
static void a_loop_of_routes_ends_with_the_first_frame(void **state)
{
    add_routers(3);
    nwk_bench_row(&bench);
    join_all(60 * SECOND);
    struct nwk_node *c = &bench.node[0], *a = &bench.node[1], *b = &bench.node[2],
                    *last = &bench.node[3];
    nwk_bench_passes(c, last, "whole");
    nwk_bench_part(b, last);
    struct al_nwk_neighbour *gone = al_nwk_neighbour(&b->nwk, last->nwk.addr);
    assert_non_null(gone);
    gone->one_way = true; /* as its link status will tell */
    b->routes[0] = (struct al_nwk_route){
        .dst = last->nwk.addr, .next_hop = a->nwk.addr, .state = 1, .cost = 2};
    for (unsigned i = 1; i < 24; i++)
        if (b->routes[i].dst == last->nwk.addr) b->routes[i].state = 0;
    bench.frame = count_to_last;
    on_air_to_last = 0;
    nwk_bench_send(c, last->nwk.addr, "round", 1);
    nwk_bench_run(&bench, 3 * SECOND);
    assert_in_range(on_air_to_last, 2, 4);
    for (unsigned i = 0; i < 24; i++)
        assert_false(b->routes[i].state == 1 && b->routes[i].dst == last->nwk.addr);
}

static unsigned source_routed;
static uint16_t source_relays[AL_NWK_RELAYS_MAX];
static uint8_t source_count, first_index;

static void watch_source_routes(struct nwk_bench *b, const struct medium_frame *frame)
{
    struct al_mac_frame mac;
    struct al_nwk_frame f;
    if (al_mac_parse(&mac, frame->mpdu, frame->len) || mac.type != AL_MAC_DATA) return;
    if (al_nwk_parse(&f, mac.payload, mac.payload_len) || !f.source_route) return;
    if (mac.src.short_addr == 0) {
        source_count = f.relay_count;
        first_index = f.relay_index;
        memcpy(source_relays, f.relays, sizeof f.relays);
        assert_int_equal(mac.dst.short_addr, f.relays[f.relay_count - 1]);
    }
    source_routed++;
}

static void a_concentrator_sends_back_the_way_frames_came(void **state)
{
    bench.concentrator = true;
    tear_down(state);
    nwk_bench_init(&bench, NULL);
    bench.concentrator = true;
    bench.frame = watch_source_routes;
    source_routed = 0;
    nwk_bench_add(&bench, COORDINATOR);
    add_routers(3);
    nwk_bench_add(&bench, SLEEPY);
    nwk_bench_row(&bench);
    join_all(100 * SECOND); /* asks every minute */
    struct nwk_node *c = &bench.node[0], *r3 = &bench.node[3], *s = &bench.node[4];
    uint8_t asked = r3->nwk.route_request_id;
    nwk_bench_passes(r3, c, "up");
    assert_int_equal(r3->nwk.route_request_id, asked); /* the concentrator's request was enough */
    nwk_bench_passes(c, r3, "down");
    assert_int_equal(source_routed, 3);
    assert_int_equal(source_count, 2);
    assert_int_equal(first_index, 1);
    assert_int_equal(source_relays[0], bench.node[2].nwk.addr); /* nearest to the destination */
    assert_int_equal(source_relays[1], bench.node[1].nwk.addr);
    assert_int_equal(al_nwk_room(&c->nwk, r3->nwk.addr), 84);
    for (unsigned i = 0; i < 24; i++) /* told once, until it is asked again */
        assert_false(r3->routes[i].many_to_one && r3->routes[i].record);
    /* A sleeper's parent records for it. */
    nwk_bench_passes(s, c, "up from the leaf");
    nwk_bench_passes(c, s, "down to the leaf");
    assert_int_equal(source_count, 3);
    assert_int_equal(source_relays[0], r3->nwk.addr);
    /* A way that is gone is forgotten, and asked for. */
    nwk_bench_meet(&bench.node[1], r3);
    nwk_bench_kill(&bench.node[2]);
    nwk_bench_run(&bench, 40 * SECOND);
    for (unsigned i = 0; i < 3; i++) nwk_bench_send(c, r3->nwk.addr, "fails", (uint16_t)(i + 1));
    nwk_bench_run(&bench, 15 * SECOND);
    nwk_bench_passes(c, r3, "another way");
}

/* ---- Neighbours ---- */

static void routers_tell_how_well_they_hear(void **state)
{
    add_routers(2);
    struct nwk_node *c = &bench.node[0], *a = &bench.node[1], *b = &bench.node[2];
    medium_set_link(a->air, b->air, 1, -86);
    medium_set_link(b->air, a->air, 1, -88);
    join_all(60 * SECOND);
    const struct al_nwk_neighbour *at_a = al_nwk_neighbour(&a->nwk, b->nwk.addr),
                                  *at_b = al_nwk_neighbour(&b->nwk, a->nwk.addr);
    assert_non_null(at_a);
    assert_non_null(at_b);
    assert_int_equal(at_a->out_cost, at_b->in_cost);
    assert_int_equal(at_b->out_cost, at_a->in_cost);
    assert_true(at_a->in_cost > 1);
    assert_int_equal(al_nwk_neighbour(&a->nwk, 0)->in_cost, 1);
    /* Silence for more than three periods. */
    nwk_bench_kill(b);
    nwk_bench_run(&bench, 35 * SECOND);
    assert_non_null(al_nwk_neighbour(&a->nwk, b->nwk.addr));
    nwk_bench_run(&bench, 45 * SECOND);
    assert_null(al_nwk_neighbour(&a->nwk, b->nwk.addr));
    assert_null(al_nwk_neighbour(&c->nwk, b->nwk.addr));
    assert_int_equal(al_nwk_ext_of(&c->nwk, b->nwk.addr), b->ext); /* still known */
}

static void who_does_not_hear_is_not_sent_to(void **state)
{
    add_routers(2);
    struct nwk_node *a = &bench.node[1], *b = &bench.node[2];
    medium_set_link(a->air, b->air, 0, MEDIUM_LEVEL_DBM); /* b is deaf for a */
    nwk_bench_form(&bench);
    nwk_bench_join(b); /* else it might become b's child */
    nwk_bench_permit(b, 0);
    nwk_bench_join(a);
    nwk_bench_run(&bench, 60 * SECOND);
    assert_true(al_nwk_neighbour(&a->nwk, b->nwk.addr)->one_way);
    nwk_bench_passes(a, b, "round about");
    assert_int_equal(b->relay, 0);
}

/* ---- Losses ---- */

static void a_mesh_delivers_in_spite_of_losses(void **state)
{
    tear_down(state);
    nwk_bench_init(&bench, &(struct medium_config){.seed = 3, .loss = 0.15});
    nwk_bench_add(&bench, COORDINATOR);
    add_routers(9);
    /* A ladder: each hears those up to two further on. */
    for (unsigned i = 0; i < bench.count; i++)
        for (unsigned k = i + 3; k < bench.count; k++)
            nwk_bench_part(&bench.node[i], &bench.node[k]);
    nwk_bench_form(&bench);
    for (unsigned i = 1; i < bench.count; i++)
        for (unsigned try = 0; try < 5 && !bench.node[i].nwk.up; try++) {
            if (try) al_nwk_forget(&bench.node[i].nwk);
            nwk_bench_try_join(&bench.node[i]);
            if (bench.node[i].nwk.up) nwk_bench_permit(&bench.node[i], 254);
        }
    nwk_bench_run(&bench, 60 * SECOND);
    unsigned arrived = 0, told = 0;
    for (unsigned turn = 0; turn < 5; turn++)
        for (unsigned i = 1; i < bench.count; i++) {
            struct nwk_node *c = &bench.node[0], *n = &bench.node[i];
            unsigned got = n->got;
            assert_int_equal(nwk_bench_send(c, n->nwk.addr, "x", 1), 0);
            nwk_bench_run(&bench, 3 * SECOND);
            told += c->sent[1] == AL_ZB_OK;
            arrived += n->got > got; /* twice after a lost acknowledgement: APS sees to that */
        }
    assert_true(told >= 44);
    assert_true(arrived >= 42);
    /* Broadcasts are repeated for those who were not heard passing them on. */
    unsigned heard = 0;
    for (unsigned turn = 0; turn < 5; turn++) {
        for (unsigned i = 0; i < bench.count; i++) bench.node[i].got = 0;
        nwk_bench_send(&bench.node[0], AL_NWK_ALL_RX_ON, "x", 1);
        nwk_bench_run(&bench, 10 * SECOND);
        for (unsigned i = 1; i < bench.count; i++) {
            assert_in_range(bench.node[i].got, 0, 1);
            heard += bench.node[i].got;
        }
    }
    assert_int_equal(heard, 45);
}

/* ---- Addresses ---- */

static void take_address(struct nwk_node *n, uint16_t addr)
{
    n->nwk.addr = addr;
    al_mac_start(&n->mac, n->nwk.channel, n->nwk.pan_id, addr, true);
}

static void two_routers_with_one_address_part(void **state)
{
    add_routers(3);
    nwk_bench_row(&bench);
    join_all(60 * SECOND);
    struct nwk_node *c = &bench.node[0], *a = &bench.node[1], *d = &bench.node[3];
    uint16_t old = a->nwk.addr;
    take_address(d, old);
    nwk_bench_run(&bench, 60 * SECOND); /* their link status meets in the middle */
    assert_true(a->readdressed + d->readdressed >= 1);
    assert_int_not_equal(a->nwk.addr, d->nwk.addr);
    nwk_bench_run(&bench, 60 * SECOND);
    nwk_bench_passes(d, c, "as another");
    nwk_bench_passes(a, c, "as another");
}

static void a_leaf_gets_its_new_address_from_its_parent(void **state)
{
    add_routers(2);
    nwk_bench_add(&bench, SLEEPY);
    nwk_bench_row(&bench);
    join_all(60 * SECOND);
    struct nwk_node *c = &bench.node[0], *a = &bench.node[1], *s = &bench.node[3];
    uint16_t old = s->nwk.addr;
    take_address(a, old); /* a router now has the leaf's address */
    nwk_bench_run(&bench, 60 * SECOND);
    assert_int_not_equal(s->nwk.addr, old);
    assert_int_equal(s->readdressed, 1);
    assert_int_not_equal(a->nwk.addr, s->nwk.addr);
    nwk_bench_run(&bench, 60 * SECOND);
    nwk_bench_passes(s, c, "new");
    nwk_bench_passes(c, s, "known");
}

static void a_taken_address_is_replaced_at_a_rejoin(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER),
                    *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(r);
    nwk_bench_permit(r, 0);
    nwk_bench_join(s);
    take_address(s, r->nwk.addr);
    nwk_bench_rejoin(s, true);
    assert_int_equal(s->joined, AL_ZB_CONFLICT);
    assert_int_not_equal(s->nwk.addr, r->nwk.addr);
    nwk_bench_passes(c, s, "new");
    nwk_bench_passes(c, r, "old");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(six_hops_are_found),
        T(nobody_there_ends_without_route),
        T(the_cheaper_way_is_taken_and_replaced_when_it_breaks),
        T(a_route_is_asked_for_again),
        T(frames_die_where_their_radius_ends),
        T(costs_count_not_hops),
        T(a_neighbour_out_of_reach_is_reached_over_another),
        T(who_was_heard_passing_it_on_is_not_sent_it_again),
        T(a_break_further_on_is_told_to_the_source),
        T(a_loop_of_routes_ends_with_the_first_frame),
        T(a_concentrator_sends_back_the_way_frames_came),
        T(routers_tell_how_well_they_hear),
        T(who_does_not_hear_is_not_sent_to),
        T(a_mesh_delivers_in_spite_of_losses),
        T(two_routers_with_one_address_part),
        T(a_leaf_gets_its_new_address_from_its_parent),
        T(a_taken_address_is_replaced_at_a_rejoin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
