/* libmicrohttpd behind http_server.h. */
#include "net/http_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/http_certificate.h"
#include "net/http_one_record.h"
#include "net/url_decode.h"

/* X25519 first: clients send that key share unasked; any other costs a round trip. AES-128
 * first: with SHA-256 instead of SHA-384 it halves what the key schedule costs. */
#define TLS_PRIORITIES                                                             \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:"                                  \
    "-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"                    \
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1:" \
    "+GROUP-FFDHE2048:+GROUP-FFDHE3072:%SERVER_PRECEDENCE"
#define STOP_POLL_NS 20000000L

/* A connection, to end those that never finish a request head, or a body nobody wants. */
struct connection {
    struct connection *next, *before;
    struct http_server *server;
    int fd;
    atomic_bool waiting; /* for the end of a head, or of a body behind an answer */
    atomic_long since_s; /* when that began */
};

struct http_server {
    struct http_server_config cfg;
    struct MHD_Daemon *daemon;
    int listen_fd;
    pthread_mutex_t lock; /* of connections and stopping */
    pthread_cond_t wake;
    pthread_t watcher;
    bool stopping;
    struct connection connections; /* head of the ring */
    struct http_certificates certificates;
    atomic_uint active; /* requests between begin and gone */
    char start_error[256];
};

struct http_request {
    struct http_server *server;
    struct MHD_Connection *mhd;
    const char *method;
    char *path; /* decoded; NULL: malformed */
    int64_t body_len;
    uint64_t drained;
    unsigned status; /* 0: no answer yet */
    struct MHD_Response *response;
    bool queued, complete;
    gnutls_session_t one_record; /* of the connection; NULL: the answer may leave as it likes */
    void *user;
};

static long seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* Says whether the watcher's clock runs for this connection; it starts anew. */
static void set_waiting(struct MHD_Connection *mhd, bool waiting)
{
    struct connection *c = connection_of(mhd);
    if (!c) return;
    c->since_s = seconds_now();
    c->waiting = waiting;
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *s = cls;
    struct connection *c = *socket_context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        if (!(c = calloc(1, sizeof *c))) return;
        c->server = s;
        c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        c->waiting = true;
        c->since_s = seconds_now();
        *socket_context = c;
        pthread_mutex_lock(&s->lock);
        c->next = s->connections.next;
        c->before = &s->connections;
        c->next->before = c->before->next = c;
        pthread_mutex_unlock(&s->lock);
    } else if (c) {
        pthread_mutex_lock(&s->lock);
        c->next->before = c->before;
        c->before->next = c->next;
        pthread_mutex_unlock(&s->lock);
        free(c);
    }
}

/* libmicrohttpd's own time-out starts anew with every byte; a client that drips a head
 * would hold its connection for ever. */
static void *watch_heads(void *arg)
{
    struct http_server *s = arg;
    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        struct timespec at;
        clock_gettime(CLOCK_REALTIME, &at);
        at.tv_sec += 1;
        pthread_cond_timedwait(&s->wake, &s->lock, &at);
        long latest = seconds_now() - (long)s->cfg.head_timeout_s;
        for (struct connection *c = s->connections.next; c != &s->connections; c = c->next)
            if (c->waiting && c->since_s < latest) shutdown(c->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* A target may name the server, too (RFC 9112 3.2.2): "http://host:port/path". */
static const char *path_of(const char *target)
{
    bool absolute =
        strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0;
    if (!absolute) return target;
    const char *path = strchr(strstr(target, "//") + 2, '/');
    return path ? path : "/";
}

static struct http_request *request_new(struct http_server *s, struct MHD_Connection *mhd,
                                        const char *url, const char *method)
{
    struct http_request *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->server = s;
    r->mhd = mhd;
    r->method = method;
    url = path_of(url);
    r->path = url_decode(url, strlen(url), false);
    const char *length = http_request_header(r, "Content-Length");
    if (http_request_header(r, "Transfer-Encoding"))
        r->body_len = -1;
    else if (length)
        r->body_len = (int64_t)strtoull(length, NULL, 10);
    set_waiting(mhd, false);
    atomic_fetch_add(&s->active, 1);
    return r;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **request,
                         enum MHD_RequestTerminationCode code)
{
    struct http_server *s = cls;
    struct http_request *r = *request;
    if (!r) return;
    r->complete = code == MHD_REQUEST_TERMINATED_COMPLETED_OK && r->queued;
    if (r->complete && r->one_record && !http_one_record_flush(r->one_record)) r->complete = false;
    if (s->cfg.handler->gone) s->cfg.handler->gone(s->cfg.ctx, r);
    if (r->response) MHD_destroy_response(r->response);
    free(r->path);
    free(r);
    *request = NULL;
    set_waiting(mhd, true);
    atomic_fetch_sub(&s->active, 1);
}

static enum MHD_Result queue(struct http_request *r)
{
    r->queued = true;
    set_waiting(r->mhd, false); /* sending may take as long as it likes */
    if (r->one_record) http_one_record_begin(r->one_record);
    return MHD_queue_response(r->mhd, r->status, r->response);
}

/* An answer queued before the body has come makes libmicrohttpd close the connection, and a
 * client that is still sending gets a reset instead of the answer. So it waits for the end of
 * the request, unless the client waits too or the body is long. */
static bool answer_at_once(const struct http_request *r)
{
    const char *expect = http_request_header(r, "Expect");
    bool client_waits = expect && strcasecmp(expect, "100-continue") == 0;
    return client_waits || (r->body_len > 0 && (uint64_t)r->body_len > r->server->cfg.drain_limit);
}

static enum MHD_Result take_body(struct http_request *r, const char *data, size_t len)
{
    const struct http_server_config *cfg = &r->server->cfg;
    if (r->status == 0 && cfg->handler->body) {
        cfg->handler->body(cfg->ctx, r, data, len);
        return MHD_YES;
    }
    r->drained += len;
    return r->drained <= cfg->drain_limit ? MHD_YES : MHD_NO;
}

/* libmicrohttpd calls this for the head, for each piece of body, and at the end. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **request)
{
    struct http_server *s = cls;
    struct http_request *r = *request;
    if (!r) {
        if (!(r = *request = request_new(s, mhd, url, method))) return MHD_NO;
        s->cfg.handler->begin(s->cfg.ctx, r);
        if (r->status && answer_at_once(r)) return queue(r);
        if (r->status && r->body_len != 0) set_waiting(mhd, true); /* for the end of its body */
        return MHD_YES;
    }
    if (r->queued) return MHD_YES;
    if (*len > 0) {
        size_t n = *len;
        *len = 0;
        return take_body(r, data, n);
    }
    if (r->status == 0 && s->cfg.handler->end) s->cfg.handler->end(s->cfg.ctx, r);
    return r->status ? queue(r) : MHD_NO;
}

