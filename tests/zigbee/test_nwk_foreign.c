/* Frames as other stacks send them, put into one node byte for byte, and what it answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/nwk_bench.h"
#include "tests/support/zigbee_vector.h"

#define PEER_EXT 0x7af10000000000eeull

static struct nwk_bench bench;

/* What the bench's nodes last sent, opened. */
static struct {
    struct al_mac_frame mac;
    struct al_nwk_frame f;
    uint8_t mpdu[AL_RADIO_MPDU_MAX], plain[AL_RADIO_MPDU_MAX];
    struct al_nwk_command cmd;
} last;

static void watch(struct nwk_bench *b, const struct medium_frame *frame)
{
    memcpy(last.mpdu, frame->mpdu, frame->len);
    if (al_mac_parse(&last.mac, last.mpdu, frame->len) || last.mac.type != AL_MAC_DATA) return;
    if (al_nwk_parse(&last.f, last.mac.payload, last.mac.payload_len)) return;
    if (last.f.secured)
        assert_int_equal(al_nwk_open(&last.f, zigbee_aes(), b->key, last.f.aux.source, last.plain),
                         0);
    if (last.f.type != AL_NWK_COMMAND) return;
    assert_int_equal(al_nwk_command_parse(&last.cmd, last.f.payload, last.f.payload_len), 0);
}

static int set_up(void **state)
{
    nwk_bench_init(&bench, NULL);
    bench.frame = watch;
    memset(&last, 0, sizeof last);
    nwk_bench_add(&bench, COORDINATOR);
    return 0;
}

static int tear_down(void **state)
{
    nwk_bench_free(&bench);
    return 0;
}

/* A frame of a neighbour; the rest of the header is the caller's. */
static void put_in(struct nwk_node *to, struct al_nwk_frame f, uint16_t relay, uint64_t ext)
{
    static uint32_t counter;
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
    struct al_put p = al_put(mpdu, sizeof mpdu);
    bool broadcast = AL_NWK_BROADCAST(f.dst);
    counter++;
    const struct al_mac_frame mac = {
        .type = AL_MAC_DATA,
        .dst = al_mac_short(to->nwk.pan_id, broadcast ? AL_MAC_BROADCAST : to->nwk.addr),
        .src = al_mac_short(to->nwk.pan_id, relay),
        .seq = (uint8_t)counter,
    };
    f.radius = f.radius ? f.radius : 30;
    f.seq = (uint8_t)counter;
    f.aux = (struct al_aux){.source = ext,
                            .has_source = true,
                            .counter = counter,
                            .key_id = AL_SEC_KEY_NETWORK,
                            .key_seq = bench.key_seq};
    assert_int_equal(al_mac_build(&mac, &p), 0);
    assert_int_equal(
        f.secured ? al_nwk_seal(&f, zigbee_aes(), bench.key, &p) : al_nwk_build(&f, &p), 0);
    const struct al_radio_rx rx = {.mpdu = mpdu, .len = (uint8_t)p.len, .lqi = 255};
    al_mac_received(&to->mac, nwk_bench_now(&bench), &rx);
    nwk_bench_arm(to);
}

static void command_from(struct nwk_node *to, const struct al_nwk_command *cmd, uint16_t dst,
                         uint16_t src, uint64_t ext)
{
    uint8_t payload[90];
    struct al_put p = al_put(payload, sizeof payload);
    assert_int_equal(al_nwk_command_build(cmd, &p), 0);
    put_in(to,
           (struct al_nwk_frame){.type = AL_NWK_COMMAND,
                                 .dst = dst,
                                 .src = src,
                                 .has_src_ext = true,
                                 .src_ext = ext,
                                 .secured = true,
                                 .payload = payload,
                                 .payload_len = p.len},
           src, ext);
}

static void a_route_request_is_answered_to_the_neighbour_it_came_from(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench);
    const struct al_nwk_command ask = {.id = AL_NWK_ROUTE_REQUEST,
                                       .route_request = {.dst = 0, .id = 77, .cost = 3}};
    command_from(c, &ask, AL_NWK_ALL_ROUTERS, 0x1111, PEER_EXT);
    nwk_bench_run(&bench, 100 * MS);
    assert_int_equal(last.cmd.id, AL_NWK_ROUTE_REPLY);
    assert_int_equal(last.mac.dst.short_addr, 0x1111);
    assert_int_equal(last.f.dst, 0x1111);
    assert_true(last.f.has_src_ext && last.f.has_dst_ext);
    assert_int_equal(last.f.dst_ext, PEER_EXT);
    assert_int_equal(last.cmd.route_reply.originator, 0x1111);
    assert_int_equal(last.cmd.route_reply.responder, 0);
    assert_int_equal(last.cmd.route_reply.id, 77);
    assert_int_equal(last.cmd.route_reply.cost, 0);
}

