/* The log: levels, shape, and the %lx trap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOG_LOCAL_LEVEL ESP_LOG_VERBOSE
#include "esp_log.h"
#include "tests/support/test_board.h"

static int setup(void **state)
{
    test_board_new();
    esp_log_level_set("*", ESP_LOG_INFO);
    return 0;
}

/* What fn logged, without "L (ms) " when that has the right shape. */
static void expect(void (*fn)(void *), const char *letter, const char *text)
{
    char *out = test_board_capture(fn, NULL);
    char shape[16];
    unsigned ms;
    int rest = 0;
    assert_int_equal(sscanf(out, "%2[EWIDV] (%u) %n", shape, &ms, &rest), 2);
    assert_string_equal(shape, letter);
    assert_string_equal(out + rest, text);
    free(out);
}

static void log_longs(void *arg)
{
    uint32_t address = 0x110000, top = 0xfffffff0u;
    int32_t negative = -5;
    ESP_LOGI("t", "%08lx %lu %ld %-6ldx %5lx|", address, top, negative, 7, address);
}

static void chip_formats_of_32_bit_numbers_print_right(void **state)
{
    expect(log_longs, "I", "t: 00110000 4294967280 -5 7     x 110000|\n");
}

static void log_others(void *arg)
{
    ESP_LOGW("t", "100%%ld %lld %s %.3s %*d %p %c %zu", -1234567890123456789LL, "str", "abcdef", 4,
             7, (void *)0, 'x', sizeof(int));
}

static void other_conversions_stay(void **state)
{
    expect(log_others, "W", "t: 100%ld -1234567890123456789 str abc    7 (nil) x 4\n");
}

static void log_long_text(void *arg)
{
    char text[3000];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 0;
    ESP_LOGE("t", "%s", text);
}

static void long_lines_are_not_cut(void **state)
{
    char *out = test_board_capture(log_long_text, NULL);
    assert_int_equal(strspn(strchr(out, ':') + 2, "a"), 2999);
    free(out);
}

static void log_each_level(void *arg)
{
    ESP_LOGE("t", "e");
    ESP_LOGI("t", "i");
    ESP_LOGD("t", "d");
    ESP_LOGD("loud", "D");
}

static void levels_go_by_tag(void **state)
{
    esp_log_level_set("t", ESP_LOG_ERROR);
    esp_log_level_set("loud", ESP_LOG_VERBOSE);
    char *out = test_board_capture(log_each_level, NULL);
    assert_non_null(strstr(out, "t: e\n"));
    assert_null(strstr(out, "t: i\n"));
    assert_null(strstr(out, "t: d\n"));
    assert_non_null(strstr(out, "loud: D\n"));
    free(out);
    esp_log_level_set("*", ESP_LOG_WARN);
    assert_int_equal(esp_log_level_get("loud"), ESP_LOG_WARN);
}

static void colours_follow_the_device(void **state)
{
    board()->control->colour = 1;
    char *out = test_board_capture(log_each_level, NULL);
    assert_memory_equal(out, "\033[0;31mE (", 10);
    assert_non_null(strstr(out, "t: e\033[0m\n"));
    free(out);
}

static void dump(void *arg)
{
    static const char bytes[] = "ESP32 is great, really";
    ESP_LOG_BUFFER_HEX("t", bytes, 3);
    ESP_LOG_BUFFER_HEXDUMP("t", bytes, sizeof bytes - 1, ESP_LOG_INFO);
}

static void buffers_are_dumped_in_lines_of_16(void **state)
{
    char *out = test_board_capture(dump, NULL);
    assert_non_null(strstr(out, "t: 45 53 50\n"));
    assert_non_null(
        strstr(out, "45 53 50 33 32 20 69 73  20 67 72 65 61 74 2c 20  |ESP32 is great, |\n"));
    assert_non_null(strstr(out, "72 65 61 6c 6c 79 "));
    assert_non_null(strstr(out, "  |really|\n"));
    free(out);
}

static char caught[64];
static int catch (const char *format, va_list args)
{
    return vsnprintf(caught, sizeof caught, format, args);
}

static void the_log_can_be_redirected(void **state)
{
    vprintf_like_t before = esp_log_set_vprintf(catch);
    ESP_LOGI("t", "caught %d", 1);
    assert_ptr_equal(esp_log_set_vprintf(before), catch);
    assert_non_null(strstr(caught, "t: caught 1\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(chip_formats_of_32_bit_numbers_print_right, setup),
        cmocka_unit_test_setup(other_conversions_stay, setup),
        cmocka_unit_test_setup(long_lines_are_not_cut, setup),
        cmocka_unit_test_setup(levels_go_by_tag, setup),
        cmocka_unit_test_setup(colours_follow_the_device, setup),
        cmocka_unit_test_setup(buffers_are_dumped_in_lines_of_16, setup),
        cmocka_unit_test_setup(the_log_can_be_redirected, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
