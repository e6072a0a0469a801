#include "core/secure_boot.h"

#include "core/app_image.h"
#include "core/crc32.h"
#include "core/err.h"
#include "core/image_verify.h"
#include "core/secure_boot_v1.h"
#include "host/crypto_openssl.h"
#include "host/image_sign.h"
#include "tests/support/mem_flash.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIR "esp-flash/signed/"

static void trust(const char *pem, struct al_trusted_keys *keys)
{
    char path[256];
    struct image_key *key;
    uint8_t raw[AL_SIG_BLOCK_LEN];
    struct al_sig_block b;
    snprintf(path, sizeof path, "tests/vectors/" DIR "%s", pem);
    assert_int_equal(image_key_load(path, &key), 0);
    assert_int_equal(image_key_block(key, raw), 0);
    image_key_free(key);
    (void)al_sig_block_parse(raw, &b); /* its CRC is not there yet */
    keys->version = b.version;
    assert_int_equal(al_sig_key_digest(raw, &b, &crypto_openssl, keys->digest[keys->count++]), 0);
}

/* A signed file alone in a flash. */
static struct al_window load(struct mem_flash *m, const char *file, bool mapped)
{
    size_t len;
    uint8_t *data = vector_file(&len, DIR "%s", file);
    mem_flash_init(m, 0x20000, mapped);
    mem_flash_put(m, 0, data, len);
    free(data);
    return al_window_all(&m->flash);
}

static void check_blocks(const struct al_window *w, const cJSON *blocks)
{
    const cJSON *v;
    cJSON_ArrayForEach(v, blocks)
    {
        uint8_t raw[AL_SIG_BLOCK_LEN], want[48], digest[32];
        struct al_sig_block b;
        assert_int_equal(al_window_read(w, (uint32_t)vector_number(v, "offset"), raw, sizeof raw),
                         0);
        int err = al_sig_block_parse(raw, &b);
        bool crc_ok = cJSON_IsTrue(vector_get(v, "crc_ok"));
        assert_int_equal(err, crc_ok ? 0 : AL_ERR_INVALID_CRC);
        assert_int_equal(b.magic, vector_number(v, "magic"));
        assert_int_equal(b.version, vector_number(v, "version"));
        assert_int_equal(b.sha_version, vector_number(v, "sha_version"));
        assert_int_equal(b.crc, vector_number(v, "crc"));
        assert_int_equal(b.crc_ok, crc_ok);
        size_t digest_len = b.sha_version ? 48 : 32;
        vector_hex(v, "image_digest", want, digest_len);
        assert_memory_equal(b.image_digest, want, digest_len);
        if (b.version == AL_SIG_RSA) {
            assert_int_equal(b.e, vector_number(v, "e"));
            assert_int_equal(b.mdash, vector_number(v, "mdash"));
            vector_hex(v, "signature_le_first8", want, 8);
            assert_memory_equal(b.sig, want, 8);
        } else {
            assert_int_equal(b.curve, vector_number(v, "curve_id"));
        }
        assert_int_equal(al_sig_key_digest(raw, &b, &crypto_openssl, digest), 0);
        vector_hex(v, "key_digest", want, 32);
        assert_memory_equal(digest, want, 32);
    }
}

static void every_signed_vector_verifies_with_its_keys_only(void **state)
{
    cJSON *json = vector_json(DIR "expected.json");
    const cJSON *v, *k;
    int seen = 0;
    cJSON_ArrayForEach(v, json)
    {
        if (!cJSON_HasObjectItem(v, "hashed_bytes")) continue;
        struct mem_flash m;
        struct al_window w = load(&m, vector_string(v, "file"), seen % 2);
        check_blocks(&w, vector_get(v, "signature_blocks"));
        cJSON_ArrayForEach(k, vector_get(v, "verify"))
        {
            struct al_trusted_keys keys = {0};
            struct al_sig_fault fault;
            trust(vector_string(k, "public_key"), &keys);
            int err = al_sig_verify(&w, (uint32_t)vector_number(v, "hashed_bytes"), &keys, true,
                                    &crypto_openssl, NULL, &fault);
            bool ok = cJSON_IsTrue(vector_get(k, "ok"));
            if (err != (ok ? 0 : AL_ERR_IMAGE_INVALID))
                fail_msg("%s with %s: %d", vector_string(v, "file"), vector_string(k, "public_key"),
                         err);
            seen++;
        }
        mem_flash_free(&m);
    }
    assert_true(seen >= 16);
    cJSON_Delete(json);
}

