/* Keys and install codes. */
#pragma once

#include <ezbee/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of an install code, its CRC included: 8, 10, 14, 18. */
enum ezb_secur_ic_type_e {
    EZB_SECUR_IC_TYPE_48 = 0,
    EZB_SECUR_IC_TYPE_64,
    EZB_SECUR_IC_TYPE_96,
    EZB_SECUR_IC_TYPE_128,
    EZB_SECUR_IC_TYPE_MAX_NR
};
typedef uint8_t ezb_secur_ic_type_t;

/* Trust centre, before the start: only devices with an install code come in. */
ezb_err_t ezb_secur_set_ic_required(bool required);
/* Trust centre, when started: the code of one device. EZB_ERR_INV_ARG: its CRC is wrong. */
ezb_err_t ezb_secur_ic_add(const ezb_extaddr_t *address, ezb_secur_ic_type_t ic_type,
                           const uint8_t *ic);
/* Joiner, when started. */
ezb_err_t ezb_secur_ic_set(ezb_secur_ic_type_t ic_type, const uint8_t *ic);
/* Before the start: devices that do not get a link key of their own have to leave. */
ezb_err_t ezb_secur_set_tclk_exchange_required(bool required);

#ifdef __cplusplus
}
#endif
