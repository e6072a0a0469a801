#include "upgrade.h"

#include <string.h>

#include "esp_check.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_timer.h"

#define ELEMENT_HEADER 6 /* tag u16, length u32 */
#define UPGRADE_IMAGE  0

static const char *TAG = "ESP_OTA_CLIENT";

static struct {
    const esp_partition_t *slot;
    esp_ota_handle_t handle;
    int64_t since;
    uint32_t have, total;
    uint8_t element[ELEMENT_HEADER];
} now;

static esp_err_t begin(void)
{
    ESP_LOGI(TAG, "-- OTA upgrade start");
    memset(&now, 0, sizeof now);
    now.since = esp_timer_get_time();
    now.slot = esp_ota_get_next_update_partition(NULL);
    ESP_RETURN_ON_FALSE(now.slot, ESP_ERR_NOT_FOUND, TAG, "There is no slot for the image");
    ESP_RETURN_ON_ERROR(esp_ota_begin(now.slot, OTA_WITH_SEQUENTIAL_WRITES, &now.handle), TAG,
                        "Failed to begin OTA partition");
    return ESP_OK;
}

/* One element, the image, has to fill the file. */
static esp_err_t check_element(void)
{
    uint16_t tag;
    uint32_t length;
    memcpy(&tag, now.element, sizeof tag);
    memcpy(&length, now.element + sizeof tag, sizeof length);
    ESP_RETURN_ON_FALSE(tag == UPGRADE_IMAGE, ESP_ERR_INVALID_ARG, TAG,
                        "Unsupported element tag identifier %d", tag);
    ESP_RETURN_ON_FALSE(length + ELEMENT_HEADER == now.total, ESP_ERR_INVALID_ARG, TAG,
                        "Invalid element length [%ld/%ld]", length, now.total);
    return ESP_OK;
}

static esp_err_t receive(const esp_zb_zcl_ota_upgrade_value_message_t *m)
{
    const uint8_t *data = m->payload;
    uint32_t len = m->payload_size;
    now.total = m->ota_header.image_size;
    while (len && now.have < ELEMENT_HEADER) {
        now.element[now.have++] = *data++;
        len--;
        if (now.have == ELEMENT_HEADER)
            ESP_RETURN_ON_ERROR(check_element(), TAG, "The file has no image for this device");
    }
    now.have += len;
    ESP_LOGI(TAG, "-- OTA Client receives data: progress [%ld/%ld]", now.have, now.total);
    return len ? esp_ota_write(now.handle, data, len) : ESP_OK;
}

static esp_err_t check(void)
{
    esp_err_t err = now.total && now.have == now.total ? ESP_OK : ESP_FAIL;
    ESP_LOGI(TAG, "-- OTA upgrade check status: %s", esp_err_to_name(err));
    return err;
}

static esp_err_t finish(const esp_zb_ota_file_header_t *h)
{
    ESP_LOGI(TAG, "-- OTA Finish");
    ESP_LOGI(TAG,
             "-- OTA Information: version: 0x%lx, manufacturer code: 0x%x, image type: 0x%x, "
             "total size: %ld bytes, cost time: %lld ms,",
             h->file_version, h->manufacturer_code, h->image_type, h->image_size,
             (esp_timer_get_time() - now.since) / 1000);
    ESP_RETURN_ON_ERROR(esp_ota_end(now.handle), TAG, "Failed to end OTA partition");
    ESP_RETURN_ON_ERROR(esp_ota_set_boot_partition(now.slot), TAG,
                        "Failed to set OTA boot partition");
    ESP_LOGW(TAG, "Prepare to restart system");
    esp_restart();
    return ESP_OK;
}

esp_err_t upgrade_step(const esp_zb_zcl_ota_upgrade_value_message_t *m)
{
    if (m->info.status != ESP_ZB_ZCL_STATUS_SUCCESS) return ESP_OK;
    switch (m->upgrade_status) {
    case ESP_ZB_ZCL_OTA_UPGRADE_STATUS_START:
        return begin();
    case ESP_ZB_ZCL_OTA_UPGRADE_STATUS_RECEIVE:
        return receive(m);
    case ESP_ZB_ZCL_OTA_UPGRADE_STATUS_CHECK:
        return check();
    case ESP_ZB_ZCL_OTA_UPGRADE_STATUS_APPLY:
        ESP_LOGI(TAG, "-- OTA upgrade apply");
        return ESP_OK;
    case ESP_ZB_ZCL_OTA_UPGRADE_STATUS_FINISH:
        return finish(&m->ota_header);
    default:
        ESP_LOGI(TAG, "OTA status: %d", m->upgrade_status);
        return ESP_OK;
    }
}
