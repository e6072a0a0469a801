/* What the steps of an entry know of the run that they belong to. Steps that an app calls by
 * itself, without the service, have none. */
#ifndef ESP_ADF_OTA_RUN_H
#define ESP_ADF_OTA_RUN_H

#include <stddef.h>

#include "esp/esp-idf/part_update.h"
#include "ota_service_airlift.h"

struct ota_data; /* ota_proc_data.c */

struct ota_run {
    int id; /* of the entry */
    ota_service_options_t options;
    const uint8_t *sha256; /* NULL: any content is fine */
    bool (*cancelled)(void *ctx);
    void *cancelled_ctx;

    /* Left by the default process of data partitions. The service commits or aborts. */
    struct part_update *update;
    struct ota_data *data; /* between prepare and finished_check */
    bool incomplete;       /* the partition is marked: its upgrade has to be finished */
};

/* Of the calling task; NULL ends. */
void ota_run_set(struct ota_run *run);
struct ota_run *ota_run_current(void);

/* Without a run these give what Kconfig says, false, and nothing. */
bool ota_run_compat(void);
bool ota_run_cancelled(void);
void ota_run_progress(int64_t done, int64_t total);

/* Does the digest fit the one that was asked for? Logs when not. */
bool ota_run_digest_fits(const uint8_t digest[32]);

/* ota_proc_data.c: back to the start of the source, nothing written. The overlay is the caller's.
 */
ota_service_err_reason_t ota_data_again(struct ota_data *data);

/* The line once a second: "<what> process_size: ...". */
struct ota_pace {
    int64_t begin_us, last_us;
    size_t last_bytes;
};
void ota_pace_begin(struct ota_pace *p);
void ota_pace_log(struct ota_pace *p, const char *what, size_t bytes);

#endif
