/* What modules and publishers send, taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/cloud_query.h"

#define KEY "dd93253c287f725de50d4071a05dd28b72056ca7"

static void a_token_of_40_hex_digits_is_taken(void **state)
{
    char key[CLOUD_KEY_LEN + 1];
    assert_true(cloud_authorization("token " KEY, key));
    assert_string_equal(key, KEY);
    assert_true(cloud_authorization("Token  DD93253C287F725DE50D4071A05DD28B72056CA7 ", key));
    assert_string_equal(key, KEY);
}

static void anything_else_is_no_token(void **state)
{
    static const char *const bad[] = {
        NULL,
        "",
        "token",
        "token ",
        KEY,
        "Bearer " KEY,
        "token" KEY,
        "token " KEY "0",
        "token " KEY " x",
        "token (null)",
        "token g" KEY,
        "tokens " KEY,
        "token dd93253c287f725de50d4071a05dd28b72056ca",
    };
    char key[CLOUD_KEY_LEN + 1];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cloud_authorization(bad[i], key));
}

static void unencoded_values_stand_for_themselves(void **state)
{
    char out[16];
    assert_true(cloud_query_value("v1.0(a)[b];%", out, sizeof out));
    assert_string_equal(out, "v1.0(a)[b];%");
    assert_true(cloud_query_value("50%zz%4", out, sizeof out));
    assert_string_equal(out, "50%zz%4");
    assert_true(cloud_query_value("a%2Bb%20c", out, sizeof out));
    assert_string_equal(out, "a+b c");
    assert_true(cloud_query_value("", out, sizeof out));
    assert_string_equal(out, "");
}

static void values_too_long_or_with_control_characters_are_refused(void **state)
{
    char out[5];
    assert_true(cloud_query_value("1234", out, sizeof out));
    assert_false(cloud_query_value("12345", out, sizeof out));
    assert_false(cloud_query_value(NULL, out, sizeof out));
    assert_false(cloud_query_value("a%00", out, sizeof out));
    assert_false(cloud_query_value("a%0a", out, sizeof out));
}

static struct cloud_deploy d;
static struct cloud_refusal why;

static bool parse(const char *text)
{
    return cloud_deploy_parse(text, strlen(text), &d, &why);
}

static void a_deployment_is_read(void **state)
{
    assert_true(parse("{\"version\":\"v1.0\",\"life_cycle\":\"release\",\"corename\":\"c3\","
                      "\"current\":true,\"files\":[{\"name\":\"ota.bin\",\"artifact\":\"app\"},"
                      "{\"name\":\"mqtt_ca.bin\",\"artifact\":\"ca\"}]}"));
    assert_string_equal(d.version, "v1.0");
    assert_string_equal(d.life_cycle, "release");
    assert_string_equal(d.corename, "c3");
    assert_true(d.current);
    assert_int_equal(d.count, 2);
    assert_string_equal(d.files[1].name, "mqtt_ca.bin");
    assert_string_equal(d.files[1].artifact, "ca");
    assert_string_equal(d.files[1].sha256, "");
    assert_true(parse("{\"version\":\"v1\",\"files\":[{\"name\":\"ota.bin\",\"artifact\":\"app\","
                      "\"sha256\":\"00ff\"}]}"));
    assert_string_equal(d.files[0].sha256, "00ff");
}

static bool is_json(const char *text, size_t len)
{
    cJSON *doc = cloud_json_parse(text, len);
    cJSON_Delete(doc);
    return doc != NULL;
}

static void json_ends_where_its_text_ends(void **state)
{
    static const char good[] = " {\"a\":\"b\"}\r\n ", after[] = "{} {}",
                      escaped[] = "\"a\\u0000b\"", raw[] = "\"a\0b\"";
    static char deep[5000];
    assert_true(is_json(good, strlen(good)));
    assert_true(is_json("{}", 2));
    assert_false(is_json("{}", 1));
    assert_false(is_json("", 0));
    assert_false(is_json(after, strlen(after)));
    assert_false(is_json(escaped, strlen(escaped)));
    assert_false(is_json(raw, sizeof raw - 1));
    assert_false(is_json("{}", 3)); /* with the NUL behind */
    memset(deep, '[', sizeof deep);
    assert_false(is_json(deep, sizeof deep));
}

static void the_vendors_hook_is_read(void **state)
{
    assert_true(parse("{\"productRoms\":[{\"version\":\"v2\",\"recommended\":1,\"files\":"
                      "[{\"path\":\"u1\",\"name\":\"user1.bin\"}]}]}"));
    assert_string_equal(d.version, "v2");
    assert_string_equal(d.life_cycle, "beta");
    assert_true(d.current);
    assert_string_equal(d.files[0].artifact, "u1");
    assert_true(parse("{\"productRoms\":[{\"version\":\"v2\",\"recommended\":0,\"files\":"
                      "[{\"path\":\"u1\",\"name\":\"user1.bin\"}]}]}"));
    assert_false(d.current);
}

