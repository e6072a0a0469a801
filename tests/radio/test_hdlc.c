/* HDLC-lite: frames recorded from another implementation, both directions, and damage. */
#include "radio/hdlc.h"

#include "tests/support/spinel_examples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct hdlc_decoder d;

static int fresh(void **state)
{
    memset(&d, 0, sizeof d);
    return 0;
}

/* Decodes bytes given in pieces; the payload of the n-th frame must be `payload`. */
static size_t frames_in(const uint8_t *bytes, size_t len, size_t piece, const uint8_t *payload,
                        size_t payload_len)
{
    size_t found = 0;
    for (size_t at = 0; at < len;) {
        size_t used, left = len - at, n;
        n = hdlc_take(&d, bytes + at, left < piece ? left : piece, &used);
        assert_in_range(used, 1, piece);
        at += used;
        if (!n) continue;
        found++;
        assert_int_equal(n, payload_len);
        assert_memory_equal(d.payload, payload, n);
    }
    return found;
}

static void recorded_frames_are_written_byte_for_byte(void **state)
{
    for (const struct spinel_example *e = spinel_examples; e->what; e++) {
        uint8_t payload[256], wire[600], out[600];
        size_t n = hex_bytes(e->payload, payload, sizeof payload);
        size_t wire_len = hex_bytes(e->wire, wire, sizeof wire);
        struct al_put p = al_put(out, sizeof out);
        hdlc_put(&p, payload, n);
        assert_false(p.failed);
        assert_int_equal(p.len, wire_len);
        assert_memory_equal(out, wire, wire_len);
    }
}

static void recorded_frames_are_read_in_pieces_of_any_size(void **state)
{
    for (const struct spinel_example *e = spinel_examples; e->what; e++) {
        uint8_t payload[256], wire[600];
        size_t n = hex_bytes(e->payload, payload, sizeof payload);
        size_t wire_len = hex_bytes(e->wire, wire, sizeof wire);
        for (size_t piece = 1; piece <= wire_len; piece++)
            assert_int_equal(frames_in(wire, wire_len, piece, payload, n), 1);
    }
    assert_int_equal(d.bad, 0);
}

static void one_flag_ends_a_frame_and_starts_the_next(void **state)
{
    uint8_t payload[8], bytes[64];
    size_t n = hex_bytes("810201", payload, sizeof payload);
    size_t len = hex_bytes("7e7e7e810201c5b27e810201c5b27e810201c5b27e", bytes, sizeof bytes);
    assert_int_equal(frames_in(bytes, len, len, payload, n), 3);
    assert_int_equal(d.bad, 0);
}

static void every_byte_value_survives(void **state)
{
    uint8_t payload[256], out[HDLC_LINE_MAX(256)];
    for (int i = 0; i < 256; i++) payload[i] = (uint8_t)i;
    struct al_put p = al_put(out, sizeof out);
    hdlc_put(&p, payload, sizeof payload);
    assert_false(p.failed);
    for (size_t i = 1; i + 1 < p.len; i++) {
        assert_int_not_equal(out[i], HDLC_FLAG);
        assert_true(out[i] != 0x11 && out[i] != 0x13 && out[i] != 0xf8);
    }
    assert_int_equal(frames_in(out, p.len, 7, payload, sizeof payload), 1);
}

static void flow_control_inside_a_frame_is_skipped(void **state)
{
    uint8_t payload[8], bytes[64];
    size_t n = hex_bytes("810201", payload, sizeof payload);
    size_t len = hex_bytes("117e811302011311c5b2137e", bytes, sizeof bytes);
    assert_int_equal(frames_in(bytes, len, len, payload, n), 1);
}

static void damaged_frames_are_dropped_and_counted(void **state)
{
    static const char *const damaged[] = {
        "7e810201c5b37e",   /* wrong FCS */
        "7e810205c5b27e",   /* wrong payload */
        "7e81027e",         /* too short for a payload */
        "7e810201c5b27d7e", /* ends inside an escape */
        "7e7d7e",
    };
    uint8_t payload[8], bytes[64];
    size_t n = hex_bytes("810201", payload, sizeof payload);
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        size_t len = hex_bytes(damaged[i], bytes, sizeof bytes);
        assert_int_equal(frames_in(bytes, len, len, payload, n), 0);
        assert_int_equal(d.bad, i + 1);
        len = hex_bytes("810201c5b27e", bytes, sizeof bytes); /* the next one is read */
        assert_int_equal(frames_in(bytes, len, len, payload, n), 1);
    }
}

static void a_frame_of_the_largest_size_passes_and_a_larger_one_does_not(void **state)
{
    static uint8_t payload[HDLC_PAYLOAD_MAX + 1], out[HDLC_LINE_MAX(sizeof payload)];
    for (size_t i = 0; i < sizeof payload; i++) payload[i] = (uint8_t)(i * 7);
    for (size_t n = HDLC_PAYLOAD_MAX; n <= sizeof payload; n++) {
        struct al_put p = al_put(out, sizeof out);
        hdlc_put(&p, payload, n);
        assert_int_equal(frames_in(out, p.len, 100, payload, n), n == HDLC_PAYLOAD_MAX);
    }
    assert_int_equal(d.bad, 1);
}

static void a_buffer_that_is_too_small_is_noticed(void **state)
{
    uint8_t out[6];
    struct al_put p = al_put(out, sizeof out);
    hdlc_put(&p, (const uint8_t *)"\x81\x02\x01", 3);
    assert_true(p.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(recorded_frames_are_written_byte_for_byte, fresh),
        cmocka_unit_test_setup(recorded_frames_are_read_in_pieces_of_any_size, fresh),
        cmocka_unit_test_setup(one_flag_ends_a_frame_and_starts_the_next, fresh),
        cmocka_unit_test_setup(every_byte_value_survives, fresh),
        cmocka_unit_test_setup(flow_control_inside_a_frame_is_skipped, fresh),
        cmocka_unit_test_setup(damaged_frames_are_dropped_and_counted, fresh),
        cmocka_unit_test_setup(a_frame_of_the_largest_size_passes_and_a_larger_one_does_not, fresh),
        cmocka_unit_test_setup(a_buffer_that_is_too_small_is_noticed, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
