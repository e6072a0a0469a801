/* CRC-32 under its other name. */
#pragma once

#include "esp_rom_crc.h"

#define esp_crc32_le esp_rom_crc32_le
