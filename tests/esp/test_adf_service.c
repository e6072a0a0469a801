/* ota_service: the cases of the original's own test, events, order, breaks and restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/version_number.h"
#include "device/control.h"
#include "esp/esp-idf/airlift_config.h"
#include "tests/support/adf_bench.h"
#include "tests/support/test_board.h"
#include "tests/support/vectors.h"

static char force_version[2] = "n";
const struct airlift_config_entry airlift_config[] = {
    {"FORCE_CHECK_FIRMWARE_VERSION_NUMBER", force_version},
    {NULL, NULL},
};

static int fresh(void **state)
{
    strcpy(force_version, "n");
    return adf_bench_fresh(state);
}

/* ---- the original's test ---- */

/* The result here, and the one that compat_results restores. */
static void assert_results(ota_upgrade_ops_t entry, int ours, int original)
{
    assert_int_equal(adf_run_one(entry), ours);
    adf.options.compat_results = true;
    assert_int_equal(adf_run_one(entry), original);
}

static void create_and_destroy(void **state)
{
    ota_service_config_t config = OTA_SERVICE_DEFAULT_CONFIG();
    periph_service_handle_t service = ota_service_create(&config);
    assert_non_null(service);
    assert_int_equal(periph_service_destroy(service), ESP_OK);
    assert_null(ota_service_create(NULL));
}

static void data_without_label(void **state)
{
    assert_results(adf_data(NULL, NULL, adf_no), OTA_SERV_ERR_REASON_NULL_POINTER, -1);
}

static void data_with_wrong_label(void **state)
{
    assert_results(adf_data("test", NULL, adf_no), OTA_SERV_ERR_REASON_PARTITION_NOT_FOUND, -1);
}

static void data_without_uri(void **state)
{
    assert_results(adf_data("storage", NULL, adf_no), OTA_SERV_ERR_REASON_NULL_POINTER, -1);
}

static void data_wrong_uri_form(void **state)
{
    assert_results(adf_data("storage", "test", adf_no), OTA_SERV_ERR_REASON_URL_PARSE_FAIL, -1);
    adf.options.compat_results = false;
    assert_results(adf_data("storage", "/sdcard/data.bin", adf_no),
                   OTA_SERV_ERR_REASON_URL_PARSE_FAIL, -1);
}

static void data_dead_uri(void **state)
{
    assert_results(adf_data("storage", "file://sdcard/test.bin", adf_yes),
                   OTA_SERV_ERR_REASON_STREAM_INIT_FAIL, -1);
    assert_true(adf_storage_is_old());
}

static void data_no_need(void **state)
{
    assert_results(adf_data("storage", ADF_DATA_URI, adf_no), OTA_SERV_ERR_REASON_UNKNOWN, -1);
    assert_true(adf_storage_is_old());
}

static void data_process(void **state)
{
    assert_int_equal(adf_run_one(adf_data("storage", ADF_DATA_URI, adf_yes)), 0);
    assert_true(adf_storage_is_new());
    fresh(state);
    adf.options.compat_results = true;
    assert_int_equal(adf_run_one(adf_data("storage", "file:///sdcard/data.bin", adf_yes)), 0);
    assert_true(adf_storage_is_new());
}

static void app_with_a_label(void **state)
{
    assert_results(adf_app("test", NULL, NULL), OTA_SERV_ERR_REASON_NULL_POINTER, 0x90001);
}

static void app_without_uri(void **state)
{
    assert_results(adf_app(NULL, NULL, NULL), OTA_SERV_ERR_REASON_NULL_POINTER, 0x90001);
}

static void app_wrong_uri_form(void **state)
{
    assert_results(adf_app(NULL, "test", NULL), OTA_SERV_ERR_REASON_URL_PARSE_FAIL, 0x90001);
}

static void app_dead_uri(void **state)
{
    assert_results(adf_app(NULL, "file://sdcard/test.bin", NULL), OTA_SERV_ERR_REASON_UNKNOWN,
                   0x90001);
}

static void app_no_need(void **state)
{
    assert_results(adf_app(NULL, ADF_APP_URI, adf_no), OTA_SERV_ERR_REASON_UNKNOWN, 0);
    assert_false(adf_boots_new());
}

