/* How devices come into networks, and why they do not: in virtual time, on whole nodes. */
#include "tests/support/zb_world.h"
#include "zigbee/hash.h"

static enum al_zb_status steered(struct zb_world *w, struct zb_sim_node *n)
{
    return zb_world_wait(w, n, AL_BDB_STEERED, 300);
}

static void begin_steering(struct zb_world *w, struct zb_sim_node *n)
{
    assert_int_equal(al_bdb_steer(&n->zb.node.bdb, zb_sim_now(w->sim)), 0);
    zb_sim_touch(n);
}

static void assert_outside(const struct zb_sim_node *n)
{
    struct al_node *again = test_calloc(1, sizeof *again);
    const struct al_node *node = &n->zb.node;
    assert_true(al_bdb_factory_new(&node->bdb));
    assert_false(al_bdb_is_member(&node->bdb));
    /* After a restart, too. */
    uint8_t *memory = test_malloc(al_node_memory(&node->c.sizes));
    struct al_node_config c = node->c;
    c.memory = memory;
    assert_int_equal(al_node_init(again, &c), 0);
    assert_true(al_bdb_factory_new(&again->bdb));
    test_free(memory);
    test_free(again);
}

/* ---- Nobody lets it in ---- */

static void without_a_network_it_says_so(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true);
    uint64_t before = zb_sim_now(w->sim);
    assert_int_equal(zb_world_steer(w, d), AL_ZB_NO_NETWORK);
    /* Both channel sets were looked at, twice: 16 channels of 0.26 s. */
    assert_in_range(zb_sim_now(w->sim) - before, 8500000, 9500000);
    assert_outside(d);
}

static void a_lost_beacon_is_not_the_end(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true);
    unsigned left = 1;
    zb_world_lose_beacons(d, &left);
    zb_world_run(w, 5); /* nothing else may disturb it */
    assert_int_equal(zb_world_steer(w, d), AL_ZB_OK);
    assert_int_equal(left, 0);
    zb_world_exchange(w, c, d);
    assert_int_equal(al_bdb_leave(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
    zb_world_wait(w, d, AL_BDB_LEFT, 5);
    zb_world_run(w, 5);
    left = 2;
    assert_int_equal(zb_world_steer(w, d), AL_ZB_NO_NETWORK);
    assert_outside(d);
    assert_int_equal(zb_world_steer(w, d), AL_ZB_OK);
}

static void a_full_network_is_no_candidate(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    c->zb.node.nwk.c.max_children = 1;
    zb_world_join(w, zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false));
    struct zb_sim_node *late = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    assert_int_equal(zb_world_steer(w, late), AL_ZB_NO_NETWORK);
    assert_outside(late);
}

static void the_last_place_may_be_taken_meanwhile(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *late = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    begin_steering(w, late);
    zb_world_until_state(w, late, AL_BDB_JOIN);
    c->zb.node.nwk.c.max_children = 0; /* what the beacon said holds no more */
    assert_int_equal(steered(w, late), AL_ZB_PAN_FULL);
    assert_outside(late);
}

static void a_network_that_closes_refuses(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    begin_steering(w, d);
    zb_world_until_state(w, d, AL_BDB_JOIN);
    assert_int_equal(al_nwk_permit(&c->zb.node.nwk, zb_sim_now(w->sim), 0), 0);
    assert_int_equal(steered(w, d), AL_ZB_DENIED);
    assert_outside(d);
}

static bool nobody(void *ctx, uint64_t ext)
{
    return false;
}

static void whom_the_application_does_not_want_gets_no_key(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    c->zb.node.c.admit = nobody;
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true);
    assert_int_equal(zb_world_steer(w, d), AL_ZB_TIMEOUT);
    assert_outside(d);
    zb_world_expect(w, c, AL_BDB_AUTHORISED, d->config.ext);
    assert_null(al_nwk_neighbour_ext(&c->zb.node.nwk, d->config.ext));
}

static void a_key_under_another_link_key_is_not_taken(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    memset(c->zb.node.aps.default_key, 0x55, 16);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    assert_int_equal(zb_world_steer(w, d), AL_ZB_SECURITY);
    assert_outside(d);
}

/* ---- The exchange of the link key ---- */

/* Stands between APS and what is above it: loses what the test wants lost. */
static struct {
    const struct al_aps_up *below;
    struct al_aps_up up;
    uint16_t lost_cluster;
    uint8_t lost_command;
    uint8_t revision; /* not 0: what node descriptors say when they come */
    unsigned lost;
} filter;

