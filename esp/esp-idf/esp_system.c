/* Resets, and reasons for them. */
#include "esp_system.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "device/board.h"
#include "esp/esp-idf/rtc_memory.h"
#include "esp_heap_caps.h"
#include "esp_rom_sys.h"

enum { HANDLERS = 5 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static shutdown_handler_t handlers[HANDLERS];

/* Index of a handler, or of a free place for NULL; HANDLERS: none. */
static int find(shutdown_handler_t handler)
{
    int i = 0;
    while (i < HANDLERS && handlers[i] != handler) i++;
    return i;
}

esp_err_t esp_register_shutdown_handler(shutdown_handler_t handler)
{
    esp_err_t err = ESP_OK;
    pthread_mutex_lock(&lock);
    int place = find(NULL);
    if (find(handler) < HANDLERS)
        err = ESP_ERR_INVALID_STATE;
    else if (place == HANDLERS)
        err = ESP_ERR_NO_MEM;
    else
        handlers[place] = handler;
    pthread_mutex_unlock(&lock);
    return err;
}

esp_err_t esp_unregister_shutdown_handler(shutdown_handler_t handler)
{
    pthread_mutex_lock(&lock);
    int place = find(handler);
    if (place < HANDLERS) handlers[place] = NULL;
    pthread_mutex_unlock(&lock);
    return place < HANDLERS ? ESP_OK : ESP_ERR_INVALID_STATE;
}

void esp_restart(void)
{
    for (int i = HANDLERS - 1; i >= 0; i--)
        if (handlers[i]) handlers[i]();
    esp_rom_software_reset_system();
}

void esp_rom_software_reset_system(void)
{
    fflush(stdout);
    rtc_memory_save();
    board_reset(RESET_SW);
}

esp_reset_reason_t esp_reset_reason(void)
{
    return (esp_reset_reason_t)board()->control->reset_reason;
}

void esp_system_abort(const char *details)
{
    rtc_memory_save();
    board_panic(details);
}

/* What assert() of the C library calls: the report begins as on the chip. */
void __assert_fail(const char *expression, const char *file, unsigned line, const char *function)
{
    char details[256];
    const char *slash = strrchr(file, '/');
    snprintf(details, sizeof details, "assert failed: %s %s:%u (%s)", function,
             slash ? slash + 1 : file, line, expression);
    esp_system_abort(details);
}

uint32_t esp_get_free_heap_size(void)
{
    return (uint32_t)heap_caps_get_free_size(MALLOC_CAP_DEFAULT);
}

uint32_t esp_get_free_internal_heap_size(void)
{
    return (uint32_t)heap_caps_get_free_size(MALLOC_CAP_INTERNAL);
}

uint32_t esp_get_minimum_free_heap_size(void)
{
    return (uint32_t)heap_caps_get_minimum_free_size(MALLOC_CAP_DEFAULT);
}
