#include "tone_rule.h"

#include <inttypes.h>
#include <string.h>

#include "esp_log.h"
#include "esp_partition.h"
#include "ota_proc_default.h"
#include "tone_partition.h"

static const char *TAG = "HTTPS_OTA_EXAMPLE";

/* The first bytes of the new image. */
struct incoming {
    flash_tone_header_t header;
    esp_app_desc_t desc; /* format 1 */
};

static ota_service_err_reason_t read_incoming(void *handle, struct incoming *in)
{
    if (ota_data_image_stream_read(handle, (char *)&in->header, sizeof in->header) != ESP_OK)
        return OTA_SERV_ERR_REASON_STREAM_RD_FAIL;
    if (in->header.header_tag != FLASH_TONE_HEADER) {
        ESP_LOGE(TAG, "not audio tone bin");
        return OTA_SERV_ERR_REASON_UNKNOWN;
    }
    if (in->header.format != TONE_VERSION_1) return OTA_SERV_ERR_REASON_SUCCESS;
    if (ota_data_image_stream_read(handle, (char *)&in->desc, sizeof in->desc) != ESP_OK)
        return OTA_SERV_ERR_REASON_STREAM_RD_FAIL;
    if (in->desc.magic_word != FLASH_TONE_MAGIC_WORD) return OTA_SERV_ERR_REASON_ERROR_MAGIC_WORD;
    /* A part of the name will do, as in the vendor's example. */
    in->desc.project_name[sizeof in->desc.project_name - 1] = 0;
    if (!strstr(FLASH_TONE_PROJECT_NAME, in->desc.project_name))
        return OTA_SERV_ERR_REASON_ERROR_PROJECT_NAME;
    return OTA_SERV_ERR_REASON_SUCCESS;
}

static ota_service_err_reason_t compare_versions(tone_partition_handle_t tone, struct incoming *in)
{
    esp_app_desc_t current;
    if (tone_partition_get_app_desc(tone, &current) != ESP_OK)
        return OTA_SERV_ERR_REASON_PARTITION_RD_FAIL;
    if (ota_get_version_number(in->desc.version) < 0) return OTA_SERV_ERR_REASON_ERROR_VERSION;
    ESP_LOGI(TAG, "current version %s, incoming version %s", current.version, in->desc.version);
    if (ota_get_version_number(in->desc.version) <= ota_get_version_number(current.version)) {
        ESP_LOGW(TAG, "The incoming version is same as or lower than the running version");
        return OTA_SERV_ERR_REASON_NO_HIGHER_VERSION;
    }
    return OTA_SERV_ERR_REASON_SUCCESS;
}

/* The service goes on behind what was read here: erase, and write that. */
static ota_service_err_reason_t write_beginning(void *handle, const esp_partition_t *partition,
                                                struct incoming *in)
{
    if (esp_partition_erase_range(partition, 0, partition->size) != ESP_OK)
        return OTA_SERV_ERR_REASON_PARTITION_WT_FAIL;
    ota_data_partition_erase_mark(handle);
    esp_err_t err = ota_data_partition_write(handle, (char *)&in->header, sizeof in->header);
    if (err == ESP_OK && in->header.format == TONE_VERSION_1)
        err = ota_data_partition_write(handle, (char *)&in->desc, sizeof in->desc);
    return err == ESP_OK ? OTA_SERV_ERR_REASON_SUCCESS : OTA_SERV_ERR_REASON_PARTITION_WT_FAIL;
}

ota_service_err_reason_t tone_need_upgrade(void *handle, ota_node_attr_t *node)
{
    const esp_partition_t *partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, node->label);
    if (!partition) {
        ESP_LOGE(TAG, "data partition [%s] not found", node->label);
        return OTA_SERV_ERR_REASON_PARTITION_NOT_FOUND;
    }
    tone_partition_handle_t tone = tone_partition_init(node->label, false);
    if (!tone) return OTA_SERV_ERR_REASON_SUCCESS; /* anything is better than nothing */

    struct incoming in = {0};
    flash_tone_header_t current;
    ota_service_err_reason_t result = OTA_SERV_ERR_REASON_PARTITION_RD_FAIL;
    if (esp_partition_read(partition, 0, &current, sizeof current) == ESP_OK)
        result = read_incoming(handle, &in);
    if (result == OTA_SERV_ERR_REASON_SUCCESS) {
        ESP_LOGI(TAG, "format %" PRIu32 " : %" PRIu32, current.format, in.header.format);
        if (in.header.format == TONE_VERSION_1 && current.format == TONE_VERSION_1)
            result = compare_versions(tone, &in);
    }
    tone_partition_deinit(tone);
    if (result != OTA_SERV_ERR_REASON_SUCCESS) return result;
    return write_beginning(handle, partition, &in);
}
