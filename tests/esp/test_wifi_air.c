/* Networks around the device: wifi.conf, and what a station makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "esp/esp-idf/wifi_air.h"
#include "esp_event.h"
#include "esp_wifi.h"
#include "tests/support/eventually.h"
#include "tests/support/test_board.h"

static char dir[] = "/tmp/wifi-air-XXXXXX", path[64];

static int make_dir(void **state)
{
    struct board *b = test_board_new();
    if (!mkdtemp(dir)) return -1;
    snprintf(b->dir, sizeof b->dir, "%s", dir);
    snprintf(path, sizeof path, "%s/" WIFI_AIR_FILE, dir);
    return 0;
}

static int remove_dir(void **state)
{
    unlink(path);
    return rmdir(dir);
}

static void write_networks(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void without_a_file_every_network_takes_any_password(void **state)
{
    struct wifi_air all[WIFI_AIR_MAX];
    assert_int_equal(wifi_air_read(all), -1);
    assert_int_equal(wifi_air_join("anything", "whatever", NULL), 0);
}

static void the_file_names_networks_and_their_passwords(void **state)
{
    struct wifi_air all[WIFI_AIR_MAX], found;
    write_networks("# around\n\n  home =  correct horse \r\nguest=\nno network\n= nameless\n"
                   "123456789012345678901234567890123 = too long\na b = c = d\n");
    assert_int_equal(wifi_air_read(all), 3);
    assert_string_equal(all[0].ssid, "home");
    assert_string_equal(all[0].password, "correct horse");
    assert_string_equal(all[1].ssid, "guest");
    assert_string_equal(all[1].password, "");
    assert_string_equal(all[2].ssid, "a b");
    assert_string_equal(all[2].password, "c = d");
    assert_true(all[0].rssi > all[1].rssi && all[1].rssi > all[2].rssi);
    assert_int_equal(wifi_air_join("home", "correct horse", &found), 0);
    assert_int_equal(found.rssi, all[0].rssi);
    assert_int_equal(wifi_air_join("home", "wrong", NULL), WIFI_REASON_AUTH_FAIL);
    assert_int_equal(wifi_air_join("guest", "x", NULL), WIFI_REASON_AUTH_FAIL);
    assert_int_equal(wifi_air_join("nobody", "", NULL), WIFI_REASON_NO_AP_FOUND);
}

static volatile int reason, joined;

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    if (id == WIFI_EVENT_STA_CONNECTED) joined = 1;
    if (id == WIFI_EVENT_STA_DISCONNECTED) reason = ((wifi_event_sta_disconnected_t *)data)->reason;
}

static void a_station_is_told_why_it_is_not_taken(void **state)
{
    wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
    wifi_config_t config = {.sta = {.ssid = "home", .password = "wrong"}};
    write_networks("home = right\n");
    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
    assert_int_equal(esp_wifi_init(&init), ESP_OK);
    esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_event, NULL);
    assert_int_equal(esp_wifi_set_config(WIFI_IF_STA, &config), ESP_OK);
    assert_int_equal(esp_wifi_start(), ESP_OK);
    assert_int_equal(esp_wifi_connect(), ESP_OK);
    eventually(reason == WIFI_REASON_AUTH_FAIL);
    memcpy(config.sta.password, "right", 6);
    assert_int_equal(esp_wifi_set_config(WIFI_IF_STA, &config), ESP_OK);
    assert_int_equal(esp_wifi_connect(), ESP_OK);
    eventually(joined);
    esp_wifi_stop();
    esp_event_loop_delete_default();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_every_network_takes_any_password),
        cmocka_unit_test(the_file_names_networks_and_their_passwords),
        cmocka_unit_test(a_station_is_told_why_it_is_not_taken),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
