/* Whole runs of virtual devices; the firmware is this program itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/err.h"
#include "device/board.h"
#include "host/crypto_openssl.h"
#include "tests/support/test_device.h"

/* --- firmware --- */

static void fw_hello(void)
{
    board()->control->app_started = 1;
    printf("reset reason %u\nhello\n", board()->control->reset_reason);
}

static void fw_restart(void)
{
    uint32_t *boots = (uint32_t *)(void *)board()->control->rtc_memory;
    printf("reset reason %u, %u boots before\n", board()->control->reset_reason, (*boots)++);
    board_reset(RESET_SW);
}

static void fw_crash(void)
{
    board_catch_faults();
    volatile int *nowhere = (volatile int *)(uintptr_t)0x1000; /* not NULL: UBSan sees that */
    *nowhere = 1;
}

static int overflow(volatile int *depth)
{
    volatile char frame[4096];
    frame[0] = (char)++*depth;
    if (*depth < 1 << 20) frame[1] = (char)overflow(depth);
    return frame[0] + frame[1];
}

static void *overflow_thread(void *arg)
{
    volatile int depth = 0;
    board_catch_faults();
    return (void *)(intptr_t)overflow(&depth);
}

static void fw_overflow(void)
{
    pthread_t thread;
    board_catch_faults();
    pthread_create(&thread, NULL, overflow_thread, NULL);
    pthread_join(thread, NULL);
}

static void fw_abort(void)
{
    board_catch_faults();
    abort();
}

static void fw_panic(void)
{
    printf("half a line");
    board_panic("assert failed: app_main main.c:7 (x > 0)");
}

static void fw_exit(void)
{
    exit(3);
}

static void fw_sleep(void)
{
    if (board()->control->reset_reason == RESET_DEEPSLEEP) {
        printf("woke up\n");
        return;
    }
    board_deep_sleep(50000);
}

static void fw_hang(void)
{
    for (;;) pause();
}

static void fw_dirty(void)
{
    const struct al_flash *f = &board()->nor.flash;
    board_catch_faults();
    f->program(f->ctx, 0x9000, "\x0f", 1);
    f->program(f->ctx, 0x9000, "\xf0", 1);
    printf("went on\n");
}

/* Erases nvs, then writes a page of it, for ever. */
static void fw_write(void)
{
    const struct al_flash *f = &board()->nor.flash;
    static const uint8_t zeros[256];
    for (;;) {
        f->erase(f->ctx, 0x9000, 0x1000);
        f->program(f->ctx, 0x9000, zeros, sizeof zeros);
        if (board()->control->boot_count > 1) printf("second life\n");
    }
}

static void fw_gpio(void)
{
    uint32_t seen = board()->control->gpio_changes;
    board()->control->app_started = 1;
    printf("level %d\n", board_gpio_level(4));
    board_gpio_wait(&seen, -1);
    printf("now %d\n", board_gpio_level(4));
}

static void fw_efuse(void)
{
    struct efuse *e = &board()->efuse;
    printf("secure version %u\n", efuse_secure_version(e));
    if (board()->control->boot_count == 1)
        efuse_raise_secure_version(e, 3);
    else
        memset(e->bytes, 0, EFUSE_LEN);
    board_reset(RESET_SW);
}

static void fw_spawn(void)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0) prctl(PR_SET_NAME, "al_orphan");
        for (;;) pause();
    }
    usleep(100000);
    printf("spawned\n");
}

static void fw_alone(void)
{
    prctl(PR_SET_NAME, "al_alone");
    printf("here\n");
}

static void fw_echo(void)
{
    char line[64];
    printf("say something\n");
    if (fgets(line, sizeof line, stdin)) printf("heard %s", line);
}

/* Waits until the test cuts it off in the middle of a line. */
static void fw_partial(void)
{
    printf("prompt> ");
    fflush(stdout);
}

static const struct test_firmware firmware[] = {
    {"hello", fw_hello},       {"restart", fw_restart}, {"crash", fw_crash},
    {"overflow", fw_overflow}, {"abort", fw_abort},     {"panic", fw_panic},
    {"exit", fw_exit},         {"sleep", fw_sleep},     {"hang", fw_hang},
    {"dirty", fw_dirty},       {"write", fw_write},     {"gpio", fw_gpio},
    {"efuse", fw_efuse},       {"spawn", fw_spawn},     {"alone", fw_alone},
    {"echo", fw_echo},         {"partial", fw_partial}, {0}};

/* --- tests --- */

