/* device.conf, and flash_args: any text is understood or refused with its line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "device/conf.h"
#include "device/flash_args.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct flash_args args;
    struct device_conf conf;
    char why[200] = "";
    const char *text = (const char *)data;
    if (device_conf_parse(text, size, "conf", &conf, why, sizeof why) == 0) {
        for (unsigned i = 0; i < CONTROL_GPIOS; i++)
            if (conf.gpio[i] > GPIO_FLOAT) abort();
        if (conf.table_offset % 0x1000) abort();
        if (memchr(conf.radio, 0, sizeof conf.radio) == NULL) abort();
    } else if (strncmp(why, "conf:", 5) != 0) {
        abort();
    }
    why[0] = 0;
    if (flash_args_parse(text, size, "args", &args, why, sizeof why)) {
        if (strncmp(why, "args:", 5) != 0) abort();
    } else {
        for (uint32_t i = 0; i < args.count; i++)
            if (args.part[i].path[0] == 0) abort();
    }
    return 0;
}
