/* Software timers: callbacks run one after the other in the task "Tmr Svc". */
#pragma once

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tmrTimerControl *TimerHandle_t;
typedef void (*TimerCallbackFunction_t)(TimerHandle_t xTimer);
typedef void (*PendedFunction_t)(void *, uint32_t);

TimerHandle_t xTimerCreate(const char *pcTimerName, const TickType_t xTimerPeriodInTicks,
                           const BaseType_t xAutoReload, void *const pvTimerID,
                           TimerCallbackFunction_t pxCallbackFunction);
#define xTimerCreateStatic(name, period, reload, id, callback, buffer) \
    ((void)(buffer), xTimerCreate((name), (period), (reload), (id), (callback)))
void *pvTimerGetTimerID(const TimerHandle_t xTimer);
void vTimerSetTimerID(TimerHandle_t xTimer, void *pvNewID);
BaseType_t xTimerIsTimerActive(TimerHandle_t xTimer);
TaskHandle_t xTimerGetTimerDaemonTaskHandle(void);
const char *pcTimerGetName(TimerHandle_t xTimer);
void vTimerSetReloadMode(TimerHandle_t xTimer, const BaseType_t xAutoReload);
BaseType_t xTimerGetReloadMode(TimerHandle_t xTimer);
TickType_t xTimerGetPeriod(TimerHandle_t xTimer);
TickType_t xTimerGetExpiryTime(TimerHandle_t xTimer);

/* These take effect at once; the time to wait is for a queue that is not there. */
BaseType_t xTimerStart(TimerHandle_t xTimer, TickType_t xTicksToWait);
BaseType_t xTimerStop(TimerHandle_t xTimer, TickType_t xTicksToWait);
BaseType_t xTimerReset(TimerHandle_t xTimer, TickType_t xTicksToWait);
BaseType_t xTimerChangePeriod(TimerHandle_t xTimer, TickType_t xNewPeriod, TickType_t xTicksToWait);
BaseType_t xTimerDelete(TimerHandle_t xTimer, TickType_t xTicksToWait);
BaseType_t xTimerPendFunctionCall(PendedFunction_t xFunctionToPend, void *pvParameter1,
                                  uint32_t ulParameter2, TickType_t xTicksToWait);

#define xTimerStartFromISR(timer, woken) ((void)(woken), xTimerStart((timer), 0))
#define xTimerStopFromISR(timer, woken)  ((void)(woken), xTimerStop((timer), 0))
#define xTimerResetFromISR(timer, woken) ((void)(woken), xTimerReset((timer), 0))
#define xTimerChangePeriodFromISR(timer, period, woken) \
    ((void)(woken), xTimerChangePeriod((timer), (period), 0))
#define xTimerPendFunctionCallFromISR(function, p1, p2, woken) \
    ((void)(woken), xTimerPendFunctionCall((function), (p1), (p2), 0))

#ifdef __cplusplus
}
#endif
