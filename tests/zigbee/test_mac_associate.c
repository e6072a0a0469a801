/* Association on both sides, and the child's polls. */
#include "zigbee/mac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/mac_bench.h"

#define PARENT     0x0000u
#define PARENT_EXT 0x00124b0000000009u

static struct mac_bench b;

static void ask(void)
{
    mac_bench_init(&b);
    assert_int_equal(al_mac_associate(&b.mac, b.now, 20, MAC_BENCH_PAN, PARENT, 0x80), 0);
}

static void answer(uint16_t addr, uint8_t status)
{
    uint8_t payload[] = {AL_MAC_ASSOC_RESPONSE, (uint8_t)addr, (uint8_t)(addr >> 8), status};
    struct al_mac_frame f = {
        .type = AL_MAC_COMMAND,
        .dst = al_mac_ext(MAC_BENCH_PAN, MAC_BENCH_EXT),
        .src = al_mac_ext(MAC_BENCH_PAN, PARENT_EXT),
        .ack_request = true,
        .payload = payload,
        .payload_len = sizeof payload,
    };
    mac_bench_receive(&b, &f, false);
}

static void a_joiner_asks_polls_and_gets_its_address(void **state)
{
    ask();
    assert_int_equal(b.config.channel, 20);
    assert_int_equal(b.config.pan_id, MAC_BENCH_PAN);
    struct al_mac_frame f = mac_bench_take(&b);
    assert_int_equal(f.fcf, 0xc823);
    assert_int_equal(b.air[0].len, 19);
    assert_int_equal(f.src.pan, 0xffff);
    assert_memory_equal(f.payload, "\x01\x80", 2);
    mac_bench_sent(&b);
    mac_bench_wait(&b, 99999);
    assert_true(mac_bench_silent(&b));
    mac_bench_wait(&b, 1);
    f = mac_bench_take(&b);
    assert_int_equal(f.fcf, 0xc863);
    assert_int_equal(b.air[1].len, 16);
    mac_bench_done(&b, AL_RADIO_SENT, true);
    answer(0x4321, AL_MAC_ASSOC_OK);
    mac_bench_expect(&b, "associated OK 4321");
    assert_true(b.mac.assoc.parent_ext == PARENT_EXT);
    assert_int_equal(b.config.short_addr, 0x4321);
    assert_false(b.config.rx_on); /* as its capability says */
    assert_true(al_mac_next(&b.mac) == UINT64_MAX);
}

static void a_joiner_polls_again_and_again_until_the_wait_ends(void **state)
{
    ask();
    mac_bench_take(&b);
    mac_bench_sent(&b);
    unsigned polls = 0;
    for (int i = 0; i < 60 && !b.log[0]; i++) {
        mac_bench_wait(&b, 10000);
        if (mac_bench_silent(&b)) continue;
        mac_bench_take(&b);
        mac_bench_done(&b, polls++ ? AL_RADIO_SENT : AL_RADIO_NO_ACK, false);
    }
    assert_int_equal(polls, 4);
    mac_bench_expect(&b, "associated TIMEOUT ffff");
    assert_false(b.config.rx_on);
}

static void an_answer_announced_in_the_last_moment_is_waited_for(void **state)
{
    ask();
    mac_bench_take(&b);
    mac_bench_sent(&b);
    for (int i = 0; i < 4; i++) {
        mac_bench_wait(&b, 100000);
        mac_bench_take(&b);
        if (i < 3) mac_bench_done(&b, AL_RADIO_SENT, false);
    }
    mac_bench_wait(&b, 91000); /* CSMA took its time; 520 us are left */
    mac_bench_done(&b, AL_RADIO_SENT, true);
    mac_bench_wait(&b, 15000);
    answer(0x4321, AL_MAC_ASSOC_OK);
    mac_bench_expect(&b, "associated OK 4321");
}

