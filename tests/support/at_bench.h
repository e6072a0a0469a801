/* An AT port inside the test's process: bytes go in, what comes out is compared byte for byte.
 *
 *   static const struct at_command *const groups[] = {at_ciupdate_commands, NULL};
 *   at_bench_open(groups);
 *   at_bench_send("AT+CIUPDATE?\r\n");
 *   at_bench_expect("AT+CIUPDATE?\r\n+CIUPDATE:0\r\n\r\nOK\r\n");   (echo is on)
 *   at_bench_close();
 *
 * Handlers that touch flash need test_board_new() before. */
#ifndef TESTS_SUPPORT_AT_BENCH_H
#define TESTS_SUPPORT_AT_BENCH_H

#include "at/at_port.h"

/* groups: NULL-terminated; must stay. Lines end by CR LF, echo is on. */
void at_bench_open(const struct at_command *const *groups);
/* Ends the port; a command that still runs is waited for. */
void at_bench_close(void);

void at_bench_send(const char *text);
void at_bench_send_bytes(const void *data, size_t len);
/* The next output is this, within 10 s; else the test fails and shows what came. */
void at_bench_expect(const char *text);
void at_bench_expect_bytes(const void *data, size_t len);
/* Nothing comes for so long. */
void at_bench_silent(unsigned ms);
/* All output up to and with text, within 10 s (malloc'ed). */
char *at_bench_until(const char *text);
/* Sends line and CR LF without looking at the echo, expects what answer says ("\r\nOK\r\n"). */
void at_bench_command(const char *line, const char *answer);

#endif
