/* The mask ROM: first code after a reset. Finds and checks the boot loader.
 * Its lines have no time stamps. Source: logs of real chips; spec of the flash formats. */
#ifndef DEVICE_ROM_H
#define DEVICE_ROM_H

#include "device/device.h"
#include "device/uart.h"

struct rom_result {
    uint32_t offset;       /* of the boot loader that was started, in flash */
    struct al_image image; /* as verified */
    const char *config;    /* its "CONFIG_X=y" lines, in flash; NULL: a real chip's */
    uint32_t config_len;
};

/* Prints the banner and checks the boot loader, then the recovery boot loader if
 * eFuses name one. keys: Secure Boot V2, NULL when it is off. 0, or AL_FAIL: nothing
 * can be started and the chip stays here. */
int rom_start(struct device *d, struct uart *u, enum reset_reason reason,
              const struct al_trusted_keys *keys, struct rom_result *out);

/* "0x1 (POWERON)" as the chip's ROM writes it. */
void rom_reset_text(const struct al_chip *chip, enum reset_reason reason, char *out, size_t size);

#endif
