/* The UART driver, over pipes as a chip hands them over; and the console on a wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver/uart.h"
#include "driver/uart_vfs.h"
#include "esp/esp-idf/uart_impl.h"
#include "esp_timer.h"
#include "freertos/task.h"
#include "tests/support/test_board.h"

static int to_chip[2], from_chip[2]; /* of UART 1 */

static void wire_up(void)
{
    char text[64];
    assert_int_equal(pipe(to_chip), 0);
    assert_int_equal(pipe(from_chip), 0);
    snprintf(text, sizeof text, "1=%d:%d,", to_chip[0], from_chip[1]);
    setenv("AIRLIFT_UARTS", text, 1);
}

static int setup(void **state)
{
    if (!to_chip[1]) wire_up();
    test_board_new();
    return uart_driver_install(UART_NUM_1, 1024, 0, 0, NULL, 0);
}

static int teardown(void **state)
{
    uart_flush_input(UART_NUM_1);
    return uart_driver_delete(UART_NUM_1);
}

static void send(const char *text)
{
    assert_int_equal(write(to_chip[1], text, strlen(text)), strlen(text));
}

/* What the firmware has sent, all of it. */
static const char *sent(void)
{
    static char text[256];
    struct pollfd p = {.fd = from_chip[0], .events = POLLIN};
    ssize_t n = poll(&p, 1, 0) > 0 ? read(from_chip[0], text, sizeof text - 1) : 0;
    text[n] = 0;
    return text;
}

static void bytes_go_out_as_they_are(void **state)
{
    assert_int_equal(uart_write_bytes(UART_NUM_1, "a\r\n\0b\n", 6), 6);
    assert_memory_equal(sent(), "a\r\n\0b\n", 7);
    assert_int_equal(uart_tx_chars(UART_NUM_1, "xyz", 3), 3);
    assert_int_equal(uart_wait_tx_done(UART_NUM_1, 1), ESP_ERR_TIMEOUT); /* nobody has read them */
    assert_string_equal(sent(), "xyz");
    assert_int_equal(uart_wait_tx_done(UART_NUM_1, 1), ESP_OK);
}

static void reading_gives_all_at_once_or_what_came_in_time(void **state)
{
    char buf[64];
    send("hello");
    size_t waiting = 0;
    assert_int_equal(uart_get_buffered_data_len(UART_NUM_1, &waiting), ESP_OK);
    assert_int_equal(waiting, 5);
    assert_int_equal(uart_read_bytes(UART_NUM_1, buf, 2, portMAX_DELAY), 2);
    assert_memory_equal(buf, "he", 2);
    int64_t began = esp_timer_get_time();
    assert_int_equal(uart_read_bytes(UART_NUM_1, buf, sizeof buf, pdMS_TO_TICKS(100)), 3);
    assert_in_range(esp_timer_get_time() - began, 90000, 2000000);
    assert_memory_equal(buf, "llo", 3);
    assert_int_equal(uart_read_bytes(UART_NUM_1, buf, sizeof buf, 0), 0);
}

static void late_writer(void *arg)
{
    vTaskDelay(pdMS_TO_TICKS(50));
    send("late");
    vTaskDelete(NULL);
}

static void reading_waits_for_bytes(void **state)
{
    char buf[4];
    xTaskCreate(late_writer, "writer", 4096, NULL, 5, NULL);
    assert_int_equal(uart_read_bytes(UART_NUM_1, buf, 4, portMAX_DELAY), 4);
    assert_memory_equal(buf, "late", 4);
}

static void flush_drops_what_waits(void **state)
{
    char c;
    send("old");
    assert_int_equal(uart_flush(UART_NUM_1), ESP_OK);
    send("n");
    assert_int_equal(uart_read_bytes(UART_NUM_1, &c, 1, 0), 1);
    assert_int_equal(c, 'n');
}

static void events_tell_of_every_byte_once(void **state)
{
    QueueHandle_t queue;
    uart_event_t e;
    char buf[16];
    assert_int_equal(uart_driver_delete(UART_NUM_1), ESP_OK);
    assert_int_equal(uart_driver_install(UART_NUM_1, 1024, 0, 4, &queue, 0), ESP_OK);
    send("one");
    assert_int_equal(xQueueReceive(queue, &e, pdMS_TO_TICKS(2000)), pdTRUE);
    assert_int_equal(e.type, UART_DATA);
    assert_int_equal(e.size, 3);
    send("three"); /* the first are still there */
    assert_int_equal(xQueueReceive(queue, &e, pdMS_TO_TICKS(2000)), pdTRUE);
    assert_int_equal(e.size, 5);
    assert_int_equal(uart_read_bytes(UART_NUM_1, buf, 8, 0), 8);
    assert_memory_equal(buf, "onethree", 8);
    assert_int_equal(xQueueReceive(queue, &e, pdMS_TO_TICKS(150)), pdFALSE);
    send("2");
    assert_int_equal(xQueueReceive(queue, &e, pdMS_TO_TICKS(2000)), pdTRUE);
    assert_int_equal(e.size, 1);
}

