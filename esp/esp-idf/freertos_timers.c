/* Software timers, on a timer task. */
#include <stdlib.h>

#include "device/board.h"
#include "esp/esp-idf/timer_task.h"
#include "freertos/timers.h"

struct tmrTimerControl {
    struct timed timed; /* first */
    const char *name;
    TickType_t period;
    bool reload;
    void *id;
    TimerCallbackFunction_t callback;
};

static struct timer_task service = {.name = "Tmr Svc", .priority = configTIMER_TASK_PRIORITY};

static void fire(struct timed *timed)
{
    TimerHandle_t t = (TimerHandle_t)timed;
    t->callback(t);
}

TimerHandle_t xTimerCreate(const char *name, const TickType_t period, const BaseType_t reload,
                           void *const id, TimerCallbackFunction_t callback)
{
    TimerHandle_t t = period && callback ? calloc(1, sizeof *t) : NULL;
    if (!t) return NULL;
    t->timed.fire = fire;
    t->name = name;
    t->period = period;
    t->reload = reload;
    t->id = id;
    t->callback = callback;
    return t;
}

void *pvTimerGetTimerID(const TimerHandle_t t)
{
    return t->id;
}

void vTimerSetTimerID(TimerHandle_t t, void *id)
{
    t->id = id;
}

BaseType_t xTimerIsTimerActive(TimerHandle_t t)
{
    return timer_task_active(&t->timed);
}

TaskHandle_t xTimerGetTimerDaemonTaskHandle(void)
{
    return service.task;
}

const char *pcTimerGetName(TimerHandle_t t)
{
    return t->name;
}

BaseType_t xTimerGetReloadMode(TimerHandle_t t)
{
    return t->reload;
}

TickType_t xTimerGetPeriod(TimerHandle_t t)
{
    return t->period;
}

TickType_t xTimerGetExpiryTime(TimerHandle_t t)
{
    return (TickType_t)(t->timed.due_us / kernel_tick_us());
}

BaseType_t xTimerStart(TimerHandle_t t, TickType_t wait)
{
    uint64_t period = t->period * kernel_tick_us();
    return timer_task_start(&service, &t->timed, board_uptime_us() + period, t->reload ? period : 0)
               ? pdPASS
               : pdFAIL;
}

BaseType_t xTimerReset(TimerHandle_t t, TickType_t wait)
{
    return xTimerStart(t, wait);
}

BaseType_t xTimerChangePeriod(TimerHandle_t t, TickType_t period, TickType_t wait)
{
    if (!period) return pdFAIL;
    t->period = period;
    return xTimerStart(t, wait);
}

void vTimerSetReloadMode(TimerHandle_t t, const BaseType_t reload)
{
    kernel_lock();
    t->reload = reload;
    t->timed.period_us = reload ? t->period * kernel_tick_us() : 0;
    kernel_unlock();
}

BaseType_t xTimerStop(TimerHandle_t t, TickType_t wait)
{
    timer_task_stop(&service, &t->timed);
    return pdPASS;
}

BaseType_t xTimerDelete(TimerHandle_t t, TickType_t wait)
{
    timer_task_stop(&service, &t->timed);
    timer_task_settle(&service, &t->timed);
    free(t);
    return pdPASS;
}

struct pended {
    struct timed timed; /* first */
    PendedFunction_t function;
    void *a;
    uint32_t b;
};

static void run_pended(struct timed *timed)
{
    struct pended *p = (struct pended *)timed;
    p->function(p->a, p->b);
    free(p);
}

BaseType_t xTimerPendFunctionCall(PendedFunction_t function, void *a, uint32_t b, TickType_t wait)
{
    struct pended *p = calloc(1, sizeof *p);
    if (!p) return pdFAIL;
    *p = (struct pended){.timed.fire = run_pended, .function = function, .a = a, .b = b};
    if (timer_task_start(&service, &p->timed, board_uptime_us(), 0)) return pdPASS;
    free(p);
    return pdFAIL;
}
