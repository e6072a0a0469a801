/* Sizes of flash and its mapping; esp_partition_mmap maps. */
#pragma once

#include <stdint.h>

#include "esp_err.h"
#include "sdkconfig.h"

#define SPI_FLASH_SEC_SIZE 4096
#ifdef CONFIG_MMU_PAGE_SIZE
#define SPI_FLASH_MMU_PAGE_SIZE CONFIG_MMU_PAGE_SIZE
#else
#define SPI_FLASH_MMU_PAGE_SIZE 0x10000
#endif
