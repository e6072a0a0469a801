/* See cloud_api.h. */
#include "server/cloud_api.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/answers.h"
#include "server/cloud_body.h"
#include "server/cloud_wire.h"

#define LIST_DEFAULT 100u

/* Hangs on the request until it is gone. */
struct call {
    struct cloud *cloud;
    struct http_request *r;
    const struct route *route;
    char name[CLOUD_NAME_MAX + 32]; /* of the product or device, or a key's id */
    char device[CLOUD_NAME_MAX + 1], product[CLOUD_NAME_MAX + 1];
    char version[CLOUD_VERSION_MAX + 1]; /* arguments of the query; "": absent */
    int64_t before, limit;
    char who[80];
    struct cloud_body body;
    cJSON *in;
};

struct route {
    const char *method, *collection, *action; /* action "": of the collection or the name */
    bool named;
    void (*run)(struct call *k);
};

static void refuse(struct call *k, const struct cloud_refusal *why)
{
    answer_error(k->r, why->status, why->code, why->message, why->hint[0] ? why->hint : NULL);
}

/* list: NULL tells why. Answers {name: list}. */
static void give_list(struct call *k, const char *name, cJSON *list,
                      const struct cloud_refusal *why)
{
    if (!list) {
        refuse(k, why);
        return;
    }
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddItemToObject(doc, name, list);
    answer_json(k->r, 200, doc);
}

static void give(struct call *k, unsigned status, bool ok, cJSON *doc,
                 const struct cloud_refusal *why)
{
    if (ok)
        answer_json(k->r, status, doc);
    else
        refuse(k, why);
}

static void give_done(struct call *k, bool ok, const struct cloud_refusal *why)
{
    give(k, 200, ok, ok ? cJSON_CreateObject() : NULL, why);
}

/* A text of the body; fallback when it is absent. NULL: answered. */
static const char *text_of(struct call *k, const char *key, const char *fallback)
{
    char message[80];
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(k->in, key);
    const char *text = item ? cJSON_GetStringValue(item) : fallback;
    if (text) return text;
    snprintf(message, sizeof message, "'%s' is missing, or no text", key);
    answer_error(k->r, 400, "body", message, "see docs/cloud.md");
    return NULL;
}

/* An argument of the query, or NULL. */
static const char *given(const char *argument)
{
    return argument[0] ? argument : NULL;
}

/* 1 to max in decimal. */
static bool number_of(const char *text, int64_t max, int64_t *out)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    *out = n;
    return isdigit((unsigned char)text[0]) && *end == 0 && errno == 0 && n >= 1 && n <= max;
}

static bool take_text(struct http_request *r, const char *name, char *out, size_t size)
{
    return !http_request_query_raw(r, name) || (http_request_query(r, name, out, size) && *out);
}

static bool take_number(struct http_request *r, const char *name, int64_t max, int64_t *out)
{
    char text[24];
    return !http_request_query_raw(r, name) ||
           (http_request_query(r, name, text, sizeof text) && number_of(text, max, out));
}

/* Takes the query apart. What is misspelt or does not fit must not pass for absent: the answer
 * would tell of everything. */
static bool take_arguments(struct call *k)
{
    static const char *const names[] = {"device", "product", "version", "before", "limit", NULL};
    char message[120];
    struct http_request *r = k->r;
    const char *bad = http_request_unknown_query(r, names);
    k->limit = LIST_DEFAULT;
    if (!bad && !take_text(r, "device", k->device, sizeof k->device)) bad = "device";
    if (!bad && !take_text(r, "product", k->product, sizeof k->product)) bad = "product";
    if (!bad && !take_text(r, "version", k->version, sizeof k->version)) bad = "version";
    if (!bad && !take_number(r, "before", INT64_MAX, &k->before)) bad = "before";
    if (!bad && !take_number(r, "limit", CLOUD_LOG_MAX, &k->limit)) bad = "limit";
    if (!bad) return true;
    snprintf(message, sizeof message, "the argument '%.40s' is unknown, or its value is none", bad);
    answer_error(r, 400, "argument", message, "see docs/cloud.md");
    return false;
}

static void products_list(struct call *k)
{
    struct cloud_refusal why;
    give_list(k, "products", cloud_product_list(k->cloud, &why), &why);
}

static void products_create(struct call *k)
{
    struct cloud_refusal why;
    cJSON *doc = NULL;
    const char *name = text_of(k, "name", NULL);
    const char *about = name ? text_of(k, "description", "") : NULL;
    if (!about) return;
    bool ok = cloud_product_create(k->cloud, k->who, name, about, &doc, &why);
    give(k, 201, ok, doc, &why);
}

