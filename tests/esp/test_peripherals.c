/* What ESP-ADF's apps use around the OTA service: SD card, Wi-Fi, tones in a partition, unity. */
#include "esp_peripherals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "audio_mem.h"
#include "audio_thread.h"
#include "board.h"
#include "device/board.h"
#include "esp/esp-adf/sdcard.h"
#include "esp_vfs_fat.h"
#include "esp_wifi.h"
#include "periph_wifi.h"
#include "tests/support/test_board.h"
#include "tests/support/vectors.h"
#include "tone_partition.h"
#include "unity.h"

static char dir[] = "/tmp/airlift-periph-XXXXXX";

static int setup(void **state)
{
    char card[100];
    test_board_new();
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(board()->dir, sizeof board()->dir, "%s", dir);
    snprintf(card, sizeof card, "%s/sdcard", dir);
    return mkdir(card, 0700);
}

static int teardown(void **state)
{
    char command[100];
    adf_sdcard_unmount();
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static void remove_card(void)
{
    char card[100];
    snprintf(card, sizeof card, "%s/sdcard", dir);
    assert_int_equal(rmdir(card), 0);
}

/* ---- SD card ---- */

static void paths_lead_to_the_card_and_nowhere_else(void **state)
{
    static const char *const outside[] = {"/",
                                          "/sd/a",
                                          "sdcard/a",
                                          "/sdcard2/a",
                                          "/sdcard/..",
                                          "/sdcard/../a",
                                          "/sdcard/x/../../a",
                                          "/sdcard//../flash.bin",
                                          "/flash.bin",
                                          ""};
    static const struct {
        const char *path, *below;
    } inside[] = {{"/sdcard", ""},
                  {"/sdcard/a.bin", "/a.bin"},
                  {"//sdcard/a.bin", "/a.bin"},
                  {"/sdcard/b/..c", "/b/..c"}};
    char out[300], expected[300];
    assert_int_equal(adf_sdcard_mount(), ESP_OK);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        strcpy(out, "x");
        if (adf_host_path(outside[i], out, sizeof out)) fail_msg("'%s': %s", outside[i], out);
        assert_string_equal(out, "");
    }
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        snprintf(expected, sizeof expected, "%s/sdcard%s", dir, inside[i].below);
        assert_true(adf_host_path(inside[i].path, out, sizeof out));
        assert_string_equal(out, expected);
    }
    assert_false(adf_host_path("/sdcard/a.bin", out, strlen(expected)));
    assert_string_equal(out, "");
}

static void a_card_that_is_not_mounted_has_no_files(void **state)
{
    char out[300];
    assert_false(adf_host_path("/sdcard/a.bin", out, sizeof out));
}

static void mount_without_card(void *arg)
{
    esp_periph_config_t config = DEFAULT_ESP_PERIPH_SET_CONFIG();
    esp_periph_set_handle_t set = esp_periph_set_init(&config);
    assert_int_equal(audio_board_sdcard_init(set, SD_MODE_1_LINE), ESP_FAIL);
    assert_int_equal(esp_periph_set_destroy(set), ESP_OK);
}

static void a_slot_without_card_says_what_to_do(void **state)
{
    remove_card();
    char *log = test_board_capture(mount_without_card, NULL);
    assert_non_null(strstr(log, "no SD card: make the folder"));
    assert_non_null(strstr(log, "AUDIO_BOARD: Sdcard mount failed"));
    free(log);
}

static void the_board_mounts_and_its_set_unmounts(void **state)
{
    esp_periph_config_t config = DEFAULT_ESP_PERIPH_SET_CONFIG();
    esp_periph_set_handle_t set = esp_periph_set_init(&config);
    assert_int_equal(audio_board_sdcard_init(set, SD_MODE_4_LINE), ESP_FAIL);
    assert_int_equal(audio_board_sdcard_init(set, SD_MODE_1_LINE), ESP_OK);
    esp_periph_handle_t card = esp_periph_set_get_by_id(set, PERIPH_ID_SDCARD);
    assert_int_equal(esp_periph_get_state(card), PERIPH_STATE_RUNNING);
    assert_true(periph_sdcard_is_mounted(card));
    assert_int_equal(esp_periph_set_destroy(set), ESP_OK);
    assert_false(adf_sdcard_mounted());
}

