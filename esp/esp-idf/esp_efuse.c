/* eFuse, Secure Boot and flash encryption as the firmware sees them. */
#include "esp_efuse.h"

#include "device/board.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/idf_device.h"
#include "esp_flash_encrypt.h"
#include "esp_secure_boot.h"

uint32_t esp_efuse_read_secure_version(void)
{
    return efuse_secure_version(&board()->efuse);
}

bool esp_efuse_check_secure_version(uint32_t secure_version)
{
    return secure_version >= esp_efuse_read_secure_version();
}

esp_err_t esp_efuse_update_secure_version(uint32_t secure_version)
{
    return idf_err(efuse_raise_secure_version(&board()->efuse, secure_version));
}

esp_err_t esp_efuse_set_recovery_bootloader_offset(const uint32_t offset)
{
    if (!offset || offset % AL_SECTOR) return ESP_ERR_INVALID_ARG;
    uint32_t sectors = offset / AL_SECTOR;
    uint8_t field[4];
    for (int i = 0; i < 4; i++) field[i] = (uint8_t)(sectors >> 8 * i);
    const uint8_t *now = board()->efuse.bytes + EFUSE_RECOVERY;
    if (now[0] == field[0] && now[1] == field[1] && now[2] == field[2] && now[3] == field[3])
        return ESP_OK;
    return idf_err(efuse_burn(&board()->efuse, EFUSE_RECOVERY, field, sizeof field));
}

bool esp_secure_boot_enabled(void)
{
    return efuse_secure_boot(&board()->efuse);
}

/* The rules of encrypted flash hold (whole 16-byte blocks); the bytes stay plain. */
bool esp_flash_encryption_enabled(void)
{
    return airlift_config_bool("SECURE_FLASH_ENC_ENABLED");
}

bool esp_efuse_is_flash_encryption_enabled(void)
{
    return esp_flash_encryption_enabled();
}

esp_flash_enc_mode_t esp_get_flash_encryption_mode(void)
{
    if (!esp_flash_encryption_enabled()) return ESP_FLASH_ENC_MODE_DISABLED;
    return airlift_config_bool("SECURE_FLASH_ENCRYPTION_MODE_RELEASE")
               ? ESP_FLASH_ENC_MODE_RELEASE
               : ESP_FLASH_ENC_MODE_DEVELOPMENT;
}
