/* What the application sets before the start, and asks about the network. */
#include "core/err.h"
#include "esp/esp-zigbee/stack.h"
#include "zigbee/hash.h"

#define CHANNELS ESP_ZB_TRANSCEIVER_ALL_CHANNELS_MASK

/* ---- Channels ---- */

static bool are_channels(uint32_t mask)
{
    return mask && !(mask & ~CHANNELS);
}

esp_err_t esp_zb_set_primary_network_channel_set(uint32_t channel_mask)
{
    if (!are_channels(channel_mask)) return ESP_ERR_INVALID_ARG;
    zb_stack.primary = channel_mask;
    return ESP_OK;
}

uint32_t esp_zb_get_primary_network_channel_set(void)
{
    return zb_stack.primary;
}

esp_err_t esp_zb_set_secondary_network_channel_set(uint32_t channel_mask)
{
    if (!are_channels(channel_mask)) return ESP_ERR_INVALID_ARG;
    zb_stack.secondary = channel_mask;
    return ESP_OK;
}

uint32_t esp_zb_get_secondary_network_channel_set(void)
{
    return zb_stack.secondary;
}

esp_err_t esp_zb_set_channel_mask(uint32_t channel_mask)
{
    return esp_zb_set_primary_network_channel_set(channel_mask);
}

uint32_t esp_zb_get_channel_mask(void)
{
    return zb_stack.primary | zb_stack.secondary;
}

/* ---- Tables, power, sleep ---- */

esp_err_t esp_zb_io_buffer_size_set(uint16_t size)
{
    return zb_stack.initialised ? ESP_FAIL : ESP_OK;
}

esp_err_t esp_zb_scheduler_queue_size_set(uint16_t size)
{
    return zb_stack.initialised ? ESP_FAIL : ESP_OK;
}

esp_err_t esp_zb_aps_src_binding_table_size_set(uint16_t size)
{
    return zb_stack.initialised ? ESP_FAIL : ESP_OK;
}

esp_err_t esp_zb_aps_dst_binding_table_size_set(uint16_t size)
{
    return zb_stack.initialised ? ESP_FAIL : ESP_OK;
}

void esp_zb_nvram_erase_at_start(bool erase)
{
    zb_stack.erase = erase;
}

void esp_zb_set_node_descriptor_manufacturer_code(uint16_t manufacturer_code)
{
    zb_stack.manufacturer = manufacturer_code;
    if (zb_stack.started) zb_stack_node()->zdo.c.manufacturer = manufacturer_code;
}

static int8_t tx_power;

void esp_zb_set_tx_power(int8_t power)
{
    tx_power = power;
}

void esp_zb_get_tx_power(int8_t *power)
{
    if (power) *power = tx_power;
}

void esp_zb_sleep_enable(bool enable)
{
    zb_stack.sleep = enable;
}

bool esp_zb_sleep_is_enable(void)
{
    return zb_stack.sleep;
}

esp_err_t esp_zb_sleep_set_threshold(uint32_t threshold_ms)
{
    if (threshold_ms > ESP_ZB_SLEEP_MAXIMUM_THRESHOLD_MS) return ESP_FAIL;
    zb_stack.sleep_threshold = threshold_ms;
    return ESP_OK;
}

void esp_zb_sleep_now(void)
{
}

void esp_zb_set_rx_on_when_idle(bool rx_on)
{
    zb_stack.rx_off = !rx_on;
}

bool esp_zb_get_rx_on_when_idle(void)
{
    return !zb_stack.rx_off;
}

void esp_zb_set_trace_level_mask(uint8_t trace_level, uint32_t trace_mask)
{
}

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)
const char *esp_zb_get_version_string(void)
{
    return TEXT(ESP_ZB_VER_MAJOR) "." TEXT(ESP_ZB_VER_MINOR) "." TEXT(ESP_ZB_VER_PATCH);
}

/* ---- Addresses ---- */

