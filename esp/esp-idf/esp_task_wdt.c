/* The task watchdog. One time runs for all: it starts anew when every subscriber
 * has reset it since the last start. */
#include "esp_task_wdt.h"

#include <stdlib.h>
#include <string.h>

#include "device/board.h"
#include "esp/esp-idf/kernel.h"
#include "esp/esp-idf/rtc_memory.h"
#include "esp_log.h"

static const char *TAG = "task_wdt";

struct esp_task_wdt_user_handle_s {
    esp_task_wdt_user_handle_t next;
    TaskHandle_t task; /* NULL: a user */
    char name[32];
    bool reset;
};

/* Under the kernel's lock. */
static esp_task_wdt_user_handle_t subscribers;
static esp_task_wdt_config_t config;
static bool initialized;
static uint64_t begun_us;
static TaskHandle_t watcher;

__attribute__((weak)) void esp_task_wdt_isr_user_handler(void)
{
}

static void begin_anew(void)
{
    begun_us = board_uptime_us();
    for (esp_task_wdt_user_handle_t s = subscribers; s; s = s->next) s->reset = false;
}

/* Lock held. Forgets tasks that ended. */
static void sweep(void)
{
    for (esp_task_wdt_user_handle_t *p = &subscribers; *p;) {
        esp_task_wdt_user_handle_t s = *p;
        if (!s->task || !s->task->dead) {
            p = &s->next;
            continue;
        }
        *p = s->next;
        free(s);
    }
}

/* Names of those who did not reset, for the report; lock held. */
static size_t list_late(char *text, size_t size)
{
    size_t at = 0;
    for (esp_task_wdt_user_handle_t s = subscribers; s && at < size; s = s->next)
        if (!s->reset)
            at += (size_t)snprintf(text + at, size - at, "%s%s\n", s->name,
                                   s->task ? " (CPU 0)" : "");
    return at;
}

