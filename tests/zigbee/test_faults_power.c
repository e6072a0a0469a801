/* Power that goes during an upgrade over the air: at every operation of the device's flash,
 * and at any instant, on both sides. The image arrives, whole, and nothing else is ever
 * installed (zb_upgrade.h sees to that). */
#include <stdio.h>

#include "tests/support/zb_upgrade.h"

#define MINUTE (60 * ZB_UPGRADE_SECOND)
#define RUNS   30 /* of each kind */

static void a_cut_at_every_flash_operation_costs_at_most_a_sector(void **state)
{
    struct zb_upgrade *u = zb_upgrade_new(&(struct medium_config){.seed = 1}, ZB_UPGRADE_SMALL, -1);
    struct zb_upgrade_client *c = zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    unsigned resumed = 0, nth = 0;
    uint64_t most = 0;
    zb_upgrade_finish(u, MINUTE);
    do {
        zb_upgrade_renew(c);
        c->cut_at = ++nth;
        zb_upgrade_finish(u, 3 * MINUTE);
        assert_true(c->cuts <= 2); /* the fault, and the restart into the new image */
        if (c->bytes > most) most = c->bytes;
        resumed += c->starts == 2 && c->resumed_at > 0;
    } while (c->cuts > 1);
    print_message("power: %u flash operations cut, %u times resumed inside the file\n", nth - 1,
                  resumed);
    assert_true(nth > 40 && resumed > 10);
    assert_true(most <= u->servers[0].file.size + AL_SECTOR + 223);
    zb_upgrade_free(u);
}

struct weather {
    enum al_nwk_role role;
    bool sleepy;
    double loss;
    unsigned cuts, kills, starts; /* of all runs */
    uint64_t bytes, size;
};

/* Both sides lose power again and again; the pauses reach from less than an answer takes to
 * longer than anybody waits for one. */
static void upgrade_in(struct weather *w, uint32_t seed)
{
    uint32_t random = seed;
    struct zb_upgrade *u = zb_upgrade_new(&(struct medium_config){.seed = seed, .loss = w->loss},
                                          ZB_UPGRADE_LARGE, -1);
    struct zb_upgrade_client *c = zb_upgrade_add_client(u, w->role, w->sleepy, -1, NULL);
    struct zb_upgrade_server *s = &u->servers[0];
    while (!zb_upgrade_run(u, 100000 + zb_upgrade_random(&random, 6000000),
                           zb_upgrade_all_installed, u)) {
        uint64_t pause = zb_upgrade_random(&random, 4000000);
        if (s->lives + c->cuts > 25) break;
        if (zb_upgrade_random(&random, 2))
            zb_upgrade_cut(c, pause);
        else
            zb_upgrade_kill(s, pause);
    }
    zb_upgrade_finish(u, 60 * MINUTE);
    /* Each start again costs at most a sector and the block under way. */
    assert_true(c->bytes <= s->file.size + (uint64_t)c->starts * (AL_SECTOR + 223));
    /* It runs what it has got, and the server knows. */
    zb_upgrade_run(u, 2 * MINUTE, NULL, NULL);
    assert_int_equal(s->records[0].state, AL_ZOTA_SESSION_UPDATED);
    assert_int_equal(c->installed, 1);
    w->cuts += c->cuts;
    w->kills += s->lives - 1;
    w->starts += c->starts;
    w->bytes += c->bytes;
    w->size += s->file.size;
    zb_upgrade_free(u);
}

static void bad_weather(enum al_nwk_role role, bool sleepy, double loss, uint32_t seed)
{
    struct weather w = {.role = role, .sleepy = sleepy, .loss = loss};
    for (unsigned i = 0; i < RUNS; i++) upgrade_in(&w, seed + i);
    print_message("power: %.0f %% loss, %d upgrades: %u cuts, %u kills of the server, %u starts, "
                  "%.1f %% of the file fetched\n",
                  loss * 100, RUNS, w.cuts, w.kills, w.starts,
                  100.0 * (double)w.bytes / (double)w.size);
}

static void a_router_and_its_server_lose_power_at_any_instant(void **state)
{
    bad_weather(AL_NWK_ROLE_ROUTER, false, 0, 100);
    bad_weather(AL_NWK_ROLE_ROUTER, false, 0.1, 200);
}

static void an_end_device_and_its_server_lose_power_at_any_instant(void **state)
{
    bad_weather(AL_NWK_ROLE_END_DEVICE, false, 0, 300);
    bad_weather(AL_NWK_ROLE_END_DEVICE, false, 0.1, 400);
}

static void a_sleepy_device_and_its_server_lose_power_at_any_instant(void **state)
{
    bad_weather(AL_NWK_ROLE_END_DEVICE, true, 0, 500);
    bad_weather(AL_NWK_ROLE_END_DEVICE, true, 0.1, 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_at_every_flash_operation_costs_at_most_a_sector),
        cmocka_unit_test(a_router_and_its_server_lose_power_at_any_instant),
        cmocka_unit_test(an_end_device_and_its_server_lose_power_at_any_instant),
        cmocka_unit_test(a_sleepy_device_and_its_server_lose_power_at_any_instant),
    };
    return cmocka_run_group_tests_name("faults_power", tests, NULL, NULL);
}
