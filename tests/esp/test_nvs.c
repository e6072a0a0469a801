/* The NVS API over the core: handles, codes, iterators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "nvs_flash.h"
#include "tests/support/test_board.h"

static nvs_handle_t nvs;

static int setup(void **state)
{
    nvs_flash_deinit();
    test_board_new();
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("space", NVS_READWRITE, &nvs), ESP_OK);
    return 0;
}

static void values_of_every_type_come_back(void **state)
{
    int8_t i8 = 0;
    uint64_t u64 = 0;
    double d = 0;
    float f = 0;
    assert_int_equal(nvs_set_i8(nvs, "i8", -3), ESP_OK);
    assert_int_equal(nvs_set_u64(nvs, "u64", UINT64_MAX - 1), ESP_OK);
    assert_int_equal(nvs_set_double(nvs, "d", 2.5), ESP_OK);
    assert_int_equal(nvs_set_float(nvs, "f", -0.5f), ESP_OK);
    assert_int_equal(nvs_get_i8(nvs, "i8", &i8), ESP_OK);
    assert_int_equal(nvs_get_u64(nvs, "u64", &u64), ESP_OK);
    assert_int_equal(nvs_get_double(nvs, "d", &d), ESP_OK);
    assert_int_equal(nvs_get_float(nvs, "f", &f), ESP_OK);
    assert_int_equal(i8, -3);
    assert_true(u64 == UINT64_MAX - 1);
    assert_true(d == 2.5 && f == -0.5f);
    assert_int_equal(nvs_set_float(nvs, "f", NAN), ESP_ERR_INVALID_ARG);
}

static void values_survive_a_new_init(void **state)
{
    uint16_t value = 0;
    assert_int_equal(nvs_set_u16(nvs, "kept", 513), ESP_OK);
    assert_int_equal(nvs_commit(nvs), ESP_OK);
    assert_int_equal(nvs_flash_deinit(), ESP_OK);
    assert_int_equal(nvs_commit(nvs), ESP_ERR_NVS_INVALID_HANDLE);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("space", NVS_READONLY, &nvs), ESP_OK);
    assert_int_equal(nvs_get_u16(nvs, "kept", &value), ESP_OK);
    assert_int_equal(value, 513);
    assert_int_equal(nvs_set_u16(nvs, "kept", 1), ESP_ERR_NVS_READ_ONLY);
}

static void strings_tell_their_size_with_nul(void **state)
{
    char text[8];
    size_t len = 0;
    assert_int_equal(nvs_set_str(nvs, "s", "hello"), ESP_OK);
    assert_int_equal(nvs_get_str(nvs, "s", NULL, &len), ESP_OK);
    assert_int_equal(len, 6);
    len = 5;
    assert_int_equal(nvs_get_str(nvs, "s", text, &len), ESP_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(len, 6);
    len = sizeof text;
    assert_int_equal(nvs_get_str(nvs, "s", text, &len), ESP_OK);
    assert_string_equal(text, "hello");
    assert_int_equal(nvs_get_str(nvs, "s", text, NULL), ESP_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(nvs_get_str(nvs, "t", text, &len), ESP_ERR_NVS_NOT_FOUND);
}

static void another_type_is_not_found_and_leaves_the_output(void **state)
{
    uint32_t out = 77;
    nvs_type_t type;
    nvs_set_u8(nvs, "n", 1);
    assert_int_equal(nvs_get_u32(nvs, "n", &out), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(out, 77);
    assert_int_equal(nvs_find_key(nvs, "n", &type), ESP_OK);
    assert_int_equal(type, NVS_TYPE_U8);
    assert_int_equal(nvs_set_u8(nvs, "a key of 16 char", 1), ESP_ERR_NVS_KEY_TOO_LONG);
}

static void open_tells_why_it_fails(void **state)
{
    nvs_handle_t handle;
    assert_int_equal(nvs_open("none", NVS_READONLY, &handle), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_open("a name of 16 cha", NVS_READWRITE, &handle),
                     ESP_ERR_NVS_KEY_TOO_LONG);
    assert_int_equal(nvs_open_from_partition("other", "x", NVS_READWRITE, &handle),
                     ESP_ERR_NVS_PART_NOT_FOUND);
    assert_int_equal(nvs_open("x", NVS_READWRITE, NULL), ESP_ERR_INVALID_ARG);
    nvs_flash_deinit();
    assert_int_equal(nvs_open("x", NVS_READWRITE, &handle), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(nvs_flash_deinit(), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(nvs_flash_init_partition("other"), ESP_ERR_NOT_FOUND);
}

static void iterators_walk_over_a_namespace(void **state)
{
    nvs_iterator_t it = NULL;
    nvs_entry_info_t info;
    int count = 0;
    nvs_set_u8(nvs, "one", 1);
    nvs_set_str(nvs, "two", "2");
    nvs_set_blob(nvs, "three", "333", 3);
    esp_err_t err = nvs_entry_find("nvs", "space", NVS_TYPE_ANY, &it);
    for (; err == ESP_OK; err = nvs_entry_next(&it), count++) {
        assert_int_equal(nvs_entry_info(it, &info), ESP_OK);
        assert_string_equal(info.namespace_name, "space");
    }
    assert_int_equal(count, 3);
    assert_null(it);
    assert_int_equal(nvs_entry_find_in_handle(nvs, NVS_TYPE_STR, &it), ESP_OK);
    nvs_entry_info(it, &info);
    assert_string_equal(info.key, "two");
    nvs_release_iterator(it);
    assert_int_equal(nvs_entry_find("nvs", "none", NVS_TYPE_ANY, &it), ESP_ERR_NVS_NOT_FOUND);
}

static void entries_are_counted_and_erased(void **state)
{
    size_t used = 9;
    nvs_stats_t stats;
    nvs_set_u8(nvs, "one", 1);
    nvs_set_str(nvs, "two", "2");
    assert_int_equal(nvs_get_used_entry_count(nvs, &used), ESP_OK);
    assert_int_equal(used, 3);
    assert_int_equal(nvs_get_stats(NULL, &stats), ESP_OK);
    assert_int_equal(stats.used_entries, 4);
    assert_int_equal(stats.total_entries, 4 * 126);
    assert_int_equal(nvs_erase_key(nvs, "one"), ESP_OK);
    assert_int_equal(nvs_erase_key(nvs, "one"), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_erase_all(nvs), ESP_OK);
    assert_int_equal(nvs_get_used_entry_count(nvs, &used), ESP_OK);
    assert_int_equal(used, 0);
}

static void erasing_the_partition_needs_a_new_init(void **state)
{
    uint8_t value;
    nvs_set_u8(nvs, "one", 1);
    assert_int_equal(nvs_flash_erase(), ESP_OK);
    assert_int_equal(nvs_get_u8(nvs, "one", &value), ESP_ERR_NVS_INVALID_HANDLE);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("space", NVS_READONLY, &nvs), ESP_ERR_NVS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(values_of_every_type_come_back, setup),
        cmocka_unit_test_setup(values_survive_a_new_init, setup),
        cmocka_unit_test_setup(strings_tell_their_size_with_nul, setup),
        cmocka_unit_test_setup(another_type_is_not_found_and_leaves_the_output, setup),
        cmocka_unit_test_setup(open_tells_why_it_fails, setup),
        cmocka_unit_test_setup(iterators_walk_over_a_namespace, setup),
        cmocka_unit_test_setup(entries_are_counted_and_erased, setup),
        cmocka_unit_test_setup(erasing_the_partition_needs_a_new_init, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
