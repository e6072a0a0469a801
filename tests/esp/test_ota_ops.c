/* esp_ota_ops.h over the core: handles, codes, log lines, pointers. The behaviour
 * itself is tested in tests/core. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "esp/esp-idf/airlift_config.h"
#include "esp_ota_ops.h"
#include "tests/support/test_board.h"
#include "tests/support/vectors.h"

const struct airlift_config_entry airlift_config[] = {{"BOOTLOADER_APP_ROLLBACK_ENABLE", "y"},
                                                      {NULL, NULL}};

#define IMAGE "esp-flash/image/app_c3_v2.bin"

static int setup(void **state)
{
    test_board_new();
    return 0;
}

static const esp_partition_t *slot(int n)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_OTA(n), NULL);
}

/* Writes a vector in pieces of an odd size; the result of the last call that failed. */
static esp_err_t install(const char *vector, esp_ota_handle_t *handle)
{
    size_t len, at = 0;
    uint8_t *image = vector_file(&len, "%s", vector);
    esp_err_t err = esp_ota_begin(slot(0), OTA_WITH_SEQUENTIAL_WRITES, handle);
    while (!err && at < len) {
        size_t n = len - at < 777 ? len - at : 777;
        err = esp_ota_write(*handle, image + at, n);
        at += n;
    }
    free(image);
    return err ? err : esp_ota_end(*handle);
}

static void an_image_is_written_chosen_and_confirmed(void **state)
{
    esp_ota_handle_t handle;
    esp_ota_img_states_t image_state;
    assert_int_equal(install(IMAGE, &handle), ESP_OK);
    assert_int_equal(esp_ota_set_boot_partition(slot(0)), ESP_OK);
    assert_ptr_equal(esp_ota_get_boot_partition(), slot(0));
    assert_int_equal(esp_ota_get_state_partition(slot(0), &image_state), ESP_OK);
    assert_int_equal(image_state, ESP_OTA_IMG_NEW);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    esp_ota_get_state_partition(slot(0), &image_state);
    assert_int_equal(image_state, ESP_OTA_IMG_VALID);
}

static void partitions_are_the_same_objects_everywhere(void **state)
{
    const esp_partition_t *factory =
        esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY, NULL);
    assert_ptr_equal(esp_ota_get_running_partition(), factory);
    assert_ptr_equal(esp_ota_get_boot_partition(), factory);
    assert_ptr_equal(esp_ota_get_next_update_partition(NULL), slot(0));
    assert_ptr_equal(esp_ota_get_next_update_partition(slot(0)), slot(1));
    assert_int_equal(esp_ota_get_app_partition_count(), 2);
    assert_null(esp_ota_get_last_invalid_partition());
}

