#include "host/image_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/err.h"
#include "host/crypto_openssl.h"
#include "tests/support/mem_flash.h"
#include "tests/support/vectors.h"

#define IMAGE_LEN 10000u

static uint8_t image[IMAGE_LEN];

static struct image_key *write_and_load(EVP_PKEY *pkey)
{
    char path[] = "/tmp/airlift-key-XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
    EVP_PKEY_free(pkey);
    struct image_key *key = NULL;
    int err = image_key_load(path, &key);
    unlink(path);
    assert_int_equal(err, 0);
    return key;
}

static struct image_key *make_ec_key(const char *group)
{
    return write_and_load(EVP_EC_gen(group));
}

/* Making one takes a while. */
static struct image_key *rsa_key(void)
{
    static struct image_key *key;
    if (!key) key = write_and_load(EVP_RSA_gen(3072));
    return key;
}

static void trust(const struct image_key *key, struct al_trusted_keys *keys)
{
    uint8_t block[AL_SIG_BLOCK_LEN];
    struct al_sig_block b;
    assert_int_equal(image_key_block(key, block), 0);
    al_put_le32(block + 1196, al_crc32(0, block, 1196));
    assert_int_equal(al_sig_block_parse(block, &b), 0);
    keys->version = (enum al_sig_version)b.version;
    keys->count = 1;
    assert_int_equal(al_sig_key_digest(block, &b, &crypto_openssl, keys->digest[0]), 0);
}

static int verify(const uint8_t *data, size_t len, const struct al_trusted_keys *keys,
                  uint32_t *used)
{
    struct mem_flash m;
    mem_flash_init(&m, 0x20000, true);
    mem_flash_put(&m, 0, data, len);
    struct al_window w = al_window_all(&m.flash);
    int err =
        al_sig_verify(&w, (uint32_t)len - AL_SIG_SECTOR, keys, true, &crypto_openssl, used, NULL);
    mem_flash_free(&m);
    return err;
}

static void check_scheme(struct image_key *key)
{
    struct al_trusted_keys keys = {0};
    uint8_t *out;
    size_t len;
    uint32_t used = 9;
    trust(key, &keys);
    assert_int_equal(image_sign_v2(image, IMAGE_LEN, &key, 1, false, &out, &len), 0);
    assert_int_equal(len, 3 * AL_SIG_SECTOR + AL_SIG_SECTOR);
    assert_memory_equal(out, image, IMAGE_LEN);
    for (size_t i = IMAGE_LEN; i < len - AL_SIG_SECTOR; i++) assert_int_equal(out[i], 0xff);
    for (size_t i = len - AL_SIG_SECTOR + AL_SIG_BLOCK_LEN; i < len; i++)
        assert_int_equal(out[i], 0xff);
    assert_int_equal(verify(out, len, &keys, &used), 0);
    assert_int_equal(used, 0);
    out[5] ^= 1;
    assert_int_not_equal(verify(out, len, &keys, &used), 0);
    free(out);
}

static void rsa_signatures_verify(void **state)
{
    check_scheme(rsa_key());
}

static void ecdsa_signatures_verify(void **state)
{
    static const char *const groups[] = {"P-256", "P-384"};
    for (size_t i = 0; i < 2; i++) {
        struct image_key *key = make_ec_key(groups[i]);
        check_scheme(key);
        image_key_free(key);
    }
}

/* What does not depend on the random numbers of a signature. */
static void public_parts_are_those_of_the_vendors_tool(void **state)
{
    static const struct {
        const char *pem, *signed_file;
        size_t from, to;
    } cases[] = {
        {"rsa3072_a.pub.pem", "rsa_one_key.bin", 36, 812},
        {"p192.pub.pem", "ecdsa_p192.bin", 36, 101},
        {"p256.pub.pem", "ecdsa_p256.bin", 36, 101},
        {"p384.pub.pem", "ecdsa_p384.bin", 52, 149},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[256];
        struct image_key *key;
        uint8_t block[AL_SIG_BLOCK_LEN];
        size_t len;
        uint8_t *file = vector_file(&len, "esp-flash/signed/%s", cases[i].signed_file);
        const uint8_t *theirs = file + len - AL_SIG_SECTOR;
        snprintf(path, sizeof path, "tests/vectors/esp-flash/signed/%s", cases[i].pem);
        assert_int_equal(image_key_load(path, &key), 0);
        assert_int_equal(image_key_block(key, block), 0);
        assert_memory_equal(block, theirs, 4);
        assert_memory_equal(block + cases[i].from, theirs + cases[i].from,
                            cases[i].to - cases[i].from);
        image_key_free(key);
        free(file);
    }
}

