/* Ways into a network, and what the node tells of it, as the vendor's signals. */
#include "esp/esp-idf/idf_device.h"
#include "esp/esp-zigbee/stack.h"
#include "esp_log.h"

#define NEXT_MODES                                                                \
    (ESP_ZB_BDB_MODE_TOUCHLINK_COMMISSIONING | ESP_ZB_BDB_MODE_NETWORK_STEERING | \
     ESP_ZB_BDB_MODE_NETWORK_FORMATION | ESP_ZB_BDB_MODE_TOUCHLINK_TARGET)

enum { FORMED_IS_CLOSED = 0, SCAN_DEFAULT = 3, AUTHORISED_BY_KEY = 1 };

static bool autostart;  /* the outcome is a DEVICE_FIRST_START or DEVICE_REBOOT */
static bool steer_next; /* formation and steering were asked for together */

static void put_ext(uint8_t out[8], uint64_t ext)
{
    al_put_le64(out, ext);
}

static esp_err_t code(enum al_zb_status status)
{
    return status == AL_ZB_OK ? ESP_OK : ESP_FAIL;
}

static bool is_coordinator(void)
{
    return zb_stack.cfg.esp_zb_role == ESP_ZB_DEVICE_TYPE_COORDINATOR;
}

static esp_err_t form(void)
{
    return idf_err(al_bdb_form(&zb_stack_node()->bdb, zb_stack_now()));
}

static esp_err_t steer(void)
{
    return idf_err(al_bdb_steer(&zb_stack_node()->bdb, zb_stack_now()));
}

/* ---- Asked for by the application ---- */

esp_err_t esp_zb_bdb_start_top_level_commissioning(uint8_t mode_mask)
{
    if (!zb_stack.started) return ESP_ERR_INVALID_STATE;
    if (mode_mask & ~NEXT_MODES) return ESP_ERR_INVALID_ARG;
    if (mode_mask & (ESP_ZB_BDB_MODE_TOUCHLINK_COMMISSIONING | ESP_ZB_BDB_MODE_TOUCHLINK_TARGET))
        return ESP_ERR_NOT_SUPPORTED;
    if (mode_mask == ESP_ZB_BDB_MODE_INITIALIZATION)
        return idf_err(al_bdb_initialise(&zb_stack_node()->bdb, zb_stack_now()));
    if (mode_mask == ESP_ZB_BDB_MODE_NETWORK_STEERING) return steer();
    esp_err_t err = form();
    steer_next = err == ESP_OK && mode_mask & ESP_ZB_BDB_MODE_NETWORK_STEERING;
    return err;
}

void zb_commissioning_autostart(void)
{
    autostart = true;
    al_bdb_initialise(&zb_stack_node()->bdb, zb_stack_now());
}

bool esp_zb_bdb_is_factory_new(void)
{
    return !zb_stack.started || al_bdb_factory_new(&zb_stack_node()->bdb);
}

bool esp_zb_bdb_dev_joined(void)
{
    return zb_stack.started && al_bdb_is_member(&zb_stack_node()->bdb);
}

esp_err_t esp_zb_bdb_open_network(uint8_t permit_duration)
{
    if (!esp_zb_bdb_dev_joined()) return ESP_ERR_INVALID_STATE;
    return idf_err(al_bdb_open(&zb_stack_node()->bdb, zb_stack_now(), permit_duration));
}

esp_err_t esp_zb_bdb_close_network(void)
{
    return esp_zb_bdb_open_network(0);
}

uint8_t esp_zb_bdb_get_scan_duration(void)
{
    return zb_stack.scan_duration ? zb_stack.scan_duration : SCAN_DEFAULT;
}

void esp_zb_bdb_set_scan_duration(uint8_t duration)
{
    zb_stack.scan_duration = duration;
    if (zb_stack.started) zb_stack_node()->bdb.c.scan_duration = duration;
}

void esp_zb_bdb_reset_via_local_action(void)
{
    if (esp_zb_bdb_dev_joined()) al_bdb_leave(&zb_stack_node()->bdb, zb_stack_now());
}

/* ---- Told by the node ---- */

/* A member from now on: of its own accord, or back again. */
static void member(void)
{
    zb_ota_client_start();
}

static void initialised(enum al_zb_status status)
{
    if (status == AL_ZB_OK) member();
    if (status == AL_ZB_NOT_THERE && autostart) {
        if ((is_coordinator() ? form() : steer()) == ESP_OK) return;
        status = AL_ZB_RADIO;
    }
    autostart = false;
    if (status == AL_ZB_NOT_THERE)
        zb_signal_raise(ESP_ZB_BDB_SIGNAL_DEVICE_FIRST_START, ESP_OK, NULL, 0);
    else
        zb_signal_raise(ESP_ZB_BDB_SIGNAL_DEVICE_REBOOT, code(status), NULL, 0);
}

static void permit(uint32_t seconds)
{
    uint8_t duration = (uint8_t)seconds;
    zb_signal_raise(ESP_ZB_NWK_SIGNAL_PERMIT_JOIN_STATUS, ESP_OK, &duration, sizeof duration);
}

static void formed(enum al_zb_status status)
{
    if (status == AL_ZB_OK) {
        member();
        permit(FORMED_IS_CLOSED);
    }
    zb_signal_raise(autostart ? ESP_ZB_BDB_SIGNAL_DEVICE_FIRST_START : ESP_ZB_BDB_SIGNAL_FORMATION,
                    code(status), NULL, 0);
    if ((autostart || steer_next) && status == AL_ZB_OK) steer();
    autostart = steer_next = false;
}

