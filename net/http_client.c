#include "net/http_client.h"

#include "net/http_client_tls.h"
#include "net/http_client_url.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define READ_CHUNK  (128 * 1024)     /* what libcurl asks of the socket at once */
#define SPILL_MAX   (2 * READ_CHUNK) /* body that came while the caller's buffer was full */
#define UPLOAD_SIZE (64 * 1024)
#define TIMEOUT_MS  5000L

struct header {
    struct header *next;
    char *name, *value;
};

struct http_client {
    CURL *easy;
    CURLM *multi;
    struct http_tls *tls;
    struct http_config cfg; /* strings in it are not used after http_client_new */
    int timeout_ms;
    char *url, *method;
    struct header *headers;
    struct curl_slist *lines; /* the headers as libcurl wants them, of the running request */
    enum http_auth auth;

    /* The running request. */
    bool started;        /* the handle is in the multi */
    bool new_connection; /* not a kept one */
    bool head_sent, auth_sent;
    bool head_done; /* the final response's head is complete */
    bool done;      /* libcurl has ended the transfer: result tells how */
    bool progress;  /* something moved since the flag was cleared */
    CURLcode result;
    int status;

    /* Request body: what http_client_write holds out. */
    const char *up;
    size_t up_len;
    bool up_paused, up_end;

    /* Response body: straight to the caller's buffer while a read is under way. */
    char *dst;
    size_t dst_len, dst_got;
    char *spill; /* [SPILL_MAX], made when needed */
    size_t spill_at, spill_len;
    bool down_paused;
    int64_t paced_from_ms; /* rate limit: begin of the body, 0: not yet */
    uint64_t paced_bytes;

    int os_errno;
    char curl_says[CURL_ERROR_SIZE];
    char text[1024];
};

static void global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

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
        if (!c->spill) c->spill = malloc(SPILL_MAX);
        if (!c->spill) return 0;
        if (c->spill_at == c->spill_len) c->spill_at = c->spill_len = 0;
        if (rest > SPILL_MAX - c->spill_len) {
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

/* ---- settings ---- */

static void set_options(struct http_client *c, const struct http_config *cfg)
{
    CURL *e = c->easy;
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_PROXY, ""); /* a device knows of no proxy */
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)READ_CHUNK);
    curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_SIZE);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->curl_says);
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
    curl_easy_setopt(e, CURLOPT_USERAGENT, cfg->user_agent);
    curl_easy_setopt(e, CURLOPT_IPRESOLVE,
                     cfg->address_family == AF_INET    ? (long)CURL_IPRESOLVE_V4
                     : cfg->address_family == AF_INET6 ? (long)CURL_IPRESOLVE_V6
                                                       : (long)CURL_IPRESOLVE_WHATEVER);
    if (cfg->interface) {
        char name[64];
        snprintf(name, sizeof name, "if!%s", cfg->interface);
        curl_easy_setopt(e, CURLOPT_INTERFACE, name);
    }
    if (cfg->keep_alive) {
        long idle = cfg->keep_alive_idle_s ? cfg->keep_alive_idle_s : 5;
        long interval = cfg->keep_alive_interval_s ? cfg->keep_alive_interval_s : 5;
        curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
        curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, idle);
        curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, interval);
    }
    http_tls_apply(c->tls, e);
}

struct http_client *http_client_new(const struct http_config *cfg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, global_init);
    struct http_client *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->cfg = *cfg;
    c->timeout_ms = cfg->timeout_ms > 0 ? cfg->timeout_ms : (int)TIMEOUT_MS;
    c->easy = curl_easy_init();
    c->multi = curl_multi_init();
    c->tls = http_tls_new(cfg);
    c->method = strdup("GET");
    if (!c->easy || !c->multi || !c->tls || !c->method) {
        http_client_free(c);
        return NULL;
    }
    set_options(c, cfg);
    return c;
}

void http_client_free(struct http_client *c)
{
    if (!c) return;
    http_client_close(c);
    curl_easy_cleanup(c->easy);
    curl_multi_cleanup(c->multi);
    http_tls_free(c->tls);
    http_client_clear_headers(c);
    free(c->url);
    free(c->method);
    free(c->spill);
    free(c);
}

