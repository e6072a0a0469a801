#include "radio/medium_server.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "radio/medium_server_impl.h"

#define NEVER            UINT64_MAX
#define PATIENCE_S       10.0
#define MESSAGES_AT_ONCE 64  /* of one process, so that none keeps the others out */
#define FAST_STEPS       256 /* events between two looks at the sockets */

uint64_t medium_server_clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

void medium_server_log(struct medium_server *s, enum medium_log what, const char *format, ...)
{
    char text[256];
    va_list args;
    if (!s->config.log) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s->config.log(s->config.ctx, what, text);
}

/* --- time --- */

static uint64_t virtual_now(const struct medium_server *s)
{
    return (uint64_t)((double)(medium_server_clock_us() - s->began_us) * s->config.speed);
}

/* The first node that has still something to do; NULL: all wait. */
static struct medium_client *whose_turn(const struct medium_server *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->clients[i]->node && !s->clients[i]->waiting && !s->clients[i]->gone)
            return s->clients[i];
    return NULL;
}

/* All nodes wait: the next thing happens. False: nothing can until somebody acts. */
static bool advance(struct medium_server *s)
{
    uint64_t next = medium_next(s->medium);
    unsigned nodes = medium_server_nodes(s);
    if (nodes >= s->config.wait && nodes > 0) s->started = true;
    if (!s->started || nodes == 0 || whose_turn(s)) return false;
    for (size_t i = 0; i < s->count; i++)
        if (s->clients[i]->waiting && s->clients[i]->until < next) next = s->clients[i]->until;
    if (next == NEVER) return false;
    medium_run_until(s->medium, next);
    for (size_t i = 0; i < s->count; i++)
        if (s->clients[i]->waiting && s->clients[i]->until <= medium_now(s->medium))
            medium_client_time(s->clients[i]);
    return true;
}

/* True: more could happen at once. */
static bool run_medium(struct medium_server *s)
{
    if (!s->config.fast) {
        medium_run_until(s->medium, virtual_now(s));
        return false;
    }
    unsigned steps = 0;
    while (steps < FAST_STEPS && advance(s)) steps++;
    return steps == FAST_STEPS;
}

/* --- looking after the processes --- */

/* True: some were gone, so that others may go on. */
static bool sweep(struct medium_server *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->clients[i]->gone)
            medium_client_free(s->clients[i]);
        else
            s->clients[kept++] = s->clients[i];
    }
    bool fewer = kept < s->count;
    s->count = kept;
    return fewer;
}

/* How long a node whose turn it is may still be silent. */
static uint64_t patience_us(const struct medium_server *s, const struct medium_client *c)
{
    uint64_t limit = (uint64_t)(s->config.patience * 1e6);
    uint64_t silent = medium_server_clock_us() - c->heard_us;
    return silent < limit ? limit - silent : 0;
}

/* The silence of a node counts from the moment in which it is its turn. */
static void cut_off_silent(struct medium_server *s)
{
    char why[120];
    struct medium_client *turn = s->config.fast ? whose_turn(s) : NULL;
    if (turn != s->turn && turn) turn->heard_us = medium_server_clock_us();
    s->turn = turn;
    if (!turn || patience_us(s, turn) > 0) return;
    snprintf(why, sizeof why, "was silent for %.3g s while the others waited for it",
             s->config.patience);
    medium_client_refuse(turn, why);
}

/* The time in which poll() may sleep. */
static struct timespec sleep_time(const struct medium_server *s, int timeout_ms)
{
    uint64_t us = timeout_ms < 0 ? NEVER : (uint64_t)timeout_ms * 1000u;
    uint64_t next = medium_next(s->medium), now = virtual_now(s);
    if (!s->config.fast && next != NEVER) {
        double left = next > now ? (double)(next - now) / s->config.speed : 0;
        if (left < (double)us) us = (uint64_t)left;
    }
    const struct medium_client *turn = s->config.fast ? whose_turn(s) : NULL;
    if (turn && patience_us(s, turn) < us) us = patience_us(s, turn);
    if (us > 3600000000u) us = 3600000000u;
    return (struct timespec){.tv_sec = (time_t)(us / 1000000u),
                             .tv_nsec = (long)(us % 1000000u) * 1000};
}

