#include "host/aes_openssl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/zigbee_vector.h"

/* FIPS 197, appendix C.1 */
static void known_block_gives_the_known_ciphertext(void **state)
{
    uint8_t key[16], block[16], wanted[16];
    (void)state;
    zigbee_hex("000102030405060708090a0b0c0d0e0f", key, 16);
    zigbee_hex("00112233445566778899aabbccddeeff", block, 16);
    zigbee_hex("69c4e0d86a7b0430d8cdb78070b4c55a", wanted, 16);
    zigbee_aes()->encrypt(zigbee_aes()->ctx, key, block, block, 1);
    assert_memory_equal(block, wanted, 16);
}

static void many_keys_in_turn_do_not_mix(void **state)
{
    uint8_t first[40][16];
    (void)state;
    for (int round = 0; round < 3; round++)
        for (uint8_t k = 0; k < 40; k++) {
            uint8_t key[16] = {k}, out[32], in[32] = {1, [16] = 2};
            zigbee_aes()->encrypt(zigbee_aes()->ctx, key, in, out, 2);
            assert_memory_not_equal(out, out + 16, 16);
            if (round == 0) {
                memcpy(first[k], out, 16);
                struct aes_openssl *fresh = aes_openssl_new();
                assert_non_null(fresh);
                const struct al_aes *aes = aes_openssl_aes(fresh);
                aes->encrypt(aes->ctx, key, in, out, 1);
                aes_openssl_free(fresh);
            }
            assert_memory_equal(out, first[k], 16);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_block_gives_the_known_ciphertext),
        cmocka_unit_test(many_keys_in_turn_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
