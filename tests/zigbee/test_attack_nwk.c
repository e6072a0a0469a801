/* What somebody without the network key may try on MAC and NWK: frames recorded and played
 * back, forged MAC addresses, floods of requests that need no key. And a member that was
 * shut out by a change of the key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/nwk_bench.h"
#include "tests/support/zigbee_vector.h"

static struct nwk_bench bench;
static uint8_t mac_seq;

static int set_up(void **state)
{
    nwk_bench_init(&bench, NULL);
    nwk_bench_add(&bench, COORDINATOR);
    return 0;
}

static int tear_down(void **state)
{
    nwk_bench_free(&bench);
    return 0;
}

static void hear(struct nwk_node *to, const uint8_t *mpdu, size_t len)
{
    const struct al_radio_rx rx = {.mpdu = mpdu, .len = (uint8_t)len, .lqi = 255};
    al_mac_received(&to->mac, nwk_bench_now(&bench), &rx);
    nwk_bench_arm(to);
}

/* ---- Recorded frames ---- */

static struct {
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
    size_t len;
    uint16_t from; /* only frames of this MAC source, */
    uint16_t of;   /* and of this NWK source */
    bool rejoins_only;
} tape;

static void record(struct nwk_bench *b, const struct medium_frame *frame)
{
    struct al_mac_frame mac;
    struct al_nwk_frame f;
    if (al_mac_parse(&mac, frame->mpdu, frame->len) || mac.type != AL_MAC_DATA) return;
    if (al_nwk_parse(&f, mac.payload, mac.payload_len) || !f.secured) return;
    if (mac.src.short_addr != tape.from || f.src != tape.of) return;
    uint8_t plain[AL_RADIO_MPDU_MAX];
    if (tape.rejoins_only &&
        (f.type != AL_NWK_COMMAND || al_nwk_open(&f, zigbee_aes(), b->key, f.aux.source, plain) ||
         f.payload[0] != AL_NWK_REJOIN_REQUEST))
        return;
    memcpy(tape.mpdu, frame->mpdu, frame->len);
    tape.len = frame->len;
}

static void record_from(uint16_t from, uint16_t of)
{
    tape.len = 0;
    tape.from = from;
    tape.of = of;
    tape.rejoins_only = false;
    bench.frame = record;
}

/* The recorded frame, with MAC addresses of the attacker's choice. */
static void play(struct nwk_node *to, uint16_t mac_src)
{
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
    struct al_put p = al_put(mpdu, sizeof mpdu);
    struct al_mac_frame mac;
    assert_true(tape.len > 0);
    assert_int_equal(al_mac_parse(&mac, tape.mpdu, tape.len), 0);
    mac.seq = mac_seq++;
    mac.dst = al_mac_short(to->nwk.pan_id, to->nwk.addr);
    mac.src = al_mac_short(to->nwk.pan_id, mac_src);
    assert_int_equal(al_mac_build(&mac, &p), 0);
    hear(to, mpdu, p.len);
}

static void a_replay_under_the_own_address_is_no_conflict(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER),
                    *s = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    nwk_bench_join(s);
    nwk_bench_run(&bench, 30 * SECOND);
    record_from(s->nwk.addr, s->nwk.addr);
    nwk_bench_passes(s, c, "to record");
    uint16_t addr = r->nwk.addr;
    play(r, addr);
    assert_int_equal(r->nwk.addr, addr);
    assert_int_equal(r->conflicts, 0);
    /* Nor under the address of a third. */
    play(r, 0);
    assert_int_equal(al_nwk_addr_of(&r->nwk, s->ext), s->nwk.addr);
    assert_int_equal(r->conflicts, 0);
    nwk_bench_run(&bench, SECOND);
    nwk_bench_passes(r, s, "as before");
}

