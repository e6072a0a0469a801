/* The default process of data partitions: from a reader into a part_update. The service commits
 * it; steps that an app calls without the service commit in finished_check. */
#include <stdlib.h>
#include <string.h>

#include "audio_error.h"
#include "esp/esp-adf/data_reader.h"
#include "esp/esp-adf/ota_run.h"
#include "esp/esp-idf/part_update.h"
#include "esp_log.h"
#include "mbedtls/sha256.h"
#include "ota_proc_default.h"

static const char *TAG = "OTA_DEFAULT";

enum { PIECE = 2048 };

struct ota_data {
    const esp_partition_t *partition;
    const ota_node_attr_t *node;
    struct data_reader *reader;
    struct part_update *own, **update; /* update: own, or the run's */
    size_t write_offset;
    int64_t taken; /* bytes from the reader */
    mbedtls_sha256_context sha;
    struct ota_pace pace;
};

static ota_service_err_reason_t open_reader(struct ota_data *d)
{
    d->taken = 0;
    d->write_offset = 0;
    mbedtls_sha256_starts(&d->sha, 0);
    d->reader = data_reader_open(d->node->uri, d->node->cert_pem, ota_run_cancelled);
    if (d->reader) return OTA_SERV_ERR_REASON_SUCCESS;
    ESP_LOGE(TAG, "reader stream init failed");
    return ota_run_cancelled() ? OTA_SERV_ERR_REASON_CANCELLED
                               : OTA_SERV_ERR_REASON_STREAM_INIT_FAIL;
}

static ota_service_err_reason_t open_update(struct ota_data *d)
{
    const struct ota_run *run = ota_run_current();
    const ota_service_options_t options = run ? run->options : ota_service_default_options();
    const struct part_update_options how = {
        .size = data_reader_size(d->reader),
        .in_place = options.in_place && !(run && options.atomic),
    };
    char why[200] = "";
    esp_err_t err = part_update_begin(d->partition, &how, d->update, why, sizeof why);
    if (err == ESP_OK) return OTA_SERV_ERR_REASON_SUCCESS;
    *d->update = NULL;
    ESP_LOGE(TAG, "partition [%s] cannot be upgraded: %s (%s)", d->partition->label, why,
             esp_err_to_name(err));
    if (err == ESP_ERR_NOT_FOUND)
        ESP_LOGE(TAG, "CONFIG_OTA_SERVICE_DATA_IN_PLACE=y writes it in place; a power cut then "
                      "leaves it incomplete until the next run");
    return OTA_SERV_ERR_REASON_PARTITION_WT_FAIL;
}

static void join_run(struct ota_data *d)
{
    struct ota_run *run = ota_run_current();
    d->update = &d->own;
    if (!run) return;
    d->update = &run->update;
    run->data = d;
    run->incomplete = part_update_incomplete(d->partition);
}

static ota_service_err_reason_t data_prepare(void **handle, ota_node_attr_t *node)
{
    AUDIO_NULL_CHECK(TAG, handle, return OTA_SERV_ERR_REASON_NULL_POINTER);
    AUDIO_NULL_CHECK(TAG, node, return OTA_SERV_ERR_REASON_NULL_POINTER);
    AUDIO_NULL_CHECK(TAG, node->label, return OTA_SERV_ERR_REASON_NULL_POINTER);
    const esp_partition_t *partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, node->label);
    if (!partition) {
        ESP_LOGE(TAG, "partition [%s] not found", node->label);
        return OTA_SERV_ERR_REASON_PARTITION_NOT_FOUND;
    }
    AUDIO_NULL_CHECK(TAG, node->uri, return OTA_SERV_ERR_REASON_NULL_POINTER);
    ESP_LOGI(TAG, "data upgrade uri %s", node->uri);
    if (data_reader_kind(node->uri) == DATA_READER_NONE) {
        ESP_LOGE(TAG, "not support uri");
        return OTA_SERV_ERR_REASON_URL_PARSE_FAIL;
    }
    struct ota_data *d = calloc(1, sizeof *d);
    if (!d) return OTA_SERV_ERR_REASON_UNKNOWN;
    d->partition = partition;
    d->node = node;
    mbedtls_sha256_init(&d->sha);
    ota_service_err_reason_t result = open_reader(d);
    if (result != OTA_SERV_ERR_REASON_SUCCESS) {
        mbedtls_sha256_free(&d->sha);
        free(d);
        return result;
    }
    join_run(d);
    *handle = d; /* finished_check closes it, also when there is no room */
    return open_update(d);
}

ota_service_err_reason_t ota_data_again(struct ota_data *d)
{
    data_reader_close(d->reader);
    if (*d->update) part_update_abort(*d->update);
    *d->update = NULL;
    ota_service_err_reason_t result = open_reader(d);
    return result == OTA_SERV_ERR_REASON_SUCCESS ? open_update(d) : result;
}

/* Bytes from the reader, counted and hashed; otherwise as data_reader_read. */
static int take(struct ota_data *d, void *buf, size_t len)
{
    int n = data_reader_read(d->reader, buf, len);
    if (n <= 0) return n;
    d->taken += n;
    mbedtls_sha256_update(&d->sha, buf, (size_t)n);
    return n;
}

