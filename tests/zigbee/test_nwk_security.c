/* What the network layer lets in: keys, counters, replays; and that its own counters never
 * go back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/nwk_bench.h"
#include "tests/support/zigbee_vector.h"

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

/* ---- Frames from nowhere ---- */

struct forged {
    uint16_t src;
    uint64_t ext;
    uint32_t counter;
    uint8_t key_seq;
    const uint8_t *key; /* NULL: without security */
    bool broken;
};

static uint8_t mac_seq;

static void forge(struct nwk_node *to, const struct forged *x)
{
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
    struct al_put p = al_put(mpdu, sizeof mpdu);
    const struct al_mac_frame mac = {
        .type = AL_MAC_DATA,
        .dst = al_mac_short(to->nwk.pan_id, to->nwk.addr),
        .src = al_mac_short(to->nwk.pan_id, x->src),
        .seq = mac_seq++,
        .ack_request = true,
    };
    struct al_nwk_frame f = {
        .type = AL_NWK_DATA,
        .seq = mac.seq,
        .dst = to->nwk.addr,
        .src = x->src,
        .radius = 30,
        .secured = x->key,
        .aux = {.source = x->ext,
                .has_source = true,
                .counter = x->counter,
                .key_id = AL_SEC_KEY_NETWORK,
                .key_seq = x->key_seq},
        .payload = (const uint8_t *)"forged",
        .payload_len = 6,
    };
    assert_int_equal(al_mac_build(&mac, &p), 0);
    if (x->key)
        assert_int_equal(al_nwk_seal(&f, zigbee_aes(), x->key, &p), 0);
    else
        assert_int_equal(al_nwk_build(&f, &p), 0);
    if (x->broken) mpdu[p.len - 1] ^= 1;
    const struct al_radio_rx rx = {.mpdu = mpdu, .len = (uint8_t)p.len, .lqi = 200};
    al_mac_received(&to->mac, nwk_bench_now(&bench), &rx);
    nwk_bench_arm(to);
}

static bool accepted(struct nwk_node *to, const struct forged *x)
{
    unsigned got = to->got;
    forge(to, x);
    return to->got == got + 1;
}

static void frames_of_another_stack_are_accepted_once(void **state)
{
    uint8_t mpdu[127];
    bench.next_ext = ZIGBEE_COORDINATOR;
    struct nwk_node *c = nwk_bench_add(&bench, COORDINATOR);
    assert_int_equal(al_nwk_form(&c->nwk, 0, 13, ZIGBEE_PAN, 0), 0);
    al_nwk_set_key(&c->nwk, 0, zigbee_network_key, 0);
    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned i = 9; i <= 10; i++) {
            size_t len = zigbee_vector(i, mpdu);
            mpdu[2] = (uint8_t)(mpdu[2] + 16 * turn); /* else the MAC knows it */
            const struct al_radio_rx rx = {.mpdu = mpdu, .len = (uint8_t)(len - 2), .lqi = 255};
            al_mac_received(&c->mac, 1000, &rx);
        }
    }
    assert_int_equal(c->got, 2);
    assert_int_equal(c->from, ZIGBEE_DEVICE_ADDR);
    assert_int_equal(c->nwk.dropped_replay, 2);
    assert_int_equal(c->nwk.dropped_mic, 0);
    assert_int_equal(al_nwk_addr_of(&c->nwk, ZIGBEE_DEVICE), ZIGBEE_DEVICE_ADDR);
    assert_int_equal(al_nwk_ext_of(&c->nwk, ZIGBEE_DEVICE_ADDR), ZIGBEE_DEVICE);
}

static void only_rising_counters_come_in(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench);
    struct forged x = {.src = 0x1111, .ext = 0xabc, .counter = 100, .key = bench.key};
    assert_true(accepted(c, &x)); /* the first one is taken as it is */
    assert_false(accepted(c, &x));
    x.counter = 99;
    assert_false(accepted(c, &x));
    x.counter = 101;
    assert_true(accepted(c, &x));
    x.counter = UINT32_MAX;
    assert_false(accepted(c, &x));
    assert_int_equal(c->nwk.dropped_replay, 3);
    x.counter = UINT32_MAX - 1;
    assert_true(accepted(c, &x));
    /* A frame that was not from it does not move its counter. */
    struct forged y = {.src = 0x2222, .ext = 0xdef, .counter = 5, .key = bench.key};
    assert_true(accepted(c, &y));
    y.counter = 5000;
    y.broken = true;
    assert_false(accepted(c, &y));
    y.broken = false;
    y.counter = 6;
    assert_true(accepted(c, &y));
}

