#include "core/app_image.h"

#include "core/err.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIR "esp-flash/image/"

static void app_descriptions_are_those_that_esptool_shows(void **state)
{
    cJSON *json = vector_json(DIR "expected.json");
    const cJSON *v;
    int seen = 0;
    cJSON_ArrayForEach(v, json)
    {
        const cJSON *want = cJSON_GetObjectItem(cJSON_GetObjectItem(v, "decoded"), "app_desc");
        if (!want) continue;
        size_t len;
        uint8_t *img = vector_file(&len, DIR "%s", vector_string(v, "file"));
        struct al_app_desc d;
        uint8_t sha[32];
        assert_int_equal(al_app_desc_parse(img + AL_IMAGE_DESC_OFFSET, &d), 0);
        assert_string_equal(d.version, vector_string(want, "version"));
        assert_string_equal(d.project_name, vector_string(want, "project_name"));
        assert_string_equal(d.time, vector_string(want, "time"));
        assert_string_equal(d.date, vector_string(want, "date"));
        assert_string_equal(d.idf_ver, vector_string(want, "idf_ver"));
        assert_int_equal(d.secure_version, vector_number(want, "secure_version"));
        assert_int_equal(d.min_efuse_blk_rev_full, vector_number(want, "min_efuse_blk_rev_full"));
        assert_int_equal(d.max_efuse_blk_rev_full, vector_number(want, "max_efuse_blk_rev_full"));
        assert_int_equal(d.mmu_page_size, vector_number(want, "mmu_page_size_log2"));
        assert_int_equal(d.spi_flash_mode, vector_number(want, "spi_flash_mode"));
        vector_hex(want, "app_elf_sha256", sha, sizeof sha);
        assert_memory_equal(d.app_elf_sha256, sha, sizeof sha);
        free(img);
        seen++;
    }
    assert_true(seen >= 7);
    cJSON_Delete(json);
}

static void header_and_descriptions_build_to_the_bytes_they_came_from(void **state)
{
    static const char *const files[] = {"app_c3_v1.bin", "app_h2_32k.bin", "app_c3_nohash.bin",
                                        "boot_c3.bin"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t len;
        uint8_t *img = vector_file(&len, DIR "%s", files[i]);
        struct al_image_header h;
        struct al_app_desc app;
        struct al_boot_desc boot;
        uint8_t raw[AL_APP_DESC_LEN];
        al_image_header_parse(img, &h);
        al_image_header_build(&h, raw);
        assert_memory_equal(raw, img, AL_IMAGE_HEADER_LEN);
        if (img[AL_IMAGE_DESC_OFFSET] != AL_BOOT_DESC_MAGIC) {
            assert_int_equal(al_app_desc_parse(img + AL_IMAGE_DESC_OFFSET, &app), 0);
            al_app_desc_build(&app, raw);
            assert_memory_equal(raw, img + AL_IMAGE_DESC_OFFSET, AL_APP_DESC_LEN);
        } else {
            assert_int_equal(al_boot_desc_parse(img + AL_IMAGE_DESC_OFFSET, &boot), 0);
            assert_int_equal(boot.version, 1);
            assert_string_equal(boot.idf_ver, "v6.2-dev");
            assert_string_equal(boot.date_time, "Jan  2 2026 10:20:30");
            al_boot_desc_build(&boot, raw);
            assert_memory_equal(raw, img + AL_IMAGE_DESC_OFFSET, AL_BOOT_DESC_LEN);
        }
        free(img);
    }
}

static void a_wrong_magic_is_not_found_but_the_fields_are_there(void **state)
{
    struct al_app_desc d, back;
    uint8_t raw[AL_APP_DESC_LEN];
    memset(&d, 0, sizeof d);
    d.magic_word = 0xabcd5433;
    strcpy(d.version, "1.2.3");
    memset(d.project_name, 'p', 32); /* all 32 bytes used */
    al_app_desc_build(&d, raw);
    assert_int_equal(al_app_desc_parse(raw, &back), AL_ERR_NOT_FOUND);
    assert_string_equal(back.version, "1.2.3");
    assert_int_equal(strlen(back.project_name), 32);
}

static void the_checksum_ends_a_block_of_16(void **state)
{
    for (uint32_t end = 24; end < 80; end++) {
        uint32_t pad = al_image_checksum_pad(end);
        assert_in_range(pad, 1, 16);
        assert_int_equal((end + pad) % 16, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(app_descriptions_are_those_that_esptool_shows),
        cmocka_unit_test(header_and_descriptions_build_to_the_bytes_they_came_from),
        cmocka_unit_test(a_wrong_magic_is_not_found_but_the_fields_are_there),
        cmocka_unit_test(the_checksum_ends_a_block_of_16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