static esp_err_t append(struct ota_data *d, const void *buf, size_t len)
{
    esp_err_t err = *d->update ? part_update_write(*d->update, buf, len) : ESP_ERR_INVALID_STATE;
    if (err) {
        ESP_LOGE(TAG, "partition [%s]: %u bytes at %u could not be written (%s)",
                 d->partition->label, (unsigned)len, (unsigned)d->write_offset,
                 err == ESP_ERR_INVALID_SIZE ? "it is full" : esp_err_to_name(err));
        return OTA_SERV_ERR_REASON_PARTITION_WT_FAIL;
    }
    d->write_offset += len;
    return ESP_OK;
}

static ota_service_err_reason_t all_taken(struct ota_data *d)
{
    uint8_t digest[32];
    mbedtls_sha256_finish(&d->sha, digest);
    if (!ota_run_digest_fits(digest)) return OTA_SERV_ERR_REASON_WRONG_DIGEST;
    if (d->taken == 0 || !*d->update || part_update_written(*d->update) == 0) {
        ESP_LOGE(TAG, "%s: partition [%s] stays as it is",
                 d->taken ? "need_upgrade read the source and wrote nothing"
                          : "the source is empty",
                 d->partition->label);
        return OTA_SERV_ERR_REASON_STREAM_RD_FAIL;
    }
    ESP_LOGI(TAG, "partition %s upgrade successes", d->partition->label);
    return OTA_SERV_ERR_REASON_SUCCESS;
}

static ota_service_err_reason_t data_execute(void *handle, ota_node_attr_t *node)
{
    struct ota_data *d = handle;
    char piece[PIECE];
    int n;
    AUDIO_NULL_CHECK(TAG, d, return OTA_SERV_ERR_REASON_NULL_POINTER);
    ota_pace_begin(&d->pace);
    while ((n = take(d, piece, sizeof piece)) > 0) {
        esp_err_t err = append(d, piece, (size_t)n);
        if (err) return (ota_service_err_reason_t)err;
        ota_pace_log(&d->pace, "data", d->write_offset);
        ota_run_progress(d->taken, data_reader_size(d->reader));
        if (ota_run_cancelled()) return OTA_SERV_ERR_REASON_CANCELLED;
    }
    if (n == 0) return all_taken(d);
    return n == DATA_READER_ABORT ? OTA_SERV_ERR_REASON_CANCELLED
                                  : OTA_SERV_ERR_REASON_STREAM_RD_FAIL;
}

static ota_service_err_reason_t settle_own(struct part_update *u, ota_service_err_reason_t result)
{
    if (u && result != OTA_SERV_ERR_REASON_SUCCESS) part_update_abort(u);
    if (!u || result != OTA_SERV_ERR_REASON_SUCCESS) return result;
    return part_update_commit(u) == ESP_OK ? result : OTA_SERV_ERR_REASON_PARTITION_WT_FAIL;
}

static ota_service_err_reason_t data_finished(void *handle, ota_node_attr_t *node,
                                              ota_service_err_reason_t result)
{
    struct ota_data *d = handle;
    struct ota_run *run = ota_run_current();
    if (!d && ota_run_compat()) return OTA_SERV_ERR_REASON_UNKNOWN;
    if (!d)
        return result != OTA_SERV_ERR_REASON_SUCCESS ? result : OTA_SERV_ERR_REASON_NULL_POINTER;
    data_reader_close(d->reader);
    mbedtls_sha256_free(&d->sha);
    if (run) run->data = NULL;
    result = settle_own(d->own, result);
    free(d);
    return result;
}

void ota_data_get_default_proc(ota_upgrade_ops_t *ops)
{
    ops->prepare = data_prepare;
    ops->need_upgrade = NULL;
    ops->execute_upgrade = data_execute;
    ops->finished_check = data_finished;
}

/* ---- for an own need_upgrade ---- */

static bool prepared(const void *handle)
{
    if (!handle) ESP_LOGE(TAG, "run prepare first");
    return handle;
}

esp_err_t ota_data_image_stream_read(void *handle, char *buf, int wanted_size)
{
    if (!prepared(handle)) return OTA_SERV_ERR_REASON_NULL_POINTER;
    AUDIO_NULL_CHECK(TAG, buf, return OTA_SERV_ERR_REASON_NULL_POINTER);
    for (int got = 0, n; got < wanted_size; got += n) {
        n = take(handle, buf + got, (size_t)(wanted_size - got));
        if (n <= 0) return OTA_SERV_ERR_REASON_STREAM_RD_FAIL;
    }
    return ESP_OK;
}

esp_err_t ota_data_partition_write(void *handle, char *buf, int size)
{
    struct ota_data *d = handle;
    if (!prepared(d)) return OTA_SERV_ERR_REASON_NULL_POINTER;
    AUDIO_NULL_CHECK(TAG, buf, return OTA_SERV_ERR_REASON_NULL_POINTER);
    if (size < 0) return ESP_ERR_INVALID_ARG;
    ESP_LOGI(TAG, "write_offset %d, size %d", (int)d->write_offset, size);
    return append(d, buf, (size_t)size);
}

/* The new content is written to erased flash in any case, so the mark changes nothing. */
esp_err_t ota_data_partition_erase_mark(void *handle)
{
    return prepared(handle) ? ESP_OK : OTA_SERV_ERR_REASON_NULL_POINTER;
}
