/* Upgrade lists that take effect as a whole or not at all, and the power cut at every flash
 * operation of a data upgrade and of such a list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "device/board.h"
#include "esp/esp-idf/part_update.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "tests/support/adf_bench.h"
#include "tests/support/test_board.h"

#define EXTRA      0x330000u /* a partition registered at run time */
#define EXTRA_SIZE 0x6000u

static const esp_partition_t *extra;

static int fresh(void **state)
{
    uint8_t old[EXTRA_SIZE];
    adf_bench_fresh(state);
    memset(old, 0x66, sizeof old);
    test_board_fill(EXTRA, old, sizeof old);
    if (!extra)
        assert_int_equal(esp_partition_register_external(NULL, EXTRA, EXTRA_SIZE, "extra",
                                                         ESP_PARTITION_TYPE_DATA, 0x82, &extra),
                         ESP_OK);
    adf.options.atomic = true;
    return 0;
}

static bool extra_is(uint8_t first)
{
    return board()->nor.bytes[EXTRA] == first &&
           board()->nor.bytes[EXTRA + EXTRA_SIZE - 1] == (first == 0x66 ? 0x66 : 0xff);
}

static bool all_is_old(void)
{
    return adf_storage_is_old() && extra_is(0x66) && !adf_boots_new();
}

static bool all_is_new(void)
{
    return adf_storage_is_new() && extra_is(adf_byte(0)) && adf_boots_new();
}

static void make_list(ota_upgrade_ops_t list[3])
{
    list[0] = adf_data("storage", ADF_DATA_URI, adf_yes);
    list[1] = adf_app(NULL, ADF_APP_URI, NULL);
    list[2] = adf_data("extra", ADF_DATA_URI, adf_yes);
}

static void assert_results(int a, int b, int c)
{
    const int want[] = {a, b, c};
    assert_int_equal(adf.events, 4);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(adf.event[i].id, i);
        assert_int_equal(adf.event[i].result, want[i]);
    }
    assert_int_equal(adf.event[3].type, OTA_SERV_EVENT_TYPE_FINISH);
}

static ota_service_err_reason_t nothing_has_changed_yet(void *handle, ota_node_attr_t *node)
{
    assert_true(all_is_old());
    return OTA_SERV_ERR_REASON_SUCCESS;
}

static void apps_and_data_switch_together(void **state)
{
    ota_upgrade_ops_t list[3];
    make_list(list);
    list[2].need_upgrade = nothing_has_changed_yet; /* it is the last to run */
    adf_run(list, 3);
    assert_results(0, 0, 0);
    assert_true(all_is_new());
}

static ota_service_err_reason_t is_current(void *handle, ota_node_attr_t *node)
{
    return OTA_SERV_ERR_REASON_NO_HIGHER_VERSION;
}

static void what_is_up_to_date_does_not_hold_the_others(void **state)
{
    ota_upgrade_ops_t list[3];
    make_list(list);
    list[0].need_upgrade = is_current;
    adf_run(list, 3);
    assert_results(OTA_SERV_ERR_REASON_NO_HIGHER_VERSION, 0, 0);
    assert_true(adf_storage_is_old() && extra_is(adf_byte(0)) && adf_boots_new());
}

static ota_service_err_reason_t no_prepare(void **handle, ota_node_attr_t *node)
{
    return OTA_SERV_ERR_REASON_SUCCESS;
}

static void any_failure_undoes_all(void **state)
{
    static char none[] = "file://sdcard/none";
    enum { UNDONE = OTA_SERV_ERR_REASON_NOT_APPLIED };
    ota_upgrade_ops_t list[3];
    make_list(list);
    list[2].node.uri = none;
    adf_run(list, 3);
    assert_results(UNDONE, UNDONE, OTA_SERV_ERR_REASON_STREAM_INIT_FAIL);
    assert_true(all_is_old());
    make_list(list);
    list[1].node.uri = none;
    adf_run(list, 3);
    assert_results(UNDONE, OTA_SERV_ERR_REASON_UNKNOWN, UNDONE);
    assert_true(all_is_old());
    make_list(list);
    list[2].need_upgrade = adf_no;
    adf_run(list, 3);
    assert_results(UNDONE, UNDONE, OTA_SERV_ERR_REASON_UNKNOWN);
    assert_true(all_is_old());
    make_list(list);
    list[0].prepare = no_prepare; /* who knows where it writes */
    list[0].execute_upgrade = adf_yes;
    adf_run(list, 3);
    assert_int_equal(adf.event[1].result, UNDONE);
    assert_int_not_equal(adf.event[0].result, 0);
    assert_true(all_is_old());
    make_list(list); /* nothing of that is in the way */
    adf_run(list, 3);
    assert_true(all_is_new());
}

static void stop_at_once(void)
{
    assert_int_equal(periph_service_stop(adf.service), ESP_OK);
}

static int64_t stop_at;

static void stop_at_bytes(void *ctx, int id, int64_t done, int64_t total)
{
    if (id == 0 && done >= stop_at) periph_service_stop(adf.service);
}

