/* Messages of APS over a network that loses, doubles and delays. */
#include "tests/zigbee/aps_pair.h"

static void unicast_is_delivered_once_and_confirmed(void **state)
{
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "hello", 7);
    assert_int_equal(al_aps_send(&c->aps, air.now, &s), 0);
    uint64_t start = air.now;
    fake_run(SECOND);
    assert_int_equal(d->heard_count, 1);
    assert_heard(d, 0, "hello");
    assert_int_equal(d->heard[0].ind.src, 0);
    assert_true(d->heard[0].ind.src_ext == ZIGBEE_COORDINATOR);
    assert_int_equal(d->heard[0].ind.src_ep, 1);
    assert_int_equal(d->heard[0].ind.dst_ep, 10);
    assert_int_equal(d->heard[0].ind.cluster, OTA);
    assert_false(d->heard[0].ind.broadcast);
    assert_int_equal(c->sent_count, 1);
    assert_int_equal(c->sent[0].handle, 7);
    assert_int_equal(c->sent[0].status, AL_ZB_OK);
    assert_in_range(c->sent[0].at - start, 1, 2 * FRAME_US);
    /* The acknowledgement: endpoints swapped, same counter, no ack request. */
    const struct fake_frame *ack = fake_last(d, 0);
    const uint8_t expected[] = {0x02, 1, 0x19, 0x00, 0x04, 0x01, 10, fake_last(c, 0)->bytes[7]};
    assert_int_equal(ack->s.len, sizeof expected);
    assert_memory_equal(ack->bytes, expected, sizeof expected);
}

static void without_ack_request_nothing_comes_back(void **state)
{
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "page", 7);
    s.ack = false;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    assert_heard(d, 0, "page");
    assert_int_equal(d->frame_count, 0);
    assert_int_equal(c->sent[0].status, AL_ZB_OK);
    assert_int_equal(fake_last(c, 0)->bytes[0], 0x00);
}

static void broadcast_is_not_acknowledged(void **state)
{
    struct al_aps_send s = message(AL_NWK_ALL_RX_ON, "all", 8);
    s.with_src_ext = true;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    assert_int_equal(fake_last(c, 0)->bytes[0], 0x08);
    assert_true(fake_last(c, 0)->s.with_src_ext);
    assert_heard(d, 0, "all");
    assert_true(d->heard[0].ind.broadcast);
    assert_int_equal(d->frame_count, 0);
    assert_int_equal(c->sent[0].status, AL_ZB_OK);
}

static void repetitions_keep_the_counter_and_end_after_four(void **state)
{
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "lost", 9);
    air.filter = lose_all;
    uint64_t start = air.now;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(20 * SECOND);
    assert_int_equal(c->frame_count, 4);
    for (unsigned i = 1; i < 4; i++)
        assert_memory_equal(c->frames[0].bytes, c->frames[i].bytes, c->frames[0].s.len);
    assert_int_equal(c->sent_count, 1);
    assert_int_equal(c->sent[0].status, AL_ZB_NO_ACK);
    assert_in_range(c->sent[0].at - start, 12 * SECOND, 12 * SECOND + 100 * MS);
}

static void lost_ack_is_sent_again_for_the_repetition(void **state)
{
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "once", 9);
    air.filter = lose_acks;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(4 * SECOND);
    assert_int_equal(d->frame_count, 2);
    air.filter = NULL;
    fake_run(4 * SECOND);
    assert_int_equal(d->heard_count, 1);
    assert_int_equal(d->aps.rx_duplicates, 2);
    assert_int_equal(c->sent[0].status, AL_ZB_OK);
}

static void failure_of_the_first_hop_is_repeated_at_once(void **state)
{
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "again", 9);
    air.filter = lose_all;
    al_aps_send(&c->aps, air.now, &s);
    uint16_t handle = c->frames[0].s.handle;
    fake_run(2 * MS);
    air.filter = NULL;
    for (unsigned i = 0; i < 4096; i++) {
        if (air.events[i].used && air.events[i].is_sent) air.events[i].status = AL_ZB_NO_ACK;
    }
    uint64_t start = air.now;
    fake_run(SECOND);
    assert_int_equal(d->heard_count, 1);
    assert_in_range(c->sent[0].at - start, 1, 100 * MS);
    assert_int_equal(c->frames[0].s.handle, handle);
}

