/* http_client: a request on its way, and its body. */
#include "net/http_client_impl.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what libcurl calls ---- */

static size_t take_body(char *data, size_t one, size_t n, void *user)
{
    struct http_client *c = user;
    size_t direct = 0;
    if (c->dst && c->spill_at == c->spill_len) {
        direct = c->dst_len - c->dst_got;
        if (direct > n) direct = n;
    }
    size_t rest = n - direct;
    if (rest) {
        if (!c->spill) c->spill = malloc(HTTP_SPILL_MAX);
        if (!c->spill) return 0;
        if (c->spill_at == c->spill_len) c->spill_at = c->spill_len = 0;
        if (rest > HTTP_SPILL_MAX - c->spill_len) {
            c->down_paused = true;
            return CURL_WRITEFUNC_PAUSE;
        }
        memcpy(c->spill + c->spill_len, data + direct, rest);
        c->spill_len += rest;
    }
    if (direct) memcpy(c->dst + c->dst_got, data, direct);
    c->dst_got += direct;
    c->progress = c->head_done = true;
    return n;
}

static size_t give_body(char *data, size_t one, size_t room, void *user)
{
    struct http_client *c = user;
    c->progress = true;
    if (c->up_len == 0) {
        if (c->up_end) return 0;
        c->up_paused = true;
        return CURL_READFUNC_PAUSE;
    }
    size_t n = c->up_len < room ? c->up_len : room;
    memcpy(data, c->up, n);
    c->up += n;
    c->up_len -= n;
    return n;
}

static void take_header_field(struct http_client *c, const char *line, size_t n)
{
    const char *colon = memchr(line, ':', n);
    if (!colon || !c->cfg.on_header) return;
    char *name = strndup(line, (size_t)(colon - line));
    const char *from = colon + 1, *to = line + n;
    while (from < to && (*from == ' ' || *from == '\t')) from++;
    while (to > from && strchr(" \t\r\n", to[-1])) to--;
    char *value = strndup(from, (size_t)(to - from));
    if (name && value) c->cfg.on_header(c->cfg.ctx, name, value);
    free(name);
    free(value);
}

static size_t take_head(char *line, size_t one, size_t n, void *user)
{
    struct http_client *c = user;
    c->progress = true;
    if (c->head_done) return n; /* trailers */
    if (n > 9 && memcmp(line, "HTTP/", 5) == 0) {
        const char *code = memchr(line, ' ', n);
        c->status = code ? atoi(code + 1) : 0;
        if (c->status >= 200 && c->cfg.on_status) c->cfg.on_status(c->cfg.ctx, c->status);
    } else if (c->status >= 200 && line[0] != '\r' && line[0] != '\n') {
        take_header_field(c, line, n);
    } else if (c->status >= 200) {
        /* libcurl answers the first digest challenge by itself; then this head was not the
         * last. If it does not, the end of the transfer says so. */
        bool challenge = c->status == 401 && c->auth == HTTP_AUTH_DIGEST && !c->auth_sent;
        c->head_done = !challenge;
        c->head_whole = true;
    }
    return n;
}

static int watch(CURL *easy, curl_infotype type, char *data, size_t n, void *user)
{
    struct http_client *c = user;
    if (type != CURLINFO_HEADER_OUT) return 0;
    c->progress = true;
    if (memmem(data, n, "\nAuthorization: Digest", 22)) c->auth_sent = true;
    if (!c->head_sent && c->cfg.on_sent) c->cfg.on_sent(c->cfg.ctx);
    c->head_sent = true;
    return 0;
}

static int prepare_socket(void *user, curl_socket_t fd, curlsocktype purpose)
{
    struct http_client *c = user;
    c->new_connection = true;
    int count = c->cfg.keep_alive_count ? c->cfg.keep_alive_count : 3;
    if (c->cfg.keep_alive) setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    return CURL_SOCKOPT_OK;
}

static int before_request(void *user, char *peer, char *own, int peer_port, int own_port)
{
    struct http_client *c = user;
    if (c->new_connection && c->cfg.on_connected) c->cfg.on_connected(c->cfg.ctx);
    c->new_connection = false;
    return CURL_PREREQFUNC_OK;
}