/* Paths and arguments stay as they came: decoding in place would hide an encoded NUL. */
static size_t keep_escapes(void *cls, struct MHD_Connection *mhd, char *text)
{
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *cls, const char *format,
                                                         va_list list)
{
    struct http_server *s = cls;
    if (!s->daemon && !s->start_error[0])
        vsnprintf(s->start_error, sizeof s->start_error, format, list);
}

/* Asked in each handshake. libmicrohttpd leaves its connection in the session. */
static int give_certificate(gnutls_session_t session, const gnutls_datum_t *authorities,
                            int authority_count, const gnutls_pk_algorithm_t *algorithms,
                            int algorithm_count, gnutls_pcert_st **chain, unsigned *count,
                            gnutls_privkey_t *key)
{
    struct connection *c = connection_of(gnutls_session_get_ptr(session));
    return c ? http_certificates_get(&c->server->certificates, chain, count, key) : -1;
}

static void set_defaults(struct http_server_config *c)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (!c->threads) c->threads = cores > 0 ? (unsigned)cores : 1;
    if (!c->connection_limit) c->connection_limit = 4096;
    if (!c->address_limit) c->address_limit = 2048;
    if (!c->idle_timeout_s) c->idle_timeout_s = 30;
    if (!c->head_timeout_s) c->head_timeout_s = 60;
    if (!c->connection_memory) c->connection_memory = 32u << 10;
    if (!c->drain_limit) c->drain_limit = 4u << 20;
    if (c->connection_limit < c->threads) c->connection_limit = c->threads;
}

static struct MHD_Daemon *start_daemon(struct http_server *s)
{
    const struct http_server_config *c = &s->cfg;
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | MHD_USE_TURBO | MHD_USE_ITC;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)give_certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem pool[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)c->threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    if (c->cert_pem) flags |= MHD_USE_TLS;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, s,
        MHD_OPTION_LISTEN_SOCKET, s->listen_fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes,
        NULL, MHD_OPTION_CONNECTION_TIMEOUT, c->idle_timeout_s, MHD_OPTION_CONNECTION_LIMIT,
        c->connection_limit, MHD_OPTION_PER_IP_CONNECTION_LIMIT, c->address_limit,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, c->connection_memory, MHD_OPTION_ARRAY,
        c->cert_pem ? tls : none, MHD_OPTION_ARRAY, c->threads > 1 ? pool : none, MHD_OPTION_END);
}

struct http_server *http_server_start(const struct http_server_config *cfg, int listen_fd,
                                      char *why, size_t why_size)
{
    struct http_server *s = calloc(1, sizeof *s);
    if (!s) {
        snprintf(why, why_size, "out of memory");
        close(listen_fd);
        return NULL;
    }
    s->cfg = *cfg;
    s->listen_fd = listen_fd;
    set_defaults(&s->cfg);
    s->connections.next = s->connections.before = &s->connections;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    bool ready =
        !cfg->cert_pem || http_certificates_set(&s->certificates, cfg->cert_pem, cfg->key_pem,
                                                s->start_error, sizeof s->start_error) == 0;
    s->daemon = ready ? start_daemon(s) : NULL;
    if (s->daemon && pthread_create(&s->watcher, NULL, watch_heads, s) == 0) return s;
    snprintf(why, why_size, "the HTTP server cannot start: %s",
             s->start_error[0] ? s->start_error : "no memory or no threads");
    if (s->daemon)
        MHD_stop_daemon(s->daemon); /* closes the socket */
    else
        close(listen_fd);
    http_certificates_free(&s->certificates);
    free(s);
    return NULL;
}

