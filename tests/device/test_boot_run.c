/* From reset to the program: mask ROM, boot loader, and what they obey. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/ota_data.h"
#include "device/board.h"
#include "host/crypto_openssl.h"
#include "host/image_sign.h"
#include "tests/support/test_device.h"

/* --- firmware --- */

static void fw_hello(void)
{
    board()->control->app_started = 1;
    printf("reset reason %u\nhello\n", board()->control->reset_reason);
}

static void fw_restart(void)
{
    board_reset(RESET_PANIC);
}

static const struct test_firmware firmware[] = {{"hello", fw_hello}, {"crash", fw_restart}, {0}};

/* --- tests --- */

static void boot_log_reads_as_the_chip_s(void **state)
{
    struct test_device t;
    test_device_new_until(&t, "hello", "^hello$");
    static const char *const lines[] = {
        "ESP-ROM:esp32c6-20220919\nBuild:Sep 19 2022\n",
        "\nrst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\n",
        "boot: ESP-IDF v6.2-test 2nd stage bootloader\n",
        "boot: compile time Jan  2 2026 10:20:30\n",
        "boot: chip revision: v0.1\n",
        "boot: efuse block revision: v0.1\n",
        "boot.esp32c6: SPI Mode       : DIO\n",
        "boot.esp32c6: SPI Flash Size : 16MB\n",
        "boot:  3 ota_0            OTA app          00 10 00010000 007f0000\n",
        "boot: End of partition table\n",
        "boot: No factory image, trying OTA 0\n",
        "boot: Loaded app from partition at offset 0x10000\n",
        "firmware hello\n",
        "reset reason 1\nhello\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) test_device_has(&t, lines[i]);
    assert_string_equal(t.report.running, "ota_0");
    assert_int_equal(t.report.boots, 1);
    test_device_free(&t);
}

static void log_level_of_the_boot_loader_is_obeyed(void **state)
{
    struct test_device t;
    test_device_new(&t, "CONFIG_BOOTLOADER_LOG_LEVEL=2\n", "hello", NULL);
    assert_true(test_device_run(&t, (struct chip_options){.until = "^hello"}));
    test_device_has_not(&t, "boot: ");
    test_device_free(&t);
}

/* Cuts in the boot loader's own writes: the next start boots all the same. */
static void power_cut_at_each_write_of_the_boot_loader_still_boots(void **state)
{
    struct test_device t;
    static const char config[] = "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n";
    test_device_new(&t, config, "hello", "hello");
    for (uint64_t nth = 1; nth <= 2; nth++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            test_device_put_otadata(&t, 0, 1, AL_OTA_VALID);
            test_device_put_otadata(&t, 1, 2, AL_OTA_NEW);
            assert_true(test_device_run(&t, (struct chip_options){.until = "^hello",
                                                                  .power_cut = nth,
                                                                  .power_cut_seed = seed}));
            assert_true(t.report.power_was_cut);
            assert_int_equal(t.report.boots, 2);
        }
    test_device_free(&t);
}

static void pending_app_that_resets_is_rolled_back(void **state)
{
    struct test_device t;
    test_device_new(&t, "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n", "hello", "crash");
    test_device_put_otadata(&t, 0, 1, AL_OTA_VALID);
    test_device_put_otadata(&t, 1, 2, AL_OTA_NEW);
    assert_true(test_device_run(&t, (struct chip_options){.until = "^hello"}));
    test_device_has(&t, "firmware crash");
    assert_string_equal(t.report.running, "ota_0");
    assert_int_equal(t.report.boots, 2);
    assert_int_equal(test_device_state(&t, 1), AL_OTA_ABORTED);
    test_device_free(&t);
}

static void erased_flash_and_wrong_loaders_stop_in_the_rom(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "hello", NULL);
    uint8_t good[24], bad[24];
    test_device_read(&t, 0, good, sizeof good);

    memset(bad, 0xff, sizeof bad);
    test_device_write(&t, 0, bad, sizeof bad);
    assert_false(test_device_run(&t, (struct chip_options){.seconds = 1}));
    test_device_has(&t, "invalid header: 0xffffffff\n");
    assert_int_equal(t.report.end, CHIP_NO_LOADER);

    memcpy(bad, good, sizeof bad);
    bad[12] = 5;
    test_device_write(&t, 0, bad, sizeof bad);
    assert_false(test_device_run(&t, (struct chip_options){.seconds = 1}));
    test_device_has(&t, "Invalid chip id. Expected 13 read 5. Bootloader for wrong chip?\n");

    test_device_write(&t, 0, good, sizeof good);
    uint8_t byte;
    test_device_read(&t, 40, &byte, 1); /* inside the description */
    byte ^= 1;
    test_device_write(&t, 40, &byte, 1);
    assert_false(test_device_run(&t, (struct chip_options){.seconds = 1}));
    test_device_has(&t, "Checksum failure. Calculated 0x");
    test_device_free(&t);
}

