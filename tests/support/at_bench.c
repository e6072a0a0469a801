#include "tests/support/at_bench.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ROOM = 1 << 20, PATIENCE_MS = 10000 };

struct flow {
    uint8_t bytes[ROOM];
    size_t first, end;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct flow in, out;
static bool closing;

static void append(struct flow *f, const void *data, size_t len)
{
    pthread_mutex_lock(&lock);
    if (f->first == f->end) f->first = f->end = 0;
    if (len <= ROOM - f->end) {
        memcpy(f->bytes + f->end, data, len);
        f->end += len;
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static size_t port_read(struct at_port *p, void *buf, size_t len)
{
    pthread_mutex_lock(&lock);
    while (in.first == in.end && !closing) pthread_cond_wait(&changed, &lock);
    size_t n = in.end - in.first < len ? in.end - in.first : len;
    memcpy(buf, in.bytes + in.first, n);
    in.first += n;
    pthread_mutex_unlock(&lock);
    return n;
}

static void port_write(struct at_port *p, const void *data, size_t len)
{
    append(&out, data, len);
}

static struct at_port port = {.read = port_read, .write = port_write};

void at_bench_open(const struct at_command *const *groups)
{
    in.first = in.end = out.first = out.end = 0;
    closing = false;
    at_engine_start(&(struct at_engine_config){.groups = groups, .terminator = -1});
    at_engine_add(&port);
}

void at_bench_close(void)
{
    pthread_mutex_lock(&lock);
    closing = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    at_port_closed(&port);
}

void at_bench_send_bytes(const void *data, size_t len)
{
    append(&in, data, len);
}

void at_bench_send(const char *text)
{
    at_bench_send_bytes(text, strlen(text));
}

static struct timespec after(unsigned ms)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    return t;
}

/* Lock held: until there are len bytes. */
static bool wait_for(size_t len, const struct timespec *until)
{
    while (out.end - out.first < len)
        if (pthread_cond_timedwait(&changed, &lock, until)) break;
    return out.end - out.first >= len;
}

static void show(const char *what, const uint8_t *bytes, size_t len)
{
    print_error("%s:\n", what);
    for (size_t i = 0; i < len; i++)
        print_error(bytes[i] >= ' ' && bytes[i] < 0x7f ? "%c"
                    : bytes[i] == '\n'                 ? "\\n\n"
                                                       : "\\x%02x",
                    bytes[i]);
    print_error("\n");
}

void at_bench_expect_bytes(const void *data, size_t len)
{
    struct timespec until = after(PATIENCE_MS);
    pthread_mutex_lock(&lock);
    bool same = wait_for(len, &until) && !memcmp(out.bytes + out.first, data, len);
    if (!same) {
        show("expected", data, len);
        show("came", out.bytes + out.first, out.end - out.first);
    }
    out.first += same ? len : 0;
    pthread_mutex_unlock(&lock);
    assert_true(same);
}

void at_bench_expect(const char *text)
{
    at_bench_expect_bytes(text, strlen(text));
}

void at_bench_silent(unsigned ms)
{
    struct timespec until = after(ms);
    pthread_mutex_lock(&lock);
    bool some = wait_for(1, &until);
    if (some) show("came", out.bytes + out.first, out.end - out.first);
    pthread_mutex_unlock(&lock);
    assert_false(some);
}

char *at_bench_until(const char *text)
{
    struct timespec until = after(PATIENCE_MS);
    size_t len = strlen(text), have = 0;
    char *result = NULL;
    pthread_mutex_lock(&lock);
    for (bool more = true; more && !result; more = wait_for(have + 1, &until)) {
        have = out.end - out.first;
        const uint8_t *found = memmem(out.bytes + out.first, have, text, len);
        if (!found) continue;
        size_t n = (size_t)(found - out.bytes) - out.first + len;
        result = calloc(1, n + 1);
        if (result) memcpy(result, out.bytes + out.first, n);
        out.first += n;
        break;
    }
    if (!result) show("came", out.bytes + out.first, out.end - out.first);
    pthread_mutex_unlock(&lock);
    assert_non_null(result);
    return result;
}

void at_bench_command(const char *line, const char *answer)
{
    char text[1024];
    snprintf(text, sizeof text, "%s\r\n", line);
    at_bench_send(text);
    at_bench_expect(text);
    at_bench_expect(answer);
}
