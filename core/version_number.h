/* Version numbers as ESP-ADF compares them: "v1.2.3" or "V1.2.3", each field 0..255. */
#ifndef CORE_VERSION_NUMBER_H
#define CORE_VERSION_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define AL_VERSION_TEXT_MAX 32u /* longer texts are no versions */

/* major << 16 | minor << 8 | patch, or -1. As in the original leading zeros count for nothing and
 * neither do empty fields ("v01.2.3", "v1.2.3." and ".v1.2.3" are versions, "v1..3" has too few
 * fields); "v1.0" and a field beyond 255, however long, are none. */
int32_t al_version_number(const char *text);

#endif
