/* Tasks: delays, suspension, what is known about them, notifications. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device/board.h"
#include "esp/esp-idf/kernel.h"
#include "freertos/task.h"

BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack, void *argument,
                       UBaseType_t priority, TaskHandle_t *created)
{
    return xTaskCreatePinnedToCore(code, name, stack, argument, priority, created, tskNO_AFFINITY);
}

TaskHandle_t xTaskCreateStaticPinnedToCore(TaskFunction_t code, const char *name, uint32_t stack,
                                           void *argument, UBaseType_t priority,
                                           StackType_t *stack_buffer, StaticTask_t *task_buffer,
                                           BaseType_t core)
{
    TaskHandle_t task = NULL;
    if (!stack_buffer || !task_buffer) return NULL;
    xTaskCreatePinnedToCore(code, name, stack, argument, priority, &task, core);
    return task;
}

TaskHandle_t xTaskCreateStatic(TaskFunction_t code, const char *name, uint32_t stack,
                               void *argument, UBaseType_t priority, StackType_t *stack_buffer,
                               StaticTask_t *task_buffer)
{
    return xTaskCreateStaticPinnedToCore(code, name, stack, argument, priority, stack_buffer,
                                         task_buffer, tskNO_AFFINITY);
}

TickType_t xTaskGetTickCount(void)
{
    return (TickType_t)(board_uptime_us() / kernel_tick_us());
}

TickType_t xTaskGetTickCountFromISR(void)
{
    return xTaskGetTickCount();
}

/* Sleeps until the deadline; false when xTaskAbortDelay ended it. */
static bool sleep_until(const struct kernel_deadline *until)
{
    kernel_lock();
    struct tskTaskControlBlock *me = kernel_self();
    me->abort_wait = false;
    bool passed = false;
    while (!passed) {
        struct timespec now;
        if (kernel_wait(&me->wake, until)) continue; /* a notification, most likely */
        clock_gettime(CLOCK_MONOTONIC, &now);
        passed = !until->forever &&
                 (now.tv_sec > until->at.tv_sec ||
                  (now.tv_sec == until->at.tv_sec && now.tv_nsec >= until->at.tv_nsec));
        if (!passed) break;
    }
    kernel_unlock();
    return passed;
}

void vTaskDelay(TickType_t ticks)
{
    if (!ticks) {
        vPortYield();
        return;
    }
    struct kernel_deadline until = kernel_deadline_ticks(ticks);
    until.forever = false; /* a delay of portMAX_DELAY ends after that many ticks */
    sleep_until(&until);
}

BaseType_t xTaskDelayUntil(TickType_t *previous, TickType_t increment)
{
    *previous += increment;
    int32_t left = (int32_t)(*previous - xTaskGetTickCount());
    if (left <= 0) return pdFALSE;
    struct kernel_deadline until = kernel_deadline_ticks((TickType_t)left);
    sleep_until(&until);
    return pdTRUE;
}

BaseType_t xTaskAbortDelay(TaskHandle_t t)
{
    kernel_lock();
    bool blocked = t->waiting_on;
    if (blocked) {
        t->abort_wait = true;
        pthread_cond_broadcast(t->waiting_on);
    }
    kernel_unlock();
    return blocked ? pdPASS : pdFAIL;
}

void vTaskSuspend(TaskHandle_t task)
{
    kernel_lock();
    struct tskTaskControlBlock *t = task ? task : kernel_self();
    t->suspended = true;
    if (t->waiting_on) pthread_cond_broadcast(t->waiting_on);
    kernel_unlock();
    if (t == kernel_self()) vPortYield(); /* stops in there */
}

void vTaskResume(TaskHandle_t t)
{
    kernel_lock();
    t->suspended = false;
    pthread_cond_broadcast(&t->wake);
    kernel_unlock();
}

BaseType_t xTaskResumeFromISR(TaskHandle_t t)
{
    vTaskResume(t);
    return pdFALSE;
}

void vTaskSuspendAll(void)
{
    vPortEnterCritical();
}

BaseType_t xTaskResumeAll(void)
{
    vPortExitCritical();
    return pdFALSE;
}

BaseType_t xTaskGetSchedulerState(void)
{
    return taskSCHEDULER_RUNNING;
}

UBaseType_t uxTaskPriorityGet(TaskHandle_t t)
{
    return (t ? t : kernel_self())->priority;
}

void vTaskPrioritySet(TaskHandle_t t, UBaseType_t priority)
{
    (t ? t : kernel_self())->priority =
        priority < configMAX_PRIORITIES ? priority : configMAX_PRIORITIES - 1;
}

eTaskState eTaskGetState(TaskHandle_t t)
{
    kernel_lock();
    eTaskState state = t->dead || t->doomed ? eDeleted
                       : t->suspended       ? eSuspended
                       : t->waiting_on      ? eBlocked
                       : t == kernel_self() ? eRunning
                                            : eReady;
    kernel_unlock();
    return state;
}

