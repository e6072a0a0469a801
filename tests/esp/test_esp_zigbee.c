/* The vendor's Zigbee API without a radio: lists, attributes, signals, alarms, the lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "esp/esp-zigbee/stack.h"
#include "tests/support/eventually.h"
#include "tests/support/test_board.h"

#define SERVER ESP_ZB_ZCL_CLUSTER_SERVER_ROLE
#define CLIENT ESP_ZB_ZCL_CLUSTER_CLIENT_ROLE
#define OTA    ESP_ZB_ZCL_CLUSTER_ID_OTA_UPGRADE

/* The vendor's packed structs hold pointers that are not aligned: a leak checker shall see them. */
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "use_unaligned=1";
}

static uint32_t signals[8];
static esp_err_t statuses[8];
static uint8_t first_params[8];
static unsigned signal_count;

void esp_zb_app_signal_handler(esp_zb_app_signal_t *s)
{
    if (signal_count == 0)
        memcpy(first_params, esp_zb_app_signal_get_params(s->p_app_signal), sizeof first_params);
    signals[signal_count] = *s->p_app_signal;
    statuses[signal_count++] = s->esp_err_status;
}

static int setup(void **state)
{
    static esp_zb_cfg_t config = {.esp_zb_role = ESP_ZB_DEVICE_TYPE_ROUTER};
    test_board_new();
    esp_zb_init(&config); /* once a process */
    signal_count = 0;
    return 0;
}

/* ---- Lists ---- */

/* The API frees no lists: they live as long as the device. */
static void *keep(void *list)
{
    static void *kept[32];
    static unsigned count;
    assert_true(count < sizeof kept / sizeof *kept);
    return kept[count++] = list;
}

static void basic_cluster_begins_with_version_and_power_source(void **state)
{
    esp_zb_attribute_list_t *list = keep(esp_zb_basic_cluster_create(NULL));
    esp_zb_attribute_list_t *version = zb_list_find(list, ESP_ZB_ZCL_ATTR_BASIC_ZCL_VERSION_ID);
    esp_zb_attribute_list_t *power = zb_list_find(list, ESP_ZB_ZCL_ATTR_BASIC_POWER_SOURCE_ID);
    assert_int_equal(*(uint8_t *)version->attribute.data_p, 8);
    assert_int_equal(version->attribute.type, ESP_ZB_ZCL_ATTR_TYPE_U8);
    assert_int_equal(*(uint8_t *)power->attribute.data_p, 0);
    assert_int_equal(power->attribute.type, ESP_ZB_ZCL_ATTR_TYPE_8BIT_ENUM);
}

static void strings_are_copied_with_their_length(void **state)
{
    char name[] = "\x09"
                  "ESPRESSIF";
    esp_zb_attribute_list_t *list = keep(esp_zb_basic_cluster_create(NULL));
    assert_int_equal(
        esp_zb_basic_cluster_add_attr(list, ESP_ZB_ZCL_ATTR_BASIC_MANUFACTURER_NAME_ID, name),
        ESP_OK);
    name[1] = 'x';
    esp_zb_attribute_list_t *a = zb_list_find(list, ESP_ZB_ZCL_ATTR_BASIC_MANUFACTURER_NAME_ID);
    assert_memory_equal(a->attribute.data_p,
                        "\x09"
                        "ESPRESSIF",
                        10);
}

static void attributes_come_once_and_only_where_they_belong(void **state)
{
    uint8_t one = 1;
    esp_zb_attribute_list_t *basic = keep(esp_zb_basic_cluster_create(NULL));
    esp_zb_attribute_list_t *ota = keep(esp_zb_zcl_attr_list_create(OTA));
    uint16_t power = ESP_ZB_ZCL_ATTR_BASIC_POWER_SOURCE_ID;
    assert_int_equal(esp_zb_basic_cluster_add_attr(basic, power, &one), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_zb_basic_cluster_add_attr(basic, 0x1234, &one), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_zb_basic_cluster_add_attr(ota, power, &one), ESP_ERR_INVALID_ARG);
    assert_int_equal(
        esp_zb_basic_cluster_add_attr(basic, ESP_ZB_ZCL_ATTR_BASIC_APPLICATION_VERSION_ID, NULL),
        ESP_ERR_INVALID_ARG);
}

