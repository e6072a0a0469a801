/* The virtual co-processor, byte for byte as a spinel host sees it. */
#include "radio/rcp.h"

#include "tests/support/rcp_bench.h"
#include "tests/support/spinel_examples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct rcp_bench *b;

static int fresh(void **state)
{
    b = rcp_bench_new();
    return 0;
}

static int done(void **state)
{
    rcp_bench_free(b);
    return 0;
}

/* Frames on the air, without FCS: from the neighbour to 0x0000 or from there to it. */
#define TO_RCP       "618801621a00003412aa"
#define FROM_RCP     "618802621a34120000bb"
#define TO_ELSEWHERE "618803621a99993412cc"
#define POLL         "638804621a0000341204" /* FCF 0x8863: data request, short source */
#define BROADCAST    "418805621affff3412dd"
/* STREAM_RAW of FROM_RCP (length with FCS 12) with tid 3. */
#define SEND                         \
    "8303710c00" FROM_RCP "0000"     \
    "0f0403010100010000000000000000" \
    "0f"

static void what_it_is_can_be_read(void **state)
{
    static const struct {
        const char *get, *is;
    } answers[] = {
        {"810200", "81060070"},               /* last status: power on */
        {"810201", "8106010403"},             /* protocol */
        {"820202", "8206024149524c494654.."}, /* AIRLIFT/... */
        {"810203", "81060303"},
        {"810204", "81060400"},
        {"810205", "81060518224041"
                   "8104"}, /* 24 34 64 65 513 */
        {"810208", "810608f412fafffe000001"},
        {"810220", "81062000"},
        {"810222", "8106220b0c0d0e0f101112131415161718191a"},
        {"810225", "81062500"},
        {"810226", "8106269c"}, /* an idle channel: -100 dBm */
        {"810227", "810627a1"}, /* sensitivity: -95 dBm */
        {"810230", "81063000"},
        {"810232", "8106326400"},
        {"810235", "810635ffff"},
        {"810236", "810636ffff"},
        {"810237", "81063700"},
        {"810238", "81063800"},
        {"81023b", "81063b01"},
        {"8402b001", "8406b0010b"}, /* API version 11 */
        {"8102b101", "8106b10104"},
        {"81028b24",
         "81068b248f02"},           /* radio: ack time-out, scan, retries, CSMA, rx on when idle */
        {"81028326", "8106832600"}, /* source match off */
        {"81028426", "81068426"},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        rcp_bench_host(b, answers[i].get);
        rcp_bench_expect(b, answers[i].is);
        rcp_bench_expect_silence(b);
    }
}

static void settings_are_answered_and_kept(void **state)
{
    static const char *const values[] = {"2001",   "2111",     "25f6",   "34f412fafffe0000aa",
                                         "353412", "36621a",   "3701",   "3802",
                                         "3b00",   "31101112", "32f401", "832601"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char set[64], is[64], get[16];
        snprintf(set, sizeof set, "8503%s", values[i]);
        snprintf(is, sizeof is, "8506%s", values[i]);
        snprintf(get, sizeof get, "8502%.*s", values[i][0] == '8' ? 4 : 2, values[i]);
        rcp_bench_host(b, set);
        rcp_bench_expect(b, is);
        rcp_bench_host(b, get);
        rcp_bench_expect(b, is);
    }
}

static void a_reset_forgets_everything_and_is_reported(void **state)
{
    rcp_bench_start(b);
    rcp_bench_host(b, "8103832601");
    rcp_bench_expect(b, "8106832601");
    rcp_bench_host(b, "810484263412");
    rcp_bench_expect(b, "810784263412");
    rcp_bench_host(b, "860102");
    rcp_bench_expect(b, "80060072");
    rcp_bench_host(b, "810221");
    rcp_bench_expect(b, "8106210b");
    rcp_bench_host(b, "81028426");
    rcp_bench_expect(b, "81068426");
    rcp_bench_host(b, "810200");
    rcp_bench_expect(b, "81060072");
    assert_true(b->pending_for_all);
    rcp_bench_host(b, "860103"); /* there is no boot loader */
    rcp_bench_expect(b, "86060002");
}

