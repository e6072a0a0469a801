/* Messages under link keys, and the keys and counters in the store. */
#include "tests/zigbee/aps_pair.h"

static const uint8_t unique[16] = {9, 8, 7, 6, 5, 4, 3, 2, 1};

static void secured_message_is_acknowledged_secured(void **state)
{
    al_aps_set_key(&c->aps, ZIGBEE_DEVICE, unique, AL_APS_KEY_UNIQUE);
    al_aps_set_key(&d->aps, ZIGBEE_COORDINATOR, unique, AL_APS_KEY_UNIQUE);
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "secret", 1);
    s.link_key = true;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    assert_heard(d, 0, "secret");
    assert_true(d->heard[0].ind.link_secured);
    assert_int_equal(fake_last(c, 0)->bytes[0], 0x60);
    assert_int_equal(fake_last(c, 0)->bytes[8], 0x20);
    assert_int_equal(fake_last(d, 0)->bytes[0], 0x22);
    assert_int_equal(c->sent[0].status, AL_ZB_OK);
}

static void without_a_key_of_its_own_the_default_key_counts(void **state)
{
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "default", 1);
    s.link_key = true;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    assert_heard(d, 0, "default");
    struct al_aps_link_key *k = al_aps_key(&d->aps, ZIGBEE_COORDINATOR);
    assert_non_null(k);
    assert_int_equal(k->kind, AL_APS_KEY_DEFAULT);
    assert_true(k->rx_known);
}

static void wrong_link_key_is_dropped_without_ack(void **state)
{
    al_aps_set_key(&c->aps, ZIGBEE_DEVICE, unique, AL_APS_KEY_UNIQUE);
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "secret", 1);
    s.link_key = true;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    assert_int_equal(d->heard_count, 0);
    assert_int_equal(d->frame_count, 0);
    assert_int_equal(d->aps.dropped_security, 1);
}

static void replayed_secured_frame_is_dropped(void **state)
{
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "one", 1);
    s.link_key = true;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    struct fake_frame old = *fake_last(c, 0);
    s = message(ZIGBEE_DEVICE_ADDR, "two", 2);
    s.link_key = true;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    struct fake_frame last = *fake_last(c, 0);
    unsigned acks = d->frame_count;
    fake_run(30 * SECOND); /* duplicates are forgotten */
    struct al_nwk_data_ind ind = {.src = 0,
                                  .dst = ZIGBEE_DEVICE_ADDR,
                                  .secured = true,
                                  .payload = old.bytes,
                                  .len = old.s.len};
    al_aps_nwk_data(&d->aps, air.now, &ind);
    ind.payload = last.bytes;
    ind.len = last.s.len;
    al_aps_nwk_data(&d->aps, air.now, &ind);
    assert_int_equal(d->heard_count, 2);
    assert_int_equal(d->frame_count, acks);
}

static void ack_in_clear_of_a_secured_message_does_not_count(void **state)
{
    air.filter = lose_acks;
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "secret", 1);
    s.link_key = true;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    uint8_t ack[] = {0x02, 1, 0x19, 0, 4, 1, 10, fake_last(c, 0)->bytes[7]};
    struct al_nwk_data_ind ind = {
        .src = ZIGBEE_DEVICE_ADDR, .payload = ack, .len = sizeof ack, .secured = true};
    al_aps_nwk_data(&c->aps, air.now, &ind);
    assert_int_equal(c->sent_count, 0);
}

static void last_frame_counter_is_never_taken(void **state)
{
    uint8_t bytes[AL_RADIO_MPDU_MAX];
    for (unsigned i = 0; i < 2; i++) {
        struct al_aps_frame f = {
            .type = AL_APS_DATA,
            .counter = (uint8_t)i,
            .secured = true,
            .aux = {.has_source = true, .source = ZIGBEE_COORDINATOR, .counter = UINT32_MAX - i},
            .payload = (const uint8_t *)"x",
            .payload_len = 1};
        struct al_put p = al_put(bytes, sizeof bytes);
        assert_int_equal(al_aps_seal(&f, zigbee_aes(), al_default_link_key, &p), 0);
        struct al_nwk_data_ind ind = {
            .dst = ZIGBEE_DEVICE_ADDR, .payload = bytes, .len = p.len, .secured = true};
        al_aps_nwk_data(&d->aps, air.now, &ind);
        assert_int_equal(d->heard_count, i);
    }
}

