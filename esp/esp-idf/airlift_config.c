#include "esp/esp-idf/airlift_config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Programs without a generated table (tests, tools) run with the defaults. */
__attribute__((weak)) const struct airlift_config_entry airlift_config[] = {{NULL, NULL}};

static const char *value_of(const char *name)
{
    for (const struct airlift_config_entry *e = airlift_config; e->name; e++)
        if (!strcmp(e->name, name)) return e->value;
    return NULL;
}

bool airlift_config_bool(const char *name)
{
    const char *value = value_of(name);
    return value && !strcmp(value, "y");
}

long airlift_config_int(const char *name, long fallback)
{
    const char *value = value_of(name);
    if (!value) return fallback;
    char *end;
    long number = strtol(value, &end, 0);
    return end != value && !*end ? number : fallback;
}

const char *airlift_config_str(const char *name, const char *fallback)
{
    const char *value = value_of(name);
    return value ? value : fallback;
}
