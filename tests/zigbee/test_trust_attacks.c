/* What others may try with the commands of trust. */
#include "tests/zigbee/trust_trio.h"

static const uint8_t other_key[16] = {1, 2, 3};

static bool from_c_lost(const struct fake_node *from, const struct fake_frame *f)
{
    return from != c;
}

/* ---- Attacks ---- */

static struct fake_frame transport_frame(uint64_t dst, uint64_t src, const uint8_t *link_key)
{
    struct al_aps_command cmd = {
        .id = AL_APS_TRANSPORT_KEY,
        .transport_key = {.type = AL_KEY_TYPE_NETWORK, .dst = dst, .src = src, .key_seq = 7}};
    memcpy(cmd.transport_key.key, other_key, 16);
    if (link_key) al_aps_set_key(&r->aps, JOINER, link_key, AL_APS_KEY_UNIQUE);
    struct al_aps_send_command s = {
        .dst = JOINER_ADDR, .dst_ext = JOINER, .command = &cmd, .key_id = AL_SEC_KEY_TRANSPORT};
    struct fake_frame f = {0};
    int n = al_aps_build_command(&r->aps, air.now, &s, f.bytes, sizeof f.bytes);
    assert_true(n > 0);
    f.s.len = (size_t)n;
    return f;
}

static void keys_of_others_are_not_believed(void **state)
{
    al_trust_await_key(&j->trust, air.now);
    struct fake_frame f = transport_frame(JOINER, ZIGBEE_COORDINATOR, NULL); /* sealed by ROUTER */
    hear(j, &f, ROUTER_ADDR, false);
    f = transport_frame(ROUTER, ROUTER, NULL); /* for another device */
    hear(j, &f, ROUTER_ADDR, false);
    f = transport_frame(JOINER, ROUTER, other_key); /* under an unknown key */
    hear(j, &f, ROUTER_ADDR, false);
    assert_int_equal(j->network_key, -1);
    assert_null(al_nwk_active_key(&j->nwk));
    fake_run(6 * SECOND);
    assert_int_equal(j->network_key, AL_ZB_SECURITY);
}

static void member_takes_no_network_key_in_clear_or_from_others(void **state)
{
    join(c);
    struct fake_frame f = transport_frame(JOINER, ROUTER, NULL);
    hear(j, &f, ROUTER_ADDR, false);
    hear(j, &f, ROUTER_ADDR, true);
    f = transport_frame(JOINER, ZIGBEE_COORDINATOR, NULL);
    hear(j, &f, 0, false);
    hear(j, &f, 0, true);
    assert_true(has_network_key(j));
    assert_false(j->nwk.keys[1].valid);
}

static void replayed_transport_key_is_not_taken_again(void **state)
{
    come(c, false, false);
    struct fake_frame old = *fake_last(c, 0);
    fake_run(SECOND);
    assert_int_equal(j->network_key, AL_ZB_OK);
    exchange_keys();
    fake_run(30 * SECOND);
    /* A rejoin without network key; somebody plays the recorded key. */
    j->network_key = -1;
    al_trust_await_key(&j->trust, air.now);
    hear(j, &old, 0, false);
    assert_int_equal(j->network_key, -1);
    fake_run(6 * SECOND);
    assert_int_equal(j->network_key, AL_ZB_SECURITY);
}

static void link_keys_must_come_protected_and_asked_for(void **state)
{
    join(c);
    struct al_aps_command cmd = {
        .id = AL_APS_TRANSPORT_KEY,
        .transport_key = {.type = AL_KEY_TYPE_TC_LINK, .dst = JOINER, .src = ZIGBEE_COORDINATOR}};
    struct al_aps_send_command s = {
        .dst = JOINER_ADDR, .dst_ext = JOINER, .command = &cmd, .key_id = AL_SEC_KEY_LOAD};
    al_aps_send_command(&c->aps, air.now, &s);
    fake_run(SECOND);
    assert_false(al_aps_key(&j->aps, ZIGBEE_COORDINATOR)->has_fresh); /* not asked for */
    assert_int_equal(j->exchanged, -1);
    air.filter = from_c_lost;
    al_trust_exchange_key(&j->trust, air.now, false);
    fake_run(100 * MS);
    air.filter = NULL;
    s.key_id = AL_APS_KEY_NONE;
    al_aps_send_command(&c->aps, air.now, &s);
    s.key_id = AL_SEC_KEY_LINK;
    al_aps_send_command(&c->aps, air.now, &s);
    fake_run(SECOND);
    assert_int_equal(j->trust.state, AL_TRUST_WAIT_LINK_KEY);
    s.key_id = AL_SEC_KEY_LOAD;
    al_aps_send_command(&c->aps, air.now, &s);
    fake_run(100 * MS);
    assert_int_equal(j->exchanged, AL_ZB_SECURITY); /* it went on; c gave another key */
}