static void filtered_data(void *ctx, uint64_t now, const struct al_aps_data_ind *ind)
{
    uint8_t copy[128];
    struct al_aps_data_ind changed = *ind;
    if (ind->dst_ep == 0 && ind->cluster == filter.lost_cluster) {
        filter.lost++;
        return;
    }
    if (filter.revision && ind->dst_ep == 0 && ind->cluster == 0x8002 && ind->len == 17) {
        memcpy(copy, ind->asdu, ind->len);
        copy[13] = (uint8_t)(filter.revision << 1); /* server mask, high octet */
        changed.asdu = copy;
    }
    filter.below->data(ctx, now, &changed);
}

static void filtered_command(void *ctx, uint64_t now, const struct al_aps_command_ind *ind)
{
    if (ind->command->id == filter.lost_command)
        filter.lost++;
    else
        filter.below->command(ctx, now, ind);
}

static void put_filter(struct zb_sim_node *n)
{
    memset(&filter, 0, sizeof filter);
    filter.lost_cluster = 0xffff;
    filter.lost_command = 0xff;
    filter.below = n->zb.node.aps.c.up;
    filter.up = *filter.below;
    filter.up.data = filtered_data;
    filter.up.command = filtered_command;
    n->zb.node.aps.c.up = &filter.up;
}

/* It has left and said so, three times. */
static void assert_left_thrice(struct zb_world *w, struct zb_sim_node *c, struct zb_sim_node *d)
{
    assert_outside(d);
    zb_world_run(w, 1);
    assert_int_equal(zb_world_count(w, c, AL_BDB_DEVICE_LEFT, d->config.ext), 3);
    assert_int_equal(zb_world_count(w, c, AL_BDB_AUTHORISED, d->config.ext), 3);
    assert_null(al_nwk_neighbour_ext(&c->zb.node.nwk, d->config.ext));
}

static void a_trust_centre_that_does_not_describe_itself_is_left(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    put_filter(c);
    filter.lost_cluster = AL_ZDP_NODE_DESC;
    begin_steering(w, d);
    assert_int_equal(steered(w, d), AL_ZB_TIMEOUT);
    assert_int_equal(filter.lost, 9); /* three times in each of three joins */
    assert_left_thrice(w, c, d);
}

static void a_trust_centre_without_link_keys_is_left(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true);
    put_filter(c);
    filter.lost_command = AL_APS_REQUEST_KEY;
    begin_steering(w, d);
    assert_int_equal(steered(w, d), AL_ZB_TIMEOUT);
    assert_int_equal(filter.lost, 9);
    assert_left_thrice(w, c, d);
}

static void a_proof_without_confirmation_is_no_membership(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_ROUTER, false);
    put_filter(c);
    filter.lost_command = AL_APS_VERIFY_KEY;
    begin_steering(w, d);
    assert_int_equal(steered(w, d), AL_ZB_TIMEOUT);
    assert_int_equal(filter.lost, 9);
    assert_outside(d);
}

static void a_trust_centre_that_answers_again_is_joined_at_the_second_try(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    put_filter(c);
    filter.lost_cluster = AL_ZDP_NODE_DESC;
    begin_steering(w, d);
    while (filter.lost < 4) zb_world_run(w, 1);
    filter.lost_cluster = 0xffff;
    assert_int_equal(steered(w, d), AL_ZB_OK);
    zb_world_exchange(w, d, c);
}

static void an_old_trust_centre_is_not_asked_for_a_link_key(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    put_filter(d);
    filter.revision = 20;
    begin_steering(w, d);
    assert_int_equal(steered(w, d), AL_ZB_OK);
    const struct al_aps_link_key *k = al_aps_key(&d->zb.node.aps, c->config.ext);
    assert_non_null(k);
    assert_int_equal(k->kind, AL_APS_KEY_DEFAULT);
    assert_false(k->verified);
    zb_world_exchange(w, c, d);
}

/* ---- Which network ---- */

/* Two networks that do not know each other, the second one louder for newcomers. */
static void two_networks(struct zb_world *w, struct zb_sim_node **near, struct zb_sim_node **far)
{
    *far = zb_world_coordinator_at(w, 15);
    *near = zb_world_coordinator_at(w, 3);
    assert_int_not_equal((*near)->zb.node.nwk.pan_id, (*far)->zb.node.nwk.pan_id);
}

static void the_louder_of_two_networks_is_joined(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *near, *far;
    two_networks(w, &near, &far);
    /* The channels were told apart by the one that came later. */
    assert_int_not_equal(near->zb.node.nwk.channel, far->zb.node.nwk.channel);
    struct zb_sim_node *d = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, false, 0);
    zb_world_join(w, d);
    assert_int_equal(d->zb.node.nwk.epid, near->config.ext);
}

