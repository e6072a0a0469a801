#include "at/at_ota_settings.h"

#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/tls_trust.h"
#include "esp_partition.h"
#include "nvs.h"
#include "nvs_flash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMESPACE     "airlift_ota"
#define DEFAULT_HOST  "iot.espressif.cn"
#define DEFAULT_TOKEN "dd93253c287f725de50d4071a05dd28b72056ca7"
#define DEFAULT_LIMIT 180

/* False: there is no such namespace. */
static bool open_store(nvs_handle_t *store)
{
    static const char *const labels[] = {"mfg_nvs", "nvs"};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        if (!esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS,
                                      labels[i]))
            continue;
        return nvs_flash_init_partition(labels[i]) == ESP_OK &&
               nvs_open_from_partition(labels[i], NAMESPACE, NVS_READONLY, store) == ESP_OK;
    }
    return false;
}

/* *out keeps what it has when the key is not there, or has no room. */
static void take_text(nvs_handle_t store, const char *key, char *out, size_t size)
{
    char text[512];
    size_t len = sizeof text;
    if (nvs_get_str(store, key, text, &len) == ESP_OK && len <= size) memcpy(out, text, len);
}

static void take_port(nvs_handle_t store, const char *key, int *out)
{
    uint16_t port;
    if (nvs_get_u16(store, key, &port) == ESP_OK) *out = port;
}

static void take_config(struct at_ota_settings *s)
{
    const char *server = s->tls ? airlift_config_str("AT_OTA_SSL_SERVER_IP", DEFAULT_HOST)
                                : airlift_config_str("AT_OTA_SERVER_IP", DEFAULT_HOST);
    const char *token = s->tls ? airlift_config_str("AT_OTA_SSL_TOKEN_KEY", DEFAULT_TOKEN)
                               : airlift_config_str("AT_OTA_TOKEN_KEY", DEFAULT_TOKEN);
    s->port = (int)(s->tls ? airlift_config_int("AT_OTA_SSL_SERVER_PORT", 443)
                           : airlift_config_int("AT_OTA_SERVER_PORT", 80));
    s->limit_ms = airlift_config_int("AT_OTA_LIMIT_S", DEFAULT_LIMIT) * 1000;
    snprintf(s->server, sizeof s->server, "%s", server);
    snprintf(s->token, sizeof s->token, "%s", token);
}

void at_ota_settings_load(struct at_ota_settings *s, bool tls)
{
    nvs_handle_t store;
    memset(s, 0, sizeof *s);
    s->tls = tls;
    take_config(s);
    if (!open_store(&store)) return;
    take_text(store, "server", s->server, sizeof s->server);
    take_text(store, "token", s->token, sizeof s->token);
    if (tls) {
        take_text(store, "ssl_server", s->server, sizeof s->server);
        take_text(store, "ssl_token", s->token, sizeof s->token);
    }
    take_port(store, tls ? "ssl_port" : "port", &s->port);
    take_text(store, tls ? "ssl_connect" : "connect_to", s->connect_to, sizeof s->connect_to);
    nvs_close(store);
}

struct at_cloud_peer at_ota_settings_peer(const struct at_ota_settings *s)
{
    return (struct at_cloud_peer){.server = s->server, .port = s->port, .token = s->token};
}

char *at_ota_settings_ca(void)
{
    nvs_handle_t store;
    char *text = NULL;
    size_t len = 0;
    if (!open_store(&store)) return NULL;
    if (nvs_get_str(store, "ca", NULL, &len) == ESP_OK && len > 1) text = malloc(len);
    if (text && nvs_get_str(store, "ca", text, &len) != ESP_OK) {
        free(text);
        text = NULL;
    }
    nvs_close(store);
    return text;
}

bool at_ota_settings_verify(void)
{
    return !airlift_config_bool("AT_OTA_SKIP_CERT_VERIFY");
}

void at_ota_settings_trust(struct http_config *cfg, char **roots)
{
    *roots = NULL;
    cfg->insecure = !at_ota_settings_verify();
    if (cfg->insecure) return;
    *roots = at_ota_settings_ca();
    if (!*roots) cfg->ca_bundle = crt_bundle_trust(roots);
    cfg->ca_pem = *roots;
}
