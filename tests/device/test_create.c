/* Making device directories, and the flash_args that fill them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "device/create.h"
#include "device/device.h"
#include "device/flash_args.h"
#include "host/file.h"
#include "tests/support/vectors.h"

static char root[64], dir[96], why[512];

static int make_root(void **state)
{
    strcpy(root, "/tmp/airlift-create-XXXXXX");
    if (!mkdtemp(root)) return -1;
    snprintf(dir, sizeof dir, "%s/d", root);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    return remove(path);
}

static int remove_root(void **state)
{
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const void *data, size_t len)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(file_write(path, data, len, 0644), 0);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static unsigned files_in_root(void)
{
    DIR *d = opendir(root);
    unsigned count = 0;
    for (struct dirent *e; (e = readdir(d));) count += e->d_name[0] != '.';
    closedir(d);
    return count;
}

static void refused(const struct device_spec *s, const char *part)
{
    unsigned before = files_in_root();
    why[0] = 0;
    assert_int_equal(device_create(s, why, sizeof why), AL_FAIL);
    if (!strstr(why, part)) fail_msg("no '%s' in '%s'", part, why);
    assert_int_equal(files_in_root(), before); /* nothing left behind */
}

static void device_from_a_build_has_its_files_in_place(void **state)
{
    size_t boot_len;
    uint8_t *boot = vector_file(&boot_len, "esp-flash/image/boot_c3.bin");
    put("bootloader.bin", boot, boot_len);
    put_text("app.bin", "an app");
    put_text("flash_args", "--flash_mode dio --flash_freq 80m --flash_size 2MB\n"
                           "0x0 bootloader.bin\n0x10000 app.bin\n");
    const struct device_spec s = {
        .dir = dir, .from = root, .mac = "02:00:00:00:00:01", .secure_version = 2};
    if (device_create(&s, why, sizeof why)) fail_msg("%s", why);
    struct device d;
    uint8_t ieee[8];
    static const uint8_t expected[8] = {2, 0, 0, 0xff, 0xfe, 0, 0, 1};
    if (device_open(&d, dir, DEVICE_LOOK, why, sizeof why)) fail_msg("%s", why);
    assert_int_equal(d.nor.flash.size, 2 << 20);
    assert_string_equal(d.ids.chip->name, "esp32c3");
    assert_int_equal(d.ids.revision, 3);
    assert_memory_equal(d.nor.readable, boot, boot_len);
    assert_memory_equal(d.nor.readable + 0x10000, "an app\xff", 7);
    efuse_ieee(&d.efuse, ieee);
    assert_memory_equal(ieee, expected, 8);
    assert_int_equal(efuse_secure_version(&d.efuse), 2);
    device_close(&d);
    free(boot);
}

static void what_does_not_fit_is_named(void **state)
{
    put_text("app.bin", "an app");
    put_text("flash_args", "--flash_size 2MB\n0x1ffffe app.bin\n");
    refused(&(struct device_spec){.dir = dir, .from = root, .chip = "esp32c3"},
            "app.bin: 6 bytes at 0x1ffffe do not fit into a flash of 0x200000 bytes");
    put_text("flash_args", "0x0 app.bin\n0x2 app.bin\n");
    refused(&(struct device_spec){.dir = dir, .from = root, .chip = "esp32c3"}, "overlaps");
    put_text("flash_args", "0x0 missing.bin\n");
    refused(&(struct device_spec){.dir = dir, .from = root, .chip = "esp32c3"},
            "missing.bin: No such file");
    refused(&(struct device_spec){.dir = dir, .from = dir}, "flash_args: No such file");
    refused(&(struct device_spec){.dir = dir}, "no boot loader says which chip this is");
    refused(&(struct device_spec){.dir = dir, .chip = "esp8266"}, "unknown chip 'esp8266'");
    refused(&(struct device_spec){.dir = dir, .chip = "esp32c3", .mac = "1:2"}, "MAC");
    refused(&(struct device_spec){.dir = dir, .chip = "esp32c3", .flash_size = 100}, "flash size");
    refused(&(struct device_spec){.dir = dir, .chip = "esp32c3", .revision = "x"}, "revision");
    refused(&(struct device_spec){.dir = dir, .chip = "esp32c3", .secure_version = 17},
            "counts to 16");
}

