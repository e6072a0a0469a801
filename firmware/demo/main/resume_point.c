#include "resume_point.h"

#include <string.h>

#include "esp_log.h"
#include "nvs.h"

static const char *TAG = "demo";

struct resume_point resume_point_load(const char version[32])
{
    struct resume_point point = {0};
    size_t size = sizeof point;
    nvs_handle_t nvs;
    esp_err_t err = nvs_open("demo", NVS_READONLY, &nvs);
    if (err == ESP_OK) {
        err = nvs_get_blob(nvs, "resume", &point, &size);
        nvs_close(nvs);
    }
    if (err != ESP_OK || size != sizeof point || strncmp(point.version, version, 32) != 0) {
        point.bytes = 0;
        memcpy(point.version, version, sizeof point.version);
    }
    return point;
}

void resume_point_save(const struct resume_point *point)
{
    nvs_handle_t nvs;
    esp_err_t err = nvs_open("demo", NVS_READWRITE, &nvs);
    if (err == ESP_OK) {
        err = point ? nvs_set_blob(nvs, "resume", point, sizeof *point)
                    : nvs_erase_key(nvs, "resume");
        if (err == ESP_OK) err = nvs_commit(nvs);
        nvs_close(nvs);
    }
    if (err != ESP_OK && err != ESP_ERR_NVS_NOT_FOUND)
        ESP_LOGW(TAG, "progress could not be saved: %s", esp_err_to_name(err));
}
