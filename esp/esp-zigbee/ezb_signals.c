/* API 2.x: ways into a network, and the signals that tell how they ended. Underneath they are
 * those of 1.x. */
#include <stdlib.h>

#include "esp/esp-zigbee/ezb.h"

struct signal {
    ezb_app_signal_type_t type;
    union {
        ezb_zdo_signal_leave_params_t leave;
        ezb_zdo_signal_leave_indication_params_t left;
        ezb_zdo_signal_device_annce_params_t annce;
        ezb_zdo_signal_device_update_params_t update;
        ezb_zdo_signal_device_authorized_params_t authorized;
        ezb_zdo_signal_device_unavailable_params_t unavailable;
        ezb_bdb_signal_simple_params_t bdb;
        ezb_nwk_signal_permit_join_status_params_t permit;
        ezb_nwk_signal_network_status_params_t network;
    } params;
};

/* Those that are not here (production configuration, sleep, association) are not told. */
static const struct {
    esp_zb_app_signal_type_t v1;
    ezb_app_signal_type_t v2;
} pairs[] = {
    {ESP_ZB_ZDO_SIGNAL_DEFAULT_START, EZB_ZDO_SIGNAL_DEFAULT_START},
    {ESP_ZB_ZDO_SIGNAL_SKIP_STARTUP, EZB_ZDO_SIGNAL_SKIP_STARTUP},
    {ESP_ZB_ZDO_SIGNAL_ERROR, EZB_ZDO_SIGNAL_ERROR},
    {ESP_ZB_ZDO_SIGNAL_LEAVE, EZB_ZDO_SIGNAL_LEAVE},
    {ESP_ZB_ZDO_SIGNAL_LEAVE_INDICATION, EZB_ZDO_SIGNAL_LEAVE_INDICATION},
    {ESP_ZB_ZDO_SIGNAL_DEVICE_ANNCE, EZB_ZDO_SIGNAL_DEVICE_ANNCE},
    {ESP_ZB_ZDO_DEVICE_UNAVAILABLE, EZB_ZDO_SIGNAL_DEVICE_UNAVAILABLE},
    {ESP_ZB_ZDO_SIGNAL_DEVICE_UPDATE, EZB_ZDO_SIGNAL_DEVICE_UPDATE},
    {ESP_ZB_ZDO_SIGNAL_DEVICE_AUTHORIZED, EZB_ZDO_SIGNAL_DEVICE_AUTHORIZED},
    {ESP_ZB_BDB_SIGNAL_DEVICE_FIRST_START, EZB_BDB_SIGNAL_DEVICE_FIRST_START},
    {ESP_ZB_BDB_SIGNAL_DEVICE_REBOOT, EZB_BDB_SIGNAL_DEVICE_REBOOT},
    {ESP_ZB_BDB_SIGNAL_STEERING, EZB_BDB_SIGNAL_STEERING},
    {ESP_ZB_BDB_SIGNAL_FORMATION, EZB_BDB_SIGNAL_FORMATION},
    {ESP_ZB_NWK_SIGNAL_NO_ACTIVE_LINKS_LEFT, EZB_NWK_SIGNAL_NO_ACTIVE_LINKS_LEFT},
    {ESP_ZB_NWK_SIGNAL_PANID_CONFLICT_DETECTED, EZB_NWK_SIGNAL_PANID_CONFLICT_DETECTED},
    {ESP_ZB_NLME_STATUS_INDICATION, EZB_NWK_SIGNAL_NETWORK_STATUS},
    {ESP_ZB_NWK_SIGNAL_PERMIT_JOIN_STATUS, EZB_NWK_SIGNAL_PERMIT_JOIN_STATUS},
};

static uint8_t last_status; /* ezb_bdb_comm_status_t */
static bool open;           /* the network, as far as the application knows */

/* ---- Handlers ---- */

struct handler {
    ezb_app_signal_handler_t fn;
    struct handler *next;
};
static struct handler *handlers;

ezb_err_t ezb_app_signal_add_handler(ezb_app_signal_handler_t handler)
{
    struct handler **at = &handlers;
    if (!handler) return EZB_ERR_INV_ARG;
    for (; *at; at = &(*at)->next)
        if ((*at)->fn == handler) return EZB_ERR_NONE;
    *at = calloc(1, sizeof **at);
    if (!*at) return EZB_ERR_NO_MEM;
    (*at)->fn = handler;
    return EZB_ERR_NONE;
}

