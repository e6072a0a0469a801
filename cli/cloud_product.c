/* airlift cloud product, roms, current, events, audit. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cloud.h"

int cloud_product_create_run(const struct cli_args *a)
{
    cJSON *doc, *body = cJSON_CreateObject();
    bool done;
    const char *about = cli_value(a, "--description");
    cJSON_AddStringToObject(body, "name", cli_operand(a, 0));
    if (about) cJSON_AddStringToObject(body, "description", about);
    int status = cloud_ask(a, "POST", CLOUD_PATH "products", body, &doc, &done);
    if (done) return status;
    cli_print("product %s: id %.0f, serial %s\n"
              "  secret     %s\n  owner key  %s\n"
              "These are shown once. The owner key deploys: POST /v1/products/%.0f/roms/ with\n"
              "'Authorization: token KEY'.\n",
              cli_text_of(doc, "name"), cloud_number_of(doc, "id"), cli_text_of(doc, "serial"),
              cli_text_of(doc, "secret"), cli_text_of(doc, "owner_key"),
              cloud_number_of(doc, "id"));
    cJSON_Delete(doc);
    return CLI_OK;
}

static void print_product(const cJSON *p)
{
    const char *current = cli_text_of(p, "current_version");
    cli_print("%-24s id %-5.0f serial %s  %4.0f of %.0f devices activated  current %s\n",
              cli_text_of(p, "name"), cloud_number_of(p, "id"), cli_text_of(p, "serial"),
              cloud_number_of(p, "activated"), cloud_number_of(p, "devices"),
              *current ? current : "none");
}

int cloud_product_list_run(const struct cli_args *a)
{
    return cloud_list(a, CLOUD_PATH "products", "products", print_product, "there is no product");
}

static void print_rom(const cJSON *r)
{
    bool current = cJSON_IsTrue(cJSON_GetObjectItem(r, "current"));
    const cJSON *files = cJSON_GetObjectItem(r, "files");
    cli_print("%c %-20s %-8s %-12s %s\n", current ? '*' : ' ', cli_text_of(r, "version"),
              cli_text_of(r, "life_cycle"), cli_text_of(r, "corename"), cli_text_of(r, "deployed"));
    for (const cJSON *f = files ? files->child : NULL; f; f = f->next)
        cli_print("    %-20s %10.0f  %.12s  %s\n", cli_text_of(f, "name"),
                  cloud_number_of(f, "size"), cli_text_of(f, "sha256"), cli_text_of(f, "artifact"));
}

int cloud_product_show_run(const struct cli_args *a)
{
    cJSON *doc;
    bool done;
    int status = cloud_show(a, "products", &doc, &done);
    if (done) return status;
    print_product(doc);
    if (*cli_text_of(doc, "description")) cli_print("%s\n", cli_text_of(doc, "description"));
    return cloud_print_list(doc, "roms", print_rom, "no version is deployed");
}

int cloud_product_remove_run(const struct cli_args *a)
{
    char path[600];
    if (!cloud_path(a, "products", 0, NULL, path, sizeof path)) return CLI_FAILED;
    return cloud_order(a, "DELETE", path, NULL, "removed");
}

int cloud_roms_run(const struct cli_args *a)
{
    char path[600];
    if (!cloud_path(a, "products", 0, "roms", path, sizeof path)) return CLI_FAILED;
    return cloud_list(a, path, "roms", print_rom, "no version is deployed");
}

int cloud_roms_remove_run(const struct cli_args *a)
{
    char path[1024];
    if (!cloud_path(a, "products", 0, "roms", path, sizeof path) ||
        !cloud_path_add(path, sizeof path, "version", cli_operand(a, 1)))
        return CLI_FAILED;
    return cloud_order(a, "DELETE", path, NULL, "removed");
}

int cloud_current_run(const struct cli_args *a)
{
    char path[600];
    if (!cloud_path(a, "products", 0, "current", path, sizeof path)) return CLI_FAILED;
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "version", cli_operand(a, 1));
    return cloud_order(a, "POST", path, body, "modules that ask are told of this version now");
}

static void print_event(const cJSON *e)
{
    cli_print("%s  %-16s %-16s %-10s %-12s %-16s %-12s %10.0f  %s %s\n", cli_text_of(e, "at"),
              cli_text_of(e, "product"), cli_text_of(e, "device"), cli_text_of(e, "action"),
              cli_text_of(e, "version"), cli_text_of(e, "file"), cli_text_of(e, "status"),
              cloud_number_of(e, "bytes"), cli_text_of(e, "address"), cli_text_of(e, "detail"));
}

/* Adds an option's number to the query. */
static bool add_number(const struct cli_args *a, const char *option, uint64_t max, char *path,
                       size_t size)
{
    char text[24];
    bool ok = true;
    uint64_t n = cli_number(a, option, 0, max, &ok);
    if (!ok || !cli_has(a, option)) return ok;
    snprintf(text, sizeof text, "%" PRIu64, n);
    return cloud_path_add(path, size, option + 2, text);
}

/* Newest first; --limit and --before page. */
static int list_log(const struct cli_args *a, const char *what, const char *device,
                    void (*print)(const cJSON *item))
{
    char path[600];
    snprintf(path, sizeof path, CLOUD_PATH "%s", what);
    if (!cloud_path_add(path, sizeof path, "device", device)) return CLI_FAILED;
    if (!add_number(a, "--limit", CLOUD_LOG_MAX, path, sizeof path) ||
        !add_number(a, "--before", INT64_MAX, path, sizeof path))
        return CLI_USAGE;
    return cloud_list(a, path, what, print, "nothing has happened yet");
}

int cloud_events_run(const struct cli_args *a)
{
    return list_log(a, "events", cli_value(a, "--device"), print_event);
}

static void print_audit(const cJSON *e)
{
    cli_print("%s  %-32s %-16s %-24s %s\n", cli_text_of(e, "at"), cli_text_of(e, "who"),
              cli_text_of(e, "what"), cli_text_of(e, "object"), cli_text_of(e, "detail"));
}

int cloud_audit_run(const struct cli_args *a)
{
    return list_log(a, "audit", NULL, print_audit);
}
