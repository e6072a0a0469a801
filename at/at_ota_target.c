#include "at/at_ota_target.h"

#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/at_customize.h"
#include "esp_err.h"
#include "esp_log.h"
#include "host/partition_magic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define IMAGE_MAGIC 0xe9

static const char *TAG = AT_OTA_TAG;

__attribute__((format(printf, 2, 3))) static bool fail(struct at_ota_target *t, const char *format,
                                                       ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(t->why, sizeof t->why, format, list);
    va_end(list);
    return false;
}

/* ---- opening ---- */

static bool open_partition(struct at_ota_target *t, int64_t size, bool as_original)
{
    char why[AT_OTA_WHY - 64] = "";
    struct part_update_options o = {
        .size = size,
        .in_place = airlift_config_bool("AT_OTA_IN_PLACE"),
        .strict_in_place = as_original,
    };
    esp_err_t err = part_update_begin(t->partition, &o, &t->update, why, sizeof why);
    if (err) return fail(t, "partition %s cannot be written: %s", t->name, why);
    t->open = true;
    return true;
}

static bool open_slot(struct at_ota_target *t)
{
    esp_err_t err = esp_ota_begin(t->partition, OTA_WITH_SEQUENTIAL_WRITES, &t->slot);
    if (err == ESP_ERR_OTA_ROLLBACK_INVALID_STATE)
        return fail(t, "the running firmware is on trial and not confirmed: try again after ready");
    if (err == ESP_ERR_OTA_ALREADY_IN_PROGRESS)
        return fail(t, "another upgrade is writing to %s", t->partition->label);
    if (err == ESP_ERR_INVALID_STATE)
        return fail(
            t, "%s holds new data of an upgrade that is not over: try again after it, or restart",
            t->partition->label);
    if (err) return fail(t, "%s cannot be written: %s", t->partition->label, esp_err_to_name(err));
    t->open = true;
    return true;
}

static bool find_slot(struct at_ota_target *t)
{
    ESP_LOGI(TAG, "ready to upgrade system firmware...");
    if (strcmp(t->name, "ota") != 0)
        return fail(t, "names that begin with ota mean the firmware, whose name is ota; found %s",
                    t->name);
    t->partition = esp_ota_get_next_update_partition(NULL);
    return t->partition ? true : fail(t, "this device has no second slot for a firmware");
}

/* What the original does before it connects. */
static bool erase_first(struct at_ota_target *t)
{
    if (!open_partition(t, -1, true)) return false;
    esp_err_t err = esp_partition_erase_range(t->partition, 0, t->partition->size);
    return err ? fail(t, "partition %s cannot be erased: %s", t->name, esp_err_to_name(err)) : true;
}

static bool find_partition(struct at_ota_target *t)
{
    t->partition = idf_at_customize_find(t->name);
    if (!t->partition) return fail(t, "no custom partition: %s", t->name);
    ESP_LOGI(TAG,
             "ready to upgrade partition: \"%s\" type:0x%x subtype:0x%x addr:0x%x size:0x%x "
             "encrypt:%d",
             t->name, (unsigned)t->partition->type, (unsigned)t->partition->subtype,
             (unsigned)t->partition->address, (unsigned)t->partition->size,
             t->partition->encrypted);
    enum partition_magic known = partition_magic_check(t->name, NULL, 0, NULL);
    if (known == PARTITION_MAGIC_UNKNOWN && airlift_config_bool("AT_OTA_STRICT_NAMES"))
        return fail(t,
                    "%s is none of the partitions whose content can be checked "
                    "(CONFIG_AT_OTA_STRICT_NAMES)",
                    t->name);
    return airlift_config_bool("AT_COMPAT") ? erase_first(t) : true;
}

bool at_ota_target_find(struct at_ota_target *t, const char *name)
{
    memset(t, 0, sizeof *t);
    t->name = name;
    t->app = strncmp(name, "ota", 3) == 0;
    return t->app ? find_slot(t) : find_partition(t);
}

