/* HTTP and HTTPS requests: a whole exchange by esp_http_client_perform, or open,
 * fetch headers, read. One handle serves one task at a time. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "esp_err.h"
#include "esp_event_base.h"
#include "esp_tls_errors.h"
#include "freertos/FreeRTOS.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DEFAULT_HTTP_BUF_SIZE 512

ESP_EVENT_DECLARE_BASE(ESP_HTTP_CLIENT_EVENT);

typedef struct esp_http_client *esp_http_client_handle_t;
typedef struct esp_http_client_event *esp_http_client_event_handle_t;

/* Numbers as of v6.0. */
typedef enum {
    HTTP_EVENT_ERROR = 0, /* data: esp_tls_error_handle_t, see esp_tls.h */
    HTTP_EVENT_ON_CONNECTED,
    HTTP_EVENT_HEADERS_SENT,
    HTTP_EVENT_HEADER_SENT = HTTP_EVENT_HEADERS_SENT,
    HTTP_EVENT_ON_HEADER, /* header_key, header_value */
    HTTP_EVENT_ON_HEADERS_COMPLETE,
    HTTP_EVENT_ON_STATUS_CODE, /* data: int */
    HTTP_EVENT_ON_DATA,        /* data, data_len */
    HTTP_EVENT_ON_FINISH,      /* by esp_http_client_perform only */
    HTTP_EVENT_DISCONNECTED,   /* data as of ERROR; a failed attempt ends with it, too */
    HTTP_EVENT_REDIRECT /* disable_auto_redirect: esp_http_client_set_redirection follows it */
} esp_http_client_event_id_t;

typedef struct esp_http_client_event {
    esp_http_client_event_id_t event_id;
    esp_http_client_handle_t client;
    void *data;
    int data_len;
    void *user_data;
    char *header_key;
    char *header_value;
} esp_http_client_event_t;

/* On the default event loop these go with the ids above: ON_DATA with the second,
 * REDIRECT with the third, the others with the client handle. */
typedef struct esp_http_client_on_data {
    esp_http_client_handle_t client;
    int64_t data_process; /* bytes of body so far */
} esp_http_client_on_data_t;

typedef struct esp_http_client_redirect_event_data {
    esp_http_client_handle_t client;
    int status_code;
} esp_http_client_redirect_event_data_t;

typedef esp_err_t (*http_event_handle_cb)(esp_http_client_event_t *evt);

typedef enum {
    HTTP_TRANSPORT_UNKNOWN = 0x0,
    HTTP_TRANSPORT_OVER_TCP,
    HTTP_TRANSPORT_OVER_SSL
} esp_http_client_transport_t;

typedef enum {
    ESP_HTTP_CLIENT_TLS_VER_ANY = 0,
    ESP_HTTP_CLIENT_TLS_VER_TLS_1_2 = 1,
    ESP_HTTP_CLIENT_TLS_VER_TLS_1_3 = 2,
    ESP_HTTP_CLIENT_TLS_VER_MAX
} esp_http_client_proto_ver_t;

typedef enum {
    HTTP_TLS_DYN_BUF_RX_STATIC = 1,
    HTTP_TLS_DYN_BUF_STRATEGY_MAX
} esp_http_client_tls_dyn_buf_strategy_t;

typedef enum {
    HTTP_METHOD_GET = 0,
    HTTP_METHOD_POST,
    HTTP_METHOD_PUT,
    HTTP_METHOD_PATCH,
    HTTP_METHOD_DELETE,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_NOTIFY,
    HTTP_METHOD_SUBSCRIBE,
    HTTP_METHOD_UNSUBSCRIBE,
    HTTP_METHOD_OPTIONS,
    HTTP_METHOD_COPY,
    HTTP_METHOD_MOVE,
    HTTP_METHOD_LOCK,
    HTTP_METHOD_UNLOCK,
    HTTP_METHOD_PROPFIND,
    HTTP_METHOD_PROPPATCH,
    HTTP_METHOD_MKCOL,
    HTTP_METHOD_REPORT,
    HTTP_METHOD_MAX
} esp_http_client_method_t;

typedef enum {
    HTTP_AUTH_TYPE_NONE = 0,
    HTTP_AUTH_TYPE_BASIC,
    HTTP_AUTH_TYPE_DIGEST
} esp_http_client_auth_type_t;

typedef enum {
    HTTP_ADDR_TYPE_UNSPEC = AF_UNSPEC,
    HTTP_ADDR_TYPE_INET = AF_INET,
    HTTP_ADDR_TYPE_INET6 = AF_INET6
} esp_http_client_addr_type_t;