static void a_stopped_list_changes_nothing(void **state)
{
    ota_upgrade_ops_t list[3];
    make_list(list);
    stop_at = 5000;
    adf.options.progress = stop_at_bytes;
    adf_run(list, 3);
    assert_results(OTA_SERV_ERR_REASON_CANCELLED, OTA_SERV_ERR_REASON_NOT_APPLIED,
                   OTA_SERV_ERR_REASON_NOT_APPLIED);
    assert_true(all_is_old());
    adf.while_running = stop_at_once;
    adf_run(list, 3);
    assert_true(all_is_old());
}

static void run_and_restart(void *arg)
{
    adf_run(arg, 3);
}

static void only_a_committed_list_restarts(void **state)
{
    static char none[] = "file://sdcard/none";
    ota_upgrade_ops_t list[3];
    make_list(list);
    list[1].reboot_flag = true;
    list[2].node.uri = none;
    assert_int_equal(test_board_fork(run_and_restart, list, NULL), 0);
    assert_true(all_is_old());
    make_list(list);
    list[1].reboot_flag = true;
    assert_int_equal(test_board_fork(run_and_restart, list, NULL), RESET_SW);
    assert_true(all_is_new());
}

/* ---- power ---- */

static jmp_buf restarted;
static bool starting;

static void on_restart(void)
{
    if (starting) longjmp(restarted, 1);
}

/* The chip starts, again if a start restarts it. */
static void start_again(void)
{
    volatile int starts = 0;
    nor_flash_power_on(&board()->nor);
    starting = true;
    (void)setjmp(restarted);
    if (starts++ < 3) idf_change_recover();
    starting = false;
}

struct cuts {
    ota_upgrade_ops_t *list;
    int len;
    uint64_t alike; /* first operations, of pages that are like each other: every 8th is cut */
    bool (*is_old)(void), (*is_new)(void);
};

static uint64_t cut_everywhere(const struct cuts *c)
{
    struct nor_flash *nor = &board()->nor;
    uint8_t *start = malloc(TEST_FLASH_SIZE);
    uint64_t points = 0, news = 0;
    bool cut = true;
    assert_non_null(start);
    memcpy(start, nor->bytes, TEST_FLASH_SIZE);
    nor->on_power_cut = NULL; /* the process goes on; all calls fail from then on */
    esp_register_shutdown_handler(on_restart);
    for (uint64_t nth = 1; cut; nth += nth < c->alike ? 8 : 1) {
        nor_flash_fill(nor, 0, start, TEST_FLASH_SIZE);
        nor_flash_power_on(nor);
        nor_flash_cut_at(nor, nth);
        nor->power->tear = NOR_TEAR_SEEDED;
        nor->power->seed = nth;
        adf_run(c->list, c->len);
        cut = nor->power->off;
        start_again();
        bool is_new = c->is_new();
        if (!is_new && !c->is_old()) fail_msg("half after operation %d", (int)nth);
        if (!cut) assert_true(is_new);
        points += cut;
        news += cut && is_new;
    }
    esp_unregister_shutdown_handler(on_restart);
    free(start);
    printf("power: %d points, %d with the new content\n", (int)points, (int)news);
    assert_true(news > 0);
    return points;
}

/* As the vendor's example: erases the partition itself and writes the head that it read. */
static ota_service_err_reason_t erase_first(void *handle, ota_node_attr_t *node)
{
    char head[8];
    const esp_partition_t *p =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, node->label);
    esp_err_t err = ota_data_image_stream_read(handle, head, sizeof head);
    if (!err) err = esp_partition_erase_range(p, 0, p->size);
    if (!err) err = ota_data_partition_erase_mark(handle);
    if (!err) err = ota_data_partition_write(handle, head, sizeof head);
    return err ? OTA_SERV_ERR_REASON_PARTITION_WT_FAIL : OTA_SERV_ERR_REASON_SUCCESS;
}

static void power_cuts_leave_old_or_new_data(void **state)
{
    adf.options.atomic = false;
    ota_upgrade_ops_t entry = adf_data("storage", ADF_DATA_URI, erase_first);
    struct cuts c = {&entry, 1, 0, adf_storage_is_old, adf_storage_is_new};
    assert_true(cut_everywhere(&c) > 160); /* 79 pages, twice */
}

static void power_cuts_leave_all_old_or_all_new(void **state)
{
    ota_upgrade_ops_t list[3];
    make_list(list);
    struct cuts c = {list, 3, 240, all_is_old, all_is_new};
    assert_true(cut_everywhere(&c) > 400); /* pages of the app, then the data */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(apps_and_data_switch_together, fresh),
        cmocka_unit_test_setup(what_is_up_to_date_does_not_hold_the_others, fresh),
        cmocka_unit_test_setup(any_failure_undoes_all, fresh),
        cmocka_unit_test_setup(a_stopped_list_changes_nothing, fresh),
        cmocka_unit_test_setup(only_a_committed_list_restarts, fresh),
        cmocka_unit_test_setup(power_cuts_leave_old_or_new_data, fresh),
        cmocka_unit_test_setup(power_cuts_leave_all_old_or_all_new, fresh),
    };
    return cmocka_run_group_tests(tests, adf_bench_make, adf_bench_remove);
}
