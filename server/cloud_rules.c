/* See cloud_rules.h. */
#include "server/cloud_rules.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/partition_magic.h"
#include "server/image_check.h"

#define WARNING_LEN 240u

bool cloud_refuse(struct cloud_refusal *why, unsigned status, const char *code, const char *hint,
                  const char *format, ...)
{
    va_list list;
    why->status = status;
    snprintf(why->code, sizeof why->code, "%s", code);
    snprintf(why->hint, sizeof why->hint, "%s", hint ? hint : "");
    va_start(list, format);
    vsnprintf(why->message, sizeof why->message, format, list);
    va_end(list);
    return false;
}

bool cloud_name_ok(const char *name, struct cloud_refusal *why)
{
    size_t len = strlen(name), good = 0;
    while (isalnum((unsigned char)name[good]) || name[good] == '_' || name[good] == '-') good++;
    if (len > 0 && len <= CLOUD_NAME_MAX && good == len) return true;
    return cloud_refuse(why, 400, "name", "letters, digits, '_' and '-', at most 32",
                        "'%.64s' is no name for a product or device", name);
}

/* The first byte of text that clients stumble over; NULL: none. */
static const char *bad_byte(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~' || strchr("\",\\&#%", *text)) return text;
    return NULL;
}

bool cloud_label_ok(const char *what, const char *label, struct cloud_refusal *why)
{
    const char *bad = bad_byte(label);
    if (strlen(label) <= CLOUD_LABEL_MAX && !bad) return true;
    return cloud_refuse(why, 400, "label", "at most 32 printable characters but \" , \\ & # %",
                        "the %s '%.40s' cannot be used", what, label);
}

bool cloud_description_ok(const char *text, struct cloud_refusal *why)
{
    bool shows = true;
    for (const char *c = text; *c; c++) shows = shows && (unsigned char)*c >= ' ' && *c != 0x7f;
    if (shows && strlen(text) <= CLOUD_DESCRIPTION_MAX) return true;
    return cloud_refuse(why, 400, "description", NULL,
                        "the description is longer than %u bytes, or has control characters",
                        CLOUD_DESCRIPTION_MAX);
}

bool cloud_version_ok(const char *version, struct cloud_refusal *why)
{
    const char *bad = bad_byte(version), *blank = strchr(version, ' ');
    if (!bad || (blank && blank < bad)) bad = blank;
    if (bad)
        return cloud_refuse(why, 400, "version",
                            "modules search for the text and ask for it unencoded: use letters, "
                            "digits and . _ - +",
                            "the version '%.64s' holds the byte 0x%02x at %zu, which modules "
                            "cannot read",
                            version, (unsigned char)*bad, (size_t)(bad - version));
    if (version[0] && strlen(version) <= CLOUD_VERSION_MAX) return true;
    return cloud_refuse(why, 400, "version", NULL, "a version has 1 to %u characters",
                        CLOUD_VERSION_MAX);
}

bool cloud_file_ok(const char *name, struct cloud_refusal *why)
{
    size_t len = strlen(name);
    bool named = len > 4 && len <= CLOUD_FILE_MAX && strcmp(name + len - 4, ".bin") == 0;
    if (named && !bad_byte(name) && !strchr(name, '/')) return true;
    return cloud_refuse(why, 400, "file",
                        "modules ask for ota.bin, or <partition>.bin; ESP8266 for user1.bin or "
                        "user2.bin",
                        "'%.72s' is no file name that modules ask for", name);
}

static bool check_app(const uint8_t *data, size_t len, char *warning, struct cloud_refusal *why)
{
    struct artifact a = {.name = "ota.bin", .kind = "esp-app"};
    struct image_refusal refusal;
    if (len > 3 && memcmp(data, "ESP", 3) == 0) {
        snprintf(warning, WARNING_LEN,
                 "ota.bin is a packed image, for modules with compressed upgrades only; its "
                 "content was not checked");
        return true;
    }
    if (image_check(data, len, &a, &refusal)) return true;
    return cloud_refuse(why, 422, "image", "'airlift image verify FILE' makes the same checks",
                        "ota.bin is no app that boots: %s", refusal.message);
}

static bool check_esp8266(const char *name, const uint8_t *data, size_t len,
                          struct cloud_refusal *why)
{
    if (len > 0 && (data[0] == 0xe9 || data[0] == 0xea)) return true;
    return cloud_refuse(why, 422, "magic", NULL,
                        "%s is no ESP8266 image: the first byte is 0x%02x, expected 0xe9 or 0xea",
                        name, len > 0 ? data[0] : 0);
}

/* A user partition by its magic. *known: modules take it. */
static bool check_partition(const char *name, const uint8_t *data, size_t len, bool *known,
                            struct cloud_refusal *why)
{
    char partition[CLOUD_FILE_MAX + 1];
    struct partition_magic_fault fault;
    snprintf(partition, sizeof partition, "%.*s", (int)(strlen(name) - strlen(".bin")), name);
    enum partition_magic magic = partition_magic_check(partition, data, len, &fault);
    *known = magic != PARTITION_MAGIC_UNKNOWN;
    if (magic != PARTITION_MAGIC_WRONG) return true;
    if (fault.found < 0)
        return cloud_refuse(why, 422, "magic", NULL, "%s ends before its magic, after %zu bytes",
                            name, len);
    return cloud_refuse(why, 422, "magic", "modules erase the partition before they notice",
                        "%s is not what its name says: at offset %zu it has 0x%02x, expected "
                        "0x%02x",
                        name, fault.at, (unsigned)fault.found, fault.expected);
}

bool cloud_file_check(const char *name, const uint8_t *data, size_t len, char warning[240],
                      struct cloud_refusal *why)
{
    warning[0] = 0;
    if (!cloud_file_ok(name, why)) return false;
    if (len == 0) return cloud_refuse(why, 422, "empty", NULL, "%s is empty", name);
    if (strcmp(name, "ota.bin") == 0) return check_app(data, len, warning, why);
    if (strcmp(name, "user1.bin") == 0 || strcmp(name, "user2.bin") == 0)
        return check_esp8266(name, data, len, why);
    bool known;
    if (!check_partition(name, data, len, &known, why)) return false;
    if (known) return true;
    if (strchr(name, ' '))
        snprintf(warning, WARNING_LEN,
                 "'%s' has a blank in its name: no partition of ESP-AT is called so", name);
    else
        snprintf(warning, WARNING_LEN,
                 "%s: ESP-AT since 2022 takes only partitions whose magic it knows; with this one "
                 "it fails, and the partition is erased by then",
                 name);
    return true;
}