static void colours_are_there_when_wanted_and_not_in_the_pattern(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "hello", NULL);
    assert_true(test_device_run(
        &t, (struct chip_options){.until = "^I .*offset 0x10000$", .colour = true}));
    test_device_has(&t, "\033[0;32mI (");
    test_device_has(&t, "boot: End of partition table\033[0m\n");
    test_device_free(&t);
}

static void restart_keeps_rtc_memory_and_tells_the_reason(void **state)
{
    struct test_device t;
    test_device_new_until(&t, "restart", "reset reason 3, 2 boots before");
    assert_int_equal(t.report.resets, 2);
    assert_int_equal(test_device_count(&t, "rst:0x1 (POWERON)"), 1);
    assert_int_equal(test_device_count(&t, "rst:0xc (SW_CPU)"), 2);
    test_device_free(&t);
}

static void boot_loop_ends_and_is_explained(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "restart", NULL);
    assert_false(test_device_run(&t, (struct chip_options){.boot_loop_limit = "4"}));
    assert_int_equal(t.report.end, CHIP_BOOT_LOOP);
    assert_int_equal(t.report.boots, 4);
    assert_non_null(strstr(t.report.error, "4 times in a row"));
    assert_true(test_device_run(&t, (struct chip_options){.boot_loop_limit = "0", .resets = 13}));
    test_device_free(&t);
}

static void crash_is_reported_and_resets(void **state)
{
    struct test_device t;
    test_device_new_until(&t, "crash", "rst:0xc");
    test_device_has(&t,
                    "Guru Meditation Error: Core  0 panic'ed (Store access fault). Exception was "
                    "unhandled.\n");
    test_device_has(&t, "\nBacktrace: 0x");
    test_device_has(&t, "\nELF file SHA256: ");
    test_device_has(&t, "\nRebooting...\n");
    assert_int_equal(t.report.last_reason, RESET_PANIC);
    test_device_free(&t);
}

static void stack_overflow_of_a_thread_is_reported(void **state)
{
    struct test_device t;
    test_device_new_until(&t, "overflow", "rst:0xc");
    test_device_has(&t, "Guru Meditation Error");
    test_device_has(&t, "Rebooting...");
    test_device_free(&t);
}

static void abort_and_panic_are_reported(void **state)
{
    struct test_device t;
    test_device_new_until(&t, "abort", "rst:0xc");
    test_device_has(&t, "abort() was called at PC 0x");
    test_device_has(&t, "Rebooting...");
    test_device_free(&t);
    test_device_new_until(&t, "panic", "rst:0xc");
    test_device_has(&t, "half a line\nassert failed: app_main main.c:7 (x > 0)\n");
    test_device_has(&t, "Backtrace:");
    test_device_free(&t);
}

static void exit_without_reset_counts_as_panic(void **state)
{
    struct test_device t;
    test_device_new_until(&t, "exit", "rst:0xc");
    assert_int_equal(t.report.last_reason, RESET_PANIC);
    test_device_free(&t);
}

static void deep_sleep_waits_and_wakes(void **state)
{
    struct test_device t;
    test_device_new_until(&t, "sleep", "woke up");
    test_device_has(&t, "rst:0x5 (SLEEP)");
    assert_int_equal(t.report.last_reason, RESET_DEEPSLEEP);
    test_device_free(&t);
}

static void watchdog_resets_a_firmware_that_never_starts(void **state)
{
    struct test_device t;
    test_device_new(&t, "CONFIG_BOOTLOADER_WDT_TIME_MS=300\n", "hang", NULL);
    assert_true(test_device_run(&t, (struct chip_options){.until = "LP_WDT_SYS"}));
    assert_int_equal(t.report.last_reason, RESET_WDT);
    test_device_free(&t);
    test_device_new(&t, "CONFIG_BOOTLOADER_WDT_TIME_MS=300\n", "hello", NULL);
    assert_true(test_device_run(&t, (struct chip_options){.seconds = 0.6}));
    assert_int_equal(t.report.boots, 1);
    test_device_free(&t);
}

static void flash_defect_is_loud_unless_strict_is_off(void **state)
{
    struct test_device t;
    test_device_new_until(&t, "dirty", "rst:0xc");
    test_device_has(
        &t, "flash defect: program at 0x009000 would set bits: it holds 0x0f, wanted 0xf0.");
    test_device_has(&t, "abort() was called");
    test_device_has_not(&t, "went on");
    test_device_write(&t, 0x9000, "\xff", 1);
    assert_true(test_device_run(&t, (struct chip_options){.until = "went on", .strict = "off"}));
    uint8_t byte;
    test_device_read(&t, 0x9000, &byte, 1);
    assert_int_equal(byte, 0x00);
    test_device_free(&t);
}

