/* N modules ask a cloud at once, as AT+CIUPDATE does: each asks for the version on a connection of
 * its own, then loads the file on another. One thread, epoll.
 *
 *   cloud_modules PORT QUERY-PATH FILE-PATH FILE-BYTES < keys (a line each)
 *
 * Prints {"modules","failed","seconds","bytes"}. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_MODULES 4096u
#define KEY_LEN     40u

struct module {
    int fd;
    char key[KEY_LEN + 1];
    bool loading, sent;
    char head[1025]; /* begin of the answer */
    size_t got, expected;
};

static struct module modules[MAX_MODULES];
static size_t count, done, failed;
static unsigned long long bytes;
static int epoll;
static struct sockaddr_in server = {.sin_family = AF_INET};
static const char *paths[2];
static size_t file_bytes;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void begin(struct module *m)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = m};
    m->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    m->sent = false;
    m->got = m->expected = 0;
    m->head[0] = 0;
    int code = connect(m->fd, (struct sockaddr *)&server, sizeof server);
    if (m->fd < 0 || (code != 0 && errno != EINPROGRESS) ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, m->fd, &e) != 0) {
        perror("cloud_modules");
        exit(EXIT_FAILURE);
    }
}

static void finish(struct module *m, bool ok)
{
    if (!ok)
        fprintf(stderr, "%s after %zu of %zu bytes: %s\n", paths[m->loading], m->got, m->expected,
                m->expected == 0 && m->got == 0 ? m->head : "");
    close(m->fd);
    if (ok && !m->loading) {
        m->loading = true;
        begin(m);
        return;
    }
    done++;
    failed += !ok;
}

static void ask(struct module *m)
{
    char text[1024];
    int len = snprintf(text, sizeof text,
                       "GET %s HTTP/1.%d\r\nHost: 127.0.0.1:%u\r\nConnection: keep-alive\r\n"
                       "Cache-Control: no-cache\r\nAccept: */*\r\nAuthorization: token %s\r\n\r\n",
                       paths[m->loading], m->loading, ntohs(server.sin_port), m->key);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = m};
    m->sent = true;
    if (send(m->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        finish(m, false);
    else
        epoll_ctl(epoll, EPOLL_CTL_MOD, m->fd, &e);
}

/* Head and first bytes come in one read, as the originals want it. */
static bool take_head(struct module *m, size_t n)
{
    m->head[n] = 0;
    const char *length = strstr(m->head, "Content-Length: "), *end = strstr(m->head, "\r\n\r\n");
    if (!length || !end || length > end || strncmp(m->head + 8, " 200", 4) != 0) return false;
    size_t body = n - (size_t)(end + 4 - m->head);
    m->expected = strtoul(length + 16, NULL, 10);
    m->got = body;
    if (!m->loading) return strstr(m->head, "rom_version\": \"") != NULL && body == m->expected;
    return body > 0 && m->expected == file_bytes;
}

static void take(struct module *m)
{
    static char buffer[65536];
    bool first = m->expected == 0;
    ssize_t n =
        first ? recv(m->fd, m->head, sizeof m->head - 1, 0) : recv(m->fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0 || (first && !take_head(m, (size_t)n))) {
        finish(m, false);
        return;
    }
    bytes += (unsigned long long)n;
    if (!first) m->got += (size_t)n;
    if (m->got >= m->expected) finish(m, m->got == m->expected);
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    struct epoll_event events[256];
    if (argc != 5) return 2;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    server.sin_port = htons((uint16_t)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    paths[0] = argv[2];
    paths[1] = argv[3];
    file_bytes = strtoul(argv[4], NULL, 10);
    while (count < MAX_MODULES && scanf("%40s", modules[count].key) == 1) count++;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    double began = now();
    for (size_t i = 0; i < count; i++) begin(&modules[i]);
    while (done < count) {
        int n = epoll_wait(epoll, events, 256, 30000);
        if (n == 0) break;
        for (int i = 0; i < n; i++) {
            struct module *m = events[i].data.ptr;
            if (!m->sent)
                ask(m);
            else
                take(m);
        }
    }
    printf("{\"modules\": %zu, \"failed\": %zu, \"seconds\": %.6f, \"bytes\": %llu}\n", count,
           failed + count - done, now() - began, bytes);
    return 0;
}
