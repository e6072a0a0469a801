/* Addresses: the base address from eFuse; interfaces count up from it. */
#include "esp_mac.h"

#include <string.h>

#include "device/board.h"

static uint8_t own_base[6];
static bool own_base_set;

esp_err_t esp_efuse_mac_get_default(uint8_t *mac)
{
    if (!mac) return ESP_ERR_INVALID_ARG;
    efuse_mac(&board()->efuse, mac);
    return ESP_OK;
}

esp_err_t esp_base_mac_addr_set(const uint8_t *mac)
{
    if (!mac || mac[0] & 1) return ESP_ERR_INVALID_ARG; /* a group address */
    memcpy(own_base, mac, sizeof own_base);
    own_base_set = true;
    return ESP_OK;
}

esp_err_t esp_base_mac_addr_get(uint8_t *mac)
{
    if (!mac) return ESP_ERR_INVALID_ARG;
    if (!own_base_set) return esp_efuse_mac_get_default(mac);
    memcpy(mac, own_base, sizeof own_base);
    return ESP_OK;
}

size_t esp_mac_addr_len_get(esp_mac_type_t type)
{
    return type == ESP_MAC_IEEE802154 ? 8 : type == ESP_MAC_EFUSE_EXT ? 2 : 6;
}

esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type)
{
    if (!mac) return ESP_ERR_INVALID_ARG;
    switch (type) {
    case ESP_MAC_WIFI_STA:
    case ESP_MAC_WIFI_SOFTAP:
    case ESP_MAC_BT:
    case ESP_MAC_ETH:
        esp_base_mac_addr_get(mac);
        mac[5] += (uint8_t)(type - ESP_MAC_WIFI_STA);
        return ESP_OK;
    case ESP_MAC_BASE:
        return esp_base_mac_addr_get(mac);
    case ESP_MAC_EFUSE_FACTORY:
        return esp_efuse_mac_get_default(mac);
    case ESP_MAC_IEEE802154:
        efuse_ieee(&board()->efuse, mac);
        return ESP_OK;
    default:
        return ESP_ERR_NOT_SUPPORTED;
    }
}

esp_err_t esp_derive_local_mac(uint8_t *local_mac, const uint8_t *universal_mac)
{
    if (!local_mac || !universal_mac) return ESP_ERR_INVALID_ARG;
    memcpy(local_mac, universal_mac, 6);
    local_mac[0] ^= local_mac[0] & 2 ? 4 : 2; /* locally administered */
    return ESP_OK;
}
