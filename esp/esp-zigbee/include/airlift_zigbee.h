/* What the vendor's API lacks. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Inside esp_zb_ota_next_data_callback_t: which byte behind the OTA header is wanted. An
 * application that asks is from then on called for just the bytes that a client wants, in
 * any order, and nothing is kept for it. */
uint32_t airlift_zb_ota_next_data_offset(void);

#ifdef __cplusplus
}
#endif
