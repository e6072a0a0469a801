#include "zigbee/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zigbee_vector.h"

static void is(const uint8_t got[16], const char *wanted)
{
    uint8_t bytes[16];
    assert_int_equal(zigbee_hex(wanted, bytes, sizeof bytes), 16);
    assert_memory_equal(got, bytes, 16);
}

static void hash_of_one_octet_and_of_one_block(void **state)
{
    static const uint8_t octets[] = {0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
                                     0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf};
    uint8_t hash[16];
    (void)state;
    al_mmo(zigbee_aes(), octets, 1, hash);
    is(hash, "ae3a102a28d43ee0d4a09e22788b206c");
    al_mmo(zigbee_aes(), octets, 16, hash);
    is(hash, "a7977e88bc0b61e8210827109a228f2d");
}

/* The definition, block by block, over a message that is padded here. */
static void plain_hash(const uint8_t *padded, size_t len, uint8_t hash[16])
{
    memset(hash, 0, 16);
    for (size_t at = 0; at < len; at += 16) {
        uint8_t out[16];
        zigbee_aes()->encrypt(zigbee_aes()->ctx, hash, padded + at, out, 1);
        for (int i = 0; i < 16; i++) hash[i] = out[i] ^ padded[at + i];
    }
}

static void padded_hash(const uint8_t *data, size_t len, uint8_t hash[16])
{
    static uint8_t padded[8300 + 32];
    bool is_long = 8 * len >= 65536;
    size_t end = is_long ? 10 : 14, total = len + 1;
    memset(padded, 0, sizeof padded);
    memcpy(padded, data, len);
    padded[len] = 0x80;
    while (total % 16 != end) total++;
    if (is_long) {
        padded[total++] = (uint8_t)(8 * len >> 24);
        padded[total++] = (uint8_t)(8 * len >> 16);
    }
    padded[total++] = (uint8_t)(8 * len >> 8);
    padded[total++] = (uint8_t)(8 * len);
    if (is_long) total += 2;
    plain_hash(padded, total, hash);
}

static void padding_changes_at_two_to_the_sixteenth_bit(void **state)
{
    static uint8_t data[8300];
    static const size_t lens[] = {0,    1,    13,   14,   15,   16,   17,   31,   100,
                                  8175, 8190, 8191, 8192, 8193, 8201, 8202, 8203, 8300};
    (void)state;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(31 * i + 7);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        uint8_t got[16], wanted[16];
        al_mmo(zigbee_aes(), data, lens[i], got);
        padded_hash(data, lens[i], wanted);
        assert_memory_equal(got, wanted, 16);
    }
}

static void pieces_give_the_hash_of_the_whole(void **state)
{
    const char text[] = "an image arrives in blocks of any size";
    uint8_t whole[16], pieces[16];
    (void)state;
    al_mmo(zigbee_aes(), text, sizeof text, whole);
    for (size_t cut = 0; cut <= sizeof text; cut++) {
        struct al_mmo m;
        al_mmo_begin(&m, zigbee_aes());
        al_mmo_update(&m, text, cut);
        al_mmo_update(&m, text + cut, sizeof text - cut);
        al_mmo_finish(&m, pieces);
        assert_memory_equal(pieces, whole, 16);
    }
}

static void keys_are_derived_from_the_default_link_key(void **state)
{
    uint8_t key[16];
    (void)state;
    is(al_default_link_key, "5a6967426565416c6c69616e63653039");
    al_key_derive(zigbee_aes(), al_default_link_key, AL_KEY_TRANSPORT, key);
    is(key, "4bab0f173e1434a2d572e1c1ef478782");
    al_key_derive(zigbee_aes(), al_default_link_key, AL_KEY_LOAD, key);
    is(key, "c5a47035c332ccbf251571d8baded188");
    al_key_derive(zigbee_aes(), al_default_link_key, AL_KEY_VERIFY, key);
    is(key, "1ab128df1639a1246aaba72a6a559124");
    al_key_derive(zigbee_aes(), al_default_link_key, AL_KEY_DATA, key);
    assert_memory_equal(key, al_default_link_key, 16);
}

static const struct {
    const char *text, *key;
} codes[] = {
    {"83fed3407a939723a5c639b26916d505c3b5", "66b6900981e1ee3ca4206b6b861c02bb"},
    {"83FE D340 7A93 9723 A5C6 39B2 6916 D505 C3B5", "66b6900981e1ee3ca4206b6b861c02bb"},
    {"83fed3407a932b70", "cd4fa064773f46941ec986c09963d1a8"},
    {"83:FE:D3:40:7A:93:97:23-97:FC", "850be0bf5b369ac441280a53265db167"},
};

static void install_codes_give_their_link_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        uint8_t code[AL_INSTALL_CODE_MAX], key[16];
        int len = al_install_code_parse(codes[i].text, code);
        assert_true(len > 0);
        assert_int_equal(al_install_code_key(zigbee_aes(), code, (size_t)len, key), 0);
        is(key, codes[i].key);
    }
}

static void mistyped_install_codes_are_refused_by_name(void **state)
{
    static const struct {
        const char *text;
        int err;
    } bad[] = {
        {"83fed3407a932b71", AL_ERR_INVALID_CRC},
        {"83fed3407a832b70", AL_ERR_INVALID_CRC},
        {"83fed3407a9x2b70", AL_ERR_INVALID_ARG},
        {"83fed3407a93 2b7 0", AL_ERR_INVALID_ARG},
        {"83fed3407a932b7", AL_ERR_INVALID_SIZE},
        {"83fed3407a93972b70", AL_ERR_INVALID_SIZE},
        {"", AL_ERR_INVALID_SIZE},
        {"83fed3407a939723a5c639b26916d505c3b500", AL_ERR_INVALID_SIZE},
    };
    uint8_t code[AL_INSTALL_CODE_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(al_install_code_parse(bad[i].text, code), bad[i].err);
}

static void key_of_a_wrong_code_is_left_alone(void **state)
{
    static const uint8_t code[8] = {0x83, 0xfe, 0xd3, 0x40, 0x7a, 0x93, 0x2b, 0x71};
    uint8_t key[16], before[16];
    (void)state;
    memset(key, 0x55, sizeof key);
    memcpy(before, key, sizeof key);
    assert_int_equal(al_install_code_key(zigbee_aes(), code, 8, key), AL_ERR_INVALID_CRC);
    assert_int_equal(al_install_code_key(zigbee_aes(), code, 7, key), AL_ERR_INVALID_SIZE);
    assert_memory_equal(key, before, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_of_one_octet_and_of_one_block),
        cmocka_unit_test(padding_changes_at_two_to_the_sixteenth_bit),
        cmocka_unit_test(pieces_give_the_hash_of_the_whole),
        cmocka_unit_test(keys_are_derived_from_the_default_link_key),
        cmocka_unit_test(install_codes_give_their_link_keys),
        cmocka_unit_test(mistyped_install_codes_are_refused_by_name),
        cmocka_unit_test(key_of_a_wrong_code_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
