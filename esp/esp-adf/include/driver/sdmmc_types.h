/* SD card and host, as far as mounting needs them. */
#pragma once

#include <stdint.h>

#include "esp_err.h"

typedef struct {
    uint32_t flags;
    int slot;
    int max_freq_khz;
    float io_voltage;
} sdmmc_host_t;

typedef struct {
    sdmmc_host_t host;
} sdmmc_card_t;

#define SDMMC_HOST_FLAG_1BIT (1u << 0)
#define SDMMC_HOST_FLAG_4BIT (1u << 1)
#define SDMMC_HOST_FLAG_8BIT (1u << 2)
#define SDMMC_HOST_FLAG_SPI  (1u << 3)
#define SDMMC_HOST_FLAG_DDR  (1u << 4)
#define SDMMC_FREQ_DEFAULT   20000
#define SDMMC_FREQ_HIGHSPEED 40000
