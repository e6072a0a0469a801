#include "zigbee/zdp_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zigbee_vector.h"

#define EXT "02aa60feffbd4d74" /* ZIGBEE_DEVICE */

/* Parses an ASDU, builds it again to the same octets; every shorter one is refused. */
static struct al_zdp comes_back(uint16_t cluster, uint8_t in[128], const char *hex)
{
    uint8_t out[128];
    struct al_zdp z, cut;
    size_t len = zigbee_hex(hex, in, 128);
    struct al_put p = al_put(out, sizeof out);
    for (size_t n = 0; n < len; n++)
        assert_int_equal(al_zdp_parse(&cut, cluster, in, n), AL_ERR_SHORT);
    assert_int_equal(al_zdp_parse(&z, cluster, in, len), 0);
    assert_int_equal(z.seq, 0x51);
    assert_int_equal(al_zdp_build(&z, &p), 0);
    assert_int_equal(p.len, len);
    assert_memory_equal(out, in, len);
    return z;
}

static void address_requests_and_answers_come_back(void **state)
{
    uint8_t in[128];
    (void)state;
    struct al_zdp z = comes_back(AL_ZDP_NWK_ADDR, in, "51" EXT "00 00");
    assert_true(z.addr_req.ext == ZIGBEE_DEVICE);
    z = comes_back(AL_ZDP_IEEE_ADDR, in, "51 eb60 01 02");
    assert_int_equal(z.addr_req.addr, 0x60eb);
    assert_int_equal(z.addr_req.type, 1);
    assert_int_equal(z.addr_req.start, 2);

    uint8_t out[32];
    size_t len = zigbee_hex("51 00" EXT "eb60 02 00 3412 7856", in, sizeof in);
    assert_int_equal(al_zdp_parse(&z, 0x8001, in, len), 0);
    assert_int_equal(z.addr_rsp.devices.count, 2);
    assert_int_equal(al_zdp_id(&z.addr_rsp.devices, 1), 0x5678);
    struct al_put p = al_put(out, sizeof out);
    assert_int_equal(al_zdp_build(&z, &p), 0);
    assert_memory_equal(out, in, len);
    assert_int_equal(al_zdp_parse(&z, 0x8000, in, 12), 0);
    assert_false(z.addr_rsp.has_list);
    assert_int_equal(al_zdp_parse(&z, 0x8000, in, 11), AL_ERR_SHORT);
    in[12] = 0; /* an empty list that ends at its count */
    assert_int_equal(al_zdp_parse(&z, 0x8000, in, 13), 0);
    assert_true(z.addr_rsp.has_list);
    assert_int_equal(z.addr_rsp.devices.count, 0);
}

static void descriptors_come_back(void **state)
{
    uint8_t in[128];
    (void)state;
    comes_back(AL_ZDP_POWER_DESC, in, "51 eb60");
    struct al_zdp z = comes_back(AL_ZDP_SIMPLE_DESC, in, "51 eb60 0a");
    assert_int_equal(z.desc_req.endpoint, 10);
    z = comes_back(0x8002, in, "51 00 eb60 22 40 8e 0110 52 5200 002c 5200 00");
    assert_int_equal(z.node_rsp.desc.logical_type, AL_ZDP_END_DEVICE);
    assert_true(z.node_rsp.desc.fragmentation);
    assert_int_equal(z.node_rsp.desc.manufacturer, 0x1001);
    assert_int_equal(z.node_rsp.desc.max_buffer, 82);
    assert_int_equal(z.node_rsp.desc.server_mask, AL_ZDP_SERVER_REVISION(22));
    z = comes_back(0x8003, in, "51 00 eb60 10c1");
    assert_int_equal(z.power_rsp.desc, 0xc110);
    z = comes_back(0x8004, in, "51 00 eb60 0e 0a 0401 0500 01 02 0000 0300 01 1900");
    assert_int_equal(z.simple_rsp.desc.endpoint, 10);
    assert_int_equal(z.simple_rsp.desc.profile, 0x0104);
    assert_int_equal(z.simple_rsp.desc.device_id, 5);
    assert_int_equal(z.simple_rsp.desc.in.count, 2);
    assert_int_equal(al_zdp_id(&z.simple_rsp.desc.in, 1), 3);
    assert_int_equal(al_zdp_id(&z.simple_rsp.desc.out, 0), 0x0019);
    z = comes_back(0x8005, in, "51 00 eb60 02 0a f2");
    assert_int_equal(z.endpoints_rsp.endpoints[1], 0xf2);
}

