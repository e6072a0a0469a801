/* Errors and figures of image verification. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_app_format.h"
#include "esp_err.h"
#include "esp_flash_partitions.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_IMAGE_BASE       0x2000
#define ESP_ERR_IMAGE_FLASH_FAIL (ESP_ERR_IMAGE_BASE + 1)
#define ESP_ERR_IMAGE_INVALID    (ESP_ERR_IMAGE_BASE + 2)

/* Largest app image: addresses below are offsets, above are mapped. */
#define ESP_IMAGE_MAX_FLASH_ADDR_SIZE 0x1000000

#ifdef __cplusplus
}
#endif
