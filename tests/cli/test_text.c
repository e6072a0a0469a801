/* Text from files: what of it reaches a terminal and a JSON document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/text.h"

static void becomes(void (*write)(FILE *, const char *), const char *text, const char *wanted)
{
    char *got;
    size_t len;
    FILE *out = open_memstream(&got, &len);
    assert_non_null(out);
    write(out, text);
    fclose(out);
    assert_string_equal(got, wanted);
    free(got);
}

static void only_well_formed_utf8_is_utf8(void **state)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x9f\x98\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc3",
                                      "\xc3(",
                                      "\xe0\x9f\xbf",
                                      "\xe2\x82",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "a\xff"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(text_is_utf8((const uint8_t *)good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(text_is_utf8((const uint8_t *)bad[i], strlen(bad[i])));
}

static void control_characters_are_shown_not_sent(void **state)
{
    (void)state;
    becomes(text_write_plain, "a\033[31mb\a\r\n", "a\\x1b[31mb\\x07\\x0d\n");
    becomes(text_write_plain,
            "\xc2\x9b"
            "31m \x7f",
            "\\xc2\\x9b31m \\x7f");
    becomes(text_write_plain, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac");
    becomes(text_write_plain, "x\xff\xc3", "x\\xff\\xc3");
}

static void json_documents_are_valid_utf8(void **state)
{
    (void)state;
    becomes(text_write_json, "{\"a\xff\":\t\"\xc3\xa9\"}\n", "{\"a\\\\xff\":\t\"\xc3\xa9\"}\n");
    becomes(text_write_json, "\"\xc2\x9b\x7f\"", "\"\\u009b\\u007f\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_well_formed_utf8_is_utf8),
        cmocka_unit_test(control_characters_are_shown_not_sent),
        cmocka_unit_test(json_documents_are_valid_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
