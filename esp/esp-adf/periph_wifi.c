/* A Wi-Fi station that keeps itself connected. */
#include "periph_wifi.h"

#include <stdlib.h>
#include <string.h>

#include "esp/esp-adf/periph_impl.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_timer.h"
#include "esp_wifi.h"

#define DEFAULT_RECONNECT_MS 1000

static const char *TAG = "PERIPH_WIFI";
static const EventBits_t CONNECTED = BIT0, DISCONNECTED = BIT1;

struct wifi {
    wifi_config_t config;
    bool reconnects, driver_ready;
    int reconnect_ms;
    periph_wifi_state_t state;
    EventGroupHandle_t events;
    esp_timer_handle_t timer;
    esp_event_handler_instance_t on_wifi, on_ip;
};

static bool exists; /* there is one radio */

static void connect_station(void *arg)
{
    struct wifi *w = arg;
    w->state = PERIPH_WIFI_CONNECTING;
    if (esp_wifi_connect() != ESP_OK) w->state = PERIPH_WIFI_ERROR;
}

static void lost(struct wifi *w)
{
    w->state = PERIPH_WIFI_DISCONNECTED;
    ESP_LOGW(TAG, "Wi-Fi disconnected from SSID %.32s, auto-reconnect %s, reconnect after %d ms",
             (const char *)w->config.sta.ssid, w->reconnects ? "enabled" : "disabled",
             w->reconnect_ms);
    if (w->reconnects) (void)esp_timer_start_once(w->timer, (uint64_t)w->reconnect_ms * 1000);
    xEventGroupClearBits(w->events, CONNECTED);
    xEventGroupSetBits(w->events, DISCONNECTED); /* the last look at w: see stop() */
}

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    struct wifi *w = arg;
    if (base == WIFI_EVENT && id == WIFI_EVENT_STA_START) {
        connect_station(w);
    } else if (base == WIFI_EVENT && id == WIFI_EVENT_STA_DISCONNECTED) {
        lost(w);
    } else if (base == IP_EVENT && id == IP_EVENT_STA_GOT_IP) {
        const ip_event_got_ip_t *event = data;
        ESP_LOGI(TAG, "Got ip:" IPSTR, IP2STR(&event->ip_info.ip));
        w->state = PERIPH_WIFI_CONNECTED;
        xEventGroupClearBits(w->events, DISCONNECTED);
        xEventGroupSetBits(w->events, CONNECTED);
    }
}

/* The first time: event loop, interface and driver, as far as the app has not made them. */
static esp_err_t prepare_driver(struct wifi *w)
{
    esp_err_t err = esp_netif_init();
    if (!err) err = esp_event_loop_create_default();
    if (err && err != ESP_ERR_INVALID_STATE) return err;
    if (!esp_netif_get_handle_from_ifkey("WIFI_STA_DEF") && !esp_netif_create_default_wifi_sta())
        return ESP_ERR_NO_MEM;
    wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
    err = esp_wifi_init(&init);
    if (!err)
        err = esp_event_handler_instance_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_event, w,
                                                  &w->on_wifi);
    if (!err)
        err = esp_event_handler_instance_register(IP_EVENT, IP_EVENT_STA_GOT_IP, on_event, w,
                                                  &w->on_ip);
    if (!err) err = esp_wifi_set_mode(WIFI_MODE_STA);
    if (!err) err = esp_wifi_set_config(WIFI_IF_STA, &w->config);
    w->driver_ready = !err;
    return err;
}

static esp_err_t start(void *data)
{
    struct wifi *w = data;
    esp_err_t err = w->driver_ready ? ESP_OK : prepare_driver(w);
    if (!err) err = esp_wifi_start(); /* its event connects */
    if (err) ESP_LOGE(TAG, "The station cannot be started: %s", esp_err_to_name(err));
    return err;
}

static void stop(void *data)
{
    struct wifi *w = data;
    bool reconnects = w->reconnects;
    w->reconnects = false;
    (void)esp_timer_stop(w->timer);
    bool connected = xEventGroupGetBits(w->events) & CONNECTED;
    (void)esp_wifi_stop();
    /* Its event is handled by a task that must be done with w before w goes. */
    if (connected)
        (void)xEventGroupWaitBits(w->events, DISCONNECTED, pdFALSE, pdTRUE, pdMS_TO_TICKS(1000));
    w->reconnects = reconnects;
}

static void destroy(void *data)
{
    struct wifi *w = data;
    if (w->on_wifi)
        (void)esp_event_handler_instance_unregister(WIFI_EVENT, ESP_EVENT_ANY_ID, w->on_wifi);
    if (w->on_ip)
        (void)esp_event_handler_instance_unregister(IP_EVENT, IP_EVENT_STA_GOT_IP, w->on_ip);
    if (w->driver_ready) (void)esp_wifi_deinit();
    if (w->timer) (void)esp_timer_delete(w->timer);
    if (w->events) vEventGroupDelete(w->events);
    free(w);
    exists = false;
}

static const struct periph_ops ops = {.start = start, .stop = stop, .destroy = destroy};

esp_periph_handle_t periph_wifi_init(periph_wifi_cfg_t *config)
{
    AUDIO_NULL_CHECK(TAG, config, return NULL);
    AUDIO_CHECK(TAG, !exists, return NULL, "There is a Wi-Fi peripheral already");
    struct wifi *w = calloc(1, sizeof *w);
    AUDIO_MEM_CHECK(TAG, w, return NULL);
    w->config = config->wifi_config;
    w->reconnects = !config->disable_auto_reconnect;
    w->reconnect_ms =
        config->reconnect_timeout_ms > 0 ? config->reconnect_timeout_ms : DEFAULT_RECONNECT_MS;
    exists = true;
    w->events = xEventGroupCreate();
    esp_timer_create_args_t args = {
        .callback = connect_station, .arg = w, .name = "wifi_reconnect"};
    bool ok = w->events && esp_timer_create(&args, &w->timer) == ESP_OK;
    esp_periph_handle_t p = ok ? periph_new(PERIPH_ID_WIFI, &ops, w) : NULL;
    if (!p) destroy(w);
    AUDIO_MEM_CHECK(TAG, p, return NULL);
    return p;
}

static esp_err_t wait_for(esp_periph_handle_t periph, EventBits_t bit, TickType_t ticks,
                          const char *func)
{
    struct wifi *w = periph_data(periph, PERIPH_ID_WIFI, TAG, func);
    if (!w) return ESP_FAIL;
    return xEventGroupWaitBits(w->events, bit, pdFALSE, pdTRUE, ticks) & bit ? ESP_OK : ESP_FAIL;
}

esp_err_t periph_wifi_wait_for_connected(esp_periph_handle_t periph, TickType_t tick_to_wait)
{
    return wait_for(periph, CONNECTED, tick_to_wait, __func__);
}

esp_err_t periph_wifi_wait_for_disconnected(esp_periph_handle_t periph, TickType_t tick_to_wait)
{
    return wait_for(periph, DISCONNECTED, tick_to_wait, __func__);
}

periph_wifi_state_t periph_wifi_is_connected(esp_periph_handle_t periph)
{
    struct wifi *w = periph_data(periph, PERIPH_ID_WIFI, TAG, __func__);
    return w ? w->state : PERIPH_WIFI_UNCHANGE;
}
