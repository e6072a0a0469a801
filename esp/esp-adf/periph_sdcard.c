/* The SD card by ESP-ADF's peripheral, by the board, and by ESP-IDF's mount call. */
#include "periph_sdcard.h"

#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "esp/esp-adf/periph_impl.h"
#include "esp/esp-adf/sdcard.h"
#include "esp_log.h"
#include "esp_vfs_fat.h"

static const char *TAG = "PERIPH_SDCARD", *TAG_BOARD = "AUDIO_BOARD";

static bool right_root(const char *root)
{
    if (!root || strcmp(root, ADF_SDCARD_ROOT) == 0) return true;
    ESP_LOGE(TAG, "The card can be mounted at " ADF_SDCARD_ROOT " only, not at %s", root);
    return false;
}

static esp_err_t start(void *data)
{
    return adf_sdcard_mount();
}

static void stop(void *data)
{
    adf_sdcard_unmount();
}

static void destroy(void *data)
{
}

static const struct periph_ops ops = {.start = start, .stop = stop, .destroy = destroy};

esp_periph_handle_t periph_sdcard_init(periph_sdcard_cfg_t *sdcard_config)
{
    AUDIO_NULL_CHECK(TAG, sdcard_config, return NULL);
    if (!right_root(sdcard_config->root)) return NULL;
    esp_periph_handle_t p = periph_new(PERIPH_ID_SDCARD, &ops, NULL);
    AUDIO_MEM_CHECK(TAG, p, return NULL);
    return p;
}

bool periph_sdcard_is_mounted(esp_periph_handle_t periph)
{
    return adf_sdcard_mounted();
}

esp_err_t audio_board_sdcard_init(esp_periph_set_handle_t set, periph_sdcard_mode_t mode)
{
    if (mode != SD_MODE_1_LINE) {
        ESP_LOGE(TAG_BOARD, "The board's slot works with one data line only (SD_MODE_1_LINE)");
        return ESP_FAIL;
    }
    periph_sdcard_cfg_t config = {
        .root = ADF_SDCARD_ROOT, .card_detect_pin = SDCARD_INTR_GPIO, .mode = mode};
    esp_periph_handle_t card = periph_sdcard_init(&config);
    esp_err_t err = card ? esp_periph_start(set, card) : ESP_ERR_NO_MEM;
    if (!err) return ESP_OK;
    ESP_LOGE(TAG_BOARD, "Sdcard mount failed");
    return ESP_FAIL;
}

/* ---- ESP-IDF's ---- */

static sdmmc_card_t the_card;

esp_err_t esp_vfs_fat_sdmmc_mount(const char *base_path, const sdmmc_host_t *host_config,
                                  const void *slot_config,
                                  const esp_vfs_fat_mount_config_t *mount_config,
                                  sdmmc_card_t **out_card)
{
    if (!base_path || !host_config) return ESP_ERR_INVALID_ARG;
    if (!right_root(base_path)) return ESP_ERR_NOT_SUPPORTED;
    if (adf_sdcard_mounted()) return ESP_ERR_INVALID_STATE;
    esp_err_t err = adf_sdcard_mount();
    if (err) return err;
    the_card.host = *host_config;
    if (out_card) *out_card = &the_card;
    return ESP_OK;
}

esp_err_t esp_vfs_fat_sdmmc_unmount(void)
{
    if (!adf_sdcard_mounted()) return ESP_ERR_INVALID_STATE;
    adf_sdcard_unmount();
    return ESP_OK;
}

esp_err_t esp_vfs_fat_sdcard_unmount(const char *base_path, sdmmc_card_t *card)
{
    if (card != &the_card) return ESP_ERR_INVALID_ARG;
    return esp_vfs_fat_sdmmc_unmount();
}
