/* From reset to the choice of a program: mask ROM, then the second stage boot
 * loader (core/boot.h) with its log on UART 0. */
#ifndef DEVICE_BOOT_RUN_H
#define DEVICE_BOOT_RUN_H

#include "core/boot.h"
#include "device/device.h"
#include "device/loader_config.h"
#include "device/rom.h"

enum boot_end {
    BOOT_STARTED,   /* result.part and result.image are set */
    BOOT_NO_LOADER, /* the ROM found nothing to start; nothing but flashing helps */
    BOOT_NO_APP,    /* the boot loader resets the chip */
    BOOT_POWER      /* the power went away */
};

struct boot_run {
    struct device *device;
    struct uart *uart;
    struct rom_result rom;
    struct loader_config loader;
    struct al_boot_result result;
};

/* One reset, for the reason that device->control names. Leaves in the control page what
 * a firmware wants to know of its boot loader. */
enum boot_end boot_run(struct boot_run *b);

/* A line of the boot loader's log, at the time it is now. */
void boot_log(struct boot_run *b, char level, const char *tag, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
