/* Who may open a device directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/test_device.h"

static void fw_nothing(void)
{
}

static const struct test_firmware firmware[] = {{"nothing", fw_nothing}, {0}};

/* The lock as a run, or device_is_running(), holds it. */
static int take_lock(const struct test_device *t)
{
    char path[96];
    snprintf(path, sizeof path, "%s/run/lock", t->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    return fd;
}

static void *let_go_soon(void *fd)
{
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    close(*(int *)fd);
    return NULL;
}

static void a_look_at_the_lock_does_not_keep_a_device_from_starting(void **state)
{
    struct test_device t;
    struct device d;
    char why[256];
    pthread_t thread;
    test_device_new(&t, "", "nothing", NULL);
    test_device_run(&t, (struct chip_options){.resets = 1}); /* makes run/ */
    int fd = take_lock(&t);
    assert_int_equal(pthread_create(&thread, NULL, let_go_soon, &fd), 0);
    int err = device_open(&d, t.dir, DEVICE_RUN, why, sizeof why);
    pthread_join(thread, NULL);
    assert_int_equal(err, 0);
    device_close(&d);
    test_device_free(&t);
}

static void a_running_device_is_not_started_again(void **state)
{
    struct test_device t;
    struct device d;
    char why[256];
    test_device_new(&t, "", "nothing", NULL);
    test_device_run(&t, (struct chip_options){.resets = 1});
    int fd = take_lock(&t);
    assert_true(device_is_running(t.dir));
    assert_int_not_equal(device_open(&d, t.dir, DEVICE_RUN, why, sizeof why), 0);
    assert_non_null(strstr(why, "running already"));
    assert_int_equal(device_open(&d, t.dir, DEVICE_LOOK, why, sizeof why), 0);
    device_close(&d);
    close(fd);
    assert_false(device_is_running(t.dir));
    test_device_free(&t);
}

int main(void)
{
    test_device_firmware(firmware);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_at_the_lock_does_not_keep_a_device_from_starting),
        cmocka_unit_test(a_running_device_is_not_started_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
