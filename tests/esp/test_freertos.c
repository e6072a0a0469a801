/* FreeRTOS on threads: tasks, queues, semaphores, event groups, notifications, timers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "esp/esp-idf/kernel.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "freertos/timers.h"
#include "tests/support/eventually.h"
#include "tests/support/test_board.h"

static volatile int counter;
static QueueHandle_t queue;
static SemaphoreHandle_t semaphore;
static EventGroupHandle_t group;

static int setup(void **state)
{
    test_board_new();
    counter = 0;
    return 0;
}

/* --- tasks --- */

static void add_argument_and_end(void *arg)
{
    counter += (int)(intptr_t)arg;
    vTaskDelete(NULL);
    counter += 1000; /* never */
}

static void a_task_runs_and_delete_of_itself_does_not_return(void **state)
{
    TaskHandle_t task;
    assert_int_equal(xTaskCreate(add_argument_and_end, "adder", 2048, (void *)7, 5, &task), pdPASS);
    eventually(eTaskGetState(task) == eDeleted);
    assert_int_equal(counter, 7);
}

static void count_for_ever(void *arg)
{
    for (;;) {
        counter++;
        vTaskDelay(1);
    }
}

static void a_deleted_task_stops(void **state)
{
    TaskHandle_t task;
    xTaskCreate(count_for_ever, "counter", 2048, NULL, 5, &task);
    eventually(counter > 1);
    vTaskDelete(task);
    eventually(kernel_task_ended(task));
    int then = counter;
    vTaskDelay(4);
    assert_int_equal(counter, then);
}

/* The task is in its delay, or counts once more before it gets there. */
static void a_suspended_task_waits_for_resume(void **state)
{
    TaskHandle_t task;
    xTaskCreate(count_for_ever, "counter", 2048, NULL, 5, &task);
    eventually(counter > 1);
    vTaskSuspend(task);
    int then = counter;
    assert_int_equal(eTaskGetState(task), eSuspended);
    vTaskDelay(8);
    assert_in_range(counter, then, then + 1);
    vTaskResume(task);
    eventually(counter > then + 1);
    vTaskDelete(task);
    eventually(kernel_task_ended(task));
}

static void a_delay_lasts_its_ticks(void **state)
{
    assert_int_equal(portTICK_PERIOD_MS, 10);
    uint64_t begin = board_uptime_us();
    vTaskDelay(50 / portTICK_PERIOD_MS);
    assert_in_range(board_uptime_us() - begin, 50000, 2000000);
    TickType_t wake = xTaskGetTickCount(), first = wake;
    vTaskDelay(1);
    vTaskDelayUntil(&wake, 4);
    assert_int_equal(wake, first + 4);
    assert_in_range(xTaskGetTickCount() - first, 4, 200);
}

static void hold_and_count(void *arg)
{
    kernel_hold();
    for (int i = 0; i < 5; i++) {
        counter++;
        vTaskDelay(1);
    }
    kernel_release();
    for (;;) {
        vTaskDelay(1);
        counter++;
    }
}

static void a_task_that_holds_a_lock_is_deleted_after_it(void **state)
{
    TaskHandle_t task;
    xTaskCreate(hold_and_count, "holder", 2048, NULL, 5, &task);
    eventually(counter > 0);
    vTaskDelete(task);
    eventually(kernel_task_ended(task));
    assert_int_equal(counter, 5);
    assert_int_equal(uxTaskGetStackHighWaterMark(task), 0);
}

static void sleep_long(void *arg)
{
    vTaskDelay(pdMS_TO_TICKS(60000));
    counter = 1;
    vTaskDelete(NULL);
}

static void abort_delay_wakes_a_task_early(void **state)
{
    TaskHandle_t task;
    xTaskCreate(sleep_long, "sleeper", 2048, NULL, 5, &task);
    eventually(eTaskGetState(task) == eBlocked);
    assert_int_equal(xTaskAbortDelay(task), pdPASS);
    eventually(counter == 1);
}

static void use_much_stack(void *arg)
{
    volatile char big[200 * 1024];
    memset((char *)(uintptr_t)big, 1, sizeof big);
    counter = big[sizeof big - 1];
    vTaskDelete(NULL);
}

