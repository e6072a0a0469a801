/* What the node's tables tell the OTA server of a client. */
#ifndef ESP_ZIGBEE_OTA_PEER_H
#define ESP_ZIGBEE_OTA_PEER_H

#include "zigbee/ota_server.h"

/* struct al_zota_server_app's device. */
void ota_peer_device(void *ctx, struct al_zota_peer peer, struct al_zota_device *d);

#endif
