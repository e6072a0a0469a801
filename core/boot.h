/* The boot loader's decision: which slot, and what when that one does not
 * verify. Source: bootloader_utility.c, bootloader_start.c (v5.5 to v6.2-dev).
 *
 *   reset -> table -> otadata -> select -> [verify -> start]
 *                                  index down to -1 (factory), then up, then test */
#ifndef CORE_BOOT_H
#define CORE_BOOT_H

#include "core/image_verify.h"
#include "core/ota.h"
#include "core/ota_data.h"
#include "core/part_table.h"

#define AL_BOOT_FACTORY (-1)
#define AL_BOOT_TEST    (-2)
#define AL_BOOT_NONE    (-99) /* reset: nothing can be selected */

/* Each is one line of the original's log, or a step worth telling. */
enum al_boot_event {
    AL_BOOT_EV_TABLE_FAULT,          /* table */
    AL_BOOT_EV_PARTITION,            /* part, value: row number, value2: rows in all */
    AL_BOOT_EV_OTADATA_SMALL,        /* value: size */
    AL_BOOT_EV_CHECK_SECURE_VERSION, /* value: eFuse */
    AL_BOOT_EV_INITIAL,              /* otadata[0..1] in initial state */
    AL_BOOT_EV_DEFAULT_FACTORY,
    AL_BOOT_EV_NO_FACTORY,      /* trying OTA 0 */
    AL_BOOT_EV_INVALID_FACTORY, /* otadata invalid, falling back to factory */
    AL_BOOT_EV_INVALID_ALL,     /* otadata invalid, no factory, trying all */
    AL_BOOT_EV_DESC_FAILED,     /* value: vendor's error number */
    AL_BOOT_EV_SLOT,            /* entry -> slot (debug): value: slot, index: entry */
    AL_BOOT_EV_STATE,           /* entry index: value: old state, value2: new state */
    AL_BOOT_EV_WRITE_FAILED,    /* value: vendor's error number */
    AL_BOOT_EV_FACTORY_RESET,   /* pin held: data partitions get erased; text: their names */
    AL_BOOT_EV_ERASED,          /* a data partition: part, index: row, value2: 1 when it was
                                   to be erased; value: 0 or vendor's error number */
    AL_BOOT_EV_TEST_PIN,
    AL_BOOT_EV_TEST_MISSING, /* test pin, but no test partition */
    AL_BOOT_EV_TOO_OLD,      /* part skipped: value: its secure version, value2: eFuse */
    AL_BOOT_EV_IMAGE_FAULT,  /* part, image */
    AL_BOOT_EV_NOT_BOOTABLE, /* index; part */
    AL_BOOT_EV_TEST_FALLBACK,
    AL_BOOT_EV_LOADED,  /* part */
    AL_BOOT_EV_SET_SEQ, /* value: seq written to otadata[0] */
    AL_BOOT_EV_NO_TEST, /* no bootable test partition */
    AL_BOOT_EV_NOTHING  /* no bootable app partitions */
};
struct al_boot_event_args {
    enum al_boot_event event;
    int index;
    uint32_t value, value2;
    const struct al_part *part;
    const struct al_part_fault *table;
    const struct al_image_fault *image;
    const char *text;
};

/* What the boot loader was built with, and the pins at reset. Zeros: off. */
struct al_boot_config {
    const struct al_crypto *crypto;
    struct al_device_ids device;
    uint32_t table_offset; /* 0: AL_PART_TABLE_OFFSET */
    bool rollback, anti_rollback;
    const struct al_secure_version *secure_version;
    const struct al_trusted_keys *keys; /* Secure Boot V2 */
    bool test_pin;                      /* held: boot the test app */
    bool factory_reset_pin;             /* held: erase data partitions */
    const char *factory_reset_labels;   /* "nvs, phy"; NULL: "nvs" */
    bool factory_reset_otadata;
    bool deep_sleep_wake; /* pins are not looked at */
    bool skip_validate;   /* BOOTLOADER_SKIP_VALIDATE_*: load without checks */
    const struct al_image_trace *image_trace;
    void *event_ctx;
    void (*event)(void *ctx, const struct al_boot_event_args *a);
};

struct al_boot_result {
    int selected_index;         /* -1 factory, 0..15, -2 test, -99 none */
    const struct al_part *part; /* inside table; NULL: nothing boots */
    int active_entry;           /* otadata entry in force, or -1 */
    bool initial;
    struct al_part_table table;
    struct al_image image; /* of part */
};

/* One reset: reads the table, selects, verifies, falls back; writes otadata
 * where the original does. 0; AL_ERR_INVALID_STATE: table; AL_ERR_NOT_FOUND:
 * nothing boots; AL_ERR_POWER: the power went away. */
int al_boot(const struct al_flash *f, const struct al_boot_config *cfg, struct al_boot_result *r);

#endif
