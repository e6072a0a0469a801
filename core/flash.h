/* NOR flash: how the rest of core/ reaches it, and bounds-checked windows.
 *
 * Rules of the chip: erase sets whole 4096-byte sectors to ones; a program
 * clears bits only. An operation cut short leaves any mixture of old and new. */
#ifndef CORE_FLASH_H
#define CORE_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AL_SECTOR 0x1000u

/* Filled by the caller; must outlive every window over it. The callbacks are
 * called with addr + len <= size, len > 0. They return 0 or AL_ERR_*. */
struct al_flash {
    void *ctx;
    uint32_t size; /* bytes, a multiple of AL_SECTOR */
    int (*read)(void *ctx, uint32_t addr, void *dst, uint32_t len);
    int (*program)(void *ctx, uint32_t addr, const void *src, uint32_t len);
    int (*erase)(void *ctx, uint32_t addr, uint32_t len); /* both multiples of AL_SECTOR */
    /* Optional: memory-mapped reading. NULL, or a result of NULL: use read.
     * The pointer stays valid as long as the flash. */
    const uint8_t *(*map)(void *ctx, uint32_t addr, uint32_t len);
};

/* A part of a flash, usually a partition. Nothing outside can be reached. */
struct al_window {
    const struct al_flash *flash;
    uint32_t offset; /* bytes from the start of the flash */
    uint32_t size;
    bool readonly; /* program and erase give AL_ERR_NOT_ALLOWED */
};

/* The whole flash as a window. */
struct al_window al_window_all(const struct al_flash *f);

/* A part of w. AL_ERR_INVALID_SIZE when it does not lie inside. */
int al_window_sub(const struct al_window *w, uint32_t offset, uint32_t size, struct al_window *out);

/* off, len: bytes inside the window. AL_ERR_INVALID_ARG: off beyond the
 * window; AL_ERR_INVALID_SIZE: len beyond it (esp_partition's order and codes). len 0 is allowed.
 */
int al_window_read(const struct al_window *w, uint32_t off, void *dst, uint32_t len);
int al_window_program(const struct al_window *w, uint32_t off, const void *src, uint32_t len);
/* As esp_partition_erase_range: len no multiple of 4096 AL_ERR_INVALID_SIZE, off
 * AL_ERR_INVALID_ARG. */
int al_window_erase(const struct al_window *w, uint32_t off, uint32_t len);
/* Memory-mapped bytes, or NULL when the flash cannot or the range is outside. */
const uint8_t *al_window_map(const struct al_window *w, uint32_t off, uint32_t len);

#endif
