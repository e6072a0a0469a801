/* A UART's other end: who is there, what is kept, what is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device/control.h"
#include "device/wire.h"

static struct wire w;
static char why[300];

static int on_tcp(void **state)
{
    return wire_open(&w, "tcp:0", why, sizeof why);
}

static int on_pty(void **state)
{
    return wire_open(&w, "pty", why, sizeof why);
}

static int off(void **state)
{
    wire_close(&w);
    return 0;
}

/* As the pump does, once. */
static void turn(int ms)
{
    struct pollfd fds[WIRE_FDS];
    wire_poll(&w, true, fds);
    poll(fds, WIRE_FDS, ms);
    wire_turn(&w, fds);
}

static int connect_to_it(void)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(w.port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void say(const char *text)
{
    wire_write(&w, text, strlen(text));
}

/* Turns until the wire has something to read. */
static void hears(const char *text)
{
    char buf[64] = "";
    size_t n = 0;
    for (int i = 0; i < 50 && !n; i++) {
        turn(100);
        n = wire_read(&w, buf, sizeof buf - 1);
    }
    buf[n] = 0;
    assert_string_equal(buf, text);
}

static void expect(int fd, const char *text)
{
    char buf[64] = "";
    size_t len = strlen(text), got = 0;
    for (int i = 0; i < 50 && got < len; i++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        turn(0);
        if (poll(&p, 1, 100) <= 0) continue;
        ssize_t n = read(fd, buf + got, len - got);
        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_memory_equal(buf, text, len);
}

static void fill(size_t lines)
{
    char line[64];
    for (size_t i = 0; i < lines; i++) {
        int n = snprintf(line, sizeof line, "%031zu\n", i);
        wire_write(&w, line, (size_t)n);
    }
}

static void the_newest_bytes_are_kept_for_whoever_comes(void **state)
{
    char line[33] = "";
    fill(WIRE_KEPT / 32 + 100);
    assert_true(wire_room(&w) > 0); /* nobody holds the chip up */
    int fd = connect_to_it();
    turn(2000);
    size_t got = 0;
    while (got < 32) {
        ssize_t n = read(fd, line + got, 32 - got);
        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_int_equal(strtol(line, NULL, 10), 100);
    close(fd);
}

static void a_reader_that_does_not_read_holds_the_chip_up_for_a_while(void **state)
{
    int fd = open(w.pty.device, O_RDWR | O_NOCTTY);
    turn(2000);
    for (int i = 0; i < 3; i++) { /* the kernel's buffers move on by themselves */
        while (wire_room(&w) > 32) i = 0, fill(100);
        turn(50);
    }
    uint64_t began = w.refused_since;
    assert_true(wire_room(&w) <= 32);
    assert_true(wire_deadline(&w) > began);
    while (wire_room(&w) <= 32 && control_now_ns() - began < 10000000000u) turn(100);
    assert_true(wire_room(&w) > 32); /* he counts as nobody now */
    assert_in_range(control_now_ns() - began, WIRE_PATIENCE_NS / 2, 2 * WIRE_PATIENCE_NS);
    assert_int_equal(wire_deadline(&w), 0);
    close(fd);
}

static void one_client_at_a_time(void **state)
{
    int first = connect_to_it(), second;
    char c;
    say("a");
    expect(first, "a");
    second = connect_to_it();
    turn(2000);
    assert_int_equal(read(second, &c, 1), 0); /* turned away */
    close(second);
    say("b");
    expect(first, "b");
    assert_int_equal(write(first, "last words", 10), 10);
    close(first);
    second = connect_to_it(); /* comes before the wire has heard the last words */
    turn(2000);
    struct pollfd fds[WIRE_FDS];
    wire_poll(&w, false, fds);                   /* and while the chip does not want them: */
    assert_int_equal(poll(fds, WIRE_FDS, 0), 0); /* nothing to do, no busy waiting */
    hears("last words");
    assert_int_equal(write(second, "mine", 4), 4);
    hears("mine");
    say("yours");
    expect(second, "yours");
    close(second);
}

static void a_client_that_has_sent_all_still_hears(void **state)
{
    int fd = connect_to_it();
    assert_int_equal(write(fd, "question", 8), 8);
    shutdown(fd, SHUT_WR);
    hears("question");
    char none[8];
    turn(0);
    assert_int_equal(wire_read(&w, none, sizeof none), 0);
    say("answer");
    expect(fd, "answer");
    close(fd);
}

static void terminals_come_and_go_on_a_pty(void **state)
{
    for (int i = 0; i < 3; i++) {
        say("kept");
        int fd = open(w.pty.device, O_RDWR | O_NOCTTY);
        assert_true(fd >= 0);
        expect(fd, "kept");
        assert_int_equal(write(fd, "typed", 5), 5);
        close(fd);
        hears("typed"); /* although the terminal has left */
        struct pollfd fds[WIRE_FDS];
        for (int k = 0; k < 20 && w.readable; k++) {
            char none[8];
            turn(10);
            assert_int_equal(wire_read(&w, none, sizeof none), 0);
        }
        assert_false(w.readable || w.writable);
        wire_poll(&w, true, fds);
        assert_int_equal(poll(fds, WIRE_FDS, 0), 0); /* nothing to do: no busy waiting */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_bytes_are_kept_for_whoever_comes, on_tcp, off),
        cmocka_unit_test_setup_teardown(a_reader_that_does_not_read_holds_the_chip_up_for_a_while,
                                        on_pty, off),
        cmocka_unit_test_setup_teardown(one_client_at_a_time, on_tcp, off),
        cmocka_unit_test_setup_teardown(a_client_that_has_sent_all_still_hears, on_tcp, off),
        cmocka_unit_test_setup_teardown(terminals_come_and_go_on_a_pty, on_pty, off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
