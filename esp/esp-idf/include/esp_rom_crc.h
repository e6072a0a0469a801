/* CRC-32 (reflected 0x04c11db7); crc: the value so far, 0 at first. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
uint32_t esp_rom_crc32_le(uint32_t crc, const uint8_t *buf, uint32_t len);
#ifdef __cplusplus
}
#endif
