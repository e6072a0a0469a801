/* The network and this device's place in it. */
#pragma once

#include <ezbee/core.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EZB_NWK_ADDR_UNKNOWN 0xffffu

typedef enum {
    EZB_NWK_DEVICE_TYPE_COORDINATOR = 0,
    EZB_NWK_DEVICE_TYPE_ROUTER = 1,
    EZB_NWK_DEVICE_TYPE_END_DEVICE = 2,
    EZB_NWK_DEVICE_TYPE_NONE = 3
} ezb_nwk_device_type_t;

/* In EZB_NWK_SIGNAL_NETWORK_STATUS. */
typedef enum {
    EZB_NWK_NETWORK_STATUS_LEGACY_NO_ROUTE_AVAILABLE = 0x00,
    EZB_NWK_NETWORK_STATUS_LEGACY_LINK_FAILURE = 0x01,
    EZB_NWK_NETWORK_STATUS_LINK_FAILURE = 0x02,
    EZB_NWK_NETWORK_STATUS_LOW_BATTERY_LEVEL = 0x03,
    EZB_NWK_NETWORK_STATUS_NO_ROUTING_CAPACITY = 0x04,
    EZB_NWK_NETWORK_STATUS_NO_INDIRECT_CAPACITY = 0x05,
    EZB_NWK_NETWORK_STATUS_INDIRECT_TRANSACTION_EXPIRY = 0x06,
    EZB_NWK_NETWORK_STATUS_TARGET_DEVICE_UNAVAILABLE = 0x07,
    EZB_NWK_NETWORK_STATUS_TARGET_ADDRESS_UNALLOCATED = 0x08,
    EZB_NWK_NETWORK_STATUS_PARENT_LINK_FAILURE = 0x09,
    EZB_NWK_NETWORK_STATUS_VALIDATE_ROUTE = 0x0a,
    EZB_NWK_NETWORK_STATUS_SOURCE_ROUTE_FAILURE = 0x0b,
    EZB_NWK_NETWORK_STATUS_MANY_TO_ONE_ROUTE_FAILURE = 0x0c,
    EZB_NWK_NETWORK_STATUS_ADDRESS_CONFLICT = 0x0d,
    EZB_NWK_NETWORK_STATUS_VERIFY_ADDRESS = 0x0e,
    EZB_NWK_NETWORK_STATUS_PAN_IDENTIFIER_UPDATE = 0x0f,
    EZB_NWK_NETWORK_STATUS_NETWORK_ADDRESS_UPDATE = 0x10,
    EZB_NWK_NETWORK_STATUS_BAD_FRAME_COUNTER = 0x11,
    EZB_NWK_NETWORK_STATUS_BAD_KEY_SEQUENCE_NUMBER = 0x12,
    EZB_NWK_NETWORK_STATUS_UNKNOWN_COMMAND = 0x13,
    EZB_NWK_NETWORK_STATUS_PANID_CONFLICT = 0x14
} ezb_nwk_network_status_t;

/* Silence after which a parent forgets an end device. */
enum ezb_nwk_ed_timeout_e {
    EZB_NWK_ED_TIMEOUT_10SEC = 0,
    EZB_NWK_ED_TIMEOUT_2MIN,
    EZB_NWK_ED_TIMEOUT_4MIN,
    EZB_NWK_ED_TIMEOUT_8MIN,
    EZB_NWK_ED_TIMEOUT_16MIN,
    EZB_NWK_ED_TIMEOUT_32MIN,
    EZB_NWK_ED_TIMEOUT_64MIN,
    EZB_NWK_ED_TIMEOUT_128MIN,
    EZB_NWK_ED_TIMEOUT_256MIN,
    EZB_NWK_ED_TIMEOUT_512MIN,
    EZB_NWK_ED_TIMEOUT_1024MIN,
    EZB_NWK_ED_TIMEOUT_2048MIN,
    EZB_NWK_ED_TIMEOUT_4096MIN,
    EZB_NWK_ED_TIMEOUT_8192MIN,
    EZB_NWK_ED_TIMEOUT_16384MIN
};
typedef uint8_t ezb_nwk_ed_timeout_t;

void ezb_nwk_set_extended_address(const ezb_extaddr_t *extaddr);
void ezb_nwk_get_extended_address(ezb_extaddr_t *extaddr);
ezb_shortaddr_t ezb_nwk_get_short_address(void); /* 0xffff: not in a network */
void ezb_nwk_get_extended_panid(ezb_extpanid_t *extpanid);
void ezb_nwk_set_panid(ezb_panid_t panid);
ezb_panid_t ezb_nwk_get_panid(void);
uint8_t ezb_nwk_get_current_channel(void);
void ezb_nwk_set_tx_power(int8_t power);
void ezb_nwk_get_tx_power(int8_t *power);
void ezb_nwk_set_rx_on_when_idle(bool rx_on);
bool ezb_nwk_get_rx_on_when_idle(void);
ezb_nwk_device_type_t ezb_nwk_get_device_type(void);
/* EZB_ERR_NOT_FOUND: this device does not know it. */
ezb_err_t ezb_address_short_by_extended(const ezb_extaddr_t *extaddr, ezb_shortaddr_t *shortaddr);
ezb_err_t ezb_address_extended_by_short(ezb_shortaddr_t shortaddr, ezb_extaddr_t *extaddr);

#ifdef __cplusplus
}
#endif