static void wrong_digest_of_the_boot_loader_is_only_a_warning(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "hello", NULL);
    uint8_t entry = 0x77; /* a header byte: in the digest, not in the checksum */
    test_device_write(&t, 4, &entry, 1);
    assert_true(test_device_run(&t, (struct chip_options){.until = "^hello"}));
    test_device_has(&t, "SHA-256 comparison failed:\n");
    test_device_has(&t, "Attempting to boot anyway...\n");
    test_device_free(&t);
}

static void nothing_bootable_loops_until_the_limit(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "hello", NULL);
    test_device_write(&t, TEST_DEVICE_OTA_0, "\0", 1);
    assert_false(test_device_run(&t, (struct chip_options){.boot_loop_limit = "3"}));
    assert_int_equal(t.report.end, CHIP_BOOT_LOOP);
    assert_int_equal(test_device_count(&t, "No bootable app partitions in the partition table"), 3);
    test_device_free(&t);
}

static void program_of_another_machine_is_no_firmware(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "alien", NULL);
    assert_false(test_device_run(&t, (struct chip_options){.boot_loop_limit = "2"}));
    assert_int_equal(t.report.end, CHIP_BOOT_LOOP);
    test_device_has(&t, "App in partition ota_0 cannot be started");
    test_device_has_not(&t, "firmware alien");
    test_device_free(&t);
}

/* What the user holds at reset is the level that the outside drives. */
static void held_pin_erases_the_listed_data(void **state)
{
    struct test_device t;
    uint8_t bytes[2] = {0, 0};
    test_device_new(&t,
                    "CONFIG_BOOTLOADER_FACTORY_RESET=y\nCONFIG_BOOTLOADER_NUM_PIN_FACTORY_RESET=9\n"
                    "CONFIG_BOOTLOADER_DATA_FACTORY_RESET=\"nvs\"\n",
                    "hello", NULL);
    test_device_write(&t, 0x9000, bytes, 1);
    test_device_write(&t, 0xf000, bytes, 1);
    assert_true(test_device_run(&t, (struct chip_options){.until = "^hello"}));
    test_device_read(&t, 0x9000, bytes, 1);
    assert_int_equal(bytes[0], 0); /* nobody held it */
    test_device_conf(&t, "gpio9 = 0");
    assert_true(test_device_run(&t, (struct chip_options){.until = "^hello"}));
    test_device_has(&t, "boot: Detect a condition of the factory reset");
    test_device_read(&t, 0x9000, bytes, 1);
    test_device_read(&t, 0xf000, bytes + 1, 1);
    assert_int_equal(bytes[0], 0xff);
    assert_int_equal(bytes[1], 0);
    test_device_free(&t);
}

static void test_pin_without_test_app_does_not_boot(void **state)
{
    struct test_device t;
    test_device_new(&t, "CONFIG_BOOTLOADER_APP_TEST=y\nCONFIG_BOOTLOADER_APP_TEST_PIN_HIGH=y\n",
                    "hello", NULL);
    test_device_conf(&t, "gpio18 = 1");
    assert_false(test_device_run(&t, (struct chip_options){.boot_loop_limit = "2"}));
    test_device_has(&t, "Test firmware is not found in partition table");
    test_device_free(&t);
}

static void set_secure_version(const struct test_device *t, uint32_t version)
{
    struct device d;
    char why[256];
    assert_int_equal(device_open(&d, t->dir, DEVICE_RUN, why, sizeof why), 0);
    assert_int_equal(efuse_raise_secure_version(&d.efuse, version), 0);
    device_close(&d);
}

static uint32_t secure_version(const struct test_device *t)
{
    struct device d;
    char why[256];
    assert_int_equal(device_open(&d, t->dir, DEVICE_LOOK, why, sizeof why), 0);
    uint32_t version = efuse_secure_version(&d.efuse);
    device_close(&d);
    return version;
}

static void too_old_app_does_not_boot_and_valid_one_raises_the_efuse(void **state)
{
    struct test_device t;
    test_device_new(&t,
                    "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n"
                    "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y\n",
                    "hello#1", "hello#3");
    set_secure_version(&t, 2);
    test_device_put_otadata(&t, 0, 3, AL_OTA_VALID); /* ota_0 */
    test_device_put_otadata(&t, 1, 2, AL_OTA_VALID); /* ota_1 */
    assert_true(test_device_run(&t, (struct chip_options){.until = "^hello"}));
    test_device_has(&t, "Secure version (from eFuse) = 2");
    assert_string_equal(t.report.running, "ota_1");
    assert_int_equal(secure_version(&t), 3);
    test_device_free(&t);
}

