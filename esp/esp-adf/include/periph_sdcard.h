/* The SD card as a peripheral: the folder sdcard/ of the device directory, mounted at /sdcard when
 * it is started. */
#pragma once

#include <stdbool.h>

#include "esp_peripherals.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    SD_MODE_SPI,
    SD_MODE_1_LINE,
    SD_MODE_4_LINE,
    SD_MODE_8_LINE,
    SD_MODE_MAX
} periph_sdcard_mode_t;

typedef struct {
    int card_detect_pin;       /* not looked at */
    const char *root;          /* NULL or "/sdcard" */
    periph_sdcard_mode_t mode; /* not looked at */
} periph_sdcard_cfg_t;

/* NULL: no memory, or another root; logged. */
esp_periph_handle_t periph_sdcard_init(periph_sdcard_cfg_t *sdcard_config);
bool periph_sdcard_is_mounted(esp_periph_handle_t periph);

#ifdef __cplusplus
}
#endif
