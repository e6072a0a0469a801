/* Is Secure Boot on? */
#pragma once

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif
bool esp_secure_boot_enabled(void);
#ifdef __cplusplus
}
#endif
