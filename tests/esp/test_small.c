/* Small calls: SHA-256, CRC-32, addresses, memory, sleeping lightly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "esp_heap_caps.h"
#include "esp_mac.h"
#include "esp_random.h"
#include "esp_rom_crc.h"
#include "esp_rom_sys.h"
#include "esp_sleep.h"
#include "esp_system.h"
#include "host/crypto_openssl.h"
#include "mbedtls/sha256.h"
#include "tests/support/test_board.h"

static int setup(void **state)
{
    test_board_new();
    return 0;
}

static void sha256_can_be_cloned_in_the_middle(void **state)
{
    unsigned char whole[32], half[32];
    char hex[65];
    mbedtls_sha256_context a, b;
    mbedtls_sha256_init(&a);
    mbedtls_sha256_init(&b);
    assert_int_equal(mbedtls_sha256_starts(&a, 0), 0);
    assert_int_equal(mbedtls_sha256_update(&a, (const unsigned char *)"abc", 3), 0);
    mbedtls_sha256_clone(&b, &a);
    assert_int_equal(mbedtls_sha256_update(&a, (const unsigned char *)"def", 3), 0);
    assert_int_equal(mbedtls_sha256_finish(&a, whole), 0);
    assert_int_equal(mbedtls_sha256_finish(&b, half), 0);
    mbedtls_sha256_free(&a);
    mbedtls_sha256_free(&b);
    crypto_hex(half, 32, hex); /* the standard's example */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    mbedtls_sha256((const unsigned char *)"abcdef", 6, half, 0);
    assert_memory_equal(whole, half, 32);
    assert_int_equal(mbedtls_sha256_starts(&a, 1), MBEDTLS_ERR_SHA256_BAD_INPUT_DATA);
}

static void crc32_is_that_of_the_rom(void **state)
{
    assert_int_equal(esp_rom_crc32_le(0, (const uint8_t *)"123456789", 9), 0xcbf43926);
    const uint8_t one[4] = {1};
    assert_int_equal(esp_rom_crc32_le(UINT32_MAX, one, 4), 0x4743989a);
}

static void addresses_count_up_from_the_base(void **state)
{
    uint8_t mac[8], base[6] = {0x02, 1, 2, 3, 4, 5}, local[6];
    assert_int_equal(esp_base_mac_addr_set(base), ESP_OK);
    assert_int_equal(esp_read_mac(mac, ESP_MAC_ETH), ESP_OK);
    assert_int_equal(mac[5], 8);
    assert_int_equal(esp_read_mac(mac, ESP_MAC_EFUSE_CUSTOM), ESP_ERR_NOT_SUPPORTED);
    base[0] = 1;
    assert_int_equal(esp_base_mac_addr_set(base), ESP_ERR_INVALID_ARG);
    base[0] = 0x10;
    assert_int_equal(esp_derive_local_mac(local, base), ESP_OK);
    assert_int_equal(local[0], 0x12);
    assert_int_equal(esp_mac_addr_len_get(ESP_MAC_IEEE802154), 8);
}

static void memory_is_aligned_and_counted(void **state)
{
    void *p = heap_caps_aligned_alloc(64, 100000, MALLOC_CAP_SPIRAM);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    memset(p, 1, 100000);
    assert_true(esp_get_minimum_free_heap_size() <= esp_get_free_heap_size());
    heap_caps_free(p);
    assert_null(heap_caps_aligned_calloc(64, SIZE_MAX, 2, 0));
    assert_true(heap_caps_get_total_size(0) >= heap_caps_get_free_size(0));
}

static void random_bytes_differ(void **state)
{
    uint8_t a[32] = {0}, b[32] = {0};
    esp_fill_random(a, sizeof a);
    esp_fill_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

static void light_sleep_and_delays_take_their_time(void **state)
{
    assert_int_equal(esp_light_sleep_start(), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_sleep_get_wakeup_cause(), ESP_SLEEP_WAKEUP_UNDEFINED);
    esp_sleep_enable_timer_wakeup(20000);
    uint64_t begin = board_uptime_us();
    assert_int_equal(esp_light_sleep_start(), ESP_OK);
    assert_int_equal(esp_sleep_get_wakeup_cause(), ESP_SLEEP_WAKEUP_TIMER);
    assert_in_range(board_uptime_us() - begin, 20000, 2000000);
    assert_int_equal(esp_sleep_disable_wakeup_source(ESP_SLEEP_WAKEUP_TIMER), ESP_OK);
    assert_int_equal(esp_sleep_disable_wakeup_source(ESP_SLEEP_WAKEUP_TIMER),
                     ESP_ERR_INVALID_STATE);
    begin = board_uptime_us();
    esp_rom_delay_us(1500);
    assert_in_range(board_uptime_us() - begin, 1500, 2000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sha256_can_be_cloned_in_the_middle, setup),
        cmocka_unit_test_setup(crc32_is_that_of_the_rom, setup),
        cmocka_unit_test_setup(addresses_count_up_from_the_base, setup),
        cmocka_unit_test_setup(memory_is_aligned_and_counted, setup),
        cmocka_unit_test_setup(random_bytes_differ, setup),
        cmocka_unit_test_setup(light_sleep_and_delays_take_their_time, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
