/* Ethernet: events only. Drivers and MACs have no counterpart; example_connect()
 * with CONFIG_EXAMPLE_CONNECT_ETHERNET uses the host's network. */
#pragma once

#include "esp_err.h"
#include "esp_event_base.h"
#include "esp_netif.h"

#ifdef __cplusplus
extern "C" {
#endif

ESP_EVENT_DECLARE_BASE(ETH_EVENT);

typedef enum {
    ETHERNET_EVENT_START,
    ETHERNET_EVENT_STOP,
    ETHERNET_EVENT_CONNECTED,
    ETHERNET_EVENT_DISCONNECTED
} eth_event_t;

typedef void *esp_eth_handle_t;

#ifdef __cplusplus
}
#endif