static bool verify_lost(const struct fake_node *from, const struct fake_frame *f)
{
    return from != j || f->s.len != 28;
}

static void confirmation_under_the_old_key_proves_nothing(void **state)
{
    join(c);
    air.filter = verify_lost;
    al_trust_exchange_key(&j->trust, air.now, false);
    fake_run(SECOND);
    assert_int_equal(j->trust.state, AL_TRUST_WAIT_CONFIRM);
    struct al_aps_command cmd = {.id = AL_APS_CONFIRM_KEY,
                                 .confirm_key = {.type = AL_KEY_TYPE_TC_LINK, .dst = JOINER}};
    struct al_aps_send_command s = {
        .dst = JOINER_ADDR, .dst_ext = JOINER, .command = &cmd, .key_id = AL_SEC_KEY_LINK};
    al_aps_send_command(&c->aps, air.now, &s);
    fake_run(SECOND);
    assert_int_equal(j->exchanged, -1);
    assert_false(al_aps_key(&j->aps, ZIGBEE_COORDINATOR)->verified);
    s.fresh_key = true;
    al_aps_send_command(&c->aps, air.now, &s);
    fake_run(SECOND);
    assert_int_equal(j->exchanged, AL_ZB_OK);
}

static void request_without_link_key_is_not_answered(void **state)
{
    struct al_aps_command cmd = {.id = AL_APS_REQUEST_KEY, .request_key.type = AL_KEY_TYPE_TC_LINK};
    struct al_aps_send_command s = {
        .dst = 0, .dst_ext = ZIGBEE_COORDINATOR, .command = &cmd, .key_id = AL_APS_KEY_NONE};
    al_aps_send_command(&r->aps, air.now, &s);
    s.key_id = AL_SEC_KEY_LOAD;
    al_aps_send_command(&r->aps, air.now, &s);
    fake_run(SECOND);
    assert_int_equal(c->frame_count, 0);
}

static void commands_of_strangers_do_nothing(void **state)
{
    static const struct al_aps_command commands[] = {
        {.id = AL_APS_REMOVE_DEVICE, .remove_device.target = JOINER},
        {.id = AL_APS_SWITCH_KEY, .switch_key.key_seq = 9},
        {.id = AL_APS_TUNNEL, .tunnel = {.dst = JOINER, .frame = other_key, .len = 16}},
        {.id = AL_APS_CONFIRM_KEY, .confirm_key = {.type = AL_KEY_TYPE_TC_LINK, .dst = JOINER}},
    };
    join(c);
    al_nwk_set_key(&j->nwk, air.now, other_key, 9);
    make_child(j);
    for (unsigned i = 0; i < 4; i++) {
        struct al_aps_send_command s = {
            .dst = JOINER_ADDR, .command = &commands[i], .key_id = AL_APS_KEY_NONE};
        al_aps_send_command(&r->aps, air.now, &s);
    }
    fake_run(SECOND);
    assert_int_equal(j->removed, 0);
    assert_int_equal(al_nwk_active_key(&j->nwk)->seq, 0);
    assert_int_equal(j->frame_count, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, end)
    const struct CMUnitTest tests[] = {
        TEST(keys_of_others_are_not_believed),
        TEST(member_takes_no_network_key_in_clear_or_from_others),
        TEST(replayed_transport_key_is_not_taken_again),
        TEST(link_keys_must_come_protected_and_asked_for),
        TEST(confirmation_under_the_old_key_proves_nothing),
        TEST(request_without_link_key_is_not_answered),
        TEST(commands_of_strangers_do_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
