/* Power cuts while an image is written, with resume: in the slot lie remains of another
 * image, progress is saved now and then, and the power goes away at every byte of every
 * program and at several places of every erase; in a second turn it goes away again while
 * resuming. The running app boots meanwhile, and in the end the slot holds the image. */
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

struct download {
    struct ota_device dev;
    const struct al_part *slot;
    uint8_t *image;
    uint32_t len;
    uint32_t chunk;      /* bytes a write */
    uint32_t save_every; /* chunks */
    bool block16;
    bool step_back;  /* go on at al_slot_resume_offset(); else at the saved offset */
    uint32_t saved;  /* progress that survives: NVS of a real app */
    uint64_t second; /* operation of the second cut while resuming; 0: none */
    bool ended;      /* the update was verified */
    char text[160];
};

/* Downloads from byte offset on, as an app does. */
static int download(struct download *d, bool resume)
{
    struct al_ota *o = &d->dev.ota;
    struct al_ota_update u;
    struct al_window w;
    uint32_t at = 0;
    int err = al_part_window(o->flash, d->slot, &w);
    if (err) return err;
    if (resume && d->saved) {
        at = d->step_back ? al_slot_resume_offset(&w, d->saved, d->block16) : d->saved;
        d->saved = at; /* before the sector is erased: see slot_writer.h */
        err = al_ota_resume(o, d->slot, AL_OTA_SEQUENTIAL, at, &u);
    } else {
        err = al_ota_begin(o, d->slot, AL_OTA_SEQUENTIAL, &u);
    }
    for (uint32_t chunks = 1; !err && at < d->len; chunks++) {
        uint32_t n = d->len - at < d->chunk ? d->len - at : d->chunk;
        err = al_ota_write(o, &u, d->image + at, n);
        at += n;
        /* What is held back is not in flash yet. */
        if (!err && chunks % d->save_every == 0) d->saved = at - u.writer.held_len;
    }
    if (!err) err = al_ota_end(o, &u);
    d->ended = !err;
    return err;
}

static int first_download(void *ctx)
{
    struct download *d = ctx;
    d->saved = 0;
    d->ended = false;
    d->dev.ota.open = NULL;
    d->dev.ota.running = ota_device_part(&d->dev, "factory");
    return download(d, false);
}

static const char *wrong(struct download *d, const char *what, const char *seen)
{
    snprintf(d->text, sizeof d->text, "%s: %s (progress saved: %u)", what, seen, d->saved);
    return d->text;
}

static const char *must_run_factory(struct download *d)
{
    const char *label = ota_device_boot(&d->dev);
    return strcmp(label, "factory") == 0 ? NULL : wrong(d, "after the cut boots", label);
}

static const char *check(void *ctx, bool cut)
{
    struct download *d = ctx;
    struct nor_flash *nor = &d->dev.nor;
    const char *bad = must_run_factory(d);
    if (bad) return bad;
    if (cut && d->second) {
        nor_flash_cut_at(nor, d->second);
        nor->power->tear = NOR_TEAR_SEEDED;
        (void)download(d, true);
        nor_flash_power_on(nor);
        bad = must_run_factory(d);
        if (bad) return bad;
    }
    if (!d->ended && download(d, true)) return wrong(d, "resume", "failed");
    if (memcmp(nor->bytes + d->slot->offset, d->image, d->len))
        return wrong(d, "resume", "another image");
    if (al_ota_set_boot(&d->dev.ota, d->slot, false)) return wrong(d, "set_boot", "failed");
    const char *label = ota_device_boot(&d->dev);
    return strcmp(label, "ota_1") == 0 ? NULL : wrong(d, "after the update boots", label);
}

static void dirty_slot(struct download *d)
{
    ota_device_put_image(&d->dev, "ota_1", IMAGE_1_1);
    for (uint32_t i = 0x2100; i < d->slot->size; i++)
        d->dev.nor.bytes[d->slot->offset + i] = (uint8_t)(i * 5);
}

static uint64_t run(const char *name, uint32_t chunk, uint32_t save_every, bool block16,
                    bool step_back, uint64_t second, uint32_t step)
{
    static struct download d;
    size_t len;
    memset(&d, 0, sizeof d);
    ota_device_new(&d.dev, "factory ota_0 ota_1");
    ota_device_put_image(&d.dev, "factory", IMAGE_1_0);
    d.slot = ota_device_part(&d.dev, "ota_1");
    d.image = vector_file(&len, "esp-flash/otadata/images/" IMAGE_1_2);
    d.len = (uint32_t)len;
    d.chunk = chunk;
    d.save_every = save_every;
    d.block16 = d.dev.ota.flash_encryption = block16;
    d.step_back = step_back;
    d.second = second;
    dirty_slot(&d);
    uint64_t points = power_points_run(&(struct power_points){.name = name,
                                                              .nor = &d.dev.nor,
                                                              .ctx = &d,
                                                              .action = first_download,
                                                              .check = check,
                                                              .step = step});
    free(d.image);
    ota_device_free(&d.dev);
    return points;
}

static void every_cut_can_be_resumed(void **state)
{
    uint64_t points = run("slot, 1000-byte chunks, saved at each", 1000, 1, false, false, 0, 0);
    points += run("slot, 1000-byte chunks, stepping back", 1000, 1, false, true, 0, 5);
    points += run("slot, 700-byte chunks, saved at every third", 700, 3, false, false, 0, 5);
    points += run("slot, 4096-byte chunks", 4096, 1, false, false, 0, 5);
    points += run("slot, 5000-byte chunks over sectors", 5000, 1, false, true, 0, 5);
    points += run("slot, 777-byte chunks in 16-byte blocks", 777, 1, true, false, 0, 5);
    points += run("slot, 16-byte blocks, stepping back", 777, 2, true, true, 0, 5);
    printf("power: slot writer with resume: %llu points, 0 bricked\n", (unsigned long long)points);
}

static void a_second_cut_while_resuming_can_be_resumed_too(void **state)
{
    static const uint64_t seconds[] = {1, 2, 5, 9, 17};
    uint64_t points = 0;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        points += run("slot, cut twice", 700, 2, false, false, seconds[i], 11);
        points += run("slot, cut twice, stepping back", 700, 2, false, true, seconds[i], 11);
    }
    printf("power: slot writer cut twice: %llu points, 0 bricked\n", (unsigned long long)points);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_can_be_resumed),
        cmocka_unit_test(a_second_cut_while_resuming_can_be_resumed_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
