/* Keys on pins: pressed is low. A callback comes when a key is let go.
 * `airlift device gpio DIR 9 0`, then `... 9 1`, presses the BOOT key. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "driver/gpio.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GPIO_INPUT_IO_TOGGLE_SWITCH CONFIG_GPIO_BOOT_ON_DEVKIT
#define GPIO_INPUT_LEVEL_ON         0
#define ESP_INTR_FLAG_DEFAULT       0

#define PAIR_SIZE(TYPE_STR_PAIR) (sizeof(TYPE_STR_PAIR) / sizeof(TYPE_STR_PAIR[0]))

typedef enum {
    SWITCH_ON_CONTROL,
    SWITCH_OFF_CONTROL,
    SWITCH_ONOFF_TOGGLE_CONTROL,
    SWITCH_LEVEL_UP_CONTROL,
    SWITCH_LEVEL_DOWN_CONTROL,
    SWITCH_LEVEL_CYCLE_CONTROL,
    SWITCH_COLOR_CONTROL
} switch_func_t;

typedef struct {
    uint32_t pin;
    switch_func_t func;
} switch_func_pair_t;

typedef void (*esp_switch_callback_t)(switch_func_pair_t *param);

/* pairs stay in use. false: no memory, or no such pin. Called again: the same keys, another
 * callback. */
bool switch_driver_init(switch_func_pair_t *button_func_pair, uint8_t button_num,
                        esp_switch_callback_t cb);

#ifdef __cplusplus
}
#endif
