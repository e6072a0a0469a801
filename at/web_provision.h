/* Wi-Fi credentials from a browser, and what became of them.
 *
 *   WAITING ──begin──> RECEIVED ──300 ms──> CONNECTING ──> CONNECTED
 *      ^                                        └────────> FAILED
 *      └────────────── result (from CONNECTED or FAILED) ────┘
 *
 * One a process. Calls may come from any task. Source: at_web_server_cmd.c of ESP-AT. */
#ifndef AT_WEB_PROVISION_H
#define AT_WEB_PROVISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "at/web_text.h"

#define WEB_SCAN_MAX 10

struct web_access_point {
    char ssid[WEB_SSID_MAX + 1];
    int auth_mode; /* wifi_auth_mode_t */
    int8_t rssi;   /* dBm */
};

/* The radio, as far as the web server needs it. */
struct web_wifi {
    bool (*ready)(void); /* is it station and access point at once? */
    /* Blocks; true: connected with an address. */
    bool (*connect)(const struct web_station *s, unsigned timeout_s);
    /* Any order, hidden ones included; count, at most max; -1: the scan failed. */
    int (*scan)(struct web_access_point *list, int max);
    /* Address of the access point, "192.168.4.1". */
    void (*address)(char out[16]);
};

enum web_provision_state {
    WEB_PROVISION_WAITING,
    WEB_PROVISION_RECEIVED,
    WEB_PROVISION_CONNECTING,
    WEB_PROVISION_FAILED,
    WEB_PROVISION_CONNECTED
};

/* tell: +WEBSERVERRSP:n: 1 when connecting starts, 2 when the result was fetched. */
void web_provision_open(const struct web_wifi *wifi, void (*tell)(int n));
/* Limit of an attempt, seconds; counts from the next one. */
void web_provision_timeout(unsigned timeout_s);
/* false: the radio is not ready, an attempt is under way, or no task could be made. */
bool web_provision_begin(const struct web_station *s);
void web_provision_result(void);
enum web_provision_state web_provision_state(void);
/* JSON of /getstainfo. clear: with the password, as the original; else it is masked. */
void web_provision_write(FILE *out, bool clear);
/* JSON of /getaprecord; false: the scan failed, nothing was written. */
bool web_provision_write_scan(FILE *out);

#endif
