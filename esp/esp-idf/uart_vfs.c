/* Console calls: stdin and stdout are UART 0 already. */
#include "driver/uart_vfs.h"

#include <fcntl.h>
#include <unistd.h>

void uart_vfs_dev_use_driver(int uart_num)
{
    int flags = fcntl(STDIN_FILENO, F_GETFL);
    if (uart_num == 0 && flags >= 0) fcntl(STDIN_FILENO, F_SETFL, flags & ~O_NONBLOCK);
}

void uart_vfs_dev_use_nonblocking(int uart_num)
{
    int flags = fcntl(STDIN_FILENO, F_GETFL);
    if (uart_num == 0 && flags >= 0) fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK);
}

/* Lines end as the host's do; the translation has nothing to translate. */
int uart_vfs_dev_port_set_rx_line_endings(int uart_num, esp_line_endings_t mode)
{
    return uart_num == 0 && mode <= ESP_LINE_ENDINGS_LF ? 0 : -1;
}

int uart_vfs_dev_port_set_tx_line_endings(int uart_num, esp_line_endings_t mode)
{
    return uart_num == 0 && mode <= ESP_LINE_ENDINGS_LF ? 0 : -1;
}
