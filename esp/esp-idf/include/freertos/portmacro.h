/* Types of the port, and critical sections: all of them exclude each other, as
 * they do on a chip with one core. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_attr.h"
#include "esp_bit_defs.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint8_t StackType_t;
typedef int BaseType_t;
typedef unsigned int UBaseType_t;
typedef uint32_t TickType_t;
typedef int portBASE_TYPE;

#define portMAX_DELAY           ((TickType_t)0xffffffffUL)
#define portTICK_PERIOD_MS      ((TickType_t)1000 / configTICK_RATE_HZ)
#define portTICK_TYPE_IS_ATOMIC 1
#define portBYTE_ALIGNMENT      16
#define portSTACK_GROWTH        (-1)
#define portNUM_PROCESSORS      1
#define portNOP()
#define portPRIVILEGE_BIT ((UBaseType_t)0x0)

typedef struct {
    uint32_t owner, count;
} portMUX_TYPE;
typedef portMUX_TYPE spinlock_t;
#define portMUX_FREE_VAL   0xB33FFFFF
#define portMUX_NO_TIMEOUT (-1)
#define portMUX_INITIALIZER_UNLOCKED          \
    {                                         \
        .owner = portMUX_FREE_VAL, .count = 0 \
    }
#define SPINLOCK_INITIALIZER     portMUX_INITIALIZER_UNLOCKED
#define portMUX_INITIALIZE(mux)  ((mux)->owner = portMUX_FREE_VAL, (mux)->count = 0)
#define spinlock_initialize(mux) portMUX_INITIALIZE(mux)

void vPortEnterCritical(void);
void vPortExitCritical(void);
BaseType_t xPortInIsrContext(void);
BaseType_t xPortGetCoreID(void);
void vPortYield(void);

#define portENTER_CRITICAL(mux)                   ((void)(mux), vPortEnterCritical())
#define portEXIT_CRITICAL(mux)                    ((void)(mux), vPortExitCritical())
#define portTRY_ENTER_CRITICAL(mux, timeout)      ((void)(mux), vPortEnterCritical(), pdPASS)
#define portENTER_CRITICAL_ISR(mux)               portENTER_CRITICAL(mux)
#define portEXIT_CRITICAL_ISR(mux)                portEXIT_CRITICAL(mux)
#define portENTER_CRITICAL_SAFE(mux)              portENTER_CRITICAL(mux)
#define portEXIT_CRITICAL_SAFE(mux)               portEXIT_CRITICAL(mux)
#define portSET_INTERRUPT_MASK_FROM_ISR()         (vPortEnterCritical(), 0)
#define portCLEAR_INTERRUPT_MASK_FROM_ISR(status) ((void)(status), vPortExitCritical())
#define portDISABLE_INTERRUPTS()                  vPortEnterCritical()
#define portENABLE_INTERRUPTS()                   vPortExitCritical()
#define portYIELD()                               vPortYield()
#define portYIELD_FROM_ISR(...)                   vPortYield()
#define portEND_SWITCHING_ISR(woken)              ((void)(woken), vPortYield())

#ifdef __cplusplus
}
#endif
