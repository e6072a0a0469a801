/* See api.h. */
#include "server/api.h"

#include <string.h>

#include "host/version.h"
#include "server/answers.h"
#include "server/artifacts.h"
#include "server/auth.h"
#include "server/cloud_api.h"
#include "server/firmware.h"
#include "server/gateway_api.h"
#include "server/log.h"

#define CLOUD_PREFIX API_PREFIX "cloud/"

static const char page[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>airliftd</title>"
    "</head>\n<body><h1>airliftd " AIRLIFT_VERSION "</h1>\n<p>Firmware is at "
    "<code>/firmware/&lt;name&gt;</code>, the API under <code>/api/v1/</code>.</p>\n"
    "<p>Publish with <code>airlift push FILE --server URL --token-file FILE</code>.</p>"
    "</body></html>\n";

static void health(struct http_request *r)
{
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "status", "ok");
    cJSON_AddStringToObject(doc, "version", AIRLIFT_VERSION);
    answer_json(r, 200, doc);
}

static bool allowed(const struct api *api, struct http_request *r)
{
    char peer[64];
    const char *given = http_request_header(r, "Authorization");
    if (auth_allows(api->store, given)) return true;
    if (given) server_log("%s: wrong token", http_request_peer(r, peer));
    answer_error(r, 401, "unauthorized", given ? "the token is not right" : "a token is needed",
                 "send 'Authorization: Bearer TOKEN'; the token is in the file 'token' of the "
                 "server's data directory");
    http_answer_header(r, "WWW-Authenticate", "Bearer realm=\"airliftd\"");
    return false;
}

static void route_artifacts(struct api *api, struct http_request *r)
{
    if (!allowed(api, r)) return;
    if (http_request_is(r, "GET") || http_request_is(r, "HEAD"))
        artifacts_list(api, r);
    else if (http_request_is(r, "POST"))
        artifacts_upload_begin(api, r);
    else
        answer_method(r, "GET, HEAD, POST");
}

static void route_artifact(struct api *api, struct http_request *r, const char *name)
{
    if (!allowed(api, r)) return;
    if (http_request_is(r, "GET") || http_request_is(r, "HEAD"))
        artifacts_show(api, r, name);
    else if (http_request_is(r, "DELETE"))
        artifacts_delete(api, r, name);
    else
        answer_method(r, "GET, HEAD, DELETE");
}

static void route_zigbee(struct api *api, struct http_request *r, const char *rest)
{
    if (allowed(api, r)) gateway_api_answer(api->gateway, r, rest);
}

/* What follows prefix in path; NULL: path does not begin with it. */
static const char *behind(const char *path, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(path, prefix, len) == 0 ? path + len : NULL;
}

static void route_open(struct http_request *r, const char *path)
{
    bool reads = http_request_is(r, "GET") || http_request_is(r, "HEAD");
    bool is_page = strcmp(path, "/") == 0;
    if (!is_page && strcmp(path, API_PREFIX "health") != 0)
        answer_error(r, 404, "not_found", "there is nothing at this address",
                     "firmware is at /firmware/<name>, the API under " API_PREFIX);
    else if (!reads)
        answer_method(r, "GET, HEAD");
    else if (is_page)
        http_answer_text(r, 200, "text/html; charset=utf-8", page);
    else
        health(r);
}

/* Whose request it is, once it is let in. */
enum part { ARTIFACTS, CLOUD, MODULES };

static enum part part_of(const struct http_request *r)
{
    const char *path = http_request_path(r);
    if (path && behind(path, CLOUD_PREFIX)) return CLOUD;
    return path && behind(path, CLOUD_WIRE_PREFIX) ? MODULES : ARTIFACTS;
}

static void route_cloud(struct api *api, struct http_request *r, const char *rest)
{
    if (allowed(api, r)) cloud_api_begin(api->modules.cloud, r, rest);
}

static void begin(void *ctx, struct http_request *r)
{
    struct api *api = ctx;
    const char *path = http_request_path(r), *rest;
    enum part part = part_of(r);
    if (!path)
        answer_error(r, 400, "bad_path", "the path holds a bad percent escape", NULL);
    else if ((rest = behind(path, FIRMWARE_PREFIX)))
        firmware_answer(api->store, r, rest);
    else if (strcmp(path, API_PREFIX "artifacts") == 0)
        route_artifacts(api, r);
    else if ((rest = behind(path, API_PREFIX "artifacts/")))
        route_artifact(api, r, rest);
    else if ((rest = behind(path, API_PREFIX "zigbee/")))
        route_zigbee(api, r, rest);
    else if (part == MODULES)
        cloud_wire_begin(&api->modules, r, path);
    else if (part == CLOUD)
        route_cloud(api, r, behind(path, CLOUD_PREFIX));
    else
        route_open(r, path);
    http_answer_header(r, "X-Content-Type-Options", "nosniff");
}

static void body(void *ctx, struct http_request *r, const void *data, size_t len)
{
    struct api *api = ctx;
    enum part part = part_of(r);
    if (part == MODULES)
        cloud_wire_body(&api->modules, r, data, len);
    else if (part == CLOUD)
        cloud_api_body(r, data, len);
    else
        artifacts_upload_body(api, r, data, len);
}

static void end(void *ctx, struct http_request *r)
{
    struct api *api = ctx;
    enum part part = part_of(r);
    if (part == MODULES)
        cloud_wire_end(&api->modules, r);
    else if (part == CLOUD)
        cloud_api_end(r);
    else
        artifacts_upload_end(api, r);
}

static void gone(void *ctx, struct http_request *r)
{
    struct api *api = ctx;
    enum part part = part_of(r);
    if (part == MODULES)
        cloud_wire_gone(&api->modules, r);
    else if (part == CLOUD)
        cloud_api_gone(r);
    else
        artifacts_upload_gone(api, r);
}

const struct http_handler api_handler = {.begin = begin, .body = body, .end = end, .gone = gone};
