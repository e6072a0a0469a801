/* Inside of http_client: the handle, and what its sources share. */
#ifndef NET_HTTP_CLIENT_IMPL_H
#define NET_HTTP_CLIENT_IMPL_H

#include "net/http_client.h"
#include "net/http_client_tls.h"
#include "net/pace.h"

#include <curl/curl.h>

#define HTTP_READ_CHUNK (128 * 1024)          /* what libcurl asks of the socket at once */
#define HTTP_SPILL_MAX  (2 * HTTP_READ_CHUNK) /* body that came while no buffer was held out */
#define HTTP_TIMEOUT_MS 5000

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
    char interface[64]; /* as libcurl wants it; empty: any */
    struct header *headers;
    struct curl_slist *lines; /* the headers as libcurl wants them, of the running request */
    enum http_auth auth;

    /* The running request. */
    bool started;        /* the handle is in the multi */
    bool new_connection; /* not a kept one */
    bool head_sent, auth_sent;
    bool head_done;  /* the final response's head is there, or none will come any more */
    bool head_whole; /* a head has come to its end */
    bool done;       /* libcurl has ended the transfer: result tells how */
    bool progress;   /* something moved since the flag was cleared */
    CURLcode result;
    int status;

    /* Request body: what http_client_write holds out. */
    const char *up;
    size_t up_len;
    bool up_paused, up_end;

    /* Response body: straight to the caller's buffer while a read is under way. */
    char *dst;
    size_t dst_len, dst_got;
    char *spill; /* [HTTP_SPILL_MAX], made when needed */
    size_t spill_at, spill_len;
    bool down_paused;
    struct pace pace; /* of the body */

    int os_errno;
    char curl_says[CURL_ERROR_SIZE];
    char text[1024];
};

/* http_client.c: libcurl's callbacks for everything that moves. */
void http_client_hook(struct http_client *c);

/* http_client_setup.c */
struct header **http_client_find_header(struct http_client *c, const char *name);

/* http_client_result.c */
/* Sets the error text; gives err. */
int http_client_say(struct http_client *c, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* libcurl has ended the transfer. */
void http_client_note_end(struct http_client *c, CURLcode result);
/* enum http_error of what libcurl says, 0: it went well. */
int http_error_of(CURLcode code);

/* A failed connection, for people. */
struct http_fault {
    CURLcode code;
    const char *curl_says; /* CURLOPT_ERRORBUFFER, may be "" */
    const struct http_tls *tls;
    const char *host;
    int port, timeout_ms;
};
/* Gives http_error_of(code). */
int http_error_explain(const struct http_fault *f, char *text, size_t size);
/* http_error_of the ended transfer. */
int http_client_error_class(const struct http_client *c);

#endif
