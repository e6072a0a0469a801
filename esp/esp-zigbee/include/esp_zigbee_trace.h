/* Tracing of the vendor's stack. Here a capture of the medium shows more (docs/radio.md). */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ZB_TRACE_SUBSYSTEM_COMMON 0x0001u
#define ESP_ZB_TRACE_SUBSYSTEM_MAC    0x0010u
#define ESP_ZB_TRACE_SUBSYSTEM_NWK    0x0020u
#define ESP_ZB_TRACE_SUBSYSTEM_APS    0x0040u
#define ESP_ZB_TRACE_SUBSYSTEM_ZDO    0x0200u
#define ESP_ZB_TRACE_SUBSYSTEM_ZCL    0x1000u

/* Accepted, and without effect. */
void esp_zb_set_trace_level_mask(uint8_t trace_level, uint32_t trace_mask);

#ifdef __cplusplus
}
#endif
