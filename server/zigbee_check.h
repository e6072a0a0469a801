/* A Zigbee OTA file among artifacts: kind "zigbee". Taken when a server could forward it
 * (zigbee/ota_file.h, lenient). Its ids stand in struct artifact:
 *   project  the header string        version  "0x00000002"
 *   chip     manufacturer code and image type, "131b-1011"                              */
#ifndef SERVER_ZIGBEE_CHECK_H
#define SERVER_ZIGBEE_CHECK_H

#include "server/image_check.h"
#include "zigbee/ota_frame.h"

#define ZIGBEE_KIND "zigbee"

/* By its first bytes, or by the end of its name: .zigbee, .ota. */
bool zigbee_recognized(const char *name, const uint8_t *data, size_t len);
/* As image_check(). */
bool zigbee_check(const uint8_t *data, size_t len, struct artifact *a, struct image_refusal *why);
/* The ids that zigbee_check() has put there. false: of another kind. */
bool zigbee_ids(const struct artifact *a, struct al_zota_id *id);

#endif