static void make_key(const struct test_device *t, struct image_key **key)
{
    char path[96];
    snprintf(path, sizeof path, "%s/key.pem", t->dir);
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
    EVP_PKEY_free(pkey);
    assert_int_equal(image_key_load(path, key), 0);
}

/* Signs the image at offset in place; gives where its signature sector begins. */
static uint32_t sign_at(const struct test_device *t, uint32_t offset, enum al_image_kind kind,
                        struct image_key *key)
{
    struct device d;
    struct al_image img;
    char why[256];
    uint8_t *out;
    size_t out_len;
    assert_int_equal(device_open(&d, t->dir, DEVICE_LOOK, why, sizeof why), 0);
    const struct al_window w = {&d.nor.flash, offset, d.nor.flash.size - offset, true};
    const struct al_image_rules rules = {.crypto = &crypto_openssl, .device = d.ids, .kind = kind};
    assert_int_equal(al_image_verify(&w, &rules, &img, NULL), 0);
    assert_int_equal(
        image_sign_v2(d.nor.readable + offset, img.image_len, &key, 1, false, &out, &out_len), 0);
    device_close(&d);
    test_device_write(t, offset, out, out_len);
    free(out);
    return offset + (uint32_t)out_len - AL_SIG_SECTOR;
}

static void secure_boot_is_burnt_at_the_first_start_and_then_holds(void **state)
{
    struct test_device t;
    struct image_key *key;
    test_device_new(&t,
                    "CONFIG_SECURE_BOOT_V2_ENABLED=y\n"
                    "CONFIG_SECURE_SIGNED_APPS_ECDSA_V2_SCHEME=y\n",
                    "hello", NULL);
    make_key(&t, &key);
    uint32_t loader_sig = sign_at(&t, 0, AL_IMAGE_BOOTLOADER, key);
    uint32_t app_sig = sign_at(&t, TEST_DEVICE_OTA_0, AL_IMAGE_APP, key);
    image_key_free(key);
    assert_true(test_device_run(&t, (struct chip_options){.until = "^hello"}));
    test_device_has(&t, "Secure boot permanently enabled");
    assert_true(test_device_run(&t, (struct chip_options){.until = "^hello"}));
    test_device_has_not(&t, "permanently");

    test_device_write(&t, app_sig, "\0", 1);
    assert_false(test_device_run(&t, (struct chip_options){.boot_loop_limit = "1"}));
    test_device_has(&t, "OTA app partition slot 0 is not bootable");
    test_device_write(&t, loader_sig, "\0", 1);
    assert_false(test_device_run(&t, (struct chip_options){.seconds = 1}));
    assert_int_equal(t.report.end, CHIP_NO_LOADER);
    test_device_has(&t, "secure boot verification failed");
    test_device_free(&t);
}

static void recovery_boot_loader_is_tried_when_the_first_is_broken(void **state)
{
    struct test_device t;
    struct device d;
    char why[256];
    static uint8_t loader[0x1000];
    uint32_t sector = 0xfff;
    test_device_new(&t, "", "hello", NULL);
    test_device_read(&t, 0, loader, sizeof loader);
    test_device_write(&t, 0xfff000, loader, sizeof loader);
    test_device_write(&t, 0, "\0", 1);
    assert_false(test_device_run(&t, (struct chip_options){.seconds = 1}));
    assert_int_equal(device_open(&d, t.dir, DEVICE_RUN, why, sizeof why), 0);
    assert_int_equal(efuse_burn(&d.efuse, EFUSE_RECOVERY, &sector, 4), 0);
    device_close(&d);
    assert_true(test_device_run(&t, (struct chip_options){.until = "^hello"}));
    test_device_has(&t, "invalid header: 0x");
    test_device_free(&t);
}

int main(void)
{
    test_device_firmware(firmware);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_log_reads_as_the_chip_s),
        cmocka_unit_test(log_level_of_the_boot_loader_is_obeyed),
        cmocka_unit_test(power_cut_at_each_write_of_the_boot_loader_still_boots),
        cmocka_unit_test(pending_app_that_resets_is_rolled_back),
        cmocka_unit_test(erased_flash_and_wrong_loaders_stop_in_the_rom),
        cmocka_unit_test(wrong_digest_of_the_boot_loader_is_only_a_warning),
        cmocka_unit_test(nothing_bootable_loops_until_the_limit),
        cmocka_unit_test(program_of_another_machine_is_no_firmware),
        cmocka_unit_test(held_pin_erases_the_listed_data),
        cmocka_unit_test(test_pin_without_test_app_does_not_boot),
        cmocka_unit_test(too_old_app_does_not_boot_and_valid_one_raises_the_efuse),
        cmocka_unit_test(secure_boot_is_burnt_at_the_first_start_and_then_holds),
        cmocka_unit_test(recovery_boot_loader_is_tried_when_the_first_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
