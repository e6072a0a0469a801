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
#include "core/nvs.h"
#include "device/nor_flash.h"
#include "tests/support/nvs_case.h"

#define PAGES     5u
#define KEYS_MAX  48u
#define VALUE_MAX 9000u
#define PROBE     "zz_probe"

/* One key as a reader sees it. */
struct seen {
    char key[16];
    enum al_nvs_type type; /* 0: not there */
    size_t len;
    uint8_t *value;
};

struct shot {
    size_t count;
    struct seen seen[KEYS_MAX];
};

/* A partition with its memory state, to go back to. */
struct saved {
    uint8_t bytes[PAGES * 4096];
    struct al_nvs nvs;
    struct al_nvs_page page[PAGES];
};

struct bench {
    struct nor_flash nor;
    struct al_window part;
    struct al_nvs nvs;
    struct al_nvs_page page[PAGES];
    uint8_t ns;
    struct saved start;
    struct shot before, after;
    uint64_t seed;
    unsigned long points, recut_points;
};

static void save(const struct bench *b, struct saved *s)
{
    memcpy(s->bytes, b->nor.bytes, b->part.size);
    s->nvs = b->nvs;
    memcpy(s->page, b->page, sizeof s->page);
}

static void restore(struct bench *b, const struct saved *s)
{
    nor_flash_power_on(&b->nor);
    nor_flash_fill(&b->nor, 0, s->bytes, b->part.size);
    b->nvs = s->nvs;
    memcpy(b->page, s->page, sizeof s->page);
}

static int init(struct bench *b)
{
    return al_nvs_init(&b->nvs, &b->part, b->page, PAGES);
}

/* ---- what a reader sees ---- */

static struct seen *seen_key(struct shot *shot, const char *key)
{
    for (size_t i = 0; i < shot->count; i++)
        if (strcmp(shot->seen[i].key, key) == 0) return &shot->seen[i];
    return NULL;
}

static void add_key(struct shot *shot, const char *key)
{
    if (seen_key(shot, key)) return;
    assert_true(shot->count < KEYS_MAX);
    snprintf(shot->seen[shot->count++].key, 16, "%s", key);
}

static void add_keys(struct bench *b, struct shot *shot)
{
    struct al_nvs_iter it = {.ns = b->ns};
    while (al_nvs_next(&b->nvs, &it) == 0) add_key(shot, it.key);
}

static void look(struct bench *b, const char *key, struct seen *s, uint8_t *value)
{
    s->len = 0;
    if (al_nvs_find_key(&b->nvs, b->ns, key, &s->type) != 0) {
        s->type = 0;
        return;
    }
    assert_int_equal(al_nvs_get(&b->nvs, b->ns, s->type, key, NULL, 0, &s->len), 0);
    assert_true(s->len <= VALUE_MAX);
    assert_int_equal(al_nvs_get(&b->nvs, b->ns, s->type, key, value, s->len, &s->len), 0);
}

static void take_shot(struct bench *b, struct shot *shot)
{
    static uint8_t value[VALUE_MAX];

    for (size_t i = 0; i < shot->count; i++) {
        struct seen *s = &shot->seen[i];
        look(b, s->key, s, value);
        s->value = malloc(s->len + 1);
        assert_non_null(s->value);
        memcpy(s->value, value, s->len);
    }
}

static void free_shot(struct shot *shot)
{
    for (size_t i = 0; i < shot->count; i++) free(shot->seen[i].value);
    shot->count = 0;
}

static bool equals(const struct seen *s, const struct seen *now, const uint8_t *value)
{
    return s->type == now->type && s->len == now->len && memcmp(s->value, value, s->len) == 0;
}

/* No key twice, and none that nobody wrote. old_format: blobs that iteration skips. */
static void assert_listed_once(struct bench *b)
{
    struct al_nvs_iter it = {.ns = b->ns};
    bool listed[KEYS_MAX] = {false};

    while (al_nvs_next(&b->nvs, &it) == 0) {
        if (strcmp(it.key, PROBE) == 0) continue;
        struct seen *s = seen_key(&b->before, it.key);
        enum al_nvs_type type;
        if (!s) fail_msg("key %s appeared", it.key);
        if (listed[s - b->before.seen]) fail_msg("key %s is there twice", it.key);
        listed[s - b->before.seen] = true;
        assert_int_equal(al_nvs_find_key(&b->nvs, b->ns, it.key, &type), 0);
        assert_int_equal(type, it.found_type);
    }
}

static void assert_old_or_new(struct bench *b)
{
    static uint8_t value[VALUE_MAX];

    for (size_t i = 0; i < b->before.count; i++) {
        struct seen now, *old = &b->before.seen[i], *new = &b->after.seen[i];
        look(b, old->key, &now, value);
        if (!equals(old, &now, value) && !equals(new, &now, value))
            fail_msg("%s: neither old nor new: type %02x, %zu bytes (old %02x %zu, new %02x %zu)",
                     old->key, now.type, now.len, old->type, old->len, new->type, new->len);
    }
    assert_listed_once(b);
}

