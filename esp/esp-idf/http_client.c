/* esp_http_client: the handle and its settings. */
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/http_client_impl.h"
#include "esp/esp-idf/idf_netif.h"
#include "esp/esp-idf/tls_trust.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_tls.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_USER_AGENT "ESP32 HTTP Client/1.0"

ESP_EVENT_DEFINE_BASE(ESP_HTTP_CLIENT_EVENT);

static const char *TAG = HTTP_CLIENT_TAG;

/* To the app's handler, and to the default event loop if there is one. */
void http_client_tell(esp_http_client_handle_t client, esp_http_client_event_id_t id, void *data,
                      int len, const char *key, const char *value)
{
    esp_http_client_on_data_t on_data = {client, client->received};
    esp_http_client_redirect_event_data_t redirect = {client, http_client_status(client->net)};
    long wait_ms = airlift_config_int("ESP_HTTP_CLIENT_EVENT_POST_TIMEOUT", 2000);
    const void *posted = &client;
    size_t posted_len = sizeof(esp_http_client_handle_t);
    if (client->handler) {
        esp_http_client_event_t event = {.event_id = id,
                                         .client = client,
                                         .data = data,
                                         .data_len = len,
                                         .user_data = client->user_data,
                                         .header_key = (char *)(uintptr_t)key,
                                         .header_value = (char *)(uintptr_t)value};
        client->handler(&event);
    }
    if (id == HTTP_EVENT_ON_DATA) {
        posted = &on_data;
        posted_len = sizeof on_data;
    } else if (id == HTTP_EVENT_REDIRECT) {
        posted = &redirect;
        posted_len = sizeof redirect;
    }
    esp_event_post(ESP_HTTP_CLIENT_EVENT, id, posted, posted_len,
                   wait_ms < 0 ? portMAX_DELAY : pdMS_TO_TICKS((TickType_t)wait_ms));
}

/* ---- what the layer below tells ---- */

static void on_connected(void *ctx)
{
    esp_http_client_handle_t client = ctx;
    client->connected = client->tell_end = true;
    http_client_tell(client, HTTP_EVENT_ON_CONNECTED, NULL, 0, NULL, NULL);
}

static void on_sent(void *ctx)
{
    http_client_tell(ctx, HTTP_EVENT_HEADERS_SENT, NULL, 0, NULL, NULL);
}

static void on_status(void *ctx, int status)
{
    http_client_tell(ctx, HTTP_EVENT_ON_STATUS_CODE, &status, sizeof status, NULL, NULL);
}

static void on_header(void *ctx, const char *name, const char *value)
{
    esp_http_client_handle_t client = ctx;
    if (strcasecmp(name, "Location") == 0) {
        free(client->location);
        client->location = strdup(value);
    } else if (strcasecmp(name, "WWW-Authenticate") == 0) {
        http_auth_note(client, value);
    }
    http_client_tell(client, HTTP_EVENT_ON_HEADER, NULL, 0, name, value);
}

/* ---- making a handle ---- */

/* Trust as the vendor's TLS layer picks it: the bundle, else the global store, else cert_pem.
 * *pem is what has to be freed. */
static void set_trust(struct http_config *net, const esp_http_client_config_t *config,
                      bool *unverified, char **pem)
{
    *unverified = false;
    *pem = NULL;
    if (config->crt_bundle_attach) {
        net->ca_bundle = crt_bundle_trust(pem);
        net->ca_pem = *pem;
    } else if (config->use_global_ca_store) {
        *pem = tls_global_store();
        net->ca_pem = *pem;
        *unverified = !*pem;
    } else if (config->cert_pem) {
        net->ca_pem = config->cert_pem;
        net->ca_pem_len = config->cert_len;
    } else if (airlift_config_bool("ESP_TLS_INSECURE") &&
               airlift_config_bool("ESP_TLS_SKIP_SERVER_CERT_VERIFY")) {
        net->insecure = true;
    } else {
        *unverified = true;
    }
}

