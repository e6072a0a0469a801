#include "zigbee/nwk_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zigbee_vector.h"

/* Parses hex, builds it again to the same octets, and finds every shorter form refused except
 * those from shortest octets on. */
static void comes_back(struct al_nwk_command *cmd, uint8_t in[128], const char *hex,
                       size_t shortest)
{
    uint8_t out[128];
    struct al_nwk_command cut;
    size_t len = zigbee_hex(hex, in, 128);
    struct al_put p = al_put(out, sizeof out);
    for (size_t n = 0; n < len; n++)
        assert_int_equal(al_nwk_command_parse(&cut, in, n), n < shortest ? AL_ERR_SHORT : 0);
    assert_int_equal(al_nwk_command_parse(cmd, in, len), 0);
    assert_int_equal(al_nwk_command_build(cmd, &p), 0);
    assert_int_equal(p.len, len);
    assert_memory_equal(out, in, len);
}

static void routing_commands_come_back(void **state)
{
    struct al_nwk_command cmd;
    uint8_t in[128];
    (void)state;
    comes_back(&cmd, in, "01 08 05 fcff 00", 6);
    assert_int_equal(cmd.route_request.many_to_one, AL_NWK_MTO_RECORD);
    assert_int_equal(cmd.route_request.dst, 0xfffc);
    comes_back(&cmd, in, "01 20 05 eb60 03 0807060504030201", 14);
    assert_int_equal(cmd.route_request.id, 5);
    assert_int_equal(cmd.route_request.cost, 3);
    assert_true(cmd.route_request.dst_ext == 0x0102030405060708);
    comes_back(&cmd, in, "02 30 05 0000 eb60 04 0807060504030201 1817161514131211", 24);
    assert_int_equal(cmd.route_reply.responder, 0x60eb);
    assert_true(cmd.route_reply.originator_ext == 0x0102030405060708);
    assert_true(cmd.route_reply.responder_ext == 0x1112131415161718);
    comes_back(&cmd, in, "05 02 3412 7856", 6);
    assert_int_equal(cmd.route_record.count, 2);
    assert_int_equal(cmd.route_record.relays[0], 0x1234);
    assert_int_equal(cmd.route_record.relays[1], 0x5678);
    comes_back(&cmd, in, "05 0c 0100 0200 0300 0400 0500 0600 0700 0800 0900 0a00 0b00 0c00", 26);
    cmd.route_record.count++;
    struct al_put p = al_put(in, sizeof in);
    assert_int_equal(al_nwk_command_build(&cmd, &p), AL_ERR_INVALID_ARG);
}

static void membership_commands_come_back(void **state)
{
    struct al_nwk_command cmd;
    uint8_t in[128];
    (void)state;
    comes_back(&cmd, in, "04 60", 2);
    assert_true(cmd.leave.request && cmd.leave.rejoin && !cmd.leave.remove_children);
    comes_back(&cmd, in, "04 80", 2);
    assert_true(!cmd.leave.request && !cmd.leave.rejoin && cmd.leave.remove_children);
    comes_back(&cmd, in, "06 8e", 2);
    assert_int_equal(cmd.rejoin_request.capability, 0x8e);
    comes_back(&cmd, in, "07 eb60 f0", 4);
    assert_int_equal(cmd.rejoin_response.addr, 0x60eb);
    assert_int_equal(cmd.rejoin_response.status, 0xf0);
    comes_back(&cmd, in, "0b 08 00", 3);
    assert_int_equal(cmd.timeout_request.index, 8);
    comes_back(&cmd, in, "0c 00 03", 3);
    assert_int_equal(cmd.timeout_response.parent, AL_NWK_PARENT_POLL | AL_NWK_PARENT_REQUEST);
    comes_back(&cmd, in, "0a 01 8a7863feffbd4d74 04 3412", 13);
    assert_int_equal(cmd.update.new_pan, 0x1234);
    assert_int_equal(cmd.update.update_id, 4);
    assert_true(cmd.update.extended_pan == ZIGBEE_COORDINATOR);
}

