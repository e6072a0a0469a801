/* What the node keeps over restarts: blobs in NVS, named by their number. In the partition
 * zb_storage, where a project has it as the vendor's examples do; else among the
 * application's own, in the default NVS partition. */
#include <stdio.h>

#include "core/err.h"
#include "esp/esp-zigbee/stack.h"
#include "esp_log.h"
#include "nvs_flash.h"

#define SPACE "zb_store"

enum { SECTORS_MIN = 3, SECTOR = 4096 };

static nvs_handle_t handle;
static bool open, told;

static const esp_partition_t *own_partition(void)
{
    const char *name = zb_stack.storage ? zb_stack.storage : "zb_storage";
    const esp_partition_t *p =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, name);
    return p && p->size >= SECTORS_MIN * SECTOR ? p : NULL;
}

static esp_err_t open_own(const esp_partition_t *p)
{
    esp_err_t err = nvs_flash_init_partition_ptr(p);
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        nvs_flash_erase_partition_ptr(p); /* something else was there */
        err = nvs_flash_init_partition_ptr(p);
    }
    return err ? err : nvs_open_from_partition(p->label, SPACE, NVS_READWRITE, &handle);
}

static esp_err_t open_default(void)
{
    esp_err_t err = nvs_flash_init();
    return err ? err : nvs_open(SPACE, NVS_READWRITE, &handle);
}

static int complain(esp_err_t err)
{
    if (!told)
        ESP_LOGE(ZB_TAG, "the state of the network cannot be kept in flash: %s",
                 esp_err_to_name(err));
    told = true;
    return AL_FAIL;
}

int zb_store_save_blob(const char *key, const void *data, size_t len)
{
    if (!open) return AL_FAIL;
    esp_err_t err = len ? nvs_set_blob(handle, key, data, len) : nvs_erase_key(handle, key);
    if (err == ESP_ERR_NVS_NOT_FOUND) return 0;
    if (!err) err = nvs_commit(handle);
    return err ? complain(err) : 0;
}

int zb_store_load_blob(const char *key, void *data, size_t size)
{
    size_t len = size;
    if (!open) return AL_ERR_NOT_FOUND;
    esp_err_t err = nvs_get_blob(handle, key, data, &len);
    return err ? AL_ERR_NOT_FOUND : (int)len;
}

static int save(void *ctx, uint16_t record, const void *data, size_t len)
{
    char key[8];
    snprintf(key, sizeof key, "%04x", record);
    return zb_store_save_blob(key, data, len);
}

static int load(void *ctx, uint16_t record, void *data, size_t size)
{
    char key[8];
    snprintf(key, sizeof key, "%04x", record);
    return zb_store_load_blob(key, data, size);
}

const struct al_zb_store *zb_store_open(bool erase)
{
    static const struct al_zb_store store = {NULL, save, load};
    if (!open) {
        const esp_partition_t *p = own_partition();
        esp_err_t err = p ? open_own(p) : open_default();
        if (err) {
            complain(err);
            return NULL;
        }
        open = true;
    }
    if (erase) zb_store_erase();
    return &store;
}

void zb_store_erase(void)
{
    if (!open) return;
    nvs_erase_all(handle);
    nvs_commit(handle);
}
