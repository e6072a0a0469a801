/* AT+WEBSERVER on a port: which forms it takes, and the error code of each that it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/at_bench.h"
#include "tests/support/cloud_board.h"

#define OK "\r\nOK\r\n"

static const struct at_command *const groups[] = {at_basic_commands, at_system_commands,
                                                  at_web_server_commands, NULL};

static void is_fine(const char *line)
{
    at_bench_send(line);
    at_bench_send("\r\n");
    at_bench_expect(OK);
}

static int setup(void **state)
{
    cloud_board_new();
    at_bench_open(groups);
    at_bench_command("ATE0", OK);
    is_fine("AT+SYSLOG=1");
    return 0;
}

static int teardown(void **state)
{
    at_bench_close();
    return 0;
}

static void is_an_error(const char *line, unsigned code)
{
    char answer[64];
    snprintf(answer, sizeof answer, "ERR CODE:0x%08x\r\n\r\nERROR\r\n", code);
    at_bench_send(line);
    at_bench_send("\r\n");
    at_bench_expect(answer);
}

static void wrong_parameters_have_their_error_code(void **state)
{
    is_an_error("AT+WEBSERVER=2,80,25", 0x01070000);
    is_an_error("AT+WEBSERVER=-1", 0x01070000);
    is_an_error("AT+WEBSERVER=\"1\",80,25", 0x01050000);
    is_an_error("AT+WEBSERVER=0,80,25", 0x01070000); /* the original would start it */
    is_an_error("AT+WEBSERVER=1", 0x01060301);
    is_an_error("AT+WEBSERVER=1,80", 0x01060302);
    is_an_error("AT+WEBSERVER=1,-1,25", 0x01070001);
    is_an_error("AT+WEBSERVER=1,65536,25", 0x01070001);
    is_an_error("AT+WEBSERVER=1,80,20", 0x01070002);
    is_an_error("AT+WEBSERVER=1,80,61", 0x01070002);
    is_an_error("AT+WEBSERVER=1,80,25,5", 0x01050003);
    is_an_error("AT+WEBSERVER=1,80,25,\"x\",1", 0x01060405);
    is_an_error("AT+WEBSERVER?", 0x010c0000);
    is_an_error("AT+WEBSERVER", 0x010c0000);
    is_an_error("AT+WEBSERVER=?", 0x010c0000);
}

static void stopping_what_does_not_run_is_fine(void **state)
{
    is_fine("AT+WEBSERVER=0");
}

static void it_starts_twice_and_stops(void **state)
{
    is_fine("AT+WEBSERVER=1,0,21,\"secret\"");
    is_fine("AT+WEBSERVER=1,1,60");
    is_an_error("AT+WEBSERVER=1,0,21,\"another\"", 0x010a0001);
    is_fine("AT+WEBSERVER=0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wrong_parameters_have_their_error_code, setup, teardown),
        cmocka_unit_test_setup_teardown(stopping_what_does_not_run_is_fine, setup, teardown),
        cmocka_unit_test_setup_teardown(it_starts_twice_and_stops, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
