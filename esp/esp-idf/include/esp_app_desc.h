/* What an app says of itself, 256 bytes at file offset 32 of its image. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_assert.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_APP_DESC_MAGIC_WORD 0xABCD5432

typedef struct {
    uint32_t magic_word; /* ESP_APP_DESC_MAGIC_WORD */
    uint32_t secure_version;
    uint32_t reserv1[2];
    char version[32];
    char project_name[32];
    char time[16]; /* HH:MM:SS */
    char date[16]; /* Mmm dd yyyy */
    char idf_ver[32];
    uint8_t app_elf_sha256[32];
    uint16_t min_efuse_blk_rev_full; /* major * 100 + minor */
    uint16_t max_efuse_blk_rev_full;
    uint8_t mmu_page_size;  /* log2; 0 in images before v5.4 */
    uint8_t spi_flash_mode; /* 1 QIO, 2 QOUT, 3 DIO, 4 DOUT, 5 OPI, 0 unknown */
    uint8_t reserv3[2];
    uint32_t reserv2[18];
} esp_app_desc_t;

ESP_STATIC_ASSERT(sizeof(esp_app_desc_t) == 256, "app description is 256 bytes");
ESP_STATIC_ASSERT(offsetof(esp_app_desc_t, app_elf_sha256) == 144, "as the tools patch it");

/* Of the running app. */
const esp_app_desc_t *esp_app_get_description(void);
/* Hex digits of the ELF file's SHA-256 into dst, cut to size - 1 (size: with NUL).
 * Returns the bytes written, the NUL included. */
int esp_app_get_elf_sha256(char *dst, size_t size);
/* The first digits, as the log shows them (CONFIG_APP_RETRIEVE_LEN_ELF_SHA, 9). */
char *esp_app_get_elf_sha256_str(void);

#ifdef __cplusplus
}
#endif
