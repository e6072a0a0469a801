/* Time of lwIP's system layer. */
#pragma once

#include <stdint.h>

#include "lwip/err.h"

#ifdef __cplusplus
extern "C" {
#endif
uint32_t sys_now(void); /* ms since reset */
#ifdef __cplusplus
}
#endif
