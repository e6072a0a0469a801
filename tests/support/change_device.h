/* A device with data partitions, for tests of change sets: an ota_device with
 *
 *   0x10000  ota_0   16 KiB, runs version 1.1.0, confirmed
 *   0x18000  ota_1   96 KiB, version 1.2.0 at its begin: the set's slot
 *   0x30000  tones   12 KiB     0x33000  texts    8 KiB
 *   0x38000  spare   32 KiB, to stage in
 *
 * Contents differ in every sector and have blank pages, which keeps sweeps short. */
#ifndef TESTS_SUPPORT_CHANGE_DEVICE_H
#define TESTS_SUPPORT_CHANGE_DEVICE_H

#include "core/change.h"
#include "tests/support/ota_device.h"

#define CHANGE_SLOT_0 0x10000u
#define CHANGE_SLOT_1 0x18000u
#define CHANGE_TONES  0x30000u
#define CHANGE_TEXTS  0x33000u
#define CHANGE_SPARE  0x38000u
#define CHANGE_TAIL   0x1c000u /* in ota_1, behind the image */

struct change_device {
    struct ota_device dev;
    struct al_window area; /* whose end takes the record: spare, or ota_1 */
    uint32_t staged;       /* flash offset of the first staged content */
};

/* in_slot: staged behind the new app, else in spare. */
void change_device_new(struct change_device *d, bool in_slot);
void change_device_free(struct change_device *d);

/* Writes the new contents to staging through the flash's operations, and describes them. */
int change_device_stage(struct change_device *d, struct al_change_set *set, uint32_t parts);

/* Which contents the partitions have: 'o' old, 'n' new, '?' neither, one letter each
 * ("oo", "nn", ...). */
const char *change_device_contents(struct change_device *d);

/* Reset: boot loader, recovery with its restarts. Gives the label of the slot that runs. */
const char *change_device_start(struct change_device *d);
#endif