static void a_fault_tells_how_far_the_best_block_came(void **state)
{
    static const struct {
        const char *file, *key;
        enum al_sig_check check;
        uint32_t block;
    } known[] = {
        {"unsigned.bin", "rsa3072_a.pub.pem", AL_SIG_CHECK_NO_BLOCK, 0},
        {"bad_magic.bin", "rsa3072_a.pub.pem", AL_SIG_CHECK_NO_BLOCK, 0},
        {"bad_block_crc.bin", "rsa3072_a.pub.pem", AL_SIG_CHECK_CRC, 0},
        {"ecdsa_p256.bin", "rsa3072_a.pub.pem", AL_SIG_CHECK_SCHEME, 0},
        {"bad_image_byte.bin", "rsa3072_a.pub.pem", AL_SIG_CHECK_IMAGE_DIGEST, 0},
        {"bad_digest_field.bin", "rsa3072_a.pub.pem", AL_SIG_CHECK_IMAGE_DIGEST, 0},
        {"rsa_one_key.bin", "rsa3072_b.pub.pem", AL_SIG_CHECK_KEY, 0},
        {"bad_signature_rsa.bin", "rsa3072_a.pub.pem", AL_SIG_CHECK_SIGNATURE, 0},
        {"bad_signature_p256.bin", "p256.pub.pem", AL_SIG_CHECK_SIGNATURE, 0},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct mem_flash m;
        struct al_window w = load(&m, known[i].file, true);
        struct al_trusted_keys keys = {0};
        struct al_sig_fault fault;
        trust(known[i].key, &keys);
        assert_int_equal(al_sig_verify(&w, 16384, &keys, true, &crypto_openssl, NULL, &fault),
                         AL_ERR_IMAGE_INVALID);
        assert_int_equal(fault.check, known[i].check);
        assert_int_equal(fault.block, known[i].block);
        assert_int_equal(fault.offset, 16384);
        mem_flash_free(&m);
    }
}

static void the_apps_verifier_does_not_look_at_the_blocks_own_digest(void **state)
{
    struct mem_flash m;
    struct al_window w = load(&m, "bad_digest_field.bin", true);
    struct al_trusted_keys keys = {0};
    trust("rsa3072_a.pub.pem", &keys);
    assert_int_equal(al_sig_verify(&w, 16384, &keys, false, &crypto_openssl, NULL, NULL), 0);
    mem_flash_free(&m);
}

static void any_block_may_verify_unless_only_the_first_counts(void **state)
{
    struct mem_flash m;
    struct al_window w = load(&m, "rsa_three_keys.bin", true);
    struct al_trusted_keys keys = {0};
    uint32_t used = 9;
    trust("rsa3072_c.pub.pem", &keys);
    assert_int_equal(al_sig_verify(&w, 16384, &keys, true, &crypto_openssl, &used, NULL), 0);
    assert_int_equal(used, 2);
    keys.first_block_only = true;
    assert_int_equal(al_sig_verify(&w, 16384, &keys, true, &crypto_openssl, &used, NULL),
                     AL_ERR_IMAGE_INVALID);
    trust("rsa3072_a.pub.pem", &keys);
    assert_int_equal(al_sig_verify(&w, 16384, &keys, true, &crypto_openssl, &used, NULL), 0);
    assert_int_equal(used, 0);
    mem_flash_free(&m);
}

static void a_chip_with_half_a_digest_compares_half(void **state)
{
    struct mem_flash m;
    struct al_window w = load(&m, "ecdsa_p256.bin", true);
    struct al_trusted_keys keys = {0};
    trust("p256.pub.pem", &keys);
    keys.digest[0][20] ^= 1;
    assert_int_equal(al_sig_verify(&w, 16384, &keys, true, &crypto_openssl, NULL, NULL),
                     AL_ERR_IMAGE_INVALID);
    keys.digest_len = 16;
    assert_int_equal(al_sig_verify(&w, 16384, &keys, true, &crypto_openssl, NULL, NULL), 0);
    keys.curve = AL_P384;
    assert_int_equal(al_sig_verify(&w, 16384, &keys, true, &crypto_openssl, NULL, NULL),
                     AL_ERR_IMAGE_INVALID);
    mem_flash_free(&m);
}

