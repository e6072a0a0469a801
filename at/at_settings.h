/* What AT commands keep over a restart: namespace "at" of NVS. */
#ifndef AT_AT_SETTINGS_H
#define AT_AT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#define AT_SSID_MAX     32
#define AT_PASSWORD_MAX 64

struct at_settings {
    uint8_t mode;     /* AT+CWMODE: bit 0 station, bit 1 access point */
    bool autoconnect; /* joins ssid after a start */
    char ssid[AT_SSID_MAX + 1], password[AT_PASSWORD_MAX + 1]; /* ssid "": none */
    /* AT+CWSAP */
    char ap_ssid[AT_SSID_MAX + 1], ap_password[AT_PASSWORD_MAX + 1];
    uint8_t ap_channel, ap_encryption, ap_clients, ap_hidden;
};

/* As they are now; changed by commands only. */
extern struct at_settings at_settings;
/* AT+SYSSTORE: do changes go to NVS? */
extern bool at_settings_stored;

/* From NVS; what is not there has its default. */
void at_settings_load(void);
/* Does nothing when !at_settings_stored. false: NVS refused; the log says why. */
bool at_settings_save(void);
/* Erases them. */
bool at_settings_forget(void);

#endif
