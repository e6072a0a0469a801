/* What a node tells of itself, obeys and asks, over the air. */
#include "zigbee/zdo.h"

#include <string.h>

#include "core/err.h"
#include "tests/support/zcl_pair.h"

#define SECOND 1000000u

static struct zcl_pair pair;
static struct zb_sim_node *sleepy;
static struct al_zdp r; /* the last response */

static struct al_zcl_cluster in1 = {.id = 0x0000}, in2 = {.id = 0x0006},
                             out1 = {.id = 0x0019, .client = true};
static struct al_zcl_endpoint endpoint = {
    .id = 10, .profile = AL_PROFILE_HA, .device_id = 0x0100, .version = 1};

static int open_network(void **state)
{
    zcl_pair_new(&pair);
    sleepy = zcl_pair_add(&pair, AL_NWK_ROLE_END_DEVICE, true);
    al_zcl_add_cluster(&endpoint, &in1);
    al_zcl_add_cluster(&endpoint, &in2);
    al_zcl_add_cluster(&endpoint, &out1);
    assert_int_equal(al_zcl_add_endpoint(zcl_pair_zcl(pair.d), &endpoint), 0);
    return 0;
}

static int close_network(void **state)
{
    zcl_pair_free(&pair);
    return 0;
}

static uint16_t addr_of(const struct zb_sim_node *n)
{
    return n->zb.node.nwk.addr;
}

/* Asks the device; its status. */
static uint8_t ask(struct al_zdp q)
{
    assert_int_equal(zcl_pair_zdp(&pair, addr_of(pair.d), &q, &r), AL_ZB_OK);
    assert_int_equal(r.cluster, q.cluster | AL_ZDP_RESPONSE);
    return r.status;
}

static enum al_zb_status broadcast(struct al_zdp q)
{
    return zcl_pair_zdp(&pair, AL_NWK_ALL_RX_ON, &q, &r);
}

/* ---- Descriptors ---- */

static void an_interview_finds_everything(void **state)
{
    uint16_t addr = addr_of(pair.d);
    assert_int_equal(ask((struct al_zdp){.cluster = AL_ZDP_NODE_DESC, .desc_req = {.addr = addr}}),
                     0);
    assert_int_equal(r.node_rsp.addr, addr);
    assert_int_equal(r.node_rsp.desc.logical_type, AL_ZDP_ROUTER);
    assert_int_equal(r.node_rsp.desc.band, AL_ZDP_BAND_2400);
    assert_int_equal(r.node_rsp.desc.capability, 0x8e);
    assert_int_equal(r.node_rsp.desc.max_buffer, 82);
    assert_int_equal(AL_ZDP_REVISION(r.node_rsp.desc.server_mask), 22);

    assert_int_equal(ask((struct al_zdp){.cluster = AL_ZDP_ACTIVE_EP, .desc_req = {.addr = addr}}),
                     0);
    assert_int_equal(r.endpoints_rsp.count, 2); /* 1 is there anyhow */
    assert_int_equal(r.endpoints_rsp.endpoints[1], 10);

    assert_int_equal(ask((struct al_zdp){.cluster = AL_ZDP_SIMPLE_DESC,
                                         .desc_req = {.addr = addr, .endpoint = 10}}),
                     0);
    const struct al_zdp_simple_desc *d = &r.simple_rsp.desc;
    assert_int_equal(d->endpoint, 10);
    assert_int_equal(d->profile, AL_PROFILE_HA);
    assert_int_equal(d->device_id, 0x0100);
    assert_int_equal(d->version, 1);
    assert_int_equal(d->in.count, 2);
    assert_int_equal(al_zdp_id(&d->in, 1), 0x0006);
    assert_int_equal(d->out.count, 1);
    assert_int_equal(al_zdp_id(&d->out, 0), 0x0019);

    assert_int_equal(ask((struct al_zdp){.cluster = AL_ZDP_POWER_DESC, .desc_req = {.addr = addr}}),
                     0);
    assert_int_equal(r.power_rsp.desc, 0xc110);
}

static void the_coordinator_says_that_it_is_the_trust_centre(void **state)
{
    struct al_zdp_node_desc d = al_zdo_own_node_desc(zcl_pair_zdo(pair.c));
    assert_int_equal(d.logical_type, AL_ZDP_COORDINATOR);
    assert_int_equal(d.server_mask, 0x2c41);
    d = al_zdo_own_node_desc(zcl_pair_zdo(sleepy));
    assert_int_equal(d.logical_type, AL_ZDP_END_DEVICE);
    assert_int_equal(d.capability, 0x80);
}

