/* Range and preconditions, after the examples and rules of RFC 9110. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/range.h"

struct range_case {
    const char *header;
    uint64_t length;
    enum range_answer answer;
    uint64_t first, last;
};

static void check(const struct range_case *c)
{
    uint64_t first = 7777, last = 7777;
    enum range_answer got = range_parse(c->header, c->length, &first, &last);
    if (got != c->answer)
        fail_msg("'%s' of %llu: got %d, expected %d", c->header ? c->header : "(none)",
                 (unsigned long long)c->length, got, c->answer);
    if (got == RANGE_PART) {
        assert_int_equal(first, c->first);
        assert_int_equal(last, c->last);
    }
}

static void single_ranges_give_their_bytes(void **state)
{
    static const struct range_case cases[] = {
        {"bytes=0-499", 10000, RANGE_PART, 0, 499},
        {"bytes=500-999", 10000, RANGE_PART, 500, 999},
        {"bytes=-500", 10000, RANGE_PART, 9500, 9999},
        {"bytes=9500-", 10000, RANGE_PART, 9500, 9999},
        {"bytes=0-0", 10000, RANGE_PART, 0, 0},
        {"bytes=-1", 10000, RANGE_PART, 9999, 9999},
        {"bytes=0-", 10000, RANGE_PART, 0, 9999},
        {"bytes=9999-9999", 10000, RANGE_PART, 9999, 9999},
        {"bytes=5000-99999", 10000, RANGE_PART, 5000, 9999},
        {"bytes=-99999", 10000, RANGE_PART, 0, 9999},
        {"BYTES=1-2", 10, RANGE_PART, 1, 2},
        {"bytes= 1-2 ", 10, RANGE_PART, 1, 2},
        {"bytes=,1-2,", 10, RANGE_PART, 1, 2},
        {"bytes=0-18446744073709551615", 10, RANGE_PART, 0, 9},
        {"bytes=0-99999999999999999999999", 10, RANGE_PART, 0, 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(&cases[i]);
}

static void ranges_behind_the_end_are_refused(void **state)
{
    static const struct range_case cases[] = {
        {"bytes=10000-", 10000, RANGE_OUTSIDE, 0, 0},
        {"bytes=10000-10001", 10000, RANGE_OUTSIDE, 0, 0},
        {"bytes=-0", 10000, RANGE_OUTSIDE, 0, 0},
        {"bytes=0-", 0, RANGE_OUTSIDE, 0, 0},
        {"bytes=-5", 0, RANGE_OUTSIDE, 0, 0},
        {"bytes=20-30,40-50", 10, RANGE_OUTSIDE, 0, 0},
        {"bytes=99999999999999999999-", 10, RANGE_OUTSIDE, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(&cases[i]);
}

static void malformed_ranges_are_ignored(void **state)
{
    static const char *const headers[] = {
        NULL,         "",           "bytes",       "bytes=",      "bytes=-",      "bytes=a-b",
        "bytes=1",    "bytes=5-4",  "bytes=1-2x",  "bytes=1-2-3", "bytes=+1-2",   "items=0-5",
        "bytes=1--2", "bytes 0-5",  "bytes=0x1-2", "bytes=1- 2",  "bytes=1-2;3-", "bytes=0-1,x",
        "byte=0-1",   "bytes=1 -2",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        check(&(struct range_case){headers[i], 100, RANGE_WHOLE, 0, 0});
}

static void several_parts_give_the_whole_unless_one_lies_inside(void **state)
{
    check(&(struct range_case){"bytes=0-1,4-5", 100, RANGE_WHOLE, 0, 0});
    check(&(struct range_case){"bytes=200-300, 4-5", 100, RANGE_PART, 4, 5});
    check(&(struct range_case){"bytes=4-5 , 100-", 100, RANGE_PART, 4, 5});
}

static void too_many_parts_are_ignored(void **state)
{
    char header[1024] = "bytes=500-600";
    for (int i = 1; i < 16; i++) strcat(header, ",500-600");
    check(&(struct range_case){header, 100, RANGE_OUTSIDE, 0, 0});
    strcat(header, ",500-600");
    check(&(struct range_case){header, 100, RANGE_WHOLE, 0, 0});
}

#define TAG "\"abc\""
#define T0  784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static void if_range_wants_the_same_strong_validator(void **state)
{
    assert_true(range_if_range(NULL, TAG, T0));
    assert_true(range_if_range(TAG, TAG, T0));
    assert_false(range_if_range("W/" TAG, TAG, T0));
    assert_false(range_if_range("\"abd\"", TAG, T0));
    assert_true(range_if_range("Sun, 06 Nov 1994 08:49:37 GMT", TAG, T0));
    assert_false(range_if_range("Sun, 06 Nov 1994 08:49:38 GMT", TAG, T0));
    assert_false(range_if_range("Sun, 06 Nov 1994 08:49:36 GMT", TAG, T0));
    assert_false(range_if_range("garbage", TAG, T0));
    assert_false(range_if_range("", TAG, T0));
}

static void dates_go_both_ways(void **state)
{
    char text[HTTP_DATE_LEN];
    time_t back = 0;
    http_date_format(T0, text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_true(http_date_parse(text, &back));
    assert_int_equal(back, T0);
    assert_false(http_date_parse("Sunday, 06-Nov-94 08:49:37 GMT", &back));
    assert_false(http_date_parse("Sun, 06 Nov 1994 08:49:37 GMT+1", &back));
}

static int status(const char *match, const char *none, const char *since, const char *unless)
{
    struct http_preconditions p = {match, none, since, unless};
    return http_preconditions_status(&p, TAG, T0);
}

static void preconditions_are_weighed_in_order(void **state)
{
    const char *before = "Sun, 06 Nov 1994 08:49:36 GMT", *at = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert_int_equal(status(NULL, NULL, NULL, NULL), 0);
    assert_int_equal(status(TAG, NULL, NULL, NULL), 0);
    assert_int_equal(status("*", NULL, NULL, before), 0);
    assert_int_equal(status("\"x\", " TAG, NULL, NULL, NULL), 0);
    assert_int_equal(status("\"x\"", NULL, NULL, NULL), 412);
    assert_int_equal(status("W/" TAG, NULL, NULL, NULL), 412);
    assert_int_equal(status(NULL, TAG, NULL, NULL), 304);
    assert_int_equal(status(NULL, "\"a,b\",W/" TAG, NULL, NULL), 304);
    assert_int_equal(status(NULL, "*", NULL, NULL), 304);
    assert_int_equal(status(NULL, "\"x\"", at, NULL), 0); /* the tag outweighs the date */
    assert_int_equal(status(NULL, "abc", NULL, NULL), 0);
    assert_int_equal(status(NULL, NULL, at, NULL), 304);
    assert_int_equal(status(NULL, NULL, before, NULL), 0);
    assert_int_equal(status(NULL, NULL, NULL, before), 412);
    assert_int_equal(status(NULL, NULL, NULL, at), 0);
    assert_int_equal(status(NULL, NULL, "yesterday", "tomorrow"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_ranges_give_their_bytes),
        cmocka_unit_test(ranges_behind_the_end_are_refused),
        cmocka_unit_test(malformed_ranges_are_ignored),
        cmocka_unit_test(several_parts_give_the_whole_unless_one_lies_inside),
        cmocka_unit_test(too_many_parts_are_ignored),
        cmocka_unit_test(if_range_wants_the_same_strong_validator),
        cmocka_unit_test(dates_go_both_ways),
        cmocka_unit_test(preconditions_are_weighed_in_order),
    };
    return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
