/* How a download goes on after a restart although the application knows nothing of it: at
 * its next START it opens the slot anew, which erases it, and wants all bytes from the
 * first. Those that it wrote before are still in that slot: they are read before START and
 * given to it again. In NVS stand how far it was, the file's first bytes, and a digest of all
 * that it had: only what has that digest is used, so an application that stores something
 * else (a patch, another place) begins at 0. */
#ifndef ESP_ZIGBEE_OTA_RESUME_H
#define ESP_ZIGBEE_OTA_RESUME_H

#include "zigbee/ota_client.h"

/* A download begins at 0. */
void ota_resume_begin(void);
/* The application is given these bytes of the file next. */
void ota_resume_add(const uint8_t *bytes, size_t len);
/* Keeps p (magic 0: forgets). header_len: of the OTA header, 0: not known yet. */
void ota_resume_save(const struct al_zota_progress *p, uint16_t header_len);
/* What was kept. */
bool ota_resume_progress(struct al_zota_progress *p);
/* The first `offset` bytes of file, for ota_resume_free(); NULL: they are not there. */
uint8_t *ota_resume_load(const struct al_zota_file *file, uint32_t offset);
void ota_resume_free(uint8_t *bytes);

#endif