static void what_cannot_be_is_refused_with_its_status(void **state)
{
    static const struct {
        const char *frame, *answer;
    } refused[] = {
        {"8102aa7f", "8106000d"},   /* no such property */
        {"8103aa7f01", "8106000d"}, /* */
        {"81030104", "8106000d"},   /* read only */
        {"81042101", "8106000d"},   /* no list */
        {"8102f1", "81060009"},     /* property cut off */
        {"8120", "81060005"},       /* no such command */
        {"81032002", "81060009"},   /* neither true nor false */
        {"810320", "81060009"},     /* no value */
        {"8103200100", "81060009"}, /* too much */
        {"81032110"
         "10",
         "81060009"},             /* */
        {"8103210a", "81060003"}, /* channel 10 */
        {"8103211b", "81060003"}, /* channel 27 */
        {"81033803", "81060003"}, /* no such mode */
        {"810334f412fafffe0000", "81060009"},
        {"810384"
         "2612",
         "81060009"}, /* half a short address */
        {"81048426"
         "341256",
         "81060009"},
        {"810584263412", "81060014"}, /* not in the list */
        {"8103310a", "81060003"},
        {"810331", "81060003"},
        {"81033001", "81060003"}, /* beacon scan */
        {"8103710500", "81060009"},
        {"8103718000", "81060009"},
        {"810371040001020304"
         "0f",
         "81060003"},       /* shorter than an MPDU can be */
        {SEND, "83060004"}, /* the radio is off */
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        rcp_bench_host(b, refused[i].frame);
        rcp_bench_expect(b, refused[i].answer);
        rcp_bench_expect_silence(b);
    }
    rcp_bench_host(b, "810221"); /* and nothing was changed */
    rcp_bench_expect(b, "8106210b");
    rcp_bench_host(b, "8000");
    rcp_bench_expect(b, "80060000"); /* NOOP */
}

static void other_interfaces_and_garbage_are_ignored(void **state)
{
    rcp_input(&b->rcp, (const uint8_t *)"\x7e\x12\x34\x7e\x7d\x7e noise \x7e", 14);
    rcp_bench_host(b, "910201");
    rcp_bench_host(b, "410201");
    rcp_bench_expect_silence(b);
    rcp_bench_host(b, "810201");
    rcp_bench_expect(b, "8106010403");
}

static void a_broadcast_is_sent_and_answered_at_its_end(void **state)
{
    rcp_bench_start(b);
    rcp_bench_host(b, spinel_example("send beacon")->payload);
    rcp_bench_expect_silence(b); /* not before it was on the air */
    assert_int_equal(b->heard_count, 0);
    rcp_bench_run(b, 20000);
    assert_int_equal(b->heard_count, 1);
    assert_int_equal(b->heard_len, 26);
    assert_int_equal(b->heard[1], 0x80);
    rcp_bench_expect(b, "870600000001"
                        "0000..");
}

static void a_unicast_is_answered_with_the_acknowledgement(void **state)
{
    rcp_bench_start(b);
    rcp_bench_host(b, SEND);
    rcp_bench_run(b, 20000);
    assert_int_equal(b->heard_count, 1);
    /* OK, not pending, header updated, acknowledgement 02 00 seq FCS */
    rcp_bench_expect(b, "830600000001"
                        "05000200"
                        "02..");
}

static void without_acknowledgement_the_answer_is_no_ack(void **state)
{
    rcp_bench_start(b);
    rcp_bench_host(b, "8303710c00618802621a99990000bb0000"
                      "0f");
    rcp_bench_run(b, 100000);
    rcp_bench_expect(b, "830600110001");
    assert_int_equal(b->heard_count, 0);
    struct medium_stats stats;
    medium_stats(b->medium, &stats);
    assert_int_equal(stats.repetitions, 3);
}

static void send_again(char tid)
{
    char frame[] = "8_03710c00" FROM_RCP "0000"
                   "0f";
    frame[1] = tid;
    rcp_bench_host(b, frame);
}

