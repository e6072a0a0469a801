#include "host/crypto_openssl.h"

#include "core/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void check(enum al_hash_alg alg, const char *want)
{
    uint8_t digest[48];
    char hex[97];
    crypto_digest(alg, "abc", 3, digest);
    crypto_hex(digest, alg, hex);
    assert_string_equal(hex, want);

    struct al_hash h;
    assert_int_equal(al_hash_begin(&h, &crypto_openssl, alg), 0);
    assert_int_equal(al_hash_update(&h, "a", 1), 0);
    assert_int_equal(al_hash_update(&h, "", 0), 0);
    assert_int_equal(al_hash_update(&h, "bc", 2), 0);
    assert_int_equal(al_hash_finish(&h, digest), 0);
    crypto_hex(digest, alg, hex);
    assert_string_equal(hex, want);
}

static void digests_of_abc_are_the_published_ones(void **state)
{
    check(AL_MD5, "900150983cd24fb0d6963f7d28e17f72");
    check(AL_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check(AL_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                     "8086072ba1e7cc2358baeca134c825a7");
}

/* The sanitizer's leak check sees it when it does not. */
static void finish_without_a_digest_only_releases(void **state)
{
    struct al_hash h;
    assert_int_equal(al_hash_begin(&h, &crypto_openssl, AL_SHA256), 0);
    assert_int_equal(al_hash_update(&h, "abc", 3), 0);
    assert_int_equal(al_hash_finish(&h, NULL), 0);
}

static void hostile_keys_are_refused_without_a_crash(void **state)
{
    uint8_t zeros[384] = {0}, ones[384];
    memset(ones, 0xff, sizeof ones);
    assert_int_not_equal(crypto_openssl.rsa_pss_verify(zeros, 0, zeros, zeros), 0);
    assert_int_not_equal(crypto_openssl.rsa_pss_verify(zeros, 65537, zeros, ones), 0);
    assert_int_not_equal(crypto_openssl.rsa_pss_verify(ones, 0xffffffff, ones, ones), 0);
    for (enum al_curve c = AL_P192; c <= AL_P384; c++) {
        assert_int_not_equal(crypto_openssl.ecdsa_verify(c, zeros, zeros, zeros, 32, zeros, zeros),
                             0);
        assert_int_not_equal(crypto_openssl.ecdsa_verify(c, ones, ones, ones, 32, ones, ones), 0);
    }
    assert_int_equal(crypto_openssl.ecdsa_verify(7, ones, ones, ones, 32, ones, ones),
                     AL_ERR_NOT_SUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_of_abc_are_the_published_ones),
        cmocka_unit_test(finish_without_a_digest_only_releases),
        cmocka_unit_test(hostile_keys_are_refused_without_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
