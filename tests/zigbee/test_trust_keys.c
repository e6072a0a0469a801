/* Link keys that are proved, new network keys, and members that leave. */
#include "tests/zigbee/trust_trio.h"

static const uint8_t other_key[16] = {1, 2, 3};

/* ---- Proof ---- */

static void device_that_must_prove_its_key_and_does_not_is_removed(void **state)
{
    c->trust.c.require_exchange = true;
    join(c);
    fake_run(20 * SECOND);
    assert_int_equal(c->authorised.value, AL_ZB_TIMEOUT);
    assert_true(c->told_to_leave == JOINER);
    c->told_to_leave = 0;
    join(c);
    exchange_keys();
    fake_run(20 * SECOND);
    assert_true(c->told_to_leave == 0);
}

static void router_s_child_is_removed_by_its_parent(void **state)
{
    c->trust.c.require_exchange = true;
    join(r);
    fake_run(20 * SECOND);
    assert_true(r->told_to_leave == JOINER);
    assert_int_equal(j->removed, 1);
}

static bool from_c_lost(const struct fake_node *from, const struct fake_frame *f)
{
    return from != c;
}

static void exchange_gives_up_after_three_tries(void **state)
{
    join(c);
    air.filter = from_c_lost;
    unsigned frames = j->frame_count;
    al_trust_exchange_key(&j->trust, air.now, false);
    fake_run(14 * SECOND);
    assert_int_equal(j->exchanged, -1);
    fake_run(2 * SECOND);
    assert_int_equal(j->exchanged, AL_ZB_TIMEOUT);
    assert_int_equal(j->frame_count, frames + 3);
}

static unsigned lost_at;
static bool lose_nth(const struct fake_node *from, const struct fake_frame *f)
{
    return lost_at-- != 0;
}

static void exchange_survives_the_loss_of_any_frame(void **state)
{
    for (unsigned n = 0; n < 4; n++) {
        setup(state);
        join(c);
        lost_at = n;
        air.filter = lose_nth;
        al_trust_exchange_key(&j->trust, air.now, false);
        fake_run(2 * SECOND);
        uint8_t given[16] = {0};
        if (n == 1) memcpy(given, al_aps_key(&c->aps, JOINER)->fresh, sizeof given);
        fake_run(4 * SECOND);
        assert_int_equal(j->exchanged, AL_ZB_OK);
        if (n == 1) /* the key was lost: the same comes again */
            assert_memory_equal(al_aps_key(&c->aps, JOINER)->key, given, 16);
        assert_memory_equal(al_aps_key(&c->aps, JOINER)->key,
                            al_aps_key(&j->aps, ZIGBEE_COORDINATOR)->key, 16);
        end(state);
    }
}

static bool spoil_fresh(const struct fake_node *from, const struct fake_frame *f)
{
    if (from == j && f->s.len == 28) al_aps_key(&c->aps, JOINER)->fresh[0] ^= 1; /* Verify-Key */
    return true;
}

static void wrong_proof_is_refused_and_the_old_key_stays(void **state)
{
    join(c);
    air.filter = spoil_fresh;
    al_trust_exchange_key(&j->trust, air.now, false);
    fake_run(SECOND);
    assert_int_equal(j->exchanged, AL_ZB_SECURITY);
    assert_int_equal(c->proved, 0);
    assert_memory_equal(al_aps_key(&c->aps, JOINER)->key, al_default_link_key, 16);
    assert_false(al_aps_key(&j->aps, ZIGBEE_COORDINATOR)->has_fresh);
}