typedef enum {
    HttpStatus_Ok = 200,
    HttpStatus_MultipleChoices = 300,
    HttpStatus_MovedPermanently = 301,
    HttpStatus_Found = 302,
    HttpStatus_SeeOther = 303,
    HttpStatus_NotModified = 304,
    HttpStatus_TemporaryRedirect = 307,
    HttpStatus_PermanentRedirect = 308,
    HttpStatus_BadRequest = 400,
    HttpStatus_Unauthorized = 401,
    HttpStatus_Forbidden = 403,
    HttpStatus_NotFound = 404,
    HttpStatus_RangeNotSatisfiable = 416,
    HttpStatus_InternalError = 500
} HttpStatus_Code;

/* Zeros mean the defaults. esp_http_client_init copies what it needs. A key in the
 * chip's secure hardware (client_key, use_ecdsa_peripheral, ds_data) and an own
 * transport are refused by esp_http_client_init: there is no such thing here. */
typedef struct {
    const char *url; /* goes before host, port, path, query */
    const char *host;
    int port; /* 0: 80 or 443 */
    const char *username;
    const char *password;
    esp_http_client_auth_type_t auth_type;
    const char *path;
    const char *query;
    union {
        const char *cert_pem; /* trusted certificates */
        const char *cert_der;
    };
    size_t cert_len; /* 0: cert_pem is text; else bytes of PEM (NUL counted) or DER */
    union {
        const char *client_cert_pem;
        const char *client_cert_der;
    };
    size_t client_cert_len;
    union {
        const char *client_key_pem;
        const char *client_key_der;
    };
    size_t client_key_len;
    const void *client_key;
    const char *client_key_password;
    size_t client_key_password_len;
    esp_http_client_proto_ver_t tls_version;
    bool use_ecdsa_peripheral;
    uint8_t ecdsa_key_efuse_blk;
    uint8_t ecdsa_key_efuse_blk_high;
    int ecdsa_curve;
    const char *user_agent;
    esp_http_client_method_t method;
    int timeout_ms; /* connect, each read, each write; 0: 5000 */
    bool disable_auto_redirect;
    int max_redirection_count;     /* 0: 10 */
    int max_authorization_retries; /* 0: 10, -1: none */
    http_event_handle_cb event_handler;
    esp_http_client_transport_t transport_type;
    int buffer_size;    /* 0: 512 */
    int buffer_size_tx; /* longest request line and header; 0: 512 */
    void *user_data;
    bool is_async;
    bool use_global_ca_store; /* esp_tls_set_global_ca_store */
    bool skip_cert_common_name_check;
    const char *common_name;                    /* expected instead of the URL's host */
    esp_err_t (*crt_bundle_attach)(void *conf); /* esp_crt_bundle_attach */
    bool keep_alive_enable;                     /* TCP keep-alive */
    int keep_alive_idle;                        /* s, 0: 5 */
    int keep_alive_interval;                    /* s, 0: 5 */
    int keep_alive_count;                       /* 0: 3 */
    struct ifreq *if_name;
    const char **alpn_protos; /* ended by NULL */
    void *ds_data;
    bool save_client_session;               /* resume TLS sessions */
    struct esp_transport_item_t *transport; /* own transports: refused by init */
    esp_http_client_addr_type_t addr_type;
    esp_http_client_tls_dyn_buf_strategy_t tls_dyn_buf_strategy;
} esp_http_client_config_t;

#define ESP_ERR_HTTP_BASE                  0x7000
#define ESP_ERR_HTTP_MAX_REDIRECT          (ESP_ERR_HTTP_BASE + 1)
#define ESP_ERR_HTTP_CONNECT               (ESP_ERR_HTTP_BASE + 2)
#define ESP_ERR_HTTP_WRITE_DATA            (ESP_ERR_HTTP_BASE + 3)
#define ESP_ERR_HTTP_FETCH_HEADER          (ESP_ERR_HTTP_BASE + 4)
#define ESP_ERR_HTTP_INVALID_TRANSPORT     (ESP_ERR_HTTP_BASE + 5)
#define ESP_ERR_HTTP_CONNECTING            (ESP_ERR_HTTP_BASE + 6)
#define ESP_ERR_HTTP_EAGAIN                (ESP_ERR_HTTP_BASE + 7)
#define ESP_ERR_HTTP_CONNECTION_CLOSED     (ESP_ERR_HTTP_BASE + 8)
#define ESP_ERR_HTTP_NOT_MODIFIED          (ESP_ERR_HTTP_BASE + 9)
#define ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE (ESP_ERR_HTTP_BASE + 10)
#define ESP_ERR_HTTP_READ_TIMEOUT          (ESP_ERR_HTTP_BASE + 11)
#define ESP_ERR_HTTP_INCOMPLETE_DATA       (ESP_ERR_HTTP_BASE + 12)
#define ESP_ERR_HTTP_REDIRECT_DOWNGRADE    (ESP_ERR_HTTP_BASE + 13)
#define ESP_ERR_HTTP_HEADER_TOO_LONG       (ESP_ERR_HTTP_BASE + 14)

/* NULL: no memory, no URL and no host, or a URL that cannot be taken apart. */
esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config);
esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client);

