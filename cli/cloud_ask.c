/* What the cloud's commands share. See cloud.h. */
#include <stdio.h>
#include <string.h>

#include "cli/cloud.h"

#define ESCAPED_MAX 512u

bool cloud_path(const struct cli_args *a, const char *collection, int operand, const char *action,
                char *path, size_t size)
{
    char escaped[ESCAPED_MAX] = "";
    const char *name = operand >= 0 ? cli_operand(a, (size_t)operand) : "";
    bool fits = server_link_escape(name, escaped, sizeof escaped) && (operand < 0 || *name);
    int n = snprintf(path, size, CLOUD_PATH "%s%s%s%s%s", collection, *escaped ? "/" : "", escaped,
                     action ? "/" : "", action ? action : "");
    if (fits && n > 0 && (size_t)n < size) return true;
    cli_fail("'%.60s' is no name", name);
    return false;
}

bool cloud_path_add(char *path, size_t size, const char *name, const char *value)
{
    char escaped[ESCAPED_MAX];
    size_t used = strlen(path);
    if (!value) return true;
    int n = server_link_escape(value, escaped, sizeof escaped)
                ? snprintf(path + used, size - used, "%c%s=%s", strchr(path, '?') ? '&' : '?', name,
                           escaped)
                : -1;
    if (n > 0 && (size_t)n < size - used) return true;
    cli_fail("'%.60s' is too long", value);
    return false;
}

int cloud_ask(const struct cli_args *a, const char *method, const char *path, cJSON *body,
              cJSON **doc, bool *done)
{
    int status = server_link_ask(a, method, path, body, doc);
    *done = status != CLI_OK || cli_json_wanted(a);
    if (status == CLI_OK && *done) status = cli_print_json(*doc);
    return status;
}

int cloud_show(const struct cli_args *a, const char *collection, cJSON **doc, bool *done)
{
    char path[600];
    *done = true;
    if (!cloud_path(a, collection, 0, NULL, path, sizeof path)) return CLI_FAILED;
    return cloud_ask(a, "GET", path, NULL, doc, done);
}

int cloud_order(const struct cli_args *a, const char *method, const char *path, cJSON *body,
                const char *text)
{
    cJSON *doc;
    bool done;
    int status = cloud_ask(a, method, path, body, &doc, &done);
    if (done) return status;
    cli_print("%s\n", text);
    cJSON_Delete(doc);
    return CLI_OK;
}

int cloud_print_list(cJSON *doc, const char *list, void (*print)(const cJSON *item),
                     const char *none)
{
    const cJSON *items = cJSON_GetObjectItem(doc, list);
    if (cJSON_GetArraySize(items) == 0) cli_print("%s\n", none);
    for (const cJSON *i = items ? items->child : NULL; i; i = i->next) print(i);
    cJSON_Delete(doc);
    return CLI_OK;
}

int cloud_list(const struct cli_args *a, const char *path, const char *list,
               void (*print)(const cJSON *item), const char *none)
{
    cJSON *doc;
    bool done;
    int status = cloud_ask(a, "GET", path, NULL, &doc, &done);
    return done ? status : cloud_print_list(doc, list, print, none);
}

double cloud_number_of(const cJSON *doc, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(doc, key);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}
