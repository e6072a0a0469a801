/* What the OTA cluster brings goes into the next slot. */
#pragma once

#include "esp_zigbee_core.h"

esp_err_t upgrade_step(const esp_zb_zcl_ota_upgrade_value_message_t *m);
