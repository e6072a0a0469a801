/* What modules and publishers send to the module cloud, taken apart. Pure functions on
 * untrusted text. */
#ifndef SERVER_CLOUD_QUERY_H
#define SERVER_CLOUD_QUERY_H

#include <cjson/cJSON.h>

#include "server/cloud_rules.h"
#include "server/store.h"

#define CLOUD_KEY_LEN 40u /* hex digits */

/* "token <40 hex>", value of Authorization (NULL allowed), into key in lower case. The word in
 * any case. */
bool cloud_authorization(const char *header, char key[CLOUD_KEY_LEN + 1]);

/* A value of a query as the clients write it: not encoded, so a '%' that begins no escape stands
 * for itself. false: absent (NULL), does not fit, or an encoded control character. */
bool cloud_query_value(const char *raw, char *out, size_t size);

/* JSON and nothing behind it; NULL: no such. A NUL, escaped or not, is refused: a text would end
 * there unseen. */
cJSON *cloud_json_parse(const char *text, size_t len);

/* A version to be deployed. */
struct cloud_deploy {
    char version[CLOUD_VERSION_MAX + 1];
    char life_cycle[CLOUD_LABEL_MAX + 1]; /* "beta" when not told */
    char corename[CLOUD_LABEL_MAX + 1];
    bool current;
    size_t count;
    struct {
        char name[CLOUD_FILE_MAX + 1];
        char artifact[ARTIFACT_NAME_MAX + 1]; /* name, or "<sha256>.bin" */
        char sha256[BLOB_HEX_LEN];            /* what it has to stand for; "": anything */
    } files[CLOUD_FILES_MAX];
};
/* {"version", "life_cycle", "corename", "current", "files": [{"name", "artifact", "sha256"}]},
 * or as the vendor's deploy hook sends it: {"productRoms": [{..., "recommended", "files": [{"name",
 * "path"}]}]}, with one version. */
bool cloud_deploy_parse(const char *text, size_t len, struct cloud_deploy *out,
                        struct cloud_refusal *why);

/* What is no printable ASCII becomes '?'. */
void cloud_make_plain(char *text);

/* {"get": {"action": A}, "body": {"pre_rom_version": P, "rom_version": R}}; what is missing
 * stays "", and what cannot be printed becomes '?'. */
struct cloud_report {
    char action[CLOUD_VERSION_MAX + 1];
    char before[CLOUD_VERSION_MAX + 1], version[CLOUD_VERSION_MAX + 1];
};
bool cloud_report_parse(const char *text, size_t len, struct cloud_report *out);

#endif
