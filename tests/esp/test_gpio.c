/* Pins: pulls, the outside, outputs, interrupts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "driver/gpio.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "tests/support/eventually.h"
#include "tests/support/test_board.h"

#define PIN 4

static volatile int interrupts, in_isr;

static int setup(void **state)
{
    test_board_new();
    interrupts = in_isr = 0;
    gpio_reset_pin(PIN);
    return 0;
}

static void configure(gpio_mode_t mode, bool up, bool down, gpio_int_type_t type)
{
    gpio_config_t io = {.pin_bit_mask = 1ULL << PIN,
                        .mode = mode,
                        .pull_up_en = up,
                        .pull_down_en = down,
                        .intr_type = type};
    assert_int_equal(gpio_config(&io), ESP_OK);
}

static void the_pull_decides_when_nobody_drives(void **state)
{
    configure(GPIO_MODE_INPUT, true, false, GPIO_INTR_DISABLE);
    assert_int_equal(gpio_get_level(PIN), 1);
    control_gpio_drive(board()->control, PIN, 0);
    assert_int_equal(gpio_get_level(PIN), 0);
    control_gpio_drive(board()->control, PIN, 2);
    configure(GPIO_MODE_INPUT, false, true, GPIO_INTR_DISABLE);
    assert_int_equal(gpio_get_level(PIN), 0);
    gpio_set_pull_mode(PIN, GPIO_PULLUP_ONLY);
    assert_int_equal(gpio_get_level(PIN), 1);
}

static void an_output_drives_and_is_read_only_as_an_input(void **state)
{
    configure(GPIO_MODE_OUTPUT, false, false, GPIO_INTR_DISABLE);
    assert_int_equal(gpio_set_level(PIN, 1), ESP_OK);
    assert_int_equal(board()->control->gpio_output[PIN], 1);
    assert_int_equal(gpio_get_level(PIN), 0);
    gpio_set_direction(PIN, GPIO_MODE_INPUT_OUTPUT);
    assert_int_equal(gpio_get_level(PIN), 1);
    gpio_reset_pin(PIN);
    assert_int_equal(board()->control->gpio_output[PIN], 2);
}

static void an_open_drain_output_only_pulls_low(void **state)
{
    configure(GPIO_MODE_INPUT_OUTPUT_OD, true, false, GPIO_INTR_DISABLE);
    gpio_set_level(PIN, 1);
    assert_int_equal(board()->control->gpio_output[PIN], 2);
    assert_int_equal(gpio_get_level(PIN), 1);
    gpio_set_level(PIN, 0);
    assert_int_equal(gpio_get_level(PIN), 0);
}

static void on_interrupt(void *arg)
{
    interrupts += *(int *)arg;
    in_isr = xPortInIsrContext();
}

static void edges_interrupt_in_interrupt_context(void **state)
{
    int one = 1;
    configure(GPIO_MODE_INPUT, true, false, GPIO_INTR_NEGEDGE);
    assert_int_equal(gpio_isr_handler_add(PIN, on_interrupt, &one), ESP_ERR_INVALID_STATE);
    assert_int_equal(gpio_install_isr_service(0), ESP_OK);
    assert_int_equal(gpio_install_isr_service(0), ESP_ERR_INVALID_STATE);
    assert_int_equal(gpio_isr_handler_add(PIN, on_interrupt, &one), ESP_OK);
    control_gpio_drive(board()->control, PIN, 0);
    eventually(interrupts == 1);
    assert_true(in_isr);
    assert_false(xPortInIsrContext());
    control_gpio_drive(board()->control, PIN, 1);
    vTaskDelay(3);
    assert_int_equal(interrupts, 1);
    assert_int_equal(gpio_intr_disable(PIN), ESP_OK);
    control_gpio_drive(board()->control, PIN, 0);
    vTaskDelay(3);
    assert_int_equal(interrupts, 1);
    gpio_uninstall_isr_service();
}

static void pins_that_are_not_there_are_refused(void **state)
{
    assert_int_equal(gpio_set_level(64, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(gpio_reset_pin(GPIO_NUM_NC), ESP_ERR_INVALID_ARG);
    assert_int_equal(gpio_config(&(gpio_config_t){.pin_bit_mask = 0}), ESP_ERR_INVALID_ARG);
    assert_int_equal(gpio_get_level(64), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_pull_decides_when_nobody_drives, setup),
        cmocka_unit_test_setup(an_output_drives_and_is_read_only_as_an_input, setup),
        cmocka_unit_test_setup(an_open_drain_output_only_pulls_low, setup),
        cmocka_unit_test_setup(edges_interrupt_in_interrupt_context, setup),
        cmocka_unit_test_setup(pins_that_are_not_there_are_refused, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
