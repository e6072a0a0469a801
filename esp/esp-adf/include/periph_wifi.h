/* A Wi-Fi station as a peripheral: connects when it is started, and again when the connection
 * is lost. The access point is the host's network. */
#pragma once

#include <stdbool.h>

#include "esp_peripherals.h"
#include "esp_wifi_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    PERIPH_WIFI_UNCHANGE,
    PERIPH_WIFI_CONNECTING,
    PERIPH_WIFI_CONNECTED,
    PERIPH_WIFI_DISCONNECTED,
    PERIPH_WIFI_SETTING,
    PERIPH_WIFI_CONFIG_DONE,
    PERIPH_WIFI_CONFIG_ERROR,
    PERIPH_WIFI_ERROR
} periph_wifi_state_t;

/* Members of the original in their order; networks with WPA2-Enterprise are not there. */
typedef struct {
    bool diasble_wpa2_e;
    int eap_method;
    char *ca_pem_start;
    char *ca_pem_end;
    char *wpa2_e_cert_start;
    char *wpa2_e_cert_end;
    char *wpa2_e_key_start;
    char *wpa2_e_key_end;
    const char *eap_id;
    const char *eap_username;
    const char *eap_password;
} periph_wpa2_enterprise_cfg_t;

typedef struct {
    bool disable_auto_reconnect;
    int reconnect_timeout_ms; /* 0: 1000 */
    wifi_config_t wifi_config;
    periph_wpa2_enterprise_cfg_t wpa2_e_cfg;
} periph_wifi_cfg_t;

/* NULL: no memory, or there is one already. */
esp_periph_handle_t periph_wifi_init(periph_wifi_cfg_t *config);
/* ESP_FAIL: not in this time. */
esp_err_t periph_wifi_wait_for_connected(esp_periph_handle_t periph, TickType_t tick_to_wait);
esp_err_t periph_wifi_wait_for_disconnected(esp_periph_handle_t periph, TickType_t tick_to_wait);
periph_wifi_state_t periph_wifi_is_connected(esp_periph_handle_t periph);

#ifdef __cplusplus
}
#endif
