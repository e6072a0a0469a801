/* Tones in a data partition; the format is core/tone_image.c's. */
#include "tone_partition.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audio_error.h"
#include "core/err.h"
#include "core/tone_image.h"
#include "esp_log.h"
#include "esp_partition.h"

static const char *TAG = "TONE_PARTITION";

struct tone_partition_s {
    const esp_partition_t *partition;
    struct al_tone tone;
};

/* Through the partition API: an upgrade in progress shows what it has written so far. */
static int read_partition(void *ctx, uint32_t offset, void *dst, uint32_t len)
{
    esp_err_t err = esp_partition_read(ctx, offset, dst, len);
    return err == ESP_FAIL ? AL_FAIL : -err;
}

/* false: why is logged. */
static bool open_tones(tone_partition_handle_t t)
{
    struct al_tone_source source = {
        .ctx = (void *)(uintptr_t)t->partition, .read = read_partition, .size = t->partition->size};
    struct al_tone_fault fault;
    uint32_t len;
    int err = al_tone_open(&t->tone, &source, &fault);
    if (err && fault.check == AL_TONE_OK) {
        ESP_LOGE(TAG, "Read flash tone file header failed");
    } else if (err) {
        ESP_LOGE(TAG, "Not flash tone partition");
    } else if (t->tone.format == 1 && (err = al_tone_find_end(&t->tone, &len, &fault))) {
        unsigned tail = fault.check == AL_TONE_BAD_TAIL ? fault.found : 0;
        ESP_LOGE(TAG, "Flash tone init failed at tail check %X", tail);
    }
    return !err;
}

tone_partition_handle_t tone_partition_init(const char *partition_label, bool use_delegate)
{
    AUDIO_NULL_CHECK(TAG, partition_label, return NULL);
    tone_partition_handle_t t = calloc(1, sizeof *t);
    AUDIO_MEM_CHECK(TAG, t, return NULL);
    t->partition = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY,
                                            partition_label);
    if (!t->partition) ESP_LOGE(TAG, "Can not found tone[%s] partition", partition_label);
    if (!t->partition || !open_tones(t)) {
        free(t);
        return NULL;
    }
    ESP_LOGI(TAG, "tone partition format %" PRIu32 ", total %" PRIu32, t->tone.format,
             t->tone.count);
    return t;
}

esp_err_t tone_partition_deinit(tone_partition_handle_t handle)
{
    AUDIO_NULL_CHECK(TAG, handle, return ESP_FAIL);
    free(handle);
    return ESP_OK;
}

esp_err_t tone_partition_get_app_desc(tone_partition_handle_t handle, esp_app_desc_t *desc)
{
    if (handle && desc && handle->tone.format == TONE_VERSION_1 &&
        esp_partition_read(handle->partition, AL_TONE_HEADER_LEN, desc, sizeof *desc) == ESP_OK)
        return ESP_OK;
    ESP_LOGE(TAG, "Get desc failed");
    return ESP_FAIL;
}

esp_err_t tone_partition_get_file_info(tone_partition_handle_t handle, uint16_t index,
                                       tone_file_info_t *info)
{
    AUDIO_NULL_CHECK(TAG, handle, return ESP_FAIL);
    AUDIO_NULL_CHECK(TAG, info, return ESP_FAIL);
    struct al_tone_file file;
    struct al_tone_fault fault;
    if (index >= handle->tone.count) {
        ESP_LOGE(TAG, "Wanted index out of range index[%d]", index);
        return ESP_FAIL;
    }
    if (al_tone_read_file(&handle->tone, index, &file, &fault)) {
        ESP_LOGE(TAG, "The entry of file %d is not right: %s", index,
                 al_tone_check_name(fault.check));
        return ESP_FAIL;
    }
    *info = (tone_file_info_t){
        .file_tag = AL_TONE_ENTRY_TAG,
        .song_index = file.index,
        .file_type = file.type,
        .song_ver = file.version,
        .song_adr = file.address,
        .song_len = file.length,
    };
    return ESP_OK;
}

esp_err_t tone_partition_file_read(tone_partition_handle_t handle, tone_file_info_t *file,
                                   uint32_t offset, char *dst, int read_len)
{
    AUDIO_NULL_CHECK(TAG, handle, return ESP_FAIL);
    AUDIO_NULL_CHECK(TAG, file, return ESP_FAIL);
    if (read_len < 0 || offset > file->song_len || (uint32_t)read_len > file->song_len - offset) {
        ESP_LOGE(TAG, "Tone file read error: %d bytes at %" PRIu32 " of %" PRIu32, read_len, offset,
                 file->song_len);
        return ESP_ERR_INVALID_SIZE;
    }
    esp_err_t err =
        esp_partition_read(handle->partition, file->song_adr + offset, dst, (size_t)read_len);
    if (err) ESP_LOGE(TAG, "Tone file read error[0x%x]", err);
    return err;
}
