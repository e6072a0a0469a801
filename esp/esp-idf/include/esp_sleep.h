/* Deep sleep: a reset that keeps RTC memory. Only the timer wakes; without one
 * the device sleeps until it is switched off. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "driver/gpio.h"
#include "esp_bit_defs.h"
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_SLEEP_WAKEUP_UNDEFINED,
    ESP_SLEEP_WAKEUP_ALL,
    ESP_SLEEP_WAKEUP_EXT0,
    ESP_SLEEP_WAKEUP_EXT1,
    ESP_SLEEP_WAKEUP_TIMER,
    ESP_SLEEP_WAKEUP_TOUCHPAD,
    ESP_SLEEP_WAKEUP_ULP,
    ESP_SLEEP_WAKEUP_GPIO,
    ESP_SLEEP_WAKEUP_UART
} esp_sleep_source_t;
typedef esp_sleep_source_t esp_sleep_wakeup_cause_t;

esp_err_t esp_sleep_enable_timer_wakeup(uint64_t time_in_us);
/* TIMER or ALL; ESP_ERR_INVALID_STATE: was not enabled. */
esp_err_t esp_sleep_disable_wakeup_source(esp_sleep_source_t source);
esp_sleep_wakeup_cause_t esp_sleep_get_wakeup_cause(void);
uint32_t esp_sleep_get_wakeup_causes(void); /* bits 1 << cause */
void esp_deep_sleep_start(void) __attribute__((__noreturn__));
void esp_deep_sleep(uint64_t time_in_us) __attribute__((__noreturn__));
/* Waits for the timer; ESP_ERR_NOT_SUPPORTED without one. */
esp_err_t esp_light_sleep_start(void);

#ifdef __cplusplus
}
#endif
