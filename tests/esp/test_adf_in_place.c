/* Data partitions where there is no room to stage their new content: refused, or, when that is
 * allowed, written in place, marked, and finished by the next run. The chip has one app slot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/part_table.h"
#include "device/board.h"
#include "host/crypto_openssl.h"
#include "nvs_flash.h"
#include "tests/support/adf_bench.h"
#include "tests/support/test_board.h"

static const struct al_part parts[] = {
    {AL_PART_DATA, AL_PART_DATA_NVS, TEST_NVS, 0x4000, "nvs", 0},
    {AL_PART_APP, AL_PART_FACTORY, TEST_FACTORY, 0x100000, "factory", 0},
    {AL_PART_DATA, 0x81, TEST_STORAGE, TEST_STORAGE_SIZE, "storage", 0},
};

/* The table is read once a process: at the first use. */
static int make(void **state)
{
    static struct al_part_table table = {.count = sizeof parts / sizeof *parts};
    uint8_t raw[AL_PART_TABLE_LEN];
    adf_bench_make(state);
    memcpy(table.part, parts, sizeof parts);
    assert_int_equal(al_part_table_build(&table, true, &crypto_openssl, raw), 0);
    test_board_fill(AL_PART_TABLE_OFFSET, raw, sizeof raw);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    return 0;
}

static ota_service_err_reason_t run(adf_need *need)
{
    return adf_run_one(adf_data("storage", ADF_DATA_URI, need));
}

static ota_service_err_reason_t fail_to_look(void *handle, ota_node_attr_t *node)
{
    fail_msg("there is no room: need_upgrade must not be asked");
    return OTA_SERV_ERR_REASON_SUCCESS;
}

static void log_of_a_refusal(void *arg)
{
    assert_int_equal(run(fail_to_look), OTA_SERV_ERR_REASON_PARTITION_WT_FAIL);
}

static void without_room_the_upgrade_is_refused(void **state)
{
    char *text = test_board_capture(log_of_a_refusal, NULL);
    assert_non_null(strstr(text, "OTA_DEFAULT: partition [storage] cannot be upgraded: no place"));
    assert_non_null(strstr(text, "CONFIG_OTA_SERVICE_DATA_IN_PLACE=y"));
    free(text);
    assert_true(adf_storage_is_old());
    adf.options.in_place = adf.options.atomic = true; /* all or nothing is never in place */
    assert_int_equal(run(fail_to_look), OTA_SERV_ERR_REASON_PARTITION_WT_FAIL);
    assert_true(adf_storage_is_old());
}

static void allowed_it_is_written_in_place(void **state)
{
    adf.options.in_place = true;
    assert_int_equal(run(adf_no), OTA_SERV_ERR_REASON_UNKNOWN);
    assert_true(adf_storage_is_old());
    assert_int_equal(run(adf_yes), 0);
    assert_true(adf_storage_is_new());
    assert_false(ota_service_incomplete("storage"));
    assert_false(ota_service_incomplete("none"));
    assert_false(ota_service_incomplete(NULL));
}

static void shorten(void *ctx, int id, int64_t done, int64_t total)
{
    if (done >= 5000) periph_service_stop(adf.service);
}

/* Reads the head before it says no, as apps do that compare versions. */
static ota_service_err_reason_t read_and_say_no(void *handle, ota_node_attr_t *node)
{
    char head[300];
    assert_int_equal(ota_data_image_stream_read(handle, head, sizeof head), ESP_OK);
    return OTA_SERV_ERR_REASON_NO_HIGHER_VERSION;
}

static ota_service_err_reason_t wrong_file(void *handle, ota_node_attr_t *node)
{
    return OTA_SERV_ERR_REASON_ERROR_MAGIC_WORD;
}

static void an_incomplete_partition_is_finished_by_the_next_run(void **state)
{
    adf.options.in_place = true;
    adf.options.progress = shorten;
    assert_int_equal(run(adf_yes), OTA_SERV_ERR_REASON_CANCELLED);
    assert_true(ota_service_incomplete("storage"));
    assert_false(adf_storage_is_new() || adf_storage_is_old());
    adf.options.progress = NULL;
    assert_int_equal(run(wrong_file), OTA_SERV_ERR_REASON_ERROR_MAGIC_WORD);
    assert_true(ota_service_incomplete("storage"));
    assert_int_equal(run(read_and_say_no), 0); /* overruled */
    assert_true(adf_storage_is_new());
    assert_false(ota_service_incomplete("storage"));
    assert_int_equal(run(read_and_say_no), OTA_SERV_ERR_REASON_NO_HIGHER_VERSION);
}

static void power_cuts_leave_old_new_or_marked(void **state)
{
    struct nor_flash *nor = &board()->nor;
    uint8_t *start = malloc(TEST_FLASH_SIZE);
    int marked = 0;
    bool cut = true;
    assert_non_null(start);
    memcpy(start, nor->bytes, TEST_FLASH_SIZE);
    nor->on_power_cut = NULL;
    adf.options.in_place = true;
    for (uint64_t nth = 1; cut; nth++) {
        nvs_flash_deinit();
        nor_flash_fill(nor, 0, start, TEST_FLASH_SIZE);
        nor_flash_power_on(nor);
        assert_int_equal(nvs_flash_init(), ESP_OK);
        nor_flash_cut_at(nor, nth);
        nor->power->tear = NOR_TEAR_SEEDED;
        nor->power->seed = nth;
        run(adf_yes);
        cut = nor->power->off;
        nvs_flash_deinit();
        nor_flash_power_on(nor);
        assert_int_equal(nvs_flash_init(), ESP_OK);
        bool incomplete = ota_service_incomplete("storage");
        marked += incomplete;
        if (!incomplete && !adf_storage_is_old() && !adf_storage_is_new())
            fail_msg("half and not marked after operation %d", (int)nth);
        ota_service_err_reason_t r = run(adf_no);
        assert_int_equal(r, incomplete ? 0 : OTA_SERV_ERR_REASON_UNKNOWN);
        if (incomplete) assert_true(adf_storage_is_new());
        assert_false(ota_service_incomplete("storage"));
    }
    free(start);
    assert_true(adf_storage_is_new());
    assert_true(marked > 80); /* 79 pages and the erase */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_room_the_upgrade_is_refused, adf_bench_fresh),
        cmocka_unit_test_setup(allowed_it_is_written_in_place, adf_bench_fresh),
        cmocka_unit_test_setup(an_incomplete_partition_is_finished_by_the_next_run,
                               adf_bench_fresh),
        cmocka_unit_test_setup(power_cuts_leave_old_new_or_marked, adf_bench_fresh),
    };
    return cmocka_run_group_tests(tests, make, adf_bench_remove);
}
