/* Zigbee as the vendor's library 1.x offers it: one node a program, on the radio that
 * `airlift device run --radio R` names. Everything runs in the task that calls
 * esp_zb_stack_main_loop(): timers, radio, callbacks. Other tasks hold the lock while they
 * call in. docs/zigbee-api.md: what is there, and what is different. */
#pragma once

#include "bdb/esp_zigbee_bdb_commissioning.h"
#include "bdb/esp_zigbee_bdb_touchlink.h"
#include "esp_err.h"
#include "esp_zigbee_attribute.h"
#include "esp_zigbee_cluster.h"
#include "esp_zigbee_endpoint.h"
#include "esp_zigbee_ota.h"
#include "esp_zigbee_secur.h"
#include "esp_zigbee_trace.h"
#include "esp_zigbee_version.h"
#include "nwk/esp_zigbee_nwk.h"
#include "platform/esp_zigbee_platform.h"
#include "zb_vendor.h"
#include "zcl/esp_zigbee_zcl_core.h"
#include "zdo/esp_zigbee_zdo_command.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ZB_TRANSCEIVER_ALL_CHANNELS_MASK 0x07fff800u
#define ESP_ZB_SLEEP_MAXIMUM_THRESHOLD_MS    86400000u

typedef enum {
    ESP_ZB_ED_AGING_TIMEOUT_10SEC,
    ESP_ZB_ED_AGING_TIMEOUT_2MIN,
    ESP_ZB_ED_AGING_TIMEOUT_4MIN,
    ESP_ZB_ED_AGING_TIMEOUT_8MIN,
    ESP_ZB_ED_AGING_TIMEOUT_16MIN,
    ESP_ZB_ED_AGING_TIMEOUT_32MIN,
    ESP_ZB_ED_AGING_TIMEOUT_64MIN,
    ESP_ZB_ED_AGING_TIMEOUT_128MIN,
    ESP_ZB_ED_AGING_TIMEOUT_256MIN,
    ESP_ZB_ED_AGING_TIMEOUT_512MIN,
    ESP_ZB_ED_AGING_TIMEOUT_1024MIN,
    ESP_ZB_ED_AGING_TIMEOUT_2048MIN,
    ESP_ZB_ED_AGING_TIMEOUT_4096MIN,
    ESP_ZB_ED_AGING_TIMEOUT_8192MIN,
    ESP_ZB_ED_AGING_TIMEOUT_16384MIN
} esp_zb_aging_timeout_t;

typedef struct {
    uint8_t max_children;
} esp_zb_zczr_cfg_t;

typedef struct {
    uint8_t ed_timeout;  /* esp_zb_aging_timeout_t */
    uint32_t keep_alive; /* ms; a sleepy device asks its parent that often */
} esp_zb_zed_cfg_t;

typedef struct esp_zb_cfg_s {
    esp_zb_nwk_device_type_t esp_zb_role;
    bool install_code_policy; /* trust centre: only devices with an install code */
    union {
        esp_zb_zczr_cfg_t zczr_cfg;
        esp_zb_zed_cfg_t zed_cfg;
    } nwk_cfg;
} esp_zb_cfg_t;

typedef struct esp_zb_app_signal_s {
    uint32_t *p_app_signal; /* esp_zb_app_signal_type_t; its parameters behind it */
    esp_err_t esp_err_status;
} esp_zb_app_signal_t;

/* ---- Setting up, in this order ---- */

/* Devices that the tables of a coordinator or router are laid out for; before esp_zb_init(). */
esp_err_t esp_zb_overall_network_size_set(uint16_t size);
/* These have no effect: memory is not scarce. */
esp_err_t esp_zb_io_buffer_size_set(uint16_t size);
esp_err_t esp_zb_scheduler_queue_size_set(uint16_t size);
esp_err_t esp_zb_aps_src_binding_table_size_set(uint16_t size);
esp_err_t esp_zb_aps_dst_binding_table_size_set(uint16_t size);