/* Verify-Key of type and source; the status that comes back. */
static uint8_t confirm_status(uint64_t source, uint8_t type)
{
    struct al_aps_command cmd = {.id = AL_APS_VERIFY_KEY,
                                 .verify_key = {.source = source, .type = type}};
    struct al_aps_send_command s = {.dst = 0, .command = &cmd, .key_id = AL_APS_KEY_NONE};
    unsigned frames = c->frame_count;
    al_aps_send_command(&r->aps, air.now, &s);
    fake_run(SECOND);
    if (c->frame_count == frames) return 0xff;
    struct al_aps_frame f;
    const struct fake_frame *answer = fake_last(c, 0);
    uint8_t plain[127];
    assert_int_equal(al_aps_parse(&f, answer->bytes, answer->s.len), 0);
    assert_int_equal(al_aps_open(&f, zigbee_aes(), al_default_link_key, 0, plain), 0);
    assert_int_equal(plain[0], AL_APS_CONFIRM_KEY);
    return plain[1];
}

static void confirmations_name_the_fault(void **state)
{
    assert_int_equal(confirm_status(ROUTER, AL_KEY_TYPE_TC_LINK), AL_CONFIRM_ILLEGAL);
    assert_int_equal(confirm_status(ROUTER, AL_KEY_TYPE_REQUEST_APP), AL_CONFIRM_NOT_SUPPORTED);
    assert_int_equal(confirm_status(JOINER, AL_KEY_TYPE_TC_LINK), 0xff); /* not the sender */
    al_aps_set_fresh(&c->aps, ROUTER, other_key);
    assert_int_equal(confirm_status(ROUTER, AL_KEY_TYPE_TC_LINK), AL_CONFIRM_SECURITY_FAILURE);
}

static void two_members_get_a_key_of_their_own(void **state)
{
    join(c);
    exchange_keys();
    al_nwk_learn(&c->nwk, air.now, JOINER_ADDR, JOINER);
    al_trust_exchange_key(&r->trust, air.now, false);
    fake_run(SECOND);
    assert_int_equal(r->exchanged, AL_ZB_OK);
    struct al_aps_command cmd = {
        .id = AL_APS_REQUEST_KEY,
        .request_key = {.type = AL_KEY_TYPE_REQUEST_APP, .partner = ROUTER}};
    struct al_aps_send_command s = {
        .dst = 0, .dst_ext = ZIGBEE_COORDINATOR, .command = &cmd, .key_id = AL_SEC_KEY_LINK};
    al_aps_send_command(&j->aps, air.now, &s);
    fake_run(SECOND);
    const struct al_aps_link_key *at_j = al_aps_key(&j->aps, ROUTER);
    const struct al_aps_link_key *at_r = al_aps_key(&r->aps, JOINER);
    assert_non_null(at_j);
    assert_non_null(at_r);
    assert_int_equal(at_j->kind, AL_APS_KEY_APPLICATION);
    assert_memory_equal(at_j->key, at_r->key, 16);
}

/* ---- Out, and new keys ---- */

static void trust_centre_removes_members(void **state)
{
    join(c);
    assert_int_equal(al_trust_remove(&c->trust, air.now, JOINER), 0);
    assert_true(c->told_to_leave == JOINER);
    assert_null(al_aps_key(&c->aps, JOINER));
    assert_int_equal(al_trust_remove(&c->trust, air.now, ROUTER), 0);
    fake_run(SECOND);
    assert_int_equal(r->removed, 1);
    assert_int_equal(al_trust_remove(&c->trust, air.now, 0x99), AL_ERR_NOT_FOUND);
}

static void router_tells_of_a_child_that_left(void **state)
{
    join(r);
    al_trust_child_left(&r->trust, air.now, JOINER, JOINER_ADDR);
    fake_run(SECOND);
    assert_int_equal(c->update.value, AL_UPDATE_LEFT);
    assert_int_equal(al_nwk_addr_of(&c->nwk, JOINER), AL_NWK_NO_ADDR);
    /* An old parent's word does not count for a device that has moved. */
    al_nwk_learn(&c->nwk, air.now, 0x7777, JOINER);
    al_trust_child_left(&r->trust, air.now, JOINER, JOINER_ADDR);
    fake_run(SECOND);
    assert_int_equal(al_nwk_addr_of(&c->nwk, JOINER), 0x7777);
}

