/* Every frame of tests/vectors/zigbee-stack, from the MAC to the payload: the values that its
 * README gives, and the same octets when it is built and encrypted again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zigbee_vector.h"
#include "zigbee/aps_command.h"
#include "zigbee/aps_frame.h"
#include "zigbee/fcs.h"
#include "zigbee/hash.h"
#include "zigbee/mac_frame.h"
#include "zigbee/nwk_command.h"
#include "zigbee/nwk_frame.h"
#include "zigbee/zcl_frame.h"
#include "zigbee/zdp_frame.h"

/* A frame and all that is in it. */
struct decoded {
    uint8_t mpdu[127], nwk_plain[127], aps_plain[127];
    size_t len;
    struct al_mac_frame mac;
    struct al_mac_beacon beacon;
    struct al_mac_command mac_command;
    struct al_nwk_frame nwk;
    struct al_aps_frame aps;
    struct al_aps_command aps_command;
    struct al_zdp zdp;
    struct al_zcl_frame zcl;
};

static void link_key_for(uint8_t key_id, uint8_t key[16])
{
    static const enum al_key_use uses[] = {[AL_SEC_KEY_LINK] = AL_KEY_DATA,
                                           [AL_SEC_KEY_TRANSPORT] = AL_KEY_TRANSPORT,
                                           [AL_SEC_KEY_LOAD] = AL_KEY_LOAD};
    assert_int_not_equal(key_id, AL_SEC_KEY_NETWORK);
    al_key_derive(zigbee_aes(), al_default_link_key, uses[key_id], key);
}

/* A frame that has no fragment number, or is the whole of a ZCL frame. */
static bool has_zcl(const struct al_aps_frame *f)
{
    return f->type == AL_APS_DATA && f->profile == AL_PROFILE_HA && !f->extended;
}

static bool has_zdp(const struct al_aps_frame *f)
{
    return f->type == AL_APS_DATA && f->profile == AL_PROFILE_ZDP;
}

static void decode_aps(struct decoded *d)
{
    struct al_aps_frame *f = &d->aps;
    assert_int_equal(al_aps_parse(f, d->nwk.payload, d->nwk.payload_len), 0);
    if (f->secured) {
        uint8_t key[16];
        link_key_for(f->aux.key_id, key);
        assert_int_equal(al_aps_open(f, zigbee_aes(), key, 0, d->aps_plain), 0);
    }
    if (f->type == AL_APS_COMMAND)
        assert_int_equal(al_aps_command_parse(&d->aps_command, f->payload, f->payload_len), 0);
    if (has_zdp(f))
        assert_int_equal(al_zdp_parse(&d->zdp, f->cluster, f->payload, f->payload_len), 0);
    if (has_zcl(f)) assert_int_equal(al_zcl_parse(&d->zcl, f->payload, f->payload_len), 0);
}

static void decode(struct decoded *d, unsigned number)
{
    memset(d, 0, sizeof *d);
    d->len = zigbee_vector(number, d->mpdu);
    assert_int_equal(al_fcs(0, d->mpdu, d->len), 0);
    struct al_mac_frame *m = &d->mac;
    assert_int_equal(al_mac_parse(m, d->mpdu, d->len - 2), 0);
    if (m->type == AL_MAC_BEACON)
        assert_int_equal(al_mac_beacon_parse(&d->beacon, m->payload, m->payload_len), 0);
    if (m->type == AL_MAC_COMMAND)
        assert_int_equal(al_mac_command_parse(&d->mac_command, m->payload, m->payload_len), 0);
    if (m->type != AL_MAC_DATA) return;
    assert_int_equal(al_nwk_parse(&d->nwk, m->payload, m->payload_len), 0);
    if (d->nwk.secured)
        assert_int_equal(al_nwk_open(&d->nwk, zigbee_aes(), zigbee_network_key, 0, d->nwk_plain),
                         0);
    decode_aps(d);
}

/* Building, the other way round. */

