/* What Airlift adds to ota_service.h: all-or-nothing lists, progress, digests, a look at
 * partitions whose upgrade was cut. periph_service_stop() works, too: the transfer that runs ends
 * with OTA_SERV_ERR_REASON_CANCELLED, the rest of the list does not run, starts that are queued are
 * dropped. Details: docs/ota-service.md. */
#pragma once

#include "ota_service.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTA_SERVICE_AIRLIFT_ERR_BASE (OTA_SERVICE_ERR_REASON_BASE + 0x100)

/* Further results of entries. */
/* atomic: nothing wrong with this entry, but with another one, so this did not take effect */
#define OTA_SERV_ERR_REASON_NOT_APPLIED \
    ((ota_service_err_reason_t)(OTA_SERVICE_AIRLIFT_ERR_BASE + 1))
#define OTA_SERV_ERR_REASON_CANCELLED \
    ((ota_service_err_reason_t)(OTA_SERVICE_AIRLIFT_ERR_BASE + 2)) /* periph_service_stop() */
#define OTA_SERV_ERR_REASON_WRONG_DIGEST \
    ((ota_service_err_reason_t)(OTA_SERVICE_AIRLIFT_ERR_BASE + 3)) /* not the SHA-256 asked for */

/* In the service's task, often: id: index in the list; done: bytes taken so far; total: -1 when
 * the source does not tell. Only the default processes call it. */
typedef void (*ota_service_progress_cb)(void *ctx, int id, int64_t done, int64_t total);

typedef struct {
    /* All entries take effect together, or none. Entries of apps run first. An entry whose
     * need_upgrade says NO_HIGHER_VERSION is content as it is; any other failure ends the list and
     * undoes it. RESULT events come at the end, one for every entry. */
    bool atomic;
    /* A data partition may be written in place where there is no room to stage its new content. A
     * power cut then leaves it incomplete; it is marked, and the next run finishes it. */
    bool in_place;
    /* Results as in the original, faults included. */
    bool compat_results;
    /* How often an app over HTTP whose connection broke is gone on with, from where it stopped. */
    int retries;
    ota_service_progress_cb progress; /* NULL: none */
    void *progress_ctx;
} ota_service_options_t;

/* The Kconfig symbols OTA_SERVICE_ATOMIC, _DATA_IN_PLACE, _COMPAT_RESULTS and _RETRIES. */
ota_service_options_t ota_service_default_options(void);

/* For the runs that start from now on. ESP_ERR_INVALID_ARG: a NULL. */
esp_err_t ota_service_set_options(periph_service_handle_t handle,
                                  const ota_service_options_t *options);

/* The bytes of entry id have to have this SHA-256, else the entry fails and changes nothing. NULL:
 * not checked any more. Forgotten with the list. Only the default processes look.
 * ESP_ERR_INVALID_ARG: no such entry. */
esp_err_t ota_service_set_sha256(periph_service_handle_t handle, int id, const uint8_t sha256[32]);

/* Has an upgrade in place of this data partition begun and not ended? */
bool ota_service_incomplete(const char *label);

#ifdef __cplusplus
}
#endif