static char *text_of(const char *data, size_t len)
{
    return !data ? NULL : len ? strndup(data, len) : strdup(data);
}

static struct http_client *make_net(esp_http_client_handle_t client,
                                    const esp_http_client_config_t *config)
{
    char *pem, *cert = text_of(config->client_cert_pem, config->client_cert_len);
    char *key = text_of(config->client_key_pem, config->client_key_len);
    char *password = text_of(config->client_key_password, config->client_key_password_len);
    struct http_config net = {
        .timeout_ms = config->timeout_ms,
        .skip_name_check = config->skip_cert_common_name_check,
        .common_name = config->common_name,
        .client_cert_pem = cert,
        .client_key_pem = key,
        .client_key_password = password,
        .tls_version = config->tls_version == ESP_HTTP_CLIENT_TLS_VER_TLS_1_2   ? 12
                       : config->tls_version == ESP_HTTP_CLIENT_TLS_VER_TLS_1_3 ? 13
                                                                                : 0,
        .alpn = (const char *const *)config->alpn_protos,
        .tls_sessions = config->save_client_session,
        .keep_alive = config->keep_alive_enable,
        .keep_alive_idle_s = config->keep_alive_idle,
        .keep_alive_interval_s = config->keep_alive_interval,
        .keep_alive_count = config->keep_alive_count,
        .interface = config->if_name ? config->if_name->ifr_name : NULL,
        .address_family = (int)config->addr_type,
        .rate_limit = idf_netif_rate(),
        .ctx = client,
        .on_connected = on_connected,
        .on_sent = on_sent,
        .on_status = on_status,
        .on_header = on_header,
    };
    set_trust(&net, config, &client->unverified, &pem);
    struct http_client *c = http_client_new(&net);
    free(pem);
    free(cert);
    free(key);
    free(password);
    return c;
}

/* From config's host, port, path and query. */
static char *url_of_parts(const esp_http_client_config_t *config)
{
    bool tls = config->transport_type == HTTP_TRANSPORT_OVER_SSL;
    bool six = strchr(config->host, ':') && config->host[0] != '[';
    int port = config->port ? config->port : tls ? 443 : 80;
    const char *path = config->path ? config->path : "/";
    char *url;
    int n = asprintf(&url, "http%s://%s%s%s:%d%s%s%s%s", tls ? "s" : "", six ? "[" : "",
                     config->host, six ? "]" : "", port, path[0] == '/' ? "" : "/", path,
                     config->query ? "?" : "", config->query ? config->query : "");
    return n < 0 ? NULL : url;
}

static esp_err_t take_settings(esp_http_client_handle_t client,
                               const esp_http_client_config_t *config)
{
    client->method = config->method;
    client->auth_type = config->auth_type;
    client->timeout_ms = config->timeout_ms;
    client->buffer_size = config->buffer_size > 0 ? config->buffer_size : DEFAULT_HTTP_BUF_SIZE;
    client->buffer_size_tx =
        config->buffer_size_tx > 0 ? config->buffer_size_tx : DEFAULT_HTTP_BUF_SIZE;
    client->is_async = config->is_async;
    client->disable_auto_redirect = config->disable_auto_redirect;
    client->max_redirection_count =
        config->max_redirection_count ? config->max_redirection_count : 10;
    client->max_authorization_retries = config->max_authorization_retries == 0 ? 10
                                        : config->max_authorization_retries < 0
                                            ? 0
                                            : config->max_authorization_retries;
    client->handler = config->event_handler;
    client->user_data = config->user_data;
    if (config->username) client->username = strdup(config->username);
    if (config->password) client->password = strdup(config->password);
    esp_err_t err = esp_http_client_set_header(
        client, "User-Agent", config->user_agent ? config->user_agent : DEFAULT_USER_AGENT);
    char *url = config->url ? strdup(config->url) : url_of_parts(config);
    if (!err) err = url ? esp_http_client_set_url(client, url) : ESP_ERR_NO_MEM;
    free(url);
    return err;
}

