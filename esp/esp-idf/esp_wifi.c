/* Wi-Fi: a station whose access point is the host's network. */
#include "esp_wifi.h"

#include <string.h>

#include "esp/esp-idf/idf_netif.h"
#include "esp/esp-idf/wifi_air.h"
#include "esp_eth.h"
#include "esp_mac.h"

ESP_EVENT_DEFINE_BASE(WIFI_EVENT);
ESP_EVENT_DEFINE_BASE(ETH_EVENT);

static bool initialized, started, connected;
static wifi_mode_t mode = WIFI_MODE_STA;
static wifi_ps_type_t power_save = WIFI_PS_MIN_MODEM;
static wifi_config_t station;
static struct wifi_air joined; /* the network, when it is known */

static const char sta_key[] = "WIFI_STA_DEF";

esp_netif_t *esp_netif_create_default_wifi_sta(void)
{
    const esp_netif_inherent_config_t base = {
        .if_key = sta_key, .if_desc = "sta", .route_prio = 100};
    return esp_netif_new(&(esp_netif_config_t){.base = &base});
}

static void post(wifi_event_t id, const void *data, size_t size)
{
    (void)esp_event_post(WIFI_EVENT, id, data, size, portMAX_DELAY);
}

esp_err_t esp_wifi_init(const wifi_init_config_t *config)
{
    if (!config || config->magic != WIFI_INIT_CONFIG_MAGIC) return ESP_ERR_INVALID_ARG;
    initialized = true;
    return ESP_OK;
}

esp_err_t esp_wifi_deinit(void)
{
    if (!initialized) return ESP_ERR_WIFI_NOT_INIT;
    if (started) return ESP_ERR_WIFI_NOT_STOPPED;
    initialized = false;
    return ESP_OK;
}

esp_err_t esp_wifi_set_mode(wifi_mode_t wanted)
{
    if (!initialized) return ESP_ERR_WIFI_NOT_INIT;
    if (wanted != WIFI_MODE_STA && wanted != WIFI_MODE_NULL) return ESP_ERR_NOT_SUPPORTED;
    mode = wanted;
    return ESP_OK;
}

esp_err_t esp_wifi_get_mode(wifi_mode_t *out)
{
    if (!initialized) return ESP_ERR_WIFI_NOT_INIT;
    if (!out) return ESP_ERR_INVALID_ARG;
    *out = mode;
    return ESP_OK;
}

esp_err_t esp_wifi_set_config(wifi_interface_t interface, wifi_config_t *conf)
{
    if (!initialized) return ESP_ERR_WIFI_NOT_INIT;
    if (!conf) return ESP_ERR_INVALID_ARG;
    if (interface != WIFI_IF_STA) return ESP_ERR_WIFI_IF;
    station = *conf;
    return ESP_OK;
}

esp_err_t esp_wifi_get_config(wifi_interface_t interface, wifi_config_t *conf)
{
    if (!initialized) return ESP_ERR_WIFI_NOT_INIT;
    if (!conf) return ESP_ERR_INVALID_ARG;
    if (interface != WIFI_IF_STA) return ESP_ERR_WIFI_IF;
    *conf = station;
    return ESP_OK;
}

esp_err_t esp_wifi_set_storage(wifi_storage_t storage)
{
    return initialized ? ESP_OK : ESP_ERR_WIFI_NOT_INIT;
}

esp_err_t esp_wifi_start(void)
{
    if (!initialized) return ESP_ERR_WIFI_NOT_INIT;
    started = true;
    post(WIFI_EVENT_STA_START, NULL, 0);
    return ESP_OK;
}

esp_err_t esp_wifi_stop(void)
{
    if (!initialized) return ESP_ERR_WIFI_NOT_INIT;
    if (connected) esp_wifi_disconnect();
    if (started) post(WIFI_EVENT_STA_STOP, NULL, 0);
    started = false;
    return ESP_OK;
}

static void post_disconnected(uint8_t reason)
{
    wifi_event_sta_disconnected_t event = {.reason = reason};
    memcpy(event.ssid, station.sta.ssid, sizeof event.ssid);
    event.ssid_len = (uint8_t)strnlen((const char *)event.ssid, sizeof event.ssid);
    post(WIFI_EVENT_STA_DISCONNECTED, &event, sizeof event);
}

/* Texts of the configuration may fill their fields. */
static int join_station(void)
{
    char ssid[sizeof station.sta.ssid + 1] = "", password[sizeof station.sta.password + 1] = "";
    memcpy(ssid, station.sta.ssid, sizeof station.sta.ssid);
    memcpy(password, station.sta.password, sizeof station.sta.password);
    return wifi_air_join(ssid, password, &joined);
}

esp_err_t esp_wifi_connect(void)
{
    if (!initialized) return ESP_ERR_WIFI_NOT_INIT;
    if (!started) return ESP_ERR_WIFI_NOT_STARTED;
    int reason = join_station();
    if (reason) {
        post_disconnected((uint8_t)reason);
        return ESP_OK;
    }
    wifi_event_sta_connected_t event = {.channel = 1, .authmode = station.sta.threshold.authmode};
    memcpy(event.ssid, station.sta.ssid, sizeof event.ssid);
    event.ssid_len = (uint8_t)strnlen((const char *)event.ssid, sizeof event.ssid);
    connected = true;
    post(WIFI_EVENT_STA_CONNECTED, &event, sizeof event);
    esp_netif_t *n = esp_netif_get_handle_from_ifkey(sta_key);
    if (n) idf_netif_up(n, IP_EVENT_STA_GOT_IP);
    return ESP_OK;
}

esp_err_t esp_wifi_disconnect(void)
{
    if (!initialized) return ESP_ERR_WIFI_NOT_INIT;
    if (!started) return ESP_ERR_WIFI_NOT_STARTED;
    if (!connected) return ESP_OK;
    connected = false;
    post_disconnected(WIFI_REASON_ASSOC_LEAVE);
    esp_netif_t *n = esp_netif_get_handle_from_ifkey(sta_key);
    if (n) idf_netif_down(n, IP_EVENT_STA_LOST_IP);
    return ESP_OK;
}

/* Also before init: example_connect() needs no driver here, and the examples
 * check the result. */
esp_err_t esp_wifi_set_ps(wifi_ps_type_t type)
{
    if (type > WIFI_PS_MAX_MODEM) return ESP_ERR_INVALID_ARG;
    power_save = type;
    return ESP_OK;
}

esp_err_t esp_wifi_get_ps(wifi_ps_type_t *type)
{
    if (!type) return ESP_ERR_INVALID_ARG;
    *type = power_save;
    return ESP_OK;
}

esp_err_t esp_wifi_get_mac(wifi_interface_t ifx, uint8_t mac[6])
{
    if (ifx != WIFI_IF_STA) return ESP_ERR_WIFI_IF;
    return esp_read_mac(mac, ESP_MAC_WIFI_STA);
}

esp_err_t esp_wifi_sta_get_ap_info(wifi_ap_record_t *ap_info)
{
    if (!ap_info) return ESP_ERR_INVALID_ARG;
    if (!connected) return ESP_ERR_WIFI_NOT_CONNECT;
    *ap_info = (wifi_ap_record_t){
        .primary = 1, .rssi = joined.rssi, .authmode = station.sta.threshold.authmode};
    memcpy(ap_info->ssid, station.sta.ssid, sizeof station.sta.ssid);
    return ESP_OK;
}