static void steered(enum al_zb_status status)
{
    if (status == AL_ZB_OK) member();
    zb_signal_raise(autostart ? ESP_ZB_BDB_SIGNAL_DEVICE_FIRST_START : ESP_ZB_BDB_SIGNAL_STEERING,
                    code(status), NULL, 0);
    autostart = false;
}

static void device_came(const struct al_bdb_event_args *a)
{
    esp_zb_zdo_signal_device_update_params_t p = {
        .short_addr = a->addr, .status = (uint8_t)a->value, .parent_short = a->parent};
    put_ext(p.long_addr, a->ext);
    zb_signal_raise(ESP_ZB_ZDO_SIGNAL_DEVICE_UPDATE, ESP_OK, &p, sizeof p);
}

static void announced(const struct al_bdb_event_args *a)
{
    esp_zb_zdo_signal_device_annce_params_t p = {.device_short_addr = a->addr,
                                                 .capability = (uint8_t)a->value};
    put_ext(p.ieee_addr, a->ext);
    zb_signal_raise(ESP_ZB_ZDO_SIGNAL_DEVICE_ANNCE, ESP_OK, &p, sizeof p);
}

/* With its own link key, or not at all. */
static void authorised(const struct al_bdb_event_args *a)
{
    esp_zb_zdo_signal_device_authorized_params_t p = {.short_addr = a->addr,
                                                      .authorization_type = AUTHORISED_BY_KEY,
                                                      .authorization_status =
                                                          a->status == AL_ZB_OK        ? 0
                                                          : a->status == AL_ZB_TIMEOUT ? 1
                                                                                       : 2};
    put_ext(p.long_addr, a->ext);
    zb_signal_raise(ESP_ZB_ZDO_SIGNAL_DEVICE_AUTHORIZED, ESP_OK, &p, sizeof p);
}

static void device_left(const struct al_bdb_event_args *a)
{
    esp_zb_zdo_signal_leave_indication_params_t p = {.short_addr = a->addr,
                                                     .rejoin = (uint8_t)a->value};
    put_ext(p.device_addr, a->ext);
    zb_signal_raise(ESP_ZB_ZDO_SIGNAL_LEAVE_INDICATION, ESP_OK, &p, sizeof p);
}

static void unavailable(const struct al_bdb_event_args *a)
{
    esp_zb_zdo_device_unavailable_params_t p = {.short_addr = a->addr};
    put_ext(p.long_addr, a->ext);
    zb_signal_raise(ESP_ZB_ZDO_DEVICE_UNAVAILABLE, ESP_OK, &p, sizeof p);
}

static void others(const struct al_bdb_event_args *a)
{
    uint8_t ext[8];
    put_ext(ext, a->ext);
    switch (a->event) {
    case AL_BDB_ASSOCIATED:
        zb_signal_raise(ESP_ZB_NWK_SIGNAL_DEVICE_ASSOCIATED, ESP_OK, ext, sizeof ext);
        return;
    case AL_BDB_DEVICE:
        device_came(a);
        return;
    case AL_BDB_ANNOUNCED:
        announced(a);
        return;
    case AL_BDB_AUTHORISED:
        if (a->status != AL_ZB_OK) authorised(a);
        return;
    case AL_BDB_PROVED:
        authorised(a);
        return;
    case AL_BDB_DEVICE_LEFT:
        device_left(a);
        return;
    case AL_BDB_UNAVAILABLE:
        unavailable(a);
        return;
    default:
        return;
    }
}

static void status_indication(const struct al_bdb_event_args *a)
{
    esp_zb_zdo_signal_nwk_status_indication_params_t p = {.status = (uint8_t)a->value,
                                                          .network_addr = a->addr};
    zb_signal_raise(ESP_ZB_NLME_STATUS_INDICATION, ESP_OK, &p, sizeof p);
}

void zb_commissioning_event(void *ctx, uint64_t now, const struct al_bdb_event_args *a)
{
    uint8_t leave_type = a->value ? ESP_ZB_NWK_LEAVE_TYPE_REJOIN : ESP_ZB_NWK_LEAVE_TYPE_RESET;
    switch (a->event) {
    case AL_BDB_INITIALISED:
        initialised(a->status);
        return;
    case AL_BDB_FORMED:
        formed(a->status);
        return;
    case AL_BDB_STEERED:
        steered(a->status);
        return;
    case AL_BDB_PERMIT:
        permit(a->value);
        return;
    case AL_BDB_LEFT:
        zb_signal_raise(ESP_ZB_ZDO_SIGNAL_LEAVE, ESP_OK, &leave_type, sizeof leave_type);
        return;
    case AL_BDB_PARENT_LOST:
        zb_signal_raise(ESP_ZB_NWK_SIGNAL_NO_ACTIVE_LINKS_LEFT, ESP_OK, NULL, 0);
        return;
    case AL_BDB_REJOINED:
        if (a->status == AL_ZB_OK) member();
        zb_signal_raise(ESP_ZB_BDB_SIGNAL_DEVICE_REBOOT, code(a->status), NULL, 0);
        return;
    case AL_BDB_NWK_STATUS:
        status_indication(a);
        return;
    default:
        others(a);
    }
}
