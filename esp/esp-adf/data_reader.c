#include "esp/esp-adf/data_reader.h"

#include <stdlib.h>
#include <string.h>

#include "esp_log.h"

static const char *TAG = "AUDIO_ELEMENT";

struct data_reader {
    const struct data_reader_ops *ops;
    void *ctx;
    bool told; /* the end was logged */
};

enum data_reader_kind data_reader_kind(const char *uri)
{
    if (strstr(uri, "file://")) return DATA_READER_FILE;
    if (strstr(uri, "https://") || strstr(uri, "http://")) return DATA_READER_HTTP;
    return DATA_READER_NONE;
}

struct data_reader *data_reader_open(const char *uri, const char *cert_pem, bool (*stop)(void))
{
    struct data_reader *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    if (data_reader_kind(uri) == DATA_READER_FILE) {
        r->ops = &data_reader_file;
        r->ctx = data_reader_file_open(uri);
    } else {
        r->ops = &data_reader_http;
        r->ctx = data_reader_http_open(uri, cert_pem, stop);
    }
    if (r->ctx) return r;
    ESP_LOGE(TAG, "[%s] AEL_STATUS_ERROR_OPEN,-1", r->ops->name);
    free(r);
    return NULL;
}

int data_reader_read(struct data_reader *r, void *buf, size_t len)
{
    int n = r->ops->read(r->ctx, buf, len);
    if (n > 0 || r->told) return n;
    r->told = true;
    if (n == 0)
        ESP_LOGI(TAG, "IN-[%s] AEL_IO_DONE,0", r->ops->name);
    else if (n == DATA_READER_ABORT)
        ESP_LOGW(TAG, "IN-[%s] AEL_IO_ABORT", r->ops->name);
    else
        ESP_LOGE(TAG, "IN-[%s] AEL_STATUS_ERROR_INPUT,%d", r->ops->name, n);
    return n;
}

int64_t data_reader_size(const struct data_reader *r)
{
    return r->ops->size(r->ctx);
}

void data_reader_close(struct data_reader *r)
{
    if (!r) return;
    ESP_LOGW(TAG, "[%s] Element has not create when AUDIO_ELEMENT_TERMINATE", r->ops->name);
    r->ops->close(r->ctx);
    free(r);
}
