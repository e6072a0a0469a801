#include "host/flash_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/err.h"
#include "host/crypto_openssl.h"
#include "host/file.h"
#include "tests/support/vectors.h"

#define FLASH 0x40000u

static uint8_t bytes[FLASH];

static void put_table(uint32_t at)
{
    struct al_part_table t = {.count = 3};
    t.part[0] = (struct al_part){
        .type = AL_PART_DATA, .subtype = 0, .offset = 0x9000, .size = 0x2000, .label = "otadata"};
    t.part[1] = (struct al_part){
        .subtype = AL_PART_OTA_0, .offset = 0x10000, .size = 0x4000, .label = "first"};
    t.part[2] = (struct al_part){.subtype = AL_PART_OTA_0 + 1, .offset = 0x14000, .size = 0x4000};
    assert_int_equal(al_part_table_build(&t, true, &crypto_openssl, bytes + at), 0);
}

static void put_image(uint32_t at, const char *vector)
{
    size_t len;
    uint8_t *data = vector_file(&len, "esp-flash/%s", vector);
    memcpy(bytes + at, data, len);
    free(data);
}

static int erase(void **state)
{
    memset(bytes, 0xff, sizeof bytes);
    return 0;
}

static void the_table_is_found_where_it_is_or_looked_for(void **state)
{
    struct flash_image f;
    put_table(0x10000);
    assert_int_equal(flash_image_memory(&f, bytes, FLASH, 0), 0);
    assert_int_equal(f.table_offset, 0x10000);
    assert_int_equal(f.table.count, 3);
    flash_image_close(&f);
    assert_int_equal(flash_image_memory(&f, bytes, FLASH, 0x8000), 0); /* told: not searched */
    assert_int_equal(f.table.count, 0);
    flash_image_close(&f);

    put_table(0x8000);
    bytes[0x8004] ^= 1; /* begins like a table: this is the one, and it is wrong */
    assert_int_equal(flash_image_memory(&f, bytes, FLASH, 0), 0);
    assert_int_equal(f.table.count, 0);
    assert_int_equal(f.fault.check, AL_PART_CHECK_MD5);
    char why[300];
    flash_image_table_fault(&f, why, sizeof why);
    assert_non_null(strstr(why, "0x8000"));
    assert_non_null(strstr(why, "MD5"));
    flash_image_close(&f);
}

static void partitions_are_found_by_label_and_by_slot_name(void **state)
{
    struct flash_image f;
    put_table(0x8000);
    assert_int_equal(flash_image_memory(&f, bytes, FLASH, 0), 0);
    assert_ptr_equal(flash_image_part(&f, "first"), &f.table.part[1]);
    assert_ptr_equal(flash_image_part(&f, "ota_0"), &f.table.part[1]);
    assert_ptr_equal(flash_image_part(&f, "ota_1"), &f.table.part[2]);
    assert_null(flash_image_part(&f, "ota")); /* a subtype of data: no slot */
    assert_null(flash_image_part(&f, "ota_2"));
    assert_string_equal(flash_image_slot_name(&f.table.part[1]), "first");
    assert_string_equal(flash_image_slot_name(&f.table.part[2]), "ota_1");
    flash_image_close(&f);
}

static void the_device_is_guessed_from_images_with_a_description_first(void **state)
{
    struct flash_image f;
    struct al_device_ids ids;
    put_table(0x8000);
    assert_int_equal(flash_image_memory(&f, bytes, FLASH, 0), 0);
    assert_false(flash_image_device(&f, &ids));
    assert_null(ids.chip);
    flash_image_close(&f);
    put_image(0x10000, "otadata/images/broken.bin"); /* looks like one for chip 0 */
    put_image(0x14000, "image/min_rev_too_high.bin");
    assert_int_equal(flash_image_memory(&f, bytes, FLASH, 0), 0);
    assert_true(flash_image_device(&f, &ids));
    assert_int_equal(ids.chip->id, 13);
    assert_true(ids.revision > 0); /* the least that this image runs on */
    flash_image_close(&f);
    put_image(0, "image/boot_c3.bin");
    assert_int_equal(flash_image_memory(&f, bytes, FLASH, 0), 0);
    assert_true(flash_image_device(&f, &ids));
    assert_int_equal(ids.chip->id, 5); /* the boot loader knows best */
    flash_image_close(&f);
}

static void the_device_is_new_enough_for_every_app(void **state)
{
    struct flash_image f;
    struct al_device_ids ids;
    (void)state;
    put_table(0x8000);
    put_image(0, "image/boot_c3.bin"); /* content with revision v0.0 */
    put_image(0x10000, "image/app_c3_v1.bin");
    bytes[0x10000 + 32 + 176] = 7;                    /* least eFuse block revision */
    put_image(0x24000, "image/min_rev_too_high.bin"); /* v2.0, but for another chip */
    assert_int_equal(flash_image_memory(&f, bytes, FLASH, 0), 0);
    f.table.part[2].offset = 0x24000;
    assert_true(flash_image_device(&f, &ids));
    assert_int_equal(ids.chip->id, 5);
    assert_int_equal(ids.revision, 3);
    assert_int_equal(ids.efuse_block_rev, 7);
    flash_image_close(&f);
}

static void the_copy_obeys_nor_rules_and_the_file_waits_for_save(void **state)
{
    char path[] = "/tmp/flash-image-XXXXXX", why[300];
    struct flash_image f;
    struct stat st;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0640), 0);
    close(fd);
    assert_int_equal(file_write(path, bytes, FLASH, 0640), 0);
    assert_int_equal(flash_image_open(&f, path, 0, why, sizeof why), 0);
    assert_int_equal(f.flash.program(f.flash.ctx, 0x100, "\x0f", 1), 0);
    assert_int_equal(f.flash.program(f.flash.ctx, 0x100, "\xf0", 1), AL_ERR_NOT_NOR);
    assert_int_equal(f.bytes[0x100], 0x0f);

    uint8_t *now;
    size_t len;
    assert_int_equal(file_read(path, FLASH, &now, &len), 0);
    assert_int_equal(now[0x100], 0xff);
    free(now);
    assert_int_equal(flash_image_save(&f, why, sizeof why), 0);
    assert_int_equal(file_read(path, FLASH, &now, &len), 0);
    assert_int_equal(now[0x100], 0x0f);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    free(now);
    flash_image_close(&f);
    unlink(path);
}

static void what_is_no_flash_is_refused_in_words(void **state)
{
    char path[] = "/tmp/flash-image-XXXXXX", why[300];
    struct flash_image f;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 4097), 0);
    assert_int_equal(flash_image_open(&f, path, 0, why, sizeof why), AL_FAIL);
    assert_non_null(strstr(why, "4097"));
    assert_int_equal(ftruncate(fd, (off_t)FLASH_IMAGE_MAX + 4096), 0);
    assert_int_equal(flash_image_open(&f, path, 0, why, sizeof why), AL_FAIL);
    assert_non_null(strstr(why, "128 MB"));
    close(fd);
    unlink(path);
    assert_int_equal(flash_image_open(&f, path, 0, why, sizeof why), AL_FAIL);
    assert_non_null(strstr(why, "No such file"));
}

#define TEST(t) cmocka_unit_test_setup(t, erase)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_table_is_found_where_it_is_or_looked_for),
        TEST(partitions_are_found_by_label_and_by_slot_name),
        TEST(the_device_is_guessed_from_images_with_a_description_first),
        TEST(the_device_is_new_enough_for_every_app),
        TEST(the_copy_obeys_nor_rules_and_the_file_waits_for_save),
        TEST(what_is_no_flash_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
