/* The model of the air against the formulas that it stands for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radio/medium.h"

#define PAN      0x1a62
#define NODES    12
#define FRAMES   20000
#define LIFS     640
#define LONG_LEN 60 /* MPDU without FCS: 62 octets on the air, a block request */

struct station {
    struct medium_node *node;
    unsigned received, sent, no_ack, busy, pending, scanned;
    uint64_t last, sum; /* end of the last transmission; time that all took */
    uint64_t began;
    uint32_t digest;
    unsigned left; /* frames still to be sent */
    uint16_t to;
    uint8_t seq, len;
    bool ack;
    int8_t level, rssi;
    uint8_t lqi;
};

struct bench {
    struct medium *m;
    struct station s[NODES];
    unsigned count, frames;
    uint64_t gap; /* between the end of a frame and the next */
};

static const struct al_radio *port(const struct station *s)
{
    return medium_node_port(s->node);
}

static uint8_t make_data(uint8_t f[AL_RADIO_MPDU_MAX], uint16_t from, uint16_t to, uint8_t seq,
                         uint8_t len, bool ack)
{
    memset(f, 0xa5, len);
    const uint8_t header[] = {ack ? 0x61 : 0x41,  0x88,          seq,
                              PAN & 0xff,         PAN >> 8,      (uint8_t)to,
                              (uint8_t)(to >> 8), (uint8_t)from, (uint8_t)(from >> 8)};
    memcpy(f, header, sizeof header);
    return len;
}

static uint16_t own_address(const struct station *s)
{
    return (uint16_t)medium_node_eui64(s->node);
}

static void send_next(struct station *s)
{
    uint8_t f[AL_RADIO_MPDU_MAX];
    s->left--;
    s->began = medium_now(medium_of(s->node));
    uint8_t len = make_data(f, own_address(s), s->to, s->seq++, s->len, s->ack);
    assert_int_equal(port(s)->transmit(port(s)->ctx, f, len), 0);
}

static void received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    struct station *s = ctx;
    s->received++;
    s->rssi = rx->rssi;
    s->lqi = rx->lqi;
    s->digest = s->digest * 31 + (uint32_t)now + rx->mpdu[2];
}

static void transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    struct station *s = ctx;
    s->sent += status == AL_RADIO_SENT;
    s->no_ack += status == AL_RADIO_NO_ACK;
    s->busy += status == AL_RADIO_CHANNEL_BUSY;
    s->pending += pending;
    s->sum += now - s->began;
    s->last = now;
    if (s->left) send_next(s);
}

static void scanned(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    struct station *s = ctx;
    s->scanned++;
    s->level = dbm;
}

static void configure(struct station *s, uint8_t channel, bool rx_on)
{
    const struct al_radio_config c = {.channel = channel,
                                      .pan_id = PAN,
                                      .short_addr = own_address(s),
                                      .ext_addr = medium_node_eui64(s->node),
                                      .rx_on = rx_on};
    assert_int_equal(port(s)->configure(port(s)->ctx, &c), 0);
}

static void begin(struct bench *b, const struct medium_config *c, unsigned count)
{
    memset(b, 0, sizeof *b);
    b->m = medium_new(c);
    b->count = count;
    assert_non_null(b->m);
    for (unsigned i = 0; i < count; i++) {
        struct station *s = &b->s[i];
        const struct medium_node_config config = {
            .eui64 = i + 1, .events = {received, transmitted, scanned, NULL}, .ctx = s};
        s->node = medium_add_node(b->m, &config);
        assert_non_null(s->node);
        s->len = LONG_LEN;
        s->to = 1;
        s->ack = true;
        configure(s, 15, true);
    }
}

static void send_many(struct station *s, unsigned frames, uint16_t to)
{
    s->left = frames;
    s->to = to;
    send_next(s);
}

static struct medium_stats stats(const struct bench *b)
{
    struct medium_stats s;
    medium_stats(b->m, &s);
    return s;
}

/* --- time --- */

/* T(L) = backoff x 320 + 128 + 192 + 32 (6 + L) + 192 + 352, L with FCS. */
static void acknowledged_unicast_takes_what_the_formula_says(void **state)
{
    for (uint8_t len = 10; len <= AL_RADIO_MPDU_MAX; len += 23) {
        bool seen[8] = {false};
        for (uint64_t seed = 0; seed < 100; seed++) {
            struct bench b;
            begin(&b, &(struct medium_config){.seed = seed}, 2);
            b.s[1].len = len;
            send_many(&b.s[1], 1, 1);
            medium_run_until(b.m, 1000000);
            uint64_t rest = b.s[1].last - (128 + 192 + 32 * (6 + len + 2) + 192 + 352);
            assert_int_equal(rest % 320, 0);
            assert_in_range(rest / 320, 0, 7);
            seen[rest / 320] = true;
            assert_int_equal(b.s[1].sent, 1);
            assert_int_equal(b.s[0].received, 1);
            medium_free(b.m);
        }
        for (unsigned i = 0; i < 8; i++) assert_true(seen[i]);
    }
}

