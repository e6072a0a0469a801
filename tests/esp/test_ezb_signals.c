/* Signals of 1.x become those of 2.x. */
#include "esp/esp-zigbee/ezb.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { LONGEST = sizeof(ezb_zdo_signal_device_update_params_t) }; /* of all parameters */

static struct {
    unsigned calls;
    ezb_app_signal_type_t type;
    uint8_t params[LONGEST];
} heard;

static bool listen(const ezb_app_signal_t *signal)
{
    heard.calls++;
    heard.type = ezb_app_signal_get_type(signal);
    memcpy(heard.params, ezb_app_signal_get_params(signal), LONGEST);
    return true;
}

static unsigned passed_on;
static bool pass_on(const ezb_app_signal_t *signal)
{
    passed_on++;
    return false;
}

static void raise_v1(uint32_t signal, esp_err_t status, const void *params, size_t len)
{
    struct {
        uint32_t word;
        uint8_t params[ZB_SIGNAL_PARAMS];
    } body = {.word = signal};
    esp_zb_app_signal_t s = {&body.word, status};
    if (len) memcpy(body.params, params, len);
    heard.calls = 0;
    ezb_signal_forward(&s);
}

static int setup(void **state)
{
    return ezb_app_signal_add_handler(listen);
}

static void a_new_device_is_told_with_its_address(void **state)
{
    const esp_zb_zdo_signal_device_annce_params_t v1 = {
        0x1234, {0x02, 0xaa, 0x60, 0xfe, 0xff, 0xbd, 0x4d, 0x74}, 0x8e};
    ezb_zdo_signal_device_annce_params_t v2;
    raise_v1(ESP_ZB_ZDO_SIGNAL_DEVICE_ANNCE, ESP_OK, &v1, sizeof v1);
    memcpy(&v2, heard.params, sizeof v2);
    assert_int_equal(heard.type, EZB_ZDO_SIGNAL_DEVICE_ANNCE);
    assert_int_equal(v2.short_addr, 0x1234);
    assert_int_equal(v2.device_addr.u64, 0x744dbdfffe60aa02);
    assert_int_equal(v2.capability, 0x8e);
}

static void update_and_authorization_keep_their_fields(void **state)
{
    const esp_zb_zdo_signal_device_update_params_t update = {{1}, 0x2345, 3, 1, 0x0001};
    const esp_zb_zdo_signal_device_authorized_params_t authorized = {{2}, 0x3456, 1, 2};
    ezb_zdo_signal_device_update_params_t u;
    ezb_zdo_signal_device_authorized_params_t a;
    raise_v1(ESP_ZB_ZDO_SIGNAL_DEVICE_UPDATE, ESP_OK, &update, sizeof update);
    memcpy(&u, heard.params, sizeof u);
    assert_int_equal(heard.type, 0x0007);
    assert_int_equal(u.device_addr.u64, 1);
    assert_int_equal(u.short_addr, 0x2345);
    assert_int_equal(u.status, EZB_ZDO_UPDDEV_TC_REJOIN);
    assert_int_equal(u.tc_action, EZB_ZDO_TC_ACTION_DENY);
    assert_int_equal(u.parent_short, 1);
    raise_v1(ESP_ZB_ZDO_SIGNAL_DEVICE_AUTHORIZED, ESP_OK, &authorized, sizeof authorized);
    memcpy(&a, heard.params, sizeof a);
    assert_int_equal(heard.type, 0x0008);
    assert_int_equal(a.short_addr, 0x3456);
    assert_int_equal(a.type, EZB_ZDO_AUTH_TYPE_TCLK);
    assert_int_equal(a.status, EZB_ZDO_AUTH_STATUS_FAILED);
}