static void clusters_of_the_caller_are_written_as_those_received(void **state)
{
    static const uint16_t in_ids[] = {0x0000, 0x0003}, out_ids[] = {0x0019};
    struct al_zdp z = {.cluster = AL_ZDP_MATCH_DESC, .seq = 0x51};
    uint8_t out[32], wanted[128];
    struct al_put p = al_put(out, sizeof out);
    (void)state;
    z.match_req.addr = 0xfffd;
    z.match_req.profile = 0x0104;
    z.match_req.in = (struct al_zdp_ids){.own = in_ids, .count = 2};
    z.match_req.out = (struct al_zdp_ids){.own = out_ids, .count = 1};
    assert_int_equal(al_zdp_build(&z, &p), 0);
    size_t len = zigbee_hex("51 fdff 0401 02 0000 0300 01 1900", wanted, sizeof wanted);
    assert_int_equal(p.len, len);
    assert_memory_equal(out, wanted, len);
    comes_back(AL_ZDP_MATCH_DESC, wanted, "51 fdff 0401 02 0000 0300 01 1900");
    comes_back(0x8006, wanted, "51 00 0000 01 01");
}

static void announcements_and_bindings_come_back(void **state)
{
    uint8_t in[128];
    (void)state;
    comes_back(AL_ZDP_DEVICE_ANNCE, in, "51 eb60" EXT "8e");
    struct al_zdp z = comes_back(AL_ZDP_PARENT_ANNCE, in, "51 02" EXT EXT);
    assert_int_equal(z.parent_annce.count, 2);
    assert_int_equal(z.parent_annce.exts[8], 0x02);
    comes_back(0x801f, in, "51 00 01" EXT);
    z = comes_back(AL_ZDP_BIND, in, "51" EXT "0a 1900 03 8a7863feffbd4d74 01");
    assert_true(z.bind.src == ZIGBEE_DEVICE && z.bind.dst == ZIGBEE_COORDINATOR);
    assert_int_equal(z.bind.dst_endpoint, 1);
    z = comes_back(AL_ZDP_UNBIND, in, "51" EXT "0a 1900 01 3412");
    assert_int_equal(z.bind.group, 0x1234);
    comes_back(0x8021, in, "51 00");
}

