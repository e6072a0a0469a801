/* Roll-outs in virtual time: that they end, how fast they are, that they are the same again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka wants these before it */
#include <cmocka.h>

#include "core/err.h"
#include "radio/zb_rollout.h"

#define SIZE 40000

static uint8_t file[SIZE];

static struct zb_rollout_config config_of(unsigned devices)
{
    return (struct zb_rollout_config){
        .seed = 7,
        .devices = devices,
        .file = file,
        .size = SIZE,
        .id = {0x131b, 0x1011, 2},
        .limit_us = 3600ull * 1000000,
    };
}

/* All have it; the rate of all together. */
static double rate_of(const struct zb_rollout_config *c)
{
    struct zb_rollout_result r;
    assert_int_equal(zb_rollout_run(c, &r), 0);
    assert_int_equal(r.joined, c->devices);
    assert_int_equal(r.finished, c->clients ? c->clients : c->devices);
    for (unsigned i = 0; i < c->devices; i++)
        assert_true(!r.device[i].client || (r.device[i].correct && r.device[i].bytes == SIZE));
    free(r.device);
    return r.rate;
}

/* Of the airtime model: mean back-off, no losses; and what no channel can do. */
static void one_client_is_as_fast_as_the_air_allows(void **state)
{
    static const struct {
        uint8_t max_block;
        uint16_t page;
        double least, bound;
    } row[] = {{64, 0, 0.95 * 4024, 6024}, {223, 0, 0.95 * 7485, 10623}, {0, 4096, 9000, 12364}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct zb_rollout_config c = config_of(1);
        c.max_block = row[i].max_block;
        c.page_size = row[i].page;
        double rate = rate_of(&c);
        assert_true(rate >= row[i].least);
        assert_true(rate <= row[i].bound);
    }
}

static void many_clients_share_what_one_gets(void **state)
{
    static const struct {
        uint8_t max_block;
        uint16_t page;
    } row[] = {{64, 0}, {223, 0}, {0, 4096}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct zb_rollout_config c = config_of(1);
        struct zb_rollout_result r;
        c.max_block = row[i].max_block;
        c.page_size = row[i].page;
        double alone = rate_of(&c);
        c.devices = 24;
        assert_int_equal(zb_rollout_run(&c, &r), 0);
        assert_int_equal(r.finished, 24);
        assert_true(r.rate >= 0.9 * alone);
        assert_true(r.fair >= 0.8);
        free(r.device);
    }
}

/* Twice the frames, and two nodes that do not hear each other. */
static void two_hops_cost_little_more_than_double(void **state)
{
    static const struct {
        uint8_t max_block;
        uint16_t page;
    } row[] = {{64, 0}, {223, 0}, {0, 4096}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct zb_rollout_config c = config_of(1);
        c.max_block = row[i].max_block;
        c.page_size = row[i].page;
        double direct = rate_of(&c);
        c.chain = true;
        c.devices = 2;
        c.clients = 1;
        assert_true(rate_of(&c) >= 0.42 * direct);
        c.devices = 9;
        c.clients = 8;
        assert_true(rate_of(&c) >= 0.35 * direct);
    }
}

static void a_chain_of_four_hops_does_not_stall(void **state)
{
    struct zb_rollout_config c = config_of(4);
    c.chain = true;
    assert_true(rate_of(&c) > 2000);
    c.loss = 0.1;
    assert_true(rate_of(&c) > 1000);
}

static void lost_frames_make_it_slower_but_not_wrong(void **state)
{
    for (unsigned percent = 10; percent <= 30; percent += 10) {
        struct zb_rollout_config c = config_of(5);
        c.loss = percent / 100.0;
        /* 1500 with some seeds: who lost its first answers comes when the others are done. */
        assert_true(rate_of(&c) > 1200);
        c.page_size = 1024;
        assert_true(rate_of(&c) > 1200);
    }
}

