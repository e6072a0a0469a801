#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/http_client_impl.h"
#include "esp_log.h"

#include <stdlib.h>
#include <string.h>

static const char *TAG = HTTP_CLIENT_TAG;

static bool configured(esp_http_client_auth_type_t type)
{
    return type == HTTP_AUTH_TYPE_DIGEST
               ? airlift_config_bool("ESP_HTTP_CLIENT_ENABLE_DIGEST_AUTH")
               : type == HTTP_AUTH_TYPE_BASIC &&
                     airlift_config_bool("ESP_HTTP_CLIENT_ENABLE_BASIC_AUTH");
}

/* The scheme of a challenge, if it is one that can be answered. */
static esp_http_client_auth_type_t scheme_of(const char *challenge)
{
    esp_http_client_auth_type_t type =
        strncasecmp(challenge, "Digest", 6) == 0  ? HTTP_AUTH_TYPE_DIGEST
        : strncasecmp(challenge, "Basic", 5) == 0 ? HTTP_AUTH_TYPE_BASIC
                                                  : HTTP_AUTH_TYPE_NONE;
    return configured(type) ? type : HTTP_AUTH_TYPE_NONE;
}

void http_auth_note(esp_http_client_handle_t client, const char *challenge)
{
    /* The types' numbers rise with their strength. */
    if (client->challenge && scheme_of(client->challenge) > scheme_of(challenge)) return;
    free(client->challenge);
    client->challenge = strdup(challenge);
}

void http_auth_apply(esp_http_client_handle_t client)
{
    enum http_auth how = client->auth_type == HTTP_AUTH_TYPE_DIGEST  ? HTTP_AUTH_DIGEST
                         : client->auth_type == HTTP_AUTH_TYPE_BASIC ? HTTP_AUTH_BASIC
                                                                     : HTTP_AUTH_NONE;
    if (how != HTTP_AUTH_NONE && !configured(client->auth_type)) {
        ESP_LOGW(TAG, "CONFIG_ESP_HTTP_CLIENT_ENABLE_%s_AUTH is not set: credentials are not sent",
                 how == HTTP_AUTH_DIGEST ? "DIGEST" : "BASIC");
        how = HTTP_AUTH_NONE;
    }
    if (!client->username) how = HTTP_AUTH_NONE;
    http_client_set_auth(client->net, how, client->username,
                         client->password ? client->password : "");
}

esp_err_t esp_http_client_set_auth_data(esp_http_client_handle_t client, const char *auth_data,
                                        int len)
{
    if (!client || !auth_data || len <= 0) return ESP_ERR_INVALID_ARG;
    free(client->challenge);
    client->challenge = strndup(auth_data, (size_t)len);
    return client->challenge ? ESP_OK : ESP_ERR_NO_MEM;
}

esp_err_t esp_http_client_add_auth(esp_http_client_handle_t client)
{
    if (!client) return ESP_ERR_INVALID_ARG;
    if (client->exchange != EXCHANGE_ANSWERED) return ESP_FAIL;
    client->auth_type = HTTP_AUTH_TYPE_NONE;
    if (!client->challenge) {
        ESP_LOGW(TAG, "This request requires authentication, but does not provide header "
                      "information for that");
        return ESP_ERR_NOT_SUPPORTED;
    }
    client->auth_type = scheme_of(client->challenge);
    if (client->auth_type == HTTP_AUTH_TYPE_NONE) {
        ESP_LOGE(TAG, "This authentication method is not supported: %s", client->challenge);
        return ESP_ERR_NOT_SUPPORTED;
    }
    client->process_again = true;
    return ESP_OK;
}
