/* stdin and stdout as UART 0. Line ends are translated when it is on a wire (`--uart0`); on the
 * host's terminal they are the host's. */
#pragma once

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { ESP_LINE_ENDINGS_CRLF, ESP_LINE_ENDINGS_CR, ESP_LINE_ENDINGS_LF } esp_line_endings_t;

void uart_vfs_dev_use_driver(int uart_num);
void uart_vfs_dev_use_nonblocking(int uart_num);
int uart_vfs_dev_port_set_rx_line_endings(int uart_num, esp_line_endings_t mode);
int uart_vfs_dev_port_set_tx_line_endings(int uart_num, esp_line_endings_t mode);

#ifdef __cplusplus
}
#endif