static uint32_t u32_of(esp_zb_attribute_list_t *list, uint16_t id)
{
    return al_get_le32(zb_list_find(list, id)->attribute.data_p);
}

static void ota_cluster_has_the_clients_attributes(void **state)
{
    esp_zb_ota_cluster_cfg_t c = {.ota_upgrade_file_version = 0x01010101,
                                  .ota_upgrade_manufacturer = 0x1001,
                                  .ota_upgrade_image_type = 0x1011};
    esp_zb_attribute_list_t *list = keep(esp_zb_ota_cluster_create(&c));
    esp_zb_attribute_list_t *plain = keep(esp_zb_ota_cluster_create(NULL));
    assert_int_equal(u32_of(list, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_FILE_VERSION_ID), 0x01010101);
    assert_int_equal(u32_of(plain, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_FILE_VERSION_ID), 0xffffffff);
    const uint8_t espressif[] = {0x1b, 0x13};
    assert_memory_equal(
        zb_list_find(plain, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_MANUFACTURE_ID)->attribute.data_p,
        espressif, 2);
}

static void a_side_of_a_cluster_is_there_once(void **state)
{
    esp_zb_cluster_list_t *clusters = keep(esp_zb_zcl_cluster_list_create());
    esp_zb_attribute_list_t *ota = keep(esp_zb_ota_cluster_create(NULL));
    esp_zb_attribute_list_t *basic = keep(esp_zb_basic_cluster_create(NULL));
    assert_int_equal(esp_zb_cluster_list_add_ota_cluster(clusters, ota, CLIENT), ESP_OK);
    assert_int_equal(esp_zb_cluster_list_add_ota_cluster(clusters, ota, CLIENT),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_zb_cluster_list_add_ota_cluster(clusters, ota, SERVER), ESP_OK);
    assert_int_equal(esp_zb_cluster_list_add_ota_cluster(clusters, basic, SERVER),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_zb_cluster_list_update_basic_cluster(clusters, basic, SERVER),
                     ESP_ERR_NOT_FOUND);
    assert_ptr_equal(esp_zb_cluster_list_get_cluster(clusters, OTA, CLIENT), ota);
}

static void simple_descriptor_lists_servers_as_input(void **state)
{
    esp_zb_cluster_list_t *clusters = keep(esp_zb_zcl_cluster_list_create());
    esp_zb_ep_list_t *endpoints = keep(esp_zb_ep_list_create());
    esp_zb_endpoint_config_t config = {
        .endpoint = 5, .app_profile_id = 0x0104, .app_device_id = 0xfff0};
    esp_zb_cluster_list_add_ota_cluster(clusters, keep(esp_zb_ota_cluster_create(NULL)), CLIENT);
    esp_zb_cluster_list_add_basic_cluster(clusters, keep(esp_zb_basic_cluster_create(NULL)),
                                          SERVER);
    assert_int_equal(esp_zb_ep_list_add_ep(endpoints, clusters, config), ESP_OK);
    assert_int_equal(esp_zb_ep_list_add_ep(endpoints, clusters, config), ESP_ERR_INVALID_ARG);
    config.endpoint = 241;
    assert_int_equal(esp_zb_ep_list_add_ep(endpoints, clusters, config), ESP_ERR_INVALID_ARG);
    const esp_zb_af_simple_desc_1_1_t *d = endpoints->next->endpoint.simple_desc;
    assert_int_equal(d->app_input_cluster_count, 1);
    assert_int_equal(d->app_output_cluster_count, 1);
    assert_int_equal(d->app_cluster_list[0], 0x0000);
    assert_int_equal(d->app_cluster_list[1], OTA);
}

