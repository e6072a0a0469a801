#include "net/link.h"

#include "net/http_client_impl.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SLICE_MS 1000 /* longest wait before libcurl is asked again */

struct link {
    CURL *easy;
    CURLM *multi;
    struct http_tls *tls;
    struct curl_slist *connect_to;
    struct link_peer peer;
    char *host;
    struct pace pace;
    int64_t began_ms, deadline_ms;
    atomic_bool cancelled;
    int wake; /* eventfd: readable for good once cancelled */
    curl_socket_t socket;
    bool resolved, connected;
    char curl_says[CURL_ERROR_SIZE];
    char text[1024];
};

static int say(struct link *l, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int say(struct link *l, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(l->text, sizeof l->text, format, args);
    va_end(args);
    return err;
}

/* ---- making one ---- */

/* libcurl makes the socket as soon as the name has an address. */
static int note_socket(void *user, curl_socket_t fd, curlsocktype purpose)
{
    struct link *l = user;
    if (!l->resolved && l->peer.on_resolved) l->peer.on_resolved(l->peer.ctx);
    l->resolved = true;
    return CURL_SOCKOPT_OK;
}

static void set_options(struct link *l, const struct http_config *cfg)
{
    CURL *e = l->easy;
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); /* for ALPN */
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L); /* no waiting for a name lookup */
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, l->curl_says);
    curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, note_socket);
    curl_easy_setopt(e, CURLOPT_SOCKOPTDATA, l);
    if (cfg->address_family)
        curl_easy_setopt(e, CURLOPT_IPRESOLVE,
                         cfg->address_family == AF_INET ? (long)CURL_IPRESOLVE_V4
                                                        : (long)CURL_IPRESOLVE_V6);
    if (cfg->keep_alive) curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    http_tls_apply(l->tls, e);
}

struct link *link_new(const struct http_config *cfg)
{
    struct link *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->socket = CURL_SOCKET_BAD;
    l->pace.rate = cfg->rate_limit;
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->easy = curl_easy_init();
    l->multi = curl_multi_init();
    l->tls = http_tls_new(cfg);
    if (l->wake < 0 || !l->easy || !l->multi || !l->tls) {
        link_free(l);
        return NULL;
    }
    set_options(l, cfg);
    return l;
}

void link_free(struct link *l)
{
    if (!l) return;
    if (l->multi && l->easy) curl_multi_remove_handle(l->multi, l->easy);
    curl_easy_cleanup(l->easy);
    curl_multi_cleanup(l->multi);
    curl_slist_free_all(l->connect_to);
    http_tls_free(l->tls);
    if (l->wake >= 0) close(l->wake);
    free(l->host);
    free(l);
}

void link_set_deadline(struct link *l, int64_t at_ms)
{
    l->deadline_ms = at_ms;
}

void link_cancel(struct link *l)
{
    atomic_store(&l->cancelled, true);
    eventfd_write(l->wake, 1);
}

/* ---- waiting ---- */

/* 0: go on, *ms at most until the next look. */
static int time_left(struct link *l, int *ms)
{
    int64_t now = pace_now_ms();
    *ms = SLICE_MS;
    if (atomic_load(&l->cancelled)) return say(l, LINK_CANCELLED, "the connection was ended");
    if (!l->deadline_ms) return 0;
    if (now >= l->deadline_ms)
        return say(l, HTTP_ERR_TIMEOUT, "%s port %d did not finish in time (%lld ms)", l->host,
                   l->peer.port, (long long)(now - l->began_ms));
    if (l->deadline_ms - now < *ms) *ms = (int)(l->deadline_ms - now);
    return 0;
}

static int wait_for(struct link *l, short events)
{
    int ms, err = time_left(l, &ms);
    if (err) return err;
    struct pollfd fds[] = {{.fd = l->socket, .events = events}, {.fd = l->wake, .events = POLLIN}};
    poll(fds, 2, ms);
    return 0;
}