static void build_aps(const struct decoded *d, struct al_put *p)
{
    uint8_t payload[127], key[16];
    struct al_put inner = al_put(payload, sizeof payload);
    struct al_aps_frame f = d->aps;
    if (f.type == AL_APS_COMMAND)
        assert_int_equal(al_aps_command_build(&d->aps_command, &inner), 0);
    else if (has_zdp(&f))
        assert_int_equal(al_zdp_build(&d->zdp, &inner), 0);
    else if (has_zcl(&f))
        assert_int_equal(al_zcl_build(&d->zcl, &inner), 0);
    else
        al_put_bytes(&inner, f.payload, f.payload_len);
    f.payload = payload;
    f.payload_len = inner.len;
    if (!f.secured) {
        assert_int_equal(al_aps_build(&f, p), 0);
        return;
    }
    link_key_for(f.aux.key_id, key);
    assert_int_equal(al_aps_seal(&f, zigbee_aes(), key, p), 0);
}

static void build_nwk(const struct decoded *d, struct al_put *p)
{
    uint8_t payload[127];
    struct al_put inner = al_put(payload, sizeof payload);
    struct al_nwk_frame f = d->nwk;
    build_aps(d, &inner);
    f.payload = payload;
    f.payload_len = inner.len;
    size_t before = p->len;
    if (f.secured)
        assert_int_equal(al_nwk_seal(&f, zigbee_aes(), zigbee_network_key, p), 0);
    else
        assert_int_equal(al_nwk_build(&f, p), 0);
    size_t mic = f.secured ? AL_CCM_MIC : 0;
    assert_int_equal(p->len - before, al_nwk_header_size(&f) + inner.len + mic);
}

static void every_frame_is_built_again_to_the_same_octets(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= ZIGBEE_VECTORS; n++) {
        struct decoded d;
        uint8_t again[127];
        struct al_put p = al_put(again, sizeof again);
        decode(&d, n);
        struct al_mac_frame header = d.mac;
        header.payload = NULL;
        header.payload_len = 0;
        assert_int_equal(al_mac_build(&header, &p), 0);
        if (d.mac.type == AL_MAC_BEACON)
            assert_int_equal(al_mac_beacon_build(&d.beacon, &p), 0);
        else if (d.mac.type == AL_MAC_COMMAND)
            assert_int_equal(al_mac_command_build(&d.mac_command, &p), 0);
        else if (d.mac.type == AL_MAC_DATA)
            build_nwk(&d, &p);
        al_put16(&p, al_fcs(0, again, p.len));
        assert_false(p.failed);
        assert_int_equal(p.len, d.len);
        assert_memory_equal(again, d.mpdu, d.len);
    }
}

/* Values */

static void beacon_request_and_beacon_say_what_the_network_is(void **state)
{
    struct decoded d;
    decode(&d, 1);
    assert_int_equal(d.mac.fcf, 0x0803);
    assert_int_equal(d.mac.seq, 0x21);
    assert_int_equal(d.mac.dst.pan, AL_MAC_BROADCAST);
    assert_int_equal(d.mac.dst.short_addr, AL_MAC_BROADCAST);
    assert_int_equal(d.mac.src.mode, AL_MAC_NONE);
    assert_int_equal(d.mac_command.id, AL_MAC_BEACON_REQUEST);

    decode(&d, 2);
    const struct al_zb_beacon *z = &d.beacon.zigbee;
    assert_int_equal(d.mac.src.pan, ZIGBEE_PAN);
    assert_int_equal(d.mac.src.short_addr, 0);
    assert_int_equal(d.beacon.superframe,
                     AL_SUPERFRAME_NO_BEACONS | AL_SUPERFRAME_COORDINATOR | AL_SUPERFRAME_PERMIT);
    assert_int_equal(z->profile, 2);
    assert_int_equal(z->version, 2);
    assert_int_equal(z->depth, 0);
    assert_true(z->router_capacity && z->end_device_capacity);
    assert_true(z->epid == ZIGBEE_COORDINATOR);
    assert_int_equal(z->tx_offset, 0xffffff);
    assert_int_equal(z->update_id, 0);
}

