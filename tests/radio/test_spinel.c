/* Spinel frames and values: the recorded frames taken apart and put together again, and
 * what must be refused. */
#include "radio/spinel.h"

#include "core/err.h"
#include "tests/support/spinel_examples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint8_t bytes[256];
static size_t bytes_len;

/* The header of an example; the bytes stay in bytes[]. */
static struct spinel_frame frame_of(const char *what)
{
    struct spinel_frame f;
    bytes_len = hex_bytes(spinel_example(what)->payload, bytes, sizeof bytes);
    assert_int_equal(spinel_parse(&f, bytes, bytes_len), 0);
    return f;
}

static void headers_are_read_and_written(void **state)
{
    static const struct {
        const char *what;
        uint8_t tid;
        uint32_t command, property;
        size_t value_len;
    } expected[] = {
        {"get protocol version", 1, SPINEL_GET, SPINEL_PROTOCOL_VERSION, 0},
        {"protocol version", 1, SPINEL_IS, SPINEL_PROTOCOL_VERSION, 2},
        {"get RCP API version", 4, SPINEL_GET, SPINEL_RCP_API_VERSION, 0},
        {"RCP API version", 4, SPINEL_IS, SPINEL_RCP_API_VERSION, 1},
        {"reset stack", 6, SPINEL_RESET, 0, 1},
        {"reset done", 0, SPINEL_IS, SPINEL_LAST_STATUS, 1},
        {"PHY on", 7, SPINEL_SET, SPINEL_PHY_ENABLED, 1},
        {"channel 17", 8, SPINEL_SET, SPINEL_PHY_CHAN, 1},
        {"long address", 10, SPINEL_SET, SPINEL_MAC_LADDR, 8},
        {"PAN", 12, SPINEL_SET, SPINEL_MAC_PANID, 2},
        {"raw stream on", 14, SPINEL_SET, SPINEL_MAC_RAW_STREAM, 1},
        {"send beacon", 7, SPINEL_SET, SPINEL_STREAM_RAW, 46},
        {"sent", 7, SPINEL_IS, SPINEL_LAST_STATUS, 31},
        {"received beacon request", 0, SPINEL_IS, SPINEL_STREAM_RAW, 38},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        uint8_t out[256];
        struct spinel_frame f = frame_of(expected[i].what);
        assert_int_equal(f.tid, expected[i].tid);
        assert_int_equal(f.command, expected[i].command);
        assert_int_equal(f.property, expected[i].property);
        assert_int_equal(f.value.len, expected[i].value_len);
        struct al_put p = al_put(out, sizeof out);
        spinel_begin(&p, f.tid, f.command, f.property);
        al_put_bytes(&p, f.value.buf, f.value.len);
        assert_int_equal(p.len, bytes_len);
        assert_memory_equal(out, bytes, bytes_len);
    }
}

static void values_of_settings_are_in_their_byte_orders(void **state)
{
    struct spinel_frame f = frame_of("protocol version");
    assert_int_equal(spinel_uint(&f.value), 4);
    assert_int_equal(spinel_uint(&f.value), 3);
    f = frame_of("reset done");
    assert_int_equal(spinel_uint(&f.value), SPINEL_RESET_SOFTWARE);
    f = frame_of("long address");
    assert_true(spinel_eui64(&f.value) == 0xf412fafffe000001);
    f = frame_of("PAN");
    assert_int_equal(al_le16(&f.value), 0x1a62);
    uint8_t out[8];
    struct al_put p = al_put(out, sizeof out);
    spinel_put_eui64(&p, 0xf412fafffe000001);
    assert_memory_equal(out, "\xf4\x12\xfa\xff\xfe\0\0\x01", 8);
}

static void a_transmission_is_read_and_written_byte_for_byte(void **state)
{
    uint8_t out[256];
    struct spinel_tx tx;
    struct spinel_frame f = frame_of("send beacon");
    spinel_tx_read(&f.value, &tx);
    assert_false(f.value.failed);
    assert_int_equal(tx.len, 28);
    assert_int_equal(tx.mpdu[1], 0x80);
    assert_int_equal(tx.channel, 15);
    assert_int_equal(tx.max_backoffs, 1);
    assert_int_equal(tx.max_retries, 4);
    assert_true(tx.csma && tx.header_updated && tx.security_processed && !tx.is_retry);
    assert_int_equal(tx.rx_channel, 15);
    assert_false(tx.has_power);
    struct al_put p = al_put(out, sizeof out);
    spinel_begin(&p, f.tid, f.command, f.property);
    spinel_tx_put(&p, &tx);
    assert_int_equal(p.len, bytes_len);
    assert_memory_equal(out, bytes, bytes_len);
}

