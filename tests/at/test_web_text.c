/* Bodies that browsers send, and JSON that goes back. */
#include "at/web_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool parses(const char *body, struct web_station *s)
{
    return web_station_parse(body, strlen(body), s);
}

static void credentials_are_read_and_other_keys_are_not_looked_at(void **state)
{
    struct web_station s;
    assert_true(parses("{\"ssid_len\":99,\"ssid\":\"a \\\"b\\\"\\/\\\\\",\"password_len\":0,"
                       "\"password\":\"\\u00e4\"}",
                       &s));
    assert_string_equal(s.ssid, "a \"b\"/\\");
    assert_string_equal(s.password, "\xc3\xa4");
}

static void limits_are_32_and_64_bytes(void **state)
{
    struct web_station s;
    char body[200];
    for (int ssid = 31; ssid <= 33; ssid++)
        for (int password = 63; password <= 65; password++) {
            snprintf(body, sizeof body, "{\"ssid\":\"%0*d\",\"password\":\"%0*d\"}", ssid, 0,
                     password, 0);
            assert_int_equal(parses(body, &s), ssid <= 32 && password <= 64);
        }
}

static void what_is_no_such_json_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "null",
                                      "{}",
                                      "{\"ssid\":\"x\"}",
                                      "{\"password\":\"x\"}",
                                      "{\"ssid\":\"\",\"password\":\"x\"}",
                                      "{\"ssid\":null,\"password\":\"x\"}",
                                      "{\"ssid\":{},\"password\":\"x\"}",
                                      "{\"SSID\":\"x\",\"password\":\"x\"}"};
    struct web_station s;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(parses(bad[i], &s));
}

static void the_old_form_is_taken_as_it_stands(void **state)
{
    struct web_station s;
    const char *body = "sta_ssid=a+b%20&sta_password=c=d&udp_port=1";
    assert_true(web_station_parse_form(body, strlen(body), &s));
    assert_string_equal(s.ssid, "a+b%20");
    assert_string_equal(s.password, "c=d");
    assert_false(web_station_parse_form(body, 12, &s)); /* no password */
    assert_false(web_station_parse_form("sta_ssid=&sta_password=x", 24, &s));
}

static bool has(const char *body)
{
    return web_form_has(body, strlen(body), "received", "1");
}

static void a_field_is_found_whole_or_not_at_all(void **state)
{
    assert_true(has("received=1"));
    assert_true(has("x=2&received=1"));
    assert_false(has("received=10"));
    assert_false(has("received="));
    assert_false(has("xreceived=1"));
    assert_false(has("received"));
    assert_false(has(""));
}

static void an_object_is_a_partition_name(void **state)
{
    assert_true(web_object_valid("ota"));
    assert_true(web_object_valid("0123456789abcdef"));
    assert_false(web_object_valid(""));
    assert_false(web_object_valid("0123456789abcdef0"));
    assert_false(web_object_valid("two words"));
    assert_false(web_object_valid("\xc3\xa4"));
}

static void json_escapes_what_the_original_does_and_control_characters(void **state)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    web_json_text(out, "a/b\\c\"d\n\x01 \xc3\xa4");
    fclose(out);
    assert_string_equal(text, "\"a\\/b\\\\c\\\"d\\u000a\\u0001 \xc3\xa4\"");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_read_and_other_keys_are_not_looked_at),
        cmocka_unit_test(limits_are_32_and_64_bytes),
        cmocka_unit_test(what_is_no_such_json_is_refused),
        cmocka_unit_test(the_old_form_is_taken_as_it_stands),
        cmocka_unit_test(a_field_is_found_whole_or_not_at_all),
        cmocka_unit_test(an_object_is_a_partition_name),
        cmocka_unit_test(json_escapes_what_the_original_does_and_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
