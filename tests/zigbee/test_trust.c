/* Devices that come in, with and without install codes, and those that do not. */
#include "tests/zigbee/trust_trio.h"

static const uint8_t code_key[16] = {0x66, 0xb6, 0x90, 0x09, 0x81, 0xe1, 0xee, 0x3c,
                                     0xa4, 0x20, 0x6b, 0x6b, 0x86, 0x1c, 0x02, 0xbb};

/* ---- Coming in ---- */

static void child_of_the_coordinator_joins_and_gets_its_own_link_key(void **state)
{
    join(c);
    assert_true(has_network_key(j));
    assert_true(j->trust.centre == ZIGBEE_COORDINATOR);
    assert_int_equal(c->update.value, AL_UPDATE_UNSECURED_JOIN);
    assert_int_equal(c->update.parent, AL_NWK_COORDINATOR);
    assert_int_equal(c->authorised.value, AL_ZB_OK);
    assert_true(c->authenticated);
    exchange_keys();
    struct al_aps_link_key *at_c = al_aps_key(&c->aps, JOINER);
    struct al_aps_link_key *at_j = al_aps_key(&j->aps, ZIGBEE_COORDINATOR);
    assert_int_equal(at_c->kind, AL_APS_KEY_UNIQUE);
    assert_true(at_c->verified && at_j->verified);
    assert_memory_equal(at_c->key, at_j->key, 16);
    assert_memory_not_equal(at_c->key, al_default_link_key, 16);
    assert_int_equal(c->proved, 1);
    assert_true(c->proved_ext == JOINER);
    assert_int_equal(j->frame_count, 2); /* Request-Key, Verify-Key */
}

static void sleepy_child_fetches_the_key_at_its_polls(void **state)
{
    j->poll_ms = 200;
    j->nwk.c.rx_off = true;
    join(c);
    assert_true(j->nwk.fast_until > 0);
    al_trust_exchange_key(&j->trust, air.now, false);
    fake_run(2 * SECOND);
    assert_int_equal(j->exchanged, AL_ZB_OK);
}

static void child_of_a_router_gets_the_key_through_a_tunnel(void **state)
{
    join(r);
    assert_int_equal(c->updates, 1);
    assert_int_equal(c->update.addr, JOINER_ADDR);
    assert_int_equal(c->update.parent, ROUTER_ADDR);
    assert_int_equal(c->authorised.value, AL_ZB_OK);
    assert_true(r->authenticated);
    assert_int_equal(al_nwk_addr_of(&c->nwk, JOINER), JOINER_ADDR);
    assert_true(fake_last(r, 0)->s.unsecured);
    assert_true(fake_last(r, 0)->s.dst_ext == JOINER);
    exchange_keys();
}

static void parent_that_tells_twice_causes_one_key(void **state)
{
    for (unsigned i = 0; i < 2; i++) {
        c->trust.c.require_exchange = i;
        c->updates = c->frame_count = 0;
        come(r, false, false);
        fake_run(50 * MS);
        al_trust_child(&r->trust, air.now, &r->nwk.c.neighbours[0], false, false);
        fake_run(SECOND);
        assert_int_equal(c->updates, 1);
        assert_int_equal(c->frame_count, 1);
        fake_run(5 * SECOND);
    }
    come(r, false, false); /* the device itself comes again */
    fake_run(SECOND);
    assert_int_equal(c->updates, 2);
}

static void secured_rejoin_needs_no_key(void **state)
{
    join(c);
    exchange_keys();
    unsigned frames = c->frame_count;
    come(r, true, true);
    fake_run(SECOND);
    assert_int_equal(c->update.value, AL_UPDATE_SECURED_REJOIN);
    assert_int_equal(c->authorised.value, AL_ZB_OK);
    assert_int_equal(c->frame_count, frames);
    assert_true(al_aps_key(&c->aps, JOINER)->verified);
}

static void rejoin_without_network_key_needs_a_proved_link_key(void **state)
{
    join(c);
    /* It has only the key that everybody knows. */
    j->network_key = -1;
    come(c, true, false);
    fake_run(6 * SECOND);
    assert_int_equal(c->authorised.value, AL_ZB_DENIED);
    assert_true(c->refused);
    assert_int_equal(j->network_key, AL_ZB_TIMEOUT);
    c->open = true; /* as good as a join */
    come(c, true, false);
    fake_run(SECOND);
    assert_int_equal(j->network_key, AL_ZB_OK);
    c->open = false;
    exchange_keys();
    j->network_key = -1;
    come(c, true, false);
    fake_run(SECOND);
    assert_int_equal(j->network_key, AL_ZB_OK);
    come(r, true, false);
    fake_run(SECOND);
    assert_int_equal(c->update.value, AL_UPDATE_TC_REJOIN);
    assert_int_equal(c->authorised.value, AL_ZB_OK);
}

static void joining_again_begins_with_the_default_key(void **state)
{
    join(c);
    exchange_keys();
    al_aps_forget(&j->aps);
    al_trust_forget(&j->trust);
    memset(j->nwk.keys, 0, sizeof j->nwk.keys);
    j->network_key = j->exchanged = -1;
    join(c);
    exchange_keys();
}

