/* Resets: restart, panics, deep sleep, watchdog, and what RTC memory keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <limits.h>
#include <signal.h>

#include "esp/esp-idf/kernel.h"
#include "esp/esp-idf/rtc_memory.h"
#include "esp_attr.h"
#include "esp_check.h"
#include "esp_chip_info.h"
#include "esp_efuse.h"
#include "esp_log.h"
#include "esp_mac.h"
#include "esp_sleep.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "tests/support/test_board.h"

static RTC_NOINIT_ATTR int noinit;
static RTC_DATA_ATTR int data = 5;

static int setup(void **state)
{
    test_board_new();
    noinit = 0;
    data = 5;
    return 0;
}

static void first_handler(void)
{
    printf("first\n");
}

static void second_handler(void)
{
    printf("second\n");
}

static void restart(void *arg)
{
    noinit = 77;
    data = 78;
    esp_register_shutdown_handler(first_handler);
    esp_register_shutdown_handler(second_handler);
    esp_restart();
}

static void restart_runs_shutdown_handlers_last_first(void **state)
{
    char *text;
    assert_int_equal(test_board_fork(restart, NULL, &text), RESET_SW);
    assert_string_equal(text, "second\nfirst\n");
    free(text);
    assert_int_equal(esp_register_shutdown_handler(first_handler), ESP_OK);
    assert_int_equal(esp_register_shutdown_handler(first_handler), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_unregister_shutdown_handler(first_handler), ESP_OK);
    assert_int_equal(esp_unregister_shutdown_handler(first_handler), ESP_ERR_INVALID_STATE);
}

static void noinit_memory_survives_a_restart_and_data_does_not(void **state)
{
    test_board_fork(restart, NULL, NULL);
    board()->control->reset_reason = RESET_SW;
    rtc_memory_restore();
    assert_int_equal(noinit, 77);
    assert_int_equal(data, 5);
    noinit = 0;
    board()->control->reset_reason = RESET_POWERON;
    rtc_memory_restore();
    assert_int_equal(noinit, 0);
}

static void sleep_deeply(void *arg)
{
    data = 99;
    esp_deep_sleep(2500);
}

static void rtc_data_survives_deep_sleep(void **state)
{
    assert_int_equal(test_board_fork(sleep_deeply, NULL, NULL), RESET_DEEPSLEEP);
    assert_int_equal(board()->control->sleep_us, 2500);
    board()->control->reset_reason = RESET_DEEPSLEEP;
    rtc_memory_restore();
    assert_int_equal(data, 99);
    assert_int_equal(esp_sleep_get_wakeup_cause(), ESP_SLEEP_WAKEUP_TIMER);
    assert_int_equal(esp_reset_reason(), ESP_RST_DEEPSLEEP);
}

static esp_err_t refuse(void)
{
    return ESP_ERR_INVALID_ARG;
}

static void fail_a_check(void *arg)
{
    kernel_catch_faults();
    noinit = 123;
    ESP_ERROR_CHECK(refuse());
}

static void a_failed_check_tells_where_and_panics(void **state)
{
    char *text;
    assert_int_equal(test_board_fork(fail_a_check, NULL, &text), RESET_PANIC);
    assert_non_null(
        strstr(text, "ESP_ERROR_CHECK failed: esp_err_t 0x102 (ESP_ERR_INVALID_ARG) at 0x"));
    assert_non_null(strstr(text, "tests/esp/test_system.c\" line "));
    assert_non_null(strstr(text, "func: fail_a_check\nexpression: refuse()\n"));
    free(text);
    board()->control->reset_reason = RESET_PANIC;
    rtc_memory_restore();
    assert_int_equal(noinit, 123);
}

static void crash_in_task(void *arg)
{
    raise(SIGSEGV); /* a true bad store would be the sanitizer's */
}

static void start_crashing_task(void *arg)
{
    kernel_catch_faults();
    xTaskCreate(crash_in_task, "crasher", 4096, NULL, 5, NULL);
    vTaskDelay(500);
}

static void a_crash_in_a_task_is_a_panic(void **state)
{
    char *text;
    assert_int_equal(test_board_fork(start_crashing_task, NULL, &text), RESET_PANIC);
    assert_non_null(strstr(text, "Guru Meditation Error"));
    free(text);
}

static void end_at_once(void *arg)
{
    vTaskDelete(NULL);
}

/* Enough tasks that handles kept for a while do not count. */
static void make_tasks(void)
{
    for (int i = 0; i < 100; i++) {
        xTaskCreate(end_at_once, "short", 4096, NULL, 5, NULL);
        while (xTaskGetHandle("short")) vTaskDelay(1);
    }
}

static void compare_heaps(void *arg)
{
    kernel_catch_faults();
    make_tasks();
    uint32_t before = esp_get_free_heap_size();
    make_tasks();
    vTaskDelay(2);
    printf("lost %d\n", (int)(before - esp_get_free_heap_size()));
}

