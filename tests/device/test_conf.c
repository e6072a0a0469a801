#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "device/conf.h"
#include "host/file.h"

static struct device_conf conf;
static char why[200];

static int parse(const char *text)
{
    why[0] = 0;
    return device_conf_parse(text, strlen(text), "dev/device.conf", &conf, why, sizeof why);
}

static void refused(const char *text, const char *message)
{
    assert_int_equal(parse(text), AL_ERR_INVALID_ARG);
    assert_string_equal(why, message);
}

static void every_key_is_understood(void **state)
{
    assert_int_equal(parse("# a device\n\nchip = esp32c6\n  flash_size=8MB  \nrevision = v0.3\n"
                           "mac = 7c:df:a1:00:00:0A\nieee = 7c:df:a1:ff:fe:00:00:0a\r\n"
                           "gpio4 = 0\ngpio63 = 1\ngpio9 = float\nstrict = off\ntiming = real\n"
                           "net_rate = 250K\nradio = medium:/tmp/air\nagent = confirm\n"
                           "uart0 = pty\nuart1 = pty:console\nuart2 = tcp:7000\n"
                           "boot_loop_limit = 0\nrollback = yes\nanti_rollback = on\n"
                           "table_offset = 0x10000"),
                     0);
    static const uint8_t mac[6] = {0x7c, 0xdf, 0xa1, 0, 0, 0x0a};
    assert_string_equal(conf.chip->name, "esp32c6");
    assert_int_equal(conf.flash_size, 8 << 20);
    assert_int_equal(conf.revision, 3);
    assert_memory_equal(conf.mac, mac, 6);
    assert_true(conf.has_ieee);
    assert_int_equal(conf.gpio[4], 0);
    assert_int_equal(conf.gpio[63], 1);
    assert_int_equal(conf.gpio[9], GPIO_FLOAT);
    assert_int_equal(conf.gpio[5], GPIO_FLOAT);
    assert_false(conf.strict);
    assert_true(conf.real_timing);
    assert_int_equal(conf.net_rate, 250 << 10);
    assert_string_equal(conf.radio, "medium:/tmp/air");
    assert_string_equal(conf.uart[0], "pty");
    assert_string_equal(conf.uart[1], "pty:console");
    assert_string_equal(conf.uart[2], "tcp:7000");
    assert_int_equal(conf.agent, AGENT_CONFIRM);
    assert_int_equal(conf.boot_loop_limit, 0);
    assert_true(conf.rollback && conf.anti_rollback);
    assert_int_equal(conf.table_offset, 0x10000);
}

static void nothing_gives_the_defaults(void **state)
{
    assert_int_equal(parse(""), 0);
    assert_null(conf.chip);
    assert_true(conf.strict);
    assert_false(conf.real_timing);
    assert_int_equal(conf.agent, AGENT_IGNORE);
    assert_int_equal(conf.boot_loop_limit, 10);
    assert_int_equal(conf.table_offset, 0x8000);
    assert_int_equal(conf.gpio[0], GPIO_FLOAT);
}

static void errors_name_file_line_and_what_is_expected(void **state)
{
    refused("\n# x\nchip = esp99\n",
            "dev/device.conf:3: chip = 'esp99': expected the name of a chip, for example esp32c3");
    refused("chip\n", "dev/device.conf:1: expected 'key = value', found 'chip'");
    refused("colour = blue\n",
            "dev/device.conf:1: unknown key 'colour'; docs/device.md lists the keys");
    refused("gpio4 = 0\ngpio4 = 1\n", "dev/device.conf:2: 'gpio4' stands here a second time");
    refused("strict = on\nstrict = on\n", "dev/device.conf:2: 'strict' stands here a second time");
    refused("gpio64 = 1\n", "dev/device.conf:1: 'gpio64': expected gpio0 to gpio63");
    refused("gpio = 1\n", "dev/device.conf:1: 'gpio': expected gpio0 to gpio63");
    refused("gpio1x = 1\n", "dev/device.conf:1: 'gpio1x': expected gpio0 to gpio63");
    refused("gpio4 = 2\n", "dev/device.conf:1: gpio4 = '2': expected 0, 1 or float");
    refused("table_offset = 0x8800\n", "dev/device.conf:1: table_offset = '0x8800': expected a "
                                       "flash offset, a multiple of 0x1000");
}

static void malformed_values_are_refused(void **state)
{
    static const char *const bad[] = {"flash_size = 4GB",
                                      "flash_size = -4",
                                      "flash_size = 5000M",
                                      "flash_size =",
                                      "mac = 7c:df:a1:00:00",
                                      "mac = 7cdfa1000001",
                                      "mac = 7c:df:a1:00:00:0g",
                                      "mac = 7c:df:a1:00:00:01:02",
                                      "revision = 1.2.3",
                                      "revision = x",
                                      "revision = 99999",
                                      "agent = maybe",
                                      "radio = air",
                                      "uart1 = serial",
                                      "uart1 = pty:",
                                      "uart1 = tcp:",
                                      "timing = slow",
                                      "net_rate = 18446744073709551616"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (parse(bad[i]) == 0) fail_msg("accepted: %s", bad[i]);
    }
}

static void long_lines_and_nul_bytes_are_refused(void **state)
{
    char text[400];
    memset(text, 'a', sizeof text);
    assert_int_equal(device_conf_parse(text, sizeof text, "c", &conf, why, sizeof why),
                     AL_ERR_INVALID_ARG);
    assert_int_equal(device_conf_parse("gpio4\0 = 1", 10, "c", &conf, why, sizeof why),
                     AL_ERR_INVALID_ARG);
}

static void set_replaces_one_line_and_keeps_the_rest(void **state)
{
    char dir[] = "/tmp/airlift-conf-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/device.conf", dir);
    const char *text = "# mine\ngpio4 = 1\ngpio44 = 1";
    assert_int_equal(file_write(path, text, strlen(text), 0644), 0);
    assert_int_equal(device_conf_set(dir, "gpio4", "0"), 0);
    uint8_t *now;
    size_t len;
    assert_int_equal(file_read(path, 1000, &now, &len), 0);
    assert_string_equal((char *)now, "# mine\ngpio44 = 1\ngpio4 = 0\n");
    free(now);
    assert_int_equal(device_conf_read(dir, &conf, why, sizeof why), 0);
    assert_int_equal(conf.gpio[4], 0);
    unlink(path);
    rmdir(dir);
    assert_int_equal(device_conf_read(dir, &conf, why, sizeof why), AL_ERR_INVALID_ARG);
    assert_non_null(strstr(why, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_understood),
        cmocka_unit_test(nothing_gives_the_defaults),
        cmocka_unit_test(errors_name_file_line_and_what_is_expected),
        cmocka_unit_test(malformed_values_are_refused),
        cmocka_unit_test(long_lines_and_nul_bytes_are_refused),
        cmocka_unit_test(set_replaces_one_line_and_keeps_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
