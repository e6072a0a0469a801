/* Any bytes as a frame of the OTA cluster: what is taken is built again to bytes that mean
 * the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "zigbee/ota_frame.h"
#include "zigbee/zcl_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct al_zcl_frame z;
    struct al_zota_frame f, again;
    uint8_t out[AL_ZOTA_PAYLOAD_MAX], twice[AL_ZOTA_PAYLOAD_MAX];
    if (al_zcl_parse(&z, data, size)) return 0;
    if (al_zota_parse(z.command, z.payload, z.payload_len, &f)) return 0;
    if (f.command == AL_ZOTA_IMAGE_NOTIFY && !f.u.image_notify.whole) return 0;
    int n = al_zota_build(&f, out, sizeof out);
    if (n < 0 || (size_t)n > z.payload_len) abort();
    if (al_zota_parse(z.command, out, (size_t)n, &again)) abort();
    if (al_zota_build(&again, twice, sizeof twice) != n || memcmp(out, twice, (size_t)n) != 0)
        abort();
    return 0;
}