static void esp_idf_mounts_it_too(void **state)
{
    sdmmc_host_t host = SDMMC_HOST_DEFAULT();
    sdmmc_slot_config_t slot = SDMMC_SLOT_CONFIG_DEFAULT();
    esp_vfs_fat_sdmmc_mount_config_t config = {.max_files = 5};
    sdmmc_card_t *card;
    assert_int_equal(esp_vfs_fat_sdmmc_unmount(), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_vfs_fat_sdmmc_mount("/card", &host, &slot, &config, &card),
                     ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_vfs_fat_sdmmc_mount("/sdcard", &host, &slot, &config, &card), ESP_OK);
    assert_int_equal(esp_vfs_fat_sdmmc_mount("/sdcard", &host, &slot, &config, NULL),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_vfs_fat_sdcard_unmount("/sdcard", card), ESP_OK);
    remove_card();
    assert_int_equal(esp_vfs_fat_sdmmc_mount("/sdcard", &host, &slot, &config, NULL),
                     ESP_ERR_NOT_FOUND);
}

/* ---- Wi-Fi ---- */

static void a_station_connects_and_comes_back_after_a_loss(void **state)
{
    esp_periph_config_t config = DEFAULT_ESP_PERIPH_SET_CONFIG();
    esp_periph_set_handle_t set = esp_periph_set_init(&config);
    periph_wifi_cfg_t wifi_config = {.wifi_config.sta.ssid = "myssid", .reconnect_timeout_ms = 50};
    esp_periph_handle_t wifi = periph_wifi_init(&wifi_config);
    assert_non_null(wifi);
    assert_null(periph_wifi_init(&wifi_config)); /* one radio */
    assert_int_equal(periph_wifi_wait_for_connected(wifi, 0), ESP_FAIL);
    assert_int_equal(esp_periph_start(set, wifi), ESP_OK);
    assert_int_equal(periph_wifi_wait_for_connected(wifi, pdMS_TO_TICKS(5000)), ESP_OK);
    assert_int_equal(periph_wifi_is_connected(wifi), PERIPH_WIFI_CONNECTED);
    assert_int_equal(esp_wifi_disconnect(), ESP_OK);
    assert_int_equal(periph_wifi_wait_for_disconnected(wifi, pdMS_TO_TICKS(5000)), ESP_OK);
    assert_int_equal(periph_wifi_wait_for_connected(wifi, pdMS_TO_TICKS(5000)), ESP_OK);
    assert_int_equal(periph_wifi_wait_for_connected(NULL, 0), ESP_FAIL);
    assert_int_equal(esp_periph_set_destroy(set), ESP_OK);
    set = esp_periph_set_init(&config);
    wifi = periph_wifi_init(&wifi_config); /* the radio is free again */
    assert_int_equal(esp_periph_start(set, wifi), ESP_OK);
    assert_int_equal(periph_wifi_wait_for_connected(wifi, pdMS_TO_TICKS(5000)), ESP_OK);
    assert_int_equal(esp_periph_set_destroy(set), ESP_OK);
}

/* ---- tones ---- */

static void put_tones(const char *name)
{
    size_t len;
    uint8_t *image = vector_file(&len, "at-adf/%s", name);
    test_board_erase(TEST_STORAGE, TEST_STORAGE_SIZE);
    test_board_fill(TEST_STORAGE, image, (uint32_t)len);
    free(image);
}

static void tones_in_a_partition_are_found(void **state)
{
    esp_app_desc_t desc;
    tone_file_info_t info;
    char content[11];
    put_tones("tone_f1_v1.0.1.bin");
    tone_partition_handle_t t = tone_partition_init("storage", false);
    assert_non_null(t);
    assert_int_equal(tone_partition_get_app_desc(t, &desc), ESP_OK);
    assert_int_equal(desc.magic_word, FLASH_TONE_MAGIC_WORD);
    assert_string_equal(desc.version, "v1.0.1");
    assert_string_equal(desc.project_name, FLASH_TONE_PROJECT_NAME);
    assert_int_equal(tone_partition_get_file_info(t, 2, &info), ESP_OK);
    assert_int_equal(info.song_adr, 472);
    assert_int_equal(info.song_len, 11);
    assert_int_equal(tone_partition_file_read(t, &info, 0, content, 11), ESP_OK);
    assert_memory_equal(content, "BBBBBBBBBBB", 11);
    assert_int_equal(tone_partition_file_read(t, &info, 1, content, 11), ESP_ERR_INVALID_SIZE);
    assert_int_equal(tone_partition_file_read(t, &info, 0, content, -1), ESP_ERR_INVALID_SIZE);
    assert_int_equal(tone_partition_get_file_info(t, 3, &info), ESP_FAIL);
    assert_int_equal(tone_partition_deinit(t), ESP_OK);
}

static void format_0_has_no_description(void **state)
{
    esp_app_desc_t desc;
    put_tones("tone_f0_21files.bin");
    tone_partition_handle_t t = tone_partition_init("storage", true);
    assert_non_null(t);
    assert_int_equal(tone_partition_get_app_desc(t, &desc), ESP_FAIL);
    tone_partition_deinit(t);
}