void http_client_hook(struct http_client *c)
{
    CURL *e = c->easy;
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(e, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(e, CURLOPT_READDATA, c);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(e, CURLOPT_VERBOSE, 1L); /* tells when the head is sent */
    curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, watch);
    curl_easy_setopt(e, CURLOPT_DEBUGDATA, c);
    curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, prepare_socket);
    curl_easy_setopt(e, CURLOPT_SOCKOPTDATA, c);
    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(e, CURLOPT_PREREQDATA, c);
}

/* ---- a request ---- */

static bool is_sent(const struct http_client *c)
{
    return c->head_sent || c->done;
}

static bool is_answered(const struct http_client *c)
{
    return c->head_done;
}

static bool has_body(const struct http_client *c)
{
    return c->dst_got || c->done;
}

static bool is_taken(const struct http_client *c)
{
    return c->up_len == 0 || c->head_done;
}

static void step(struct http_client *c)
{
    int left;
    CURLMsg *m;
    curl_multi_perform(c->multi, &left);
    while ((m = curl_multi_info_read(c->multi, &left)))
        if (m->msg == CURLMSG_DONE) http_client_note_end(c, m->data.result);
}

/* Moves the transfer until ready, or nothing moved for timeout_ms. */
static int wait_until(struct http_client *c, bool (*ready)(const struct http_client *),
                      int timeout_ms)
{
    int64_t deadline = pace_now_ms() + timeout_ms;
    while (!ready(c)) {
        c->progress = false;
        step(c);
        if (ready(c)) break;
        int64_t now = pace_now_ms();
        if (c->progress) deadline = now + timeout_ms;
        if (now >= deadline) {
            c->os_errno = EAGAIN;
            return http_client_say(c, HTTP_ERR_TIMEOUT, "nothing from the server for %d ms (%s)",
                                   timeout_ms, c->url);
        }
        curl_multi_poll(c->multi, NULL, 0, (int)(deadline - now), NULL);
    }
    return 0;
}

static bool add_line(struct http_client *c, const char *line)
{
    struct curl_slist *more = curl_slist_append(c->lines, line);
    if (more) c->lines = more;
    return more != NULL;
}

static bool make_lines(struct http_client *c, int64_t body_len)
{
    bool good = add_line(c, "Expect:"); /* no waiting for 100 */
    if (!*http_client_find_header(c, "Accept")) good = good && add_line(c, "Accept:");
    for (struct header *h = c->headers; good && h; h = h->next) {
        char *line;
        if (strcasecmp(h->name, "Content-Length") == 0) continue; /* libcurl counts */
        int n = h->value[0] ? asprintf(&line, "%s: %s", h->name, h->value)
                            : asprintf(&line, "%s;", h->name);
        if (n < 0) return false;
        good = add_line(c, line);
        free(line);
    }
    bool carries_body = strcmp(c->method, "POST") == 0 || strcmp(c->method, "PUT") == 0 ||
                        strcmp(c->method, "PATCH") == 0;
    if (carries_body && body_len == 0) good = good && add_line(c, "Content-Length: 0");
    return good && !curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->lines);
}

static void set_method_options(struct http_client *c, int64_t body_len)
{
    bool plain = strcmp(c->method, "GET") == 0 || strcmp(c->method, "HEAD") == 0;
    curl_easy_setopt(c->easy, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(c->easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, plain && body_len == 0 ? NULL : c->method);
    if (body_len != 0) {
        curl_easy_setopt(c->easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(c->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)body_len);
    } else if (strcmp(c->method, "HEAD") == 0) {
        curl_easy_setopt(c->easy, CURLOPT_NOBODY, 1L);
    }
}

int http_client_start(struct http_client *c, int64_t body_len)
{
    if (!c->url) return http_client_say(c, HTTP_ERR_STATE, "no URL was set");
    http_client_close(c);
    c->new_connection = c->head_sent = c->auth_sent = c->done = false;
    c->head_done = c->head_whole = false;
    c->up_len = 0;
    c->up_paused = c->down_paused = false;
    c->up_end = body_len == 0;
    c->spill_at = c->spill_len = 0;
    c->pace = (struct pace){.rate = c->cfg.rate_limit};
    c->status = c->os_errno = 0;
    c->result = CURLE_OK;
    c->curl_says[0] = c->text[0] = 0;
    curl_easy_setopt(c->easy, CURLOPT_URL, c->url);
    curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     c->timeout_ms ? (long)c->timeout_ms : HTTP_TIMEOUT_MS);
    set_method_options(c, body_len);
    if (!make_lines(c, body_len) || curl_multi_add_handle(c->multi, c->easy))
        return http_client_say(c, HTTP_ERR_NO_MEM, "no memory for the request");
    c->started = true;
    return 0;
}

