/* A small device for tests of boot and update: NOR flash in memory with a partition
 * table, the vectors' ESP32-C6 images in its slots, a boot loader and an app side.
 *
 *   0x8000 table    0xd000 otadata (0x2000)    0x10000 first app, 16 KiB each */
#ifndef TESTS_SUPPORT_OTA_DEVICE_H
#define TESTS_SUPPORT_OTA_DEVICE_H

#include "core/boot.h"
#include "device/nor_flash.h"

#define OTA_DEVICE_FLASH   0x40000u
#define OTA_DEVICE_OTADATA 0xd000u
#define OTA_DEVICE_APP     0x10000u
#define OTA_DEVICE_SLOT    0x4000u
#define OTA_DEVICE_EVENTS  64u

#define IMAGE_1_0 "app_1.0.0.bin"
#define IMAGE_1_1 "app_1.1.0.bin"
#define IMAGE_1_2 "app_1.2.0.bin"

struct ota_device {
    struct nor_flash nor;
    struct al_part_table table;
    struct al_boot_config boot;
    struct al_boot_result result;
    struct al_ota ota;
    uint32_t efuse; /* secure version */
    struct al_secure_version version;
    /* Events of the last boot, and of calls since then. */
    uint32_t boot_events[OTA_DEVICE_EVENTS], boot_event_count;
    uint32_t ota_events[OTA_DEVICE_EVENTS], ota_event_count;
};

/* layout: names of the app partitions in order, "factory ota_0 ota_1 test"; a name
 * may be repeated. otadata, nvs and phy_init are always there. Flash violations fail the test. */
void ota_device_new(struct ota_device *d, const char *layout);
void ota_device_free(struct ota_device *d);

/* Adds a row to the table (written by ota_device_write_table). */
struct al_part *ota_device_add(struct ota_device *d, uint8_t type, uint8_t subtype,
                               const char *label, uint32_t offset, uint32_t size);
void ota_device_write_table(struct ota_device *d);

/* By label; fails the test when there is none. */
const struct al_part *ota_device_part(struct ota_device *d, const char *label);
void ota_device_put_image(struct ota_device *d, const char *label, const char *image);
void ota_device_put_entry(struct ota_device *d, uint32_t index, uint32_t seq, uint32_t state);
void ota_device_entries(struct ota_device *d, struct al_ota_entry e[2]);

/* Reset. Label of what started, or "nothing". The power must be on. */
const char *ota_device_boot(struct ota_device *d);
bool ota_device_had_boot_event(const struct ota_device *d, enum al_boot_event event);
bool ota_device_had_ota_event(const struct ota_device *d, enum al_ota_event event);

#endif
