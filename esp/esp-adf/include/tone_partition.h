/* Tones in a data partition, as mk_audio_tone.py or `airlift data-image make` packs them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_app_desc.h"
#include "esp_err.h"
#include "esp_image_format.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FLASH_TONE_HEADER       (0x2053)
#define FLASH_TONE_TAIL         (0xDFAC)
#define FLASH_TONE_MAGIC_WORD   (0xF55F9876)
#define FLASH_TONE_PROJECT_NAME "ESP_TONE_BIN"

typedef struct tone_partition_s *tone_partition_handle_t;

#pragma pack(push, 1)
typedef struct flash_tone_header {
    uint16_t header_tag;
    uint16_t total_num; /* files */
    uint32_t format;    /* tone_format_t */
} flash_tone_header_t;

typedef struct tone_file_info {
    uint8_t file_tag; /* 0x28 */
    uint8_t song_index;
    uint8_t file_type; /* 0 mp3, 1 wav */
    uint8_t song_ver;
    uint32_t song_adr; /* from the start of the partition */
    uint32_t song_len;
    uint32_t RFU[12];
    uint32_t info_crc; /* 0 */
} tone_file_info_t;
#pragma pack(pop)

typedef enum tone_format {
    TONE_VERSION_0, /* header, table, files */
    TONE_VERSION_1  /* header, description, table, files, CRC, tail */
} tone_format_t;

/* NULL, and why is logged: no such data partition, no tones in it, or not to their end.
 * use_delegate is not looked at: any task may read flash here. */
tone_partition_handle_t tone_partition_init(const char *partition_label, bool use_delegate);
esp_err_t tone_partition_deinit(tone_partition_handle_t handle);
/* ESP_FAIL: format 0 has none. */
esp_err_t tone_partition_get_app_desc(tone_partition_handle_t handle, esp_app_desc_t *desc);
esp_err_t tone_partition_get_file_info(tone_partition_handle_t handle, uint16_t index,
                                       tone_file_info_t *info);
/* read_len bytes of a file from offset on; all of them lie in the file. */
esp_err_t tone_partition_file_read(tone_partition_handle_t handle, tone_file_info_t *file,
                                   uint32_t offset, char *dst, int read_len);

#ifdef __cplusplus
}
#endif
