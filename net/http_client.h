/* HTTP requests whose body is pulled by the caller, on libcurl: open, read
 * the headers, read as much as wanted, go on later or close.
 * One request at a time on one client; the connection is kept between them. */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_client;

enum http_error { /* negative results of these functions */
                  HTTP_ERR_NO_MEM = -1,
                  HTTP_ERR_URL = -2,     /* not http(s), or malformed */
                  HTTP_ERR_RESOLVE = -3, /* name lookup */
                  HTTP_ERR_CONNECT = -4, /* refused, unreachable */
                  HTTP_ERR_TLS = -5,     /* handshake, certificate: see http_client_error_text */
                  HTTP_ERR_TIMEOUT = -6, /* no progress for timeout_ms */
                  HTTP_ERR_SEND = -7,
                  HTTP_ERR_RECV = -8,     /* connection broke inside the response */
                  HTTP_ERR_PROTOCOL = -9, /* not HTTP */
                  HTTP_ERR_STATE = -10,   /* calls in the wrong order */
                  HTTP_ERR_ARG = -11      /* a name or value that cannot stand in a header */
};

/* Zeros and NULL mean the defaults. Strings are copied. */
struct http_config {
    const char *user_agent; /* default: none sent */
    int timeout_ms;         /* for connect and each read or write; default 5000 */
    const char *ca_pem;     /* trust anchors, PEM text or one DER; NULL: none (then the next two) */
    size_t ca_pem_len;      /* 0: strlen */
    const char *ca_file;    /* PEM file */
    bool ca_bundle;         /* the system's trust store (and the above as well, if given) */
    bool insecure;          /* the peer is not verified at all */
    bool skip_name_check;   /* chain is verified, the name is not */
    const char *common_name; /* name to verify instead of the URL's host */
    const char *client_cert_pem, *client_key_pem, *client_key_password;
    int tls_version;         /* 0 any, 12 or 13: that one only */
    const char *const *alpn; /* NULL-terminated */
    bool tls_sessions;       /* resume TLS sessions (default off) */
    bool keep_alive;         /* TCP keep-alive */
    int keep_alive_idle_s, keep_alive_interval_s, keep_alive_count; /* default 5 5 3 */
    const char *interface; /* bind to this one, but reach this machine's own servers, too */
    int address_family;    /* 0 any, AF_INET, AF_INET6 */
    uint64_t rate_limit;   /* bytes a second, 0: none */
    void *ctx;             /* of the callbacks */
    void (*on_connected)(void *ctx);
    void (*on_sent)(void *ctx);               /* the request head is out */
    void (*on_status)(void *ctx, int status); /* before its headers; not for 1xx */
    void (*on_header)(void *ctx, const char *name, const char *value);
};

enum http_auth { HTTP_AUTH_NONE, HTTP_AUTH_BASIC, HTTP_AUTH_DIGEST };

struct http_client *http_client_new(const struct http_config *cfg); /* NULL: no memory */
void http_client_free(struct http_client *c);

/* For the next request; value NULL removes. All are kept between requests. */
int http_client_set_url(struct http_client *c, const char *url);
int http_client_set_method(struct http_client *c, const char *method); /* "GET" */
int http_client_set_header(struct http_client *c, const char *name, const char *value);
const char *http_client_get_header(struct http_client *c, const char *name); /* of the request */
void http_client_clear_headers(struct http_client *c);
/* Bytes of the longest request header line, its line end included; 0: none set. */
size_t http_client_longest_header(const struct http_client *c);
int http_client_set_auth(struct http_client *c, enum http_auth how, const char *user,
                         const char *password);
/* 0: the default; negative: do not wait at all, HTTP_ERR_TIMEOUT is then no fault. */
void http_client_set_timeout(struct http_client *c, int timeout_ms);

/* Connects and sends the request head; body_len bytes of body follow by
 * http_client_write (-1: chunked, 0: none). A kept connection is used again. 0 or http_error. */
int http_client_open(struct http_client *c, int64_t body_len);
/* The same in two steps, for callers that must not wait: wait returns
 * HTTP_ERR_TIMEOUT as long as the connection is not made or the head not sent. */
int http_client_start(struct http_client *c, int64_t body_len);
int http_client_wait_open(struct http_client *c, int timeout_ms);
int http_client_write(struct http_client *c, const void *data, size_t len); /* bytes taken */
/* Waits for the response head. 0 or http_error; after HTTP_ERR_TIMEOUT it can be
 * called again. Redirects are not followed, 1xx heads are skipped. */
int http_client_headers(struct http_client *c);
/* Up to len bytes of body; 0: its end. HTTP_ERR_RECV: it broke off before. HTTP_ERR_TIMEOUT:
 * none came in time, the request goes on. Returns as soon as any bytes are there. */
int http_client_read(struct http_client *c, void *buf, size_t len);
/* Forgets body that has come but was not read. */
void http_client_drop(struct http_client *c);
/* Ends the request. The connection is kept when the response was read to its
 * end, else it is closed: nothing is drained. */
void http_client_close(struct http_client *c);
/* Closes the connection itself too. */
void http_client_disconnect(struct http_client *c);

int http_client_status(const struct http_client *c); /* 0: none yet */
/* 301, 302, 303, 307, 308: Location leads on. */
static inline bool http_status_redirects(int status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}
int64_t http_client_content_length(const struct http_client *c); /* -1: unknown */
bool http_client_chunked(const struct http_client *c);
int64_t http_client_range_total(const struct http_client *c); /* of Content-Range, -1: unknown */
const char *http_client_response_header(struct http_client *c, const char *name);
bool http_client_complete(const struct http_client *c);   /* body read to its announced end */
bool http_client_persistent(const struct http_client *c); /* connection can be used again */
int http_client_errno(const struct http_client *c);       /* of the socket, 0: none */
/* What went wrong, for people; names the certificate problem and what to do. */
const char *http_client_error_text(const struct http_client *c);

#endif
