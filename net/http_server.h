/* An HTTP/1.1 server on libmicrohttpd: epoll, a thread a core, TLS 1.2 and 1.3,
 * bodies sent straight from memory (mapped files).
 *
 *   head ──> begin ──┬── answered ─────────────> [rest of the body is thrown away] ──> sent ──>
 * gone └── not yet ──> body* ──> end (must answer)
 *
 * The callbacks run in the server's threads; those of one request never at the same
 * time. An answer given in a callback is sent after it has returned. */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_server;
struct http_request;

struct http_handler {
    /* The head is there. Answers, or lets the body come. */
    void (*begin)(void *ctx, struct http_request *r);
    /* Part of the body, until an answer is given. May be NULL. */
    void (*body)(void *ctx, struct http_request *r, const void *data, size_t len);
    /* The whole body was there, and there is no answer yet. May be NULL. */
    void (*end)(void *ctx, struct http_request *r);
    /* The request is over, however it ended: frees what http_request_set_user holds. May
     * be NULL. */
    void (*gone)(void *ctx, struct http_request *r);
};

/* Zeros mean the defaults. */
struct http_server_config {
    const char *cert_pem, *key_pem; /* NULL: plain HTTP */
    unsigned threads;               /* one a core */
    unsigned connection_limit;      /* 4096 */
    unsigned address_limit;         /* connections of one address: 2048 */
    unsigned idle_timeout_s;        /* nothing moves on a connection: 30 */
    unsigned head_timeout_s;        /* from connecting, or the last answer, to the end of the
                                       next head; and for the body behind an early answer: 60 */
    size_t connection_memory;       /* for a head and its answer's, bytes: 32 KiB */
    uint64_t drain_limit;           /* bytes of body read behind an early answer, so that the
                                       client gets to read it: 4 MiB; then the connection ends */
    const struct http_handler *handler;
    void *ctx;
};

/* Opens the listening socket. address: "8070", ":8070", "127.0.0.1:8070", "[::1]:8070",
 * "host:8070"; "[::]" takes IPv4 too; port 0: any free one. The socket, with *port; or -1 and
 * why. */
int http_listen(const char *address, unsigned *port, char *why, size_t why_size);

/* Takes listen_fd over, also when it fails (NULL and why). */
struct http_server *http_server_start(const struct http_server_config *cfg, int listen_fd,
                                      char *why, size_t why_size);
/* Accepts no more, gives requests under way up to grace_s, ends the others. */
void http_server_stop(struct http_server *s, unsigned grace_s);

/* Another certificate for the connections that come from now on; those that are open keep
 * theirs. One caller at a time. 0, or -1 and why: the one before stays. */
int http_server_set_certificate(struct http_server *s, const char *cert_pem, const char *key_pem,
                                char *why, size_t why_size);

/* The request. Texts live as long as it does. */
const char *http_request_method(const struct http_request *r);
bool http_request_is(const struct http_request *r, const char *method);
/* Percent-decoded, without the query. NULL: escapes that are none, or a NUL byte. */
const char *http_request_path(const struct http_request *r);
const char *http_request_header(const struct http_request *r, const char *name); /* or NULL */
/* Value of a query argument, decoded into out. false: absent, malformed or too long. */
bool http_request_query(const struct http_request *r, const char *name, char *out, size_t size);
/* The same as it came, but '+' as a blank; NULL: absent. */
const char *http_request_query_raw(const struct http_request *r, const char *name);
/* The first query argument whose name is none of names (which end with NULL); NULL: none. */
const char *http_request_unknown_query(const struct http_request *r, const char *const *names);
/* In begin or body: the body has to be there within head_timeout_s from now, however it drips. */
void http_request_hurry(struct http_request *r);
int64_t http_request_body_len(const struct http_request *r); /* announced; -1: chunked; 0: none */
const char *http_request_peer(const struct http_request *r, char out[64]); /* address, as text */
void http_request_set_user(struct http_request *r, void *user);
void *http_request_user(const struct http_request *r);
bool http_request_answered(const struct http_request *r);
/* For gone: the answer was given to the connection to its last byte. */
bool http_request_complete(const struct http_request *r);

/* Answers; the first one counts. text is copied; data stays the caller's until release. */
void http_answer_text(struct http_request *r, unsigned status, const char *type, const char *text);
void http_answer_bytes(struct http_request *r, unsigned status, const void *data, size_t len,
                       void (*release)(void *ctx), void *release_ctx);
/* Before the answer, for clients that read a head and its first body bytes at once: both leave
 * in one TLS record. (Over TCP alone they always leave in one send.) */
void http_answer_in_one(struct http_request *r);
/* To the answer given before. */
void http_answer_header(struct http_request *r, const char *name, const char *value);

#endif
