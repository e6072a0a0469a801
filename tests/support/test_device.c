#include "tests/support/test_device.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/ota_data.h"
#include "core/part_table.h"
#include "device/board.h"
#include "device/create.h"
#include "host/crypto_openssl.h"
#include "host/file.h"
#include "host/image_build.h"

#define FLASH_SIZE 0x1000000u
#define SLOT_SIZE  0x7f0000u

static const struct al_part parts[] = {
    {AL_PART_DATA, AL_PART_DATA_NVS, 0x9000, 0x4000, "nvs", 0},
    {AL_PART_DATA, AL_PART_DATA_OTA, TEST_DEVICE_OTADATA, 0x2000, "otadata", 0},
    {AL_PART_DATA, AL_PART_DATA_PHY, 0xf000, 0x1000, "phy_init", 0},
    {AL_PART_APP, AL_PART_OTA_0, TEST_DEVICE_OTA_0, SLOT_SIZE, "ota_0", 0},
    {AL_PART_APP, AL_PART_OTA_0 + 1, TEST_DEVICE_OTA_1, SLOT_SIZE, "ota_1", 0},
};

void test_device_firmware(const struct test_firmware *table)
{
    if (!getenv("AIRLIFT_BOARD")) return;
    const struct board *b = board();
    struct al_app_desc desc;
    al_app_desc_parse(b->nor.readable + b->control->running_offset + AL_IMAGE_DESC_OFFSET, &desc);
    printf("firmware %s\n", desc.version);
    for (; table->version; table++)
        if (strcmp(table->version, desc.version) == 0) table->run();
    for (;;) pause();
}

/* --- making it --- */

static void put_bootloader(uint8_t *flash, const struct al_chip *chip, const char *config)
{
    const struct image_spec spec = {.chip = chip, .spi_mode = 2, .spi_size = 4};
    const struct al_boot_desc desc = {.idf_ver = "v6.2-test", .date_time = "Jan  2 2026 10:20:30"};
    char *text;
    uint8_t *image;
    size_t len;
    assert_true(asprintf(&text, BOOT_CONFIG_FIRST_LINE "%s", config) > 0);
    assert_int_equal(image_build_bootloader(&spec, &desc, text, &image, &len), 0);
    memcpy(flash, image, len);
    free(image);
    free(text);
}

static void put_app(uint8_t *flash, const struct al_chip *chip, const char *version)
{
    uint8_t *elf, *image;
    size_t elf_len, len;
    if (strncmp(version, "real:", 5) == 0) {
        assert_int_equal(file_read(version + 5, SLOT_SIZE, &image, &len), 0);
    } else {
        const struct image_spec spec = {.chip = chip, .spi_mode = 2, .spi_size = 4};
        struct al_app_desc desc = {.project_name = "test", .idf_ver = "v6.2-test"};
        snprintf(desc.version, sizeof desc.version, "%.*s", (int)strcspn(version, "#"), version);
        if (strchr(version, '#')) desc.secure_version = (uint32_t)atoi(strchr(version, '#') + 1);
        assert_int_equal(file_read("/proc/self/exe", SLOT_SIZE, &elf, &elf_len), 0);
        if (strcmp(version, "alien") == 0) elf[18] ^= 0x40; /* e_machine */
        assert_int_equal(image_build_app(&spec, &desc, elf, elf_len, &image, &len), 0);
        free(elf);
    }
    assert_true(len <= SLOT_SIZE);
    memcpy(flash, image, len);
    free(image);
}

