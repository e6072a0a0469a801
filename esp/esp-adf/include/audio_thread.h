/* Tasks by ESP-ADF's names. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct audio_thread *audio_thread_t;

/* stack: bytes; stack_in_ext is not looked at. ESP_FAIL: no task was made. */
esp_err_t audio_thread_create(audio_thread_t *p_handle, const char *name,
                              void (*main_func)(void *arg), void *arg, uint32_t stack, int prio,
                              bool stack_in_ext, int core_id);
/* Ends the task; one that ends itself: with *p_handle of its own. Does not come back then. */
esp_err_t audio_thread_delete_task(audio_thread_t *p_handle);
/* Forgets the handle of a task that has ended. */
esp_err_t audio_thread_cleanup(audio_thread_t *p_handle);

#ifdef __cplusplus
}
#endif
