/* What esp_tls.h and esp_crt_bundle.h were told to trust, for esp_http_client. */
#ifndef ESP_TLS_TRUST_H
#define ESP_TLS_TRUST_H

#include <stdbool.h>

/* PEM text of esp_tls_set_global_ca_store, malloc'ed copy; NULL: none set. */
char *tls_global_store(void);
/* PEM text of esp_crt_bundle_set, malloc'ed copy; NULL: the host's roots count. */
char *crt_bundle_given(void);
/* PEM text of CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH as the build put it into the
 * program, else as it is read now: a file or a folder of .pem, .crt and .der files;
 * malloc'ed. NULL: not configured, or unreadable (logged). */
char *crt_bundle_custom(void);
/* What esp_crt_bundle_attach means: *roots (malloc'ed or NULL) and, when it gives true, the
 * host's own. */
bool crt_bundle_trust(char **roots);
#endif