static void further_transmissions_wait_for_their_turn(void **state)
{
    rcp_bench_start(b);
    rcp_bench_host(b, SEND);
    for (char tid = '4'; tid <= '8'; tid++) send_again(tid);
    rcp_bench_expect(b, "88060004"); /* four can wait */
    rcp_bench_host(b, "810201");     /* all else is answered meanwhile */
    rcp_bench_expect(b, "8106010403");
    rcp_bench_run(b, 100000);
    rcp_bench_expect(b, "8306000000..");
    rcp_bench_expect(b, "8406000000..");
    rcp_bench_expect(b, "8506000000..");
    rcp_bench_expect(b, "8606000000..");
    rcp_bench_expect(b, "8706000000..");
    rcp_bench_expect_silence(b);
    assert_int_equal(b->heard_count, 5);
    send_again('9');
    rcp_bench_run(b, 20000);
    rcp_bench_expect(b, "8906000000..");
}

static void a_waiting_transmission_that_is_none_is_refused_in_its_turn(void **state)
{
    rcp_bench_start(b);
    rcp_bench_host(b, SEND);
    rcp_bench_host(b, "8403710c00618802"); /* ends early */
    send_again('5');
    rcp_bench_run(b, 100000);
    rcp_bench_expect(b, "8306000000..");
    rcp_bench_expect(b, "84060009");
    rcp_bench_expect(b, "8506000000..");
}

static void a_reset_forgets_what_waits(void **state)
{
    rcp_bench_start(b);
    rcp_bench_host(b, SEND);
    send_again('4');
    rcp_bench_host(b, "800102");
    rcp_bench_expect(b, "80060072");
    rcp_bench_run(b, 100000);
    rcp_bench_expect_silence(b);
    assert_int_equal(b->heard_count, 1);
}

static void a_frame_may_have_a_channel_of_its_own(void **state)
{
    rcp_bench_start(b);
    rcp_bench_host(b, "81032114");
    rcp_bench_expect(b, "81062114");
    rcp_bench_host(b, SEND); /* on channel 15, and to stay there */
    rcp_bench_run(b, 20000);
    rcp_bench_expect(b, "8306000000..");
    assert_int_equal(b->heard_count, 1);
    rcp_bench_host(b, "810221");
    rcp_bench_expect(b, "8106210f");
}

static void heard_frames_come_with_their_fcs(void **state)
{
    rcp_bench_start(b);
    rcp_bench_other_sends(b, TO_RCP);
    rcp_bench_run(b, 20000);
    assert_int_equal(b->sent, AL_RADIO_SENT);
    uint8_t mpdu[32];
    size_t n = hex_bytes(TO_RCP, mpdu, sizeof mpdu);
    char expected[80];
    uint16_t crc = 0; /* bit by bit, apart from the code under test */
    for (size_t i = 0; i < 8 * n; i++) {
        bool bit = (crc ^ mpdu[i / 8] >> i % 8) & 1;
        crc = (uint16_t)(crc >> 1 ^ (bit ? 0x8408 : 0));
    }
    snprintf(expected, sizeof expected,
             "8006710c00" TO_RCP "%02x%02x"
             "ce80"
             "0000"
             "0a000f..",
             crc & 0xff, crc >> 8);
    rcp_bench_expect(b, expected);
}

static void the_address_filter_works_and_promiscuous_mode_lifts_it(void **state)
{
    rcp_bench_start(b);
    rcp_bench_other_sends(b, TO_ELSEWHERE);
    rcp_bench_run(b, 100000);
    rcp_bench_expect_silence(b);
    rcp_bench_other_sends(b, BROADCAST);
    rcp_bench_run(b, 20000);
    rcp_bench_expect(b, "8006710c00" BROADCAST "..");
    rcp_bench_host(b, "81033802");
    rcp_bench_expect(b, "81063802");
    rcp_bench_other_sends(b, TO_ELSEWHERE);
    rcp_bench_run(b, 100000);
    rcp_bench_expect(b, "8006710c00" TO_ELSEWHERE "..");
}

static void a_radio_that_is_switched_off_hears_nothing(void **state)
{
    static const char *const switches[][2] = {{"81033700", "81063700"}, {"81032000", "81062000"}};
    for (size_t i = 0; i < 2; i++) {
        rcp_bench_start(b);
        rcp_bench_host(b, switches[i][0]);
        rcp_bench_expect(b, switches[i][1]);
        rcp_bench_other_sends(b, TO_RCP);
        rcp_bench_run(b, 100000);
        rcp_bench_expect_silence(b);
        assert_int_equal(b->sent, AL_RADIO_NO_ACK);
    }
}

