/* The chips: numbers that the formats depend on. Source: esp_app_format.h,
 * esp_rom_caps.h, soc_caps.h, soc.h of each chip; esptool targets/. */
#ifndef CORE_CHIP_H
#define CORE_CHIP_H

#include <stdbool.h>
#include <stdint.h>

struct al_chip {
    uint16_t id;                  /* chip_id of the image header */
    const char *name;             /* "esp32c3", as idf.py set-target takes it */
    const char *title;            /* "ESP32-C3" */
    uint32_t bootloader_offset;   /* flash offset, bytes */
    bool mmu_page_configurable;   /* page size from the app description */
    uint8_t secure_boot_digests;  /* key digests in eFuse: 1 or 3 */
    uint8_t secure_version_bits;  /* size of the anti-rollback eFuse field */
    uint32_t drom_low, drom_high; /* flash-mapped data addresses, high exclusive */
    uint32_t irom_low, irom_high; /* flash-mapped code; equal to drom when shared */
};

const struct al_chip *al_chip_by_id(uint16_t id);        /* NULL: unknown */
const struct al_chip *al_chip_by_name(const char *name); /* NULL: unknown */
const struct al_chip *al_chip_at(unsigned index);        /* 0, 1, ...; NULL behind the last */

/* True when a segment with this load address is mapped from flash. */
bool al_chip_mapped(const struct al_chip *chip, uint32_t load_addr);

#endif