static void endpoints_that_are_not_there_get_their_own_status(void **state)
{
    struct al_zdp q = {.cluster = AL_ZDP_SIMPLE_DESC, .desc_req = {.addr = addr_of(pair.d)}};
    assert_int_equal(ask(q), AL_ZDP_INVALID_ENDPOINT);
    q.desc_req.endpoint = 255;
    assert_int_equal(ask(q), AL_ZDP_INVALID_ENDPOINT);
    q.desc_req.endpoint = 33;
    assert_int_equal(ask(q), AL_ZDP_NOT_ACTIVE);
    assert_int_equal(r.simple_rsp.addr, addr_of(pair.d));
}

static void nobody_speaks_for_another(void **state)
{
    static const uint16_t asked[] = {AL_ZDP_NODE_DESC, AL_ZDP_POWER_DESC, AL_ZDP_SIMPLE_DESC,
                                     AL_ZDP_ACTIVE_EP};
    for (unsigned i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct al_zdp q = {.cluster = asked[i], .desc_req = {.addr = 0x4242, .endpoint = 1}};
        assert_int_equal(ask(q), AL_ZDP_DEVICE_NOT_FOUND);
    }
    assert_int_equal(r.endpoints_rsp.addr, 0x4242);
}

/* ---- Addresses ---- */

static void addresses_are_found_by_broadcast(void **state)
{
    struct al_zdp q = {.cluster = AL_ZDP_NWK_ADDR, .addr_req = {.ext = pair.d->config.ext}};
    assert_int_equal(broadcast(q), AL_ZB_OK);
    assert_int_equal(r.status, 0);
    assert_int_equal(r.addr_rsp.addr, addr_of(pair.d));
    q.addr_req.ext ^= 0x77;
    assert_int_equal(broadcast(q), AL_ZB_TIMEOUT); /* nobody says "not me" */
    assert_int_equal(ask(q), AL_ZDP_DEVICE_NOT_FOUND);
    assert_int_equal(ask((struct al_zdp){.cluster = AL_ZDP_IEEE_ADDR,
                                         .addr_req = {.addr = addr_of(pair.d), .type = 1}}),
                     0);
    assert_true(r.addr_rsp.ext == pair.d->config.ext);
    assert_true(r.addr_rsp.has_list);
    q = (struct al_zdp){.cluster = AL_ZDP_IEEE_ADDR,
                        .addr_req = {.addr = addr_of(pair.d), .type = 2}};
    assert_int_equal(ask(q), AL_ZDP_INVALID_REQUEST);
}

/* The first answer of whoever asks the sleeper's parent. */
static struct {
    unsigned answers;
    enum al_zb_status status;
    uint16_t src, addr;
    uint64_t ext;
} noted;

static void note(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    noted.answers++;
    noted.status = a->status;
    if (a->status != AL_ZB_OK) return;
    noted.src = a->src;
    noted.addr = a->response->addr_rsp.addr;
    noted.ext = a->response->addr_rsp.ext;
}

static void parents_answer_for_their_sleeping_children(void **state)
{
    struct zb_sim_node *parent = addr_of(pair.c) == sleepy->zb.node.nwk.parent ? pair.c : pair.d;
    struct zb_sim_node *other = parent == pair.c ? pair.d : pair.c;
    memset(&noted, 0, sizeof noted);
    assert_int_equal(al_zdo_nwk_addr(zcl_pair_zdo(other), zcl_pair_now(&pair), AL_NWK_ALL_RX_ON,
                                     sleepy->config.ext, note, NULL),
                     0);
    zcl_pair_wait(&pair, 10 * SECOND);
    assert_int_equal(noted.answers, 1);
    assert_int_equal(noted.status, AL_ZB_OK);
    assert_int_equal(noted.src, addr_of(parent));
    assert_int_equal(noted.addr, addr_of(sleepy));
    assert_true(noted.ext == sleepy->config.ext);
}

/* ---- Match ---- */

static struct al_zdp match(uint16_t addr, uint16_t profile, const uint16_t *in, const uint16_t *out)
{
    return (struct al_zdp){.cluster = AL_ZDP_MATCH_DESC,
                           .match_req = {.in = {.own = in, .count = in != NULL},
                                         .out = {.own = out, .count = out != NULL},
                                         .addr = addr,
                                         .profile = profile}};
}

