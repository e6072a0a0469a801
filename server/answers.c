/* See answers.h. */
#include "server/answers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void answer_json(struct http_request *r, unsigned status, cJSON *doc)
{
    char *text = cJSON_PrintUnformatted(doc);
    cJSON_Delete(doc);
    if (!text) return; /* no memory: the connection ends without an answer */
    http_answer_text(r, status, "application/json", text);
    http_answer_header(r, "Cache-Control", "no-store");
    free(text);
}

void answer_error(struct http_request *r, unsigned status, const char *code, const char *message,
                  const char *hint)
{
    cJSON *doc = cJSON_CreateObject();
    cJSON *error = cJSON_AddObjectToObject(doc, "error");
    cJSON_AddStringToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", message);
    if (hint) cJSON_AddStringToObject(error, "hint", hint);
    answer_json(r, status, doc);
}

void answer_store_error(struct http_request *r, int err, const char *name)
{
    char text[256];
    if (err == -ENOENT) {
        snprintf(text, sizeof text, "there is no artifact '%.127s'", name);
        answer_error(r, 404, "not_found", text, "GET /api/v1/artifacts lists what is there");
    } else if (err == -EBUSY) {
        snprintf(text, sizeof text, "modules get '%.127s' from the cloud", name);
        answer_error(r, 409, "in_use", text,
                     "remove the version that holds it first: 'airlift cloud roms PRODUCT' and "
                     "'airlift cloud roms remove' tell and do");
    } else if (err == -ENOSPC || err == -EDQUOT || err == -EFBIG) {
        answer_error(r, 507, "disk_full", "the server has no room for this file",
                     "free space in its data directory, or delete artifacts");
    } else {
        answer_error(r, 500, "storage", "the server's storage failed",
                     "the server's log tells more");
    }
}

void answer_method(struct http_request *r, const char *methods)
{
    char text[128];
    snprintf(text, sizeof text, "%.20s is not possible here", http_request_method(r));
    answer_error(r, 405, "method", text, methods);
    http_answer_header(r, "Allow", methods);
}
