/* Sleep: deep sleep is a reset; light sleep waits. */
#include "esp_sleep.h"

#include <time.h>

#include "device/board.h"
#include "esp/esp-idf/rtc_memory.h"

static uint64_t timer_us;
static bool timer_enabled, woken; /* woken: from light sleep, since the reset */

esp_err_t esp_sleep_enable_timer_wakeup(uint64_t time_in_us)
{
    timer_us = time_in_us;
    timer_enabled = true;
    return ESP_OK;
}

esp_err_t esp_sleep_disable_wakeup_source(esp_sleep_source_t source)
{
    if (source != ESP_SLEEP_WAKEUP_TIMER && source != ESP_SLEEP_WAKEUP_ALL)
        return ESP_ERR_INVALID_STATE;
    if (source == ESP_SLEEP_WAKEUP_TIMER && !timer_enabled) return ESP_ERR_INVALID_STATE;
    timer_enabled = false;
    return ESP_OK;
}

esp_sleep_wakeup_cause_t esp_sleep_get_wakeup_cause(void)
{
    return woken || board()->control->reset_reason == RESET_DEEPSLEEP ? ESP_SLEEP_WAKEUP_TIMER
                                                                      : ESP_SLEEP_WAKEUP_UNDEFINED;
}

uint32_t esp_sleep_get_wakeup_causes(void)
{
    return 1u << esp_sleep_get_wakeup_cause();
}

void esp_deep_sleep_start(void)
{
    rtc_memory_save();
    /* In the control page 0 means for ever; a timer of 0 wakes at once. */
    board_deep_sleep(!timer_enabled ? 0 : timer_us ? timer_us : 1);
}

void esp_deep_sleep(uint64_t time_in_us)
{
    esp_sleep_enable_timer_wakeup(time_in_us);
    esp_deep_sleep_start();
}

esp_err_t esp_light_sleep_start(void)
{
    if (!timer_enabled) return ESP_ERR_NOT_SUPPORTED;
    struct timespec t = {.tv_sec = (time_t)(timer_us / 1000000),
                         .tv_nsec = (long)(timer_us % 1000000 * 1000)};
    while (nanosleep(&t, &t)) continue;
    woken = true;
    return ESP_OK;
}
