/* esp_timer, on a timer task. */
#include "esp_timer.h"

#include <stdlib.h>

#include "device/board.h"
#include "esp/esp-idf/timer_task.h"
#include "esp_task.h"

struct esp_timer {
    struct timed timed; /* first */
    esp_timer_cb_t callback;
    void *arg;
    uint64_t period_us; /* kept after the timer stopped */
};

static struct timer_task service = {.name = "esp_timer", .priority = ESP_TASK_TIMER_PRIO};

static void fire(struct timed *timed)
{
    esp_timer_handle_t t = (esp_timer_handle_t)timed;
    t->callback(t->arg);
}

/* The task starts with the first timer; nothing is to be done before. */
esp_err_t esp_timer_early_init(void)
{
    return ESP_OK;
}

esp_err_t esp_timer_init(void)
{
    return ESP_ERR_INVALID_STATE; /* the start-up code did it */
}

esp_err_t esp_timer_deinit(void)
{
    return timer_task_next(&service) == UINT64_MAX ? ESP_OK : ESP_ERR_INVALID_STATE;
}

int64_t esp_timer_get_time(void)
{
    return (int64_t)board_uptime_us();
}

esp_err_t esp_timer_create(const esp_timer_create_args_t *args, esp_timer_handle_t *out)
{
    if (!args || !args->callback || !out) return ESP_ERR_INVALID_ARG;
    esp_timer_handle_t t = calloc(1, sizeof *t);
    if (!t) return ESP_ERR_NO_MEM;
    t->timed.fire = fire;
    t->timed.skip_late = args->skip_unhandled_events;
    t->callback = args->callback;
    t->arg = args->arg;
    *out = t;
    return ESP_OK;
}

static esp_err_t start(esp_timer_handle_t t, uint64_t after_us, uint64_t period_us)
{
    if (!t) return ESP_ERR_INVALID_ARG;
    if (timer_task_active(&t->timed)) return ESP_ERR_INVALID_STATE;
    t->period_us = period_us;
    return timer_task_start(&service, &t->timed, board_uptime_us() + after_us, period_us)
               ? ESP_OK
               : ESP_ERR_NO_MEM;
}

esp_err_t esp_timer_start_once(esp_timer_handle_t t, uint64_t timeout_us)
{
    return start(t, timeout_us, 0);
}

esp_err_t esp_timer_start_periodic(esp_timer_handle_t t, uint64_t period)
{
    enum { SHORTEST_US = 50 };
    return start(t, period, period < SHORTEST_US ? SHORTEST_US : period);
}

esp_err_t esp_timer_restart(esp_timer_handle_t t, uint64_t timeout_us)
{
    if (!t) return ESP_ERR_INVALID_ARG;
    if (!timer_task_stop(&service, &t->timed)) return ESP_ERR_INVALID_STATE;
    return t->period_us ? esp_timer_start_periodic(t, timeout_us) : start(t, timeout_us, 0);
}

esp_err_t esp_timer_stop(esp_timer_handle_t t)
{
    if (!t) return ESP_ERR_INVALID_ARG;
    return timer_task_stop(&service, &t->timed) ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_timer_stop_blocking(esp_timer_handle_t t)
{
    esp_err_t err = esp_timer_stop(t);
    if (t) timer_task_settle(&service, &t->timed);
    return err;
}

esp_err_t esp_timer_delete(esp_timer_handle_t t)
{
    if (!t) return ESP_ERR_INVALID_ARG;
    if (timer_task_active(&t->timed)) return ESP_ERR_INVALID_STATE;
    timer_task_settle(&service, &t->timed);
    free(t);
    return ESP_OK;
}

bool esp_timer_is_active(esp_timer_handle_t t)
{
    return t && timer_task_active(&t->timed);
}

int64_t esp_timer_get_next_alarm(void)
{
    uint64_t due = timer_task_next(&service);
    return due == UINT64_MAX ? INT64_MAX : (int64_t)due;
}

esp_err_t esp_timer_get_period(esp_timer_handle_t t, uint64_t *period)
{
    if (!t || !period) return ESP_ERR_INVALID_ARG;
    *period = t->period_us;
    return ESP_OK;
}

esp_err_t esp_timer_get_expiry_time(esp_timer_handle_t t, uint64_t *expiry)
{
    if (!t || !expiry) return ESP_ERR_INVALID_ARG;
    if (t->period_us) return ESP_ERR_NOT_SUPPORTED;
    *expiry = t->timed.due_us;
    return ESP_OK;
}
