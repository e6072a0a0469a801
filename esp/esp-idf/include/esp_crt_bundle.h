/* Trust in the well-known root certificates: those of the host, and the file
 * CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Goes into crt_bundle_attach of a configuration; conf is not used. */
esp_err_t esp_crt_bundle_attach(void *conf);
void esp_crt_bundle_detach(void *conf);
/* PEM text (size may count its NUL) to be trusted instead of the bundle's roots.
 * ESP_ERR_INVALID_ARG: no certificate in it. */
esp_err_t esp_crt_bundle_set(const uint8_t *x509_bundle, size_t bundle_size);

#ifdef __cplusplus
}
#endif