static void a_reaction_is_handed_over_behind_the_end_of_its_cause(void **state)
{
    rcp_bench_start(b);
    rcp_bench_host(b, SEND);
    uint8_t mpdu[32];
    struct al_radio_rx rx = {.mpdu = mpdu, .rssi = -50, .lqi = 255};
    rx.len = (uint8_t)hex_bytes(TO_RCP, mpdu, sizeof mpdu);
    rcp_received(&b->rcp, 1000, &rx); /* the acknowledgement got lost, its answer did not */
    mpdu[2] = 0x77;
    rcp_received(&b->rcp, 2000, &rx);
    rcp_bench_expect_silence(b);
    rcp_bench_run(b, 20000);
    rcp_bench_expect(b, "8306000000..");
    rcp_bench_expect(b, "8006710c00618801..");
    rcp_bench_expect(b, "8006710c00618877..");
    rcp_bench_expect_silence(b);
}

static void poll(bool pending)
{
    rcp_bench_other_sends(b, POLL);
    rcp_bench_run(b, 30000);
    assert_int_equal(b->sent, AL_RADIO_SENT);
    assert_int_equal(b->sent_pending, pending);
    rcp_bench_expect(b, "8006710c00" POLL "..");
}

static void polls_are_answered_by_source_match(void **state)
{
    rcp_bench_start(b);
    poll(true); /* off: for all */
    rcp_bench_host(b, "8103832601");
    rcp_bench_expect(b, "8106832601");
    poll(false);
    rcp_bench_host(b, "810484263412");
    rcp_bench_expect(b, "810784263412");
    poll(true);
    rcp_bench_host(b, "810484263412"); /* once more */
    rcp_bench_expect(b, "81060013");
    rcp_bench_host(b, "810584263412");
    rcp_bench_expect(b, "810884263412");
    poll(false);
    rcp_bench_host(b, "810384263412cdab"); /* the whole list */
    rcp_bench_expect(b, "810684263412cdab");
    poll(true);
    rcp_bench_host(b, "81038426");
    rcp_bench_expect(b, "81068426");
    poll(false);
    rcp_bench_host(b, "81048526f412fafffe000002"); /* its long address: not how it polls */
    rcp_bench_expect(b, "81078526f412fafffe000002");
    poll(false);
}

static void acknowledging_with_pending_is_told_to_the_host(void **state)
{
    rcp_bench_start(b);
    rcp_bench_other_sends(b, POLL);
    rcp_bench_run(b, 30000);
    assert_int_equal(b->said_count, 1);
    struct spinel_frame f;
    struct spinel_rx rx;
    assert_int_equal(spinel_parse(&f, b->said[0].bytes, b->said[0].len), 0);
    spinel_rx_read(&f.value, &rx);
    assert_int_equal(rx.flags, SPINEL_RX_ACKED_PENDING);
}

static void a_full_list_is_refused(void **state)
{
    char insert[32];
    for (unsigned i = 0; i < RCP_MATCH_MAX; i++) {
        snprintf(insert, sizeof insert, "81048426%02x%02x", i & 0xff, i >> 8);
        rcp_bench_host(b, insert);
        rcp_bench_expect(b, "81078426..");
    }
    rcp_bench_host(b, "81048426fefe");
    rcp_bench_expect(b, "8106000b");
}

static void an_energy_scan_gives_a_level_and_ends(void **state)
{
    rcp_bench_start(b);
    rcp_bench_host(b, "8103310f10");
    rcp_bench_expect(b, "8106310f10");
    rcp_bench_host(b, "81033002"); /* one channel at a time */
    rcp_bench_expect(b, "81060003");
    rcp_bench_host(b, "81033110");
    rcp_bench_expect(b, "81063110");
    rcp_bench_host(b, "81033002");
    rcp_bench_expect(b, "81063002");
    rcp_bench_host(b, SEND);
    rcp_bench_expect(b, "83060004"); /* busy */
    rcp_bench_run(b, 99000);
    rcp_bench_expect_silence(b);
    rcp_bench_run(b, 2000);
    rcp_bench_expect(b, "800639109c");
    rcp_bench_expect(b, "80063000");
    rcp_bench_other_sends(b, TO_RCP); /* and it listens on its channel again */
    rcp_bench_run(b, 20000);
    rcp_bench_expect(b, "8006710c00" TO_RCP "..");
}

