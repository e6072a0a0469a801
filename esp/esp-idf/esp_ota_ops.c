/* Writing updates: handles over core/ota.h. Choosing and confirming: esp_ota_select.c. */
#include "esp_ota_ops.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "esp/esp-idf/idf_device.h"
#include "esp/esp-idf/part_update_impl.h"
#include "esp_log.h"

static const char *TAG = "esp_ota_ops";

struct handle {
    struct handle *next;
    esp_ota_handle_t number;
    struct al_ota_update update;
};

/* Both under the device's lock. */
static struct handle *handles;
static esp_ota_handle_t last_number;

static struct handle *find(esp_ota_handle_t number)
{
    struct handle *h = handles;
    while (h && h->number != number) h = h->next;
    return h;
}

static void drop(struct handle *h)
{
    struct handle **p = &handles;
    while (*p != h) p = &(*p)->next;
    *p = h->next;
    free(h);
}

static bool is_open(const struct al_ota *o, const struct al_ota_update *u)
{
    const struct al_ota_update *i = o->open;
    while (i && i != u) i = i->next;
    return i;
}

/* The handle exists as soon as the update is open, even when the erase then fails. */
static esp_err_t keep_if_open(struct al_ota *o, struct handle *h, int err, esp_ota_handle_t *out)
{
    if (is_open(o, &h->update)) {
        h->number = ++last_number;
        h->next = handles;
        handles = h;
        *out = h->number;
    } else {
        free(h);
    }
    return idf_err(err);
}

static uint32_t u32(size_t n)
{
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

esp_err_t esp_ota_begin(const esp_partition_t *partition, size_t image_size,
                        esp_ota_handle_t *out_handle)
{
    if (!partition || !out_handle) return ESP_ERR_INVALID_ARG;
    partition = esp_partition_verify(partition);
    if (!partition) return ESP_ERR_NOT_FOUND;
    struct handle *h = calloc(1, sizeof *h);
    if (!h) return ESP_ERR_NO_MEM;
    struct al_part part = idf_part(partition);
    struct al_ota *o = idf_device_lock();
    int err = part_place_may_write(o, &part);
    if (!err) err = al_ota_begin(o, &part, u32(image_size), &h->update);
    esp_err_t result = keep_if_open(o, h, err, out_handle);
    idf_device_unlock();
    return result;
}

esp_err_t esp_ota_resume(const esp_partition_t *partition, const size_t erase_size,
                         const size_t image_offset, esp_ota_handle_t *out_handle)
{
    if (!partition || !out_handle || image_offset > partition->size) return ESP_ERR_INVALID_ARG;
    partition = esp_partition_verify(partition);
    if (!partition) return ESP_ERR_NOT_FOUND;
    struct handle *h = calloc(1, sizeof *h);
    if (!h) return ESP_ERR_NO_MEM;
    struct al_part part = idf_part(partition);
    struct al_ota *o = idf_device_lock();
    int err = part_place_may_write(o, &part);
    if (!err) err = al_ota_resume(o, &part, u32(erase_size), u32(image_offset), &h->update);
    esp_err_t result = keep_if_open(o, h, err, out_handle);
    idf_device_unlock();
    return result;
}

esp_err_t esp_ota_set_final_partition(esp_ota_handle_t handle, const esp_partition_t *final,
                                      bool finalize_with_copy)
{
    if (!final) return ESP_ERR_INVALID_ARG;
    struct al_part part = idf_part(final);
    struct al_ota *o = idf_device_lock();
    struct handle *h = find(handle);
    int err = h ? al_ota_set_final(o, &h->update, &part, finalize_with_copy) : AL_ERR_NOT_FOUND;
    idf_device_unlock();
    return idf_err(err);
}

esp_err_t esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size)
{
    if (!data) {
        ESP_LOGE(TAG, "write data is invalid");
        return ESP_ERR_INVALID_ARG;
    }
    if (!size) return ESP_OK;
    struct al_ota *o = idf_device_lock();
    struct handle *h = find(handle);
    int err = h ? al_ota_write(o, &h->update, data, u32(size)) : AL_ERR_INVALID_ARG;
    idf_device_unlock();
    if (!h) ESP_LOGE(TAG, "not found the handle");
    return idf_err(err);
}

esp_err_t esp_ota_write_with_offset(esp_ota_handle_t handle, const void *data, size_t size,
                                    uint32_t offset)
{
    if (!data) {
        ESP_LOGE(TAG, "write data is invalid");
        return ESP_ERR_INVALID_ARG;
    }
    if (!size) return ESP_OK;
    struct al_ota *o = idf_device_lock();
    struct handle *h = find(handle);
    bool sequential = h && h->update.writer.cfg.erase == AL_SLOT_ERASE_ON_DEMAND;
    int err = !h           ? AL_ERR_INVALID_ARG
              : sequential ? AL_ERR_INVALID_STATE
                           : al_ota_write_at(o, &h->update, data, u32(size), offset);
    idf_device_unlock();
    /* As in the original: a mistake of the program, not of the data. */
    assert(!sequential && "writing at an offset needs a handle whose partition was erased");
    if (!h) ESP_LOGE(TAG, "OTA handle not found");
    return idf_err(err);
}

static esp_err_t close_handle(esp_ota_handle_t handle,
                              int (*how)(struct al_ota *, struct al_ota_update *))
{
    struct al_ota *o = idf_device_lock();
    struct handle *h = find(handle);
    int err = h ? how(o, &h->update) : AL_ERR_NOT_FOUND;
    if (h) drop(h);
    idf_device_unlock();
    return idf_err(err);
}

esp_err_t esp_ota_end(esp_ota_handle_t handle)
{
    return close_handle(handle, al_ota_end);
}

esp_err_t esp_ota_abort(esp_ota_handle_t handle)
{
    return close_handle(handle, al_ota_abort);
}
