/* The flash chip: a file or memory with NOR rules, power cuts and timing.
 *
 *   erase    whole 4096-byte sectors (32/64-KiB blocks are used when a range
 *            covers them: it matters for the time and is one operation each)
 *   program  clears bits; at most a 256-byte page is one operation
 *
 * An operation is counted, and torn when its number is that of the power cut:
 * a page is programmed up to some byte, with some bits of that byte; a sector is
 * erased in part: each byte old, ones, or between. From then on every call gives
 * AL_ERR_POWER until nor_flash_power_on(). */
#ifndef DEVICE_NOR_FLASH_H
#define DEVICE_NOR_FLASH_H

#include "core/flash.h"

enum nor_tear {                  /* what a cut leaves of the operation it hits */
                NOR_TEAR_SEEDED, /* by seed: any of the following, at a seeded byte */
                NOR_TEAR_NONE,   /* nothing was done */
                NOR_TEAR_PREFIX, /* bytes before cut_byte are done */
                NOR_TEAR_MIXED   /* done before cut_byte; at it and behind it random bits */
};

/* Power and accounting. Lies in the device's control page, so that it is
 * shared by the boot loader and the firmware, or in a test. */
struct nor_power {
    uint64_t ops;    /* operations since the power came on */
    uint64_t cut_at; /* 1 = the first operation from power on; 0: no cut */
    uint64_t seed;
    uint32_t tear;                         /* enum nor_tear */
    uint32_t cut_byte;                     /* for PREFIX and MIXED */
    uint32_t off;                          /* set: the power is gone */
    uint32_t cut_addr, cut_len, cut_erase; /* the operation that was hit */
    uint64_t bytes_programmed, sectors_erased;
};

/* Called instead of the default report when strict finds that a program would
 * set bits (default: message on stderr with address and caller, then abort). */
typedef void nor_defect_fn(void *ctx, uint32_t addr, uint8_t old, uint8_t wanted,
                           const void *caller);

struct nor_flash {
    struct al_flash flash;   /* what core/ takes */
    uint8_t *bytes;          /* the chip's content, writable mapping */
    const uint8_t *readable; /* read-only mapping of the same, for map() */
    struct nor_power *power;
    struct nor_power own_power; /* used when no shared one is given */
    bool strict;                /* true after open: NOR violations are defects */
    bool real_timing;           /* sleep as a chip would be busy */
    bool writes_off;            /* read-only view of a file */
    nor_defect_fn *on_defect;
    void *defect_ctx;
    /* Called at the end of the operation in which the power went away, if set. */
    void (*on_power_cut)(void);
    void *mutex; /* internal */
    int fd;
};

/* In memory, erased. size: bytes, a multiple of 4096. 0 or AL_ERR_NO_MEM. */
int nor_flash_memory(struct nor_flash *n, uint32_t size);
/* A file, shared. The file's length is the size: 64 KiB..16 MiB, a multiple of
 * 4096. power: shared accounting, or NULL. 0 or -errno. */
int nor_flash_file(struct nor_flash *n, int fd, bool writable, struct nor_power *power);
void nor_flash_close(struct nor_flash *n);

/* Sets bytes without rules, counting or timing (tests, tools). */
void nor_flash_fill(struct nor_flash *n, uint32_t addr, const void *data, uint32_t len);
/* Power cut at the nth operation from now. */
void nor_flash_cut_at(struct nor_flash *n, uint64_t nth);
void nor_flash_power_on(struct nor_flash *n);

#endif
