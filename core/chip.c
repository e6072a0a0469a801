#include "core/chip.h"

#include <string.h>

/* clang-format off */
static const struct al_chip chips[] = {
    /*  id  name        title       loader  mmu    digests bits  drom                    irom */
    {   0, "esp32",    "ESP32",     0x1000, false, 1, 32, 0x3f400000, 0x3f800000, 0x400d0000, 0x40400000},
    {   2, "esp32s2",  "ESP32-S2",  0x1000, false, 3, 16, 0x3f000000, 0x3ff80000, 0x40080000, 0x40800000},
    {   5, "esp32c3",  "ESP32-C3",  0x0000, false, 3, 16, 0x3c000000, 0x3c800000, 0x42000000, 0x42800000},
    {   9, "esp32s3",  "ESP32-S3",  0x0000, false, 3, 16, 0x3c000000, 0x3e000000, 0x42000000, 0x44000000},
    {  12, "esp32c2",  "ESP32-C2",  0x0000, true,  1,  4, 0x3c000000, 0x3c400000, 0x42000000, 0x42400000},
    {  13, "esp32c6",  "ESP32-C6",  0x0000, true,  3, 16, 0x42000000, 0x43000000, 0x42000000, 0x43000000},
    {  16, "esp32h2",  "ESP32-H2",  0x0000, true,  3, 16, 0x42000000, 0x43000000, 0x42000000, 0x43000000},
    {  18, "esp32p4",  "ESP32-P4",  0x2000, false, 3, 16, 0x40000000, 0x44000000, 0x40000000, 0x44000000},
    {  20, "esp32c61", "ESP32-C61", 0x0000, true,  3, 16, 0x42000000, 0x44000000, 0x42000000, 0x44000000},
    {  23, "esp32c5",  "ESP32-C5",  0x2000, false, 3,  9, 0x42000000, 0x44000000, 0x42000000, 0x44000000},
    {  25, "esp32h21", "ESP32-H21", 0x0000, true,  3, 16, 0x42000000, 0x43000000, 0x42000000, 0x43000000},
    {  28, "esp32h4",  "ESP32-H4",  0x2000, true,  3, 16, 0x42000000, 0x44000000, 0x42000000, 0x44000000},
    /* Known to esptool only: nothing of it is mapped here. */
    {  31, "esp32e22", "ESP32-E22", 0x0000, false, 3, 16, 0, 0, 0, 0},
    {  32, "esp32s31", "ESP32-S31", 0x2000, true,  3, 16, 0x40000000, 0x44000000, 0x40000000, 0x44000000},
};
/* clang-format on */

const struct al_chip *al_chip_at(unsigned index)
{
    return index < sizeof chips / sizeof *chips ? &chips[index] : NULL;
}

const struct al_chip *al_chip_by_id(uint16_t id)
{
    const struct al_chip *c;
    for (unsigned i = 0; (c = al_chip_at(i)); i++)
        if (c->id == id) break;
    return c;
}

const struct al_chip *al_chip_by_name(const char *name)
{
    const struct al_chip *c;
    for (unsigned i = 0; (c = al_chip_at(i)); i++)
        if (strcmp(c->name, name) == 0) break;
    return c;
}

bool al_chip_mapped(const struct al_chip *chip, uint32_t load_addr)
{
    return (load_addr >= chip->drom_low && load_addr < chip->drom_high) ||
           (load_addr >= chip->irom_low && load_addr < chip->irom_high);
}
