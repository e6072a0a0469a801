/* Devices that come in, prove their keys, are refused or thrown out; and what others may
 * try. The trust centre, a router and a joiner over a network of the test's own. */
#include "tests/zigbee/fake_nwk.h"

#define ROUTER      0x1111222233334444ull
#define ROUTER_ADDR 0x1234
#define JOINER      ZIGBEE_DEVICE
#define JOINER_ADDR ZIGBEE_DEVICE_ADDR

static struct fake_node *c, *r, *j;
static const uint8_t code_key[16] = {0x66, 0xb6, 0x90, 0x09, 0x81, 0xe1, 0xee, 0x3c,
                                     0xa4, 0x20, 0x6b, 0x6b, 0x86, 0x1c, 0x02, 0xbb};
static const uint8_t other_key[16] = {1, 2, 3};

static int setup(void **state)
{
    fake_start(3);
    c = fake_node(ZIGBEE_COORDINATOR, 0, NULL, 16, 2);
    r = fake_node(ROUTER, ROUTER_ADDR, NULL, 16, 2);
    fake_members();
    al_trust_new_network(&c->trust, air.now, zigbee_network_key);
    r->trust.centre = ZIGBEE_COORDINATOR;
    j = fake_node(JOINER, JOINER_ADDR, NULL, 16, 2);
    return 0;
}

static int end(void **state)
{
    fake_end();
    return 0;
}

static struct al_nwk_neighbour *make_child(struct fake_node *parent)
{
    struct al_nwk_neighbour *child = &parent->nwk.c.neighbours[0];
    *child =
        (struct al_nwk_neighbour){.ext = JOINER, .addr = JOINER_ADDR, .relation = AL_NWK_JOINING};
    return child;
}

/* The association is answered: the parent says so, the joiner waits. */
static void come(struct fake_node *parent, bool rejoin, bool secured)
{
    if (!secured) al_trust_await_key(&j->trust, air.now);
    al_trust_child(&parent->trust, air.now, make_child(parent), rejoin, secured);
}

static void join(struct fake_node *parent)
{
    come(parent, false, false);
    fake_run(SECOND);
    assert_int_equal(j->network_key, AL_ZB_OK);
}

static void exchange_keys(void)
{
    al_trust_exchange_key(&j->trust, air.now, false);
    fake_run(SECOND);
    assert_int_equal(j->exchanged, AL_ZB_OK);
}

static bool has_network_key(const struct fake_node *node)
{
    const struct al_nwk_key *key = al_nwk_active_key(&node->nwk);
    return key && memcmp(key->key, zigbee_network_key, 16) == 0;
}

static void hear(struct fake_node *node, const struct fake_frame *f, uint16_t src, bool secured)
{
    struct al_nwk_data_ind ind = {.dst = node->nwk.addr,
                                  .src = src,
                                  .secured = secured,
                                  .payload = f->bytes,
                                  .len = f->s.len};
    al_aps_nwk_data(&node->aps, air.now, &ind);
}

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
    come(r, false, false);
    al_trust_child(&r->trust, air.now, &r->nwk.c.neighbours[0], false, false);
    fake_run(SECOND);
    assert_int_equal(c->updates, 1);
    assert_int_equal(c->frame_count, 1);
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
        fake_run(6 * SECOND);
        assert_int_equal(j->exchanged, AL_ZB_OK);
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
    al_nwk_learn(&c->nwk, air.now, JOINER_ADDR, JOINER);
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
        TEST(device_that_must_prove_its_key_and_does_not_is_removed),
        TEST(router_s_child_is_removed_by_its_parent),
        TEST(exchange_gives_up_after_three_tries),
        cmocka_unit_test(exchange_survives_the_loss_of_any_frame),
        TEST(wrong_proof_is_refused_and_the_old_key_stays),
        TEST(confirmations_name_the_fault),
        TEST(two_members_get_a_key_of_their_own),
        TEST(keys_of_others_are_not_believed),
        TEST(member_takes_no_network_key_in_clear_or_from_others),
        TEST(replayed_transport_key_is_not_taken_again),
        TEST(link_keys_must_come_protected_and_asked_for),
        TEST(request_without_link_key_is_not_answered),
        TEST(commands_of_strangers_do_nothing),
        TEST(trust_centre_removes_members),
        TEST(router_tells_of_a_child_that_left),
        TEST(new_network_key_reaches_everybody_before_it_counts),
        TEST(who_joins_during_the_change_gets_both_keys),
        TEST(trust_centre_and_keys_survive_a_restart),
        cmocka_unit_test(faulty_networks_end_in_a_key_or_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