/* A frame that the target never heard: its counter is fresh, only its MAC source is forged. */
static void a_frame_passed_on_moves_nobody(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER),
                    *s = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    nwk_bench_join(s);
    nwk_bench_run(&bench, 30 * SECOND);
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
    struct al_put p = al_put(mpdu, sizeof mpdu);
    const struct al_mac_frame mac = {.type = AL_MAC_DATA,
                                     .dst = al_mac_short(c->nwk.pan_id, c->nwk.addr),
                                     .src = al_mac_short(c->nwk.pan_id, 0x4321),
                                     .seq = mac_seq++};
    const struct al_nwk_frame f = {.type = AL_NWK_DATA,
                                   .dst = 0,
                                   .src = r->nwk.addr, /* passed on by s */
                                   .radius = 5,
                                   .secured = true,
                                   .aux = {.source = s->ext,
                                           .has_source = true,
                                           .key_id = AL_SEC_KEY_NETWORK,
                                           .counter = s->nwk.counter + 100},
                                   .payload = (const uint8_t *)"x",
                                   .payload_len = 1};
    assert_int_equal(al_mac_build(&mac, &p), 0);
    assert_int_equal(al_nwk_seal(&f, zigbee_aes(), bench.key, &p), 0);
    unsigned got = c->got;
    hear(c, mpdu, p.len);
    assert_int_equal(c->got, got);
    assert_int_equal(al_nwk_addr_of(&c->nwk, s->ext), s->nwk.addr);
    nwk_bench_passes(c, s, "where it was");
}

/* ---- Requests without a key ---- */

static void forge_rejoin(struct nwk_node *to, uint64_t ext, uint16_t src)
{
    static const uint8_t payload[] = {AL_NWK_REJOIN_REQUEST, AL_CAP_RX_ON | AL_CAP_ALLOCATE};
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
    struct al_put p = al_put(mpdu, sizeof mpdu);
    const struct al_mac_frame mac = {.type = AL_MAC_DATA,
                                     .dst = al_mac_short(to->nwk.pan_id, to->nwk.addr),
                                     .src = al_mac_short(to->nwk.pan_id, src),
                                     .seq = mac_seq++};
    const struct al_nwk_frame f = {.type = AL_NWK_COMMAND,
                                   .dst = to->nwk.addr,
                                   .src = src,
                                   .has_src_ext = true,
                                   .src_ext = ext,
                                   .radius = 1,
                                   .payload = payload,
                                   .payload_len = sizeof payload};
    assert_int_equal(al_mac_build(&mac, &p), 0);
    assert_int_equal(al_nwk_build(&f, &p), 0);
    hear(to, mpdu, p.len);
}

static void forge_association(struct nwk_node *to, uint64_t ext, uint8_t capability)
{
    uint8_t mpdu[AL_RADIO_MPDU_MAX], payload[] = {AL_MAC_ASSOC_REQUEST, capability};
    struct al_put p = al_put(mpdu, sizeof mpdu);
    const struct al_mac_frame mac = {.type = AL_MAC_COMMAND,
                                     .dst = al_mac_short(to->nwk.pan_id, to->nwk.addr),
                                     .src = al_mac_ext(AL_MAC_BROADCAST, ext),
                                     .seq = mac_seq++,
                                     .ack_request = true,
                                     .payload = payload,
                                     .payload_len = sizeof payload};
    assert_int_equal(al_mac_build(&mac, &p), 0);
    hear(to, mpdu, p.len);
}

static unsigned records_of(const struct nwk_node *n)
{
    unsigned count = 0;
    for (unsigned i = 0; i < NWK_BENCH_RECORDS; i++) count += n->records[i].len != 0;
    return count;
}

