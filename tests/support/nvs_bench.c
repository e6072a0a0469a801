#include "tests/support/nvs_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"

#define PROBE "zz_probe"

void nvs_bench_save(const struct nvs_bench *b, struct nvs_saved *s)
{
    memcpy(s->bytes, b->nor.bytes, b->part.size);
    s->nvs = b->nvs;
    memcpy(s->page, b->page, sizeof s->page);
}

void nvs_bench_restore(struct nvs_bench *b, const struct nvs_saved *s)
{
    nor_flash_power_on(&b->nor);
    nor_flash_fill(&b->nor, 0, s->bytes, b->part.size);
    b->nvs = s->nvs;
    memcpy(b->page, s->page, sizeof s->page);
}

int nvs_bench_init(struct nvs_bench *b)
{
    return al_nvs_init(&b->nvs, &b->part, b->page, NVS_BENCH_PAGES);
}

/* ---- what a reader sees ---- */

static struct nvs_seen *seen_key(struct nvs_shot *shot, const char *key)
{
    for (size_t i = 0; i < shot->count; i++)
        if (strcmp(shot->seen[i].key, key) == 0) return &shot->seen[i];
    return NULL;
}

void nvs_shot_add_key(struct nvs_shot *shot, const char *key)
{
    if (seen_key(shot, key)) return;
    assert_true(shot->count < NVS_BENCH_KEYS);
    snprintf(shot->seen[shot->count++].key, 16, "%s", key);
}

void nvs_shot_add_keys(struct nvs_bench *b, struct nvs_shot *shot)
{
    struct al_nvs_iter it = {.ns = b->ns};
    while (al_nvs_next(&b->nvs, &it) == 0) nvs_shot_add_key(shot, it.key);
}

static void look(struct nvs_bench *b, const char *key, struct nvs_seen *s, uint8_t *value)
{
    s->len = 0;
    if (al_nvs_find_key(&b->nvs, b->ns, key, &s->type) != 0) {
        s->type = 0;
        return;
    }
    assert_int_equal(al_nvs_get(&b->nvs, b->ns, s->type, key, NULL, 0, &s->len), 0);
    assert_true(s->len <= NVS_BENCH_VALUE);
    assert_int_equal(al_nvs_get(&b->nvs, b->ns, s->type, key, value, s->len, &s->len), 0);
}

void nvs_shot_take(struct nvs_bench *b, struct nvs_shot *shot)
{
    static uint8_t value[NVS_BENCH_VALUE];

    for (size_t i = 0; i < shot->count; i++) {
        struct nvs_seen *s = &shot->seen[i];
        look(b, s->key, s, value);
        s->value = malloc(s->len + 1);
        assert_non_null(s->value);
        memcpy(s->value, value, s->len);
    }
}

void nvs_shot_free(struct nvs_shot *shot)
{
    for (size_t i = 0; i < shot->count; i++) free(shot->seen[i].value);
    shot->count = 0;
}

static bool equals(const struct nvs_seen *s, const struct nvs_seen *now, const uint8_t *value)
{
    return s->type == now->type && s->len == now->len && memcmp(s->value, value, s->len) == 0;
}

/* No key twice, and none that nobody wrote. old_format: blobs that iteration skips. */
static void assert_listed_once(struct nvs_bench *b)
{
    struct al_nvs_iter it = {.ns = b->ns};
    bool listed[NVS_BENCH_KEYS] = {false};

    while (al_nvs_next(&b->nvs, &it) == 0) {
        if (strcmp(it.key, PROBE) == 0) continue;
        struct nvs_seen *s = seen_key(&b->before, it.key);
        enum al_nvs_type type;
        if (!s) fail_msg("key %s appeared", it.key);
        if (listed[s - b->before.seen]) fail_msg("key %s is there twice", it.key);
        listed[s - b->before.seen] = true;
        assert_int_equal(al_nvs_find_key(&b->nvs, b->ns, it.key, &type), 0);
        assert_int_equal(type, it.found_type);
    }
}

static void assert_old_or_new(struct nvs_bench *b)
{
    static uint8_t value[NVS_BENCH_VALUE];

    for (size_t i = 0; i < b->before.count; i++) {
        struct nvs_seen now, *old = &b->before.seen[i], *new = &b->after.seen[i];
        look(b, old->key, &now, value);
        if (!equals(old, &now, value) && !equals(new, &now, value))
            fail_msg("%s: neither old nor new: type %02x, %zu bytes (old %02x %zu, new %02x %zu)",
                     old->key, now.type, now.len, old->type, old->len, new->type, new->len);
    }
    assert_listed_once(b);
}

void nvs_bench_assert_survived(struct nvs_bench *b)
{
    uint8_t one = 1, got = 0;

    nor_flash_power_on(&b->nor);
    assert_int_equal(nvs_bench_init(b), 0);
    assert_old_or_new(b);
    assert_int_equal(al_nvs_set(&b->nvs, b->ns, AL_NVS_U8, PROBE, &one, 1, false), 0);
    assert_old_or_new(b);
    assert_int_equal(nvs_bench_init(b), 0);
    assert_old_or_new(b);
    assert_int_equal(al_nvs_get(&b->nvs, b->ns, AL_NVS_U8, PROBE, &got, 1, NULL), 0);
    assert_int_equal(got, 1);
}

bool nvs_bench_cut(struct nvs_bench *b, int (*run)(struct nvs_bench *b),
                   const struct nvs_saved *from, uint64_t nth, uint32_t tear, uint32_t byte)
{
    nvs_bench_restore(b, from);
    b->nor.power->tear = tear;
    b->nor.power->cut_byte = byte;
    b->nor.power->seed = b->seed++;
    nor_flash_cut_at(&b->nor, nth);
    int err = run(b);
    if (!b->nor.power->off) {
        assert_int_equal(err, 0);
        return false;
    }
    assert_int_equal(err, AL_ERR_POWER);
    return true;
}
