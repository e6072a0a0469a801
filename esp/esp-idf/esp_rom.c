/* Small things of the ROM and of lwIP's system layer. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "core/crc32.h"
#include "device/board.h"
#include "esp_rom_crc.h"
#include "esp_rom_sys.h"
#include "lwip/sys.h"

int esp_rom_printf(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vprintf(fmt, args);
    va_end(args);
    return n;
}

/* Busy on the chip; here the thread sleeps when it is worth it. */
void esp_rom_delay_us(uint32_t us)
{
    uint64_t end = board_uptime_us() + us;
    if (us > 200) {
        struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
        nanosleep(&t, NULL);
    }
    while (board_uptime_us() < end) continue;
}

uint32_t esp_rom_crc32_le(uint32_t crc, const uint8_t *buf, uint32_t len)
{
    return al_crc32(crc, buf, len);
}

uint32_t sys_now(void)
{
    return (uint32_t)(board_uptime_us() / 1000);
}