static void failures_get_their_reason(void **state)
{
    raise_v1(ESP_ZB_BDB_SIGNAL_FORMATION, ESP_FAIL, NULL, 0);
    assert_int_equal(heard.type, EZB_BDB_SIGNAL_FORMATION);
    assert_int_equal(heard.params[0], EZB_BDB_STATUS_FORMATION_FAILURE);
    zb_stack_node()->bdb.last = AL_ZB_NO_NETWORK;
    raise_v1(ESP_ZB_BDB_SIGNAL_STEERING, ESP_FAIL, NULL, 0);
    assert_int_equal(heard.params[0], EZB_BDB_STATUS_NO_NETWORK);
    zb_stack_node()->bdb.last = AL_ZB_SECURITY;
    raise_v1(ESP_ZB_BDB_SIGNAL_STEERING, ESP_FAIL, NULL, 0);
    assert_int_equal(heard.params[0], EZB_BDB_STATUS_TCLK_EX_FAILURE);
    assert_int_equal(ezb_bdb_get_commissioning_status(), EZB_BDB_STATUS_TCLK_EX_FAILURE);
    raise_v1(ESP_ZB_BDB_SIGNAL_DEVICE_REBOOT, ESP_OK, NULL, 0);
    assert_int_equal(heard.params[0], EZB_BDB_STATUS_SUCCESS);
}

static void a_network_is_closed_only_after_it_was_open(void **state)
{
    const uint8_t closed = 0, open = 180;
    raise_v1(ESP_ZB_NWK_SIGNAL_PERMIT_JOIN_STATUS, ESP_OK, &closed, 1);
    assert_int_equal(heard.calls, 0);
    raise_v1(ESP_ZB_NWK_SIGNAL_PERMIT_JOIN_STATUS, ESP_OK, &open, 1);
    assert_int_equal(heard.calls, 1);
    assert_int_equal(heard.params[0], 180);
    raise_v1(ESP_ZB_NWK_SIGNAL_PERMIT_JOIN_STATUS, ESP_OK, &closed, 1);
    assert_int_equal(heard.calls, 1);
    assert_int_equal(heard.params[0], 0);
}

static void what_2_does_not_have_is_not_told(void **state)
{
    raise_v1(ESP_ZB_ZDO_SIGNAL_PRODUCTION_CONFIG_READY, ESP_FAIL, NULL, 0);
    assert_int_equal(heard.calls, 0);
    raise_v1(ESP_ZB_COMMON_SIGNAL_CAN_SLEEP, ESP_OK, NULL, 0);
    assert_int_equal(heard.calls, 0);
}

static void handlers_are_asked_in_turn_until_one_has_done_it(void **state)
{
    ezb_app_signal_remove_handler(listen);
    assert_int_equal(ezb_app_signal_add_handler(pass_on), EZB_ERR_NONE);
    assert_int_equal(ezb_app_signal_add_handler(listen), EZB_ERR_NONE);
    assert_int_equal(ezb_app_signal_add_handler(listen), EZB_ERR_NONE); /* is there */
    assert_int_equal(ezb_app_signal_add_handler(NULL), EZB_ERR_INV_ARG);
    raise_v1(ESP_ZB_ZDO_SIGNAL_SKIP_STARTUP, ESP_OK, NULL, 0);
    assert_int_equal(passed_on, 1);
    assert_int_equal(heard.calls, 1);
    ezb_app_signal_remove_handler(pass_on);
    raise_v1(ESP_ZB_ZDO_SIGNAL_SKIP_STARTUP, ESP_OK, NULL, 0);
    assert_int_equal(passed_on, 1);
    assert_int_equal(heard.calls, 1);
}

static void signals_have_the_vendors_names(void **state)
{
    assert_string_equal(ezb_app_signal_to_string(0x07), "ZDO Device Update");
    assert_string_equal(ezb_app_signal_to_string(0x08), "ZDO Device Authorized");
    assert_string_equal(ezb_app_signal_to_string(0x7777), "UNKNOWN SIGNAL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_device_is_told_with_its_address),
        cmocka_unit_test(update_and_authorization_keep_their_fields),
        cmocka_unit_test(failures_get_their_reason),
        cmocka_unit_test(a_network_is_closed_only_after_it_was_open),
        cmocka_unit_test(what_2_does_not_have_is_not_told),
        cmocka_unit_test(handlers_are_asked_in_turn_until_one_has_done_it),
        cmocka_unit_test(signals_have_the_vendors_names),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
