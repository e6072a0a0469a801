/* Queues: items are copied. From tasks and from interrupt threads alike. */
#pragma once

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct QueueDefinition *QueueHandle_t;

#define queueSEND_TO_BACK  ((BaseType_t)0)
#define queueSEND_TO_FRONT ((BaseType_t)1)
#define queueOVERWRITE     ((BaseType_t)2)

QueueHandle_t xQueueCreate(UBaseType_t uxQueueLength, UBaseType_t uxItemSize);
QueueHandle_t xQueueCreateStatic(UBaseType_t uxQueueLength, UBaseType_t uxItemSize,
                                 uint8_t *pucQueueStorage, StaticQueue_t *pxQueueBuffer);
void vQueueDelete(QueueHandle_t xQueue);
BaseType_t xQueueGenericSend(QueueHandle_t xQueue, const void *pvItemToQueue,
                             TickType_t xTicksToWait, BaseType_t xCopyPosition);
BaseType_t xQueueReceive(QueueHandle_t xQueue, void *pvBuffer, TickType_t xTicksToWait);
BaseType_t xQueuePeek(QueueHandle_t xQueue, void *pvBuffer, TickType_t xTicksToWait);
BaseType_t xQueueReset(QueueHandle_t xQueue);
UBaseType_t uxQueueMessagesWaiting(QueueHandle_t xQueue);
UBaseType_t uxQueueSpacesAvailable(QueueHandle_t xQueue);

#define xQueueSend(queue, item, ticks) \
    xQueueGenericSend((queue), (item), (ticks), queueSEND_TO_BACK)
#define xQueueSendToBack(queue, item, ticks) \
    xQueueGenericSend((queue), (item), (ticks), queueSEND_TO_BACK)
#define xQueueSendToFront(queue, item, ticks) \
    xQueueGenericSend((queue), (item), (ticks), queueSEND_TO_FRONT)
#define xQueueOverwrite(queue, item) xQueueGenericSend((queue), (item), 0, queueOVERWRITE)
#define xQueueSendFromISR(queue, item, woken) \
    ((void)(woken), xQueueGenericSend((queue), (item), 0, queueSEND_TO_BACK))
#define xQueueSendToBackFromISR(queue, item, woken) xQueueSendFromISR(queue, item, woken)
#define xQueueSendToFrontFromISR(queue, item, woken) \
    ((void)(woken), xQueueGenericSend((queue), (item), 0, queueSEND_TO_FRONT))
#define xQueueOverwriteFromISR(queue, item, woken) ((void)(woken), xQueueOverwrite(queue, item))
#define xQueueReceiveFromISR(queue, buffer, woken) \
    ((void)(woken), xQueueReceive((queue), (buffer), 0))
#define xQueuePeekFromISR(queue, buffer)     xQueuePeek((queue), (buffer), 0)
#define uxQueueMessagesWaitingFromISR(queue) uxQueueMessagesWaiting(queue)
#define xQueueIsQueueEmptyFromISR(queue)     (uxQueueMessagesWaiting(queue) == 0)
#define xQueueIsQueueFullFromISR(queue)      (uxQueueSpacesAvailable(queue) == 0)
#define vQueueAddToRegistry(queue, name)     ((void)(queue), (void)(name))
#define vQueueUnregisterQueue(queue)         ((void)(queue))

#ifdef __cplusplus
}
#endif