/* Settings that name things which a virtual device does not have. */
static const char *impossible(const esp_http_client_config_t *config)
{
    if (!config->url && !config->host) return "config should have either URL or host & path";
    if (config->transport) return "an own transport cannot be used on a virtual device";
    if (config->client_key || config->use_ecdsa_peripheral || config->ds_data)
        return "keys in secure hardware cannot be used on a virtual device; give client_key_pem";
    return NULL;
}

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config)
{
    const char *why = config ? impossible(config) : "no configuration was given";
    if (why) {
        ESP_LOGE(TAG, "%s", why);
        return NULL;
    }
    esp_http_client_handle_t client = calloc(1, sizeof *client);
    if (client) client->net = make_net(client, config);
    if (!client || !client->net) {
        ESP_LOGE(TAG, "Error allocate memory");
        free(client);
        return NULL;
    }
    if (take_settings(client, config) != ESP_OK) {
        ESP_LOGE(TAG, "Error set configurations");
        esp_http_client_cleanup(client);
        return NULL;
    }
    return client;
}

static void wipe(char **text)
{
    if (*text) explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client)
{
    if (!client) return ESP_FAIL;
    esp_http_client_close(client);
    http_client_free(client->net);
    http_url_clear(&client->url);
    wipe(&client->username);
    wipe(&client->password);
    free(client->location);
    free(client->challenge);
    free(client->buffer);
    free(client);
    return ESP_OK;
}

/* ---- settings ---- */

static esp_err_t set_host_header(esp_http_client_handle_t client)
{
    const struct http_url *u = &client->url;
    bool six = strchr(u->host, ':') != NULL;
    char port[16] = "", *host;
    if (u->port != 80 && u->port != 443) snprintf(port, sizeof port, ":%d", u->port);
    if (asprintf(&host, "%s%s%s%s", six ? "[" : "", u->host, six ? "]" : "", port) < 0)
        return ESP_ERR_NO_MEM;
    esp_err_t err = esp_http_client_set_header(client, "Host", host);
    free(host);
    return err;
}

esp_err_t esp_http_client_set_url(esp_http_client_handle_t client, const char *url)
{
    const char *why;
    if (!client || !url) return ESP_ERR_INVALID_ARG;
    char *old_host = client->url.host ? strdup(client->url.host) : NULL;
    int old_port = client->url.port;
    if (!http_url_parse(&client->url, url, &why)) {
        ESP_LOGE(TAG, "Error parse url %s (%s)", url, why);
        free(old_host);
        return ESP_ERR_INVALID_ARG;
    }
    bool moved =
        old_host && (strcmp(old_host, client->url.host) != 0 || old_port != client->url.port);
    free(old_host);
    if (moved) esp_http_client_close(client);
    if (client->url.user) {
        wipe(&client->username);
        wipe(&client->password);
        client->username = strdup(client->url.user);
        client->password = strdup(client->url.password ? client->url.password : "");
    }
    return set_host_header(client);
}

esp_err_t esp_http_client_get_url(esp_http_client_handle_t client, char *url, const int len)
{
    if (!client || !url || len <= 0) return ESP_ERR_INVALID_ARG;
    char *text = http_url_text(&client->url);
    if (!text) return ESP_ERR_NO_MEM;
    int n = snprintf(url, (size_t)len, "%s", text);
    free(text);
    return n < len ? ESP_OK : ESP_ERR_INVALID_SIZE;
}

esp_err_t esp_http_client_set_post_field(esp_http_client_handle_t client, const char *data, int len)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    client->post_data = data;
    client->post_len = data ? len : 0;
    if (!data || http_client_get_header(client->net, "Content-Type")) return ESP_OK;
    return esp_http_client_set_header(client, "Content-Type", "application/x-www-form-urlencoded");
}

int esp_http_client_get_post_field(esp_http_client_handle_t client, char **data)
{
    if (!client || !client->post_data) return 0;
    *data = (char *)(uintptr_t)client->post_data;
    return client->post_len;
}

esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key,
                                     const char *value)
{
    if (!client || !key) return ESP_ERR_INVALID_ARG;
    int err = http_client_set_header(client->net, key, value);
    if (err == HTTP_ERR_ARG) ESP_LOGE(TAG, "%s", http_client_error_text(client->net));
    return !err ? ESP_OK : err == HTTP_ERR_NO_MEM ? ESP_ERR_NO_MEM : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_http_client_get_header(esp_http_client_handle_t client, const char *key, char **value)
{
    if (!client || !key || !value) return ESP_ERR_INVALID_ARG;
    *value = (char *)(uintptr_t)http_client_get_header(client->net, key);
    return ESP_OK;
}

esp_err_t esp_http_client_delete_header(esp_http_client_handle_t client, const char *key)
{
    return esp_http_client_set_header(client, key, NULL);
}

esp_err_t esp_http_client_delete_all_headers(esp_http_client_handle_t client)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    http_client_clear_headers(client->net);
    return ESP_OK;
}

esp_err_t esp_http_client_get_username(esp_http_client_handle_t client, char **value)
{
    if (!client || !value) return ESP_ERR_INVALID_ARG;
    *value = client->username;
    return ESP_OK;
}

esp_err_t esp_http_client_get_password(esp_http_client_handle_t client, char **value)
{
    if (!client || !value) return ESP_ERR_INVALID_ARG;
    *value = client->password;
    return ESP_OK;
}

static esp_err_t set_secret(char **secret, const char *value)
{
    wipe(secret);
    *secret = value ? strdup(value) : NULL;
    return value && !*secret ? ESP_ERR_NO_MEM : ESP_OK;
}

esp_err_t esp_http_client_set_username(esp_http_client_handle_t client, const char *username)
{
    return client ? set_secret(&client->username, username) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_http_client_set_password(esp_http_client_handle_t client, const char *password)
{
    return client ? set_secret(&client->password, password) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_http_client_set_authtype(esp_http_client_handle_t client,
                                       esp_http_client_auth_type_t auth_type)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    client->auth_type = auth_type;
    return ESP_OK;
}

esp_err_t esp_http_client_get_user_data(esp_http_client_handle_t client, void **data)
{
    if (!client || !data) return ESP_ERR_INVALID_ARG;
    *data = client->user_data;
    return ESP_OK;
}

esp_err_t esp_http_client_set_user_data(esp_http_client_handle_t client, void *data)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    client->user_data = data;
    return ESP_OK;
}

esp_err_t esp_http_client_set_method(esp_http_client_handle_t client,
                                     esp_http_client_method_t method)
{
    if (!client || (unsigned)method >= HTTP_METHOD_MAX) return ESP_ERR_INVALID_ARG;
    client->method = method;
    return ESP_OK;
}

esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client, int timeout_ms)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    client->timeout_ms = timeout_ms;
    http_client_set_timeout(client->net, timeout_ms);
    return ESP_OK;
}

esp_http_client_transport_t esp_http_client_get_transport_type(esp_http_client_handle_t client)
{
    if (!client || !client->url.scheme) return HTTP_TRANSPORT_UNKNOWN;
    return strcmp(client->url.scheme, "https") == 0  ? HTTP_TRANSPORT_OVER_SSL
           : strcmp(client->url.scheme, "http") == 0 ? HTTP_TRANSPORT_OVER_TCP
                                                     : HTTP_TRANSPORT_UNKNOWN;
}

esp_err_t esp_http_client_reset_redirect_counter(esp_http_client_handle_t client)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    client->redirects = 0;
    return ESP_OK;
}

int esp_http_client_get_errno(esp_http_client_handle_t client)
{
    return client ? http_client_errno(client->net) : -1;
}

esp_err_t esp_http_client_get_and_clear_last_tls_error(esp_http_client_handle_t client,
                                                       int *esp_tls_error_code, int *esp_tls_flags)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    return esp_tls_get_and_clear_last_error(&client->last_error, esp_tls_error_code, esp_tls_flags);
}
