/* The project's configuration inside a firmware. `airlift build` generates the
 * table from sdkconfig; the API layer asks it at run time, so that one library
 * serves every configuration. */
#ifndef ESP_AIRLIFT_CONFIG_H
#define ESP_AIRLIFT_CONFIG_H

#include <stdbool.h>

struct airlift_config_entry {
    const char *name;  /* without CONFIG_ */
    const char *value; /* "y", a number, or text without quotes */
};

/* Defined by the generated source, sorted by name, ended by {NULL, NULL}. A weak
 * empty table in the library serves programs without one. */
extern const struct airlift_config_entry airlift_config[];

bool airlift_config_bool(const char *name);
long airlift_config_int(const char *name, long fallback);
const char *airlift_config_str(const char *name, const char *fallback);

#endif
