/* NVS partitions: taking them into use, letting go, erasing. */
#include "nvs_flash.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp/esp-idf/idf_device.h"
#include "esp/esp-idf/nvs_storage.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct nvs_storage *storages;

void nvs_lock(void)
{
    pthread_mutex_lock(&lock);
}

void nvs_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

struct nvs_storage *nvs_storage_find(const char *label)
{
    struct nvs_storage *s = storages;
    while (s && strcmp(s->label, label)) s = s->next;
    return s;
}

bool nvs_storage_any(void)
{
    return storages;
}

bool nvs_storage_alive(const struct nvs_storage *s)
{
    const struct nvs_storage *i = storages;
    while (i && i != s) i = i->next;
    return i;
}

static void drop(struct nvs_storage *s)
{
    struct nvs_storage **p = &storages;
    while (*p != s) p = &(*p)->next;
    *p = s->next;
    nvs_handles_drop(s);
    free(s);
}

static esp_err_t init(const esp_partition_t *p, const char *label)
{
    struct al_window window;
    if (p->encrypted) return ESP_ERR_NVS_WRONG_ENCRYPTION; /* NVS encrypts by itself */
    esp_err_t err = idf_window(p, &window);
    if (err) return err;
    size_t pages = p->size / AL_SECTOR;
    struct nvs_storage *s = calloc(1, sizeof *s + pages * sizeof *s->pages);
    if (!s) return ESP_ERR_NO_MEM;
    err = idf_err(al_nvs_init(&s->nvs, &window, s->pages, pages));
    if (err) {
        free(s);
        return err;
    }
    snprintf(s->label, sizeof s->label, "%s", label);
    s->readonly = p->readonly;
    s->next = storages;
    storages = s;
    return ESP_OK;
}

static const esp_partition_t *partition(const char *label)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, label);
}

esp_err_t nvs_flash_init_partition(const char *label)
{
    if (!label || strlen(label) > NVS_PART_NAME_MAX_SIZE) return ESP_ERR_INVALID_ARG;
    const esp_partition_t *p = partition(label);
    nvs_lock();
    esp_err_t err = nvs_storage_find(label) ? ESP_OK : !p ? ESP_ERR_NOT_FOUND : init(p, label);
    nvs_unlock();
    return err;
}

esp_err_t nvs_flash_init_partition_ptr(const esp_partition_t *p)
{
    if (!p) return ESP_ERR_INVALID_ARG;
    nvs_lock();
    struct nvs_storage *before = nvs_storage_find(p->label);
    if (before) drop(before);
    esp_err_t err = init(p, p->label);
    nvs_unlock();
    return err;
}

esp_err_t nvs_flash_init(void)
{
    return nvs_flash_init_partition(NVS_DEFAULT_PART_NAME);
}

esp_err_t nvs_flash_deinit_partition(const char *label)
{
    if (!label) return ESP_ERR_INVALID_ARG;
    nvs_lock();
    struct nvs_storage *s = nvs_storage_find(label);
    if (s) drop(s);
    nvs_unlock();
    return s ? ESP_OK : ESP_ERR_NVS_NOT_INITIALIZED;
}

esp_err_t nvs_flash_deinit(void)
{
    return nvs_flash_deinit_partition(NVS_DEFAULT_PART_NAME);
}

esp_err_t nvs_flash_erase_partition_ptr(const esp_partition_t *p)
{
    if (!p) return ESP_ERR_INVALID_ARG;
    nvs_flash_deinit_partition(p->label);
    return esp_partition_erase_range(p, 0, p->size);
}

esp_err_t nvs_flash_erase_partition(const char *label)
{
    if (!label) return ESP_ERR_INVALID_ARG;
    nvs_flash_deinit_partition(label);
    const esp_partition_t *p = partition(label);
    return p ? nvs_flash_erase_partition_ptr(p) : ESP_ERR_NOT_FOUND;
}

esp_err_t nvs_flash_erase(void)
{
    return nvs_flash_erase_partition(NVS_DEFAULT_PART_NAME);
}
