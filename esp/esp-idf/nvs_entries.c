/* NVS: walking over entries, and how full a partition is. */
#include <stdlib.h>
#include <string.h>

#include "esp/esp-idf/idf_device.h"
#include "esp/esp-idf/nvs_storage.h"
#include "nvs.h"

struct nvs_opaque_iterator_t {
    struct nvs_storage *storage;
    struct al_nvs_iter at;
};

/* Lock held. Moves to the next entry; at the end the iterator is freed and NULL. */
static esp_err_t advance(nvs_iterator_t *it)
{
    int err = nvs_storage_alive((*it)->storage) ? al_nvs_next(&(*it)->storage->nvs, &(*it)->at)
                                                : AL_ERR_NVS_NOT_FOUND;
    if (err) {
        free(*it);
        *it = NULL;
    }
    return idf_err(err);
}

/* Lock held. */
static esp_err_t begin(struct nvs_storage *s, uint8_t ns, nvs_type_t type, nvs_iterator_t *out)
{
    *out = calloc(1, sizeof **out);
    if (!*out) return ESP_ERR_NO_MEM;
    (*out)->storage = s;
    (*out)->at.ns = ns;
    (*out)->at.type = (uint8_t)type;
    return advance(out);
}

esp_err_t nvs_entry_find(const char *part_name, const char *namespace_name, nvs_type_t type,
                         nvs_iterator_t *output_iterator)
{
    if (!part_name || !output_iterator) return ESP_ERR_INVALID_ARG;
    *output_iterator = NULL;
    nvs_lock();
    uint8_t ns = 0;
    struct nvs_storage *s = nvs_storage_find(part_name);
    esp_err_t err = ESP_ERR_NVS_NOT_FOUND;
    if (s && (!namespace_name || !al_nvs_namespace(&s->nvs, namespace_name, false, &ns)))
        err = begin(s, ns, type, output_iterator);
    nvs_unlock();
    return err;
}

esp_err_t nvs_entry_find_in_handle(nvs_handle_t handle, nvs_type_t type,
                                   nvs_iterator_t *output_iterator)
{
    if (!output_iterator) return ESP_ERR_INVALID_ARG;
    *output_iterator = NULL;
    nvs_lock();
    struct nvs_open_handle *h = nvs_handle_find(handle);
    esp_err_t err =
        h ? begin(h->storage, h->ns, type, output_iterator) : ESP_ERR_NVS_INVALID_HANDLE;
    nvs_unlock();
    return err;
}

esp_err_t nvs_entry_next(nvs_iterator_t *iterator)
{
    if (!iterator || !*iterator) return ESP_ERR_INVALID_ARG;
    nvs_lock();
    esp_err_t err = advance(iterator);
    nvs_unlock();
    return err;
}

esp_err_t nvs_entry_info(const nvs_iterator_t iterator, nvs_entry_info_t *out_info)
{
    if (!iterator || !out_info) return ESP_ERR_INVALID_ARG;
    memcpy(out_info->namespace_name, iterator->at.namespace_name, NVS_NS_NAME_MAX_SIZE);
    memcpy(out_info->key, iterator->at.key, NVS_KEY_NAME_MAX_SIZE);
    out_info->type = (nvs_type_t)iterator->at.found_type;
    return ESP_OK;
}

void nvs_release_iterator(nvs_iterator_t iterator)
{
    free(iterator);
}

esp_err_t nvs_get_stats(const char *part_name, nvs_stats_t *nvs_stats)
{
    if (!nvs_stats) return ESP_ERR_INVALID_ARG;
    memset(nvs_stats, 0, sizeof *nvs_stats);
    struct al_nvs_stats stats;
    nvs_lock();
    struct nvs_storage *s = nvs_storage_find(part_name ? part_name : NVS_DEFAULT_PART_NAME);
    esp_err_t err = s ? idf_err(al_nvs_stats(&s->nvs, &stats)) : ESP_ERR_NVS_NOT_INITIALIZED;
    nvs_unlock();
    if (!err)
        *nvs_stats = (nvs_stats_t){.used_entries = stats.used,
                                   .free_entries = stats.free,
                                   .available_entries = stats.available,
                                   .total_entries = stats.total,
                                   .namespace_count = stats.namespaces};
    return err;
}

esp_err_t nvs_get_used_entry_count(nvs_handle_t handle, size_t *used_entries)
{
    if (!used_entries) return ESP_ERR_INVALID_ARG;
    *used_entries = 0;
    uint32_t count = 0;
    nvs_lock();
    struct nvs_open_handle *h = nvs_handle_find(handle);
    esp_err_t err = ESP_ERR_NVS_INVALID_HANDLE;
    if (h) err = idf_err(al_nvs_used_entries(&h->storage->nvs, h->ns, &count));
    nvs_unlock();
    if (!err) *used_entries = count;
    return err;
}