static void management_frames_come_back(void **state)
{
    uint8_t in[128];
    struct al_zdp_neighbour n;
    struct al_zdp_route r;
    struct al_zdp_binding b;
    (void)state;
    comes_back(AL_ZDP_MGMT_RTG, in, "51 03");
    struct al_zdp z = comes_back(AL_ZDP_MGMT_LEAVE, in, "51 0000000000000000 80");
    assert_true(z.leave_req.rejoin && !z.leave_req.remove_children);
    z = comes_back(AL_ZDP_MGMT_PERMIT_JOINING, in, "51 b4 01");
    assert_int_equal(z.permit_req.duration, 180);
    z = comes_back(AL_ZDP_MGMT_NWK_UPDATE, in, "51 00080000 fe 04");
    assert_int_equal(z.nwk_update_req.channels, 1u << 11);
    assert_int_equal(z.nwk_update_req.update_id, 4);
    comes_back(AL_ZDP_MGMT_NWK_UPDATE, in, "51 00080000 03 02");
    comes_back(AL_ZDP_MGMT_NWK_UPDATE, in, "51 00080000 ff 05 0000");
    comes_back(0x8038, in, "51 00 00180000 0a00 0200 02 80a0");
    z = comes_back(0x8031, in, "51 00 05 00 01 8a7863feffbd4d74" EXT "eb60 25 01 01 c8");
    struct al_cur c = al_cur(z.mgmt_rsp.entries, z.mgmt_rsp.len);
    al_zdp_neighbour_get(&n, &c);
    assert_false(c.failed);
    assert_int_equal(z.mgmt_rsp.total, 5);
    assert_true(n.epid == ZIGBEE_COORDINATOR && n.ext == ZIGBEE_DEVICE);
    assert_int_equal(n.type, 1);
    assert_int_equal(n.rx_on, 1);
    assert_int_equal(n.relation, 2);
    assert_int_equal(n.permit, 1);
    assert_int_equal(n.lqi, 200);
    z = comes_back(0x8032, in, "51 00 01 00 01 eb60 30 3412");
    c = al_cur(z.mgmt_rsp.entries, z.mgmt_rsp.len);
    al_zdp_route_get(&r, &c);
    assert_true(r.many_to_one && r.record_required && !r.memory_constrained);
    assert_int_equal(r.next_hop, 0x1234);
    z = comes_back(0x8033, in, "51 00 02 00 02" EXT "0a 1900 01 3412" EXT "0a 1900 03" EXT "01");
    c = al_cur(z.mgmt_rsp.entries, z.mgmt_rsp.len);
    al_zdp_binding_get(&b, &c);
    al_zdp_binding_get(&b, &c);
    assert_int_equal(c.pos, c.len);
    assert_int_equal(b.dst_endpoint, 1);
}

static void entries_are_written_as_they_are_read(void **state)
{
    const struct al_zdp_neighbour n = {.epid = 1,
                                       .ext = 2,
                                       .addr = 3,
                                       .type = 2,
                                       .rx_on = 2,
                                       .relation = 4,
                                       .permit = 2,
                                       .depth = 15,
                                       .lqi = 255};
    const struct al_zdp_route r = {.dst = 1, .next_hop = 2, .status = 3, .many_to_one = true};
    const struct al_zdp_binding b = {.src = 1,
                                     .dst = 2,
                                     .cluster = 3,
                                     .mode = AL_ZDP_BIND_EXT,
                                     .src_endpoint = 4,
                                     .dst_endpoint = 5};
    struct al_zdp_neighbour n2;
    struct al_zdp_route r2;
    struct al_zdp_binding b2;
    uint8_t out[64];
    struct al_put p = al_put(out, sizeof out);
    (void)state;
    al_zdp_neighbour_put(&n, &p);
    assert_int_equal(p.len, AL_ZDP_NEIGHBOUR_SIZE);
    al_zdp_route_put(&r, &p);
    assert_int_equal(p.len, AL_ZDP_NEIGHBOUR_SIZE + AL_ZDP_ROUTE_SIZE);
    al_zdp_binding_put(&b, &p);
    struct al_cur c = al_cur(out, p.len);
    al_zdp_neighbour_get(&n2, &c);
    al_zdp_route_get(&r2, &c);
    al_zdp_binding_get(&b2, &c);
    assert_false(c.failed);
    assert_int_equal(c.pos, p.len);
    assert_int_equal(n2.relation, 4);
    assert_int_equal(n2.type | n2.rx_on << 2 | n2.permit << 4, 2 | 2 << 2 | 2 << 4);
    assert_int_equal(n2.depth, 15);
    assert_true(r2.status == 3 && r2.many_to_one && r2.dst == 1 && r2.next_hop == 2);
    assert_true(b2.src == 1 && b2.dst == 2 && b2.src_endpoint == 4 && b2.dst_endpoint == 5);
}

