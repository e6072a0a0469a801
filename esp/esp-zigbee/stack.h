/* The one node of this program, between the files of this folder. Everything here is used
 * with the lock held (lock.c) unless said otherwise. */
#ifndef ESP_ZIGBEE_STACK_H
#define ESP_ZIGBEE_STACK_H

#include "esp_zigbee_core.h"
#include "radio/radio.h"
#include "radio/zb_node.h"

#define ZB_TAG "esp_zigbee" /* of log lines that the application did not write */

struct zb_stack {
    bool initialised, started, autostart;
    esp_zb_cfg_t cfg;
    uint32_t primary, secondary; /* channel masks; secondary 0: none */
    uint16_t network_size, manufacturer, pan_id;
    uint8_t scan_duration; /* 0: default */
    uint64_t ext, epid;    /* ext 0: of the eFuse */
    bool rx_off, sleep, erase, require_exchange;
    uint32_t sleep_threshold; /* ms */
    esp_zb_ep_list_t *endpoints;
    esp_zb_core_action_callback_t action;
    void (*signal)(esp_zb_app_signal_t *s); /* who is told the signals */
    const char *storage;                    /* partition of its own; NULL: zb_storage */
    bool stop;                              /* the loop ends; any task may set it */
    struct zb_node zb;
    struct radio *radio;
};
extern struct zb_stack zb_stack;

/* What esp_zb_init() does once zb_stack.signal is known. */
void zb_stack_init(const esp_zb_cfg_t *cfg);
uint64_t zb_stack_now(void); /* the node's clock, us; 0: not started */
struct al_node *zb_stack_node(void);
/* The application's answer; without a handler ESP_ERR_NOT_FOUND. */
esp_err_t zb_stack_action(esp_zb_core_action_callback_id_t id, const void *message);
/* Something is due earlier than the loop knows. Any task, with or without the lock. */
void zb_stack_wake(void);

/* ---- lock.c ---- */

/* The loop keeps the lock while it waits for the radio, so that nobody touches that
 * meanwhile: whoever wants it wakes the loop, which then steps aside. */
void zb_lock_enter_loop(void);
void zb_lock_step_aside(void);

/* ---- scheduler.c ---- */

uint64_t zb_scheduler_next(void);
void zb_scheduler_run(void);
/* From the loop, soon: for what must not run inside a callback of the stack. */
bool zb_scheduler_post(esp_zb_user_callback_t fn, void *ctx, uint32_t ms);

/* ---- signals.c ---- */

#define ZB_SIGNAL_PARAMS 24u /* bytes */

/* Queued: the application hears of it from the loop, not from inside the stack. */
void zb_signal_raise(esp_zb_app_signal_type_t signal, esp_err_t status, const void *params,
                     size_t len);
bool zb_signal_waiting(void);
void zb_signal_dispatch(void);

/* ---- commissioning.c ---- */

void zb_commissioning_event(void *ctx, uint64_t now, const struct al_bdb_event_args *a);
void zb_commissioning_autostart(void);

/* ---- store.c ---- */

/* Opens (and with erase: empties) what the node keeps. NULL: no room for it in flash. */
const struct al_zb_store *zb_store_open(bool erase);
/* Empties it; the node must not run any more. */
void zb_store_erase(void);
/* Blobs of the layer's own: length, or AL_ERR_*. len 0 deletes. */
int zb_store_load_blob(const char *key, void *data, size_t size);
int zb_store_save_blob(const char *key, const void *data, size_t len);

/* ---- registry.c ---- */

/* Gives the lists to the node. */
esp_err_t zb_registry_build(void);
extern const struct al_zcl_up zb_registry_up;
/* NULL: not there. */
esp_zb_attribute_list_t *zb_list_find(esp_zb_attribute_list_t *list, uint16_t id);
size_t zb_value_size(uint8_t type, const void *value); /* octets; 0: of no fixed type */

/* ---- OTA ---- */

esp_err_t zb_ota_server_add(struct al_zcl_endpoint *e, esp_zb_attribute_list_t *list);
esp_err_t zb_ota_client_add(struct al_zcl_endpoint *e, esp_zb_attribute_list_t *list);
/* The network is there. */
void zb_ota_client_start(void);
/* Values of the list as they are now. */
void zb_ota_client_refresh(esp_zb_attribute_list_t *list);

static inline uint64_t zb_ext(const uint8_t address[8])
{
    return al_get_le64(address);
}

#endif
