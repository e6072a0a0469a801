/* A device directory in a temporary place, whose firmware is the test program
 * itself: started by a chip, main() calls test_device_firmware() first, which runs
 * the function that the image's app version names.
 *
 *   0x0      boot loader with the given configuration
 *   0x8000   table: nvs 0x9000, otadata 0xd000, phy_init 0xf000,
 *            ota_0 0x10000 and ota_1 0x800000, 8 MiB less 64 KiB each (16 MiB in all)
 * ESP32-C6, so that a program of several MiB can be mapped. */
#ifndef TESTS_SUPPORT_TEST_DEVICE_H
#define TESTS_SUPPORT_TEST_DEVICE_H

#include "device/chip.h"
#include "device/device.h"

#define TEST_DEVICE_OTADATA 0xd000u
#define TEST_DEVICE_OTA_0   0x10000u
#define TEST_DEVICE_OTA_1   0x800000u

struct test_firmware {
    const char *version;
    void (*run)(void);
};

/* In a firmware process: does not return. Elsewhere: does nothing. */
void test_device_firmware(const struct test_firmware *table);

struct test_device {
    char dir[64];
    char *output; /* of the last run, malloc'ed; stderr's notes are not in it */
    struct chip_report report;
};

/* config: boot loader's sdkconfig lines, may be "". ota_0 holds firmware ota_0, ota_1 likewise
 * or nothing when NULL; "real:FILE" takes an image file instead, "alien" is a program for
 * another machine, "NAME#3" has secure version 3. */
void test_device_new(struct test_device *t, const char *config, const char *ota_0,
                     const char *ota_1);
void test_device_free(struct test_device *t);

/* Bytes of flash.bin, while it does not run. */
void test_device_read(const struct test_device *t, uint32_t offset, void *dst, size_t len);
void test_device_write(const struct test_device *t, uint32_t offset, const void *src, size_t len);
/* Appends a line to device.conf. */
void test_device_conf(const struct test_device *t, const char *line);

/* Runs it; o->dir, input and output are set here. seconds defaults to 10. */
bool test_device_run(struct test_device *t, struct chip_options o);

/* A new device with one app and no configuration, run until a line matches. */
void test_device_new_until(struct test_device *t, const char *app, const char *until);

/* An entry of otadata, with the right CRC; and its state. */
void test_device_put_otadata(const struct test_device *t, uint32_t index, uint32_t seq,
                             uint32_t state);
uint32_t test_device_state(const struct test_device *t, uint32_t index);

/* Fails the test, with the output, when text is not (is) in the output of the last run. */
void test_device_has(const struct test_device *t, const char *text);
void test_device_has_not(const struct test_device *t, const char *text);
/* Times that text occurs in the output of the last run. */
unsigned test_device_count(const struct test_device *t, const char *text);

#endif
