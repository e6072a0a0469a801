#include "esp_crt_bundle.h"

#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/tls_trust.h"
#include "esp_log.h"
#include "host/file.h"
#include "net/http_client_tls.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CERT_FILE_MAX (4u << 20)

static const char *TAG = "esp-x509-crt-bundle";
/* What the build found at the configured path; a confined firmware reads no such file. */
extern const char embedded[] asm("_binary_airlift_crt_bundle_start") __attribute__((weak));
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *given;

char *crt_bundle_given(void)
{
    pthread_mutex_lock(&lock);
    char *copy = given ? strdup(given) : NULL;
    pthread_mutex_unlock(&lock);
    return copy;
}

static void append(char **text, char *more)
{
    char *joined;
    if (!more) return;
    if (asprintf(&joined, "%s%s\n", *text ? *text : "", more) >= 0) {
        free(*text);
        *text = joined;
    }
    free(more);
}

static char *read_cert(const char *path)
{
    uint8_t *data;
    size_t len;
    int err = file_read(path, CERT_FILE_MAX, &data, &len);
    char *text = err ? NULL : http_tls_pem(data, len);
    if (!err) free(data);
    if (!text)
        ESP_LOGE(TAG, "%s: %s; check CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH", path,
                 err ? strerror(-err) : "no certificate in it");
    return text;
}

static int is_cert_file(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');
    return dot &&
           (strcmp(dot, ".pem") == 0 || strcmp(dot, ".crt") == 0 || strcmp(dot, ".der") == 0);
}

char *crt_bundle_custom(void)
{
    const char *path = airlift_config_str("MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH", "");
    struct dirent **names;
    char *text = NULL, *file;
    if (!airlift_config_bool("MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE") || !path[0]) return NULL;
    if (embedded) return strdup(embedded);
    int n = scandir(path, &names, is_cert_file, alphasort);
    if (n < 0) return read_cert(path);
    for (int i = 0; i < n; i++) {
        if (asprintf(&file, "%s/%s", path, names[i]->d_name) >= 0) {
            append(&text, read_cert(file));
            free(file);
        }
        free(names[i]);
    }
    free(names);
    return text;
}

bool crt_bundle_trust(char **roots)
{
    *roots = crt_bundle_given();
    if (*roots) return false;
    *roots = crt_bundle_custom();
    return true;
}

esp_err_t esp_crt_bundle_attach(void *conf)
{
    return ESP_OK;
}

void esp_crt_bundle_detach(void *conf)
{
}

esp_err_t esp_crt_bundle_set(const uint8_t *x509_bundle, size_t bundle_size)
{
    char *text = x509_bundle && bundle_size ? http_tls_pem(x509_bundle, bundle_size) : NULL;
    if (!text) return ESP_ERR_INVALID_ARG;
    pthread_mutex_lock(&lock);
    free(given);
    given = text;
    pthread_mutex_unlock(&lock);
    return ESP_OK;
}
