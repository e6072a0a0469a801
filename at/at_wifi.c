#include "at/at_wifi.h"

#include <string.h>

#include "at/at.h"
#include "at/at_settings.h"
#include "esp/esp-idf/idf_netif.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/semphr.h"

static const char TAG[] = "at";

/* What has happened to the link since somebody began to wait. */
enum { GOT_IP = 1, LEFT = 2, NO_AP = 4, REFUSED = 8 };

static EventGroupHandle_t happened;
static SemaphoreHandle_t one_at_a_time;
static volatile bool linked;

static void on_wifi(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    if (id == WIFI_EVENT_STA_CONNECTED) {
        linked = true;
        at_print(NULL, "WIFI CONNECTED\r\n");
    } else if (id == WIFI_EVENT_STA_DISCONNECTED) {
        const wifi_event_sta_disconnected_t *event = data;
        if (linked) at_print(NULL, "WIFI DISCONNECT\r\n");
        linked = false;
        xEventGroupSetBits(happened, event->reason == WIFI_REASON_ASSOC_LEAVE   ? LEFT
                                     : event->reason == WIFI_REASON_NO_AP_FOUND ? NO_AP
                                                                                : REFUSED);
    }
}

static void on_ip(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    at_print(NULL, "WIFI GOT IP\r\n");
    xEventGroupSetBits(happened, GOT_IP);
}

static void told(esp_err_t err, const char *what)
{
    if (err != ESP_OK) ESP_LOGE(TAG, "Wi-Fi: %s: %s", what, esp_err_to_name(err));
}

/* The app may have made the event loop and the interface already. */
void at_wifi_start(void)
{
    wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
    if (happened) return;
    happened = xEventGroupCreate();
    one_at_a_time = xSemaphoreCreateMutex();
    told(esp_netif_init(), "esp_netif_init");
    (void)esp_event_loop_create_default();
    (void)esp_netif_create_default_wifi_sta();
    told(esp_wifi_init(&init), "esp_wifi_init");
    told(esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_wifi, NULL), "events");
    told(esp_event_handler_register(IP_EVENT, IP_EVENT_STA_GOT_IP, on_ip, NULL), "events");
    told(esp_wifi_set_mode(WIFI_MODE_STA), "esp_wifi_set_mode");
    told(esp_wifi_start(), "esp_wifi_start");
}

bool at_wifi_connected(void)
{
    return linked;
}

/* one_at_a_time held. */
static void leave(void)
{
    if (!linked) return;
    xEventGroupClearBits(happened, LEFT);
    if (esp_wifi_disconnect() == ESP_OK)
        (void)xEventGroupWaitBits(happened, LEFT, pdTRUE, pdFALSE, pdMS_TO_TICKS(1000));
}

void at_wifi_leave(void)
{
    xSemaphoreTake(one_at_a_time, portMAX_DELAY);
    leave();
    xSemaphoreGive(one_at_a_time);
}

static enum at_join join(const char *ssid, const char *password, unsigned timeout_s)
{
    wifi_config_t config = {0};
    memcpy(config.sta.ssid, ssid, strlen(ssid));
    memcpy(config.sta.password, password, strlen(password));
    leave();
    xEventGroupClearBits(happened, GOT_IP | NO_AP | REFUSED);
    if (esp_wifi_set_config(WIFI_IF_STA, &config) != ESP_OK || esp_wifi_connect() != ESP_OK)
        return AT_JOIN_FAILED;
    EventBits_t bits = xEventGroupWaitBits(happened, GOT_IP | NO_AP | REFUSED, pdFALSE, pdFALSE,
                                           pdMS_TO_TICKS(timeout_s * 1000));
    if (bits & GOT_IP) return AT_JOIN_OK;
    if (bits & NO_AP) return AT_JOIN_NO_AP;
    return bits & REFUSED ? AT_JOIN_WRONG_PASSWORD : AT_JOIN_TIMEOUT;
}

enum at_join at_wifi_join(const char *ssid, const char *password, unsigned timeout_s)
{
    if (strlen(ssid) > AT_SSID_MAX || strlen(password) > AT_PASSWORD_MAX) return AT_JOIN_FAILED;
    xSemaphoreTake(one_at_a_time, portMAX_DELAY);
    enum at_join result = join(ssid, password, timeout_s);
    xSemaphoreGive(one_at_a_time);
    return result;
}

bool at_wifi_is_station(void)
{
    return at_settings.mode & 1;
}

bool at_wifi_is_access_point(void)
{
    return at_settings.mode & 2;
}

static void texts(const esp_netif_ip_info_t *info, struct at_wifi_address *out)
{
    esp_ip4addr_ntoa(&info->ip, out->ip, sizeof out->ip);
    esp_ip4addr_ntoa(&info->gw, out->gateway, sizeof out->gateway);
    esp_ip4addr_ntoa(&info->netmask, out->netmask, sizeof out->netmask);
}

void at_wifi_ap_address(struct at_wifi_address *out)
{
    esp_netif_ip_info_t info = {0};
    if (at_wifi_is_access_point()) idf_netif_host_address(&info);
    info.gw = info.ip; /* it is the gateway of its clients */
    texts(&info, out);
}

void at_wifi_station_address(struct at_wifi_address *out)
{
    esp_netif_ip_info_t info = {0};
    if (linked) idf_netif_host_address(&info);
    texts(&info, out);
}
