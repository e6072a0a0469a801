/* A file that is cut short under its mapping. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "device/bus_guard.h"

#define SIZE 0x10000u

static volatile uint8_t *map_and_cut(struct device *d)
{
    int fd = memfd_create("flash", 0);
    assert_int_equal(ftruncate(fd, SIZE), 0);
    uint8_t *bytes = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(bytes != MAP_FAILED);
    bytes[0] = 7;
    bytes[SIZE - 1] = 9;
    *d = (struct device){.nor = {.bytes = bytes, .flash = {.size = SIZE}}};
    assert_int_equal(ftruncate(fd, 4096), 0);
    close(fd);
    return bytes;
}

static void pages_that_are_gone_read_as_zeros(void **state)
{
    static struct device d;
    volatile uint8_t *bytes = map_and_cut(&d);
    bus_guard_on(&d);
    assert_int_equal(bytes[0], 7);
    assert_int_equal(bytes[SIZE - 1], 0);
    bytes[8192] = 1;
    bus_guard_off();
}

static void other_bus_errors_still_end_the_process(void **state)
{
    static struct device d, other;
    volatile uint8_t *bytes = map_and_cut(&d);
    (void)map_and_cut(&other);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGBUS, SIG_DFL);
        bus_guard_on(&other);
        _exit(bytes[SIZE - 1]);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_that_are_gone_read_as_zeros),
        cmocka_unit_test(other_bus_errors_still_end_the_process),
    };
    return cmocka_run_group_tests_name("bus guard", tests, NULL, NULL);
}