esp_err_t esp_zb_set_long_address(esp_zb_ieee_addr_t addr)
{
    if (zb_stack.started) return ESP_ERR_INVALID_STATE;
    zb_stack.ext = zb_ext(addr);
    return ESP_OK;
}

void esp_zb_get_long_address(esp_zb_ieee_addr_t addr)
{
    al_put_le64(addr, zb_stack.ext);
}

esp_err_t esp_zb_set_pan_id(uint16_t pan_id)
{
    zb_stack.pan_id = pan_id;
    if (zb_stack.started) zb_stack_node()->bdb.c.pan_id = pan_id;
    return ESP_OK;
}

void esp_zb_set_extended_pan_id(const esp_zb_ieee_addr_t ext_pan_id)
{
    zb_stack.epid = zb_ext(ext_pan_id);
    if (zb_stack.started) zb_stack_node()->bdb.c.epid = zb_stack.epid;
}

uint16_t esp_zb_get_short_address(void)
{
    return zb_stack.started ? zb_stack_node()->nwk.addr : AL_NWK_NO_ADDR;
}

void esp_zb_get_extended_pan_id(esp_zb_ieee_addr_t ext_pan_id)
{
    al_put_le64(ext_pan_id, esp_zb_bdb_dev_joined() ? zb_stack_node()->nwk.epid : 0);
}

uint16_t esp_zb_get_pan_id(void)
{
    return esp_zb_bdb_dev_joined() ? zb_stack_node()->nwk.pan_id : 0xffff;
}

uint8_t esp_zb_get_current_channel(void)
{
    return esp_zb_bdb_dev_joined() ? zb_stack_node()->nwk.channel : 0;
}

esp_zb_nwk_device_type_t esp_zb_get_network_device_role(void)
{
    return zb_stack.initialised ? zb_stack.cfg.esp_zb_role : ESP_ZB_DEVICE_TYPE_NONE;
}

esp_err_t esp_zb_ieee_address_by_short(uint16_t short_addr, uint8_t *ieee_addr)
{
    if (!ieee_addr) return ESP_ERR_INVALID_ARG;
    uint64_t ext = zb_stack.started ? al_nwk_ext_of(&zb_stack_node()->nwk, short_addr) : 0;
    if (!ext) return ESP_ERR_NOT_FOUND;
    al_put_le64(ieee_addr, ext);
    return ESP_OK;
}

uint16_t esp_zb_address_short_by_ieee(esp_zb_ieee_addr_t address)
{
    return zb_stack.started ? al_nwk_addr_of(&zb_stack_node()->nwk, zb_ext(address))
                            : AL_NWK_NO_ADDR;
}

/* ---- Keys ---- */

void esp_zb_secur_link_key_exchange_required_set(bool enable)
{
    zb_stack.require_exchange = enable;
}

bool esp_zb_secur_link_key_exchange_required_get(void)
{
    return zb_stack.require_exchange;
}

static esp_err_t add_install_code(uint64_t partner, const char *text)
{
    uint8_t code[AL_INSTALL_CODE_MAX], key[16];
    if (!zb_stack.started) return ESP_ERR_INVALID_STATE;
    int len = text ? al_install_code_parse(text, code) : AL_ERR_INVALID_ARG;
    if (len < 0 || al_install_code_key(zb_stack_node()->c.aes, code, (size_t)len, key))
        return ESP_ERR_INVALID_ARG;
    return al_trust_add_install_key(&zb_stack_node()->trust, partner, key) ? ESP_ERR_NO_MEM
                                                                           : ESP_OK;
}

esp_err_t esp_zb_secur_ic_str_add(esp_zb_ieee_addr_t address, char *ic_str)
{
    return add_install_code(zb_ext(address), ic_str);
}

esp_err_t esp_zb_secur_ic_str_set(char *ic_str)
{
    return add_install_code(AL_APS_ANY_PARTNER, ic_str);
}