static void mean_time_is_the_typical_one(void **state)
{
    struct bench b;
    begin(&b, &(struct medium_config){.seed = 3}, 2);
    send_many(&b.s[1], FRAMES, 1);
    medium_run_until(b.m, UINT64_MAX - 1);
    double typical = 1120 + 128 + 192 + 32 * 68 + 192 + 352 + LIFS;
    double mean = (double)(b.s[1].last + LIFS) / FRAMES;
    /* The deviation of one backoff is 733 us. */
    assert_true(mean > typical - 733 * 4 / 141.0 && mean < typical + 733 * 4 / 141.0);
    assert_int_equal(b.s[0].received, FRAMES);
    assert_int_equal(stats(&b).collisions, 0);
    assert_int_equal(stats(&b).frames, 2 * FRAMES);
    assert_int_equal(stats(&b).airtime_us, FRAMES * (32 * 68 + 352));
    assert_int_equal(stats(&b).air_us[4], FRAMES * (32 * 68 + 352));
    medium_free(b.m);
}

/* Whatever the load: a receiver never gets more than the bound allows. */
static void throughput_stays_below_the_bound(void **state)
{
    struct bench b;
    const uint64_t second = 1000000, bound_us = 128 + 192 + 32 * (6 + 126) + 192 + 352;
    begin(&b, &(struct medium_config){.seed = 4}, NODES);
    for (unsigned i = 1; i < NODES; i++) {
        b.s[i].len = 124;
        send_many(&b.s[i], 100000, 1);
    }
    medium_run_until(b.m, 20 * second);
    assert_true(b.s[0].received < 20 * second / bound_us);
    assert_true(b.s[0].received > 20 * second / bound_us / 3);
    assert_true(stats(&b).collisions > 0);
    assert_true(stats(&b).repetitions > 0);
    assert_true(stats(&b).air_us[4] < 20 * second);
    medium_free(b.m);
}

/* --- who hears whom --- */

/* Both begin within the turnaround time of the other: neither senses it. */
static void frames_that_overlap_are_both_lost(void **state)
{
    unsigned collided = 0, clear = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct bench b;
        begin(&b, &(struct medium_config){.seed = seed}, 3);
        b.s[1].ack = b.s[2].ack = false;
        send_many(&b.s[1], 1, 1);
        send_many(&b.s[2], 1, 1);
        medium_run_until(b.m, 1000000);
        assert_true(b.s[0].received == 0 || b.s[0].received == 2);
        assert_int_equal(stats(&b).collisions, 2 - b.s[0].received);
        collided += b.s[0].received == 0;
        clear += b.s[0].received == 2;
        medium_free(b.m);
    }
    /* The same of 8 backoffs: 1 of 8. Neighbouring ones differ by more than the turnaround. */
    assert_in_range(collided, 10, 45);
    assert_int_equal(collided + clear, 200);
}

static void stronger_frame_survives_with_the_capture_effect(void **state)
{
    unsigned captured = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct bench b;
        begin(&b, &(struct medium_config){.seed = seed, .capture_db = 6}, 3);
        medium_set_link(b.s[1].node, b.s[0].node, 1, -40);
        medium_set_link(b.s[2].node, b.s[0].node, 1, -50);
        b.s[1].ack = b.s[2].ack = false;
        send_many(&b.s[1], 1, 1);
        send_many(&b.s[2], 1, 1);
        medium_run_until(b.m, 1000000);
        if (b.s[0].received == 1) assert_int_equal(b.s[0].rssi, -40);
        captured += b.s[0].received == 1;
        assert_int_not_equal(b.s[0].received, 0);
        medium_free(b.m);
    }
    assert_true(captured > 0);
}

