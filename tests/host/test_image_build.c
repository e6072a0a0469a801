#include "host/image_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "core/err.h"
#include "core/image_verify.h"
#include "host/crypto_openssl.h"
#include "tests/support/mem_flash.h"

#define SLOT 0x10000u

/* len bytes that begin like an ELF file. */
static uint8_t *program(size_t len)
{
    uint8_t *elf = malloc(len);
    for (size_t i = 0; i < len; i++) elf[i] = (uint8_t)(i * 7 + i / 256);
    memcpy(elf, "\177ELF", 4);
    return elf;
}

static const struct al_app_desc desc = {
    .secure_version = 3,
    .version = "1.2.3",
    .project_name = "test",
    .idf_ver = "v6.2-dev",
    .time = "01:02:03",
    .date = "Jan  2 2026",
};

static int verify(const struct image_spec *spec, enum al_image_kind kind, const uint8_t *img,
                  size_t len, struct al_image *out)
{
    struct mem_flash m;
    struct al_window slot;
    mem_flash_init(&m, 0x400000, true);
    mem_flash_put(&m, SLOT, img, len);
    struct al_window all = al_window_all(&m.flash);
    assert_int_equal(al_window_sub(&all, SLOT, 0x200000, &slot), 0);
    struct al_image_rules rules = {
        .crypto = &crypto_openssl,
        .device = {.chip = spec->chip, .revision = spec->min_chip_rev_full},
        .kind = kind,
    };
    int err = al_image_verify(&slot, &rules, out, NULL);
    mem_flash_free(&m);
    return err;
}

static void an_app_verifies_on_every_chip(void **state)
{
    uint8_t *elf = program(100001);
    const struct al_chip *chip;
    for (unsigned i = 0; (chip = al_chip_at(i)); i++) {
        struct image_spec spec = {.chip = chip, .spi_mode = 2, .min_chip_rev_full = 1};
        uint8_t *img;
        size_t len;
        int err = image_build_app(&spec, &desc, elf, 100001, &img, &len);
        if (chip->irom_low == 0) {
            assert_int_equal(err, AL_ERR_NOT_SUPPORTED);
            continue;
        }
        assert_int_equal(err, 0);
        struct al_image image;
        assert_int_equal(verify(&spec, AL_IMAGE_APP, img, len, &image), 0);
        assert_int_equal(image.image_len, len);
        assert_int_equal(image.header.chip_id, chip->id);
        assert_true(al_chip_mapped(chip, image.segment[0].load_addr));
        assert_true(al_chip_mapped(chip, image.segment[1].load_addr));
        free(img);
    }
    free(elf);
}

static void the_description_says_what_was_asked_for(void **state)
{
    uint8_t *elf = program(5000), *img, hash[32];
    size_t len;
    struct image_spec spec = {.chip = al_chip_by_name("esp32c3"), .max_chip_rev_full = 199};
    struct al_image image;
    assert_int_equal(image_build_app(&spec, &desc, elf, 5000, &img, &len), 0);
    assert_int_equal(verify(&spec, AL_IMAGE_APP, img, len, &image), 0);
    assert_true(image.has_desc);
    assert_string_equal(image.desc.version, "1.2.3");
    assert_string_equal(image.desc.project_name, "test");
    assert_int_equal(image.desc.secure_version, 3);
    assert_int_equal(image.desc.mmu_page_size, 16);
    assert_int_equal(image.header.max_chip_rev_full, 199);
    crypto_digest(AL_SHA256, elf, 5000, hash);
    assert_memory_equal(image.desc.app_elf_sha256, hash, 32);
    free(img);
    free(elf);
}

static void the_program_is_found_again(void **state)
{
    for (size_t elf_len = 4; elf_len < 12; elf_len++) {
        uint8_t *elf = program(elf_len), *img;
        size_t len;
        uint32_t offset, size;
        struct image_spec spec = {.chip = al_chip_by_name("esp32c6")};
        struct al_image image;
        assert_int_equal(image_build_app(&spec, &desc, elf, elf_len, &img, &len), 0);
        assert_int_equal(verify(&spec, AL_IMAGE_APP, img, len, &image), 0);
        assert_true(
            image_find_program(img, len, image.segment, image.segment_count, &offset, &size));
        assert_memory_equal(img + offset, elf, elf_len);
        assert_in_range(size, elf_len, elf_len + 3);
        assert_false(image_find_program(img, offset + size - 1, image.segment, image.segment_count,
                                        &offset, &size));
        free(img);
        free(elf);
    }
}

