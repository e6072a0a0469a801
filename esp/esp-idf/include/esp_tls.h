/* The certificates that all connections of an app may trust, and the types that
 * other headers share. Connections themselves are made by esp_http_client. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_tls_errors.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_TLS_VER_ANY = 0,
    ESP_TLS_VER_TLS_1_2 = 1,
    ESP_TLS_VER_TLS_1_3 = 2,
    ESP_TLS_VER_TLS_MAX
} esp_tls_proto_ver_t;

typedef enum {
    ESP_TLS_DYN_BUF_RX_STATIC = 1,
    ESP_TLS_DYN_BUF_STRATEGY_MAX
} esp_tls_dyn_buf_strategy_t;

/* The store of http config's use_global_ca_store. Empty until set. */
esp_err_t esp_tls_init_global_ca_store(void);
/* PEM text (bytes count its NUL) or one DER certificate; replaces what was there.
 * ESP_ERR_INVALID_ARG: NULL or 0; ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED. */
esp_err_t esp_tls_set_global_ca_store(const unsigned char *cacert_pem_buf,
                                      const unsigned int cacert_pem_bytes);
void esp_tls_free_global_ca_store(void);

/* h: data of the events HTTP_EVENT_ERROR and HTTP_EVENT_DISCONNECTED. The others may be
 * NULL. ESP_OK: nothing has failed; ESP_ERR_INVALID_STATE: no h. */
esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t h, int *esp_tls_code,
                                           int *esp_tls_flags);

#ifdef __cplusplus
}
#endif