static void handles_count_up_and_are_gone_after_end(void **state)
{
    esp_ota_handle_t first, second;
    assert_int_equal(install(IMAGE, &first), ESP_OK);
    assert_int_equal(esp_ota_end(first), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_write(first, "x", 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_begin(slot(0), 0x1000, &second), ESP_OK);
    assert_int_equal(second, first + 1);
    esp_ota_handle_t third;
    assert_int_equal(esp_ota_begin(slot(0), 0x1000, &third), ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_int_equal(esp_ota_abort(second), ESP_OK);
    assert_int_equal(esp_ota_abort(second), ESP_ERR_NOT_FOUND);
}

static void begin_refuses_what_cannot_be_updated(void **state)
{
    esp_ota_handle_t handle;
    esp_partition_t strange = *slot(0);
    strange.address += 0x1000;
    assert_int_equal(esp_ota_begin(NULL, 0, &handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_begin(slot(0), 0, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_begin(&strange, 0, &handle), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_begin(esp_ota_get_running_partition(), 0, &handle),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_resume(slot(0), 0, slot(0)->size + 1, &handle), ESP_ERR_INVALID_ARG);
}

/* A begin whose erase fails has given out its handle all the same. */
static void a_too_large_image_leaves_the_handle_open(void **state)
{
    esp_ota_handle_t handle = 0;
    assert_int_equal(esp_ota_begin(slot(0), slot(0)->size + 1, &handle), ESP_ERR_INVALID_SIZE);
    assert_int_not_equal(handle, 0);
    assert_int_equal(esp_ota_abort(handle), ESP_OK);
}

static void write_garbage(void *arg)
{
    esp_ota_handle_t handle;
    *(esp_err_t *)arg = esp_ota_begin(slot(0), OTA_WITH_SEQUENTIAL_WRITES, &handle);
    if (!*(esp_err_t *)arg) *(esp_err_t *)arg = esp_ota_write(handle, "\x12garbage", 8);
    esp_ota_abort(handle);
}

static void a_wrong_first_byte_is_logged_in_the_vendors_words(void **state)
{
    esp_err_t err;
    char *text = test_board_capture(write_garbage, &err);
    assert_int_equal(err, ESP_ERR_OTA_VALIDATE_FAILED);
    assert_non_null(strstr(text, "esp_ota_ops: OTA image has invalid magic byte (expected 0xE9, "
                                 "saw 0x12)\n"));
    free(text);
}

static void install_broken(void *arg)
{
    esp_ota_handle_t handle;
    *(esp_err_t *)arg = install("esp-flash/image/payload_bit_flip.bin", &handle);
}

static void a_broken_image_fails_at_the_end(void **state)
{
    esp_err_t err;
    char *text = test_board_capture(install_broken, &err);
    assert_int_equal(err, ESP_ERR_OTA_VALIDATE_FAILED);
    assert_non_null(strstr(text, "esp_ota_ops: New image failed verification\n"));
    free(text);
}

static void descriptions_are_read_from_flash(void **state)
{
    esp_app_desc_t desc;
    esp_bootloader_desc_t boot;
    assert_int_equal(esp_ota_get_partition_description(esp_ota_get_running_partition(), &desc),
                     ESP_OK);
    assert_string_equal(desc.version, esp_app_get_description()->version);
    assert_int_equal(esp_ota_get_partition_description(slot(1), &desc), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_get_partition_description(NULL, &desc), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_get_bootloader_description(NULL, &boot), ESP_ERR_NOT_FOUND);
    test_board_put_vector(0, "esp-flash/image/boot_c3.bin");
    assert_int_equal(esp_ota_get_bootloader_description(NULL, &boot), ESP_OK);
    assert_int_equal(boot.magic_byte, ESP_BOOTLOADER_DESC_MAGIC_BYTE);
}

static void images_of_another_chip_are_refused_before_writing(void **state)
{
    size_t len;
    uint8_t *image = vector_file(&len, "%s", IMAGE);
    esp_image_header_t header;
    memcpy(&header, image, sizeof header);
    free(image);
    assert_int_equal(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, NULL), ESP_OK);
    header.chip_id = 9;
    assert_int_equal(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, NULL),
                     ESP_ERR_INVALID_VERSION);
    assert_int_equal(esp_ota_check_image_validity(ESP_PARTITION_TYPE_DATA, &header, NULL),
                     ESP_ERR_INVALID_ARG);
}

static void roll_back(void *arg)
{
    esp_ota_handle_t handle;
    if (install(IMAGE, &handle) || esp_ota_set_boot_partition(slot(0))) return;
    esp_ota_mark_app_invalid_rollback_and_reboot();
}

static void rollback_marks_the_app_invalid_and_restarts(void **state)
{
    assert_int_equal(test_board_fork(roll_back, NULL, NULL), RESET_SW);
    esp_ota_img_states_t image_state;
    assert_int_equal(esp_ota_get_state_partition(slot(0), &image_state), ESP_OK);
    assert_int_equal(image_state, ESP_OTA_IMG_INVALID);
    assert_ptr_equal(esp_ota_get_last_invalid_partition(), slot(0));
}

static void a_partition_registered_at_run_time_takes_an_update(void **state)
{
    const esp_partition_t *primary;
    esp_ota_handle_t handle;
    assert_int_equal(esp_partition_register_external(
                         NULL, 0, 0x8000, "PrimaryBTLDR", ESP_PARTITION_TYPE_BOOTLOADER,
                         ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY, &primary),
                     ESP_OK);
    size_t len;
    uint8_t *image = vector_file(&len, "esp-flash/image/boot_c3.bin");
    assert_int_equal(esp_ota_begin(slot(0), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(handle, primary, true), ESP_OK);
    assert_int_equal(esp_ota_write(handle, image, len), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(handle, primary, true), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_ota_end(handle), ESP_OK);
    char *copy = malloc(len);
    assert_int_equal(esp_partition_read(primary, 0, copy, len), ESP_OK);
    assert_memory_equal(copy, image, len);
    free(copy);
    free(image);
    assert_int_equal(esp_partition_deregister_external(primary), ESP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_image_is_written_chosen_and_confirmed, setup),
        cmocka_unit_test_setup(partitions_are_the_same_objects_everywhere, setup),
        cmocka_unit_test_setup(handles_count_up_and_are_gone_after_end, setup),
        cmocka_unit_test_setup(begin_refuses_what_cannot_be_updated, setup),
        cmocka_unit_test_setup(a_too_large_image_leaves_the_handle_open, setup),
        cmocka_unit_test_setup(a_wrong_first_byte_is_logged_in_the_vendors_words, setup),
        cmocka_unit_test_setup(a_broken_image_fails_at_the_end, setup),
        cmocka_unit_test_setup(descriptions_are_read_from_flash, setup),
        cmocka_unit_test_setup(images_of_another_chip_are_refused_before_writing, setup),
        cmocka_unit_test_setup(rollback_marks_the_app_invalid_and_restarts, setup),
        cmocka_unit_test_setup(a_partition_registered_at_run_time_takes_an_update, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