static void power_cut_tears_that_operation_and_happens_once(void **state)
{
    struct test_device t;
    uint8_t torn[256];
    unsigned between = 0;
    test_device_new(&t, "", "write", NULL);
    /* 2 operations of the boot loader (otadata, first start), then erase, program, ... */
    for (uint64_t seed = 0; seed < 6; seed++) {
        assert_true(test_device_run(&t, (struct chip_options){.until = "second life",
                                                              .power_cut = 10 + seed % 2,
                                                              .power_cut_seed = seed}));
        assert_true(t.report.power_was_cut);
        assert_int_equal(t.report.boots, 2);
        assert_int_equal(t.report.last_reason, RESET_POWERON);
        assert_int_equal(test_device_count(&t, "rst:0x1 (POWERON)"), 2);
        /* the next cut ends the run's first life only: what it left is lost in the second */
        test_device_write(&t, TEST_DEVICE_OTADATA, memset(torn, 0xff, 256), 256);
    }
    for (uint64_t seed = 0; seed < 12; seed++) {
        assert_true(test_device_run(
            &t, (struct chip_options){.resets = 1, .power_cut = 10, .power_cut_seed = seed}));
        test_device_read(&t, 0x9000, torn, sizeof torn);
        for (unsigned i = 0; i < sizeof torn; i++) between += torn[i] != 0 && torn[i] != 0xff;
    }
    assert_true(between > 50);
    test_device_free(&t);
}

static void brownout_resets_once(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "hello", NULL);
    assert_true(
        test_device_run(&t, (struct chip_options){.until = "^reset reason 9$", .brownout = 0.2}));
    test_device_has(&t, "Brownout detector was triggered");
    test_device_has(&t, "rst:0xf (PWR_BROWNOUT)");
    test_device_free(&t);
}

static void pin_levels_come_from_conf_and_from_outside(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "gpio", NULL);
    test_device_conf(&t, "gpio4 = 1");
    pid_t hand = fork();
    if (hand == 0) {
        struct control *c;
        while (control_open(t.dir, &c) || !c->app_started) usleep(10000);
        usleep(100000);
        control_gpio_drive(c, 4, 0);
        _exit(0);
    }
    bool reached = test_device_run(&t, (struct chip_options){.until = "now 0"});
    waitpid(hand, NULL, 0);
    if (!reached) fail_msg("%s\n%s", t.report.error, t.output);
    test_device_has(&t, "level 1");
    test_device_free(&t);
}

static void efuse_bits_cannot_be_cleared(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "efuse", NULL);
    assert_true(test_device_run(&t, (struct chip_options){.resets = 3}));
    assert_int_equal(test_device_count(&t, "secure version 0"), 1);
    assert_int_equal(test_device_count(&t, "secure version 3"), 2);
    struct device d;
    char why[256];
    assert_int_equal(device_open(&d, t.dir, DEVICE_LOOK, why, sizeof why), 0);
    assert_int_equal(efuse_secure_version(&d.efuse), 3);
    device_close(&d);
    test_device_free(&t);
}

/* Living ones; a zombie that nobody has waited for runs no more. */
static unsigned processes_named(const char *name)
{
    unsigned count = 0;
    char path[300], comm[32], state;
    DIR *proc = opendir("/proc");
    for (struct dirent *e; (e = readdir(proc));) {
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *f = e->d_name[0] >= '1' && e->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (!f) continue;
        if (fscanf(f, "%*d (%31[^)]) %c", comm, &state) == 2)
            count += strcmp(comm, name) == 0 && state != 'Z';
        fclose(f);
    }
    closedir(proc);
    return count;
}

static void children_of_a_firmware_die_with_it(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "spawn", NULL);
    assert_true(test_device_run(&t, (struct chip_options){.until = "spawned", .no_sandbox = true}));
    assert_int_equal(processes_named("al_orphan"), 0);
    test_device_free(&t);
}

/* Even if the chip is killed without a chance to clean up. */
static void firmware_dies_with_a_killed_chip(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "alone", NULL);
    pid_t chip = fork();
    if (chip == 0) {
        test_device_run(&t, (struct chip_options){.until = "never"});
        _exit(0);
    }
    for (int i = 0; i < 300 && !processes_named("al_alone"); i++) usleep(10000);
    assert_int_equal(processes_named("al_alone"), 1);
    kill(chip, SIGKILL);
    waitpid(chip, NULL, 0);
    for (int i = 0; i < 100 && processes_named("al_alone"); i++) usleep(10000);
    assert_int_equal(processes_named("al_alone"), 0);
    assert_false(device_is_running(t.dir));
    test_device_free(&t);
}