static void association_gives_the_device_its_address(void **state)
{
    struct decoded d;
    decode(&d, 3);
    assert_int_equal(d.mac.fcf, 0xc823);
    assert_int_equal(d.mac.dst.pan, ZIGBEE_PAN);
    assert_int_equal(d.mac.dst.short_addr, 0);
    assert_int_equal(d.mac.src.pan, AL_MAC_BROADCAST);
    assert_true(d.mac.src.ext == ZIGBEE_DEVICE);
    assert_int_equal(d.mac_command.id, AL_MAC_ASSOC_REQUEST);
    assert_int_equal(d.mac_command.capability,
                     AL_CAP_ROUTER | AL_CAP_MAINS | AL_CAP_RX_ON | AL_CAP_ALLOCATE);

    decode(&d, 5);
    assert_int_equal(d.mac_command.id, AL_MAC_DATA_REQUEST);
    assert_true(d.mac.src.ext == ZIGBEE_DEVICE);
    assert_int_equal(d.mac.src.pan, ZIGBEE_PAN);

    decode(&d, 7);
    assert_int_equal(d.mac_command.id, AL_MAC_ASSOC_RESPONSE);
    assert_true(d.mac.src.ext == ZIGBEE_COORDINATOR && d.mac.dst.ext == ZIGBEE_DEVICE);
    assert_int_equal(d.mac_command.short_addr, ZIGBEE_DEVICE_ADDR);
    assert_int_equal(d.mac_command.status, AL_MAC_ASSOC_OK);
}

static void acknowledgements_say_whether_a_frame_is_pending(void **state)
{
    struct decoded d;
    decode(&d, 4);
    assert_int_equal(d.mac.type, AL_MAC_ACK);
    assert_int_equal(d.mac.seq, 0x22);
    assert_false(d.mac.pending);
    decode(&d, 6);
    assert_int_equal(d.mac.seq, 0x23);
    assert_true(d.mac.pending);
}

static void network_key_is_transported_in_clear_nwk_and_secured_aps(void **state)
{
    struct decoded d;
    decode(&d, 8);
    assert_false(d.nwk.secured);
    assert_true(d.nwk.has_dst_ext && d.nwk.dst_ext == ZIGBEE_DEVICE);
    assert_int_equal(d.nwk.fcf, 0x0808);
    assert_int_equal(d.aps.aux.key_id, AL_SEC_KEY_TRANSPORT);
    assert_int_equal(d.aps.aux.counter, 17);
    assert_int_equal(d.aps_command.id, AL_APS_TRANSPORT_KEY);
    assert_int_equal(d.aps_command.transport_key.type, AL_KEY_TYPE_NETWORK);
    assert_memory_equal(d.aps_command.transport_key.key, zigbee_network_key, 16);
    assert_int_equal(d.aps_command.transport_key.key_seq, 0);
    assert_true(d.aps_command.transport_key.dst == ZIGBEE_DEVICE);
    assert_true(d.aps_command.transport_key.src == ZIGBEE_COORDINATOR);
}

static void device_announces_itself_to_all_that_listen(void **state)
{
    struct decoded d;
    decode(&d, 9);
    assert_int_equal(d.nwk.dst, 0xfffd);
    assert_int_equal(d.nwk.src, ZIGBEE_DEVICE_ADDR);
    assert_int_equal(d.nwk.radius, 30);
    assert_true(d.nwk.has_src_ext && d.nwk.src_ext == ZIGBEE_DEVICE);
    assert_int_equal(d.nwk.aux.counter, 0x1001);
    assert_int_equal(d.nwk.aux.key_id, AL_SEC_KEY_NETWORK);
    assert_true(d.nwk.aux.source == ZIGBEE_DEVICE);
    assert_int_equal(d.aps.delivery, AL_APS_BROADCAST);
    assert_int_equal(d.zdp.cluster, AL_ZDP_DEVICE_ANNCE);
    assert_int_equal(d.zdp.seq, 1);
    assert_int_equal(d.zdp.device_annce.addr, ZIGBEE_DEVICE_ADDR);
    assert_true(d.zdp.device_annce.ext == ZIGBEE_DEVICE);
    assert_int_equal(d.zdp.device_annce.capability, 0x8e);
}

static void node_descriptor_of_the_coordinator_is_read(void **state)
{
    struct decoded d;
    decode(&d, 10);
    assert_int_equal(d.zdp.cluster, AL_ZDP_NODE_DESC);
    assert_int_equal(d.zdp.seq, 2);
    assert_int_equal(d.zdp.desc_req.addr, 0);
    decode(&d, 11);
    const struct al_zdp_node_desc *n = &d.zdp.node_rsp.desc;
    assert_int_equal(d.zdp.cluster, AL_ZDP_NODE_DESC | AL_ZDP_RESPONSE);
    assert_int_equal(d.zdp.seq, 2);
    assert_int_equal(d.zdp.status, AL_ZDP_SUCCESS);
    assert_int_equal(d.zdp.node_rsp.addr, 0);
    assert_int_equal(n->logical_type, AL_ZDP_COORDINATOR);
    assert_int_equal(n->band, AL_ZDP_BAND_2400);
    assert_int_equal(n->capability, 0x8f);
    assert_int_equal(n->manufacturer, 0xc5a0);
    assert_int_equal(n->max_buffer, 0x7f);
    assert_int_equal(n->max_incoming, 0x7f);
    assert_int_equal(n->max_outgoing, 0x7f);
    assert_int_equal(AL_ZDP_REVISION(n->server_mask), 22);
    assert_int_equal(n->server_mask & 0x1ff, AL_ZDP_SERVER_TRUST | AL_ZDP_SERVER_NETWORK);
}

