/* The firmware slots and partitions, as JSON for the page; going back to the other slot. */
#ifndef AT_WEB_SLOTS_H
#define AT_WEB_SLOTS_H

#include <stdbool.h>
#include <stdio.h>

#include "at/web_upload.h"

/* /getotainfo: {"state":0,"fw_version":"..","at_core_version":"..","partitions":["ota",..]} */
void web_slots_write_info(FILE *out);

/* /getslots: {"state":0,"chip":"ESP32-C3","chip_id":5,"start":n,"upload":false,
 *  "partitions":[{"name":"ota","size":n},..],"other":"ota_1","slots":[{"label":"ota_0","size":n,"running":b,
 *  "boot":b,"state":"valid","project":"..","version":"..","chip":"ESP32-C3","image_len":n,
 *  "sha256":"hex"},..]}
 * start: another number at each start of the chip, to know that it restarted.
 * boot: what starts next; a slot that was chosen but holds half an image does not.
 * other: the slot that an upload goes to and a roll-back starts; "": there is none.
 * state: empty, damaged, writing, new, pending, valid, invalid, aborted, undefined; the keys from
 * project on are there only when the slot holds an app image. */
void web_slots_write(FILE *out);

/* Verifies the app in the slot that does not run and chooses it for the next start. */
bool web_slots_roll_back(char why[WEB_WHY]);

#endif