/* A whole exchange, redirects and authorization included. is_async:
 * ESP_ERR_HTTP_EAGAIN until it is done. */
esp_err_t esp_http_client_perform(esp_http_client_handle_t client);
/* Breaks the exchange off, the connection too. */
esp_err_t esp_http_client_cancel_request(esp_http_client_handle_t client);

esp_err_t esp_http_client_set_url(esp_http_client_handle_t client, const char *url);
/* data is not copied */
esp_err_t esp_http_client_set_post_field(esp_http_client_handle_t client, const char *data,
                                         int len);
int esp_http_client_get_post_field(esp_http_client_handle_t client, char **data);
/* value NULL deletes */
esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key,
                                     const char *value);
/* *value: NULL when not set */
esp_err_t esp_http_client_get_header(esp_http_client_handle_t client, const char *key,
                                     char **value);
esp_err_t esp_http_client_delete_header(esp_http_client_handle_t client, const char *key);
esp_err_t esp_http_client_delete_all_headers(esp_http_client_handle_t client);
esp_err_t esp_http_client_get_username(esp_http_client_handle_t client, char **value);
esp_err_t esp_http_client_set_username(esp_http_client_handle_t client, const char *username);
esp_err_t esp_http_client_get_password(esp_http_client_handle_t client, char **value);
esp_err_t esp_http_client_set_password(esp_http_client_handle_t client, const char *password);
esp_err_t esp_http_client_set_authtype(esp_http_client_handle_t client,
                                       esp_http_client_auth_type_t auth_type);
esp_err_t esp_http_client_get_user_data(esp_http_client_handle_t client, void **data);
esp_err_t esp_http_client_set_user_data(esp_http_client_handle_t client, void *data);
esp_err_t esp_http_client_set_method(esp_http_client_handle_t client,
                                     esp_http_client_method_t method);
esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client, int timeout_ms);
int esp_http_client_get_errno(esp_http_client_handle_t client);
/* Last TLS or connection error; the codes may be NULL. ESP_OK: there was none. */
esp_err_t esp_http_client_get_and_clear_last_tls_error(esp_http_client_handle_t client,
                                                       int *esp_tls_error_code, int *esp_tls_flags);

/* Connects and sends the head; write_len bytes follow by write. Negative: chunked;
 * the app writes the chunks' framing itself. */
esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len);
int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len);
/* Content-Length; 0: chunked or unknown; ESP_FAIL; -ESP_ERR_HTTP_EAGAIN: not in time */
int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client);
/* Fills len bytes unless the data ends, breaks or stops. 0: end; ESP_FAIL;
 * -ESP_ERR_HTTP_EAGAIN: nothing in time. */
int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len);
/* Until len bytes are there or the body ends. */
int esp_http_client_read_response(esp_http_client_handle_t client, char *buffer, int len);
/* Reads the body to its end. len may be NULL. */
esp_err_t esp_http_client_flush_response(esp_http_client_handle_t client, int *len);
esp_err_t esp_http_client_close(esp_http_client_handle_t client);

/* The next request on a kept connection: prepare, then send. */
esp_err_t esp_http_client_prepare(esp_http_client_handle_t client);
esp_err_t esp_http_client_request_send(esp_http_client_handle_t client, int write_len);
/* Drops body bytes that came but were not read. */
void esp_http_client_clear_response_buffer(esp_http_client_handle_t client);

bool esp_http_client_is_chunked_response(esp_http_client_handle_t client);
int esp_http_client_get_status_code(esp_http_client_handle_t client);
/* -1: chunked or unknown */
int64_t esp_http_client_get_content_length(esp_http_client_handle_t client);
/* Total length behind the slash of Content-Range; -1: none */
int64_t esp_http_client_get_content_range(esp_http_client_handle_t client);
bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client);
bool esp_http_client_is_persistent_connection(esp_http_client_handle_t client);
esp_http_client_transport_t esp_http_client_get_transport_type(esp_http_client_handle_t client);
/* ESP_ERR_INVALID_SIZE: longer than len */
esp_err_t esp_http_client_get_url(esp_http_client_handle_t client, char *url, const int len);

/* Goes to the Location of the last response. ESP_ERR_INVALID_ARG: there is none;
 * ESP_ERR_HTTP_REDIRECT_DOWNGRADE: from https to http. */
esp_err_t esp_http_client_set_redirection(esp_http_client_handle_t client);
esp_err_t esp_http_client_reset_redirect_counter(esp_http_client_handle_t client);
/* Takes a challenge ("Digest realm=...") as if it had been the last response's. */
esp_err_t esp_http_client_set_auth_data(esp_http_client_handle_t client, const char *auth_data,
                                        int len);
/* Answers the last response's challenge in the next request. ESP_ERR_NOT_SUPPORTED:
 * no challenge, or a scheme that is not configured. */
esp_err_t esp_http_client_add_auth(esp_http_client_handle_t client);

#ifdef __cplusplus
}
#endif
