/* AT+CWMODE, AT+CWJAP, AT+CWQAP, AT+CWSTATE, AT+CWSAP, AT+CIPAP, AT+CIPSTA, AT+CIFSR,
 * AT+CIPMUX: as far as the upgrade recipes use them. */
#include <string.h>

#include "at/at_engine.h"
#include "at/at_settings.h"
#include "at/at_wifi.h"
#include "esp_mac.h"
#include "esp_wifi.h"

static bool multiple; /* AT+CIPMUX */

/* --- mode --- */

static enum at_result mode_query(struct at_call *call)
{
    at_print(call, "+CWMODE:%d\r\n", at_settings.mode);
    return AT_OK;
}

static enum at_result mode_test(struct at_call *call)
{
    at_print(call, "+CWMODE:(0-3)\r\n");
    return AT_OK;
}

static enum at_result saved(struct at_call *call)
{
    return at_settings_save() ? AT_OK : at_error(call, "the setting could not be saved");
}

static enum at_result mode_set(struct at_call *call)
{
    int64_t mode, connect = 1;
    if (!at_param_count_is(call, 1, 2)) return AT_ERROR;
    if (at_param_int(call, 0, &mode) != AT_PARAM_OK) return AT_ERROR;
    if (mode < 0 || mode > 3) return at_param_invalid(call, 0);
    if (at_param_int(call, 1, &connect) == AT_PARAM_MALFORMED) return AT_ERROR;
    if (connect < 0 || connect > 1) return at_param_invalid(call, 1);
    at_settings.mode = (uint8_t)mode;
    if (!at_wifi_is_station()) at_wifi_leave();
    return saved(call);
}

/* --- station --- */

static enum at_result join(struct at_call *call, const char *ssid, const char *password,
                           unsigned timeout_s)
{
    if (!at_wifi_is_station())
        return at_error(call, "no station in AT+CWMODE=%d: set 1 or 3 first", at_settings.mode);
    enum at_join result = at_wifi_join(ssid, password, timeout_s);
    if (result == AT_JOIN_OK) return AT_OK;
    static const char *const why[] = {"", "it took too long", "wrong password",
                                      "no access point of this name", "it failed"};
    at_print(call, "+CWJAP:%d\r\n", result);
    return at_error(call, "\"%s\" cannot be joined: %s", ssid, why[result]);
}

static enum at_result join_set(struct at_call *call)
{
    enum { SSID, PASSWORD, TIMEOUT = 7, PARAMS = 9 };
    const char *ssid, *password = "";
    int64_t timeout_s = AT_JOIN_TIMEOUT_S;
    if (!at_param_count_is(call, 1, PARAMS)) return AT_ERROR;
    if (at_param_text(call, SSID, &ssid) != AT_PARAM_OK) return AT_ERROR;
    if (!at_param_length_is(call, SSID, ssid, 1, AT_SSID_MAX)) return AT_ERROR;
    if (at_param_text(call, PASSWORD, &password) == AT_PARAM_MALFORMED) return AT_ERROR;
    if (!at_param_length_is(call, PASSWORD, password, 0, AT_PASSWORD_MAX)) return AT_ERROR;
    if (at_param_int(call, TIMEOUT, &timeout_s) == AT_PARAM_MALFORMED) return AT_ERROR;
    if (timeout_s < 3 || timeout_s > 600) return at_param_invalid(call, TIMEOUT);
    if (join(call, ssid, password, (unsigned)timeout_s) != AT_OK) return AT_ERROR;
    memcpy(at_settings.ssid, ssid, strlen(ssid) + 1);
    memcpy(at_settings.password, password, strlen(password) + 1);
    return saved(call);
}

static enum at_result join_again(struct at_call *call)
{
    if (!at_settings.ssid[0]) return at_error(call, "no access point is saved");
    return join(call, at_settings.ssid, at_settings.password, AT_JOIN_TIMEOUT_S);
}

/* As AT strings are written. */
static void print_text(struct at_call *call, const char *text)
{
    at_write(call, "\"", 1);
    for (; *text; text++) {
        if (strchr("\\,\"", *text)) at_write(call, "\\", 1);
        at_write(call, text, 1);
    }
    at_write(call, "\"", 1);
}

static enum at_result join_query(struct at_call *call)
{
    wifi_ap_record_t ap;
    if (!at_wifi_connected() || esp_wifi_sta_get_ap_info(&ap) != ESP_OK) {
        at_print(call, "No AP\r\n");
        return AT_OK;
    }
    const uint8_t *b = ap.bssid;
    at_print(call, "+CWJAP:");
    print_text(call, (const char *)ap.ssid);
    at_print(call, ",\"%02x:%02x:%02x:%02x:%02x:%02x\",%d,%d,0,1,3,0,1\r\n", b[0], b[1], b[2], b[3],
             b[4], b[5], ap.primary, ap.rssi);
    return AT_OK;
}

static enum at_result leave(struct at_call *call)
{
    at_answer(call, AT_OK);
    at_wifi_leave();
    return AT_IGNORE;
}

static enum at_result state_query(struct at_call *call)
{
    enum { DISCONNECTED = 4, HAS_IP = 2, NOT_TRIED = 0 };
    bool up = at_wifi_connected();
    int state = up ? HAS_IP : at_settings.ssid[0] ? DISCONNECTED : NOT_TRIED;
    at_print(call, "+CWSTATE:%d,", state);
    print_text(call, at_settings.ssid);
    at_print(call, "\r\n");
    return AT_OK;
}

/* --- access point --- */