/* Gives http_error. */
static int explain(struct link *l, CURLcode code)
{
    struct http_fault f = {
        .code = code,
        .curl_says = l->curl_says,
        .tls = l->tls,
        .host = l->host,
        .port = l->peer.port,
        .timeout_ms = (int)(pace_now_ms() - l->began_ms),
    };
    return http_error_explain(&f, l->text, sizeof l->text);
}

/* ---- connect ---- */

static int prepare(struct link *l, const struct link_peer *peer)
{
    char *url, *to = NULL;
    bool six = strchr(peer->host, ':') != NULL;
    l->peer = *peer;
    l->host = strdup(peer->host);
    if (!l->host || asprintf(&url, "http%s://%s%s%s:%d/", peer->tls ? "s" : "", six ? "[" : "",
                             peer->host, six ? "]" : "", peer->port) < 0)
        return say(l, HTTP_ERR_NO_MEM, "no memory for the connection");
    CURLcode err = curl_easy_setopt(l->easy, CURLOPT_URL, url);
    free(url);
    if (peer->connect_to && asprintf(&to, "::%s", peer->connect_to) >= 0) {
        l->connect_to = curl_slist_append(NULL, to);
        curl_easy_setopt(l->easy, CURLOPT_CONNECT_TO, l->connect_to);
        free(to);
    }
    if (err || curl_multi_add_handle(l->multi, l->easy))
        return say(l, HTTP_ERR_NO_MEM, "no memory for the connection");
    return 0;
}

static bool is_done(struct link *l, CURLcode *result)
{
    int left;
    CURLMsg *m;
    curl_multi_perform(l->multi, &left);
    while ((m = curl_multi_info_read(l->multi, &left)))
        if (m->msg == CURLMSG_DONE) {
            *result = m->data.result;
            return true;
        }
    return false;
}

int link_connect(struct link *l, const struct link_peer *peer)
{
    CURLcode result = CURLE_OK;
    if (l->host) return say(l, HTTP_ERR_STATE, "the link was connected before");
    l->began_ms = pace_now_ms();
    int ms, err = prepare(l, peer);
    if (!err && l->deadline_ms > l->began_ms) /* libcurl's own limit is five minutes */
        curl_easy_setopt(l->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(l->deadline_ms - l->began_ms));
    while (!err && !is_done(l, &result)) {
        struct curl_waitfd wake = {.fd = l->wake, .events = CURL_WAIT_POLLIN};
        err = time_left(l, &ms);
        if (!err) curl_multi_poll(l->multi, &wake, 1, ms, NULL);
    }
    if (!err && result) err = explain(l, result);
    if (err) return err;
    if (curl_easy_getinfo(l->easy, CURLINFO_ACTIVESOCKET, &l->socket) ||
        l->socket == CURL_SOCKET_BAD)
        return explain(l, CURLE_RECV_ERROR);
    l->connected = true;
    return 0;
}

/* ---- bytes ---- */

int link_send(struct link *l, const void *data, size_t len)
{
    const char *from = data;
    if (!l->connected) return say(l, HTTP_ERR_STATE, "the link is not connected");
    while (len) {
        size_t n = 0;
        int ms, err = time_left(l, &ms);
        if (err) return err;
        CURLcode code = curl_easy_send(l->easy, from, len, &n);
        if (code && code != CURLE_AGAIN) return explain(l, code);
        from += n;
        len -= n;
        if (code && (err = wait_for(l, POLLOUT))) return err;
    }
    return 0;
}

int link_receive(struct link *l, void *buf, size_t len)
{
    if (!l->connected) return say(l, HTTP_ERR_STATE, "the link is not connected");
    len = pace_wait(&l->pace, len < INT32_MAX ? len : INT32_MAX);
    for (;;) {
        size_t n = 0;
        int ms, err = time_left(l, &ms);
        if (err) return err;
        CURLcode code = curl_easy_recv(l->easy, buf, len, &n);
        l->pace.bytes += n;
        if (!code) return (int)n;
        if (code != CURLE_AGAIN) return explain(l, code);
        if ((err = wait_for(l, POLLIN))) return err;
    }
}

const char *link_error_text(const struct link *l)
{
    return l->text;
}