static void clusters_are_matched_by_side_and_profile(void **state)
{
    const uint16_t ota = 0x0019, light = 0x0006;
    uint16_t addr = addr_of(pair.d);
    assert_int_equal(ask(match(addr, AL_PROFILE_HA, NULL, &ota)), 0);
    assert_int_equal(r.endpoints_rsp.count, 1);
    assert_int_equal(r.endpoints_rsp.endpoints[0], 10);
    assert_int_equal(ask(match(addr, AL_PROFILE_ANY, &light, &light)), 0);
    assert_int_equal(ask(match(addr, AL_PROFILE_HA, &ota, NULL)), AL_ZDP_NO_MATCH);
    assert_int_equal(ask(match(addr, 0x0109, &light, NULL)), AL_ZDP_NO_MATCH);
    assert_int_equal(ask(match(0x4242, AL_PROFILE_HA, &light, NULL)), AL_ZDP_DEVICE_NOT_FOUND);
    assert_int_equal(broadcast(match(AL_NWK_ALL_RX_ON, AL_PROFILE_HA, &light, NULL)), AL_ZB_OK);
    assert_int_equal(broadcast(match(AL_NWK_ALL_RX_ON, AL_PROFILE_HA, &ota, NULL)), AL_ZB_TIMEOUT);
}

static void a_broadcast_question_may_have_many_answers(void **state)
{
    const uint16_t test = 0xfc00; /* that all nodes of this world have, on endpoint 1 */
    memset(&noted, 0, sizeof noted);
    assert_int_equal(al_zdo_match_desc(zcl_pair_zdo(pair.d), zcl_pair_now(&pair), AL_NWK_ALL,
                                       AL_PROFILE_HA, &test, 1, NULL, 0, note, NULL),
                     0);
    zcl_pair_wait(&pair, 20 * SECOND);
    assert_int_equal(noted.answers, 3); /* coordinator, sleeper, the end */
    assert_int_equal(noted.status, AL_ZB_TIMEOUT);
}

/* ---- Bindings and tables ---- */

static void bindings_are_made_shown_and_taken_back(void **state)
{
    struct al_zdp q = {.cluster = AL_ZDP_BIND,
                       .bind = {.src = pair.d->config.ext,
                                .dst = pair.c->config.ext,
                                .cluster = 0x0006,
                                .src_endpoint = 10,
                                .dst_endpoint = 1,
                                .mode = AL_ZDP_BIND_EXT}};
    struct al_zdp list = {.cluster = AL_ZDP_MGMT_BIND};
    struct al_zdp_binding b;
    assert_int_equal(ask(q), 0);
    assert_int_equal(ask(q), 0); /* once more is the same */
    struct al_zdp group = q;
    group.bind.mode = AL_ZDP_BIND_GROUP;
    group.bind.group = 0x1234;
    assert_int_equal(ask(group), 0);
    assert_int_equal(ask(list), 0);
    assert_int_equal(r.mgmt_rsp.total, 2);
    assert_int_equal(r.mgmt_rsp.count, 2);
    struct al_cur c = al_cur(r.mgmt_rsp.entries, r.mgmt_rsp.len);
    al_zdp_binding_get(&b, &c);
    assert_true(b.dst == pair.c->config.ext);
    list.mgmt_req.start = 1;
    assert_int_equal(ask(list), 0);
    assert_int_equal(r.mgmt_rsp.count, 1);

    struct al_zdp wrong = q;
    wrong.bind.src_endpoint = 99;
    assert_int_equal(ask(wrong), AL_ZDP_INVALID_ENDPOINT);
    wrong = q;
    wrong.bind.src ^= 1;
    assert_int_equal(ask(wrong), AL_ZDP_NOT_SUPPORTED);
    for (uint16_t i = 0; i < 6; i++) {
        group.bind.group = i;
        assert_int_equal(ask(group), 0);
    }
    group.bind.group = 77;
    assert_int_equal(ask(group), AL_ZDP_INSUFFICIENT_SPACE);

    q.cluster = AL_ZDP_UNBIND;
    assert_int_equal(ask(q), 0);
    assert_int_equal(ask(q), AL_ZDP_NO_ENTRY);
}

