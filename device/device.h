/* A device directory, opened: flash.bin, efuse.bin, device.conf, and while it
 * runs run/control and run/lock. */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include <limits.h>

#include "device/conf.h"
#include "device/control.h"
#include "device/efuse.h"
#include "device/nor_flash.h"

#define DEVICE_DIR_MAX 256u /* what struct board can hold */

enum device_use {
    DEVICE_LOOK, /* read only, whether it runs or not */
    DEVICE_RUN   /* be its chip: exclusive, with a fresh control page */
};

struct device {
    char dir[DEVICE_DIR_MAX]; /* absolute */
    struct device_conf conf;
    struct al_device_ids ids; /* of efuse */
    struct nor_flash nor;
    struct efuse efuse;
    struct control *control; /* DEVICE_RUN */
    int control_fd, lock_fd;
};

/* 0, or AL_FAIL with a sentence for the user in why. What does not agree
 * (flash size, chip, ...) is refused. The struct must not move while open. */
int device_open(struct device *d, const char *dir, enum device_use use, char *why, size_t why_size);
void device_close(struct device *d);
/* Flash, eFuses and control page have the length that is mapped. A firmware can cut the
 * files short; reading the mapping then ends the reader. */
bool device_is_whole(const struct device *d);

/* True while some chip process runs this directory. */
bool device_is_running(const char *dir);

#endif
