/* Signals to the application: in the order in which they were raised, from the loop. */
#include <stdlib.h>

#include "esp/esp-zigbee/stack.h"

struct signal {
    struct signal *next;
    esp_err_t status;
    struct { /* p_app_signal leads here */
        uint32_t word;
        uint8_t params[ZB_SIGNAL_PARAMS];
    } body;
};

static struct signal *first;
static bool dispatching;

static const char *const names[] = {
    [ESP_ZB_ZDO_SIGNAL_DEFAULT_START] = "ZDO Start Up",
    [ESP_ZB_ZDO_SIGNAL_SKIP_STARTUP] = "ZDO Skip Start Up",
    [ESP_ZB_ZDO_SIGNAL_DEVICE_ANNCE] = "ZDO Device Announce",
    [ESP_ZB_ZDO_SIGNAL_LEAVE] = "ZDO Leave",
    [ESP_ZB_ZDO_SIGNAL_ERROR] = "ZDO Error",
    [ESP_ZB_BDB_SIGNAL_DEVICE_FIRST_START] = "BDB Device Start",
    [ESP_ZB_BDB_SIGNAL_DEVICE_REBOOT] = "BDB Device Reboot",
    [ESP_ZB_BDB_SIGNAL_TOUCHLINK_NWK_STARTED] = "BDB Network Started",
    [ESP_ZB_BDB_SIGNAL_TOUCHLINK_NWK_JOINED_ROUTER] = "BDB Network Joined Router",
    [ESP_ZB_BDB_SIGNAL_TOUCHLINK] = "BDB Touchlink",
    [ESP_ZB_BDB_SIGNAL_STEERING] = "BDB Steering",
    [ESP_ZB_BDB_SIGNAL_FORMATION] = "BDB Formation",
    [ESP_ZB_BDB_SIGNAL_FINDING_AND_BINDING_TARGET_FINISHED] = "BDB Binding Target Finished",
    [ESP_ZB_BDB_SIGNAL_FINDING_AND_BINDING_INITIATOR_FINISHED] = "BDB Binding Initiator Finished",
    [ESP_ZB_BDB_SIGNAL_TOUCHLINK_TARGET] = "BDB Touchlink Target",
    [ESP_ZB_BDB_SIGNAL_TOUCHLINK_NWK] = "BDB Touchlink Network",
    [ESP_ZB_BDB_SIGNAL_TOUCHLINK_TARGET_FINISHED] = "BDB Touchlink Target Finished",
    [ESP_ZB_NWK_SIGNAL_DEVICE_ASSOCIATED] = "NWK Device Associated",
    [ESP_ZB_ZDO_SIGNAL_LEAVE_INDICATION] = "ZDO Leave Indication",
    [ESP_ZB_ZGP_SIGNAL_COMMISSIONING] = "ZGP Commissioning",
    [ESP_ZB_COMMON_SIGNAL_CAN_SLEEP] = "Can Sleep",
    [ESP_ZB_ZDO_SIGNAL_PRODUCTION_CONFIG_READY] = "ZDO Config Ready",
    [ESP_ZB_NWK_SIGNAL_NO_ACTIVE_LINKS_LEFT] = "NWK No Active Links Left",
    [ESP_ZB_ZDO_SIGNAL_DEVICE_AUTHORIZED] = "ZDO Device Authorized",
    [ESP_ZB_ZDO_SIGNAL_DEVICE_UPDATE] = "ZDO Device Update",
    [ESP_ZB_NWK_SIGNAL_PANID_CONFLICT_DETECTED] = "NWK PANID Conflict",
    [ESP_ZB_NLME_STATUS_INDICATION] = "NLME Status Indication",
    [ESP_ZB_BDB_SIGNAL_TC_REJOIN_DONE] = "TC Rejoin Done",
    [ESP_ZB_NWK_SIGNAL_PERMIT_JOIN_STATUS] = "NWK Permit Join",
    [ESP_ZB_BDB_SIGNAL_STEERING_CANCELLED] = "BDB Steering Cancelled",
    [ESP_ZB_BDB_SIGNAL_FORMATION_CANCELLED] = "BDB Formation Cancelled",
    [ESP_ZB_ZGP_SIGNAL_MODE_CHANGE] = "ZGP Mode Change",
    [ESP_ZB_ZDO_DEVICE_UNAVAILABLE] = "ZDO Device Unavailable",
    [ESP_ZB_ZGP_SIGNAL_APPROVE_COMMISSIONING] = "ZGP Approve Commissioning",
};

const char *esp_zb_zdo_signal_to_string(esp_zb_app_signal_type_t signal)
{
    bool known = (size_t)signal < sizeof names / sizeof *names && names[signal];
    return known ? names[signal] : "UNKNOWN SIGNAL";
}

void *esp_zb_app_signal_get_params(uint32_t *signal_p)
{
    return signal_p ? signal_p + 1 : NULL;
}

void zb_signal_raise(esp_zb_app_signal_type_t signal, esp_err_t status, const void *params,
                     size_t len)
{
    struct signal **at = &first, *s = calloc(1, sizeof *s);
    if (!s) esp_system_abort("no memory for a Zigbee signal");
    s->status = status;
    s->body.word = signal;
    if (len) memcpy(s->body.params, params, len);
    while (*at) at = &(*at)->next;
    *at = s;
}

bool zb_signal_waiting(void)
{
    return first;
}

void zb_signal_dispatch(void)
{
    if (dispatching) return; /* the application runs the loop from inside a signal */
    dispatching = true;
    while (first) {
        struct signal *s = first;
        first = s->next;
        esp_zb_app_signal_t told = {.p_app_signal = &s->body.word, .esp_err_status = s->status};
        zb_stack.signal(&told);
        free(s);
    }
    dispatching = false;
}