static void wrong_keys_and_no_key_stay_out(void **state)
{
    static const uint8_t other[16] = {1};
    struct nwk_node *c = nwk_bench_form(&bench);
    assert_false(accepted(
        c,
        &(struct forged){.src = 0x1111, .ext = 1, .counter = 1, .key = bench.key, .broken = true}));
    assert_false(
        accepted(c, &(struct forged){.src = 0x1111, .ext = 1, .counter = 1, .key = other}));
    assert_false(accepted(
        c,
        &(struct forged){.src = 0x1111, .ext = 1, .counter = 1, .key = bench.key, .key_seq = 7}));
    assert_int_equal(c->nwk.dropped_mic, 3);
    assert_false(accepted(c, &(struct forged){.src = 0x1111, .ext = 1}));
    assert_int_equal(c->nwk.dropped_unsecured, 1);
    /* Its own EUI: a frame of this node, played back. */
    assert_false(accepted(
        c, &(struct forged){.src = 0x1111, .ext = c->ext, .counter = 1, .key = bench.key}));
}

static void an_end_device_hears_its_parent_only(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *e = nwk_bench_add(&bench, END_DEVICE);
    nwk_bench_join(e);
    struct forged x = {.src = 0x1111, .ext = 0xabc, .counter = 100, .key = bench.key};
    assert_false(accepted(e, &x));
    x.src = 0;
    assert_false(accepted(e, &x)); /* the parent's address, another device */
    x.ext = c->ext;
    x.counter = 5000;
    assert_true(accepted(e, &x));
}

/* Else it would wait for ever for a parent that it does not know. */
static void a_stranger_in_the_place_of_a_silent_parent_means_that_it_is_lost(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *e = nwk_bench_add(&bench, END_DEVICE);
    nwk_bench_join(e);
    nwk_bench_run(&bench, 70 * SECOND);
    struct forged x = {.src = 0, .ext = 0xabc, .counter = 100, .key = bench.key};
    struct al_nwk_neighbour *parent = al_nwk_neighbour_ext(&e->nwk, c->ext);
    parent->heard = nwk_bench_now(&bench) - 59 * SECOND;
    assert_false(accepted(e, &x));
    assert_int_equal(e->lost, 0);
    x.counter++;
    parent->heard = nwk_bench_now(&bench) - 61 * SECOND;
    assert_false(accepted(e, &x));
    assert_int_equal(e->lost, 1);
}

/* ---- Own counters ---- */

struct seen {
    uint64_t ext;
    uint32_t counter;
    bool known;
};
static struct seen seen[NWK_BENCH_NODES];
static unsigned secured_frames;

/* Repetitions of the MAC have the same counter. */
static void check_counter(struct nwk_bench *b, const struct medium_frame *frame)
{
    struct al_mac_frame mac;
    struct al_nwk_frame f;
    if (al_mac_parse(&mac, frame->mpdu, frame->len) || mac.type != AL_MAC_DATA) return;
    if (al_nwk_parse(&f, mac.payload, mac.payload_len) || !f.secured) return;
    for (unsigned i = 0; i < NWK_BENCH_NODES; i++) {
        struct seen *s = &seen[i];
        if (s->known && s->ext != f.aux.source) continue;
        if (s->known) assert_true(f.aux.counter >= s->counter);
        *s = (struct seen){.ext = f.aux.source, .counter = f.aux.counter, .known = true};
        secured_frames++;
        return;
    }
}

static void counters_rise_over_crashes(void **state)
{
    memset(seen, 0, sizeof seen);
    secured_frames = 0;
    bench.frame = check_counter;
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    for (unsigned crash = 0; crash < 12; crash++) {
        for (unsigned i = 0; i < 4; i++) {
            nwk_bench_passes(c, r, "on");
            nwk_bench_passes(r, c, "and on");
        }
        nwk_bench_restart(crash % 2 ? c : r);
        nwk_bench_run(&bench, 2 * SECOND);
    }
    assert_true(secured_frames > 96);
    assert_int_equal(c->nwk.dropped_replay + r->nwk.dropped_replay, 0);
    /* What is kept is ahead of what is used, but not by more than the reserve. */
    assert_in_range(c->nwk.counter_reserved - c->nwk.counter, 0, 1024);
}

static void the_reserve_is_raised_in_time(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    c->nwk.counter = c->nwk.counter_reserved - 1;
    nwk_bench_passes(c, r, "last of the reserve");
    nwk_bench_passes(c, r, "first of the next");
    assert_true(c->nwk.counter_reserved > c->nwk.counter);
    nwk_bench_restart(c);
    nwk_bench_passes(c, r, "after the crash");
    /* What cannot be kept is not used. */
    c->nwk.counter = c->nwk.counter_reserved;
    c->save_error = AL_FAIL;
    nwk_bench_send(c, r->nwk.addr, "x", 2);
    nwk_bench_run(&bench, SECOND);
    assert_int_equal(c->sent[2], AL_ZB_SECURITY);
    c->save_error = 0;
    nwk_bench_passes(c, r, "store is back");
}

