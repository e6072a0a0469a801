/* An ota_service on the test board: an SD card in a temporary directory, lists that run to their
 * end, and the events that came. */
#ifndef TESTS_SUPPORT_ADF_BENCH_H
#define TESTS_SUPPORT_ADF_BENCH_H

#include "ota_proc_default.h"
#include "ota_service_airlift.h"

#define ADF_IMAGE     "esp-flash/image/app_c3_v2.bin" /* a vector */
#define ADF_IMAGE_LEN 65616u
#define ADF_APP_URI   "file://sdcard/app.bin"
#define ADF_DATA_URI  "file://sdcard/data.bin"
#define ADF_DATA_LEN  20000u

struct adf_event {
    int type, id, len; /* id: of RESULT */
    void *source, *data;
    ota_service_err_reason_t result;
};

struct adf_bench {
    char *dir;                       /* the device directory */
    ota_service_options_t options;   /* of the next run */
    const uint8_t (*sha256)[32];     /* of entry 0, or NULL */
    void (*while_running)(void);     /* called once the list was started, or NULL */
    periph_service_handle_t service; /* while a list runs */
    struct adf_event event[32];
    int events, finished;
};
extern struct adf_bench adf;

/* The whole group: a card with app.bin (ADF_IMAGE) and data.bin (adf_byte). */
int adf_bench_make(void **state);
int adf_bench_remove(void **state);
/* Before each test: fresh board, NVS, options of Kconfig, a partition full of 0x5a. */
int adf_bench_fresh(void **state);

uint8_t adf_byte(uint32_t at); /* of data.bin */
void adf_bench_put(const char *name, const void *data, size_t len);

/* Entries with the default processes; need: NULL keeps the default one. */
typedef ota_service_err_reason_t adf_need(void *handle, ota_node_attr_t *node);
ota_upgrade_ops_t adf_data(const char *label, const char *uri, adf_need *need);
ota_upgrade_ops_t adf_app(const char *label, const char *uri, adf_need *need);
ota_service_err_reason_t adf_yes(void *handle, ota_node_attr_t *node);
ota_service_err_reason_t adf_no(void *handle, ota_node_attr_t *node); /* UNKNOWN */

/* Runs the list until FINISH and notes the events. */
void adf_run(ota_upgrade_ops_t *list, int len);
/* A list of one; gives its result. */
ota_service_err_reason_t adf_run_one(ota_upgrade_ops_t entry);

/* What the partition "storage" holds: */
bool adf_storage_is_old(void);
bool adf_storage_is_new(void); /* data.bin, then ff */
bool adf_boots_new(void);      /* the slot that app.bin went to is chosen */

#endif
