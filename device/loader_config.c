/* Boot loader configuration. Names are those of the vendor's Kconfig. */
#include "device/loader_config.h"

#include <string.h>

#include "core/part_table.h"
#include "host/sdkconfig.h"

#define WATCHDOG_MS 9000u /* BOOTLOADER_WDT_TIME_MS */
#define LEVEL_INFO  3

struct text {
    const char *at;
    size_t len;
};

static bool is_on(const struct text *t, const char *name)
{
    return sdkconfig_bool(t->at, t->len, name);
}

static uint32_t number(const struct text *t, const char *name, long fallback)
{
    return (uint32_t)sdkconfig_int(t->at, t->len, name, fallback);
}

static bool is_given(const struct text *t, const char *name)
{
    char value[64];
    return sdkconfig_get(t->at, t->len, name, value, sizeof value);
}

static void read_pins(const struct text *t, struct loader_config *out)
{
    out->factory_reset = (struct loader_pin){
        .on = is_on(t, "BOOTLOADER_FACTORY_RESET"),
        .pin = number(t, "BOOTLOADER_NUM_PIN_FACTORY_RESET", 4),
        .level = is_on(t, "BOOTLOADER_FACTORY_RESET_PIN_HIGH"),
    };
    out->test = (struct loader_pin){
        .on = is_on(t, "BOOTLOADER_APP_TEST"),
        .pin = number(t, "BOOTLOADER_NUM_PIN_APP_TEST", 18),
        .level = is_on(t, "BOOTLOADER_APP_TEST_PIN_HIGH"),
    };
    if (!sdkconfig_get(t->at, t->len, "BOOTLOADER_DATA_FACTORY_RESET", out->erase_labels,
                       sizeof out->erase_labels))
        strcpy(out->erase_labels, "nvs");
    out->erase_otadata = is_on(t, "BOOTLOADER_OTA_DATA_ERASE");
}

void loader_config_read(const char *config, size_t len, const struct device_conf *conf,
                        struct loader_config *out)
{
    const struct text t = {config, len};
    *out = (struct loader_config){
        .foreign = !config, .log_level = LEVEL_INFO, .watchdog_ms = WATCHDOG_MS};
    strcpy(out->erase_labels, "nvs");
    if (!config) {
        out->table_offset = conf->table_offset;
        out->rollback = conf->rollback || conf->anti_rollback;
        out->anti_rollback = conf->anti_rollback;
        return;
    }
    out->table_offset = number(&t, "PARTITION_TABLE_OFFSET", AL_PART_TABLE_OFFSET);
    out->rollback = is_on(&t, "BOOTLOADER_APP_ROLLBACK_ENABLE");
    out->anti_rollback = is_on(&t, "BOOTLOADER_APP_ANTI_ROLLBACK");
    out->skip_always = is_on(&t, "BOOTLOADER_SKIP_VALIDATE_ALWAYS");
    out->skip_on_power_on = is_on(&t, "BOOTLOADER_SKIP_VALIDATE_ON_POWER_ON");
    out->skip_in_deep_sleep = is_on(&t, "BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP");
    out->secure_boot = is_on(&t, "SECURE_BOOT_V2_ENABLED");
    out->ecdsa = is_on(&t, "SECURE_SIGNED_APPS_ECDSA_V2_SCHEME");
    out->log_level = (int)number(&t, "BOOTLOADER_LOG_LEVEL", LEVEL_INFO);
    /* Kconfig writes the time only when the watchdog is on. */
    uint32_t fallback = is_given(&t, "IDF_TARGET") ? 0 : WATCHDOG_MS;
    out->watchdog_ms = number(&t, "BOOTLOADER_WDT_TIME_MS", (long)fallback);
    read_pins(&t, out);
}
