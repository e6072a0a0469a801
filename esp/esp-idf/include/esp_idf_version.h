/* The ESP-IDF version whose API this is. */
#pragma once

#define ESP_IDF_VERSION_MAJOR 6
#define ESP_IDF_VERSION_MINOR 2
#define ESP_IDF_VERSION_PATCH 0

#define ESP_IDF_VERSION_VAL(major, minor, patch) (((major) << 16) | ((minor) << 8) | (patch))
#define ESP_IDF_VERSION \
    ESP_IDF_VERSION_VAL(ESP_IDF_VERSION_MAJOR, ESP_IDF_VERSION_MINOR, ESP_IDF_VERSION_PATCH)
#ifndef IDF_VER
#define IDF_VER "v6.2-dev"
#endif

/* "v6.2-dev" */
const char *esp_get_idf_version(void);
