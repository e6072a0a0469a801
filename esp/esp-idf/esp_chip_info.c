#include "esp_chip_info.h"

#include <string.h>

#include "device/board.h"
#include "esp_idf_version.h"

static uint32_t features(const char *chip)
{
    if (!strcmp(chip, "esp32")) return CHIP_FEATURE_WIFI_BGN | CHIP_FEATURE_BT | CHIP_FEATURE_BLE;
    if (!strcmp(chip, "esp32s2")) return CHIP_FEATURE_WIFI_BGN;
    if (!strcmp(chip, "esp32h2")) return CHIP_FEATURE_BLE | CHIP_FEATURE_IEEE802154;
    if (!strcmp(chip, "esp32c6"))
        return CHIP_FEATURE_WIFI_BGN | CHIP_FEATURE_BLE | CHIP_FEATURE_IEEE802154;
    return CHIP_FEATURE_WIFI_BGN | CHIP_FEATURE_BLE;
}

/* Model numbers: those of the image header, but the first chip is 1 there. */
void esp_chip_info(esp_chip_info_t *out)
{
    struct al_device_ids ids;
    efuse_device_ids(&board()->efuse, &ids);
    *out = (esp_chip_info_t){
        .model = ids.chip->id ? (esp_chip_model_t)ids.chip->id : CHIP_ESP32,
        .features = features(ids.chip->name),
        .revision = ids.revision,
        .cores = 1,
    };
}

const char *esp_get_idf_version(void)
{
    return IDF_VER;
}
