/* Queues, semaphores and mutexes: a ring of items; a semaphore's have no bytes. */
#include <stdlib.h>
#include <string.h>

#include "esp/esp-idf/kernel.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"

enum kind { QUEUE, MUTEX, RECURSIVE };

struct QueueDefinition {
    pthread_cond_t changed;
    enum kind kind;
    UBaseType_t length, item_size, count, first;
    TaskHandle_t holder; /* mutexes */
    UBaseType_t depth;   /* recursive mutex: times taken */
    uint8_t items[];
};

static QueueHandle_t new_queue(UBaseType_t length, UBaseType_t item_size, enum kind kind)
{
    size_t bytes;
    if (!length || __builtin_mul_overflow((size_t)length, item_size, &bytes)) return NULL;
    QueueHandle_t q = calloc(1, sizeof *q + bytes);
    if (!q) return NULL;
    kernel_cond_init(&q->changed);
    q->kind = kind;
    q->length = length;
    q->item_size = item_size;
    return q;
}

QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t item_size)
{
    return new_queue(length, item_size, QUEUE);
}

QueueHandle_t xQueueCreateStatic(UBaseType_t length, UBaseType_t item_size, uint8_t *storage,
                                 StaticQueue_t *buffer)
{
    return buffer ? new_queue(length, item_size, QUEUE) : NULL;
}

void vQueueDelete(QueueHandle_t q)
{
    if (!q) return;
    pthread_cond_destroy(&q->changed);
    free(q);
}

static void *slot(QueueHandle_t q, UBaseType_t index)
{
    return q->items + (size_t)((q->first + index) % q->length) * q->item_size;
}

static void put(QueueHandle_t q, const void *item, BaseType_t where)
{
    if (where == queueOVERWRITE && q->count) q->count = 0;
    if (where == queueSEND_TO_FRONT) {
        q->first = (q->first + q->length - 1) % q->length;
        if (item) memcpy(slot(q, 0), item, q->item_size);
    } else if (item) {
        memcpy(slot(q, q->count), item, q->item_size);
    }
    q->count++;
}

BaseType_t xQueueGenericSend(QueueHandle_t q, const void *item, TickType_t ticks, BaseType_t where)
{
    struct kernel_deadline until = kernel_deadline_ticks(ticks);
    kernel_lock();
    bool room;
    while (!(room = q->count < q->length || where == queueOVERWRITE) && ticks &&
           kernel_wait(&q->changed, &until))
        continue;
    if (room) {
        put(q, item, where);
        pthread_cond_broadcast(&q->changed);
    }
    kernel_unlock();
    return room ? pdPASS : errQUEUE_FULL;
}

static BaseType_t receive(QueueHandle_t q, void *buffer, TickType_t ticks, bool remove)
{
    struct kernel_deadline until = kernel_deadline_ticks(ticks);
    kernel_lock();
    while (!q->count && ticks && kernel_wait(&q->changed, &until)) continue;
    bool got = q->count;
    if (got && buffer) memcpy(buffer, slot(q, 0), q->item_size);
    if (got && remove) {
        q->first = (q->first + 1) % q->length;
        q->count--;
        if (q->kind != QUEUE) q->holder = kernel_self();
        pthread_cond_broadcast(&q->changed);
    }
    kernel_unlock();
    return got ? pdPASS : errQUEUE_EMPTY;
}

BaseType_t xQueueReceive(QueueHandle_t q, void *buffer, TickType_t ticks)
{
    return receive(q, buffer, ticks, true);
}

BaseType_t xQueuePeek(QueueHandle_t q, void *buffer, TickType_t ticks)
{
    return receive(q, buffer, ticks, false);
}

BaseType_t xQueueReset(QueueHandle_t q)
{
    kernel_lock();
    q->count = q->first = 0;
    pthread_cond_broadcast(&q->changed);
    kernel_unlock();
    return pdPASS;
}

UBaseType_t uxQueueMessagesWaiting(QueueHandle_t q)
{
    kernel_lock();
    UBaseType_t count = q->count;
    kernel_unlock();
    return count;
}

UBaseType_t uxQueueSpacesAvailable(QueueHandle_t q)
{
    return q->length - uxQueueMessagesWaiting(q);
}

/* --- semaphores --- */

static SemaphoreHandle_t new_semaphore(UBaseType_t max, UBaseType_t initial, enum kind kind)
{
    QueueHandle_t q = initial <= max ? new_queue(max, semSEMAPHORE_QUEUE_ITEM_LENGTH, kind) : NULL;
    if (q) q->count = initial;
    return q;
}

SemaphoreHandle_t xSemaphoreCreateBinary(void)
{
    return new_semaphore(1, 0, QUEUE);
}

SemaphoreHandle_t xSemaphoreCreateCounting(UBaseType_t max, UBaseType_t initial)
{
    return new_semaphore(max, initial, QUEUE);
}

SemaphoreHandle_t xSemaphoreCreateMutex(void)
{
    return new_semaphore(1, 1, MUTEX);
}

SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void)
{
    return new_semaphore(1, 1, RECURSIVE);
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t q, TickType_t ticks)
{
    return receive(q, NULL, ticks, true);
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t q)
{
    if (q->kind != QUEUE) {
        if (xSemaphoreGetMutexHolder(q) != kernel_self()) return pdFALSE;
        kernel_lock();
        q->holder = NULL;
        kernel_unlock();
    }
    return xQueueGenericSend(q, NULL, 0, queueSEND_TO_BACK);
}

BaseType_t xSemaphoreTakeRecursive(SemaphoreHandle_t q, TickType_t ticks)
{
    if (xSemaphoreGetMutexHolder(q) != kernel_self() && !receive(q, NULL, ticks, true))
        return pdFALSE;
    q->depth++;
    return pdTRUE;
}

BaseType_t xSemaphoreGiveRecursive(SemaphoreHandle_t q)
{
    if (xSemaphoreGetMutexHolder(q) != kernel_self()) return pdFALSE;
    return --q->depth ? pdTRUE : xSemaphoreGive(q);
}

TaskHandle_t xSemaphoreGetMutexHolder(SemaphoreHandle_t q)
{
    kernel_lock();
    TaskHandle_t holder = q->holder;
    kernel_unlock();
    return holder;
}
