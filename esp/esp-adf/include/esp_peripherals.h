/* The set of a board's peripherals: Wi-Fi (periph_wifi.h) and SD card (periph_sdcard.h). A started
 * peripheral works by itself; there is no task that polls them, and no event interface. */
#pragma once

#include <stdbool.h>

#include "audio_common.h"
#include "audio_error.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    PERIPH_ID_BUTTON = AUDIO_ELEMENT_TYPE_PERIPH + 1,
    PERIPH_ID_TOUCH = AUDIO_ELEMENT_TYPE_PERIPH + 2,
    PERIPH_ID_SDCARD = AUDIO_ELEMENT_TYPE_PERIPH + 3,
    PERIPH_ID_WIFI = AUDIO_ELEMENT_TYPE_PERIPH + 4
} esp_periph_id_t;

typedef enum {
    PERIPH_STATE_NULL,
    PERIPH_STATE_INIT,
    PERIPH_STATE_RUNNING,
    PERIPH_STATE_PAUSE,
    PERIPH_STATE_STOPPING,
    PERIPH_STATE_ERROR,
    PERIPH_STATE_STATUS_MAX
} esp_periph_state_t;

typedef struct esp_periph_sets *esp_periph_set_handle_t;
typedef struct esp_periph *esp_periph_handle_t;

typedef struct {
    int task_stack; /* of the task that the original has; not looked at */
    int task_prio;
    int task_core;
    bool extern_stack;
} esp_periph_config_t;

#define DEFAULT_ESP_PERIPH_STACK_SIZE (4 * 1024)
#define DEFAULT_ESP_PERIPH_TASK_PRIO  (5)
#define DEFAULT_ESP_PERIPH_TASK_CORE  (0)
#define DEFAULT_ESP_PERIPH_SET_CONFIG()                                                         \
    {                                                                                           \
        .task_stack = DEFAULT_ESP_PERIPH_STACK_SIZE, .task_prio = DEFAULT_ESP_PERIPH_TASK_PRIO, \
        .task_core = DEFAULT_ESP_PERIPH_TASK_CORE, .extern_stack = false,                       \
    }

/* NULL: no memory. */
esp_periph_set_handle_t esp_periph_set_init(esp_periph_config_t *config);
/* Destroys its peripherals, too. */
esp_err_t esp_periph_set_destroy(esp_periph_set_handle_t set);
esp_err_t esp_periph_set_stop_all(esp_periph_set_handle_t set);
esp_periph_handle_t esp_periph_set_get_by_id(esp_periph_set_handle_t set, int periph_id);

/* Puts it into the set and initializes it. One that was stopped runs on. */
esp_err_t esp_periph_start(esp_periph_set_handle_t set, esp_periph_handle_t periph);
esp_err_t esp_periph_stop(esp_periph_handle_t periph);
esp_periph_state_t esp_periph_get_state(esp_periph_handle_t periph);
esp_periph_id_t esp_periph_get_id(esp_periph_handle_t periph);

#ifdef __cplusplus
}
#endif
