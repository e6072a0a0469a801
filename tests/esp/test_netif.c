/* Network interfaces, Wi-Fi and the examples' connect: names, addresses, lines, events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "esp_event.h"
#include "esp_wifi.h"
#include "protocol_examples_common.h"
#include "tests/support/eventually.h"
#include "tests/support/test_board.h"

static int setup(void **state)
{
    test_board_new();
    assert_int_equal(esp_netif_init(), ESP_OK);
    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
    return 0;
}

static int teardown(void **state)
{
    return esp_event_loop_delete_default();
}

static void run_example_connect(void *arg)
{
    *(esp_err_t *)arg = example_connect();
}

static void example_connect_prints_the_address_lines(void **state)
{
    esp_err_t err;
    unsigned a, b, c, d;
    char *text = test_board_capture(run_example_connect, &err);
    assert_int_equal(err, ESP_OK);
    assert_non_null(strstr(text, "example_common: Connected to example_netif_sta\n"));
    char *line = strstr(text, "example_common: - IPv4 address: ");
    assert_non_null(line);
    assert_int_equal(sscanf(line, "example_common: - IPv4 address: %u.%u.%u.%u,", &a, &b, &c, &d),
                     4);
    free(text);

    esp_netif_ip_info_t info;
    char name[16];
    esp_netif_t *netif = get_example_netif_from_desc(EXAMPLE_NETIF_DESC_STA);
    assert_non_null(netif);
    assert_int_equal(esp_netif_get_ip_info(netif, &info), ESP_OK);
    assert_int_equal(info.ip.addr, htonl(a << 24 | b << 16 | c << 8 | d));
    assert_int_equal(esp_netif_get_netif_impl_name(netif, name), ESP_OK);
    assert_true(if_nametoindex(name) > 0);
    assert_null(get_example_netif_from_desc(EXAMPLE_NETIF_DESC_ETH));
    assert_int_equal(example_disconnect(), ESP_OK);
    assert_null(get_example_netif_from_desc(EXAMPLE_NETIF_DESC_STA));
}

static char story[128];

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    if (base == WIFI_EVENT && id == WIFI_EVENT_STA_START) esp_wifi_connect();
    static const char *const wifi[] = {"ready ", "scan ",      "start ",
                                       "stop ",  "connected ", "disconnected "};
    const char *ip = id == IP_EVENT_STA_GOT_IP ? "ip " : "lost ";
    strcat(story, base == IP_EVENT ? ip : wifi[id]);
}

static void a_station_tells_its_story_in_events(void **state)
{
    wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
    wifi_config_t config = {.sta = {.ssid = "home", .password = "secret"}};
    wifi_ap_record_t ap;
    assert_int_equal(esp_wifi_start(), ESP_ERR_WIFI_NOT_INIT);
    esp_netif_t *netif = esp_netif_create_default_wifi_sta();
    assert_int_equal(esp_wifi_init(&init), ESP_OK);
    esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_event, NULL);
    esp_event_handler_register(IP_EVENT, ESP_EVENT_ANY_ID, on_event, NULL);
    assert_int_equal(esp_wifi_set_mode(WIFI_MODE_AP), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_wifi_set_config(WIFI_IF_STA, &config), ESP_OK);
    assert_int_equal(esp_wifi_sta_get_ap_info(&ap), ESP_ERR_WIFI_NOT_CONNECT);
    assert_int_equal(esp_wifi_start(), ESP_OK);
    eventually(strstr(story, "ip "));
    assert_int_equal(esp_wifi_sta_get_ap_info(&ap), ESP_OK);
    assert_string_equal(ap.ssid, "home");
    assert_true(esp_netif_is_netif_up(netif));
    assert_int_equal(esp_wifi_stop(), ESP_OK);
    eventually(strstr(story, "stop "));
    assert_string_equal(story, "start connected ip disconnected lost stop ");
    assert_false(esp_netif_is_netif_up(netif));
    esp_netif_destroy(netif);
    esp_wifi_deinit();
}

static void addresses_go_to_text_and_back(void **state)
{
    esp_ip4_addr_t ip;
    char text[16];
    assert_int_equal(esp_netif_str_to_ip4("192.168.4.1", &ip), ESP_OK);
    assert_int_equal(ip.addr, ESP_IP4TOADDR(192, 168, 4, 1));
    assert_string_equal(esp_ip4addr_ntoa(&ip, text, sizeof text), "192.168.4.1");
    assert_null(esp_ip4addr_ntoa(&ip, text, 5));
    assert_int_equal(esp_netif_str_to_ip4("192.168.4", &ip), ESP_FAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(example_connect_prints_the_address_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(a_station_tells_its_story_in_events, setup, teardown),
        cmocka_unit_test_setup_teardown(addresses_go_to_text_and_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