static void channels_are_11_to_26(void **state)
{
    assert_int_equal(esp_zb_set_primary_network_channel_set(1 << 13), ESP_OK);
    assert_int_equal(esp_zb_get_primary_network_channel_set(), 1 << 13);
    assert_int_equal(esp_zb_set_primary_network_channel_set(0), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_zb_set_primary_network_channel_set(1 << 10 | 1 << 13),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_zb_set_secondary_network_channel_set(1 << 27), ESP_ERR_INVALID_ARG);
}

static void outside_a_network_there_is_nothing_to_ask(void **state)
{
    uint8_t ext[8];
    esp_zb_ota_upgrade_server_notify_req_t req = {.endpoint = 5};
    assert_false(esp_zb_bdb_dev_joined());
    assert_int_equal(esp_zb_get_short_address(), 0xffff);
    assert_int_equal(esp_zb_ieee_address_by_short(0, ext), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_zb_bdb_start_top_level_commissioning(ESP_ZB_BDB_MODE_INITIALIZATION),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_zb_ota_upgrade_server_notify_req(&req), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_zb_ota_upgrade_client_query_image_req(0, 5), ESP_FAIL);
}

/* ---- Signals ---- */

static void signals_have_the_vendors_words(void **state)
{
    assert_string_equal(esp_zb_zdo_signal_to_string(0x00), "ZDO Start Up");
    assert_string_equal(esp_zb_zdo_signal_to_string(0x0b), "BDB Formation");
    assert_string_equal(esp_zb_zdo_signal_to_string(0x12), "NWK Device Associated");
    assert_string_equal(esp_zb_zdo_signal_to_string(0x17), "ZDO Config Ready");
    assert_string_equal(esp_zb_zdo_signal_to_string(0x36), "NWK Permit Join");
    assert_string_equal(esp_zb_zdo_signal_to_string(0x11), "UNKNOWN SIGNAL");
    assert_string_equal(esp_zb_zdo_signal_to_string(0x3e), "UNKNOWN SIGNAL");
    assert_string_equal(esp_zb_zdo_signal_to_string(0x7fffffff), "UNKNOWN SIGNAL");
}

static void signals_come_in_order_with_their_parameters(void **state)
{
    const uint8_t params[] = {180, 1, 2};
    zb_signal_raise(ESP_ZB_NWK_SIGNAL_PERMIT_JOIN_STATUS, ESP_OK, params, sizeof params);
    zb_signal_raise(ESP_ZB_BDB_SIGNAL_STEERING, ESP_FAIL, NULL, 0);
    assert_int_equal(signal_count, 0);
    zb_signal_dispatch();
    assert_int_equal(signal_count, 2);
    assert_int_equal(signals[0], 0x36);
    assert_memory_equal(first_params, params, sizeof params);
    assert_int_equal(signals[1], 0x0a);
    assert_int_equal(statuses[1], ESP_FAIL);
    assert_false(zb_signal_waiting());
}

/* ---- Alarms ---- */

static char order[16];

static void note(uint8_t letter)
{
    size_t n = strlen(order);
    order[n] = (char)letter;
}

static void note_user(void *letter)
{
    note((uint8_t)(uintptr_t)letter);
}

static void again(uint8_t letter)
{
    note(letter);
    esp_zb_scheduler_alarm(again, letter, 0);
}

static void alarms_run_once_in_the_order_in_which_they_were_set(void **state)
{
    memset(order, 0, sizeof order);
    esp_zb_scheduler_alarm(note, 'a', 0);
    esp_zb_scheduler_user_alarm(note_user, (void *)(uintptr_t)'b', 0);
    esp_zb_scheduler_alarm(note, 'a', 0);
    esp_zb_scheduler_alarm(note, 'z', 60000); /* the clock stands: never */
    zb_scheduler_run();
    zb_scheduler_run();
    assert_string_equal(order, "aba");
    assert_int_equal(zb_scheduler_next(), 60000000);
    esp_zb_scheduler_alarm_cancel(note, 'z');
    assert_true(zb_scheduler_next() == UINT64_MAX);
}

