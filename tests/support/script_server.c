#include "tests/support/script_server.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/vectors.h"

struct script_server {
    int listener, port;
    SSL_CTX *tls;
    pthread_t thread;
    pthread_mutex_t lock;
    struct script_answer answers[SCRIPT_ANSWERS];
    size_t count;
    char request[SCRIPT_ANSWERS][SCRIPT_REQUEST];
    unsigned requests;
};

/* A connection; ssl NULL: plain. */
struct wire {
    int fd;
    SSL *ssl;
};

static int wire_read(struct wire *w, void *buf, int len)
{
    return w->ssl ? SSL_read(w->ssl, buf, len) : (int)recv(w->fd, buf, (size_t)len, 0);
}

static bool wire_write(struct wire *w, const char *data, size_t len)
{
    while (len) {
        int n =
            w->ssl ? SSL_write(w->ssl, data, (int)len) : (int)send(w->fd, data, len, MSG_NOSIGNAL);
        if (n <= 0) return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static void send_answer(struct wire *w, const struct script_answer *a)
{
    useconds_t pause = (a->pause_ms ? a->pause_ms : 10) * 1000;
    for (size_t at = 0; at < a->len;) {
        size_t n = a->split && at < a->split ? a->split - at : a->len - at;
        if (a->piece && n > a->piece) n = a->piece;
        if (!wire_write(w, (const char *)a->data + at, n)) return;
        at += n;
        if (at < a->len) usleep(pause);
    }
}

static void end_as(struct wire *w, enum script_end end)
{
    char c;
    struct linger reset = {.l_onoff = 1};
    if (end == SCRIPT_HOLD)
        while (wire_read(w, &c, 1) > 0) continue;
    if (end == SCRIPT_RESET) {
        usleep(20000); /* what was sent should arrive */
        setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    } else if (w->ssl) {
        SSL_shutdown(w->ssl);
    }
}

/* The request up to its empty line. False: the client has gone. */
static bool read_request(struct wire *w, char request[static SCRIPT_REQUEST])
{
    size_t len = 0;
    while (len + 1 < SCRIPT_REQUEST) {
        int n = wire_read(w, request + len, (int)(SCRIPT_REQUEST - 1 - len));
        if (n <= 0) return false;
        len += (size_t)n;
        request[len] = 0;
        if (strstr(request, "\r\n\r\n")) return true;
    }
    return false;
}

static void serve(struct script_server *s, struct wire *w)
{
    char request[SCRIPT_REQUEST];
    struct script_answer answer = {.end = SCRIPT_CLOSE};
    if (!read_request(w, request)) return;
    pthread_mutex_lock(&s->lock);
    unsigned nth = s->requests;
    if (nth < SCRIPT_ANSWERS) memcpy(s->request[s->requests++], request, sizeof request);
    if (nth < s->count) answer = s->answers[nth];
    pthread_mutex_unlock(&s->lock);
    send_answer(w, &answer);
    end_as(w, answer.end);
}

static void *accept_all(void *arg)
{
    struct script_server *s = arg;
    int fd, one = 1;
    while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
        struct wire w = {.fd = fd, .ssl = s->tls ? SSL_new(s->tls) : NULL};
        setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one);
        if (w.ssl) SSL_set_fd(w.ssl, fd);
        if (!w.ssl || SSL_accept(w.ssl) == 1) serve(s, &w);
        SSL_free(w.ssl);
        ERR_clear_error();
        close(fd);
    }
    return NULL;
}

static SSL_CTX *make_tls(const char *dir, const char *cert)
{
    char path[400];
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    assert_non_null(ctx);
    snprintf(path, sizeof path, "%s/%s.pem", dir, cert);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(ctx, path), 1);
    snprintf(path, sizeof path, "%s/%s.key", dir, cert);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM), 1);
    return ctx;
}

struct script_server *script_server_start(const char *dir, const char *cert)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    struct script_server *s = calloc(1, sizeof *s);
    assert_non_null(s);
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    pthread_mutex_init(&s->lock, NULL);
    if (cert) s->tls = make_tls(dir, cert);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&a, len), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &len), 0);
    s->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, accept_all, s), 0);
    return s;
}

void script_server_stop(struct script_server *s)
{
    if (!s) return;
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    SSL_CTX_free(s->tls);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

int script_server_port(const struct script_server *s)
{
    return s->port;
}

void script_server_play(struct script_server *s, const struct script_answer *answers, size_t count)
{
    assert_true(count <= SCRIPT_ANSWERS);
    pthread_mutex_lock(&s->lock);
    memcpy(s->answers, answers, count * sizeof *answers);
    s->count = count;
    s->requests = 0;
    memset(s->request, 0, sizeof s->request);
    pthread_mutex_unlock(&s->lock);
}

unsigned script_server_requests(struct script_server *s)
{
    pthread_mutex_lock(&s->lock);
    unsigned n = s->requests;
    pthread_mutex_unlock(&s->lock);
    return n;
}

const char *script_server_request(struct script_server *s, unsigned nth)
{
    assert_true(nth < SCRIPT_ANSWERS);
    return s->request[nth];
}

/* ---- answers ---- */

static void *made_here[256];
static size_t made_count;

static struct script_answer keep(void *data, size_t len)
{
    assert_true(made_count < sizeof made_here / sizeof *made_here);
    made_here[made_count++] = data;
    return (struct script_answer){.data = data, .len = len};
}

struct script_answer script_vector(const char *path)
{
    size_t len;
    void *data = vector_file(&len, "%s", path);
    return keep(data, len);
}

struct script_answer script_text(const char *text)
{
    char *data = strdup(text);
    assert_non_null(data);
    return keep(data, strlen(text));
}

struct script_answer script_made(const char *fields, const void *body, size_t len)
{
    static const char status[] = "HTTP/1.1 200 OK\r\n";
    size_t head = sizeof status - 1 + strlen(fields) + 2;
    char *data = malloc(head + len + 1);
    assert_non_null(data);
    snprintf(data, head + 1, "%s%s\r\n", status, fields);
    memcpy(data + head, body, len);
    return keep(data, head + len);
}

struct script_answer script_file(const void *body, size_t len)
{
    char fields[64];
    snprintf(fields, sizeof fields, "Content-Length: %zu\r\n", len);
    return script_made(fields, body, len);
}

void script_answers_free(void)
{
    while (made_count) free(made_here[--made_count]);
}