static void a_route_request_for_another_goes_on_with_its_cost(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench);
    nwk_bench_run(&bench, 3 * SECOND);
    const struct al_nwk_command ask = {.id = AL_NWK_ROUTE_REQUEST,
                                       .route_request = {.dst = 0x7777, .id = 78, .cost = 3}};
    command_from(c, &ask, AL_NWK_ALL_ROUTERS, 0x1111, PEER_EXT);
    nwk_bench_run(&bench, 200 * MS);
    assert_int_equal(last.cmd.id, AL_NWK_ROUTE_REQUEST);
    assert_int_equal(last.cmd.route_request.dst, 0x7777);
    assert_int_equal(last.cmd.route_request.cost, 3 + 7); /* its link status was not heard yet */
    assert_int_equal(last.f.src, 0x1111);
    assert_int_equal(last.f.src_ext, PEER_EXT);
    assert_int_equal(last.f.radius, 29);
    assert_int_equal(last.f.aux.source, c->ext);
}

static void a_time_out_that_does_not_exist_is_refused(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *e = nwk_bench_add(&bench, END_DEVICE);
    nwk_bench_join(e);
    nwk_bench_kill(e);
    struct al_nwk_command ask = {.id = AL_NWK_TIMEOUT_REQUEST, .timeout_request = {.index = 15}};
    struct al_nwk_neighbour *child = al_nwk_neighbour_ext(&c->nwk, e->ext);
    child->counter_known = false;
    command_from(c, &ask, 0, e->nwk.addr, e->ext);
    nwk_bench_run(&bench, 5 * MS);
    assert_int_equal(last.cmd.id, AL_NWK_TIMEOUT_RESPONSE);
    assert_int_equal(last.cmd.timeout_response.status, AL_NWK_TIMEOUT_BAD_INDEX);
    assert_int_equal(last.f.radius, 1);
    ask.timeout_request.index = 14;
    command_from(c, &ask, 0, e->nwk.addr, e->ext);
    assert_int_equal(child->timeout_index, 14);
    nwk_bench_restart(c);
    assert_int_equal(al_nwk_neighbour_ext(&c->nwk, e->ext)->timeout_index, 14);
}

static void a_pan_id_update_is_followed_when_everybody_has_it(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    nwk_bench_kill(c);
    al_nwk_neighbour(&r->nwk, 0)->counter_known = false;
    struct al_nwk_command update = {
        .id = AL_NWK_UPDATE,
        .update = {.extended_pan = 1, .new_pan = 0x5151, .update_id = 1},
    };
    command_from(r, &update, AL_NWK_ALL, 0, c->ext); /* another network's */
    nwk_bench_run(&bench, 12 * SECOND);
    assert_int_equal(r->mac.radio.pan_id, NWK_BENCH_PAN);
    update.update.extended_pan = NWK_BENCH_EPID;
    command_from(r, &update, AL_NWK_ALL, 0, c->ext);
    nwk_bench_run(&bench, 8 * SECOND);
    assert_int_equal(r->mac.radio.pan_id, NWK_BENCH_PAN);
    nwk_bench_run(&bench, 2 * SECOND);
    assert_int_equal(r->mac.radio.pan_id, 0x5151);
    nwk_bench_restart(r);
    assert_int_equal(r->mac.radio.pan_id, 0x5151);
}

static void an_unknown_command_is_told_so(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench);
    static const uint8_t payload[] = {0x44, 1, 2, 3};
    put_in(c,
           (struct al_nwk_frame){.type = AL_NWK_COMMAND,
                                 .src = 0x1111,
                                 .has_src_ext = true,
                                 .src_ext = PEER_EXT,
                                 .secured = true,
                                 .payload = payload,
                                 .payload_len = sizeof payload},
           0x1111, PEER_EXT);
    nwk_bench_run(&bench, 20 * MS);
    assert_int_equal(last.cmd.id, AL_NWK_STATUS);
    assert_int_equal(last.cmd.status.code, AL_NWK_STATUS_UNKNOWN_COMMAND);
}

static void a_broadcast_in_a_unicast_of_a_leaf_is_sent_to_all(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *e = nwk_bench_add(&bench, END_DEVICE);
    nwk_bench_join(e);
    nwk_bench_run(&bench, 20 * SECOND);
    nwk_bench_send(e, AL_NWK_ALL_RX_ON, "to all", 1);
    nwk_bench_run(&bench, 200 * MS);
    assert_int_equal(c->got, 1);
    assert_int_equal(last.mac.dst.short_addr, AL_MAC_BROADCAST);
    assert_int_equal(last.f.src, e->nwk.addr);
    assert_true(last.f.end_device);
    assert_int_equal(last.f.radius, 29);
    assert_memory_equal(last.f.payload, "to all", 6);
    assert_int_equal(e->got, 0); /* it knows its own again */
}

static void the_old_form_of_leaving_forgets_no_key(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(s);
    const struct al_mac_addr child = al_mac_ext(NWK_BENCH_PAN, s->ext);
    const struct al_mac_addr parent = al_mac_short(NWK_BENCH_PAN, 0);
    /* Of a child: anybody can say so. It ages if it is true. */
    c->nwk.c.mac->c.up->disassociated(&c->nwk, nwk_bench_now(&bench), &child, 2);
    assert_int_equal(c->children_left, 0);
    nwk_bench_passes(s, c, "still here");
    s->nwk.c.mac->c.up->disassociated(&s->nwk, nwk_bench_now(&bench), &parent, 1);
    assert_true(s->left_to_rejoin);
    nwk_bench_rejoin(s, true);
    assert_int_equal(s->joined, AL_ZB_OK);
}

