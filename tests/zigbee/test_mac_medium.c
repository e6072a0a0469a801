/* Real MACs on the model of the air: join and sleep, with and without losses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "radio/medium.h"
#include "zigbee/mac.h"

#define CHILDREN 20
#define SLOTS    64
#define PAN      0x1a62u
#define CHANNEL  15

struct node {
    struct al_mac mac;
    struct medium_node *air;
    struct al_mac_slot slots[SLOTS];
    struct al_mac_seen seen[CHILDREN + 1];
    uint32_t random;
    uint16_t addr;
    unsigned got, confirmed, beacons;
    uint64_t next_poll;
    struct al_mac_beacon_ind found;
};

static struct node parent, children[CHILDREN];
static struct medium *medium;

static uint32_t next_random(void *ctx)
{
    struct node *n = ctx;
    n->random = n->random * 1664525 + 1013904223;
    return n->random;
}

static void arm(struct node *n)
{
    uint64_t at = al_mac_next(&n->mac);
    medium_node_wake(n->air, n->next_poll < at ? n->next_poll : at);
}

static void received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    struct node *n = ctx;
    al_mac_received(&n->mac, now, rx);
    arm(n);
}

static void transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    struct node *n = ctx;
    al_mac_transmitted(&n->mac, now, status, pending);
    arm(n);
}

static void wake(void *ctx, uint64_t now)
{
    struct node *n = ctx;
    if (now >= n->next_poll) {
        n->next_poll = now + 500000;
        al_mac_poll(&n->mac, now, 0);
    }
    al_mac_run(&n->mac, now);
    arm(n);
}

static void data(void *ctx, uint64_t now, const struct al_mac_data_ind *ind)
{
    struct node *n = ctx;
    assert_int_equal(ind->len, 4);
    assert_memory_equal(ind->payload, "frm", 3);
    assert_int_equal(ind->payload[3], n->got); /* in order, none twice */
    n->got++;
}

static void sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    struct node *n = ctx;
    n->confirmed += status == AL_ZB_OK;
}

static void beacon(void *ctx, uint64_t now, const struct al_mac_beacon_ind *ind)
{
    struct node *n = ctx;
    n->found = *ind;
    n->beacons++;
}

static void scan_done(void *ctx, uint64_t now)
{
    struct node *n = ctx;
    if (n->beacons)
        al_mac_associate(&n->mac, now, n->found.channel, n->found.pan_id, n->found.addr, 0x80);
    else
        al_mac_scan(&n->mac, now, AL_MAC_SCAN_ACTIVE, 1u << CHANNEL, 3);
}

static void associated(void *ctx, uint64_t now, enum al_zb_status status, uint16_t addr)
{
    struct node *n = ctx;
    n->addr = addr;
    if (status == AL_ZB_OK)
        n->next_poll = now + 100000;
    else
        al_mac_associate(&n->mac, now, CHANNEL, PAN, 0, 0x80);
}

static void association(void *ctx, uint64_t now, uint64_t ext, uint8_t capability)
{
    al_mac_association_answer(&parent.mac, now, ext, (uint16_t)(0x1000 + (ext & 0xff)), AL_ZB_OK,
                              0);
}

static void poll_done(void *ctx, uint64_t now, enum al_zb_status status)
{
    struct node *n = ctx;
    if (status == AL_ZB_OK) n->next_poll = now; /* perhaps there is more */
}

static const struct al_mac_up up = {.data = data,
                                    .sent = sent,
                                    .beacon = beacon,
                                    .scan_done = scan_done,
                                    .associated = associated,
                                    .association = association,
                                    .poll_done = poll_done};

static void add(struct node *n, uint64_t ext)
{
    memset(n, 0, sizeof *n);
    n->next_poll = UINT64_MAX;
    n->random = (uint32_t)ext;
    n->air = medium_add_node(
        medium,
        &(struct medium_node_config){.eui64 = ext,
                                     .events = {.received = received, .transmitted = transmitted},
                                     .wake = wake,
                                     .ctx = n});
    al_mac_init(&n->mac, &(struct al_mac_config){.radio = medium_node_port(n->air),
                                                 .random = {n, next_random},
                                                 .ext_addr = ext,
                                                 .slots = n->slots,
                                                 .slot_count = SLOTS,
                                                 .seen = n->seen,
                                                 .seen_count = CHILDREN + 1,
                                                 .up = &up,
                                                 .up_ctx = n});
}

static void form(double loss, unsigned count)
{
    medium = medium_new(&(struct medium_config){.seed = 7, .loss = loss});
    add(&parent, 0x00124b0000000000);
    al_mac_start(&parent.mac, CHANNEL, PAN, 0, true);
    al_mac_set_beacon(&parent.mac, &(struct al_mac_beacon_ind){
                                       .permit_join = true,
                                       .zigbee = {.profile = 2, .version = 2},
                                   });
    for (unsigned i = 0; i < count; i++) {
        add(&children[i], 0x00124b0000000001 + i);
        al_mac_scan(&children[i].mac, medium_now(medium), AL_MAC_SCAN_ACTIVE,
                    1u << 11 | 1u << CHANNEL, 3);
        arm(&children[i]);
        medium_run_until(medium, medium_now(medium) + 50000);
    }
    medium_run_until(medium, medium_now(medium) + 10000000);
    for (unsigned i = 0; i < count; i++) assert_int_equal(children[i].addr, 0x1001 + i);
}

static void give(struct node *child, uint8_t number)
{
    const uint8_t payload[] = {'f', 'r', 'm', number};
    assert_int_equal(al_mac_send(&parent.mac, medium_now(medium),
                                 &(struct al_mac_send){.dst = al_mac_short(PAN, child->addr),
                                                       .payload = payload,
                                                       .len = sizeof payload,
                                                       .indirect = true,
                                                       .handle = 1}),
                     0);
}

static void a_sleeper_joins_and_fetches_its_frames(void **state)
{
    form(0, 1);
    assert_int_equal(children[0].beacons, 1);
    for (uint8_t i = 0; i < 5; i++) give(&children[0], i);
    arm(&parent);
    uint64_t before = medium_now(medium);
    while (parent.confirmed < 5) assert_true(medium_step(medium));
    assert_true(medium_now(medium) - before < 550000); /* one long poll, then at once */
    assert_int_equal(children[0].got, 5);
    assert_int_equal(parent.confirmed, 5);
    medium_free(medium);
}

static void many_sleepers_on_a_bad_channel_get_each_frame_once(void **state)
{
    form(0.10, CHILDREN);
    for (uint8_t round = 0; round < 20; round++) {
        for (unsigned i = 0; i < CHILDREN; i++) give(&children[i], round);
        arm(&parent);
        medium_run_until(medium, medium_now(medium) + 2000000);
    }
    medium_run_until(medium, medium_now(medium) + 8000000);
    for (unsigned i = 0; i < CHILDREN; i++) assert_int_equal(children[i].got, 20);
    assert_int_equal(parent.confirmed, 20 * CHILDREN);
    assert_int_equal(al_mac_free_slots(&parent.mac), SLOTS);
    medium_free(medium);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sleeper_joins_and_fetches_its_frames),
        cmocka_unit_test(many_sleepers_on_a_bad_channel_get_each_frame_once),
    };
    return cmocka_run_group_tests_name("mac_medium", tests, NULL, NULL);
}
