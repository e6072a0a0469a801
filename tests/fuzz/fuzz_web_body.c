/* What comes over HTTP to the device: bodies of /setstainfo and /getresult, and the headers that
 * decide who may ask. The input is lines: Host, Origin, Content-Type, Object, Authorization; then
 * the body. What was understood stays inside its limits, and can be said as JSON again. */
#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "at/web_guard.h"
#include "at/web_text.h"

enum { HOST, ORIGIN, TYPE, OBJECT, AUTHORIZATION, HEADERS };

/* A text of JSON gives what it was made of, when that is a text of JSON at all. */
static void say_again(const char *text)
{
    char *json;
    size_t len;
    FILE *out = open_memstream(&json, &len);
    if (!out) return;
    web_json_text(out, text);
    fclose(out);
    cJSON *back = cJSON_ParseWithLength(json, len);
    if (!cJSON_IsString(back) || strcmp(back->valuestring, text) != 0) abort();
    cJSON_Delete(back);
    free(json);
}

static void try_station(bool understood, const struct web_station *s)
{
    if (!understood) return;
    if (!s->ssid[0] || strlen(s->ssid) > WEB_SSID_MAX) abort();
    if (strlen(s->password) > WEB_PASSWORD_MAX) abort();
    say_again(s->ssid);
    say_again(s->password);
}

static void try_headers(char *const header[HEADERS])
{
    struct web_head h = {.host = header[HOST],
                         .origin = header[ORIGIN],
                         .content_type = header[TYPE],
                         .object = header[OBJECT]};
    enum web_verdict v = web_check_change(&h, "my.example", false);
    /* Whoever may change things comes from the host that was asked. */
    if (!v && h.origin && !strcasestr(h.origin, h.host)) abort();
    if (!web_verdict_text(v)) abort();
    if (web_object_valid(header[OBJECT]) && strlen(header[OBJECT]) > WEB_LABEL_MAX) abort();
    web_password_fits(header[AUTHORIZATION], "secret");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct web_station s;
    char *header[HEADERS];
    char *text = malloc(size + 1);
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = 0;
    size_t at = 0;
    for (size_t i = 0; i < HEADERS; i++) {
        char *end = memchr(text + at, '\n', size - at);
        header[i] = text + at;
        if (end) *end = 0;
        at = end ? (size_t)(end - text) + 1 : size;
    }
    try_headers(header);
    size_t len = size - at;
    char *body = malloc(len ? len : 1); /* its end is the end of what may be read */
    if (body) {
        memcpy(body, data + at, len);
        try_station(web_station_parse(body, len, &s), &s);
        try_station(web_station_parse_form(body, len, &s), &s);
        web_form_has(body, len, "received", "1");
    }
    free(body);
    free(text);
    return 0;
}
