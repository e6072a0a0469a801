/* CONFIG_SECURE_SIGNED_ON_UPDATE without Secure Boot: only who signed the running
 * app may sign the next one. */
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

/* eFuse with Secure Boot on and the digests of the three test keys (expected.json). */
static void enable_secure_boot(void)
{
    const uint8_t on = EFUSE_FLAG_SECURE_BOOT;
    assert_int_equal(efuse_burn(&board()->efuse, EFUSE_FLAGS, &on, 1), 0);
    cJSON *list = vector_json("esp-flash/signed/expected.json");
    const cJSON *entry;
    cJSON_ArrayForEach(entry, list)
    {
        if (strcmp(vector_string(entry, "name"), "rsa_three_keys")) continue;
        const cJSON *blocks = vector_get(entry, "signature_blocks");
        for (uint32_t i = 0; i < 3; i++) {
            uint8_t digest[32];
            vector_hex(cJSON_GetArrayItem(blocks, (int)i), "key_digest", digest, sizeof digest);
            assert_int_equal(efuse_burn(&board()->efuse, EFUSE_KEY_DIGESTS + 32 * i, digest, 32),
                             0);
        }
    }
    cJSON_Delete(list);
}

static void a_key_is_revoked_only_if_another_signed_the_running_app(void **state)
{
    struct al_trusted_keys keys;
    assert_int_equal(esp_ota_revoke_secure_boot_public_key(0), ESP_FAIL); /* no Secure Boot */
    enable_secure_boot();
    assert_int_equal(esp_ota_revoke_secure_boot_public_key(0), ESP_FAIL); /* the only signer */
    assert_int_equal(esp_ota_revoke_secure_boot_public_key(3), ESP_ERR_INVALID_ARG);
    test_board_erase(TEST_FACTORY, 0x100000);
    test_board_put_vector(TEST_FACTORY, "esp-flash/signed/rsa_three_keys.bin");
    assert_int_equal(esp_ota_revoke_secure_boot_public_key(0), ESP_OK);
    efuse_keys(&board()->efuse, &keys);
    assert_int_equal(keys.count, 2);
    assert_int_equal(install("rsa_one_key"), ESP_ERR_OTA_VALIDATE_FAILED); /* by the revoked one */
    assert_int_equal(install("rsa_three_keys"), ESP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_image_of_the_same_signer_is_accepted, setup),
        cmocka_unit_test_setup(images_without_or_with_another_signature_are_refused, setup),
        cmocka_unit_test_setup(a_key_is_revoked_only_if_another_signed_the_running_app, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