static void a_block_with_an_impossible_curve_is_not_supported(void **state)
{
    struct al_sig_block b;
    uint8_t raw[AL_SIG_BLOCK_LEN] = {AL_SIG_MAGIC, AL_SIG_ECDSA};
    for (unsigned sha = 0; sha < 4; sha++) {
        for (unsigned curve = 0; curve < 6; curve++) {
            raw[2] = (uint8_t)sha;
            raw[36] = raw[52] = (uint8_t)curve;
            uint32_t crc = al_crc32(0, raw, 1196);
            memcpy(raw + 1196, &crc, 4);
            bool fits = sha == 0 ? curve == 1 || curve == 2 : sha == 1 && curve == 3;
            assert_int_equal(al_sig_block_parse(raw, &b), fits ? 0 : AL_ERR_NOT_SUPPORTED);
        }
    }
}

static void an_image_is_verified_by_its_signature_in_the_slot(void **state)
{
    struct mem_flash m;
    struct al_window w = load(&m, "rsa_one_key.bin", true);
    struct al_trusted_keys keys = {0};
    struct al_image image;
    struct al_image_fault fault;
    struct al_image_rules rules = {.crypto = &crypto_openssl, .keys = &keys};
    struct al_image_header h;
    trust("rsa3072_a.pub.pem", &keys);
    al_image_header_parse(m.bytes, &h);
    rules.device.chip = al_chip_by_id(h.chip_id);
    rules.device.revision = h.min_chip_rev_full;
    assert_int_equal(al_image_verify(&w, &rules, &image, &fault), 0);
    assert_in_range(image.image_len, 12289, 16384);

    w.size = 20479; /* the signature has to fit in too */
    assert_int_equal(al_image_verify(&w, &rules, &image, &fault), AL_ERR_IMAGE_INVALID);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_LENGTH);
    assert_int_equal(fault.found, 20480);
    w.size = 20480;
    keys.digest[0][0] ^= 1;
    assert_int_equal(al_image_verify(&w, &rules, &image, &fault), AL_ERR_IMAGE_INVALID);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_SIGNATURE);
    assert_int_equal(fault.signature.check, AL_SIG_CHECK_KEY);
    mem_flash_free(&m);
}

static void a_v1_signature_lies_right_behind_the_image(void **state)
{
    for (int mapped = 0; mapped < 2; mapped++) {
        struct mem_flash m;
        struct al_window w = load(&m, "v1_ecdsa.bin", mapped);
        struct al_sig_v1 key;
        const struct al_trusted_keys keys = {.v1 = &key};
        struct al_image_fault fault;
        struct al_image image;
        struct al_image_header h;
        size_t key_len;
        uint8_t *xy = vector_file(&key_len, DIR "v1_p256.pub.raw");
        struct al_image_rules rules = {.crypto = &crypto_openssl, .keys = &keys};
        assert_int_equal(key_len, 64);
        al_sig_v1_init(&key, xy);
        free(xy);
        al_image_header_parse(m.bytes, &h);
        rules.device.chip = al_chip_by_id(h.chip_id);
        assert_int_equal(al_image_verify(&w, &rules, &image, &fault), 0);
        uint32_t len = image.image_len;

        w.size = len + AL_SIG_V1_LEN - 1;
        assert_int_equal(al_image_verify(&w, &rules, &image, &fault), AL_ERR_IMAGE_INVALID);
        assert_int_equal(fault.check, AL_IMAGE_CHECK_LENGTH);
        w.size = len + AL_SIG_V1_LEN;
        m.bytes[len + 10] ^= 1;
        assert_int_equal(al_image_verify(&w, &rules, &image, &fault), AL_ERR_IMAGE_INVALID);
        assert_int_equal(fault.signature.check, AL_SIG_CHECK_SIGNATURE);
        m.bytes[len] = 0xff;
        assert_int_equal(al_image_verify(&w, &rules, &image, &fault), AL_ERR_IMAGE_INVALID);
        assert_int_equal(fault.signature.check, AL_SIG_CHECK_NO_BLOCK);
        assert_int_equal(fault.signature.found, 0xff);
        assert_true(fault.signature.v1);
        mem_flash_free(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_signed_vector_verifies_with_its_keys_only),
        cmocka_unit_test(a_fault_tells_how_far_the_best_block_came),
        cmocka_unit_test(the_apps_verifier_does_not_look_at_the_blocks_own_digest),
        cmocka_unit_test(any_block_may_verify_unless_only_the_first_counts),
        cmocka_unit_test(a_chip_with_half_a_digest_compares_half),
        cmocka_unit_test(a_block_with_an_impossible_curve_is_not_supported),
        cmocka_unit_test(an_image_is_verified_by_its_signature_in_the_slot),
        cmocka_unit_test(a_v1_signature_lies_right_behind_the_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
