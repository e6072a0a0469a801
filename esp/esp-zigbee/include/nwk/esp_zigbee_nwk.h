/* The network and this device's place in it. */
#pragma once

#include "esp_err.h"
#include "esp_zigbee_type.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_ZB_DEVICE_TYPE_COORDINATOR = 0,
    ESP_ZB_DEVICE_TYPE_ROUTER = 1,
    ESP_ZB_DEVICE_TYPE_ED = 2,
    ESP_ZB_DEVICE_TYPE_NONE = 3
} esp_zb_nwk_device_type_t;

#define ESP_ZB_NWK_BROADCAST_ALL_DEVICES       0xffffu
#define ESP_ZB_NWK_BROADCAST_RX_ON_WHEN_IDLE   0xfffdu
#define ESP_ZB_NWK_BROADCAST_ROUTERS_AND_COORD 0xfffcu

/* Between esp_zb_init() and esp_zb_start(). */
esp_err_t esp_zb_set_long_address(esp_zb_ieee_addr_t addr);
void esp_zb_get_long_address(esp_zb_ieee_addr_t addr);
esp_err_t esp_zb_set_pan_id(uint16_t pan_id); /* to form */
void esp_zb_set_extended_pan_id(const esp_zb_ieee_addr_t ext_pan_id);
void esp_zb_set_rx_on_when_idle(bool rx_on);
bool esp_zb_get_rx_on_when_idle(void);

/* Outside a network: 0xffff, zeros, 0. */
uint16_t esp_zb_get_short_address(void);
void esp_zb_get_extended_pan_id(esp_zb_ieee_addr_t ext_pan_id);
uint16_t esp_zb_get_pan_id(void);
uint8_t esp_zb_get_current_channel(void);
esp_zb_nwk_device_type_t esp_zb_get_network_device_role(void);

/* ieee_addr: 8 bytes, least significant first. ESP_ERR_NOT_FOUND. */
esp_err_t esp_zb_ieee_address_by_short(uint16_t short_addr, uint8_t *ieee_addr);
/* 0xffff: unknown. */
uint16_t esp_zb_address_short_by_ieee(esp_zb_ieee_addr_t address);

#ifdef __cplusplus
}
#endif