static int replace(char **old, const char *with)
{
    char *mine = strdup(with);
    if (!mine) return HTTP_ERR_NO_MEM;
    free(*old);
    *old = mine;
    return 0;
}

static int say(struct http_client *c, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->text, sizeof c->text, format, args);
    va_end(args);
    return err;
}

int http_client_set_url(struct http_client *c, const char *url)
{
    struct http_url u = {0};
    const char *why;
    bool good = http_url_parse(&u, url, &why);
    if (good && strcmp(u.scheme, "http") != 0 && strcmp(u.scheme, "https") != 0) {
        good = false;
        why = "the scheme is neither http nor https";
    }
    http_url_clear(&u);
    if (!good) return say(c, HTTP_ERR_URL, "URL \"%s\" cannot be used: %s", url, why);
    return replace(&c->url, url);
}

int http_client_set_method(struct http_client *c, const char *method)
{
    return replace(&c->method, method);
}

static struct header **find_header(struct http_client *c, const char *name)
{
    struct header **at = &c->headers;
    while (*at && strcasecmp((*at)->name, name) != 0) at = &(*at)->next;
    return at;
}

static void drop_header(struct header **at)
{
    struct header *h = *at;
    *at = h->next;
    free(h->name);
    free(h->value);
    free(h);
}

int http_client_set_header(struct http_client *c, const char *name, const char *value)
{
    if (!name[0] || strpbrk(name, ": \t\r\n") || (value && strpbrk(value, "\r\n")))
        return say(c, HTTP_ERR_ARG,
                   "header \"%s\": a name has no blank or colon, a value no line end", name);
    struct header **at = find_header(c, name);
    if (!value) {
        if (*at) drop_header(at);
        return 0;
    }
    if (*at) return replace(&(*at)->value, value);
    struct header *h = calloc(1, sizeof *h);
    if (h) {
        h->name = strdup(name);
        h->value = strdup(value);
        *at = h;
    }
    if (h && h->name && h->value) return 0;
    if (h) drop_header(at);
    return HTTP_ERR_NO_MEM;
}

const char *http_client_get_header(struct http_client *c, const char *name)
{
    struct header *h = *find_header(c, name);
    return h ? h->value : NULL;
}

void http_client_clear_headers(struct http_client *c)
{
    while (c->headers) drop_header(&c->headers);
}

size_t http_client_longest_header(const struct http_client *c)
{
    size_t longest = 0;
    for (const struct header *h = c->headers; h; h = h->next) {
        size_t n = strlen(h->name) + strlen(h->value) + 4; /* ": " and CR LF */
        if (n > longest) longest = n;
    }
    return longest;
}

int http_client_set_auth(struct http_client *c, enum http_auth how, const char *user,
                         const char *password)
{
    static const unsigned long methods[] = {
        [HTTP_AUTH_NONE] = CURLAUTH_NONE,
        [HTTP_AUTH_BASIC] = CURLAUTH_BASIC,
        [HTTP_AUTH_DIGEST] = CURLAUTH_DIGEST,
    };
    bool on = how != HTTP_AUTH_NONE;
    c->auth = how;
    CURLcode err = curl_easy_setopt(c->easy, CURLOPT_USERNAME, on ? user : NULL);
    if (!err) err = curl_easy_setopt(c->easy, CURLOPT_PASSWORD, on ? password : NULL);
    /* Also set when off: libcurl would send user information of the URL by itself. */
    if (!err) err = curl_easy_setopt(c->easy, CURLOPT_HTTPAUTH, methods[how]);
    return err ? HTTP_ERR_NO_MEM : 0;
}

void http_client_set_timeout(struct http_client *c, int timeout_ms)
{
    c->timeout_ms = timeout_ms < 0 ? 0 : timeout_ms ? timeout_ms : (int)TIMEOUT_MS;
}

/* ---- what went wrong ---- */

static int error_class(const struct http_client *c)
{
    switch (c->result) {
    case CURLE_OK:
        return 0;
    case CURLE_OUT_OF_MEMORY:
        return HTTP_ERR_NO_MEM;
    case CURLE_URL_MALFORMAT:
        return HTTP_ERR_URL;
    case CURLE_COULDNT_RESOLVE_HOST:
        return HTTP_ERR_RESOLVE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
        return HTTP_ERR_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_ERR_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
        return HTTP_ERR_TLS;
    case CURLE_SEND_ERROR:
        return HTTP_ERR_SEND;
    case CURLE_UNSUPPORTED_PROTOCOL: /* "HTTP/0.9": bytes that are no status line */
    case CURLE_WEIRD_SERVER_REPLY:
        return HTTP_ERR_PROTOCOL;
    default:
        return HTTP_ERR_RECV;
    }
}