UBaseType_t uxTaskGetNumberOfTasks(void)
{
    UBaseType_t count = 0;
    kernel_lock();
    for (struct tskTaskControlBlock *t = kernel_tasks(); t; t = t->next) count++;
    kernel_unlock();
    return count;
}

char *pcTaskGetName(TaskHandle_t t)
{
    return (t ? t : kernel_self())->name;
}

TaskHandle_t xTaskGetHandle(const char *name)
{
    kernel_lock();
    struct tskTaskControlBlock *t = kernel_tasks();
    while (t && strcmp(t->name, name)) t = t->next;
    kernel_unlock();
    return t;
}

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return kernel_self();
}

TaskHandle_t xTaskGetIdleTaskHandle(void)
{
    return NULL; /* nothing idles here */
}

BaseType_t xTaskGetCoreID(TaskHandle_t t)
{
    return (t ? t : kernel_self())->core;
}

UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task)
{
    struct tskTaskControlBlock *t = task ? task : kernel_self();
    pthread_attr_t attr;
    void *low;
    size_t size;
    if (kernel_task_ended(t) || pthread_getattr_np(t->thread, &attr)) return 0;
    int err = pthread_attr_getstack(&attr, &low, &size);
    pthread_attr_destroy(&attr);
    unsigned char *touched = err ? NULL : malloc(size / 4096 + 1);
    if (!touched) return 0;
    size_t pages = size / 4096, untouched = 0;
    if (mincore(low, pages * 4096, touched)) pages = 0;
    while (untouched < pages && !(touched[untouched] & 1)) untouched++;
    free(touched);
    size_t left = untouched * 4096;
    return (UBaseType_t)(t->stack_asked && left > t->stack_asked ? t->stack_asked : left);
}

/* --- notifications --- */

static struct kernel_notification *note_of(struct tskTaskControlBlock *t, UBaseType_t index)
{
    configASSERT(index < KERNEL_NOTIFICATIONS);
    return &t->notes[index];
}

BaseType_t xTaskGenericNotify(TaskHandle_t t, UBaseType_t index, uint32_t value,
                              eNotifyAction action, uint32_t *previous)
{
    kernel_lock();
    struct kernel_notification *n = note_of(t, index);
    BaseType_t result = pdPASS;
    if (previous) *previous = n->value;
    switch (action) {
    case eSetBits:
        n->value |= value;
        break;
    case eIncrement:
        n->value++;
        break;
    case eSetValueWithOverwrite:
        n->value = value;
        break;
    case eSetValueWithoutOverwrite:
        if (n->pending)
            result = pdFAIL;
        else
            n->value = value;
        break;
    case eNoAction:
        break;
    }
    n->pending = true;
    pthread_cond_broadcast(&t->wake);
    kernel_unlock();
    return result;
}

BaseType_t xTaskGenericNotifyWait(UBaseType_t index, uint32_t clear_on_entry,
                                  uint32_t clear_on_exit, uint32_t *value, TickType_t ticks)
{
    struct kernel_deadline until = kernel_deadline_ticks(ticks);
    kernel_lock();
    struct tskTaskControlBlock *me = kernel_self();
    struct kernel_notification *n = note_of(me, index);
    if (!n->pending) n->value &= ~clear_on_entry;
    while (!n->pending && ticks && kernel_wait(&me->wake, &until)) continue;
    if (value) *value = n->value;
    BaseType_t received = n->pending;
    if (received) n->value &= ~clear_on_exit;
    n->pending = false;
    kernel_unlock();
    return received;
}

uint32_t ulTaskGenericNotifyTake(UBaseType_t index, BaseType_t clear, TickType_t ticks)
{
    struct kernel_deadline until = kernel_deadline_ticks(ticks);
    kernel_lock();
    struct tskTaskControlBlock *me = kernel_self();
    struct kernel_notification *n = note_of(me, index);
    while (!n->value && ticks && kernel_wait(&me->wake, &until)) continue;
    uint32_t value = n->value;
    if (value) n->value = clear ? 0 : value - 1;
    n->pending = false;
    kernel_unlock();
    return value;
}

BaseType_t xTaskGenericNotifyStateClear(TaskHandle_t task, UBaseType_t index)
{
    kernel_lock();
    struct kernel_notification *n = note_of(task ? task : kernel_self(), index);
    BaseType_t was = n->pending;
    n->pending = false;
    kernel_unlock();
    return was;
}

uint32_t ulTaskGenericNotifyValueClear(TaskHandle_t task, UBaseType_t index, uint32_t bits)
{
    kernel_lock();
    struct kernel_notification *n = note_of(task ? task : kernel_self(), index);
    uint32_t before = n->value;
    n->value &= ~bits;
    kernel_unlock();
    return before;
}
