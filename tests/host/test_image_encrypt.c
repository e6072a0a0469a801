#include "host/image_encrypt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "core/err.h"
#include "host/crypto_openssl.h"
#include "tests/support/vectors.h"

#define DIR "delta/encrypted/"

static struct image_key *load_key(const char *name)
{
    char path[256];
    struct image_key *key;
    snprintf(path, sizeof path, "tests/vectors/" DIR "%s", name);
    assert_int_equal(image_key_load(path, &key), 0);
    return key;
}

static int decrypt_vector(const char *name, const char *key_name, uint8_t **out, size_t *len)
{
    size_t file_len;
    uint8_t *file = vector_file(&file_len, DIR "%s", name);
    struct image_key *key = load_key(key_name);
    int err = image_decrypt(file, file_len, key, out, len);
    image_key_free(key);
    free(file);
    return err;
}

static void images_of_the_vendors_tool_are_decrypted(void **state)
{
    static const struct {
        const char *file, *key, *sha256;
        size_t len;
    } cases[] = {
        {"enc-rsa-1byte.bin", "rsa-private.pem",
         "de2e331d891ae267a7009cb45b4e8830f170e0c937288ea2731a1941c7a53b0d", 1},
        {"enc-ecc-37bytes.bin", "ecc-device-private.pem",
         "da0c4a72fd82984e48300a70172a3e24d0b8177cdeab7d307aa098d6b6cfab17", 37},
    };
    for (size_t i = 0; i < 2; i++) {
        uint8_t *out, digest[32];
        size_t len;
        char hex[65];
        assert_int_equal(decrypt_vector(cases[i].file, cases[i].key, &out, &len), 0);
        assert_int_equal(len, cases[i].len);
        crypto_digest(AL_SHA256, out, len, digest);
        crypto_hex(digest, sizeof digest, hex);
        assert_string_equal(hex, cases[i].sha256);
        free(out);
    }
}

static void damaged_images_are_refused_with_the_reason(void **state)
{
    uint8_t *out;
    size_t len;
    assert_int_equal(decrypt_vector("neg-bad-magic.bin", "rsa-private.pem", &out, &len),
                     AL_ERR_NOT_FOUND);
    assert_int_equal(decrypt_vector("neg-rsa-tag-flip.bin", "rsa-private.pem", &out, &len),
                     AL_ERR_INVALID_CRC);
    assert_int_equal(decrypt_vector("neg-rsa-ciphertext-flip.bin", "rsa-private.pem", &out, &len),
                     AL_ERR_INVALID_CRC);
    assert_int_equal(
        decrypt_vector("neg-ecc-point-not-on-curve.bin", "ecc-device-private.pem", &out, &len),
        AL_ERR_NOT_ALLOWED);
    assert_int_equal(decrypt_vector("enc-rsa-1byte.bin", "rsa-public.pem", &out, &len),
                     AL_ERR_INVALID_ARG);
}

/* Encrypts for the public key, checks the header, decrypts, and truncates. */
static void check_round_trip(const char *public_pem, const char *private_pem, size_t len)
{
    struct image_key *public = load_key(public_pem), *private = load_key(private_pem);
    uint8_t *plain = malloc(len + 1), *file, *again, *out;
    size_t file_len, again_len, out_len;
    for (size_t i = 0; i < len; i++) plain[i] = (uint8_t)(i * 31);
    assert_int_equal(image_encrypt(plain, len, public, &file, &file_len), 0);
    assert_int_equal(file_len, IMAGE_ENCRYPTED_HEADER + len);
    assert_int_equal(al_get_le32(file), 0x0788b6cf);
    assert_int_equal(al_get_le32(file + 404), len);
    for (size_t i = 424; i < 512; i++) assert_int_equal(file[i], 0);
    assert_int_equal(image_decrypt(file, file_len, private, &out, &out_len), 0);
    assert_int_equal(out_len, len);
    if (len) assert_memory_equal(out, plain, len);
    free(out);

    assert_int_equal(image_decrypt(file, file_len - 1, private, &out, &out_len),
                     len ? AL_ERR_INVALID_SIZE : AL_ERR_SHORT);
    assert_int_equal(image_encrypt(plain, len, public, &again, &again_len), 0);
    assert_memory_not_equal(file + 4, again + 4, 120); /* key and salt are never used twice */
    free(again);
    free(file);
    free(plain);
    image_key_free(public);
    image_key_free(private);
}

static void what_was_encrypted_is_decrypted_again(void **state)
{
    static const size_t lengths[] = {0, 1, 15, 16, 17, 100000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        check_round_trip("rsa-public.pem", "rsa-private.pem", lengths[i]);
        check_round_trip("ecc-device-public.pem", "ecc-device-private.pem", lengths[i]);
    }
}

static void keys_of_other_kinds_are_refused(void **state)
{
    struct image_key *key;
    uint8_t *out;
    size_t len;
    assert_int_equal(image_key_load("tests/vectors/esp-flash/signed/p384.pub.pem", &key), 0);
    assert_int_equal(image_encrypt((const uint8_t *)"x", 1, key, &out, &len), AL_ERR_NOT_SUPPORTED);
    image_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_of_the_vendors_tool_are_decrypted),
        cmocka_unit_test(damaged_images_are_refused_with_the_reason),
        cmocka_unit_test(what_was_encrypted_is_decrypted_again),
        cmocka_unit_test(keys_of_other_kinds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
