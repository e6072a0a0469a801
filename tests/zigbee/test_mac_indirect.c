/* Frames for children that sleep: kept, announced, released by a poll, expired. */
#include "zigbee/mac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/mac_bench.h"

#define CHILD     al_mac_short(MAC_BENCH_PAN, 0xc001)
#define OTHER     al_mac_short(MAC_BENCH_PAN, 0xc002)
#define NEIGHBOUR al_mac_short(MAC_BENCH_PAN, 0x2222)

static struct mac_bench b;

static void assert_next(const char *text, bool pending)
{
    struct al_mac_frame f = mac_bench_take(&b);
    assert_int_equal(f.payload_len, strlen(text));
    assert_memory_equal(f.payload, text, f.payload_len);
    assert_int_equal(f.pending, pending);
}

static void polls_release_the_oldest_frame_and_announce_the_rest(void **state)
{
    mac_bench_member(&b);
    mac_bench_send(&b, CHILD, "one", true, 1);
    mac_bench_send(&b, OTHER, "else", true, 9);
    mac_bench_send(&b, CHILD, "two", true, 2);
    assert_true(mac_bench_silent(&b));
    assert_string_equal(b.pending, "+c001 +c002");
    b.pending[0] = 0;

    mac_bench_poll_from(&b, CHILD, 1, true);
    assert_next("one", true);
    mac_bench_sent(&b);
    mac_bench_poll_from(&b, CHILD, 2, true);
    assert_next("two", false);
    assert_string_equal(b.pending, ""); /* until the last one has been delivered */
    mac_bench_sent(&b);
    assert_string_equal(b.pending, "-c001");
    mac_bench_expect(&b, "polled by c001\nsent 1 OK\npolled by c001\nsent 2 OK");
    assert_true(mac_bench_silent(&b));
}

static void a_polling_child_goes_before_all_that_is_queued(void **state)
{
    mac_bench_member(&b);
    mac_bench_send(&b, NEIGHBOUR, "a", false, 0);
    mac_bench_send(&b, NEIGHBOUR, "b", false, 0);
    mac_bench_send(&b, CHILD, "child", true, 0);
    mac_bench_poll_from(&b, CHILD, 1, true);
    assert_next("a", false); /* was on its way */
    mac_bench_sent(&b);
    assert_next("child", false);
    mac_bench_sent(&b);
    assert_next("b", false);
}

static void a_child_that_was_told_nothing_gets_nothing(void **state)
{
    mac_bench_member(&b);
    mac_bench_send(&b, CHILD, "x", true, 1);
    mac_bench_poll_from(&b, CHILD, 1, false); /* its receiver is off again */
    assert_true(mac_bench_silent(&b));
    mac_bench_poll_from(&b, CHILD, 2, true);
    assert_next("x", false);
}

static void a_released_frame_does_not_leave_when_nobody_listens_any_more(void **state)
{
    mac_bench_member(&b);
    mac_bench_send(&b, NEIGHBOUR, "slow", false, 0);
    mac_bench_send(&b, CHILD, "x", true, 1);
    mac_bench_poll_from(&b, CHILD, 1, true);
    mac_bench_take(&b);
    mac_bench_wait(&b, 25000); /* the neighbour was slow */
    mac_bench_sent(&b);
    assert_true(mac_bench_silent(&b));
    mac_bench_poll_from(&b, CHILD, 2, true);
    assert_next("x", false);
}

static void a_frame_that_got_lost_waits_for_the_next_poll_with_its_number(void **state)
{
    mac_bench_member(&b);
    mac_bench_send(&b, CHILD, "x", true, 1);
    mac_bench_poll_from(&b, CHILD, 1, true);
    uint8_t seq = mac_bench_take(&b).seq;
    mac_bench_done(&b, AL_RADIO_NO_ACK, false);
    assert_true(mac_bench_silent(&b));
    mac_bench_poll_from(&b, CHILD, 2, true);
    assert_int_equal(mac_bench_take(&b).seq, seq);
    mac_bench_sent(&b);
    mac_bench_expect(&b, "polled by c001\npolled by c001\nsent 1 OK");
}

static void a_repeated_poll_does_not_send_twice(void **state)
{
    mac_bench_member(&b);
    mac_bench_send(&b, CHILD, "x", true, 1);
    mac_bench_poll_from(&b, CHILD, 1, true);
    mac_bench_poll_from(&b, CHILD, 1, true);
    mac_bench_take(&b);
    mac_bench_sent(&b);
    assert_true(mac_bench_silent(&b));
}

