/* Semaphores and mutexes: queues of items without content. */
#pragma once

#include "freertos/queue.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef QueueHandle_t SemaphoreHandle_t;

#define semBINARY_SEMAPHORE_QUEUE_LENGTH ((uint8_t)1U)
#define semSEMAPHORE_QUEUE_ITEM_LENGTH   ((uint8_t)0U)

SemaphoreHandle_t xSemaphoreCreateBinary(void);
SemaphoreHandle_t xSemaphoreCreateCounting(UBaseType_t uxMaxCount, UBaseType_t uxInitialCount);
SemaphoreHandle_t xSemaphoreCreateMutex(void);
SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void);
BaseType_t xSemaphoreTake(SemaphoreHandle_t xSemaphore, TickType_t xTicksToWait);
/* pdFALSE: full already, or a mutex that the caller does not hold. */
BaseType_t xSemaphoreGive(SemaphoreHandle_t xSemaphore);
BaseType_t xSemaphoreTakeRecursive(SemaphoreHandle_t xMutex, TickType_t xTicksToWait);
BaseType_t xSemaphoreGiveRecursive(SemaphoreHandle_t xMutex);
TaskHandle_t xSemaphoreGetMutexHolder(SemaphoreHandle_t xMutex);

#define vSemaphoreDelete(semaphore)          vQueueDelete(semaphore)
#define uxSemaphoreGetCount(semaphore)       uxQueueMessagesWaiting(semaphore)
#define xSemaphoreCreateBinaryStatic(buffer) ((void)(buffer), xSemaphoreCreateBinary())
#define xSemaphoreCreateMutexStatic(buffer)  ((void)(buffer), xSemaphoreCreateMutex())
#define xSemaphoreCreateRecursiveMutexStatic(buffer) \
    ((void)(buffer), xSemaphoreCreateRecursiveMutex())
#define xSemaphoreCreateCountingStatic(max, initial, buffer) \
    ((void)(buffer), xSemaphoreCreateCounting((max), (initial)))
#define xSemaphoreGiveFromISR(semaphore, woken) ((void)(woken), xSemaphoreGive(semaphore))
#define xSemaphoreTakeFromISR(semaphore, woken) ((void)(woken), xSemaphoreTake((semaphore), 0))

#ifdef __cplusplus
}
#endif