static void a_flood_of_rejoins_leaves_room_and_no_trace(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER),
                    *e = nwk_bench_add(&bench, END_DEVICE);
    nwk_bench_join(r);
    nwk_bench_permit(c, 0);
    nwk_bench_permit(r, 180);
    nwk_bench_join(e);
    nwk_bench_permit(r, 0);
    assert_int_equal(e->nwk.parent, r->nwk.addr);
    c->give_no_key = true;
    unsigned records = records_of(c);
    for (unsigned i = 0; i < 200; i++) {
        forge_rejoin(c, 0x5000 + i, (uint16_t)(0x2000 + i));
        if (i % 8 == 7) nwk_bench_run(&bench, 50 * MS);
    }
    /* Its parent is gone; it has the key and finds a place here. */
    nwk_bench_kill(r);
    nwk_bench_rejoin(e, true);
    assert_int_equal(e->joined, AL_ZB_OK);
    assert_int_equal(e->nwk.parent, 0);
    nwk_bench_run(&bench, 60 * SECOND);
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(al_nwk_addr_of(&c->nwk, 0x5000 + i), AL_NWK_NO_ADDR);
    assert_true(records_of(c) <= records + 2);
}

static void an_unproven_rejoin_moves_no_device_elsewhere(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER),
                    *e = nwk_bench_add(&bench, END_DEVICE);
    nwk_bench_join(r);
    nwk_bench_permit(c, 0);
    nwk_bench_permit(r, 180);
    nwk_bench_join(e);
    al_nwk_learn(&c->nwk, nwk_bench_now(&bench), e->nwk.addr, e->ext);
    nwk_bench_arm(c);
    c->give_no_key = true;
    forge_rejoin(c, e->ext, 0x3333);
    nwk_bench_run(&bench, SECOND);
    assert_int_equal(al_nwk_addr_of(&c->nwk, e->ext), e->nwk.addr);
    nwk_bench_run(&bench, 30 * SECOND);
    assert_int_equal(al_nwk_addr_of(&c->nwk, e->ext), e->nwk.addr);
    nwk_bench_passes(c, e, "where it is");
}

static void an_unproven_rejoin_takes_no_router_away(void **state)
{
    nwk_bench_form(&bench);
    struct nwk_node *r = nwk_bench_add(&bench, ROUTER), *s = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    nwk_bench_permit(r, 0);
    nwk_bench_join(s);
    nwk_bench_run(&bench, 40 * SECOND);
    const struct al_nwk_neighbour *who = al_nwk_neighbour_ext(&r->nwk, s->ext);
    assert_int_equal(who->relation, AL_NWK_SIBLING);
    r->give_no_key = true;
    forge_rejoin(r, s->ext, 0x3333);
    nwk_bench_run(&bench, 100 * MS);
    assert_ptr_equal(al_nwk_neighbour_ext(&r->nwk, s->ext), who);
    assert_int_equal(who->relation, AL_NWK_SIBLING);
    assert_int_equal(who->role, AL_NWK_ROLE_ROUTER);
    /* Nor does an association, while the network is open. */
    nwk_bench_permit(r, 180);
    forge_association(r, s->ext, AL_CAP_ALLOCATE);
    s->dead = true;
    nwk_bench_run(&bench, 10 * SECOND);
    s->dead = false;
    assert_ptr_equal(al_nwk_neighbour_ext(&r->nwk, s->ext), who);
    assert_int_equal(who->relation, AL_NWK_SIBLING);
    assert_int_equal(who->role, AL_NWK_ROLE_ROUTER);
    assert_true(who->counter_known);
    nwk_bench_run(&bench, 20 * SECOND);
    nwk_bench_passes(r, s, "as before");
}

static void a_refused_rejoin_costs_no_child(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(s);
    nwk_bench_run(&bench, 10 * SECOND);
    record_from(s->nwk.addr, s->nwk.addr);
    nwk_bench_passes(s, c, "to record");
    c->give_no_key = true;
    forge_rejoin(c, s->ext, 0x3333);
    nwk_bench_run(&bench, 100 * MS);
    al_nwk_child_authenticated(&c->nwk, nwk_bench_now(&bench), s->ext, false);
    nwk_bench_arm(c);
    const struct al_nwk_neighbour *child = al_nwk_neighbour_ext(&c->nwk, s->ext);
    assert_non_null(child);
    assert_int_equal(child->relation, AL_NWK_CHILD);
    /* Also when the trust centre lets it in: what was recorded stays recorded. */
    forge_rejoin(c, s->ext, 0x3333);
    al_nwk_child_authenticated(&c->nwk, nwk_bench_now(&bench), s->ext, true);
    nwk_bench_arm(c);
    unsigned got = c->got;
    play(c, s->nwk.addr);
    assert_int_equal(c->got, got);
    nwk_bench_passes(c, s, "still there");
}

