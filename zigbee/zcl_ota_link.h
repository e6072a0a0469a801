/* Between the files of the OTA cluster's glue only. */
#ifndef ZIGBEE_ZCL_OTA_LINK_H
#define ZIGBEE_ZCL_OTA_LINK_H

#include "core/err.h"
#include "zigbee/zcl_ota.h"

#define AL_ZOTA_CLUSTER_REVISION 4u

/* handles: range->count places; sent: as in struct al_zcl_handles, with ctx. */
int al_zota_link_init(struct al_zcl_ota_link *l, struct al_zcl *zcl,
                      const struct al_zcl_endpoint *e, struct al_zb_random random,
                      uint32_t *handles, uint16_t count, void *ctx,
                      void (*sent)(void *ctx, uint64_t now, uint16_t handle,
                                   enum al_zb_status status));
struct al_zota_transport al_zota_link_transport(struct al_zcl_ota_link *l);
/* The engine's handle of a frame that is under way no more. */
uint32_t al_zota_link_take(struct al_zcl_ota_link *l, uint16_t handle);
struct al_zota_received al_zota_link_received(const struct al_zcl_rx *rx);

#endif
