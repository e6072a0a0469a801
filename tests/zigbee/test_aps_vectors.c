/* The frames of tests/vectors/zigbee-stack through APS and trust: a node with the identity
 * that their README gives hears one side, and sends the same octets as the other. */
#include "tests/zigbee/fake_nwk.h"

#include "zigbee/mac_frame.h"

static struct fake_node *c, *d;

static int setup(void **state)
{
    struct al_aps_config one = {.window = 1};
    fake_start(1);
    c = fake_node(ZIGBEE_COORDINATOR, 0, &one, 8, 2);
    d = fake_node(ZIGBEE_DEVICE, ZIGBEE_DEVICE_ADDR, &one, 8, 2);
    return 0;
}

static int members(void **state)
{
    setup(state);
    fake_members();
    return 0;
}

static int end(void **state)
{
    fake_end();
    return 0;
}

/* The APS frame of vector number, and what NWK says of it. */
struct vector {
    uint8_t mpdu[127], aps[127];
    size_t len;
    struct al_nwk_data_ind ind;
    struct al_aps_frame f;
};

static void read_vector(struct vector *v, unsigned number)
{
    size_t len = zigbee_vector(number, v->mpdu);
    struct al_mac_frame mac;
    struct al_nwk_frame nwk;
    assert_int_equal(al_mac_parse(&mac, v->mpdu, len - 2), 0);
    assert_int_equal(al_nwk_parse(&nwk, mac.payload, mac.payload_len), 0);
    if (nwk.secured)
        assert_int_equal(al_nwk_open(&nwk, zigbee_aes(), zigbee_network_key, 0, v->aps), 0);
    else
        memcpy(v->aps, nwk.payload, nwk.payload_len);
    v->len = nwk.payload_len;
    v->ind = (struct al_nwk_data_ind){.dst = nwk.dst,
                                      .src = nwk.src,
                                      .relay = nwk.src,
                                      .src_ext = nwk.has_src_ext ? nwk.src_ext : 0,
                                      .secured = nwk.secured,
                                      .seq = nwk.seq,
                                      .lqi = 200,
                                      .payload = v->aps,
                                      .len = v->len};
    assert_int_equal(al_aps_parse(&v->f, v->aps, v->len), 0);
}

static void hear(struct fake_node *node, const struct vector *v)
{
    al_aps_nwk_data(&node->aps, air.now, &v->ind);
}

static void assert_sent(const struct fake_node *node, const struct vector *v)
{
    const struct fake_frame *f = fake_last(node, 0);
    assert_int_equal(f->s.len, v->len);
    assert_memory_equal(f->bytes, v->aps, v->len);
    assert_int_equal(f->s.dst, v->ind.dst);
    assert_int_equal(f->s.unsecured, !v->ind.secured);
}

/* The coordinator's answer to the association of the device. */
static void network_key_goes_out_as_in_frame_8(void **state)
{
    struct vector v;
    read_vector(&v, 8);
    al_trust_new_network(&c->trust, air.now, zigbee_network_key);
    c->nwk.c.neighbours[0] = (struct al_nwk_neighbour){
        .ext = ZIGBEE_DEVICE, .addr = ZIGBEE_DEVICE_ADDR, .relation = AL_NWK_JOINING};
    c->aps.counter = v.f.counter;
    c->aps.tx_counter = 17;
    al_trust_child(&c->trust, air.now, &c->nwk.c.neighbours[0], false, false);
    assert_sent(c, &v);
    assert_true(fake_last(c, 0)->s.dst_ext == ZIGBEE_DEVICE);
    fake_run(SECOND);
    assert_true(c->authenticated);
    assert_int_equal(c->authorised.value, AL_ZB_OK);
}

