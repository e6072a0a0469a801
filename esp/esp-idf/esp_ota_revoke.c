/* Revoking a Secure Boot key: only when the running app also carries a signature
 * by one of the others, so that the device still boots. */
#include <string.h>

#include "device/board.h"
#include "esp/esp-idf/idf_device.h"
#include "esp_log.h"
#include "esp_ota_ops.h"

static const char *TAG = "esp_ota_ops";

enum { KEYS = 3, REVOKED_FIELD = 40, DIGEST_LEN = 32 }; /* efuse.h */

/* Trusted keys without the one of index. */
static struct al_trusted_keys others(uint32_t index)
{
    struct al_trusted_keys keys, left;
    const uint8_t *gone = board()->efuse.bytes + EFUSE_KEY_DIGESTS + index * DIGEST_LEN;
    efuse_keys(&board()->efuse, &keys);
    left = keys;
    left.count = 0;
    for (uint32_t i = 0; i < keys.count; i++)
        if (memcmp(keys.digest[i], gone, DIGEST_LEN))
            memcpy(left.digest[left.count++], keys.digest[i], DIGEST_LEN);
    return left;
}

static bool running_app_verifies(const struct al_trusted_keys *keys)
{
    struct al_window slot;
    struct al_image_rules rules = idf_device_rules(AL_IMAGE_APP);
    rules.keys = keys;
    return keys->count && !idf_window(esp_ota_get_running_partition(), &slot) &&
           !al_image_verify(&slot, &rules, NULL, NULL);
}

esp_err_t esp_ota_revoke_secure_boot_public_key(esp_ota_secure_boot_public_key_index_t index)
{
    if (!efuse_secure_boot(&board()->efuse)) {
        ESP_LOGE(TAG, "Secure boot v2 has not been enabled.");
        return ESP_FAIL;
    }
    if ((unsigned)index >= KEYS) {
        ESP_LOGE(TAG, "Invalid Index found for public key revocation %d.", index);
        return ESP_ERR_INVALID_ARG;
    }
    struct al_trusted_keys left = others(index);
    if (!running_app_verifies(&left)) {
        ESP_LOGE(TAG, "No other trusted key has signed the running app: key %d stays.", index);
        return ESP_FAIL;
    }
    const uint8_t bit[1] = {(uint8_t)(1u << index)};
    esp_err_t err = idf_err(efuse_burn(&board()->efuse, REVOKED_FIELD, bit, sizeof bit));
    if (!err) idf_device_refresh_keys();
    return err;
}