static void old_trust_centre_has_no_exchange(void **state)
{
    join(c);
    unsigned frames = j->frame_count;
    al_trust_exchange_key(&j->trust, air.now, true);
    assert_int_equal(j->exchanged, AL_ZB_OK);
    assert_int_equal(j->frame_count, frames);
}

static void lost_key_is_given_again(void **state)
{
    j->deaf = true;
    j->poll_ms = 200; /* expires */
    come(c, false, false);
    fake_run(7 * SECOND);
    j->deaf = false;
    al_trust_await_key(&j->trust, air.now);
    fake_run(2 * SECOND);
    assert_int_equal(j->network_key, AL_ZB_OK);
    assert_int_equal(c->authorisations, 1);
}

static void key_that_nobody_takes_ends_the_admission(void **state)
{
    j->deaf = true;
    j->poll_ms = 200;
    come(c, false, false);
    fake_run(30 * SECOND);
    assert_int_equal(c->authorised.value, AL_ZB_EXPIRED);
    assert_true(c->refused);
    assert_int_equal(j->network_key, AL_ZB_TIMEOUT);
    assert_true(al_trust_next(&c->trust) == UINT64_MAX);
}

static void full_table_of_admissions_still_lets_in(void **state)
{
    for (unsigned i = 0; i < 4; i++)
        c->devices[i] = (struct al_trust_device){
            .ext = i + 1, .state = AL_TRUST_IDLE, .deadline = UINT64_MAX, .addr = 1};
    join(c);
    assert_int_equal(c->authorised.value, AL_ZB_OK);
    assert_true(c->authenticated);
}

/* ---- Install codes ---- */

static void install_code_is_tried_before_the_default_key(void **state)
{
    al_trust_add_install_key(&c->trust, JOINER, code_key);
    al_trust_add_install_key(&j->trust, AL_APS_ANY_PARTNER, code_key);
    join(c);
    exchange_keys();
    struct al_aps_link_key *k = al_aps_key(&c->aps, JOINER);
    assert_int_equal(k->kind, AL_APS_KEY_UNIQUE);
    assert_memory_equal(al_aps_install_key(&c->aps, JOINER)->key, code_key, 16);
    assert_memory_equal(al_aps_install_key(&j->aps, AL_APS_ANY_PARTNER)->key, code_key, 16);
    assert_false(al_aps_install_key(&c->aps, JOINER)->has_fresh);
}

static void joiner_with_a_code_takes_the_default_key_too(void **state)
{
    al_trust_add_install_key(&j->trust, AL_APS_ANY_PARTNER, code_key);
    join(c);
    exchange_keys();
}

static void wrong_install_code_ends_as_security(void **state)
{
    al_trust_add_install_key(&c->trust, JOINER, code_key);
    come(c, false, false);
    fake_run(6 * SECOND);
    assert_int_equal(j->network_key, AL_ZB_SECURITY);
    assert_false(has_network_key(j));
}

static void without_a_code_nobody_comes_in_where_it_is_required(void **state)
{
    c->trust.c.install_codes_only = true;
    come(c, false, false);
    fake_run(6 * SECOND);
    assert_int_equal(c->authorised.value, AL_ZB_DENIED);
    assert_true(c->refused);
    assert_int_equal(c->frame_count, 0);
    assert_int_equal(j->network_key, AL_ZB_TIMEOUT);
    /* Of a router's child the router is told. */
    come(r, false, false);
    fake_run(SECOND);
    assert_true(r->refused);
    assert_int_equal(c->authorised.value, AL_ZB_DENIED);
    al_trust_add_install_key(&c->trust, JOINER, code_key);
    al_trust_add_install_key(&j->trust, AL_APS_ANY_PARTNER, code_key);
    join(c);
    exchange_keys();
}

static void application_may_refuse(void **state)
{
    c->refuse_ext = JOINER;
    come(c, false, false);
    fake_run(SECOND);
    assert_int_equal(c->authorised.value, AL_ZB_DENIED);
    assert_true(c->refused);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, end)
    const struct CMUnitTest tests[] = {
        TEST(child_of_the_coordinator_joins_and_gets_its_own_link_key),
        TEST(sleepy_child_fetches_the_key_at_its_polls),
        TEST(child_of_a_router_gets_the_key_through_a_tunnel),
        TEST(parent_that_tells_twice_causes_one_key),
        TEST(secured_rejoin_needs_no_key),
        TEST(rejoin_without_network_key_needs_a_proved_link_key),
        TEST(joining_again_begins_with_the_default_key),
        TEST(old_trust_centre_has_no_exchange),
        TEST(lost_key_is_given_again),
        TEST(key_that_nobody_takes_ends_the_admission),
        TEST(full_table_of_admissions_still_lets_in),
        TEST(install_code_is_tried_before_the_default_key),
        TEST(joiner_with_a_code_takes_the_default_key_too),
        TEST(wrong_install_code_ends_as_security),
        TEST(without_a_code_nobody_comes_in_where_it_is_required),
        TEST(application_may_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
