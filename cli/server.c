/* Commands that talk to airliftd: publish firmware, see and delete what is there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/server_link.h"
#include "server/api.h"

#define MAX_FILE (UINT64_C(1) << 30)

static int push_data(const struct cli_args *a, const uint8_t *data, size_t len)
{
    struct server_link l;
    cJSON *doc;
    const char *file = cli_operand(a, 0), *slash = strrchr(file, '/');
    const char *name = cli_value(a, "--name");
    if (!name) name = slash ? slash + 1 : file;
    int status = server_link_open(a, &l);
    if (status == CLI_OK)
        status = server_link_push(&l, name, cli_value(a, "--kind"), data, len, &doc);
    if (status == CLI_OK && cli_json_wanted(a)) {
        status = cli_print_json(doc);
    } else if (status == CLI_OK) {
        const char *project = cli_text_of(doc, "project_name");
        cli_print("published %s%s%s %s\n  %s%s\n", cli_text_of(doc, "name"), *project ? ": " : "",
                  project, cli_text_of(doc, "version"), l.url, cli_text_of(doc, "url"));
        cJSON_Delete(doc);
    }
    server_link_close(&l);
    return status;
}

static int run_push(const struct cli_args *a)
{
    uint8_t *data;
    size_t len;
    const char *file = cli_operand(a, 0);
    int status = cli_read_file(file, MAX_FILE, &data, &len);
    if (status) return status;
    status = len > 0 ? push_data(a, data, len) : cli_fail("%s: the file is empty", file);
    free(data);
    return status;
}

/* Where others name the chip: manufacturer and image type. */
static void chip_or_ids(const cJSON *a, char *out, size_t size)
{
    const cJSON *manufacturer = cJSON_GetObjectItem(a, "manufacturer_code"),
                *type = cJSON_GetObjectItem(a, "image_type");
    if (cJSON_IsNumber(manufacturer) && cJSON_IsNumber(type))
        snprintf(out, size, "%04x-%04x", (unsigned)manufacturer->valuedouble,
                 (unsigned)type->valuedouble);
    else
        snprintf(out, size, "%s", cli_text_of(a, "chip"));
}

static void print_artifact(const cJSON *a)
{
    char chip[24];
    const char *project = cli_text_of(a, "project_name");
    chip_or_ids(a, chip, sizeof chip);
    cli_print("%-32s %10.0f  %-14s %-10s %-24s %-16s %.12s  %s\n", cli_text_of(a, "name"),
              cJSON_GetNumberValue(cJSON_GetObjectItem(a, "size")), cli_text_of(a, "kind"), chip,
              *project ? project : cli_text_of(a, "header_string"), cli_text_of(a, "version"),
              cli_text_of(a, "sha256"), cli_text_of(a, "published"));
}

static int run_artifacts(const struct cli_args *a)
{
    cJSON *doc = NULL;
    int status = server_link_ask(a, "GET", API_PREFIX "artifacts", NULL, &doc);
    if (status != CLI_OK) return status;
    if (cli_json_wanted(a)) return cli_print_json(doc);
    const cJSON *list = cJSON_GetObjectItem(doc, "artifacts");
    if (cJSON_GetArraySize(list) == 0) puts("nothing is published yet");
    for (const cJSON *item = list ? list->child : NULL; item; item = item->next)
        print_artifact(item);
    cJSON_Delete(doc);
    return CLI_OK;
}

static int run_artifacts_delete(const struct cli_args *a)
{
    char path[1024], escaped[3 * ARTIFACT_NAME_MAX + 1];
    cJSON *doc = NULL;
    const char *name = cli_operand(a, 0);
    if (!artifact_name_ok(name) || !server_link_escape(name, escaped, sizeof escaped))
        return cli_fail("'%s' is no name of an artifact", name);
    snprintf(path, sizeof path, API_PREFIX "artifacts/%s", escaped);
    int status = server_link_ask(a, "DELETE", path, NULL, &doc);
    cJSON_Delete(doc);
    if (status != CLI_OK) return status;
    if (!cli_json_wanted(a)) {
        cli_print("deleted %s\n", name);
        return CLI_OK;
    }
    doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "deleted", name);
    return cli_print_json(doc);
}

static const struct cli_option push_options[] = {
    {"--name", "NAME", "name that devices ask for; else the file's", false},
    {"--kind", "esp-app|esp-bootloader|zigbee|other",
     "what the file is: images are checked before they are published; default: a Zigbee OTA file "
     "is recognized, all else is esp-app",
     false},
    SERVER_LINK_OPTIONS,
    {0},
};

static const struct cli_option link_options[] = {SERVER_LINK_OPTIONS, {0}};

const struct cli_command server_commands[] = {
    {"push", "FILE", "publish a file on airliftd",
     "The server takes an image only when it verifies. Devices find it at /firmware/NAME; "
     "publishing a name again replaces what it stands for, in one step.\n\n" SERVER_LINK_DETAILS,
     "airlift push build/hello.bin --data /var/lib/airlift", push_options, run_push},
    {"artifacts", "", "list what airliftd serves", SERVER_LINK_DETAILS,
     "airlift artifacts --data /var/lib/airlift", link_options, run_artifacts},
    {"artifacts delete", "NAME", "take a name and its history off airliftd", SERVER_LINK_DETAILS,
     "airlift artifacts delete hello.bin --data /var/lib/airlift", link_options,
     run_artifacts_delete},
    {0},
};
