/* The virtual co-processor as a process. See rcp_server.h. */
#include "radio/rcp_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/err.h"
#include "host/line.h"
#include "radio/medium_port.h"

#define OUT_MAX 65536u

struct rcp_server {
    struct rcp_server_config config;
    struct rcp rcp;
    struct radio *radio;
    int epoll;    /* of all below: readable when something is to be done */
    int listener; /* TCP; -1: pty */
    int host;     /* connection, or the pty's master; -1: none */
    struct line_pty pty;
    uint16_t port;
    uint8_t out[OUT_MAX];
    size_t out_len;
    bool writable_wanted;
};

__attribute__((format(printf, 3, 4))) static int fail(char *error, size_t size, const char *format,
                                                      ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, size, format, args);
    va_end(args);
    return AL_FAIL;
}

static void tell(struct rcp_server *s, const char *text)
{
    if (s->config.log) s->config.log(s->config.ctx, text);
}

static void watch(struct rcp_server *s, int fd, uint32_t events, int op)
{
    struct epoll_event e = {.events = events, .data = {.fd = fd}};
    epoll_ctl(s->epoll, op, fd, &e);
}

static void host_lost(struct rcp_server *s)
{
    close(s->host);
    s->host = -1;
    s->out_len = 0;
    rcp_new_host(&s->rcp);
    tell(s, "the host has disconnected");
}

static void write_out(struct rcp_server *s)
{
    ssize_t n = 0;
    if (s->out_len && s->listener >= 0)
        n = send(s->host, s->out, s->out_len, MSG_NOSIGNAL);
    else if (s->out_len)
        n = write(s->host, s->out, s->out_len);
    if (n > 0) {
        s->out_len -= (size_t)n;
        memmove(s->out, s->out + n, s->out_len);
    }
    bool wanted = s->out_len > 0;
    if (wanted != s->writable_wanted)
        watch(s, s->host, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
    s->writable_wanted = wanted;
}

/* A frame that a host which does not read leaves no room for is dropped as a whole. */
static void to_host(void *ctx, const uint8_t *bytes, size_t len)
{
    struct rcp_server *s = ctx;
    if (s->host < 0 || len > sizeof s->out - s->out_len) return;
    memcpy(s->out + s->out_len, bytes, len);
    s->out_len += len;
    write_out(s);
}

static void pending_for_all(void *ctx, bool on)
{
    struct rcp_server *s = ctx;
    if (strncmp(s->config.radio, "medium:", 7) == 0) medium_port_pending_for_all(s->radio, on);
}

static void received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    rcp_received(&((struct rcp_server *)ctx)->rcp, now, rx);
}

static void transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    rcp_transmitted(&((struct rcp_server *)ctx)->rcp, now, status, pending);
}

static void scanned(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    rcp_scanned(&((struct rcp_server *)ctx)->rcp, now, channel, dbm);
}

static void restarted(void *ctx, uint64_t now)
{
    rcp_restarted(&((struct rcp_server *)ctx)->rcp, now);
}

static int open_tcp(struct rcp_server *s, const char *port, char *error, size_t size)
{
    s->listener = line_listen(port, &s->port, error, size);
    if (s->listener < 0) return AL_FAIL;
    watch(s, s->listener, EPOLLIN, EPOLL_CTL_ADD);
    return 0;
}

/* The slave stays open, so that the pty outlives its hosts. */
static int open_pty(struct rcp_server *s, const char *path, char *error, size_t size)
{
    int err = line_pty_open(&s->pty, path, error, size);
    if (err) return err;
    s->host = s->pty.master;
    watch(s, s->host, EPOLLIN, EPOLL_CTL_ADD);
    return 0;
}

