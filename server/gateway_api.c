#include "server/gateway_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/answers.h"

static const struct {
    const char *path, *command;
    bool reads;
} routes[] = {
    {"status", "status", true},        {"devices", "devices", true},
    {"images", "images", true},        {"backup", "backup", true},
    {"permit", "permit", false},       {"upgrades", "upgrade", false},
    {"abort", "abort", false},         {"notify", "notify", false},
    {"interview", "interview", false}, {"read-version", "read-version", false},
    {"remove", "remove", false},       {"install-code", "install-code", false},
    {"parallel", "parallel", false},   {"pause", "pause", false},
    {"resume", "resume", false},       {"change-key", "change-key", false},
};

/* Texts, then numbers, then the flag. */
#define TEXTS   3
#define NUMBERS 2
static const char *const arguments[] = {"device", "file",  "code", "seconds",
                                        "value",  "force", NULL};

static cJSON *command_of(struct http_request *r, const char *name)
{
    char value[200];
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "command", name);
    for (size_t i = 0; i < TEXTS; i++)
        if (http_request_query(r, arguments[i], value, sizeof value))
            cJSON_AddStringToObject(o, arguments[i], value);
    for (size_t i = TEXTS; i < TEXTS + NUMBERS; i++) {
        char *end;
        if (!http_request_query(r, arguments[i], value, sizeof value)) continue;
        double number = strtod(value, &end);
        if (end != value && !*end) cJSON_AddNumberToObject(o, arguments[i], number);
    }
    if (http_request_query(r, "force", value, sizeof value))
        cJSON_AddBoolToObject(o, "force", strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
    return o;
}

static void run(struct gateway_thread *t, struct http_request *r, const char *name)
{
    /* A name that is mistyped must not turn an order for one device into one for all. */
    const char *unknown = http_request_unknown_query(r, arguments);
    if (unknown) {
        char what[160];
        snprintf(what, sizeof what, "the argument '%.100s' has no meaning here", unknown);
        answer_error(r, 400, "argument", what,
                     "device, file, code, seconds, value and force are known");
        return;
    }
    cJSON *answer = gateway_thread_ask(t, command_of(r, name));
    const char *error = cJSON_GetStringValue(cJSON_GetObjectItem(answer, "error"));
    if (!answer) {
        answer_error(r, 503, "gateway", "the Zigbee gateway does not answer",
                     "the log tells what became of its radio");
    } else if (error) {
        answer_error(r, 409, "refused", error, NULL);
    } else {
        answer_json(r, 200, answer);
        return;
    }
    cJSON_Delete(answer);
}

void gateway_api_answer(struct gateway_thread *t, struct http_request *r, const char *rest)
{
    size_t i = 0, count = sizeof routes / sizeof *routes;
    while (i < count && strcmp(routes[i].path, rest) != 0) i++;
    if (!t)
        answer_error(r, 404, "no_gateway", "this server is no Zigbee gateway",
                     "start airliftd with --zigbee-radio");
    else if (i == count)
        answer_error(r, 404, "not_found", "there is nothing at this address", "see docs/zigbee.md");
    else if (!http_request_is(r, routes[i].reads ? "GET" : "POST"))
        answer_method(r, routes[i].reads ? "GET" : "POST");
    else
        run(t, r, routes[i].command);
}
