/* Provisioning. See web_provision.h. */
#include "at/web_provision.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

static const char *TAG = "at-web";

#define ANSWER_FIRST_MS 300 /* the browser gets its answer before the radio changes channel */
#define SCAN_TAKE       64
#define TASK_STACK      4096
#define MASK            "********"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct web_wifi *wifi;
static void (*tell)(int n);
static unsigned timeout_s;
static enum web_provision_state state;
static struct web_station station;

static const char *const message[] = {[WEB_PROVISION_WAITING] = "waiting config",
                                      [WEB_PROVISION_RECEIVED] = "config done",
                                      [WEB_PROVISION_CONNECTING] = "connecting",
                                      [WEB_PROVISION_FAILED] = "connect fail",
                                      [WEB_PROVISION_CONNECTED] = "connect OK"};

/* Under the lock. */
static void set_state(enum web_provision_state to)
{
    ESP_LOGI(TAG, "wifi: %s -> %s", message[state], message[to]);
    state = to;
}

void web_provision_open(const struct web_wifi *w, void (*teller)(int n))
{
    pthread_mutex_lock(&lock);
    wifi = w;
    tell = teller;
    pthread_mutex_unlock(&lock);
}

void web_provision_timeout(unsigned seconds)
{
    pthread_mutex_lock(&lock);
    timeout_s = seconds;
    pthread_mutex_unlock(&lock);
}

static void connect_task(void *arg)
{
    vTaskDelay(pdMS_TO_TICKS(ANSWER_FIRST_MS));
    pthread_mutex_lock(&lock);
    struct web_station s = station;
    unsigned limit = timeout_s;
    set_state(WEB_PROVISION_CONNECTING);
    pthread_mutex_unlock(&lock);
    tell(1);
    bool ok = wifi->connect(&s, limit);
    memset(&s, 0, sizeof s);
    pthread_mutex_lock(&lock);
    set_state(ok ? WEB_PROVISION_CONNECTED : WEB_PROVISION_FAILED);
    pthread_mutex_unlock(&lock);
    vTaskDelete(NULL);
}

bool web_provision_begin(const struct web_station *s)
{
    pthread_mutex_lock(&lock);
    bool busy = state == WEB_PROVISION_RECEIVED || state == WEB_PROVISION_CONNECTING;
    bool ok = !busy && wifi->ready() &&
              xTaskCreate(connect_task, "web-wifi", TASK_STACK, NULL, 5, NULL) == pdPASS;
    if (ok) {
        station = *s;
        set_state(WEB_PROVISION_RECEIVED);
    }
    pthread_mutex_unlock(&lock);
    return ok;
}

void web_provision_result(void)
{
    pthread_mutex_lock(&lock);
    bool ended = state >= WEB_PROVISION_FAILED;
    bool fetched = ended || state == WEB_PROVISION_CONNECTING;
    if (ended) {
        memset(&station, 0, sizeof station);
        set_state(WEB_PROVISION_WAITING);
    }
    pthread_mutex_unlock(&lock);
    if (fetched) tell(2);
}

enum web_provision_state web_provision_state(void)
{
    pthread_mutex_lock(&lock);
    enum web_provision_state now = state;
    pthread_mutex_unlock(&lock);
    return now;
}

void web_provision_write(FILE *out, bool clear)
{
    pthread_mutex_lock(&lock);
    int number = state == WEB_PROVISION_CONNECTED ? 1 : state == WEB_PROVISION_FAILED ? 2 : 0;
    fprintf(out, "{\"state\":%d,\"sta_ssid\":", number);
    web_json_text(out, station.ssid);
    fputs(",\"sta_password\":", out);
    web_json_text(out, clear || !station.password[0] ? station.password : MASK);
    fputs(",\"message\":", out);
    web_json_text(out, message[state]);
    fputc('}', out);
    pthread_mutex_unlock(&lock);
}

static int stronger_first(const void *a, const void *b)
{
    const struct web_access_point *x = a, *y = b;
    return y->rssi - x->rssi;
}

bool web_provision_write_scan(FILE *out)
{
    struct web_access_point list[SCAN_TAKE];
    int count = wifi->scan(list, SCAN_TAKE);
    if (count < 0) return false;
    qsort(list, (size_t)count, sizeof *list, stronger_first);
    fputs("{\"state\":0,\"message\":\"scan done\",\"aplist\":[", out);
    for (int i = 0, written = 0; i < count && written < WEB_SCAN_MAX; i++) {
        if (!list[i].ssid[0]) continue;
        fputs(written++ ? ",{\"ssid\":" : "{\"ssid\":", out);
        web_json_text(out, list[i].ssid);
        fprintf(out, ",\"auth_mode\":%d}", list[i].auth_mode);
    }
    fputs("]}", out);
    return true;
}
