/* Power cuts in a whole update, from begin over the reboot to the confirmation, on a
 * device without factory app. Whatever is cut, the device boots a verified app each time, and
 * an app that simply tries again brings the update to its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/ota_device.h"
#include "tests/support/power_points.h"
#include "tests/support/vectors.h"

#define RESETS_MAX 6 /* after a cut, until all is done */

struct life {
    struct ota_device dev;
    uint8_t *image; /* version 1.2.0 */
    uint32_t len;
    uint32_t begin_size; /* for al_ota_begin */
    bool new_is_bad;     /* its self-test fails */
    bool refused;        /* the old app has seen the new one fail, and leaves it */
    char text[160];
};

static const char *version(const struct life *l)
{
    return l->dev.result.part ? l->dev.result.image.desc.version : "none";
}

static int update(struct life *l)
{
    struct al_ota *o = &l->dev.ota;
    struct al_ota_update u;
    const struct al_part *slot = al_ota_next_update(o, NULL);
    int err = al_ota_begin(o, slot, l->begin_size, &u);
    for (uint32_t at = 0; !err && at < l->len; at += 1000)
        err = al_ota_write(o, &u, l->image + at, l->len - at < 1000 ? l->len - at : 1000);
    if (!err) err = al_ota_end(o, &u);
    return err ? err : al_ota_set_boot(o, slot, false);
}

/* The app, from start to its reset: old updates, new judges itself. */
static int app(struct life *l)
{
    struct al_ota *o = &l->dev.ota;
    uint32_t state = AL_OTA_UNDEFINED;
    (void)al_ota_get_state(o, o->running, &state);
    if (strcmp(version(l), "1.2.0") != 0) {
        l->refused = l->new_is_bad && al_ota_last_invalid(o);
        return l->refused ? AL_OK : update(l);
    }
    if (state == AL_OTA_VALID) return AL_OK;
    return l->new_is_bad ? al_ota_mark_invalid(o) : al_ota_mark_valid(o);
}

static bool finished(const struct life *l)
{
    uint32_t state = AL_OTA_UNDEFINED;
    struct al_ota o = l->dev.ota;
    if (l->new_is_bad) return strcmp(version(l), "1.1.0") == 0 && l->refused;
    return strcmp(version(l), "1.2.0") == 0 && !al_ota_get_state(&o, o.running, &state) &&
           state == AL_OTA_VALID;
}

/* Update, reboot, verdict, reboot, and what the app then does. */
static int whole_life(void *ctx)
{
    struct life *l = ctx;
    l->refused = false;
    for (int resets = 0; resets < 3; resets++) {
        (void)ota_device_boot(&l->dev);
        int err = app(l);
        if (err || l->dev.nor.power->off) return err;
    }
    return finished(l) ? AL_OK : AL_FAIL;
}

static const char *check(void *ctx, bool cut)
{
    struct life *l = ctx;
    for (int resets = 0; resets < RESETS_MAX; resets++) {
        (void)ota_device_boot(&l->dev);
        if (strcmp(version(l), "1.1.0") != 0 && strcmp(version(l), "1.2.0") != 0) {
            snprintf(l->text, sizeof l->text, "after reset %d boots %s", resets, version(l));
            return l->text;
        }
        int err = app(l);
        if (err) {
            snprintf(l->text, sizeof l->text, "after reset %d the app (%s) fails: -0x%x", resets,
                     version(l), -err);
            return l->text;
        }
        if (finished(l)) return NULL;
    }
    return "the update never comes to its end";
}

static uint64_t run(const char *name, uint32_t begin_size, bool new_is_bad)
{
    static struct life l;
    size_t len;
    memset(&l, 0, sizeof l);
    ota_device_new(&l.dev, "ota_0 ota_1");
    ota_device_put_image(&l.dev, "ota_0", IMAGE_1_1);
    ota_device_put_image(&l.dev, "ota_1", IMAGE_1_0);
    ota_device_put_entry(&l.dev, 0, 2, AL_OTA_VALID);
    ota_device_put_entry(&l.dev, 1, 3, AL_OTA_VALID);
    l.dev.boot.rollback = true;
    l.image = vector_file(&len, "esp-flash/otadata/images/" IMAGE_1_2);
    l.len = (uint32_t)len;
    l.begin_size = begin_size;
    l.new_is_bad = new_is_bad;
    uint64_t points = power_points_run(&(struct power_points){.name = name,
                                                              .nor = &l.dev.nor,
                                                              .ctx = &l,
                                                              .action = whole_life,
                                                              .check = check,
                                                              .step = 2});
    free(l.image);
    ota_device_free(&l.dev);
    return points;
}

static void a_cut_anywhere_in_an_update_never_bricks(void **state)
{
    uint64_t points = run("update, erase on demand", AL_OTA_SEQUENTIAL, false);
    points += run("update, erase ahead", AL_OTA_SIZE_UNKNOWN, false);
    points += run("update to an app that fails its self-test", AL_OTA_SEQUENTIAL, true);
    printf("power: whole update: %llu points, 0 bricked\n", (unsigned long long)points);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_cut_anywhere_in_an_update_never_bricks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
