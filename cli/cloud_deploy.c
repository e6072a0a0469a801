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
    char sha256[BLOB_HEX_LEN];            /* of what was published; "": nothing was */
    uint8_t *data;                        /* NULL: it is there already */
    size_t len;
};

/* PRODUCT-VERSION-NAME; what is no part of an artifact's name becomes '_'. */
static int name_artifact(const struct cli_args *a, struct source *s)
{
    char name[512];
    snprintf(name, sizeof name, "%s-%s-%s", cli_operand(a, 0), cli_value(a, "--version"), s->name);
    for (char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._+-", *p)) *p = '_';
    if (!artifact_name_ok(name))
        return cli_fail(
            "%s is no name of an artifact\n  publish the file with 'airlift push', then "
            "give --file %s=ARTIFACT",
            name, s->name);
    snprintf(s->artifact, sizeof s->artifact, "%s", name);
    return CLI_OK;
}

static int read_source(const struct cli_args *a, const char *path, struct source *s)
{
    char warning[240];
    struct cloud_refusal why;
    int status = cli_read_file(path, MAX_FILE, &s->data, &s->len);
    if (status != CLI_OK) return status;
    if (!cloud_file_check(s->name, s->data, s->len, warning, &why))
        return cli_fail("%s: %s%s%s", path, why.message, why.hint[0] ? "\n  " : "", why.hint);
    return name_artifact(a, s);
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

static int push(const struct cli_args *a, struct source *s)
{
    struct server_link l;
    cJSON *doc = NULL;
    bool is_app = strcmp(s->name, "ota.bin") == 0 && s->data[0] == 0xe9;
    int status = server_link_open(a, &l);
    if (status == CLI_OK)
        status =
            server_link_push(&l, s->artifact, is_app ? "esp-app" : "other", s->data, s->len, &doc);
    server_link_close(&l);
    snprintf(s->sha256, sizeof s->sha256, "%s", cli_text_of(doc, "sha256"));
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
        if (s[i].sha256[0]) cJSON_AddStringToObject(f, "sha256", s[i].sha256);
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

/* Are the artifacts there that the server is said to have? A name that is a SHA-256 is looked for
 * by the deployment alone. */
static int check_artifacts(const struct cli_args *a, const struct source *s, size_t count)
{
    char path[ARTIFACT_NAME_MAX + 64];
    int status = CLI_OK;
    for (size_t i = 0; status == CLI_OK && i < count; i++) {
        if (s[i].data || strspn(s[i].artifact, "0123456789abcdef") == BLOB_HEX_LEN - 1) continue;
        cJSON *doc = NULL;
        snprintf(path, sizeof path, API_PREFIX "artifacts/%s", s[i].artifact);
        status = server_link_ask(a, "GET", path, NULL, &doc);
        cJSON_Delete(doc);
        if (status != CLI_OK) cli_warn("there is no file %s here either", s[i].artifact);
    }
    return status;
}

/* What was published and is in no version. */
static void tell_leftovers(const struct source *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (s[i].sha256[0])
            cli_warn("%s is published, but in no version: give the command again, or 'airlift "
                     "artifacts delete %s'",
                     s[i].artifact, s[i].artifact);
}

static int deploy(const struct cli_args *a, struct source *s, size_t count)
{
    char path[600];
    cJSON *doc;
    bool done;
    if (!cloud_path(a, "products", 0, "roms", path, sizeof path)) return CLI_FAILED;
    int status = check_new(a, path);
    if (status == CLI_OK) status = check_artifacts(a, s, count);
    for (size_t i = 0; status == CLI_OK && i < count; i++)
        if (s[i].data) status = push(a, &s[i]);
    if (status == CLI_OK)
        status = cloud_ask(a, "POST", path, deploy_body(a, s, count), &doc, &done);
    if (status != CLI_OK) tell_leftovers(s, count);
    if (status != CLI_OK || done) return status;
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

/* What the server would refuse only when the files are there. */
static int check_labels(const struct cli_args *a)
{
    struct cloud_refusal why;
    const char *cycle = cli_value(a, "--life-cycle"), *core = cli_value(a, "--corename");
    if (cloud_version_ok(cli_value(a, "--version"), &why) &&
        (!cycle || cloud_label_ok("life cycle", cycle, &why)) &&
        (!core || cloud_label_ok("corename", core, &why)))
        return CLI_OK;
    return cli_fail("%s\n  %s", why.message, why.hint);
}

int cloud_deploy_run(const struct cli_args *a)
{
    static struct source sources[CLOUD_FILES_MAX];
    const char *text;
    size_t count = 0;
    if (!cli_value(a, "--version")) return cli_usage(a, "which version is it? Give --version V");
    int status = check_labels(a);
    if (status == CLI_OK && !cli_has(a, "--file"))
        return cli_usage(a, "which files? Give --file ota.bin=FILE");
    for (; status == CLI_OK && (text = cli_value_at(a, "--file", count)); count++) {
        if (count == CLOUD_FILES_MAX)
            status = cli_fail("a version has at most %u files", CLOUD_FILES_MAX);
        else
            status = take_source(a, text, &sources[count]);
        for (size_t i = 0; status == CLI_OK && i < count; i++)
            if (strcmp(sources[i].name, sources[count].name) == 0)
                status = cli_usage(a, "--file %s is there twice", sources[i].name);
        if (status != CLI_OK) break;
    }
    if (status == CLI_OK) status = deploy(a, sources, count);
    for (size_t i = 0; i < CLOUD_FILES_MAX; i++) free(sources[i].data);
    return status;
}
