/* Serial lines and TCP connections. See spinel_link.h. */
#include "radio/spinel_link.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include "core/err.h"

#define TCP_SCHEME "tcp://"

__attribute__((format(printf, 2, 3))) static int fail(struct spinel_link *l, const char *format,
                                                      ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(l->error, sizeof l->error, format, args);
    va_end(args);
    return AL_FAIL;
}

static const struct {
    uint32_t baud;
    speed_t speed;
} speeds[] = {
    {9600, B9600},       {19200, B19200},     {38400, B38400},     {57600, B57600},
    {115200, B115200},   {230400, B230400},   {460800, B460800},   {500000, B500000},
    {576000, B576000},   {921600, B921600},   {1000000, B1000000}, {1152000, B1152000},
    {1500000, B1500000}, {2000000, B2000000}, {3000000, B3000000},
};

static bool speed_of(uint32_t baud, speed_t *speed)
{
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        if (speeds[i].baud != baud) continue;
        *speed = speeds[i].speed;
        return true;
    }
    return false;
}

static int look_up(struct spinel_link *l, const char *where)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
    char host[200];
    const char *colon = strrchr(where, ':');
    size_t n = colon ? (size_t)(colon - where) : 0;
    if (n == 0 || n >= sizeof host || !colon[1])
        return fail(l, "'tcp://%s': expected tcp://HOST:PORT", where);
    bool brackets = where[0] == '[' && where[n - 1] == ']'; /* IPv6 */
    snprintf(host, sizeof host, "%.*s", (int)(n - (brackets ? 2 : 0)), where + brackets);
    int err = getaddrinfo(host, colon + 1, &hints, &found);
    if (err || !found) return fail(l, "%s: %s", host, gai_strerror(err));
    const struct addrinfo *best = found; /* IPv4 first: there small servers listen */
    for (const struct addrinfo *a = found; a && best->ai_family != AF_INET; a = a->ai_next)
        if (a->ai_family == AF_INET) best = a;
    memcpy(&l->addr, best->ai_addr, best->ai_addrlen);
    l->addr_len = best->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static int read_option(struct spinel_link *l, const char *option)
{
    speed_t speed;
    char *end;
    if (strncmp(option, "baud=", 5) == 0) {
        unsigned long baud = strtoul(option + 5, &end, 10);
        if (end == option + 5 || *end || baud > UINT32_MAX || !speed_of((uint32_t)baud, &speed))
            return fail(l, "'%s': not a speed of serial lines; 115200, 460800 and 921600 are usual",
                        option);
        l->baud = (uint32_t)baud;
        return 0;
    }
    if (strcmp(option, "rtscts=0") != 0 && strcmp(option, "rtscts=1") != 0)
        return fail(l, "'%s': the options are baud=N and rtscts=1", option);
    l->rtscts = option[7] == '1';
    return 0;
}

int spinel_link_init(struct spinel_link *l, const char *address)
{
    char options[100];
    size_t n = strcspn(address, "?");
    memset(l, 0, sizeof *l);
    l->fd = -1;
    l->baud = SPINEL_LINK_BAUD;
    l->tcp = strncmp(address, TCP_SCHEME, strlen(TCP_SCHEME)) == 0;
    if (l->tcp) return look_up(l, address + strlen(TCP_SCHEME));
    if (n == 0 || n >= sizeof l->path)
        return fail(l, "expected a device, as in spinel:/dev/ttyACM0, or tcp://HOST:PORT");
    memcpy(l->path, address, n);
    snprintf(options, sizeof options, "%s", address[n] ? address + n + 1 : "");
    char *rest = options, *option;
    while ((option = strsep(&rest, "&")))
        if (*option && read_option(l, option)) return AL_FAIL;
    return 0;
}

