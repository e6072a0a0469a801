#include "upgrade.h"

#include <string.h>

#include "esp_check.h"
#include "esp_log.h"
#include "esp_ota_ops.h"

static const char *TAG = "OTA_CLIENT";

/* The file comes from its first byte on: header, element header, image. */
static struct {
    const esp_partition_t *slot;
    esp_ota_handle_t handle;
    uint32_t have, total;
    ezb_zcl_ota_file_header_t header;
    ezb_zcl_ota_file_sub_element_header_t element;
} now;

static esp_err_t begin(const ezb_zcl_ota_upgrade_client_progress_start_t *s)
{
    ESP_LOGI(TAG,
             "OTA Start: manuf_code=0x%04x, image_type=0x%04x, file_version=0x%08lx, "
             "image_size=%ld",
             s->manuf_code, s->image_type, s->file_version, s->image_size);
    memset(&now, 0, sizeof now);
    now.total = s->image_size;
    now.slot = esp_ota_get_next_update_partition(NULL);
    ESP_RETURN_ON_FALSE(now.slot, ESP_ERR_NOT_FOUND, TAG, "There is no slot for the image");
    return esp_ota_begin(now.slot, OTA_WITH_SEQUENTIAL_WRITES, &now.handle);
}

/* Takes what of the block belongs to a field that begins at byte `at` of the file. */
static void gather(void *field, uint32_t at, uint32_t size, uint32_t offset, const uint8_t *block,
                   uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (offset + i >= at && offset + i - at < size)
            ((uint8_t *)field)[offset + i - at] = block[i];
}

static esp_err_t check_headers(void)
{
    ESP_RETURN_ON_FALSE(now.header.file_id == EZB_ZCL_OTA_FILE_IDENTIFIER, ESP_ERR_INVALID_ARG, TAG,
                        "This is no OTA file");
    ESP_RETURN_ON_FALSE(now.element.tag_id == EZB_ZCL_OTA_FILE_TAG_ID_UPGRADE_IMAGE &&
                            now.element.length <= now.slot->size,
                        ESP_ERR_INVALID_SIZE, TAG, "No image for this slot (tag %u, %lu bytes)",
                        now.element.tag_id, now.element.length);
    return ESP_OK;
}

static esp_err_t receive(const ezb_zcl_ota_upgrade_client_progress_receiving_t *r)
{
    ESP_LOGI(TAG, "OTA Receiving Block: file_offset=%ld, block_size=%d", r->file_offset,
             r->block_size);
    ESP_RETURN_ON_FALSE(r->file_offset == now.have, ESP_ERR_INVALID_STATE, TAG,
                        "A block is missing: %lu bytes are here", now.have);
    gather(&now.header, 0, sizeof now.header, r->file_offset, r->block, r->block_size);
    uint32_t element = now.header.hdr_length, image = element + sizeof now.element;
    if (now.have + r->block_size >= sizeof now.header)
        gather(&now.element, element, sizeof now.element, r->file_offset, r->block, r->block_size);
    now.have += r->block_size;
    ESP_LOGW(TAG, "In progress: [%ld / %ld]", now.have, now.total);
    if (now.have <= sizeof now.header || now.have <= image) return ESP_OK;
    if (r->file_offset <= image) ESP_RETURN_ON_ERROR(check_headers(), TAG, "The file is refused");
    uint32_t end = image + now.element.length < now.have ? image + now.element.length : now.have;
    uint32_t from = r->file_offset > image ? r->file_offset : image;
    return from < end ? esp_ota_write(now.handle, r->block + (from - r->file_offset), end - from)
                      : ESP_OK; /* elements behind the image */
}

static esp_err_t check(const ezb_zcl_ota_upgrade_client_progress_check_t *c)
{
    ESP_LOGI(TAG, "OTA Check: manuf_code=0x%04x, image_type=0x%04x, file_version=0x%08lx",
             c->manuf_code, c->image_type, c->file_version);
    return now.have == now.total ? ESP_OK : ESP_ERR_INVALID_SIZE;
}

static esp_err_t apply(const ezb_zcl_ota_upgrade_client_progress_apply_t *a)
{
    ESP_LOGI(TAG, "OTA Apply: manuf_code=0x%04x, image_type=0x%04x, file_version=0x%08lx",
             a->manuf_code, a->image_type, a->file_version);
    ESP_RETURN_ON_ERROR(esp_ota_end(now.handle), TAG, "The image is not valid");
    return esp_ota_set_boot_partition(now.slot);
}

static esp_err_t step(const ezb_zcl_ota_upgrade_client_progress_message_t *m)
{
    switch (m->in.progress) {
    case EZB_ZCL_OTA_UPGRADE_PROGRESS_START:
        return begin(&m->in.start);
    case EZB_ZCL_OTA_UPGRADE_PROGRESS_RECEIVING:
        return receive(&m->in.receiving);
    case EZB_ZCL_OTA_UPGRADE_PROGRESS_CHECK:
        return check(&m->in.check);
    case EZB_ZCL_OTA_UPGRADE_PROGRESS_APPLY:
        return apply(&m->in.apply);
    case EZB_ZCL_OTA_UPGRADE_PROGRESS_FINISH:
        ESP_LOGI(TAG, "OTA Finish: count_down_delay=%ld seconds", m->in.finish.count_down_delay);
        esp_restart();
    case EZB_ZCL_OTA_UPGRADE_PROGRESS_ABORT:
        ESP_LOGW(TAG, "OTA Abort");
        return esp_ota_abort(now.handle);
    default:
        return ESP_OK;
    }
}

void upgrade_step(ezb_zcl_ota_upgrade_client_progress_message_t *message)
{
    ESP_LOGI(TAG, "-- OTA Upgrade Client Progress");
    esp_err_t err = step(message);
    if (err) ESP_LOGW(TAG, "The upgrade ends: %s", esp_err_to_name(err));
    message->out.result = err == ESP_OK ? EZB_ZCL_STATUS_SUCCESS : EZB_ZCL_STATUS_ABORT;
}
