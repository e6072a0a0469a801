#include "zigbee/nwk_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zigbee_vector.h"

static int parse(struct al_nwk_frame *f, uint8_t npdu[128], const char *hex)
{
    return al_nwk_parse(f, npdu, zigbee_hex(hex, npdu, 128));
}

static void common_frame_controls_are_understood(void **state)
{
    static const struct {
        const char *hex;
        uint8_t type, discover;
        bool secured, dst_ext, src_ext, end_device;
    } known[] = {
        {"0802 0000 0100 1e 01", 0, 0, true, false, false, false},
        {"0822 0000 0100 1e 01", 0, 0, true, false, false, true},
        {"4802 0000 0100 1e 01", 0, 1, true, false, false, false},
        {"0808 0000 0100 1e 01 0102030405060708", 0, 0, false, true, false, false},
        {"0912 0000 0100 1e 01 0102030405060708", 1, 0, true, false, true, false},
        {"093a 0000 0100 1e 01 0102030405060708 1112131415161718", 1, 0, true, true, true, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct al_nwk_frame f;
        uint8_t npdu[128];
        char hex[200] = "";
        strcat(hex, known[i].hex);
        if (known[i].secured) strcat(hex, "28 04030201 8a7863feffbd4d74 00 aabbccdd");
        assert_int_equal(parse(&f, npdu, hex), 0);
        assert_int_equal(f.type, known[i].type);
        assert_int_equal(f.discover_route, known[i].discover);
        assert_int_equal(f.secured, known[i].secured);
        assert_int_equal(f.has_dst_ext, known[i].dst_ext);
        assert_int_equal(f.has_src_ext, known[i].src_ext);
        assert_int_equal(f.end_device, known[i].end_device);
        assert_int_equal(f.payload_len, known[i].secured ? 4 : 0);
        if (known[i].dst_ext) assert_true(f.dst_ext == 0x0807060504030201);
    }
}

static void malformed_headers_are_refused_by_name(void **state)
{
    struct al_nwk_frame f;
    uint8_t npdu[128];
    (void)state;
    assert_int_equal(parse(&f, npdu, "0c00 0000 0100 1e 01"), AL_ERR_INVALID_VERSION); /* GP */
    assert_int_equal(parse(&f, npdu, "0b00 0000 0100 1e 01"), AL_ERR_NOT_SUPPORTED); /* inter-PAN */
    assert_int_equal(parse(&f, npdu, "08"), AL_ERR_SHORT);
    assert_int_equal(parse(&f, npdu, "0800 0000 0100 1e"), AL_ERR_SHORT);
    assert_int_equal(parse(&f, npdu, "0808 0000 0100 1e 01 01020304050607"), AL_ERR_SHORT);
    assert_int_equal(parse(&f, npdu, "0804 0000 0100 1e 01 02 01 0500"), AL_ERR_SHORT);
    assert_int_equal(parse(&f, npdu, "0804 0000 0100 1e 01 0d 00"), AL_ERR_NOT_SUPPORTED);
    /* secured, with three octets where the MIC should be */
    assert_int_equal(parse(&f, npdu, "0802 0000 0100 1e 01 28 04030201 8a7863feffbd4d74 00 aabbcc"),
                     AL_ERR_SHORT);
}

static void multicast_octet_is_skipped(void **state)
{
    struct al_nwk_frame f;
    uint8_t npdu[128];
    (void)state;
    assert_int_equal(parse(&f, npdu, "0801 0000 0100 1e 01 aa 55"), 0);
    assert_int_equal(f.payload_len, 1);
    assert_int_equal(f.payload[0], 0x55);
}

static void source_route_comes_back_in_its_order(void **state)
{
    struct al_nwk_frame back, f = {.dst = 0x1234,
                                   .radius = 30,
                                   .source_route = true,
                                   .relay_count = 12,
                                   .relay_index = 11,
                                   .payload = (const uint8_t *)"x",
                                   .payload_len = 1};
    uint8_t npdu[64];
    (void)state;
    for (uint16_t i = 0; i < 12; i++) f.relays[i] = 0x1000 + i;
    struct al_put p = al_put(npdu, sizeof npdu);
    assert_int_equal(al_nwk_build(&f, &p), 0);
    assert_int_equal(p.len, al_nwk_header_size(&f) + 1);
    assert_int_equal(al_nwk_parse(&back, npdu, p.len), 0);
    assert_int_equal(back.relay_index, 11);
    assert_int_equal(back.relay_count, 12);
    assert_memory_equal(back.relays, f.relays, sizeof f.relays);
    f.relay_count = 13;
    assert_int_equal(al_nwk_build(&f, &p), AL_ERR_INVALID_ARG);
}

static void sealed_frame_with_everything_opens(void **state)
{
    const struct al_nwk_frame f = {
        .type = AL_NWK_COMMAND,
        .dst = 0xfffc,
        .src = 0x60eb,
        .radius = 1,
        .seq = 9,
        .has_dst_ext = true,
        .dst_ext = 1,
        .has_src_ext = true,
        .src_ext = ZIGBEE_DEVICE,
        .source_route = true,
        .relay_count = 1,
        .relays = {5},
        .end_device = true,
        .secured = true,
        .aux = {.key_id = AL_SEC_KEY_NETWORK,
                .has_source = true,
                .source = ZIGBEE_DEVICE,
                .counter = 0xfffffffe,
                .key_seq = 3},
        .payload = (const uint8_t *)"payload",
        .payload_len = 7,
    };
    struct al_nwk_frame back;
    uint8_t npdu[80], plain[80];
    struct al_put p = al_put(npdu, sizeof npdu);
    (void)state;
    assert_int_equal(al_nwk_seal(&f, zigbee_aes(), zigbee_network_key, &p), 0);
    assert_int_equal(p.len, al_nwk_header_size(&f) + 7 + AL_CCM_MIC);
    assert_int_equal(al_nwk_parse(&back, npdu, p.len), 0);
    assert_int_equal(back.aux.counter, 0xfffffffe);
    assert_int_equal(back.aux.key_seq, 3);
    assert_int_equal(al_nwk_open(&back, zigbee_aes(), zigbee_network_key, 0, plain), 0);
    assert_int_equal(back.payload_len, 7);
    assert_memory_equal(back.payload, "payload", 7);
}

static void frame_that_does_not_open_stays_as_it_was(void **state)
{
    struct al_nwk_frame f;
    uint8_t npdu[128], plain[128];
    (void)state;
    assert_int_equal(
        parse(&f, npdu, "0802 0000 0100 1e 01 28 04030201 8a7863feffbd4d74 00 010203 aabbccdd"), 0);
    const uint8_t *payload = f.payload;
    assert_int_equal(al_nwk_open(&f, zigbee_aes(), zigbee_network_key, 0, plain),
                     AL_ERR_INVALID_CRC);
    assert_ptr_equal(f.payload, payload);
    assert_int_equal(f.payload_len, 7);
}

static void frame_that_is_not_secured_is_neither_sealed_nor_opened(void **state)
{
    struct al_nwk_frame f;
    uint8_t npdu[128], plain[128];
    struct al_put p = al_put(plain, sizeof plain);
    (void)state;
    assert_int_equal(parse(&f, npdu, "0800 0000 0100 1e 01 28 04030201 8a7863feffbd4d74 00"), 0);
    assert_int_equal(al_nwk_open(&f, zigbee_aes(), zigbee_network_key, 0, plain),
                     AL_ERR_INVALID_ARG);
    assert_int_equal(al_nwk_seal(&f, zigbee_aes(), zigbee_network_key, &p), AL_ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(common_frame_controls_are_understood),
        cmocka_unit_test(malformed_headers_are_refused_by_name),
        cmocka_unit_test(multicast_octet_is_skipped),
        cmocka_unit_test(source_route_comes_back_in_its_order),
        cmocka_unit_test(sealed_frame_with_everything_opens),
        cmocka_unit_test(frame_that_does_not_open_stays_as_it_was),
        cmocka_unit_test(frame_that_is_not_secured_is_neither_sealed_nor_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
