/* The list of versions as old clients search it, file checks, and limits of requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/file.h"
#include "server/cloud_limit.h"
#include "server/cloud_list.h"
#include "server/cloud_rules.h"

#define VECTORS "tests/vectors/"

static void the_list_is_the_text_that_clients_know(void **state)
{
    static struct cloud_list l;
    cloud_list_begin(&l, "v2.2.0.0");
    assert_true(cloud_list_add(&l, true, "v2.2.0.0", "beta", NULL, 0));
    assert_true(cloud_list_add(&l, false, "v2.1.0.0", "beta", NULL, 0));
    cloud_list_end(&l);
    uint8_t *answer;
    size_t len;
    assert_int_equal(file_read(VECTORS "at-adf/resp_query_ok.http", 4096, &answer, &len), 0);
    assert_string_equal(l.text, strstr((char *)answer, "\r\n\r\n") + 4);
    assert_int_equal(l.len, strlen(l.text));
    free(answer);
}

static void files_stand_behind_the_version(void **state)
{
    static struct cloud_list l;
    const struct cloud_list_file files[] = {{"ota.bin", "ab"}, {"mqtt_ca.bin", "cd"}};
    cloud_list_begin(&l, "v1");
    assert_true(cloud_list_add(&l, true, "v1", "beta", files, 2));
    cloud_list_end(&l);
    assert_non_null(strstr(l.text, "\"version\": \"v1\", \"life_cycle\": \"beta\", \"files\": "
                                   "[{\"name\": \"ota.bin\", \"path\": \"ab.bin\"}, "
                                   "{\"name\": \"mqtt_ca.bin\", \"path\": \"cd.bin\"}]}]}"));
}

static void the_oldest_are_left_out_of_a_list_that_is_full(void **state)
{
    static struct cloud_list l;
    char version[CLOUD_VERSION_MAX + 1];
    unsigned added = 0;
    cloud_list_begin(&l, "v");
    for (unsigned i = 0; i < 500; i++) {
        snprintf(version, sizeof version, "%060u", i);
        if (!cloud_list_add(&l, false, version, "beta", NULL, 0)) break;
        added++;
    }
    cloud_list_end(&l);
    assert_in_range(added, 50, 499);
    assert_in_range(l.len, 8000, CLOUD_LIST_MAX);
    assert_string_equal(l.text + l.len - 3, "}]}");
    assert_int_equal(l.count, added);
}

static void check(const char *name, const char *file, unsigned status)
{
    char warning[240];
    struct cloud_refusal why = {0};
    uint8_t *data;
    size_t len;
    assert_int_equal(file_read(file, 1u << 20, &data, &len), 0);
    bool ok = cloud_file_check(name, data, len, warning, &why);
    if (ok != (status == 0)) fail_msg("%s as %s: %s", file, name, why.message);
    if (!ok) assert_int_equal(why.status, status);
    free(data);
}

static void files_have_to_be_what_their_names_say(void **state)
{
    check("ota.bin", VECTORS "esp-flash/image/app_c3_v1.bin", 0);
    check("ota.bin", VECTORS "esp-flash/image/checksum_byte.bin", 422);
    check("ota.bin", VECTORS "at-adf/mqtt_ca.bin", 422);
    check("user1.bin", VECTORS "esp-flash/image/app_c3_v1.bin", 0);
    check("user2.bin", VECTORS "at-adf/mqtt_ca.bin", 422);
    check("mqtt_ca.bin", VECTORS "at-adf/mqtt_ca.bin", 0);
    check("wpa_ent_key.bin", VECTORS "at-adf/mqtt_ca.bin", 0);
    check("factory_param.bin", VECTORS "at-adf/factory_param_wroom32.bin", 0);
    check("factory_param.bin", VECTORS "at-adf/mqtt_ca.bin", 422);
    check("ble_data.bin", VECTORS "at-adf/ble_data.bin", 0);
    check("ble_data.bin", VECTORS "at-adf/mqtt_ca.bin", 422);
    check("own.bin", VECTORS "at-adf/mqtt_ca.bin", 0);
    check("own", VECTORS "at-adf/mqtt_ca.bin", 400);
}

static void names_that_modules_fail_with_are_warned_of(void **state)
{
    char warning[240];
    struct cloud_refusal why;
    assert_true(cloud_file_check("factory_ param.bin", (const uint8_t *)"x", 1, warning, &why));
    assert_non_null(strstr(warning, "blank"));
    assert_true(cloud_file_check("own.bin", (const uint8_t *)"x", 1, warning, &why));
    assert_non_null(strstr(warning, "erased"));
    assert_true(cloud_file_check("mqtt_ca.bin", (const uint8_t *)"\xf1\xf1", 2, warning, &why));
    assert_string_equal(warning, "");
    assert_false(cloud_file_check("ble_data.bin", (const uint8_t *)"ab\x27", 3, warning, &why));
    assert_false(cloud_file_check("own.bin", (const uint8_t *)"", 0, warning, &why));
}

static void a_minutes_requests_may_come_at_once_and_no_more(void **state)
{
    struct cloud_limit *l = cloud_limit_new(60);
    for (int i = 0; i < 60; i++) assert_int_equal(cloud_limit_take(l, 7, 1000), 0);
    assert_int_equal(cloud_limit_take(l, 7, 1000), 2);
    assert_int_equal(cloud_limit_take(l, 8, 1000), 0); /* others are not touched */
    assert_int_not_equal(cloud_limit_take(l, 7, 1999), 0);
    assert_int_equal(cloud_limit_take(l, 7, 2000), 0); /* one a second comes back */
    assert_int_not_equal(cloud_limit_take(l, 7, 2000), 0);
    for (int i = 0; i < 60; i++) assert_int_equal(cloud_limit_take(l, 7, 1000000), 0);
    assert_int_not_equal(cloud_limit_take(l, 7, 1000000), 0);
    cloud_limit_free(l);
}

