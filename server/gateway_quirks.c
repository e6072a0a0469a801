/* What is known of makers' OTA clients, beyond what they say themselves. Block sizes and
 * patience are those that zigbee2mqtt came to use with these devices. */
#include "server/gateway_impl.h"

static const struct {
    uint16_t manufacturer;
    uint8_t max_block;    /* bytes; 0: what the client asks for */
    uint16_t stall_limit; /* s; 0: the default */
    bool seconds;         /* reads MinimumBlockPeriod as seconds */
} quirks[] = {
    {0x1021, 0, 1800, false}, /* Legrand */
    {0x1135, 40, 0, false},   /* dresden elektronik */
    {0x1141, 0, 0, true},     /* Telink */
    {0x117a, 40, 0, false},   /* Insta */
    {0x1209, 0, 3600, false}, /* Bosch */
};

void gateway_quirks(uint16_t manufacturer, struct al_zota_device *d)
{
    for (size_t i = 0; i < sizeof quirks / sizeof *quirks; i++) {
        if (quirks[i].manufacturer != manufacturer) continue;
        d->max_block = quirks[i].max_block;
        d->stall_limit = quirks[i].stall_limit;
        d->period_in_seconds = quirks[i].seconds;
    }
}
