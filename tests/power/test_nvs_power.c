/* NVS under power cuts: at every byte of every program, at several points of
 * every erase, torn to a prefix or to a mixture; then the same inside the recovery.
 * After each cut init succeeds, every key shows its old or its new value, none is
 * there twice, and the partition takes new values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/nvs_bench.h"
#include "tests/support/nvs_case.h"

/* ---- the write under test ---- */

struct change {
    const char *name;
    int (*run)(struct nvs_bench *b);
    const char *key; /* one that the change may make; NULL: none new */
};

static int set(struct nvs_bench *b, enum al_nvs_type type, const char *key, const char *value,
               bool purge)
{
    size_t len;
    uint8_t *bytes = nvs_value_bytes(type, value, &len);
    int err = al_nvs_set(&b->nvs, b->ns, type, key, bytes, len, purge);

    free(bytes);
    return err;
}

static const uint32_t erase_points[] = {0, 1, 4, 5, 31, 33, 64, 100, 1000, 2048, 4000, 4095, 4096};

/* The recovery, cut at its operations (of a long one, the later ones here and there),
 * both ways of tearing. */
static void cut_recovery(struct nvs_bench *b)
{
    static struct nvs_saved torn;
    nor_flash_power_on(&b->nor);
    nvs_bench_save(b, &torn);
    for (uint64_t nth = 1;; nth += 1 + nth / 16) {
        for (uint32_t tear = NOR_TEAR_PREFIX; tear <= NOR_TEAR_MIXED; tear++) {
            uint32_t byte = (uint32_t)(b->seed * 7 % 34);
            if (byte == 33) byte = 2000;
            if (!nvs_bench_cut(b, nvs_bench_init, &torn, nth, tear, byte)) return;
            nvs_bench_assert_survived(b);
            b->recut_points++;
        }
    }
}

static void cut_operation(struct nvs_bench *b, const struct change *change, uint64_t nth)
{
    bool erase = b->nor.power->cut_erase;
    uint32_t points =
        erase ? sizeof erase_points / sizeof *erase_points : b->nor.power->cut_len + 1;

    for (uint32_t tear = NOR_TEAR_PREFIX; tear <= NOR_TEAR_MIXED; tear++) {
        for (uint32_t i = 0; i < points; i++) {
            uint32_t byte = erase ? erase_points[i] : i;
            assert_true(nvs_bench_cut(b, change->run, &b->start, nth, tear, byte));
            nvs_bench_assert_survived(b);
            b->points++;
            /* Cuts inside the recovery of some of them. */
            if (i != points / 2 && (points > 40 || (i != 0 && i != points - 1))) continue;
            assert_true(nvs_bench_cut(b, change->run, &b->start, nth, tear, byte));
            cut_recovery(b);
        }
    }
}

static void begin_change(struct nvs_bench *b, const struct change *change)
{
    assert_int_equal(nvs_bench_init(b), 0);
    nvs_bench_save(b, &b->start);
    nvs_shot_add_keys(b, &b->before);
    if (change->key) nvs_shot_add_key(&b->before, change->key);
    assert_int_equal(change->run(b), 0);
    b->after = b->before;
    nvs_shot_take(b, &b->after);
    nvs_bench_restore(b, &b->start);
    nvs_shot_take(b, &b->before);
}

static void try_change(struct nvs_bench *b, const struct change *change)
{
    unsigned long points = b->points, again = b->recut_points;

    begin_change(b, change);
    for (uint64_t nth = 1; nvs_bench_cut(b, change->run, &b->start, nth, NOR_TEAR_NONE, 0); nth++)
        cut_operation(b, change, nth);
    print_message("  %-34s %6lu points, %6lu in recoveries\n", change->name, b->points - points,
                  b->recut_points - again);
    nvs_shot_free(&b->before);
    nvs_shot_free(&b->after);
}

/* ---- partitions to start from ---- */

static void fill_small(struct nvs_bench *b)
{
    assert_int_equal(set(b, AL_NVS_U8, "u", "5", false), 0);
    assert_int_equal(set(b, AL_NVS_STR, "s", "@70:7", false), 0);
    assert_int_equal(set(b, AL_NVS_BLOB, "b", "@48:3", false), 0);
    assert_int_equal(set(b, AL_NVS_U32, "other", "123456", false), 0);
    assert_int_equal(set(b, AL_NVS_BLOB, "empty", "-", false), 0);
}

