/* Ptys with links, and listening sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/err.h"
#include "host/line.h"

static char dir[64], link_path[80], why[700];

static int setup(void **state)
{
    strcpy(dir, "/tmp/airlift-line-XXXXXX");
    snprintf(link_path, sizeof link_path, "%s/uart", mkdtemp(dir));
    return 0;
}

static int teardown(void **state)
{
    unlink(link_path);
    return rmdir(dir);
}

static void a_pty_is_raw_in_both_directions(void **state)
{
    static const char bytes[] = "\r\n\x03\x04\x7f\0\xff";
    struct line_pty p;
    char got[sizeof bytes];
    assert_int_equal(line_pty_open(&p, NULL, why, sizeof why), 0);
    assert_int_equal(write(p.master, bytes, sizeof bytes), sizeof bytes);
    assert_int_equal(read(p.slave, got, sizeof got), sizeof bytes);
    assert_memory_equal(got, bytes, sizeof bytes);
    assert_int_equal(write(p.slave, bytes, sizeof bytes), sizeof bytes);
    assert_int_equal(poll(&(struct pollfd){.fd = p.master, .events = POLLIN}, 1, 2000), 1);
    assert_int_equal(read(p.master, got, sizeof got), sizeof bytes);
    assert_memory_equal(got, bytes, sizeof bytes);
    line_pty_close(&p);
}

static void a_link_lives_as_long_as_its_pty(void **state)
{
    struct line_pty p, q;
    char to[64] = "";
    assert_int_equal(line_pty_open(&p, link_path, why, sizeof why), 0);
    assert_true(readlink(link_path, to, sizeof to - 1) > 0);
    assert_string_equal(to, p.device);
    /* another one takes the name over; the first leaves it alone then */
    assert_int_equal(line_pty_open(&q, link_path, why, sizeof why), 0);
    line_pty_close(&p);
    assert_int_equal(access(link_path, F_OK), 0);
    line_pty_close(&q);
    assert_int_not_equal(faccessat(AT_FDCWD, link_path, F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

static void what_is_no_link_to_a_pty_is_not_touched(void **state)
{
    struct line_pty p;
    assert_int_equal(symlink(dir, link_path), 0);
    assert_int_equal(line_pty_open(&p, link_path, why, sizeof why), AL_FAIL);
    assert_non_null(strstr(why, "File exists"));
    assert_int_equal(p.master, -1);
    assert_int_equal(access(link_path, F_OK), 0);
    char longer[600];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(line_pty_open(&p, longer, why, sizeof why), AL_FAIL);
}

static void listening_gives_the_port(void **state)
{
    static const char *const good[] = {"0", "127.0.0.1:0", "127.0.0.2:0"};
    static const char *const bad[] = {"",           "x",     "65536", "1x",     "-1",
                                      ":0",         "::1:0", "[::1",  "host:0", "127.0.0.1:0:0",
                                      "127.0.0.1:", "0 "};
    uint16_t port, again;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int fd = line_listen(good[i], &port, why, sizeof why);
        assert_true(fd >= 0 && port);
        close(fd);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (line_listen(bad[i], &port, why, sizeof why) != AL_FAIL) fail_msg("'%s'", bad[i]);
        assert_non_null(strstr(why, "expected a port"));
    }
    int fd = line_listen("0", &port, why, sizeof why);
    char text[8];
    snprintf(text, sizeof text, "%u", port);
    assert_int_equal(line_listen(text, &again, why, sizeof why), AL_FAIL);
    assert_non_null(strstr(why, "Address already in use"));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pty_is_raw_in_both_directions),
        cmocka_unit_test_setup_teardown(a_link_lives_as_long_as_its_pty, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_link_to_a_pty_is_not_touched, setup, teardown),
        cmocka_unit_test(listening_gives_the_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
