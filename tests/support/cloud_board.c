#include "tests/support/cloud_board.h"

#include "esp/esp-idf/at_customize.h"
#include "host/crypto_openssl.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "tests/support/test_board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CUSTOMIZE 0x320000u
#define MFG_NVS   0x340000u

static const struct al_part primary[] = {
    {AL_PART_DATA, AL_PART_DATA_NVS, TEST_NVS, 0x4000, "nvs", 0},
    {AL_PART_DATA, AL_PART_DATA_OTA, TEST_OTADATA, 0x2000, "otadata", 0},
    {AL_PART_DATA, AL_PART_DATA_PHY, 0xf000, 0x1000, "phy_init", 0},
    {AL_PART_APP, AL_PART_FACTORY, TEST_FACTORY, 0x100000, "factory", 0},
    {AL_PART_APP, AL_PART_OTA_0, TEST_OTA_0, 0x100000, "ota_0", 0},
    {AL_PART_APP, AL_PART_OTA_0 + 1, TEST_OTA_1, 0x100000, "ota_1", 0},
    {0x40, 0, CUSTOMIZE, 0x20000, "at_customize", 0},
    {AL_PART_DATA, AL_PART_DATA_NVS, MFG_NVS, 0x4000, "mfg_nvs", 0},
};
static const struct al_part user[] = {
    {0x40, 14, CLOUD_MQTT_CA, CLOUD_PART_SIZE, "mqtt_ca", 0},
    {0x40, 1, CLOUD_BLE_DATA, 0x1000, "ble_data", 0},
    {0x40, 8, 0x324000, 0x1000, "factory_param", 0},
    {0x40, 15, CLOUD_USER_BLOB, CLOUD_PART_SIZE, "user_blob", 0},
};

static void put_table(uint32_t address, const struct al_part *parts, size_t count)
{
    static struct al_part_table table;
    uint8_t raw[AL_PART_TABLE_LEN];
    memset(&table, 0, sizeof table);
    table.count = (uint32_t)count;
    memcpy(table.part, parts, count * sizeof *parts);
    assert_int_equal(al_part_table_build(&table, true, &crypto_openssl, raw), 0);
    test_board_fill(address, raw, sizeof raw);
}

void cloud_board_new(void)
{
    uint8_t filled[0x7000];
    nvs_flash_deinit_partition("mfg_nvs");
    nvs_flash_deinit();
    test_board_new();
    put_table(AL_PART_TABLE_OFFSET, primary, sizeof primary / sizeof *primary);
    put_table(CUSTOMIZE, user, sizeof user / sizeof *user);
    memset(filled, 0x5a, sizeof filled);
    test_board_fill(CLOUD_MQTT_CA, filled, sizeof filled);
    assert_int_equal(idf_at_customize_load(), ESP_OK);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_flash_init_partition("mfg_nvs"), ESP_OK);
}

static nvs_handle_t open_settings(void)
{
    nvs_handle_t h;
    assert_int_equal(nvs_open_from_partition("mfg_nvs", "airlift_ota", NVS_READWRITE, &h), ESP_OK);
    return h;
}

void cloud_board_set(const char *key, const char *text)
{
    nvs_handle_t h = open_settings();
    assert_int_equal(nvs_set_str(h, key, text), ESP_OK);
    nvs_close(h);
}

void cloud_board_set_port(const char *key, uint16_t port)
{
    nvs_handle_t h = open_settings();
    assert_int_equal(nvs_set_u16(h, key, port), ESP_OK);
    nvs_close(h);
}

void cloud_board_connect(const char *key, int port)
{
    char text[32];
    snprintf(text, sizeof text, "127.0.0.1:%d", port);
    cloud_board_set(key, text);
}
