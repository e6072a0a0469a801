/* A service of ESP-ADF: an object with a task, hooks and a callback for its events. */
#pragma once

#include <stdbool.h>

#include "audio_error.h" /* sources rely on it */
#include "esp_err.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    PERIPH_SERVICE_STATE_UNKNOWN,
    PERIPH_SERVICE_STATE_IDLE,
    PERIPH_SERVICE_STATE_RUNNING,
    PERIPH_SERVICE_STATE_STOPPED
} periph_service_state_t;

typedef struct {
    int type;
    void *source;
    void *data;
    int len;
} periph_service_event_t;

typedef struct periph_service_impl *periph_service_handle_t;
typedef esp_err_t (*periph_service_ctrl)(periph_service_handle_t handle);
typedef esp_err_t (*periph_service_io)(void *ioctl_handle, int cmd, int value);
typedef esp_err_t (*periph_service_cb)(periph_service_handle_t handle, periph_service_event_t *evt,
                                       void *ctx);

typedef struct {
    int task_stack; /* bytes; 0: the service has no task */
    int task_prio;
    int task_core;
    TaskFunction_t task_func; /* gets the handle */
    bool extern_stack;        /* no difference here */
    periph_service_ctrl service_start;
    periph_service_ctrl service_stop;
    periph_service_ctrl service_destroy;
    periph_service_io service_ioctl;
    char *service_name; /* copied; the task has its name */
    void *user_data;
} periph_service_config_t;

/* NULL: no configuration, or no memory. */
periph_service_handle_t periph_service_create(periph_service_config_t *config);

/* These call the service's hook. ESP_ERR_INVALID_ARG: handle NULL, or there is no such hook.
 * destroy frees the handle after it; the service's task may take longer. */
esp_err_t periph_service_destroy(periph_service_handle_t handle);
esp_err_t periph_service_start(periph_service_handle_t handle);
esp_err_t periph_service_stop(periph_service_handle_t handle);
esp_err_t periph_service_ioctl(periph_service_handle_t handle, void *ioctl_handle, int cmd,
                               int value);

esp_err_t periph_service_set_callback(periph_service_handle_t handle, periph_service_cb cb,
                                      void *ctx);
/* Hands evt to the callback, in the caller's task. ESP_ERR_INVALID_ARG: there is none. */
esp_err_t periph_service_callback(periph_service_handle_t handle, periph_service_event_t *evt);

esp_err_t periph_service_set_data(periph_service_handle_t handle, void *data);
void *periph_service_get_data(periph_service_handle_t handle);

#ifdef __cplusplus
}
#endif