static void link_key_is_asked_for_given_and_proved(void **state)
{
    struct decoded d;
    uint8_t hash[16];
    decode(&d, 12);
    assert_int_equal(d.nwk.aux.counter, 0x1004);
    assert_int_equal(d.aps.aux.counter, 0x2001);
    assert_int_equal(d.aps.aux.key_id, AL_SEC_KEY_LINK);
    assert_int_equal(d.aps_command.id, AL_APS_REQUEST_KEY);
    assert_int_equal(d.aps_command.request_key.type, AL_KEY_TYPE_TC_LINK);

    decode(&d, 13);
    assert_int_equal(d.aps.aux.counter, 18);
    assert_int_equal(d.aps.aux.key_id, AL_SEC_KEY_LOAD);
    assert_int_equal(d.aps_command.transport_key.type, AL_KEY_TYPE_TC_LINK);
    assert_memory_equal(d.aps_command.transport_key.key, al_default_link_key, 16);

    decode(&d, 14);
    al_key_derive(zigbee_aes(), al_default_link_key, AL_KEY_VERIFY, hash);
    assert_false(d.aps.secured);
    assert_true(d.aps.ack_request);
    assert_int_equal(d.aps_command.id, AL_APS_VERIFY_KEY);
    assert_int_equal(d.aps_command.verify_key.type, AL_KEY_TYPE_TC_LINK);
    assert_true(d.aps_command.verify_key.source == ZIGBEE_DEVICE);
    assert_memory_equal(d.aps_command.verify_key.hash, hash, 16);

    decode(&d, 15);
    assert_int_equal(d.aps.aux.counter, 19);
    assert_int_equal(d.aps_command.id, AL_APS_CONFIRM_KEY);
    assert_int_equal(d.aps_command.confirm_key.status, AL_CONFIRM_OK);
    assert_int_equal(d.aps_command.confirm_key.type, AL_KEY_TYPE_TC_LINK);
    assert_true(d.aps_command.confirm_key.dst == ZIGBEE_DEVICE);
}

static void image_notify_decrypts_to_the_worked_example(void **state)
{
    static const uint8_t example[] = {0x40, 0x0a, 0x19, 0x00, 0x04, 0x01, 0x01,
                                      0x05, 0x09, 0x01, 0x00, 0x00, 0x64};
    struct decoded d;
    decode(&d, 16);
    assert_int_equal(d.nwk.payload_len, sizeof example);
    assert_memory_equal(d.nwk.payload, example, sizeof example);
    assert_int_equal(d.aps.cluster, 0x0019);
    assert_int_equal(d.aps.profile, AL_PROFILE_HA);
    assert_int_equal(d.aps.dst_endpoint, 10);
    assert_int_equal(d.aps.src_endpoint, 1);
    assert_true(d.zcl.cluster_specific && d.zcl.to_client && !d.zcl.no_default_response);
    assert_int_equal(d.zcl.seq, 1);
    assert_int_equal(d.zcl.command, 0);
}

static void ota_frames_carry_their_zcl_header(void **state)
{
    static const struct {
        unsigned number;
        uint8_t seq, command;
        bool to_client;
        size_t payload; /* octets */
    } known[] = {
        {17, 49, 1, false, 9}, {18, 49, 2, true, 13},  {19, 50, 3, false, 14},
        {20, 50, 5, true, 78}, {21, 51, 3, false, 14}, {28, 53, 6, false, 9},
        {30, 53, 7, true, 16},
    };
    struct decoded d;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        decode(&d, known[i].number);
        assert_true(d.zcl.cluster_specific);
        assert_int_equal(d.zcl.seq, known[i].seq);
        assert_int_equal(d.zcl.command, known[i].command);
        assert_int_equal(d.zcl.to_client, known[i].to_client);
        assert_int_equal(d.zcl.payload_len, known[i].payload);
    }
    decode(&d, 20);
    for (int i = 0; i < 64; i++) assert_int_equal(d.zcl.payload[14 + i], (uint8_t)(7 * i + 3));
}

