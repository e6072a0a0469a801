/* See cloud_list.h. */
#include "server/cloud_list.h"

#include <stdarg.h>
#include <stdio.h>

#define TAIL "]}"

__attribute__((format(printf, 2, 3))) static bool add(struct cloud_list *l, const char *format, ...)
{
    va_list list;
    size_t room = sizeof l->text - l->len;
    va_start(list, format);
    int n = vsnprintf(l->text + l->len, room, format, list);
    va_end(list);
    if (n < 0 || (size_t)n >= room) return false;
    l->len += (size_t)n;
    return true;
}

void cloud_list_begin(struct cloud_list *l, const char *recommended)
{
    l->len = l->count = 0;
    add(l, "{\"recommended_rom_version\": \"%s\", \"status\": 200, \"productRoms\": [",
        recommended);
}

static bool add_files(struct cloud_list *l, const struct cloud_list_file *files, size_t count)
{
    bool ok = add(l, ", \"files\": [");
    for (size_t i = 0; ok && i < count; i++)
        ok = add(l, "%s{\"name\": \"%s\", \"path\": \"%s.bin\"}", i ? ", " : "", files[i].name,
                 files[i].sha256);
    return ok && add(l, "]");
}

bool cloud_list_add(struct cloud_list *l, bool recommended, const char *version,
                    const char *life_cycle, const struct cloud_list_file *files, size_t count)
{
    size_t before = l->len;
    bool ok = add(l, "%s{\"recommended\": %d, \"version\": \"%s\", \"life_cycle\": \"%s\"",
                  l->count ? ", " : "", recommended, version, life_cycle) &&
              (!files || add_files(l, files, count)) && add(l, "}");
    if (ok && sizeof l->text - l->len >= sizeof TAIL) {
        l->count++;
        return true;
    }
    l->len = before;
    l->text[before] = 0;
    return false;
}

void cloud_list_end(struct cloud_list *l)
{
    add(l, TAIL);
}

void cloud_status_text(unsigned status, const char *message, char *out, size_t size)
{
    snprintf(out, size, "{\"status\": %u, \"message\": \"%s\"}", status, message);
}