static void a_used_up_counter_sends_nothing(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    c->nwk.counter = UINT32_MAX - 128;
    nwk_bench_send(c, r->nwk.addr, "x", 2);
    nwk_bench_run(&bench, SECOND);
    assert_int_equal(c->sent[2], AL_ZB_SECURITY);
}

static void leaving_does_not_begin_the_counter_anew(void **state)
{
    nwk_bench_form(&bench);
    struct nwk_node *r = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    nwk_bench_passes(r, &bench.node[0], "x");
    uint32_t counter = r->nwk.counter;
    al_nwk_forget(&r->nwk);
    assert_true(r->nwk.counter >= counter);
    assert_null(al_nwk_active_key(&r->nwk));
    struct al_nwk copy;
    al_nwk_init(&copy, &r->nwk.c);
    assert_false(al_nwk_restore(&copy));
    assert_true(copy.counter >= counter);
}

/* ---- A new key ---- */

static void everybody_follows_to_the_new_key(void **state)
{
    static const uint8_t fresh[16] = {9, 9, 9};
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER),
                    *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(r);
    nwk_bench_permit(c, 0);
    nwk_bench_join(s);
    nwk_bench_run(&bench, 20 * SECOND);
    for (unsigned i = 0; i < bench.count; i++)
        al_nwk_set_key(&bench.node[i].nwk, nwk_bench_now(&bench), fresh, 1);
    assert_int_equal(al_nwk_active_key(&r->nwk)->seq, 0);
    nwk_bench_passes(s, c, "still the old one");
    al_nwk_switch_key(&c->nwk, nwk_bench_now(&bench), 1);
    assert_int_equal(c->nwk.counter, 0);
    nwk_bench_passes(c, s, "with the new one");
    for (unsigned i = 0; i < bench.count; i++)
        assert_int_equal(al_nwk_active_key(&bench.node[i].nwk)->seq, 1);
    nwk_bench_passes(s, c, "from everybody");
    /* Frames under the old key are history. */
    assert_false(accepted(
        c,
        &(struct forged){.src = r->nwk.addr, .ext = r->ext, .counter = 1000000, .key = bench.key}));
    nwk_bench_restart(r);
    assert_int_equal(al_nwk_active_key(&r->nwk)->seq, 1);
    nwk_bench_run(&bench, 20 * SECOND);
    nwk_bench_passes(s, c, "after a restart");
}

/* The neighbour missed the MAC's acknowledgement: all anew but the NWK sequence number. */
static void a_copy_from_the_same_hop_comes_in_once(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench);
    struct forged x = {.src = 0x1111, .ext = 0xabc, .counter = 100, .key = bench.key};
    assert_true(accepted(c, &x));
    mac_seq--;
    x.counter++;
    assert_false(accepted(c, &x));
    mac_seq--;
    x.counter++;
    nwk_bench_run(&bench, 3 * SECOND); /* as late as that it is another frame */
    assert_true(accepted(c, &x));
}

static void an_old_sequence_does_not_switch_back(void **state)
{
    static const uint8_t fresh[16] = {9, 9, 9};
    struct nwk_node *c = nwk_bench_form(&bench);
    al_nwk_set_key(&c->nwk, 0, fresh, 1);
    al_nwk_switch_key(&c->nwk, 0, 1);
    /* One that has not switched yet is still heard. */
    struct forged x = {.src = 0x1111, .ext = 0xabc, .counter = 100, .key = bench.key};
    assert_true(accepted(c, &x));
    assert_int_equal(al_nwk_active_key(&c->nwk)->seq, 1);
    x.key = fresh;
    x.key_seq = 1;
    x.counter = 0;
    assert_true(accepted(c, &x));
    x.key = bench.key;
    x.key_seq = 0;
    x.counter = 101;
    assert_false(accepted(c, &x));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(frames_of_another_stack_are_accepted_once),
        T(only_rising_counters_come_in),
        T(wrong_keys_and_no_key_stay_out),
        T(an_end_device_hears_its_parent_only),
        T(a_stranger_in_the_place_of_a_silent_parent_means_that_it_is_lost),
        T(counters_rise_over_crashes),
        T(the_reserve_is_raised_in_time),
        T(a_used_up_counter_sends_nothing),
        T(leaving_does_not_begin_the_counter_anew),
        T(everybody_follows_to_the_new_key),
        T(a_copy_from_the_same_hop_comes_in_once),
        T(an_old_sequence_does_not_switch_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