/* Nodes that hear each other take turns; hidden from each other they collide much more. */
static void hidden_nodes_collide_more(void **state)
{
    double share[2];
    for (int hidden = 0; hidden < 2; hidden++) {
        struct bench b;
        begin(&b, &(struct medium_config){.seed = 6}, 3);
        if (hidden) {
            medium_set_link(b.s[1].node, b.s[2].node, 0, 0);
            medium_set_link(b.s[2].node, b.s[1].node, 0, 0);
        }
        b.s[1].ack = b.s[2].ack = false;
        send_many(&b.s[1], 2000, 1);
        send_many(&b.s[2], 2000, 1);
        medium_run_until(b.m, 60000000);
        share[hidden] = (double)stats(&b).collisions / 4000;
        medium_free(b.m);
    }
    assert_true(share[0] < 0.2);
    assert_true(share[1] > 0.5);
}

static void nodes_out_of_range_hear_nothing(void **state)
{
    struct bench b;
    begin(&b, &(struct medium_config){.seed = 1, .range_m = 50}, 3);
    medium_place_node(b.s[0].node, 0, 0);
    medium_place_node(b.s[1].node, 0, 25);
    medium_place_node(b.s[2].node, 51, 0);
    b.s[1].ack = false;
    send_many(&b.s[1], 20, 0xffff); /* heard by 0 alone: 2 is 57 m away */
    medium_run_until(b.m, 1000000);
    assert_int_equal(b.s[0].received, 20);
    assert_int_equal(b.s[2].received, 0);
    assert_int_equal(b.s[0].rssi, -86); /* -95 + 30 log10(2) */
    send_many(&b.s[2], 1, 1);
    medium_run_until(b.m, 2000000);
    assert_int_equal(b.s[2].no_ack, 1);
    assert_int_equal(stats(&b).repetitions, 3);
    medium_free(b.m);
}

static void level_grows_with_the_power_of_the_sender(void **state)
{
    struct bench b;
    begin(&b, &(struct medium_config){.seed = 1}, 2);
    send_many(&b.s[1], 1, 1);
    medium_run_until(b.m, 100000);
    assert_int_equal(b.s[0].rssi, MEDIUM_LEVEL_DBM);
    uint8_t lqi = b.s[0].lqi;
    struct al_radio_config c = {.channel = 15, .power = -40, .pan_id = PAN, .short_addr = 2};
    port(&b.s[1])->configure(port(&b.s[1])->ctx, &c);
    b.s[1].ack = false;
    while (b.s[0].rssi == MEDIUM_LEVEL_DBM) { /* a weak link: now and then a frame arrives */
        send_many(&b.s[1], 1, 1);
        medium_run_until(b.m, medium_now(b.m) + 100000);
    }
    assert_int_equal(b.s[0].rssi, MEDIUM_LEVEL_DBM - 40);
    assert_true(b.s[0].lqi < lqi);
    medium_free(b.m);
}

static void other_channels_are_other_air(void **state)
{
    struct bench b;
    begin(&b, &(struct medium_config){.seed = 1}, 4);
    configure(&b.s[2], 26, true);
    configure(&b.s[3], 26, true);
    send_many(&b.s[1], 500, 1);
    send_many(&b.s[3], 500, 3);
    medium_run_until(b.m, 10000000);
    assert_int_equal(b.s[0].received, 500);
    assert_int_equal(b.s[2].received, 500);
    assert_int_equal(stats(&b).collisions, 0);
    assert_true(stats(&b).air_us[15] > 0);
    medium_free(b.m);
}

/* --- loss, acknowledgements, sleep --- */

static void frames_are_lost_as_often_as_configured(void **state)
{
    struct bench b;
    begin(&b, &(struct medium_config){.seed = 8, .loss = 0.2}, 3);
    medium_set_link(b.s[1].node, b.s[2].node, 0.5, -60);
    b.s[1].ack = false;
    send_many(&b.s[1], FRAMES, 0xffff);
    medium_run_until(b.m, UINT64_MAX - 1);
    assert_in_range(b.s[0].received, FRAMES * 0.785, FRAMES * 0.815);
    assert_in_range(b.s[2].received, FRAMES * 0.385, FRAMES * 0.415); /* 0.8 x 0.5 */
    assert_int_equal(stats(&b).losses, 2 * FRAMES - b.s[0].received - b.s[2].received);
    medium_free(b.m);
}

/* A repetition is lost with the same probability: 1 - (1 - 0.7 x 0.7)^4 get through. */
static void repetitions_make_up_for_losses(void **state)
{
    struct bench b;
    begin(&b, &(struct medium_config){.seed = 9, .loss = 0.3}, 2);
    send_many(&b.s[1], FRAMES, 1);
    medium_run_until(b.m, UINT64_MAX - 1);
    assert_int_equal(b.s[1].sent + b.s[1].no_ack, FRAMES);
    assert_in_range(b.s[1].sent, FRAMES * 0.925, FRAMES * 0.94);
    assert_true(stats(&b).repetitions > FRAMES * 0.8);
    assert_int_equal(stats(&b).no_ack, b.s[1].no_ack);
    medium_free(b.m);
}

