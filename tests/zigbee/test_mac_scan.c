/* Scans and beacons. */
#include "zigbee/mac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/mac_bench.h"

#define CH(n)     (1u << (n))
#define SCAN_3_US 138240u /* 960 * (2^3 + 1) symbols */
#define NEIGHBOUR al_mac_short(MAC_BENCH_PAN, 0x2222)

static struct mac_bench b;

/* A coordinator's beacon with an open network, as zigbee-on-host sends it. */
static const uint8_t beacon[] = {0x00, 0x80, 0x05, 0x62, 0x1a, 0x00, 0x00, 0xff, 0xcf,
                                 0x00, 0x00, 0x00, 0x22, 0x84, 0xdd, 0xdd, 0xdd, 0xdd,
                                 0xdd, 0xdd, 0xdd, 0xdd, 0xff, 0xff, 0xff, 0x00};
static const uint8_t beacon_request[] = {0x03, 0x08, 0x11, 0xff, 0xff, 0xff, 0xff, 0x07};

static void scan(enum al_mac_scan_kind kind, uint32_t mask)
{
    assert_int_equal(al_mac_scan(&b.mac, b.now, kind, mask, 3), 0);
    mac_bench_wait(&b, 0);
}

static void an_active_scan_asks_on_each_channel_and_listens(void **state)
{
    mac_bench_init(&b);
    scan(AL_MAC_SCAN_ACTIVE, CH(11) | CH(15) | 1); /* channel 0 is none of this band */

    assert_int_equal(b.config.channel, 11);
    assert_true(b.config.rx_on);
    assert_int_equal(b.config.pan_id, 0xffff);
    struct al_mac_frame f = mac_bench_take(&b);
    assert_int_equal(b.air[0].len, sizeof beacon_request);
    assert_int_equal(f.fcf, 0x0803);
    assert_memory_equal(b.air[0].mpdu + 3, beacon_request + 3, sizeof beacon_request - 3);
    mac_bench_sent(&b);
    mac_bench_receive_bytes(&b, beacon, sizeof beacon);
    mac_bench_wait(&b, SCAN_3_US - 1);
    assert_true(mac_bench_silent(&b));
    mac_bench_wait(&b, 1);
    mac_bench_take(&b);
    assert_int_equal(b.config.channel, 15);
    mac_bench_done(&b, AL_RADIO_CHANNEL_BUSY, false); /* it listens all the same */
    mac_bench_receive_bytes(&b, beacon, sizeof beacon);
    mac_bench_wait(&b, SCAN_3_US);
    assert_false(b.config.rx_on);
    mac_bench_expect(&b, "beacon 11 1a62 0000 open coordinator depth 0\n"
                         "beacon 15 1a62 0000 open coordinator depth 0\n"
                         "scan done");
    assert_true(al_mac_next(&b.mac) == UINT64_MAX);
}

static void a_member_is_a_member_again_after_a_scan(void **state)
{
    mac_bench_member(&b);
    scan(AL_MAC_SCAN_ACTIVE, CH(20));
    mac_bench_send(&b, NEIGHBOUR, "meanwhile", false, 1);
    assert_int_equal(al_mac_scan(&b.mac, b.now, AL_MAC_SCAN_ACTIVE, CH(20), 3),
                     AL_ERR_INVALID_STATE);
    mac_bench_take(&b);
    mac_bench_sent(&b);
    assert_true(mac_bench_silent(&b)); /* on another channel nothing is sent */
    mac_bench_wait(&b, SCAN_3_US);
    assert_int_equal(b.config.channel, 15);
    assert_int_equal(b.config.pan_id, MAC_BENCH_PAN);
    assert_int_equal(b.config.short_addr, MAC_BENCH_ADDR);
    mac_bench_take(&b);
    mac_bench_sent(&b);
    mac_bench_expect(&b, "scan done\nsent 1 OK");
}

static void a_scan_waits_for_the_frame_that_is_under_way(void **state)
{
    mac_bench_member(&b);
    mac_bench_send(&b, NEIGHBOUR, "first", false, 1);
    scan(AL_MAC_SCAN_ACTIVE, CH(20));
    mac_bench_take(&b);
    mac_bench_wait(&b, 5000);
    assert_true(mac_bench_silent(&b));
    assert_int_equal(b.config.channel, 15);
    mac_bench_sent(&b);
    assert_int_equal(mac_bench_take(&b).type, AL_MAC_COMMAND);
    assert_int_equal(b.config.channel, 20);
}

static void an_energy_scan_measures_each_channel(void **state)
{
    mac_bench_init(&b);
    scan(AL_MAC_SCAN_ENERGY, CH(11) | CH(26));
    assert_int_equal(b.energy_channel, 11);
    assert_int_equal(b.energy_us, SCAN_3_US);
    al_mac_scanned(&b.mac, b.now, 11, -80);
    assert_int_equal(b.energy_channel, 26);
    al_mac_scanned(&b.mac, b.now, 25, -10); /* not what was asked */
    al_mac_scanned(&b.mac, b.now, 26, -50);
    mac_bench_wait(&b, 0);
    mac_bench_expect(&b, "energy 11 -80\nenergy 26 -50\nscan done");
}

