/* Commands that talk to airliftd: publish firmware, see and delete what is there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/server_link.h"
#include "host/crypto_openssl.h"
#include "server/api.h"

#define MAX_FILE  (UINT64_C(1) << 30)
#define PIECE_LEN 65536u

/* Sends the file as body. A server that refuses early closes; its answer says why, so a
 * failing write is left to server_link_finish. */
static void send_file(struct server_link *l, const uint8_t *data, size_t len)
{
    struct cli_progress progress;
    size_t sent = 0;
    cli_progress_begin(&progress, "uploading", len);
    while (sent < len) {
        size_t piece = len - sent < PIECE_LEN ? len - sent : PIECE_LEN;
        int n = http_client_write(l->http, data + sent, piece);
        if (n <= 0) break;
        sent += (size_t)n;
        cli_progress_update(&progress, sent);
    }
    cli_progress_end(&progress);
}

/* Path of the upload, with its arguments. */
static int upload_path(const struct cli_args *a, const uint8_t *data, size_t len, char *path,
                       size_t size)
{
    uint8_t digest[AL_SHA256];
    char hex[2 * AL_SHA256 + 1], escaped[3 * ARTIFACT_NAME_MAX + 1];
    const char *file = cli_operand(a, 0), *slash = strrchr(file, '/');
    const char *name = cli_value(a, "--name"), *kind = cli_value(a, "--kind");
    if (!name) name = slash ? slash + 1 : file;
    if (!artifact_name_ok(name) || !server_link_escape(name, escaped, sizeof escaped))
        return cli_fail("'%s' is no name for an artifact: up to %u letters, digits and . _ + -, "
                        "beginning with a letter or digit; give --name NAME",
                        name, ARTIFACT_NAME_MAX);
    crypto_digest(AL_SHA256, data, len, digest);
    crypto_hex(digest, sizeof digest, hex);
    /* Without a kind the server finds it out. */
    snprintf(path, size, API_PREFIX "artifacts?name=%s%s%s&sha256=%s", escaped,
             kind ? "&kind=" : "", kind ? kind : "", hex);
    return CLI_OK;
}

static int push_data(const struct cli_args *a, const uint8_t *data, size_t len)
{
    struct server_link l;
    char path[1024];
    cJSON *doc;
    int status = upload_path(a, data, len, path, sizeof path);
    if (status != CLI_OK) return status;
    status = server_link_open(a, &l);
    if (status == CLI_OK) status = server_link_begin(&l, "POST", path, (int64_t)len);
    if (status == CLI_OK) {
        send_file(&l, data, len);
        status = server_link_finish(&l, &doc);
    }
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

/* One request without body; *doc is the answer. */
static int request(const struct cli_args *a, const char *method, const char *path, cJSON **doc)
{
    struct server_link l;
    int status = server_link_open(a, &l);
    if (status == CLI_OK) status = server_link_begin(&l, method, path, 0);
    if (status == CLI_OK) status = server_link_finish(&l, doc);
    server_link_close(&l);
    return status;
}

static int run_artifacts(const struct cli_args *a)
{
    cJSON *doc = NULL;
    int status = request(a, "GET", API_PREFIX "artifacts", &doc);
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
    int status = request(a, "DELETE", path, &doc);
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
