#include "at/at_settings.h"

#include <stdio.h>
#include <string.h>

#include "esp_log.h"
#include "esp_mac.h"
#include "nvs.h"

static const char TAG[] = "at", SPACE[] = "at";

struct at_settings at_settings;
bool at_settings_stored = true;

static const struct {
    const char *key;
    uint8_t *value;
} numbers[] = {
    {"cwmode", &at_settings.mode},           {"sap_channel", &at_settings.ap_channel},
    {"sap_ecn", &at_settings.ap_encryption}, {"sap_max", &at_settings.ap_clients},
    {"sap_hidden", &at_settings.ap_hidden},
};
static const struct {
    const char *key;
    char *text;
    size_t room;
} texts[] = {
    {"sta_ssid", at_settings.ssid, sizeof at_settings.ssid},
    {"sta_pwd", at_settings.password, sizeof at_settings.password},
    {"sap_ssid", at_settings.ap_ssid, sizeof at_settings.ap_ssid},
    {"sap_pwd", at_settings.ap_password, sizeof at_settings.ap_password},
};

enum {
    NUMBERS = sizeof numbers / sizeof numbers[0],
    TEXTS = sizeof texts / sizeof texts[0],
    DEFAULT_CLIENTS = 10
};

static void set_defaults(void)
{
    uint8_t mac[6] = {0};
    (void)esp_read_mac(mac, ESP_MAC_WIFI_SOFTAP);
    at_settings = (struct at_settings){
        .mode = 1, .autoconnect = true, .ap_channel = 1, .ap_clients = DEFAULT_CLIENTS};
    snprintf(at_settings.ap_ssid, sizeof at_settings.ap_ssid, "ESP_%02X%02X%02X", mac[3], mac[4],
             mac[5]);
}

void at_settings_load(void)
{
    nvs_handle_t nvs;
    set_defaults();
    if (nvs_open(SPACE, NVS_READONLY, &nvs) != ESP_OK) return; /* nothing was saved yet */
    for (size_t i = 0; i < NUMBERS; i++) (void)nvs_get_u8(nvs, numbers[i].key, numbers[i].value);
    for (size_t i = 0; i < TEXTS; i++) {
        size_t room = texts[i].room;
        (void)nvs_get_str(nvs, texts[i].key, texts[i].text, &room);
    }
    nvs_close(nvs);
}

static bool told(esp_err_t err, const char *what)
{
    if (err != ESP_OK) ESP_LOGE(TAG, "settings are not %s: %s", what, esp_err_to_name(err));
    return err == ESP_OK;
}

bool at_settings_save(void)
{
    nvs_handle_t nvs;
    if (!at_settings_stored) return true;
    esp_err_t err = nvs_open(SPACE, NVS_READWRITE, &nvs);
    if (err != ESP_OK) return told(err, "saved");
    for (size_t i = 0; i < NUMBERS && err == ESP_OK; i++)
        err = nvs_set_u8(nvs, numbers[i].key, *numbers[i].value);
    for (size_t i = 0; i < TEXTS && err == ESP_OK; i++)
        err = nvs_set_str(nvs, texts[i].key, texts[i].text);
    if (err == ESP_OK) err = nvs_commit(nvs);
    nvs_close(nvs);
    return told(err, "saved");
}

bool at_settings_forget(void)
{
    nvs_handle_t nvs;
    esp_err_t err = nvs_open(SPACE, NVS_READWRITE, &nvs);
    if (err == ESP_OK) {
        err = nvs_erase_all(nvs);
        if (err == ESP_OK) err = nvs_commit(nvs);
        nvs_close(nvs);
    }
    return told(err, "erased");
}