static enum at_result access_point_query(struct at_call *call)
{
    at_print(call, "+CWSAP:");
    print_text(call, at_settings.ap_ssid);
    at_write(call, ",", 1);
    print_text(call, at_settings.ap_password);
    at_print(call, ",%d,%d,%d,%d\r\n", at_settings.ap_channel, at_settings.ap_encryption,
             at_settings.ap_clients, at_settings.ap_hidden);
    return AT_OK;
}

/* An integer of least..most; false: an error is noted. Omitted keeps *out unless needed. */
static bool number(struct at_call *call, size_t index, bool needed, int least, int most,
                   uint8_t *out)
{
    int64_t value;
    enum at_param p = at_param_int(call, index, &value);
    if (p == AT_PARAM_OMITTED && !needed) return true;
    if (p != AT_PARAM_OK) return false;
    if (value < least || value > most) {
        (void)at_param_invalid(call, index);
        return false;
    }
    *out = (uint8_t)value;
    return true;
}

static enum at_result access_point_set(struct at_call *call)
{
    enum { SSID, PASSWORD, CHANNEL, ENCRYPTION, CLIENTS, HIDDEN, PARAMS };
    enum { OPEN = 0, WEP = 1, LAST_ENCRYPTION = 4, MIN_WPA_PASSWORD = 8 };
    const char *ssid, *password;
    struct at_settings new = at_settings;
    if (!at_param_count_is(call, ENCRYPTION + 1, PARAMS)) return AT_ERROR;
    if (at_param_text(call, SSID, &ssid) != AT_PARAM_OK) return AT_ERROR;
    if (!at_param_length_is(call, SSID, ssid, 1, AT_SSID_MAX)) return AT_ERROR;
    if (at_param_text(call, PASSWORD, &password) != AT_PARAM_OK) return AT_ERROR;
    if (!number(call, CHANNEL, true, 1, 14, &new.ap_channel) ||
        !number(call, ENCRYPTION, true, OPEN, LAST_ENCRYPTION, &new.ap_encryption) ||
        !number(call, CLIENTS, false, 1, 10, &new.ap_clients) ||
        !number(call, HIDDEN, false, 0, 1, &new.ap_hidden))
        return AT_ERROR;
    if (new.ap_encryption == WEP) return at_param_invalid(call, ENCRYPTION);
    size_t least = new.ap_encryption == OPEN ? 0 : MIN_WPA_PASSWORD;
    if (!at_param_length_is(call, PASSWORD, password, least, AT_PASSWORD_MAX)) return AT_ERROR;
    if (!at_wifi_is_access_point())
        return at_error(call, "no access point in AT+CWMODE=%d: set 2 or 3 first",
                        at_settings.mode);
    memcpy(new.ap_ssid, ssid, strlen(ssid) + 1);
    memcpy(new.ap_password, password, strlen(password) + 1);
    at_settings = new;
    return saved(call);
}

/* --- addresses --- */

static enum at_result print_address(struct at_call *call, const struct at_wifi_address *a)
{
    const struct at_slice name = call->request.name; /* "+CIPAP" */
    at_print(call, "%.*s:ip:\"%s\"\r\n", (int)name.len, name.at, a->ip);
    at_print(call, "%.*s:gateway:\"%s\"\r\n", (int)name.len, name.at, a->gateway);
    at_print(call, "%.*s:netmask:\"%s\"\r\n", (int)name.len, name.at, a->netmask);
    return AT_OK;
}

static enum at_result ap_address(struct at_call *call)
{
    struct at_wifi_address a;
    at_wifi_ap_address(&a);
    return print_address(call, &a);
}

static enum at_result station_address(struct at_call *call)
{
    struct at_wifi_address a;
    at_wifi_station_address(&a);
    return print_address(call, &a);
}

static void print_interface(struct at_call *call, const char *name, const char *ip,
                            esp_mac_type_t type)
{
    uint8_t m[6] = {0};
    (void)esp_read_mac(m, type);
    at_print(call, "+CIFSR:%sIP,\"%s\"\r\n", name, ip);
    at_print(call, "+CIFSR:%sMAC,\"%02x:%02x:%02x:%02x:%02x:%02x\"\r\n", name, m[0], m[1], m[2],
             m[3], m[4], m[5]);
}

static enum at_result addresses(struct at_call *call)
{
    struct at_wifi_address a;
    at_wifi_ap_address(&a);
    if (at_wifi_is_access_point()) print_interface(call, "AP", a.ip, ESP_MAC_WIFI_SOFTAP);
    at_wifi_station_address(&a);
    if (at_wifi_is_station()) print_interface(call, "STA", a.ip, ESP_MAC_WIFI_STA);
    return AT_OK;
}

static enum at_result multiple_query(struct at_call *call)
{
    at_print(call, "+CIPMUX:%d\r\n", multiple);
    return AT_OK;
}

static enum at_result multiple_set(struct at_call *call)
{
    uint8_t on = 0;
    if (!at_param_count_is(call, 1, 1) || !number(call, 0, true, 0, 1, &on)) return AT_ERROR;
    multiple = on;
    return AT_OK;
}

const struct at_command at_wifi_commands[] = {
    {"+CWMODE", .test = mode_test, .query = mode_query, .set = mode_set},
    {"+CWJAP", .query = join_query, .set = join_set, .execute = join_again},
    {"+CWQAP", .execute = leave},
    {"+CWSTATE", .query = state_query},
    {"+CWSAP", .query = access_point_query, .set = access_point_set},
    {"+CIPAP", .query = ap_address},
    {"+CIPSTA", .query = station_address},
    {"+CIFSR", .execute = addresses},
    {"+CIPMUX", .query = multiple_query, .set = multiple_set},
    {0},
};
