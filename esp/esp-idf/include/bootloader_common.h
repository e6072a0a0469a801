/* Brings what apps expect behind this name: the places in flash and the image
 * format. The boot loader's own functions are no part of an app. */
#pragma once

#include "esp_flash_partitions.h"
#include "esp_image_format.h"