int http_client_wait_open(struct http_client *c, int timeout_ms)
{
    if (!c->started) return HTTP_ERR_STATE;
    int err = wait_until(c, is_sent, timeout_ms);
    /* What broke after the request was sent is told by those who ask for the answer. */
    return err ? err : c->head_sent || !c->result ? 0 : http_client_error_class(c);
}

int http_client_open(struct http_client *c, int64_t body_len)
{
    int err = http_client_start(c, body_len);
    /* libcurl ends a connection attempt itself; a little later is soon enough here */
    return err ? err : http_client_wait_open(c, c->timeout_ms + 200);
}

int http_client_write(struct http_client *c, const void *data, size_t len)
{
    if (!c->started || c->up_end)
        return http_client_say(c, HTTP_ERR_STATE, "no request with a body is open");
    c->up = data;
    c->up_len = len;
    if (c->up_paused) {
        c->up_paused = false;
        curl_easy_pause(c->easy, c->down_paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
    }
    int err = wait_until(c, is_taken, c->timeout_ms);
    size_t taken = len - c->up_len;
    c->up_len = 0;
    if (taken || len == 0) return (int)taken;
    return err ? err : c->result ? http_client_error_class(c) : HTTP_ERR_SEND;
}

int http_client_headers(struct http_client *c)
{
    if (!c->started) return http_client_say(c, HTTP_ERR_STATE, "no request is open");
    c->up_end = true;
    if (c->up_paused) {
        c->up_paused = false;
        curl_easy_pause(c->easy, CURLPAUSE_CONT);
    }
    int err = wait_until(c, is_answered, c->timeout_ms);
    if (err) return err;
    if (c->head_whole) return 0;
    err = http_client_error_class(c);
    return err ? err : HTTP_ERR_RECV;
}

static int take_spill(struct http_client *c, void *buf, size_t len)
{
    size_t n = c->spill_len - c->spill_at;
    if (n > len) n = len;
    memcpy(buf, c->spill + c->spill_at, n);
    c->spill_at += n;
    return (int)n;
}

static int read_some(struct http_client *c, void *buf, size_t len)
{
    if (c->spill_at < c->spill_len) return take_spill(c, buf, len);
    c->dst = buf;
    c->dst_len = len;
    c->dst_got = 0;
    if (c->down_paused) {
        c->down_paused = false;
        curl_easy_pause(c->easy, CURLPAUSE_CONT);
    }
    int err = wait_until(c, has_body, c->timeout_ms);
    c->dst = NULL;
    if (c->dst_got) return (int)c->dst_got;
    return err ? err : http_client_error_class(c);
}

int http_client_read(struct http_client *c, void *buf, size_t len)
{
    if (!c->started) return http_client_say(c, HTTP_ERR_STATE, "no request is open");
    if (len > INT32_MAX) len = INT32_MAX;
    if (len == 0) return 0;
    int n = read_some(c, buf, pace_wait(&c->pace, len));
    if (n > 0) c->pace.bytes += (uint64_t)n;
    return n;
}

void http_client_drop(struct http_client *c)
{
    c->spill_at = c->spill_len;
}

void http_client_close(struct http_client *c)
{
    if (!c->started) return;
    if (!c->done && c->head_done) step(c); /* the end of the body may lie ready */
    curl_multi_remove_handle(c->multi, c->easy);
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(c->lines);
    c->lines = NULL;
    c->started = false;
}

void http_client_disconnect(struct http_client *c)
{
    CURLM *fresh = curl_multi_init(); /* the only way to drop a kept connection */
    http_client_close(c);
    if (!fresh) return;
    curl_multi_cleanup(c->multi);
    c->multi = fresh;
}
