/* The SDMMC host: what it is set to makes no difference to a card that is a folder. */
#pragma once

#include "driver/gpio.h"
#include "driver/sdmmc_defs.h"
#include "driver/sdmmc_types.h"

#define SDMMC_HOST_SLOT_0 0
#define SDMMC_HOST_SLOT_1 1
#define SDMMC_HOST_DEFAULT()                                                               \
    {                                                                                      \
        .flags = SDMMC_HOST_FLAG_8BIT | SDMMC_HOST_FLAG_4BIT | SDMMC_HOST_FLAG_1BIT |      \
                 SDMMC_HOST_FLAG_DDR,                                                      \
        .slot = SDMMC_HOST_SLOT_1, .max_freq_khz = SDMMC_FREQ_DEFAULT, .io_voltage = 3.3f, \
    }

typedef struct {
    gpio_num_t clk, cmd, d0, d1, d2, d3, d4, d5, d6, d7;
    gpio_num_t cd, wp;
    uint8_t width;
    uint32_t flags;
} sdmmc_slot_config_t;

#define SDMMC_SLOT_NO_CD                GPIO_NUM_NC
#define SDMMC_SLOT_NO_WP                GPIO_NUM_NC
#define SDMMC_SLOT_WIDTH_DEFAULT        0
#define SDMMC_SLOT_FLAG_INTERNAL_PULLUP (1u << 0)
#define SDMMC_SLOT_CONFIG_DEFAULT()                                                           \
    {                                                                                         \
        .clk = GPIO_NUM_14, .cmd = GPIO_NUM_15, .d0 = GPIO_NUM_2, .d1 = GPIO_NUM_4,           \
        .d2 = GPIO_NUM_12, .d3 = GPIO_NUM_13, .d4 = GPIO_NUM_NC, .d5 = GPIO_NUM_NC,           \
        .d6 = GPIO_NUM_NC, .d7 = GPIO_NUM_NC, .cd = SDMMC_SLOT_NO_CD, .wp = SDMMC_SLOT_NO_WP, \
        .width = SDMMC_SLOT_WIDTH_DEFAULT, .flags = 0,                                        \
    }
