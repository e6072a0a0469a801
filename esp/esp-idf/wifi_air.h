/* The Wi-Fi networks around the device: file wifi.conf of the device directory, the strongest
 * first, one a line; # begins a comment line; without password the network is open:
 *
 *   home = correct horse
 *   guest =
 *
 * Without the file every network is there and takes any password. */
#ifndef ESP_WIFI_AIR_H
#define ESP_WIFI_AIR_H

#include <stdbool.h>

#include "esp_wifi_types.h"

#define WIFI_AIR_FILE "wifi.conf"
#define WIFI_AIR_MAX  32

struct wifi_air {
    char ssid[33], password[65];
    int8_t rssi; /* dBm */
};

/* How many; -1: there is no file. Lines that are none are logged. */
int wifi_air_read(struct wifi_air out[WIFI_AIR_MAX]);
/* Would this network take this station? 0, or WIFI_REASON_*. found: may be NULL; what it is like,
 * rssi 0 when that is not known. */
int wifi_air_join(const char *ssid, const char *password, struct wifi_air *found);

#endif
