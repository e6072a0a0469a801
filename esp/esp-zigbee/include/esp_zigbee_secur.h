/* Keys and who may join. */
#pragma once

#include <stdbool.h>

#include "esp_err.h"
#include "esp_zigbee_type.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Trust centre: only devices that have proved a link key of their own stay. */
void esp_zb_secur_link_key_exchange_required_set(bool enable);
bool esp_zb_secur_link_key_exchange_required_get(void);

/* Trust centre: the install code of a device, hex digits with its CRC at the end. After
 * esp_zb_start(). ESP_ERR_INVALID_ARG: not an install code. */
esp_err_t esp_zb_secur_ic_str_add(esp_zb_ieee_addr_t address, char *ic_str);
/* This device's own, for joining with it. */
esp_err_t esp_zb_secur_ic_str_set(char *ic_str);

#ifdef __cplusplus
}
#endif