static void an_alarm_that_sets_itself_waits_for_the_next_round(void **state)
{
    memset(order, 0, sizeof order);
    esp_zb_scheduler_alarm(again, 'a', 0);
    zb_scheduler_run();
    assert_string_equal(order, "a");
    zb_scheduler_run();
    assert_string_equal(order, "aa");
    esp_zb_scheduler_alarm_cancel(again, 'a');
}

static void a_cancelled_alarm_does_not_come(void **state)
{
    memset(order, 0, sizeof order);
    esp_zb_user_cb_handle_t h = esp_zb_scheduler_user_alarm(note_user, (void *)(uintptr_t)'u', 0);
    assert_int_not_equal(h, ESP_ZB_USER_CB_HANDLE_INVALID);
    assert_int_equal(esp_zb_scheduler_user_alarm_cancel(h), ESP_OK);
    assert_int_equal(esp_zb_scheduler_user_alarm_cancel(h), ESP_ERR_NOT_FOUND);
    esp_zb_scheduler_alarm(note, 'a', 0);
    esp_zb_scheduler_alarm(note, 'a', 0);
    esp_zb_scheduler_alarm_cancel(note, 'a');
    zb_scheduler_run();
    assert_string_equal(order, "a");
}

static void handles_run_out_at_255(void **state)
{
    esp_zb_user_cb_handle_t handles[255];
    for (int i = 0; i < 255; i++) handles[i] = esp_zb_scheduler_user_alarm(note_user, NULL, 1000);
    assert_int_equal(esp_zb_scheduler_user_alarm(note_user, NULL, 1000),
                     ESP_ZB_USER_CB_HANDLE_INVALID);
    for (int i = 0; i < 255; i++)
        assert_int_equal(esp_zb_scheduler_user_alarm_cancel(handles[i]), ESP_OK);
}

/* ---- The lock ---- */

static volatile int got, timed_out;

static void other_task(void *arg)
{
    timed_out = !esp_zb_lock_acquire(1);
    got = esp_zb_lock_acquire(portMAX_DELAY);
    esp_zb_lock_release();
    vTaskDelete(NULL);
}

static void the_lock_is_recursive_and_keeps_others_out(void **state)
{
    assert_true(esp_zb_lock_acquire(portMAX_DELAY));
    assert_true(esp_zb_lock_acquire(0));
    assert_int_equal(xTaskCreate(other_task, "other", 4096, NULL, 5, NULL), pdPASS);
    eventually(timed_out);
    esp_zb_lock_release();
    assert_false(got);
    esp_zb_lock_release();
    eventually(got);
}

static void the_loop_steps_aside_for_those_who_wait(void **state)
{
    got = timed_out = 0;
    zb_lock_enter_loop();
    assert_int_equal(xTaskCreate(other_task, "other", 4096, NULL, 5, NULL), pdPASS);
    eventually(timed_out);
    eventually((zb_lock_step_aside(), got));
    esp_zb_lock_release();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(basic_cluster_begins_with_version_and_power_source),
        TEST(strings_are_copied_with_their_length),
        TEST(attributes_come_once_and_only_where_they_belong),
        TEST(ota_cluster_has_the_clients_attributes),
        TEST(a_side_of_a_cluster_is_there_once),
        TEST(simple_descriptor_lists_servers_as_input),
        TEST(channels_are_11_to_26),
        TEST(outside_a_network_there_is_nothing_to_ask),
        TEST(signals_have_the_vendors_words),
        TEST(signals_come_in_order_with_their_parameters),
        TEST(alarms_run_once_in_the_order_in_which_they_were_set),
        TEST(an_alarm_that_sets_itself_waits_for_the_next_round),
        TEST(a_cancelled_alarm_does_not_come),
        TEST(handles_run_out_at_255),
        TEST(the_lock_is_recursive_and_keeps_others_out),
        TEST(the_loop_steps_aside_for_those_who_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
