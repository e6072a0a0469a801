/* Time, and what compilers want to be told. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FALL_THROUGH __attribute__((fallthrough))

int audio_sys_get_tick_by_time_ms(int ms);
int64_t audio_sys_get_time_ms(void); /* since reset */

#ifdef __cplusplus
}
#endif
