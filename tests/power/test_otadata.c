/* Power cuts while otadata changes: switching, confirming, rolling back, and the boot
 * loader's own writes. After each the device boots an image that verifies, and only a slot that
 * the old or the new choice allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/ota_device.h"
#include "tests/support/power_points.h"

#define E AL_OTA_SEQ_EMPTY
#define U AL_OTA_UNDEFINED

enum act { SET_BOOT, MARK_VALID, MARK_INVALID, FORGET, BOOT };

/* One row: where it starts, what is done, and what may boot afterwards. */
struct row {
    const char *name;
    const char *layout, *running; /* running NULL: as booted */
    bool rollback, anti_rollback;
    uint32_t seq0, state0, seq1, state1;
    enum act act;
    const char *target;      /* of SET_BOOT */
    const char *may_boot[3]; /* after a cut */
    const char *boots;       /* after a whole run */
    uint32_t states;         /* bit n: an entry may have state n after a cut; bit 31: UNDEFINED */
};

#define ST(n) (1u << (n))
#define NEW_  ST(0)
#define PEND  ST(1)
#define VAL   ST(2)
#define INV   ST(3)
#define ABO   ST(4)
#define UND   ST(31)

#define WITH_FACTORY "factory ota_0 ota_1"
#define SLOTS_ONLY   "ota_0 ota_1"

/* clang-format off */
static const struct row rows[] = {
    {"first switch, factory runs", WITH_FACTORY, "factory", false, false,
     E, U, E, U, SET_BOOT, "ota_0", {"factory", "ota_0"}, "ota_0", UND},
    {"first switch with rollback", WITH_FACTORY, "factory", true, false,
     E, U, E, U, SET_BOOT, "ota_0", {"factory", "ota_0"}, "ota_0", NEW_ | PEND},
    {"switch", WITH_FACTORY, "ota_0", true, false,
     1, 2, E, U, SET_BOOT, "ota_1", {"ota_0", "ota_1"}, "ota_1", VAL | NEW_ | PEND},
    {"switch over a valid entry", SLOTS_ONLY, "ota_1", true, false,
     1, 2, 2, 2, SET_BOOT, "ota_0", {"ota_0", "ota_1"}, "ota_0", VAL | NEW_ | PEND},
    {"switch over an aborted entry", SLOTS_ONLY, "ota_0", true, false,
     1, 2, 2, 4, SET_BOOT, "ota_1", {"ota_0", "ota_1"}, "ota_1", VAL | ABO | NEW_ | PEND},
    {"switch over an invalid entry, no rollback", SLOTS_ONLY, "ota_0", false, false,
     1, U, 2, 3, SET_BOOT, "ota_1", {"ota_0", "ota_1"}, "ota_1", UND | INV},
    {"switch to the active slot, other entry valid", SLOTS_ONLY, "ota_1", true, false,
     1, 2, 2, 2, SET_BOOT, "ota_1", {"ota_0", "ota_1"}, "ota_1", VAL | NEW_ | PEND},
    {"switch to the active slot, factory there", WITH_FACTORY, "ota_0", true, false,
     1, 2, E, U, SET_BOOT, "ota_0", {"factory", "ota_0"}, "ota_0", VAL | NEW_ | PEND},
    /* Nothing else is left: no other entry, no factory. The boot loader goes over the slots. */
    {"switch to the only slot", SLOTS_ONLY, "ota_0", true, false,
     1, 2, E, U, SET_BOOT, "ota_0", {"ota_0"}, "ota_0", VAL | NEW_ | PEND},
    {"switch to the only slot, which is the second", SLOTS_ONLY, "ota_1", true, false,
     E, U, 2, 2, SET_BOOT, "ota_1", {"ota_0", "ota_1"}, "ota_1", VAL | NEW_ | PEND},
    {"back to factory", WITH_FACTORY, "ota_1", true, false,
     1, 2, 2, 2, SET_BOOT, "factory", {"factory", "ota_1"}, "factory", VAL},
    {"back to factory, entry 0 in force", WITH_FACTORY, "ota_0", true, false,
     3, 2, 2, 2, SET_BOOT, "factory", {"factory", "ota_0"}, "factory", VAL},
    {"confirm", SLOTS_ONLY, "ota_1", true, false,
     1, 2, 2, 1, MARK_VALID, NULL, {"ota_0", "ota_1"}, "ota_1", VAL | PEND | ABO},
    {"confirm the first update", WITH_FACTORY, "ota_0", true, false,
     1, 1, E, U, MARK_VALID, NULL, {"factory", "ota_0"}, "ota_0", VAL | PEND | ABO},
    {"confirm with anti-rollback", SLOTS_ONLY, "ota_1", true, true,
     1, 2, 2, 1, MARK_VALID, NULL, {"ota_0", "ota_1"}, "ota_1", VAL | PEND | ABO},
    {"declare bad", SLOTS_ONLY, "ota_1", true, false,
     1, 2, 2, 1, MARK_INVALID, NULL, {"ota_0"}, "ota_0", VAL | PEND | INV | ABO},
    {"declare bad, to factory", WITH_FACTORY, "ota_0", true, false,
     1, 1, E, U, MARK_INVALID, NULL, {"factory"}, "factory", PEND | INV | ABO},
    /* begin's part: the aborted app must not come back by a torn erase. */
    {"forget an aborted entry", SLOTS_ONLY, "ota_0", true, false,
     1, 2, 2, 4, FORGET, NULL, {"ota_0"}, "ota_0", VAL | ABO},
    {"forget an invalid entry", SLOTS_ONLY, "ota_1", true, false,
     3, 3, 2, 2, FORGET, NULL, {"ota_1"}, "ota_1", VAL | INV},
    {"forget a valid entry", WITH_FACTORY, "ota_1", true, false,
     1, 2, 2, 2, FORGET, NULL, {"ota_1"}, "ota_1", VAL},
    /* The check is one more boot, without confirmation. */
    {"boot a new app", SLOTS_ONLY, NULL, true, false,
     1, 2, 2, 0, BOOT, NULL, {"ota_0", "ota_1"}, "ota_0", VAL | NEW_ | PEND | ABO},
    {"boot after a failed test", SLOTS_ONLY, NULL, true, false,
     1, 2, 2, 1, BOOT, NULL, {"ota_0"}, "ota_0", VAL | PEND | ABO},
    {"first boot without factory", SLOTS_ONLY, NULL, true, false,
     E, U, E, U, BOOT, NULL, {"ota_0"}, "ota_0", VAL},
    {"first boot without factory, anti-rollback", SLOTS_ONLY, NULL, true, true,
     E, U, E, U, BOOT, NULL, {"ota_0"}, "ota_0", VAL},
};
/* clang-format on */

