/* One partition's new content: from its first byte to its commit. See part_update.h. */
#include "esp/esp-idf/part_update.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/board.h"
#include "esp/esp-idf/part_update_impl.h"
#include "esp_flash.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "host/crypto_openssl.h"
#include "nvs.h"

#define BLOCK 16u

static const char *TAG = "part_update";

static uint32_t sectors(uint32_t bytes)
{
    return (uint32_t)(((uint64_t)bytes + AL_SECTOR - 1) / AL_SECTOR);
}

static struct al_window flash(void)
{
    return al_window_all(&board()->nor.flash);
}

/* --- the mark of a partition that is written in place --- */

#define MARKS_NAMESPACE "airlift_parts"

static void mark_key(const esp_partition_t *p, char key[12])
{
    snprintf(key, 12, "at_%08" PRIx32, p->address);
}

static esp_err_t open_marks(nvs_open_mode_t mode, nvs_handle_t *nvs)
{
    return nvs_open(MARKS_NAMESPACE, mode, nvs);
}

static esp_err_t set_mark(const esp_partition_t *p, bool incomplete)
{
    char key[12];
    nvs_handle_t nvs;
    mark_key(p, key);
    esp_err_t err = open_marks(NVS_READWRITE, &nvs);
    if (err) return err;
    err = incomplete ? nvs_set_u32(nvs, key, p->size) : nvs_erase_key(nvs, key);
    if (!err) err = nvs_commit(nvs);
    nvs_close(nvs);
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

static bool is_moving(const esp_partition_t *target)
{
    bool moving = part_place_is_moving(idf_device_lock(), target);
    idf_device_unlock();
    return moving;
}

bool part_update_incomplete(const esp_partition_t *target)
{
    char key[12];
    nvs_handle_t nvs;
    uint32_t size;
    if (is_moving(target)) return true;
    if (open_marks(NVS_READONLY, &nvs)) return false;
    mark_key(target, key);
    bool marked = !nvs_get_u32(nvs, key, &size);
    nvs_close(nvs);
    return marked;
}

/* --- begin --- */

__attribute__((format(printf, 4, 5))) static esp_err_t
refuse(char *why, size_t why_size, esp_err_t err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (why && why_size) vsnprintf(why, why_size, format, args);
    va_end(args);
    return err;
}

static esp_err_t check_target(const esp_partition_t *target, const struct part_update_options *o,
                              char *why, size_t n)
{
    struct al_ota *ota = idf_device_lock();
    bool ok = al_change_target_ok(ota, target->address, target->size) &&
              !part_place_is_spare(ota, target);
    enum al_change_state record = part_place_record(ota);
    idf_device_unlock();
    if (target->readonly)
        return refuse(why, n, ESP_ERR_NOT_ALLOWED, "partition %s is read-only", target->label);
    if (!ok || target->flash_chip != esp_flash_default_chip)
        return refuse(why, n, ESP_ERR_NOT_ALLOWED,
                      "partition %s (0x%" PRIx32 ", 0x%" PRIx32
                      " bytes) belongs to the system or is not made of whole sectors",
                      target->label, target->address, target->size);
    if (o->size > (int64_t)target->size)
        return refuse(why, n, ESP_ERR_INVALID_SIZE,
                      "%" PRId64 " bytes do not fit into partition %s (%" PRIu32 " bytes)", o->size,
                      target->label, target->size);
    if (record == AL_CHANGE_TRIAL)
        return refuse(why, n, ESP_ERR_OTA_ROLLBACK_INVALID_STATE,
                      "the last update is on trial: confirm the app first");
    if (record != AL_CHANGE_NONE)
        return refuse(why, n, ESP_ERR_INVALID_STATE,
                      "an earlier update is not finished: restart the device first");
    return ESP_OK;
}

static esp_err_t open_already(const struct part_update *u, char *why, size_t n)
{
    return refuse(why, n, ESP_ERR_INVALID_STATE, "an update of partition %s is open already",
                  u->target.label);
}

static esp_err_t place_in_target(struct part_update *u, char *why, size_t n)
{
    nvs_handle_t nvs;
    if (open_marks(NVS_READWRITE, &nvs))
        return refuse(why, n, ESP_ERR_INVALID_STATE,
                      "partition %s can only be written in place, and there is no NVS to note that "
                      "it is incomplete: call nvs_flash_init() first",
                      u->target.label);
    nvs_close(nvs);
    u->place = PART_UPDATE_IN_PLACE;
    u->base = u->target.address;
    u->room = u->target.size;
    return part_place_add(u) ? ESP_OK : open_already(u, why, n);
}

static esp_err_t place(struct part_update *u, const struct part_update_options *o, char *why,
                       size_t n)
{
    if (o->strict_in_place) return place_in_target(u, why, n);
    uint32_t size = o->size < 0 ? u->target.size : (uint32_t)o->size;
    uint32_t need = sectors(size ? size : 1) * AL_SECTOR;
    struct al_ota *ota = idf_device_lock();
    bool open = part_place_is_open(&u->target);
    esp_err_t err = open ? ESP_ERR_INVALID_STATE : part_place_find(ota, u, need, why, n);
    idf_device_unlock();
    if (open) return open_already(u, why, n);
    return err && o->in_place ? place_in_target(u, why, n) : err;
}

esp_err_t part_update_begin(const esp_partition_t *target, const struct part_update_options *o,
                            struct part_update **out, char *why, size_t why_size)
{
    *out = NULL;
    esp_err_t err = check_target(target, o, why, why_size);
    if (err) return err;
    struct part_update *u = calloc(1, sizeof *u);
    if (u) u->fresh = calloc(1, sectors(target->size) / 8 + 1);
    if (!u || !u->fresh) {
        free(u);
        return refuse(why, why_size, ESP_ERR_NO_MEM, "no memory for the update of partition %s",
                      target->label);
    }
    u->target = *target;
    u->in_order = true;
    struct al_ota *ota = idf_device_lock();
    u->block16 = ota->flash_encryption;
    idf_device_unlock();
    err = place(u, o, why, why_size);
    if (!err) err = idf_err(al_hash_begin(&u->hash, &crypto_openssl, AL_SHA256));
    if (err) {
        part_update_free(u);
        return err;
    }
    u->hashed = true;
    if (u->place == PART_UPDATE_STAGED)
        ESP_LOGI(TAG, "Staging partition %s in %s at 0x%" PRIx32, u->target.label, u->area.label,
                 u->base);
    else
        ESP_LOGW(TAG, "Writing partition %s in place: a power cut leaves it incomplete",
                 u->target.label);
    *out = u;
    return ESP_OK;
}

enum part_update_place part_update_place(const struct part_update *u)
{
    return u->place;
}

/* --- writing --- */

bool part_update_is_fresh(const struct part_update *u, uint32_t sector)
{
    return u->fresh[sector / 8] >> sector % 8 & 1;
}

esp_err_t part_update_touch(struct part_update *u)
{
    if (u->touched) return ESP_OK;
    esp_err_t err = u->place == PART_UPDATE_IN_PLACE ? set_mark(&u->target, true) : ESP_OK;
    u->touched = !err;
    return err;
}

esp_err_t part_update_freshen(struct part_update *u, uint32_t first, uint32_t end)
{
    struct al_window w = flash();
    for (uint32_t s = first; s < end; s++) {
        if (part_update_is_fresh(u, s)) continue;
        uint32_t at = s * AL_SECTOR;
        int err = at < u->room ? al_window_erase(&w, u->base + at, AL_SECTOR) : AL_OK;
        if (err) return idf_err(err);
        u->fresh[s / 8] |= (uint8_t)(1u << s % 8);
    }
    return ESP_OK;
}

/* Reads back at once what it programmed. */
esp_err_t part_update_program(struct part_update *u, uint32_t off, const void *data, uint32_t len)
{
    struct al_window w = flash();
    uint8_t back[256];
    const uint8_t *bytes = data;
    int err = al_window_program(&w, u->base + off, data, len);
    for (uint32_t at = 0; !err && at < len; at += sizeof back) {
        uint32_t n = len - at < sizeof back ? len - at : (uint32_t)sizeof back;
        err = al_window_read(&w, u->base + off + at, back, n);
        if (!err && memcmp(back, bytes + at, n)) err = AL_ERR_FLASH_OP_FAIL;
    }
    return idf_err(err);
}

/* Holds back what is no whole block. */
static esp_err_t program_blocks(struct part_update *u, const uint8_t *data, uint32_t len)
{
    while (len) {
        if (!u->held_len && len >= BLOCK) {
            uint32_t whole = len - len % BLOCK;
            esp_err_t err = part_update_program(u, u->written, data, whole);
            if (err) return err;
            u->written += whole;
            data += whole;
            len -= whole;
            continue;
        }
        u->held[u->held_len++] = *data++;
        u->written++;
        len--;
        if (u->held_len < BLOCK) continue;
        esp_err_t err = part_update_program(u, u->written - BLOCK, u->held, BLOCK);
        if (err) return err;
        u->held_len = 0;
    }
    return ESP_OK;
}

esp_err_t part_update_write(struct part_update *u, const void *data, size_t len)
{
    uint32_t limit = u->room < u->target.size ? u->room : u->target.size;
    if (len > limit - u->written) return ESP_ERR_INVALID_SIZE;
    if (!len) return ESP_OK;
    uint32_t n = (uint32_t)len;
    bool whole = u->place == PART_UPDATE_IN_PLACE && !u->touched;
    esp_err_t err = part_update_touch(u);
    /* In place as the originals: all is erased before the first byte. */
    if (!err)
        err = part_update_freshen(u, whole ? 0 : u->written / AL_SECTOR,
                                  sectors(whole ? u->target.size : u->written + n));
    if (!err && u->hashed) err = idf_err(al_hash_update(&u->hash, data, len));
    if (err) return err;
    if (u->block16) return program_blocks(u, data, n);
    err = part_update_program(u, u->written, data, n);
    if (!err) u->written += n;
    return err;
}

size_t part_update_written(const struct part_update *u)
{
    return u->written;
}

/* --- end --- */

void part_update_out_of_order(struct part_update *u)
{
    u->in_order = false;
    if (u->hashed) (void)al_hash_finish(&u->hash, NULL);
    u->hashed = false;
}

void part_update_free(struct part_update *u)
{
    part_place_remove(u);
    if (u->hashed) (void)al_hash_finish(&u->hash, NULL);
    free(u->fresh);
    free(u);
}

static bool is_blank(const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (bytes[i] != 0xff) return false;
    return true;
}

/* Sectors that were only read through the overlay keep what the partition has. */
static esp_err_t keep_untouched(struct part_update *u)
{
    struct al_window w = flash();
    uint8_t sector[AL_SECTOR];
    for (uint32_t s = 0; s < sectors(u->target.size); s++) {
        uint32_t at = s * AL_SECTOR;
        if (part_update_is_fresh(u, s)) continue;
        esp_err_t err = idf_err(al_window_read(&w, u->target.address + at, sector, AL_SECTOR));
        if (!err && is_blank(sector, AL_SECTOR)) continue;
        if (!err && at >= u->room) err = ESP_ERR_INVALID_SIZE;
        if (!err) err = part_update_freshen(u, s, s + 1);
        if (!err) err = part_update_program(u, at, sector, AL_SECTOR);
        if (err) return err;
        if (u->written < at + AL_SECTOR) u->written = at + AL_SECTOR;
    }
    return ESP_OK;
}

static int digest_of(const struct part_update *u, uint8_t digest[32])
{
    const struct al_ota *o = idf_device_lock();
    int err = al_change_digest(o, u->base, u->written, digest);
    idf_device_unlock();
    return err;
}

static esp_err_t flush(struct part_update *u)
{
    if (!u->held_len) return ESP_OK;
    memset(u->held + u->held_len, 0xff, BLOCK - u->held_len);
    esp_err_t err = part_update_program(u, u->written - u->held_len, u->held, BLOCK);
    u->held_len = 0;
    return err;
}

esp_err_t part_update_seal(struct part_update *u, struct al_change_part *out)
{
    uint8_t expected[32] = {0};
    bool compare = u->hashed;
    esp_err_t err = flush(u);
    if (!err && u->overlaid && u->place == PART_UPDATE_STAGED) {
        uint32_t before = u->written;
        err = keep_untouched(u);
        compare = compare && before == u->written;
    }
    *out = (struct al_change_part){.target = u->target.address,
                                   .target_size = u->target.size,
                                   .staged = u->base,
                                   .len = u->written,
                                   .room = u->room};
    if (u->hashed) {
        u->hashed = false;
        int failed = al_hash_finish(&u->hash, expected);
        if (!err) err = idf_err(failed);
    }
    if (!err) err = idf_err(digest_of(u, out->sha256));
    if (!err && compare && memcmp(expected, out->sha256, sizeof expected)) {
        ESP_LOGE(TAG,
                 "Partition %s: what was written to flash at 0x%" PRIx32
                 " reads back differently; start the update again",
                 u->target.label, u->base);
        err = ESP_ERR_INVALID_CRC;
    }
    return err;
}

/* An earlier update in place may have been cut and have left its mark. */
void part_update_is_whole(const struct part_update *u)
{
    if (!part_update_incomplete(&u->target)) return;
    esp_err_t err = set_mark(&u->target, false);
    if (err)
        ESP_LOGW(TAG, "Partition %s is whole, but still marked as incomplete: %s", u->target.label,
                 esp_err_to_name(err));
}

/* The rest of the partition is erased, if the writer did not do it. */
static esp_err_t commit_in_place(struct part_update *u)
{
    esp_err_t err = part_update_touch(u);
    if (!err && !u->overlaid) err = part_update_freshen(u, 0, sectors(u->target.size));
    return err ? err : set_mark(&u->target, false);
}

esp_err_t part_update_commit(struct part_update *u)
{
    struct al_change_set set = {.count = 1};
    esp_err_t err = part_update_seal(u, &set.part[0]);
    if (!err)
        err = u->place == PART_UPDATE_STAGED ? part_change_run(&set, &u->area) : commit_in_place(u);
    if (!err) part_update_is_whole(u);
    part_update_free(u);
    return err;
}

void part_update_abort(struct part_update *u)
{
    part_update_free(u);
}
