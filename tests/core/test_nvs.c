/* NVS calls at their edges: arguments, limits, full partitions, a failing flash, and
 * partitions that somebody forged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/err.h"
#include "tests/support/nvs_case.h"

static uint8_t ns;

static struct nvs_case *opened(const char *start)
{
    struct nvs_case *c = nvs_case_new(start, true);

    assert_int_equal(nvs_case_init(c), 0);
    assert_int_equal(al_nvs_namespace(&c->nvs, "cert", true, &ns), 0);
    return c;
}

static void wrong_arguments_are_refused_and_write_nothing(void **state)
{
    struct nvs_case *c = opened("erased:3");
    uint32_t ops = c->ops;
    uint8_t v = 1;

    assert_int_equal(al_nvs_set(&c->nvs, ns, AL_NVS_U8, NULL, &v, 1, false), AL_ERR_INVALID_ARG);
    assert_int_equal(al_nvs_set(&c->nvs, ns, AL_NVS_U16, "k", &v, 1, false), AL_ERR_INVALID_ARG);
    assert_int_equal(al_nvs_set(&c->nvs, ns, AL_NVS_STR, "k", NULL, 3, false), AL_ERR_INVALID_ARG);
    assert_int_equal(al_nvs_set(&c->nvs, ns, AL_NVS_BLOB_V1, "k", &v, 1, false),
                     AL_ERR_INVALID_ARG);
    assert_int_equal(al_nvs_set(&c->nvs, ns, AL_NVS_ANY, "k", &v, 1, false), AL_ERR_INVALID_ARG);
    assert_int_equal(al_nvs_set(&c->nvs, 0, AL_NVS_U8, "k", &v, 1, false), AL_ERR_INVALID_ARG);
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_U8, NULL, &v, 1, NULL), AL_ERR_INVALID_ARG);
    assert_int_equal(al_nvs_namespace(&c->nvs, NULL, true, &v), AL_ERR_INVALID_ARG);
    assert_int_equal(al_nvs_erase_key(&c->nvs, ns, NULL, false), AL_ERR_INVALID_ARG);
    assert_int_equal(al_nvs_set(&c->nvs, ns, AL_NVS_U8, "sixteen-letters!", &v, 1, false),
                     AL_ERR_NVS_KEY_TOO_LONG);
    assert_int_equal(c->ops, ops);
    nvs_case_free(c);
}

static void calls_before_a_good_init_are_refused(void **state)
{
    struct nvs_case *c = nvs_case_new("gen/readonly_1page.bin", true);
    struct al_nvs_iter it = {0};
    struct al_nvs_stats stats;
    uint8_t v = 1;

    assert_int_equal(nvs_case_init(c), AL_ERR_NVS_NO_FREE_PAGES);
    assert_int_equal(al_nvs_set(&c->nvs, 1, AL_NVS_U8, "k", &v, 1, false),
                     AL_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(al_nvs_get(&c->nvs, 1, AL_NVS_U8, "k", &v, 1, NULL),
                     AL_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(al_nvs_namespace(&c->nvs, "ro", false, &v), AL_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(al_nvs_next(&c->nvs, &it), AL_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(al_nvs_stats(&c->nvs, &stats), AL_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(al_nvs_init(&c->nvs, &c->part, c->page, 0), AL_ERR_INVALID_ARG);
    nvs_case_free(c);
}

static void readonly_partition_gives_its_values_and_takes_none(void **state)
{
    struct nvs_case *c = nvs_case_new("gen/readonly_1page.bin", true);
    uint32_t index = 0;

    c->part.readonly = true;
    assert_int_equal(nvs_case_init(c), 0);
    assert_int_equal(al_nvs_namespace(&c->nvs, "ro", true, &ns), 0);
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_U32, "index", &index, 4, NULL), 0);
    assert_int_equal(index, 1);
    assert_int_equal(al_nvs_set(&c->nvs, ns, AL_NVS_U32, "index", &index, 4, false), 0);
    index = 2;
    assert_int_equal(al_nvs_set(&c->nvs, ns, AL_NVS_U32, "index", &index, 4, false),
                     AL_ERR_NOT_ALLOWED);
    assert_int_equal(al_nvs_erase_key(&c->nvs, ns, "index", false), AL_ERR_NOT_ALLOWED);
    assert_int_equal(al_nvs_namespace(&c->nvs, "new", true, &ns), AL_ERR_NOT_ALLOWED);
    assert_int_equal(c->ops, 0);
    nvs_case_free(c);
}

static void short_buffers_tell_the_size_and_stay_untouched(void **state)
{
    struct nvs_case *c = opened("erased:3");
    char out[8] = "before";
    size_t len = 0;
    uint16_t n = 7;

    assert_int_equal(al_nvs_set(&c->nvs, ns, AL_NVS_STR, "s", "hello", 6, false), 0);
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_STR, "s", out, 5, &len),
                     AL_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(len, 6);
    assert_string_equal(out, "before");
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_STR, "s", NULL, 0, &len), 0);
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_BLOB, "s", out, 8, &len), AL_ERR_NVS_NOT_FOUND);
    assert_int_equal(al_nvs_set(&c->nvs, ns, AL_NVS_U16, "n", &n, 2, false), 0);
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_U16, "n", out, 1, &len),
                     AL_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_I16, "n", out, 2, &len), AL_ERR_NVS_NOT_FOUND);
    assert_string_equal(out, "before");
    nvs_case_free(c);
}

static void damaged_data_reads_as_missing_and_is_discarded(void **state)
{
    struct nvs_case *c = opened("erased:3");
    uint8_t blob[40] = {1}, out[40];
    size_t len;
    enum al_nvs_type type;

    assert_int_equal(al_nvs_set(&c->nvs, ns, AL_NVS_BLOB, "b", blob, 40, false), 0);
    c->mem.bytes[64 + 2 * 32] ^= 1; /* in the chunk's first data entry */
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_BLOB, "b", out, 40, &len),
                     AL_ERR_NVS_NOT_FOUND);
    /* Nothing of it stays: neither listed, nor found, nor in the way of a new value. */
    assert_int_equal(al_nvs_find_key(&c->nvs, ns, "b", &type), AL_ERR_NVS_NOT_FOUND);
    uint32_t used;
    assert_int_equal(al_nvs_used_entries(&c->nvs, ns, &used), 0);
    assert_int_equal(used, 0);
    assert_int_equal(al_nvs_set(&c->nvs, ns, AL_NVS_BLOB, "b", blob, 40, false), 0);
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_BLOB, "b", out, 40, &len), 0);
    assert_memory_equal(out, blob, 40);
    nvs_case_free(c);
}

