/* An update, from the first byte to the choice of the next boot: what
 * esp_ota_ops.h promises, without its logging and without a heap. The vendor
 * API layer and `airlift api` are both thin over this.
 * Source: ESP-IDF v6.2-dev app_update/esp_ota_ops.c. */
#ifndef CORE_OTA_H
#define CORE_OTA_H

#include "core/image_verify.h"
#include "core/ota_data.h"
#include "core/part_table.h"
#include "core/slot_writer.h"

/* Things that a caller may want to log; arguments as named. */
enum al_ota_event {
    AL_OTA_EV_NOT_CONFIRMED,   /* begin: running app is PENDING_VERIFY */
    AL_OTA_EV_IN_PROGRESS,     /* part: the partition that is busy */
    AL_OTA_EV_BAD_IMAGE_MAGIC, /* value: first byte seen */
    AL_OTA_EV_BAD_TABLE_MAGIC, /* value: word seen */
    AL_OTA_EV_FORGED_RECORD,   /* part: its end would be taken for a change set's record */
    AL_OTA_EV_FINAL,           /* part: staging, part2: final */
    AL_OTA_EV_IMAGE_FAULT,     /* image: why verification or a check of the header failed */
    AL_OTA_EV_TABLE_FAULT,     /* table: the same of a partition table */
    AL_OTA_EV_VERIFY_FAILED,   /* new image failed verification */
    AL_OTA_EV_COPY,            /* part -> part2 */
    AL_OTA_EV_NO_OTADATA,
    AL_OTA_EV_SECURE_VERSION_LOW, /* set_boot: partition gets erased */
    AL_OTA_EV_RUNNING_FACTORY,
    AL_OTA_EV_ROLLBACK,
    AL_OTA_EV_ROLLBACK_IMPOSSIBLE,
    AL_OTA_EV_NO_CURRENT_APP /* get_boot: otadata invalid, assuming factory */
};
struct al_ota_event_args {
    enum al_ota_event event;
    const struct al_part *part, *part2;
    uint32_t value;
    const struct al_image_fault *image;
    const struct al_part_fault *table;
};

/* The eFuse field behind anti-rollback: its value is the number of set bits. */
struct al_secure_version {
    void *ctx;
    uint32_t (*get)(void *ctx);
    /* Raises to version: equal 0; lower AL_FAIL; above the field AL_ERR_INVALID_ARG. */
    int (*raise)(void *ctx, uint32_t version);
};

struct al_ota_update;

/* The device an update runs on. The caller fills it, keeps it and all it
 * points to alive, and serialises calls. */
struct al_ota {
    const struct al_flash *flash;
    const struct al_part_table *table;
    const struct al_crypto *crypto;
    struct al_device_ids device;
    const struct al_part *running; /* an entry of table; NULL: none is known */
    const struct al_part *extra;   /* partitions registered at run time, or NULL */
    uint32_t extra_count;
    bool rollback;      /* CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE */
    bool anti_rollback; /* CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK */
    bool flash_encryption;
    bool signed_data; /* CONFIG_APP_UPDATE_SECURE_SIGNED_DATA_PARTITION: data, with keys */
    const struct al_secure_version *secure_version; /* required with anti_rollback */
    const struct al_trusted_keys *keys;             /* signed apps: verified at end and set_boot */
    uint32_t bootloader_offset; /* images there are not hashed (no Secure Boot) */
    uint32_t table_offset;      /* 0: AL_PART_TABLE_OFFSET */
    void *event_ctx;            /* may be NULL */
    void (*event)(void *ctx, const struct al_ota_event_args *a);
    struct al_ota_update *open; /* list of open updates; starts as NULL */
};

#define AL_OTA_SIZE_UNKNOWN 0xffffffffu
#define AL_OTA_SEQUENTIAL   0xfffffffeu

/* One open update; the caller places it. */
struct al_ota_update {
    struct al_ota_update *next;
    struct al_part staging, final;
    struct al_slot_writer writer;
    bool has_final, copy, resumed;
};

/* p: a partition with the same type, subtype, label, offset and size must be in
 * the table or in extra. Codes and order as esp_ota_begin, esp_ota_resume,
 * esp_ota_set_final_partition, ... A failed begin leaves u closed, except when the erase failed:
 * then it stays open, as the original's handle does. Where to resume: slot_writer.h. */
int al_ota_begin(struct al_ota *o, const struct al_part *p, uint32_t image_size,
                 struct al_ota_update *u);
int al_ota_resume(struct al_ota *o, const struct al_part *p, uint32_t erase_size,
                  uint32_t image_offset, struct al_ota_update *u);
int al_ota_set_final(struct al_ota *o, struct al_ota_update *u, const struct al_part *final,
                     bool copy);
int al_ota_write(struct al_ota *o, struct al_ota_update *u, const void *data, uint32_t len);
int al_ota_write_at(struct al_ota *o, struct al_ota_update *u, const void *data, uint32_t len,
                    uint32_t offset);
/* Verifies and closes; u is closed whatever the result. */
int al_ota_end(struct al_ota *o, struct al_ota_update *u);
int al_ota_abort(struct al_ota *o, struct al_ota_update *u);

int al_ota_set_boot(struct al_ota *o, const struct al_part *p, bool skip_verify);
/* NULL: no otadata, or nothing to boot. */
const struct al_part *al_ota_get_boot(struct al_ota *o);
const struct al_part *al_ota_next_update(struct al_ota *o, const struct al_part *start);
int al_ota_mark_valid(struct al_ota *o);
int al_ota_mark_invalid(struct al_ota *o);
bool al_ota_rollback_possible(struct al_ota *o);
const struct al_part *al_ota_last_invalid(struct al_ota *o);
int al_ota_get_state(struct al_ota *o, const struct al_part *p, uint32_t *state);
int al_ota_erase_last_boot(struct al_ota *o);
int al_ota_invalidate_inactive(struct al_ota *o);
/* Chip, revision, flash mode against the running app (desc may be NULL):
 * AL_ERR_INVALID_ARG, AL_ERR_INVALID_VERSION, AL_ERR_OTA_SPI_MODE_MISMATCH. */
int al_ota_check_image(struct al_ota *o, uint8_t part_type, const struct al_image_header *h,
                       const struct al_app_desc *desc, const struct al_app_desc *running);
/* Verifies the image in p as the app does (any failure: AL_ERR_OTA_VALIDATE_FAILED). */
int al_ota_verify_part(struct al_ota *o, const struct al_part *p, struct al_image *out);

#endif
