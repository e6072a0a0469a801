#include "core/version_number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void versions_have_the_numbers_of_the_original(void **state)
{
    FILE *f = fopen("tests/vectors/at-adf/ota_get_version_number.tsv", "r");
    char line[100];
    int count = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char *tab = strchr(line, '\t');
        assert_non_null(tab);
        *tab = 0;
        if (al_version_number(line) != atoi(tab + 1))
            fail_msg("'%s' gives %d, not %s", line, al_version_number(line), tab + 1);
        count++;
    }
    fclose(f);
    assert_int_equal(count, 20);
}

static void a_field_beyond_int_is_no_version(void **state)
{
    assert_int_equal(al_version_number("v999999999999.1.1"), -1);
    assert_int_equal(al_version_number("v4294967297.1.1"), -1);
}

static void empty_fields_do_not_count(void **state)
{
    assert_int_equal(al_version_number(".v1.2.3"), 0x10203);
    assert_int_equal(al_version_number("v1...2.3.."), 0x10203);
    assert_int_equal(al_version_number("..."), -1);
}

static void a_text_of_32_characters_may_be_a_version_one_of_33_not(void **state)
{
    assert_int_equal(al_version_number("v1.2.00000000000000000000000000d"), -1);
    assert_int_equal(al_version_number("v1.2.000000000000000000000000003"), 0x10203);
    assert_int_equal(al_version_number("v1.2.0000000000000000000000000003"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_have_the_numbers_of_the_original),
        cmocka_unit_test(a_field_beyond_int_is_no_version),
        cmocka_unit_test(empty_fields_do_not_count),
        cmocka_unit_test(a_text_of_32_characters_may_be_a_version_one_of_33_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
