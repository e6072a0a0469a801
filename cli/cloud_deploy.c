/* airlift cloud deploy: looks at all files, publishes those that lie here, then deploys in one
 * step. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cloud.h"
#include "server/cloud_rules.h"

#define MAX_FILE (64u << 20)

struct source {
    char name[CLOUD_FILE_MAX + 1];        /* as modules ask for it */
    char artifact[ARTIFACT_NAME_MAX + 1]; /* as the server has it */
    uint8_t *data;                        /* NULL: it is there already */
    size_t len;
};

/* "v1.0/x" as part of an artifact's name. */
static void add_plain(char *out, size_t size, const char *text)
{
    size_t used = strlen(out);
    for (; *text && used + 1 < size; text++)
        out[used++] = isalnum((unsigned char)*text) || strchr("._+-", *text) ? *text : '_';
    out[used] = 0;
}

static int read_source(const struct cli_args *a, const char *path, struct source *s)
{
    char warning[240];
    struct cloud_refusal why;
    int status = cli_read_file(path, MAX_FILE, &s->data, &s->len);
    if (status != CLI_OK) return status;
    if (!cloud_file_check(s->name, s->data, s->len, warning, &why))
        return cli_fail("%s: %s%s%s", path, why.message, why.hint[0] ? "\n  " : "", why.hint);
    const char *parts[] = {cli_operand(a, 0), "-", cli_value(a, "--version"), "-", s->name};
    s->artifact[0] = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        add_plain(s->artifact, sizeof s->artifact, parts[i]);
    return CLI_OK;
}

/* "ota.bin=PATH" or "ota.bin=ARTIFACT". */
static int take_source(const struct cli_args *a, const char *text, struct source *s)
{
    struct cloud_refusal why;
    const char *equals = strchr(text, '=');
    if (!equals || (size_t)(equals - text) >= sizeof s->name)
        return cli_usage(a, "--file %s: give NAME=FILE, like ota.bin=build/app.bin", text);
    snprintf(s->name, sizeof s->name, "%.*s", (int)(equals - text), text);
    if (!cloud_file_ok(s->name, &why)) return cli_fail("%s\n  %s", why.message, why.hint);
    if (access(equals + 1, F_OK) == 0) return read_source(a, equals + 1, s);
    if (!artifact_name_ok(equals + 1))
        return cli_fail("%s: there is no such file, and it is no name of an artifact", equals + 1);
    snprintf(s->artifact, sizeof s->artifact, "%s", equals + 1);
    return CLI_OK;
}

static int push(const struct cli_args *a, const struct source *s)
{
    struct server_link l;
    cJSON *doc = NULL;
    bool is_app = strcmp(s->name, "ota.bin") == 0 && s->data[0] == 0xe9;
    int status = server_link_open(a, &l);
    if (status == CLI_OK)
        status =
            server_link_push(&l, s->artifact, is_app ? "esp-app" : "other", s->data, s->len, &doc);
    server_link_close(&l);
    cJSON_Delete(doc);
    return status;
}

static cJSON *deploy_body(const struct cli_args *a, const struct source *s, size_t count)
{
    cJSON *body = cJSON_CreateObject(), *files;
    const char *cycle = cli_value(a, "--life-cycle"), *core = cli_value(a, "--corename");
    cJSON_AddStringToObject(body, "version", cli_value(a, "--version"));
    if (cycle) cJSON_AddStringToObject(body, "life_cycle", cycle);
    if (core) cJSON_AddStringToObject(body, "corename", core);
    cJSON_AddBoolToObject(body, "current", cli_has(a, "--current"));
    files = cJSON_AddArrayToObject(body, "files");
    for (size_t i = 0; i < count; i++) {
        cJSON *f = cJSON_CreateObject();
        cJSON_AddStringToObject(f, "name", s[i].name);
        cJSON_AddStringToObject(f, "artifact", s[i].artifact);
        cJSON_AddItemToArray(files, f);
    }
    return body;
}

/* Nothing is published for a version that the product has already. */
static int check_new(const struct cli_args *a, const char *path)
{
    cJSON *doc;
    int status = server_link_ask(a, "GET", path, NULL, &doc);
    const cJSON *roms = cJSON_GetObjectItem(doc, "roms");
    for (const cJSON *r = roms ? roms->child : NULL; status == CLI_OK && r; r = r->next)
        if (strcmp(cli_text_of(r, "version"), cli_value(a, "--version")) == 0)
            status = cli_fail("'%s' has a version '%s' already; modules that have it would not see "
                              "a change: give a new one",
                              cli_operand(a, 0), cli_value(a, "--version"));
    cJSON_Delete(doc);
    return status;
}

static int deploy(const struct cli_args *a, const struct source *s, size_t count)
{
    char path[600];
    cJSON *doc;
    bool done;
    if (!cloud_path(a, "products", 0, "roms", path, sizeof path)) return CLI_FAILED;
    int status = check_new(a, path);
    for (size_t i = 0; status == CLI_OK && i < count; i++)
        if (s[i].data) status = push(a, &s[i]);
    if (status != CLI_OK) return status;
    status = cloud_ask(a, "POST", path, deploy_body(a, s, count), &doc, &done);
    if (done) return status;
    const cJSON *warnings = cJSON_GetObjectItem(doc, "warnings");
    for (const cJSON *w = warnings ? warnings->child : NULL; w; w = w->next)
        cli_warn("warning: %s", w->valuestring);
    cli_print("deployed %s of %s, %zu file%s%s\n", cli_text_of(doc, "version"), cli_operand(a, 0),
              count, count == 1 ? "" : "s",
              cli_has(a, "--current") ? "; it is the current version"
                                      : "; 'airlift cloud current' recommends it to modules");
    cJSON_Delete(doc);
    return CLI_OK;
}

int cloud_deploy_run(const struct cli_args *a)
{
    static struct source sources[CLOUD_FILES_MAX];
    struct cloud_refusal why;
    const char *version = cli_value(a, "--version"), *text;
    size_t count = 0;
    int status = CLI_OK;
    if (!version) return cli_usage(a, "which version is it? Give --version V");
    if (!cloud_version_ok(version, &why)) return cli_fail("%s\n  %s", why.message, why.hint);
    if (!cli_has(a, "--file")) return cli_usage(a, "which files? Give --file ota.bin=FILE");
    for (; status == CLI_OK && (text = cli_value_at(a, "--file", count)); count++) {
        if (count == CLOUD_FILES_MAX)
            status = cli_fail("a version has at most %u files", CLOUD_FILES_MAX);
        else
            status = take_source(a, text, &sources[count]);
        if (status != CLI_OK) break;
    }
    if (status == CLI_OK) status = deploy(a, sources, count);
    for (size_t i = 0; i < CLOUD_FILES_MAX; i++) free(sources[i].data);
    return status;
}
