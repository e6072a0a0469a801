/* The flash chip as a whole, without partitions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_FLASH_OP_FAIL    (ESP_ERR_FLASH_BASE + 1)
#define ESP_ERR_FLASH_OP_TIMEOUT (ESP_ERR_FLASH_BASE + 2)

typedef struct esp_flash_t esp_flash_t;
struct esp_flash_t {
    uint32_t size;    /* bytes */
    uint32_t chip_id; /* JEDEC */
};

/* The one chip. NULL in the functions below means it too. */
extern esp_flash_t *esp_flash_default_chip;

esp_err_t esp_flash_init(esp_flash_t *chip);
esp_err_t esp_flash_get_size(esp_flash_t *chip, uint32_t *out_size);
esp_err_t esp_flash_get_physical_size(esp_flash_t *chip, uint32_t *flash_size);
esp_err_t esp_flash_read_id(esp_flash_t *chip, uint32_t *out_id);
esp_err_t esp_flash_read(esp_flash_t *chip, void *buffer, uint32_t address, uint32_t length);
esp_err_t esp_flash_read_encrypted(esp_flash_t *chip, uint32_t address, void *out_buffer,
                                   uint32_t length);
esp_err_t esp_flash_write(esp_flash_t *chip, const void *buffer, uint32_t address, uint32_t length);
/* address and length: multiples of 4096, else ESP_ERR_INVALID_ARG. */
esp_err_t esp_flash_erase_region(esp_flash_t *chip, uint32_t address, uint32_t length);
esp_err_t esp_flash_erase_chip(esp_flash_t *chip);

#ifdef __cplusplus
}
#endif
