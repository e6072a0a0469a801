/* What a device on API 2.x consists of, and what is set before its start. */
#include "esp/esp-zigbee/ezb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/test_board.h"

#define CLIENT_EP 10
#define SERVER_EP 11

/* The lists of 1.x are packed structs with pointers: a leak checker shall see them. */
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "use_unaligned=1";
}

static uint8_t *read_file(const char *path, uint32_t *size)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    uint8_t *bytes = malloc(1 << 20);
    *size = (uint32_t)fread(bytes, 1, 1 << 20, f);
    fclose(f);
    return bytes;
}

/* ---- Before the registration ---- */

static ezb_af_ep_desc_t endpoint(uint8_t id)
{
    const ezb_af_ep_config_t config = {.ep_id = id, .app_profile_id = EZB_AF_HA_PROFILE_ID};
    return ezb_af_create_endpoint_desc(&config);
}

static void each_side_of_a_cluster_is_there_once(void **state)
{
    ezb_af_ep_desc_t ep = endpoint(1), other = endpoint(2);
    ezb_zcl_cluster_desc_t server = ezb_zcl_basic_create_cluster_desc(NULL, EZB_ZCL_CLUSTER_SERVER),
                           client = ezb_zcl_basic_create_cluster_desc(NULL, EZB_ZCL_CLUSTER_CLIENT),
                           second = ezb_zcl_basic_create_cluster_desc(NULL, EZB_ZCL_CLUSTER_SERVER);
    assert_int_equal(ezb_af_endpoint_add_cluster_desc(ep, server), EZB_ERR_NONE);
    assert_int_equal(ezb_af_endpoint_add_cluster_desc(ep, client), EZB_ERR_NONE);
    assert_int_equal(ezb_af_endpoint_add_cluster_desc(ep, second), EZB_ERR_INV_ARG);
    assert_int_equal(ezb_af_endpoint_add_cluster_desc(other, server), EZB_ERR_INV_ARG);
    assert_ptr_equal(
        ezb_af_endpoint_get_cluster_desc(ep, EZB_ZCL_CLUSTER_ID_BASIC, EZB_ZCL_CLUSTER_CLIENT),
        client);
    assert_int_equal(ezb_zcl_cluster_desc_get_role(client), EZB_ZCL_CLUSTER_CLIENT);
    assert_int_equal(ezb_zcl_cluster_desc_get_id(NULL), 0xffff);
    ezb_zcl_free_cluster_desc(second);
    ezb_af_free_endpoint_desc(other);
    ezb_af_free_endpoint_desc(ep);
}

static void roles_are_server_or_client(void **state)
{
    assert_null(ezb_zcl_basic_create_cluster_desc(NULL, 3));
    assert_null(ezb_zcl_ota_upgrade_create_cluster_desc(NULL, 0));
}

static void attributes_are_of_their_cluster_and_there_once(void **state)
{
    ezb_zcl_cluster_desc_t basic = ezb_zcl_basic_create_cluster_desc(NULL, EZB_ZCL_CLUSTER_SERVER);
    const struct ezb_cluster *c = basic;
    assert_int_equal(ezb_zcl_basic_cluster_desc_add_attr(
                         basic, EZB_ZCL_ATTR_BASIC_MANUFACTURER_NAME_ID, "\x02hi"),
                     EZB_ERR_NONE);
    const esp_zb_attribute_list_t *name =
        zb_list_find(c->attributes, EZB_ZCL_ATTR_BASIC_MANUFACTURER_NAME_ID);
    assert_memory_equal(name->attribute.data_p, "\x02hi", 3);
    assert_int_equal(ezb_zcl_basic_cluster_desc_add_attr(
                         basic, EZB_ZCL_ATTR_BASIC_MANUFACTURER_NAME_ID, "\x02hi"),
                     EZB_ERR_INV_ARG);
    assert_int_equal(ezb_zcl_basic_cluster_desc_add_attr(basic, 0x7777, "\x02hi"), EZB_ERR_INV_ARG);
    assert_int_equal(ezb_zcl_identify_cluster_desc_add_attr(basic, 0, "\x02hi"), EZB_ERR_INV_ARG);
    ezb_zcl_free_cluster_desc(basic);
}