static void app_process(void **state)
{
    assert_int_equal(adf_run_one(adf_app("ignored", ADF_APP_URI, NULL)), 0);
    assert_true(adf_boots_new());
    fresh(state);
    adf.options.compat_results = true;
    assert_int_equal(adf_run_one(adf_app(NULL, ADF_APP_URI, NULL)), 0);
    assert_true(adf_boots_new());
}

/* ---- versions ---- */

static void version_texts_are_numbers_as_in_the_table(void **state)
{
    size_t len;
    char *table = (char *)vector_file(&len, "at-adf/ota_get_version_number.tsv"), *rest = table;
    int lines = 0;
    for (char *line; (line = strsep(&rest, "\n")) && *line; lines++) {
        char *tab = strchr(line, '\t');
        assert_non_null(tab);
        *tab = 0;
        if (ota_get_version_number(line) != atoi(tab + 1)) fail_msg("%s: not %s", line, tab + 1);
    }
    assert_int_equal(lines, 20);
    char overflow[] = "v999999999999.1.1", long_text[] = "v1.2.000000000000000000000000000003";
    assert_int_equal(ota_get_version_number(overflow), -1);
    assert_int_equal(ota_get_version_number(long_text), -1);
    assert_int_equal(ota_get_version_number(NULL), -1);
    free(table);
}

/* The image's version field is at 0x30; the running app says "1.0.0"-like text that is no v1.2.3,
 * so any valid version is higher. */
static void put_version(const char *name, const char *version)
{
    size_t len;
    uint8_t *image = vector_file(&len, ADF_IMAGE);
    memset(image + 48, 0, 32);
    memcpy(image + 48, version, strlen(version));
    adf_bench_put(name, image, len);
    free(image);
}

static ota_service_err_reason_t versions_decide(const char *running, const char *incoming)
{
    uint8_t field[32] = {0};
    memcpy(field, running, strlen(running));
    fresh(NULL);
    strcpy(force_version, "y");
    test_board_fill(TEST_FACTORY + 48, field, sizeof field);
    put_version("version.bin", incoming);
    ota_upgrade_ops_t entry = adf_app(NULL, "file://sdcard/version.bin", NULL);
    entry.execute_upgrade = adf_yes; /* its hash does not fit any more */
    return adf_run_one(entry);
}

static void only_a_higher_version_is_taken_when_the_project_says_so(void **state)
{
    assert_int_equal(versions_decide("v1.2.3", "v1.2.4"), 0);
    assert_int_equal(versions_decide("v1.2.3", "v1.10.0"), 0);
    assert_int_equal(versions_decide("something", "v0.0.0"), 0);
    assert_int_equal(versions_decide("v1.2.3", "v1.2.3"), OTA_SERV_ERR_REASON_NO_HIGHER_VERSION);
    assert_int_equal(versions_decide("v1.2.3", "v1.2.2"), OTA_SERV_ERR_REASON_NO_HIGHER_VERSION);
    assert_int_equal(versions_decide("v1.2.3", "1.2.4"), OTA_SERV_ERR_REASON_ERROR_VERSION);
    strcpy(force_version, "n");
    assert_int_equal(adf_run_one(adf_app(NULL, ADF_APP_URI, NULL)), 0);
}

/* ---- order, events ---- */

static char trace[256];
static ota_service_err_reason_t answer[4]; /* of the four steps */

static ota_service_err_reason_t step(const ota_node_attr_t *node, char what, int n)
{
    size_t at = strlen(trace);
    snprintf(trace + at, sizeof trace - at, "%s%c ", node->label, what);
    return answer[n];
}

static ota_service_err_reason_t own_prepare(void **handle, ota_node_attr_t *node)
{
    assert_null(*handle);
    *handle = trace;
    return step(node, 'p', 0);
}

static ota_service_err_reason_t own_need(void *handle, ota_node_attr_t *node)
{
    assert_ptr_equal(handle, trace);
    return step(node, 'n', 1);
}

static ota_service_err_reason_t own_execute(void *handle, ota_node_attr_t *node)
{
    return step(node, 'x', 2);
}

static ota_service_err_reason_t own_finished(void *handle, ota_node_attr_t *node,
                                             ota_service_err_reason_t result)
{
    char text[16];
    snprintf(text, sizeof text, "%d", result);
    strcat(trace, text);
    ota_service_err_reason_t mine = step(node, 'f', 3);
    return mine ? mine : result;
}

