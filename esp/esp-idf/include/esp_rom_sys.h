/* Small things of the ROM. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
int esp_rom_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void esp_rom_delay_us(uint32_t us);
void esp_rom_software_reset_system(void) __attribute__((__noreturn__));
#define ets_printf   esp_rom_printf
#define ets_delay_us esp_rom_delay_us
#ifdef __cplusplus
}
#endif