static void trailing_fields_of_a_transmission_may_be_missing(void **state)
{
    struct spinel_tx tx;
    struct spinel_frame f = frame_of("send beacon");
    size_t mandatory = 2 + 28 + 1;
    for (size_t cut = mandatory; cut <= f.value.len; cut++) {
        struct al_cur c = al_cur(f.value.buf, cut);
        spinel_tx_read(&c, &tx);
        bool inside_a_delay = cut > mandatory + 6 && cut < mandatory + 14 && cut != mandatory + 10;
        assert_int_equal(c.failed, inside_a_delay);
        if (!c.failed) assert_int_equal(tx.rx_channel, 15);
    }
    struct al_cur c = al_cur(f.value.buf, mandatory);
    spinel_tx_read(&c, &tx);
    assert_true(tx.max_backoffs == 4 && tx.max_retries == 3 && tx.csma && !tx.has_power);
    c = al_cur(f.value.buf, mandatory - 1);
    spinel_tx_read(&c, &tx);
    assert_true(c.failed);
}

static void a_transmission_with_a_power_of_its_own_is_read(void **state)
{
    uint8_t out[64];
    struct spinel_tx tx, in = {.mpdu = (const uint8_t *)"\x02\0\x05\0\0", .len = 5, .channel = 20};
    in.has_power = true;
    in.power = -7;
    in.delay_us = 0x01020304;
    in.delay_base_us = 0xfffefdfc;
    struct al_put p = al_put(out, sizeof out);
    spinel_tx_put(&p, &in);
    struct al_cur c = al_cur(out, p.len);
    spinel_tx_read(&c, &tx);
    assert_true(!c.failed && c.pos == p.len);
    assert_true(tx.has_power && tx.power == -7);
    assert_true(tx.delay_us == in.delay_us && tx.delay_base_us == in.delay_base_us);
}

static void answers_to_transmissions_are_read_and_written_byte_for_byte(void **state)
{
    static const struct {
        const char *what;
        uint32_t status;
    } expected[] = {{"sent", SPINEL_OK},
                    {"no ack", SPINEL_NO_ACK},
                    {"channel access failure", SPINEL_CCA_FAILURE}};
    for (size_t i = 0; i < 3; i++) {
        uint8_t out[256];
        struct spinel_tx_done done;
        struct spinel_frame f = frame_of(expected[i].what);
        spinel_tx_done_read(&f.value, &done);
        assert_false(f.value.failed);
        assert_int_equal(f.value.pos, f.value.len);
        assert_int_equal(done.status, expected[i].status);
        assert_true(done.header_updated && !done.pending && done.ack.len == 0);
        struct al_put p = al_put(out, sizeof out);
        spinel_begin(&p, f.tid, f.command, f.property);
        spinel_tx_done_put(&p, &done);
        assert_int_equal(p.len, bytes_len);
        assert_memory_equal(out, bytes, bytes_len);
    }
}

static void a_received_frame_is_read_and_written_byte_for_byte(void **state)
{
    uint8_t out[256];
    struct spinel_rx rx;
    struct spinel_frame f = frame_of("received beacon request");
    spinel_rx_read(&f.value, &rx);
    assert_false(f.value.failed);
    assert_int_equal(f.value.pos, f.value.len);
    assert_int_equal(rx.len, 10);
    assert_memory_equal(rx.mpdu, "\x03\x08\x01", 3);
    assert_int_equal(rx.rssi, -60);
    assert_int_equal(rx.noise, SPINEL_NOISE_NONE);
    assert_int_equal(rx.channel, 15);
    assert_int_equal(rx.lqi, 200);
    assert_int_equal(rx.flags, 0);
    assert_true(rx.time_us == 0x660b052a0e290);
    struct al_put p = al_put(out, sizeof out);
    spinel_begin(&p, f.tid, f.command, f.property);
    spinel_rx_put(&p, &rx);
    assert_int_equal(p.len, bytes_len);
    assert_memory_equal(out, bytes, bytes_len);
}