static void neighbours_come_in_portions_that_fit(void **state)
{
    struct al_zdp q = {.cluster = AL_ZDP_MGMT_LQI};
    struct al_zdp_neighbour n;
    bool coordinator = false;
    assert_int_equal(ask(q), 0);
    assert_in_range(r.mgmt_rsp.total, 1, 3);
    struct al_cur c = al_cur(r.mgmt_rsp.entries, r.mgmt_rsp.len);
    for (uint8_t i = 0; i < r.mgmt_rsp.count; i++) {
        al_zdp_neighbour_get(&n, &c);
        if (n.addr != AL_NWK_COORDINATOR) continue;
        coordinator = true;
        assert_int_equal(n.type, AL_ZDP_COORDINATOR);
        assert_true(n.ext == pair.c->config.ext);
        assert_int_equal(n.rx_on, 1);
    }
    assert_true(coordinator);
    q.mgmt_req.start = 200;
    assert_int_equal(ask(q), 0);
    assert_int_equal(r.mgmt_rsp.count, 0);
    assert_int_equal(ask((struct al_zdp){.cluster = AL_ZDP_MGMT_RTG}), 0);

    struct al_nwk *nwk = &pair.d->zb.node.nwk; /* more than a frame holds */
    for (unsigned i = nwk->c.neighbour_count - 8u; i < nwk->c.neighbour_count; i++)
        nwk->c.neighbours[i] = (struct al_nwk_neighbour){
            .ext = i, .addr = (uint16_t)(0x5000 + i), .relation = AL_NWK_SIBLING, .role = 1};
    q.mgmt_req.start = 0;
    assert_int_equal(ask(q), 0);
    assert_int_equal(r.mgmt_rsp.count, 3);
    assert_in_range(r.mgmt_rsp.total, 9, 11);
    for (unsigned i = nwk->c.neighbour_count - 8u; i < nwk->c.neighbour_count; i++)
        nwk->c.neighbours[i].relation = AL_NWK_NOBODY;
}

/* ---- Orders ---- */

static void the_network_is_opened_and_closed_from_afar(void **state)
{
    struct al_zdp q = {.cluster = AL_ZDP_MGMT_PERMIT_JOINING, .permit_req = {.duration = 255}};
    assert_int_equal(ask(q), 0);
    assert_true(al_nwk_permitted(&pair.d->zb.node.nwk, zcl_pair_now(&pair)));
    q.permit_req.duration = 0;
    assert_int_equal(zcl_pair_zdp(&pair, addr_of(sleepy), &q, &r), AL_ZB_OK);
    assert_int_equal(r.status, AL_ZDP_NOT_SUPPORTED);
    assert_int_equal(
        al_zdo_permit(zcl_pair_zdo(pair.c), zcl_pair_now(&pair), AL_NWK_ALL_ROUTERS, 0, NULL, NULL),
        0);
    zcl_pair_wait(&pair, SECOND);
    assert_false(al_nwk_permitted(&pair.d->zb.node.nwk, zcl_pair_now(&pair)));
}

static void only_a_change_of_channel_is_taken_and_only_one_channel(void **state)
{
    struct al_zdp q = {.cluster = AL_ZDP_MGMT_NWK_UPDATE,
                       .nwk_update_req = {.channels = 1u << 15, .duration = 3}};
    assert_int_equal(ask(q), AL_ZDP_NOT_SUPPORTED);
    q.nwk_update_req.duration = 0xfe;
    q.nwk_update_req.channels = 0;
    assert_int_equal(ask(q), AL_ZDP_INVALID_REQUEST);
    q.nwk_update_req.channels = 3u << 15;
    assert_int_equal(ask(q), AL_ZDP_INVALID_REQUEST);
}

/* ---- Frames ---- */

static unsigned refused(void)
{
    return zcl_pair_zdo(pair.d)->requests_refused;
}

static void send_raw(uint16_t dst, uint16_t cluster, const void *asdu, size_t len)
{
    assert_int_equal(al_aps_send(&pair.c->zb.node.aps, zcl_pair_now(&pair),
                                 &(struct al_aps_send){.dst = dst,
                                                       .profile = AL_PROFILE_ZDP,
                                                       .cluster = cluster,
                                                       .asdu = asdu,
                                                       .len = len,
                                                       .ack = !AL_NWK_BROADCAST(dst)}),
                     0);
    zcl_pair_wait(&pair, SECOND);
}