static int explain(struct http_client *c)
{
    struct http_url u = {0};
    int err = error_class(c);
    if (!http_url_parse(&u, c->url, NULL)) return err;
    const char *why = c->curl_says[0] ? c->curl_says : curl_easy_strerror(c->result);
    switch (err) {
    case HTTP_ERR_RESOLVE:
        say(c, err, "no address for \"%s\": check the name and this machine's DNS (%s)", u.host,
            why);
        break;
    case HTTP_ERR_CONNECT:
        say(c, err,
            "cannot connect to %s port %d: %s; is the server running and reachable from here?",
            u.host, u.port, why);
        break;
    case HTTP_ERR_TIMEOUT:
        say(c, err, "no connection to %s port %d within %d ms (%s)", u.host, u.port, c->timeout_ms,
            why);
        break;
    case HTTP_ERR_TLS:
        http_tls_explain(c->tls, c->result, u.host, why, c->text, sizeof c->text);
        break;
    case HTTP_ERR_PROTOCOL:
        say(c, err, "%s port %d does not speak HTTP here (%s); is it https://?", u.host, u.port,
            why);
        break;
    default:
        say(c, err, "connection to %s port %d broke off: %s", u.host, u.port, why);
    }
    http_url_clear(&u);
    return err;
}

static void note_end(struct http_client *c, CURLcode result)
{
    long os_errno = 0;
    c->done = c->head_done = true;
    c->result = result;
    curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &os_errno);
    if (result == CURLE_OK) return;
    explain(c);
    c->os_errno = (int)os_errno;
    if (c->os_errno) return;
    if (result == CURLE_PARTIAL_FILE || result == CURLE_GOT_NOTHING) c->os_errno = ENOTCONN;
    if (result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR) c->os_errno = ECONNRESET;
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
        if (m->msg == CURLMSG_DONE) note_end(c, m->data.result);
}

