/* A coordinator's network in one JSON file, in the open coordinator backup format of zigpy
 * and zigbee-herdsman (coordinator_backup.json): a network moves from one of these programs
 * to Airlift and back. What only Airlift knows stands under stack_specific.airlift.
 *
 * Keys are in it in clear. */
#ifndef RADIO_ZB_BACKUP_H
#define RADIO_ZB_BACKUP_H

#include <cjson/cJSON.h>

#include "radio/zb_node.h"

/* NULL: no memory, or the node has no network. */
cJSON *zb_backup_make(const struct al_node *n);
/* The same into a file (mode 0600, whole or not at all). 0, or AL_FAIL with the reason. */
int zb_backup_write(const struct al_node *n, const char *path, char *error, size_t error_size);

/* Fills an empty store from a backup, so that a coordinator opened with it resumes that
 * network. Its frame counters are raised: what was sent since the backup is not repeated.
 * 0, or AL_ERR_INVALID_ARG with the field that is wrong in error; AL_ERR_INVALID_STATE: the
 * store has a network already. */
int zb_backup_restore(const cJSON *backup, const struct al_zb_store *store, char *error,
                      size_t error_size);
int zb_backup_read(const char *path, const struct al_zb_store *store, char *error,
                   size_t error_size);

#endif
