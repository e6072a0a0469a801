/* Attributes of the Time cluster. */
#pragma once

typedef enum {
    ESP_ZB_ZCL_ATTR_TIME_TIME_ID = 0x0000,
    ESP_ZB_ZCL_ATTR_TIME_TIME_STATUS_ID = 0x0001,
    ESP_ZB_ZCL_ATTR_TIME_TIME_ZONE_ID = 0x0002,
    ESP_ZB_ZCL_ATTR_TIME_STANDARD_TIME_ID = 0x0006,
    ESP_ZB_ZCL_ATTR_TIME_LOCAL_TIME_ID = 0x0007
} esp_zb_zcl_time_attr_t;

#define ESP_ZB_ZCL_TIME_TIME_DEFAULT_VALUE        0xffffffffu
#define ESP_ZB_ZCL_TIME_TIME_STATUS_DEFAULT_VALUE 0x00
