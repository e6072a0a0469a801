#include "resumption.h"

#include <stdlib.h>
#include <string.h>

#include "esp_check.h"
#include "esp_log.h"

#define KEY_LENGTH "nvs_ota_wr_len" /* KiB */
#define KEY_URL    "nvs_ota_url"

static const char *TAG = "advanced_https_ota_example";

/* 0, or ESP_ERR_NVS_NOT_FOUND when the stored URL is absent or another. */
static esp_err_t compare_url(nvs_handle_t nvs, const char *url)
{
    size_t size = 0;
    esp_err_t err = nvs_get_str(nvs, KEY_URL, NULL, &size);
    if (err != ESP_OK) return err;
    char *stored = malloc(size);
    if (!stored) return ESP_ERR_NO_MEM;
    err = nvs_get_str(nvs, KEY_URL, stored, &size);
    if (err == ESP_OK && strcmp(stored, url) != 0) err = ESP_ERR_NVS_NOT_FOUND;
    free(stored);
    return err;
}

esp_err_t resumption_load(nvs_handle_t nvs, const char *url, uint32_t *bytes)
{
    uint16_t kib = 0;
    *bytes = 0;
    esp_err_t err = compare_url(nvs, url);
    if (err == ESP_ERR_NVS_NOT_FOUND) return ESP_OK;
    ESP_RETURN_ON_ERROR(err, TAG, "Failed to read the URL of the last OTA");
    err = nvs_get_u16(nvs, KEY_LENGTH, &kib);
    if (err == ESP_ERR_NVS_NOT_FOUND) return ESP_OK;
    ESP_RETURN_ON_ERROR(err, TAG, "Failed to read the length of the last OTA");
    *bytes = kib * 1024u;
    return ESP_OK;
}

esp_err_t resumption_save(nvs_handle_t nvs, const char *url, uint32_t bytes)
{
    if (bytes > 0 && compare_url(nvs, url) != ESP_OK)
        ESP_RETURN_ON_ERROR(nvs_set_str(nvs, KEY_URL, url), TAG, "Failed to set URL in NVS");
    ESP_RETURN_ON_ERROR(nvs_set_u16(nvs, KEY_LENGTH, (uint16_t)(bytes / 1024)), TAG,
                        "Failed to set OTA write length");
    return nvs_commit(nvs);
}

esp_err_t resumption_clear(nvs_handle_t nvs)
{
    ESP_RETURN_ON_ERROR(nvs_erase_all(nvs), TAG, "Failed to erase OTA resumption");
    return nvs_commit(nvs);
}