static void metadata_may_be_absent_and_may_grow(void **state)
{
    struct spinel_rx rx;
    struct spinel_frame f = frame_of("received beacon request");
    struct al_cur c = al_cur(f.value.buf, 12);
    spinel_rx_read(&c, &rx);
    assert_true(!c.failed && rx.len == 10 && rx.lqi == 0 && rx.noise == SPINEL_NOISE_NONE);
    /* A group of tomorrow with one byte more, and one that claims more than there is. */
    uint8_t longer[64];
    memcpy(longer, f.value.buf, 12 + 4);
    memcpy(longer + 16, "\x0b\0\x0f\xc8\1\2\3\4\5\6\7\x08\x63\x01\0\x0c", 16);
    c = al_cur(longer, 32);
    spinel_rx_read(&c, &rx);
    assert_true(!c.failed && rx.lqi == 200 && rx.time_us == 0x0807060504030201);
    assert_int_equal(rx.error, SPINEL_BUSY);
    longer[16] = 0x40;
    c = al_cur(longer, 32);
    spinel_rx_read(&c, &rx);
    assert_true(c.failed);
}

static void packed_numbers_have_the_bytes_of_the_format(void **state)
{
    static const struct {
        uint32_t value;
        const char *hex;
    } numbers[] = {{0, "00"},      {127, "7f"},      {128, "8001"},
                   {0xb0, "b001"}, {0x1303, "8326"}, {16384, "808001"},
                   {513, "8104"},  {0x120b, "8b24"}, {UINT32_MAX, "ffffffff0f"}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint8_t out[8], want[8];
        size_t n = hex_bytes(numbers[i].hex, want, sizeof want);
        struct al_put p = al_put(out, sizeof out);
        spinel_put_uint(&p, numbers[i].value);
        assert_int_equal(p.len, n);
        assert_memory_equal(out, want, n);
        struct al_cur c = al_cur(want, n);
        assert_int_equal(spinel_uint(&c), numbers[i].value);
        assert_true(!c.failed && c.pos == n);
    }
}

static void wrong_values_make_the_cursor_fail(void **state)
{
    static const char *const numbers[] = {"", "80", "ffffffff1f", "ffffffffff0f", "8080808080"};
    uint8_t in[16];
    size_t len;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct al_cur c = al_cur(in, hex_bytes(numbers[i], in, sizeof in));
        assert_int_equal(spinel_uint(&c), 0);
        assert_true(c.failed);
    }
    struct al_cur c = al_cur("\x02", 1);
    spinel_bool(&c);
    assert_true(c.failed);
    c = al_cur("text", 4); /* without its zero */
    assert_string_equal(spinel_text(&c), "");
    assert_true(c.failed);
    c = al_cur("\x05\0abcd", 6);
    assert_null(spinel_data(&c, &len));
    assert_true(c.failed && len == 0);
    struct spinel_rx rx;
    uint8_t big[140] = {128, 0};
    c = al_cur(big, sizeof big); /* an MPDU of 128 octets */
    spinel_rx_read(&c, &rx);
    assert_true(c.failed);
}

static void frames_of_others_are_refused(void **state)
{
    struct spinel_frame f;
    assert_int_equal(spinel_parse(&f, "", 0), AL_ERR_SHORT);
    assert_int_equal(spinel_parse(&f, "\x81", 1), AL_ERR_SHORT);
    assert_int_equal(spinel_parse(&f, "\x81\x02", 2), AL_ERR_SHORT);
    assert_int_equal(spinel_parse(&f, "\x81\x02\x80", 3), AL_ERR_SHORT);
    assert_int_equal(spinel_parse(&f, "\x41\x02\x01", 3), AL_ERR_INVALID_ARG);
    assert_int_equal(spinel_parse(&f, "\x91\x02\x01", 3), AL_ERR_INVALID_ARG); /* interface 1 */
    assert_int_equal(spinel_parse(&f, "\x80\x00", 2), 0); /* NOOP has no property */
}

static void statuses_have_names(void **state)
{
    assert_string_equal(spinel_status_name(17), "NO_ACK");
    assert_string_equal(spinel_status_name(120), "reset: watchdog");
    assert_string_equal(spinel_status_name(99), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_read_and_written),
        cmocka_unit_test(values_of_settings_are_in_their_byte_orders),
        cmocka_unit_test(a_transmission_is_read_and_written_byte_for_byte),
        cmocka_unit_test(trailing_fields_of_a_transmission_may_be_missing),
        cmocka_unit_test(a_transmission_with_a_power_of_its_own_is_read),
        cmocka_unit_test(answers_to_transmissions_are_read_and_written_byte_for_byte),
        cmocka_unit_test(a_received_frame_is_read_and_written_byte_for_byte),
        cmocka_unit_test(metadata_may_be_absent_and_may_grow),
        cmocka_unit_test(packed_numbers_have_the_bytes_of_the_format),
        cmocka_unit_test(wrong_values_make_the_cursor_fail),
        cmocka_unit_test(frames_of_others_are_refused),
        cmocka_unit_test(statuses_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