static void the_line_keeps_its_settings(void **state)
{
    const uart_config_t good = {.baud_rate = 9600,
                                .data_bits = UART_DATA_7_BITS,
                                .parity = UART_PARITY_EVEN,
                                .stop_bits = UART_STOP_BITS_2,
                                .flow_ctrl = UART_HW_FLOWCTRL_CTS_RTS};
    uart_config_t bad = good;
    uint32_t baud;
    uart_word_length_t bits;
    uart_parity_t parity;
    uart_stop_bits_t stop;
    uart_hw_flowcontrol_t flow;
    assert_int_equal(uart_param_config(UART_NUM_1, &good), ESP_OK);
    assert_int_equal(uart_get_baudrate(UART_NUM_1, &baud), ESP_OK);
    assert_int_equal(uart_get_word_length(UART_NUM_1, &bits), ESP_OK);
    assert_int_equal(uart_get_parity(UART_NUM_1, &parity), ESP_OK);
    assert_int_equal(uart_get_stop_bits(UART_NUM_1, &stop), ESP_OK);
    assert_int_equal(uart_get_hw_flow_ctrl(UART_NUM_1, &flow), ESP_OK);
    assert_true(baud == 9600 && bits == UART_DATA_7_BITS && parity == UART_PARITY_EVEN);
    assert_true(stop == UART_STOP_BITS_2 && flow == UART_HW_FLOWCTRL_CTS_RTS);
    bad.baud_rate = UART_BITRATE_MAX + 1;
    assert_int_equal(uart_param_config(UART_NUM_1, &bad), ESP_FAIL);
    assert_int_equal(uart_set_baudrate(UART_NUM_1, 0), ESP_FAIL);
    assert_int_equal(uart_set_baudrate(UART_NUM_1, 115200), ESP_OK);
    assert_int_equal(uart_set_pin(UART_NUM_1, 4, 5, UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE), 0);
    assert_int_equal(uart_set_pin(UART_NUM_1, 64, 5, -1, -1), ESP_FAIL);
}

static void wrong_calls_are_refused(void **state)
{
    char c;
    assert_true(uart_is_driver_installed(UART_NUM_1));
    assert_int_equal(uart_driver_install(UART_NUM_1, 1024, 0, 0, NULL, 0), ESP_FAIL);
    assert_int_equal(uart_driver_install(UART_NUM_0, UART_HW_FIFO_LEN(0), 0, 0, NULL, 0), ESP_FAIL);
    assert_int_equal(uart_driver_install(UART_NUM_0, 256, 100, 0, NULL, 0), ESP_FAIL);
    assert_int_equal(uart_driver_install(2, 256, 0, 0, NULL, 0), ESP_FAIL); /* ESP32-C3 has two */
    assert_int_equal(uart_driver_install(-1, 256, 0, 0, NULL, 0), ESP_FAIL);
    assert_false(uart_is_driver_installed(UART_NUM_0));
    assert_int_equal(uart_read_bytes(UART_NUM_0, &c, 1, 0), -1);
    assert_int_equal(uart_write_bytes(UART_NUM_0, "x", 1), -1);
    assert_int_equal(uart_driver_delete(UART_NUM_0), ESP_OK);
}

static void real_timing_takes_the_time_of_the_baud_rate(void **state)
{
    static const char text[96];
    board()->control->real_timing = 1;
    assert_int_equal(uart_param_config(UART_NUM_1, &(uart_config_t){.baud_rate = 9600,
                                                                    .data_bits = UART_DATA_8_BITS,
                                                                    .stop_bits = UART_STOP_BITS_1}),
                     ESP_OK);
    int64_t began = esp_timer_get_time();
    uart_write_bytes(UART_NUM_1, text, sizeof text);
    assert_in_range(esp_timer_get_time() - began, 100000, 2000000);
    board()->control->real_timing = 0;
    sent();
}

/* In a child: stdin and stdout are its own. */
static void talk_on_a_wire(void *arg)
{
    char line[64] = "";
    int in[2];
    setenv("AIRLIFT_UARTS", "0=0:1,", 1);
    if (pipe(in) || dup2(in[0], STDIN_FILENO) < 0) return;
    (void)!write(in[1], "typed\rcr lf\r\n", 13);
    uart_console_begin();
    printf("one\ntwo\n");
    uart_vfs_dev_port_set_tx_line_endings(0, ESP_LINE_ENDINGS_LF);
    printf("bare\n");
    if (fgets(line, sizeof line, stdin)) printf("[%s]", line);
    fflush(stdout);
    fprintf(stderr, "err");
}

static void the_console_translates_line_ends_on_a_wire(void **state)
{
    char *text;
    test_board_fork(talk_on_a_wire, NULL, &text);
    assert_string_equal(text, "one\r\ntwo\r\nbare\n[typed\n]err");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_go_out_as_they_are, setup, teardown),
        cmocka_unit_test_setup_teardown(reading_gives_all_at_once_or_what_came_in_time, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(reading_waits_for_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(flush_drops_what_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(events_tell_of_every_byte_once, setup, teardown),
        cmocka_unit_test_setup_teardown(the_line_keeps_its_settings, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_calls_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(real_timing_takes_the_time_of_the_baud_rate, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_console_translates_line_ends_on_a_wire, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