static ota_upgrade_ops_t own(char *label)
{
    return (ota_upgrade_ops_t){{ESP_PARTITION_TYPE_APP, label, NULL, NULL},
                               own_prepare,
                               own_need,
                               own_execute,
                               own_finished,
                               false,
                               false};
}

static int fresh_trace(void **state)
{
    trace[0] = 0;
    memset(answer, 0, sizeof answer);
    return fresh(state);
}

static void steps_run_in_order_and_the_check_always(void **state)
{
    static char a[] = "a", b[] = "b";
    ota_upgrade_ops_t list[] = {own(a), own(b)};
    adf_run(list, 2);
    assert_string_equal(trace, "ap an ax 0af bp bn bx 0bf ");
    static const char *const cut_at[] = {"ap 7af ", "ap an 7af ", "ap an ax 7af "};
    for (int i = 0; i < 3; i++) {
        fresh_trace(NULL);
        answer[i] = 7;
        assert_int_equal(adf_run_one(own(a)), 7);
        assert_string_equal(trace, cut_at[i]);
    }
    fresh_trace(NULL);
    answer[3] = 9; /* the check has the last word */
    assert_int_equal(adf_run_one(own(a)), 9);
}

static void missing_steps_are_null_pointers(void **state)
{
    static char a[] = "a";
    ota_upgrade_ops_t entry = own(a);
    entry.need_upgrade = NULL;
    assert_int_equal(adf_run_one(entry), OTA_SERV_ERR_REASON_NULL_POINTER);
    assert_string_equal(trace, ""); /* nothing ran, not even the check */
    entry = own(a);
    entry.finished_check = NULL;
    assert_int_equal(adf_run_one(entry), OTA_SERV_ERR_REASON_NULL_POINTER);
    assert_string_equal(trace, "ap an ax ");
    assert_int_equal(adf_run_one(adf_data("storage", ADF_DATA_URI, NULL)),
                     OTA_SERV_ERR_REASON_NULL_POINTER);
}

static void events_carry_results_and_then_the_end(void **state)
{
    static char a[] = "a", b[] = "b";
    ota_upgrade_ops_t list[] = {own(a), own(b)};
    adf_run(list, 2);
    assert_int_equal(adf.events, 3);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(adf.event[i].type, OTA_SERV_EVENT_TYPE_RESULT);
        assert_int_equal(adf.event[i].id, i);
        assert_int_equal(adf.event[i].len, 2);
        assert_ptr_equal(adf.event[i].source, adf.service);
    }
    assert_int_equal(adf.event[2].type, OTA_SERV_EVENT_TYPE_FINISH);
    assert_null(adf.event[2].source);
    assert_null(adf.event[2].data);
    assert_int_equal(adf.event[2].len, 0);
}

static void a_failure_breaks_the_list_only_when_asked(void **state)
{
    static char a[] = "a", b[] = "b";
    ota_upgrade_ops_t list[] = {adf_data("storage", "file://sdcard/none", adf_yes), own(b)};
    adf_run(list, 2);
    assert_int_equal(adf.events, 3);
    assert_string_equal(trace, "bp bn bx 0bf ");
    trace[0] = 0;
    list[0].break_after_fail = true;
    adf_run(list, 2);
    assert_int_equal(adf.events, 2);
    assert_string_equal(trace, "");
    list[0] = own(a);
    list[0].break_after_fail = true; /* it does not fail */
    adf_run(list, 2);
    assert_int_equal(adf.events, 3);
}

static void run_in_child(void *arg)
{
    ota_upgrade_ops_t *list = arg;
    adf_run(list, 2);
}

static void one_success_with_its_flag_restarts_at_the_end(void **state)
{
    static char a[] = "a", b[] = "b";
    char *text;
    ota_upgrade_ops_t list[] = {own(a), own(b)};
    list[0].reboot_flag = true;
    assert_int_equal(test_board_fork(run_in_child, list, &text), RESET_SW);
    assert_non_null(strstr(text, "OTA_SERVICE: OTA_END!"));
    assert_non_null(strstr(text, "OTA_SERVICE: restart!"));
    free(text);
    list[0] = adf_data("storage", "file://sdcard/none", adf_yes); /* fails: no restart */
    list[0].reboot_flag = true;
    assert_int_equal(test_board_fork(run_in_child, list, &text), 0);
    assert_non_null(strstr(text, "OTA_SERVICE: OTA_END!"));
    assert_null(strstr(text, "restart!"));
    free(text);
    list[0] =
        adf_app(NULL, ADF_APP_URI, adf_no); /* no need: the original restarts here, for ever */
    list[0].reboot_flag = true;
    assert_int_equal(test_board_fork(run_in_child, list, NULL), 0);
    adf.options.compat_results = true;
    assert_int_equal(test_board_fork(run_in_child, list, NULL), RESET_SW);
}

