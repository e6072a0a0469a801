/* What the kernel is built with. Most is fixed here; the tick rate is the
 * project's (CONFIG_FREERTOS_HZ). */
#pragma once

#include "sdkconfig.h"

#ifdef CONFIG_FREERTOS_HZ
#define configTICK_RATE_HZ CONFIG_FREERTOS_HZ
#else
#define configTICK_RATE_HZ 100
#endif
#define configMAX_PRIORITIES                  25
#define configMINIMAL_STACK_SIZE              1536
#define configMAX_TASK_NAME_LEN               16
#define configTASK_NOTIFICATION_ARRAY_ENTRIES 4
#define configSTACK_OVERHEAD_TOTAL            0
#define configUSE_PREEMPTION                  1
#define configUSE_MUTEXES                     1
#define configUSE_RECURSIVE_MUTEXES           1
#define configUSE_COUNTING_SEMAPHORES         1
#define configUSE_TIMERS                      1
#define configUSE_TASK_NOTIFICATIONS          1
#define configUSE_QUEUE_SETS                  0
#define configUSE_TRACE_FACILITY              0
#define configSUPPORT_STATIC_ALLOCATION       1
#define configSUPPORT_DYNAMIC_ALLOCATION      1
#define configTIMER_TASK_PRIORITY             1
#define configNUMBER_OF_CORES                 1
#define INCLUDE_vTaskDelete                   1
#define INCLUDE_vTaskSuspend                  1
