/* The version of the vendor's library whose behaviour this is. */
#pragma once

#define ESP_ZB_VER_MAJOR 1
#define ESP_ZB_VER_MINOR 6
#define ESP_ZB_VER_PATCH 8

#define ESP_ZB_VER_VAL(major, minor, patch) (((major) << 16) | ((minor) << 8) | (patch))
#define ESP_ZB_VER                          ESP_ZB_VER_VAL(ESP_ZB_VER_MAJOR, ESP_ZB_VER_MINOR, ESP_ZB_VER_PATCH)
