/* Lines and their parameters, without a port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "at/at_params.h"

/* Pushes all of text, step bytes at a time; the events, as "C:AT B:x D:data ". */
static void story(struct at_line *l, const char *text, size_t len, size_t step, char *out)
{
    *out = 0;
    for (size_t at = 0; at < len;) {
        struct at_line_event ev;
        size_t n = len - at < step ? len - at : step;
        size_t used = at_line_push(l, (const uint8_t *)text + at, n, &ev);
        assert_in_range(used, 1, n);
        if (ev.kind == AT_LINE_COMMAND || ev.kind == AT_LINE_BAD) {
            assert_int_equal(ev.text[ev.len], 0);
            out += sprintf(out, "%c:%s ", ev.kind == AT_LINE_COMMAND ? 'C' : 'B', ev.text);
        } else if (ev.kind == AT_LINE_DATA) {
            assert_ptr_equal(ev.data, text + at);
            out += sprintf(out, "D:%.*s ", (int)ev.len, ev.data);
        } else {
            assert_int_equal(used, n);
        }
        at += used;
    }
}

static void lines_end_by_cr_lf_wherever_the_bytes_are_cut(void **state)
{
    static const char text[] = "AT\r\n\r\nAT+A\rB\r\nAT+X\nATE0\r\n\r\r\n\n";
    struct at_line l;
    char out[256];
    at_line_init(&l, -1);
    for (size_t step = 1; step <= sizeof text; step++) {
        story(&l, text, sizeof text - 1, step, out);
        assert_string_equal(out, "C:AT C: C:AT+A\rB B:AT+X C:ATE0 C:\r B: ");
    }
}

static void a_configured_byte_ends_lines_instead(void **state)
{
    struct at_line l;
    char out[256];
    at_line_init(&l, ';');
    story(&l, "AT\r\n;ATE0;", 10, 3, out);
    assert_string_equal(out, "C:AT\r\n C:ATE0 ");
    at_line_init(&l, '\n');
    story(&l, "AT\n", 3, 1, out);
    assert_string_equal(out, "C:AT ");
}

static void raw_bytes_are_data_until_it_is_over(void **state)
{
    struct at_line l;
    char out[256];
    at_line_init(&l, -1);
    story(&l, "AT", 2, 2, out);
    at_line_raw(&l, true);
    story(&l, "AT\r\n", 4, 3, out);
    assert_string_equal(out, "D:AT\r D:\n ");
    at_line_raw(&l, false);
    story(&l, "AT\r\n", 4, 3, out); /* the AT before the data is forgotten */
    assert_string_equal(out, "C:AT ");
}

/* Of n bytes with the terminator. */
static enum at_line_kind kind_of_length(size_t n, size_t step)
{
    struct at_line l;
    struct at_line_event ev = {0};
    uint8_t text[2048];
    memset(text, 'x', sizeof text);
    memcpy(text + n - 2, "\r\n", 2);
    at_line_init(&l, -1);
    for (size_t at = 0; at < n;)
        at += at_line_push(&l, text + at, n - at < step ? n - at : step, &ev);
    return ev.kind;
}

static void a_line_has_at_most_256_bytes(void **state)
{
    for (size_t step = 1; step < 600; step += 7) {
        assert_int_equal(kind_of_length(256, step), AT_LINE_COMMAND);
        assert_int_equal(kind_of_length(257, step), AT_LINE_BAD);
        assert_int_equal(kind_of_length(258, step), AT_LINE_BAD);
        assert_int_equal(kind_of_length(512, step), AT_LINE_BAD);
        assert_int_equal(kind_of_length(1027, step), AT_LINE_BAD);
    }
}

static struct at_request parse(const char *text)
{
    struct at_request r;
    assert_int_equal(at_request_parse(text, strlen(text), &r), 0);
    return r;
}

static void is_slice(struct at_slice s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.at, text, s.len);
}

