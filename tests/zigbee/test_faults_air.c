/* Upgrades through air that loses, doubles, delays and repeats frames: the image arrives,
 * whole, and each byte is written once. */
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "tests/support/zb_rogue.h"

#define MINUTE    (60 * ZB_UPGRADE_SECOND)
#define PAGE_SIZE 2048

static uint8_t page[ZB_UPGRADE_CLIENTS][AL_ZOTA_PAGE_BUFFER(PAGE_SIZE)];

static struct al_zota_client_config by_pages(unsigned client)
{
    return (struct al_zota_client_config){.page_buffer = page[client], .page_size = PAGE_SIZE};
}

/* ---- Loss ---- */

static void all_kinds_upgrade_at(double loss)
{
    struct zb_upgrade *u =
        zb_upgrade_new(&(struct medium_config){.seed = 7, .loss = loss}, ZB_UPGRADE_LARGE, -1);
    struct al_zota_client_config blocks = {.max_data_size = 64}, pages = by_pages(1);
    u->hold = true;
    zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, -1, &blocks);
    zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, -1, &pages);
    zb_upgrade_add_client(u, AL_NWK_ROLE_END_DEVICE, false, -1, NULL);
    zb_upgrade_add_client(u, AL_NWK_ROLE_END_DEVICE, true, -1, NULL);
    u->hold = false;
    uint64_t began = zb_upgrade_now(u);
    zb_upgrade_finish(u, 240 * MINUTE);
    unsigned retries = 0, starts = 0;
    for (unsigned i = 0; i < u->client_count; i++) {
        assert_int_equal(u->clients[i].installed, 1);
        retries += u->clients[i].retries;
        starts += u->clients[i].starts;
        if (loss < 0.15) assert_int_equal(u->clients[i].starts, 1);
    }
    print_message("air: %2.0f %% loss: router, router by pages, end device, sleepy end device in "
                  "%.0f s, %u blocks asked for again, %u starts\n",
                  loss * 100, (double)(zb_upgrade_now(u) - began) / 1e6, retries, starts);
    zb_upgrade_free(u);
}

static void four_kinds_of_clients_upgrade_at_once_through_loss(void **state)
{
    for (int percent = 0; percent <= 30; percent += 5) all_kinds_upgrade_at(percent / 100.0);
}

static void loss_over_two_hops_ends_well(void **state)
{
    for (int percent = 0; percent <= 20; percent += 10) {
        struct zb_upgrade *u = zb_upgrade_new(
            &(struct medium_config){.seed = 9, .loss = percent / 100.0}, ZB_UPGRADE_SMALL, 0);
        zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, 20, NULL);
        struct zb_upgrade_client *far =
            zb_upgrade_add_client(u, AL_NWK_ROLE_END_DEVICE, true, 40, NULL);
        assert_int_equal(far->sim->zb.node.nwk.parent, u->clients[0].sim->zb.node.nwk.addr);
        zb_upgrade_finish(u, 60 * MINUTE);
        zb_upgrade_free(u);
    }
}

/* ---- Frames that come twice, late, or in another order ---- */

#define WAITING 64

struct late {
    struct zb_sim_node *to;
    uint64_t at;
    struct al_radio_rx rx;
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
};

/* Stands between the air and the ears of all nodes. */
struct unsteady {
    struct zb_upgrade *u;
    struct late late[WAITING]; /* at 0: free */
    uint32_t random;
    unsigned twice, delayed; /* percent */
    unsigned done;           /* frames so treated */
};

static void put_off(struct unsteady *w, struct zb_sim_node *n, const struct al_radio_rx *rx)
{
    for (unsigned i = 0; i < WAITING; i++) {
        struct late *l = &w->late[i];
        if (l->at) continue;
        *l = (struct late){.to = n, .rx = *rx};
        l->at = zb_upgrade_now(w->u) + 500 + zb_upgrade_random(&w->random, 60000);
        memcpy(l->mpdu, rx->mpdu, rx->len);
        w->done++;
        return;
    }
    zb_sim_hear(n, rx);
}

static void hear_unsteadily(void *ctx, struct zb_sim_node *n, const struct al_radio_rx *rx)
{
    struct unsteady *w = ctx;
    if (zb_upgrade_random(&w->random, 100) < w->twice) put_off(w, n, rx);
    if (zb_upgrade_random(&w->random, 100) < w->delayed)
        put_off(w, n, rx);
    else
        zb_sim_hear(n, rx);
}

