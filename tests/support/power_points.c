#include "tests/support/power_points.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ERASE_SEEDS 16u

/* A run over the points of one action. */
struct sweep {
    const struct power_points *p;
    uint8_t *start;
    uint64_t points, bad;
    struct nor_power hit; /* of the last run */
    char first[256];
};

/* One run, cut at operation nth. false: the action ended before that. */
static bool cut_once(struct sweep *s, uint64_t nth, uint32_t tear, uint32_t byte, uint64_t seed)
{
    struct nor_flash *nor = s->p->nor;
    nor_flash_fill(nor, 0, s->start, nor->flash.size);
    nor_flash_power_on(nor);
    nor_flash_cut_at(nor, nth);
    nor->power->tear = tear;
    nor->power->cut_byte = byte;
    nor->power->seed = seed;
    int err = s->p->action(s->p->ctx);
    bool cut = nor->power->off;
    s->hit = *nor->power; /* check may cut again */
    nor_flash_power_on(nor);
    const char *wrong = s->p->check(s->p->ctx, cut);
    if (!cut && err && !wrong) wrong = "the action failed without a cut";
    s->points += cut;
    if (!wrong) return cut;
    if (s->bad++ == 0)
        snprintf(s->first, sizeof s->first,
                 "%s: %s (operation %llu, %s at 0x%x, tear %u at byte %u, seed %llu)", s->p->name,
                 wrong, (unsigned long long)nth, s->hit.cut_erase ? "erase" : "program",
                 s->hit.cut_addr, tear, byte, (unsigned long long)seed);
    return cut;
}

static uint64_t seeds(const struct sweep *s, uint32_t usual)
{
    return s->p->seeds ? s->p->seeds : usual;
}

static void cut_erase(struct sweep *s, uint64_t nth, uint32_t len)
{
    const uint32_t at[] = {1, 16, 24, 28, 32, 100, 2048, 4064, len / 2, len - 100, len - 1, len};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        cut_once(s, nth, NOR_TEAR_PREFIX, at[i], 0);
        for (uint64_t seed = 0; seed < seeds(s, ERASE_SEEDS); seed++)
            cut_once(s, nth, NOR_TEAR_MIXED, at[i] - 1, seed * 1000 + nth);
    }
}

static void cut_program(struct sweep *s, uint64_t nth, uint32_t len)
{
    uint32_t step = s->p->step ? s->p->step : 1;
    for (uint32_t byte = 0; byte < len; byte += step) {
        cut_once(s, nth, NOR_TEAR_PREFIX, byte + 1, 0);
        for (uint64_t seed = 0; seed < seeds(s, 1); seed++)
            cut_once(s, nth, NOR_TEAR_MIXED, byte, seed * 1000000 + nth * 1000 + byte);
    }
}

uint64_t power_points_run(const struct power_points *p)
{
    struct sweep s = {.p = p, .start = malloc(p->nor->flash.size)};
    assert_non_null(s.start);
    memcpy(s.start, p->nor->bytes, p->nor->flash.size);
    for (uint64_t nth = 1; cut_once(&s, nth, NOR_TEAR_NONE, 0, 0); nth++) {
        uint32_t len = s.hit.cut_len;
        if (s.hit.cut_erase)
            cut_erase(&s, nth, len);
        else
            cut_program(&s, nth, len);
    }
    free(s.start);
    printf("power: %s: %llu points, %llu bricked\n", p->name, (unsigned long long)s.points,
           (unsigned long long)s.bad);
    fflush(stdout);
    if (s.bad) fail_msg("%s", s.first);
    assert_true(s.points > 0);
    return s.points;
}
