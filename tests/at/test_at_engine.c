/* The interpreter through a port: exact bytes of answers, echo, busy, data, error codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/at_bench.h"
#include "tests/support/test_board.h"

static sem_t go;

static enum at_result wait_for_go(struct at_call *call)
{
    sem_wait(&go);
    return AT_OK;
}

/* AT+TAKE=<n>: n bytes of data, given back in upper case. */
static enum at_result take(struct at_call *call)
{
    int64_t wanted;
    char bytes[64];
    if (!at_param_count_is(call, 1, 1)) return AT_ERROR;
    if (at_param_int(call, 0, &wanted) != AT_PARAM_OK) return AT_ERROR;
    if (wanted < 1 || wanted > 64) return at_param_invalid(call, 0);
    at_answer(call, AT_OK_AND_PROMPT);
    for (size_t have = 0, n = 1; have < (size_t)wanted && n; have += n)
        n = at_read(call, bytes + have, (size_t)wanted - have);
    at_tell_received(call, (size_t)wanted);
    at_write(call, bytes, (size_t)wanted);
    sem_wait(&go);
    return AT_OK;
}

/* AT+TEXTS=<"text of 3">[,<number>][,<0|1: fail with a reason>] */
static enum at_result texts(struct at_call *call)
{
    const char *text;
    int64_t number = -1, failing = 0;
    if (!at_param_count_is(call, 1, 3)) return AT_ERROR;
    if (at_param_text(call, 0, &text) != AT_PARAM_OK) return AT_ERROR;
    if (!at_param_length_is(call, 0, text, 0, 8)) return AT_ERROR;
    if (at_param_int(call, 1, &number) == AT_PARAM_MALFORMED) return AT_ERROR;
    if (number > 100) return at_param_invalid(call, 1);
    if (at_param_int(call, 2, &failing) == AT_PARAM_MALFORMED) return AT_ERROR;
    if (failing) return at_error(call, "said \"%s\"", text);
    at_print(call, "+TEXTS:%s,%d\r\n", text, (int)number);
    return AT_OK;
}

static enum at_result send_ok(struct at_call *call)
{
    return AT_SEND_OK;
}

static enum at_result send_fail(struct at_call *call)
{
    return AT_SEND_FAIL;
}

static enum at_result plain_fail(struct at_call *call)
{
    return AT_FAIL;
}

/* Data that nobody waits for longer than 50 ms; gives how much came. */
static enum at_result take_soon(struct at_call *call)
{
    char bytes[64];
    at_answer(call, AT_OK_AND_PROMPT);
    size_t n = at_read_for(call, bytes, sizeof bytes, 50);
    at_drop_rest(call);
    at_print(call, "+SOON:%d\r\n", (int)n);
    return AT_OK;
}

/* Answers before it is done. */
static enum at_result answer_early(struct at_call *call)
{
    at_answer(call, AT_OK);
    sem_wait(&go);
    return AT_IGNORE;
}

/* Asks for data and does not wait for it. */
static enum at_result ask_only(struct at_call *call)
{
    at_answer(call, AT_OK_AND_PROMPT);
    return AT_IGNORE;
}

static enum at_result nap(struct at_call *call)
{
    usleep(2000);
    return AT_OK;
}

static const struct at_command own[] = {
    {"+WAIT", .execute = wait_for_go},
    {"+TAKE", .set = take},
    {"+TEXTS", .set = texts},
    {"+SENDOK", .execute = send_ok},
    {"+SENDFAIL", .query = send_fail},
    {"+FAIL", .test = plain_fail},
    {"+SOON", .execute = take_soon},
    {"+EARLY", .execute = answer_early},
    {"+NAP", .execute = nap},
    {"+ASK", .execute = ask_only},
    {0},
};
static const struct at_command *const groups[] = {at_basic_commands, own, NULL};

static int open_port(void **state)
{
    test_board_new();
    sem_init(&go, 0, 0);
    at_bench_open(groups);
    return 0;
}

