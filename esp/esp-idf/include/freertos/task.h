/* Tasks: each is a thread, its stack at least 512 KiB whatever was asked. */
#pragma once

#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tskTaskControlBlock *TaskHandle_t;
typedef BaseType_t (*TaskHookFunction_t)(void *);

typedef enum { eRunning = 0, eReady, eBlocked, eSuspended, eDeleted, eInvalid } eTaskState;
typedef enum {
    eNoAction = 0,
    eSetBits,
    eIncrement,
    eSetValueWithOverwrite,
    eSetValueWithoutOverwrite
} eNotifyAction;

#define tskIDLE_PRIORITY              ((UBaseType_t)0U)
#define tskNO_AFFINITY                ((BaseType_t)0x7FFFFFFF)
#define tskDEFAULT_INDEX_TO_NOTIFY    (0)
#define taskSCHEDULER_SUSPENDED       ((BaseType_t)0)
#define taskSCHEDULER_NOT_STARTED     ((BaseType_t)1)
#define taskSCHEDULER_RUNNING         ((BaseType_t)2)
#define taskYIELD()                   portYIELD()
#define taskENTER_CRITICAL(mux)       portENTER_CRITICAL(mux)
#define taskEXIT_CRITICAL(mux)        portEXIT_CRITICAL(mux)
#define taskENTER_CRITICAL_ISR(mux)   portENTER_CRITICAL(mux)
#define taskEXIT_CRITICAL_ISR(mux)    portEXIT_CRITICAL(mux)
#define taskENTER_CRITICAL_FROM_ISR() portSET_INTERRUPT_MASK_FROM_ISR()
#define taskEXIT_CRITICAL_FROM_ISR(x) portCLEAR_INTERRUPT_MASK_FROM_ISR(x)
#define taskDISABLE_INTERRUPTS()      portDISABLE_INTERRUPTS()
#define taskENABLE_INTERRUPTS()       portENABLE_INTERRUPTS()

BaseType_t xTaskCreate(TaskFunction_t pxTaskCode, const char *pcName, uint32_t usStackDepth,
                       void *pvParameters, UBaseType_t uxPriority, TaskHandle_t *pxCreatedTask);
BaseType_t xTaskCreatePinnedToCore(TaskFunction_t pxTaskCode, const char *pcName,
                                   uint32_t ulStackDepth, void *pvParameters,
                                   UBaseType_t uxPriority, TaskHandle_t *pxCreatedTask,
                                   BaseType_t xCoreID);
TaskHandle_t xTaskCreateStatic(TaskFunction_t pxTaskCode, const char *pcName, uint32_t ulStackDepth,
                               void *pvParameters, UBaseType_t uxPriority,
                               StackType_t *puxStackBuffer, StaticTask_t *pxTaskBuffer);
TaskHandle_t xTaskCreateStaticPinnedToCore(TaskFunction_t pxTaskCode, const char *pcName,
                                           uint32_t ulStackDepth, void *pvParameters,
                                           UBaseType_t uxPriority, StackType_t *pxStackBuffer,
                                           StaticTask_t *pxTaskBuffer, BaseType_t xCoreID);
/* NULL: the caller; does not return. Another task ends at its next call of
 * FreeRTOS or of the log. */
void vTaskDelete(TaskHandle_t xTaskToDelete);
void vTaskDelay(TickType_t xTicksToDelay);
BaseType_t xTaskDelayUntil(TickType_t *pxPreviousWakeTime, TickType_t xTimeIncrement);
#define vTaskDelayUntil(prev, increment) ((void)xTaskDelayUntil(prev, increment))
BaseType_t xTaskAbortDelay(TaskHandle_t xTask);
/* A task suspends at its next call, as with delete. */
void vTaskSuspend(TaskHandle_t xTaskToSuspend);
void vTaskResume(TaskHandle_t xTaskToResume);
BaseType_t xTaskResumeFromISR(TaskHandle_t xTaskToResume);
void vTaskSuspendAll(void);
BaseType_t xTaskResumeAll(void);
BaseType_t xTaskGetSchedulerState(void);