void http_server_stop(struct http_server *s, unsigned grace_s)
{
    if (!s) return;
    MHD_socket fd = MHD_quiesce_daemon(s->daemon);
    long until = seconds_now() + (long)grace_s;
    while (atomic_load(&s->active) > 0 && seconds_now() < until)
        nanosleep(&(struct timespec){.tv_nsec = STOP_POLL_NS}, NULL);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->watcher, NULL);
    MHD_stop_daemon(s->daemon);
    if (fd != MHD_INVALID_SOCKET) close(fd);
    http_certificates_free(&s->certificates);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    free(s);
}

int http_server_set_certificate(struct http_server *s, const char *cert_pem, const char *key_pem,
                                char *why, size_t why_size)
{
    return http_certificates_set(&s->certificates, cert_pem, key_pem, why, why_size);
}

const char *http_request_method(const struct http_request *r)
{
    return r->method;
}

bool http_request_is(const struct http_request *r, const char *method)
{
    return strcmp(r->method, method) == 0;
}

const char *http_request_path(const struct http_request *r)
{
    return r->path;
}

const char *http_request_header(const struct http_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, name);
}

bool http_request_query(const struct http_request *r, const char *name, char *out, size_t size)
{
    const char *raw = MHD_lookup_connection_value(r->mhd, MHD_GET_ARGUMENT_KIND, name);
    char *text = raw ? url_decode(raw, strlen(raw), true) : NULL;
    bool fits = text && strlen(text) < size;
    if (fits) snprintf(out, size, "%s", text);
    free(text);
    return fits;
}

const char *http_request_query_raw(const struct http_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->mhd, MHD_GET_ARGUMENT_KIND, name);
}

struct unknown_query {
    const char *const *names;
    const char *found;
};

static enum MHD_Result look_for_unknown(void *ctx, enum MHD_ValueKind kind, const char *key,
                                        const char *value)
{
    struct unknown_query *u = ctx;
    const char *const *name = u->names;
    while (*name && strcmp(*name, key) != 0) name++;
    if (*name) return MHD_YES;
    u->found = key;
    return MHD_NO;
}

const char *http_request_unknown_query(const struct http_request *r, const char *const *names)
{
    struct unknown_query u = {.names = names};
    MHD_get_connection_values(r->mhd, MHD_GET_ARGUMENT_KIND, look_for_unknown, &u);
    return u.found;
}

void http_request_hurry(struct http_request *r)
{
    set_waiting(r->mhd, true);
}

int64_t http_request_body_len(const struct http_request *r)
{
    return r->body_len;
}

const char *http_request_peer(const struct http_request *r, char out[64])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = info ? info->client_addr : NULL;
    snprintf(out, 64, "?");
    if (a && a->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, out, 64);
    else if (a && a->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, out, 64);
    return out;
}

void http_request_set_user(struct http_request *r, void *user)
{
    r->user = user;
}

void *http_request_user(const struct http_request *r)
{
    return r->user;
}

bool http_request_answered(const struct http_request *r)
{
    return r->status != 0;
}

bool http_request_complete(const struct http_request *r)
{
    return r->complete;
}

void http_answer_in_one(struct http_request *r)
{
    if (!r->server->cfg.cert_pem) return;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    r->one_record = info ? info->tls_session : NULL;
}

static void answer(struct http_request *r, unsigned status, struct MHD_Response *response)
{
    if (!response) return; /* no memory: the connection ends without an answer */
    r->status = status;
    r->response = response;
}

void http_answer_text(struct http_request *r, unsigned status, const char *type, const char *text)
{
    if (r->status) return;
    answer(r, status,
           MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
                                           MHD_RESPMEM_MUST_COPY));
    if (*text) http_answer_header(r, "Content-Type", type);
}

void http_answer_bytes(struct http_request *r, unsigned status, const void *data, size_t len,
                       void (*release)(void *ctx), void *release_ctx)
{
    struct MHD_Response *response = NULL;
    if (!r->status && r->one_record)
        response = http_one_record_response(r->one_record, data, len, release, release_ctx);
    else if (!r->status)
        response = MHD_create_response_from_buffer_with_free_callback_cls(
            len, (void *)(uintptr_t)data, release, release_ctx);
    if (!response)
        release(release_ctx);
    else
        answer(r, status, response);
}

void http_answer_header(struct http_request *r, const char *name, const char *value)
{
    if (r->response) MHD_add_response_header(r->response, name, value);
}