static int close_port(void **state)
{
    for (int i = 0; i < 3; i++) sem_post(&go); /* of a test that failed */
    at_bench_close();
    return 0;
}

static void every_result_has_its_bytes(void **state)
{
    at_bench_command("AT", "\r\nOK\r\n");
    at_bench_command("at", "\r\nOK\r\n");
    at_bench_command("aT+SENDOK", "\r\nSEND OK\r\n");
    at_bench_command("At+SENDFAIL?", "\r\nSEND FAIL\r\n");
    at_bench_command("AT+FAIL=?", "\r\nERROR\r\n");
    at_bench_silent(20);
}

static void echo_is_what_was_received_until_it_is_off(void **state)
{
    at_bench_send("A");
    at_bench_expect("A");
    at_bench_send("T\r");
    at_bench_expect("T\r");
    at_bench_send("\n");
    at_bench_expect("\n\r\nOK\r\n");
    at_bench_command("ATE0", "\r\nOK\r\n");
    at_bench_send("AT\r\nATE1\r\n");
    at_bench_expect("\r\nOK\r\n\r\nOK\r\n");
    at_bench_command("AT", "\r\nOK\r\n");
}

static void a_line_while_a_command_runs_is_answered_busy_and_dropped(void **state)
{
    at_bench_send("AT+WAIT\r\n");
    at_bench_expect("AT+WAIT\r\n");
    at_bench_send("AT\r\n");
    at_bench_expect("\r\nbusy p...\r\n");
    at_bench_send("AT+RST=0\r\n");
    at_bench_expect("\r\nbusy p...\r\n");
    at_print(NULL, "+NEWS:%d\r\n", 1);
    at_bench_expect("+NEWS:1\r\n");
    sem_post(&go);
    at_bench_expect("\r\nOK\r\n");
    at_bench_command("AT", "\r\nOK\r\n");
}

static void a_line_right_behind_a_short_command_waits_for_it(void **state)
{
    at_bench_send("AT+NAP\r\nAT+NAP\r\nAT\r\n");
    at_bench_expect("AT+NAP\r\n\r\nOK\r\nAT+NAP\r\n\r\nOK\r\nAT\r\n\r\nOK\r\n");
}

static void many_lines_behind_a_long_command_wait_only_once(void **state)
{
    enum { LINES = 30 };
    struct timespec began, ended;
    at_bench_command("ATE0", "\r\nOK\r\n");
    at_bench_send("AT+WAIT\r\n");
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (int i = 0; i < LINES; i++) at_bench_send("AT\r\n");
    for (int i = 0; i < LINES; i++) at_bench_expect("\r\nbusy p...\r\n");
    clock_gettime(CLOCK_MONOTONIC, &ended);
    sem_post(&go);
    at_bench_expect("\r\nOK\r\n");
    assert_true(ended.tv_sec - began.tv_sec < 2); /* not 100 ms each */
}

static void data_is_counted_and_never_a_command(void **state)
{
    sem_post(&go);
    at_bench_command("AT+TAKE=9", "\r\nOK\r\n\r\n>");
    at_bench_send("AT\r");
    at_bench_send("\n\\\",");
    at_bench_silent(20);
    at_bench_send_bytes("\0x", 2);
    at_bench_expect_bytes("\r\nRecv 9 bytes\r\nAT\r\n\\\",\0x\r\nOK\r\n", 31);
}

static void bytes_beyond_the_data_are_busy_and_dropped(void **state)
{
    at_bench_command("AT+TAKE=4", "\r\nOK\r\n\r\n>");
    at_bench_send("abcdAT\r\n");
    at_bench_expect("\r\nRecv 4 bytes\r\n\r\nbusy p...\r\nabcd");
    at_bench_send("AT\r\n");
    at_bench_expect("\r\nbusy p...\r\n");
    sem_post(&go);
    at_bench_expect("\r\nOK\r\n");
    at_bench_command("AT", "\r\nOK\r\n");
}

