/* Fragmented messages: windows, loss, order, and what senders of other stacks do. */
#include "tests/zigbee/fake_nwk.h"

#define BLOCK 80u

static struct fake_node *c, *d;
static uint8_t asdu[AL_APS_ASDU_MAX];

static void nodes(unsigned seed, unsigned tx_window, unsigned rx_window)
{
    struct al_aps_config sender = {.window = (uint8_t)tx_window};
    struct al_aps_config receiver = {.window = (uint8_t)rx_window};
    fake_start(seed);
    c = fake_node(ZIGBEE_COORDINATOR, 0, &sender, 8, 2);
    d = fake_node(ZIGBEE_DEVICE, ZIGBEE_DEVICE_ADDR, &receiver, 8, 2);
    fake_members();
    for (unsigned i = 0; i < sizeof asdu; i++) asdu[i] = (uint8_t)(7 * i + 3 + i / 256);
}

static int setup(void **state)
{
    nodes(1, 8, 8);
    return 0;
}

static int end(void **state)
{
    fake_end();
    return 0;
}

static struct al_aps_send message(size_t len, uint16_t handle)
{
    return (struct al_aps_send){
        .dst = ZIGBEE_DEVICE_ADDR,
        .dst_ep = 10,
        .src_ep = 1,
        .profile = AL_PROFILE_HA,
        .cluster = 0x0019,
        .asdu = asdu,
        .len = len,
        .fragment = true,
        .handle = handle,
    };
}

static void send(size_t len, uint16_t handle)
{
    struct al_aps_send s = message(len, handle);
    assert_int_equal(al_aps_send(&c->aps, air.now, &s), 0);
}

static void assert_whole(unsigned n, size_t len)
{
    assert_true(n < d->heard_count);
    assert_int_equal(d->heard[n].ind.len, len);
    assert_memory_equal(d->heard[n].asdu, asdu, len);
}

/* Block number of n of a message with this counter, as from another stack. */
static struct al_aps_frame block_frame(unsigned n, unsigned blocks, size_t len, uint8_t counter)
{
    size_t at = n * BLOCK;
    return (struct al_aps_frame){
        .type = AL_APS_DATA,
        .ack_request = true,
        .extended = true,
        .fragment = n ? AL_APS_MIDDLE : AL_APS_FIRST,
        .block = (uint8_t)(n ? n : blocks),
        .dst_endpoint = 10,
        .src_endpoint = 1,
        .cluster = 0x0019,
        .profile = AL_PROFILE_HA,
        .counter = counter,
        .payload = asdu + at,
        .payload_len = len - at < BLOCK ? len - at : BLOCK,
    };
}

static void hear(const struct al_aps_frame *f)
{
    uint8_t bytes[AL_RADIO_MPDU_MAX];
    struct al_put p = al_put(bytes, sizeof bytes);
    assert_int_equal(al_aps_build(f, &p), 0);
    struct al_nwk_data_ind ind = {
        .src = 0, .dst = ZIGBEE_DEVICE_ADDR, .secured = true, .payload = bytes, .len = p.len};
    al_aps_nwk_data(&d->aps, air.now, &ind);
}

static void hear_block(unsigned n, unsigned blocks, size_t len, uint8_t counter)
{
    struct al_aps_frame f = block_frame(n, blocks, len, counter);
    hear(&f);
}

/* The n-th last acknowledgement of d. */
static void assert_ack(unsigned n, unsigned block, unsigned bits)
{
    struct al_aps_frame f;
    const struct fake_frame *frame = fake_last(d, n);
    assert_int_equal(al_aps_parse(&f, frame->bytes, frame->s.len), 0);
    assert_int_equal(f.type, AL_APS_ACK);
    assert_int_equal(f.fragment, AL_APS_FIRST);
    assert_int_equal(f.block, block);
    assert_int_equal(f.ack_bits, bits);
}

static void blocks_follow_each_other_without_a_pause(void **state)
{
    static const unsigned windows[] = {1, 3, 8};
    for (unsigned i = 0; i < 3; i++) {
        unsigned w = windows[i];
        nodes(1, w, w);
        uint64_t start = air.now;
        send(17 * BLOCK + 5, 1);
        fake_run(10 * SECOND);
        assert_int_equal(d->heard_count, 1);
        assert_whole(0, 17 * BLOCK + 5);
        assert_int_equal(c->sent[0].status, AL_ZB_OK);
        unsigned acks = (18 + w - 1) / w;
        assert_int_equal(d->frame_count, acks);
        assert_int_equal(c->frame_count, 18);
        assert_in_range(c->sent[0].at - start, 1, (18 + acks) * FRAME_US);
        fake_end();
    }
}

