/* The queue and the receiver of the MAC, on a radio that only takes notes. */
#include "zigbee/mac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/mac_bench.h"

#define NEIGHBOUR al_mac_short(MAC_BENCH_PAN, 0x2222)
#define EVERYBODY al_mac_short(MAC_BENCH_PAN, AL_MAC_BROADCAST)

static struct mac_bench b;

static void assert_payload(const struct al_mac_frame *f, const char *text)
{
    assert_int_equal(f->payload_len, strlen(text));
    assert_memory_equal(f->payload, text, f->payload_len);
}

static struct al_mac_frame from_neighbour(uint8_t seq, const char *text)
{
    return (struct al_mac_frame){
        .type = AL_MAC_DATA,
        .dst = al_mac_short(MAC_BENCH_PAN, MAC_BENCH_ADDR),
        .src = NEIGHBOUR,
        .seq = seq,
        .ack_request = true,
        .payload = (const uint8_t *)text,
        .payload_len = (uint8_t)strlen(text),
    };
}

static void frames_leave_one_by_one_in_their_order(void **state)
{
    mac_bench_member(&b);
    mac_bench_send(&b, NEIGHBOUR, "one", false, 1);
    mac_bench_send(&b, EVERYBODY, "two", false, 2);
    mac_bench_send(&b, NEIGHBOUR, "three", false, 0);

    struct al_mac_frame f = mac_bench_take(&b);
    assert_payload(&f, "one");
    assert_int_equal(f.fcf, 0x8861);
    uint8_t seq = f.seq;
    assert_true(mac_bench_silent(&b)); /* the radio has one at a time */
    mac_bench_sent(&b);
    f = mac_bench_take(&b);
    assert_payload(&f, "two");
    assert_int_equal(f.fcf, 0x8841); /* nobody acknowledges a broadcast */
    assert_int_equal(f.seq, (uint8_t)(seq + 1));
    mac_bench_sent(&b);
    f = mac_bench_take(&b);
    assert_payload(&f, "three");
    mac_bench_sent(&b);
    mac_bench_expect(&b, "sent 1 OK\nsent 2 OK");
    assert_int_equal(al_mac_free_slots(&b.mac), MAC_BENCH_SLOTS);
    assert_true(al_mac_next(&b.mac) == UINT64_MAX);
}

static void results_of_the_radio_get_their_names(void **state)
{
    mac_bench_member(&b);
    for (uint16_t h = 1; h <= 3; h++) mac_bench_send(&b, NEIGHBOUR, "x", false, h);
    mac_bench_done(&b, AL_RADIO_NO_ACK, false);
    mac_bench_done(&b, AL_RADIO_CHANNEL_BUSY, false);
    mac_bench_done(&b, AL_RADIO_FAILED, false);
    mac_bench_expect(&b, "sent 1 NO_ACK\nsent 2 CHANNEL_BUSY\nsent 3 RADIO");
    assert_int_equal(b.mac.tx_failures, 3);
}

static void a_radio_that_refuses_is_told_about_later(void **state)
{
    mac_bench_member(&b);
    b.transmit_error = AL_FAIL;
    mac_bench_send(&b, NEIGHBOUR, "x", false, 5);
    mac_bench_expect(&b, ""); /* not from inside the call */
    mac_bench_wait(&b, 0);
    mac_bench_expect(&b, "sent 5 RADIO");
    b.transmit_error = 0;
    mac_bench_send(&b, NEIGHBOUR, "y", false, 6);
    mac_bench_take(&b);
}

static void a_busy_radio_is_asked_again(void **state)
{
    mac_bench_member(&b);
    b.transmit_error = AL_ERR_INVALID_STATE;
    mac_bench_send(&b, NEIGHBOUR, "x", false, 5);
    mac_bench_wait(&b, 10000);
    assert_true(mac_bench_silent(&b));
    b.transmit_error = 0;
    mac_bench_wait(&b, 1000);
    mac_bench_take(&b);
    mac_bench_sent(&b);
    mac_bench_expect(&b, "sent 5 OK");
}

static void a_configuration_that_comes_too_early_is_repeated_before_the_next_frame(void **state)
{
    mac_bench_member(&b);
    b.configure_error = AL_ERR_INVALID_STATE;
    assert_int_equal(al_mac_start(&b.mac, 20, MAC_BENCH_PAN, MAC_BENCH_ADDR, true), 0);
    mac_bench_send(&b, NEIGHBOUR, "x", false, 0);
    mac_bench_wait(&b, 5000);
    assert_true(mac_bench_silent(&b));
    b.configure_error = 0;
    mac_bench_wait(&b, 1000);
    assert_int_equal(b.config.channel, 20);
    mac_bench_take(&b);
}