static void data_that_does_not_come_ends_the_wait_and_data_mode(void **state)
{
    at_bench_command("AT+SOON", "\r\nOK\r\n\r\n>+SOON:0\r\n\r\nOK\r\n");
    at_bench_command("AT", "\r\nOK\r\n");
    at_bench_send("AT+SOON\r\n");
    at_bench_expect("AT+SOON\r\n\r\nOK\r\n\r\n>");
    at_bench_send("AT\r\n");
    at_bench_expect("+SOON:4\r\n\r\nOK\r\n");
}

static void data_mode_ends_with_its_command(void **state)
{
    at_bench_command("AT+ASK", "\r\nOK\r\n\r\n>");
    usleep(50000);
    at_bench_command("AT", "\r\nOK\r\n");
}

static void a_command_that_has_answered_still_keeps_others_out(void **state)
{
    at_bench_command("AT+EARLY", "\r\nOK\r\n");
    at_bench_send("AT\r\n");
    at_bench_expect("\r\nbusy p...\r\n");
    sem_post(&go);
    at_bench_silent(20);
    at_bench_command("AT", "\r\nOK\r\n");
}

static void a_port_that_goes_away_ends_the_wait_for_data(void **state)
{
    sem_post(&go);
    at_bench_command("AT+TAKE=9", "\r\nOK\r\n\r\n>");
    at_bench_send("half");
    at_bench_close();
    at_bench_open(groups);
    at_bench_command("AT", "\r\nOK\r\n");
}

static void strings_lose_their_escapes_and_middle_ones_may_be_left_out(void **state)
{
    at_bench_command("AT+TEXTS=\"a\\\"\\,\\\\b\",7", "+TEXTS:a\",\\b,7\r\n\r\nOK\r\n");
    at_bench_command("AT+TEXTS=\"\\x,y\"", "+TEXTS:x,y,-1\r\n\r\nOK\r\n");
    at_bench_command("AT+TEXTS=\"\",,0", "+TEXTS:,-1\r\n\r\nOK\r\n");
    at_bench_command("AT+TEXTS=\"x\",0x1F", "+TEXTS:x,31\r\n\r\nOK\r\n");
}

/* Line, code. */
static void every_class_of_malformed_line_has_its_code(void **state)
{
    static const struct {
        const char *line;
        unsigned code;
    } cases[] = {
        {"XT", 0x01030000},
        {"", 0x01030000},
        {"A", 0x01030000},
        {"AT+FAKE", 0x01090000},
        {"AT+GMRX?", 0x01090000},
        {"AT+syslog?", 0x01090000},
        {"AT+SYSLOG", 0x010c0000},
        {"AT+SYSLOG=?", 0x010c0000},
        {"AT?", 0x010c0000},
        {"ATE0=1", 0x010c0000},
        {"AT+SYSLOG=1,1", 0x01060102},
        {"AT+TEXTS=1,2,3,4", 0x01060304},
        {"AT+TEXTS=1", 0x01050000},
        {"AT+TEXTS=\"123456789\"", 0x01040000},
        {"AT+TEXTS=\"x\",\"y\"", 0x01050001},
        {"AT+TEXTS=\"x", 0x01080000},
        {"AT+TEXTS=\"x\"y", 0x01080000},
        {"AT+TEXTS=\"x\\", 0x01080000},
        {"AT+TEXTS=\"x\",1x", 0x01080001},
        {"AT+TEXTS=\"x\",0x", 0x01080001},
        {"AT+TEXTS=\"x\",-", 0x01080001},
        {"AT+TEXTS=\"x\",99999999999999999999", 0x01080001},
        {"AT+TEXTS=\"x\",101", 0x01070001},
        {"AT+TEXTS=,1", 0x01070000},
        {"AT+SYSLOG=", 0x01070000},
        {"AT+SYSLOG=2", 0x01070000},
        {"AT+TEXTS=\"x\",,1", 0x010a0001},
        {"AT+FAIL=?", 0x010a0002},
    };
    at_bench_command("AT+SYSLOG?", "+SYSLOG:0\r\n\r\nOK\r\n");
    at_bench_command("AT+FAKE", "\r\nERROR\r\n");
    at_bench_command("AT+SYSLOG=1", "\r\nOK\r\n");
    at_bench_command("AT+SYSLOG?", "+SYSLOG:1\r\n\r\nOK\r\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char answer[64];
        snprintf(answer, sizeof answer, "ERR CODE:0x%08x\r\n\r\nERROR\r\n", cases[i].code);
        at_bench_command(cases[i].line, answer);
    }
}

