/* The audio board: a LyraT V4.3 of which only the SD card slot is there. */
#pragma once

#include "driver/gpio.h"
#include "esp_peripherals.h"
#include "periph_sdcard.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SDCARD_OPEN_FILE_NUM_MAX 5
#define SDCARD_INTR_GPIO         GPIO_NUM_34
#define ESP_SD_PIN_CLK           GPIO_NUM_14
#define ESP_SD_PIN_CMD           GPIO_NUM_15
#define ESP_SD_PIN_D0            GPIO_NUM_2
#define ESP_SD_PIN_D1            GPIO_NUM_4
#define ESP_SD_PIN_D2            GPIO_NUM_12
#define ESP_SD_PIN_D3            GPIO_NUM_13
#define ESP_SD_PIN_D4            -1
#define ESP_SD_PIN_D5            -1
#define ESP_SD_PIN_D6            -1
#define ESP_SD_PIN_D7            -1
#define ESP_SD_PIN_CD            -1
#define ESP_SD_PIN_WP            -1

/* Mounts the card at /sdcard. ESP_FAIL: no card, or the board's slot has no such mode; logged. */
esp_err_t audio_board_sdcard_init(esp_periph_set_handle_t set, periph_sdcard_mode_t mode);

#ifdef __cplusplus
}
#endif