static void ended_tasks_give_their_memory_back(void **state)
{
    char *text;
    int lost = INT_MAX;
    assert_int_equal(test_board_fork(compare_heaps, NULL, &text), 0);
    assert_int_equal(sscanf(text, "lost %d", &lost), 1);
    assert_true(lost < 70000); /* at most one thread is still on its way out */
    free(text);
}

static esp_err_t goto_on_error(void)
{
    esp_err_t ret = ESP_OK;
    ESP_GOTO_ON_ERROR(refuse(), out, "t", "no %d", 5);
    ret = ESP_FAIL;
out:
    return ret;
}

static void check_helpers(void *arg)
{
    *(esp_err_t *)arg = goto_on_error();
    assert_int_equal(ESP_ERROR_CHECK_WITHOUT_ABORT(refuse()), ESP_ERR_INVALID_ARG);
}

static void checks_log_function_and_line(void **state)
{
    esp_err_t err;
    char *text = test_board_capture(check_helpers, &err);
    assert_int_equal(err, ESP_ERR_INVALID_ARG);
    assert_non_null(strstr(text, "t: goto_on_error("));
    assert_non_null(strstr(text, "): no 5\n"));
    assert_non_null(strstr(text, "ESP_ERROR_CHECK_WITHOUT_ABORT failed: esp_err_t 0x102"));
    free(text);
}

static void starve_watchdog(void *arg)
{
    esp_task_wdt_config_t config = {.timeout_ms = 100, .trigger_panic = true};
    esp_task_wdt_user_handle_t user;
    ESP_ERROR_CHECK(esp_task_wdt_init(&config));
    ESP_ERROR_CHECK(esp_task_wdt_add(NULL));
    ESP_ERROR_CHECK(esp_task_wdt_add_user("downloader", &user));
    for (int i = 0; i < 20; i++) { /* twice the time-out, fed: nothing happens */
        esp_task_wdt_reset();
        esp_task_wdt_reset_user(user);
        vTaskDelay(1);
    }
    printf("fed\n");
    for (;;) {
        esp_task_wdt_reset(); /* the user alone is late */
        vTaskDelay(1);
    }
}

static void the_watchdog_names_who_was_late_and_resets(void **state)
{
    char *text;
    assert_int_equal(test_board_fork(starve_watchdog, NULL, &text), RESET_TASK_WDT);
    char *fed = strstr(text, "fed\n");
    assert_non_null(fed);
    char *report = strstr(text, "task_wdt: Task watchdog got triggered.");
    assert_true(report > fed);
    assert_non_null(strstr(report, "task_wdt:  - downloader\n"));
    assert_null(strstr(report, "(CPU 0)"));
    free(text);
}

static void the_chip_is_the_one_in_efuse(void **state)
{
    esp_chip_info_t info;
    uint8_t sta[6], ap[6];
    esp_chip_info(&info);
    assert_int_equal(info.model, CHIP_ESP32C3);
    assert_int_equal(info.revision, 3);
    assert_int_equal(esp_read_mac(sta, ESP_MAC_WIFI_STA), ESP_OK);
    assert_int_equal(esp_read_mac(ap, ESP_MAC_WIFI_SOFTAP), ESP_OK);
    assert_int_equal((uint8_t)(sta[5] + 1), ap[5]);
    assert_int_equal(esp_efuse_read_secure_version(), 0);
    assert_int_equal(esp_efuse_update_secure_version(2), ESP_OK);
    assert_true(esp_efuse_check_secure_version(2));
    assert_false(esp_efuse_check_secure_version(1));
}

static void the_recovery_offset_is_written_once(void **state)
{
    assert_int_equal(esp_efuse_set_recovery_bootloader_offset(0x3f0000), ESP_OK);
    assert_int_equal(esp_efuse_set_recovery_bootloader_offset(0x3f0000), ESP_OK);
    assert_int_equal(esp_efuse_set_recovery_bootloader_offset(0x3e0000), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(esp_efuse_set_recovery_bootloader_offset(5), ESP_ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(restart_runs_shutdown_handlers_last_first, setup),
        cmocka_unit_test_setup(noinit_memory_survives_a_restart_and_data_does_not, setup),
        cmocka_unit_test_setup(rtc_data_survives_deep_sleep, setup),
        cmocka_unit_test_setup(a_failed_check_tells_where_and_panics, setup),
        cmocka_unit_test_setup(a_crash_in_a_task_is_a_panic, setup),
        cmocka_unit_test_setup(ended_tasks_give_their_memory_back, setup),
        cmocka_unit_test_setup(checks_log_function_and_line, setup),
        cmocka_unit_test_setup(the_watchdog_names_who_was_late_and_resets, setup),
        cmocka_unit_test_setup(the_chip_is_the_one_in_efuse, setup),
        cmocka_unit_test_setup(the_recovery_offset_is_written_once, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
