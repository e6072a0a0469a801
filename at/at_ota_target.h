/* Where an upgrade goes: the next app slot, or a user partition. Nothing is erased before length
 * and first bytes of what comes have been looked at, unless the original's order is asked for.
 *
 *   find ──> check_length ──> open ──> write* ──> finish
 *                └── first bytes wrong: abort ──┘ */
#ifndef AT_OTA_TARGET_H
#define AT_OTA_TARGET_H

#include "esp/esp-idf/part_update.h"
#include "esp_ota_ops.h"

#include <stdbool.h>
#include <stdint.h>

#define AT_OTA_TAG "at-ota"
#define AT_OTA_WHY 300

struct at_ota_target {
    bool app;
    const char *name; /* as it was asked for; lives as long */
    const esp_partition_t *partition;
    bool open;
    esp_ota_handle_t slot;
    struct part_update *update;
    uint64_t length, taken; /* announced, written or in head */
    uint8_t head[4];        /* the first bytes, until all that decide are there */
    size_t head_len;
    char why[AT_OTA_WHY]; /* of the function that failed */
};

/* CONFIG_AT_COMPAT: a user partition is erased here, before anything is known. */
bool at_ota_target_find(struct at_ota_target *t, const char *name);
/* length: as announced; -1: not known. */
bool at_ota_target_length(struct at_ota_target *t, int64_t length);
/* Opens the target when the first bytes are right. */
bool at_ota_target_write(struct at_ota_target *t, const void *data, size_t len);
/* All of it came: verifies it; an app boots next, a partition has its new content. */
bool at_ota_target_finish(struct at_ota_target *t);
/* Whatever has happened before; also after finish. */
void at_ota_target_abort(struct at_ota_target *t);

#endif
