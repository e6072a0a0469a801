/* Where AT+CIUPDATE and AT+CIPFWVER ask, and whom AT+USEROTA and they trust.
 *
 * Kconfig (AT_OTA_...) has the defaults; keys of namespace "airlift_ota" in the manufacturing
 * NVS (partition mfg_nvs, or nvs where there is none) go before them:
 *
 *   server, token    string    for both modes
 *   port             u16       plain HTTP
 *   ssl_server, ssl_token      string    for TLS only
 *   ssl_port         u16
 *   connect_to, ssl_connect    string    ADDRESS:PORT in place of the server's own
 *   ca               string    root certificates, PEM, in place of the bundle */
#ifndef AT_OTA_SETTINGS_H
#define AT_OTA_SETTINGS_H

#include "at/at_cloud_request.h"
#include "net/http_client.h"

#include <stdint.h>

struct at_ota_settings {
    bool tls;
    char server[256], token[AT_CLOUD_TOKEN_MAX + 2], connect_to[272]; /* connect_to "": none */
    int port;
    int64_t limit_ms; /* of a whole upgrade, or list of versions */
};

void at_ota_settings_load(struct at_ota_settings *s, bool tls);
struct at_cloud_peer at_ota_settings_peer(const struct at_ota_settings *s);

/* Root certificates of key "ca", malloc'ed; NULL: none. */
char *at_ota_settings_ca(void);
/* Certificates are checked, unless CONFIG_AT_OTA_SKIP_CERT_VERIFY. */
bool at_ota_settings_verify(void);
/* Sets the trust of cfg; *roots has to be freed after link_new. */
void at_ota_settings_trust(struct http_config *cfg, char **roots);

#endif
