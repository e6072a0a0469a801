/* Mounting the SD card without ESP-ADF's peripherals. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "driver/sdmmc_host.h"
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    bool format_if_mount_failed;
    int max_files;
    size_t allocation_unit_size;
    bool disk_status_check_enable;
    bool use_one_fat;
} esp_vfs_fat_mount_config_t;
typedef esp_vfs_fat_mount_config_t esp_vfs_fat_sdmmc_mount_config_t;

/* out_card may be NULL. ESP_ERR_INVALID_STATE: mounted already; ESP_ERR_NOT_SUPPORTED: base_path is
 * not "/sdcard"; ESP_ERR_NOT_FOUND: no card. */
esp_err_t esp_vfs_fat_sdmmc_mount(const char *base_path, const sdmmc_host_t *host_config,
                                  const void *slot_config,
                                  const esp_vfs_fat_mount_config_t *mount_config,
                                  sdmmc_card_t **out_card);
/* ESP_ERR_INVALID_STATE: nothing is mounted. */
esp_err_t esp_vfs_fat_sdmmc_unmount(void);
esp_err_t esp_vfs_fat_sdcard_unmount(const char *base_path, sdmmc_card_t *card);

#ifdef __cplusplus
}
#endif