static void same_secured_bytes_again_are_acknowledged_again(void **state)
{
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "one", 1);
    s.link_key = true;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    struct fake_frame same = *fake_last(c, 0);
    struct al_nwk_data_ind ind = {.src = 0,
                                  .dst = ZIGBEE_DEVICE_ADDR,
                                  .secured = true,
                                  .payload = same.bytes,
                                  .len = same.s.len};
    al_aps_nwk_data(&d->aps, air.now, &ind);
    assert_int_equal(d->heard_count, 1);
    assert_int_equal(d->frame_count, 2);
}

static void counters_go_on_behind_the_reserve_after_a_restart(void **state)
{
    for (unsigned i = 0; i < 3; i++) {
        struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "x", 1);
        s.link_key = true;
        al_aps_send(&c->aps, air.now, &s);
        fake_run(SECOND);
    }
    uint32_t used = c->aps.tx_counter;
    struct al_aps_config config = c->aps.c;
    al_aps_init(&c->aps, &config);
    al_aps_restore(&c->aps);
    assert_int_equal(c->aps.tx_counter, 1024);
    assert_true(c->aps.tx_counter >= used);
    config = d->aps.c;
    al_aps_init(&d->aps, &config);
    al_aps_restore(&d->aps);
    assert_true(al_aps_key(&d->aps, ZIGBEE_COORDINATOR)->rx_known);
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "after", 1);
    s.link_key = true;
    al_aps_send(&c->aps, air.now, &s);
    fake_run(SECOND);
    assert_int_equal(d->heard_count, 4);
}

static void counter_that_cannot_be_kept_is_not_used(void **state)
{
    c->store_error = AL_FAIL;
    struct al_aps_send s = message(ZIGBEE_DEVICE_ADDR, "x", 1);
    s.link_key = true;
    al_aps_send(&c->aps, air.now, &s);
    assert_int_equal(c->sent_count, 0); /* not from inside the call */
    fake_run(1);
    assert_int_equal(c->frame_count, 0);
    assert_int_equal(c->sent[0].status, AL_ZB_SECURITY);
    assert_null(al_aps_set_key(&c->aps, ZIGBEE_DEVICE, unique, AL_APS_KEY_UNIQUE));
    assert_null(al_aps_key(&c->aps, ZIGBEE_DEVICE));
}

static void install_codes_outlive_the_network(void **state)
{
    al_aps_set_key(&c->aps, ZIGBEE_DEVICE, unique, AL_APS_KEY_INSTALL_CODE);
    struct al_aps_link_key *k = al_aps_set_key(&c->aps, ZIGBEE_DEVICE, unique, AL_APS_KEY_UNIQUE);
    assert_ptr_equal(al_aps_key(&c->aps, ZIGBEE_DEVICE), k);
    al_aps_forget(&c->aps);
    struct al_aps_config config = c->aps.c;
    al_aps_init(&c->aps, &config);
    al_aps_restore(&c->aps);
    k = al_aps_key(&c->aps, ZIGBEE_DEVICE);
    assert_non_null(k);
    assert_int_equal(k->kind, AL_APS_KEY_INSTALL_CODE);
    al_aps_delete_install_key(&c->aps, ZIGBEE_DEVICE);
    assert_null(al_aps_key(&c->aps, ZIGBEE_DEVICE));
}

static void data_in_clear_for_nwk_is_not_heard(void **state)
{
    const uint8_t frame[] = {0x40, 10, 0x19, 0, 4, 1, 1, 5, 'x'};
    struct al_nwk_data_ind ind = {
        .src = 0, .dst = ZIGBEE_DEVICE_ADDR, .payload = frame, .len = sizeof frame};
    al_aps_nwk_data(&d->aps, air.now, &ind);
    assert_int_equal(d->heard_count, 0);
    assert_int_equal(d->frame_count, 0);
    ind.secured = true;
    al_aps_nwk_data(&d->aps, air.now, &ind);
    assert_int_equal(d->heard_count, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, two_nodes, end)
    const struct CMUnitTest tests[] = {
        TEST(secured_message_is_acknowledged_secured),
        TEST(without_a_key_of_its_own_the_default_key_counts),
        TEST(wrong_link_key_is_dropped_without_ack),
        TEST(replayed_secured_frame_is_dropped),
        TEST(ack_in_clear_of_a_secured_message_does_not_count),
        TEST(last_frame_counter_is_never_taken),
        TEST(same_secured_bytes_again_are_acknowledged_again),
        TEST(counters_go_on_behind_the_reserve_after_a_restart),
        TEST(counter_that_cannot_be_kept_is_not_used),
        TEST(install_codes_outlive_the_network),
        TEST(data_in_clear_for_nwk_is_not_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