static void a_line_without_its_terminator_or_too_long_is_an_error(void **state)
{
    at_bench_command("AT+SYSLOG=1", "\r\nOK\r\n");
    at_bench_send("AT\n");
    at_bench_expect("AT\nERR CODE:0x01020000\r\n\r\nERROR\r\n");
    char line[300];
    memset(line, 'x', sizeof line);
    memcpy(line, "AT+TEXTS=\"", 10);
    memcpy(line + 254, "\r\n", 3); /* 256 in all */
    at_bench_send(line);
    at_bench_expect(line);
    at_bench_expect("ERR CODE:0x01080000\r\n\r\nERROR\r\n");
    memcpy(line + 254, "x\r\n", 4);
    at_bench_send(line);
    at_bench_expect(line);
    at_bench_expect("ERR CODE:0x01020000\r\n\r\nERROR\r\n");
    at_bench_command("AT", "\r\nOK\r\n");
}

static void commands_are_listed_with_their_forms(void **state)
{
    at_bench_command("AT+CMD?", "+CMD:0,\"AT\",0,0,0,1\r\n+CMD:1,\"ATE0\",0,0,0,1\r\n"
                                "+CMD:2,\"ATE1\",0,0,0,1\r\n+CMD:3,\"AT+CMD\",0,1,0,0\r\n"
                                "+CMD:4,\"AT+SYSLOG\",0,1,1,0\r\n+CMD:5,\"AT+WAIT\",0,0,0,1\r\n"
                                "+CMD:6,\"AT+TAKE\",0,0,1,0\r\n+CMD:7,\"AT+TEXTS\",0,0,1,0\r\n"
                                "+CMD:8,\"AT+SENDOK\",0,0,0,1\r\n+CMD:9,\"AT+SENDFAIL\",0,1,0,0\r\n"
                                "+CMD:10,\"AT+FAIL\",1,0,0,0\r\n+CMD:11,\"AT+SOON\",0,0,0,1\r\n"
                                "+CMD:12,\"AT+EARLY\",0,0,0,1\r\n+CMD:13,\"AT+NAP\",0,0,0,1\r\n"
                                "+CMD:14,\"AT+ASK\",0,0,0,1\r\n\r\nOK\r\n");
}

int main(void)
{
#define PORT_TEST(test) cmocka_unit_test_setup_teardown(test, open_port, close_port)
    const struct CMUnitTest tests[] = {
        PORT_TEST(every_result_has_its_bytes),
        PORT_TEST(echo_is_what_was_received_until_it_is_off),
        PORT_TEST(a_line_while_a_command_runs_is_answered_busy_and_dropped),
        PORT_TEST(a_line_right_behind_a_short_command_waits_for_it),
        PORT_TEST(many_lines_behind_a_long_command_wait_only_once),
        PORT_TEST(data_is_counted_and_never_a_command),
        PORT_TEST(bytes_beyond_the_data_are_busy_and_dropped),
        PORT_TEST(data_that_does_not_come_ends_the_wait_and_data_mode),
        PORT_TEST(data_mode_ends_with_its_command),
        PORT_TEST(a_command_that_has_answered_still_keeps_others_out),
        PORT_TEST(a_port_that_goes_away_ends_the_wait_for_data),
        PORT_TEST(strings_lose_their_escapes_and_middle_ones_may_be_left_out),
        PORT_TEST(every_class_of_malformed_line_has_its_code),
        PORT_TEST(a_line_without_its_terminator_or_too_long_is_an_error),
        PORT_TEST(commands_are_listed_with_their_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