static void fragments_make_up_one_block_response(void **state)
{
    uint8_t whole[240];
    struct decoded d;
    for (unsigned i = 0; i < 3; i++) {
        decode(&d, 22 + 2 * i);
        assert_true(d.aps.extended && d.aps.ack_request);
        assert_int_equal(d.aps.fragment, i ? AL_APS_MIDDLE : AL_APS_FIRST);
        assert_int_equal(d.aps.block, i ? i : 3);
        assert_int_equal(d.aps.payload_len, 80);
        memcpy(whole + 80 * i, d.aps.payload, 80);
    }
    struct al_zcl_frame zcl;
    assert_int_equal(al_zcl_parse(&zcl, whole, sizeof whole), 0);
    assert_int_equal(zcl.seq, 51);
    assert_int_equal(zcl.command, 5);
    assert_int_equal(zcl.payload[13], 223);
    for (int i = 0; i < 223; i++)
        assert_int_equal(zcl.payload[14 + i], (uint8_t)(7 * (64 + i) + 3));
}

static void acknowledgements_of_blocks_and_of_whole_messages(void **state)
{
    struct decoded d, of;
    for (unsigned i = 0; i < 3; i++) {
        decode(&of, 22 + 2 * i);
        decode(&d, 23 + 2 * i);
        assert_int_equal(d.aps.type, AL_APS_ACK);
        assert_int_equal(d.aps.fragment, AL_APS_FIRST);
        assert_int_equal(d.aps.block, i);
        assert_int_equal(d.aps.ack_bits, 0xff);
        struct al_aps_frame ack = al_aps_ack_of(&of.aps);
        assert_int_equal(ack.counter, d.aps.counter);
        assert_int_equal(ack.dst_endpoint, d.aps.dst_endpoint);
        assert_int_equal(ack.src_endpoint, d.aps.src_endpoint);
        assert_int_equal(ack.extended, true);
    }
    decode(&of, 28);
    decode(&d, 29);
    assert_false(d.aps.extended);
    uint8_t built[16];
    struct al_put p = al_put(built, sizeof built);
    struct al_aps_frame ack = al_aps_ack_of(&of.aps);
    assert_int_equal(al_aps_build(&ack, &p), 0);
    assert_int_equal(p.len, d.nwk.payload_len);
    assert_memory_equal(built, d.nwk.payload, p.len);
}

static void any_flipped_bit_behind_the_nwk_header_is_noticed(void **state)
{
    struct decoded d;
    decode(&d, 16);
    size_t header = (size_t)(d.mac.payload - d.mpdu);
    for (size_t bit = 8 * (header + 9); bit < 8 * (d.len - 2); bit++) {
        struct al_nwk_frame f;
        uint8_t plain[127];
        d.mpdu[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int err = al_nwk_parse(&f, d.mac.payload, d.mac.payload_len);
        if (!err) err = al_nwk_open(&f, zigbee_aes(), zigbee_network_key, 0, plain);
        assert_int_equal(err, AL_ERR_INVALID_CRC);
        d.mpdu[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_is_built_again_to_the_same_octets),
        cmocka_unit_test(beacon_request_and_beacon_say_what_the_network_is),
        cmocka_unit_test(association_gives_the_device_its_address),
        cmocka_unit_test(acknowledgements_say_whether_a_frame_is_pending),
        cmocka_unit_test(network_key_is_transported_in_clear_nwk_and_secured_aps),
        cmocka_unit_test(device_announces_itself_to_all_that_listen),
        cmocka_unit_test(node_descriptor_of_the_coordinator_is_read),
        cmocka_unit_test(link_key_is_asked_for_given_and_proved),
        cmocka_unit_test(image_notify_decrypts_to_the_worked_example),
        cmocka_unit_test(ota_frames_carry_their_zcl_header),
        cmocka_unit_test(fragments_make_up_one_block_response),
        cmocka_unit_test(acknowledgements_of_blocks_and_of_whole_messages),
        cmocka_unit_test(any_flipped_bit_behind_the_nwk_header_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
