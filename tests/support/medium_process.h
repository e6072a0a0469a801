/* A medium (radio/medium_server.h) as a child process of a test. */
#ifndef TESTS_SUPPORT_MEDIUM_PROCESS_H
#define TESTS_SUPPORT_MEDIUM_PROCESS_H

#include <sys/types.h>

#include "radio/medium_server.h"

struct medium_process {
    char dir[64], path[96], where[112]; /* where: as --radio has it */
    pid_t pid;
    int log;
};

/* c.address NULL: a socket in a new directory. Attaching is possible when it returns. */
void medium_process_start(struct medium_process *s, struct medium_server_config c);
void medium_process_end(struct medium_process *s);

/* Waits until the log has text, which no earlier call has seen; fails the test after 5 s. */
void medium_process_await_log(struct medium_process *s, const char *text);

#endif
