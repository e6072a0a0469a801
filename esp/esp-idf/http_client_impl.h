/* Inside of esp_http_client: the handle, and what its sources share. */
#ifndef ESP_HTTP_CLIENT_IMPL_H
#define ESP_HTTP_CLIENT_IMPL_H

#include "esp_http_client.h"

#include "net/http_client.h"
#include "net/http_client_url.h"

#define HTTP_CLIENT_TAG "HTTP_CLIENT"

/* Where an exchange stands. */
enum exchange {
    EXCHANGE_NONE,    /* a connection may be kept */
    EXCHANGE_OPENING, /* connecting, sending the head */
    EXCHANGE_SENT,    /* head is out, the body may be written */
    EXCHANGE_ANSWERED /* response head is there */
};

/* Takes the app's own chunk framing off, since the layer below frames again. */
struct unframe {
    bool on;
    enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_END } part;
    size_t left; /* bytes of the chunk still to come */
};

struct esp_http_client {
    struct http_client *net;
    struct http_url url; /* of the next request */
    esp_http_client_method_t method;
    char *username, *password;
    esp_http_client_auth_type_t auth_type;
    bool unverified; /* https without any trust setting: refused */

    int timeout_ms, buffer_size, buffer_size_tx;
    bool is_async, disable_auto_redirect;
    int max_redirection_count, max_authorization_retries;
    http_event_handle_cb handler;
    void *user_data;
    const char *post_data; /* the app's */
    int post_len;

    enum exchange exchange;
    bool connected;
    bool tell_end;      /* DISCONNECTED is still to be told: of a connection, or of a failed try */
    bool process_again; /* perform: a redirect or a challenge was answered */
    int redirects;
    struct unframe unframe;
    char *location, *challenge;           /* of the last response */
    int64_t received;                     /* bytes of body */
    char *buffer;                         /* [buffer_size], of perform; made when needed */
    struct esp_tls_last_error last_error; /* data of the events ERROR and DISCONNECTED */
};

/* http_client.c */
void http_client_tell(esp_http_client_handle_t client, esp_http_client_event_id_t id, void *data,
                      int len, const char *key, const char *value);

/* http_auth.c */
/* A WWW-Authenticate value: kept if it is the best that can be answered. */
void http_auth_note(esp_http_client_handle_t client, const char *challenge);
/* Hands the credentials down for the next request. */
void http_auth_apply(esp_http_client_handle_t client);

#endif
