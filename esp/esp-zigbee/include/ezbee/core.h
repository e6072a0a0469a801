/* The device as a whole; the same values under ezb_nwk_* are in nwk.h. */
#pragma once

#include <ezbee/app_signals.h>
#include <ezbee/core_types.h>

#ifdef __cplusplus
extern "C" {
#endif

bool ezb_dev_is_started(void);

/* Before the start: EUI-64 in place of the eFuse's. */
void ezb_set_extended_address(const ezb_extaddr_t *extaddr);
void ezb_get_extended_address(ezb_extaddr_t *extaddr);
ezb_shortaddr_t ezb_get_short_address(void);
/* The only network to join, or the one to form; zeros: any. */
void ezb_set_use_extended_panid(const ezb_extpanid_t *extpanid);
void ezb_get_use_extended_panid(ezb_extpanid_t *extpanid);
void ezb_get_extended_panid(ezb_extpanid_t *extpanid);
void ezb_set_panid(ezb_panid_t pan_id); /* to form */
ezb_panid_t ezb_get_panid(void);
uint8_t ezb_get_current_channel(void);
void ezb_set_tx_power(int8_t power); /* kept, without effect on the virtual air */
void ezb_get_tx_power(int8_t *power);
/* Both channel sets of bdb.h. */
ezb_err_t ezb_set_channel_mask(uint32_t channel_mask);
uint32_t ezb_get_channel_mask(void);
/* Before the start of an end device: false makes it a sleepy one. */
void ezb_set_rx_on_when_idle(bool rx_on);
bool ezb_get_rx_on_when_idle(void);

#ifdef __cplusplus
}
#endif