static void reserved_namespace_index_is_not_followed(void **state)
{
    struct nvs_case *c = opened("erased:3");
    uint8_t *entry = c->mem.bytes + 64, v = 3, index;

    for (unsigned bad = 0; bad <= 255; bad += 255) {
        entry[24] = (uint8_t)bad;
        al_put_le32(entry + 4, al_crc32(al_crc32(0xffffffff, entry, 4), entry + 8, 24));
        assert_int_equal(nvs_case_init(c), 0);
        assert_int_equal(al_nvs_namespace(&c->nvs, "cert", true, &index), AL_ERR_NVS_NOT_FOUND);
    }
    assert_int_equal(al_nvs_namespace(&c->nvs, "other", true, &index), 0);
    assert_int_equal(al_nvs_set(&c->nvs, index, AL_NVS_U8, "k", &v, 1, false), 0);
    nvs_case_free(c);
}

static void iterator_filters_by_namespace_and_type(void **state)
{
    struct nvs_case *c = opened("gen/types_v1.bin");
    struct al_nvs_iter all = {0}, blobs = {.type = AL_NVS_BLOB_V1}, numbers = {.type = AL_NVS_U8};
    unsigned count = 0;

    while (al_nvs_next(&c->nvs, &all) == 0) {
        assert_int_not_equal(all.found_type, AL_NVS_BLOB_V1);
        count++;
    }
    assert_int_equal(count, 15);
    for (count = 0; al_nvs_next(&c->nvs, &blobs) == 0; count++)
        assert_int_equal(blobs.found_type, AL_NVS_BLOB_V1);
    assert_int_equal(count, 4);
    for (count = 0; al_nvs_next(&c->nvs, &numbers) == 0; count++)
        assert_int_equal(numbers.found_type, AL_NVS_U8);
    assert_int_equal(count, 2);
    assert_int_equal(al_nvs_namespace(&c->nvs, "second", false, &ns), 0);
    struct al_nvs_iter second = {.ns = ns};
    while (al_nvs_next(&c->nvs, &second) == 0) assert_string_equal(second.namespace_name, "second");
    nvs_case_free(c);
}

static void stray_states_far_behind_keep_new_items_away(void **state)
{
    struct nvs_case *c = opened("erased:3");
    uint8_t v;

    c->mem.bytes[32 + 5] = 0xfc; /* entry 20: ERASED, with EMPTY ones before it */
    assert_int_equal(nvs_case_init(c), 0);
    for (unsigned i = 0; i < 40; i++) {
        char key[4] = {(char)('a' + i / 26), (char)('a' + i % 26), 0};
        v = (uint8_t)i;
        assert_int_equal(al_nvs_set(&c->nvs, ns, AL_NVS_U8, key, &v, 1, false), 0);
    }
    assert_int_equal(nvs_case_init(c), 0);
    for (unsigned i = 0; i < 40; i++) {
        char key[4] = {(char)('a' + i / 26), (char)('a' + i % 26), 0};
        assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_U8, key, &v, 1, NULL), 0);
        assert_int_equal(v, i);
    }
    nvs_case_free(c);
}

static void failing_read_is_reported(void **state)
{
    struct nvs_case *c = nvs_case_new("gen/types_v2.bin", false);
    uint8_t v;

    assert_int_equal(nvs_case_init(c), 0);
    assert_int_equal(al_nvs_namespace(&c->nvs, "storage", false, &ns), 0);
    c->mem.fail_read_at = 64 + 32;
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_U8, "name", &v, 1, NULL), AL_ERR_FLASH_OP_FAIL);
    assert_int_equal(nvs_case_init(c), AL_ERR_FLASH_OP_FAIL);
    nvs_case_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_arguments_are_refused_and_write_nothing),
        cmocka_unit_test(calls_before_a_good_init_are_refused),
        cmocka_unit_test(readonly_partition_gives_its_values_and_takes_none),
        cmocka_unit_test(short_buffers_tell_the_size_and_stay_untouched),
        cmocka_unit_test(damaged_data_reads_as_missing_and_is_discarded),
        cmocka_unit_test(reserved_namespace_index_is_not_followed),
        cmocka_unit_test(iterator_filters_by_namespace_and_type),
        cmocka_unit_test(stray_states_far_behind_keep_new_items_away),
        cmocka_unit_test(failing_read_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