static void refusals_get_their_names(void **state)
{
    static const struct {
        uint8_t status;
        uint16_t addr;
        const char *log;
    } cases[] = {
        {AL_MAC_ASSOC_FULL, 0xffff, "associated PAN_FULL ffff"},
        {AL_MAC_ASSOC_DENIED, 0xffff, "associated DENIED ffff"},
        {AL_MAC_ASSOC_CONFLICT, 0xffff, "associated CONFLICT ffff"},
        {0x77, 0x1111, "associated DENIED ffff"},
        {AL_MAC_ASSOC_OK, 0xfffd, "associated DENIED ffff"}, /* a broadcast address */
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask();
        mac_bench_sent(&b);
        mac_bench_wait(&b, 100000);
        mac_bench_done(&b, AL_RADIO_SENT, true);
        answer(cases[i].addr, cases[i].status);
        mac_bench_expect(&b, cases[i].log);
        assert_int_equal(b.config.short_addr, 0xffff);
    }
}

static void a_request_that_nobody_hears_ends_at_once(void **state)
{
    ask();
    mac_bench_done(&b, AL_RADIO_NO_ACK, false);
    mac_bench_expect(&b, "associated NO_ACK ffff");
    assert_int_equal(al_mac_associate(&b.mac, b.now, 20, MAC_BENCH_PAN, PARENT, 0x80), 0);
    mac_bench_done(&b, AL_RADIO_FAILED, false);
    mac_bench_expect(&b, "associated RADIO ffff");
}

static void answers_nobody_asked_for_change_nothing(void **state)
{
    mac_bench_member(&b);
    answer(0x6666, AL_MAC_ASSOC_OK);
    mac_bench_expect(&b, "");
    assert_int_equal(b.mac.radio.short_addr, MAC_BENCH_ADDR);
}

/* ---- The parent ---- */

static void association_request_from(uint64_t ext, uint8_t seq)
{
    static const uint8_t payload[] = {AL_MAC_ASSOC_REQUEST, 0x8e};
    struct al_mac_frame f = {
        .type = AL_MAC_COMMAND,
        .dst = al_mac_short(MAC_BENCH_PAN, MAC_BENCH_ADDR),
        .src = al_mac_ext(AL_MAC_BROADCAST, ext),
        .seq = seq,
        .ack_request = true,
        .payload = payload,
        .payload_len = sizeof payload,
    };
    mac_bench_receive(&b, &f, false);
}

static void a_parent_answers_when_the_joiner_polls(void **state)
{
    const uint64_t ext = 0x00124b0000001111;
    mac_bench_member(&b);
    association_request_from(ext, 3);
    association_request_from(ext, 3); /* its acknowledgement got lost */
    mac_bench_expect(&b, "association 00124b0000001111 8e");
    assert_int_equal(al_mac_association_answer(&b.mac, b.now, ext, 0x4321, AL_ZB_OK, 17), 0);
    assert_true(mac_bench_silent(&b));
    assert_string_equal(b.pending, "+00124b0000001111");

    mac_bench_poll_from(&b, al_mac_ext(MAC_BENCH_PAN, ext), 4, true);
    struct al_mac_frame f = mac_bench_take(&b);
    assert_int_equal(f.fcf, 0xcc63);
    assert_int_equal(b.air[0].len, 25);
    assert_memory_equal(f.payload, "\x02\x21\x43\x00", 4);
    mac_bench_sent(&b);
    mac_bench_expect(&b, "polled by 00124b0000001111\nsent 17 OK");
}

static void a_refusal_has_no_address(void **state)
{
    const uint64_t ext = 0x00124b0000001111;
    mac_bench_member(&b);
    al_mac_association_answer(&b.mac, b.now, ext, 0x4321, AL_ZB_PAN_FULL, 0);
    mac_bench_poll_from(&b, al_mac_ext(MAC_BENCH_PAN, ext), 4, true);
    struct al_mac_frame f = mac_bench_take(&b);
    assert_memory_equal(f.payload, "\x02\xff\xff\x01", 4);
}

/* ---- Polls ---- */

static void frame_from_parent(const char *text, bool pending, uint8_t seq)
{
    struct al_mac_frame f = {
        .type = AL_MAC_DATA,
        .dst = al_mac_short(MAC_BENCH_PAN, MAC_BENCH_ADDR),
        .src = al_mac_short(MAC_BENCH_PAN, PARENT),
        .seq = seq,
        .pending = pending,
        .ack_request = true,
        .payload = (const uint8_t *)text,
        .payload_len = (uint8_t)strlen(text),
    };
    mac_bench_receive(&b, &f, false);
}