/* Writes a counter until the current page has `room` entries left. */
static void fill_page(struct nvs_bench *b, unsigned room)
{
    char text[16];

    for (unsigned i = 0; b->nvs.pages[b->nvs.used - 1].next != AL_NVS_ENTRIES - room; i++) {
        snprintf(text, sizeof text, "%u", i);
        assert_int_equal(set(b, AL_NVS_U32, "ctr", text, false), 0);
    }
}

static void roll_ready(struct nvs_bench *b)
{
    fill_small(b);
    fill_page(b, 0);
}

static void roll_room(struct nvs_bench *b)
{
    fill_small(b);
    fill_page(b, 14); /* a first chunk fits, the rest does not */
}

/* The next page is the reserve: something has to be collected. */
static void collect_ready(struct nvs_bench *b)
{
    fill_small(b);
    while (b->nvs.used < b->nvs.page_count - 1) {
        assert_int_equal(set(b, AL_NVS_BLOB, "b", "@300:4", false), 0);
        fill_page(b, 0);
        assert_int_equal(set(b, AL_NVS_U32, "ctr", "77777", false), 0);
    }
    fill_page(b, 0);
}

static void big_blob(struct nvs_bench *b)
{
    fill_small(b);
    assert_int_equal(set(b, AL_NVS_BLOB, "big", "@4500:1", false), 0);
}

static void nothing(struct nvs_bench *b)
{
}

static void old_format(struct nvs_bench *b)
{
    size_t len;
    uint8_t *image = vector_file(&len, "nvs/gen/oldblob.bin");

    nor_flash_fill(&b->nor, 0, image, (uint32_t)(len < b->part.size ? len : b->part.size));
    free(image);
    assert_int_equal(nvs_bench_init(b), 0);
    assert_int_equal(al_nvs_namespace(&b->nvs, "ob", false, &b->ns), 0);
}

/* ---- changes ---- */

#define CHANGE(fn, ...)                \
    static int fn(struct nvs_bench *b) \
    {                                  \
        return set(b, __VA_ARGS__);    \
    }
CHANGE(number_new, AL_NVS_U64, "fresh", "99", false)
CHANGE(number_over_same, AL_NVS_U8, "u", "6", false)
CHANGE(number_over_other, AL_NVS_I16, "u", "-300", false)
CHANGE(number_over_string, AL_NVS_I16, "s", "-300", false)
CHANGE(number_over_blob, AL_NVS_DOUBLE, "b", "1.5", false)
CHANGE(string_new, AL_NVS_STR, "fresh", "@33:2", false)
CHANGE(string_over_same, AL_NVS_STR, "s", "@62:9", false)
CHANGE(string_over_number, AL_NVS_STR, "u", "@40:9", false)
CHANGE(string_over_blob, AL_NVS_STR, "b", "@40:9", false)
CHANGE(blob_new, AL_NVS_BLOB, "fresh", "@44:5", false)
CHANGE(blob_over_same, AL_NVS_BLOB, "b", "@31:8", false)
CHANGE(blob_over_empty, AL_NVS_BLOB, "empty", "@31:8", false)
CHANGE(blob_over_number, AL_NVS_BLOB, "u", "@12:8", false)
CHANGE(blob_over_string, AL_NVS_BLOB, "s", "@12:8", false)
CHANGE(blob_of_ones, AL_NVS_BLOB, "s",
       "0102030405060708091011121314151617181920212223242526272829303132"
       "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
       "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff01",
       false)
CHANGE(blob_over_old_format, AL_NVS_BLOB, "bl", "@31:8", false)
CHANGE(purge_string, AL_NVS_STR, "s", "@62:9", true)
CHANGE(purge_blob, AL_NVS_BLOB, "b", "@62:9", true)
CHANGE(string_mid, AL_NVS_STR, "s", "@300:9", false)
CHANGE(blob_mid, AL_NVS_BLOB, "b", "@500:9", false)
CHANGE(blob_large, AL_NVS_BLOB, "big", "@5000:2", false)
CHANGE(number_over_large, AL_NVS_U8, "big", "1", false)

static int erase_number(struct nvs_bench *b)
{
    return al_nvs_erase_key(&b->nvs, b->ns, "u", false);
}

static int erase_string(struct nvs_bench *b)
{
    return al_nvs_erase_key(&b->nvs, b->ns, "s", true);
}

static int erase_blob(struct nvs_bench *b)
{
    return al_nvs_erase_key(&b->nvs, b->ns, "b", false);
}

