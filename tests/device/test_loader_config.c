#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "device/loader_config.h"

static struct loader_config c;

static void read_text(const char *text)
{
    struct device_conf conf;
    device_conf_defaults(&conf);
    loader_config_read(text, strlen(text), &conf, &c);
}

static void lines_of_sdkconfig_are_obeyed(void **state)
{
    read_text("CONFIG_IDF_TARGET=\"esp32c3\"\n"
              "CONFIG_PARTITION_TABLE_OFFSET=0xc000\n"
              "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n"
              "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y\n"
              "CONFIG_BOOTLOADER_LOG_LEVEL=4\n"
              "CONFIG_BOOTLOADER_WDT_TIME_MS=1500\n"
              "CONFIG_BOOTLOADER_FACTORY_RESET=y\n"
              "CONFIG_BOOTLOADER_NUM_PIN_FACTORY_RESET=9\n"
              "CONFIG_BOOTLOADER_FACTORY_RESET_PIN_HIGH=y\n"
              "CONFIG_BOOTLOADER_DATA_FACTORY_RESET=\"nvs, storage\"\n"
              "CONFIG_BOOTLOADER_OTA_DATA_ERASE=y\n"
              "CONFIG_SECURE_BOOT_V2_ENABLED=y\n"
              "CONFIG_SECURE_SIGNED_APPS_ECDSA_V2_SCHEME=y\n");
    assert_false(c.foreign);
    assert_int_equal(c.table_offset, 0xc000);
    assert_true(c.rollback && c.anti_rollback && c.secure_boot && c.ecdsa && c.erase_otadata);
    assert_int_equal(c.log_level, 4);
    assert_int_equal(c.watchdog_ms, 1500);
    assert_true(c.factory_reset.on);
    assert_int_equal(c.factory_reset.pin, 9);
    assert_int_equal(c.factory_reset.level, 1);
    assert_string_equal(c.erase_labels, "nvs, storage");
    assert_false(c.test.on || c.skip_always || c.skip_on_power_on || c.skip_in_deep_sleep);
}

static void defaults_are_the_vendor_s(void **state)
{
    read_text("");
    assert_int_equal(c.table_offset, 0x8000);
    assert_false(c.rollback || c.anti_rollback || c.secure_boot || c.factory_reset.on);
    assert_int_equal(c.factory_reset.pin, 4);
    assert_int_equal(c.test.pin, 18);
    assert_int_equal(c.log_level, 3);
    assert_int_equal(c.watchdog_ms, 9000);
    assert_string_equal(c.erase_labels, "nvs");
}

/* Kconfig gives the time only with the watchdog. */
static void whole_configuration_without_watchdog_time_has_none(void **state)
{
    read_text("CONFIG_IDF_TARGET=\"esp32c3\"\n");
    assert_int_equal(c.watchdog_ms, 0);
}

static void foreign_boot_loader_follows_device_conf(void **state)
{
    struct device_conf conf;
    device_conf_defaults(&conf);
    conf.anti_rollback = true;
    conf.table_offset = 0x10000;
    loader_config_read(NULL, 0, &conf, &c);
    assert_true(c.foreign && c.anti_rollback);
    assert_true(c.rollback); /* anti-rollback needs it */
    assert_int_equal(c.table_offset, 0x10000);
    assert_int_equal(c.watchdog_ms, 9000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_sdkconfig_are_obeyed),
        cmocka_unit_test(defaults_are_the_vendor_s),
        cmocka_unit_test(whole_configuration_without_watchdog_time_has_none),
        cmocka_unit_test(foreign_boot_loader_follows_device_conf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
