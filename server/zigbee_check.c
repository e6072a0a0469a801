#include "server/zigbee_check.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/bytes.h"
#include "host/zigbee_file.h"

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);
    return len > end_len && strcasecmp(name + len - end_len, end) == 0;
}

bool zigbee_recognized(const char *name, const uint8_t *data, size_t len)
{
    return (len >= 4 && al_get_le32(data) == AL_ZFILE_MAGIC) || ends_with(name, ".zigbee") ||
           ends_with(name, ".ota");
}

bool zigbee_check(const uint8_t *data, size_t len, struct artifact *a, struct image_refusal *why)
{
    struct zigbee_bytes bytes = {data, len};
    struct al_zfile file;
    struct al_zfile_fault fault;
    struct al_zfile_verdict verdict = {.count = 0};
    struct al_zfile_source source = zigbee_source(&bytes);
    const struct al_zfile_fault *decisive = &fault;
    if (al_zfile_open(&file, &source, &fault) == 0) {
        al_zfile_check(&file, NULL, &verdict);
        decisive = al_zfile_error(&verdict, true);
    }
    if (decisive) {
        snprintf(why->check, sizeof why->check, "%s", al_zfile_class_name(decisive->class));
        zigbee_fault_explain(decisive, why->message, sizeof why->message);
        return false;
    }
    const struct al_zfile_header *h = &file.header;
    snprintf(a->chip, sizeof a->chip, "%04x-%04x", h->manufacturer, h->image_type);
    snprintf(a->version, sizeof a->version, "0x%08x", h->file_version);
    size_t used = 0;
    for (size_t i = 0; i < AL_ZFILE_STRING && h->string[i] && used < sizeof a->project - 1; i++)
        a->project[used++] = h->string[i] >= 0x20 && h->string[i] < 0x7f ? (char)h->string[i] : '?';
    a->project[used] = '\0';
    return true;
}

bool zigbee_ids(const struct artifact *a, struct al_zota_id *id)
{
    unsigned manufacturer, type, version;
    if (strcmp(a->kind, ZIGBEE_KIND) != 0 ||
        sscanf(a->chip, "%4x-%4x", &manufacturer, &type) != 2 ||
        sscanf(a->version, "0x%8x", &version) != 1)
        return false;
    *id = (struct al_zota_id){(uint16_t)manufacturer, (uint16_t)type, version};
    return true;
}