void ezb_app_signal_remove_handler(ezb_app_signal_handler_t handler)
{
    struct handler **at = &handlers;
    while (*at && (*at)->fn != handler) at = &(*at)->next;
    struct handler *h = *at;
    if (!h) return;
    *at = h->next;
    free(h);
}

static const struct signal *signal_of(const ezb_app_signal_t *signal)
{
    return (const struct signal *)(const void *)signal;
}

const void *ezb_app_signal_get_params(const ezb_app_signal_t *signal)
{
    return &signal_of(signal)->params;
}

ezb_app_signal_type_t ezb_app_signal_get_type(const ezb_app_signal_t *signal)
{
    return signal_of(signal)->type;
}

const char *ezb_app_signal_to_string(ezb_app_signal_type_t signal)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].v2 == signal) return esp_zb_zdo_signal_to_string(pairs[i].v1);
    return "UNKNOWN SIGNAL";
}

static void tell(const struct signal *s)
{
    for (struct handler *h = handlers, *next; h; h = next) {
        next = h->next; /* it may remove itself */
        if (h->fn((const ezb_app_signal_t *)(const void *)s)) return;
    }
}

/* ---- Translating ---- */

static uint8_t status_of(ezb_app_signal_type_t type, esp_err_t err)
{
    if (err == ESP_OK) return EZB_BDB_STATUS_SUCCESS;
    if (type == EZB_BDB_SIGNAL_FORMATION) return EZB_BDB_STATUS_FORMATION_FAILURE;
    return zb_stack_node()->bdb.last == AL_ZB_SECURITY ? EZB_BDB_STATUS_TCLK_EX_FAILURE
                                                       : EZB_BDB_STATUS_NO_NETWORK;
}

static void fill(struct signal *s, const void *from, esp_err_t status)
{
    const esp_zb_zdo_signal_leave_params_t *leave = from;
    const esp_zb_zdo_signal_leave_indication_params_t *left = from;
    const esp_zb_zdo_signal_device_annce_params_t *annce = from;
    const esp_zb_zdo_signal_device_update_params_t *update = from;
    const esp_zb_zdo_signal_device_authorized_params_t *authorized = from;
    const esp_zb_zdo_device_unavailable_params_t *unavailable = from;
    const esp_zb_zdo_signal_nwk_status_indication_params_t *network = from;
    switch (s->type) {
    case EZB_ZDO_SIGNAL_LEAVE:
        s->params.leave.leave_type = leave->leave_type;
        return;
    case EZB_ZDO_SIGNAL_LEAVE_INDICATION:
        s->params.left = (ezb_zdo_signal_leave_indication_params_t){
            left->short_addr, {.u64 = zb_ext(left->device_addr)}, left->rejoin};
        return;
    case EZB_ZDO_SIGNAL_DEVICE_ANNCE:
        s->params.annce = (ezb_zdo_signal_device_annce_params_t){
            annce->device_short_addr, {.u64 = zb_ext(annce->ieee_addr)}, annce->capability};
        return;
    case EZB_ZDO_SIGNAL_DEVICE_UPDATE:
        s->params.update =
            (ezb_zdo_signal_device_update_params_t){{.u64 = zb_ext(update->long_addr)},
                                                    update->short_addr,
                                                    update->status,
                                                    update->tc_action,
                                                    update->parent_short};
        return;
    case EZB_ZDO_SIGNAL_DEVICE_AUTHORIZED:
        s->params.authorized =
            (ezb_zdo_signal_device_authorized_params_t){{.u64 = zb_ext(authorized->long_addr)},
                                                        authorized->short_addr,
                                                        authorized->authorization_type,
                                                        authorized->authorization_status};
        return;
    case EZB_ZDO_SIGNAL_DEVICE_UNAVAILABLE:
        s->params.unavailable = (ezb_zdo_signal_device_unavailable_params_t){
            {.u64 = zb_ext(unavailable->long_addr)}, unavailable->short_addr};
        return;
    case EZB_NWK_SIGNAL_NETWORK_STATUS:
        s->params.network = (ezb_nwk_signal_network_status_params_t){
            network->status, network->network_addr, network->unknown_command_id};
        return;
    case EZB_NWK_SIGNAL_PERMIT_JOIN_STATUS:
        s->params.permit.duration = *(const uint8_t *)from;
        return;
    default:
        s->params.bdb.status = status_of(s->type, status);
    }
}

