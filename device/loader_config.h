/* What the boot loader in flash was built with. Airlift's own carries its sdkconfig
 * lines; of a real chip's nothing can be read, so device.conf says it. */
#ifndef DEVICE_LOADER_CONFIG_H
#define DEVICE_LOADER_CONFIG_H

#include "core/secure_boot.h"
#include "device/conf.h"

struct loader_pin {
    bool on;
    unsigned pin;
    uint8_t level; /* that counts as held */
};

struct loader_config {
    bool foreign; /* a real chip's boot loader */
    uint32_t table_offset;
    bool rollback, anti_rollback;
    bool skip_always, skip_on_power_on, skip_in_deep_sleep;
    bool secure_boot; /* V2, burnt into the eFuses at the first start */
    bool ecdsa;       /* its scheme */
    struct loader_pin factory_reset, test;
    char erase_labels[64];
    bool erase_otadata;
    int log_level;        /* 0 none, 1 E, 2 W, 3 I, 4 D, 5 V */
    uint32_t watchdog_ms; /* 0: off */
};

/* config NULL: a foreign boot loader. */
void loader_config_read(const char *config, size_t len, const struct device_conf *conf,
                        struct loader_config *out);

#endif
