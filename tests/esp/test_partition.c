/* Partitions: finding, reading, writing, digests, copies, registration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/crypto.h"
#include "esp_flash.h"
#include "esp_flash_partitions.h"
#include "esp_image_format.h"
#include "esp_partition.h"
#include "host/crypto_openssl.h"
#include "tests/support/test_board.h"

static int setup(void **state)
{
    test_board_new();
    return 0;
}

static const esp_partition_t *storage(void)
{
    const esp_partition_t *p =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "storage");
    assert_non_null(p);
    return p;
}

static void finding_gives_table_order_and_the_same_pointers(void **state)
{
    const char *names[] = {"nvs", "otadata", "phy_init", "factory", "ota_0", "ota_1", "storage"};
    int i = 0;
    esp_partition_iterator_t it =
        esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; it; it = esp_partition_next(it), i++)
        assert_string_equal(esp_partition_get(it)->label, names[i]);
    assert_int_equal(i, 7);
    assert_ptr_equal(storage(), storage());
    assert_int_equal(storage()->address, TEST_STORAGE);
    assert_ptr_equal(storage()->flash_chip, esp_flash_default_chip);
    esp_partition_t like = *storage();
    assert_ptr_equal(esp_partition_verify(&like), storage());
    like.size -= 0x1000;
    assert_null(esp_partition_verify(&like));
    assert_null(esp_partition_find(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_TEST, NULL));
    esp_partition_iterator_release(NULL);
}

static void any_type_with_one_subtype_is_an_error(void **state)
{
    esp_partition_iterator_t it;
    assert_int_equal(
        esp_partition_find_err(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_APP_OTA_0, NULL, &it),
        ESP_ERR_INVALID_ARG);
    assert_null(it);
    assert_int_equal(
        esp_partition_find_err(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "none", &it),
        ESP_ERR_NOT_FOUND);
}

static void writes_clear_bits_and_erases_set_them(void **state)
{
    char text[6] = "";
    assert_int_equal(esp_partition_write(storage(), 10, "hello", 5), ESP_OK);
    assert_int_equal(esp_partition_read(storage(), 10, text, 5), ESP_OK);
    assert_string_equal(text, "hello");
    assert_int_equal(esp_partition_erase_range(storage(), 0, 0x1000), ESP_OK);
    assert_int_equal(esp_partition_read(storage(), 10, text, 5), ESP_OK);
    assert_memory_equal(text, "\xff\xff\xff\xff\xff", 5);
}

static void ranges_outside_have_the_vendors_codes(void **state)
{
    char byte;
    size_t size = TEST_STORAGE_SIZE;
    assert_int_equal(esp_partition_read(storage(), size + 1, &byte, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_read(storage(), size, &byte, 1), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_write(storage(), size - 1, "ab", 2), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_read(storage(), 0, &byte, SIZE_MAX), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_erase_range(storage(), 0, 100), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_erase_range(storage(), 100, 0x1000), ESP_ERR_INVALID_ARG);
    esp_partition_t readonly = *storage();
    readonly.readonly = true;
    assert_int_equal(esp_partition_write(&readonly, 0, "a", 1), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(esp_partition_write(&readonly, size + 1, "a", 1), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(esp_partition_erase_range(&readonly, 0, 1), ESP_ERR_NOT_ALLOWED);
}

static void a_mapped_partition_shows_later_writes(void **state)
{
    const void *map;
    esp_partition_mmap_handle_t handle;
    assert_int_equal(
        esp_partition_mmap(storage(), 0x100, 16, ESP_PARTITION_MMAP_DATA, &map, &handle), ESP_OK);
    esp_partition_write(storage(), 0x100, "mapped", 6);
    assert_memory_equal(map, "mapped", 6);
    esp_partition_munmap(handle);
}

static void digests_of_apps_are_those_of_their_images(void **state)
{
    uint8_t digest[32], expected[32];
    /* The digest at the end of the image itself. */
    size_t image_len = 65616;
    al_window_read(&(struct al_window){&board()->nor.flash, TEST_FACTORY, 0x100000, true},
                   (uint32_t)image_len - 32, expected, 32);
    esp_partition_t app; /* all else is what happens to lie there */
    memset(&app, 0xa5, sizeof app);
    app.type = ESP_PARTITION_TYPE_APP;
    app.address = TEST_FACTORY;
    app.size = 0x100000;
    assert_int_equal(esp_partition_get_sha256(&app, digest), ESP_OK);
    assert_memory_equal(digest, expected, 32);

    static uint8_t bytes[TEST_STORAGE_SIZE];
    memset(bytes, 0xff, sizeof bytes);
    crypto_digest(AL_SHA256, bytes, sizeof bytes, expected);
    assert_int_equal(esp_partition_get_sha256(storage(), digest), ESP_OK);
    assert_memory_equal(digest, expected, 32);

    test_board_put_vector(TEST_OTA_0, "esp-flash/image/payload_bit_flip.bin");
    app.address = TEST_OTA_0;
    assert_int_equal(esp_partition_get_sha256(&app, digest), ESP_ERR_IMAGE_INVALID);
    app.size = 0;
    assert_int_equal(esp_partition_get_sha256(&app, digest), ESP_ERR_INVALID_ARG);
}

