/* The listening socket: a path of its own, or a UDP port of this machine. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/err.h"
#include "radio/medium_server_impl.h"

#define SOCKET_FLAGS (SOCK_CLOEXEC | SOCK_NONBLOCK)
#define BACKLOG      128

/* --- Unix --- */

static struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    return a;
}

/* Whether a process listens there. */
static bool in_use(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCKET_FLAGS, 0);
    int err = fd < 0 ? EMFILE : connect(fd, (const struct sockaddr *)a, sizeof *a) ? errno : 0;
    if (fd >= 0) close(fd);
    return err != ECONNREFUSED && err != ENOENT;
}

/* A socket that nobody listens at is left over from a process that was killed. */
static int make_way(const struct sockaddr_un *a, char *error, size_t error_size)
{
    struct stat st;
    if (lstat(a->sun_path, &st)) return 0;
    if (!S_ISSOCK(st.st_mode))
        snprintf(error, error_size, "%s: is there already and no socket; give another name",
                 a->sun_path);
    else if (in_use(a))
        snprintf(error, error_size,
                 "%s: a process listens there already; end it, or give another name", a->sun_path);
    else if (unlink(a->sun_path) == 0)
        return 0;
    else
        snprintf(error, error_size, "%s: %s", a->sun_path, strerror(errno));
    return AL_FAIL;
}

static int listen_unix(struct medium_server *s, char *error, size_t error_size)
{
    const char *path = s->config.address;
    struct sockaddr_un a = unix_address(path);
    struct stat st = {0};
    if (strlen(path) >= sizeof a.sun_path || !*path) {
        snprintf(error, error_size, "%s: the name of a socket has 1 to %zu characters", path,
                 sizeof a.sun_path - 1);
        return AL_FAIL;
    }
    if (make_way(&a, error, error_size)) return AL_FAIL;
    s->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCKET_FLAGS, 0);
    mode_t mask = umask(077); /* for this user alone */
    int err = s->listener < 0 || bind(s->listener, (struct sockaddr *)&a, sizeof a) ? errno : 0;
    umask(mask);
    if (!err && (listen(s->listener, BACKLOG) || stat(path, &st))) err = errno;
    if (err) {
        snprintf(error, error_size, "%s: %s", path, strerror(err));
        return AL_FAIL;
    }
    snprintf(s->path, sizeof s->path, "%s", path);
    s->device = st.st_dev;
    s->inode = st.st_ino;
    return 0;
}

/* --- UDP: a socket for who comes, and a connected one a node, all at the same port --- */

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int udp_socket(uint16_t port)
{
    struct sockaddr_in a = loopback(port);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCKET_FLAGS, 0), on = 1;
    if (fd < 0) return -1;
    /* The listener's port is taken exclusively first, see listen_udp. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    close(fd);
    return -1;
}

static int listen_udp(struct medium_server *s, const char *number, char *error, size_t error_size)
{
    char *end;
    unsigned long port = strtoul(number, &end, 10);
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    int on = 1;
    if (*end || end == number || port > 65535) {
        snprintf(error, error_size, "udp:%s: a port is a number up to 65535", number);
        return AL_FAIL;
    }
    a = loopback((uint16_t)port);
    s->udp = true;
    s->listener = socket(AF_INET, SOCK_DGRAM | SOCKET_FLAGS, 0);
    /* Only behind bind(), which so refuses a port in use, may others share it. */
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&a, sizeof a) ||
        setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        getsockname(s->listener, (struct sockaddr *)&a, &len)) {
        snprintf(error, error_size, "udp:%s: %s", number, strerror(errno));
        return AL_FAIL;
    }
    s->port = ntohs(a.sin_port);
    return 0;
}

static int accept_udp(struct medium_server *s, uint8_t first[MEDIUM_MESSAGE_MAX], size_t *len)
{
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    uint8_t stray[MEDIUM_MESSAGE_MAX];
    ssize_t n =
        recvfrom(s->listener, first, MEDIUM_MESSAGE_MAX, 0, (struct sockaddr *)&from, &from_len);
    if (n < 0) return -1;
    int fd = udp_socket(s->port);
    if (fd < 0) return -1;
    if (connect(fd, (struct sockaddr *)&from, from_len)) {
        close(fd);
        return -1;
    }
    /* What came from others between bind() and connect(): they ask again. */
    while (recv(fd, stray, sizeof stray, 0) >= 0) {
    }
    *len = (size_t)n;
    return fd;
}

/* --- both --- */

int medium_server_listen(struct medium_server *s, char *error, size_t error_size)
{
    const char *address = s->config.address;
    if (strncmp(address, "udp:", 4) == 0) return listen_udp(s, address + 4, error, error_size);
    return listen_unix(s, error, error_size);
}

void medium_server_unlisten(struct medium_server *s)
{
    struct stat st;
    if (s->listener >= 0) close(s->listener);
    if (*s->path && stat(s->path, &st) == 0 && st.st_dev == s->device && st.st_ino == s->inode)
        unlink(s->path);
}

int medium_server_accept(struct medium_server *s, uint8_t first[MEDIUM_MESSAGE_MAX], size_t *len)
{
    *len = 0;
    if (s->udp) return accept_udp(s, first, len);
    return accept4(s->listener, NULL, NULL, SOCKET_FLAGS);
}
