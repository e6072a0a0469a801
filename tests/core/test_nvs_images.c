/* Images of the vendor's generator and library, sound and damaged: init, what is
 * in them, statistics, the writes of the recovery, and whether they take new values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "host/vendor_log.h"
#include "tests/support/nvs_case.h"

/* Where the original loses data and the old value is kept here (README of the
 * vectors, "defect"): what the image held that the case began with. */
static const char *const kept_base[] = {"cut_set_blob_005_0", "cut_multi_011_0"};

static char current[64];

static int name_current(void **state)
{
    print_message("  last: %s\n", current);
    return 0;
}

static const char *err_name(int err)
{
    return vendor_err_name(al_err_vendor(err));
}

static void assert_stats(struct nvs_case *c, const cJSON *wanted)
{
    struct al_nvs_stats s;
    int err = al_nvs_stats(&c->nvs, &s);
    const cJSON *rc = cJSON_GetObjectItem(wanted, "rc");

    assert_string_equal(err_name(err), rc ? rc->valuestring : "ESP_OK");
    if (rc) return;
    assert_int_equal(s.used, vector_number(wanted, "used"));
    assert_int_equal(s.free, vector_number(wanted, "free"));
    assert_int_equal(s.available, vector_number(wanted, "available"));
    assert_int_equal(s.total, vector_number(wanted, "total"));
    assert_int_equal(s.namespaces, vector_number(wanted, "namespaces"));
}

/* orphan: namespaces that are lost have no name here. */
static void assert_iteration(struct nvs_case *c, const cJSON *wanted, bool orphan)
{
    struct al_nvs_iter it = {0};
    const cJSON *one;

    cJSON_ArrayForEach(one, wanted)
    {
        assert_int_equal(al_nvs_next(&c->nvs, &it), 0);
        if (!orphan || it.namespace_name[0])
            assert_string_equal(it.namespace_name, cJSON_GetArrayItem(one, 0)->valuestring);
        assert_string_equal(it.key, cJSON_GetArrayItem(one, 1)->valuestring);
        assert_string_equal(nvs_type_word(it.found_type), cJSON_GetArrayItem(one, 2)->valuestring);
    }
    assert_int_equal(al_nvs_next(&c->nvs, &it), AL_ERR_NVS_NOT_FOUND);
}

static void assert_namespaces(struct nvs_case *c, const cJSON *wanted, bool orphan)
{
    const cJSON *space, *key;

    cJSON_ArrayForEach(space, wanted)
    {
        uint8_t ns = 0;
        int err = al_nvs_namespace(&c->nvs, space->string, false, &ns);
        /* Items whose namespace is lost are listed under "". */
        if (err && (orphan || !space->string[0])) continue;
        assert_int_equal(err, 0);
        cJSON_ArrayForEach(key, space)
        {
            const cJSON *also;
            if (orphan && al_nvs_find_key(&c->nvs, ns, key->string, NULL)) continue;
            nvs_assert_value(c, ns, key->string, key);
            cJSON_ArrayForEach(also, cJSON_GetObjectItem(key, "also"))
            {
                /* Of two items of one type the first is read. */
                if (strcmp(vector_string(also, "type"), vector_string(key, "type")) != 0)
                    nvs_assert_value(c, ns, key->string, also);
            }
        }
    }
}

/* The probe of the vectors; "ok", or what failed first. */
static const char *probe(struct nvs_case *c, char text[128])
{
    uint8_t ns, one = 1, got = 0;
    char txt[3] = "";
    int err = al_nvs_namespace(&c->nvs, "zz_probe", true, &ns);

    if (err) return sprintf(text, "open p zz_probe 1: %s", err_name(err)), text;
    err = al_nvs_set(&c->nvs, ns, AL_NVS_U8, "alive", &one, 1, false);
    if (err) return sprintf(text, "set p u8 alive 1: %s", err_name(err)), text;
    err = al_nvs_set(&c->nvs, ns, AL_NVS_STR, "txt", "ok", 3, false);
    if (err) return sprintf(text, "set p str txt ok: %s", err_name(err)), text;
    err = nvs_case_init(c);
    if (err) return sprintf(text, "init: %s", err_name(err)), text;
    err = al_nvs_namespace(&c->nvs, "zz_probe", false, &ns);
    if (err) return sprintf(text, "open p zz_probe 0: %s", err_name(err)), text;
    err = al_nvs_get(&c->nvs, ns, AL_NVS_U8, "alive", &got, 1, NULL);
    if (!err) err = al_nvs_get(&c->nvs, ns, AL_NVS_STR, "txt", txt, 3, NULL);
    if (err || got != 1 || strcmp(txt, "ok") != 0) return "get: wrong value";
    return "ok";
}