static void product_show(struct call *k)
{
    struct cloud_refusal why;
    cJSON *doc = cloud_product_show(k->cloud, k->name, &why);
    give(k, 200, doc != NULL, doc, &why);
}

static void product_remove(struct call *k)
{
    struct cloud_refusal why;
    give_done(k, cloud_product_remove(k->cloud, k->who, k->name, &why), &why);
}

static void roms_list(struct call *k)
{
    struct cloud_refusal why;
    cJSON *doc = cloud_product_show(k->cloud, k->name, &why); /* tells of a missing product */
    cJSON *roms = doc ? cJSON_DetachItemFromObject(doc, "roms") : NULL;
    cJSON_Delete(doc);
    give_list(k, "roms", roms, &why);
}

static void roms_deploy(struct call *k)
{
    struct cloud_refusal why;
    struct cloud_deploy d;
    cJSON *doc = NULL;
    bool ok = cloud_deploy_parse(k->body.text, k->body.len, &d, &why) &&
              cloud_deploy(k->cloud, k->who, k->name, &d, &doc, &why);
    give(k, 201, ok, doc, &why);
}

static void rom_remove(struct call *k)
{
    struct cloud_refusal why;
    if (!k->version[0])
        answer_error(k->r, 400, "version", "which version? Add ?version=V", NULL);
    else
        give_done(k, cloud_rom_remove(k->cloud, k->who, k->name, k->version, &why), &why);
}

static void rom_current(struct call *k)
{
    struct cloud_refusal why;
    const char *version = text_of(k, "version", NULL);
    if (version) give_done(k, cloud_rom_current(k->cloud, k->who, k->name, version, &why), &why);
}

static void devices_list(struct call *k)
{
    struct cloud_refusal why;
    give_list(k, "devices", cloud_device_list(k->cloud, given(k->product), &why), &why);
}

static void devices_create(struct call *k)
{
    struct cloud_refusal why;
    cJSON *list = NULL;
    const cJSON *count = cJSON_GetObjectItemCaseSensitive(k->in, "count");
    struct cloud_new_devices n = {.name = text_of(k, "name", NULL), .count = 1};
    if (n.name) n.product = text_of(k, "product", NULL);
    const char *privacy = n.product ? text_of(k, "privacy", "private") : NULL;
    if (!privacy) return;
    n.open = strcmp(privacy, "public") == 0;
    double number = cJSON_IsNumber(count) ? count->valuedouble : count ? 0 : 1;
    n.count = number >= 0 && number <= CLOUD_BATCH_MAX ? (unsigned)number : 0;
    if (n.count != number) n.count = 0; /* no whole number */
    if (!n.open && strcmp(privacy, "private") != 0)
        answer_error(k->r, 400, "privacy", "'privacy' is 'private' or 'public'", NULL);
    else if (cloud_device_create(k->cloud, k->who, &n, &list, &why)) {
        cJSON *doc = cJSON_CreateObject();
        cJSON_AddItemToObject(doc, "devices", list);
        answer_json(k->r, 201, doc);
    } else
        refuse(k, &why);
}

static void device_show(struct call *k)
{
    struct cloud_refusal why;
    cJSON *doc = cloud_device_show(k->cloud, k->name, &why);
    give(k, 200, doc != NULL, doc, &why);
}

static void device_remove(struct call *k)
{
    struct cloud_refusal why;
    give_done(k, cloud_device_remove(k->cloud, k->who, k->name, &why), &why);
}

static void device_move(struct call *k)
{
    struct cloud_refusal why;
    const char *product = text_of(k, "product", NULL);
    if (product) give_done(k, cloud_device_move(k->cloud, k->who, k->name, product, &why), &why);
}

static void device_override(struct call *k)
{
    struct cloud_refusal why;
    bool ends = cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(k->in, "version"));
    const char *version = ends ? NULL : text_of(k, "version", NULL);
    if (version || ends)
        give_done(k, cloud_device_override(k->cloud, k->who, k->name, version, &why), &why);
}

static void keys_list(struct call *k)
{
    struct cloud_refusal why;
    give_list(k, "keys", cloud_key_list(k->cloud, given(k->device), given(k->product), &why), &why);
}

static void keys_create(struct call *k)
{
    struct cloud_refusal why;
    cJSON *doc = NULL;
    const char *device = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(k->in, "device"));
    const char *product = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(k->in, "product"));
    const char *label = text_of(k, "label", "");
    if (!label) return;
    bool ok = cloud_key_create(k->cloud, k->who, device, product, label, &doc, &why);
    give(k, 201, ok, doc, &why);
}

