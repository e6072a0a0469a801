/* The chip's event loop. See pump.h. */
#include "device/pump.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* What a port waits for: the firmware's two pipes, then its terminal or wire. */
enum { AT_OUT, AT_IN, AT_PEER, AT_COUNT = AT_PEER + WIRE_FDS };
enum { FIRST_PORT = 1, ALL_FDS = FIRST_PORT + AT_COUNT * FIRMWARE_UARTS }; /* 0: signals */

int pump_open(struct pump *p, struct uart *uart, struct firmware *firmware, int in,
              struct wire *const wires[FIRMWARE_UARTS])
{
    sigset_t set;
    *p = (struct pump){.uart = uart, .firmware = firmware};
    for (unsigned n = 0; n < FIRMWARE_UARTS; n++)
        p->port[n] = (struct pump_port){.wire = wires[n], .in = n || wires[n] ? -1 : in};
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

/* --- one UART --- */

static void send_on(struct pump *p, unsigned n, const char *data, size_t len)
{
    if (n == 0)
        uart_write(p->uart, data, len);
    else
        wire_write(p->port[n].wire, data, len);
}

/* What the firmware has sent so far, as far as the wire has room, and no more at once than lets
 * the others have their turn; all of it when the firmware has ended: it fits, as a pipe holds less
 * than a wire keeps. */
static void drain(struct pump *p, unsigned n, bool ended)
{
    enum { AT_ONCE = 16 };
    char buf[16384];
    int *out = &p->firmware->out[n];
    const struct wire *wire = p->port[n].wire;
    for (int i = 0; *out >= 0 && (ended || i < AT_ONCE); i++) {
        size_t room = wire && !ended ? wire_room(wire) : sizeof buf;
        if (room == 0) return;
        ssize_t got = read(*out, buf, room < sizeof buf ? room : sizeof buf);
        if (got > 0) {
            send_on(p, n, buf, (size_t)got);
            if (p->uart->matched) return;
            continue;
        }
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        close(*out);
        *out = -1;
    }
}

static void drain_all(struct pump *p)
{
    for (unsigned n = 0; n < FIRMWARE_UARTS; n++) drain(p, n, true);
}

static void take_input(struct pump_port *port)
{
    if (port->wire) {
        port->held_len = wire_read(port->wire, port->held, sizeof port->held);
        return;
    }
    ssize_t n = read(port->in, port->held, sizeof port->held);
    if (n > 0)
        port->held_len = (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        port->in = -1;
}

static void give_input(struct pump_port *port, int to)
{
    ssize_t n = write(to, port->held, port->held_len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) n = (ssize_t)port->held_len; /* nobody reads it: lost, as on a wire */
    port->held_len -= (size_t)n;
    memmove(port->held, port->held + n, port->held_len);
}

static void port_poll(const struct pump *p, unsigned n, struct pollfd fds[AT_COUNT])
{
    const struct pump_port *port = &p->port[n];
    const struct firmware *f = p->firmware;
    bool runs = f->pid > 0, hungry = runs && !port->held_len, room = true;
    for (int i = 0; i < AT_COUNT; i++) fds[i] = (struct pollfd){.fd = -1};
    if (port->wire) {
        wire_poll(port->wire, hungry, fds + AT_PEER);
        room = wire_room(port->wire) > 0;
    } else if (hungry) {
        fds[AT_PEER] = (struct pollfd){.fd = port->in, .events = POLLIN};
    }
    fds[AT_OUT] = (struct pollfd){.fd = room ? f->out[n] : -1, .events = POLLIN};
    fds[AT_IN] = (struct pollfd){.fd = runs && port->held_len ? f->in[n] : -1, .events = POLLOUT};
}

static void port_turn(struct pump *p, unsigned n, const struct pollfd fds[AT_COUNT])
{
    struct pump_port *port = &p->port[n];
    bool hungry = p->firmware->pid > 0 && !port->held_len;
    if (fds[AT_OUT].revents) drain(p, n, false);
    if (port->wire) wire_turn(port->wire, fds + AT_PEER);
    if (hungry && (port->wire || fds[AT_PEER].revents)) take_input(port);
    if (fds[AT_IN].revents || (hungry && port->held_len)) give_input(port, p->firmware->in[n]);
}

/* --- all of it --- */

/* True: the user wants the end. */
static bool take_signals(struct pump *p)
{
    struct signalfd_siginfo info;
    bool interrupted = false;
    while (read(p->signals, &info, sizeof info) == sizeof info)
        if (info.ssi_signo != SIGCHLD) interrupted = true;
    return interrupted;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return !a || (b && b < a) ? b : a;
}

static int time_left_ms(const struct pump *p, uint64_t deadline_ns)
{
    for (unsigned n = 0; n < FIRMWARE_UARTS; n++)
        if (p->port[n].wire) deadline_ns = sooner(deadline_ns, wire_deadline(p->port[n].wire));
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
        struct pollfd fds[ALL_FDS] = {{.fd = p->signals, .events = POLLIN}};
        for (unsigned n = 0; n < FIRMWARE_UARTS; n++)
            port_poll(p, n, fds + FIRST_PORT + AT_COUNT * n);
        int found = poll(fds, ALL_FDS, time_left_ms(p, deadline_ns));
        if (found < 0 && errno != EINTR) return PUMP_INTERRUPTED;
        for (unsigned n = 0; found > 0 && n < FIRMWARE_UARTS; n++)
            port_turn(p, n, fds + FIRST_PORT + AT_COUNT * n);
        if (found > 0 && fds[0].revents && take_signals(p)) return PUMP_INTERRUPTED;
        if (f->pid > 0 && firmware_ended(f, status)) {
            drain_all(p);
            return p->uart->matched ? PUMP_MATCHED : PUMP_ENDED;
        }
        if (deadline_ns && control_now_ns() >= deadline_ns)
            return p->uart->matched ? PUMP_MATCHED : PUMP_DEADLINE;
    }
}