static int open_all(struct rcp_server *s, char *error, size_t size)
{
    const struct rcp_server_config *c = &s->config;
    struct radio_events events = {received, transmitted, scanned, restarted};
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll < 0) return fail(error, size, "epoll: %s", strerror(errno));
    if (c->stop >= 0) watch(s, c->stop, EPOLLIN, EPOLL_CTL_ADD);
    int err = AL_FAIL;
    if (strncmp(c->listen, "tcp:", 4) == 0)
        err = open_tcp(s, c->listen + 4, error, size);
    else if (strncmp(c->listen, "pty:", 4) == 0 && c->listen[4])
        err = open_pty(s, c->listen + 4, error, size);
    else
        fail(error, size, "'%s': expected tcp:PORT or pty:LINK", c->listen);
    if (err) return err;
    s->radio = radio_open(c->radio, c->eui64, c->name ? c->name : "rcp", &events, s, error, size);
    if (!s->radio) return AL_FAIL;
    s->rcp.port = radio_port(s->radio);
    s->rcp.eui64 = radio_eui64(s->radio);
    s->rcp.pending_for_all = pending_for_all;
    s->rcp.send = to_host;
    s->rcp.ctx = s;
    rcp_init(&s->rcp);
    return 0;
}

struct rcp_server *rcp_server_open(const struct rcp_server_config *c, char *error,
                                   size_t error_size)
{
    struct rcp_server *s = calloc(1, sizeof *s);
    if (!s) {
        fail(error, error_size, "out of memory");
        return NULL;
    }
    s->config = *c;
    s->epoll = s->listener = s->host = s->pty.master = s->pty.slave = -1;
    if (open_all(s, error, error_size) == 0) return s;
    rcp_server_close(s);
    return NULL;
}

void rcp_server_close(struct rcp_server *s)
{
    if (!s) return;
    radio_close(s->radio);
    if (s->host == s->pty.master) s->host = -1;
    line_pty_close(&s->pty);
    int fds[] = {s->host, s->listener, s->epoll};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0) close(fds[i]);
    free(s);
}

static void read_host(struct rcp_server *s)
{
    uint8_t buf[4096];
    ssize_t n = read(s->host, buf, sizeof buf);
    if (n > 0)
        rcp_input(&s->rcp, buf, (size_t)n);
    else if (s->listener >= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR)))
        host_lost(s);
}

/* Takes note of a host that has left, if another one is already at the door. */
static void drain_host(struct rcp_server *s)
{
    struct pollfd p = {.fd = s->host, .events = POLLIN};
    while (s->host >= 0 && poll(&p, 1, 0) > 0) read_host(s);
}

static void accept_host(struct rcp_server *s)
{
    drain_host(s);
    int on = 1, fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (s->host >= 0) {
        close(fd);
        tell(s, "a second host was turned away: one at a time");
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    s->host = fd;
    s->out_len = 0;
    s->writable_wanted = false;
    watch(s, fd, EPOLLIN, EPOLL_CTL_ADD);
    rcp_new_host(&s->rcp);
    tell(s, "a host has connected");
}

/* What the descriptors bring. True: stop. */
static bool serve(struct rcp_server *s)
{
    struct epoll_event e[4];
    bool stop = false;
    int n = epoll_wait(s->epoll, e, 4, 0);
    for (int i = 0; i < n; i++) {
        int fd = e[i].data.fd;
        if (fd == s->config.stop) {
            stop = true;
        } else if (fd == s->listener) {
            accept_host(s);
        } else if (fd == s->host) {
            if (e[i].events & EPOLLOUT) write_out(s);
            if (e[i].events & ~(uint32_t)EPOLLOUT) read_host(s);
        }
    }
    return stop;
}

int rcp_server_run(struct rcp_server *s)
{
    while (!serve(s)) {
        int err = radio_wait(s->radio, UINT64_MAX, s->epoll);
        if (err) return err;
    }
    return 0;
}

const char *rcp_server_error(const struct rcp_server *s)
{
    return radio_error(s->radio);
}

uint16_t rcp_server_port(const struct rcp_server *s)
{
    return s->port;
}

const char *rcp_server_device(const struct rcp_server *s)
{
    return s->pty.device[0] ? s->pty.device : NULL;
}

uint64_t rcp_server_eui64(const struct rcp_server *s)
{
    return radio_eui64(s->radio);
}