/* ---- what comes ---- */

bool at_ota_target_length(struct at_ota_target *t, int64_t length)
{
    if (length <= 0) return fail(t, "the file %s.bin is empty", t->name);
    if (length > t->partition->size)
        return fail(t, "ota bin oversize, %lld > %u", (long long)length,
                    (unsigned)t->partition->size);
    t->length = (uint64_t)length;
    return true;
}

static bool magic_fault(struct at_ota_target *t, const struct partition_magic_fault *f)
{
    if (f->found < 0)
        return fail(t, "the file %s.bin is too short: %llu bytes", t->name,
                    (unsigned long long)t->length);
    return fail(t, "%s partition has an invalid magic byte (index:%d expected 0x%02x, saw 0x%02x)",
                t->name, (int)f->at, f->expected, (unsigned)f->found);
}

static bool check_magic(struct at_ota_target *t)
{
    struct partition_magic_fault fault = {0, IMAGE_MAGIC, t->head[0]};
    if (t->app && t->head_len >= 3 && memcmp(t->head, "ESP", 3) == 0)
        return fail(t, "the file is a compressed image (.xz.packed), which this boot loader does "
                       "not unpack: deploy the plain ota.bin");
    bool right = t->app ? t->head[0] == IMAGE_MAGIC
                        : partition_magic_check(t->name, t->head, t->head_len, &fault) !=
                              PARTITION_MAGIC_WRONG;
    return right ? true : magic_fault(t, &fault);
}

static bool put(struct at_ota_target *t, const void *data, size_t len)
{
    esp_err_t err =
        t->app ? esp_ota_write(t->slot, data, len) : part_update_write(t->update, data, len);
    return err ? fail(t, "writing %s failed after %llu bytes: %s", t->name,
                      (unsigned long long)t->taken, esp_err_to_name(err))
               : true;
}

/* Takes from data until the bytes that decide are there, and looks at them. */
static bool fill_head(struct at_ota_target *t, const uint8_t **data, size_t *len)
{
    size_t wanted = t->length < sizeof t->head ? (size_t)t->length : sizeof t->head;
    size_t n = wanted - t->head_len < *len ? wanted - t->head_len : *len;
    memcpy(t->head + t->head_len, *data, n);
    t->head_len += n;
    *data += n;
    *len -= n;
    if (t->head_len < wanted) return true;
    if (!check_magic(t)) return false;
    if (!t->open && !(t->app ? open_slot(t) : open_partition(t, (int64_t)t->length, false)))
        return false;
    return put(t, t->head, t->head_len);
}

bool at_ota_target_write(struct at_ota_target *t, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    if (len > t->length - t->taken)
        return fail(t, "the server sends more than the %llu bytes that it announced",
                    (unsigned long long)t->length);
    bool in_head = t->taken < sizeof t->head;
    t->taken += len;
    if (in_head && !fill_head(t, &bytes, &len)) return false;
    return len ? put(t, bytes, len) : true;
}

/* ---- the end ---- */

bool at_ota_target_finish(struct at_ota_target *t)
{
    if (!t->open || t->taken != t->length)
        return fail(t, "%llu of %llu bytes of %s came", (unsigned long long)t->taken,
                    (unsigned long long)t->length, t->name);
    t->open = false;
    esp_err_t err = t->app ? esp_ota_end(t->slot) : part_update_commit(t->update);
    if (err && t->app)
        return fail(t, "the image is damaged or not for this device: verification failed (%s)",
                    esp_err_to_name(err));
    if (!err && t->app) err = esp_ota_set_boot_partition(t->partition);
    return err ? fail(t, "the last step for %s failed: %s", t->name, esp_err_to_name(err)) : true;
}

void at_ota_target_abort(struct at_ota_target *t)
{
    if (!t->open) return;
    t->open = false;
    if (t->app)
        esp_ota_abort(t->slot);
    else
        part_update_abort(t->update);
}