/* Init, old or new, still writable, and still so after another start. */
static void assert_survived(struct bench *b)
{
    uint8_t one = 1, got = 0;

    nor_flash_power_on(&b->nor);
    assert_int_equal(init(b), 0);
    assert_old_or_new(b);
    assert_int_equal(al_nvs_set(&b->nvs, b->ns, AL_NVS_U8, PROBE, &one, 1, false), 0);
    assert_old_or_new(b);
    assert_int_equal(init(b), 0);
    assert_old_or_new(b);
    assert_int_equal(al_nvs_get(&b->nvs, b->ns, AL_NVS_U8, PROBE, &got, 1, NULL), 0);
    assert_int_equal(got, 1);
}

/* ---- the write under test ---- */

struct change {
    const char *name;
    int (*run)(struct bench *b);
    const char *key; /* one that the change may make; NULL: none new */
};

static int set(struct bench *b, enum al_nvs_type type, const char *key, const char *value,
               bool purge)
{
    size_t len;
    uint8_t *bytes = nvs_value_bytes(type, value, &len);
    int err = al_nvs_set(&b->nvs, b->ns, type, key, bytes, len, purge);

    free(bytes);
    return err;
}

/* One cut; gives false when the change ended before it. */
static bool cut_once(struct bench *b, int (*run)(struct bench *b), const struct saved *from,
                     uint64_t nth, uint32_t tear, uint32_t byte)
{
    restore(b, from);
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

static const uint32_t erase_points[] = {0, 1, 4, 5, 31, 33, 64, 100, 1000, 2048, 4000, 4095, 4096};

/* The recovery, cut at its operations (of a long one, the later ones here and there),
 * both ways of tearing. */
static void cut_recovery(struct bench *b)
{
    static struct saved torn;
    nor_flash_power_on(&b->nor);
    save(b, &torn);
    for (uint64_t nth = 1;; nth += 1 + nth / 16) {
        for (uint32_t tear = NOR_TEAR_PREFIX; tear <= NOR_TEAR_MIXED; tear++) {
            uint32_t byte = (uint32_t)(b->seed * 7 % 34);
            if (byte == 33) byte = 2000;
            if (!cut_once(b, init, &torn, nth, tear, byte)) return;
            assert_survived(b);
            b->recut_points++;
        }
    }
}

static void cut_operation(struct bench *b, const struct change *change, uint64_t nth)
{
    bool erase = b->nor.power->cut_erase;
    uint32_t points =
        erase ? sizeof erase_points / sizeof *erase_points : b->nor.power->cut_len + 1;

    for (uint32_t tear = NOR_TEAR_PREFIX; tear <= NOR_TEAR_MIXED; tear++) {
        for (uint32_t i = 0; i < points; i++) {
            uint32_t byte = erase ? erase_points[i] : i;
            assert_true(cut_once(b, change->run, &b->start, nth, tear, byte));
            assert_survived(b);
            b->points++;
            /* Cuts inside the recovery of some of them. */
            if (i != points / 2 && (points > 40 || (i != 0 && i != points - 1))) continue;
            assert_true(cut_once(b, change->run, &b->start, nth, tear, byte));
            cut_recovery(b);
        }
    }
}

static void begin_change(struct bench *b, const struct change *change)
{
    assert_int_equal(init(b), 0);
    save(b, &b->start);
    add_keys(b, &b->before);
    if (change->key) add_key(&b->before, change->key);
    assert_int_equal(change->run(b), 0);
    b->after = b->before;
    take_shot(b, &b->after);
    restore(b, &b->start);
    take_shot(b, &b->before);
}

static void try_change(struct bench *b, const struct change *change)
{
    unsigned long points = b->points, again = b->recut_points;

    begin_change(b, change);
    for (uint64_t nth = 1; cut_once(b, change->run, &b->start, nth, NOR_TEAR_NONE, 0); nth++)
        cut_operation(b, change, nth);
    print_message("  %-34s %6lu points, %6lu in recoveries\n", change->name, b->points - points,
                  b->recut_points - again);
    free_shot(&b->before);
    free_shot(&b->after);
}

/* ---- partitions to start from ---- */

static void fill_small(struct bench *b)
{
    assert_int_equal(set(b, AL_NVS_U8, "u", "5", false), 0);
    assert_int_equal(set(b, AL_NVS_STR, "s", "@70:7", false), 0);
    assert_int_equal(set(b, AL_NVS_BLOB, "b", "@48:3", false), 0);
    assert_int_equal(set(b, AL_NVS_U32, "other", "123456", false), 0);
    assert_int_equal(set(b, AL_NVS_BLOB, "empty", "-", false), 0);
}

/* Writes a counter until the current page has `room` entries left. */
static void fill_page(struct bench *b, unsigned room)
{
    char text[16];

    for (unsigned i = 0; b->nvs.pages[b->nvs.used - 1].next != AL_NVS_ENTRIES - room; i++) {
        snprintf(text, sizeof text, "%u", i);
        assert_int_equal(set(b, AL_NVS_U32, "ctr", text, false), 0);
    }
}

static void roll_ready(struct bench *b)
{
    fill_small(b);
    fill_page(b, 0);
}

static void roll_room(struct bench *b)
{
    fill_small(b);
    fill_page(b, 14); /* a first chunk fits, the rest does not */
}

/* The next page is the reserve: something has to be collected. */
static void collect_ready(struct bench *b)
{
    fill_small(b);
    while (b->nvs.used < b->nvs.page_count - 1) {
        assert_int_equal(set(b, AL_NVS_BLOB, "b", "@300:4", false), 0);
        fill_page(b, 0);
        assert_int_equal(set(b, AL_NVS_U32, "ctr", "77777", false), 0);
    }
    fill_page(b, 0);
}

static void big_blob(struct bench *b)
{
    fill_small(b);
    assert_int_equal(set(b, AL_NVS_BLOB, "big", "@4500:1", false), 0);
}

static void nothing(struct bench *b)
{
}

static void old_format(struct bench *b)
{
    size_t len;
    uint8_t *image = vector_file(&len, "nvs/gen/oldblob.bin");

    nor_flash_fill(&b->nor, 0, image, (uint32_t)(len < b->part.size ? len : b->part.size));
    free(image);
    assert_int_equal(init(b), 0);
    assert_int_equal(al_nvs_namespace(&b->nvs, "ob", false, &b->ns), 0);
}

/* ---- changes ---- */

#define CHANGE(fn, ...)             \
    static int fn(struct bench *b)  \
    {                               \
        return set(b, __VA_ARGS__); \
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

static int erase_number(struct bench *b)
{
    return al_nvs_erase_key(&b->nvs, b->ns, "u", false);
}

static int erase_string(struct bench *b)
{
    return al_nvs_erase_key(&b->nvs, b->ns, "s", true);
}

static int erase_blob(struct bench *b)
{
    return al_nvs_erase_key(&b->nvs, b->ns, "b", false);
}

static int erase_large(struct bench *b)
{
    return al_nvs_erase_key(&b->nvs, b->ns, "big", false);
}

static int erase_all(struct bench *b)
{
    return al_nvs_erase_all(&b->nvs, b->ns, false);
}

static int purge_all(struct bench *b)
{
    int err = al_nvs_erase_key(&b->nvs, b->ns, "s", false);
    return err ? err : al_nvs_purge_all(&b->nvs, b->ns);
}

static int new_namespace(struct bench *b)
{
    uint8_t ns, value = 3;
    int err = al_nvs_namespace(&b->nvs, "second", true, &ns);
    return err ? err : al_nvs_set(&b->nvs, ns, AL_NVS_U8, "u", &value, 1, false);
}

/* ---- erases that leave a page's header ---- */

/* Sets bits of a sector behind the page header, one in `rarity`, as an erase that
 * was cut early: the weakest cells first. */
static void weak_erase(struct bench *b, uint32_t sector, uint32_t rarity)
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
static void weaken_erases(struct bench *b, int (*run)(struct bench *b), const struct saved *from,
                          int depth)
{
    for (uint64_t nth = 1; cut_once(b, run, from, nth, NOR_TEAR_NONE, 0); nth++) {
        if (!b->nor.power->cut_erase) continue;
        struct saved *torn = malloc(sizeof *torn);
        assert_non_null(torn);
        uint32_t sector = b->nor.power->cut_addr;
        for (uint32_t rarity = 4; rarity <= 8192; rarity *= 4) {
            for (unsigned i = 0; i < (depth ? 2u : 8u); i++) {
                cut_once(b, run, from, nth, NOR_TEAR_NONE, 0);
                weak_erase(b, sector, rarity);
                nor_flash_power_on(&b->nor);
                save(b, torn);
                assert_survived(b);
                b->points++;
                if (!depth) weaken_erases(b, init, torn, 1);
            }
        }
        free(torn);
    }
}

/* ---- the tests ---- */

static struct bench bench;

static void open_bench(struct bench *b, uint32_t pages, void (*fill)(struct bench *b))
{
    assert_int_equal(nor_flash_memory(&b->nor, pages * 4096), 0);
    b->part = al_window_all(&b->nor.flash);
    assert_int_equal(init(b), 0);
    if (fill != old_format) assert_int_equal(al_nvs_namespace(&b->nvs, "cert", true, &b->ns), 0);
    fill(b);
}

static void run(uint32_t pages, void (*fill)(struct bench *b), const struct change *changes)
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
            free_shot(&bench.before);
            free_shot(&bench.after);
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
    run(PAGES, big_blob, changes);
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