/* 1.x says also that a network that has just been formed is closed. */
static bool says_nothing_new(const struct signal *s)
{
    if (s->type != EZB_NWK_SIGNAL_PERMIT_JOIN_STATUS) return false;
    bool was_open = open;
    open = s->params.permit.duration > 0;
    return !open && !was_open;
}

void ezb_signal_forward(esp_zb_app_signal_t *v1)
{
    struct signal s = {0};
    size_t i = 0;
    while (i < sizeof pairs / sizeof *pairs && pairs[i].v1 != *v1->p_app_signal) i++;
    if (i == sizeof pairs / sizeof *pairs) return;
    s.type = pairs[i].v2;
    fill(&s, esp_zb_app_signal_get_params(v1->p_app_signal), v1->esp_err_status);
    if (s.type >> 8 == EZB_APP_SIGNAL_GROUP_BDB) last_status = s.params.bdb.status;
    if (esp_zb_bdb_dev_joined()) ezb_ota_client_start();
    if (!says_nothing_new(&s)) tell(&s);
}

/* ---- Commissioning ---- */

ezb_err_t ezb_bdb_start_top_level_commissioning(ezb_bdb_comm_mode_mask_t mode_mask)
{
    const uint8_t known = EZB_BDB_MODE_INITIALIZATION | EZB_BDB_MODE_NETWORK_STEERING |
                          EZB_BDB_MODE_NETWORK_FORMATION;
    const uint8_t others = EZB_BDB_MODE_TOUCHLINK_INITIATOR | EZB_BDB_MODE_TOUCHLINK_TARGET |
                           EZB_BDB_MODE_FINDING_N_BINDING;
    uint8_t v1 = ESP_ZB_BDB_MODE_INITIALIZATION;
    if (mode_mask & others) return EZB_ERR_NOT_SUPPORTED;
    if (!mode_mask || mode_mask & ~known) return EZB_ERR_INV_ARG;
    if (mode_mask & EZB_BDB_MODE_NETWORK_STEERING) v1 |= ESP_ZB_BDB_MODE_NETWORK_STEERING;
    if (mode_mask & EZB_BDB_MODE_NETWORK_FORMATION) v1 |= ESP_ZB_BDB_MODE_NETWORK_FORMATION;
    ezb_err_t err = ezb_err_of(esp_zb_bdb_start_top_level_commissioning(v1));
    if (!err) last_status = EZB_BDB_STATUS_IN_PROGRESS;
    return err;
}

ezb_bdb_comm_status_t ezb_bdb_get_commissioning_status(void)
{
    return last_status;
}

ezb_err_t ezb_bdb_set_primary_channel_set(uint32_t channel_mask)
{
    return ezb_err_of(esp_zb_set_primary_network_channel_set(channel_mask));
}

uint32_t ezb_bdb_get_primary_channel_set(void)
{
    return esp_zb_get_primary_network_channel_set();
}

ezb_err_t ezb_bdb_set_secondary_channel_set(uint32_t channel_mask)
{
    return ezb_err_of(esp_zb_set_secondary_network_channel_set(channel_mask));
}

uint32_t ezb_bdb_get_secondary_channel_set(void)
{
    return esp_zb_get_secondary_network_channel_set();
}

void ezb_bdb_set_scan_duration(uint8_t duration)
{
    esp_zb_bdb_set_scan_duration(duration);
}

uint8_t ezb_bdb_get_scan_duration(void)
{
    return esp_zb_bdb_get_scan_duration();
}

bool ezb_bdb_dev_joined(void)
{
    return esp_zb_bdb_dev_joined();
}

bool ezb_bdb_is_factory_new(void)
{
    return esp_zb_bdb_is_factory_new();
}

ezb_err_t ezb_bdb_open_network(uint8_t permit_duration)
{
    return ezb_err_of(esp_zb_bdb_open_network(permit_duration));
}

ezb_err_t ezb_bdb_close_network(void)
{
    return ezb_err_of(esp_zb_bdb_close_network());
}

void ezb_bdb_reset_via_local_action(void)
{
    esp_zb_bdb_reset_via_local_action();
}