static void new_network_key_reaches_everybody_before_it_counts(void **state)
{
    join(r);
    exchange_keys();
    assert_int_equal(al_trust_change_key(&c->trust, air.now), 0);
    assert_int_equal(al_trust_change_key(&c->trust, air.now), AL_ERR_INVALID_STATE);
    fake_run(5 * SECOND);
    assert_int_equal(al_nwk_active_key(&c->nwk)->seq, 0);
    assert_int_equal(al_nwk_active_key(&r->nwk)->seq, 0);
    fake_run(20 * SECOND);
    for (unsigned i = 0; i < air.node_count; i++) {
        const struct al_nwk_key *key = al_nwk_active_key(&air.nodes[i]->nwk);
        assert_int_equal(key->seq, 1);
        assert_memory_equal(key->key, al_nwk_active_key(&c->nwk)->key, 16);
        assert_memory_not_equal(key->key, zigbee_network_key, 16);
    }
    assert_true(al_trust_next(&c->trust) == UINT64_MAX);
    assert_int_equal(al_trust_change_key(&c->trust, air.now), 0);
}

static void who_joins_during_the_change_gets_both_keys(void **state)
{
    al_trust_change_key(&c->trust, air.now);
    fake_run(5 * SECOND);
    join(c);
    assert_int_equal(al_nwk_active_key(&j->nwk)->seq, 0);
    fake_run(20 * SECOND);
    assert_int_equal(al_nwk_active_key(&j->nwk)->seq, 1);
}

static void trust_centre_and_keys_survive_a_restart(void **state)
{
    join(c);
    exchange_keys();
    struct al_aps_config aps = j->aps.c;
    struct al_trust_config trust = j->trust.c;
    al_aps_init(&j->aps, &aps);
    al_aps_restore(&j->aps);
    al_trust_init(&j->trust, &trust);
    al_trust_restore(&j->trust);
    assert_true(j->trust.centre == ZIGBEE_COORDINATOR);
    j->exchanged = -1;
    exchange_keys();
    al_trust_forget(&j->trust);
    al_trust_restore(&j->trust);
    assert_true(j->trust.centre == 0);
}

static void faulty_networks_end_in_a_key_or_a_reason(void **state)
{
    unsigned joined = 0, exchanged = 0;
    for (unsigned seed = 1; seed <= 60; seed++) {
        setup(state);
        air.rng += seed * 7919;
        air.loss = air.duplicates = air.disorder = seed % 31;
        come(seed % 2 ? c : r, false, false);
        fake_run(7 * SECOND);
        assert_int_not_equal(j->network_key, -1);
        if (j->network_key == AL_ZB_OK) {
            joined++;
            al_trust_exchange_key(&j->trust, air.now, false);
            fake_run(40 * SECOND);
            assert_int_not_equal(j->exchanged, -1);
        }
        if (j->exchanged == AL_ZB_OK) {
            exchanged++;
            assert_memory_equal(al_aps_key(&c->aps, JOINER)->key,
                                al_aps_key(&j->aps, ZIGBEE_COORDINATOR)->key, 16);
        }
        end(state);
    }
    assert_in_range(joined, 40, 60);
    assert_in_range(exchanged, 38, joined);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, end)
    const struct CMUnitTest tests[] = {
        TEST(device_that_must_prove_its_key_and_does_not_is_removed),
        TEST(router_s_child_is_removed_by_its_parent),
        TEST(exchange_gives_up_after_three_tries),
        cmocka_unit_test(exchange_survives_the_loss_of_any_frame),
        TEST(wrong_proof_is_refused_and_the_old_key_stays),
        TEST(confirmations_name_the_fault),
        TEST(two_members_get_a_key_of_their_own),
        TEST(trust_centre_removes_members),
        TEST(router_tells_of_a_child_that_left),
        TEST(new_network_key_reaches_everybody_before_it_counts),
        TEST(who_joins_during_the_change_gets_both_keys),
        TEST(trust_centre_and_keys_survive_a_restart),
        cmocka_unit_test(faulty_networks_end_in_a_key_or_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