static void poll(struct station *s)
{
    const uint8_t f[] = {0x63, 0x88, s->seq++, PAN & 0xff, PAN >> 8, 1, 0, (uint8_t)own_address(s),
                         0,    4};
    assert_int_equal(port(s)->transmit(port(s)->ctx, f, sizeof f), 0);
}

static void sleeper_gets_its_frame_behind_a_poll(void **state)
{
    struct bench b;
    begin(&b, &(struct medium_config){.seed = 1}, 2);
    struct station *parent = &b.s[0], *child = &b.s[1];
    configure(child, 15, false);
    send_many(parent, 1, 2);
    medium_run_until(b.m, 100000);
    assert_int_equal(parent->no_ack, 1); /* it sleeps */
    poll(child);
    medium_run_until(b.m, 200000);
    assert_int_equal(child->sent, 1);
    assert_int_equal(child->pending, 0);
    port(parent)->set_pending(port(parent)->ctx, false, 2, true);
    poll(child);
    medium_run_until(b.m, 210000);
    assert_int_equal(child->pending, 1);
    send_many(parent, 1, 2);
    medium_run_until(b.m, 300000);
    assert_int_equal(parent->sent, 1);
    assert_int_equal(child->received, 1);
    send_many(parent, 1, 2);
    medium_run_until(b.m, 400000);
    assert_int_equal(parent->no_ack, 2); /* asleep again */
    medium_free(b.m);
}

static void energy_scan_sees_the_strongest_frame(void **state)
{
    struct bench b;
    begin(&b, &(struct medium_config){.seed = 1}, 3);
    medium_set_link(b.s[1].node, b.s[0].node, 1, -71);
    assert_int_equal(port(&b.s[0])->energy_scan(port(&b.s[0])->ctx, 15, 138240), 0);
    b.s[1].ack = false;
    send_many(&b.s[1], 5, 3);
    medium_run_until(b.m, 138240);
    assert_int_equal(b.s[0].scanned, 1);
    assert_int_equal(b.s[0].level, -71);
    port(&b.s[0])->energy_scan(port(&b.s[0])->ctx, 11, 138240);
    medium_run_until(b.m, 300000);
    assert_int_equal(b.s[0].scanned, 2);
    assert_int_equal(b.s[0].level, MEDIUM_NOISE_DBM);
    medium_free(b.m);
}

/* --- the queue --- */

static uint32_t digest_of_run(uint64_t seed)
{
    struct bench b;
    uint32_t digest = 0;
    begin(&b, &(struct medium_config){.seed = seed, .loss = 0.1, .shadowing_db = 4}, NODES);
    for (unsigned i = 0; i < NODES; i++) medium_place_node(b.s[i].node, 7.0 * i, i % 3);
    for (unsigned i = 1; i < NODES; i++) send_many(&b.s[i], 200, (uint16_t)i);
    medium_run_until(b.m, 10000000);
    for (unsigned i = 0; i < NODES; i++) digest = digest * 1000003 + b.s[i].digest;
    medium_free(b.m);
    return digest;
}

static void same_seed_gives_the_same_run(void **state)
{
    assert_int_equal(digest_of_run(5), digest_of_run(5));
    assert_int_not_equal(digest_of_run(5), digest_of_run(6));
}

struct alarm {
    struct medium_node *node;
    uint64_t rang[4];
    unsigned count;
};

static void rings(void *ctx, uint64_t now)
{
    struct alarm *a = ctx;
    a->rang[a->count++] = now;
    if (a->count == 1) medium_node_wake(a->node, now + 5);
    if (a->count == 2) medium_node_wake(a->node, 1); /* has passed: at once */
}

static void wake_ups_come_when_asked_for(void **state)
{
    struct medium *m = medium_new(&(struct medium_config){0});
    struct alarm a = {0};
    a.node = medium_add_node(m, &(struct medium_node_config){.wake = rings, .ctx = &a});
    medium_node_wake(a.node, 500);
    medium_node_wake(a.node, 100); /* instead */
    assert_int_equal(medium_next(m), 100);
    medium_run_until(m, 99);
    assert_int_equal(a.count, 0);
    medium_run_until(m, 1000);
    assert_int_equal(a.count, 3);
    assert_int_equal(a.rang[0], 100);
    assert_int_equal(a.rang[1], 105);
    assert_int_equal(a.rang[2], 105);
    assert_int_equal(medium_now(m), 1000);
    medium_node_wake(a.node, 2000);
    medium_node_wake(a.node, UINT64_MAX);
    assert_false(medium_step(m));
    medium_free(m);
}

