#include "zigbee/zcl_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zigbee_vector.h"

static void headers_come_back(void **state)
{
    static const char *const known[] = {"0101 03 aa", "0901 00", "1901 05 bb", "05 0110 07 00",
                                        "1c 0110 07 0b 0081"};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t in[16], out[16];
        struct al_zcl_frame f;
        struct al_put p = al_put(out, sizeof out);
        size_t len = zigbee_hex(known[i], in, sizeof in);
        size_t header = in[0] & 4 ? 5 : 3;
        for (size_t n = 0; n < header; n++) assert_int_equal(al_zcl_parse(&f, in, n), AL_ERR_SHORT);
        assert_int_equal(al_zcl_parse(&f, in, len), 0);
        assert_int_equal(f.payload_len, len - header);
        assert_int_equal(f.manufacturer, header == 5 ? 0x1001 : 0);
        assert_int_equal(al_zcl_build(&f, &p), 0);
        assert_int_equal(p.len, len);
        assert_memory_equal(out, in, len);
    }
}

static void reserved_frame_types_are_refused(void **state)
{
    struct al_zcl_frame f;
    (void)state;
    assert_int_equal(al_zcl_parse(&f, (const uint8_t *)"\x02\x01\x01", 3), AL_ERR_NOT_SUPPORTED);
}

static void answer_turns_the_direction_and_keeps_the_sequence(void **state)
{
    const struct al_zcl_frame f = {
        .seq = 9, .command = 2, .manufacturer_specific = true, .manufacturer = 0x1001};
    (void)state;
    struct al_zcl_frame a = al_zcl_answer_to(&f, false, AL_ZCL_DEFAULT_RSP);
    assert_true(a.to_client && a.no_default_response && a.manufacturer_specific);
    assert_int_equal(a.seq, 9);
    assert_int_equal(a.manufacturer, 0x1001);
    assert_int_equal(a.command, AL_ZCL_DEFAULT_RSP);
}

/* Sizes of all types, as the table of the ZCL has them; -1 where it varies. */
static void every_type_has_its_size(void **state)
{
    static const struct {
        uint8_t first, count;
        int sizes[8];
    } known[] = {
        {0x00, 1, {0}},
        {0x08, 8, {1, 2, 3, 4, 5, 6, 7, 8}},
        {0x10, 1, {1}},
        {0x18, 8, {1, 2, 3, 4, 5, 6, 7, 8}},
        {0x20, 8, {1, 2, 3, 4, 5, 6, 7, 8}},
        {0x28, 8, {1, 2, 3, 4, 5, 6, 7, 8}},
        {0x30, 2, {1, 2}},
        {0x38, 3, {2, 4, 8}},
        {0x41, 4, {-1, -1, -1, -1}},
        {0x48, 1, {-1}},
        {0x4c, 1, {-1}},
        {0x50, 2, {-1, -1}},
        {0xe0, 3, {4, 4, 4}},
        {0xe8, 3, {2, 2, 4}},
        {0xf0, 2, {8, 16}},
        {0xff, 1, {0}},
    };
    unsigned seen = 0;
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        for (uint8_t n = 0; n < known[i].count; n++, seen++)
            assert_int_equal(al_zcl_type_size(known[i].first + n), known[i].sizes[n]);
    for (unsigned type = 0; type < 256; type++)
        seen -= al_zcl_type_size((uint8_t)type) != AL_ERR_NOT_SUPPORTED;
    assert_int_equal(seen, 0);
}

static struct al_zcl_value value(uint8_t type, uint8_t in[64], const char *hex, int err)
{
    struct al_zcl_value v;
    size_t len = zigbee_hex(hex, in, 64);
    struct al_cur c = al_cur(in, len);
    assert_int_equal(al_zcl_value_get(&v, type, &c), err);
    if (!err) assert_int_equal(v.len, len);
    return v;
}