static void run_forty(void *arg)
{
    adf_run(arg, 40);
    printf("%d events\n", adf.events);
}

static void lists_may_have_more_entries_than_an_int_has_bits(void **state)
{
    static char label[] = "";
    char *text;
    ota_upgrade_ops_t list[40];
    for (int i = 0; i < 40; i++) {
        list[i] = own(label);
        list[i].prepare = NULL; /* fails */
    }
    list[2].reboot_flag = true; /* 34 - 32 */
    list[34].prepare = own_prepare;
    assert_int_equal(test_board_fork(run_forty, list, &text), 0);
    assert_non_null(strstr(text, "32 events\n")); /* what the bench keeps */
    free(text);
    list[34].reboot_flag = true;
    assert_int_equal(test_board_fork(run_forty, list, NULL), RESET_SW);
}

/* ---- the service ---- */

static int ran;

static ota_service_err_reason_t count(void *handle, ota_node_attr_t *node)
{
    __atomic_add_fetch(&ran, 1, __ATOMIC_SEQ_CST);
    usleep(50000);
    return OTA_SERV_ERR_REASON_SUCCESS;
}

static void wait_for(int runs)
{
    for (int i = 0; i < 400 && __atomic_load_n(&ran, __ATOMIC_SEQ_CST) < runs; i++) usleep(10000);
    assert_int_equal(ran, runs);
}

