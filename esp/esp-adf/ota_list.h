/* Running an upgrade list, in the task of the service.
 *
 *   entry:   prepare ─> need_upgrade ─> execute_upgrade ─> finished_check ─> settled ─> event
 *                └──── a failure skips to finished_check ──────┘
 *   settled: the new content of a data partition is committed, or aborted after a failure
 *   atomic:  nothing is settled before all entries are through, apps first; then one commit
 *            switches all of them, or everything is aborted; then the events */
#ifndef ESP_ADF_OTA_LIST_H
#define ESP_ADF_OTA_LIST_H

#include "ota_service_airlift.h"

struct ota_digest {
    bool given;
    uint8_t sha256[32];
};

struct ota_list {
    int len;
    ota_upgrade_ops_t *entries; /* [len] */
    struct ota_digest *digests; /* [len] */
    ota_service_options_t options;
    void *ctx;
    bool (*cancelled)(void *ctx);
    void (*result)(void *ctx, int id, ota_service_err_reason_t result); /* of an entry */
};

/* true: an entry with reboot_flag succeeded. */
bool ota_list_run(struct ota_list *list);

#endif
