#include "zigbee/status.h"

#include <stddef.h>

const char *al_zb_status_name(enum al_zb_status status)
{
    static const char *const names[] = {
        [AL_ZB_OK] = "OK",
        [AL_ZB_NO_ACK] = "NO_ACK",
        [AL_ZB_CHANNEL_BUSY] = "CHANNEL_BUSY",
        [AL_ZB_EXPIRED] = "EXPIRED",
        [AL_ZB_NO_DATA] = "NO_DATA",
        [AL_ZB_NO_ROUTE] = "NO_ROUTE",
        [AL_ZB_NO_NETWORK] = "NO_NETWORK",
        [AL_ZB_PAN_FULL] = "PAN_FULL",
        [AL_ZB_DENIED] = "DENIED",
        [AL_ZB_CONFLICT] = "CONFLICT",
        [AL_ZB_TIMEOUT] = "TIMEOUT",
        [AL_ZB_SECURITY] = "SECURITY",
        [AL_ZB_NOT_THERE] = "NOT_THERE",
        [AL_ZB_RADIO] = "RADIO",
    };
    return (size_t)status < sizeof names / sizeof *names ? names[status] : "?";
}