static void interframe_delay_is_kept(void **state)
{
    struct al_aps_config slow = {.interframe_ms = 10};
    fake_start(1);
    c = fake_node(ZIGBEE_COORDINATOR, 0, &slow, 8, 2);
    d = fake_node(ZIGBEE_DEVICE, ZIGBEE_DEVICE_ADDR, NULL, 8, 2);
    fake_members();
    send(3 * BLOCK, 1);
    fake_run(SECOND);
    assert_int_equal(c->frames[1].at - c->frames[0].at, 10 * MS);
    assert_int_equal(c->frames[2].at - c->frames[1].at, 10 * MS);
    assert_whole(0, 3 * BLOCK);
    fake_end();
}

static void header_of_a_block_is_as_the_format_says(void **state)
{
    send(3 * BLOCK, 1);
    fake_run(SECOND);
    for (unsigned i = 0; i < 3; i++) {
        const struct fake_frame *f = &c->frames[i];
        assert_int_equal(f->s.len, 90);
        assert_int_equal(f->bytes[0], 0xc0);
        assert_int_equal(f->bytes[7], c->frames[0].bytes[7]); /* one counter */
        assert_int_equal(f->bytes[8], i ? AL_APS_MIDDLE : AL_APS_FIRST);
        assert_int_equal(f->bytes[9], i ? i : 3);
    }
    assert_ack(0, 0, 0xff);
}

static void a_missing_block_is_named_and_sent_again_alone(void **state)
{
    hear_block(0, 8, 8 * BLOCK, 5);
    for (unsigned i = 2; i < 8; i++) hear_block(i, 8, 8 * BLOCK, 5);
    assert_int_equal(d->frame_count, 0);
    fake_run(300 * MS);
    assert_int_equal(d->frame_count, 1);
    assert_ack(0, 0, 0xfd);
    hear_block(1, 8, 8 * BLOCK, 5);
    assert_ack(0, 0, 0xff);
    assert_whole(0, 8 * BLOCK);
}

static unsigned blocks_lost;
static bool lose_block_3_once(const struct fake_node *from, const struct fake_frame *f)
{
    if (from != c || f->bytes[9] != 3 || blocks_lost) return true;
    blocks_lost++;
    return false;
}

static void only_the_missing_block_is_repeated(void **state)
{
    blocks_lost = 0;
    air.filter = lose_block_3_once;
    uint64_t start = air.now;
    send(8 * BLOCK, 1);
    fake_run(5 * SECOND);
    assert_int_equal(c->frame_count, 9);
    assert_whole(0, 8 * BLOCK);
    assert_in_range(c->sent[0].at - start, 1, 400 * MS);
}

static void two_missing_bits_in_a_short_last_window(void **state)
{
    hear_block(0, 2, 2 * BLOCK, 5);
    fake_run(300 * MS);
    assert_ack(0, 0, 0xfd); /* bits beyond the message are ones */
}

static void the_last_block_may_come_first(void **state)
{
    size_t len = 3 * BLOCK - 33;
    hear_block(2, 3, len, 5);
    hear_block(1, 3, len, 5);
    hear_block(0, 3, len, 5);
    assert_whole(0, len);
    assert_ack(0, 0, 0xff);
    hear_block(1, 3, len, 6);
    hear_block(2, 3, len, 6);
    hear_block(0, 3, len, 6);
    assert_whole(1, len);
}

static void repeated_blocks_of_a_finished_message_are_acknowledged(void **state)
{
    for (unsigned i = 0; i < 3; i++) hear_block(i, 3, 3 * BLOCK, 5);
    assert_int_equal(d->heard_count, 1);
    unsigned frames = d->frame_count;
    fake_run(SECOND);
    hear_block(2, 3, 3 * BLOCK, 5);
    assert_int_equal(d->frame_count, frames + 1);
    assert_ack(0, 0, 0xff);
    hear_block(0, 3, 3 * BLOCK, 5);
    assert_int_equal(d->heard_count, 1);
    /* Another message under the same counter. */
    asdu[0] ^= 1;
    for (unsigned i = 0; i < 3; i++) hear_block(i, 3, 3 * BLOCK, 5);
    assert_int_equal(d->heard_count, 2);
    assert_whole(1, 3 * BLOCK);
}

static void first_block_of_another_message_begins_anew(void **state)
{
    asdu[0] ^= 1;
    hear_block(0, 3, 3 * BLOCK, 5);
    asdu[0] ^= 1;
    for (unsigned i = 0; i < 3; i++) hear_block(i, 3, 3 * BLOCK, 5);
    assert_int_equal(d->heard_count, 1);
    assert_whole(0, 3 * BLOCK);
}