static void endpoints_are_1_to_240_and_there_once(void **state)
{
    ezb_af_device_desc_t device = ezb_af_create_device_desc();
    ezb_af_ep_desc_t wrong[] = {endpoint(0), endpoint(241), endpoint(5)};
    assert_int_equal(ezb_af_device_add_endpoint_desc(device, endpoint(5)), EZB_ERR_NONE);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(ezb_af_device_add_endpoint_desc(device, wrong[i]), EZB_ERR_INV_ARG);
        ezb_af_free_endpoint_desc(wrong[i]);
    }
    ezb_af_free_device_desc(device);
}

/* ---- The device of the tests below ---- */

static int register_device(void **state)
{
    esp_zigbee_config_t config = {
        .device_config = {.device_type = EZB_NWK_DEVICE_TYPE_ROUTER,
                          .zczr_config = {.max_children = 7}},
        .platform_config.storage_partition_name = "elsewhere",
    };
    const ezb_zcl_ota_upgrade_cluster_client_config_t client = {.manufacturer_id = 0x131b,
                                                                .image_type_id = 0x0203};
    const ezb_zcl_ota_upgrade_cluster_server_config_t server = {.ota_upgrade_file_table_size = 2};
    uint32_t version = 0x01020304;
    ezb_extaddr_t ext = {.u64 = 0x744dbdfffe60aa02};
    test_board_new();
    ezb_set_extended_address(&ext);
    if (esp_zigbee_init(&config)) return -1;
    ezb_af_device_desc_t device = ezb_af_create_device_desc();
    ezb_af_ep_desc_t one = endpoint(CLIENT_EP), other = endpoint(SERVER_EP);
    ezb_zcl_cluster_desc_t c =
        ezb_zcl_ota_upgrade_create_cluster_desc(&client, EZB_ZCL_CLUSTER_CLIENT);
    ezb_zcl_ota_upgrade_cluster_desc_add_attr(c, EZB_ZCL_ATTR_OTA_UPGRADE_CURRENT_FILE_VERSION_ID,
                                              &version);
    ezb_af_endpoint_add_cluster_desc(one, c);
    ezb_af_endpoint_add_cluster_desc(
        one, ezb_zcl_basic_create_cluster_desc(NULL, EZB_ZCL_CLUSTER_SERVER));
    ezb_af_endpoint_add_cluster_desc(
        other, ezb_zcl_ota_upgrade_create_cluster_desc(&server, EZB_ZCL_CLUSTER_SERVER));
    ezb_af_device_add_endpoint_desc(device, one);
    ezb_af_device_add_endpoint_desc(device, other);
    return ezb_af_device_desc_register(device);
}

static void the_configuration_reaches_the_stack(void **state)
{
    assert_int_equal(zb_stack.cfg.esp_zb_role, ESP_ZB_DEVICE_TYPE_ROUTER);
    assert_int_equal(zb_stack.cfg.nwk_cfg.zczr_cfg.max_children, 7);
    assert_string_equal(zb_stack.storage, "elsewhere");
    assert_int_equal(zb_stack.ext, 0x744dbdfffe60aa02);
    assert_int_equal(ezb_nwk_get_device_type(), EZB_NWK_DEVICE_TYPE_ROUTER);
    assert_int_equal(ezb_bdb_set_primary_channel_set(0), EZB_ERR_INV_ARG);
    assert_int_equal(ezb_bdb_set_primary_channel_set(1u << 13), EZB_ERR_NONE);
    assert_int_equal(ezb_bdb_get_primary_channel_set(), 1u << 13);
}

static void a_device_is_registered_once(void **state)
{
    ezb_af_device_desc_t second = ezb_af_create_device_desc();
    assert_int_equal(ezb_af_device_desc_register(second), EZB_ERR_INV_STATE);
    ezb_af_free_device_desc(second);
    assert_int_equal(ezb_af_device_desc_register(NULL), EZB_ERR_INV_ARG);
    assert_non_null(ezb_zcl_get_cluster_desc(CLIENT_EP, EZB_ZCL_CLUSTER_ID_OTA_UPGRADE,
                                             EZB_ZCL_CLUSTER_CLIENT));
    assert_null(ezb_af_get_ep_desc(77));
}