static void a_small_stack_has_room_for_the_hosts_libraries(void **state)
{
    xTaskCreate(use_much_stack, "deep", 1024, NULL, 5, NULL);
    eventually(counter == 1);
}

static void a_task_knows_its_name_and_is_found_by_it(void **state)
{
    TaskHandle_t task;
    xTaskCreate(count_for_ever, "a name of more than 15", 2048, NULL, 5, &task);
    vTaskDelay(1);
    assert_string_equal(pcTaskGetName(task), "a name of more ");
    assert_ptr_equal(xTaskGetHandle("a name of more "), task);
    assert_int_equal(uxTaskPriorityGet(task), 5);
    vTaskDelete(task);
    eventually(kernel_task_ended(task));
}

static void return_from_task(void *arg)
{
}

static void start_returning_task(void *arg)
{
    xTaskCreate(return_from_task, "returns", 2048, NULL, 5, NULL);
    vTaskDelay(100);
}

static void a_task_that_returns_is_a_panic(void **state)
{
    char *text;
    assert_int_equal(test_board_fork(start_returning_task, NULL, &text), RESET_PANIC);
    assert_non_null(strstr(text, "FreeRTOS Task \"returns\" should not return"));
    free(text);
}

/* --- queues and semaphores --- */

static void send_three(void *arg)
{
    for (int i = 1; i <= 3; i++) xQueueSend(queue, &i, portMAX_DELAY);
    vTaskDelete(NULL);
}

static void a_full_queue_blocks_the_sender_and_keeps_the_order(void **state)
{
    int item;
    queue = xQueueCreate(1, sizeof item);
    xTaskCreate(send_three, "sender", 2048, NULL, 5, NULL);
    eventually(uxQueueMessagesWaiting(queue) == 1);
    assert_int_equal(uxQueueSpacesAvailable(queue), 0);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(xQueueReceive(queue, &item, 100), pdPASS);
        assert_int_equal(item, i);
    }
    uint64_t begin = board_uptime_us();
    assert_int_equal(xQueueReceive(queue, &item, 3), pdFAIL);
    assert_in_range(board_uptime_us() - begin, 30000, 2000000);
    vQueueDelete(queue);
}

static void queue_ends_peek_and_overwrite(void **state)
{
    int item = 1;
    queue = xQueueCreate(3, sizeof item);
    xQueueSendToBack(queue, &item, 0);
    item = 2;
    xQueueSendToFront(queue, &item, 0);
    assert_int_equal(xQueuePeek(queue, &item, 0), pdPASS);
    assert_int_equal(item, 2);
    xQueueReset(queue);
    assert_int_equal(xQueuePeek(queue, &item, 0), pdFAIL);
    vQueueDelete(queue);

    queue = xQueueCreate(1, sizeof item);
    for (item = 5; item < 8; item++) xQueueOverwrite(queue, &item);
    assert_int_equal(xQueueReceive(queue, &item, 0), pdPASS);
    assert_int_equal(item, 7);
    vQueueDelete(queue);
    assert_null(xQueueCreate(0, 4));
}

static void give_foreign_mutex(void *arg)
{
    counter = xSemaphoreGive(semaphore) == pdTRUE ? 1 : 2;
    vTaskDelete(NULL);
}

static void only_the_holder_gives_a_mutex(void **state)
{
    semaphore = xSemaphoreCreateMutex();
    assert_int_equal(xSemaphoreTake(semaphore, 0), pdTRUE);
    assert_int_equal(xSemaphoreTake(semaphore, 0), pdFALSE);
    assert_ptr_equal(xSemaphoreGetMutexHolder(semaphore), xTaskGetCurrentTaskHandle());
    xTaskCreate(give_foreign_mutex, "thief", 2048, NULL, 5, NULL);
    eventually(counter != 0);
    assert_int_equal(counter, 2);
    assert_int_equal(xSemaphoreGive(semaphore), pdTRUE);
    vSemaphoreDelete(semaphore);
}