static void open_wrong_tones(void *arg)
{
    static const uint8_t no_tail[2] = {0xff, 0xff};
    test_board_erase(TEST_STORAGE, TEST_STORAGE_SIZE);
    assert_null(tone_partition_init("storage", false));
    put_tones("tone_f1_v1.0.0.bin");
    test_board_fill(TEST_STORAGE + 488, no_tail, sizeof no_tail);
    assert_null(tone_partition_init("storage", false));
    assert_null(tone_partition_init("nowhere", false));
    assert_null(tone_partition_init(NULL, false));
}

static void why_there_are_no_tones_is_logged(void **state)
{
    char *log = test_board_capture(open_wrong_tones, NULL);
    assert_non_null(strstr(log, "TONE_PARTITION: Not flash tone partition"));
    assert_non_null(strstr(log, "Flash tone init failed at tail check FFFF"));
    assert_non_null(strstr(log, "Can not found tone[nowhere] partition"));
    assert_non_null(strstr(log, "(tone_partition_init): Got NULL Pointer"));
    free(log);
}

/* ---- the rest ---- */

static void show_memory(void *arg)
{
    AUDIO_MEM_SHOW("demo");
}

static void free_memory_is_shown_with_an_empty_line(void **state)
{
    unsigned line, total;
    char *log = test_board_capture(show_memory, NULL), *text = strstr(log, "demo: Func:");
    assert_non_null(text);
    assert_int_equal(
        sscanf(text, "demo: Func:show_memory, Line:%u, MEM Total:%u Bytes", &line, &total), 2);
    assert_non_null(strstr(text, "Bytes\r\n"));
    assert_in_range(total, 100000, 8 << 20);
    free(log);
}

static void count_up(void *arg)
{
    xEventGroupSetBits(arg, BIT0);
    vTaskDelete(NULL);
}

static void a_thread_is_a_task(void **state)
{
    EventGroupHandle_t events = xEventGroupCreate();
    audio_thread_t thread = NULL;
    assert_int_equal(audio_thread_create(&thread, "counter", count_up, events, 4096, 5, true, 0),
                     ESP_OK);
    assert_non_null(thread);
    assert_int_equal(xEventGroupWaitBits(events, BIT0, pdTRUE, pdTRUE, pdMS_TO_TICKS(5000)), BIT0);
    assert_int_equal(audio_thread_cleanup(&thread), ESP_OK);
    assert_null(thread);
    assert_int_equal(audio_thread_delete_task(&thread), ESP_FAIL);
    vEventGroupDelete(events);
}

TEST_CASE("one that passes", "[good]")
{
    TEST_ASSERT_EQUAL(3, 1 + 2);
    TEST_ESP_OK(ESP_OK);
}

TEST_CASE("one that fails", "[bad]")
{
    TEST_ASSERT_EQUAL_STRING("this", "that");
    abort(); /* a failure leaves the case */
}

TEST_CASE("one that is not there yet", "[bad]")
{
    TEST_IGNORE_MESSAGE("later");
}

static void run_cases(void *arg)
{
    UNITY_BEGIN();
    unity_run_all_tests();
    assert_int_equal(UNITY_END(), 1);
    UNITY_BEGIN();
    unity_run_tests_by_tag("[bad]", true);
    assert_int_equal(UNITY_END(), 0);
}

static void test_cases_register_run_and_fail(void **state)
{
    char *log = test_board_capture(run_cases, NULL);
    assert_non_null(strstr(log, ":one that passes:PASS"));
    assert_non_null(strstr(log, ":one that fails:FAIL: Expected 'this' Was 'that'"));
    assert_non_null(strstr(log, ":one that is not there yet:IGNORE: later"));
    assert_non_null(strstr(log, "3 Tests 1 Failures 1 Ignored"));
    assert_non_null(strstr(log, "1 Tests 0 Failures 0 Ignored"));
    free(log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(paths_lead_to_the_card_and_nowhere_else),
        TEST(a_card_that_is_not_mounted_has_no_files),
        TEST(a_slot_without_card_says_what_to_do),
        TEST(the_board_mounts_and_its_set_unmounts),
        TEST(esp_idf_mounts_it_too),
        TEST(a_station_connects_and_comes_back_after_a_loss),
        TEST(tones_in_a_partition_are_found),
        TEST(format_0_has_no_description),
        TEST(why_there_are_no_tones_is_logged),
        TEST(free_memory_is_shown_with_an_empty_line),
        TEST(a_thread_is_a_task),
        TEST(test_cases_register_run_and_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