static void poll(bool pending)
{
    assert_int_equal(al_mac_poll(&b.mac, b.now, PARENT), 0);
    struct al_mac_frame f = mac_bench_take(&b);
    assert_int_equal(f.fcf, 0x8863);
    assert_int_equal(f.payload_len, 1);
    mac_bench_done(&b, AL_RADIO_SENT, pending);
}

static void a_poll_ends_with_the_frame_that_it_fetched(void **state)
{
    mac_bench_member(&b);
    poll(true);
    mac_bench_expect(&b, "");
    frame_from_parent("hello", true, 1);
    mac_bench_expect(&b, "data 0000 'hello' more\npoll OK");
    poll(true);
    frame_from_parent("hello", true, 1); /* repeated: its acknowledgement was lost */
    mac_bench_expect(&b, "poll OK");
}

static void a_poll_without_data_says_so(void **state)
{
    mac_bench_member(&b);
    poll(false);
    mac_bench_expect(&b, "poll NO_DATA");
    poll(true);
    mac_bench_wait(&b, AL_RADIO_FRAME_WAIT_US - 1);
    mac_bench_expect(&b, "");
    mac_bench_wait(&b, 1);
    mac_bench_expect(&b, "poll NO_DATA");
    poll(true);
    frame_from_parent("", false, 2); /* an empty frame: there was nothing after all */
    mac_bench_expect(&b, "poll NO_DATA");
}

static void one_poll_at_a_time_and_nothing_is_sent_while_it_listens(void **state)
{
    mac_bench_member(&b);
    poll(true);
    assert_int_equal(al_mac_poll(&b.mac, b.now, PARENT), AL_ERR_INVALID_STATE);
    mac_bench_send(&b, al_mac_short(MAC_BENCH_PAN, PARENT), "up", false, 0);
    assert_true(mac_bench_silent(&b));
    frame_from_parent("down", false, 1);
    mac_bench_take(&b);
}

static void other_neighbours_do_not_end_a_poll(void **state)
{
    mac_bench_member(&b);
    poll(true);
    struct al_mac_frame f = {
        .type = AL_MAC_DATA,
        .dst = al_mac_short(MAC_BENCH_PAN, MAC_BENCH_ADDR),
        .src = al_mac_short(MAC_BENCH_PAN, 0x5555),
        .payload = (const uint8_t *)"x",
        .payload_len = 1,
    };
    mac_bench_receive(&b, &f, false);
    mac_bench_expect(&b, "data 5555 'x'");
    mac_bench_wait(&b, AL_RADIO_FRAME_WAIT_US);
    mac_bench_expect(&b, "poll NO_DATA");
}

static void a_parent_that_is_gone_shows_in_the_poll(void **state)
{
    mac_bench_member(&b);
    assert_int_equal(al_mac_poll(&b.mac, b.now, PARENT), 0);
    mac_bench_done(&b, AL_RADIO_NO_ACK, false);
    b.transmit_error = AL_FAIL;
    assert_int_equal(al_mac_poll(&b.mac, b.now, PARENT), 0);
    mac_bench_wait(&b, 0);
    mac_bench_expect(&b, "poll NO_ACK\npoll RADIO");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_joiner_asks_polls_and_gets_its_address),
        cmocka_unit_test(a_joiner_polls_again_and_again_until_the_wait_ends),
        cmocka_unit_test(an_answer_announced_in_the_last_moment_is_waited_for),
        cmocka_unit_test(refusals_get_their_names),
        cmocka_unit_test(a_request_that_nobody_hears_ends_at_once),
        cmocka_unit_test(answers_nobody_asked_for_change_nothing),
        cmocka_unit_test(a_parent_answers_when_the_joiner_polls),
        cmocka_unit_test(a_refusal_has_no_address),
        cmocka_unit_test(a_poll_ends_with_the_frame_that_it_fetched),
        cmocka_unit_test(a_poll_without_data_says_so),
        cmocka_unit_test(one_poll_at_a_time_and_nothing_is_sent_while_it_listens),
        cmocka_unit_test(other_neighbours_do_not_end_a_poll),
        cmocka_unit_test(a_parent_that_is_gone_shows_in_the_poll),
    };
    return cmocka_run_group_tests_name("mac_associate", tests, NULL, NULL);
}