static bool until_one_is_due(void *ctx)
{
    const struct unsteady *w = ctx;
    for (unsigned i = 0; i < WAITING; i++)
        if (w->late[i].at && w->late[i].at <= zb_upgrade_now(w->u)) return true;
    return zb_upgrade_all_installed(w->u);
}

static void deliver_late_ones(struct unsteady *w)
{
    for (unsigned i = 0; i < WAITING; i++) {
        struct late *l = &w->late[i];
        if (!l->at || l->at > zb_upgrade_now(w->u)) continue;
        l->rx.mpdu = l->mpdu;
        zb_sim_hear(l->to, &l->rx);
        l->at = 0;
    }
}

static void upgrade_unsteadily(unsigned twice, unsigned delayed, uint32_t seed)
{
    struct zb_upgrade *u =
        zb_upgrade_new(&(struct medium_config){.seed = seed}, ZB_UPGRADE_LARGE, -1);
    struct unsteady w = {.u = u, .random = seed, .twice = twice, .delayed = delayed};
    struct al_zota_client_config pages = by_pages(2);
    zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    zb_upgrade_add_client(u, AL_NWK_ROLE_END_DEVICE, true, -1, NULL);
    zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, -1, &pages);
    for (unsigned i = 0; i < u->world->count; i++) {
        u->world->nodes[i].sim->hears = hear_unsteadily;
        u->world->nodes[i].sim->hears_ctx = &w;
    }
    uint64_t end = zb_upgrade_now(u) + 120 * MINUTE;
    while (!zb_upgrade_all_installed(u) && zb_upgrade_now(u) < end) {
        zb_upgrade_run(u, ZB_UPGRADE_SECOND / 100, until_one_is_due, &w);
        deliver_late_ones(&w);
    }
    zb_upgrade_finish(u, 1);
    for (unsigned i = 0; i < u->client_count; i++) assert_int_equal(u->clients[i].installed, 1);
    print_message("air: %u %% of the frames twice, %u %% late: %u frames, %.0f s\n", twice, delayed,
                  w.done, (double)zb_upgrade_now(u) / 1e6);
    assert_true(w.done > 100);
    zb_upgrade_free(u);
}

static void frames_that_come_twice_or_in_another_order_do_no_harm(void **state)
{
    upgrade_unsteadily(20, 0, 1);
    upgrade_unsteadily(0, 10, 2);
    upgrade_unsteadily(20, 10, 3);
}

/* ---- Frames that somebody sends again ---- */

static bool replay(struct zb_rogue *r, struct al_put *p)
{
    if (!zb_rogue_pick(r, p)) return false;
    if (zb_rogue_random(r, 2)) p->buf[2] = (uint8_t)zb_rogue_random(r, 256); /* as new to the MAC */
    return true;
}

/* Nothing of it is believed, so that everything goes its way, only slower. */
static void frames_that_somebody_sends_again_are_not_believed(void **state)
{
    static struct zb_rogue r;
    struct zb_upgrade *u = zb_upgrade_new(&(struct medium_config){.seed = 5}, ZB_UPGRADE_LARGE, -1);
    r = (struct zb_rogue){.u = u, .make = replay, .random = 5, .gap_us = 3000};
    zb_rogue_start(&r);
    zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    zb_upgrade_add_client(u, AL_NWK_ROLE_END_DEVICE, true, -1, NULL);
    zb_upgrade_finish(u, 60 * MINUTE);
    zb_upgrade_run(u, 10 * MINUTE, NULL, NULL);
    for (unsigned i = 0; i < u->client_count; i++) {
        assert_int_equal(u->clients[i].installed, 1);
        assert_int_equal(u->clients[i].starts, 1);
        assert_true(al_bdb_is_member(&u->clients[i].sim->zb.node.bdb));
    }
    uint32_t refused = 0;
    for (unsigned i = 0; i < u->world->count; i++)
        refused += u->world->nodes[i].sim->zb.node.nwk.dropped_replay;
    print_message("air: %u frames sent again, of %u overheard; %u refused for their counters\n",
                  r.sent, r.heard, refused);
    assert_true(r.sent > 1000 && refused > r.sent / 10);
    zb_upgrade_free(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_kinds_of_clients_upgrade_at_once_through_loss),
        cmocka_unit_test(loss_over_two_hops_ends_well),
        cmocka_unit_test(frames_that_come_twice_or_in_another_order_do_no_harm),
        cmocka_unit_test(frames_that_somebody_sends_again_are_not_believed),
    };
    return cmocka_run_group_tests_name("faults_air", tests, NULL, NULL);
}
