/* The flash chip without partitions. */
#include "esp_flash.h"

#include "device/board.h"
#include "esp/esp-idf/idf_device.h"

static esp_flash_t the_chip;
esp_flash_t *esp_flash_default_chip = &the_chip;

/* The whole chip; ESP_ERR_NOT_FOUND: another chip. */
static esp_err_t window(const esp_flash_t *chip, struct al_window *w)
{
    if (chip && chip != &the_chip) return ESP_ERR_NOT_FOUND;
    *w = al_window_all(&board()->nor.flash);
    the_chip.size = w->size;
    return ESP_OK;
}

esp_err_t esp_flash_init(esp_flash_t *chip)
{
    struct al_window w;
    return window(chip, &w);
}

esp_err_t esp_flash_get_size(esp_flash_t *chip, uint32_t *out_size)
{
    struct al_window w;
    if (!out_size) return ESP_ERR_INVALID_ARG;
    esp_err_t err = window(chip, &w);
    if (!err) *out_size = w.size;
    return err;
}

esp_err_t esp_flash_get_physical_size(esp_flash_t *chip, uint32_t *flash_size)
{
    return esp_flash_get_size(chip, flash_size);
}

/* Manufacturer 0xc8, type 0x40, log2 of the size: a common part. */
esp_err_t esp_flash_read_id(esp_flash_t *chip, uint32_t *out_id)
{
    struct al_window w;
    if (!out_id) return ESP_ERR_INVALID_ARG;
    esp_err_t err = window(chip, &w);
    if (!err) *out_id = 0xc84000u | (31u - (uint32_t)__builtin_clz(w.size));
    return err;
}

esp_err_t esp_flash_read(esp_flash_t *chip, void *buffer, uint32_t address, uint32_t length)
{
    struct al_window w;
    if (!buffer) return ESP_ERR_INVALID_ARG;
    esp_err_t err = window(chip, &w);
    return err ? err : idf_err(al_window_read(&w, address, buffer, length));
}

esp_err_t esp_flash_read_encrypted(esp_flash_t *chip, uint32_t address, void *out_buffer,
                                   uint32_t length)
{
    return esp_flash_read(chip, out_buffer, address, length);
}

esp_err_t esp_flash_write(esp_flash_t *chip, const void *buffer, uint32_t address, uint32_t length)
{
    struct al_window w;
    if (!buffer) return ESP_ERR_INVALID_ARG;
    esp_err_t err = window(chip, &w);
    return err ? err : idf_err(al_window_program(&w, address, buffer, length));
}

esp_err_t esp_flash_erase_region(esp_flash_t *chip, uint32_t address, uint32_t length)
{
    struct al_window w;
    if (address % AL_SECTOR || length % AL_SECTOR) return ESP_ERR_INVALID_ARG;
    esp_err_t err = window(chip, &w);
    return err ? err : idf_err(al_window_erase(&w, address, length));
}

esp_err_t esp_flash_erase_chip(esp_flash_t *chip)
{
    struct al_window w;
    esp_err_t err = window(chip, &w);
    return err ? err : idf_err(al_window_erase(&w, 0, w.size));
}
