/* Files of the OTA server: the header, and every byte right whatever clients and the
 * application's cursor do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "airlift_zigbee.h"
#include "esp/esp-zigbee/ota_image.h"
#include "esp_zigbee_core.h"
#include "tests/support/test_board.h"

enum { SIZE = 5000, HEAD = 56 };

/* An application as the vendor's examples are. */
static struct {
    uint8_t file[SIZE];
    uint32_t cursor;
    unsigned calls;
    uint8_t sizes[64]; /* of the first calls */
    uint8_t buffer[UINT8_MAX];
    esp_err_t answer;
} app;

static struct ota_image image;
static const esp_zb_ota_zcl_information_t who = {.cluster_id = 0x19};

void esp_zb_app_signal_handler(esp_zb_app_signal_t *s)
{
}

static esp_err_t count(uint8_t size)
{
    if (app.calls < sizeof app.sizes) app.sizes[app.calls] = size;
    app.calls++;
    return app.answer;
}

static esp_err_t from_memory(esp_zb_ota_zcl_information_t message, uint16_t index, uint8_t size,
                             uint8_t **data)
{
    *data = app.file + app.cursor;
    app.cursor += size;
    return count(size);
}

static esp_err_t from_buffer(esp_zb_ota_zcl_information_t message, uint16_t index, uint8_t size,
                             uint8_t **data)
{
    memcpy(app.buffer, app.file + app.cursor, size);
    *data = app.buffer;
    app.cursor += size;
    return count(size);
}

static esp_err_t by_offset(esp_zb_ota_zcl_information_t message, uint16_t index, uint8_t size,
                           uint8_t **data)
{
    memcpy(app.buffer, app.file + airlift_zb_ota_next_data_offset(), size);
    *data = app.buffer;
    return count(size);
}

static void put(esp_zb_ota_next_data_callback_t next_data)
{
    const esp_zb_ota_upgrade_server_notify_req_t req = {
        .ota_file_header = {.manufacturer_code = 0x1001,
                            .image_type = 0x1011,
                            .file_version = 0x01010110,
                            .image_size = SIZE},
        .next_data_cb = next_data,
    };
    assert_int_equal(ota_image_set(&image, &req), ESP_OK);
}

static int setup(void **state)
{
    test_board_new();
    memset(&app, 0, sizeof app);
    for (int i = 0; i < SIZE; i++) app.file[i] = (uint8_t)(i * 7 + i / 251);
    ota_image_free(&image);
    return 0;
}

static void expect(uint32_t offset, size_t len)
{
    uint8_t got[UINT8_MAX];
    assert_int_equal(ota_image_read(&image, &who, offset, got, len), len);
    for (size_t i = 0; i < len; i++) {
        uint32_t at = offset + (uint32_t)i;
        assert_int_equal(got[i], at < HEAD ? image.raw[at] : app.file[at - HEAD]);
    }
}

static void expect_rest(uint32_t offset, uint32_t step)
{
    for (; offset < HEAD + SIZE; offset += step)
        expect(offset, offset + step < HEAD + SIZE ? step : HEAD + SIZE - offset);
}

static void header_has_the_fields_and_the_whole_size(void **state)
{
    struct al_zfile_header h;
    struct al_zfile_fault fault;
    put(from_memory);
    assert_int_equal(ota_image_size(&image), HEAD + SIZE);
    assert_int_equal(al_zfile_parse_header(image.raw, image.raw_len, &h, &fault), 0);
    assert_int_equal(h.manufacturer, 0x1001);
    assert_int_equal(h.image_type, 0x1011);
    assert_int_equal(h.file_version, 0x01010110);
    assert_int_equal(h.stack_version, 2);
    assert_int_equal(h.total_image_size, HEAD + SIZE);
}

static void application_is_asked_only_for_what_lies_behind_the_header(void **state)
{
    put(from_memory);
    expect(0, 223);
    expect(223, 223);
    assert_int_equal(app.calls, 2);
    assert_int_equal(app.sizes[0], 167);
    assert_int_equal(app.sizes[1], 223);
    put(from_buffer);
    app.cursor = app.calls = 0;
    expect(0, 40);
    assert_int_equal(app.calls, 0);
    expect(40, 40);
    assert_int_equal(app.sizes[0], 24);
}

static void a_repeated_block_shifts_nothing(void **state)
{
    put(from_buffer);
    expect(0, 223);
    expect(223, 223);
    expect(223, 223);
    expect(0, 223);
    assert_int_equal(app.calls, 2);
    expect(446, 223);
    assert_int_equal(app.calls, 3);
    expect_rest(669, 223);
}