static void second_run_on_a_device_is_refused(void **state)
{
    struct test_device t;
    char why[512];
    struct device d;
    test_device_new(&t, "", "hello", NULL);
    assert_int_equal(device_open(&d, t.dir, DEVICE_RUN, why, sizeof why), 0);
    assert_true(device_is_running(t.dir));
    assert_false(test_device_run(&t, (struct chip_options){.until = "hello"}));
    assert_int_equal(t.report.end, CHIP_FAILED);
    assert_non_null(strstr(t.report.error, "is running already"));
    device_close(&d);
    assert_false(device_is_running(t.dir));
    assert_true(test_device_run(&t, (struct chip_options){.until = "hello"}));
    test_device_free(&t);
}

static void input_reaches_the_firmware(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "echo", NULL);
    int in[2], out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_int_equal(pipe(in), 0);
    assert_int_equal(write(in[1], "marco\n", 6), 6);
    const struct chip_options o = {
        .dir = t.dir, .until = "heard marco", .seconds = 10, .input = in[0], .output = out};
    assert_true(chip_run(&o, &t.report));
    close(in[0]);
    close(in[1]);
    close(out);
    test_device_free(&t);
}

static void pattern_matches_a_prompt_without_newline(void **state)
{
    struct test_device t;
    test_device_new_until(&t, "partial", "^prompt> ");
    test_device_free(&t);
}

static void time_out_fails_only_when_a_pattern_was_waited_for(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "hello", NULL);
    assert_true(test_device_run(&t, (struct chip_options){.seconds = 0.2}));
    assert_false(test_device_run(&t, (struct chip_options){.seconds = 0.2, .until = "never"}));
    assert_string_equal(t.report.error, "no line matched 'never' within 0.2 s");
    assert_false(test_device_run(&t, (struct chip_options){.until = "a("}));
    assert_int_equal(t.report.end, CHIP_FAILED);
    test_device_free(&t);
}

static void interrupt_ends_cleanly(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "hello", NULL);
    pid_t self = getpid(), hand = fork();
    if (hand == 0) {
        usleep(300000);
        kill(self, SIGINT);
        _exit(0);
    }
    assert_false(test_device_run(&t, (struct chip_options){.seconds = 10}));
    assert_int_equal(t.report.end, CHIP_INTERRUPTED);
    waitpid(hand, NULL, 0);
    test_device_free(&t);
}

static void log_file_has_the_lines_without_colours(void **state)
{
    struct test_device t;
    char path[96], text[8192];
    test_device_new(&t, "", "hello", NULL);
    snprintf(path, sizeof path, "%s/uart.log", t.dir);
    assert_true(
        test_device_run(&t, (struct chip_options){.until = "^hello", .log = path, .colour = true}));
    FILE *f = fopen(path, "r");
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    assert_non_null(strstr(text, "\nhello\n"));
    assert_null(strchr(text, '\033'));
    test_device_free(&t);
}

int main(void)
{
    test_device_firmware(firmware);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_are_there_when_wanted_and_not_in_the_pattern),
        cmocka_unit_test(restart_keeps_rtc_memory_and_tells_the_reason),
        cmocka_unit_test(boot_loop_ends_and_is_explained),
        cmocka_unit_test(crash_is_reported_and_resets),
        cmocka_unit_test(stack_overflow_of_a_thread_is_reported),
        cmocka_unit_test(abort_and_panic_are_reported),
        cmocka_unit_test(exit_without_reset_counts_as_panic),
        cmocka_unit_test(deep_sleep_waits_and_wakes),
        cmocka_unit_test(watchdog_resets_a_firmware_that_never_starts),
        cmocka_unit_test(flash_defect_is_loud_unless_strict_is_off),
        cmocka_unit_test(power_cut_tears_that_operation_and_happens_once),
        cmocka_unit_test(brownout_resets_once),
        cmocka_unit_test(pin_levels_come_from_conf_and_from_outside),
        cmocka_unit_test(efuse_bits_cannot_be_cleared),
        cmocka_unit_test(children_of_a_firmware_die_with_it),
        cmocka_unit_test(firmware_dies_with_a_killed_chip),
        cmocka_unit_test(second_run_on_a_device_is_refused),
        cmocka_unit_test(input_reaches_the_firmware),
        cmocka_unit_test(pattern_matches_a_prompt_without_newline),
        cmocka_unit_test(time_out_fails_only_when_a_pattern_was_waited_for),
        cmocka_unit_test(interrupt_ends_cleanly),
        cmocka_unit_test(log_file_has_the_lines_without_colours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
