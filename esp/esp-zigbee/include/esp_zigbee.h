/* Zigbee as the vendor's library 2.x offers it (ezb_*), on the same node as 1.x. Of this API
 * the OTA part is here, with commissioning and what an OTA device is described by.
 * docs/zigbee-api-v2.md: what is there, and what is different. */
#pragma once

#include <stdbool.h>

#include "esp_err.h"
#include "esp_system.h"
#include "esp_zigbee_version.h"
#include "ezbee/af.h"
#include "ezbee/app_signals.h"
#include "ezbee/aps.h"
#include "ezbee/bdb.h"
#include "ezbee/core.h"
#include "ezbee/nwk.h"
#include "ezbee/secur.h"
#include "ezbee/zcl.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "hal/gpio_types.h"
#include "hal/uart_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* On the virtual device the radio is what `device run --radio` names, whatever stands here. */
typedef enum {
    ESP_ZIGBEE_RADIO_MODE_NATIVE = 0,
    ESP_ZIGBEE_RADIO_MODE_UART_RCP = 1,
    ESP_ZIGBEE_RADIO_MODE_MAX_NR
} esp_zigbee_radio_mode_t;

typedef struct esp_zigbee_uart_config_s {
    uart_port_t port;
    uart_config_t uart_config;
    gpio_num_t rx_pin;
    gpio_num_t tx_pin;
} esp_zigbee_uart_config_t;

typedef struct esp_zigbee_radio_config_s {
    esp_zigbee_radio_mode_t radio_mode;
    union {
        esp_zigbee_uart_config_t radio_uart_config;
    };
} esp_zigbee_radio_config_t;

typedef struct esp_zigbee_platform_config_s {
    const char *storage_partition_name;
    esp_zigbee_radio_config_t radio_config;
} esp_zigbee_platform_config_t;

struct esp_zigbee_zczr_config_s {
    uint8_t max_children;
};

struct esp_zigbee_zed_config_s {
    uint8_t ed_timeout;  /* ezb_nwk_ed_timeout_t */
    uint32_t keep_alive; /* ms; a sleepy device asks its parent that often */
};

typedef struct esp_zigbee_device_config_s {
    ezb_nwk_device_type_t device_type;
    bool install_code_policy; /* trust centre: only devices with an install code */
    union {
        struct esp_zigbee_zczr_config_s zczr_config;
        struct esp_zigbee_zed_config_s zed_config;
    };
} esp_zigbee_device_config_t;

typedef struct esp_zigbee_config_s {
    esp_zigbee_device_config_t device_config;
    esp_zigbee_platform_config_t platform_config;
} esp_zigbee_config_t;

/* ESP_ERR_INVALID_ARG: NULL, or an unknown type or mode; ESP_ERR_INVALID_STATE: done already. */
esp_err_t esp_zigbee_init(const esp_zigbee_config_t *config);
/* After the loop has ended: the device is off the air, until the next boot.
 * ESP_ERR_INVALID_STATE: the loop runs. */
esp_err_t esp_zigbee_deinit(void);
/* Opens the radio. autostart: also forms, joins or comes back, then EZB_BDB_SIGNAL_DEVICE_*;
 * else EZB_ZDO_SIGNAL_SKIP_STARTUP, and that is all. ESP_ERR_INVALID_STATE: not initialised,
 * or started; ESP_FAIL: no radio (logged). */
esp_err_t esp_zigbee_start(bool autostart);
bool esp_zigbee_is_started(void);
/* The loop: timers, radio and callbacks, all in the calling task, until esp_zigbee_stop(). */
esp_err_t esp_zigbee_launch_mainloop(void);
esp_err_t esp_zigbee_stop(void); /* any task */

/* For other tasks than the loop's; a task may take it several times. false: timed out. */
bool esp_zigbee_lock_acquire(TickType_t block_ticks);
void esp_zigbee_lock_release(void);

typedef void (*esp_zigbee_callback_t)(void *ctx);
/* Soon, from the loop. Any task, without the lock too. */
esp_err_t esp_zigbee_task_queue_post(esp_zigbee_callback_t cb, void *ctx);

esp_err_t esp_zigbee_err_to_esp(ezb_err_t error);
/* Forgets network and keys, and restarts. */
__attribute__((__noreturn__)) void esp_zigbee_factory_reset(void);

#ifdef __cplusplus
}
#endif