static void what_nobody_knows_is_refused_unless_it_was_for_all(void **state)
{
    unsigned before = refused();
    send_raw(addr_of(pair.d), 0x0077, "\x01", 1);
    assert_int_equal(refused(), before + 1);
    send_raw(addr_of(pair.d), AL_ZDP_NODE_DESC, "\x01\x02", 2); /* cut */
    assert_int_equal(refused(), before + 2);
    send_raw(AL_NWK_ALL_RX_ON, 0x0077, "\x01", 1);
    send_raw(AL_NWK_ALL_RX_ON, AL_ZDP_NODE_DESC, "\x01\x02", 2);
    send_raw(addr_of(pair.d), 0x8077, "\x01\x00", 2);
    send_raw(addr_of(pair.d), AL_ZDP_NODE_DESC | AL_ZDP_RESPONSE, "\x01", 1);
    assert_int_equal(refused(), before + 2);
}

static void requests_to_nobody_end_and_slots_are_free_again(void **state)
{
    struct al_zdo *z = zcl_pair_zdo(pair.d);
    for (int round = 0; round < 3; round++) {
        memset(&noted, 0, sizeof noted);
        for (unsigned i = 0; i < z->c.request_count; i++)
            assert_int_equal(
                al_zdo_nwk_addr(z, zcl_pair_now(&pair), AL_NWK_ALL_RX_ON, 99 + i, note, NULL), 0);
        assert_int_equal(al_zdo_nwk_addr(z, zcl_pair_now(&pair), AL_NWK_ALL_RX_ON, 99, note, NULL),
                         AL_ERR_NO_MEM);
        zcl_pair_wait(&pair, 6 * SECOND);
        assert_int_equal(noted.answers, z->c.request_count);
        assert_int_equal(noted.status, AL_ZB_TIMEOUT);
    }
}

static void a_cancelled_request_is_not_heard_of(void **state)
{
    struct al_zdo *z = zcl_pair_zdo(pair.d);
    int me;
    memset(&noted, 0, sizeof noted);
    assert_int_equal(al_zdo_node_desc(z, zcl_pair_now(&pair), 0, note, &me), 0);
    al_zdo_cancel(z, &me);
    zcl_pair_wait(&pair, 6 * SECOND);
    assert_int_equal(noted.answers, 0);
}

/* Last: the device is gone then. */
static void a_device_that_is_told_to_leave_says_yes_and_leaves(void **state)
{
    struct al_zdp q = {.cluster = AL_ZDP_MGMT_LEAVE};
    assert_int_equal(
        al_zdo_leave(zcl_pair_zdo(pair.d), zcl_pair_now(&pair), 0, 0, false, false, note, NULL), 0);
    zcl_pair_wait(&pair, SECOND);
    assert_int_equal(pair.c->zb.node.nwk.up, true); /* the coordinator stays */
    q.leave_req.ext = 0x1122334455667788;
    assert_int_equal(ask(q), AL_ZDP_DEVICE_NOT_FOUND);
    q.leave_req.ext = 0;
    assert_int_equal(ask(q), 0);
    zcl_pair_wait(&pair, 3 * SECOND);
    assert_false(pair.d->zb.node.nwk.up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interview_finds_everything),
        cmocka_unit_test(the_coordinator_says_that_it_is_the_trust_centre),
        cmocka_unit_test(endpoints_that_are_not_there_get_their_own_status),
        cmocka_unit_test(nobody_speaks_for_another),
        cmocka_unit_test(addresses_are_found_by_broadcast),
        cmocka_unit_test(parents_answer_for_their_sleeping_children),
        cmocka_unit_test(clusters_are_matched_by_side_and_profile),
        cmocka_unit_test(a_broadcast_question_may_have_many_answers),
        cmocka_unit_test(bindings_are_made_shown_and_taken_back),
        cmocka_unit_test(neighbours_come_in_portions_that_fit),
        cmocka_unit_test(the_network_is_opened_and_closed_from_afar),
        cmocka_unit_test(only_a_change_of_channel_is_taken_and_only_one_channel),
        cmocka_unit_test(what_nobody_knows_is_refused_unless_it_was_for_all),
        cmocka_unit_test(requests_to_nobody_end_and_slots_are_free_again),
        cmocka_unit_test(a_cancelled_request_is_not_heard_of),
        cmocka_unit_test(a_device_that_is_told_to_leave_says_yes_and_leaves),
    };
    return cmocka_run_group_tests_name("zdo", tests, open_network, close_network);
}
