#include "zigbee/mac_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zigbee_vector.h"

static int parse(const char *hex)
{
    uint8_t mpdu[160];
    struct al_mac_frame f;
    size_t len = zigbee_hex(hex, mpdu, sizeof mpdu);
    return al_mac_parse(&f, mpdu, len);
}

static void malformed_headers_are_refused_by_name(void **state)
{
    (void)state;
    assert_int_equal(parse("0200"), AL_ERR_INVALID_SIZE);
    assert_int_equal(parse("0400 01"), AL_ERR_NOT_SUPPORTED);         /* type 4 */
    assert_int_equal(parse("0900 01"), AL_ERR_NOT_SUPPORTED);         /* MAC security */
    assert_int_equal(parse("4120 01"), AL_ERR_INVALID_VERSION);       /* version 2 */
    assert_int_equal(parse("0104 01 0000 0000"), AL_ERR_INVALID_ARG); /* address mode 1 */
    assert_int_equal(parse("4108 01 0000 0000"), AL_ERR_INVALID_ARG); /* one address, compressed */
    assert_int_equal(parse("6188 01 eaa1 0000 00"), AL_ERR_SHORT);
    assert_int_equal(parse("6188 01 eaa1 0000 0000"), 0);
    assert_int_equal(parse("6198 01 eaa1 0000 0000"), 0); /* version 1 is read */
}

static void longest_frame_has_125_octets(void **state)
{
    uint8_t mpdu[126] = {0x61, 0x88};
    struct al_mac_frame f;
    (void)state;
    assert_int_equal(al_mac_parse(&f, mpdu, 125), 0);
    assert_int_equal(f.payload_len, 116);
    assert_int_equal(al_mac_parse(&f, mpdu, 126), AL_ERR_INVALID_SIZE);
}

static void source_pan_is_left_out_when_it_is_the_same(void **state)
{
    static const struct {
        uint16_t src_pan;
        size_t len;
    } known[] = {{0xa1ea, 9}, {0xa1eb, 11}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint8_t mpdu[32];
        struct al_put p = al_put(mpdu, sizeof mpdu);
        struct al_mac_frame back, f = {.type = AL_MAC_DATA,
                                       .seq = 7,
                                       .ack_request = true,
                                       .dst = al_mac_short(0xa1ea, 1),
                                       .src = al_mac_short(known[i].src_pan, 2)};
        assert_int_equal(al_mac_build(&f, &p), 0);
        assert_int_equal(p.len, known[i].len);
        assert_int_equal(al_mac_parse(&back, mpdu, p.len), 0);
        assert_int_equal(back.src.pan, known[i].src_pan);
        assert_int_equal(back.src.short_addr, 2);
        assert_true(back.ack_request && !back.pending);
    }
}

static void building_without_room_is_refused(void **state)
{
    uint8_t mpdu[20];
    const struct al_mac_frame f = {
        .type = AL_MAC_COMMAND, .dst = al_mac_ext(1, 2), .src = al_mac_ext(1, 3)};
    (void)state;
    struct al_put p = al_put(mpdu, sizeof mpdu);
    assert_int_equal(al_mac_build(&f, &p), AL_ERR_INVALID_SIZE);
}

static void commands_come_back_and_short_ones_are_refused(void **state)
{
    static const struct {
        const char *hex;
        struct al_mac_command cmd;
    } known[] = {
        {"018e", {.id = AL_MAC_ASSOC_REQUEST, .capability = 0x8e}},
        {"02ffff 02",
         {.id = AL_MAC_ASSOC_RESPONSE, .short_addr = 0xffff, .status = AL_MAC_ASSOC_DENIED}},
        {"0302", {.id = AL_MAC_DISASSOC, .status = 2}},
        {"04", {.id = AL_MAC_DATA_REQUEST}},
        {"07", {.id = AL_MAC_BEACON_REQUEST}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t in[8], out[8];
        struct al_mac_command cmd;
        size_t len = zigbee_hex(known[i].hex, in, sizeof in);
        assert_int_equal(al_mac_command_parse(&cmd, in, len), 0);
        assert_int_equal(cmd.id, known[i].cmd.id);
        assert_int_equal(cmd.capability, known[i].cmd.capability);
        assert_int_equal(cmd.short_addr, known[i].cmd.short_addr);
        assert_int_equal(cmd.status, known[i].cmd.status);
        struct al_put p = al_put(out, sizeof out);
        assert_int_equal(al_mac_command_build(&cmd, &p), 0);
        assert_int_equal(p.len, len);
        assert_memory_equal(out, in, len);
        assert_int_equal(al_mac_command_parse(&cmd, in, len - 1), AL_ERR_SHORT);
    }
}

static void unknown_command_is_named(void **state)
{
    struct al_mac_command cmd;
    (void)state;
    assert_int_equal(al_mac_command_parse(&cmd, (const uint8_t *)"\x06", 1), AL_ERR_NOT_SUPPORTED);
    assert_int_equal(cmd.id, 6);
}

static void beacons_of_others_are_told_apart(void **state)
{
    uint8_t payload[19];
    struct al_mac_beacon b;
    const char *good = "ff8f 00 00 00 2214 8a7863feffbd4d74 ffffff 03";
    (void)state;
    zigbee_hex(good, payload, sizeof payload);
    assert_int_equal(al_mac_beacon_parse(&b, payload, sizeof payload), 0);
    assert_int_equal(b.superframe, AL_SUPERFRAME_NO_BEACONS | AL_SUPERFRAME_PERMIT);
    assert_true(b.zigbee.router_capacity && !b.zigbee.end_device_capacity);
    assert_int_equal(b.zigbee.depth, 2);
    assert_int_equal(b.zigbee.update_id, 3);
    assert_int_equal(al_mac_beacon_parse(&b, payload, sizeof payload - 1), AL_ERR_SHORT);
    payload[4] = 3; /* Thread */
    assert_int_equal(al_mac_beacon_parse(&b, payload, sizeof payload), AL_ERR_NOT_SUPPORTED);
    assert_int_equal(al_mac_beacon_parse(&b, payload, 4), AL_ERR_SHORT);
    /* With frames for two sleeping children. */
    uint8_t pending[29];
    zigbee_hex("ff8f 00 11 3412 8877665544332211 00 2214 8a7863feffbd4d74 ffffff 03", pending,
               sizeof pending);
    assert_int_equal(al_mac_beacon_parse(&b, pending, sizeof pending), 0);
    assert_int_equal(b.zigbee.update_id, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_headers_are_refused_by_name),
        cmocka_unit_test(longest_frame_has_125_octets),
        cmocka_unit_test(source_pan_is_left_out_when_it_is_the_same),
        cmocka_unit_test(building_without_room_is_refused),
        cmocka_unit_test(commands_come_back_and_short_ones_are_refused),
        cmocka_unit_test(unknown_command_is_named),
        cmocka_unit_test(beacons_of_others_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
