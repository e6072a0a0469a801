/* API 2.x: setting up, the loop, the lock, and what core.h, nwk.h, aps.h and secur.h ask. */
#include <string.h>

#include "esp/esp-zigbee/ezb.h"
#include "esp_log.h"
#include "esp_system.h"
#include "zigbee/hash.h"

#define DEFAULT_PARTITION "nvs"

ezb_err_t ezb_err_of(esp_err_t err)
{
    switch (err) {
    case ESP_OK:
        return EZB_ERR_NONE;
    case ESP_ERR_NO_MEM:
        return EZB_ERR_NO_MEM;
    case ESP_ERR_INVALID_ARG:
        return EZB_ERR_INV_ARG;
    case ESP_ERR_INVALID_STATE:
        return EZB_ERR_INV_STATE;
    case ESP_ERR_INVALID_SIZE:
        return EZB_ERR_INV_SIZE;
    case ESP_ERR_NOT_FOUND:
        return EZB_ERR_NOT_FOUND;
    case ESP_ERR_NOT_SUPPORTED:
        return EZB_ERR_NOT_SUPPORTED;
    case ESP_ERR_TIMEOUT:
        return EZB_ERR_TIMEOUT;
    default:
        return EZB_ERR_FAIL;
    }
}

esp_err_t esp_zigbee_err_to_esp(ezb_err_t error)
{
    static const esp_err_t all[] = {ESP_OK,
                                    ESP_ERR_NO_MEM,
                                    ESP_ERR_INVALID_ARG,
                                    ESP_ERR_INVALID_STATE,
                                    ESP_ERR_INVALID_SIZE,
                                    ESP_ERR_NOT_FOUND,
                                    ESP_ERR_NOT_SUPPORTED,
                                    ESP_ERR_TIMEOUT};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (ezb_err_of(all[i]) == error) return all[i];
    return error == EZB_ERR_NOT_FINISHED  ? ESP_ERR_NOT_FINISHED
           : error == EZB_ERR_NOT_ALLOWED ? ESP_ERR_NOT_ALLOWED
                                          : ESP_FAIL;
}

/* ---- Setting up ---- */

esp_err_t esp_zigbee_init(const esp_zigbee_config_t *config)
{
    if (!config || (unsigned)config->device_config.device_type >= EZB_NWK_DEVICE_TYPE_NONE ||
        (unsigned)config->platform_config.radio_config.radio_mode >= ESP_ZIGBEE_RADIO_MODE_MAX_NR)
        return ESP_ERR_INVALID_ARG;
    if (zb_stack.initialised) return ESP_ERR_INVALID_STATE;
    const esp_zigbee_device_config_t *d = &config->device_config;
    const char *storage = config->platform_config.storage_partition_name;
    esp_zb_cfg_t cfg = {.esp_zb_role = (esp_zb_nwk_device_type_t)d->device_type,
                        .install_code_policy = d->install_code_policy};
    if (d->device_type == EZB_NWK_DEVICE_TYPE_END_DEVICE)
        cfg.nwk_cfg.zed_cfg = (esp_zb_zed_cfg_t){.ed_timeout = d->zed_config.ed_timeout,
                                                 .keep_alive = d->zed_config.keep_alive};
    else
        cfg.nwk_cfg.zczr_cfg.max_children = d->zczr_config.max_children;
    if (storage && strcmp(storage, DEFAULT_PARTITION) != 0) zb_stack.storage = storage;
    zb_stack.signal = ezb_signal_forward;
    zb_stack_init(&cfg);
    ezb_zcl_init();
    return ESP_OK;
}

esp_err_t esp_zigbee_deinit(void)
{
    if (!zb_stack.started) return ESP_OK;
    if (!zb_stack.stop) return ESP_ERR_INVALID_STATE;
    zb_stack.started = false;
    zb_node_close(&zb_stack.zb);
    radio_close(zb_stack.radio);
    zb_stack.radio = NULL;
    return ESP_OK;
}

esp_err_t esp_zigbee_start(bool autostart)
{
    esp_err_t err = esp_zb_start(autostart);
    return err ? err : ezb_desc_attach();
}

bool ezb_dev_is_started(void)
{
    return zb_stack.started;
}

bool esp_zigbee_is_started(void)
{
    return zb_stack.started;
}

