/* The rules of encrypted flash: which partitions count as encrypted, whole blocks only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/part_update.h"
#include "esp_flash_encrypt.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "nvs_flash.h"
#include "tests/support/test_board.h"

const struct airlift_config_entry airlift_config[] = {
    {"SECURE_FLASH_ENC_ENABLED", "y"}, {"SECURE_FLASH_ENCRYPTION_MODE_RELEASE", "y"}, {NULL, NULL}};

static const esp_partition_t *labelled(const char *label)
{
    const esp_partition_t *p =
        esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, label);
    assert_non_null(p);
    return p;
}

static void apps_and_otadata_are_encrypted_and_plain_data_is_not(void **state)
{
    assert_true(esp_flash_encryption_enabled());
    assert_int_equal(esp_get_flash_encryption_mode(), ESP_FLASH_ENC_MODE_RELEASE);
    assert_true(labelled("ota_0")->encrypted);
    assert_true(labelled("otadata")->encrypted);
    assert_false(labelled("nvs")->encrypted);
    assert_false(labelled("storage")->encrypted);
}

static void encrypted_partitions_take_whole_blocks_only(void **state)
{
    static const uint8_t bytes[32] = {1};
    const esp_partition_t *app = labelled("ota_1"), *data = labelled("storage");
    assert_int_equal(esp_partition_write(app, 8, bytes, 16), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_write(app, 16, bytes, 15), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_write(app, 16, bytes, 32), ESP_OK);
    assert_int_equal(esp_partition_write_raw(app, 56, bytes, 3), ESP_OK);
    assert_int_equal(esp_partition_write(data, 3, bytes, 5), ESP_OK);
}

static void update_holds_back_what_is_no_whole_block(void **state)
{
    static const uint8_t image[47] = {0xe9};
    const esp_partition_t *slot = labelled("ota_0");
    esp_ota_handle_t handle;
    uint8_t now[16];
    assert_int_equal(esp_ota_begin(slot, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, image, sizeof image), ESP_OK);
    assert_int_equal(esp_partition_read(slot, 16, now, sizeof now), ESP_OK);
    assert_int_equal(now[15], 0);
    assert_int_equal(esp_partition_read(slot, 32, now, sizeof now), ESP_OK);
    assert_int_equal(now[0], 0xff);
    assert_int_equal(esp_ota_abort(handle), ESP_OK);
}

static void staged_data_is_programmed_in_whole_blocks(void **state)
{
    static const uint8_t bytes[47] = {1, 2, 3};
    const esp_partition_t *storage = labelled("storage");
    const struct part_update_options o = {.size = sizeof bytes};
    struct part_update *u;
    uint8_t now[47];
    assert_int_equal(part_update_begin(storage, &o, &u, NULL, 0), ESP_OK);
    assert_int_equal(part_update_write(u, bytes, 5), ESP_OK);
    assert_int_equal(part_update_write(u, bytes + 5, 12), ESP_OK);
    /* In the first 16 bytes, the 17th waits for its block; who looks sees it. */
    const uint8_t *slot = board()->nor.bytes + TEST_OTA_0;
    assert_memory_equal(slot, bytes, 16);
    assert_int_equal(slot[16], 0xff);
    part_overlay_begin(u, false);
    assert_int_equal(esp_partition_read(storage, 0, now, 17), ESP_OK);
    assert_memory_equal(now, bytes, 17);
    part_overlay_end();
    assert_int_equal(part_update_write(u, bytes + 17, 30), ESP_OK);
    assert_int_equal(part_update_commit(u), ESP_OK);
    assert_int_equal(esp_partition_read(storage, 0, now, sizeof now), ESP_OK);
    assert_memory_equal(now, bytes, sizeof now);
}

static void nvs_refuses_a_partition_that_flash_encryption_covers(void **state)
{
    esp_partition_t nvs = *labelled("nvs");
    nvs.encrypted = true;
    assert_int_equal(nvs_flash_init_partition_ptr(&nvs), ESP_ERR_NVS_WRONG_ENCRYPTION);
    assert_int_equal(nvs_flash_init(), ESP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apps_and_otadata_are_encrypted_and_plain_data_is_not),
        cmocka_unit_test(encrypted_partitions_take_whole_blocks_only),
        cmocka_unit_test(update_holds_back_what_is_no_whole_block),
        cmocka_unit_test(staged_data_is_programmed_in_whole_blocks),
        cmocka_unit_test(nvs_refuses_a_partition_that_flash_encryption_covers),
    };
    test_board_new();
    return cmocka_run_group_tests_name("encrypted flash", tests, NULL, NULL);
}