static void take_new(struct medium_server *s)
{
    uint8_t first[MEDIUM_MESSAGE_MAX];
    size_t len;
    for (int fd; (fd = medium_server_accept(s, first, &len)) >= 0;)
        if (medium_client_new(s, fd) && s->udp)
            medium_client_packet(s->clients[s->count - 1], first, len);
}

/* With --fast the nodes are heard one after the other, in the order in which they came:
 * so that a run is the same each time. */
static bool may_speak(const struct medium_server *s, const struct medium_client *c,
                      const struct medium_client *turn)
{
    return !s->config.fast || !c->node || c->waiting || c == turn;
}

static void hear(struct medium_server *s, const struct pollfd *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct medium_client *c = s->clients[i];
        if (!p[i].revents) continue;
        for (unsigned k = 0; k < MESSAGES_AT_ONCE && medium_client_read(c); k++)
            if (s->config.fast && c->waiting) break;
    }
}

static int look(struct medium_server *s, const struct timespec *timeout)
{
    size_t count = s->count;
    struct pollfd *p = calloc(count + 1, sizeof *p);
    const struct medium_client *turn = s->config.fast ? whose_turn(s) : NULL;
    if (!p) return AL_FAIL;
    for (size_t i = 0; i < count; i++) {
        /* One that is gone shows it all the same. */
        short events = may_speak(s, s->clients[i], turn) ? POLLIN : 0;
        p[i] = (struct pollfd){.fd = s->clients[i]->fd, .events = events};
    }
    p[count] = (struct pollfd){.fd = s->listener, .events = POLLIN};
    int n = ppoll(p, count + 1, timeout, NULL);
    int err = n < 0 && errno != EINTR ? AL_FAIL : 0;
    if (n > 0) {
        if (!s->config.fast) medium_run_until(s->medium, virtual_now(s));
        hear(s, p, count);
        if (p[count].revents) take_new(s);
    }
    free(p);
    return err;
}

int medium_server_step(struct medium_server *s, int timeout_ms)
{
    bool more = run_medium(s);
    cut_off_silent(s);
    more |= sweep(s);
    struct timespec timeout = more ? (struct timespec){0, 0} : sleep_time(s, timeout_ms);
    if (look(s, &timeout)) return AL_FAIL;
    sweep(s);
    return 0;
}

/* --- coming and going --- */

struct medium_server *medium_server_open(const struct medium_server_config *c, char *error,
                                         size_t error_size)
{
    struct medium_server *s = calloc(1, sizeof *s);
    snprintf(error, error_size, "no memory");
    if (!s) return NULL;
    s->config = *c;
    s->listener = -1;
    if (s->config.speed <= 0) s->config.speed = 1;
    s->config.speed = ceil(s->config.speed * 1000) / 1000; /* as the messages can say it */
    if (s->config.patience <= 0) s->config.patience = PATIENCE_S;
    s->medium = medium_new(&c->medium);
    if (!s->medium || medium_server_listen(s, error, error_size)) {
        medium_server_close(s);
        return NULL;
    }
    s->began_us = medium_server_clock_us();
    return s;
}

void medium_server_close(struct medium_server *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->count; i++) medium_client_free(s->clients[i]);
    free(s->clients);
    medium_server_unlisten(s);
    medium_free(s->medium);
    free(s);
}

struct medium *medium_server_medium(struct medium_server *s)
{
    return s->medium;
}

unsigned medium_server_nodes(const struct medium_server *s)
{
    unsigned nodes = 0;
    for (size_t i = 0; i < s->count; i++) nodes += s->clients[i]->node && !s->clients[i]->gone;
    return nodes;
}

uint16_t medium_server_port(const struct medium_server *s)
{
    return s->port;
}