void test_device_new(struct test_device *t, const char *config, const char *ota_0,
                     const char *ota_1)
{
    const struct al_chip *chip = al_chip_by_name("esp32c6");
    static struct al_part_table table;
    char path[128], why[256] = "";
    uint8_t *flash = malloc(FLASH_SIZE);
    memset(t, 0, sizeof *t);
    memset(flash, 0xff, FLASH_SIZE);
    put_bootloader(flash, chip, config);
    table.count = sizeof parts / sizeof *parts;
    memcpy(table.part, parts, sizeof parts);
    assert_int_equal(al_part_table_build(&table, true, &crypto_openssl, flash + 0x8000), 0);
    put_app(flash + TEST_DEVICE_OTA_0, chip, ota_0);
    if (ota_1) put_app(flash + TEST_DEVICE_OTA_1, chip, ota_1);

    strcpy(t->dir, "/tmp/airlift-device-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    snprintf(path, sizeof path, "%s/dump.bin", t->dir);
    assert_int_equal(file_write(path, flash, FLASH_SIZE, 0644), 0);
    free(flash);
    strcat(t->dir, "/d");
    const struct device_spec spec = {.dir = t->dir, .flash = path};
    if (device_create(&spec, why, sizeof why)) fail_msg("%s", why);
    unlink(path);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    return remove(path);
}

void test_device_free(struct test_device *t)
{
    free(t->output);
    t->dir[strlen(t->dir) - 2] = 0;
    nftw(t->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- using it --- */

static int open_flash(const struct test_device *t)
{
    char path[96];
    snprintf(path, sizeof path, "%s/flash.bin", t->dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

void test_device_read(const struct test_device *t, uint32_t offset, void *dst, size_t len)
{
    int fd = open_flash(t);
    assert_int_equal(pread(fd, dst, len, offset), len);
    close(fd);
}

void test_device_write(const struct test_device *t, uint32_t offset, const void *src, size_t len)
{
    int fd = open_flash(t);
    assert_int_equal(pwrite(fd, src, len, offset), len);
    close(fd);
}

void test_device_conf(const struct test_device *t, const char *line)
{
    char path[96];
    snprintf(path, sizeof path, "%s/device.conf", t->dir);
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    fprintf(f, "%s\n", line);
    assert_int_equal(fclose(f), 0);
}

bool test_device_run(struct test_device *t, struct chip_options o)
{
    int out = memfd_create("uart", MFD_CLOEXEC);
    o.dir = t->dir;
    o.input = -1;
    o.output = out;
    if (!(o.seconds > 0)) o.seconds = 10;
    bool reached = chip_run(&o, &t->report);
    off_t len = lseek(out, 0, SEEK_END);
    free(t->output);
    t->output = calloc(1, (size_t)len + 1);
    assert_int_equal(pread(out, t->output, (size_t)len, 0), len);
    close(out);
    return reached;
}

void test_device_new_until(struct test_device *t, const char *app, const char *until)
{
    test_device_new(t, "", app, NULL);
    if (test_device_run(t, (struct chip_options){.until = until})) return;
    fprintf(stderr, "%s\n", t->output);
    fail_msg("%s", t->report.error);
}

void test_device_put_otadata(const struct test_device *t, uint32_t index, uint32_t seq,
                             uint32_t state)
{
    uint8_t raw[AL_OTA_ENTRY_LEN];
    struct al_ota_entry e = {.seq = seq, .state = state, .crc = al_ota_entry_crc(seq)};
    memset(e.seq_label, 0xff, sizeof e.seq_label);
    al_ota_entry_encode(&e, raw);
    test_device_write(t, TEST_DEVICE_OTADATA + index * AL_SECTOR, raw, sizeof raw);
}

uint32_t test_device_state(const struct test_device *t, uint32_t index)
{
    uint8_t raw[AL_OTA_ENTRY_LEN];
    struct al_ota_entry e;
    test_device_read(t, TEST_DEVICE_OTADATA + index * AL_SECTOR, raw, sizeof raw);
    al_ota_entry_decode(raw, &e);
    return e.state;
}

void test_device_has(const struct test_device *t, const char *text)
{
    if (strstr(t->output, text)) return;
    fprintf(stderr, "%s\n", t->output);
    fail_msg("no '%s' in the output above", text);
}

void test_device_has_not(const struct test_device *t, const char *text)
{
    if (!strstr(t->output, text)) return;
    fprintf(stderr, "%s\n", t->output);
    fail_msg("'%s' in the output above", text);
}

unsigned test_device_count(const struct test_device *t, const char *text)
{
    unsigned count = 0;
    for (const char *at = t->output; (at = strstr(at, text)); at += strlen(text)) count++;
    return count;
}
