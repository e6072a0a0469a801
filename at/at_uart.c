/* A UART as an AT port. */
#include "at/at_port.h"
#include "driver/uart.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp_log.h"

enum { RX_BUFFER = 4096, BAUD = 115200 };

static const char TAG[] = "at-uart";

struct uart_port {
    struct at_port port;
    uart_port_t number;
};

static size_t uart_read(struct at_port *p, void *buf, size_t len)
{
    uart_port_t n = ((struct uart_port *)p)->number;
    size_t more = 0;
    int got = uart_read_bytes(n, buf, 1, portMAX_DELAY);
    if (got <= 0) return 0;
    uart_get_buffered_data_len(n, &more);
    if (more > len - 1) more = len - 1;
    if (more) got += uart_read_bytes(n, (char *)buf + 1, (uint32_t)more, 0);
    return (size_t)got;
}

static void uart_write(struct at_port *p, const void *data, size_t len)
{
    uart_write_bytes(((struct uart_port *)p)->number, data, len);
}

static void uart_drain(struct at_port *p)
{
    uart_wait_tx_done(((struct uart_port *)p)->number, portMAX_DELAY);
}

struct at_port *at_uart_open(int number)
{
    static struct uart_port port = {
        .port = {.read = uart_read, .write = uart_write, .drain = uart_drain}};
    const uart_config_t config = {.baud_rate = (int)airlift_config_int("AT_UART_BAUD_RATE", BAUD),
                                  .data_bits = UART_DATA_8_BITS,
                                  .parity = UART_PARITY_DISABLE,
                                  .stop_bits = UART_STOP_BITS_1};
    port.number = (uart_port_t)number;
    esp_err_t err = uart_driver_install(port.number, RX_BUFFER, 0, 0, NULL, 0);
    if (err == ESP_OK) err = uart_param_config(port.number, &config);
    if (err == ESP_OK) return &port.port;
    ESP_LOGE(TAG, "UART %d cannot be opened: %s; see CONFIG_AT_UART_PORT", number,
             esp_err_to_name(err));
    return NULL;
}
