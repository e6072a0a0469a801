#include "host/zigbee_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include "core/err.h"
#include "host/aes_openssl.h"

static struct aes_openssl *openssl;
static const struct al_aes *aes;

static int load(void **state)
{
    openssl = aes_openssl_new();
    aes = aes_openssl_aes(openssl);
    return 0;
}

static int unload(void **state)
{
    aes_openssl_free(openssl);
    return 0;
}

/* Test certificates of Certicom's test authority, with the device's public key that its
 * web page showed beside them. */
static const struct {
    int suite;
    const char *authority, *certificate, *device;
    uint64_t subject, issuer;
} certicom[] = {
    {1, "0200fde8a7f3d1084224962a4e7c54e69ac3f04da6b8",
     "02020882b1d7df05538f37cdd09a4f6b15368998642b00220800000000015445535453454341010910830123"
     "4567890a",
     "0207d1ca014786b5e552cfd5f04339a2e856f00eaaef", 0x0022080000000001, 0x5445535453454341},
    {2, "0207a445022d9f39f49bdc38380026a27a9e0a1799313ab28c5c1a1c6b605154db1dff6752",
     "000b3ad5a312ab75d60d081112131415161718005b7ed230ffffffff0022080000000001080205bb3d1d157619"
     "7ff9ab6563915019a130437adb0ee7915432dc4a09c97dc595c5856800",
     "02012f082ee7db1bd3f89f16eabbf5d6221a5dcd077fc0c9d37b329eee8e2cdaee03439de0",
     0x0022080000000001, 0x1112131415161718},
};

static char path[64];