static void identity_compares_digests(void **state)
{
    const esp_partition_t *a =
        esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY, NULL);
    const esp_partition_t *b =
        esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_1, NULL);
    assert_false(esp_partition_check_identity(a, b));
    test_board_put_vector(TEST_OTA_1, "esp-flash/image/app_c3_v1.bin");
    assert_true(esp_partition_check_identity(a, b));
}

static void a_copy_erases_first_and_keeps_what_is_outside(void **state)
{
    const esp_partition_t *phy =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_PHY, NULL);
    char text[8] = "";
    esp_partition_write(storage(), 0, "source", 7);
    esp_partition_write(storage(), 0x1000, "\0\0\0\0\0\0\0", 7);
    esp_partition_write(storage(), 0x2000, "kept", 5);
    assert_int_equal(esp_partition_copy(storage(), 0x1000, phy, 0, SIZE_MAX), ESP_OK);
    esp_partition_read(storage(), 0x1000, text, 7);
    assert_memory_equal(text, "\xff\xff\xff\xff\xff\xff\xff", 7);
    esp_partition_read(storage(), 0x2000, text, 5);
    assert_string_equal(text, "kept");
    assert_int_equal(esp_partition_copy(storage(), 0, storage(), 0, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_copy(phy, 0, storage(), 0, SIZE_MAX), ESP_ERR_INVALID_SIZE);
}

static void partitions_can_be_registered_where_nothing_lies(void **state)
{
    const esp_partition_t *p;
    assert_int_equal(esp_partition_register_external(NULL, 0, 0x8000, "PrimaryBTLDR",
                                                     ESP_PARTITION_TYPE_BOOTLOADER,
                                                     ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY, &p),
                     ESP_OK);
    assert_ptr_equal(p, esp_partition_find_first(ESP_PARTITION_TYPE_BOOTLOADER,
                                                 ESP_PARTITION_SUBTYPE_ANY, NULL));
    assert_int_equal(esp_partition_register_external(NULL, 0x7000, 0x1000, "x",
                                                     ESP_PARTITION_TYPE_DATA, 0x80, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_register_external(NULL, TEST_FLASH_SIZE, 0x1000, "x",
                                                     ESP_PARTITION_TYPE_DATA, 0x80, NULL),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_deregister_external(p), ESP_OK);
    assert_int_equal(esp_partition_deregister_external(p), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_partition_deregister_external(storage()), ESP_ERR_INVALID_ARG);
}

static void a_name_counts_as_a_whole(void **state)
{
    const esp_partition_t *p;
    assert_int_equal(esp_partition_register_external(NULL, 0, 0x8000, "sixteen_letters_",
                                                     ESP_PARTITION_TYPE_BOOTLOADER,
                                                     ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY, &p),
                     ESP_OK);
    assert_ptr_equal(p, esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY,
                                                 "sixteen_letters_"));
    assert_null(esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY,
                                         "sixteen_letters_and_more"));
    assert_null(esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY,
                                         "sixteen_letters"));
    assert_int_equal(esp_partition_deregister_external(p), ESP_OK);
}

static void the_chip_is_read_and_written_as_a_whole(void **state)
{
    uint32_t size = 0;
    char text[4] = "";
    assert_int_equal(esp_flash_get_size(NULL, &size), ESP_OK);
    assert_int_equal(size, TEST_FLASH_SIZE);
    assert_int_equal(esp_flash_write(esp_flash_default_chip, "abc", TEST_STORAGE, 3), ESP_OK);
    assert_int_equal(esp_flash_read(NULL, text, TEST_STORAGE, 3), ESP_OK);
    assert_string_equal(text, "abc");
    assert_int_equal(esp_flash_erase_region(NULL, TEST_STORAGE + 1, 0x1000), ESP_ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(finding_gives_table_order_and_the_same_pointers, setup),
        cmocka_unit_test_setup(any_type_with_one_subtype_is_an_error, setup),
        cmocka_unit_test_setup(writes_clear_bits_and_erases_set_them, setup),
        cmocka_unit_test_setup(ranges_outside_have_the_vendors_codes, setup),
        cmocka_unit_test_setup(a_mapped_partition_shows_later_writes, setup),
        cmocka_unit_test_setup(digests_of_apps_are_those_of_their_images, setup),
        cmocka_unit_test_setup(identity_compares_digests, setup),
        cmocka_unit_test_setup(a_copy_erases_first_and_keeps_what_is_outside, setup),
        cmocka_unit_test_setup(partitions_can_be_registered_where_nothing_lies, setup),
        cmocka_unit_test_setup(a_name_counts_as_a_whole, setup),
        cmocka_unit_test_setup(the_chip_is_read_and_written_as_a_whole, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
