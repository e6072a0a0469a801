/* The list of versions as text. The clients do not parse: they look for `rom_version": "`,
 * `status` and `"version": "..."` with one blank behind colons and commas, early in the answer,
 * and the version must not be the last of its object; some keep 8 KiB. Pure. */
#ifndef SERVER_CLOUD_LIST_H
#define SERVER_CLOUD_LIST_H

#include "server/cloud_rules.h"

#define CLOUD_LIST_MAX 8191u /* bytes of text */

struct cloud_list {
    char text[CLOUD_LIST_MAX + 1];
    size_t len, count;
};

struct cloud_list_file {
    const char *name, *sha256;
};

/* {"recommended_rom_version": "v2", "status": 200, "productRoms": [
 *   {"recommended": 1, "version": "v2", "life_cycle": "beta"}, ...]}
 * add: newest first; false: it is full, what is older is left out. files NULL: without. */
void cloud_list_begin(struct cloud_list *l, const char *recommended);
bool cloud_list_add(struct cloud_list *l, bool recommended, const char *version,
                    const char *life_cycle, const struct cloud_list_file *files, size_t count);
void cloud_list_end(struct cloud_list *l);

/* {"status": 404, "message": "..."}: message without quotes and backslashes. */
void cloud_status_text(unsigned status, const char *message, char *out, size_t size);

#endif
