#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/sdkconfig.h"

static const char text[] = "# a comment\n"
                           "CONFIG_A=y\n"
                           "# CONFIG_B is not set\n"
                           "CONFIG_LONGER_NAME=7\n"
                           "CONFIG_LONG=0x10\n"
                           "CONFIG_NEGATIVE=-1\n"
                           "CONFIG_S=\"https://a/b?c=\\\"d\\\" \\\\\"\n"
                           "CONFIG_EMPTY=\"\"\n"
                           "CONFIG_DOS=y\r\n"
                           "CONFIG_LAST=12";
#define LEN (sizeof text - 1)

static void booleans_are_true_only_when_set_to_y(void **state)
{
    assert_true(sdkconfig_bool(text, LEN, "A"));
    assert_true(sdkconfig_bool(text, LEN, "DOS"));
    assert_false(sdkconfig_bool(text, LEN, "B"));
    assert_false(sdkconfig_bool(text, LEN, "LONG"));
    assert_false(sdkconfig_bool(text, LEN, "NOT_THERE"));
}

static void numbers_are_decimal_or_hexadecimal(void **state)
{
    assert_int_equal(sdkconfig_int(text, LEN, "LONG", 0), 16);
    assert_int_equal(sdkconfig_int(text, LEN, "LONGER_NAME", 0), 7);
    assert_int_equal(sdkconfig_int(text, LEN, "NEGATIVE", 0), -1);
    assert_int_equal(sdkconfig_int(text, LEN, "LAST", 0), 12);
    assert_int_equal(sdkconfig_int(text, LEN, "NOT_THERE", 99), 99);
    assert_int_equal(sdkconfig_int(text, LEN, "S", 99), 99);
}

static void strings_lose_quotes_and_escapes(void **state)
{
    char value[64];
    assert_true(sdkconfig_get(text, LEN, "S", value, sizeof value));
    assert_string_equal(value, "https://a/b?c=\"d\" \\");
    assert_true(sdkconfig_get(text, LEN, "EMPTY", value, sizeof value));
    assert_string_equal(value, "");
}

static void a_value_that_does_not_fit_is_not_cut(void **state)
{
    char value[3];
    assert_false(sdkconfig_get(text, LEN, "S", value, sizeof value));
    assert_true(sdkconfig_get(text, LEN, "LAST", value, sizeof value));
    assert_string_equal(value, "12");
    assert_false(sdkconfig_get(text, LEN, "LAST", value, 2));
}

static void a_name_matches_as_a_whole(void **state)
{
    char value[16];
    assert_false(sdkconfig_get(text, LEN, "LONGER", value, sizeof value));
    assert_false(sdkconfig_get(text, LEN, "", value, sizeof value));
}

static void the_text_ends_where_its_length_says(void **state)
{
    char value[16];
    assert_true(sdkconfig_get(text, LEN - 1, "LAST", value, sizeof value));
    assert_string_equal(value, "1");
    assert_false(sdkconfig_get(text, 0, "A", value, sizeof value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(booleans_are_true_only_when_set_to_y),
        cmocka_unit_test(numbers_are_decimal_or_hexadecimal),
        cmocka_unit_test(strings_lose_quotes_and_escapes),
        cmocka_unit_test(a_value_that_does_not_fit_is_not_cut),
        cmocka_unit_test(a_name_matches_as_a_whole),
        cmocka_unit_test(the_text_ends_where_its_length_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
