/* What modules and publishers send to the module cloud. The first byte says what the rest is:
 * a key, a value of a query, a deployment, a report. What is taken has to keep the rules that
 * the clients need. */
#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/cloud_limit.h"
#include "server/cloud_list.h"
#include "server/cloud_query.h"

#define REQUIRE(x)         \
    do {                   \
        if (!(x)) abort(); \
    } while (0)

static void authorization(const char *text)
{
    char key[CLOUD_KEY_LEN + 1] = "";
    if (!cloud_authorization(text, key)) return;
    REQUIRE(strlen(key) == CLOUD_KEY_LEN);
    REQUIRE(strspn(key, "0123456789abcdef") == CLOUD_KEY_LEN);
}

static void value(const char *text)
{
    char out[CLOUD_FILE_MAX + 1];
    cloud_limit_address(text);
    if (!cloud_query_value(text, out, sizeof out)) return;
    REQUIRE(strlen(out) <= strlen(text) && strlen(out) < sizeof out);
    for (const char *p = out; *p; p++) REQUIRE((unsigned char)*p >= ' ');
}

/* A list with this version reads as JSON, and holds the texts that clients look for. */
static void list(const struct cloud_deploy *d)
{
    static struct cloud_list l;
    struct cloud_list_file files[CLOUD_FILES_MAX];
    for (size_t i = 0; i < d->count; i++)
        files[i] = (struct cloud_list_file){d->files[i].name, "00"};
    cloud_list_begin(&l, d->version);
    REQUIRE(cloud_list_add(&l, true, d->version, d->life_cycle, files, d->count));
    cloud_list_end(&l);
    const char *at = strstr(l.text, "rom_version\": \"");
    REQUIRE(at != NULL);
    at += strlen("rom_version\": \"");
    REQUIRE((size_t)(strstr(at, "\",") - at) == strlen(d->version));
    REQUIRE(strncmp(at, d->version, strlen(d->version)) == 0);
    cJSON *doc = cJSON_Parse(l.text);
    REQUIRE(doc != NULL);
    cJSON_Delete(doc);
}

static void deploy(const char *text, size_t len)
{
    struct cloud_deploy d;
    struct cloud_refusal why = {0};
    if (!cloud_deploy_parse(text, len, &d, &why)) {
        REQUIRE(why.status >= 400 && why.message[0]);
        return;
    }
    REQUIRE(d.count > 0 && d.count <= CLOUD_FILES_MAX);
    REQUIRE(d.version[0] && !strpbrk(d.version, "\", \\"));
    list(&d);
}

/* Goes to terminals and into JSON. */
static void plain(const char *text)
{
    for (; *text; text++) REQUIRE(*text >= ' ' && *text <= '~');
}

static void report(const char *text, size_t len)
{
    struct cloud_report r;
    if (!cloud_report_parse(text, len, &r)) return;
    REQUIRE(r.action[0]);
    plain(r.action);
    plain(r.before);
    plain(r.version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    char *text = malloc(size);
    if (!text) return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    switch (data[0] % 4) {
    case 0:
        authorization(text);
        break;
    case 1:
        value(text);
        break;
    case 2:
        deploy(text, size - 1);
        break;
    default:
        report(text, size - 1);
    }
    free(text);
    return 0;
}