static void of_good_links_the_one_nearest_to_the_coordinator_counts(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator_at(w, 0);
    struct zb_sim_node *r = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, 12);
    zb_world_join(w, r);
    zb_world_run(w, 3);
    struct zb_sim_node *near = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, false, 15);
    struct zb_sim_node *edge = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, false, 23);
    zb_world_join(w, near);
    zb_world_run(w, 3);
    zb_world_join(w, edge);
    assert_int_equal(near->zb.node.nwk.parent, c->zb.node.nwk.addr);
    assert_int_equal(edge->zb.node.nwk.parent, r->zb.node.nwk.addr);
}

static void the_network_that_was_asked_for_is_joined(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *near, *far;
    two_networks(w, &near, &far);
    struct zb_sim_node *d = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, false, 0);
    d->zb.node.bdb.c.epid = far->config.ext;
    zb_world_join(w, d);
    assert_int_equal(d->zb.node.nwk.epid, far->config.ext);
    d->zb.node.bdb.c.epid = 1;
    assert_int_equal(al_bdb_leave(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
    zb_world_wait(w, d, AL_BDB_LEFT, 5);
    assert_int_equal(zb_world_steer(w, d), AL_ZB_NO_NETWORK);
}

static void a_network_that_does_not_take_it_is_no_obstacle(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *near, *far;
    two_networks(w, &near, &far);
    near->zb.node.c.admit = nobody;
    struct zb_sim_node *d = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, true, 0);
    zb_world_join(w, d);
    assert_int_equal(d->zb.node.nwk.epid, far->config.ext);
    zb_world_exchange(w, far, d);
}

/* ---- Install codes ---- */

static void install_code(struct zb_sim_node *c, struct zb_sim_node *d, const uint8_t key[16],
                         const uint8_t own[16])
{
    if (key) assert_int_equal(al_trust_add_install_key(&c->zb.node.trust, d->config.ext, key), 0);
    if (own)
        assert_int_equal(al_trust_add_install_key(&d->zb.node.trust, AL_APS_ANY_PARTNER, own), 0);
}

static void install_codes_let_in_who_has_the_right_one(void **state)
{
    static const uint8_t code[16] = {1, 2, 3}, other[16] = {4};
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    c->zb.node.trust.c.install_codes_only = true;
    struct zb_sim_node *right = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    struct zb_sim_node *wrong = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    struct zb_sim_node *missing = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    install_code(c, right, code, code);
    install_code(c, wrong, code, other);
    install_code(c, missing, NULL, code);
    assert_int_equal(zb_world_steer(w, right), AL_ZB_OK);
    zb_world_run(w, 2); /* its broadcasts are over: beacons get through */
    assert_int_equal(zb_world_steer(w, wrong), AL_ZB_SECURITY);
    assert_int_equal(zb_world_steer(w, missing), AL_ZB_TIMEOUT);
    assert_outside(wrong);
    assert_outside(missing);
    zb_world_exchange(w, c, right);
    zb_world_exchange(w, right, c);
}

/* ---- Many at once ---- */

static void twenty_devices_join_at_the_same_moment(void **state)
{
    enum { N = 20 };
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator_at(w, 0), *d[N];
    for (int i = 1; i <= 2; i++)
        zb_world_join(w, zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, 20 * i));
    for (int i = 0; i < N; i++)
        d[i] = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, i % 2, 45 + i % 5);
    for (int i = 0; i < N; i++) begin_steering(w, d[i]);
    for (int i = 0; i < N; i++) {
        enum al_zb_status status = steered(w, d[i]);
        /* Some lose against the crowd: like in the field, they try again. */
        if (status != AL_ZB_OK) zb_world_join(w, d[i]);
    }
    for (int i = 0; i < N; i++) {
        assert_true(al_bdb_is_member(&d[i]->zb.node.bdb));
        assert_int_equal(al_nwk_addr_of(&c->zb.node.nwk, d[i]->config.ext), d[i]->zb.node.nwk.addr);
        assert_true(al_aps_key(&c->zb.node.aps, d[i]->config.ext)->verified);
        for (int k = 0; k < i; k++)
            assert_int_not_equal(d[i]->zb.node.nwk.addr, d[k]->zb.node.nwk.addr);
    }
    zb_world_exchange(w, c, d[0]);
    zb_world_exchange(w, d[N - 1], c);
}

/* ---- Members ---- */

