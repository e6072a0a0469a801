/* How nodes come back: lost parents, restarts, changed keys and channels. In virtual time,
 * on whole nodes. */
#include "tests/support/zb_world.h"

static enum al_zb_status rejoined(struct zb_world *w, struct zb_sim_node *n, unsigned seconds)
{
    return zb_world_wait(w, n, AL_BDB_REJOINED, seconds);
}

static bool is_member(const struct zb_sim_node *n)
{
    return n->on && al_bdb_is_member(&n->zb.node.bdb);
}

static const struct al_nwk_neighbour *child_of(const struct zb_sim_node *parent,
                                               const struct zb_sim_node *d)
{
    const struct al_nwk_neighbour *who = al_nwk_neighbour_ext(&parent->zb.node.nwk, d->config.ext);
    return who && who->relation == AL_NWK_CHILD ? who : NULL;
}

/* c at 0 m, two routers at 20 m, then the device at 40 m, out of the coordinator's reach. */
struct fork {
    struct zb_sim_node *c, *r[2], *d;
};

static struct fork fork_with(struct zb_world *w, bool sleepy)
{
    struct fork f = {.c = zb_world_coordinator_at(w, 0)};
    f.r[0] = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, ZB_WORLD_HOP);
    f.r[1] = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, ZB_WORLD_HOP + 1);
    f.d = zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, sleepy, 2 * ZB_WORLD_HOP);
    zb_world_join(w, f.r[0]);
    zb_world_join(w, f.r[1]);
    zb_world_join(w, f.d);
    zb_world_run(w, 40); /* link status */
    return f;
}

static struct zb_sim_node *parent_of(const struct fork *f)
{
    return f->d->zb.node.nwk.parent == f->r[0]->zb.node.nwk.addr ? f->r[0] : f->r[1];
}

/* ---- The parent dies ---- */

static void finds_another_parent(struct zb_world *w, bool sleepy)
{
    struct fork f = fork_with(w, sleepy);
    struct zb_sim_node *parent = parent_of(&f), *other = parent == f.r[0] ? f.r[1] : f.r[0];
    uint16_t addr = f.d->zb.node.nwk.addr;
    uint8_t seq = al_nwk_active_key(&f.d->zb.node.nwk)->seq;
    zb_sim_power_off(parent);
    /* A listening device notices by its keep-alive: a quarter of 256 minutes. */
    if (!sleepy) al_nwk_poll(&f.d->zb.node.nwk, zb_sim_now(w->sim));
    assert_int_equal(rejoined(w, f.d, sleepy ? 60 : 5000), AL_ZB_OK);
    zb_world_expect(w, f.d, AL_BDB_PARENT_LOST, 0);
    assert_int_equal(f.d->zb.node.nwk.parent, other->zb.node.nwk.addr);
    assert_int_equal(f.d->zb.node.nwk.addr, addr);
    assert_int_equal(al_nwk_active_key(&f.d->zb.node.nwk)->seq, seq);
    zb_world_run(w, 5);
    /* Secured: the trust centre was told so, and gave nothing. */
    const struct zb_world_node *seen = zb_world_of(w, f.c);
    const struct al_bdb_event_args *last = NULL;
    for (unsigned i = 0; i < seen->event_count; i++)
        if (seen->events[i].event == AL_BDB_DEVICE && seen->events[i].ext == f.d->config.ext)
            last = &seen->events[i];
    assert_non_null(last);
    assert_int_equal(last->value, AL_UPDATE_SECURED_REJOIN);
    assert_int_equal(last->parent, other->zb.node.nwk.addr);
    zb_world_exchange(w, f.d, f.c);
    zb_world_exchange(w, f.c, f.d);
}

static void a_sleepy_device_finds_another_parent(void **state)
{
    finds_another_parent(*state, true);
}

static void a_listening_device_finds_another_parent(void **state)
{
    finds_another_parent(*state, false);
}

