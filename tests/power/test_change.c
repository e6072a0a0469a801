/* Power cuts in the upgrade of data partitions, alone and with an app: at every flash
 * operation of staging, recording, applying, choosing, confirming and going back, and once more
 * in the recovery from that. After each start the app finds all of the old or all of the new. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/change_device.h"
#include "tests/support/power_points.h"

#define RESETS_MAX 8

struct life {
    struct change_device d;
    uint32_t parts;
    bool with_app, new_is_bad, no_rollback;
    uint32_t points; /* varies the second cut */
    char text[160];
};

static bool runs_new(const struct life *l)
{
    return l->d.dev.ota.running && l->d.dev.ota.running->offset == CHANGE_SLOT_1;
}

static int upgrade(struct life *l)
{
    struct al_change_set set;
    struct al_change c;
    int err = change_device_stage(&l->d, &set, l->parts);
    set.switches = l->with_app;
    set.keep_old = l->with_app && !l->no_rollback;
    if (!err) err = al_change_record(&l->d.dev.ota, &l->d.area, &set);
    if (!err) err = al_change_read(&l->d.dev.ota, &l->d.area, &c);
    if (!err) (void)al_change_apply(&c, &err);
    return err;
}

static uint32_t state_of_new(struct life *l)
{
    uint32_t state = AL_OTA_UNDEFINED;
    (void)al_ota_get_state(&l->d.dev.ota, ota_device_part(&l->d.dev, "ota_1"), &state);
    return state;
}

/* What the upgrade has come to, as the app sees it. */
static bool finished(struct life *l)
{
    const char *contents = change_device_contents(&l->d);
    if (!l->with_app) return contents[0] == 'n';
    if (l->no_rollback) return runs_new(l);
    if (l->new_is_bad) return !runs_new(l) && state_of_new(l) == AL_OTA_INVALID;
    return runs_new(l) && state_of_new(l) == AL_OTA_VALID;
}

/* The app from its start to its reset: the old one upgrades, the new one judges itself. */
static int app(struct life *l)
{
    struct al_ota *o = &l->d.dev.ota;
    if (finished(l)) return AL_OK;
    if (!runs_new(l)) return upgrade(l);
    if (l->new_is_bad) return al_ota_mark_invalid(o);
    int err = al_ota_mark_valid(o);
    if (!err && al_change_confirm(o, &l->d.area) != AL_CHANGE_CONFIRMED) err = AL_FAIL;
    return err;
}

/* Old or new of all; and, once the app looks, what goes with it. */
static const char *judge(struct life *l)
{
    const char *is = change_device_contents(&l->d), *slot = runs_new(l) ? "ota_1" : "ota_0";
    bool with_new = l->with_app ? runs_new(l) : is[0] == 'n';
    const char *expected = with_new ? l->parts == 2 ? "nn" : "no" : "oo";
    if (l->d.dev.ota.running && strcmp(is, expected) == 0) return NULL;
    snprintf(l->text, sizeof l->text, "%s runs with contents %s, expected %s", slot, is, expected);
    return l->text;
}

static int whole_life(void *ctx)
{
    struct life *l = ctx;
    for (int resets = 0; resets < RESETS_MAX; resets++) {
        (void)change_device_start(&l->d);
        if (l->d.dev.nor.power->off) return AL_ERR_POWER;
        if (judge(l)) return AL_FAIL;
        if (finished(l)) return AL_OK;
        int err = app(l);
        if (err) return err;
    }
    return AL_FAIL;
}

/* The recovery is cut, too: at operations that vary from call to call. */
static void cut_the_recovery(struct life *l)
{
    struct nor_flash *nor = &l->d.dev.nor;
    uint32_t n = l->points;
    nor_flash_cut_at(nor, n * 7 % 40 + 1);
    nor->power->tear = NOR_TEAR_SEEDED;
    nor->power->seed = n;
    (void)change_device_start(&l->d);
    nor_flash_power_on(nor);
}

static const char *check(void *ctx, bool cut)
{
    struct life *l = ctx;
    if (cut && ++l->points % 3) cut_the_recovery(l);
    for (int resets = 0; resets < RESETS_MAX; resets++) {
        (void)change_device_start(&l->d);
        const char *wrong = judge(l);
        if (wrong || finished(l)) return wrong;
        if (app(l)) return "the app cannot go on";
    }
    return "the upgrade never comes to its end";
}

static void sweep(const char *name, struct life how, bool in_slot)
{
    static struct life l;
    l = how;
    change_device_new(&l.d, in_slot);
    l.d.dev.boot.rollback = !l.no_rollback;
    power_points_run(&(struct power_points){.name = name,
                                            .nor = &l.d.dev.nor,
                                            .ctx = &l,
                                            .action = whole_life,
                                            .check = check,
                                            .step = 41,
                                            .seeds = 1});
    change_device_free(&l.d);
}

static void power_cut_leaves_the_old_or_the_new_data(void **state)
{
    sweep("data partition, staged in a partition", (struct life){.parts = 1}, false);
}

static void power_cut_leaves_old_or_new_of_two_partitions_together(void **state)
{
    sweep("two data partitions, staged behind an app", (struct life){.parts = 2}, true);
}

static void power_cut_leaves_apps_and_data_together(void **state)
{
    const struct life swap = {.parts = 2, .with_app = true};
    sweep("app and two data partitions, staged in a partition", swap, false);
    sweep("app and two data partitions, staged behind the app", swap, true);
    const struct life copy = {.parts = 2, .with_app = true, .no_rollback = true};
    sweep("app and two data partitions, no rollback", copy, true);
}

static void power_cut_in_a_rollback_brings_back_the_old_data(void **state)
{
    const struct life bad = {.parts = 2, .with_app = true, .new_is_bad = true};
    sweep("app that fails its self-test, with two data partitions", bad, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cut_leaves_the_old_or_the_new_data),
        cmocka_unit_test(power_cut_leaves_old_or_new_of_two_partitions_together),
        cmocka_unit_test(power_cut_leaves_apps_and_data_together),
        cmocka_unit_test(power_cut_in_a_rollback_brings_back_the_old_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