static void small_pages_need_a_chip_that_has_them(void **state)
{
    uint8_t *elf = program(70000), *img;
    size_t len;
    struct al_image image;
    struct image_spec spec = {.chip = al_chip_by_name("esp32c6"), .mmu_page_size = 0x2000};
    assert_int_equal(image_build_app(&spec, &desc, elf, 70000, &img, &len), 0);
    assert_int_equal(verify(&spec, AL_IMAGE_APP, img, len, &image), 0);
    assert_int_equal(image.mmu_page_size, 0x2000);
    free(img);
    spec.chip = al_chip_by_name("esp32c3");
    assert_int_equal(image_build_app(&spec, &desc, elf, 70000, &img, &len), AL_ERR_INVALID_ARG);
    spec.chip = al_chip_by_name("esp32c2");
    assert_int_equal(image_build_app(&spec, &desc, elf, 70000, &img, &len), AL_ERR_INVALID_ARG);
    free(elf);
}

static void secure_padding_ends_with_a_page(void **state)
{
    for (size_t elf_len = 0xff00 - 600; elf_len < 0xff00; elf_len += 37) {
        uint8_t *elf = program(elf_len), *img;
        size_t len;
        struct al_image image;
        struct image_spec spec = {.chip = al_chip_by_name("esp32s3"), .secure_pad = true};
        assert_int_equal(image_build_app(&spec, &desc, elf, elf_len, &img, &len), 0);
        assert_int_equal(len % 0x10000, 0);
        assert_true(len < elf_len + 0x11000);
        assert_int_equal(verify(&spec, AL_IMAGE_APP, img, len, &image), 0);
        assert_int_equal(image.image_len, len);
        free(img);
        free(elf);
    }
}

static void without_hash_the_image_ends_with_its_checksum(void **state)
{
    uint8_t *elf = program(3000), *img;
    size_t len;
    struct al_image image;
    struct image_spec spec = {.chip = al_chip_by_name("esp32"), .no_hash = true};
    assert_int_equal(image_build_app(&spec, &desc, elf, 3000, &img, &len), 0);
    assert_int_equal(verify(&spec, AL_IMAGE_APP, img, len, &image), 0);
    assert_int_equal(image.checksum_offset, len - 1);
    free(img);
    free(elf);
}

static void a_program_beyond_the_flash_window_is_refused(void **state)
{
    size_t elf_len = 5u << 20; /* ESP32-C2 maps 4 MiB */
    uint8_t *elf = program(elf_len), *img;
    size_t len;
    struct image_spec spec = {.chip = al_chip_by_name("esp32c2")};
    assert_int_equal(image_build_app(&spec, &desc, elf, elf_len, &img, &len), AL_ERR_INVALID_SIZE);
    assert_int_equal(image_build_app(&spec, &desc, elf, 0, &img, &len), AL_ERR_INVALID_SIZE);
    free(elf);
}

static void a_boot_loader_carries_its_configuration(void **state)
{
    static const char config[] = BOOT_CONFIG_FIRST_LINE "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n";
    const struct al_boot_desc boot = {.version = 1, .idf_ver = "v6.2-dev"};
    const struct al_chip *chip;
    for (unsigned i = 0; (chip = al_chip_at(i)); i++) {
        struct image_spec spec = {.chip = chip};
        uint8_t *img;
        size_t len;
        uint32_t offset, size;
        struct al_image image;
        assert_int_equal(image_build_bootloader(&spec, &boot, config, &img, &len), 0);
        assert_int_equal(verify(&spec, AL_IMAGE_BOOTLOADER, img, len, &image), 0);
        assert_int_equal(image.image_len, len);
        assert_int_equal(img[AL_IMAGE_DESC_OFFSET], AL_BOOT_DESC_MAGIC);
        assert_true(
            image_find_boot_config(img, len, image.segment, image.segment_count, &offset, &size));
        assert_int_equal(size, sizeof config - 1);
        assert_memory_equal(img + offset, config, size);
        assert_false(
            image_find_program(img, len, image.segment, image.segment_count, &offset, &size));
        free(img);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_app_verifies_on_every_chip),
        cmocka_unit_test(the_description_says_what_was_asked_for),
        cmocka_unit_test(the_program_is_found_again),
        cmocka_unit_test(small_pages_need_a_chip_that_has_them),
        cmocka_unit_test(secure_padding_ends_with_a_page),
        cmocka_unit_test(without_hash_the_image_ends_with_its_checksum),
        cmocka_unit_test(a_program_beyond_the_flash_window_is_refused),
        cmocka_unit_test(a_boot_loader_carries_its_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
