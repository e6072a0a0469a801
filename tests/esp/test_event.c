/* Event loops: copies, the loop's task, handlers and instances. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "esp_event.h"
#include "tests/support/test_board.h"

ESP_EVENT_DECLARE_BASE(TEST_EVENT);
ESP_EVENT_DEFINE_BASE(TEST_EVENT);
ESP_EVENT_DEFINE_BASE(OTHER_EVENT);

static int calls, sum;
static TaskHandle_t handled_in;

static int setup(void **state)
{
    test_board_new();
    calls = sum = 0;
    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
    return 0;
}

static int teardown(void **state)
{
    assert_int_equal(esp_event_loop_delete_default(), ESP_OK);
    return 0;
}

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    if (!strcmp(base, "BARRIER_EVENT")) return;
    calls++;
    sum += (data ? *(int *)data : 0) + (arg ? *(int *)arg : 0);
    handled_in = xTaskGetCurrentTaskHandle();
}

ESP_EVENT_DEFINE_BASE(BARRIER_EVENT);

static void pass_barrier(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    xTaskNotifyGive(*(TaskHandle_t *)data);
}

/* Returns when everything posted so far has been handled. */
static void settle(void)
{
    TaskHandle_t me = xTaskGetCurrentTaskHandle();
    esp_event_handler_register(BARRIER_EVENT, 0, pass_barrier, NULL);
    esp_event_post(BARRIER_EVENT, 0, &me, sizeof me, portMAX_DELAY);
    assert_int_equal(ulTaskNotifyTake(pdTRUE, 500), 1);
}

static void post(esp_event_base_t base, int32_t id, int value)
{
    assert_int_equal(esp_event_post(base, id, &value, sizeof value, portMAX_DELAY), ESP_OK);
    settle();
}

static void data_is_copied_and_handled_in_the_loops_task(void **state)
{
    int value = 5;
    esp_event_handler_register(TEST_EVENT, 1, on_event, NULL);
    esp_event_post(TEST_EVENT, 1, &value, sizeof value, portMAX_DELAY);
    value = 100;
    settle();
    assert_int_equal(sum, 5);
    assert_string_equal(pcTaskGetName(handled_in), "sys_evt");
}

static void base_and_id_select_and_any_takes_all(void **state)
{
    esp_event_handler_register(TEST_EVENT, 1, on_event, NULL);
    post(TEST_EVENT, 2, 1);
    post(OTHER_EVENT, 1, 1);
    assert_int_equal(calls, 0);
    esp_event_handler_register(TEST_EVENT, ESP_EVENT_ANY_ID, on_event, NULL);
    esp_event_handler_register(ESP_EVENT_ANY_BASE, ESP_EVENT_ANY_ID, on_event, NULL);
    post(TEST_EVENT, 1, 1);
    assert_int_equal(calls, 3);
    assert_int_equal(esp_event_handler_register(ESP_EVENT_ANY_BASE, 1, on_event, NULL),
                     ESP_ERR_INVALID_ARG);
}

static void registering_twice_replaces_the_argument(void **state)
{
    int a = 10, b = 20;
    esp_event_handler_register(TEST_EVENT, 1, on_event, &a);
    esp_event_handler_register(TEST_EVENT, 1, on_event, &b);
    post(TEST_EVENT, 1, 0);
    assert_int_equal(sum, 20);
    esp_event_handler_unregister(TEST_EVENT, 1, on_event);
    post(TEST_EVENT, 1, 0);
    assert_int_equal(sum, 20);
}

static void instances_of_one_function_are_separate(void **state)
{
    int a = 10, b = 20;
    esp_event_handler_instance_t first, second;
    esp_event_handler_instance_register(TEST_EVENT, 1, on_event, &a, &first);
    esp_event_handler_instance_register(TEST_EVENT, 1, on_event, &b, &second);
    post(TEST_EVENT, 1, 0);
    assert_int_equal(sum, 30);
    assert_int_equal(esp_event_handler_instance_unregister(TEST_EVENT, 1, first), ESP_OK);
    post(TEST_EVENT, 1, 0);
    assert_int_equal(sum, 50);
    assert_int_equal(esp_event_handler_instance_unregister(TEST_EVENT, 1, first),
                     ESP_ERR_NOT_FOUND);
}

static void remove_myself(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    calls++;
    esp_event_handler_unregister(base, id, remove_myself);
}

static void a_handler_may_remove_itself(void **state)
{
    esp_event_handler_register(TEST_EVENT, 1, remove_myself, NULL);
    esp_event_handler_register(TEST_EVENT, 1, on_event, NULL);
    post(TEST_EVENT, 1, 0);
    post(TEST_EVENT, 1, 0);
    assert_int_equal(calls, 3);
}

static void without_a_default_loop_posting_is_an_invalid_state(void **state)
{
    assert_int_equal(esp_event_loop_create_default(), ESP_ERR_INVALID_STATE);
    teardown(state);
    assert_int_equal(esp_event_post(TEST_EVENT, 1, NULL, 0, 0), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_handler_register(TEST_EVENT, 1, on_event, NULL),
                     ESP_ERR_INVALID_STATE);
    setup(state);
}

static void a_loop_without_task_is_run_by_its_owner(void **state)
{
    esp_event_loop_handle_t loop;
    esp_event_loop_args_t args = {.queue_size = 2};
    int value = 3;
    assert_int_equal(esp_event_loop_create(&args, &loop), ESP_OK);
    esp_event_handler_register_with(loop, TEST_EVENT, 1, on_event, NULL);
    for (int i = 0; i < 2; i++)
        assert_int_equal(esp_event_post_to(loop, TEST_EVENT, 1, &value, sizeof value, 0), ESP_OK);
    assert_int_equal(esp_event_post_to(loop, TEST_EVENT, 1, &value, sizeof value, 0),
                     ESP_ERR_TIMEOUT);
    assert_int_equal(calls, 0);
    assert_int_equal(esp_event_loop_run(loop, 2), ESP_OK);
    assert_int_equal(sum, 6);
    assert_ptr_equal(handled_in, xTaskGetCurrentTaskHandle());
    assert_int_equal(esp_event_loop_delete(loop), ESP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(data_is_copied_and_handled_in_the_loops_task, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(base_and_id_select_and_any_takes_all, setup, teardown),
        cmocka_unit_test_setup_teardown(registering_twice_replaces_the_argument, setup, teardown),
        cmocka_unit_test_setup_teardown(instances_of_one_function_are_separate, setup, teardown),
        cmocka_unit_test_setup_teardown(a_handler_may_remove_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_default_loop_posting_is_an_invalid_state, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_loop_without_task_is_run_by_its_owner, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