static void deployments_that_break_clients_are_refused(void **state)
{
    static const char *const versions[] = {"",    "a b", "a\\\"b", "a,b",   "a\\\\b",
                                           "a&b", "a#b", "a%b",    "a\\nb", "\\u00e9"};
    char text[400];
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        snprintf(text, sizeof text,
                 "{\"version\":\"%s\",\"files\":[{\"name\":\"ota.bin\",\"artifact\":\"a\"}]}",
                 versions[i]);
        assert_false(parse(text));
        assert_string_equal(why.code, "version");
        assert_int_equal(why.status, 400);
    }
    snprintf(text, sizeof text, "{\"version\":\"%065d\",\"files\":[]}", 0);
    assert_false(parse(text));
    snprintf(text, sizeof text,
             "{\"version\":\"%064d\",\"files\":[{\"name\":\"ota.bin\",\"artifact\":\"a\"}]}", 0);
    assert_true(parse(text));
}

static void malformed_deployments_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "\"text\"",
        "{}",
        "{\"version\":1,\"files\":[]}",
        "{\"version\":\"v1\"}",
        "{\"version\":\"v1\",\"files\":[]}",
        "{\"version\":\"v1\",\"files\":{}}",
        "{\"version\":\"v1\",\"files\":[{}]}",
        "{\"version\":\"v1\",\"files\":[{\"name\":\"ota.bin\"}]}",
        "{\"version\":\"v1\",\"files\":[{\"name\":\"ota\",\"artifact\":\"a\"}]}",
        "{\"version\":\"v1\",\"files\":[{\"name\":\"a/b.bin\",\"artifact\":\"a\"}]}",
        "{\"version\":\"v1\",\"current\":\"yes\",\"files\":[{\"name\":\"a.bin\",\"artifact\":"
        "\"a\"}]}",
        "{\"version\":\"v1\",\"files\":[{\"name\":\"a.bin\",\"artifact\":\"a\"},"
        "{\"name\":\"a.bin\",\"artifact\":\"b\"}]}",
        "{\"productRoms\":[]}",
        "{\"productRoms\":[{},{}]}",
        "{\"productRoms\":7}",
        "{\"version\":\"v1\",\"files\":[{\"name\":\"a.bin\",\"artifact\":\"a\",\"sha256\":1}]}",
        "{\"version\":\"v1\",\"files\":[{\"name\":\"a.bin\",\"artifact\":\"a\"}]} x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(parse(bad[i]));
}

static void more_than_ten_files_are_refused(void **state)
{
    char text[800] = "{\"version\":\"v1\",\"files\":[";
    for (int i = 0; i < 11; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s{\"name\":\"f%d.bin\",\"artifact\":\"a\"}", i ? "," : "", i);
        strcat(text, file);
        if (i != 9) continue;
        size_t len = strlen(text);
        strcat(text, "]}");
        assert_true(parse(text));
        text[len] = 0;
    }
    strcat(text, "]}");
    assert_false(parse(text));
}

static void reports_of_upgrades_are_read(void **state)
{
    static const char text[] = "{\"get\":{\"action\":\"device_upgrade_success\"},\"body\":"
                               "{\"pre_rom_version\":\"v1\",\"rom_version\":\"v2\"}}";
    struct cloud_report r;
    assert_true(cloud_report_parse(text, sizeof text - 1, &r));
    assert_string_equal(r.action, "device_upgrade_success");
    assert_string_equal(r.before, "v1");
    assert_string_equal(r.version, "v2");
    assert_false(cloud_report_parse("{}", 2, &r));
    assert_false(cloud_report_parse("{\"get\":{\"action\":1}}", 22, &r));
    assert_false(cloud_report_parse("", 0, &r));
}

static void a_report_cannot_write_on_a_terminal(void **state)
{
    static const char text[] =
        "{\"get\":{\"action\":\"a\\u001b[2J\"},\"body\":{\"pre_rom_version\":"
        "\"\\n\",\"rom_version\":\"\xff\x7f~\"}}";
    struct cloud_report r;
    assert_true(cloud_report_parse(text, sizeof text - 1, &r));
    assert_string_equal(r.action, "a?[2J");
    assert_string_equal(r.before, "?");
    assert_string_equal(r.version, "??~");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_of_40_hex_digits_is_taken),
        cmocka_unit_test(anything_else_is_no_token),
        cmocka_unit_test(unencoded_values_stand_for_themselves),
        cmocka_unit_test(values_too_long_or_with_control_characters_are_refused),
        cmocka_unit_test(json_ends_where_its_text_ends),
        cmocka_unit_test(a_deployment_is_read),
        cmocka_unit_test(the_vendors_hook_is_read),
        cmocka_unit_test(deployments_that_break_clients_are_refused),
        cmocka_unit_test(malformed_deployments_are_refused),
        cmocka_unit_test(more_than_ten_files_are_refused),
        cmocka_unit_test(reports_of_upgrades_are_read),
        cmocka_unit_test(a_report_cannot_write_on_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
