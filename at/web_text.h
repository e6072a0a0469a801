/* Texts of the web server: bodies that come in, JSON that goes out. No I/O, any bytes.
 * Source: ESP-AT's web server (setstainfo, getresult), its own escaping of JSON. */
#ifndef AT_WEB_TEXT_H
#define AT_WEB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define WEB_SSID_MAX     32u
#define WEB_PASSWORD_MAX 64u
#define WEB_LABEL_MAX    16u /* name of a partition */

struct web_station {
    char ssid[WEB_SSID_MAX + 1];
    char password[WEB_PASSWORD_MAX + 1];
};

/* Body of POST /setstainfo: {"ssid":"x","password":"y",...}; other keys are not looked at. false:
 * no such JSON, an empty or too long name, a too long password. */
bool web_station_parse(const char *body, size_t len, struct web_station *out);
/* As versions 2.2-2.4 took it: sta_ssid=x&sta_password=y, not decoded. */
bool web_station_parse_form(const char *body, size_t len, struct web_station *out);

/* Is name=value one of the fields of a form? */
bool web_form_has(const char *body, size_t len, const char *name, const char *value);

/* Header Object: the name of a partition. false: empty, longer than a name may be, or with bytes
 * that no name has. */
bool web_object_valid(const char *object);

/* Writes text between quotes. As the original: backslash, quote and slash get a backslash;
 * in addition control characters become \u00xx, without which it is no JSON. */
void web_json_text(FILE *out, const char *text);

#endif
