/* What a boot loader image says of itself, 80 bytes at file offset 32. */
#pragma once

#include <stdint.h>

#include "esp_assert.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_BOOTLOADER_DESC_MAGIC_BYTE 80

typedef struct {
    uint8_t magic_byte; /* ESP_BOOTLOADER_DESC_MAGIC_BYTE */
    uint8_t reserved[2];
    uint8_t secure_version; /* reserved before v5.5 */
    uint32_t version;
    char idf_ver[32];
    char date_time[24]; /* Mmm dd yyyy HH:MM:SS */
    uint8_t reserved2[16];
} esp_bootloader_desc_t;

ESP_STATIC_ASSERT(sizeof(esp_bootloader_desc_t) == 80, "boot loader description is 80 bytes");

#ifdef __cplusplus
}
#endif
