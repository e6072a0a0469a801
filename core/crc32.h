/* CRC-32, polynomial 0xedb88320 reflected, final xor 0xffffffff: zlib's
 * crc32(crc, data, len). The vendor's formats use two start values:
 *   0           signature blocks (the CRC-32 of ZIP)
 *   0xffffffff  otadata and NVS (esp_rom_crc32_le(0xffffffff, ...)) */
#ifndef CORE_CRC32_H
#define CORE_CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t al_crc32(uint32_t crc, const void *data, size_t len);

#endif
