/* Flash encryption: the virtual chip has none. */
#pragma once

#include <stdbool.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_FLASH_ENC_MODE_DISABLED,
    ESP_FLASH_ENC_MODE_DEVELOPMENT,
    ESP_FLASH_ENC_MODE_RELEASE
} esp_flash_enc_mode_t;

bool esp_flash_encryption_enabled(void);
bool esp_efuse_is_flash_encryption_enabled(void);
esp_flash_enc_mode_t esp_get_flash_encryption_mode(void);

#ifdef __cplusplus
}
#endif
