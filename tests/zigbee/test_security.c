/* CCM* and the protection of whole frames. */
#include "zigbee/security.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zigbee_vector.h"
#include "zigbee/hash.h"

/* The judge: OpenSSL's own CCM, asked with M = 4, L = 2. */
static void openssl_ccm(const uint8_t key[16], const uint8_t nonce[13], const uint8_t *aad,
                        int aad_len, const uint8_t *text, int len, uint8_t *out, uint8_t mic[4])
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n;
    assert_non_null(c);
    assert_int_equal(EVP_EncryptInit_ex(c, EVP_aes_128_ccm(), NULL, NULL, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN, 13, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 4, NULL), 1);
    assert_int_equal(EVP_EncryptInit_ex(c, NULL, NULL, key, nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(c, NULL, &n, NULL, len), 1);
    assert_int_equal(EVP_EncryptUpdate(c, NULL, &n, aad, aad_len), 1);
    assert_int_equal(EVP_EncryptUpdate(c, out, &n, text, len), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 4, mic), 1);
    EVP_CIPHER_CTX_free(c);
}

static void ccm_gives_what_openssl_gives(void **state)
{
    uint8_t nonce[AL_CCM_NONCE], aad[300], text[700], wanted[700], wanted_mic[4], mic[4];
    (void)state;
    for (size_t i = 0; i < sizeof nonce; i++) nonce[i] = (uint8_t)(200 - i);
    for (size_t i = 0; i < sizeof aad; i++) aad[i] = (uint8_t)(3 * i);
    for (size_t len = 0; len <= sizeof text; len += len < 40 ? 1 : 33) {
        size_t aad_len = 1 + 7 * len % sizeof aad;
        for (size_t i = 0; i < len; i++) text[i] = (uint8_t)(i * i + len);
        openssl_ccm(zigbee_network_key, nonce, aad, (int)aad_len, text, (int)len, wanted,
                    wanted_mic);
        al_ccm_encrypt(zigbee_aes(), zigbee_network_key, nonce, aad, aad_len, text, len, mic);
        assert_memory_equal(text, wanted, len);
        assert_memory_equal(mic, wanted_mic, 4);
        assert_int_equal(
            al_ccm_decrypt(zigbee_aes(), zigbee_network_key, nonce, aad, aad_len, text, len, mic),
            0);
        for (size_t i = 0; i < len; i++) assert_int_equal(text[i], (uint8_t)(i * i + len));
    }
}

static void text_of_a_wrong_mic_is_cleared(void **state)
{
    static const uint8_t nonce[AL_CCM_NONCE] = {1}, zeros[20];
    uint8_t text[20] = "secret of the house", mic[4];
    (void)state;
    al_ccm_encrypt(zigbee_aes(), zigbee_network_key, nonce, "header", 6, text, sizeof text, mic);
    assert_int_equal(al_ccm_decrypt(zigbee_aes(), zigbee_network_key, nonce, "headed", 6, text,
                                    sizeof text, mic),
                     AL_ERR_INVALID_CRC);
    assert_memory_equal(text, zeros, sizeof text);
}

static void every_auxiliary_header_comes_back(void **state)
{
    (void)state;
    for (unsigned control = 0; control < 0x80; control++) {
        uint8_t in[16] = {(uint8_t)control, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1, 9}, out[16];
        struct al_cur c = al_cur(in, sizeof in);
        struct al_put p = al_put(out, sizeof out);
        struct al_aux aux;
        al_aux_parse(&aux, &c);
        assert_false(c.failed);
        assert_int_equal(aux.counter, 0x01020304);
        assert_int_equal(aux.key_id, control >> 3 & 3);
        assert_int_equal(al_aux_size(&aux), c.pos);
        al_aux_build(&aux, &p);
        assert_int_equal(p.len, c.pos);
        assert_memory_equal(out, in, p.len);
    }
}