static void a_command_has_a_name_and_a_form(void **state)
{
    static const struct {
        const char *line, *name;
        enum at_form form;
        size_t count;
    } cases[] = {
        {"AT", "", AT_FORM_EXECUTE, 0},
        {"at+GMR", "+GMR", AT_FORM_EXECUTE, 0},
        {"AtE0", "E0", AT_FORM_EXECUTE, 0},
        {"AT+X?", "+X", AT_FORM_QUERY, 0},
        {"AT+X=?", "+X", AT_FORM_TEST, 0},
        {"AT+X=", "+X", AT_FORM_SET, 1},
        {"AT+X=??", "+X", AT_FORM_SET, 1},
        {"AT+X=1,2,3", "+X", AT_FORM_SET, 3},
        {"AT+X=,", "+X", AT_FORM_SET, 2},
        {"AT+X=\"a,b\",\"\\\",\",", "+X", AT_FORM_SET, 3},
        {"AT+X=1=2", "+X", AT_FORM_SET, 1},
        {"AT+X=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "+X", AT_FORM_SET, 18},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct at_request r = parse(cases[i].line);
        is_slice(r.name, cases[i].name);
        assert_int_equal(r.form, cases[i].form);
        assert_int_equal(r.count, cases[i].count);
    }
    struct at_request r;
    assert_int_equal(at_request_parse("T", 1, &r), 0x01030000);
    assert_int_equal(at_request_parse("+GMR", 4, &r), 0x01030000);
}

static void parameters_keep_their_quotes_and_places(void **state)
{
    struct at_request r = parse("AT+X=1,,\"a\\\",\\\\\",x\\,y");
    is_slice(r.param[0], "1");
    is_slice(r.param[1], "");
    is_slice(r.param[2], "\"a\\\",\\\\\"");
    is_slice(r.param[3], "x\\"); /* escapes are for strings */
    is_slice(r.param[4], "y");
}

static void integers_are_decimal_or_hex_with_a_sign(void **state)
{
    static const struct {
        const char *text;
        enum at_param outcome;
        int64_t value;
        enum at_sub sub;
    } cases[] = {
        {"0", AT_PARAM_OK, 0, 0},
        {"007", AT_PARAM_OK, 7, 0},
        {"-12", AT_PARAM_OK, -12, 0},
        {"+12", AT_PARAM_OK, 12, 0},
        {"0x1fF", AT_PARAM_OK, 511, 0},
        {"-0X10", AT_PARAM_OK, -16, 0},
        {"9223372036854775807", AT_PARAM_OK, INT64_MAX, 0},
        {"9223372036854775808", AT_PARAM_MALFORMED, 0, AT_SUB_PARA_PARSE_FAIL},
        {"0x8000000000000000", AT_PARAM_MALFORMED, 0, AT_SUB_PARA_PARSE_FAIL},
        {"", AT_PARAM_OMITTED, 0, 0},
        {"\"1\"", AT_PARAM_MALFORMED, 0, AT_SUB_PARA_TYPE_MISMATCH},
        {"0x", AT_PARAM_MALFORMED, 0, AT_SUB_PARA_PARSE_FAIL},
        {"1f", AT_PARAM_MALFORMED, 0, AT_SUB_PARA_PARSE_FAIL},
        {" 1", AT_PARAM_MALFORMED, 0, AT_SUB_PARA_PARSE_FAIL},
        {"--1", AT_PARAM_MALFORMED, 0, AT_SUB_PARA_PARSE_FAIL},
        {"-", AT_PARAM_MALFORMED, 0, AT_SUB_PARA_PARSE_FAIL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 0;
        enum at_sub sub = AT_SUB_OK;
        struct at_slice s = {cases[i].text, strlen(cases[i].text)};
        assert_int_equal(at_slice_int(s, &value, &sub), cases[i].outcome);
        assert_int_equal(value, cases[i].value);
        if (cases[i].outcome == AT_PARAM_MALFORMED) assert_int_equal(sub, cases[i].sub);
    }
}

static void strings_lose_quotes_and_backslashes(void **state)
{
    static const struct {
        const char *text, *value; /* NULL: malformed */
        enum at_sub sub;
    } cases[] = {
        {"\"\"", "", 0},
        {"\"a b\"", "a b", 0},
        {"\"a\\,\\\"\\\\b\"", "a,\"\\b", 0},
        {"\"\\n\"", "n", 0},
        {"a", NULL, AT_SUB_PARA_TYPE_MISMATCH},
        {"12", NULL, AT_SUB_PARA_TYPE_MISMATCH},
        {"\"a", NULL, AT_SUB_PARA_PARSE_FAIL},
        {"\"", NULL, AT_SUB_PARA_PARSE_FAIL},
        {"\"a\\", NULL, AT_SUB_PARA_PARSE_FAIL},
        {"\"a\\\"", NULL, AT_SUB_PARA_PARSE_FAIL},
        {"\"a\"b", NULL, AT_SUB_PARA_PARSE_FAIL},
        {"\"a\"\"b\"", NULL, AT_SUB_PARA_PARSE_FAIL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char room[32];
        size_t len = 99;
        enum at_sub sub = AT_SUB_OK;
        struct at_slice s = {cases[i].text, strlen(cases[i].text)};
        enum at_param p = at_slice_text(s, room, &len, &sub);
        assert_int_equal(p, cases[i].value ? AT_PARAM_OK : AT_PARAM_MALFORMED);
        if (cases[i].value) {
            assert_string_equal(room, cases[i].value);
            assert_int_equal(len, strlen(room));
        } else {
            assert_int_equal(sub, cases[i].sub);
        }
    }
    char room[8];
    size_t len;
    enum at_sub sub;
    assert_int_equal(at_slice_text((struct at_slice){"\"a\0b\"", 5}, room, &len, &sub),
                     AT_PARAM_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_by_cr_lf_wherever_the_bytes_are_cut),
        cmocka_unit_test(a_configured_byte_ends_lines_instead),
        cmocka_unit_test(raw_bytes_are_data_until_it_is_over),
        cmocka_unit_test(a_line_has_at_most_256_bytes),
        cmocka_unit_test(a_command_has_a_name_and_a_form),
        cmocka_unit_test(parameters_keep_their_quotes_and_places),
        cmocka_unit_test(integers_are_decimal_or_hex_with_a_sign),
        cmocka_unit_test(strings_lose_quotes_and_backslashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