static void network_key_of_frame_8_is_taken(void **state)
{
    struct vector v;
    read_vector(&v, 8);
    al_trust_await_key(&d->trust, air.now);
    hear(d, &v);
    assert_int_equal(d->network_key, AL_ZB_OK);
    assert_memory_equal(al_nwk_active_key(&d->nwk)->key, zigbee_network_key, 16);
    assert_int_equal(al_nwk_active_key(&d->nwk)->seq, 0);
    assert_true(d->trust.centre == ZIGBEE_COORDINATOR);
    const struct al_aps_link_key *k = al_aps_key(&d->aps, ZIGBEE_COORDINATOR);
    assert_int_equal(k->kind, AL_APS_KEY_DEFAULT);
    assert_int_equal(k->rx_counter, 17);
}

/* Frames 12 to 15: the trust centre of the vectors gives the default key once more. */
static void link_key_is_exchanged_as_in_frames_12_to_15(void **state)
{
    struct vector v;
    read_vector(&v, 8);
    al_trust_await_key(&d->trust, air.now);
    hear(d, &v);
    read_vector(&v, 12);
    d->aps.counter = v.f.counter;
    d->aps.tx_counter = 0x2001;
    al_trust_exchange_key(&d->trust, air.now, false);
    assert_sent(d, &v);
    read_vector(&v, 13);
    hear(d, &v);
    struct vector verify;
    read_vector(&verify, 14); /* its sender asks for an acknowledgement */
    const struct fake_frame *f = fake_last(d, 0);
    assert_int_equal(f->s.len, verify.len);
    assert_memory_equal(f->bytes + 2, verify.aps + 2, verify.len - 2);
    assert_int_equal(fake_last(d, 1)->bytes[0], 0x32); /* frame 13 asked for one, secured */
    assert_int_equal(fake_last(d, 1)->bytes[1], v.f.counter);
    assert_int_equal(d->exchanged, -1);
    read_vector(&v, 15);
    hear(d, &v);
    assert_int_equal(d->exchanged, AL_ZB_OK);
    const struct al_aps_link_key *k = al_aps_key(&d->aps, ZIGBEE_COORDINATOR);
    assert_true(k->verified);
    assert_memory_equal(k->key, al_default_link_key, 16);
}

static void trust_centre_hears_frames_12_and_14(void **state)
{
    struct vector v;
    read_vector(&v, 12);
    hear(c, &v);
    struct al_aps_link_key *k = al_aps_key(&c->aps, ZIGBEE_DEVICE);
    assert_non_null(k);
    assert_true(k->has_fresh);
    assert_int_equal(fake_last(c, 0)->bytes[2], 0x38); /* Transport-Key, key-load */
    memcpy(k->fresh, al_default_link_key, 16);         /* what the device got there */
    read_vector(&v, 14);
    hear(c, &v);
    assert_int_equal(c->proved, 1);
    assert_true(c->proved_ext == ZIGBEE_DEVICE);
    const uint8_t ack[] = {0x12, v.f.counter};
    assert_int_equal(fake_last(c, 1)->s.len, sizeof ack);
    assert_memory_equal(fake_last(c, 1)->bytes, ack, sizeof ack);
    assert_int_equal(fake_last(c, 0)->bytes[2], 0x20); /* Confirm-Key, link key */
}

static void data_frames_are_heard_and_sent(void **state)
{
    static const unsigned numbers[] = {9, 10, 11, 16, 17, 18, 19, 20, 21, 28, 30};
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct vector v;
        read_vector(&v, numbers[i]);
        struct fake_node *from = v.ind.src ? d : c, *to = v.ind.src ? c : d;
        struct al_aps_send s = {
            .dst = v.ind.dst,
            .dst_ep = v.f.dst_endpoint,
            .src_ep = v.f.src_endpoint,
            .profile = v.f.profile,
            .cluster = v.f.cluster,
            .asdu = v.f.payload,
            .len = v.f.payload_len,
            .ack = v.f.ack_request,
            .with_src_ext = v.ind.src_ext,
        };
        from->aps.counter = v.f.counter;
        al_aps_stop(&from->aps, air.now, AL_ZB_EXPIRED);
        assert_int_equal(al_aps_send(&from->aps, air.now, &s), 0);
        assert_sent(from, &v);
        unsigned before = to->heard_count;
        hear(to, &v);
        assert_int_equal(to->heard_count, before + 1);
        const struct fake_heard *h = &to->heard[before];
        assert_int_equal(h->ind.len, v.f.payload_len);
        assert_memory_equal(h->asdu, v.f.payload, v.f.payload_len);
        assert_int_equal(h->ind.cluster, v.f.cluster);
        assert_int_equal(h->ind.profile, v.f.profile);
        assert_int_equal(h->ind.src_ep, v.f.src_endpoint);
        assert_int_equal(h->ind.dst_ep, v.f.dst_endpoint);
        assert_int_equal(h->ind.broadcast, numbers[i] == 9);
        assert_true(h->ind.src_ext == from->nwk.ext);
        from->queued = to->queued = 0;
    }
}

