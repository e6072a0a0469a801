/* Which app boots next, which runs, confirming and rolling back. */
#include <assert.h>
#include <string.h>

#include "device/board.h"
#include "esp/esp-idf/idf_device.h"
#include "esp/esp-idf/part_update_impl.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"

static const char *TAG = "esp_ota_ops";

/* The API's object for an entry of the table; NULL for NULL. */
static const esp_partition_t *partition_of(const struct al_part *p)
{
    if (!p) return NULL;
    esp_partition_t like;
    idf_partition(p, &like);
    return esp_partition_verify(&like);
}

/* Calls fn with the device locked. */
static esp_err_t locked(int (*fn)(struct al_ota *o))
{
    struct al_ota *o = idf_device_lock();
    int err = fn(o);
    idf_device_unlock();
    return idf_err(err);
}

static const esp_partition_t *locked_part(const struct al_part *(*fn)(struct al_ota *o))
{
    struct al_ota *o = idf_device_lock();
    const struct al_part *p = fn(o);
    idf_device_unlock();
    return partition_of(p);
}

static esp_err_t set_boot(const esp_partition_t *partition, bool skip_verify)
{
    if (!partition) return ESP_ERR_INVALID_ARG;
    struct al_part part = idf_part(partition);
    struct al_ota *o = idf_device_lock();
    int err;
    if (part_overlay_hold(partition)) {
        err = al_ota_verify_part(o, &part, NULL);
        if (!err) part_place_claim(&part);
    } else {
        err = al_ota_set_boot(o, &part, skip_verify);
    }
    idf_device_unlock();
    return idf_err(err);
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    return set_boot(partition, false);
}

esp_err_t esp_ota_set_boot_partition_skip_validate(const esp_partition_t *partition)
{
    return set_boot(partition, true);
}

const esp_partition_t *esp_ota_get_boot_partition(void)
{
    return locked_part(al_ota_get_boot);
}

const esp_partition_t *esp_ota_get_running_partition(void)
{
    struct al_ota *o = idf_device_lock();
    const struct al_part *running = o->running;
    idf_device_unlock();
    if (!running) {
        ESP_LOGE(TAG, "The running app lies in no partition of the table (offset 0x%x)",
                 board()->control->running_offset);
        esp_system_abort("no partition holds the running app");
    }
    return partition_of(running);
}

const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from)
{
    const struct al_part *start = NULL;
    struct al_part like;
    if (start_from) {
        start_from = esp_partition_verify(start_from);
        assert(start_from);
        like = idf_part(start_from);
        start = &like;
    } else {
        esp_ota_get_running_partition(); /* panics if there is none */
    }
    struct al_ota *o = idf_device_lock();
    const struct al_part *next = al_ota_next_update(o, start);
    idf_device_unlock();
    return partition_of(next);
}

uint8_t esp_ota_get_app_partition_count(void)
{
    struct al_ota *o = idf_device_lock();
    uint32_t count = al_part_ota_count(o->table);
    idf_device_unlock();
    return (uint8_t)count;
}

esp_err_t esp_ota_get_partition_description(const esp_partition_t *partition,
                                            esp_app_desc_t *app_desc)
{
    if (!partition || !app_desc) return ESP_ERR_INVALID_ARG;
    if (partition->type != ESP_PARTITION_TYPE_APP) return ESP_ERR_NOT_SUPPORTED;
    esp_err_t err = esp_partition_read(partition, AL_IMAGE_DESC_OFFSET, app_desc, sizeof *app_desc);
    if (err) return err;
    return app_desc->magic_word == ESP_APP_DESC_MAGIC_WORD ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_ota_get_bootloader_description(const esp_partition_t *partition,
                                             esp_bootloader_desc_t *desc)
{
    if (!desc) return ESP_ERR_INVALID_ARG;
    const struct control *c = board()->control;
    esp_partition_t primary = {.address = c->bootloader_offset,
                               .size = (c->table_offset ? c->table_offset : AL_PART_TABLE_OFFSET) -
                                       c->bootloader_offset,
                               .type = ESP_PARTITION_TYPE_BOOTLOADER};
    if (!partition) partition = &primary;
    if (partition->type != ESP_PARTITION_TYPE_BOOTLOADER) return ESP_ERR_INVALID_ARG;
    esp_err_t err = esp_partition_read(partition, AL_IMAGE_DESC_OFFSET, desc, sizeof *desc);
    if (err) return err;
    return desc->magic_byte == ESP_BOOTLOADER_DESC_MAGIC_BYTE ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_ota_check_image_validity(esp_partition_type_t type, const esp_image_header_t *img_hdr,
                                       const esp_app_desc_t *img_app_desc)
{
    if (!img_hdr) return ESP_ERR_INVALID_ARG;
    uint8_t raw[AL_APP_DESC_LEN];
    struct al_image_header header;
    struct al_app_desc desc, running;
    al_image_header_parse((const uint8_t *)img_hdr, &header);
    if (img_app_desc) {
        memcpy(raw, img_app_desc, sizeof raw);
        al_app_desc_parse(raw, &desc);
    }
    memcpy(raw, esp_app_get_description(), sizeof raw);
    al_app_desc_parse(raw, &running);
    struct al_ota *o = idf_device_lock();
    int err = al_ota_check_image(o, (uint8_t)type, &header, img_app_desc ? &desc : NULL, &running);
    idf_device_unlock();
    return idf_err(err);
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    esp_err_t err = locked(al_ota_mark_valid);
    if (!err) part_place_confirmed();
    return err;
}

esp_err_t esp_ota_mark_app_invalid_rollback(void)
{
    return locked(al_ota_mark_invalid);
}

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void)
{
    esp_err_t err = esp_ota_mark_app_invalid_rollback();
    if (!err) esp_restart();
    return err;
}

bool esp_ota_check_rollback_is_possible(void)
{
    struct al_ota *o = idf_device_lock();
    bool possible = al_ota_rollback_possible(o);
    idf_device_unlock();
    return possible;
}

const esp_partition_t *esp_ota_get_last_invalid_partition(void)
{
    return locked_part(al_ota_last_invalid);
}

esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition,
                                      esp_ota_img_states_t *ota_state)
{
    if (!partition || !ota_state) return ESP_ERR_INVALID_ARG;
    uint32_t state;
    struct al_part part = idf_part(partition);
    struct al_ota *o = idf_device_lock();
    int err = al_ota_get_state(o, &part, &state);
    idf_device_unlock();
    if (!err) *ota_state = (esp_ota_img_states_t)state;
    return idf_err(err);
}

esp_err_t esp_ota_erase_last_boot_app_partition(void)
{
    return locked(al_ota_erase_last_boot);
}

esp_err_t esp_ota_invalidate_inactive_ota_data_slot(void)
{
    return locked(al_ota_invalidate_inactive);
}
