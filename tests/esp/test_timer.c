/* esp_timer: once, periodic, restart, states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "tests/support/eventually.h"
#include "tests/support/test_board.h"

static volatile int fired, first;
static const char *fired_in;

static void on_timer(void *arg)
{
    if (!fired) first = *(int *)arg;
    fired += *(int *)arg;
    fired_in = pcTaskGetName(NULL);
}

static int one = 1;

static int setup(void **state)
{
    test_board_new();
    fired = 0;
    return 0;
}

static esp_timer_handle_t make(void)
{
    esp_timer_handle_t timer;
    esp_timer_create_args_t args = {.callback = on_timer, .arg = &one, .name = "test"};
    assert_int_equal(esp_timer_create(&args, &timer), ESP_OK);
    return timer;
}

static void a_timer_fires_once_in_its_task(void **state)
{
    esp_timer_handle_t timer = make();
    int64_t begin = esp_timer_get_time();
    assert_int_equal(esp_timer_start_once(timer, 30000), ESP_OK);
    eventually(fired);
    assert_in_range(esp_timer_get_time() - begin, 30000, 2000000);
    vTaskDelay(5);
    assert_int_equal(fired, 1);
    assert_string_equal(fired_in, "esp_timer");
    assert_int_equal(esp_timer_delete(timer), ESP_OK);
}

static void a_periodic_timer_fires_until_it_is_stopped(void **state)
{
    esp_timer_handle_t timer = make();
    int64_t begin = esp_timer_get_time();
    assert_int_equal(esp_timer_start_periodic(timer, 10000), ESP_OK);
    assert_int_equal(esp_timer_start_once(timer, 1), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_delete(timer), ESP_ERR_INVALID_STATE);
    eventually(fired > 4);
    assert_int_equal(esp_timer_stop_blocking(timer), ESP_OK);
    int then = fired, periods = (int)((esp_timer_get_time() - begin) / 10000);
    assert_true(then <= periods + 1);
    vTaskDelay(3);
    assert_int_equal(fired, then);
    assert_int_equal(esp_timer_stop(timer), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_delete(timer), ESP_OK);
}

static void restart_moves_the_alarm(void **state)
{
    esp_timer_handle_t timer = make();
    assert_int_equal(esp_timer_restart(timer, 1000), ESP_ERR_INVALID_STATE);
    esp_timer_start_once(timer, 1000000);
    assert_int_equal(esp_timer_restart(timer, 3600000000), ESP_OK);
    vTaskDelay(120);
    assert_int_equal(fired, 0);
    assert_true(esp_timer_is_active(timer));
    assert_int_equal(esp_timer_restart(timer, 1000), ESP_OK);
    eventually(fired == 1);
    esp_timer_delete(timer);
}

static void the_earlier_of_two_timers_fires_first(void **state)
{
    int ten = 10;
    esp_timer_create_args_t args = {.callback = on_timer, .arg = &ten};
    esp_timer_handle_t late = make(), early;
    esp_timer_create(&args, &early);
    for (int order = 0; order < 2; order++) {
        fired = 0;
        esp_timer_start_once(order ? early : late, order ? 10000 : 60000);
        esp_timer_start_once(order ? late : early, order ? 60000 : 10000);
        eventually(fired == 11);
        assert_int_equal(first, 10);
    }
    esp_timer_delete(late);
    esp_timer_delete(early);
}

static void wrong_arguments_are_refused(void **state)
{
    esp_timer_handle_t timer;
    assert_int_equal(esp_timer_create(&(esp_timer_create_args_t){.name = "no callback"}, &timer),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_timer_start_once(NULL, 1), ESP_ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_timer_fires_once_in_its_task, setup),
        cmocka_unit_test_setup(a_periodic_timer_fires_until_it_is_stopped, setup),
        cmocka_unit_test_setup(restart_moves_the_alarm, setup),
        cmocka_unit_test_setup(the_earlier_of_two_timers_fires_first, setup),
        cmocka_unit_test_setup(wrong_arguments_are_refused, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
