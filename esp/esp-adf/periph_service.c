#include "periph_service.h"

#include <stdlib.h>
#include <string.h>

#include "esp/esp-adf/periph_service_impl.h"

static const char *TAG = "PERIPH_SERVICE";

struct periph_service_impl {
    char *name;
    periph_service_config_t config;
    periph_service_cb cb;
    void *cb_ctx;
    TaskHandle_t task;
};

periph_service_handle_t periph_service_create(periph_service_config_t *config)
{
    AUDIO_NULL_CHECK(TAG, config, return NULL);
    periph_service_handle_t s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->config = *config;
    s->name = strdup(config->service_name ? config->service_name : "");
    bool ok = s->name;
    if (ok && config->task_stack > 0 && config->task_func)
        ok = xTaskCreatePinnedToCore(config->task_func, s->name, (uint32_t)config->task_stack, s,
                                     (UBaseType_t)config->task_prio, &s->task,
                                     config->task_core) == pdPASS;
    if (ok) return s;
    ESP_LOGE(TAG, "No memory for the service %s", config->service_name);
    free(s->name);
    free(s);
    return NULL;
}

esp_err_t periph_service_destroy(periph_service_handle_t handle)
{
    AUDIO_NULL_CHECK(TAG, handle, return ESP_ERR_INVALID_ARG);
    esp_err_t err = ESP_OK;
    if (handle->config.service_destroy) err = handle->config.service_destroy(handle);
    free(handle->name);
    free(handle);
    return err;
}

esp_err_t periph_service_start(periph_service_handle_t handle)
{
    AUDIO_NULL_CHECK(TAG, handle, return ESP_ERR_INVALID_ARG);
    AUDIO_NULL_CHECK(TAG, handle->config.service_start, return ESP_ERR_INVALID_ARG);
    return handle->config.service_start(handle);
}

esp_err_t periph_service_stop(periph_service_handle_t handle)
{
    AUDIO_NULL_CHECK(TAG, handle, return ESP_ERR_INVALID_ARG);
    AUDIO_NULL_CHECK(TAG, handle->config.service_stop, return ESP_ERR_INVALID_ARG);
    return handle->config.service_stop(handle);
}

esp_err_t periph_service_ioctl(periph_service_handle_t handle, void *ioctl_handle, int cmd,
                               int value)
{
    AUDIO_NULL_CHECK(TAG, handle, return ESP_ERR_INVALID_ARG);
    AUDIO_NULL_CHECK(TAG, handle->config.service_ioctl, return ESP_ERR_INVALID_ARG);
    return handle->config.service_ioctl(ioctl_handle, cmd, value);
}

esp_err_t periph_service_set_callback(periph_service_handle_t handle, periph_service_cb cb,
                                      void *ctx)
{
    AUDIO_NULL_CHECK(TAG, handle, return ESP_ERR_INVALID_ARG);
    AUDIO_NULL_CHECK(TAG, cb, return ESP_ERR_INVALID_ARG);
    handle->cb = cb;
    handle->cb_ctx = ctx;
    return ESP_OK;
}

periph_service_cb periph_service_get_callback(periph_service_handle_t handle, void **ctx)
{
    *ctx = handle->cb_ctx;
    return handle->cb;
}

esp_err_t periph_service_callback(periph_service_handle_t handle, periph_service_event_t *evt)
{
    AUDIO_NULL_CHECK(TAG, handle, return ESP_ERR_INVALID_ARG);
    AUDIO_NULL_CHECK(TAG, handle->cb, return ESP_ERR_INVALID_ARG);
    return handle->cb(handle, evt, handle->cb_ctx);
}

esp_err_t periph_service_set_data(periph_service_handle_t handle, void *data)
{
    AUDIO_NULL_CHECK(TAG, handle, return ESP_ERR_INVALID_ARG);
    handle->config.user_data = data;
    return ESP_OK;
}

void *periph_service_get_data(periph_service_handle_t handle)
{
    AUDIO_NULL_CHECK(TAG, handle, return NULL);
    return handle->config.user_data;
}