static void frame_28_is_acknowledged_by_frame_29(void **state)
{
    struct vector v;
    read_vector(&v, 28);
    hear(c, &v);
    read_vector(&v, 29);
    assert_sent(c, &v);
}

static void fragments_22_to_26_are_acknowledged_by_23_to_27(void **state)
{
    struct vector v;
    for (unsigned number = 22; number <= 26; number += 2) {
        read_vector(&v, number);
        hear(d, &v);
        read_vector(&v, number + 1);
        assert_sent(d, &v);
    }
    assert_int_equal(d->heard_count, 1);
    const struct fake_heard *h = &d->heard[0];
    assert_int_equal(h->ind.len, 240);
    assert_int_equal(h->ind.cluster, 0x0019);
    assert_int_equal(h->asdu[16], 223);
    for (unsigned i = 0; i < 223; i++) assert_int_equal(h->asdu[17 + i], (7 * (64 + i) + 3) & 255);
}

static void message_of_fragments_is_sent_as_22_to_26(void **state)
{
    uint8_t asdu[240];
    struct vector v;
    for (unsigned i = 0; i < 3; i++) {
        read_vector(&v, 22 + 2 * i);
        memcpy(asdu + i * 80, v.f.payload, v.f.payload_len);
    }
    struct al_aps_send s = {
        .dst = ZIGBEE_DEVICE_ADDR,
        .dst_ep = v.f.dst_endpoint,
        .src_ep = v.f.src_endpoint,
        .profile = v.f.profile,
        .cluster = v.f.cluster,
        .asdu = asdu,
        .len = sizeof asdu,
        .fragment = true,
        .handle = 5,
    };
    c->aps.counter = v.f.counter;
    assert_int_equal(al_aps_send(&c->aps, air.now, &s), 0);
    for (unsigned number = 22; number <= 26; number += 2) {
        read_vector(&v, number);
        assert_sent(c, &v);
        assert_int_equal(c->sent_count, 0);
        read_vector(&v, number + 1);
        hear(c, &v);
    }
    assert_int_equal(c->frame_count, 3);
    assert_int_equal(c->sent_count, 1);
    assert_int_equal(c->sent[0].handle, 5);
    assert_int_equal(c->sent[0].status, AL_ZB_OK);
}

int main(void)
{
#define JOINING(f) cmocka_unit_test_setup_teardown(f, setup, end)
#define MEMBER(f)  cmocka_unit_test_setup_teardown(f, members, end)
    const struct CMUnitTest tests[] = {
        JOINING(network_key_goes_out_as_in_frame_8),
        JOINING(network_key_of_frame_8_is_taken),
        JOINING(link_key_is_exchanged_as_in_frames_12_to_15),
        MEMBER(trust_centre_hears_frames_12_and_14),
        MEMBER(data_frames_are_heard_and_sent),
        MEMBER(frame_28_is_acknowledged_by_frame_29),
        MEMBER(fragments_22_to_26_are_acknowledged_by_23_to_27),
        MEMBER(message_of_fragments_is_sent_as_22_to_26),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
