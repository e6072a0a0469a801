#include "esp/esp-idf/wifi_air.h"

#include <stdio.h>
#include <string.h>

#include "device/board.h"
#include "esp_log.h"

enum { NEAREST = -40, STEP = 6 }; /* dBm */

static const char TAG[] = "wifi";

static char *trim(char *text)
{
    while (*text == ' ' || *text == '\t') text++;
    size_t len = strlen(text);
    while (len && strchr(" \t\r\n", text[len - 1])) text[--len] = 0;
    return text;
}

static bool parse(char *line, struct wifi_air *out)
{
    char *equals = strchr(line, '=');
    if (!equals) return false;
    *equals = 0;
    const char *ssid = trim(line), *password = trim(equals + 1);
    if (!*ssid || strlen(ssid) >= sizeof out->ssid || strlen(password) >= sizeof out->password)
        return false;
    *out = (struct wifi_air){0};
    memcpy(out->ssid, ssid, strlen(ssid));
    memcpy(out->password, password, strlen(password));
    return true;
}

int wifi_air_read(struct wifi_air out[WIFI_AIR_MAX])
{
    char path[sizeof board()->dir + 16], line[256];
    int count = 0, number = 0;
    snprintf(path, sizeof path, "%s/" WIFI_AIR_FILE, board()->dir);
    FILE *f = fopen(path, "re");
    if (!f) return -1;
    while (count < WIFI_AIR_MAX && fgets(line, sizeof line, f)) {
        char *text = trim(line);
        number++;
        if (!*text || *text == '#') continue;
        if (!parse(text, &out[count])) {
            ESP_LOGW(TAG, WIFI_AIR_FILE ":%d: expected SSID = PASSWORD, at most 32 and 64 bytes",
                     number);
            continue;
        }
        out[count].rssi = (int8_t)(NEAREST - STEP * (count < 8 ? count : 8));
        count++;
    }
    fclose(f);
    return count;
}

int wifi_air_join(const char *ssid, const char *password, struct wifi_air *found)
{
    struct wifi_air all[WIFI_AIR_MAX];
    int count = wifi_air_read(all);
    if (found) *found = (struct wifi_air){0};
    for (int i = 0; i < count; i++) {
        if (strcmp(all[i].ssid, ssid)) continue;
        if (found) *found = all[i];
        return strcmp(all[i].password, password) ? WIFI_REASON_AUTH_FAIL : 0;
    }
    return count < 0 ? 0 : WIFI_REASON_NO_AP_FOUND;
}
