/* Sending of OTA cluster frames, for the client and the server. */
#ifndef ZIGBEE_OTA_WIRE_H
#define ZIGBEE_OTA_WIRE_H

#include "zigbee/ota_frame.h"
#include "zigbee/ota_transport.h"
#include "zigbee/zcl_frame.h"

/* Sends f with sequence number seq, as *how says (zcl and len are filled in here). Gives
 * what the transport gives. */
int al_zota_wire_send(const struct al_zota_transport *t, struct al_zota_send *how, uint8_t seq,
                      const struct al_zota_frame *f);

/* The Default Response to a frame, where ZCL wants one: never to a broadcast, to a default
 * response, or with SUCCESS to a frame that asks for none. */
void al_zota_wire_default(const struct al_zota_transport *t, const struct al_zota_received *rx,
                          const struct al_zcl_frame *f, uint8_t status);

/* Status for an error of al_zota_parse(). */
uint8_t al_zota_wire_status(int err);

static inline bool al_zota_same_id(const struct al_zota_id *a, const struct al_zota_id *b)
{
    return a->manufacturer == b->manufacturer && a->image_type == b->image_type &&
           a->file_version == b->file_version;
}

#endif