static int open_tcp(struct spinel_link *l)
{
    int on = 1, idle_s = 5;
    l->fd = socket(l->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0) return fail(l, "socket: %s", strerror(errno));
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(l->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(l->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(l->fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle_s, sizeof idle_s);
    l->connecting = true;
    if (connect(l->fd, (const struct sockaddr *)&l->addr, l->addr_len) == 0)
        l->connecting = false;
    else if (errno != EINPROGRESS)
        return fail(l, "connect: %s", strerror(errno));
    return 0;
}

static int set_line(struct spinel_link *l)
{
    struct termios t;
    speed_t speed;
    if (tcgetattr(l->fd, &t)) return fail(l, "%s is no serial line: %s", l->path, strerror(errno));
    cfmakeraw(&t);
    t.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS | HUPCL);
    t.c_cflag |= CLOCAL | CREAD;
    if (l->rtscts)
        t.c_cflag |= CRTSCTS;
    else
        t.c_iflag |= IXON | IXOFF; /* frames never hold XON and XOFF: HDLC escapes them */
    if (speed_of(l->baud, &speed)) cfsetspeed(&t, speed);
    if (tcsetattr(l->fd, TCSANOW, &t))
        return fail(l, "%s takes no %u baud: %s", l->path, l->baud, strerror(errno));
    tcflush(l->fd, TCIOFLUSH);
    tcflow(l->fd, TCOON); /* noise may have been taken for an XOFF */
    return 0;
}

static int open_serial(struct spinel_link *l)
{
    l->fd = open(l->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (l->fd < 0) {
        const char *hint = errno == EACCES ? "; is this user in the group dialout?" : "";
        return fail(l, "%s: %s%s", l->path, strerror(errno), hint);
    }
    if (flock(l->fd, LOCK_EX | LOCK_NB)) return fail(l, "%s is used by another program", l->path);
    return set_line(l);
}

int spinel_link_open(struct spinel_link *l)
{
    l->out_len = 0;
    int err = l->tcp ? open_tcp(l) : open_serial(l);
    if (err) spinel_link_close(l);
    return err;
}

void spinel_link_close(struct spinel_link *l)
{
    if (l->fd >= 0) close(l->fd);
    l->fd = -1;
    l->connecting = false;
}

short spinel_link_wants(const struct spinel_link *l)
{
    if (l->connecting) return POLLOUT;
    return (short)(l->out_len ? POLLIN | POLLOUT : POLLIN);
}

static int end_connecting(struct spinel_link *l)
{
    int err = 0;
    socklen_t size = sizeof err;
    struct pollfd p = {.fd = l->fd, .events = POLLOUT};
    if (poll(&p, 1, 0) <= 0) return 0;
    if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &err, &size)) err = errno;
    if (err) return fail(l, "connect: %s", strerror(err));
    l->connecting = false;
    return 0;
}

int spinel_link_service(struct spinel_link *l)
{
    if (l->connecting) return end_connecting(l);
    if (!l->out_len) return 0;
    ssize_t n =
        l->tcp ? send(l->fd, l->out, l->out_len, MSG_NOSIGNAL) : write(l->fd, l->out, l->out_len);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return fail(l, "write: %s", strerror(errno));
    if (n > 0) {
        l->out_len -= (size_t)n;
        memmove(l->out, l->out + n, l->out_len);
    }
    return 0;
}

int spinel_link_read(struct spinel_link *l, uint8_t *buf, size_t size)
{
    if (l->connecting) return 0;
    ssize_t n = read(l->fd, buf, size);
    if (n > 0) return (int)n;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    /* A serial line in raw mode gives 0 when its device vanished, and at times without. */
    if (n == 0 && !l->tcp) {
        struct pollfd p = {.fd = l->fd, .events = POLLIN};
        if (poll(&p, 1, 0) >= 0 && !(p.revents & (POLLHUP | POLLERR))) return 0;
    }
    return n ? fail(l, "read: %s", strerror(errno)) : fail(l, "the other side closed the link");
}

int spinel_link_write(struct spinel_link *l, const uint8_t *bytes, size_t len)
{
    if (l->fd < 0) return fail(l, "the link is closed");
    if (len > sizeof l->out - l->out_len) return fail(l, "the link takes no more data");
    memcpy(l->out + l->out_len, bytes, len);
    l->out_len += len;
    return spinel_link_service(l);
}
