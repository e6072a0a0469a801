#include "esp_random.h"

#include <sys/random.h>

#include "device/board.h"

void esp_fill_random(void *buf, size_t len)
{
    uint8_t *p = buf;
    while (len) {
        ssize_t n = getrandom(p, len, 0);
        if (n <= 0) board_panic("the host gives no random numbers");
        p += n;
        len -= (size_t)n;
    }
}

uint32_t esp_random(void)
{
    uint32_t value;
    esp_fill_random(&value, sizeof value);
    return value;
}
