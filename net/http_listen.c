/* The listening socket of the HTTP server. See http_server.h. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_server.h"

#define BACKLOG 1024

/* "[::1]:8070" -> "::1" and "8070". host empty: all addresses. */
static bool split(const char *address, char host[256], char port[8])
{
    const char *colon = strrchr(address, ':');
    const char *from = address, *to = colon ? colon : address;
    const char *digits = colon ? colon + 1 : address;
    if (*from == '[') {
        if (to == from || to[-1] != ']') return false;
        from++;
        to--;
    } else if (colon && memchr(from, ':', (size_t)(to - from))) {
        return false; /* an IPv6 address without brackets */
    }
    char *end;
    unsigned long number = strtoul(digits, &end, 10);
    if (end == digits || *end || *digits == '-' || *digits == '+' || number > 65535 ||
        to - from > 255)
        return false;
    snprintf(host, 256, "%.*s", (int)(to - from), from);
    snprintf(port, 8, "%lu", number);
    return true;
}

/* A listening socket, or -errno. */
static int listen_on(const struct addrinfo *a)
{
    int on = 1, off = 0;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* Accepted sockets inherit it: the small records of a TLS handshake must not wait
     * for the peer's delayed acknowledgement. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (a->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int err = -errno;
    close(fd);
    return err;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof ss;
    if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0) return 0;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memcpy(&v4, &ss, sizeof v4);
    memcpy(&v6, &ss, sizeof v6);
    return ntohs(ss.ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}

static const char *explain(int err)
{
    if (err == EADDRINUSE) return "another program listens there; stop it, or choose another port";
    if (err == EACCES) return "ports below 1024 need root; choose a higher one";
    if (err == EADDRNOTAVAIL) return "this machine does not have that address";
    return strerror(err);
}

int http_listen(const char *address, unsigned *port, char *why, size_t why_size)
{
    char host[256], service[8];
    if (!split(address, host, service)) {
        snprintf(why, why_size,
                 "'%s' is no address to listen on; like 8070, 127.0.0.1:8070 or [::1]:8070",
                 address);
        return -1;
    }
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    /* IPv6 first: its wildcard takes IPv4 too; without IPv6 in the kernel, IPv4 is left. */
    static const int families[] = {AF_INET6, AF_INET};
    int fd = -EADDRNOTAVAIL, resolve = 0;
    for (size_t i = 0; fd < 0 && i < 2; i++) {
        hints.ai_family = families[i];
        int err = getaddrinfo(*host ? host : NULL, service, &hints, &list);
        if (err != 0) {
            resolve = err;
            continue;
        }
        for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
            int got = listen_on(a);
            if (got != -EAFNOSUPPORT) fd = got;
        }
        freeaddrinfo(list);
        if (fd == -EADDRINUSE) break;
    }
    if (fd >= 0) {
        *port = port_of(fd);
        return fd;
    }
    bool unknown_host = fd == -EADDRNOTAVAIL && resolve == EAI_NONAME && *host;
    snprintf(why, why_size, "cannot listen on %s: %s", address,
             unknown_host ? gai_strerror(resolve) : explain(-fd));
    return -1;
}
