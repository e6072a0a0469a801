/* What lies in partitions: reading, writing, erasing, mapping, digests, copies. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "device/board.h"
#include "esp/esp-idf/idf_device.h"
#include "esp/esp-idf/part_update_impl.h"
#include "esp_flash.h"
#include "esp_partition.h"
#include "host/crypto_openssl.h"

#define ENCRYPTED_BLOCK 16u

/* The vendor's order: offset, then length. size_t is wider than the engine's numbers. */
static esp_err_t check_range(const esp_partition_t *p, size_t offset, size_t size)
{
    assert(p);
    if (offset > p->size) return ESP_ERR_INVALID_ARG;
    return size > p->size - offset ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

/* window and range of an access */
static esp_err_t access(const esp_partition_t *p, size_t offset, size_t size, struct al_window *w)
{
    esp_err_t err = check_range(p, offset, size);
    return err ? err : idf_window(p, w);
}

esp_err_t esp_partition_read(const esp_partition_t *p, size_t offset, void *dst, size_t size)
{
    struct al_window w;
    esp_err_t err = access(p, offset, size, &w);
    struct part_update *u = part_overlay_of(p);
    if (u && !err) return part_overlay_read(u, offset, dst, size);
    return err ? err : idf_err(al_window_read(&w, (uint32_t)offset, dst, (uint32_t)size));
}

/* Encrypted flash is written in whole blocks (esp_flash_write_encrypted). */
static esp_err_t check_blocks(size_t address, size_t size)
{
    if (address % ENCRYPTED_BLOCK) return ESP_ERR_INVALID_ARG;
    return size % ENCRYPTED_BLOCK ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

static esp_err_t write_plain(const esp_partition_t *p, size_t offset, const void *src, size_t size,
                             bool blocks)
{
    struct al_window w;
    assert(p);
    if (p->readonly) return ESP_ERR_NOT_ALLOWED;
    esp_err_t err = access(p, offset, size, &w);
    if (!err && blocks) err = check_blocks(p->address + offset, size);
    struct part_update *u = part_overlay_of(p);
    if (u && !err) return part_overlay_write(u, offset, src, size);
    return err ? err : idf_err(al_window_program(&w, (uint32_t)offset, src, (uint32_t)size));
}

esp_err_t esp_partition_write(const esp_partition_t *p, size_t offset, const void *src, size_t size)
{
    return write_plain(p, offset, src, size, p && p->encrypted);
}

esp_err_t esp_partition_read_raw(const esp_partition_t *p, size_t offset, void *dst, size_t size)
{
    return esp_partition_read(p, offset, dst, size);
}

esp_err_t esp_partition_write_raw(const esp_partition_t *p, size_t offset, const void *src,
                                  size_t size)
{
    return write_plain(p, offset, src, size, false);
}

esp_err_t esp_partition_erase_range(const esp_partition_t *p, size_t offset, size_t size)
{
    struct al_window w;
    assert(p);
    if (p->readonly) return ESP_ERR_NOT_ALLOWED;
    esp_err_t err = access(p, offset, size, &w);
    struct part_update *u = part_overlay_of(p);
    if (u && !err) return part_overlay_erase(u, offset, size);
    return err ? err : idf_err(al_window_erase(&w, (uint32_t)offset, (uint32_t)size));
}

/* The whole flash is mapped already, so a handle is only a number. */
esp_err_t esp_partition_mmap(const esp_partition_t *p, size_t offset, size_t size,
                             esp_partition_mmap_memory_t memory, const void **out_ptr,
                             esp_partition_mmap_handle_t *out_handle)
{
    static uint32_t handles;
    struct al_window w;
    esp_err_t err = access(p, offset, size, &w);
    if (err) return err;
    if (p->flash_chip != esp_flash_default_chip) return ESP_ERR_NOT_SUPPORTED;
    struct part_update *u = part_overlay_of(p);
    if (u) {
        err = part_overlay_map(u, offset, size, out_ptr);
        if (err) return err;
    } else {
        *out_ptr = al_window_map(&w, (uint32_t)offset, (uint32_t)size);
        if (!*out_ptr) return ESP_ERR_NO_MEM;
    }
    *out_handle = __atomic_add_fetch(&handles, 1, __ATOMIC_RELAXED);
    return ESP_OK;
}

void esp_partition_munmap(esp_partition_mmap_handle_t handle)
{
    (void)handle;
}

static esp_err_t content_sha256(const struct al_window *w, uint8_t digest[32])
{
    const uint8_t *bytes = al_window_map(w, 0, w->size);
    if (!bytes) return ESP_ERR_NO_MEM;
    crypto_digest(AL_SHA256, bytes, w->size, digest);
    return ESP_OK;
}

esp_err_t esp_partition_get_sha256(const esp_partition_t *p, uint8_t *sha_256)
{
    struct al_window w;
    if (!p || !sha_256 || !p->size) return ESP_ERR_INVALID_ARG;
    /* The examples fill in no other members. */
    const esp_partition_t part = {.address = p->address, .size = p->size};
    esp_err_t err = idf_window(&part, &w);
    if (err) return err;
    if (p->type != ESP_PARTITION_TYPE_APP && p->type != ESP_PARTITION_TYPE_BOOTLOADER)
        return content_sha256(&w, sha_256);
    bool boot = p->type == ESP_PARTITION_TYPE_BOOTLOADER ||
                p->address == board()->control->bootloader_offset;
    struct al_image_rules rules = idf_device_rules(boot ? AL_IMAGE_BOOTLOADER : AL_IMAGE_APP);
    return idf_err(al_image_sha256(&w, &rules, sha_256));
}

bool esp_partition_check_identity(const esp_partition_t *a, const esp_partition_t *b)
{
    uint8_t digest_a[32], digest_b[32];
    return !esp_partition_get_sha256(a, digest_a) && !esp_partition_get_sha256(b, digest_b) &&
           !memcmp(digest_a, digest_b, sizeof digest_a);
}

esp_err_t esp_partition_copy(const esp_partition_t *dest, uint32_t dest_offset,
                             const esp_partition_t *src, uint32_t src_offset, size_t size)
{
    if (!dest || !src || dest == src) return ESP_ERR_INVALID_ARG;
    if (src_offset > src->size || dest_offset > dest->size) return ESP_ERR_INVALID_SIZE;
    if (size == SIZE_MAX) size = src->size - src_offset;
    if (size > src->size - src_offset || size > dest->size - dest_offset)
        return ESP_ERR_INVALID_SIZE;
    size_t erase = (size + AL_SECTOR - 1) / AL_SECTOR * AL_SECTOR;
    esp_err_t err = esp_partition_erase_range(dest, dest_offset, erase);
    uint8_t sector[AL_SECTOR];
    for (size_t done = 0; !err && done < size;) {
        size_t n = size - done < sizeof sector ? size - done : sizeof sector;
        err = esp_partition_read(src, src_offset + done, sector, n);
        if (!err) err = esp_partition_write(dest, dest_offset + done, sector, n);
        done += n;
    }
    return err;
}

uint32_t esp_partition_get_main_flash_sector_size(void)
{
    return AL_SECTOR;
}

/* --- regions that other code may write to --- */

static bool touches(size_t addr, size_t size, size_t begin, size_t len)
{
    return addr < begin + len && begin < addr + size;
}

bool esp_partition_is_flash_region_writable(size_t addr, size_t size)
{
    esp_partition_iterator_t it =
        esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    bool writable = true;
    for (; it; it = esp_partition_next(it)) {
        const esp_partition_t *p = esp_partition_get(it);
        if (p->readonly && touches(addr, size, p->address, p->size)) writable = false;
    }
    return writable;
}

/* Not the boot loader, the table, or the running app. */
bool esp_partition_main_flash_region_safe(size_t addr, size_t size)
{
    struct al_ota *o = idf_device_lock();
    size_t protected_end = (o->table_offset ? o->table_offset : AL_PART_TABLE_OFFSET) + AL_SECTOR;
    bool safe = addr >= protected_end &&
                !(o->running && touches(addr, size, o->running->offset, o->running->size));
    idf_device_unlock();
    return safe;
}