static void the_shortest_scan_ends_too(void **state)
{
    rcp_bench_start(b);
    rcp_bench_host(b, "8103320000");
    rcp_bench_expect(b, "8106320000");
    rcp_bench_host(b, "81033110");
    rcp_bench_expect(b, "81063110");
    rcp_bench_host(b, "81033002");
    rcp_bench_expect(b, "81063002");
    rcp_bench_run(b, 2000);
    rcp_bench_expect(b, "800639109c");
    rcp_bench_expect(b, "80063000");
    rcp_bench_host(b, "81033002"); /* one that is given up says nothing more */
    rcp_bench_expect(b, "81063002");
    rcp_bench_host(b, "81033000");
    rcp_bench_expect(b, "81063000");
    rcp_bench_run(b, 2000);
    rcp_bench_expect_silence(b);
}

static void a_reset_in_the_middle_leaves_nothing_behind(void **state)
{
    rcp_bench_start(b);
    rcp_bench_host(b, SEND);
    rcp_bench_host(b, "860102");
    rcp_bench_expect(b, "80060072");
    rcp_bench_start(b);
    rcp_bench_run(b, 20000);
    rcp_bench_expect_silence(b); /* the old transmission concerns nobody */
    rcp_bench_other_sends(b, TO_RCP);
    rcp_bench_run(b, 20000);
    rcp_bench_expect(b, "8006710c00" TO_RCP "..");
    rcp_bench_host(b, "81033110");
    rcp_bench_expect(b, "81063110");
    rcp_bench_host(b, "81033002");
    rcp_bench_expect(b, "81063002");
    rcp_new_host(&b->rcp);
    rcp_bench_start(b);
    rcp_bench_run(b, 200000);
    rcp_bench_expect_silence(b);
    rcp_bench_host(b, SEND);
    rcp_bench_run(b, 20000);
    rcp_bench_expect(b, "8306000000..");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_it_is_can_be_read, fresh, done),
        cmocka_unit_test_setup_teardown(settings_are_answered_and_kept, fresh, done),
        cmocka_unit_test_setup_teardown(a_reset_forgets_everything_and_is_reported, fresh, done),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_refused_with_its_status, fresh, done),
        cmocka_unit_test_setup_teardown(other_interfaces_and_garbage_are_ignored, fresh, done),
        cmocka_unit_test_setup_teardown(a_broadcast_is_sent_and_answered_at_its_end, fresh, done),
        cmocka_unit_test_setup_teardown(a_unicast_is_answered_with_the_acknowledgement, fresh,
                                        done),
        cmocka_unit_test_setup_teardown(without_acknowledgement_the_answer_is_no_ack, fresh, done),
        cmocka_unit_test_setup_teardown(further_transmissions_wait_for_their_turn, fresh, done),
        cmocka_unit_test_setup_teardown(a_waiting_transmission_that_is_none_is_refused_in_its_turn,
                                        fresh, done),
        cmocka_unit_test_setup_teardown(a_reset_forgets_what_waits, fresh, done),
        cmocka_unit_test_setup_teardown(a_frame_may_have_a_channel_of_its_own, fresh, done),
        cmocka_unit_test_setup_teardown(heard_frames_come_with_their_fcs, fresh, done),
        cmocka_unit_test_setup_teardown(the_address_filter_works_and_promiscuous_mode_lifts_it,
                                        fresh, done),
        cmocka_unit_test_setup_teardown(a_radio_that_is_switched_off_hears_nothing, fresh, done),
        cmocka_unit_test_setup_teardown(a_reaction_is_handed_over_behind_the_end_of_its_cause,
                                        fresh, done),
        cmocka_unit_test_setup_teardown(polls_are_answered_by_source_match, fresh, done),
        cmocka_unit_test_setup_teardown(acknowledging_with_pending_is_told_to_the_host, fresh,
                                        done),
        cmocka_unit_test_setup_teardown(a_full_list_is_refused, fresh, done),
        cmocka_unit_test_setup_teardown(an_energy_scan_gives_a_level_and_ends, fresh, done),
        cmocka_unit_test_setup_teardown(the_shortest_scan_ends_too, fresh, done),
        cmocka_unit_test_setup_teardown(a_reset_in_the_middle_leaves_nothing_behind, fresh, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
