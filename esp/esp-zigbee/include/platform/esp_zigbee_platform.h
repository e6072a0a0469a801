/* Where radio and host are. On the virtual device the radio is what `device run --radio`
 * names, whatever stands here. */
#pragma once

#include "esp_err.h"
#include "hal/gpio_types.h"
#include "hal/uart_types.h"
#include "soc/gpio_num.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { ZB_RADIO_MODE_NATIVE = 0, ZB_RADIO_MODE_UART_RCP = 1 } esp_zb_radio_mode_t;

typedef enum {
    ZB_HOST_CONNECTION_MODE_NONE = 0,
    ZB_HOST_CONNECTION_MODE_CLI_UART = 1,
    ZB_HOST_CONNECTION_MODE_RCP_UART = 2
} esp_zb_host_connection_mode_t;

typedef struct {
    uart_port_t port;
    gpio_num_t rx_pin;
    gpio_num_t tx_pin;
    uart_config_t uart_config;
} esp_zb_uart_config_t;

typedef struct {
    esp_zb_radio_mode_t radio_mode;
    esp_zb_uart_config_t radio_uart_config;
} esp_zb_radio_config_t;

typedef struct {
    esp_zb_host_connection_mode_t host_connection_mode;
    esp_zb_uart_config_t host_uart_config;
} esp_zb_host_config_t;

typedef struct {
    esp_zb_radio_config_t radio_config;
    esp_zb_host_config_t host_config;
} esp_zb_platform_config_t;

/* ESP_ERR_INVALID_ARG: NULL, or an unknown mode. */
esp_err_t esp_zb_platform_config(esp_zb_platform_config_t *config);

#ifdef __cplusplus
}
#endif
