/* Makes device directories: all of it, or nothing. */
#ifndef DEVICE_CREATE_H
#define DEVICE_CREATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeros and NULL mean the defaults. */
struct device_spec {
    const char *dir;
    const char *from;                 /* build directory: its flash_args says what lies where */
    const char *flash;                /* or a whole flash, as read from a chip */
    const char *chip;                 /* default: what the boot loader is for */
    uint32_t flash_size;              /* bytes; default: flash_args, the file's, else 4 MiB */
    const char *mac, *ieee;           /* default: random with the vendor's prefix; ieee from mac */
    const char *revision;             /* default: a usual one of the chip */
    const char *efuse_block_revision; /* default: a usual one */
    uint32_t secure_version;
    bool force; /* replace an existing device */
};

/* 0, or AL_FAIL with a sentence for the user in why. */
int device_create(const struct device_spec *s, char *why, size_t why_size);

#endif