/* flash: the number of operations and the bytes of the recovery are judged too. */
static void judge(struct nvs_case *c, const cJSON *test, const cJSON *content, bool flash)
{
    const cJSON *wanted_probe = cJSON_GetObjectItem(test, "probe");
    bool orphan = cJSON_GetObjectItem(test, "orphan_namespace") != NULL;
    char text[128];

    c->part.readonly = cJSON_IsTrue(cJSON_GetObjectItem(test, "readonly"));
    int err = nvs_case_init(c);
    assert_string_equal(err_name(err), vector_string(test, "init"));
    if (flash) {
        assert_int_equal(c->ops, vector_number(test, "init_flash_ops"));
        nvs_case_sha256(c, text);
        assert_string_equal(text, vector_string(test, "after_init_sha256"));
    }
    if (err) return;
    if (flash) assert_stats(c, vector_get(test, "stats"));
    assert_iteration(c, vector_get(content, "iteration"), orphan);
    assert_namespaces(c, vector_get(content, "namespaces"), orphan);
    if (wanted_probe) assert_string_equal(probe(c, text), wanted_probe->valuestring);
}

static bool mapped_flash;

static void every_image(void **state)
{
    cJSON *all = vector_json("nvs/expected.json");
    const cJSON *image;
    int count = 0;

    cJSON_ArrayForEach(image, vector_get(all, "images"))
    {
        if (cJSON_GetObjectItem(image, "defect")) continue;
        snprintf(current, sizeof current, "%s", image->string);
        struct nvs_case *c = nvs_case_new(image->string, mapped_flash);
        judge(c, image, image, true);
        nvs_case_free(c);
        count++;
    }
    assert_true(count >= 25);
    cJSON_Delete(all);
}

static void image_is_read_and_repaired_as_the_original_does(void **state)
{
    mapped_flash = true;
    every_image(state);
}

static void flash_without_mapped_reading_gives_the_same(void **state)
{
    mapped_flash = false;
    every_image(state);
}

static bool named(const char *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], name) == 0) return true;
    return false;
}

static struct nvs_case *damaged(const cJSON *test)
{
    const cJSON *donor = cJSON_GetObjectItem(test, "donor");
    struct nvs_case *c = nvs_case_new(vector_string(test, "base"), true);
    char sha[65];

    nvs_case_edit(c, vector_get(test, "edits"), donor ? donor->valuestring : NULL);
    nvs_case_sha256(c, sha);
    assert_string_equal(sha, vector_string(test, "sha256"));
    return c;
}

static void damaged_file(const char *path, int at_least)
{
    cJSON *all = vector_json(path), *images = vector_json("nvs/expected.json");
    const cJSON *test;
    int count = 0, defects = 0;

    cJSON_ArrayForEach(test, vector_get(all, "cases"))
    {
        const cJSON *content = cJSON_GetObjectItem(test, "content");
        bool defect = cJSON_GetObjectItem(test, "defect") != NULL;
        bool base = named(kept_base, sizeof kept_base / sizeof *kept_base, test->string);
        /* Judged by the tests of D2, D3 and D4 below. */
        bool own = strcmp(test->string, "half_written_no_first_word") == 0 || (defect && !base);
        defects += defect;
        count++;
        if (own) continue;
        snprintf(current, sizeof current, "%s", test->string);
        struct nvs_case *c = damaged(test);
        if (content) content = vector_get(vector_get(all, "contents"), content->valuestring);
        if (base) content = vector_get(vector_get(images, "images"), vector_string(test, "base"));
        judge(c, test, content, !defect);
        nvs_case_free(c);
    }
    assert_true(count >= at_least);
    assert_true(defects >= 1);
    cJSON_Delete(all);
    cJSON_Delete(images);
}