void esp_zb_init(esp_zb_cfg_t *nwk_cfg);
/* ESP_ERR_INVALID_ARG: no channel, or one that is not 11..26. */
esp_err_t esp_zb_set_primary_network_channel_set(uint32_t channel_mask);
uint32_t esp_zb_get_primary_network_channel_set(void);
esp_err_t esp_zb_set_secondary_network_channel_set(uint32_t channel_mask);
uint32_t esp_zb_get_secondary_network_channel_set(void);
esp_err_t esp_zb_set_channel_mask(uint32_t channel_mask);
uint32_t esp_zb_get_channel_mask(void);
/* Forget network and keys at the next start. */
void esp_zb_nvram_erase_at_start(bool erase);
void esp_zb_set_node_descriptor_manufacturer_code(uint16_t manufacturer_code);

/* Opens the radio. autostart: also form, join or come back, then signal DEVICE_FIRST_START or
 * DEVICE_REBOOT; else signals PRODUCTION_CONFIG_READY and SKIP_STARTUP, and that is all.
 * ESP_ERR_INVALID_STATE: not initialised, or started already; ESP_FAIL: no radio (logged). */
esp_err_t esp_zb_start(bool autostart);
bool esp_zb_is_started(void);

/* ---- Running ---- */

void esp_zb_stack_main_loop(void); /* does not return */
void esp_zb_stack_main_loop_iteration(void);
ESP_ZB_DEPRECATED
void esp_zb_main_loop_iteration(void); /* the older name of esp_zb_stack_main_loop() */

/* For other tasks than the stack's; a task may take it several times. false: timed out. */
bool esp_zb_lock_acquire(TickType_t block_ticks);
void esp_zb_lock_release(void);

/* Once, from the stack's task. The same cb may wait several times. */
void esp_zb_scheduler_alarm(esp_zb_callback_t cb, uint8_t param, uint32_t time_ms);
void esp_zb_scheduler_alarm_cancel(esp_zb_callback_t cb, uint8_t param);
/* ESP_ZB_USER_CB_HANDLE_INVALID: 255 wait already. */
esp_zb_user_cb_handle_t esp_zb_scheduler_user_alarm(esp_zb_user_callback_t cb, void *param,
                                                    uint32_t time_ms);
esp_err_t esp_zb_scheduler_user_alarm_cancel(esp_zb_user_cb_handle_t handle);

/* Defined by the application. */
void esp_zb_app_signal_handler(esp_zb_app_signal_t *signal_s);
void *esp_zb_app_signal_get_params(uint32_t *signal_p);

/* ---- Commissioning: answers are signals ---- */

/* mode_mask: ESP_ZB_BDB_MODE_*. ESP_ERR_INVALID_STATE: not started, or one is under way;
 * ESP_ERR_NOT_SUPPORTED: touchlink; ESP_ERR_INVALID_ARG. */
esp_err_t esp_zb_bdb_start_top_level_commissioning(uint8_t mode_mask);
bool esp_zb_bdb_is_factory_new(void);
bool esp_zb_bdb_dev_joined(void);
esp_err_t esp_zb_bdb_open_network(uint8_t permit_duration); /* s */
esp_err_t esp_zb_bdb_close_network(void);
uint8_t esp_zb_bdb_get_scan_duration(void);
void esp_zb_bdb_set_scan_duration(uint8_t duration);
/* Leaves the network; then signal LEAVE. */
void esp_zb_bdb_reset_via_local_action(void);
/* Forgets everything and restarts. */
void esp_zb_factory_reset(void);

/* ---- Sleepy end devices ---- */

/* Before esp_zb_start(): the radio is off between polls, and CAN_SLEEP is signalled when
 * nothing is due for longer than the threshold (20 ms). */
void esp_zb_sleep_enable(bool enable);
bool esp_zb_sleep_is_enable(void);
esp_err_t esp_zb_sleep_set_threshold(uint32_t threshold_ms);
/* The virtual device saves no power by it: returns at once. */
void esp_zb_sleep_now(void);

void esp_zb_set_tx_power(int8_t power);
void esp_zb_get_tx_power(int8_t *power);
const char *esp_zb_get_version_string(void);

#ifdef __cplusplus
}
#endif