esp_err_t esp_zigbee_launch_mainloop(void)
{
    if (!zb_stack.started) return ESP_ERR_INVALID_STATE;
    esp_zb_stack_main_loop();
    return ESP_OK;
}

esp_err_t esp_zigbee_stop(void)
{
    zb_stack.stop = zb_stack.started;
    zb_stack_wake();
    return ESP_OK;
}

bool esp_zigbee_lock_acquire(TickType_t block_ticks)
{
    return esp_zb_lock_acquire(block_ticks);
}

void esp_zigbee_lock_release(void)
{
    esp_zb_lock_release();
}

esp_err_t esp_zigbee_task_queue_post(esp_zigbee_callback_t cb, void *ctx)
{
    return cb && zb_scheduler_post(cb, ctx, 0) ? ESP_OK : ESP_FAIL;
}

void esp_zigbee_factory_reset(void)
{
    esp_zb_factory_reset();
    esp_restart(); /* it has done so */
}

/* ---- Addresses, channels ---- */

void ezb_nwk_set_extended_address(const ezb_extaddr_t *extaddr)
{
    if (!zb_stack.started) zb_stack.ext = extaddr->u64;
}

void ezb_nwk_get_extended_address(ezb_extaddr_t *extaddr)
{
    extaddr->u64 = zb_stack.ext;
}

ezb_shortaddr_t ezb_nwk_get_short_address(void)
{
    return esp_zb_get_short_address();
}

void ezb_nwk_get_extended_panid(ezb_extpanid_t *extpanid)
{
    esp_zb_get_extended_pan_id(extpanid->u8);
}

void ezb_nwk_set_panid(ezb_panid_t panid)
{
    esp_zb_set_pan_id(panid);
}

ezb_panid_t ezb_nwk_get_panid(void)
{
    return esp_zb_get_pan_id();
}

uint8_t ezb_nwk_get_current_channel(void)
{
    return esp_zb_get_current_channel();
}

void ezb_nwk_set_tx_power(int8_t power)
{
    esp_zb_set_tx_power(power);
}

void ezb_nwk_get_tx_power(int8_t *power)
{
    esp_zb_get_tx_power(power);
}

void ezb_nwk_set_rx_on_when_idle(bool rx_on)
{
    esp_zb_set_rx_on_when_idle(rx_on);
}

bool ezb_nwk_get_rx_on_when_idle(void)
{
    return esp_zb_get_rx_on_when_idle();
}

ezb_nwk_device_type_t ezb_nwk_get_device_type(void)
{
    return (ezb_nwk_device_type_t)esp_zb_get_network_device_role();
}

ezb_err_t ezb_address_short_by_extended(const ezb_extaddr_t *extaddr, ezb_shortaddr_t *shortaddr)
{
    esp_zb_ieee_addr_t ieee;
    memcpy(ieee, extaddr->u8, sizeof ieee);
    uint16_t addr = esp_zb_address_short_by_ieee(ieee);
    if (addr == AL_NWK_NO_ADDR) return EZB_ERR_NOT_FOUND;
    *shortaddr = addr;
    return EZB_ERR_NONE;
}

ezb_err_t ezb_address_extended_by_short(ezb_shortaddr_t shortaddr, ezb_extaddr_t *extaddr)
{
    return ezb_err_of(esp_zb_ieee_address_by_short(shortaddr, extaddr->u8));
}

ezb_err_t ezb_aps_set_channel_mask(uint32_t channel_mask)
{
    return ezb_err_of(esp_zb_set_channel_mask(channel_mask));
}

uint32_t ezb_aps_get_channel_mask(void)
{
    return esp_zb_get_channel_mask();
}

void ezb_aps_set_use_extended_panid(const ezb_extpanid_t *extpanid)
{
    esp_zb_set_extended_pan_id(extpanid->u8);
}

void ezb_aps_get_use_extended_panid(ezb_extpanid_t *extpanid)
{
    extpanid->u64 = zb_stack.epid;
}

/* core.h has them under shorter names. */
__typeof__(ezb_nwk_set_extended_address) ezb_set_extended_address
    __attribute__((alias("ezb_nwk_set_extended_address")));
__typeof__(ezb_nwk_get_extended_address) ezb_get_extended_address
    __attribute__((alias("ezb_nwk_get_extended_address")));