static void without_another_parent_it_waits_for_the_old_one(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true);
    zb_world_join(w, d);
    zb_sim_power_off(c);
    zb_world_run(w, 1000);
    zb_world_expect(w, d, AL_BDB_PARENT_LOST, 0);
    assert_false(is_member(d));
    assert_false(al_bdb_factory_new(&d->zb.node.bdb));
    zb_world_restart(w, c);
    assert_int_equal(rejoined(w, d, 70), AL_ZB_OK);
    zb_world_exchange(w, c, d);
}

static void a_device_that_starts_without_its_network_goes_on_looking(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    zb_world_join(w, d);
    zb_sim_power_off(c);
    zb_sim_power_off(d);
    assert_int_equal(zb_sim_power_on(d), 0);
    assert_int_equal(al_bdb_initialise(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
    assert_int_equal(zb_world_wait(w, d, AL_BDB_INITIALISED, 60), AL_ZB_NO_NETWORK);
    zb_world_run(w, 100);
    zb_world_restart(w, c);
    assert_int_equal(rejoined(w, d, 70), AL_ZB_OK);

    /* Asked to steer meanwhile it looks for its own network, and keeps it. */
    zb_sim_power_off(c);
    zb_sim_power_off(d);
    assert_int_equal(zb_sim_power_on(d), 0);
    assert_int_equal(zb_world_steer(w, d), AL_ZB_NO_NETWORK);
    assert_false(al_bdb_factory_new(&d->zb.node.bdb));
    zb_world_restart(w, c);
    assert_int_equal(zb_world_steer(w, d), AL_ZB_OK);
    assert_true(is_member(d));

    /* And it may give it up, though nobody hears. */
    zb_sim_power_off(c);
    zb_world_run(w, 1);
    assert_int_equal(al_nwk_rejoin(&d->zb.node.nwk, zb_sim_now(w->sim), 1u << 11, true), 0);
    assert_int_equal(al_bdb_leave(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
    zb_world_expect(w, d, AL_BDB_LEFT, 0);
    assert_true(al_bdb_factory_new(&d->zb.node.bdb));
}

static void a_lost_beacon_delays_the_return_by_less_than_a_second(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false);
    unsigned left = 1;
    zb_world_join(w, d);
    zb_sim_power_off(d);
    zb_world_run(w, 10);
    zb_world_lose_beacons(d, &left);
    uint64_t before = zb_sim_now(w->sim);
    zb_world_restart(w, d);
    assert_int_equal(left, 0);
    assert_in_range(zb_sim_now(w->sim) - before, 700000, 1200000);
    zb_world_exchange(w, c, d);
}

/* ---- Keys ---- */

static void change_key(struct zb_world *w, struct zb_sim_node *c)
{
    assert_int_equal(al_trust_change_key(&c->zb.node.trust, zb_sim_now(w->sim)), 0);
    zb_world_run(w, 30);
}

static void missed_key(struct zb_world *w, enum al_nwk_role role, bool sleepy, unsigned seconds)
{
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *d = zb_world_add(w, role, sleepy);
    zb_world_join(w, d);
    zb_sim_power_off(d);
    change_key(w, c);
    change_key(w, c); /* the key that it has is gone for good */
    assert_int_equal(zb_sim_power_on(d), 0);
    assert_int_equal(al_bdb_initialise(&d->zb.node.bdb, zb_sim_now(w->sim)), 0);
    zb_world_run(w, seconds);
    assert_true(is_member(d));
    assert_int_equal(al_nwk_active_key(&d->zb.node.nwk)->seq, 2);
    assert_memory_equal(al_nwk_active_key(&d->zb.node.nwk)->key,
                        al_nwk_active_key(&c->zb.node.nwk)->key, 16);
    assert_true(al_aps_key(&d->zb.node.aps, c->config.ext)->verified);
    /* The application registers its endpoint only with zb_world_restart(). */
    zb_sim_power_off(d);
    zb_world_restart(w, d);
    zb_world_exchange(w, c, d);
    zb_world_exchange(w, d, c);
}

static void a_sleepy_device_that_missed_a_key_gets_it_from_the_trust_centre(void **state)
{
    missed_key(*state, AL_NWK_ROLE_END_DEVICE, true, 40);
}

static void a_listening_device_that_missed_a_key_gets_it_from_the_trust_centre(void **state)
{
    missed_key(*state, AL_NWK_ROLE_END_DEVICE, false, 40);
}

static void a_router_that_missed_a_key_notices_and_gets_it(void **state)
{
    missed_key(*state, AL_NWK_ROLE_ROUTER, false, 300);
}

static void a_key_change_reaches_who_is_there(void **state)
{
    struct zb_world *w = *state;
    struct fork f = fork_with(w, true);
    change_key(w, f.c);
    zb_world_run(w, 20);
    assert_int_equal(al_nwk_active_key(&f.d->zb.node.nwk)->seq, 1);
    assert_int_equal(zb_world_count(w, f.d, AL_BDB_PARENT_LOST, 0), 0);
    zb_world_exchange(w, f.c, f.d);
}

/* ---- Restarts ---- */

static void a_coordinator_restarts_among_its_devices(void **state)
{
    struct zb_world *w = *state;
    struct fork f = fork_with(w, true);
    zb_sim_power_off(f.c);
    zb_world_run(w, 20);
    zb_world_restart(w, f.c);
    zb_world_run(w, 20);
    zb_world_exchange(w, f.c, f.d);
    zb_world_exchange(w, f.d, f.c);
    assert_int_equal(zb_world_count(w, f.d, AL_BDB_PARENT_LOST, 0), 0);
    assert_true(al_aps_key(&f.c->zb.node.aps, f.d->config.ext)->verified);
}

static void a_router_that_hears_nobody_goes_on_serving_its_children(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator_at(w, 0);
    struct zb_sim_node *r = zb_world_add_at(w, AL_NWK_ROLE_ROUTER, false, ZB_WORLD_HOP);
    struct zb_sim_node *d[2] = {
        zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, false, 2 * ZB_WORLD_HOP),
        zb_world_add_at(w, AL_NWK_ROLE_END_DEVICE, false, 2 * ZB_WORLD_HOP + 1)};
    zb_world_join(w, r);
    zb_world_join(w, d[0]);
    zb_world_join(w, d[1]);
    uint16_t addr = r->zb.node.nwk.addr;
    uint8_t channel = r->zb.node.nwk.channel;
    zb_sim_power_off(c);
    zb_world_run(w, 1500);
    zb_world_expect(w, r, AL_BDB_PARENT_LOST, 0);
    while (!is_member(r)) zb_world_run(w, 1);
    assert_int_equal(r->zb.node.nwk.addr, addr);
    assert_int_equal(r->zb.node.nwk.channel, channel);
    zb_world_exchange(w, d[0], d[1]);
    zb_world_restart(w, c);
    assert_int_equal(rejoined(w, r, 700), AL_ZB_OK);
    zb_world_exchange(w, c, d[0]);
}

static unsigned parent_announcements;

/* Parent_annce is not to be told from other broadcasts on the air: it is encrypted. */
static const struct al_aps_up *real_up;
static void listening(void *ctx, uint64_t now, const struct al_aps_data_ind *ind)
{
    if (ind->dst_ep == 0 && ind->cluster == AL_ZDP_PARENT_ANNCE) parent_announcements++;
    real_up->data(ctx, now, ind);
}

static void listen_for_announcements(struct zb_sim_node *n)
{
    static struct al_aps_up up;
    real_up = n->zb.node.aps.c.up;
    up = *real_up;
    up.data = listening;
    n->zb.node.aps.c.up = &up;
    parent_announcements = 0;
}

static void a_router_restarts_with_its_children(void **state)
{
    struct zb_world *w = *state;
    struct fork f = fork_with(w, true);
    struct zb_sim_node *parent = parent_of(&f);
    zb_sim_power_off(parent);
    zb_world_run(w, 1.5);
    listen_for_announcements(f.c);
    zb_world_restart(w, parent);
    zb_world_run(w, 9.5);
    assert_int_equal(parent_announcements, 0); /* the first ten seconds are for the others */
    zb_world_run(w, 15);
    assert_int_equal(parent_announcements, 1);
    assert_non_null(child_of(parent, f.d));
    assert_int_equal(zb_world_count(w, f.d, AL_BDB_PARENT_LOST, 0), 0);
    zb_world_exchange(w, f.c, f.d);
}

static void a_child_that_has_moved_meanwhile_is_struck_off(void **state)
{
    struct zb_world *w = *state;
    struct fork f = fork_with(w, true);
    struct zb_sim_node *parent = parent_of(&f), *other = parent == f.r[0] ? f.r[1] : f.r[0];
    zb_sim_power_off(parent);
    assert_int_equal(rejoined(w, f.d, 60), AL_ZB_OK);
    assert_non_null(child_of(other, f.d));
    zb_world_run(w, 10);
    /* Its announcement of the move is long over, and it is silent: only Parent_annce helps. */
    zb_world_restart(w, parent);
    assert_non_null(child_of(parent, f.d));
    zb_world_run(w, 25);
    assert_null(child_of(parent, f.d));
    assert_non_null(child_of(other, f.d));
    zb_world_exchange(w, f.c, f.d);
}

static void who_has_not_heard_a_child_lately_claims_it_from_nobody(void **state)
{
    struct zb_world *w = *state;
    struct fork f = fork_with(w, true);
    struct zb_sim_node *parent = parent_of(&f);
    zb_sim_power_off(parent);
    assert_int_equal(rejoined(w, f.d, 60), AL_ZB_OK);
    zb_world_run(w, 10);
    zb_sim_power_off(f.d);
    for (int i = 0; i < 2; i++) zb_sim_power_off(f.r[i]);
    for (int i = 0; i < 2; i++) zb_world_restart(w, f.r[i]);
    zb_world_run(w, 45);
    for (int i = 0; i < 2; i++) assert_non_null(child_of(f.r[i], f.d));
    zb_world_restart(w, f.d);
    zb_world_exchange(w, f.c, f.d);
}

static void an_announcement_that_found_no_room_is_made_up_for(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *r = zb_world_add(w, AL_NWK_ROLE_ROUTER, false);
    zb_world_join(w, r);
    zb_sim_power_off(r);
    zb_world_run(w, 10);
    unsigned before = zb_world_count(w, c, AL_BDB_ANNOUNCED, r->config.ext);
    zb_world_power_on(w, r);
    uint16_t slots = r->zb.node.aps.c.tx_count;
    r->zb.node.aps.c.tx_count = 0;
    assert_int_equal(al_bdb_initialise(&r->zb.node.bdb, zb_sim_now(w->sim)), 0);
    zb_world_run(w, 5);
    assert_int_equal(zb_world_count(w, c, AL_BDB_ANNOUNCED, r->config.ext), before);
    r->zb.node.aps.c.tx_count = slots;
    zb_world_run(w, 5);
    assert_int_equal(zb_world_count(w, c, AL_BDB_ANNOUNCED, r->config.ext), before + 1);
}

static void everything_comes_back_after_a_power_cut(void **state)
{
    enum { N = 50, ROUTERS = 8 };
    struct zb_world *w = *state;
    struct zb_sim_node *n[N + 1];
    n[0] = zb_world_coordinator_at(w, 0);
    for (int i = 1; i <= N; i++) {
        enum al_nwk_role role = i <= ROUTERS ? AL_NWK_ROLE_ROUTER : AL_NWK_ROLE_END_DEVICE;
        n[i] = zb_world_add_at(w, role, i % 2 && i > ROUTERS, 5 + i * 7 % 36);
        zb_world_join(w, n[i]);
        zb_world_run(w, 1);
        if (i % 10 == 0) al_bdb_open(&n[0]->zb.node.bdb, zb_sim_now(w->sim), 254);
    }
    uint16_t addr[N + 1];
    for (int i = 0; i <= N; i++) {
        addr[i] = n[i]->zb.node.nwk.addr;
        zb_sim_power_off(n[i]);
    }
    zb_world_run(w, 60);
    for (int i = 0; i <= N; i++) {
        assert_int_equal(zb_sim_power_on(n[i]), 0);
        assert_int_equal(al_bdb_initialise(&n[i]->zb.node.bdb, zb_sim_now(w->sim)), 0);
        zb_sim_touch(n[i]);
    }
    zb_world_run(w, 300);
    for (int i = 0; i <= N; i++) {
        assert_true(is_member(n[i]));
        assert_int_equal(n[i]->zb.node.nwk.addr, addr[i]);
        if (!i) continue;
        assert_int_equal(al_nwk_addr_of(&n[0]->zb.node.nwk, n[i]->config.ext), addr[i]);
        assert_true(al_aps_key(&n[0]->zb.node.aps, n[i]->config.ext)->verified);
        assert_true(al_aps_key(&n[i]->zb.node.aps, n[0]->config.ext)->verified);
    }
}

/* ---- Moves of the whole network ---- */

static void all_follow_to_another_channel(void **state)
{
    struct zb_world *w = *state;
    struct fork f = fork_with(w, true);
    uint8_t before = f.c->zb.node.nwk.channel, after = before == 20 ? 25 : 20;
    uint64_t now = zb_sim_now(w->sim);
    assert_int_equal(al_zdo_change_channel(&f.r[0]->zb.node.zdo, now, after), AL_ERR_INVALID_STATE);
    assert_int_equal(al_zdo_change_channel(&f.c->zb.node.zdo, now, 27), AL_ERR_INVALID_ARG);
    assert_int_equal(al_zdo_change_channel(&f.c->zb.node.zdo, now, after), 0);
    zb_world_run(w, 60);
    struct zb_sim_node *all[] = {f.c, f.r[0], f.r[1], f.d};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(all[i]->zb.node.nwk.channel, after);
        assert_int_equal(all[i]->zb.node.nwk.update_id, 1);
        assert_true(is_member(all[i]));
    }
    zb_world_exchange(w, f.c, f.d);
    for (int i = 0; i < 4; i++) {
        zb_sim_power_off(all[i]);
        zb_world_restart(w, all[i]);
        assert_int_equal(all[i]->zb.node.nwk.channel, after);
    }
    zb_world_exchange(w, f.d, f.c);
}

static void all_follow_to_another_pan_id(void **state)
{
    struct zb_world *w = *state;
    struct fork f = fork_with(w, true);
    uint16_t pan = (uint16_t)(f.c->zb.node.nwk.pan_id ^ 0x1111);
    uint64_t now = zb_sim_now(w->sim);
    assert_int_equal(al_nwk_change_pan(&f.r[0]->zb.node.nwk, now, pan), AL_ERR_INVALID_STATE);
    assert_int_equal(al_nwk_change_pan(&f.c->zb.node.nwk, now, pan), 0);
    zb_world_run(w, 60);
    struct zb_sim_node *all[] = {f.c, f.r[0], f.r[1], f.d};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(all[i]->zb.node.nwk.pan_id, pan);
        assert_true(is_member(all[i]));
    }
    zb_world_exchange(w, f.c, f.d);
    zb_world_exchange(w, f.d, f.c);
}

