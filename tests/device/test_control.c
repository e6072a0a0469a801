#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device/control.h"

static char dir[64];
static struct control *page;
static int fd;

static void path_of(const char *name, char out[96])
{
    snprintf(out, 96, "%s/%s", dir, name);
}

static int make_page(void **state)
{
    char run[96];
    strcpy(dir, "/tmp/airlift-control-XXXXXX");
    if (!mkdtemp(dir)) return -1;
    path_of("run", run);
    if (mkdir(run, 0700)) return -1;
    return control_create(dir, &page, &fd);
}

static int remove_page(void **state)
{
    char path[96];
    control_unmap(page);
    close(fd);
    path_of(CONTROL_PATH, path);
    unlink(path);
    path_of("run", path);
    rmdir(path);
    return rmdir(dir);
}

static void level_is_output_then_outside_then_pull(void **state)
{
    assert_int_equal(control_gpio_level(page, 4), 0);
    page->gpio_pull[4] = 1;
    assert_int_equal(control_gpio_level(page, 4), 1);
    control_gpio_drive(page, 4, 0);
    assert_int_equal(control_gpio_level(page, 4), 0);
    page->gpio_output[4] = 1;
    assert_int_equal(control_gpio_level(page, 4), 1);
    assert_int_equal(control_gpio_level(page, CONTROL_GPIOS), 0);
    control_gpio_drive(page, CONTROL_GPIOS, 1); /* no such pin: nothing happens */
    assert_int_equal(page->gpio_changes, 1);
}

static void waiting_ends_in_time(void **state)
{
    uint32_t seen = 0;
    uint64_t before = control_now_ns();
    assert_false(control_gpio_wait(page, &seen, 30));
    assert_true(control_now_ns() - before >= 30000000u);
}

static void *drive_later(void *arg)
{
    struct control *other;
    usleep(50000);
    assert_int_equal(control_open(dir, &other), 0);
    control_gpio_drive(other, 7, 1);
    control_unmap(other);
    return NULL;
}

static void change_through_another_mapping_wakes(void **state)
{
    pthread_t thread;
    uint32_t seen = 0;
    pthread_create(&thread, NULL, drive_later, NULL);
    assert_true(control_gpio_wait(page, &seen, 5000));
    pthread_join(thread, NULL);
    assert_int_equal(seen, 1);
    assert_int_equal(control_gpio_level(page, 7), 1);
}

static void reset_keeps_rtc_memory_and_the_outside_and_power_on_does_not(void **state)
{
    page->rtc_memory[5] = 9;
    page->gpio_pull[1] = page->gpio_output[1] = 1;
    page->next_reason = RESET_SW;
    page->app_started = 1;
    control_gpio_drive(page, 2, 1);
    control_clear(page, false);
    assert_int_equal(page->rtc_memory[5], 9);
    assert_int_equal(control_gpio_level(page, 1), 0);
    assert_int_equal(control_gpio_level(page, 2), 1);
    assert_int_equal(page->next_reason, 0);
    assert_int_equal(page->app_started, 0);
    control_clear(page, true);
    assert_int_equal(page->rtc_memory[5], 0);
}

static void page_of_another_version_is_refused(void **state)
{
    struct control *other;
    page->version++;
    assert_int_equal(control_open(dir, &other), -EPROTO);
    page->version--;
    assert_int_equal(control_open("/nowhere", &other), -ENOENT);
    assert_int_equal(ftruncate(fd, 100), 0);
    assert_int_equal(control_open(dir, &other), -EPROTO);
    assert_int_equal(ftruncate(fd, sizeof *page), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_page, remove_page)
    const struct CMUnitTest tests[] = {
        TEST(level_is_output_then_outside_then_pull),
        TEST(waiting_ends_in_time),
        TEST(change_through_another_mapping_wakes),
        TEST(reset_keeps_rtc_memory_and_the_outside_and_power_on_does_not),
        TEST(page_of_another_version_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