static void sleepy_destination_gets_ten_seconds(void **state)
{
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "zzz", 9);
    d->poll_ms = 5000;
    air.filter = lose_acks;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(14 * SECOND);
    assert_int_equal(c->frame_count, 1);
    fake_run(3 * SECOND);
    assert_int_equal(c->frame_count, 2);
    assert_int_equal(d->heard_count, 1);
}

static void child_that_never_polls_is_reported_as_expired(void **state)
{
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "zzz", 9);
    d->poll_ms = 5000;
    d->deaf = true;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(40 * SECOND);
    assert_int_equal(c->frame_count, 4);
    assert_int_equal(c->sent[0].status, AL_ZB_EXPIRED);
}

static void ack_of_another_format_counts_by_source_and_counter(void **state)
{
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "x", 9);
    air.filter = lose_acks;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    uint8_t ack[] = {0x02, 0, 0, 0, 0, 0, 0, (uint8_t)(fake_last(c, 0)->bytes[7] + 1u)};
    struct al_nwk_data_ind ind = {
        .src = ZIGBEE_DEVICE_ADDR, .payload = ack, .len = sizeof ack, .secured = true};
    al_aps_nwk_data(&c->aps, air.now, &ind);
    assert_int_equal(c->sent_count, 0);
    ack[7]--;
    ind.src++;
    al_aps_nwk_data(&c->aps, air.now, &ind);
    assert_int_equal(c->sent_count, 0);
    ind.src--;
    al_aps_nwk_data(&c->aps, air.now, &ind);
    assert_int_equal(c->sent_count, 1);
    assert_int_equal(c->sent[0].status, AL_ZB_OK);
}

static void ack_before_the_message_was_sent_is_of_an_older_one(void **state)
{
    c->queue_max = 0;
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "x", 9);
    al_aps_send(&c->aps, air.now, &s);
    uint8_t ack[] = {0x02, 1, 0x19, 0, 4, 1, 10, c->aps.c.tx[0].counter};
    struct al_nwk_data_ind ind = {
        .src = ZIGBEE_DEVICE_ADDR, .payload = ack, .len = sizeof ack, .secured = true};
    al_aps_nwk_data(&c->aps, air.now, &ind);
    assert_int_equal(c->sent_count, 0);
}

static void sleepy_child_has_two_frames_under_way(void **state)
{
    d->poll_ms = 1000;
    for (uint16_t i = 1; i <= 8; i++) {
        struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "zzz", i);
        al_aps_send(&c->aps, air.now, &s);
    }
    assert_int_equal(c->frame_count, 2);
    fake_run(20 * SECOND);
    assert_int_equal(d->heard_count, 8);
}

static void full_queue_of_nwk_is_no_error(void **state)
{
    c->queue_max = 0;
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "wait", 9);
    assert_int_equal(al_aps_send(&c->aps, air.now, &s), 0);
    fake_run(SECOND);
    assert_int_equal(c->sent_count, 0);
    c->queue_max = 1;
    fake_run(SECOND);
    assert_int_equal(c->sent[0].status, AL_ZB_OK);
    assert_int_equal(c->aps.tx_repeats, 0);
}

static void acks_find_room_too(void **state)
{
    d->queue_max = 0;
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "wait", 9);
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    d->queue_max = 1;
    fake_run(100 * MS);
    assert_int_equal(c->sent_count, 1);
    assert_int_equal(c->aps.tx_repeats, 0);
}

static void messages_to_one_destination_keep_their_order(void **state)
{
    char text[2] = "a";
    for (unsigned i = 0; i < 15; i++, text[0]++) {
        struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, text, (uint16_t)(i + 1));
        assert_int_equal(al_aps_send(&c->aps, air.now, &s), 0);
    }
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "full", 99);
    assert_int_equal(al_aps_send(&c->aps, air.now, &s), AL_ERR_NO_MEM);
    /* The last place is for a command. */
    struct al_aps_command cmd = {.id = AL_APS_SWITCH_KEY};
    struct al_aps_send_command command = {
        .dst = ZIGBEE_DEVICE_ADDR, .command = &cmd, .key_id = AL_APS_KEY_NONE};
    assert_int_equal(al_aps_send_command(&c->aps, air.now, &command), 0);
    assert_int_equal(al_aps_send_command(&c->aps, air.now, &command), AL_ERR_NO_MEM);
    fake_run(SECOND);
    assert_int_equal(d->heard_count, 15);
    for (unsigned i = 0; i < 15; i++) assert_int_equal(d->heard[i].asdu[0], 'a' + i);
}