static void numbers_are_read_with_their_sign(void **state)
{
    uint8_t in[64];
    (void)state;
    struct al_zcl_value v = value(AL_ZCL_UINT24, in, "0302ff", 0);
    assert_int_equal(al_zcl_value_unsigned(&v), 0xff0203);
    v = value(0x2a, in, "0302ff", 0);
    assert_int_equal(al_zcl_value_signed(&v), -65021);
    v = value(AL_ZCL_INT8, in, "80", 0);
    assert_int_equal(al_zcl_value_signed(&v), -128);
    v = value(AL_ZCL_INT64, in, "ffffffffffffffff", 0);
    assert_int_equal(al_zcl_value_signed(&v), -1);
    v = value(AL_ZCL_EUI64, in, "02aa60feffbd4d74", 0);
    assert_true(al_zcl_value_unsigned(&v) == ZIGBEE_DEVICE);
    v = value(AL_ZCL_KEY128, in, "000102030405060708090a0b0c0d0e0f", 0);
    assert_int_equal(al_zcl_value_unsigned(&v), 0);
}

static void strings_know_the_invalid_one(void **state)
{
    uint8_t in[64];
    size_t len;
    (void)state;
    struct al_zcl_value v = value(AL_ZCL_STRING, in, "03 616263", 0);
    assert_memory_equal(al_zcl_value_string(&v, &len), "abc", 3);
    assert_int_equal(len, 3);
    v = value(AL_ZCL_STRING, in, "00", 0);
    assert_non_null(al_zcl_value_string(&v, &len));
    assert_int_equal(len, 0);
    v = value(AL_ZCL_STRING, in, "ff", 0);
    assert_null(al_zcl_value_string(&v, &len));
    v = value(AL_ZCL_LONG_OCTETS, in, "0200 abcd", 0);
    assert_memory_equal(al_zcl_value_string(&v, &len), "\xab\xcd", 2);
    v = value(AL_ZCL_LONG_STRING, in, "ffff", 0);
    assert_null(al_zcl_value_string(&v, &len));
    value(AL_ZCL_STRING, in, "04 616263", AL_ERR_SHORT);
}

static void collections_are_measured(void **state)
{
    uint8_t in[64];
    (void)state;
    value(AL_ZCL_ARRAY, in, "21 0200 0100 0200", 0);
    value(AL_ZCL_SET, in, "42 0200 0161 026263", 0);
    value(AL_ZCL_STRUCT, in, "0200 20 07 48 20 0100 05", 0);
    value(AL_ZCL_BAG, in, "20 ffff", 0); /* the invalid one */
    value(AL_ZCL_ARRAY, in, "21 0200 0100 02", AL_ERR_SHORT);
    value(AL_ZCL_ARRAY, in, "00 feff", 0); /* many values of no size */
    value(AL_ZCL_ARRAY, in, "03 0100 00", AL_ERR_NOT_SUPPORTED);
    value(AL_ZCL_ARRAY, in, "48 0100 48 0100 48 0100 20 0100 05", 0);
    value(AL_ZCL_ARRAY, in, "48 0100 48 0100 48 0100 48 0100 20 0000", AL_ERR_NOT_SUPPORTED);
}

/* Reads all records and writes them again. */
static unsigned records(uint8_t command, const char *hex, struct al_zcl_record *first)
{
    static uint8_t in[128];
    uint8_t out[128];
    struct al_zcl_record r;
    size_t len = zigbee_hex(hex, in, sizeof in);
    struct al_cur c = al_cur(in, len);
    struct al_put p = al_put(out, sizeof out);
    unsigned count = 0;
    int got;
    while ((got = al_zcl_record_get(&r, command, &c)) == 1) {
        if (count++ == 0) *first = r;
        al_zcl_record_put(&r, command, &p);
    }
    assert_int_equal(got, 0);
    assert_int_equal(p.len, len);
    assert_memory_equal(out, in, len);
    return count;
}