static void key_revoke(struct call *k)
{
    struct cloud_refusal why;
    int64_t id;
    if (!number_of(k->name, INT64_MAX, &id))
        answer_error(k->r, 400, "id", "a key is named by its number",
                     "'airlift cloud key list' tells");
    else
        give_done(k, cloud_key_revoke(k->cloud, k->who, id, &why), &why);
}

static void events_list(struct call *k)
{
    struct cloud_refusal why;
    give_list(k, "events",
              cloud_event_list(k->cloud, given(k->device), k->before, (unsigned)k->limit, &why),
              &why);
}

static void audit_list(struct call *k)
{
    struct cloud_refusal why;
    give_list(k, "audit", cloud_audit_list(k->cloud, k->before, (unsigned)k->limit, &why), &why);
}

static const struct route routes[] = {
    {"GET", "products", "", false, products_list},
    {"POST", "products", "", false, products_create},
    {"GET", "products", "", true, product_show},
    {"DELETE", "products", "", true, product_remove},
    {"GET", "products", "roms", true, roms_list},
    {"POST", "products", "roms", true, roms_deploy},
    {"DELETE", "products", "roms", true, rom_remove},
    {"POST", "products", "current", true, rom_current},
    {"GET", "devices", "", false, devices_list},
    {"POST", "devices", "", false, devices_create},
    {"GET", "devices", "", true, device_show},
    {"DELETE", "devices", "", true, device_remove},
    {"POST", "devices", "move", true, device_move},
    {"POST", "devices", "override", true, device_override},
    {"GET", "keys", "", false, keys_list},
    {"POST", "keys", "", false, keys_create},
    {"DELETE", "keys", "", true, key_revoke},
    {"GET", "events", "", false, events_list},
    {"GET", "audit", "", false, audit_list},
};

/* "products/NAME/roms" in its three parts; an absent one is "". */
static bool split(const char *rest, char collection[16], char *name, size_t name_size,
                  char action[16])
{
    size_t a = strcspn(rest, "/"), b = 0, c = 0;
    const char *second = rest[a] ? rest + a + 1 : rest + a;
    b = strcspn(second, "/");
    const char *third = second[b] ? second + b + 1 : second + b;
    c = strlen(third);
    if (a >= 16 || b >= name_size || c >= 16) return false;
    snprintf(collection, 16, "%.*s", (int)a, rest);
    snprintf(name, name_size, "%.*s", (int)b, second);
    snprintf(action, 16, "%s", third);
    return true;
}

/* The route of this method; *methods: those that the address knows. */
static const struct route *find_route(struct call *k, const char *rest, char methods[40])
{
    char collection[16], action[16];
    size_t used = 0;
    methods[0] = 0;
    if (!split(rest, collection, k->name, sizeof k->name, action)) return NULL;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct route *o = &routes[i];
        if (strcmp(o->collection, collection) != 0 || strcmp(o->action, action) != 0 ||
            o->named != (k->name[0] != 0))
            continue;
        if (http_request_is(k->r, o->method)) return o;
        used += (size_t)snprintf(methods + used, 40 - used, "%s%s", used ? ", " : "", o->method);
    }
    return NULL;
}

void cloud_api_begin(struct cloud *c, struct http_request *r, const char *rest)
{
    char methods[40], peer[64];
    struct call *k = calloc(1, sizeof *k);
    http_request_set_user(r, k);
    if (!k) {
        answer_error(r, 503, "memory", "out of memory", NULL);
        return;
    }
    http_request_hurry(r);
    k->cloud = c;
    k->r = r;
    snprintf(k->who, sizeof k->who, "publishing token from %s", cloud_wire_peer(r, peer));
    k->route = find_route(k, rest, methods);
    if (k->route && !take_arguments(k)) return;
    if (k->route && !http_request_is(r, "POST"))
        k->route->run(k);
    else if (methods[0] && !k->route)
        answer_method(r, methods);
    else if (!k->route)
        answer_error(r, 404, "not_found", "there is nothing at this address", "see docs/cloud.md");
}

void cloud_api_body(struct http_request *r, const void *data, size_t len)
{
    struct call *k = http_request_user(r);
    if (!cloud_body_add(&k->body, data, len))
        answer_error(r, 413, "too_large", "the body is too long", NULL);
}

void cloud_api_end(struct http_request *r)
{
    struct call *k = http_request_user(r);
    k->in = k->body.text ? cloud_json_parse(k->body.text, k->body.len) : NULL;
    if (cJSON_IsObject(k->in))
        k->route->run(k);
    else
        answer_error(r, 400, "body", "the body is no JSON object", "see docs/cloud.md");
}

void cloud_api_gone(struct http_request *r)
{
    struct call *k = http_request_user(r);
    if (!k) return;
    cJSON_Delete(k->in);
    free(k->body.text);
    free(k);
}