UBaseType_t uxTaskPriorityGet(TaskHandle_t xTask);
void vTaskPrioritySet(TaskHandle_t xTask, UBaseType_t uxNewPriority);
eTaskState eTaskGetState(TaskHandle_t xTask);
TickType_t xTaskGetTickCount(void);
TickType_t xTaskGetTickCountFromISR(void);
UBaseType_t uxTaskGetNumberOfTasks(void);
char *pcTaskGetName(TaskHandle_t xTaskToQuery);
#define pcTaskGetTaskName pcTaskGetName
TaskHandle_t xTaskGetHandle(const char *pcNameToQuery);
TaskHandle_t xTaskGetCurrentTaskHandle(void);
TaskHandle_t xTaskGetIdleTaskHandle(void);
/* Bytes of the stack that were never touched, at most what was asked for. */
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t xTask);
BaseType_t xTaskGetCoreID(TaskHandle_t xTask);
#define xTaskGetAffinity xTaskGetCoreID

BaseType_t xTaskGenericNotify(TaskHandle_t xTaskToNotify, UBaseType_t uxIndexToNotify,
                              uint32_t ulValue, eNotifyAction eAction,
                              uint32_t *pulPreviousNotificationValue);
BaseType_t xTaskGenericNotifyWait(UBaseType_t uxIndexToWaitOn, uint32_t ulBitsToClearOnEntry,
                                  uint32_t ulBitsToClearOnExit, uint32_t *pulNotificationValue,
                                  TickType_t xTicksToWait);
uint32_t ulTaskGenericNotifyTake(UBaseType_t uxIndexToWaitOn, BaseType_t xClearCountOnExit,
                                 TickType_t xTicksToWait);
BaseType_t xTaskGenericNotifyStateClear(TaskHandle_t xTask, UBaseType_t uxIndexToClear);
uint32_t ulTaskGenericNotifyValueClear(TaskHandle_t xTask, UBaseType_t uxIndexToClear,
                                       uint32_t ulBitsToClear);

#define xTaskNotify(task, value, action) \
    xTaskGenericNotify((task), tskDEFAULT_INDEX_TO_NOTIFY, (value), (action), NULL)
#define xTaskNotifyIndexed(task, index, value, action) \
    xTaskGenericNotify((task), (index), (value), (action), NULL)
#define xTaskNotifyAndQuery(task, value, action, previous) \
    xTaskGenericNotify((task), tskDEFAULT_INDEX_TO_NOTIFY, (value), (action), (previous))
#define xTaskNotifyFromISR(task, value, action, woken) \
    ((void)(woken), xTaskGenericNotify((task), tskDEFAULT_INDEX_TO_NOTIFY, (value), (action), NULL))
#define xTaskNotifyGive(task) \
    xTaskGenericNotify((task), tskDEFAULT_INDEX_TO_NOTIFY, 0, eIncrement, NULL)
#define xTaskNotifyGiveIndexed(task, index) xTaskGenericNotify((task), (index), 0, eIncrement, NULL)
#define vTaskNotifyGiveFromISR(task, woken) ((void)(woken), (void)xTaskNotifyGive(task))
#define xTaskNotifyWait(clear_entry, clear_exit, value, ticks)                               \
    xTaskGenericNotifyWait(tskDEFAULT_INDEX_TO_NOTIFY, (clear_entry), (clear_exit), (value), \
                           (ticks))
#define xTaskNotifyWaitIndexed(index, clear_entry, clear_exit, value, ticks) \
    xTaskGenericNotifyWait((index), (clear_entry), (clear_exit), (value), (ticks))
#define ulTaskNotifyTake(clear, ticks) \
    ulTaskGenericNotifyTake(tskDEFAULT_INDEX_TO_NOTIFY, (clear), (ticks))
#define ulTaskNotifyTakeIndexed(index, clear, ticks) \
    ulTaskGenericNotifyTake((index), (clear), (ticks))
#define xTaskNotifyStateClear(task) xTaskGenericNotifyStateClear((task), tskDEFAULT_INDEX_TO_NOTIFY)
#define ulTaskNotifyValueClear(task, bits) \
    ulTaskGenericNotifyValueClear((task), tskDEFAULT_INDEX_TO_NOTIFY, (bits))

#ifdef __cplusplus
}
#endif