static void records_of_all_general_commands_come_back(void **state)
{
    struct al_zcl_record r;
    (void)state;
    assert_int_equal(records(AL_ZCL_READ, "0500 0040", &r), 2);
    assert_int_equal(r.attr, 5);
    assert_int_equal(records(AL_ZCL_READ_RSP, "0500 00 42 026869 0040 86", &r), 2);
    assert_int_equal(r.value.type, AL_ZCL_STRING);
    assert_int_equal(r.value.len, 3);
    assert_int_equal(records(AL_ZCL_WRITE, "0100 20 07", &r), 1);
    assert_int_equal(records(AL_ZCL_WRITE_UNDIVIDED, "0100 20 07 0200 10 01", &r), 2);
    assert_int_equal(records(AL_ZCL_WRITE_NO_RSP, "0100 20 07", &r), 1);
    assert_int_equal(records(AL_ZCL_REPORT, "0100 29 ffff", &r), 1);
    assert_int_equal(records(AL_ZCL_WRITE_RSP, "00", &r), 1);
    assert_int_equal(r.status, 0);
    assert_int_equal(records(AL_ZCL_WRITE_RSP, "88 0100 86 0200", &r), 2);
    assert_int_equal(r.status, AL_ZCL_READ_ONLY);
    assert_int_equal(r.attr, 1);
    assert_int_equal(
        records(AL_ZCL_CONFIGURE_REPORTING, "00 0100 29 0a00 5802 0500 01 0200 2c01", &r), 2);
    assert_int_equal(r.value.type, AL_ZCL_INT16);
    assert_int_equal(r.min_interval, 10);
    assert_int_equal(r.max_interval, 600);
    assert_int_equal(al_zcl_value_signed(&r.change), 5);
    assert_int_equal(records(AL_ZCL_CONFIGURE_REPORTING, "00 0100 10 0a00 5802", &r), 1);
    assert_int_equal(r.change.len, 0);
    assert_int_equal(records(AL_ZCL_CONFIGURE_REPORTING_RSP, "00", &r), 1);
    assert_int_equal(records(AL_ZCL_CONFIGURE_REPORTING_RSP, "8c 00 0100", &r), 1);
    assert_int_equal(r.status, AL_ZCL_UNREPORTABLE);
    assert_int_equal(records(AL_ZCL_READ_REPORTING, "00 0100 01 0200", &r), 2);
    assert_int_equal(
        records(AL_ZCL_READ_REPORTING_RSP, "00 00 0100 20 0a00 5802 01 86 00 0200", &r), 2);
    assert_int_equal(records(AL_ZCL_DISCOVER_RSP, "0000 20 0500 42", &r), 2);
    assert_int_equal(r.value.type, AL_ZCL_UINT8);
}

static void success_with_an_attribute_behind_it_is_read(void **state)
{
    static const uint8_t in[] = {0x00, 0x01, 0x00, 0x86, 0x02, 0x00};
    struct al_zcl_record r;
    struct al_cur c = al_cur(in, sizeof in);
    (void)state;
    assert_int_equal(al_zcl_record_get(&r, AL_ZCL_WRITE_RSP, &c), 1);
    assert_int_equal(r.attr, 1);
    assert_int_equal(al_zcl_record_get(&r, AL_ZCL_WRITE_RSP, &c), 1);
    assert_int_equal(r.attr, 2);
    assert_int_equal(r.status, AL_ZCL_UNSUP_ATTRIBUTE);
    assert_int_equal(al_zcl_record_get(&r, AL_ZCL_WRITE_RSP, &c), 0);
}