/* A frame of a header of 5 octets and a payload, sealed. */
static size_t sealed(const struct al_aux *aux, uint64_t source, uint8_t out[64])
{
    struct al_put p = al_put(out, 64);
    al_put_bytes(&p, "ahead", 5); /* what lies before the frame is not touched */
    size_t frame_at = p.len;
    al_put_bytes(&p, "\x01\x02\x03\x04\x05", 5);
    al_aux_build(aux, &p);
    al_put_bytes(&p, "payload", 7);
    assert_int_equal(
        al_security_seal(zigbee_aes(), zigbee_network_key, source, &p, frame_at, frame_at + 5), 0);
    assert_memory_equal(out, "ahead", 5);
    memmove(out, out + 5, p.len - 5);
    return p.len - 5;
}

static void sealed_frame_opens_in_its_own_place(void **state)
{
    const struct al_aux aux = {
        .key_id = AL_SEC_KEY_NETWORK, .has_source = true, .source = 77, .counter = 5};
    uint8_t frame[64];
    (void)state;
    size_t len = sealed(&aux, 0, frame);
    assert_int_equal(len, 5 + AL_AUX_NWK_SIZE + 7 + AL_CCM_MIC);
    assert_int_equal(frame[5], 0x28); /* the level stays 0 on the air */
    uint8_t *payload = frame + 5 + AL_AUX_NWK_SIZE;
    assert_int_equal(al_security_open(zigbee_aes(), zigbee_network_key, 0, frame, len, 5, payload),
                     7);
    assert_memory_equal(payload, "payload", 7);
}

static void source_that_is_not_sent_still_counts(void **state)
{
    const struct al_aux aux = {.key_id = AL_SEC_KEY_LINK, .counter = 9};
    uint8_t frame[64], plain[64];
    (void)state;
    size_t len = sealed(&aux, 1234, frame);
    assert_int_equal(al_security_open(zigbee_aes(), zigbee_network_key, 1234, frame, len, 5, plain),
                     7);
    assert_int_equal(al_security_open(zigbee_aes(), zigbee_network_key, 1235, frame, len, 5, plain),
                     AL_ERR_INVALID_CRC);
    assert_int_equal(
        al_security_open(zigbee_aes(), al_default_link_key, 1234, frame, len, 5, plain),
        AL_ERR_INVALID_CRC);
}

static void frames_cut_short_are_named_so(void **state)
{
    const struct al_aux aux = {.key_id = AL_SEC_KEY_NETWORK, .has_source = true};
    uint8_t frame[64], plain[64];
    (void)state;
    size_t len = sealed(&aux, 0, frame);
    for (size_t cut = 0; cut < len; cut++) {
        bool no_mic = cut < 5 + AL_AUX_NWK_SIZE + AL_CCM_MIC;
        assert_int_equal(
            al_security_open(zigbee_aes(), zigbee_network_key, 0, frame, cut, 5, plain),
            no_mic ? AL_ERR_SHORT : AL_ERR_INVALID_CRC);
    }
}

static void sealing_needs_room_for_the_mic(void **state)
{
    const struct al_aux aux = {.key_id = AL_SEC_KEY_LINK};
    uint8_t frame[13];
    struct al_put p = al_put(frame, sizeof frame);
    (void)state;
    al_put_bytes(&p, "12345", 5);
    al_aux_build(&aux, &p);
    assert_int_equal(al_security_seal(zigbee_aes(), zigbee_network_key, 0, &p, 0, 5),
                     AL_ERR_INVALID_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ccm_gives_what_openssl_gives),
        cmocka_unit_test(text_of_a_wrong_mic_is_cleared),
        cmocka_unit_test(every_auxiliary_header_comes_back),
        cmocka_unit_test(sealed_frame_opens_in_its_own_place),
        cmocka_unit_test(source_that_is_not_sent_still_counts),
        cmocka_unit_test(frames_cut_short_are_named_so),
        cmocka_unit_test(sealing_needs_room_for_the_mic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