static void clients_at_different_places_get_the_same_bytes(void **state)
{
    put(from_buffer);
    for (uint32_t at = 0; at + 446 < HEAD + SIZE; at += 64) {
        expect(at, 64);
        expect(at / 2, 50);
        expect(at + 223, 100);
    }
}

static void one_that_goes_on_in_the_middle_makes_the_application_catch_up(void **state)
{
    put(from_buffer);
    expect(3000, 223);
    expect_rest(3223, 223);
    assert_int_equal(app.cursor, SIZE);
}

static void a_cursor_set_back_by_the_application_is_noticed(void **state)
{
    put(from_memory);
    expect_rest(0, 223);
    ota_image_rewind(&image);
    app.cursor = 0;
    expect(0, 223);
    expect(223, 223);
    expect(446, 223);
    app.cursor = 0; /* its key was pressed */
    expect(669, 100);
    app.cursor = 13;
    expect_rest(769, 64);
}

static void a_cursor_ahead_of_the_client_is_an_error_and_not_wrong_data(void **state)
{
    uint8_t got[64];
    put(from_memory);
    expect(0, 223);
    expect(223, 223);
    app.cursor += 100;
    assert_true(ota_image_read(&image, &who, 446, got, 64) < 0);
}

static void before_a_reset_the_rest_is_asked_for(void **state)
{
    put(from_buffer);
    assert_int_equal(ota_image_complete(&image, &who), ESP_OK);
    assert_int_equal(app.calls, 0); /* nothing had begun */
    expect(0, 223);
    assert_int_equal(ota_image_complete(&image, &who), ESP_OK);
    app.cursor = 0;
    unsigned calls = app.calls;
    expect_rest(0, 223);
    assert_int_equal(app.calls, calls);
}

static void an_application_that_asks_for_the_offset_is_called_for_any(void **state)
{
    put(by_offset);
    expect(0, 223);
    unsigned calls = app.calls;
    expect(4000, 64);
    expect(100, 64);
    expect(4000, 64);
    assert_int_equal(app.calls, calls + 3);
}

static void an_application_that_fails_ends_the_block(void **state)
{
    uint8_t got[64];
    put(from_memory);
    app.answer = ESP_FAIL;
    assert_true(ota_image_read(&image, &who, HEAD, got, 64) < 0);
}

static void the_last_block_ends_with_the_file(void **state)
{
    uint8_t got[UINT8_MAX];
    put(from_memory);
    expect_rest(0, 223);
    assert_int_equal(ota_image_read(&image, &who, HEAD + SIZE - 10, got, 223), 10);
}

static void the_same_file_again_keeps_what_was_given(void **state)
{
    put(from_buffer);
    expect(0, 223);
    put(from_buffer);
    expect(223, 223);
    assert_int_equal(app.calls, 2);
}

static void optional_fields_make_the_header_longer(void **state)
{
    esp_zb_ota_upgrade_server_notify_req_t req = {
        .ota_file_header = {.image_size = SIZE,
                            .field_control = 4,
                            .optional = {.minimum_hardware_version = 1,
                                         .maximum_hardware_version = 0x0203}},
        .next_data_cb = from_memory};
    const uint8_t hardware[] = {1, 0, 3, 2};
    assert_int_equal(ota_image_set(&image, &req), ESP_OK);
    assert_int_equal(image.raw_len, HEAD + 4);
    assert_memory_equal(image.raw + HEAD, hardware, sizeof hardware);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(header_has_the_fields_and_the_whole_size),
        TEST(application_is_asked_only_for_what_lies_behind_the_header),
        TEST(a_repeated_block_shifts_nothing),
        TEST(clients_at_different_places_get_the_same_bytes),
        TEST(one_that_goes_on_in_the_middle_makes_the_application_catch_up),
        TEST(a_cursor_set_back_by_the_application_is_noticed),
        TEST(a_cursor_ahead_of_the_client_is_an_error_and_not_wrong_data),
        TEST(before_a_reset_the_rest_is_asked_for),
        TEST(an_application_that_asks_for_the_offset_is_called_for_any),
        TEST(an_application_that_fails_ends_the_block),
        TEST(the_last_block_ends_with_the_file),
        TEST(the_same_file_again_keeps_what_was_given),
        TEST(optional_fields_make_the_header_longer),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ota_image_free(&image);
    return failed;
}