static void only_the_coordinator_moves_the_network(void **state)
{
    struct zb_world *w = *state;
    struct fork f = fork_with(w, false);
    struct al_nwk *rogue = &f.r[0]->zb.node.nwk;
    uint16_t pan = f.c->zb.node.nwk.pan_id;
    rogue->c.role = AL_NWK_ROLE_COORDINATOR;
    assert_int_equal(al_nwk_change_pan(rogue, zb_sim_now(w->sim), (uint16_t)(pan ^ 1)), 0);
    assert_int_equal(al_zdo_change_channel(&f.r[0]->zb.node.zdo, zb_sim_now(w->sim), 26), 0);
    rogue->c.role = AL_NWK_ROLE_ROUTER;
    rogue->move.at = UINT64_MAX;
    zb_world_run(w, 30);
    assert_int_equal(f.c->zb.node.nwk.pan_id, pan);
    assert_int_equal(f.r[1]->zb.node.nwk.pan_id, pan);
    assert_int_equal(f.r[1]->zb.node.nwk.channel, f.c->zb.node.nwk.channel);
    assert_int_equal(f.r[1]->zb.node.nwk.update_id, 0);
}

/* Its network's name, said by somebody else on another PAN: it asks there, in vain. */
static void a_rejoin_in_vain_leaves_a_router_where_it_was(void **state)
{
    struct zb_world *w = *state;
    struct zb_sim_node *c = zb_world_coordinator(w);
    struct zb_sim_node *r = zb_world_add(w, AL_NWK_ROLE_ROUTER, false);
    zb_world_join(w, r);
    uint16_t pan = r->zb.node.nwk.pan_id, addr = r->zb.node.nwk.addr;
    uint8_t channel = r->zb.node.nwk.channel;
    zb_sim_power_off(c);
    struct zb_sim_node *liar = zb_world_add(w, AL_NWK_ROLE_COORDINATOR, false);
    liar->zb.node.bdb.c.epid = c->config.ext;
    assert_int_equal(al_bdb_form(&liar->zb.node.bdb, zb_sim_now(w->sim)), 0);
    assert_int_equal(zb_world_wait(w, liar, AL_BDB_FORMED, 20), AL_ZB_OK);
    assert_int_not_equal(liar->zb.node.nwk.pan_id, pan);
    zb_world_run(w, 300);
    zb_world_expect(w, r, AL_BDB_PARENT_LOST, 0);
    zb_world_until_state(w, r, AL_BDB_PAUSE);
    assert_true(is_member(r));
    assert_int_equal(r->zb.node.nwk.pan_id, pan);
    assert_int_equal(r->zb.node.nwk.channel, channel);
    assert_int_equal(r->zb.node.nwk.addr, addr);
    zb_sim_power_off(liar);
    zb_world_restart(w, c);
    assert_int_equal(rejoined(w, r, 700), AL_ZB_OK);
    zb_world_exchange(w, c, r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ZB_WORLD_TEST(a_sleepy_device_finds_another_parent),
        ZB_WORLD_TEST(a_listening_device_finds_another_parent),
        ZB_WORLD_TEST(without_another_parent_it_waits_for_the_old_one),
        ZB_WORLD_TEST(a_device_that_starts_without_its_network_goes_on_looking),
        ZB_WORLD_TEST(a_lost_beacon_delays_the_return_by_less_than_a_second),
        ZB_WORLD_TEST(a_sleepy_device_that_missed_a_key_gets_it_from_the_trust_centre),
        ZB_WORLD_TEST(a_listening_device_that_missed_a_key_gets_it_from_the_trust_centre),
        ZB_WORLD_TEST(a_router_that_missed_a_key_notices_and_gets_it),
        ZB_WORLD_TEST(a_key_change_reaches_who_is_there),
        ZB_WORLD_TEST(a_coordinator_restarts_among_its_devices),
        ZB_WORLD_TEST(a_router_that_hears_nobody_goes_on_serving_its_children),
        ZB_WORLD_TEST(a_router_restarts_with_its_children),
        ZB_WORLD_TEST(a_child_that_has_moved_meanwhile_is_struck_off),
        ZB_WORLD_TEST(who_has_not_heard_a_child_lately_claims_it_from_nobody),
        ZB_WORLD_TEST(an_announcement_that_found_no_room_is_made_up_for),
        ZB_WORLD_TEST(everything_comes_back_after_a_power_cut),
        ZB_WORLD_TEST(all_follow_to_another_channel),
        ZB_WORLD_TEST(all_follow_to_another_pan_id),
        ZB_WORLD_TEST(only_the_coordinator_moves_the_network),
        ZB_WORLD_TEST(a_rejoin_in_vain_leaves_a_router_where_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