static void boot_loader_of_another_chip_is_refused(void **state)
{
    size_t len;
    uint8_t *boot = vector_file(&len, "esp-flash/image/boot_c3.bin");
    put("boot.bin", boot, len);
    put_text("flash_args", "0x0 boot.bin\n");
    refused(&(struct device_spec){.dir = dir, .from = root, .chip = "esp32c6"},
            "the boot loader is for ESP32-C3, not for ESP32-C6");
    free(boot);
}

static void existing_device_is_replaced_only_by_force(void **state)
{
    struct device_spec s = {.dir = dir, .chip = "esp32c3", .mac = "02:00:00:00:00:01"};
    struct device d;
    uint8_t mac[6];
    assert_int_equal(device_create(&s, why, sizeof why), 0);
    s.mac = "02:00:00:00:00:02";
    refused(&s, "--force replaces it");
    s.force = true;
    assert_int_equal(device_open(&d, dir, DEVICE_RUN, why, sizeof why), 0);
    refused(&s, "this device is running");
    device_close(&d);
    assert_int_equal(device_create(&s, why, sizeof why), 0);
    assert_int_equal(files_in_root(), 1);
    assert_int_equal(device_open(&d, dir, DEVICE_LOOK, why, sizeof why), 0);
    efuse_mac(&d.efuse, mac);
    assert_int_equal(mac[5], 2);
    device_close(&d);
}

static void directory_with_other_things_is_left_alone(void **state)
{
    assert_int_equal(mkdir(dir, 0755), 0);
    put_text("d/thesis.txt", "years of work");
    refused(&(struct device_spec){.dir = dir, .chip = "esp32c3", .force = true}, "is no device");
    put_text("file", "x");
    snprintf(dir, sizeof dir, "%s/file", root);
    refused(&(struct device_spec){.dir = dir, .chip = "esp32c3", .force = true}, "no directory");
}

static void conf_that_disagrees_with_the_chip_is_refused(void **state)
{
    struct device d;
    assert_int_equal(
        device_create(&(struct device_spec){.dir = dir, .chip = "esp32c3"}, why, sizeof why), 0);
    assert_int_equal(device_conf_set(dir, "chip", "esp32c6"), 0);
    assert_int_equal(device_open(&d, dir, DEVICE_LOOK, why, sizeof why), AL_FAIL);
    assert_non_null(strstr(why, "'chip' differs from efuse.bin"));
    assert_int_equal(device_conf_set(dir, "chip", "esp32c3"), 0);
    assert_int_equal(device_conf_set(dir, "flash_size", "2MB"), 0);
    assert_int_equal(device_open(&d, dir, DEVICE_LOOK, why, sizeof why), AL_FAIL);
    assert_non_null(strstr(why, "flash_size is 2097152, but flash.bin has 4194304 bytes"));
}

static void flash_args_are_read_as_the_vendor_writes_them(void **state)
{
    struct flash_args a;
    static const char text[] = "--flash_mode dio --flash_freq 80m --flash_size 16MB\r\n"
                               "0x0 bootloader/bootloader.bin\n\n65536 my app.bin\n";
    assert_int_equal(flash_args_parse(text, strlen(text), "fa", &a, why, sizeof why), 0);
    assert_int_equal(a.flash_size, 16 << 20);
    assert_int_equal(a.count, 2);
    assert_string_equal(a.part[0].path, "bootloader/bootloader.bin");
    assert_int_equal(a.part[1].offset, 0x10000);
    assert_string_equal(a.part[1].path, "my app.bin");
}

static void bad_flash_args_are_named_by_line(void **state)
{
    struct flash_args a;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"0x0 a\nzero b\n", "fa:2: expected 'OFFSET FILE', for example '0x10000 app.bin'"},
        {"0x0\n", "fa:1: expected 'OFFSET FILE', for example '0x10000 app.bin'"},
        {"--flash_size\n", "fa:1: --flash_size without a size"},
        {"--flash_size big\n", "fa:1: not a flash size; expected 4MB"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(
            flash_args_parse(bad[i].text, strlen(bad[i].text), "fa", &a, why, sizeof why),
            AL_ERR_INVALID_ARG);
        assert_string_equal(why, bad[i].message);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        TEST(device_from_a_build_has_its_files_in_place),
        TEST(what_does_not_fit_is_named),
        TEST(boot_loader_of_another_chip_is_refused),
        TEST(existing_device_is_replaced_only_by_force),
        TEST(directory_with_other_things_is_left_alone),
        TEST(conf_that_disagrees_with_the_chip_is_refused),
        cmocka_unit_test(flash_args_are_read_as_the_vendor_writes_them),
        cmocka_unit_test(bad_flash_args_are_named_by_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