static void an_association_in_a_childs_name_costs_nothing(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(s);
    nwk_bench_run(&bench, 10 * SECOND);
    record_from(s->nwk.addr, s->nwk.addr);
    nwk_bench_passes(s, c, "to record");
    forge_association(c, s->ext, AL_CAP_ROUTER | AL_CAP_RX_ON | AL_CAP_ALLOCATE);
    unsigned got = c->got;
    play(c, s->nwk.addr);
    assert_int_equal(c->got, got);
    nwk_bench_run(&bench, 40 * SECOND);
    const struct al_nwk_neighbour *child = al_nwk_neighbour_ext(&c->nwk, s->ext);
    assert_non_null(child);
    assert_int_equal(child->relation, AL_NWK_CHILD);
    assert_int_equal(child->role, AL_NWK_ROLE_END_DEVICE);
    assert_false(child->rx_on);
    nwk_bench_passes(c, s, "still there");
}

static void a_flood_of_associations_does_not_fill_the_queue(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    nwk_bench_permit(c, 0);
    for (unsigned i = 0; i < 100; i++) forge_association(c, 0x7000 + i, 0x8e);
    assert_true(al_mac_free_slots(&c->mac) >= 16);
    nwk_bench_passes(c, r, "room for it");
    /* The same one again and again gets one answer. */
    nwk_bench_run(&bench, 10 * SECOND);
    for (unsigned i = 0; i < 4; i++) forge_association(c, 0x7000, 0x8e);
    assert_int_equal(al_mac_free_slots(&c->mac), 23);
}

static void a_flood_of_polls_does_not_fill_the_queue(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    for (unsigned i = 0; i < 100; i++) {
        const struct al_mac_addr from = al_mac_short(NWK_BENCH_PAN, (uint16_t)(0x3000 + i));
        c->nwk.c.mac->c.up->child_polled(&c->nwk, nwk_bench_now(&bench), &from);
        nwk_bench_arm(c);
    }
    assert_true(al_mac_free_slots(&c->mac) >= 20);
    nwk_bench_passes(c, r, "room for it");
}

static void a_notice_of_disassociation_costs_no_counter(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *s = nwk_bench_add(&bench, SLEEPY);
    nwk_bench_join(s);
    nwk_bench_run(&bench, 10 * SECOND);
    record_from(s->nwk.addr, s->nwk.addr);
    nwk_bench_passes(s, c, "to record");
    const struct al_mac_addr from = al_mac_ext(NWK_BENCH_PAN, s->ext);
    c->nwk.c.mac->c.up->disassociated(&c->nwk, nwk_bench_now(&bench), &from, 2);
    uint32_t replays = c->nwk.dropped_replay;
    play(c, s->nwk.addr);
    assert_int_equal(c->nwk.dropped_replay, replays + 1);
}

static void a_recorded_rejoin_brings_no_child_back(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER),
                    *e = nwk_bench_add(&bench, END_DEVICE);
    nwk_bench_join(r);
    nwk_bench_permit(r, 0);
    nwk_bench_join(e);
    nwk_bench_part(e, r);
    record_from(e->nwk.addr, e->nwk.addr);
    tape.rejoins_only = true;
    nwk_bench_rejoin(e, true); /* at its parent once more */
    assert_int_equal(e->nwk.parent, 0);
    bench.frame = NULL;
    assert_true(tape.len > 0);
    nwk_bench_passes(e, c, "here");
    nwk_bench_meet(e, r);
    nwk_bench_part(e, c);
    nwk_bench_rejoin(e, true);
    assert_int_equal(e->nwk.parent, r->nwk.addr);
    const struct al_nwk_send announce = {
        .dst = 0, .payload = (const uint8_t *)"moved", .len = 5, .with_src_ext = true};
    assert_int_equal(al_nwk_send(&e->nwk, nwk_bench_now(&bench), &announce), 0);
    nwk_bench_arm(e);
    nwk_bench_run(&bench, SECOND);
    assert_null(al_nwk_neighbour_ext(&c->nwk, e->ext));
    play(c, e->nwk.addr);
    nwk_bench_run(&bench, SECOND);
    assert_null(al_nwk_neighbour_ext(&c->nwk, e->ext));
    nwk_bench_passes(c, e, "there");
}