static void three_keys_fit_and_a_fourth_does_not(void **state)
{
    struct image_key *k[4];
    for (size_t i = 0; i < 4; i++) k[i] = make_ec_key("P-256");
    struct al_trusted_keys last = {0};
    trust(k[2], &last);
    uint8_t *one, *three, *four;
    size_t one_len, three_len, four_len;
    uint32_t used;
    assert_int_equal(image_sign_v2(image, IMAGE_LEN, k, 1, false, &one, &one_len), 0);
    assert_int_equal(image_sign_v2(one, one_len, k + 1, 2, true, &three, &three_len), 0);
    assert_int_equal(three_len, one_len);
    assert_memory_equal(three, one, one_len - AL_SIG_SECTOR + AL_SIG_BLOCK_LEN);
    assert_int_equal(verify(three, three_len, &last, &used), 0);
    assert_int_equal(used, 2);
    assert_int_equal(image_sign_v2(three, three_len, k + 3, 1, true, &four, &four_len),
                     AL_ERR_INVALID_SIZE);
    three[7] ^= 1;
    assert_int_equal(image_sign_v2(three, three_len, k + 3, 1, true, &four, &four_len),
                     AL_ERR_IMAGE_INVALID);
    free(one);
    free(three);
    for (size_t i = 0; i < 4; i++) image_key_free(k[i]);
}

static void appending_needs_a_signature_that_is_there(void **state)
{
    struct image_key *key = make_ec_key("P-256");
    uint8_t *out;
    size_t len;
    assert_int_equal(image_sign_v2(image, IMAGE_LEN, &key, 1, true, &out, &len), AL_ERR_NOT_FOUND);
    assert_int_equal(image_sign_v2(image, 8192, &key, 1, true, &out, &len), AL_ERR_NOT_FOUND);
    image_key_free(key);
}

static void keys_of_different_schemes_do_not_mix(void **state)
{
    struct image_key *k[2] = {make_ec_key("P-256"), make_ec_key("P-384")};
    uint8_t *out;
    size_t len;
    assert_int_equal(image_sign_v2(image, IMAGE_LEN, k, 2, false, &out, &len), AL_ERR_INVALID_ARG);
    struct image_key *mixed[2] = {k[0], rsa_key()};
    assert_int_equal(image_sign_v2(image, IMAGE_LEN, mixed, 2, false, &out, &len),
                     AL_ERR_INVALID_ARG);
    assert_int_equal(image_sign_v1(image, IMAGE_LEN, k[1], &out, &len), AL_ERR_INVALID_ARG);
    image_key_free(k[0]);
    image_key_free(k[1]);
}

static void a_version_1_signature_is_68_bytes_that_openssl_accepts(void **state)
{
    struct image_key *key = make_ec_key("P-256");
    uint8_t *out, block[AL_SIG_BLOCK_LEN], digest[32], le[64];
    size_t len;
    assert_int_equal(image_sign_v1(image, IMAGE_LEN, key, &out, &len), 0);
    assert_int_equal(len, IMAGE_LEN + 68);
    assert_int_equal(al_get_le32(out + IMAGE_LEN), 0);
    for (size_t i = 0; i < 32; i++) {
        le[i] = out[IMAGE_LEN + 4 + 31 - i];
        le[32 + i] = out[IMAGE_LEN + 36 + 31 - i];
    }
    assert_int_equal(image_key_block(key, block), 0);
    crypto_digest(AL_SHA256, image, IMAGE_LEN, digest);
    assert_int_equal(
        crypto_openssl.ecdsa_verify(AL_P256, block + 37, block + 69, digest, 32, le, le + 32), 0);
    free(out);
    image_key_free(key);
}

static void keys_that_cannot_sign_are_told_apart(void **state)
{
    struct image_key *key = NULL;
    uint8_t *out;
    size_t len;
    assert_int_equal(image_key_load("tests/vectors/esp-flash/signed/none.pem", &key), -2);
    assert_int_equal(image_key_load("tests/vectors/esp-flash/README.md", &key), AL_ERR_INVALID_ARG);
    assert_int_equal(image_key_load("tests/vectors/esp-flash/signed/p256.pub.pem", &key), 0);
    assert_int_equal(image_sign_v2(image, IMAGE_LEN, &key, 1, false, &out, &len),
                     AL_ERR_INVALID_ARG);
    image_key_free(key);

    char path[] = "/tmp/airlift-key-XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");
    EVP_PKEY *pkey = EVP_RSA_gen(2048);
    PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    EVP_PKEY_free(pkey);
    assert_int_equal(image_key_load(path, &key), AL_ERR_NOT_SUPPORTED);
    unlink(path);
}

static int free_rsa_key(void **state)
{
    image_key_free(rsa_key());
    return 0;
}

int main(void)
{
    for (size_t i = 0; i < IMAGE_LEN; i++) image[i] = (uint8_t)(i * 13);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_signatures_verify),
        cmocka_unit_test(ecdsa_signatures_verify),
        cmocka_unit_test(public_parts_are_those_of_the_vendors_tool),
        cmocka_unit_test(three_keys_fit_and_a_fourth_does_not),
        cmocka_unit_test(appending_needs_a_signature_that_is_there),
        cmocka_unit_test(keys_of_different_schemes_do_not_mix),
        cmocka_unit_test(a_version_1_signature_is_68_bytes_that_openssl_accepts),
        cmocka_unit_test(keys_that_cannot_sign_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, free_rsa_key);
}