struct order {
    unsigned *next, mine;
};

static void notes_turn(void *ctx, uint64_t now)
{
    struct order *o = ctx;
    o->mine = (*o->next)++;
}

static void events_of_the_same_time_come_in_the_order_in_which_they_were_asked_for(void **state)
{
    struct medium *m = medium_new(&(struct medium_config){0});
    struct medium_node *node[NODES];
    struct order order[NODES];
    unsigned next = 0;
    for (unsigned i = 0; i < NODES; i++) {
        order[i] = (struct order){&next, NODES};
        const struct medium_node_config c = {.eui64 = i + 1, .wake = notes_turn, .ctx = &order[i]};
        node[i] = medium_add_node(m, &c);
    }
    for (unsigned i = 0; i < NODES; i++) medium_node_wake(node[i * 5 % NODES], 1000);
    medium_run_until(m, 1000);
    for (unsigned i = 0; i < NODES; i++) assert_int_equal(order[i * 5 % NODES].mine, i);
    medium_free(m);
}

struct seen {
    unsigned frames, overlaps;
    uint64_t last_end;
};

static void sees(void *ctx, const struct medium_frame *f)
{
    struct seen *s = ctx;
    s->frames++;
    s->overlaps += f->overlaps;
    assert_int_equal(f->end - f->start, 32 * (6 + f->len + 2));
    assert_int_equal(f->channel, 15);
    assert_true(f->end >= s->last_end);
    s->last_end = f->end;
}

static void every_frame_is_shown(void **state)
{
    struct bench b;
    struct seen seen = {0};
    begin(&b, &(struct medium_config){.seed = 2, .frame = sees, .frame_ctx = &seen}, 4);
    for (unsigned i = 1; i < 4; i++) send_many(&b.s[i], 100, 1);
    medium_run_until(b.m, 10000000);
    assert_int_equal(seen.frames, stats(&b).frames);
    assert_true(seen.overlaps > 0);
    medium_free(b.m);
}

static void node_that_leaves_is_gone(void **state)
{
    struct bench b;
    begin(&b, &(struct medium_config){.seed = 2}, 3);
    send_many(&b.s[1], 10, 1);
    medium_run_until(b.m, 3000); /* in the middle of something */
    medium_remove_node(b.s[1].node);
    medium_run_until(b.m, 10000);
    unsigned received_then = b.s[0].received;
    send_many(&b.s[2], 10, 1);
    medium_run_until(b.m, 1000000);
    assert_int_equal(b.s[0].received, received_then + 10);
    send_many(&b.s[0], 1, 2);
    medium_run_until(b.m, 2000000);
    assert_int_equal(b.s[0].no_ack, 1);
    assert_null(medium_node_at(b.m, 1));
    const struct medium_node_config again = {.eui64 = 2};
    const struct medium_node *n = medium_add_node(b.m, &again);
    assert_ptr_equal(n, medium_node_at(b.m, 1));
    medium_free(b.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledged_unicast_takes_what_the_formula_says),
        cmocka_unit_test(mean_time_is_the_typical_one),
        cmocka_unit_test(throughput_stays_below_the_bound),
        cmocka_unit_test(frames_that_overlap_are_both_lost),
        cmocka_unit_test(stronger_frame_survives_with_the_capture_effect),
        cmocka_unit_test(hidden_nodes_collide_more),
        cmocka_unit_test(nodes_out_of_range_hear_nothing),
        cmocka_unit_test(level_grows_with_the_power_of_the_sender),
        cmocka_unit_test(other_channels_are_other_air),
        cmocka_unit_test(frames_are_lost_as_often_as_configured),
        cmocka_unit_test(repetitions_make_up_for_losses),
        cmocka_unit_test(sleeper_gets_its_frame_behind_a_poll),
        cmocka_unit_test(energy_scan_sees_the_strongest_frame),
        cmocka_unit_test(same_seed_gives_the_same_run),
        cmocka_unit_test(wake_ups_come_when_asked_for),
        cmocka_unit_test(events_of_the_same_time_come_in_the_order_in_which_they_were_asked_for),
        cmocka_unit_test(every_frame_is_shown),
        cmocka_unit_test(node_that_leaves_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
