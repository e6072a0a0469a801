/* The chip's event loop. See pump.h. */
#include "device/pump.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { AT_SIGNALS, AT_OUT, AT_TERMINAL, AT_IN, AT_COUNT };

int pump_open(struct pump *p, struct uart *uart, struct firmware *firmware, int in)
{
    sigset_t set;
    *p = (struct pump){.uart = uart, .firmware = firmware, .in = in};
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (p->signals < 0) return -errno;
    sigprocmask(SIG_BLOCK, &set, &p->old_mask);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTIN, SIG_IGN); /* run in the background: no input then */
    return 0;
}

void pump_close(struct pump *p)
{
    struct signalfd_siginfo info;
    /* What came for us must not hit the process once signals are let through. */
    while (read(p->signals, &info, sizeof info) == sizeof info) {
    }
    close(p->signals);
    sigprocmask(SIG_SETMASK, &p->old_mask, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGTTIN, SIG_DFL);
}

/* Everything the firmware has printed so far. */
static void drain(struct pump *p)
{
    char buf[16384];
    struct firmware *f = p->firmware;
    while (f->out >= 0) {
        ssize_t n = read(f->out, buf, sizeof buf);
        if (n > 0) {
            uart_write(p->uart, buf, (size_t)n);
            if (p->uart->matched) return;
            continue;
        }
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        close(f->out);
        f->out = -1;
    }
}

static void take_input(struct pump *p)
{
    ssize_t n = read(p->in, p->held, sizeof p->held);
    if (n > 0)
        p->held_len = (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        p->in = -1;
}

static void give_input(struct pump *p)
{
    ssize_t n = write(p->firmware->in, p->held, p->held_len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) n = (ssize_t)p->held_len; /* nobody reads it: lost, as on a wire */
    p->held_len -= (size_t)n;
    memmove(p->held, p->held + n, p->held_len);
}

/* True: the user wants the end. */
static bool take_signals(struct pump *p)
{
    struct signalfd_siginfo info;
    bool interrupted = false;
    while (read(p->signals, &info, sizeof info) == sizeof info)
        if (info.ssi_signo != SIGCHLD) interrupted = true;
    return interrupted;
}

static int time_left_ms(uint64_t deadline_ns)
{
    if (!deadline_ns) return -1;
    uint64_t now = control_now_ns();
    if (now >= deadline_ns) return 0;
    uint64_t ms = (deadline_ns - now) / 1000000u + 1;
    return ms > 60000 ? 60000 : (int)ms;
}

enum pump_end pump_run(struct pump *p, uint64_t deadline_ns, int *status)
{
    struct firmware *f = p->firmware;
    for (;;) {
        if (p->uart->matched) return PUMP_MATCHED;
        if (p->uart->broken) return PUMP_NO_OUTPUT;
        bool runs = f->pid > 0;
        struct pollfd fds[AT_COUNT] = {
            [AT_SIGNALS] = {.fd = p->signals, .events = POLLIN},
            [AT_OUT] = {.fd = f->out, .events = POLLIN},
            [AT_TERMINAL] = {.fd = runs && !p->held_len ? p->in : -1, .events = POLLIN},
            [AT_IN] = {.fd = runs && p->held_len ? f->in : -1, .events = POLLOUT},
        };
        int n = poll(fds, AT_COUNT, time_left_ms(deadline_ns));
        if (n < 0 && errno != EINTR) return PUMP_INTERRUPTED;
        if (n > 0 && fds[AT_OUT].revents) drain(p);
        if (n > 0 && fds[AT_TERMINAL].revents) take_input(p);
        if (n > 0 && fds[AT_IN].revents) give_input(p);
        if (n > 0 && fds[AT_SIGNALS].revents && take_signals(p)) return PUMP_INTERRUPTED;
        if (runs && firmware_ended(f, status)) {
            drain(p);
            return p->uart->matched ? PUMP_MATCHED : PUMP_ENDED;
        }
        if (deadline_ns && control_now_ns() >= deadline_ns)
            return p->uart->matched ? PUMP_MATCHED : PUMP_DEADLINE;
    }
}
