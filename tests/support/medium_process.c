#include "tests/support/medium_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void log_line(void *ctx, enum medium_log what, const char *text)
{
    dprintf(*(int *)ctx, "%s\n", text);
}

static _Noreturn void serve(const struct medium_server_config *c, int ready)
{
    char why[256];
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* not to outlive a test that fails */
    struct medium_server *s = medium_server_open(c, why, sizeof why);
    uint16_t port = s ? medium_server_port(s) : 0;
    if (!s) dprintf(STDERR_FILENO, "%s\n", why);
    if (!s || write(ready, &port, sizeof port) != sizeof port) _exit(1);
    while (medium_server_step(s, 1000) == 0) {
    }
    _exit(1);
}

void medium_process_start(struct medium_process *s, struct medium_server_config c)
{
    int log[2], ready[2];
    uint16_t port;
    snprintf(s->dir, sizeof s->dir, "/tmp/airlift-medium.XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->path, sizeof s->path, "%s/air", s->dir);
    assert_int_equal(pipe2(log, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    if (!c.address) c.address = s->path;
    c.log = log_line;
    c.ctx = &log[1];
    s->pid = fork();
    if (s->pid == 0) serve(&c, ready[1]);
    assert_int_equal(read(ready[0], &port, sizeof port), sizeof port);
    if (port)
        snprintf(s->where, sizeof s->where, "medium:udp:%u", port);
    else
        snprintf(s->where, sizeof s->where, "medium:%s", s->path);
    close(ready[0]);
    close(ready[1]);
    close(log[1]);
    s->log = log[0];
    fcntl(s->log, F_SETFL, O_NONBLOCK);
}

void medium_process_end(struct medium_process *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    close(s->log);
    unlink(s->path);
    rmdir(s->dir);
}

void medium_process_await_log(struct medium_process *s, const char *text)
{
    static char said[4096];
    size_t len = 0;
    for (int i = 0; i < 500; i++) {
        ssize_t n = read(s->log, said + len, sizeof said - 1 - len);
        if (n > 0) len += (size_t)n;
        said[len] = 0;
        if (strstr(said, text)) return;
        usleep(10000);
    }
    fail_msg("the log does not say '%s' but '%s'", text, said);
}
