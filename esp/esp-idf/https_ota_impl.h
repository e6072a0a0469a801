/* Inside of esp_https_ota: the handle, and what its sources share. */
#ifndef ESP_HTTPS_OTA_IMPL_H
#define ESP_HTTPS_OTA_IMPL_H

#include "esp_https_ota.h"
#include "esp_ota_ops.h"

#define HTTPS_OTA_TAG         "esp_https_ota"
#define HTTPS_OTA_HEADER_LEN  1024  /* read before anything is written; least resume offset */
#define HTTPS_OTA_REQUEST_LEN 65536 /* default of max_http_request_size */

/* The order matters: calls compare. */
enum https_ota_state {
    HTTPS_OTA_INIT,
    HTTPS_OTA_BEGIN,       /* connected, nothing written */
    HTTPS_OTA_IN_PROGRESS, /* the update is open */
    HTTPS_OTA_SUCCESS,     /* all data written */
    HTTPS_OTA_RESUME       /* as BEGIN, but goes on where an earlier try ended */
};

struct https_ota {
    enum https_ota_state state;
    esp_http_client_handle_t http;
    esp_ota_handle_t update;
    const esp_partition_t *staging, *final;
    bool copy_to_final, bulk_erase;

    bool partial, resumption;
    int request_len;         /* partial: bytes of each request */
    size_t written;          /* bytes in flash, those of an earlier try included */
    int64_t image_len;       /* -1: unknown */
    int authorizations_left; /* answers to 401 */
    int max_redirects;       /* of one request */

    char *buffer; /* [buffer_len] */
    size_t buffer_len;
    size_t header_len; /* bytes of the header waiting in buffer */
    int64_t last_data_us;

    decrypt_cb_t decrypt; /* NULL: not configured */
    void *decrypt_ctx;
    uint16_t enc_header_len;
};

/* https_ota.c */
void https_ota_post(esp_https_ota_event_t id, const void *data, size_t len);

/* https_ota_http.c */
/* Sends the request and follows redirects and challenges until there is a response to
 * read; its status decides the result. */
esp_err_t https_ota_connect(struct https_ota *ota);
/* Partial download: learns image_len and asks for the first piece. */
esp_err_t https_ota_prepare_partial(struct https_ota *ota);
/* The first connection; starts over when the server cannot resume. */
esp_err_t https_ota_first_connect(struct https_ota *ota);
/* Asks for the piece that begins at `at` (bytes of the image). ESP_FAIL. */
esp_err_t https_ota_next_piece(struct https_ota *ota, size_t at);
/* All bytes of the image received (written: partial). */
bool https_ota_is_complete(const struct https_ota *ota);

/* https_ota_perform.c */
/* Fills buffer with the image's first HTTPS_OTA_HEADER_LEN bytes. */
esp_err_t https_ota_read_header(struct https_ota *ota);

#endif
