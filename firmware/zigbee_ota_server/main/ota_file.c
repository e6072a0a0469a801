#include "ota_file.h"

#include <string.h>

#define MAGIC          0x0beef11e
#define HEADER_VERSION 0x0100

struct __attribute__((packed)) header {
    uint32_t magic;
    uint16_t version, length, field_control, manufacturer, image_type;
    uint32_t file_version;
    uint16_t stack_version;
    uint8_t text[32];
    uint32_t total_size;
};

extern const uint8_t file_start[] asm("_binary_ota_file_bin_start");
extern const uint8_t file_end[] asm("_binary_ota_file_bin_end");

static struct header header;
static uint32_t position;

static const uint8_t *take(void *field, const uint8_t *from, size_t size)
{
    memcpy(field, from, size);
    return from + size;
}

static void take_optional_fields(esp_zb_ota_file_header_t *out)
{
    const uint8_t *at = file_start + sizeof header;
    esp_zb_ota_file_optional_t *o = &out->optional;
    out->field_control = header.field_control;
    if (header.field_control & ESP_ZB_ZCL_OTA_UPGRADE_FILE_HEADER_FC_CREDENTIAL_VER)
        at = take(&o->security_credential_version, at, sizeof o->security_credential_version);
    if (header.field_control & ESP_ZB_ZCL_OTA_UPGRADE_FILE_HEADER_FC_DEVICE_SPECIFIC)
        at = take(o->upgrade_file_destination, at, sizeof o->upgrade_file_destination);
    if (header.field_control & ESP_ZB_ZCL_OTA_UPGRADE_FILE_HEADER_FC_HW_VER) {
        at = take(&o->minimum_hardware_version, at, sizeof o->minimum_hardware_version);
        take(&o->maximum_hardware_version, at, sizeof o->maximum_hardware_version);
    }
}

esp_err_t ota_file_describe(esp_zb_ota_file_header_t *out)
{
    memcpy(&header, file_start, sizeof header);
    if (header.magic != MAGIC || header.version != HEADER_VERSION ||
        header.total_size > (size_t)(file_end - file_start) || header.length > header.total_size)
        return ESP_ERR_INVALID_ARG;
    out->manufacturer_code = header.manufacturer;
    out->image_type = header.image_type;
    out->file_version = header.file_version;
    out->image_size = ota_file_size();
    take_optional_fields(out);
    return ESP_OK;
}

bool ota_file_is(uint16_t manufacturer, uint16_t image_type)
{
    return header.manufacturer == manufacturer && header.image_type == image_type;
}

bool ota_file_in_use(void)
{
    return position > 0 && position < ota_file_size();
}

void ota_file_rewind(void)
{
    position = 0;
}

const uint8_t *ota_file_next(uint8_t size)
{
    const uint8_t *data = file_start + header.length + position;
    position += size;
    return data;
}

uint32_t ota_file_position(void)
{
    return position;
}

uint32_t ota_file_size(void)
{
    return header.total_size - header.length;
}
