/* One UART of the driver: uart_driver.c, uart_io.c. */
#ifndef ESP_UART_IMPL_H
#define ESP_UART_IMPL_H

#include "device/board_uart.h"
#include "driver/uart.h"
#include "freertos/semphr.h"

#define UART_PORTS 3 /* that a wire can lead to */

struct uart_port {
    unsigned number;
    struct board_uart line;
    uart_config_t config;
    volatile bool installed;
    SemaphoreHandle_t writing; /* one write at a time; NULL: no driver */
    QueueHandle_t events;      /* NULL: nobody wants them */
    SemaphoreHandle_t watcher_gone;
    size_t announced; /* bytes that wait and that an event has told of; under the kernel's lock */
};

/* NULL, logged: no such UART; for _driver also: no driver on it. */
struct uart_port *uart_impl_port(uart_port_t n);
struct uart_port *uart_impl_driver(uart_port_t n);

/* At the start of a firmware: stdin and stdout on a wire (uart_vfs.c). */
void uart_console_begin(void);

#endif