static unsigned passed;
static bool one_new_block_a_round(const struct fake_node *from, const struct fake_frame *f)
{
    unsigned block = f->bytes[8] == AL_APS_FIRST ? 0 : f->bytes[9];
    if (from != c || block != passed) return from != c;
    if (air.now < c->frames[0].at + passed * SECOND) return false;
    passed++;
    return true;
}

static void progress_keeps_a_message_alive(void **state)
{
    passed = 0;
    air.filter = one_new_block_a_round;
    send(8 * BLOCK, 1);
    fake_run(60 * SECOND);
    assert_whole(0, 8 * BLOCK);
    assert_in_range(c->aps.tx_repeats, 4, 8);
}

static void contradictions_end_a_message(void **state)
{
    struct al_aps_frame f = block_frame(1, 4, 4 * BLOCK, 5);
    f.payload_len = 40;
    hear_block(0, 4, 4 * BLOCK, 5);
    hear(&f); /* shorter, and not the last */
    for (unsigned i = 2; i < 4; i++) hear_block(i, 4, 4 * BLOCK, 5);
    fake_run(SECOND);
    assert_int_equal(d->heard_count, 0);
    /* A block behind the end is not heard. */
    f = block_frame(3, 2, 4 * BLOCK, 6);
    f.payload_len = 10;
    hear_block(0, 2, 4 * BLOCK, 6);
    hear(&f);
    hear_block(1, 2, 4 * BLOCK, 6);
    assert_int_equal(d->heard_count, 1);
}

static void too_long_a_message_is_never_acknowledged(void **state)
{
    for (unsigned i = 0; i < 20; i++) {
        struct al_aps_frame f = block_frame(0, 20, 20 * BLOCK, 5);
        f.fragment = i ? AL_APS_MIDDLE : AL_APS_FIRST;
        f.block = (uint8_t)(i ? i : 20);
        hear(&f);
        if (i == 7) assert_ack(0, 0, 0xff);
    }
    fake_run(SECOND);
    assert_int_equal(d->heard_count, 0);
    assert_int_equal(d->aps.rx_messages, 0);
}

static void partial_messages_make_room_after_their_time(void **state)
{
    hear_block(0, 3, 3 * BLOCK, 1);
    hear_block(0, 3, 3 * BLOCK, 2);
    hear_block(0, 3, 3 * BLOCK, 3); /* no room for a third */
    fake_run(5 * SECOND);
    for (unsigned i = 1; i < 3; i++) hear_block(i, 3, 3 * BLOCK, 1);
    assert_int_equal(d->heard_count, 1);
    hear_block(0, 3, 3 * BLOCK, 3);
    fake_run(2 * SECOND);
    for (unsigned i = 1; i < 3; i++) hear_block(i, 3, 3 * BLOCK, 2);
    assert_int_equal(d->heard_count, 1); /* was dropped after 6.4 s */
    for (unsigned i = 1; i < 3; i++) hear_block(i, 3, 3 * BLOCK, 3);
    assert_int_equal(d->heard_count, 2);
    fake_run(7 * SECOND);
    assert_true(al_aps_next(&d->aps) == UINT64_MAX);
}

static void two_senders_at_a_time(void **state)
{
    struct fake_node *e = fake_node(0x1111, 0x2222, NULL, 8, 2);
    fake_members();
    struct al_aps_send s = message(900, 1);
    al_aps_send(&c->aps, air.now, &s);
    s.src_ep = 2;
    al_aps_send(&e->aps, air.now, &s);
    fake_run(SECOND);
    assert_int_equal(d->heard_count, 2);
    assert_whole(0, 900);
    assert_whole(1, 900);
}

/* ---- Windows that differ ---- */

static void a_smaller_window_of_the_sender_is_learnt(void **state)
{
    for (unsigned w = 1; w <= 8; w++) {
        nodes(1, w, 8);
        send(17 * BLOCK, 1);
        fake_run(10 * SECOND);
        assert_whole(0, 17 * BLOCK);
        assert_int_equal(c->sent[0].status, AL_ZB_OK);
        assert_int_equal(c->aps.tx_repeats, 0);
        uint64_t start = air.now;
        send(17 * BLOCK, 2);
        fake_run(10 * SECOND);
        assert_whole(1, 17 * BLOCK);
        assert_in_range(c->sent[1].at - start, 1, 34 * FRAME_US + (w == 1 || w == 8 ? 0 : SECOND));
        fake_end();
    }
}

/* Pauses of a busy network look like a small window. */
static void a_window_that_was_learnt_wrongly_costs_no_wait(void **state)
{
    struct al_aps_config slow = {.interframe_ms = 20}; /* each block is acknowledged meanwhile */
    fake_start(1);
    c = fake_node(ZIGBEE_COORDINATOR, 0, &slow, 8, 2);
    d = fake_node(ZIGBEE_DEVICE, ZIGBEE_DEVICE_ADDR, NULL, 8, 2);
    fake_members();
    d->aps.windows[0].src = 0;
    d->aps.windows[0].window = 1;
    send(3 * BLOCK, 1);
    fake_run(SECOND);
    assert_whole(0, 3 * BLOCK);
    assert_int_equal(c->sent_count, 1);
    assert_int_equal(c->sent[0].status, AL_ZB_OK);
    assert_int_equal(c->aps.tx_repeats, 0);
    fake_end();
}

