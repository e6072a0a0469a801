/* How far the download of a URL came, kept in NVS over resets. */
#pragma once

#include "esp_err.h"
#include "nvs.h"
#include <stdint.h>

/* Bytes of url that are in the slot already; 0 when another URL was begun. */
esp_err_t resumption_load(nvs_handle_t nvs, const char *url, uint32_t *bytes);
esp_err_t resumption_save(nvs_handle_t nvs, const char *url, uint32_t bytes);
esp_err_t resumption_clear(nvs_handle_t nvs);
