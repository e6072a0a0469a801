/* UART driver. A UART that `airlift device run --uartN` connects leads to a pty or a TCP port; one
 * that is not connected takes what is written and gives nothing. UART 0 is stdin and stdout, too.
 */
#pragma once

#include "esp_err.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "hal/uart_types.h"
#include "soc/soc_caps.h"

#ifdef __cplusplus
extern "C" {
#endif

#define UART_PIN_NO_CHANGE         (-1)
#define UART_HW_FIFO_LEN(uart_num) SOC_UART_FIFO_LEN
#define UART_FIFO_LEN              SOC_UART_FIFO_LEN
#define UART_BITRATE_MAX           SOC_UART_BITRATE_MAX

typedef enum {
    UART_DATA,
    UART_BREAK,
    UART_BUFFER_FULL,
    UART_FIFO_OVF,
    UART_FRAME_ERR,
    UART_PARITY_ERR,
    UART_DATA_BREAK,
    UART_PATTERN_DET,
    UART_EVENT_MAX
} uart_event_type_t;

typedef struct {
    uart_event_type_t type;
    size_t size;
    bool timeout_flag;
} uart_event_t;

/* Sizes in bytes. rx: more than UART_HW_FIFO_LEN; tx: 0 or more than that. Of the events only
 * UART_DATA comes: nothing is lost on the way, so no buffer overflows. */
esp_err_t uart_driver_install(uart_port_t uart_num, int rx_buffer_size, int tx_buffer_size,
                              int queue_size, QueueHandle_t *uart_queue, int intr_alloc_flags);
esp_err_t uart_driver_delete(uart_port_t uart_num);
bool uart_is_driver_installed(uart_port_t uart_num);

/* What the line is set to is kept and told. With --timing real it bounds the throughput. */
esp_err_t uart_param_config(uart_port_t uart_num, const uart_config_t *uart_config);
esp_err_t uart_set_baudrate(uart_port_t uart_num, uint32_t baudrate);
esp_err_t uart_get_baudrate(uart_port_t uart_num, uint32_t *baudrate);
esp_err_t uart_set_word_length(uart_port_t uart_num, uart_word_length_t data_bit);
esp_err_t uart_get_word_length(uart_port_t uart_num, uart_word_length_t *data_bit);
esp_err_t uart_set_stop_bits(uart_port_t uart_num, uart_stop_bits_t stop_bits);
esp_err_t uart_get_stop_bits(uart_port_t uart_num, uart_stop_bits_t *stop_bits);
esp_err_t uart_set_parity(uart_port_t uart_num, uart_parity_t parity_mode);
esp_err_t uart_get_parity(uart_port_t uart_num, uart_parity_t *parity_mode);
esp_err_t uart_set_hw_flow_ctrl(uart_port_t uart_num, uart_hw_flowcontrol_t flow_ctrl,
                                uint8_t rx_thresh);
esp_err_t uart_get_hw_flow_ctrl(uart_port_t uart_num, uart_hw_flowcontrol_t *flow_ctrl);
esp_err_t uart_set_mode(uart_port_t uart_num, uart_mode_t mode); /* UART_MODE_UART only */

/* Any pin will do; the numbers are checked. */
esp_err_t uart_set_pin(uart_port_t uart_num, int tx_io_num, int rx_io_num, int rts_io_num,
                       int cts_io_num);

/* Bytes written, or -1. Waits until the line has taken them. */
int uart_write_bytes(uart_port_t uart_num, const void *src, size_t size);
int uart_tx_chars(uart_port_t uart_num, const char *buffer, uint32_t len);
/* Bytes read: length, or what came within ticks_to_wait; -1: an error. */
int uart_read_bytes(uart_port_t uart_num, void *buf, uint32_t length, TickType_t ticks_to_wait);
esp_err_t uart_get_buffered_data_len(uart_port_t uart_num, size_t *size);
esp_err_t uart_get_tx_buffer_free_size(uart_port_t uart_num, size_t *size);
esp_err_t uart_flush(uart_port_t uart_num); /* as flush_input */
esp_err_t uart_flush_input(uart_port_t uart_num);
/* ESP_ERR_TIMEOUT: not yet. */
esp_err_t uart_wait_tx_done(uart_port_t uart_num, TickType_t ticks_to_wait);

#ifdef __cplusplus
}
#endif