static void acks_do_not_wait_behind_data(void **state)
{
    for (unsigned i = 0; i < 12; i++) {
        struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "queue", (uint16_t)(i + 1));
        al_aps_send(&c->aps, air.now, &s);
    }
    struct al_aps_send s = message(0, "urgent", 1);
    al_aps_send(&d->aps, air.now, &s);
    uint64_t start = air.now;
    fake_run(SECOND);
    assert_in_range(d->sent[0].at - start, 1, 12 * FRAME_US);
}

static void counter_that_came_round_is_another_message(void **state)
{
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "one", 1);
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    c->aps.counter--;
    s = message(ZIGBEE_DEVICE_ADDR, "two", 2);
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    c->aps.counter--;
    al_aps_send(&c->aps, air.now, &s); /* a true repetition */
    fake_run(SECOND);
    assert_int_equal(d->heard_count, 2);
    assert_heard(d, 1, "two");
    assert_int_equal(c->sent_count, 3);
}

static void fast_unacknowledged_traffic_does_not_displace_the_memory(void **state)
{
    d->aps.c.duplicate_count = 4;
    air.filter = lose_acks;
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "once", 1);
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    for (unsigned i = 0; i < 20; i++) {
        s = message(ZIGBEE_DEVICE_ADDR, "page", 2);
        s.ack = false;
        al_aps_send(&c->aps, air.now, &s);
        fake_run(10 * MS);
    }
    fake_run(10 * SECOND);
    assert_int_equal(c->aps.tx_repeats, 3);
    assert_int_equal(d->heard_count, 21);
}

static void counters_under_way_are_not_used_twice(void **state)
{
    air.filter = lose_acks;
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "same", 1);
    al_aps_send(&c->aps, air.now, &s);
    c->aps.counter--;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(100 * MS);
    assert_int_equal(c->frames[0].bytes[7] + 1, c->frames[1].bytes[7]);
}

static void too_long_is_refused(void **state)
{
    char text[AL_APS_ASDU_MAX + 2];
    memset(text, 'x', sizeof text);
    text[82] = 0;
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, text, 1);
    assert_int_equal(al_aps_room(&c->aps, ZIGBEE_DEVICE_ADDR, false), 82);
    assert_int_equal(al_aps_room(&c->aps, ZIGBEE_DEVICE_ADDR, true), 65);
    assert_int_equal(al_aps_send(&c->aps, air.now, &s), 0);
    s.len = 83;
    assert_int_equal(al_aps_send(&c->aps, air.now, &s), AL_ERR_INVALID_SIZE);
    s.fragment = true;
    s.len = AL_APS_ASDU_MAX + 1;
    assert_int_equal(al_aps_send(&c->aps, air.now, &s), AL_ERR_INVALID_SIZE);
    s.dst = AL_NWK_ALL;
    s.len = 83;
    assert_int_equal(al_aps_send(&c->aps, air.now, &s), AL_ERR_INVALID_SIZE);
}

static void cancel_and_stop_tell_each_message(void **state)
{
    air.filter = lose_all;
    for (uint16_t i = 1; i <= 3; i++) {
        struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "x", i);
        al_aps_send(&c->aps, air.now, &s);
    }
    fake_run(SECOND);
    al_aps_cancel(&c->aps, air.now, 2);
    assert_int_equal(c->sent_count, 1);
    assert_int_equal(c->sent[0].handle, 2);
    assert_int_equal(c->sent[0].status, AL_ZB_EXPIRED);
    al_aps_stop(&c->aps, air.now, AL_ZB_NOT_THERE);
    assert_int_equal(c->sent_count, 3);
    assert_int_equal(c->sent[2].status, AL_ZB_NOT_THERE);
    assert_true(al_aps_next(&c->aps) == UINT64_MAX);
    fake_run(20 * SECOND);
    assert_int_equal(c->sent_count, 3);
}

