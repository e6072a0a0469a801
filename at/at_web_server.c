/* AT+WEBSERVER=<enable>,<port>,<timeout>[,<"password">]: starts and stops the web server. The
 * password is an addition; so is that enable 0 with three parameters is an error and does not
 * start the server. */
#include <string.h>

#include "at/at.h"
#include "at/at_wifi.h"
#include "at/web_server.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/wifi_air.h"
#include "esp_log.h"

static const char *TAG = "at-web";

#define TIMEOUT_LEAST 21 /* seconds, of an attempt to connect */
#define TIMEOUT_MOST  60

static struct web_server *server; /* commands run one after another */

static void tell(int n)
{
    at_print(NULL, "+WEBSERVERRSP:%d\r\n", n);
}

static void restart_chip(void)
{
    at_restart(NULL);
}

static bool wifi_ready(void)
{
    return at_wifi_is_station() && at_wifi_is_access_point();
}

static bool wifi_connect(const struct web_station *s, unsigned timeout_s)
{
    return at_wifi_join(s->ssid, s->password, timeout_s) == AT_JOIN_OK;
}

static int wifi_scan(struct web_access_point *list, int max)
{
    struct wifi_air air[WIFI_AIR_MAX];
    int count = wifi_air_read(air), taken = 0;
    for (; taken < count && taken < max; taken++) {
        memcpy(list[taken].ssid, air[taken].ssid, sizeof list[taken].ssid);
        list[taken].rssi = air[taken].rssi;
        list[taken].auth_mode = air[taken].password[0] ? WIFI_AUTH_WPA2_PSK : WIFI_AUTH_OPEN;
    }
    return taken;
}

static void wifi_address(char out[16])
{
    struct at_wifi_address a;
    at_wifi_ap_address(&a);
    memcpy(out, a.ip, sizeof a.ip);
}

static const struct web_wifi wifi = {wifi_ready, wifi_connect, wifi_scan, wifi_address};

static enum at_result start(struct at_call *call, unsigned port, unsigned timeout_s,
                            const char *password)
{
    char why[200];
    struct web_server_config cfg = {
        .address = airlift_config_str("AT_WEB_ADDRESS", "127.0.0.1"),
        .port = port,
        .timeout_s = timeout_s,
        .password = password ? password : airlift_config_str("AT_WEB_PASSWORD", ""),
        .hosts = airlift_config_str("AT_WEB_HOSTS", ""),
        .captive = airlift_config_bool("AT_WEB_CAPTIVE_PORTAL"),
        .compat = airlift_config_bool("AT_COMPAT"),
        .idle_s = (unsigned)airlift_config_int("AT_WEB_IDLE_TIMEOUT_S", 30),
        .wifi = &wifi,
        .tell = tell,
        .restart = restart_chip,
    };
    server = web_server_start(&cfg, &port, why, sizeof why);
    if (!server) return at_error(call, "%s", why);
    ESP_LOGI(TAG, "web server on port %u", port);
    return AT_OK;
}

static enum at_result stop(void)
{
    web_server_stop(server);
    server = NULL;
    return AT_OK;
}

static enum at_result set(struct at_call *call)
{
    int64_t enable, port, timeout_s;
    const char *password = NULL;
    if (!at_param_count_is(call, 1, 4)) return AT_ERROR;
    if (at_param_int(call, 0, &enable) != AT_PARAM_OK) return AT_ERROR;
    size_t count = at_param_count(call);
    if (enable != 0 && enable != 1) return at_param_invalid(call, 0);
    if (count == 1 && enable == 0) return stop();
    if (enable == 0) return at_param_invalid(call, 0);
    if (!at_param_count_is(call, 3, 4)) return AT_ERROR;
    if (at_param_int(call, 1, &port) != AT_PARAM_OK) return AT_ERROR;
    if (port < 0 || port > 65535) return at_param_invalid(call, 1);
    if (at_param_int(call, 2, &timeout_s) != AT_PARAM_OK) return AT_ERROR;
    if (timeout_s < TIMEOUT_LEAST || timeout_s > TIMEOUT_MOST) return at_param_invalid(call, 2);
    if (count == 4 && at_param_text(call, 3, &password) == AT_PARAM_MALFORMED) return AT_ERROR;
    if (!server) return start(call, (unsigned)port, (unsigned)timeout_s, password);
    if (password) return at_error(call, "it runs: AT+WEBSERVER=0 before another password");
    web_provision_timeout((unsigned)timeout_s); /* all else stays as it was */
    return AT_OK;
}

const struct at_command at_web_server_commands[] = {
    {"+WEBSERVER", .set = set},
    {0},
};
