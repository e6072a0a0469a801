#include "zigbee/aps_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zigbee_vector.h"

#define KEY "000102030405060708090a0b0c0d0e0f"
#define DST "02aa60feffbd4d74"
#define SRC "8a7863feffbd4d74"

static struct al_aps_command comes_back(uint8_t in[64], const char *hex)
{
    uint8_t out[64];
    struct al_aps_command cmd, cut;
    size_t len = zigbee_hex(hex, in, 64);
    struct al_put p = al_put(out, sizeof out);
    bool tunnel = in[0] == AL_APS_TUNNEL; /* what it carries may have any length */
    for (size_t n = 0; n < (tunnel ? 9 : len); n++)
        assert_int_equal(al_aps_command_parse(&cut, in, n), AL_ERR_SHORT);
    assert_int_equal(al_aps_command_parse(&cmd, in, len), 0);
    assert_int_equal(al_aps_command_build(&cmd, &p), 0);
    assert_int_equal(p.len, len);
    assert_memory_equal(out, in, len);
    in[len] = 0x44; /* a TLV of a later revision */
    if (!tunnel) assert_int_equal(al_aps_command_parse(&cmd, in, len + 1), 0);
    return cmd;
}

static void keys_are_transported(void **state)
{
    uint8_t in[64], key[16];
    (void)state;
    zigbee_hex(KEY, key, sizeof key);
    struct al_aps_command cmd = comes_back(in, "05 01" KEY "03" DST SRC);
    assert_memory_equal(cmd.transport_key.key, key, 16);
    assert_int_equal(cmd.transport_key.key_seq, 3);
    assert_true(cmd.transport_key.dst == ZIGBEE_DEVICE);
    assert_true(cmd.transport_key.src == ZIGBEE_COORDINATOR);
    cmd = comes_back(in, "05 04" KEY DST SRC);
    assert_true(cmd.transport_key.dst == ZIGBEE_DEVICE);
    assert_true(cmd.transport_key.src == ZIGBEE_COORDINATOR);
    cmd = comes_back(in, "05 03" KEY DST "01");
    assert_true(cmd.transport_key.dst == ZIGBEE_DEVICE && cmd.transport_key.initiator);
}

static void keys_are_requested_switched_and_verified(void **state)
{
    uint8_t in[64];
    (void)state;
    struct al_aps_command cmd = comes_back(in, "08 04");
    assert_int_equal(cmd.request_key.type, AL_KEY_TYPE_TC_LINK);
    cmd = comes_back(in, "08 02" DST);
    assert_true(cmd.request_key.partner == ZIGBEE_DEVICE);
    cmd = comes_back(in, "09 07");
    assert_int_equal(cmd.switch_key.key_seq, 7);
    cmd = comes_back(in, "0f 04" DST KEY);
    assert_true(cmd.verify_key.source == ZIGBEE_DEVICE);
    assert_int_equal(cmd.verify_key.hash[15], 0x0f);
    cmd = comes_back(in, "10 ad 04" DST);
    assert_int_equal(cmd.confirm_key.status, AL_CONFIRM_SECURITY_FAILURE);
    assert_true(cmd.confirm_key.dst == ZIGBEE_DEVICE);
}

static void devices_are_updated_removed_and_tunnelled_to(void **state)
{
    uint8_t in[64];
    (void)state;
    struct al_aps_command cmd = comes_back(in, "06" DST "eb60 01");
    assert_true(cmd.update_device.device == ZIGBEE_DEVICE);
    assert_int_equal(cmd.update_device.short_addr, 0x60eb);
    assert_int_equal(cmd.update_device.status, AL_UPDATE_UNSECURED_JOIN);
    cmd = comes_back(in, "07" DST);
    assert_true(cmd.remove_device.target == ZIGBEE_DEVICE);
    cmd = comes_back(in, "0e" DST "21 05 aabbcc");
    assert_true(cmd.tunnel.dst == ZIGBEE_DEVICE);
    assert_int_equal(cmd.tunnel.len, 5);
    assert_int_equal(cmd.tunnel.frame[4], 0xcc);
}

static void unknown_commands_and_key_types_are_named(void **state)
{
    static const struct {
        const char *hex;
        uint8_t id;
    } bad[] = {{"04 00", 0x04}, {"05 07" KEY "00", 0x05}, {"08 01", 0x08}};
    struct al_aps_command cmd;
    uint8_t in[64];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t len = zigbee_hex(bad[i].hex, in, sizeof in);
        assert_int_equal(al_aps_command_parse(&cmd, in, len), AL_ERR_NOT_SUPPORTED);
        assert_int_equal(cmd.id, bad[i].id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_transported),
        cmocka_unit_test(keys_are_requested_switched_and_verified),
        cmocka_unit_test(devices_are_updated_removed_and_tunnelled_to),
        cmocka_unit_test(unknown_commands_and_key_types_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