static void failures_may_end_behind_their_status(void **state)
{
    struct al_zdp z;
    uint8_t out[32];
    static const uint16_t clusters[] = {0x8000, 0x8001, 0x8002, 0x8003, 0x8004, 0x8005, 0x8006,
                                        0x801f, 0x8021, 0x8031, 0x8032, 0x8033, 0x8038};
    (void)state;
    for (size_t i = 0; i < sizeof clusters / sizeof *clusters; i++) {
        assert_int_equal(al_zdp_parse(&z, clusters[i], (const uint8_t *)"\x51\x80", 2), 0);
        assert_int_equal(z.status, AL_ZDP_INVALID_REQUEST);
    }
    /* Simple_Desc of an endpoint that is not there: the address and no descriptor. */
    z = (struct al_zdp){.cluster = 0x8004, .seq = 1, .status = AL_ZDP_NOT_ACTIVE};
    z.simple_rsp.addr = 0x60eb;
    struct al_put p = al_put(out, sizeof out);
    assert_int_equal(al_zdp_build(&z, &p), 0);
    assert_int_equal(p.len, 5);
    assert_memory_equal(out, "\x01\x83\xeb\x60\x00", 5);
    assert_int_equal(al_zdp_parse(&z, 0x8004, out, 5), 0);
}

static void unknown_clusters_are_named_and_answered_by_a_status(void **state)
{
    struct al_zdp z;
    uint8_t out[8];
    struct al_put p = al_put(out, sizeof out);
    (void)state;
    assert_int_equal(al_zdp_parse(&z, 0x0043, (const uint8_t *)"\x09\x01", 2),
                     AL_ERR_NOT_SUPPORTED);
    assert_int_equal(z.seq, 9);
    assert_int_equal(al_zdp_build(&z, &p), AL_ERR_NOT_SUPPORTED);
    z.cluster |= AL_ZDP_RESPONSE;
    z.status = AL_ZDP_NOT_SUPPORTED;
    assert_int_equal(al_zdp_build(&z, &p), 0);
    assert_int_equal(p.len, 2);
    assert_memory_equal(out, "\x09\x84", 2);
    assert_int_equal(al_zdp_parse(&z, 0x8013, out, 2), AL_ERR_NOT_SUPPORTED); /* has no response */
}

static void inner_lengths_are_checked(void **state)
{
    struct al_zdp z;
    uint8_t in[64];
    (void)state;
    /* More clusters than the descriptor is long; octets of the frame follow it. */
    size_t len =
        zigbee_hex("51 00 eb60 0a 0a 0401 0500 01 02 0000 01 1900 1900 1900", in, sizeof in);
    assert_int_equal(al_zdp_parse(&z, 0x8004, in, len), AL_ERR_INVALID_ARG);
    len = zigbee_hex("51 00 eb60 00", in, sizeof in); /* success, and no descriptor */
    assert_int_equal(al_zdp_parse(&z, 0x8004, in, len), AL_ERR_INVALID_ARG);
    len = zigbee_hex("51" EXT "0a 1900 02 3412", in, sizeof in);
    assert_int_equal(al_zdp_parse(&z, AL_ZDP_BIND, in, len), AL_ERR_INVALID_ARG);
}

static void descriptor_longer_than_its_length_field_is_refused(void **state)
{
    static const uint16_t ids[124];
    struct al_zdp z = {.cluster = 0x8004};
    uint8_t out[300];
    (void)state;
    for (uint8_t count = 123; count <= 124; count++) {
        struct al_put p = al_put(out, sizeof out);
        z.simple_rsp.desc.in = (struct al_zdp_ids){.own = ids, .count = count};
        assert_int_equal(al_zdp_build(&z, &p), count == 123 ? 0 : AL_ERR_INVALID_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_requests_and_answers_come_back),
        cmocka_unit_test(descriptors_come_back),
        cmocka_unit_test(clusters_of_the_caller_are_written_as_those_received),
        cmocka_unit_test(announcements_and_bindings_come_back),
        cmocka_unit_test(management_frames_come_back),
        cmocka_unit_test(entries_are_written_as_they_are_read),
        cmocka_unit_test(failures_may_end_behind_their_status),
        cmocka_unit_test(unknown_clusters_are_named_and_answered_by_a_status),
        cmocka_unit_test(inner_lengths_are_checked),
        cmocka_unit_test(descriptor_longer_than_its_length_field_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