static int erase_large(struct nvs_bench *b)
{
    return al_nvs_erase_key(&b->nvs, b->ns, "big", false);
}

static int erase_all(struct nvs_bench *b)
{
    return al_nvs_erase_all(&b->nvs, b->ns, false);
}

static int purge_all(struct nvs_bench *b)
{
    int err = al_nvs_erase_key(&b->nvs, b->ns, "s", false);
    return err ? err : al_nvs_purge_all(&b->nvs, b->ns);
}

static int new_namespace(struct nvs_bench *b)
{
    uint8_t ns, value = 3;
    int err = al_nvs_namespace(&b->nvs, "second", true, &ns);
    return err ? err : al_nvs_set(&b->nvs, ns, AL_NVS_U8, "u", &value, 1, false);
}

/* ---- erases that leave a page's header ---- */

/* Sets bits of a sector behind the page header, one in `rarity`, as an erase that
 * was cut early: the weakest cells first. */
static void weak_erase(struct nvs_bench *b, uint32_t sector, uint32_t rarity)
{
    uint8_t *bytes = b->nor.bytes + sector;
    uint64_t x = b->seed++ * 0x9e3779b97f4a7c15u + 1;

    for (uint32_t bit = 32 * 8; bit < 4096 * 8; bit++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        if (x % rarity == 0) bytes[bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

/* Every erase of what `run` does, cut early in many ways; after the first, also
 * the erases of the recovery. */
static void weaken_erases(struct nvs_bench *b, int (*run)(struct nvs_bench *b),
                          const struct nvs_saved *from, int depth)
{
    for (uint64_t nth = 1; nvs_bench_cut(b, run, from, nth, NOR_TEAR_NONE, 0); nth++) {
        if (!b->nor.power->cut_erase) continue;
        struct nvs_saved *torn = malloc(sizeof *torn);
        assert_non_null(torn);
        uint32_t sector = b->nor.power->cut_addr;
        for (uint32_t rarity = 4; rarity <= 8192; rarity *= 4) {
            for (unsigned i = 0; i < (depth ? 2u : 8u); i++) {
                nvs_bench_cut(b, run, from, nth, NOR_TEAR_NONE, 0);
                weak_erase(b, sector, rarity);
                nor_flash_power_on(&b->nor);
                nvs_bench_save(b, torn);
                nvs_bench_assert_survived(b);
                b->points++;
                if (!depth) weaken_erases(b, nvs_bench_init, torn, 1);
            }
        }
        free(torn);
    }
}

/* ---- the tests ---- */

static struct nvs_bench bench;

static void open_bench(struct nvs_bench *b, uint32_t pages, void (*fill)(struct nvs_bench *b))
{
    assert_int_equal(nor_flash_memory(&b->nor, pages * 4096), 0);
    b->part = al_window_all(&b->nor.flash);
    assert_int_equal(nvs_bench_init(b), 0);
    if (fill != old_format) assert_int_equal(al_nvs_namespace(&b->nvs, "cert", true, &b->ns), 0);
    fill(b);
}

static void run(uint32_t pages, void (*fill)(struct nvs_bench *b), const struct change *changes)
{
    for (const struct change *c = changes; c->name; c++) {
        open_bench(&bench, pages, fill);
        try_change(&bench, c);
        nor_flash_close(&bench.nor);
    }
}

static void cut_in_one_page_leaves_old_or_new(void **state)
{
    static const struct change changes[] = {{"number, new", number_new, "fresh"},
                                            {"number over the same type", number_over_same, NULL},
                                            {"number over another type", number_over_other, NULL},
                                            {"number over string", number_over_string, NULL},
                                            {"number over blob", number_over_blob, NULL},
                                            {"string, new", string_new, "fresh"},
                                            {"string over string", string_over_same, NULL},
                                            {"string over number", string_over_number, NULL},
                                            {"string over blob", string_over_blob, NULL},
                                            {"blob, new", blob_new, "fresh"},
                                            {"blob over blob", blob_over_same, NULL},
                                            {"blob over empty blob", blob_over_empty, NULL},
                                            {"blob over number", blob_over_number, NULL},
                                            {"blob over string", blob_over_string, NULL},
                                            {"blob with entries of ones", blob_of_ones, NULL},
                                            {"string, purging", purge_string, NULL},
                                            {"blob, purging", purge_blob, NULL},
                                            {"namespace", new_namespace, NULL},
                                            {0}};
    run(3, fill_small, changes);
}

static void cut_in_an_erase_leaves_old_or_nothing(void **state)
{
    static const struct change changes[] = {
        {"erase number", erase_number, NULL}, {"erase string, purging", erase_string, NULL},
        {"erase blob", erase_blob, NULL},     {"erase all", erase_all, NULL},
        {"purge all", purge_all, NULL},       {0}};
    run(3, fill_small, changes);
}

static void cut_in_the_first_write_leaves_old_or_new(void **state)
{
    static const struct change changes[] = {{"first namespace and number", new_namespace, NULL},
                                            {0}};
    run(2, nothing, changes);
}

static void cut_while_a_page_is_opened_leaves_old_or_new(void **state)
{
    static const struct change to_next[] = {
        {"roll: number", number_over_same, NULL},
        {"roll: number over another type", number_over_other, NULL},
        {"roll: number over blob", number_over_blob, NULL},
        {"roll: string", string_over_same, NULL},
        {"roll: string over number", string_over_number, NULL},
        {"roll: blob", blob_over_same, NULL},
        {"roll: blob over number", blob_over_number, NULL},
        {"roll: blob over string", blob_over_string, NULL},
        {0}};
    static const struct change split[] = {{"roll: blob in two pages", blob_mid, NULL},
                                          {"roll: string of 300", string_mid, NULL},
                                          {0}};
    run(3, roll_ready, to_next);
    run(3, roll_room, split);
}

static void cut_while_a_page_is_collected_leaves_old_or_new(void **state)
{
    static const struct change changes[] = {
        {"collect: number", number_over_same, NULL},
        {"collect: number over another type", number_over_other, NULL},
        {"collect: string over blob", string_over_blob, NULL},
        {"collect: string", string_mid, NULL},
        {"collect: blob", blob_mid, NULL},
        {"collect: namespace", new_namespace, NULL},
        {0}};
    run(3, collect_ready, changes);
    run(4, collect_ready, changes);
}

static void erase_that_spares_the_header_brings_nothing_back(void **state)
{
    static const struct change changes[] = {
        {"weak erase: number", number_over_same, NULL},
        {"weak erase: string over blob", string_over_blob, NULL},
        {"weak erase: blob", blob_mid, NULL},
        {0}};
    for (uint32_t pages = 3; pages <= 4; pages++) {
        for (const struct change *c = changes; c->name; c++) {
            unsigned long points = bench.points;
            open_bench(&bench, pages, collect_ready);
            begin_change(&bench, c);
            weaken_erases(&bench, c->run, &bench.start, 0);
            print_message("  %-34s %6lu points\n", c->name, bench.points - points);
            nvs_shot_free(&bench.before);
            nvs_shot_free(&bench.after);
            nor_flash_close(&bench.nor);
        }
    }
}

static void cut_in_a_blob_of_many_pages_leaves_old_or_new(void **state)
{
    static const struct change changes[] = {{"large blob", blob_large, NULL},
                                            {"number over large blob", number_over_large, NULL},
                                            {"erase large blob", erase_large, NULL},
                                            {0}};
    run(NVS_BENCH_PAGES, big_blob, changes);
}

static void cut_in_the_change_of_an_old_blob_leaves_old_or_new(void **state)
{
    static const struct change changes[] = {
        {"blob over blob of version 1", blob_over_old_format, "bl"}, {0}};
    run(4, old_format, changes);
}

int main(void)
{
    /* Other torn values: NVS_POWER_SEED=n. */
    const char *seed = getenv("NVS_POWER_SEED");
    if (seed) bench.seed = strtoull(seed, NULL, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_in_one_page_leaves_old_or_new),
        cmocka_unit_test(cut_in_an_erase_leaves_old_or_nothing),
        cmocka_unit_test(cut_in_the_first_write_leaves_old_or_new),
        cmocka_unit_test(cut_while_a_page_is_opened_leaves_old_or_new),
        cmocka_unit_test(cut_while_a_page_is_collected_leaves_old_or_new),
        cmocka_unit_test(erase_that_spares_the_header_brings_nothing_back),
        cmocka_unit_test(cut_in_a_blob_of_many_pages_leaves_old_or_new),
        cmocka_unit_test(cut_in_the_change_of_an_old_blob_leaves_old_or_new),
    };
    int failed = cmocka_run_group_tests_name("nvs_power", tests, NULL, NULL);
    print_message("NVS power cuts: %lu points, %lu more inside the recovery\n", bench.points,
                  bench.recut_points);
    return failed;
}
