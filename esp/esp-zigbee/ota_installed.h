/* Which file version the running program came from, for clients that were not told: one that
 * always asks with an unknown version is offered the same file again after each restart. */
#ifndef ESP_ZIGBEE_OTA_INSTALLED_H
#define ESP_ZIGBEE_OTA_INSTALLED_H

#include <stdint.h>

/* The program that boots next came with this version. */
void ota_installed_note(uint32_t file_version);
/* Of the program that runs now; all ones: it did not come that way. */
uint32_t ota_installed_version(void);

#endif