static void records_cut_short_and_unknown_types_are_named(void **state)
{
    static const struct {
        uint8_t command;
        const char *hex;
        int err;
    } bad[] = {
        {AL_ZCL_READ, "05", AL_ERR_SHORT},
        {AL_ZCL_READ_RSP, "0500", AL_ERR_SHORT},
        {AL_ZCL_READ_RSP, "0500 00", AL_ERR_SHORT},
        {AL_ZCL_READ_RSP, "0500 00 21 01", AL_ERR_SHORT},
        {AL_ZCL_REPORT, "0500 07 01", AL_ERR_NOT_SUPPORTED},
        {AL_ZCL_WRITE_RSP, "88", AL_ERR_SHORT},
        {AL_ZCL_CONFIGURE_REPORTING_RSP, "8c 00", AL_ERR_SHORT},
        {AL_ZCL_CONFIGURE_REPORTING, "00 0100 29 0a00 5802 05", AL_ERR_SHORT},
        {AL_ZCL_DEFAULT_RSP, "0000", AL_ERR_NOT_SUPPORTED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t in[32];
        struct al_zcl_record r;
        struct al_cur c = al_cur(in, zigbee_hex(bad[i].hex, in, sizeof in));
        assert_int_equal(al_zcl_record_get(&r, bad[i].command, &c), bad[i].err);
    }
}

static void values_are_written_by_their_type(void **state)
{
    uint8_t out[300];
    struct al_put p = al_put(out, sizeof out);
    (void)state;
    al_zcl_put_number(&p, AL_ZCL_UINT16, 0x1234);
    al_zcl_put_number(&p, 0x2a, (uint64_t)-2);
    al_zcl_put_string(&p, AL_ZCL_STRING, "ab", 2);
    al_zcl_put_string(&p, AL_ZCL_LONG_OCTETS, "c", 1);
    assert_false(p.failed);
    assert_int_equal(p.len, 11);
    assert_memory_equal(out,
                        "\x34\x12\xfe\xff\xff\x02"
                        "ab\x01\x00"
                        "c",
                        11);
    al_zcl_put_string(&p, AL_ZCL_STRING, out, 255);
    assert_true(p.failed);
    p = al_put(out, sizeof out);
    al_zcl_put_number(&p, AL_ZCL_EUI64, 0x0102030405060708);
    assert_int_equal(p.len, 8);
    assert_memory_equal(out, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
    al_zcl_put_number(&p, AL_ZCL_KEY128, 1);
    assert_true(p.failed);
}

static void default_response_and_discovery_come_back(void **state)
{
    struct al_zcl_default_rsp d, cut;
    struct al_zcl_discover f;
    uint8_t out[8];
    struct al_put p = al_put(out, sizeof out);
    (void)state;
    assert_int_equal(al_zcl_default_rsp_parse(&d, (const uint8_t *)"\x02\x98", 2), 0);
    assert_int_equal(al_zcl_default_rsp_parse(&cut, (const uint8_t *)"\x02", 1), AL_ERR_SHORT);
    assert_int_equal(d.command, 2);
    assert_int_equal(d.status, AL_ZCL_NO_IMAGE_AVAILABLE);
    assert_int_equal(al_zcl_discover_parse(&f, (const uint8_t *)"\x05\x40\x0a", 3), 0);
    assert_int_equal(f.start, 0x4005);
    assert_int_equal(f.max, 10);
    assert_int_equal(al_zcl_discover_parse(&f, (const uint8_t *)"\x05\x40", 2), AL_ERR_SHORT);
    al_zcl_discover_put(&f, &p);
    al_zcl_default_rsp_put(&d, &p);
    assert_int_equal(p.len, 5);
    assert_memory_equal(out, "\x05\x40\x00\x02\x98", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_come_back),
        cmocka_unit_test(reserved_frame_types_are_refused),
        cmocka_unit_test(answer_turns_the_direction_and_keeps_the_sequence),
        cmocka_unit_test(every_type_has_its_size),
        cmocka_unit_test(numbers_are_read_with_their_sign),
        cmocka_unit_test(strings_know_the_invalid_one),
        cmocka_unit_test(collections_are_measured),
        cmocka_unit_test(records_of_all_general_commands_come_back),
        cmocka_unit_test(success_with_an_attribute_behind_it_is_read),
        cmocka_unit_test(records_cut_short_and_unknown_types_are_named),
        cmocka_unit_test(values_are_written_by_their_type),
        cmocka_unit_test(default_response_and_discovery_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
