/* Talking to SD cards: mounting them is all there is (esp_vfs_fat.h). */
#pragma once

#include "driver/sdmmc_types.h"