static void what_nobody_fetches_expires_after_7_68_seconds(void **state)
{
    mac_bench_member(&b);
    mac_bench_send(&b, CHILD, "x", true, 1);
    mac_bench_wait(&b, 7679999);
    mac_bench_expect(&b, "");
    mac_bench_wait(&b, 1);
    mac_bench_expect(&b, "sent 1 EXPIRED");
    assert_string_equal(b.pending, "+c001 -c001");
    assert_int_equal(al_mac_free_slots(&b.mac), MAC_BENCH_SLOTS);
}

static void an_expired_frame_on_its_way_gets_its_true_end(void **state)
{
    mac_bench_member(&b);
    mac_bench_send(&b, CHILD, "x", true, 1);
    mac_bench_send(&b, OTHER, "y", true, 2);
    mac_bench_wait(&b, 7679000);
    mac_bench_poll_from(&b, CHILD, 1, true);
    mac_bench_wait(&b, 2000);
    mac_bench_expect(&b, "polled by c001\nsent 2 EXPIRED");
    mac_bench_sent(&b);
    mac_bench_expect(&b, "sent 1 OK");

    mac_bench_send(&b, CHILD, "z", true, 3);
    mac_bench_wait(&b, 7679000);
    mac_bench_poll_from(&b, CHILD, 2, true);
    mac_bench_wait(&b, 2000);
    mac_bench_done(&b, AL_RADIO_NO_ACK, false);
    mac_bench_expect(&b, "polled by c001\nsent 3 EXPIRED");
}

static void short_and_extended_polls_are_two_things(void **state)
{
    struct al_mac_addr ext = al_mac_ext(MAC_BENCH_PAN, 0x00124b0000001111);
    mac_bench_member(&b);
    mac_bench_send(&b, ext, "ext", true, 1);
    assert_string_equal(b.pending, "+00124b0000001111");
    mac_bench_poll_from(&b, CHILD, 1, true);
    assert_true(mac_bench_silent(&b));
    mac_bench_poll_from(&b, ext, 2, true);
    struct al_mac_frame f = mac_bench_take(&b);
    assert_int_equal(f.dst.mode, AL_MAC_EXT);
    assert_true(f.dst.ext == ext.ext);
}

static void sleepers_leave_room_for_the_others(void **state)
{
    struct al_mac_send s = {.payload = (const uint8_t *)"x", .len = 1, .indirect = true};
    unsigned held = 0;
    mac_bench_member(&b);
    for (int i = 0; i < MAC_BENCH_SLOTS + 1; i++) {
        s.dst = al_mac_short(MAC_BENCH_PAN, (uint16_t)(0xc000 + i));
        held += al_mac_send(&b.mac, b.now, &s) == 0;
    }
    assert_int_equal(held, MAC_BENCH_SLOTS - 2);
    mac_bench_send(&b, NEIGHBOUR, "direct", false, 0);
    assert_next("direct", false);
}

static void a_frame_for_a_sleeper_cannot_be_a_broadcast(void **state)
{
    struct al_mac_send s = {
        .dst = al_mac_short(MAC_BENCH_PAN, AL_MAC_BROADCAST), .len = 0, .indirect = true};
    mac_bench_member(&b);
    assert_int_equal(al_mac_send(&b.mac, b.now, &s), AL_ERR_INVALID_ARG);
}

static void purging_the_last_frame_takes_the_announcement_back(void **state)
{
    mac_bench_member(&b);
    mac_bench_send(&b, CHILD, "one", true, 1);
    mac_bench_send(&b, CHILD, "two", true, 2);
    assert_true(al_mac_purge(&b.mac, 1));
    assert_true(al_mac_purge(&b.mac, 2));
    assert_string_equal(b.pending, "+c001 -c001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polls_release_the_oldest_frame_and_announce_the_rest),
        cmocka_unit_test(a_polling_child_goes_before_all_that_is_queued),
        cmocka_unit_test(a_child_that_was_told_nothing_gets_nothing),
        cmocka_unit_test(a_released_frame_does_not_leave_when_nobody_listens_any_more),
        cmocka_unit_test(a_frame_that_got_lost_waits_for_the_next_poll_with_its_number),
        cmocka_unit_test(a_repeated_poll_does_not_send_twice),
        cmocka_unit_test(what_nobody_fetches_expires_after_7_68_seconds),
        cmocka_unit_test(an_expired_frame_on_its_way_gets_its_true_end),
        cmocka_unit_test(short_and_extended_polls_are_two_things),
        cmocka_unit_test(sleepers_leave_room_for_the_others),
        cmocka_unit_test(a_frame_for_a_sleeper_cannot_be_a_broadcast),
        cmocka_unit_test(purging_the_last_frame_takes_the_announcement_back),
    };
    return cmocka_run_group_tests_name("mac_indirect", tests, NULL, NULL);
}
