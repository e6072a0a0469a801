/* The usual station interface. */
#pragma once

#include "esp_netif.h"

#ifdef __cplusplus
extern "C" {
#endif
esp_netif_t *esp_netif_create_default_wifi_sta(void);
#define esp_netif_destroy_default_wifi esp_netif_destroy
#ifdef __cplusplus
}
#endif
