#include "esp_tls.h"

#include "esp/esp-idf/tls_trust.h"
#include "net/http_client_tls.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *global_store;

char *tls_global_store(void)
{
    pthread_mutex_lock(&lock);
    char *copy = global_store ? strdup(global_store) : NULL;
    pthread_mutex_unlock(&lock);
    return copy;
}

esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t h, int *esp_tls_code,
                                           int *esp_tls_flags)
{
    if (!h) return ESP_ERR_INVALID_STATE;
    esp_err_t last = h->last_error;
    if (esp_tls_code) *esp_tls_code = h->esp_tls_error_code;
    if (esp_tls_flags) *esp_tls_flags = h->esp_tls_flags;
    *h = (struct esp_tls_last_error){.last_error = ESP_OK};
    return last;
}

esp_err_t esp_tls_init_global_ca_store(void)
{
    esp_tls_free_global_ca_store();
    return ESP_OK;
}

esp_err_t esp_tls_set_global_ca_store(const unsigned char *cacert_pem_buf,
                                      const unsigned int cacert_pem_bytes)
{
    if (!cacert_pem_buf || !cacert_pem_bytes) return ESP_ERR_INVALID_ARG;
    char *text = http_tls_pem(cacert_pem_buf, cacert_pem_bytes);
    if (!text) return ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED;
    pthread_mutex_lock(&lock);
    free(global_store);
    global_store = text;
    pthread_mutex_unlock(&lock);
    return ESP_OK;
}

void esp_tls_free_global_ca_store(void)
{
    pthread_mutex_lock(&lock);
    free(global_store);
    global_store = NULL;
    pthread_mutex_unlock(&lock);
}
