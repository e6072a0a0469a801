/* eFuse: what updates need. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_EFUSE               0x1600
#define ESP_OK_EFUSE_CNT            (ESP_ERR_EFUSE + 0x01)
#define ESP_ERR_EFUSE_CNT_IS_FULL   (ESP_ERR_EFUSE + 0x02)
#define ESP_ERR_EFUSE_REPEATED_PROG (ESP_ERR_EFUSE + 0x03)

uint32_t esp_efuse_read_secure_version(void);
/* True: an app of this secure version may run. */
bool esp_efuse_check_secure_version(uint32_t secure_version);
esp_err_t esp_efuse_update_secure_version(uint32_t secure_version);
/* Written once. ESP_ERR_NOT_ALLOWED: holds another offset already. */
esp_err_t esp_efuse_set_recovery_bootloader_offset(const uint32_t offset);

#ifdef __cplusplus
}
#endif
