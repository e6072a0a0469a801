/* Ptys and listening sockets. See line.h. */
#include "host/line.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "core/err.h"

/* --- pty --- */

/* True when path is a symbolic link; to: where it leads. */
static bool leads_to(const char *path, char *to, size_t to_size)
{
    ssize_t n = readlink(path, to, to_size - 1);
    if (n < 0) return false;
    to[n] = 0;
    return true;
}

static int make_link(struct line_pty *p, const char *path, char *why, size_t why_size)
{
    char to[sizeof p->device];
    if (strlen(path) >= sizeof p->link) {
        snprintf(why, why_size, "%s: longer than %zu bytes", path, sizeof p->link - 1);
        return AL_FAIL;
    }
    if (leads_to(path, to, sizeof to) && strncmp(to, "/dev/pts/", 9) == 0) unlink(path);
    if (symlink(p->device, path)) {
        snprintf(why, why_size,
                 "%s: %s; the pty needs a name of its own in a directory that is there", path,
                 strerror(errno));
        return AL_FAIL;
    }
    memcpy(p->link, path, strlen(path) + 1);
    return 0;
}

static int open_ends(struct line_pty *p, char *why, size_t why_size)
{
    struct termios t;
    p->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (p->master < 0 || grantpt(p->master) || unlockpt(p->master) ||
        ptsname_r(p->master, p->device, sizeof p->device)) {
        snprintf(why, why_size, "no pty: %s", strerror(errno));
        return AL_FAIL;
    }
    p->slave = open(p->device, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (p->slave < 0 || tcgetattr(p->slave, &t)) {
        snprintf(why, why_size, "%s: %s", p->device, strerror(errno));
        return AL_FAIL;
    }
    cfmakeraw(&t);
    tcsetattr(p->slave, TCSANOW, &t);
    return 0;
}

int line_pty_open(struct line_pty *p, const char *link, char *why, size_t why_size)
{
    *p = (struct line_pty){.master = -1, .slave = -1};
    int err = open_ends(p, why, why_size);
    if (!err && link && *link) err = make_link(p, link, why, why_size);
    if (err) line_pty_close(p);
    return err;
}

void line_pty_close(struct line_pty *p)
{
    char to[sizeof p->device];
    if (p->link[0] && leads_to(p->link, to, sizeof to) && strcmp(to, p->device) == 0)
        unlink(p->link);
    if (p->slave >= 0) close(p->slave);
    if (p->master >= 0) close(p->master);
    *p = (struct line_pty){.master = -1, .slave = -1};
}

/* --- TCP --- */

/* Cuts "ADDR:PORT" apart; the port is a number. */
static bool split(const char *where, char host[64], const char **port)
{
    const char *colon = strrchr(where, ':');
    size_t n = colon ? (size_t)(colon - where) : 0;
    *port = colon ? colon + 1 : where;
    snprintf(host, 64, "127.0.0.1");
    if (colon) {
        bool brackets = n >= 2 && where[0] == '[' && where[n - 1] == ']';
        if (brackets) where++, n -= 2;
        if (!n || n >= 64 || (!brackets && memchr(where, ':', n))) return false;
        memcpy(host, where, n);
        host[n] = 0;
    }
    char *end;
    return **port >= '0' && **port <= '9' && strtoul(*port, &end, 10) <= UINT16_MAX && !*end;
}

static int listen_on(const struct addrinfo *a)
{
    int on = 1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 4) == 0) return fd;
    int err = -errno;
    close(fd);
    return err;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ip4;
        struct sockaddr_in6 ip6;
    } a = {.ip6 = {0}};
    socklen_t len = sizeof a;
    if (getsockname(fd, &a.any, &len)) return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.ip6.sin6_port : a.ip4.sin_port);
}

int line_listen(const char *where, uint16_t *port, char *why, size_t why_size)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char host[64];
    const char *service;
    if (!split(where, host, &service) || getaddrinfo(host, service, &hints, &found)) {
        snprintf(why, why_size, "'%s': expected a port, 0 to 65535, or an address and a port: %s",
                 where, "127.0.0.1:7000, [::1]:7000");
        return AL_FAIL;
    }
    int fd = listen_on(found);
    freeaddrinfo(found);
    if (fd < 0) {
        snprintf(why, why_size, "%s:%s: %s", host, service, strerror(-fd));
        return AL_FAIL;
    }
    *port = port_of(fd);
    return fd;
}
