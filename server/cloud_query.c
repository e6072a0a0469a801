/* See cloud_query.h. */
#include "server/cloud_query.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool cloud_authorization(const char *header, char key[CLOUD_KEY_LEN + 1])
{
    static const char scheme[] = "token ";
    if (!header || strncasecmp(header, scheme, sizeof scheme - 1) != 0) return false;
    header += sizeof scheme - 1;
    header += strspn(header, " ");
    for (size_t i = 0; i < CLOUD_KEY_LEN; i++) {
        if (!isxdigit((unsigned char)header[i])) return false;
        key[i] = (char)tolower((unsigned char)header[i]);
    }
    key[CLOUD_KEY_LEN] = 0;
    header += CLOUD_KEY_LEN;
    return header[strspn(header, " \t")] == 0;
}

static int hex_digit(char c)
{
    if (!isxdigit((unsigned char)c)) return -1;
    return isdigit((unsigned char)c) ? c - '0' : (tolower((unsigned char)c) - 'a') + 10;
}

bool cloud_query_value(const char *raw, char *out, size_t size)
{
    size_t used = 0;
    if (!raw) return false;
    while (*raw) {
        unsigned char c = (unsigned char)*raw;
        int high = c == '%' ? hex_digit(raw[1]) : -1, low = high >= 0 ? hex_digit(raw[2]) : -1;
        if (low >= 0) c = (unsigned char)(high * 16 + low);
        if (c < ' ' || used + 1 >= size) return false;
        out[used++] = (char)c;
        raw += low >= 0 ? 3 : 1;
    }
    out[used] = 0;
    return true;
}

cJSON *cloud_json_parse(const char *text, size_t len)
{
    static const char escaped[] = "\\u0000";
    const char *end = text;
    if (memchr(text, 0, len) || memmem(text, len, escaped, sizeof escaped - 1)) return NULL;
    cJSON *doc = cJSON_ParseWithLengthOpts(text, len, &end, false);
    while (doc && end < text + len && isspace((unsigned char)*end)) end++;
    if (doc && end == text + len) return doc;
    cJSON_Delete(doc);
    return NULL;
}

/* false: there, but no text, or too long. Absent leaves out alone. */
static bool take_text(const cJSON *doc, const char *key, char *out, size_t size)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(doc, key);
    const char *text = cJSON_GetStringValue(item);
    if (!item) return true;
    if (!text || strlen(text) >= size) return false;
    snprintf(out, size, "%s", text);
    return true;
}

static bool bad_field(struct cloud_refusal *why, const char *key)
{
    return cloud_refuse(why, 400, "body", "see docs/cloud.md",
                        "'%s' is missing, of the wrong type, or too long", key);
}

static bool take_files(const cJSON *list, struct cloud_deploy *out, struct cloud_refusal *why)
{
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0) return bad_field(why, "files");
    for (const cJSON *f = list->child; f; f = f->next) {
        if (out->count == CLOUD_FILES_MAX)
            return cloud_refuse(why, 400, "files", NULL, "a version has at most %u files",
                                CLOUD_FILES_MAX);
        char *name = out->files[out->count].name, *from = out->files[out->count].artifact;
        if (!take_text(f, "name", name, CLOUD_FILE_MAX + 1)) return bad_field(why, "files[].name");
        if (!take_text(f, "path", from, ARTIFACT_NAME_MAX + 1) ||
            !take_text(f, "artifact", from, ARTIFACT_NAME_MAX + 1) || !from[0])
            return bad_field(why, "files[].artifact");
        if (!take_text(f, "sha256", out->files[out->count].sha256, BLOB_HEX_LEN))
            return bad_field(why, "files[].sha256");
        if (!cloud_file_ok(name, why)) return false;
        for (size_t i = 0; i < out->count; i++)
            if (strcmp(out->files[i].name, name) == 0)
                return cloud_refuse(why, 400, "files", NULL, "'%s' is there twice", name);
        out->count++;
    }
    return true;
}

static bool take_flag(const cJSON *doc, const char *key, bool *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(doc, key);
    if (!item) return true;
    if (!cJSON_IsBool(item) && !cJSON_IsNumber(item)) return false;
    *out = cJSON_IsTrue(item) || (cJSON_IsNumber(item) && item->valuedouble != 0);
    return true;
}

static bool take_deploy(const cJSON *doc, struct cloud_deploy *out, struct cloud_refusal *why)
{
    const cJSON *roms = cJSON_GetObjectItemCaseSensitive(doc, "productRoms");
    if (cJSON_GetArraySize(roms) > 1)
        return cloud_refuse(why, 400, "body", NULL, "one version at a time, not %d",
                            cJSON_GetArraySize(roms));
    if (roms) doc = roms->child;
    if (!cJSON_IsObject(doc)) return bad_field(why, roms ? "productRoms" : "the body");
    if (!take_text(doc, "version", out->version, sizeof out->version))
        return bad_field(why, "version");
    if (!take_text(doc, "life_cycle", out->life_cycle, sizeof out->life_cycle))
        return bad_field(why, "life_cycle");
    if (!take_text(doc, "corename", out->corename, sizeof out->corename))
        return bad_field(why, "corename");
    if (!take_flag(doc, "current", &out->current) || !take_flag(doc, "recommended", &out->current))
        return bad_field(why, "current");
    return cloud_version_ok(out->version, why) &&
           cloud_label_ok("life cycle", out->life_cycle, why) &&
           cloud_label_ok("corename", out->corename, why) &&
           take_files(cJSON_GetObjectItemCaseSensitive(doc, "files"), out, why);
}

bool cloud_deploy_parse(const char *text, size_t len, struct cloud_deploy *out,
                        struct cloud_refusal *why)
{
    *out = (struct cloud_deploy){.life_cycle = "beta"};
    cJSON *doc = cloud_json_parse(text, len);
    if (!doc) return cloud_refuse(why, 400, "body", NULL, "the body is no JSON");
    bool ok = take_deploy(doc, out, why);
    cJSON_Delete(doc);
    return ok;
}

void cloud_make_plain(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~') *text = '?';
}

bool cloud_report_parse(const char *text, size_t len, struct cloud_report *out)
{
    *out = (struct cloud_report){0};
    cJSON *doc = cloud_json_parse(text, len);
    const cJSON *get = cJSON_GetObjectItemCaseSensitive(doc, "get");
    const cJSON *body = cJSON_GetObjectItemCaseSensitive(doc, "body");
    bool ok = take_text(get, "action", out->action, sizeof out->action) &&
              take_text(body, "pre_rom_version", out->before, sizeof out->before) &&
              take_text(body, "rom_version", out->version, sizeof out->version) && out->action[0];
    cloud_make_plain(out->action);
    cloud_make_plain(out->before);
    cloud_make_plain(out->version);
    cJSON_Delete(doc);
    return ok;
}