__typeof__(ezb_nwk_get_short_address) ezb_get_short_address
    __attribute__((alias("ezb_nwk_get_short_address")));
__typeof__(ezb_nwk_get_extended_panid) ezb_get_extended_panid
    __attribute__((alias("ezb_nwk_get_extended_panid")));
__typeof__(ezb_aps_set_use_extended_panid) ezb_set_use_extended_panid
    __attribute__((alias("ezb_aps_set_use_extended_panid")));
__typeof__(ezb_aps_get_use_extended_panid) ezb_get_use_extended_panid
    __attribute__((alias("ezb_aps_get_use_extended_panid")));
__typeof__(ezb_nwk_set_panid) ezb_set_panid __attribute__((alias("ezb_nwk_set_panid")));
__typeof__(ezb_nwk_get_panid) ezb_get_panid __attribute__((alias("ezb_nwk_get_panid")));
__typeof__(ezb_nwk_get_current_channel) ezb_get_current_channel
    __attribute__((alias("ezb_nwk_get_current_channel")));
__typeof__(ezb_nwk_set_tx_power) ezb_set_tx_power __attribute__((alias("ezb_nwk_set_tx_power")));
__typeof__(ezb_nwk_get_tx_power) ezb_get_tx_power __attribute__((alias("ezb_nwk_get_tx_power")));
__typeof__(ezb_aps_set_channel_mask) ezb_set_channel_mask
    __attribute__((alias("ezb_aps_set_channel_mask")));
__typeof__(ezb_aps_get_channel_mask) ezb_get_channel_mask
    __attribute__((alias("ezb_aps_get_channel_mask")));
__typeof__(ezb_nwk_set_rx_on_when_idle) ezb_set_rx_on_when_idle
    __attribute__((alias("ezb_nwk_set_rx_on_when_idle")));
__typeof__(ezb_nwk_get_rx_on_when_idle) ezb_get_rx_on_when_idle
    __attribute__((alias("ezb_nwk_get_rx_on_when_idle")));

/* ---- Security ---- */

void ezb_aps_secur_enable_distributed_security(bool enable)
{
    if (enable) ESP_LOGW(ZB_TAG, "a network without trust centre is not part of this stack");
}

bool ezb_aps_secur_is_distributed_security(void)
{
    return false;
}

ezb_err_t ezb_secur_set_ic_required(bool required)
{
    if (zb_stack.started) return EZB_ERR_INV_STATE;
    zb_stack.cfg.install_code_policy = required;
    return EZB_ERR_NONE;
}

ezb_err_t ezb_secur_set_tclk_exchange_required(bool required)
{
    if (zb_stack.started) return EZB_ERR_INV_STATE;
    esp_zb_secur_link_key_exchange_required_set(required);
    return EZB_ERR_NONE;
}

/* As 1.x reads it. */
static bool spell(char text[2 * AL_INSTALL_CODE_MAX + 1], ezb_secur_ic_type_t type,
                  const uint8_t *ic)
{
    static const uint8_t sizes[EZB_SECUR_IC_TYPE_MAX_NR] = {8, 10, 14, 18};
    static const char digits[] = "0123456789abcdef";
    if (!ic || type >= EZB_SECUR_IC_TYPE_MAX_NR) return false;
    size_t n = 0;
    for (size_t i = 0; i < sizes[type]; i++) {
        text[n++] = digits[ic[i] >> 4];
        text[n++] = digits[ic[i] & 15];
    }
    text[n] = '\0';
    return true;
}

ezb_err_t ezb_secur_ic_add(const ezb_extaddr_t *address, ezb_secur_ic_type_t ic_type,
                           const uint8_t *ic)
{
    char text[2 * AL_INSTALL_CODE_MAX + 1];
    esp_zb_ieee_addr_t ieee;
    if (!address || !spell(text, ic_type, ic)) return EZB_ERR_INV_ARG;
    memcpy(ieee, address->u8, sizeof ieee);
    return ezb_err_of(esp_zb_secur_ic_str_add(ieee, text));
}

ezb_err_t ezb_secur_ic_set(ezb_secur_ic_type_t ic_type, const uint8_t *ic)
{
    char text[2 * AL_INSTALL_CODE_MAX + 1];
    if (!spell(text, ic_type, ic)) return EZB_ERR_INV_ARG;
    return ezb_err_of(esp_zb_secur_ic_str_set(text));
}
