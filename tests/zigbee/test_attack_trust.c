/* What a member, or somebody who joins in another's name, may try with keys. */
#include "tests/zigbee/trust_trio.h"

static void nobody_gets_an_application_key_under_the_default_key(void **state)
{
    join(c);
    al_nwk_learn(&c->nwk, air.now, JOINER_ADDR, JOINER);
    struct al_aps_command cmd = {
        .id = AL_APS_REQUEST_KEY,
        .request_key = {.type = AL_KEY_TYPE_REQUEST_APP, .partner = ROUTER}};
    struct al_aps_send_command s = {
        .dst = 0, .dst_ext = ZIGBEE_COORDINATOR, .command = &cmd, .key_id = AL_SEC_KEY_LINK};
    al_aps_send_command(&j->aps, air.now, &s);
    fake_run(SECOND);
    assert_null(al_aps_key(&j->aps, ROUTER));
    assert_null(al_aps_key(&r->aps, JOINER));
    /* The one who asks has its own key by now, the other has not. */
    exchange_keys();
    al_aps_send_command(&j->aps, air.now, &s);
    fake_run(SECOND);
    assert_null(al_aps_key(&j->aps, ROUTER));
}

static void joining_in_a_members_name_costs_it_no_key(void **state)
{
    join(c);
    exchange_keys();
    uint8_t key[16];
    memcpy(key, al_aps_key(&c->aps, JOINER)->key, 16);
    al_trust_child(&c->trust, air.now, make_child(c), false, false); /* not by the joiner */
    fake_run(SECOND);
    assert_non_null(al_aps_key(&c->aps, JOINER));
    assert_memory_equal(al_aps_key(&c->aps, JOINER)->key, key, 16);
    /* Its next frame shows that it has not forgotten. */
    static const uint8_t asdu[] = "x";
    struct al_aps_send s = {.dst = 0,
                            .dst_ep = 1,
                            .src_ep = 1,
                            .profile = 0x0104,
                            .asdu = asdu,
                            .len = 2,
                            .link_key = true};
    assert_int_equal(al_aps_send(&j->aps, air.now, &s), 0);
    fake_run(SECOND);
    assert_int_equal(c->heard_count, 1);
    assert_true(c->heard[0].ind.link_secured);
    /* And without such a frame it comes back by its own key. */
    al_trust_child(&c->trust, air.now, make_child(c), false, false);
    fake_run(SECOND);
    j->network_key = -1;
    come(c, true, false);
    fake_run(SECOND);
    assert_int_equal(j->network_key, AL_ZB_OK);
}

static void a_flood_of_names_leaves_room_for_keys(void **state)
{
    struct al_aps_command cmd = {.id = AL_APS_REQUEST_KEY,
                                 .request_key = {.type = AL_KEY_TYPE_REQUEST_APP, .partner = 1}};
    struct al_aps_send_command s = {
        .dst = 0, .dst_ext = ZIGBEE_COORDINATOR, .command = &cmd, .key_id = AL_SEC_KEY_LINK};
    for (unsigned i = 0; i < 4 * FAKE_KEYS; i++) {
        struct fake_frame f = {0};
        r->nwk.ext = 0x6600 + i;
        int n = al_aps_build_command(&r->aps, air.now, &s, f.bytes, sizeof f.bytes);
        assert_true(n > 0);
        f.s.len = (size_t)n;
        hear(c, &f, (uint16_t)(0x6000 + i), true);
    }
    r->nwk.ext = ROUTER;
    join(c);
    exchange_keys();
    assert_true(al_aps_key(&c->aps, JOINER)->verified);
}

static void who_was_shut_out_gives_no_orders(void **state)
{
    static const uint8_t other_key[16] = {1, 2, 3};
    static const struct al_aps_command commands[] = {
        {.id = AL_APS_SWITCH_KEY, .switch_key.key_seq = 9},
        {.id = AL_APS_REMOVE_DEVICE, .remove_device.target = JOINER},
        {.id = AL_APS_TRANSPORT_KEY,
         .transport_key = {.type = AL_KEY_TYPE_NETWORK, .src = ZIGBEE_COORDINATOR, .key_seq = 10}},
    };
    join(c);
    al_nwk_set_key(&j->nwk, air.now, other_key, 9);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t frame[AL_RADIO_MPDU_MAX];
        struct al_aps_send_command s = {
            .dst = AL_NWK_ALL, .command = &commands[i], .key_id = AL_APS_KEY_NONE};
        int n = al_aps_build_command(&c->aps, air.now, &s, frame, sizeof frame);
        assert_true(n > 0);
        struct al_nwk_data_ind ind = {.dst = AL_NWK_ALL,
                                      .secured = true,
                                      .old_key = true,
                                      .payload = frame,
                                      .len = (size_t)n};
        al_aps_nwk_data(&j->aps, air.now, &ind);
    }
    assert_int_equal(al_nwk_active_key(&j->nwk)->seq, 0);
    assert_int_equal(j->nwk.keys[1].seq, 9);
    assert_int_equal(j->removed, 0);
}

static void the_key_changes_long_before_its_counter_ends(void **state)
{
    c->nwk.up = true;
    join(c);
    c->nwk.counter = 0xf0000000u;
    al_trust_run(&c->trust, air.now);
    assert_int_equal(c->trust.change.state, 0);
    c->nwk.counter++;
    for (unsigned i = 0; i < 300; i++) {
        al_trust_run(&c->trust, air.now);
        c->nwk.counter = 0; /* as NWK does it */
        fake_run(100 * MS);
    }
    assert_int_equal(al_nwk_active_key(&j->nwk)->seq, 1);
    assert_memory_equal(al_nwk_active_key(&j->nwk)->key, al_nwk_active_key(&c->nwk)->key, 16);
}

static void a_rejoin_that_is_refused_sends_no_member_away(void **state)
{
    join(r); /* with nothing but the default key */
    fake_run(10 * SECOND);
    struct al_nwk_neighbour *child = al_nwk_neighbour_ext(&r->nwk, JOINER);
    assert_int_equal(child->relation, AL_NWK_CHILD);
    /* Somebody asks in its name; it is heard itself before the answer of the trust centre. */
    al_trust_child(&r->trust, air.now, child, true, false);
    fake_run(SECOND);
    assert_int_equal(c->update.value, AL_UPDATE_TC_REJOIN);
    assert_int_equal(c->authorised.value, AL_ZB_DENIED);
    assert_int_equal(r->told_to_leave, 0);
}

static void late_word_of_an_old_parent_costs_no_child(void **state)
{
    join(c);
    unsigned updates = c->updates;
    al_trust_child_left(&r->trust, air.now, JOINER, JOINER_ADDR); /* the address is the same */
    fake_run(SECOND);
    assert_int_equal(c->updates, updates);
    assert_int_equal(al_nwk_neighbour_ext(&c->nwk, JOINER)->relation, AL_NWK_CHILD);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, end)
    const struct CMUnitTest tests[] = {
        TEST(nobody_gets_an_application_key_under_the_default_key),
        TEST(joining_in_a_members_name_costs_it_no_key),
        TEST(a_flood_of_names_leaves_room_for_keys),
        TEST(who_was_shut_out_gives_no_orders),
        TEST(the_key_changes_long_before_its_counter_ends),
        TEST(a_rejoin_that_is_refused_sends_no_member_away),
        TEST(late_word_of_an_old_parent_costs_no_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