static void a_radio_that_never_tells_does_not_hold_the_scan_up(void **state)
{
    mac_bench_init(&b);
    scan(AL_MAC_SCAN_ENERGY, CH(11) | CH(12));
    mac_bench_wait(&b, 2 * (SCAN_3_US + 1000000));
    mac_bench_expect(&b, "scan done");

    b.energy_error = AL_FAIL;
    scan(AL_MAC_SCAN_ENERGY, CH(11) | CH(12));
    mac_bench_expect(&b, "scan done");

    b.energy_error = AL_ERR_INVALID_STATE;
    scan(AL_MAC_SCAN_ENERGY, CH(13));
    mac_bench_wait(&b, 5000);
    b.energy_error = 0;
    mac_bench_wait(&b, 1000);
    al_mac_scanned(&b.mac, b.now, 13, -77);
    mac_bench_expect(&b, "energy 13 -77\nscan done");
}

static void scans_of_nothing_are_refused(void **state)
{
    mac_bench_init(&b);
    assert_int_equal(al_mac_scan(&b.mac, 0, AL_MAC_SCAN_ACTIVE, 0x7ff, 3), AL_ERR_INVALID_ARG);
    assert_int_equal(al_mac_scan(&b.mac, 0, AL_MAC_SCAN_ACTIVE, CH(11), 15), AL_ERR_INVALID_ARG);
}

static const struct al_mac_beacon_ind own = {
    .permit_join = true,
    .zigbee = {.epid = 0xdddddddddddddddd,
               .tx_offset = 0xffffff,
               .profile = 2,
               .version = 2,
               .depth = 1,
               .router_capacity = true,
               .end_device_capacity = true},
};

static void a_request_is_answered_by_one_beacon_after_a_while(void **state)
{
    static const uint8_t expected[] = {0x62, 0x1a, 0x34, 0x12, 0xff, 0x8f, 0x00, 0x00,
                                       0x00, 0x22, 0x8c, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd,
                                       0xdd, 0xdd, 0xdd, 0xff, 0xff, 0xff, 0x00};
    mac_bench_member(&b);
    mac_bench_receive_bytes(&b, beacon_request, sizeof beacon_request);
    mac_bench_wait(&b, 100000);
    assert_true(mac_bench_silent(&b)); /* it has not been told to */

    al_mac_set_beacon(&b.mac, &own);
    mac_bench_receive_bytes(&b, beacon_request, sizeof beacon_request);
    mac_bench_receive_bytes(&b, beacon_request, sizeof beacon_request);
    mac_bench_wait(&b, 65536);
    assert_int_equal(mac_bench_take(&b).fcf, 0x8000);
    assert_int_equal(b.air[0].len, 3 + sizeof expected);
    assert_memory_equal(b.air[0].mpdu + 3, expected, sizeof expected);
    mac_bench_sent(&b);
    assert_true(mac_bench_silent(&b));
    mac_bench_expect(&b, "");

    al_mac_set_beacon(&b.mac, NULL);
    mac_bench_receive_bytes(&b, beacon_request, sizeof beacon_request);
    mac_bench_wait(&b, 100000);
    assert_true(mac_bench_silent(&b));
}

static void beacons_of_other_protocols_and_outside_a_scan_are_nothing(void **state)
{
    uint8_t other[sizeof beacon];
    memcpy(other, beacon, sizeof beacon);
    other[11] = 3; /* protocol id */
    mac_bench_init(&b);
    scan(AL_MAC_SCAN_ACTIVE, CH(11));
    mac_bench_sent(&b);
    mac_bench_receive_bytes(&b, other, sizeof other);
    for (size_t len = 3; len < sizeof beacon; len++) mac_bench_receive_bytes(&b, beacon, len);
    mac_bench_wait(&b, SCAN_3_US);
    mac_bench_receive_bytes(&b, beacon, sizeof beacon);
    mac_bench_expect(&b, "scan done");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_active_scan_asks_on_each_channel_and_listens),
        cmocka_unit_test(a_member_is_a_member_again_after_a_scan),
        cmocka_unit_test(a_scan_waits_for_the_frame_that_is_under_way),
        cmocka_unit_test(an_energy_scan_measures_each_channel),
        cmocka_unit_test(a_radio_that_never_tells_does_not_hold_the_scan_up),
        cmocka_unit_test(scans_of_nothing_are_refused),
        cmocka_unit_test(a_request_is_answered_by_one_beacon_after_a_while),
        cmocka_unit_test(beacons_of_other_protocols_and_outside_a_scan_are_nothing),
    };
    return cmocka_run_group_tests_name("mac_scan", tests, NULL, NULL);
}