static void semaphores_count_and_recursive_mutexes_nest(void **state)
{
    semaphore = xSemaphoreCreateCounting(2, 1);
    assert_int_equal(xSemaphoreGive(semaphore), pdTRUE);
    assert_int_equal(xSemaphoreGive(semaphore), pdFALSE);
    assert_int_equal(uxSemaphoreGetCount(semaphore), 2);
    vSemaphoreDelete(semaphore);

    semaphore = xSemaphoreCreateRecursiveMutex();
    assert_int_equal(xSemaphoreTakeRecursive(semaphore, 0), pdTRUE);
    assert_int_equal(xSemaphoreTakeRecursive(semaphore, 0), pdTRUE);
    assert_int_equal(xSemaphoreGiveRecursive(semaphore), pdTRUE);
    assert_ptr_equal(xSemaphoreGetMutexHolder(semaphore), xTaskGetCurrentTaskHandle());
    assert_int_equal(xSemaphoreGiveRecursive(semaphore), pdTRUE);
    assert_int_equal(xSemaphoreGiveRecursive(semaphore), pdFALSE);
    vSemaphoreDelete(semaphore);
}

/* --- event groups and notifications --- */

static void wait_for_bit_zero(void *arg)
{
    if (xEventGroupWaitBits(group, 1, pdTRUE, pdTRUE, 1000) & 1)
        __atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
    vTaskDelete(NULL);
}

static void one_set_releases_all_waiters_and_clears_once(void **state)
{
    TaskHandle_t waiter[3];
    group = xEventGroupCreate();
    for (int i = 0; i < 3; i++) xTaskCreate(wait_for_bit_zero, "waiter", 2048, NULL, 5, &waiter[i]);
    for (int i = 0; i < 3; i++) eventually(eTaskGetState(waiter[i]) == eBlocked);
    assert_int_equal(xEventGroupSetBits(group, 5), 4);
    eventually(counter == 3);
    assert_int_equal(xEventGroupWaitBits(group, 6, pdFALSE, pdTRUE, 2), 4);
    assert_int_equal(xEventGroupWaitBits(group, 6, pdFALSE, pdFALSE, 2), 4);
    vEventGroupDelete(group);
}

static void a_deleted_waiter_leaves_the_event_group(void **state)
{
    TaskHandle_t task;
    group = xEventGroupCreate();
    xTaskCreate(wait_for_bit_zero, "waiter", 2048, NULL, 5, &task);
    eventually(eTaskGetState(task) == eBlocked);
    vTaskDelete(task);
    eventually(kernel_task_ended(task));
    assert_int_equal(xEventGroupSetBits(group, 1), 1); /* nobody was there to clear it */
    assert_int_equal(counter, 0);
    vEventGroupDelete(group);
}

static void notify_back(void *arg)
{
    uint32_t value;
    if (xTaskNotifyWait(0, UINT32_MAX, &value, 1000)) counter = (int)value;
    while (ulTaskNotifyTake(pdFALSE, 500)) counter += 100;
    vTaskDelete(NULL);
}

static void notifications_carry_values_and_counts(void **state)
{
    TaskHandle_t task;
    xTaskCreate(notify_back, "notified", 2048, NULL, 5, &task);
    assert_int_equal(xTaskNotify(task, 42, eSetValueWithOverwrite), pdPASS);
    eventually(counter == 42);
    xTaskNotifyGive(task);
    xTaskNotifyGive(task);
    eventually(counter == 242);
    vTaskDelete(task);
    assert_int_equal(xTaskNotify(xTaskGetCurrentTaskHandle(), 1, eSetValueWithOverwrite), pdPASS);
    assert_int_equal(xTaskNotify(xTaskGetCurrentTaskHandle(), 2, eSetValueWithoutOverwrite),
                     pdFAIL);
    assert_int_equal(ulTaskNotifyTake(pdTRUE, 0), 1);
}

/* --- timers --- */

static void on_timer(TimerHandle_t timer)
{
    counter++;
    assert_ptr_equal(pvTimerGetTimerID(timer), &counter);
}

