/* Attributes of the Identify cluster. */
#pragma once

#define ESP_ZB_ZCL_ATTR_IDENTIFY_IDENTIFY_TIME_ID       0x0000
#define ESP_ZB_ZCL_IDENTIFY_IDENTIFY_TIME_DEFAULT_VALUE 0x0000
