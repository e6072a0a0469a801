#include "host/signature_check.h"

#include "core/crc32.h"
#include "host/image_sign.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIR "esp-flash/signed/"

static struct signature_check s;

static void key_block(const char *pem, uint8_t block[AL_SIG_BLOCK_LEN])
{
    char path[256];
    struct image_key *key;
    snprintf(path, sizeof path, "tests/vectors/" DIR "%s", pem);
    assert_int_equal(image_key_load(path, &key), 0);
    assert_int_equal(image_key_block(key, block), 0);
    image_key_free(key);
}

static void the_tools_verdict_on_every_signed_file(void **state)
{
    cJSON *json = vector_json(DIR "expected.json");
    const cJSON *v, *k;
    cJSON_ArrayForEach(v, json)
    {
        size_t len, key_len;
        uint8_t *file = vector_file(&len, DIR "%s", vector_string(v, "file"));
        cJSON_ArrayForEach(k, vector_get(v, "verify"))
        {
            const char *name = vector_string(k, "public_key");
            if (vector_number(k, "scheme_version") == 1) {
                uint8_t *xy = vector_file(&key_len, DIR "%s", name);
                signature_check_v1(file, len, xy, xy + 32, &s);
                free(xy);
            } else {
                uint8_t block[AL_SIG_BLOCK_LEN];
                key_block(name, block);
                signature_check_v2(file, len, block, &s);
            }
            assert_int_equal(s.valid, cJSON_IsTrue(vector_get(k, "ok")));
            assert_int_equal(s.valid, s.why[0] == '\0');
        }
        free(file);
    }
    cJSON_Delete(json);
}

/* As espsecure: a good first block does not save the file. */
static void a_block_made_for_other_bytes_spoils_the_file(void **state)
{
    size_t len;
    uint8_t *file = vector_file(&len, DIR "rsa_three_keys.bin"), key[AL_SIG_BLOCK_LEN];
    uint8_t *second = file + len - AL_SECTOR + AL_SIG_BLOCK_LEN;
    key_block("rsa3072_a.pub.pem", key);
    signature_check_v2(file, len, key, &s);
    assert_true(s.valid);
    second[4] ^= 1; /* its digest */
    uint32_t crc = al_crc32(0, second, 1196);
    for (int i = 0; i < 4; i++) second[1196 + i] = (uint8_t)(crc >> 8 * i);
    signature_check_v2(file, len, key, &s);
    assert_true(s.block[0].verified);
    assert_false(s.valid);
    assert_non_null(strstr(s.why, "block 1"));
    free(file);
}

static void a_changed_byte_is_noticed_by_v1(void **state)
{
    size_t len, key_len;
    uint8_t *file = vector_file(&len, DIR "v1_ecdsa.bin");
    uint8_t *xy = vector_file(&key_len, DIR "v1_p256.pub.raw");
    assert_int_equal(key_len, 64);
    static const size_t from_end[] = {8000, 69, 68, 64, 33, 1};
    for (size_t i = 0; i < sizeof from_end / sizeof *from_end; i++) {
        file[len - from_end[i]] ^= 1;
        signature_check_v1(file, len, xy, xy + 32, &s);
        assert_false(s.valid);
        file[len - from_end[i]] ^= 1;
    }
    signature_check_v1(file, 68, xy, xy + 32, &s);
    assert_false(s.valid);
    free(file);
    free(xy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tools_verdict_on_every_signed_file),
        cmocka_unit_test(a_block_made_for_other_bytes_spoils_the_file),
        cmocka_unit_test(a_changed_byte_is_noticed_by_v1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
