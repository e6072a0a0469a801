/* Ways into a network. */
#pragma once

#include "esp_zigbee_type.h"

typedef enum {
    ESP_ZB_BDB_INITIALIZATION = 0x00,
    ESP_ZB_BDB_TOUCHLINK_COMMISSIONING = 0x01,
    ESP_ZB_BDB_NETWORK_STEERING = 0x02,
    ESP_ZB_BDB_NETWORK_FORMATION = 0x04,
    ESP_ZB_BDB_FINDING_N_BINDING = 0x08,
    ESP_ZB_BDB_TOUCHLINK_TARGET = 0x40
} esp_zb_bdb_commissioning_mode_mask_t;

typedef enum {
    ESP_ZB_BDB_MODE_INITIALIZATION = 0x00,
    ESP_ZB_BDB_MODE_TOUCHLINK_COMMISSIONING = 0x01,
    ESP_ZB_BDB_MODE_NETWORK_STEERING = 0x02,
    ESP_ZB_BDB_MODE_NETWORK_FORMATION = 0x04,
    ESP_ZB_BDB_MODE_TOUCHLINK_TARGET = 0x40
} esp_zb_bdb_commissioning_mode_t;
