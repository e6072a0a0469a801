#include "zigbee/aps_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zigbee_vector.h"
#include "zigbee/hash.h"

/* Parses hex, and builds it again to the same octets; every shorter header is refused. */
static void comes_back(struct al_aps_frame *f, uint8_t in[64], const char *hex, size_t header)
{
    uint8_t out[64];
    struct al_aps_frame cut;
    size_t len = zigbee_hex(hex, in, 64);
    struct al_put p = al_put(out, sizeof out);
    for (size_t n = 0; n < header; n++) assert_int_equal(al_aps_parse(&cut, in, n), AL_ERR_SHORT);
    assert_int_equal(al_aps_parse(f, in, len), 0);
    assert_int_equal(al_aps_header_size(f), header);
    assert_int_equal(f->payload_len, len - header);
    assert_int_equal(al_aps_build(f, &p), 0);
    assert_int_equal(p.len, len);
    assert_memory_equal(out, in, len);
}

static void data_frames_of_all_deliveries_come_back(void **state)
{
    struct al_aps_frame f;
    uint8_t in[64];
    (void)state;
    comes_back(&f, in, "40 0a 1900 0401 01 05 aabb", 8);
    assert_true(f.ack_request);
    assert_int_equal(f.dst_endpoint, 10);
    assert_int_equal(f.cluster, 0x0019);
    assert_int_equal(f.profile, AL_PROFILE_HA);
    assert_int_equal(f.src_endpoint, 1);
    assert_int_equal(f.counter, 5);
    comes_back(&f, in, "08 ff 1900 0401 01 05", 8);
    assert_int_equal(f.delivery, AL_APS_BROADCAST);
    comes_back(&f, in, "0c 3412 1900 0401 01 05", 9);
    assert_int_equal(f.delivery, AL_APS_GROUP);
    assert_int_equal(f.group, 0x1234);
}

static void fragments_and_their_acknowledgements_come_back(void **state)
{
    struct al_aps_frame f;
    uint8_t in[64];
    (void)state;
    comes_back(&f, in, "c0 0a 1900 0401 01 05 01 03 aa", 10);
    assert_int_equal(f.fragment, AL_APS_FIRST);
    assert_int_equal(f.block, 3);
    comes_back(&f, in, "c0 0a 1900 0401 01 05 02 02 aa", 10);
    assert_int_equal(f.fragment, AL_APS_MIDDLE);
    comes_back(&f, in, "c0 0a 1900 0401 01 05 00 aa", 9);
    assert_int_equal(f.fragment, AL_APS_WHOLE);
    comes_back(&f, in, "82 0a 1900 0401 01 05 01 08 fd", 11);
    assert_int_equal(f.block, 8);
    assert_int_equal(f.ack_bits, 0xfd);
}

static void commands_and_their_acknowledgements_have_a_counter_only(void **state)
{
    struct al_aps_frame f;
    uint8_t in[64];
    (void)state;
    comes_back(&f, in, "41 07 06", 2);
    assert_int_equal(f.type, AL_APS_COMMAND);
    struct al_aps_frame ack = al_aps_ack_of(&f);
    uint8_t out[8];
    struct al_put p = al_put(out, sizeof out);
    assert_int_equal(al_aps_build(&ack, &p), 0);
    assert_int_equal(p.len, 2);
    assert_memory_equal(out, "\x12\x07", 2);
}

static void malformed_headers_are_refused_by_name(void **state)
{
    struct al_aps_frame f;
    (void)state;
    assert_int_equal(al_aps_parse(&f, (const uint8_t *)"\x03\x01", 2), AL_ERR_NOT_SUPPORTED);
    assert_int_equal(al_aps_parse(&f, (const uint8_t *)"\x04\x01", 2), AL_ERR_INVALID_ARG);
    assert_int_equal(al_aps_parse(&f, (const uint8_t *)"\x21\x01\x20", 3), AL_ERR_SHORT);
}

static void extended_header_is_authenticated(void **state)
{
    const struct al_aps_frame f = {
        .type = AL_APS_DATA,
        .ack_request = true,
        .extended = true,
        .fragment = AL_APS_FIRST,
        .block = 2,
        .secured = true,
        .aux = {.key_id = AL_SEC_KEY_LINK, .source = ZIGBEE_DEVICE, .counter = 1},
        .payload = (const uint8_t *)"block",
        .payload_len = 5,
    };
    uint8_t apdu[64], plain[64];
    struct al_aps_frame back;
    struct al_put p = al_put(apdu, sizeof apdu);
    (void)state;
    assert_int_equal(al_aps_seal(&f, zigbee_aes(), al_default_link_key, &p), 0);
    assert_int_equal(al_aps_parse(&back, apdu, p.len), 0);
    assert_int_equal(al_aps_open(&back, zigbee_aes(), al_default_link_key, ZIGBEE_DEVICE, plain),
                     0);
    assert_memory_equal(back.payload, "block", 5);
    apdu[9] ^= 1; /* the block number */
    assert_int_equal(al_aps_parse(&back, apdu, p.len), 0);
    assert_int_equal(al_aps_open(&back, zigbee_aes(), al_default_link_key, ZIGBEE_DEVICE, plain),
                     AL_ERR_INVALID_CRC);
}

static void frame_without_payload_opens(void **state)
{
    const struct al_aps_frame f = {
        .type = AL_APS_ACK,
        .ack_format = true,
        .secured = true,
        .aux = {.key_id = AL_SEC_KEY_LINK, .has_source = true, .source = ZIGBEE_DEVICE},
    };
    uint8_t apdu[32], plain[32];
    struct al_aps_frame back;
    struct al_put p = al_put(apdu, sizeof apdu);
    (void)state;
    assert_int_equal(al_aps_seal(&f, zigbee_aes(), al_default_link_key, &p), 0);
    assert_int_equal(p.len, 2 + AL_AUX_APS_SIZE + AL_CCM_MIC);
    assert_int_equal(al_aps_parse(&back, apdu, p.len), 0);
    assert_int_equal(al_aps_open(&back, zigbee_aes(), al_default_link_key, 0, plain), 0);
    assert_int_equal(back.payload_len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_frames_of_all_deliveries_come_back),
        cmocka_unit_test(fragments_and_their_acknowledgements_come_back),
        cmocka_unit_test(commands_and_their_acknowledgements_have_a_counter_only),
        cmocka_unit_test(malformed_headers_are_refused_by_name),
        cmocka_unit_test(extended_header_is_authenticated),
        cmocka_unit_test(frame_without_payload_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