static void a_description_is_one_short_line(void **state)
{
    struct cloud_refusal why;
    char text[CLOUD_DESCRIPTION_MAX + 2];
    assert_true(cloud_description_ok("", &why));
    assert_true(cloud_description_ok("a l\xc3\xa4mp", &why));
    assert_false(cloud_description_ok("\033[2J", &why));
    assert_false(cloud_description_ok("a\nb", &why));
    assert_false(cloud_description_ok("\x7f", &why));
    memset(text, 'x', sizeof text);
    text[CLOUD_DESCRIPTION_MAX + 1] = 0;
    assert_false(cloud_description_ok(text, &why));
    text[CLOUD_DESCRIPTION_MAX] = 0;
    assert_true(cloud_description_ok(text, &why));
}

static void a_limit_of_nought_takes_everything(void **state)
{
    struct cloud_limit *l = cloud_limit_new(0);
    for (int i = 0; i < 100000; i++) assert_int_equal(cloud_limit_take(l, 1, 0), 0);
    cloud_limit_free(l);
}

static void an_ipv6_network_is_one_caller(void **state)
{
    assert_int_equal(cloud_limit_address("2001:db8:0:1::1"),
                     cloud_limit_address("2001:db8:0:1:2::"));
    assert_int_not_equal(cloud_limit_address("2001:db8:0:1::1"),
                         cloud_limit_address("2001:db8:0:2::1"));
    assert_int_equal(cloud_limit_address("::ffff:192.0.2.1"), cloud_limit_address("192.0.2.1"));
    assert_int_not_equal(cloud_limit_address("::ffff:192.0.2.1"),
                         cloud_limit_address("::ffff:192.0.2.2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_the_text_that_clients_know),
        cmocka_unit_test(files_stand_behind_the_version),
        cmocka_unit_test(the_oldest_are_left_out_of_a_list_that_is_full),
        cmocka_unit_test(files_have_to_be_what_their_names_say),
        cmocka_unit_test(names_that_modules_fail_with_are_warned_of),
        cmocka_unit_test(a_minutes_requests_may_come_at_once_and_no_more),
        cmocka_unit_test(a_description_is_one_short_line),
        cmocka_unit_test(a_limit_of_nought_takes_everything),
        cmocka_unit_test(an_ipv6_network_is_one_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