static void an_unproven_rejoin_changes_nothing_about_a_child(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(s);
    c->give_no_key = true;
    static const uint8_t payload[] = {AL_NWK_REJOIN_REQUEST, 0x8e};
    const struct al_nwk_frame forged = {.type = AL_NWK_COMMAND,
                                        .src = 0x4242,
                                        .has_src_ext = true,
                                        .src_ext = s->ext,
                                        .payload = payload,
                                        .payload_len = sizeof payload};
    put_in(c, forged, 0x4242, s->ext);
    nwk_bench_run(&bench, SECOND);
    assert_true(al_nwk_sleepy_child(&c->nwk, s->nwk.addr));
    nwk_bench_passes(s, c, "me");
    assert_int_equal(al_nwk_neighbour_ext(&c->nwk, s->ext)->relation, AL_NWK_CHILD);
    nwk_bench_run(&bench, 30 * SECOND);
    nwk_bench_passes(c, s, "still a child, and asleep");
    /* Nor do such requests drive routers out. */
    struct nwk_node *r = nwk_bench_add(&bench, ROUTER), *sibling = nwk_bench_add(&bench, ROUTER);
    c->give_no_key = false;
    nwk_bench_join(r);
    nwk_bench_permit(c, 0);
    nwk_bench_join(sibling);
    nwk_bench_run(&bench, 20 * SECOND);
    c->give_no_key = true;
    for (unsigned i = 0; i < 2 * NWK_BENCH_NODES; i++) {
        struct al_nwk_frame f = forged;
        f.src = (uint16_t)(0x100 + i);
        f.src_ext = 0x1000 + i;
        put_in(c, f, f.src, f.src_ext);
    }
    assert_non_null(al_nwk_neighbour_ext(&c->nwk, 0x1000));
    assert_int_equal(al_nwk_neighbour_ext(&c->nwk, sibling->ext)->relation, AL_NWK_SIBLING);
    assert_non_null(al_nwk_neighbour_ext(&c->nwk, s->ext));
    nwk_bench_run(&bench, 30 * SECOND);
    assert_null(al_nwk_neighbour_ext(&c->nwk, 0x1000));
}

static void room_and_size_agree(void **state)
{
    static const uint8_t bytes[AL_NWK_PAYLOAD_MAX + 1];
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    struct al_nwk_send s = {.dst = r->nwk.addr, .payload = bytes};
    s.len = al_nwk_room(&c->nwk, s.dst);
    assert_int_equal(s.len, 90);
    assert_int_equal(al_nwk_send(&c->nwk, nwk_bench_now(&bench), &s), 0);
    nwk_bench_arm(c);
    nwk_bench_run(&bench, 20 * MS);
    assert_int_equal(r->got, 1);
    s.len++;
    assert_true(al_nwk_send(&c->nwk, nwk_bench_now(&bench), &s) < 0);
    s.len = 82;
    s.with_src_ext = true;
    assert_int_equal(al_nwk_send(&c->nwk, nwk_bench_now(&bench), &s), 0);
    s.len++;
    assert_true(al_nwk_send(&c->nwk, nwk_bench_now(&bench), &s) < 0);
    s.dst = c->nwk.addr; /* to itself */
    s.len = 1;
    assert_true(al_nwk_send(&c->nwk, nwk_bench_now(&bench), &s) < 0);
}

static void a_full_parent_says_so(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *a = nwk_bench_add(&bench, END_DEVICE),
                    *b = nwk_bench_add(&bench, END_DEVICE), *r = nwk_bench_add(&bench, ROUTER);
    c->nwk.c.max_children = 1;
    nwk_bench_join(a);
    nwk_bench_try_join(b);
    assert_false(b->found); /* by its beacon */
    b->best = a->best;
    assert_int_equal(al_nwk_join(&b->nwk, nwk_bench_now(&bench), &b->best), 0);
    nwk_bench_arm(b);
    nwk_bench_run(&bench, SECOND);
    assert_int_equal(b->joined, AL_ZB_PAN_FULL);
    assert_false(r->nwk.up);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_route_request_is_answered_to_the_neighbour_it_came_from),
        T(a_route_request_for_another_goes_on_with_its_cost),
        T(a_time_out_that_does_not_exist_is_refused),
        T(a_pan_id_update_is_followed_when_everybody_has_it),
        T(an_unknown_command_is_told_so),
        T(a_broadcast_in_a_unicast_of_a_leaf_is_sent_to_all),
        T(the_old_form_of_leaving_forgets_no_key),
        T(an_unproven_rejoin_changes_nothing_about_a_child),
        T(room_and_size_agree),
        T(a_full_parent_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