static void a_full_queue_says_so_and_a_wrong_frame_takes_no_place(void **state)
{
    uint8_t long_payload[AL_RADIO_MPDU_MAX] = {0};
    struct al_mac_send s = {.dst = NEIGHBOUR, .payload = long_payload};
    mac_bench_member(&b);
    s.len = AL_RADIO_MPDU_MAX - 9 + 1;
    assert_int_equal(al_mac_send(&b.mac, b.now, &s), AL_ERR_INVALID_SIZE);
    s.len = 10000;
    assert_int_equal(al_mac_send(&b.mac, b.now, &s), AL_ERR_INVALID_SIZE);
    s.dst.mode = AL_MAC_NONE;
    s.len = 1;
    assert_int_equal(al_mac_send(&b.mac, b.now, &s), AL_ERR_INVALID_ARG);
    s.dst = NEIGHBOUR;
    s.len = AL_RADIO_MPDU_MAX - 9;
    for (unsigned i = 0; i < MAC_BENCH_SLOTS; i++)
        assert_int_equal(al_mac_send(&b.mac, b.now, &s), 0);
    assert_int_equal(al_mac_send(&b.mac, b.now, &s), AL_ERR_NO_MEM);
    assert_int_equal(al_mac_free_slots(&b.mac), 0);
    mac_bench_sent(&b);
    assert_int_equal(al_mac_send(&b.mac, b.now, &s), 0);
}

static void a_frame_can_be_taken_back_until_it_is_under_way(void **state)
{
    mac_bench_member(&b);
    mac_bench_send(&b, NEIGHBOUR, "one", false, 1);
    mac_bench_send(&b, NEIGHBOUR, "two", false, 2);
    assert_false(al_mac_purge(&b.mac, 1));
    assert_true(al_mac_purge(&b.mac, 2));
    assert_false(al_mac_purge(&b.mac, 2));
    mac_bench_take(&b);
    mac_bench_sent(&b);
    assert_true(mac_bench_silent(&b));
    mac_bench_expect(&b, "sent 1 OK");
}

static void again(struct mac_bench *bench, uint16_t handle)
{
    if (handle < 3) mac_bench_send(bench, NEIGHBOUR, "next", false, (uint16_t)(handle + 1));
}

static void a_confirmation_may_send_the_next_frame(void **state)
{
    mac_bench_member(&b);
    b.on_sent = again;
    mac_bench_send(&b, NEIGHBOUR, "first", false, 1);
    for (int i = 0; i < 3; i++) mac_bench_sent(&b);
    mac_bench_expect(&b, "sent 1 OK\nsent 2 OK\nsent 3 OK");
    assert_int_equal(b.sent, 3);
}

static void stop_forgets_everything_and_the_late_result_too(void **state)
{
    mac_bench_member(&b);
    mac_bench_send(&b, NEIGHBOUR, "one", false, 1);
    mac_bench_send(&b, NEIGHBOUR, "two", true, 2);
    al_mac_stop(&b.mac);
    assert_false(b.config.rx_on);
    assert_string_equal(b.pending, "+2222 -2222");
    assert_int_equal(al_mac_start(&b.mac, 15, MAC_BENCH_PAN, MAC_BENCH_ADDR, true), 0);
    mac_bench_send(&b, NEIGHBOUR, "three", false, 3);
    mac_bench_take(&b);
    assert_true(mac_bench_silent(&b)); /* the radio still has the first */
    mac_bench_sent(&b);
    mac_bench_expect(&b, "");
    struct al_mac_frame f = mac_bench_take(&b);
    assert_payload(&f, "three");
    mac_bench_sent(&b);
    mac_bench_expect(&b, "sent 3 OK");
}

static void data_comes_up_once_however_often_it_is_repeated(void **state)
{
    mac_bench_member(&b);
    struct al_mac_frame f = from_neighbour(7, "hello");
    mac_bench_receive(&b, &f, false);
    mac_bench_receive(&b, &f, false);
    f.pending = true; /* an indirect frame may be repeated with another "pending" */
    mac_bench_receive(&b, &f, false);
    mac_bench_expect(&b, "data 2222 'hello'");
    assert_int_equal(b.mac.rx_duplicates, 2);

    f = from_neighbour(7, "other"); /* 256 frames later: the number alone proves nothing */
    mac_bench_receive(&b, &f, false);
    f = from_neighbour(8, "other");
    mac_bench_receive(&b, &f, false);
    mac_bench_expect(&b, "data 2222 'other'\ndata 2222 'other'");
}

static void more_neighbours_than_places_are_heard_all_the_same(void **state)
{
    mac_bench_member(&b);
    for (uint16_t i = 0; i < 6; i++) { /* there are 4 places */
        struct al_mac_frame f = from_neighbour(1, "x");
        f.src.short_addr = (uint16_t)(0x3000 + i);
        b.now++;
        mac_bench_receive(&b, &f, false);
        mac_bench_receive(&b, &f, false);
    }
    assert_int_equal(b.mac.rx_duplicates, 6);
}

