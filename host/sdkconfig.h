/* sdkconfig: "CONFIG_NAME=value" lines, as Kconfig writes them. */
#ifndef HOST_SDKCONFIG_H
#define HOST_SDKCONFIG_H

#include <stdbool.h>
#include <stddef.h>

/* Value of CONFIG_<name> in text, copied without quotes (escapes undone).
 * false: not set, or "is not set". len: bytes of text. */
bool sdkconfig_get(const char *text, size_t len, const char *name, char *value, size_t size);
bool sdkconfig_bool(const char *text, size_t len, const char *name);
long sdkconfig_int(const char *text, size_t len, const char *name, long fallback);

#endif