static void the_client_goes_by_what_was_set(void **state)
{
    const struct al_zota_client_config *c = ezb_ota_client_config(CLIENT_EP);
    assert_non_null(c);
    assert_int_equal(c->manufacturer, 0x131b);
    assert_int_equal(c->image_type, 0x0203);
    assert_int_equal(c->file_version, 0x01020304);
    assert_int_equal(c->max_data_size, 48);
    assert_int_equal(ezb_zcl_ota_upgrade_set_download_block_size(CLIENT_EP, 0), EZB_ERR_INV_ARG);
    assert_int_equal(ezb_zcl_ota_upgrade_set_download_block_size(CLIENT_EP, 255), EZB_ERR_INV_ARG);
    assert_int_equal(ezb_zcl_ota_upgrade_set_download_block_size(CLIENT_EP, 223), EZB_ERR_NONE);
    assert_int_equal(ezb_zcl_ota_upgrade_set_hw_version(CLIENT_EP, 0x0101), EZB_ERR_NONE);
    assert_int_equal(ezb_zcl_ota_upgrade_set_download_retry(CLIENT_EP, 2, 0), EZB_ERR_INV_ARG);
    assert_int_equal(ezb_zcl_ota_upgrade_set_download_retry(CLIENT_EP, 2, 700), EZB_ERR_NONE);
    assert_int_equal(c->max_data_size, 223);
    assert_true(c->has_hardware_version);
    assert_int_equal(c->hardware_version, 0x0101);
    assert_int_equal(c->block_retries, 2);
    assert_int_equal(c->block_timeout, 700);
    ezb_zcl_ota_upgrade_set_hw_version(CLIENT_EP, 0);
    assert_false(c->has_hardware_version);
}

static void settings_of_another_endpoint_are_refused(void **state)
{
    assert_int_equal(ezb_zcl_ota_upgrade_set_download_block_size(SERVER_EP, 50), EZB_ERR_NOT_FOUND);
    assert_int_equal(ezb_zcl_ota_upgrade_set_hw_version(0, 1), EZB_ERR_NOT_FOUND);
    assert_int_equal(ezb_zcl_ota_upgrade_set_download_retry(9, 1, 1), EZB_ERR_NOT_FOUND);
}

static void the_version_may_be_told_later(void **state)
{
    uint32_t version = 0x55667788;
    assert_int_equal(ezb_zcl_set_attr_value(CLIENT_EP, EZB_ZCL_CLUSTER_ID_OTA_UPGRADE,
                                            EZB_ZCL_CLUSTER_CLIENT,
                                            EZB_ZCL_ATTR_OTA_UPGRADE_CURRENT_FILE_VERSION_ID,
                                            EZB_ZCL_STD_MANUF_CODE, &version, true),
                     EZB_ZCL_STATUS_READ_ONLY);
    assert_int_equal(ezb_zcl_set_attr_value(CLIENT_EP, EZB_ZCL_CLUSTER_ID_OTA_UPGRADE,
                                            EZB_ZCL_CLUSTER_CLIENT,
                                            EZB_ZCL_ATTR_OTA_UPGRADE_CURRENT_FILE_VERSION_ID,
                                            EZB_ZCL_STD_MANUF_CODE, &version, false),
                     EZB_ZCL_STATUS_SUCCESS);
    assert_int_equal(ezb_ota_client_config(CLIENT_EP)->file_version, 0x55667788);
}

static void the_table_takes_whole_ota_files_only(void **state)
{
    uint32_t size;
    uint8_t *bytes =
        read_file("tests/vectors/zigbee-ota/files/131B-0001-10022001-ota-file.zigbee", &size);
    assert_null(ezb_zcl_ota_upgrade_add_ota_file(CLIENT_EP, bytes, size));
    assert_null(ezb_zcl_ota_upgrade_add_ota_file(SERVER_EP, NULL, size));
    assert_null(ezb_zcl_ota_upgrade_add_ota_file(SERVER_EP, bytes, size - 1));
    assert_null(ezb_zcl_ota_upgrade_add_ota_file(SERVER_EP, bytes + 4, size - 4));
    ezb_zcl_ota_file_handle_t one = ezb_zcl_ota_upgrade_add_ota_file(SERVER_EP, bytes, size),
                              two = ezb_zcl_ota_upgrade_add_ota_file(SERVER_EP, bytes, size);
    assert_non_null(one);
    assert_non_null(two);
    assert_null(ezb_zcl_ota_upgrade_add_ota_file(SERVER_EP, bytes, size)); /* full */
    ezb_zcl_ota_upgrade_remove_ota_file(SERVER_EP, one);
    ezb_zcl_ota_upgrade_remove_ota_file(SERVER_EP, NULL);
    assert_ptr_equal(ezb_zcl_ota_upgrade_add_ota_file(SERVER_EP, bytes, size), one);
    free(bytes);
}

