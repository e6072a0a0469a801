/* FreeRTOS on threads of the host: same names and results; priorities do not
 * order the threads. docs/api-coverage.md tells what differs. */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdkconfig.h"

#include "freertos/FreeRTOSConfig.h"
#include "freertos/portmacro.h"
#include "freertos/projdefs.h"

#include "esp_err.h"

#define configASSERT(x) assert(x)

/* Room for the ...Static functions: each object keeps its state on the heap and
 * uses this memory only as its owner's token. */
typedef struct {
    void *opaque[4];
} StaticTask_t;
typedef StaticTask_t StaticQueue_t;
typedef StaticTask_t StaticSemaphore_t;
typedef StaticTask_t StaticEventGroup_t;
typedef StaticTask_t StaticTimer_t;

/* The headers below need each other's, whichever comes first. */
typedef struct tskTaskControlBlock *TaskHandle_t;
typedef struct QueueDefinition *QueueHandle_t;

/* ESP-IDF's additions bring tasks and queues along, and sources rely on it. */
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

#ifdef CONFIG_FREERTOS_ENABLE_BACKWARD_COMPATIBILITY /* names of before FreeRTOS 8 */
#define portTickType     TickType_t
#define portTICK_RATE_MS portTICK_PERIOD_MS
#define xTaskHandle      TaskHandle_t
#define xQueueHandle     QueueHandle_t
#define xSemaphoreHandle SemaphoreHandle_t
#define xTimerHandle     TimerHandle_t
#endif