struct scene {
    struct ota_device dev;
    const struct row *row;
    char text[160];
};

static int act(void *ctx)
{
    struct scene *s = ctx;
    struct ota_device *d = &s->dev;
    d->efuse = 0;
    if (s->row->running) d->ota.running = ota_device_part(d, s->row->running);
    switch (s->row->act) {
    case SET_BOOT:
        return al_ota_set_boot(&d->ota, ota_device_part(d, s->row->target), false);
    case MARK_VALID:
        return al_ota_mark_valid(&d->ota);
    case MARK_INVALID:
        return al_ota_mark_invalid(&d->ota);
    case FORGET:
        return al_ota_invalidate_inactive(&d->ota);
    case BOOT:
        return al_boot(&d->nor.flash, &d->boot, &d->result);
    }
    return AL_FAIL;
}

static bool allowed(const struct row *r, const char *label)
{
    for (size_t i = 0; i < 3 && r->may_boot[i]; i++)
        if (strcmp(r->may_boot[i], label) == 0) return true;
    return false;
}

/* An entry that counts must have a state that somebody wrote, and a slot of the table. */
static const char *check_entries(struct scene *s)
{
    struct al_ota_entry e[2];
    ota_device_entries(&s->dev, e);
    for (int i = 0; i < 2; i++) {
        if (!al_ota_entry_written(&e[i])) continue;
        uint32_t bit = e[i].state == U ? 31 : e[i].state;
        if (e[i].seq == 0 || e[i].seq > 4 || bit > 31 || !(s->row->states & ST(bit))) {
            snprintf(s->text, sizeof s->text, "entry %d is torn and counts: seq %u state 0x%x", i,
                     e[i].seq, e[i].state);
            return s->text;
        }
    }
    return NULL;
}

static const char *check(void *ctx, bool cut)
{
    struct scene *s = ctx;
    const char *wrong = check_entries(s);
    if (wrong) return wrong;
    const char *label = ota_device_boot(&s->dev);
    if (cut ? allowed(s->row, label) : strcmp(label, s->row->boots) == 0) return check_entries(s);
    snprintf(s->text, sizeof s->text, "it boots %s", label);
    return s->text;
}

static void set_scene(struct scene *s, const struct row *r)
{
    struct ota_device *d = &s->dev;
    s->row = r;
    ota_device_new(d, r->layout);
    if (strncmp(r->layout, "factory", 7) == 0) ota_device_put_image(d, "factory", IMAGE_1_0);
    ota_device_put_image(d, "ota_0", IMAGE_1_1);
    ota_device_put_image(d, "ota_1", IMAGE_1_2);
    d->boot.rollback = d->ota.rollback = r->rollback;
    d->boot.anti_rollback = d->ota.anti_rollback = r->anti_rollback;
    if (r->seq0 != E) ota_device_put_entry(d, 0, r->seq0, r->state0);
    if (r->seq1 != E) ota_device_put_entry(d, 1, r->seq1, r->state1);
}

static struct scene scene;

static void every_cut_leaves_a_device_that_boots(void **state)
{
    uint64_t points = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        set_scene(&scene, &rows[i]);
        points += power_points_run(&(struct power_points){.name = rows[i].name,
                                                          .nor = &scene.dev.nor,
                                                          .ctx = &scene,
                                                          .action = act,
                                                          .check = check,
                                                          .seeds = 32});
        ota_device_free(&scene.dev);
    }
    printf("power: otadata: %llu points, 0 bricked\n", (unsigned long long)points);
}

/* Sequence and CRC would have to come through the torn erase and the state not: rare, so
 * many tears. */
static void no_torn_erase_revives_an_aborted_app(void **state)
{
    static const struct row row = {"torn erase of an aborted entry",
                                   SLOTS_ONLY,
                                   "ota_0",
                                   true,
                                   false,
                                   1,
                                   2,
                                   2,
                                   4,
                                   FORGET,
                                   NULL,
                                   {"ota_0"},
                                   "ota_0",
                                   VAL | ABO};
    set_scene(&scene, &row);
    power_points_run(&(struct power_points){.name = row.name,
                                            .nor = &scene.dev.nor,
                                            .ctx = &scene,
                                            .action = act,
                                            .check = check,
                                            .seeds = 4000});
    ota_device_free(&scene.dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_leaves_a_device_that_boots),
        cmocka_unit_test(no_torn_erase_revives_an_aborted_app),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
