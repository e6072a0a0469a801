/* UART 0 as stdin and stdout: it always is. The calls set what they set on the
 * chip as far as the host's terminal has it. */
#pragma once

#include "driver/uart_vfs.h"
#include "esp_err.h"

#define esp_vfs_dev_uart_use_driver               uart_vfs_dev_use_driver
#define esp_vfs_dev_uart_use_nonblocking          uart_vfs_dev_use_nonblocking
#define esp_vfs_dev_uart_port_set_rx_line_endings uart_vfs_dev_port_set_rx_line_endings
#define esp_vfs_dev_uart_port_set_tx_line_endings uart_vfs_dev_port_set_tx_line_endings