static const char *write_text(const char *text)
{
    snprintf(path, sizeof path, "/tmp/airlift-zigbee-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static int load_text(const char *text, struct zigbee_key **key)
{
    int err = zigbee_key_load(write_text(text), key);
    unlink(path);
    return err;
}

static struct zigbee_key *key_of(const char *text)
{
    struct zigbee_key *key = NULL;
    assert_int_equal(load_text(text, &key), 0);
    return key;
}

static struct zigbee_key *new_authority(int suite)
{
    char text[4096] = "";
    EVP_PKEY *pkey = EVP_EC_gen(zigbee_suite(suite)->curve);
    FILE *f = fmemopen(text, sizeof text, "w");
    assert_int_equal(PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
    EVP_PKEY_free(pkey);
    return key_of(text);
}

static void certicoms_certificates_give_their_keys(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        uint8_t certificate[200];
        const struct zigbee_suite *s = zigbee_suite(certicom[i].suite);
        size_t len = strlen(certicom[i].certificate);
        memcpy(certificate, certicom[i].certificate, len);
        assert_int_equal(zigbee_certificate_from_text(certificate, len), s->certificate_len);
        assert_true(zigbee_certificate_subject(s, certificate) == certicom[i].subject);
        assert_true(zigbee_certificate_issuer(s, certificate) == certicom[i].issuer);
        struct zigbee_key *authority = key_of(certicom[i].authority), *device, *got;
        device = key_of(certicom[i].device);
        assert_int_equal(zigbee_key_of_certificate(s, certificate, authority, aes, &got), 0);
        assert_true(zigbee_key_same(got, device));
        zigbee_key_free(got);
        certificate[s->subject_at] ^= 1;
        assert_int_equal(zigbee_key_of_certificate(s, certificate, authority, aes, &got), 0);
        assert_false(zigbee_key_same(got, device));
        zigbee_key_free(got);
        zigbee_key_free(device);
        zigbee_key_free(authority);
    }
}

static void a_certificate_fits_its_key_only(void **state)
{
    for (int suite = 1; suite <= 2; suite++) {
        const struct zigbee_suite *s = zigbee_suite(suite);
        uint8_t certificate[ZIGBEE_CERTIFICATE_MAX];
        struct zigbee_key *authority = new_authority(suite), *other = new_authority(suite), *key,
                          *got;
        assert_int_equal(zigbee_certify(authority, 0x0102030405060708, 0x1112131415161718,
                                        1700000000, aes, certificate, &key),
                         0);
        assert_true(zigbee_certificate_subject(s, certificate) == 0x0102030405060708);
        assert_true(zigbee_certificate_issuer(s, certificate) == 0x1112131415161718);
        assert_true(zigbee_key_is_private(key));
        assert_int_equal(zigbee_key_of_certificate(s, certificate, authority, aes, &got), 0);
        assert_true(zigbee_key_same(got, key));
        assert_false(zigbee_key_is_private(got));
        zigbee_key_free(got);
        assert_int_equal(zigbee_key_of_certificate(s, certificate, other, aes, &got), 0);
        assert_false(zigbee_key_same(got, key));
        zigbee_key_free(got);
        zigbee_key_free(key);
        zigbee_key_free(other);
        zigbee_key_free(authority);
    }
}

static void signatures_hold_for_their_digest_and_key(void **state)
{
    for (int suite = 1; suite <= 2; suite++) {
        const struct zigbee_suite *s = zigbee_suite(suite);
        struct zigbee_key *key = new_authority(suite), *other = new_authority(suite);
        uint8_t digest[16] = "0123456789abcde", signature[ZIGBEE_SIGNATURE_MAX];
        for (int i = 0; i < 20; i++) { /* r and s with leading zeros too */
            assert_int_equal(zigbee_sign(key, digest, signature), 0);
            assert_true(zigbee_signature_ok(key, digest, signature));
            digest[0]++;
            assert_false(zigbee_signature_ok(key, digest, signature));
            digest[0]--;
            assert_false(zigbee_signature_ok(other, digest, signature));
            signature[s->signature_len - 1] ^= 1;
            assert_false(zigbee_signature_ok(key, digest, signature));
        }
        memset(signature, 0, sizeof signature);
        assert_false(zigbee_signature_ok(key, digest, signature));
        memset(signature, 0xff, sizeof signature);
        assert_false(zigbee_signature_ok(key, digest, signature));
        zigbee_key_free(key);
        zigbee_key_free(other);
    }
}

static void a_key_survives_its_file(void **state)
{
    for (int suite = 1; suite <= 2; suite++) {
        struct zigbee_key *key = new_authority(suite), *again;
        struct stat st;
        write_text("");
        assert_int_equal(zigbee_key_write(key, path), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_int_equal(zigbee_key_load(path, &again), 0);
        unlink(path);
        assert_true(zigbee_key_same(key, again) && zigbee_key_is_private(again));
        zigbee_key_free(again);
        zigbee_key_free(key);
    }
}

static void a_public_key_cannot_sign(void **state)
{
    struct zigbee_key *key = key_of(certicom[0].device), *other;
    uint8_t digest[16] = {0}, signature[ZIGBEE_SIGNATURE_MAX], certificate[ZIGBEE_CERTIFICATE_MAX];
    assert_false(zigbee_key_is_private(key));
    assert_int_equal(zigbee_sign(key, digest, signature), AL_ERR_INVALID_ARG);
    assert_int_equal(zigbee_certify(key, 1, 2, 3, aes, certificate, &other), AL_ERR_INVALID_ARG);
    zigbee_key_free(key);
}

static void other_files_are_no_keys(void **state)
{
    struct zigbee_key *key;
    char text[4096] = "";
    assert_int_equal(load_text("hello", &key), AL_ERR_INVALID_ARG);
    assert_int_equal(load_text("", &key), AL_ERR_INVALID_ARG);
    /* 21 bytes: zero and beyond the order; 22 bytes: not on the curve */
    assert_int_equal(load_text("000000000000000000000000000000000000000000", &key),
                     AL_ERR_INVALID_ARG);
    assert_int_equal(load_text("ffffffffffffffffffffffffffffffffffffffffff", &key),
                     AL_ERR_INVALID_ARG);
    assert_int_equal(load_text("0500fde8a7f3d1084224962a4e7c54e69ac3f04da6b8", &key),
                     AL_ERR_INVALID_ARG);
    EVP_PKEY *pkey = EVP_EC_gen("prime256v1");
    FILE *f = fmemopen(text, sizeof text, "w");
    assert_int_equal(PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
    EVP_PKEY_free(pkey);
    assert_int_equal(load_text(text, &key), AL_ERR_NOT_SUPPORTED);
    assert_int_equal(zigbee_key_load("/no/such/key", &key), -2);
}

static void suites_are_found_by_what_belongs_to_them(void **state)
{
    assert_ptr_equal(zigbee_suite_of_tag(1), zigbee_suite(1));
    assert_ptr_equal(zigbee_suite_of_tag(2), zigbee_suite(1));
    assert_ptr_equal(zigbee_suite_of_tag(5), zigbee_suite(2));
    assert_ptr_equal(zigbee_suite_of_tag(6), zigbee_suite(2));
    assert_null(zigbee_suite_of_tag(3));
    assert_ptr_equal(zigbee_suite_of_certificate(74), zigbee_suite(2));
    assert_null(zigbee_suite_of_certificate(73));
    assert_null(zigbee_suite(0));
    assert_null(zigbee_suite(3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certicoms_certificates_give_their_keys),
        cmocka_unit_test(a_certificate_fits_its_key_only),
        cmocka_unit_test(signatures_hold_for_their_digest_and_key),
        cmocka_unit_test(a_key_survives_its_file),
        cmocka_unit_test(a_public_key_cannot_sign),
        cmocka_unit_test(other_files_are_no_keys),
        cmocka_unit_test(suites_are_found_by_what_belongs_to_them),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
