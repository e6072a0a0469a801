#include "cli/zigbee_control.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/stop_signals.h"
#include "cli/text.h"

#define LINE_MAX_LEN 65536u
#define CLIENTS      16

struct source {
    int fd; /* -1: free */
    bool reply_there;
    size_t used;
    char *line; /* LINE_MAX_LEN */
};

struct zigbee_control {
    struct zigbee_control_config c;
    int epoll, signals, listener;
    struct source sources[CLIENTS + 1]; /* [0]: standard input */
};

void zigbee_print_line(const cJSON *doc)
{
    char *text = cJSON_PrintUnformatted(doc);
    if (!text) return;
    text_write_json(stdout, text);
    fputc('\n', stdout);
    fflush(stdout);
    free(text);
}

/* ---- Opening ---- */

static int watch(struct zigbee_control *c, int fd)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &e);
}

static bool take_source(struct zigbee_control *c, struct source *s, int fd, bool reply_there)
{
    s->line = malloc(LINE_MAX_LEN + 1);
    /* A regular file or /dev/null cannot be watched: /dev/null says nothing anyhow. */
    if (!s->line || watch(c, fd) != 0) {
        free(s->line);
        s->line = NULL;
        return false;
    }
    s->fd = fd;
    s->used = 0;
    s->reply_there = reply_there;
    return true;
}

static void drop_source(struct zigbee_control *c, struct source *s)
{
    epoll_ctl(c->epoll, EPOLL_CTL_DEL, s->fd, NULL);
    if (s->reply_there) close(s->fd);
    free(s->line);
    *s = (struct source){.fd = -1};
}

/* Somebody listens there: it is in use. Else it was left behind by a kill -9. */
static bool in_use(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool used = fd >= 0 && connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0;
    if (fd >= 0) close(fd);
    return used;
}

static int listen_at(const char *path, char *error, size_t error_size)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct stat st;
    if (strlen(path) >= sizeof addr.sun_path) {
        snprintf(error, error_size, "%s: the path of a socket has at most %zu bytes", path,
                 sizeof addr.sun_path - 1);
        return -1;
    }
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
    if (lstat(path, &st) == 0) {
        if (!S_ISSOCK(st.st_mode) || in_use(&addr)) {
            snprintf(error, error_size, "%s %s", path,
                     S_ISSOCK(st.st_mode) ? "is in use by another process"
                                          : "is there already and is no socket");
            return -1;
        }
        unlink(path);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old = umask(0177);
    int err = fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof addr) || listen(fd, CLIENTS);
    umask(old);
    if (!err) return fd;
    snprintf(error, error_size, "%s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
}

struct zigbee_control *zigbee_control_open(const struct zigbee_control_config *config, char *error,
                                           size_t error_size)
{
    struct zigbee_control *c = calloc(1, sizeof *c);
    if (!c) {
        snprintf(error, error_size, "not enough memory");
        return NULL;
    }
    c->c = *config;
    c->listener = -1;
    for (int i = 0; i <= CLIENTS; i++) c->sources[i].fd = -1;
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    c->signals = cli_stop_signals();
    signal(SIGPIPE, SIG_IGN);
    bool ok = c->epoll >= 0 && c->signals >= 0 && watch(c, c->signals) == 0;
    if (!ok) snprintf(error, error_size, "%m");
    if (ok && config->watch >= 0) watch(c, config->watch);
    if (ok && config->socket) {
        c->listener = listen_at(config->socket, error, error_size);
        ok = c->listener >= 0 && watch(c, c->listener) == 0;
    }
    if (ok && config->input && !isatty(STDIN_FILENO))
        take_source(c, &c->sources[0], STDIN_FILENO, false);
    if (ok) return c;
    c->c.socket = c->listener >= 0 ? c->c.socket : NULL;
    zigbee_control_close(c);
    return NULL;
}

void zigbee_control_close(struct zigbee_control *c)
{
    if (!c) return;
    for (int i = 0; i <= CLIENTS; i++)
        if (c->sources[i].fd >= 0) drop_source(c, &c->sources[i]);
    if (c->listener >= 0) close(c->listener);
    if (c->c.socket) unlink(c->c.socket);
    if (c->signals >= 0) close(c->signals);
    if (c->epoll >= 0) close(c->epoll);
    free(c);
}

int zigbee_control_fd(const struct zigbee_control *c)
{
    return c->epoll;
}

/* ---- Serving ---- */

static void answer(const struct source *s, const cJSON *doc)
{
    char *text = cJSON_PrintUnformatted(doc);
    if (!s->reply_there) {
        free(text);
        zigbee_print_line(doc);
        return;
    }
    size_t len = text ? strlen(text) : 0;
    if (text) text[len] = '\n'; /* the place of the NUL */
    for (size_t sent = 0; text && sent <= len;) {
        ssize_t n = send(s->fd, text + sent, len + 1 - sent, MSG_NOSIGNAL);
        if (n <= 0) break; /* it left, or does not read */
        sent += (size_t)n;
    }
    free(text);
}

static void run_line(struct zigbee_control *c, const struct source *s, const char *line)
{
    while (*line == ' ' || *line == '\t' || *line == '\r') line++;
    if (!*line) return;
    cJSON *in = cJSON_Parse(line), *out;
    if (cJSON_IsObject(in)) {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(in, "command"));
        out = c->c.run(c->c.ctx, in);
        if (name && out) cJSON_AddStringToObject(out, "answer", name);
    } else {
        out = cJSON_CreateObject();
        cJSON_AddFalseToObject(out, "ok");
        cJSON_AddStringToObject(out, "error", "a line has to be a JSON object with \"command\"");
    }
    if (out) answer(s, out);
    cJSON_Delete(out);
    cJSON_Delete(in);
}

static void run_lines(struct zigbee_control *c, struct source *s)
{
    ssize_t n = read(s->fd, s->line + s->used, LINE_MAX_LEN - s->used);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        drop_source(c, s);
        return;
    }
    s->used += (size_t)n;
    char *start = s->line, *end;
    while ((end = memchr(start, '\n', s->used - (size_t)(start - s->line)))) {
        *end = '\0';
        run_line(c, s, start);
        start = end + 1;
    }
    s->used -= (size_t)(start - s->line);
    memmove(s->line, start, s->used);
    if (s->used == LINE_MAX_LEN) drop_source(c, s); /* no line is that long */
}

static void accept_client(struct zigbee_control *c)
{
    int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
    struct timeval patience = {.tv_sec = 1};
    if (fd < 0) return;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    for (int i = 1; i <= CLIENTS; i++)
        if (c->sources[i].fd < 0 && take_source(c, &c->sources[i], fd, true)) return;
    close(fd);
}

bool zigbee_control_serve(struct zigbee_control *c, bool *watched)
{
    struct epoll_event events[CLIENTS + 4];
    int count = epoll_wait(c->epoll, events, CLIENTS + 4, 0);
    if (watched) *watched = false;
    for (int i = 0; i < count; i++) {
        int fd = events[i].data.fd;
        if (fd == c->signals) return false;
        if (fd == c->listener) accept_client(c);
        if (fd == c->c.watch && watched) *watched = true;
        for (int k = 0; k <= CLIENTS; k++)
            if (c->sources[k].fd == fd) {
                run_lines(c, &c->sources[k]);
                break;
            }
    }
    return true;
}