/* ---- Own counters ---- */

static void the_reserve_does_not_wrap(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    c->nwk.counter = c->nwk.counter_reserved = UINT32_MAX - 500;
    nwk_bench_passes(c, r, "near the end");
    assert_true(c->nwk.counter_reserved > c->nwk.counter);
    uint32_t used = c->nwk.counter;
    nwk_bench_restart(c);
    assert_true(c->nwk.counter >= used);
}

static void a_new_key_that_was_not_saved_keeps_the_counter(void **state)
{
    static const uint8_t fresh[16] = {9, 9, 9};
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    c->nwk.counter = c->nwk.counter_reserved = 50000;
    nwk_bench_passes(c, r, "old key");
    uint32_t used = c->nwk.counter;
    al_nwk_set_key(&c->nwk, nwk_bench_now(&bench), fresh, 1);
    al_nwk_set_key(&r->nwk, nwk_bench_now(&bench), fresh, 1);
    c->save_error = AL_FAIL;
    al_nwk_switch_key(&c->nwk, nwk_bench_now(&bench), 1);
    c->save_error = 0;
    nwk_bench_passes(c, r, "new key");
    nwk_bench_restart(c);
    assert_int_equal(al_nwk_active_key(&c->nwk)->seq, 0); /* it knows of no other */
    assert_true(c->nwk.counter >= used);
}

static void the_same_key_under_another_number_keeps_the_counter(void **state)
{
    struct nwk_node *c = nwk_bench_form(&bench), *r = nwk_bench_add(&bench, ROUTER);
    nwk_bench_join(r);
    nwk_bench_passes(c, r, "x");
    uint32_t used = c->nwk.counter;
    al_nwk_set_key(&c->nwk, nwk_bench_now(&bench), bench.key, 1);
    al_nwk_switch_key(&c->nwk, nwk_bench_now(&bench), 1);
    assert_true(c->nwk.counter >= used);
}

static void nobody_goes_back_to_an_old_key(void **state)
{
    static const uint8_t fresh[16] = {9, 9, 9};
    struct nwk_node *c = nwk_bench_form(&bench);
    al_nwk_set_key(&c->nwk, nwk_bench_now(&bench), fresh, 1);
    al_nwk_switch_key(&c->nwk, nwk_bench_now(&bench), 1);
    c->nwk.counter = 77;
    al_nwk_switch_key(&c->nwk, nwk_bench_now(&bench), 0);
    assert_int_equal(al_nwk_active_key(&c->nwk)->seq, 1);
    assert_int_equal(c->nwk.counter, 77);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_replay_under_the_own_address_is_no_conflict),
        T(a_frame_passed_on_moves_nobody),
        T(a_flood_of_rejoins_leaves_room_and_no_trace),
        T(an_unproven_rejoin_moves_no_device_elsewhere),
        T(an_unproven_rejoin_takes_no_router_away),
        T(a_refused_rejoin_costs_no_child),
        T(an_association_in_a_childs_name_costs_nothing),
        T(a_flood_of_associations_does_not_fill_the_queue),
        T(a_flood_of_polls_does_not_fill_the_queue),
        T(a_notice_of_disassociation_costs_no_counter),
        T(a_recorded_rejoin_brings_no_child_back),
        T(the_reserve_does_not_wrap),
        T(a_new_key_that_was_not_saved_keeps_the_counter),
        T(the_same_key_under_another_number_keeps_the_counter),
        T(nobody_goes_back_to_an_old_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