static void frames_for_others_are_dropped_when_the_radio_lets_them_through(void **state)
{
    mac_bench_member(&b);
    struct al_mac_frame f = from_neighbour(1, "x");
    f.dst.short_addr = 0x7777;
    mac_bench_receive(&b, &f, false);
    f = from_neighbour(2, "x");
    f.dst.pan = f.src.pan = 0x4444;
    mac_bench_receive(&b, &f, false);
    f = from_neighbour(3, "x");
    f.dst = al_mac_ext(MAC_BENCH_PAN, MAC_BENCH_EXT + 1);
    mac_bench_receive(&b, &f, false);
    f = from_neighbour(4, "x");
    f.src.mode = AL_MAC_NONE; /* nobody to answer */
    mac_bench_receive(&b, &f, false);
    mac_bench_expect(&b, "");
    f = from_neighbour(5, "x");
    f.dst = al_mac_ext(MAC_BENCH_PAN, MAC_BENCH_EXT);
    mac_bench_receive(&b, &f, false);
    f = from_neighbour(6, "y");
    f.dst.short_addr = AL_MAC_BROADCAST;
    mac_bench_receive(&b, &f, false);
    mac_bench_expect(&b, "data 2222 'x'\ndata 2222 'y'");
}

static void malformed_frames_are_counted_and_nothing_else(void **state)
{
    static const struct {
        uint8_t len, mpdu[20];
    } bad[] = {
        {0, {0}},
        {2, {0x61, 0x88}},
        {5, {0x61, 0x88, 1, 0x62, 0x1a}},                                   /* ends in the PAN */
        {9, {0x69, 0x88, 1, 0x62, 0x1a, 0x34, 0x12, 0x22, 0x22}},           /* MAC security */
        {9, {0x61, 0xa8, 1, 0x62, 0x1a, 0x34, 0x12, 0x22, 0x22}},           /* version 2 */
        {9, {0x65, 0x88, 1, 0x62, 0x1a, 0x34, 0x12, 0x22, 0x22}},           /* type 5 */
        {9, {0x63, 0x88, 1, 0x62, 0x1a, 0x34, 0x12, 0x22, 0x22}},           /* no command id */
        {10, {0x63, 0x88, 1, 0x62, 0x1a, 0x34, 0x12, 0x22, 0x22, 0x01}},    /* no capability */
        {10, {0x63, 0x88, 1, 0x62, 0x1a, 0x34, 0x12, 0x22, 0x22, 0x55}},    /* no such command */
        {12, {0x63, 0x88, 1, 0x62, 0x1a, 0x34, 0x12, 0x22, 0x22, 2, 1, 2}}, /* cut response */
    };
    mac_bench_member(&b);
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        /* From the heap, so that a sanitizer sees a read behind the end. */
        uint8_t *copy = malloc(bad[i].len ? bad[i].len : 1);
        memcpy(copy, bad[i].mpdu, bad[i].len);
        mac_bench_receive_bytes(&b, copy, bad[i].len);
        free(copy);
        assert_int_equal(b.mac.rx_bad, i + 1);
    }
    mac_bench_expect(&b, "");
    assert_true(mac_bench_silent(&b));
}

static void an_order_to_leave_is_passed_up(void **state)
{
    static const uint8_t disassociation[] = {AL_MAC_DISASSOC, 1};
    mac_bench_member(&b);
    struct al_mac_frame f = from_neighbour(9, "");
    f.type = AL_MAC_COMMAND;
    f.payload = disassociation;
    f.payload_len = sizeof disassociation;
    mac_bench_receive(&b, &f, false);
    mac_bench_expect(&b, "disassociated 2222 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_leave_one_by_one_in_their_order),
        cmocka_unit_test(results_of_the_radio_get_their_names),
        cmocka_unit_test(a_radio_that_refuses_is_told_about_later),
        cmocka_unit_test(a_busy_radio_is_asked_again),
        cmocka_unit_test(a_configuration_that_comes_too_early_is_repeated_before_the_next_frame),
        cmocka_unit_test(a_full_queue_says_so_and_a_wrong_frame_takes_no_place),
        cmocka_unit_test(a_frame_can_be_taken_back_until_it_is_under_way),
        cmocka_unit_test(a_confirmation_may_send_the_next_frame),
        cmocka_unit_test(stop_forgets_everything_and_the_late_result_too),
        cmocka_unit_test(data_comes_up_once_however_often_it_is_repeated),
        cmocka_unit_test(more_neighbours_than_places_are_heard_all_the_same),
        cmocka_unit_test(frames_for_others_are_dropped_when_the_radio_lets_them_through),
        cmocka_unit_test(malformed_frames_are_counted_and_nothing_else),
        cmocka_unit_test(an_order_to_leave_is_passed_up),
    };
    return cmocka_run_group_tests_name("mac", tests, NULL, NULL);
}