/* Every message arrives once and is confirmed, or arrives at most once and is not. */
static void exchange(unsigned seed, unsigned bad)
{
    fake_start(seed);
    c = fake_node(ZIGBEE_COORDINATOR, 0, NULL, 16, 4);
    d = fake_node(ZIGBEE_DEVICE, ZIGBEE_DEVICE_ADDR, NULL, 16, 4);
    fake_members();
    air.loss = air.duplicates = air.disorder = bad;
    unsigned heard[40] = {0}, ok[40] = {0}, told[40] = {0};
    for (unsigned i = 0; i < 40; i++) {
        uint8_t number = (uint8_t)i;
        struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "", (uint16_t)(i + 1));
        s.asdu = &number;
        s.len = 1;
        while (al_aps_send(&c->aps, air.now, &s)) fake_run(50 * MS);
        fake_run(fake_random(NULL) % 20 * MS);
    }
    fake_run(60 * SECOND);
    for (unsigned i = 0; i < d->heard_count; i++) heard[d->heard[i].asdu[0]]++;
    for (unsigned i = 0; i < c->sent_count; i++) {
        told[c->sent[i].handle - 1]++;
        ok[c->sent[i].handle - 1] += c->sent[i].status == AL_ZB_OK;
    }
    unsigned good = 0;
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(told[i], 1);
        assert_in_range(heard[i], 0, 1);
        if (ok[i]) assert_int_equal(heard[i], 1);
        good += ok[i];
    }
    if (!bad) assert_int_equal(good, 40);
    assert_in_range(good, 36, 40);
    fake_end();
}

static void loss_and_disorder_never_double_or_hide_a_message(void **state)
{
    for (unsigned seed = 1; seed <= 10; seed++) {
        for (unsigned bad = 0; bad <= 30; bad += 10) exchange(seed, bad);
    }
}

static void two_hundred_destinations_take_turns(void **state)
{
    enum { CLIENTS = 200 };
    fake_start(5);
    c = fake_node(ZIGBEE_COORDINATOR, 0, NULL, 4 * CLIENTS, 2);
    for (unsigned i = 0; i < CLIENTS; i++)
        fake_node(ZIGBEE_DEVICE + i, (uint16_t)(0x1000 + i), NULL, 1, 1);
    fake_members();
    /* The first client has its three messages first: the others do not wait for them. */
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < CLIENTS; i++) {
            struct al_aps_send s = message((uint16_t)(0x1000 + i), "block", 1);
            assert_int_equal(al_aps_send(&c->aps, air.now, &s), 0);
        }
    }
    uint64_t start = air.now;
    fake_run((uint64_t)CLIENTS * 2 * FRAME_US + 50 * MS);
    for (unsigned i = 0; i < CLIENTS; i++) assert_in_range(air.nodes[1 + i]->heard_count, 1, 2);
    fake_run((uint64_t)CLIENTS * 4 * FRAME_US);
    assert_int_equal(c->sent_count, 3 * CLIENTS);
    /* The air was never idle: a frame and its acknowledgement each. */
    uint64_t last = c->sent[(c->sent_count - 1) % FAKE_LOG].at - start;
    assert_in_range(last, 6 * CLIENTS * FRAME_US, 6 * CLIENTS * FRAME_US + 100 * MS);
    fake_end();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, two_nodes, end)
    const struct CMUnitTest tests[] = {
        TEST(unicast_is_delivered_once_and_confirmed),
        TEST(without_ack_request_nothing_comes_back),
        TEST(broadcast_is_not_acknowledged),
        TEST(repetitions_keep_the_counter_and_end_after_four),
        TEST(lost_ack_is_sent_again_for_the_repetition),
        TEST(failure_of_the_first_hop_is_repeated_at_once),
        TEST(sleepy_destination_gets_ten_seconds),
        TEST(child_that_never_polls_is_reported_as_expired),
        TEST(ack_of_another_format_counts_by_source_and_counter),
        TEST(ack_before_the_message_was_sent_is_of_an_older_one),
        TEST(sleepy_child_has_two_frames_under_way),
        TEST(full_queue_of_nwk_is_no_error),
        TEST(acks_find_room_too),
        TEST(messages_to_one_destination_keep_their_order),
        TEST(acks_do_not_wait_behind_data),
        TEST(counter_that_came_round_is_another_message),
        TEST(fast_unacknowledged_traffic_does_not_displace_the_memory),
        TEST(counters_under_way_are_not_used_twice),
        TEST(too_long_is_refused),
        TEST(cancel_and_stop_tell_each_message),
        cmocka_unit_test(loss_and_disorder_never_double_or_hide_a_message),
        cmocka_unit_test(two_hundred_destinations_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
