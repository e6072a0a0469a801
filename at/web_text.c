/* Bodies and JSON of the web server. See web_text.h. */
#include "at/web_text.h"

#include <cjson/cJSON.h>
#include <string.h>

/* A text of JSON, at most max bytes, into out (max + 1 bytes). */
static bool take_text(const cJSON *object, const char *key, char *out, size_t max)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsString(item)) return false;
    size_t len = strlen(item->valuestring);
    if (len > max) return false;
    memcpy(out, item->valuestring, len + 1);
    return true;
}

bool web_station_parse(const char *body, size_t len, struct web_station *out)
{
    memset(out, 0, sizeof *out);
    cJSON *json = cJSON_ParseWithLength(body, len);
    bool ok = cJSON_IsObject(json) && take_text(json, "ssid", out->ssid, WEB_SSID_MAX) &&
              out->ssid[0] && take_text(json, "password", out->password, WEB_PASSWORD_MAX);
    cJSON_Delete(json);
    return ok;
}

/* The value of a field, not decoded; NULL: there is none. */
static const char *field(const char *body, size_t len, const char *name, size_t *value_len)
{
    const char *end = body + len;
    size_t name_len = strlen(name);
    for (const char *at = body; at < end;) {
        const char *amp = memchr(at, '&', (size_t)(end - at));
        const char *stop = amp ? amp : end;
        if ((size_t)(stop - at) > name_len && memcmp(at, name, name_len) == 0 &&
            at[name_len] == '=') {
            *value_len = (size_t)(stop - at) - name_len - 1;
            return at + name_len + 1;
        }
        at = stop + 1;
    }
    return NULL;
}

static bool take_field(const char *body, size_t len, const char *name, char *out, size_t max)
{
    size_t value_len;
    const char *value = field(body, len, name, &value_len);
    if (!value || value_len > max || memchr(value, 0, value_len)) return false;
    memcpy(out, value, value_len);
    out[value_len] = 0;
    return true;
}

bool web_station_parse_form(const char *body, size_t len, struct web_station *out)
{
    memset(out, 0, sizeof *out);
    return take_field(body, len, "sta_ssid", out->ssid, WEB_SSID_MAX) && out->ssid[0] &&
           take_field(body, len, "sta_password", out->password, WEB_PASSWORD_MAX);
}

bool web_form_has(const char *body, size_t len, const char *name, const char *value)
{
    size_t value_len;
    const char *at = field(body, len, name, &value_len);
    return at && value_len == strlen(value) && memcmp(at, value, value_len) == 0;
}

bool web_object_valid(const char *object)
{
    size_t len = strlen(object);
    if (len == 0 || len > WEB_LABEL_MAX) return false;
    for (size_t i = 0; i < len; i++)
        if (object[i] < '!' || object[i] > '~') return false;
    return true;
}

void web_json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ')
            fprintf(out, "\\u%04x", c);
        else if (c == '\\' || c == '"' || c == '/')
            fprintf(out, "\\%c", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}
