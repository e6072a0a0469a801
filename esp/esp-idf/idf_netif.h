/* Network interfaces from inside the layer: bringing them up. */
#ifndef ESP_IDF_NETIF_H
#define ESP_IDF_NETIF_H

#include "esp_netif.h"

/* Gives the interface the host's address and posts got_event (IP_EVENT_*), if a
 * default event loop is there. */
void idf_netif_up(esp_netif_t *netif, int32_t got_event);
void idf_netif_down(esp_netif_t *netif, int32_t lost_event);
/* The host's address, which interfaces get when they come up. */
void idf_netif_host_address(esp_netif_ip_info_t *out);
/* An interface by its description; NULL: none. */
esp_netif_t *idf_netif_by_desc(const char *desc);
/* Bytes a second that the virtual device's network takes in; 0: no limit. */
uint64_t idf_netif_rate(void);

#endif
