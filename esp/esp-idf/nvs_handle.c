/* NVS handles, and values through them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "esp/esp-idf/idf_device.h"
#include "esp/esp-idf/nvs_storage.h"
#include "nvs.h"

static struct nvs_open_handle *handles;
static nvs_handle_t last_number;

struct nvs_open_handle *nvs_handle_find(nvs_handle_t handle)
{
    struct nvs_open_handle *h = handles;
    while (h && h->number != handle) h = h->next;
    return h;
}

void nvs_handles_drop(const struct nvs_storage *s)
{
    for (struct nvs_open_handle **p = &handles; *p;) {
        struct nvs_open_handle *h = *p;
        if (h->storage != s) {
            p = &h->next;
            continue;
        }
        *p = h->next;
        free(h);
    }
}

static esp_err_t open_locked(const char *part, const char *ns, nvs_open_mode_t mode,
                             nvs_handle_t *out)
{
    if (!nvs_storage_any()) return ESP_ERR_NVS_NOT_INITIALIZED;
    struct nvs_storage *s = nvs_storage_find(part);
    if (!s) return ESP_ERR_NVS_PART_NOT_FOUND;
    if (s->readonly && mode != NVS_READONLY) return ESP_ERR_NOT_ALLOWED;
    struct nvs_open_handle *h = calloc(1, sizeof *h);
    if (!h) return ESP_ERR_NO_MEM;
    int err = al_nvs_namespace(&s->nvs, ns, mode != NVS_READONLY, &h->ns);
    if (err) {
        free(h);
        return idf_err(err);
    }
    h->number = ++last_number;
    h->storage = s;
    h->mode = mode;
    h->next = handles;
    handles = h;
    *out = h->number;
    return ESP_OK;
}

esp_err_t nvs_open_from_partition(const char *part, const char *ns, nvs_open_mode_t mode,
                                  nvs_handle_t *out)
{
    if (!part || !ns || !out) return ESP_ERR_INVALID_ARG;
    nvs_lock();
    esp_err_t err = open_locked(part, ns, mode, out);
    nvs_unlock();
    return err;
}

esp_err_t nvs_open(const char *ns, nvs_open_mode_t mode, nvs_handle_t *out)
{
    return nvs_open_from_partition(NVS_DEFAULT_PART_NAME, ns, mode, out);
}

void nvs_close(nvs_handle_t handle)
{
    nvs_lock();
    struct nvs_open_handle **p = &handles;
    while (*p && (*p)->number != handle) p = &(*p)->next;
    struct nvs_open_handle *h = *p;
    if (h) *p = h->next;
    nvs_unlock();
    free(h);
}

esp_err_t nvs_commit(nvs_handle_t handle)
{
    nvs_lock();
    bool open = nvs_handle_find(handle);
    nvs_unlock();
    return open ? ESP_OK : ESP_ERR_NVS_INVALID_HANDLE;
}

/* --- writing --- */

/* A handle that may write; takes the lock, which the caller gives back. */
static esp_err_t lock_for_writing(nvs_handle_t handle, struct nvs_open_handle **h)
{
    nvs_lock();
    *h = nvs_handle_find(handle);
    if (!*h) return ESP_ERR_NVS_INVALID_HANDLE;
    return (*h)->mode == NVS_READONLY ? ESP_ERR_NVS_READ_ONLY : ESP_OK;
}

static esp_err_t set(nvs_handle_t handle, enum al_nvs_type type, const char *key, const void *value,
                     size_t len)
{
    if (!key) return ESP_ERR_INVALID_ARG;
    struct nvs_open_handle *h;
    esp_err_t err = lock_for_writing(handle, &h);
    if (!err)
        err = idf_err(al_nvs_set(&h->storage->nvs, h->ns, type, key, value, len,
                                 h->mode == NVS_READWRITE_PURGE));
    nvs_unlock();
    return err;
}

esp_err_t nvs_set_float(nvs_handle_t handle, const char *key, float value)
{
    return isnan(value) ? ESP_ERR_INVALID_ARG
                        : set(handle, AL_NVS_FLOAT, key, &value, sizeof value);
}

esp_err_t nvs_set_double(nvs_handle_t handle, const char *key, double value)
{
    return isnan(value) ? ESP_ERR_INVALID_ARG
                        : set(handle, AL_NVS_DOUBLE, key, &value, sizeof value);
}

esp_err_t nvs_set_str(nvs_handle_t handle, const char *key, const char *value)
{
    return value ? set(handle, AL_NVS_STR, key, value, strlen(value) + 1) : ESP_ERR_INVALID_ARG;
}

esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value, size_t length)
{
    if (!value && length) return ESP_ERR_INVALID_ARG;
    return set(handle, AL_NVS_BLOB, key, value ? value : "", length);
}

esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key)
{
    if (!key) return ESP_ERR_INVALID_ARG;
    struct nvs_open_handle *h;
    esp_err_t err = lock_for_writing(handle, &h);
    if (!err)
        err =
            idf_err(al_nvs_erase_key(&h->storage->nvs, h->ns, key, h->mode == NVS_READWRITE_PURGE));
    nvs_unlock();
    return err;
}

esp_err_t nvs_erase_all(nvs_handle_t handle)
{
    struct nvs_open_handle *h;
    esp_err_t err = lock_for_writing(handle, &h);
    if (!err)
        err = idf_err(al_nvs_erase_all(&h->storage->nvs, h->ns, h->mode == NVS_READWRITE_PURGE));
    nvs_unlock();
    return err;
}

esp_err_t nvs_purge_all(nvs_handle_t handle)
{
    struct nvs_open_handle *h;
    esp_err_t err = lock_for_writing(handle, &h);
    if (!err) err = idf_err(al_nvs_purge_all(&h->storage->nvs, h->ns));
    nvs_unlock();
    return err;
}

/* --- reading --- */

/* out NULL: only the size. */
static esp_err_t get(nvs_handle_t handle, enum al_nvs_type type, const char *key, void *out,
                     size_t len, size_t *found)
{
    if (!key) return ESP_ERR_INVALID_ARG;
    nvs_lock();
    struct nvs_open_handle *h = nvs_handle_find(handle);
    esp_err_t err = ESP_ERR_NVS_INVALID_HANDLE;
    if (h) err = idf_err(al_nvs_get(&h->storage->nvs, h->ns, type, key, out, len, found));
    nvs_unlock();
    return err;
}

static esp_err_t get_number(nvs_handle_t handle, enum al_nvs_type type, const char *key, void *out,
                            size_t len)
{
    uint8_t value[8];
    if (!out) return ESP_ERR_INVALID_ARG;
    esp_err_t err = get(handle, type, key, value, len, NULL);
    if (!err) memcpy(out, value, len);
    return err;
}

static esp_err_t get_bytes(nvs_handle_t handle, enum al_nvs_type type, const char *key, void *out,
                           size_t *length)
{
    size_t found = 0;
    esp_err_t err = get(handle, type, key, NULL, 0, &found);
    if (err) return err;
    if (!length) return ESP_ERR_NVS_INVALID_LENGTH;
    size_t room = *length;
    *length = found;
    if (!out) return ESP_OK;
    return room < found ? ESP_ERR_NVS_INVALID_LENGTH : get(handle, type, key, out, room, length);
}

esp_err_t nvs_get_float(nvs_handle_t handle, const char *key, float *out_value)
{
    return get_number(handle, AL_NVS_FLOAT, key, out_value, sizeof *out_value);
}

esp_err_t nvs_get_double(nvs_handle_t handle, const char *key, double *out_value)
{
    return get_number(handle, AL_NVS_DOUBLE, key, out_value, sizeof *out_value);
}

esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *out_value, size_t *length)
{
    return get_bytes(handle, AL_NVS_STR, key, out_value, length);
}

esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value, size_t *length)
{
    return get_bytes(handle, AL_NVS_BLOB, key, out_value, length);
}

#define INTEGER(name, c_type, nvs_type)                                               \
    esp_err_t nvs_set_##name(nvs_handle_t handle, const char *key, c_type value)      \
    {                                                                                 \
        return set(handle, nvs_type, key, &value, sizeof value);                      \
    }                                                                                 \
    esp_err_t nvs_get_##name(nvs_handle_t handle, const char *key, c_type *out_value) \
    {                                                                                 \
        return get_number(handle, nvs_type, key, out_value, sizeof *out_value);       \
    }

INTEGER(i8, int8_t, AL_NVS_I8)
INTEGER(u8, uint8_t, AL_NVS_U8)
INTEGER(i16, int16_t, AL_NVS_I16)
INTEGER(u16, uint16_t, AL_NVS_U16)
INTEGER(i32, int32_t, AL_NVS_I32)
INTEGER(u32, uint32_t, AL_NVS_U32)
INTEGER(i64, int64_t, AL_NVS_I64)
INTEGER(u64, uint64_t, AL_NVS_U64)

esp_err_t nvs_find_key(nvs_handle_t handle, const char *key, nvs_type_t *out_type)
{
    if (!key) return ESP_ERR_INVALID_ARG;
    enum al_nvs_type type;
    nvs_lock();
    struct nvs_open_handle *h = nvs_handle_find(handle);
    esp_err_t err = ESP_ERR_NVS_INVALID_HANDLE;
    if (h) err = idf_err(al_nvs_find_key(&h->storage->nvs, h->ns, key, &type));
    nvs_unlock();
    if (!err && out_type) *out_type = (nvs_type_t)type;
    return err;
}