/* Moves the transfer until ready, or nothing moved for timeout_ms. */
static int wait_until(struct http_client *c, bool (*ready)(const struct http_client *),
                      int timeout_ms)
{
    int64_t deadline = now_ms() + timeout_ms;
    while (!ready(c)) {
        c->progress = false;
        step(c);
        if (ready(c)) break;
        int64_t now = now_ms();
        if (c->progress) deadline = now + timeout_ms;
        if (now >= deadline) {
            c->os_errno = EAGAIN;
            return say(c, HTTP_ERR_TIMEOUT, "nothing from the server for %d ms (%s)", timeout_ms,
                       c->url);
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
    if (!*find_header(c, "Accept")) good = good && add_line(c, "Accept:");
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
    if (!c->url) return say(c, HTTP_ERR_STATE, "no URL was set");
    http_client_close(c);
    c->new_connection = c->head_sent = c->auth_sent = c->head_done = c->done = false;
    c->up_len = 0;
    c->up_paused = c->down_paused = false;
    c->up_end = body_len == 0;
    c->spill_at = c->spill_len = 0;
    c->paced_from_ms = 0;
    c->paced_bytes = 0;
    c->status = c->os_errno = 0;
    c->result = CURLE_OK;
    c->curl_says[0] = c->text[0] = 0;
    curl_easy_setopt(c->easy, CURLOPT_URL, c->url);
    curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     c->timeout_ms ? (long)c->timeout_ms : TIMEOUT_MS);
    set_method_options(c, body_len);
    if (!make_lines(c, body_len) || curl_multi_add_handle(c->multi, c->easy))
        return say(c, HTTP_ERR_NO_MEM, "no memory for the request");
    c->started = true;
    return 0;
}

int http_client_wait_open(struct http_client *c, int timeout_ms)
{
    if (!c->started) return HTTP_ERR_STATE;
    int err = wait_until(c, is_sent, timeout_ms);
    return err ? err : c->done && c->result ? error_class(c) : 0;
}

int http_client_open(struct http_client *c, int64_t body_len)
{
    int err = http_client_start(c, body_len);
    /* libcurl ends a connection attempt itself; a little later is soon enough here */
    return err ? err : http_client_wait_open(c, c->timeout_ms + 200);
}

int http_client_write(struct http_client *c, const void *data, size_t len)
{
    if (!c->started || c->up_end) return say(c, HTTP_ERR_STATE, "no request with a body is open");
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
    return err ? err : c->result ? error_class(c) : HTTP_ERR_SEND;
}

int http_client_headers(struct http_client *c)
{
    if (!c->started) return say(c, HTTP_ERR_STATE, "no request is open");
    c->up_end = true;
    if (c->up_paused) {
        c->up_paused = false;
        curl_easy_pause(c->easy, CURLPAUSE_CONT);
    }
    int err = wait_until(c, is_answered, c->timeout_ms);
    if (err) return err;
    return c->done && c->result && !c->status ? error_class(c) : 0;
}

static int take_spill(struct http_client *c, void *buf, size_t len)
{
    size_t n = c->spill_len - c->spill_at;
    if (n > len) n = len;
    memcpy(buf, c->spill + c->spill_at, n);
    c->spill_at += n;
    return (int)n;
}

/* Waits until the rate limit allows more; gives how much. What was not read fills the
 * socket's buffer, which slows the server down. */
static size_t paced(struct http_client *c, size_t len)
{
    uint64_t rate = c->cfg.rate_limit, at_once = rate / 20 < 256 ? 256 : rate / 20;
    if (c->paced_from_ms == 0) c->paced_from_ms = now_ms();
    int64_t due = c->paced_from_ms + (int64_t)(c->paced_bytes * 1000 / rate);
    for (int64_t now; (now = now_ms()) < due;) usleep((useconds_t)(due - now) * 1000);
    return len < at_once ? len : at_once;
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
    return err ? err : error_class(c);
}

int http_client_read(struct http_client *c, void *buf, size_t len)
{
    if (!c->started) return say(c, HTTP_ERR_STATE, "no request is open");
    if (len > INT32_MAX) len = INT32_MAX;
    if (len == 0) return 0;
    if (c->cfg.rate_limit) len = paced(c, len);
    int n = read_some(c, buf, len);
    if (n > 0) c->paced_bytes += (uint64_t)n;
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

/* ---- the response ---- */

int http_client_status(const struct http_client *c)
{
    return c->head_done ? c->status : 0;
}

const char *http_client_response_header(struct http_client *c, const char *name)
{
    struct curl_header *h;
    if (curl_easy_header(c->easy, name, 0, CURLH_HEADER, -1, &h)) return NULL;
    return h->value;
}

static const char *field(const struct http_client *c, const char *name)
{
    struct curl_header *h;
    return curl_easy_header(c->easy, name, 0, CURLH_HEADER, -1, &h) ? "" : h->value;
}

int64_t http_client_content_length(const struct http_client *c)
{
    curl_off_t n = -1;
    curl_easy_getinfo(c->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &n);
    return n;
}

bool http_client_chunked(const struct http_client *c)
{
    return strcasestr(field(c, "Transfer-Encoding"), "chunked") != NULL;
}

int64_t http_client_range_total(const struct http_client *c)
{
    const char *slash = strchr(field(c, "Content-Range"), '/');
    if (!slash || slash[1] < '0' || slash[1] > '9') return -1;
    char *end;
    errno = 0;
    long long total = strtoll(slash + 1, &end, 10);
    return *end || errno ? -1 : total;
}

bool http_client_complete(const struct http_client *c)
{
    return c->done && c->result == CURLE_OK && c->status && c->spill_at == c->spill_len;
}

bool http_client_persistent(const struct http_client *c)
{
    long version = 0;
    const char *connection = field(c, "Connection");
    curl_easy_getinfo(c->easy, CURLINFO_HTTP_VERSION, &version);
    bool kept = version == CURL_HTTP_VERSION_1_0 ? strcasestr(connection, "keep-alive") != NULL
                                                 : strcasestr(connection, "close") == NULL;
    return kept && c->head_done && (http_client_chunked(c) || http_client_content_length(c) >= 0);
}

int http_client_errno(const struct http_client *c)
{
    return c->os_errno;
}

const char *http_client_error_text(const struct http_client *c)
{
    return c->text;
}