static void cut_inside_an_item_leaves_old_or_new(void **state)
{
    damaged_file("nvs/damaged-cuts-item.json", 120);
}

static void cut_inside_page_change_or_collection_leaves_old_or_new(void **state)
{
    damaged_file("nvs/damaged-cuts-page.json", 204);
}

static void damaged_partition_is_repaired_as_the_original_does(void **state)
{
    damaged_file("nvs/damaged-other.json", 86);
}

static struct nvs_case *defect_case(const char *path, const char *name)
{
    cJSON *all = vector_json(path);
    struct nvs_case *c = damaged(vector_get(vector_get(all, "cases"), name));

    cJSON_Delete(all);
    assert_int_equal(nvs_case_init(c), 0);
    return c;
}

static int count_key(struct nvs_case *c, const char *key)
{
    struct al_nvs_iter it = {0};
    int n = 0;

    while (al_nvs_next(&c->nvs, &it) == 0) n += strcmp(it.key, key) == 0;
    return n;
}

/* D2 */
static void value_of_another_type_replaces_the_old_one_across_pages(void **state)
{
    char text[128];
    uint8_t ns, u8;
    int16_t i16;
    size_t len;

    struct nvs_case *c = defect_case("nvs/damaged-cuts-page.json", "cut_roll_type_009_0");
    assert_int_equal(al_nvs_namespace(&c->nvs, "cert", false, &ns), 0);
    assert_int_equal(count_key(c, "keep01"), 1);
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_I16, "keep01", &i16, 2, NULL), 0);
    assert_int_equal(i16, -7);
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_U8, "keep01", &u8, 1, NULL),
                     AL_ERR_NVS_NOT_FOUND);
    assert_string_equal(probe(c, text), "ok");
    nvs_case_free(c);

    uint8_t *blob = nvs_value_bytes(AL_NVS_BLOB, "@30:3", &len), got[30];
    c = defect_case("nvs/damaged-cuts-page.json", "cut_roll_blob_over_u8_013_0");
    assert_int_equal(al_nvs_namespace(&c->nvs, "cert", false, &ns), 0);
    assert_int_equal(count_key(c, "keep02"), 1);
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_BLOB, "keep02", got, sizeof got, NULL), 0);
    assert_memory_equal(got, blob, sizeof got);
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_U8, "keep02", &u8, 1, NULL),
                     AL_ERR_NVS_NOT_FOUND);
    assert_string_equal(probe(c, text), "ok");
    nvs_case_free(c);
    free(blob);
}

/* D3 */
static void keys_with_the_same_hash_both_stay(void **state)
{
    struct nvs_case *c = defect_case("nvs/damaged-other.json", "hash_collision_reopened");
    struct al_nvs_iter it = {0};
    char text[128];
    int keys = 0;

    assert_int_equal(c->ops, 0);
    while (al_nvs_next(&c->nvs, &it) == 0) keys++;
    assert_int_equal(keys, 2);
    assert_int_equal(count_key(c, "mode28083"), 1);
    assert_string_equal(probe(c, text), "ok");
    nvs_case_free(c);
}

/* D4 */
static void torn_entry_with_a_blank_first_word_is_not_reused(void **state)
{
    struct nvs_case *c = defect_case("nvs/damaged-other.json", "half_written_no_first_word");
    char text[128];

    assert_int_equal(c->ops, 2);
    assert_string_equal(probe(c, text), "ok");
    nvs_case_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(image_is_read_and_repaired_as_the_original_does, name_current),
        cmocka_unit_test_teardown(flash_without_mapped_reading_gives_the_same, name_current),
        cmocka_unit_test_teardown(cut_inside_an_item_leaves_old_or_new, name_current),
        cmocka_unit_test_teardown(cut_inside_page_change_or_collection_leaves_old_or_new,
                                  name_current),
        cmocka_unit_test_teardown(damaged_partition_is_repaired_as_the_original_does, name_current),
        cmocka_unit_test_teardown(value_of_another_type_replaces_the_old_one_across_pages,
                                  name_current),
        cmocka_unit_test_teardown(keys_with_the_same_hash_both_stay, name_current),
        cmocka_unit_test_teardown(torn_entry_with_a_blank_first_word_is_not_reused, name_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