static void timers_fire_once_or_again_and_stop(void **state)
{
    TimerHandle_t once = xTimerCreate("once", 2, pdFALSE, (void *)(uintptr_t)&counter, on_timer);
    xTimerStart(once, 0);
    assert_true(xTimerIsTimerActive(once));
    eventually(counter == 1);
    vTaskDelay(5);
    assert_int_equal(counter, 1);
    assert_false(xTimerIsTimerActive(once));
    xTimerDelete(once, 0);

    TimerHandle_t again = xTimerCreate("again", 2, pdTRUE, (void *)(uintptr_t)&counter, on_timer);
    uint64_t begin = board_uptime_us();
    counter = 0;
    xTimerStart(again, 0);
    eventually(counter > 3);
    xTimerStop(again, 0);
    vTaskDelay(1);
    int then = counter, periods = (int)((board_uptime_us() - begin) / 20000);
    assert_true(then <= periods + 1);
    vTaskDelay(5);
    assert_int_equal(counter, then);
    xTimerDelete(again, 0);
    assert_null(xTimerCreate("no period", 0, pdTRUE, NULL, on_timer));
}

static void add_in_critical_section(void *arg)
{
    static portMUX_TYPE mux = portMUX_INITIALIZER_UNLOCKED;
    for (int i = 0; i < 20000; i++) {
        portENTER_CRITICAL(&mux);
        int now = counter;
        counter = now + 1;
        portEXIT_CRITICAL(&mux);
    }
    xSemaphoreGive(semaphore);
    vTaskDelete(NULL);
}

static void end_inside_critical_section(void *arg)
{
    taskENTER_CRITICAL((portMUX_TYPE *)arg);
    vTaskDelete(NULL);
}

static void a_task_that_ends_in_a_critical_section_leaves_it(void **state)
{
    static portMUX_TYPE mux = portMUX_INITIALIZER_UNLOCKED;
    TaskHandle_t task;
    xTaskCreate(end_inside_critical_section, "leaver", 2048, &mux, 5, &task);
    eventually(kernel_task_ended(task));
    semaphore = xSemaphoreCreateCounting(1, 0);
    xTaskCreate(add_in_critical_section, "adder", 2048, NULL, 5, NULL);
    assert_true(xSemaphoreTake(semaphore, 300));
    vSemaphoreDelete(semaphore);
}

static void critical_sections_exclude_each_other(void **state)
{
    semaphore = xSemaphoreCreateCounting(3, 0);
    for (int i = 0; i < 3; i++) xTaskCreate(add_in_critical_section, "adder", 2048, NULL, 5, NULL);
    for (int i = 0; i < 3; i++) assert_true(xSemaphoreTake(semaphore, 1000));
    assert_int_equal(counter, 60000);
    vSemaphoreDelete(semaphore);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_task_runs_and_delete_of_itself_does_not_return, setup),
        cmocka_unit_test_setup(a_deleted_task_stops, setup),
        cmocka_unit_test_setup(a_suspended_task_waits_for_resume, setup),
        cmocka_unit_test_setup(a_task_that_holds_a_lock_is_deleted_after_it, setup),
        cmocka_unit_test_setup(a_delay_lasts_its_ticks, setup),
        cmocka_unit_test_setup(abort_delay_wakes_a_task_early, setup),
        cmocka_unit_test_setup(a_small_stack_has_room_for_the_hosts_libraries, setup),
        cmocka_unit_test_setup(a_task_knows_its_name_and_is_found_by_it, setup),
        cmocka_unit_test_setup(a_task_that_returns_is_a_panic, setup),
        cmocka_unit_test_setup(a_full_queue_blocks_the_sender_and_keeps_the_order, setup),
        cmocka_unit_test_setup(queue_ends_peek_and_overwrite, setup),
        cmocka_unit_test_setup(only_the_holder_gives_a_mutex, setup),
        cmocka_unit_test_setup(semaphores_count_and_recursive_mutexes_nest, setup),
        cmocka_unit_test_setup(one_set_releases_all_waiters_and_clears_once, setup),
        cmocka_unit_test_setup(a_deleted_waiter_leaves_the_event_group, setup),
        cmocka_unit_test_setup(notifications_carry_values_and_counts, setup),
        cmocka_unit_test_setup(timers_fire_once_or_again_and_stop, setup),
        cmocka_unit_test_setup(a_task_that_ends_in_a_critical_section_leaves_it, setup),
        cmocka_unit_test_setup(critical_sections_exclude_each_other, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
