/* The virtual Wi-Fi link that AT commands and the web server drive: a station on the host's
 * network (esp_wifi.h), and an access point that is there when the mode says so; clients of the
 * host's network reach it. */
#ifndef AT_AT_WIFI_H
#define AT_AT_WIFI_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers of +CWJAP:<code>. */
enum at_join {
    AT_JOIN_OK = 0,
    AT_JOIN_TIMEOUT = 1,
    AT_JOIN_WRONG_PASSWORD = 2,
    AT_JOIN_NO_AP = 3,
    AT_JOIN_FAILED = 4
};

#define AT_JOIN_TIMEOUT_S 15

/* The driver, with the mode of at_settings. */
void at_wifi_start(void);
/* Blocks; prints WIFI CONNECTED and WIFI GOT IP to every port. ssid at most 32, password at most
 * 64 bytes. */
enum at_join at_wifi_join(const char *ssid, const char *password, unsigned timeout_s);
/* Leaves; prints WIFI DISCONNECT when there was a link. */
void at_wifi_leave(void);
bool at_wifi_connected(void);

bool at_wifi_is_station(void);      /* AT+CWMODE 1 or 3 */
bool at_wifi_is_access_point(void); /* AT+CWMODE 2 or 3 */

struct at_wifi_address {
    char ip[16], gateway[16], netmask[16];
};
/* Of the access point, as clients reach it; and of the station, 0.0.0.0 without a link. */
void at_wifi_ap_address(struct at_wifi_address *out);
void at_wifi_station_address(struct at_wifi_address *out);

#endif