static void steering_on_a_member_opens_the_network_for_three_minutes(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator_at(w, 0);
    struct zb_sim_node *r = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, ZB_WORLD_HOP);
    struct zb_sim_node *d = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, true, 2 * ZB_WORLD_HOP);
    zb_world_join(w, r);
    zb_world_join(w, d);
    zb_world_run(w, 3);
    assert_int_equal(al_bdb_open(&c->zb.node.bdb, zb_sim_now(w->sim), 0), 0);
    zb_world_run(w, 10);
    uint64_t now = zb_sim_now(w->sim);
    assert_false(al_nwk_permitted(&c->zb.node.nwk, now));
    assert_false(al_nwk_permitted(&r->zb.node.nwk, now));

    assert_int_equal(zb_world_steer(w, d), AL_ZB_OK);
    zb_world_run(w, 5);
    now = zb_sim_now(w->sim);
    assert_true(al_nwk_permitted(&c->zb.node.nwk, now));
    assert_true(al_nwk_permitted(&r->zb.node.nwk, now));
    zb_world_run(w, AL_BDB_OPEN_S - 10);
    struct zb_sim_node *last = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, false, 45);
    last->zb.node.bdb.c.attempts = 1;
    zb_world_run(w, 6);
    now = zb_sim_now(w->sim);
    assert_false(al_nwk_permitted(&c->zb.node.nwk, now));
    assert_false(al_nwk_permitted(&r->zb.node.nwk, now));
    assert_int_equal(zb_world_steer(w, last), AL_ZB_NO_NETWORK);
    const struct zb_world_node *seen = zb_world_of(w, c);
    const struct al_bdb_event_args *closed = NULL;
    for (unsigned i = 0; i < seen->event_count; i++)
        if (seen->events[i].event == AL_BDB_PERMIT) closed = &seen->events[i];
    assert_non_null(closed);
    assert_int_equal(closed->value, 0);
}

static void one_thing_at_a_time(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    uint64_t now = zb_sim_now(w->sim);
    assert_int_equal(al_bdb_form(&d->zb.node.bdb, now), AL_ERR_NOT_SUPPORTED);
    assert_int_equal(al_bdb_form(&c->zb.node.bdb, now), AL_ERR_INVALID_STATE);
    assert_int_equal(al_bdb_open(&d->zb.node.bdb, now, 60), AL_ERR_INVALID_STATE);
    assert_int_equal(al_bdb_leave(&d->zb.node.bdb, now), AL_ERR_INVALID_STATE);
    begin_steering(w, d);
    assert_int_equal(al_bdb_steer(&d->zb.node.bdb, now), AL_ERR_INVALID_STATE);
    assert_int_equal(al_bdb_initialise(&d->zb.node.bdb, now), AL_ERR_INVALID_STATE);
    assert_int_equal(steered(w, d), AL_ZB_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ZB_WORLD_TEST(without_a_network_it_says_so),
        ZB_WORLD_TEST(a_lost_beacon_is_not_the_end),
        ZB_WORLD_TEST(a_full_network_is_no_candidate),
        ZB_WORLD_TEST(the_last_place_may_be_taken_meanwhile),
        ZB_WORLD_TEST(a_network_that_closes_refuses),
        ZB_WORLD_TEST(whom_the_application_does_not_want_gets_no_key),
        ZB_WORLD_TEST(a_key_under_another_link_key_is_not_taken),
        ZB_WORLD_TEST(a_trust_centre_that_does_not_describe_itself_is_left),
        ZB_WORLD_TEST(a_trust_centre_without_link_keys_is_left),
        ZB_WORLD_TEST(a_proof_without_confirmation_is_no_membership),
        ZB_WORLD_TEST(a_trust_centre_that_answers_again_is_joined_at_the_second_try),
        ZB_WORLD_TEST(an_old_trust_centre_is_not_asked_for_a_link_key),
        ZB_WORLD_TEST(the_louder_of_two_networks_is_joined),
        ZB_WORLD_TEST(of_good_links_the_one_nearest_to_the_coordinator_counts),
        ZB_WORLD_TEST(the_network_that_was_asked_for_is_joined),
        ZB_WORLD_TEST(a_network_that_does_not_take_it_is_no_obstacle),
        ZB_WORLD_TEST(install_codes_let_in_who_has_the_right_one),
        ZB_WORLD_TEST(twenty_devices_join_at_the_same_moment),
        ZB_WORLD_TEST(steering_on_a_member_opens_the_network_for_three_minutes),
        ZB_WORLD_TEST(one_thing_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