static void status_may_come_without_an_address(void **state)
{
    struct al_nwk_command cmd;
    uint8_t in[128];
    (void)state;
    comes_back(&cmd, in, "03 0b eb60", 2);
    assert_true(cmd.status.has_addr);
    assert_int_equal(cmd.status.addr, 0x60eb);
    assert_int_equal(al_nwk_command_parse(&cmd, in, 2), 0);
    assert_false(cmd.status.has_addr);
    assert_int_equal(cmd.status.code, AL_NWK_STATUS_SOURCE_ROUTE_FAILURE);
}

static void link_status_gives_its_entries(void **state)
{
    struct al_nwk_command cmd;
    uint8_t in[128], entry[3];
    (void)state;
    comes_back(&cmd, in, "08 62 0000 17 eb60 71", 8);
    assert_true(cmd.link_status.first && cmd.link_status.last);
    assert_int_equal(cmd.link_status.count, 2);
    struct al_nwk_link link = al_nwk_link_get(&cmd, 1);
    assert_int_equal(link.addr, 0x60eb);
    assert_int_equal(link.incoming, 1);
    assert_int_equal(link.outgoing, 7);
    struct al_put p = al_put(entry, sizeof entry);
    al_nwk_link_put(&p, &link);
    assert_memory_equal(entry, in + 5, 3);

    uint8_t links[3 * 32] = {0}, out[100];
    struct al_nwk_command most = {.id = AL_NWK_LINK_STATUS};
    most.link_status.entries = links;
    most.link_status.count = AL_NWK_LINKS_MAX;
    p = al_put(out, sizeof out);
    assert_int_equal(al_nwk_command_build(&most, &p), 0);
    assert_int_equal(p.len, 2 + 3 * AL_NWK_LINKS_MAX);
    most.link_status.count++;
    assert_int_equal(al_nwk_command_build(&most, &p), AL_ERR_INVALID_ARG);
}

static void what_is_not_handled_is_named(void **state)
{
    static const uint8_t report[] = {AL_NWK_REPORT, 1}, unknown[] = {0x0e},
                         long_record[] = {AL_NWK_ROUTE_RECORD, 13},
                         odd_update[] = {AL_NWK_UPDATE, 0x22};
    struct al_nwk_command cmd;
    uint8_t out[8];
    struct al_put p = al_put(out, sizeof out);
    (void)state;
    assert_int_equal(al_nwk_command_parse(&cmd, report, 2), 0);
    assert_int_equal(al_nwk_command_build(&cmd, &p), AL_ERR_NOT_SUPPORTED);
    assert_int_equal(al_nwk_command_parse(&cmd, unknown, 1), AL_ERR_NOT_SUPPORTED);
    assert_int_equal(cmd.id, 0x0e);
    assert_int_equal(al_nwk_command_parse(&cmd, long_record, 2), AL_ERR_NOT_SUPPORTED);
    assert_int_equal(al_nwk_command_parse(&cmd, odd_update, 2), AL_ERR_NOT_SUPPORTED);
}

static void octets_of_later_revisions_are_ignored(void **state)
{
    static const uint8_t leave[] = {AL_NWK_LEAVE, 0x40, 0x01, 0x02, 0x03};
    struct al_nwk_command cmd;
    (void)state;
    assert_int_equal(al_nwk_command_parse(&cmd, leave, sizeof leave), 0);
    assert_true(cmd.leave.request);
}

static void timeout_indexes_are_minutes_in_powers_of_two(void **state)
{
    (void)state;
    assert_int_equal(al_nwk_timeout_seconds(0), 10);
    assert_int_equal(al_nwk_timeout_seconds(1), 120);
    assert_int_equal(al_nwk_timeout_seconds(8), 256 * 60);
    assert_int_equal(al_nwk_timeout_seconds(14), 16384 * 60);
    assert_int_equal(al_nwk_timeout_seconds(15), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routing_commands_come_back),
        cmocka_unit_test(membership_commands_come_back),
        cmocka_unit_test(status_may_come_without_an_address),
        cmocka_unit_test(link_status_gives_its_entries),
        cmocka_unit_test(what_is_not_handled_is_named),
        cmocka_unit_test(octets_of_later_revisions_are_ignored),
        cmocka_unit_test(timeout_indexes_are_minutes_in_powers_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
