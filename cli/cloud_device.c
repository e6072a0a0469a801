/* airlift cloud device, key. */
#include <stdio.h>
#include <string.h>

#include "cli/cloud.h"

#define PLACE_KEY                                                                                  \
    "A key is shown once; the server keeps its hash. It goes into a module's firmware as\n"        \
    "CONFIG_AT_OTA_TOKEN_KEY and CONFIG_AT_OTA_SSL_TOKEN_KEY (menuconfig of ESP-AT), with this\n"  \
    "server as CONFIG_AT_OTA_SERVER_IP and _PORT; then AT+CIUPDATE asks here. Airlift's own AT\n"  \
    "firmware takes it at run time, too: AT+SYSMFG=2,\"airlift_ota\",\"token\",7,40 and, behind\n" \
    "the >, the 40 digits (docs/at-upgrade.md).\n"

static void print_new(const cJSON *d)
{
    cli_print("device %-16s id %-5.0f serial %s  key %s\n", cli_text_of(d, "name"),
              cloud_number_of(d, "id"), cli_text_of(d, "serial"), cli_text_of(d, "key"));
}

static int create(const struct cli_args *a, const char *name, double count)
{
    cJSON *doc, *body = cJSON_CreateObject();
    bool done;
    cJSON_AddStringToObject(body, "name", name);
    cJSON_AddStringToObject(body, "product", cli_value(a, "--product"));
    if (cli_has(a, "--public")) cJSON_AddStringToObject(body, "privacy", "public");
    if (count > 0) cJSON_AddNumberToObject(body, "count", count);
    int status = cloud_ask(a, "POST", CLOUD_PATH "devices", body, &doc, &done);
    if (done) return status;
    cloud_print_list(doc, "devices", print_new, "none");
    cli_print("%s", PLACE_KEY);
    return CLI_OK;
}

int cloud_device_create_run(const struct cli_args *a)
{
    if (!cli_value(a, "--product")) return cli_usage(a, "of which product? Give --product NAME");
    return create(a, cli_operand(a, 0), 0);
}

int cloud_device_batch_run(const struct cli_args *a)
{
    bool ok = true;
    uint64_t count = cli_number(a, "--count", 0, CLOUD_BATCH_MAX, &ok);
    if (!ok) return CLI_USAGE;
    if (count < 2) return cli_usage(a, "how many? Give --count N, 2 to %u", CLOUD_BATCH_MAX);
    if (!cli_value(a, "--product")) return cli_usage(a, "of which product? Give --product NAME");
    return create(a, cli_operand(a, 0), (double)count);
}

static void print_device(const cJSON *d)
{
    const char *held = cli_text_of(d, "override"), *active = cli_text_of(d, "last_active");
    cli_print("%-20s id %-5.0f serial %s  %-16s %-8s %-10s last active %s%s%s\n",
              cli_text_of(d, "name"), cloud_number_of(d, "id"), cli_text_of(d, "serial"),
              cli_text_of(d, "product"), cli_text_of(d, "privacy"), cli_text_of(d, "status"),
              *active ? active : "never", *held ? "  held on " : "", held);
}

int cloud_device_list_run(const struct cli_args *a)
{
    char path[600] = CLOUD_PATH "devices";
    if (!cloud_path_add(path, sizeof path, "product", cli_value(a, "--product"))) return CLI_FAILED;
    return cloud_list(a, path, "devices", print_device, "there is no device");
}

int cloud_device_show_run(const struct cli_args *a)
{
    cJSON *doc;
    bool done;
    int status = cloud_show(a, "devices", &doc, &done);
    if (done) return status;
    print_device(doc);
    cJSON_Delete(doc);
    return CLI_OK;
}

int cloud_device_remove_run(const struct cli_args *a)
{
    char path[600];
    if (!cloud_path(a, "devices", 0, NULL, path, sizeof path)) return CLI_FAILED;
    return cloud_order(a, "DELETE", path, NULL, "removed, with its keys");
}

int cloud_device_move_run(const struct cli_args *a)
{
    char path[600];
    if (!cloud_path(a, "devices", 0, "move", path, sizeof path)) return CLI_FAILED;
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "product", cli_operand(a, 1));
    return cloud_order(a, "POST", path, body, "moved");
}

int cloud_device_override_run(const struct cli_args *a)
{
    char path[600];
    bool ends = cli_has(a, "--none"), holds = cli_operand_count(a) == 2;
    if (ends == holds) return cli_usage(a, "give a VERSION, or --none");
    if (!cloud_path(a, "devices", 0, "override", path, sizeof path)) return CLI_FAILED;
    cJSON *body = cJSON_CreateObject();
    if (holds)
        cJSON_AddStringToObject(body, "version", cli_operand(a, 1));
    else
        cJSON_AddNullToObject(body, "version");
    return cloud_order(a, "POST", path, body,
                       holds ? "the device is told of this version now"
                             : "the device is told of the product's current version");
}

int cloud_key_create_run(const struct cli_args *a)
{
    cJSON *doc, *body = cJSON_CreateObject();
    bool done;
    const char *device = cli_value(a, "--device"), *product = cli_value(a, "--product");
    const char *label = cli_value(a, "--label");
    if (!device == !product) {
        cJSON_Delete(body);
        return cli_usage(a, "for what? Give --device NAME or --product NAME");
    }
    cJSON_AddStringToObject(body, device ? "device" : "product", device ? device : product);
    if (label) cJSON_AddStringToObject(body, "label", label);
    int status = cloud_ask(a, "POST", CLOUD_PATH "keys", body, &doc, &done);
    if (done) return status;
    cli_print("%s key %.0f of %s: %s\n%s", cli_text_of(doc, "role"), cloud_number_of(doc, "id"),
              device ? device : product, cli_text_of(doc, "key"), device ? PLACE_KEY : "");
    cJSON_Delete(doc);
    return CLI_OK;
}

static void print_key(const cJSON *k)
{
    const char *device = cli_text_of(k, "device"), *revoked = cli_text_of(k, "revoked");
    cli_print("%5.0f  %-6s %-20s %-24s made %s%s%s\n", cloud_number_of(k, "id"),
              cli_text_of(k, "role"), *device ? device : cli_text_of(k, "product"),
              cli_text_of(k, "label"), cli_text_of(k, "created"), *revoked ? "  revoked " : "",
              revoked);
}

int cloud_key_list_run(const struct cli_args *a)
{
    char path[600] = CLOUD_PATH "keys";
    if (!cloud_path_add(path, sizeof path, "device", cli_value(a, "--device")) ||
        !cloud_path_add(path, sizeof path, "product", cli_value(a, "--product")))
        return CLI_FAILED;
    return cloud_list(a, path, "keys", print_key, "there is no key");
}

int cloud_key_revoke_run(const struct cli_args *a)
{
    char path[600];
    if (!cloud_path(a, "keys", 0, NULL, path, sizeof path)) return CLI_FAILED;
    return cloud_order(a, "DELETE", path, NULL, "revoked");
}
