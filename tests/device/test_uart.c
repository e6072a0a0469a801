#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/uart.h"

static struct uart u;
static char why[128];

static bool finds(const char *pattern, const char *const *parts)
{
    uart_init(&u, -1);
    assert_int_equal(uart_wait_for(&u, pattern, why, sizeof why), 0);
    for (; *parts; parts++) uart_write(&u, *parts, strlen(*parts));
    bool found = u.matched;
    uart_close(&u);
    return found;
}
#define FINDS(pattern, ...) finds(pattern, (const char *const[]){__VA_ARGS__, NULL})

static void pattern_is_found_however_the_line_arrives(void **state)
{
    assert_true(FINDS("^hello world$", "hello world\n"));
    assert_true(FINDS("^hello world$", "hel", "lo wor", "ld", "\r\n"));
    assert_true(FINDS("b.d", "a\nb", "cd\n"));
    assert_false(FINDS("^world", "hello world\n"));
    assert_false(FINDS("hello world", "hello\nworld\n"));
}

static void end_of_line_is_only_there_when_the_line_is_whole(void **state)
{
    assert_false(FINDS("prompt>$", "prompt>"));
    assert_true(FINDS("prompt>", "prompt>"));
    assert_false(FINDS("^value: 1$", "value: 1", "2\n"));
}

static void escape_sequences_are_not_part_of_a_line(void **state)
{
    assert_true(FINDS("^I boot: x$", "\033[0;32mI boot: x\033[0m\n"));
    assert_true(FINDS("^I boot: x$", "\033", "[0;3", "2mI boot: x\033[0", "m\n"));
}

static void endless_line_is_cut_and_harmless(void **state)
{
    static char text[10000];
    memset(text, 'x', sizeof text);
    memcpy(text + sizeof text - 5, "end\n", 5);
    assert_true(FINDS("end$", text));
}

static void bad_pattern_is_explained(void **state)
{
    uart_init(&u, -1);
    assert_true(uart_wait_for(&u, "a(", why, sizeof why) < 0);
    assert_true(strlen(why) > 0);
    uart_close(&u);
}

static void output_that_nobody_reads_is_noticed(void **state)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    uart_init(&u, ends[1]);
    uart_print(&u, "to nobody\n");
    assert_true(u.broken);
    uart_close(&u);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pattern_is_found_however_the_line_arrives),
        cmocka_unit_test(end_of_line_is_only_there_when_the_line_is_whole),
        cmocka_unit_test(escape_sequences_are_not_part_of_a_line),
        cmocka_unit_test(endless_line_is_cut_and_harmless),
        cmocka_unit_test(bad_pattern_is_explained),
        cmocka_unit_test(output_that_nobody_reads_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