static void commands_wait_for_the_start(void **state)
{
    ezb_zcl_ota_upgrade_image_notify_cmd_t notify = {
        .cmd_ctrl = {.dst_addr = EZB_ADDRESS_SHORT(0xfffd), .src_ep = SERVER_EP},
        .payload = {.query_jitter = 100}};
    ezb_zcl_ota_upgrade_query_next_image_req_cmd_t query = {.cmd_ctrl.src_ep = CLIENT_EP};
    assert_int_equal(ezb_zcl_ota_upgrade_image_notify_cmd_req(&notify), EZB_ERR_NOT_FOUND);
    assert_int_equal(ezb_zcl_ota_upgrade_query_next_image_cmd_req(&query), EZB_ERR_NOT_FOUND);
    assert_int_equal(ezb_bdb_start_top_level_commissioning(EZB_BDB_MODE_INITIALIZATION),
                     EZB_ERR_INV_STATE);
    assert_int_equal(esp_zigbee_launch_mainloop(), ESP_ERR_INVALID_STATE);
}

static void modes_that_are_not_here_are_refused(void **state)
{
    assert_int_equal(ezb_bdb_start_top_level_commissioning(EZB_BDB_MODE_TOUCHLINK_TARGET),
                     EZB_ERR_NOT_SUPPORTED);
    assert_int_equal(ezb_bdb_start_top_level_commissioning(EZB_BDB_MODE_FINDING_N_BINDING),
                     EZB_ERR_NOT_SUPPORTED);
    assert_int_equal(ezb_bdb_start_top_level_commissioning(0), EZB_ERR_INV_ARG);
    assert_int_equal(ezb_bdb_start_top_level_commissioning(0x40), EZB_ERR_INV_ARG);
}

static void errors_go_both_ways(void **state)
{
    const esp_err_t all[] = {ESP_OK,
                             ESP_FAIL,
                             ESP_ERR_NO_MEM,
                             ESP_ERR_INVALID_ARG,
                             ESP_ERR_INVALID_STATE,
                             ESP_ERR_INVALID_SIZE,
                             ESP_ERR_NOT_FOUND,
                             ESP_ERR_NOT_SUPPORTED,
                             ESP_ERR_TIMEOUT};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_int_equal(esp_zigbee_err_to_esp(ezb_err_of(all[i])), all[i]);
    assert_int_equal(esp_zigbee_err_to_esp(EZB_ERR_NOT_FINISHED), ESP_ERR_NOT_FINISHED);
    assert_int_equal(esp_zigbee_err_to_esp(EZB_ERR_BUSY), ESP_FAIL);
}

int main(void)
{
    const struct CMUnitTest before[] = {
        cmocka_unit_test(each_side_of_a_cluster_is_there_once),
        cmocka_unit_test(roles_are_server_or_client),
        cmocka_unit_test(attributes_are_of_their_cluster_and_there_once),
        cmocka_unit_test(endpoints_are_1_to_240_and_there_once),
        cmocka_unit_test(errors_go_both_ways),
    };
    const struct CMUnitTest device[] = {
        cmocka_unit_test(the_configuration_reaches_the_stack),
        cmocka_unit_test(a_device_is_registered_once),
        cmocka_unit_test(the_client_goes_by_what_was_set),
        cmocka_unit_test(settings_of_another_endpoint_are_refused),
        cmocka_unit_test(the_version_may_be_told_later),
        cmocka_unit_test(the_table_takes_whole_ota_files_only),
        cmocka_unit_test(commands_wait_for_the_start),
        cmocka_unit_test(modes_that_are_not_here_are_refused),
    };
    int failed = cmocka_run_group_tests(before, NULL, NULL);
    return failed + cmocka_run_group_tests(device, register_device, NULL);
}
