/* A flash image as a device: its boot loader, and the OTA calls of the app that the
 * boot loader started. What `airlift boot` and `airlift api` share. */
#ifndef CLI_FLASH_DEVICE_H
#define CLI_FLASH_DEVICE_H

#include "cli/cli.h"
#include "core/boot.h"
#include "host/flash_image.h"
#include "host/vendor_log.h"

struct flash_device {
    struct flash_image *image;
    struct al_boot_config boot;
    struct al_boot_result result; /* of the last reset */
    struct al_ota ota;            /* running: what the last reset started */
    uint32_t efuse_version;       /* secure version */
    struct al_secure_version version;
    struct al_trusted_keys keys;
    bool as_built; /* rollback options come from the boot loader in the flash */
    /* May be NULL. Every line of the log but the list of partitions, in order; ctx for both. */
    void *ctx;
    void (*line)(void *ctx, const struct vendor_line *line);
    void (*boot_event)(void *ctx, const struct al_boot_event_args *a);
};

/* The options of both commands; end the list of a command with them. */
#define FLASH_DEVICE_OPTIONS                                                                      \
    {"--rollback", NULL,                                                                          \
     "the boot loader was built with rollback; default: as the one in the flash says, else no",   \
     false},                                                                                      \
        {"--anti-rollback", NULL, "the boot loader was built with anti-rollback (and rollback)",  \
         false},                                                                                  \
        {"--efuse", "FILE", "eFuses of a virtual device: chip, revisions, secure version, keys",  \
         false},                                                                                  \
        {"--secure-version", "N", "secure version in the eFuses", false},                         \
        {"--chip-id", "N", "chip id of the device; default: that of the first image", false},     \
        {"--chip-rev", "N", "chip revision, major * 100 + minor", false},                         \
        {"--efuse-block-rev", "N", "eFuse block revision, major * 100 + minor", false},           \
        {"--table-offset", "X", "offset of the partition table; default 0x8000", false},          \
    {                                                                                             \
        "--write", NULL, "change the flash image (and the eFuse file) as the device would", false \
    }

/* Over an open image. ids->chip NULL: what the image itself suggests. d must not be
 * moved afterwards. */
void flash_device_init(struct flash_device *d, struct flash_image *image,
                       const struct al_device_ids *ids);

/* Opens operand 0 and takes the options. CLI_OK, or the exit status after a message; then
 * there is nothing to close. */
int flash_device_open(const struct cli_args *a, struct flash_image *image, struct flash_device *d);
/* With --write: replaces the file by the flash as it is now, and raises the secure
 * version in the eFuse file. Gives the exit status. */
int flash_device_save(const struct cli_args *a, struct flash_device *d);

/* Replaces the file of an image by what is in memory; not the flash of a device that
 * runs, which would go on with the old file. Gives the exit status, after a message. */
int flash_device_replace(const struct flash_image *image);

/* One reset. As al_boot; ota then belongs to the app that runs. */
int flash_device_reset(struct flash_device *d);

/* Both otadata entries as they are now: erased ones when there is no otadata. */
void flash_device_otadata(const struct flash_device *d, struct al_ota_entry e[2]);

/* "NEW", "PENDING_VERIFY", ..., "UNDEFINED"; "unknown". */
const char *ota_state_name(uint32_t state);
/* [{seq, state, crc, crc_ok, state_name}, ...] */
cJSON *ota_entries_json(const struct al_ota_entry e[2]);

/* Prints a list of strings of doc, one a line, each behind indent. */
void print_strings(const cJSON *doc, const char *key, const char *indent);

/* A warning when slots cannot be reached because their numbers have a hole: false, no hole. */
bool ota_slots_have_hole(const struct al_part_table *t, char *text, size_t size);

#endif
