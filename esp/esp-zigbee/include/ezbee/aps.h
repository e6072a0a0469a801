/* Security of the network, and which one to join. */
#pragma once

#include <ezbee/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* There is no network without trust centre here: true is told in the log and changes
 * nothing. */
void ezb_aps_secur_enable_distributed_security(bool enable);
bool ezb_aps_secur_is_distributed_security(void);

ezb_err_t ezb_aps_set_channel_mask(uint32_t channel_mask);
uint32_t ezb_aps_get_channel_mask(void);
void ezb_aps_set_use_extended_panid(const ezb_extpanid_t *extpanid);
void ezb_aps_get_use_extended_panid(ezb_extpanid_t *extpanid);

#ifdef __cplusplus
}
#endif
