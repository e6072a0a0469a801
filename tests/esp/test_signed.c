/* CONFIG_SECURE_SIGNED_ON_UPDATE without Secure Boot: only who signed the running
 * app may sign the next one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "esp/esp-idf/airlift_config.h"
#include "esp_ota_ops.h"
#include "tests/support/test_board.h"
#include "tests/support/vectors.h"

const struct airlift_config_entry airlift_config[] = {{"SECURE_SIGNED_ON_UPDATE", "y"},
                                                      {NULL, NULL}};

static int setup(void **state)
{
    test_board_new();
    test_board_chip("esp32c6", 1);
    test_board_erase(TEST_FACTORY, 0x100000);
    test_board_put_vector(TEST_FACTORY, "esp-flash/signed/rsa_one_key.bin");
    return 0;
}

static esp_err_t install(const char *vector)
{
    esp_ota_handle_t handle;
    size_t len;
    uint8_t *image = vector_file(&len, "esp-flash/signed/%s.bin", vector);
    const esp_partition_t *to = esp_ota_get_next_update_partition(NULL);
    assert_int_equal(esp_ota_begin(to, OTA_SIZE_UNKNOWN, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, image, len), ESP_OK);
    free(image);
    esp_err_t err = esp_ota_end(handle);
    return err ? err : esp_ota_set_boot_partition(to);
}

static void an_image_of_the_same_signer_is_accepted(void **state)
{
    assert_int_equal(install("rsa_one_key"), ESP_OK);
    assert_int_equal(install("rsa_three_keys"), ESP_OK);
}

static void images_without_or_with_another_signature_are_refused(void **state)
{
    const char *refused[] = {"unsigned", "ecdsa_p256", "bad_signature_rsa", "bad_image_byte"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(install(refused[i]), ESP_ERR_OTA_VALIDATE_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_image_of_the_same_signer_is_accepted, setup),
        cmocka_unit_test_setup(images_without_or_with_another_signature_are_refused, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