static void trigger(char *late, bool panic)
{
    ESP_LOGE(TAG, "Task watchdog got triggered. The following tasks/users did not reset the "
                  "watchdog in time:");
    for (char *save, *line = strtok_r(late, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        ESP_LOGE(TAG, " - %s", line);
    ESP_LOGE(TAG, "Tasks currently running:");
    esp_task_wdt_isr_user_handler();
    if (!panic) return;
    ESP_LOGE(TAG, "Aborting.");
    fflush(stdout);
    rtc_memory_save();
    board_reset(RESET_TASK_WDT);
}

static void watch(void *arg)
{
    char late[1024];
    kernel_lock();
    for (;;) {
        struct kernel_deadline until = kernel_deadline_uptime(board_uptime_us() + 20000);
        kernel_wait(&watcher->wake, &until);
        sweep();
        uint64_t now = board_uptime_us();
        if (!initialized || !subscribers) {
            begun_us = now;
            continue;
        }
        if (now - begun_us < (uint64_t)config.timeout_ms * 1000) continue;
        bool panic = config.trigger_panic;
        size_t some = list_late(late, sizeof late);
        begun_us = now; /* it goes on; who was late stays late */
        kernel_unlock();
        if (some) trigger(late, panic);
        kernel_lock();
    }
}

static esp_err_t configure(const esp_task_wdt_config_t *c, bool first)
{
    if (!c || !c->timeout_ms) return ESP_ERR_INVALID_ARG;
    kernel_lock();
    esp_err_t err = initialized == first ? ESP_ERR_INVALID_STATE : ESP_OK;
    if (!err) {
        config = *c;
        initialized = true;
        begin_anew();
    }
    kernel_unlock();
    return err;
}

esp_err_t esp_task_wdt_init(const esp_task_wdt_config_t *c)
{
    return configure(c, true);
}

esp_err_t esp_task_wdt_reconfigure(const esp_task_wdt_config_t *c)
{
    return configure(c, false);
}

esp_err_t esp_task_wdt_deinit(void)
{
    kernel_lock();
    esp_err_t err = initialized && !subscribers ? ESP_OK : ESP_ERR_INVALID_STATE;
    if (!err) initialized = false;
    kernel_unlock();
    return err;
}

/* Lock held. By task, or by handle. */
static esp_task_wdt_user_handle_t *place_of(TaskHandle_t task, esp_task_wdt_user_handle_t user)
{
    esp_task_wdt_user_handle_t *p = &subscribers;
    while (*p && (task ? (*p)->task != task : *p != user)) p = &(*p)->next;
    return p;
}

static esp_err_t ensure_watcher(void)
{
    if (watcher) return ESP_OK;
    return xTaskCreate(watch, "task_wdt", 4096, NULL, configMAX_PRIORITIES - 1, &watcher) == pdPASS
               ? ESP_OK
               : ESP_ERR_NO_MEM;
}

static esp_err_t subscribe(TaskHandle_t task, const char *name, esp_task_wdt_user_handle_t *out)
{
    if (!initialized) {
        ESP_LOGE(TAG, "TWDT was never initialized");
        return ESP_ERR_INVALID_STATE;
    }
    esp_task_wdt_user_handle_t s = calloc(1, sizeof *s);
    if (!s || ensure_watcher()) {
        free(s);
        return ESP_ERR_NO_MEM;
    }
    s->task = task;
    snprintf(s->name, sizeof s->name, "%s", name);
    kernel_lock();
    bool twice = task && *place_of(task, NULL);
    if (!twice) {
        s->next = subscribers;
        subscribers = s;
        begin_anew();
    }
    kernel_unlock();
    if (twice) {
        free(s);
        ESP_LOGE(TAG, "task is already subscribed");
        return ESP_ERR_INVALID_ARG;
    }
    if (out) *out = s;
    return ESP_OK;
}

esp_err_t esp_task_wdt_add(TaskHandle_t task)
{
    if (!task) task = xTaskGetCurrentTaskHandle();
    return subscribe(task, pcTaskGetName(task), NULL);
}

esp_err_t esp_task_wdt_add_user(const char *user_name, esp_task_wdt_user_handle_t *out)
{
    if (!user_name || !out) return ESP_ERR_INVALID_ARG;
    return subscribe(NULL, user_name, out);
}

static esp_err_t reset(TaskHandle_t task, esp_task_wdt_user_handle_t user)
{
    kernel_lock();
    esp_task_wdt_user_handle_t s = initialized ? *place_of(task, user) : NULL;
    bool all = true;
    if (s) {
        s->reset = true;
        for (esp_task_wdt_user_handle_t i = subscribers; i; i = i->next) all &= i->reset;
        if (all) begin_anew();
    }
    esp_err_t err = s ? ESP_OK : initialized ? ESP_ERR_NOT_FOUND : ESP_ERR_INVALID_STATE;
    kernel_unlock();
    return err;
}

esp_err_t esp_task_wdt_reset(void)
{
    return reset(xTaskGetCurrentTaskHandle(), NULL);
}

esp_err_t esp_task_wdt_reset_user(esp_task_wdt_user_handle_t user)
{
    return user ? reset(NULL, user) : ESP_ERR_INVALID_ARG;
}

static esp_err_t unsubscribe(TaskHandle_t task, esp_task_wdt_user_handle_t user)
{
    kernel_lock();
    esp_task_wdt_user_handle_t *p = place_of(task, user), s = *p;
    if (s) *p = s->next;
    bool was_initialized = initialized;
    kernel_unlock();
    free(s);
    return s ? ESP_OK : was_initialized ? ESP_ERR_INVALID_ARG : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_task_wdt_delete(TaskHandle_t task)
{
    return unsubscribe(task ? task : xTaskGetCurrentTaskHandle(), NULL);
}

esp_err_t esp_task_wdt_delete_user(esp_task_wdt_user_handle_t user)
{
    return user ? unsubscribe(NULL, user) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_task_wdt_status(TaskHandle_t task)
{
    if (!task) task = xTaskGetCurrentTaskHandle();
    kernel_lock();
    bool there = *place_of(task, NULL), was_initialized = initialized;
    kernel_unlock();
    return there ? ESP_OK : was_initialized ? ESP_ERR_NOT_FOUND : ESP_ERR_INVALID_STATE;
}