static void a_larger_window_of_the_sender_never_gives_false_success(void **state)
{
    unsigned delivered = 0;
    for (unsigned seed = 1; seed <= 40; seed++) {
        nodes(seed, 8, 1 + seed % 3);
        air.loss = 20;
        send(10 * BLOCK, 1);
        fake_run(60 * SECOND);
        assert_int_equal(c->sent_count, 1);
        if (c->sent[0].status == AL_ZB_OK) assert_whole(0, 10 * BLOCK);
        delivered += d->heard_count;
        fake_end();
    }
    assert_true(delivered > 0);
}

static void blocks_in_the_style_of_zigbee_on_host(void **state)
{
    static const uint8_t types[] = {AL_APS_FIRST, AL_APS_MIDDLE, AL_APS_LAST};
    static const size_t at[] = {0, 46, 94, 110};
    for (unsigned i = 0; i < 3; i++) {
        struct al_aps_frame f = block_frame(0, 0, 110, 5);
        f.fragment = types[i];
        f.block = (uint8_t)i;
        f.payload = asdu + at[i];
        f.payload_len = at[i + 1] - at[i];
        hear(&f);
        assert_ack(0, i, 0x01);
        if (i == 1) hear(&f);
    }
    assert_int_equal(d->heard_count, 1);
    assert_whole(0, 110);
}

/* ---- Faults ---- */

static unsigned faults(unsigned seed, unsigned window, unsigned bad, bool link_key)
{
    nodes(seed, window, window);
    air.loss = air.duplicates = air.disorder = bad;
    unsigned ok = 0;
    for (uint16_t i = 0; i < 3; i++) {
        struct al_aps_send s = message(300 + 250 * i, (uint16_t)(i + 1));
        asdu[0] = (uint8_t)i;
        s.link_key = link_key;
        assert_int_equal(al_aps_send(&c->aps, air.now, &s), 0);
    }
    fake_run(200 * SECOND);
    assert_int_equal(c->sent_count, 3);
    assert_in_range(d->heard_count, 0, 3);
    unsigned seen = 0;
    for (unsigned i = 0; i < d->heard_count; i++) {
        asdu[0] = d->heard[i].asdu[0];
        assert_false(seen >> asdu[0] & 1);
        seen |= 1u << asdu[0];
        assert_whole(i, 300u + 250u * asdu[0]);
    }
    for (unsigned i = 0; i < 3; i++) {
        if (c->sent[i].status != AL_ZB_OK) continue;
        ok++;
        assert_true(seen >> (c->sent[i].handle - 1) & 1);
    }
    fake_end();
    return ok;
}

static void once_or_no_ack_whatever_the_network_does(void **state)
{
    static const unsigned windows[] = {1, 3, 8};
    for (unsigned w = 0; w < 3; w++) {
        for (unsigned bad = 0; bad <= 30; bad += 10) {
            unsigned ok = 0;
            for (unsigned seed = 1; seed <= 10; seed++)
                ok += faults(seed, windows[w], bad, seed > 7);
            if (bad == 0) assert_int_equal(ok, 30);
            assert_in_range(ok, bad == 30 ? 12 : 24, 30);
        }
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_follow_each_other_without_a_pause),
        cmocka_unit_test(interframe_delay_is_kept),
        TEST(header_of_a_block_is_as_the_format_says),
        TEST(a_missing_block_is_named_and_sent_again_alone),
        TEST(only_the_missing_block_is_repeated),
        TEST(two_missing_bits_in_a_short_last_window),
        TEST(the_last_block_may_come_first),
        TEST(repeated_blocks_of_a_finished_message_are_acknowledged),
        TEST(first_block_of_another_message_begins_anew),
        TEST(progress_keeps_a_message_alive),
        TEST(contradictions_end_a_message),
        TEST(too_long_a_message_is_never_acknowledged),
        TEST(partial_messages_make_room_after_their_time),
        TEST(two_senders_at_a_time),
        cmocka_unit_test(a_smaller_window_of_the_sender_is_learnt),
        cmocka_unit_test(a_window_that_was_learnt_wrongly_costs_no_wait),
        cmocka_unit_test(a_larger_window_of_the_sender_never_gives_false_success),
        TEST(blocks_in_the_style_of_zigbee_on_host),
        cmocka_unit_test(once_or_no_ack_whatever_the_network_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
