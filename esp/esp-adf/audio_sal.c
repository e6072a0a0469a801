/* What ESP-ADF puts between its components and the system: memory, time, tasks. */
#include <stdlib.h>
#include <string.h>

#include "audio_mem.h"
#include "audio_sys.h"
#include "audio_thread.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp_heap_caps.h"
#include "esp_log.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

/* ---- memory ---- */

void *audio_malloc(size_t size)
{
    return malloc(size);
}

void *audio_malloc_align(size_t alignment, size_t size)
{
    return heap_caps_aligned_alloc(alignment, size, MALLOC_CAP_DEFAULT);
}

void *audio_calloc(size_t nmemb, size_t size)
{
    return calloc(nmemb, size);
}

void *audio_calloc_inner(size_t nmemb, size_t size)
{
    return calloc(nmemb, size);
}

void *audio_realloc(void *ptr, size_t size)
{
    return realloc(ptr, size);
}

char *audio_strdup(const char *str)
{
    return strdup(str);
}

void audio_free(void *ptr)
{
    free(ptr);
}

bool audio_mem_spiram_is_enabled(void)
{
    return airlift_config_bool("SPIRAM_BOOT_INIT");
}

bool audio_mem_spiram_stack_is_enabled(void)
{
    return audio_mem_spiram_is_enabled() &&
           airlift_config_bool("SPIRAM_ALLOW_STACK_EXTERNAL_MEMORY");
}

/* The texts end with CR LF of their own, so that an empty line follows. */
void audio_mem_print(const char *tag, int line, const char *func)
{
    unsigned total = esp_get_free_heap_size();
    if (!audio_mem_spiram_is_enabled()) {
        ESP_LOGI(tag, "Func:%s, Line:%d, MEM Total:%u Bytes\r\n", func, line, total);
        return;
    }
    ESP_LOGI(tag,
             "Func:%s, Line:%d, MEM Total:%u Bytes, Inter:%zu Bytes, Dram:%zu Bytes, "
             "Dram largest free:%zuBytes\r\n",
             func, line, total, heap_caps_get_free_size(MALLOC_CAP_INTERNAL),
             heap_caps_get_free_size(MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT),
             heap_caps_get_largest_free_block(MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT));
}

/* ---- time ---- */

int audio_sys_get_tick_by_time_ms(int ms)
{
    return ms / (int)portTICK_PERIOD_MS;
}

int64_t audio_sys_get_time_ms(void)
{
    return esp_timer_get_time() / 1000;
}

/* ---- tasks ---- */

/* A handle is the task's own. */
esp_err_t audio_thread_create(audio_thread_t *p_handle, const char *name,
                              void (*main_func)(void *arg), void *arg, uint32_t stack, int prio,
                              bool stack_in_ext, int core_id)
{
    TaskHandle_t task = NULL;
    if (xTaskCreatePinnedToCore(main_func, name, stack, arg, (UBaseType_t)prio, &task, core_id) !=
        pdPASS)
        return ESP_FAIL;
    *p_handle = (audio_thread_t)task;
    return ESP_OK;
}

esp_err_t audio_thread_delete_task(audio_thread_t *p_handle)
{
    TaskHandle_t task = (TaskHandle_t)*p_handle;
    if (!task) return ESP_FAIL;
    *p_handle = NULL;
    vTaskDelete(task);
    return ESP_OK;
}

esp_err_t audio_thread_cleanup(audio_thread_t *p_handle)
{
    *p_handle = NULL;
    return ESP_OK;
}