static void sleepy_devices_do_not_starve_the_others(void **state)
{
    struct zb_rollout_config c = config_of(8);
    struct zb_rollout_result r;
    c.sleepy = 4;
    assert_int_equal(zb_rollout_run(&c, &r), 0);
    assert_int_equal(r.finished, 8);
    for (unsigned i = 0; i < 8; i++) {
        const struct zb_rollout_device *d = &r.device[i];
        assert_true(d->finished - d->started < 120ull * 1000000);
    }
    free(r.device);
}

static void a_network_with_routers_is_served_to_the_last(void **state)
{
    struct zb_rollout_config c = config_of(20);
    c.routers = 7;
    c.sleepy = 3;
    c.area_m = 35;
    c.loss = 0.02;
    assert_true(rate_of(&c) > 500);
}

static void add_to_digest(void *ctx, const struct medium_frame *f)
{
    uint64_t *digest = ctx;
    *digest = (*digest ^ f->start) * 0x100000001b3ull;
    for (unsigned i = 0; i < f->len; i++) *digest = (*digest ^ f->mpdu[i]) * 0x100000001b3ull;
}

static void the_same_seed_gives_the_same_frames(void **state)
{
    uint64_t digest[3] = {0};
    for (unsigned i = 0; i < 3; i++) {
        struct zb_rollout_config c = config_of(6);
        c.routers = 2;
        c.sleepy = 1;
        c.area_m = 20;
        c.loss = 0.05;
        c.seed = i < 2 ? 11 : 12;
        c.frame = add_to_digest;
        c.frame_ctx = &digest[i];
        rate_of(&c);
    }
    assert_int_equal(digest[0], digest[1]);
    assert_int_not_equal(digest[0], digest[2]);
}

struct seen {
    unsigned calls;
    uint64_t last_us;
    uint32_t bytes;
};

static void note(void *ctx, uint64_t us, const struct zb_rollout_device *devices)
{
    struct seen *s = ctx;
    assert_true(us > s->last_us);
    assert_true(devices[0].bytes >= s->bytes);
    s->last_us = us;
    s->bytes = devices[0].bytes;
    s->calls++;
}

static void progress_is_told_up_to_the_end(void **state)
{
    struct seen seen = {0};
    struct zb_rollout_config c = config_of(1);
    c.progress = note;
    c.ctx = &seen;
    rate_of(&c);
    assert_in_range(seen.calls, 5, 60);
    assert_int_equal(seen.bytes, SIZE);
}

static void the_limit_ends_it(void **state)
{
    struct zb_rollout_config c = config_of(3);
    struct zb_rollout_result r;
    c.limit_us = 3000000;
    assert_int_equal(zb_rollout_run(&c, &r), 0);
    assert_int_equal(r.joined, 3);
    assert_int_equal(r.finished, 0);
    assert_in_range(r.device[0].bytes, 1, SIZE - 1);
    free(r.device);
}

static void counts_that_do_not_fit_are_refused(void **state)
{
    struct zb_rollout_config row[5];
    for (unsigned i = 0; i < 5; i++) row[i] = config_of(5);
    row[0].devices = 0;
    row[1].devices = 501;
    row[2].routers = 6;
    row[3].routers = 3, row[3].sleepy = 3;
    row[4].clients = 6;
    for (unsigned i = 0; i < 5; i++) {
        struct zb_rollout_result r;
        assert_int_equal(zb_rollout_run(&row[i], &r), AL_ERR_INVALID_ARG);
        assert_null(r.device);
    }
}

int main(void)
{
    for (unsigned i = 0; i < SIZE; i++) file[i] = (uint8_t)(i * 2654435761u >> 13);
#define T(f) cmocka_unit_test(f)
    const struct CMUnitTest tests[] = {
        T(one_client_is_as_fast_as_the_air_allows),
        T(many_clients_share_what_one_gets),
        T(two_hops_cost_little_more_than_double),
        T(a_chain_of_four_hops_does_not_stall),
        T(lost_frames_make_it_slower_but_not_wrong),
        T(sleepy_devices_do_not_starve_the_others),
        T(a_network_with_routers_is_served_to_the_last),
        T(the_same_seed_gives_the_same_frames),
        T(progress_is_told_up_to_the_end),
        T(the_limit_ends_it),
        T(counts_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
