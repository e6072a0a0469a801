/* A UART's other end. See wire.h. */
#include "device/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/err.h"
#include "device/control.h"

enum { DOOR, PEER };

/* --- opening --- */

bool wire_spec_valid(const char *spec)
{
    bool pty = strcmp(spec, "pty") == 0 || (strncmp(spec, "pty:", 4) == 0 && spec[4]);
    bool tcp = strncmp(spec, "tcp:", 4) == 0 && spec[4];
    return pty || tcp;
}

/* A terminal that opens the pty is noticed through a watch on its device; that is why our own end
 * of it is closed. Without watches it stays open, and somebody seems to be there always. */
static void watch_pty(struct wire *w)
{
    w->peer = w->pty.master;
    w->door = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->door >= 0 && inotify_add_watch(w->door, w->pty.device, IN_OPEN) >= 0) {
        close(w->pty.slave);
        w->pty.slave = -1;
        return;
    }
    if (w->door >= 0) close(w->door);
    w->door = -1;
    w->readable = w->writable = true;
}

int wire_open(struct wire *w, const char *spec, char *why, size_t why_size)
{
    w->door = w->peer = -1;
    w->readable = w->writable = w->leaving = false;
    w->refused_since = w->start = w->len = 0;
    w->pty = (struct line_pty){.master = -1, .slave = -1};
    if (!wire_spec_valid(spec)) {
        snprintf(why, why_size, "'%s': expected " WIRE_SPEC_WORDS, spec);
        return AL_FAIL;
    }
    w->is_pty = spec[0] == 'p';
    if (!w->is_pty) {
        w->door = line_listen(spec + 4, &w->port, why, why_size);
        return w->door < 0 ? AL_FAIL : 0;
    }
    int err = line_pty_open(&w->pty, spec[3] ? spec + 4 : NULL, why, why_size);
    if (!err) watch_pty(w);
    return err;
}

const char *wire_place(const struct wire *w, char *text, size_t size)
{
    if (!w->is_pty)
        snprintf(text, size, "TCP port %u", w->port);
    else if (w->pty.link[0])
        snprintf(text, size, "%s (%s)", w->pty.link, w->pty.device);
    else
        snprintf(text, size, "%s", w->pty.device);
    return text;
}

/* --- who is there --- */

static void hang_up(struct wire *w)
{
    w->readable = w->writable = w->leaving = false;
    w->refused_since = 0;
    if (w->is_pty || w->peer < 0) return;
    close(w->peer);
    w->peer = -1;
}

static void no_more_output(struct wire *w)
{
    w->writable = false;
    w->refused_since = 0;
    if (!w->readable) hang_up(w);
}

static void no_more_input(struct wire *w)
{
    w->readable = w->leaving = false;
    if (w->is_pty || !w->writable) hang_up(w);
}

/* One at a time. Whoever has stopped sending makes way, once all that he sent is read. */
static void take_client(struct wire *w)
{
    struct pollfd there = {.fd = w->peer, .events = POLLRDHUP};
    if (w->readable && poll(&there, 1, 0) > 0) {
        w->leaving = true;
        return;
    }
    int on = 1, fd = accept4(w->door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (w->readable) {
        close(fd);
        return;
    }
    hang_up(w);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    w->peer = fd;
    w->readable = w->writable = true;
}

static void answer_door(struct wire *w)
{
    char events[1024];
    if (!w->is_pty) {
        take_client(w);
        return;
    }
    while (read(w->door, events, sizeof events) > 0) w->readable = w->writable = true;
}

/* --- bytes --- */

static void send_kept(struct wire *w)
{
    while (w->writable && w->len) {
        uint32_t n = WIRE_KEPT - w->start;
        if (n > w->len) n = w->len;
        ssize_t sent = w->is_pty ? write(w->peer, w->kept + w->start, n)
                                 : send(w->peer, w->kept + w->start, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) {
            if (!w->refused_since) w->refused_since = control_now_ns();
            return;
        }
        if (sent <= 0) {
            no_more_output(w);
            return;
        }
        w->refused_since = 0;
        w->start = (w->start + (uint32_t)sent) % WIRE_KEPT;
        w->len -= (uint32_t)sent;
    }
}

size_t wire_read(struct wire *w, char *buf, size_t size)
{
    while (w->readable) {
        ssize_t n = read(w->peer, buf, size);
        if (n > 0) return (size_t)n;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        no_more_input(w); /* a pty whose terminal has left gives EIO */
    }
    return 0;
}

static bool impatient(const struct wire *w)
{
    return w->refused_since && control_now_ns() - w->refused_since >= WIRE_PATIENCE_NS;
}

size_t wire_room(const struct wire *w)
{
    size_t room = WIRE_KEPT - WIRE_RESERVE;
    if (!w->writable || impatient(w)) return room;
    return w->len < room ? room - w->len : 0;
}

void wire_write(struct wire *w, const char *data, size_t len)
{
    if (len > WIRE_KEPT) {
        data += len - WIRE_KEPT;
        len = WIRE_KEPT;
    }
    uint32_t lost = w->len + len > WIRE_KEPT ? w->len + (uint32_t)len - WIRE_KEPT : 0;
    w->start = (w->start + lost) % WIRE_KEPT;
    w->len -= lost;
    for (size_t i = 0; i < len; i++) w->kept[(w->start + w->len++) % WIRE_KEPT] = data[i];
    send_kept(w);
}

/* --- waiting --- */

void wire_poll(const struct wire *w, bool input, struct pollfd fds[WIRE_FDS])
{
    short events = 0;
    if (w->readable && input) events |= POLLIN;
    if (w->writable && w->len) events |= POLLOUT;
    fds[DOOR] = (struct pollfd){.fd = w->leaving ? -1 : w->door, .events = POLLIN};
    fds[PEER] = (struct pollfd){.fd = events ? w->peer : -1, .events = events};
}

void wire_turn(struct wire *w, const struct pollfd fds[WIRE_FDS])
{
    if (fds[PEER].revents & (POLLHUP | POLLERR)) no_more_output(w);
    if (fds[DOOR].revents) answer_door(w);
    send_kept(w);
}

uint64_t wire_deadline(const struct wire *w)
{
    return w->refused_since && !impatient(w) ? w->refused_since + WIRE_PATIENCE_NS : 0;
}

void wire_close(struct wire *w)
{
    enum { MOMENT_MS = 200 };
    uint64_t end = control_now_ns() + MOMENT_MS * 1000000ull;
    while (w->writable && w->len && control_now_ns() < end) {
        struct pollfd fds[WIRE_FDS];
        wire_poll(w, false, fds);
        fds[DOOR].fd = -1;
        fds[DOOR].revents = 0;
        poll(fds, WIRE_FDS, MOMENT_MS);
        wire_turn(w, fds);
    }
    if (!w->is_pty && w->peer >= 0) close(w->peer);
    if (w->door >= 0) close(w->door);
    line_pty_close(&w->pty);
    w->door = w->peer = -1;
}
