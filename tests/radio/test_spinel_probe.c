/* The first questions to a co-processor, and those that are not what is needed. */
#include "radio/spinel_probe.h"

#include "tests/support/spinel_examples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct spinel_probe probe;

/* Of a co-processor that will do, in the order of the questions. */
static const char *const good[] = {
    "8106010403", "8106024f5400", "810605228104",          "8106b0010b",
    "8106b10104", "81068b248f02", "8106080102030405060708"};
#define GOOD_COUNT (sizeof good / sizeof *good)

/* Answers all questions, one with something else; which GOOD_COUNT: none. */
static bool ask_all(size_t which, const char *instead)
{
    uint8_t bytes[64];
    uint32_t property;
    size_t i = 0;
    memset(&probe, 0, sizeof probe);
    for (; spinel_probe_next(&probe, &property); i++) {
        struct spinel_frame f;
        size_t n = hex_bytes(i == which ? instead : good[i], bytes, sizeof bytes);
        assert_int_equal(spinel_parse(&f, bytes, n), 0);
        if (i != which) assert_int_equal(f.property, property);
        if (!spinel_probe_answer(&probe, &f)) return false;
    }
    assert_int_equal(i, GOOD_COUNT);
    return true;
}

static void a_usable_co_processor_is_known_at_the_end(void **state)
{
    assert_true(ask_all(GOOD_COUNT, NULL));
    assert_true(probe.eui64 == 0x0102030405060708);
    assert_string_equal(probe.version, "OT");
    assert_int_equal(probe.radio_caps, 0x10f);
    assert_string_equal(probe.error, "");
}

static void unusable_co_processors_are_refused_with_the_reason(void **state)
{
    static const struct {
        size_t which;
        const char *instead, *reason;
    } cases[] = {
        {0, "8106010600", "protocol 6.0, expected 4"},
        {0, "8106000d", "refuses to tell PROTOCOL_VERSION: PROP_NOT_FOUND"},
        {2, "81060505180d", "CONFIG_RADIO (34), MAC_RAW (513) are missing"},
        {2, "81060522", "capability MAC_RAW (513) is missing"},
        {2, "8106058104", "capability CONFIG_RADIO (34) is missing"},
        {2, "810605ffffffffff", "CAPS cannot be read"},
        {3, "8106b00103", "RCP API version 3, expected at least 4"},
        {3, "8106000d", "it knows no RCP API version"},
        {4, "8106b1010c", "wants a host of RCP API version 12"},
        {5, "81068b2402", "lacks acknowledgement time-outs retransmissions CSMA-CA"},
        {5, "81068b2405", "lacks CSMA-CA"},
        {6, "810608010203", "HWADDR cannot be read"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(ask_all(cases[i].which, cases[i].instead));
        if (!strstr(probe.error, cases[i].reason)) fail_msg("'%s'", probe.error);
    }
}

static void firmware_of_before_the_second_api_number_is_taken(void **state)
{
    assert_true(ask_all(4, "8106000d"));
}

static void what_it_says_about_itself_is_shown_not_obeyed(void **state)
{
    assert_true(ask_all(1, "8106021b5b324a4f5400"));
    assert_string_equal(probe.version, "?[2JOT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_usable_co_processor_is_known_at_the_end),
        cmocka_unit_test(unusable_co_processors_are_refused_with_the_reason),
        cmocka_unit_test(firmware_of_before_the_second_api_number_is_taken),
        cmocka_unit_test(what_it_says_about_itself_is_shown_not_obeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
