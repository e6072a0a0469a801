/* The states of Wi-Fi provisioning, with a radio that does what the test says. */
#include "at/web_provision.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/eventually.h"
#include "tests/support/test_board.h"

static volatile bool radio_ready, radio_hold, radio_ok;
static volatile int told[8], told_count;
static struct web_station asked;
static volatile unsigned asked_timeout;
static int scan_count;

static bool ready(void)
{
    return radio_ready;
}

static bool connect_station(const struct web_station *s, unsigned timeout_s)
{
    asked = *s;
    asked_timeout = timeout_s;
    while (radio_hold) vTaskDelay(1);
    return radio_ok;
}

static int scan(struct web_access_point *list, int max)
{
    for (int i = 0; i < scan_count && i < max; i++) {
        snprintf(list[i].ssid, sizeof list[i].ssid, "net \"%d\"", i);
        if (i == 3) list[i].ssid[0] = 0; /* hidden */
        list[i].auth_mode = i;
        list[i].rssi = (int8_t)(-90 + i);
    }
    return scan_count;
}

static void address(char out[16])
{
    strcpy(out, "192.168.4.1");
}

static void tell(int n)
{
    told[told_count++] = n;
}

static int setup(void **state)
{
    test_board_new(); /* for the log's clock */
    static const struct web_wifi wifi = {ready, connect_station, scan, address};
    web_provision_open(&wifi, tell);
    web_provision_timeout(33);
    radio_ready = true;
    radio_hold = false;
    radio_ok = true;
    told_count = 0;
    return 0;
}

static const struct web_station home = {"home", "secret \"x\""};

static void info_is(bool clear, const char *expected)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    web_provision_write(out, clear);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void it_goes_from_waiting_to_connected_and_back(void **state)
{
    info_is(false, "{\"state\":0,\"sta_ssid\":\"\",\"sta_password\":\"\",\"message\":\"waiting "
                   "config\"}");
    radio_hold = true;
    assert_true(web_provision_begin(&home));
    info_is(false, "{\"state\":0,\"sta_ssid\":\"home\",\"sta_password\":\"********\",\"message\":"
                   "\"config done\"}");
    assert_int_equal(told_count, 0); /* the answer goes first */
    eventually(web_provision_state() == WEB_PROVISION_CONNECTING);
    info_is(true, "{\"state\":0,\"sta_ssid\":\"home\",\"sta_password\":\"secret "
                  "\\\"x\\\"\",\"message\":\"connecting\"}");
    radio_hold = false;
    eventually(web_provision_state() == WEB_PROVISION_CONNECTED);
    info_is(false, "{\"state\":1,\"sta_ssid\":\"home\",\"sta_password\":\"********\",\"message\":"
                   "\"connect OK\"}");
    assert_string_equal(asked.password, home.password);
    assert_int_equal(asked_timeout, 33);
    web_provision_result();
    assert_int_equal(web_provision_state(), WEB_PROVISION_WAITING);
    assert_int_equal(told_count, 2);
    assert_int_equal(told[0], 1);
    assert_int_equal(told[1], 2);
    info_is(true, "{\"state\":0,\"sta_ssid\":\"\",\"sta_password\":\"\",\"message\":\"waiting "
                  "config\"}");
}

static void a_failure_is_state_2_and_may_be_tried_again(void **state)
{
    radio_ok = false;
    assert_true(web_provision_begin(&home));
    eventually(web_provision_state() == WEB_PROVISION_FAILED);
    info_is(false, "{\"state\":2,\"sta_ssid\":\"home\",\"sta_password\":\"********\",\"message\":"
                   "\"connect fail\"}");
    radio_ok = true;
    assert_true(web_provision_begin(&home));
    eventually(web_provision_state() == WEB_PROVISION_CONNECTED);
    web_provision_result();
}

static void one_attempt_at_a_time_and_only_when_the_radio_is_ready(void **state)
{
    radio_ready = false;
    assert_false(web_provision_begin(&home));
    radio_ready = true;
    radio_hold = true;
    assert_true(web_provision_begin(&home));
    assert_false(web_provision_begin(&home));
    eventually(web_provision_state() == WEB_PROVISION_CONNECTING);
    assert_false(web_provision_begin(&home));
    web_provision_result(); /* the page was closed: the line comes, the attempt goes on */
    assert_int_equal(told[told_count - 1], 2);
    assert_int_equal(web_provision_state(), WEB_PROVISION_CONNECTING);
    radio_hold = false;
    eventually(web_provision_state() == WEB_PROVISION_CONNECTED);
    web_provision_result();
}

static void asking_for_a_result_while_waiting_says_nothing(void **state)
{
    web_provision_result();
    assert_int_equal(told_count, 0);
}

static void the_ten_strongest_come_first_without_hidden_ones(void **state)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    scan_count = 14;
    assert_true(web_provision_write_scan(out));
    fclose(out);
    const char *head =
        "{\"state\":0,\"message\":\"scan done\",\"aplist\":[{\"ssid\":\"net "
        "\\\"13\\\"\",\"auth_mode\":13},{\"ssid\":\"net \\\"12\\\"\",\"auth_mode\":12},";
    assert_memory_equal(text, head, strlen(head));
    assert_null(strstr(text, "net \\\"3\\\""));
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, "{\"ssid\"")); at++) count++;
    assert_int_equal(count, WEB_SCAN_MAX);
    assert_string_equal(text + len - 2, "]}");
    free(text);
    scan_count = -1;
    assert_false(web_provision_write_scan(stdout));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_goes_from_waiting_to_connected_and_back, setup),
        cmocka_unit_test_setup(a_failure_is_state_2_and_may_be_tried_again, setup),
        cmocka_unit_test_setup(one_attempt_at_a_time_and_only_when_the_radio_is_ready, setup),
        cmocka_unit_test_setup(asking_for_a_result_while_waiting_says_nothing, setup),
        cmocka_unit_test_setup(the_ten_strongest_come_first_without_hidden_ones, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