static void starts_queue_up_and_destroy_waits_behind_them(void **state)
{
    static char a[] = "a";
    ota_service_config_t config = OTA_SERVICE_DEFAULT_CONFIG();
    ota_upgrade_ops_t entry = own(a);
    entry.execute_upgrade = count;
    ran = 0;
    periph_service_handle_t s = ota_service_create(&config);
    assert_int_equal(periph_service_start(s), ESP_OK); /* no list yet: nothing happens */
    assert_int_equal(ota_service_set_upgrade_param(s, NULL, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(ota_service_set_upgrade_param(NULL, &entry, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(ota_service_set_upgrade_param(s, &entry, 0), ESP_FAIL);
    usleep(20000);
    for (int i = 0; i < 2; i++)
        assert_int_equal(ota_service_set_upgrade_param(s, &entry, 1), ESP_OK);
    for (int i = 0; i < 2; i++) assert_int_equal(periph_service_start(s), ESP_OK);
    assert_int_equal(periph_service_destroy(s), ESP_OK);
    wait_for(2);
    assert_int_equal(periph_service_start(NULL), ESP_ERR_INVALID_ARG);
}

static void a_start_that_finds_no_room_is_refused(void **state)
{
    static char a[] = "a";
    ota_service_config_t config = OTA_SERVICE_DEFAULT_CONFIG();
    ota_upgrade_ops_t entry = own(a);
    entry.execute_upgrade = count;
    ran = 0;
    periph_service_handle_t s = ota_service_create(&config);
    assert_int_equal(ota_service_set_upgrade_param(s, &entry, 1), ESP_OK);
    assert_int_equal(periph_service_start(s), ESP_OK);
    wait_for(1); /* it runs: three may wait */
    for (int i = 0; i < 3; i++) assert_int_equal(periph_service_start(s), ESP_OK);
    assert_int_equal(periph_service_start(s), ESP_FAIL);
    assert_int_equal(periph_service_destroy(s), ESP_OK); /* behind them, though the queue is full */
    wait_for(4);
}

static int destroyed;

static esp_err_t destroy_at_the_end(periph_service_handle_t handle, periph_service_event_t *evt,
                                    void *ctx)
{
    if (evt->type != OTA_SERV_EVENT_TYPE_FINISH) return ESP_OK;
    esp_err_t err = periph_service_destroy(handle);
    __atomic_add_fetch(&destroyed, err == ESP_OK, __ATOMIC_SEQ_CST);
    return err;
}

static void a_callback_may_destroy_the_service(void **state)
{
    static char a[] = "a";
    ota_service_config_t config = OTA_SERVICE_DEFAULT_CONFIG();
    ota_upgrade_ops_t entry = own(a);
    config.evt_cb = destroy_at_the_end;
    periph_service_handle_t s = ota_service_create(&config);
    assert_int_equal(ota_service_set_upgrade_param(s, &entry, 1), ESP_OK);
    assert_int_equal(periph_service_start(s), ESP_OK);
    for (int i = 0; i < 400 && !__atomic_load_n(&destroyed, __ATOMIC_SEQ_CST); i++) usleep(10000);
    assert_int_equal(destroyed, 1);
}

static void stop_the_list(void)
{
    wait_for(1);
    assert_int_equal(periph_service_stop(adf.service), ESP_OK);
}

static void stop_ends_the_list(void **state)
{
    static char a[] = "a", b[] = "b";
    ota_upgrade_ops_t list[] = {own(a), own(b)};
    list[0].execute_upgrade = list[1].execute_upgrade = count;
    ran = 0;
    adf.while_running = stop_the_list;
    adf_run(list, 2);
    assert_int_equal(adf.events, 2); /* of a, and the end */
    assert_int_equal(ran, 1);
    adf.while_running = NULL;
    adf_run(list, 2); /* the next start runs it all */
    assert_int_equal(adf.events, 3);
}

static void log_of_nothing(void *arg)
{
    ota_service_config_t config = OTA_SERVICE_DEFAULT_CONFIG();
    periph_service_handle_t s = ota_service_create(&config);
    periph_service_start(s);
    usleep(50000);
    periph_service_stop(NULL);
    periph_service_ioctl(s, NULL, 0, 0);
    periph_service_destroy(s);
    usleep(50000);
}

static void log_says_what_is_missing(void **state)
{
    char *text = test_board_capture(log_of_nothing, NULL);
    assert_non_null(strstr(text, "OTA_SERVICE: Please set upgrade list first\n"));
    assert_non_null(strstr(text, "PERIPH_SERVICE: esp/esp-adf/periph_service.c:"));
    assert_non_null(strstr(text, " (periph_service_ioctl): Got NULL Pointer\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(create_and_destroy, fresh),
        cmocka_unit_test_setup(data_without_label, fresh),
        cmocka_unit_test_setup(data_with_wrong_label, fresh),
        cmocka_unit_test_setup(data_without_uri, fresh),
        cmocka_unit_test_setup(data_wrong_uri_form, fresh),
        cmocka_unit_test_setup(data_dead_uri, fresh),
        cmocka_unit_test_setup(data_no_need, fresh),
        cmocka_unit_test_setup(data_process, fresh),
        cmocka_unit_test_setup(app_with_a_label, fresh),
        cmocka_unit_test_setup(app_without_uri, fresh),
        cmocka_unit_test_setup(app_wrong_uri_form, fresh),
        cmocka_unit_test_setup(app_dead_uri, fresh),
        cmocka_unit_test_setup(app_no_need, fresh),
        cmocka_unit_test_setup(app_process, fresh),
        cmocka_unit_test_setup(version_texts_are_numbers_as_in_the_table, fresh),
        cmocka_unit_test_setup(only_a_higher_version_is_taken_when_the_project_says_so, fresh),
        cmocka_unit_test_setup(steps_run_in_order_and_the_check_always, fresh_trace),
        cmocka_unit_test_setup(missing_steps_are_null_pointers, fresh_trace),
        cmocka_unit_test_setup(events_carry_results_and_then_the_end, fresh_trace),
        cmocka_unit_test_setup(a_failure_breaks_the_list_only_when_asked, fresh_trace),
        cmocka_unit_test_setup(one_success_with_its_flag_restarts_at_the_end, fresh_trace),
        cmocka_unit_test_setup(starts_queue_up_and_destroy_waits_behind_them, fresh_trace),
        cmocka_unit_test_setup(lists_may_have_more_entries_than_an_int_has_bits, fresh_trace),
        cmocka_unit_test_setup(a_start_that_finds_no_room_is_refused, fresh_trace),
        cmocka_unit_test_setup(a_callback_may_destroy_the_service, fresh_trace),
        cmocka_unit_test_setup(stop_ends_the_list, fresh_trace),
        cmocka_unit_test_setup(log_says_what_is_missing, fresh),
    };
    return cmocka_run_group_tests(tests, adf_bench_make, adf_bench_remove);
}
