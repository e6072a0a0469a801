/* ZCL frames as JSON; the fields of the OTA cluster come from zigbee_ota_frame.c. */
#include "cli/zigbee_dissect_impl.h"

#include <stdlib.h>
#include <string.h>

#include "cli/text.h"
#include "cli/zigbee.h"
#include "core/err.h"
#include "zigbee/ota_frame.h"

#define EXACT_MAX 0x20000000000000u /* 2^53: what a JSON number keeps exactly */

static const char *const general_names[] = {
    "Read Attributes",
    "Read Attributes Response",
    "Write Attributes",
    "Write Attributes Undivided",
    "Write Attributes Response",
    "Write Attributes No Response",
    "Configure Reporting",
    "Configure Reporting Response",
    "Read Reporting Configuration",
    "Read Reporting Configuration Response",
    "Report Attributes",
    "Default Response",
    "Discover Attributes",
    "Discover Attributes Response",
};

static bool is_signed(uint8_t type)
{
    return type >= AL_ZCL_INT8 && type <= AL_ZCL_INT64;
}

static void add_text(cJSON *o, const char *key, const uint8_t *s, size_t len)
{
    char *text = malloc(len + 1);
    if (!text) return;
    memcpy(text, s, len);
    text[len] = 0;
    cJSON_AddStringToObject(o, key, text);
    free(text);
}

static void add_value(cJSON *o, const char *key, const struct al_zcl_value *v)
{
    size_t len;
    const uint8_t *s = al_zcl_value_string(v, &len);
    uint64_t n = al_zcl_value_unsigned(v);
    int64_t i = al_zcl_value_signed(v);
    bool integer = v->type >= 0x08 && v->type <= 0x31;
    bool octets = v->type == AL_ZCL_OCTETS || v->type == AL_ZCL_LONG_OCTETS;
    if (v->type == AL_ZCL_BOOL && n < 2)
        cJSON_AddBoolToObject(o, key, n != 0);
    else if (is_signed(v->type) && i > -(int64_t)EXACT_MAX && i < (int64_t)EXACT_MAX)
        cJSON_AddNumberToObject(o, key, (double)i);
    else if (integer && !is_signed(v->type) && n < EXACT_MAX)
        cJSON_AddNumberToObject(o, key, (double)n);
    else if (v->type == AL_ZCL_EUI64)
        dissect_eui(o, key, n);
    else if (s && !octets && text_is_utf8(s, len) && !memchr(s, 0, len))
        add_text(o, key, s, len);
    else if (s)
        dissect_hex(o, key, s, len);
    else
        dissect_hex(o, key, v->data, v->len);
}

static void add_record(cJSON *list, uint8_t command, const struct al_zcl_record *r)
{
    cJSON *o = cJSON_CreateObject();
    bool good = r->status == AL_ZCL_SUCCESS;
    bool answers_all = command == AL_ZCL_WRITE_RSP || command == AL_ZCL_CONFIGURE_REPORTING_RSP;
    bool reporting =
        command == AL_ZCL_CONFIGURE_REPORTING || (command == AL_ZCL_READ_REPORTING_RSP && good);
    cJSON_AddItemToArray(list, o);
    if (!answers_all || !good) cJSON_AddNumberToObject(o, "attr", r->attr);
    if (answers_all || command == AL_ZCL_READ_RSP || command == AL_ZCL_READ_REPORTING_RSP)
        cJSON_AddNumberToObject(o, "status", r->status);
    if (reporting || command == AL_ZCL_READ_REPORTING)
        cJSON_AddNumberToObject(o, "direction", r->direction);
    if (reporting && r->direction) {
        cJSON_AddNumberToObject(o, "timeout", r->timeout);
    } else if (reporting) {
        cJSON_AddNumberToObject(o, "type", r->value.type);
        cJSON_AddNumberToObject(o, "min_interval", r->min_interval);
        cJSON_AddNumberToObject(o, "max_interval", r->max_interval);
        if (r->change.len) add_value(o, "change", &r->change);
    } else if (r->value.data || command == AL_ZCL_DISCOVER_RSP) {
        cJSON_AddNumberToObject(o, "type", r->value.type);
        if (r->value.len) add_value(o, "value", &r->value);
    }
}

static void add_records(struct dissection *x, cJSON *o, uint8_t command, struct al_cur c)
{
    cJSON *list = cJSON_AddArrayToObject(o, "records");
    struct al_zcl_record r;
    int got;
    while ((got = al_zcl_record_get(&r, command, &c)) == 1) add_record(list, command, &r);
    if (got < 0) dissect_parse_error(x, "zcl", "list of attributes", got);
}

static void general(struct dissection *x, cJSON *o, const struct al_zcl_frame *z)
{
    struct al_cur c = al_cur(z->payload, z->payload_len);
    struct al_zcl_default_rsp d;
    struct al_zcl_discover f;
    int err = 0;
    switch (z->command) {
    case AL_ZCL_DEFAULT_RSP:
        err = al_zcl_default_rsp_parse(&d, z->payload, z->payload_len);
        if (err) break;
        cJSON_AddNumberToObject(o, "of_command", d.command);
        cJSON_AddNumberToObject(o, "status", d.status);
        break;
    case AL_ZCL_DISCOVER:
        err = al_zcl_discover_parse(&f, z->payload, z->payload_len);
        if (err) break;
        cJSON_AddNumberToObject(o, "start", f.start);
        cJSON_AddNumberToObject(o, "max", f.max);
        break;
    case AL_ZCL_DISCOVER_RSP:
        cJSON_AddBoolToObject(o, "complete", al_u8(&c));
        add_records(x, o, z->command, c);
        break;
    default:
        if (z->command < AL_ZCL_DISCOVER)
            add_records(x, o, z->command, c);
        else
            dissect_hex(o, "payload", z->payload, z->payload_len);
    }
    if (err) dissect_parse_error(x, "zcl", general_names[z->command], err);
}

static void ota(struct dissection *x, cJSON *o, const struct al_zcl_frame *z)
{
    cJSON *fields = zigbee_zcl_ota_json(z);
    if (z->command < AL_ZOTA_COMMANDS)
        cJSON_AddStringToObject(o, "name", al_zota_command_name(z->command));
    if (fields) {
        cJSON_AddItemToObject(o, "fields", fields);
        return;
    }
    dissect_hex(o, "payload", z->payload, z->payload_len);
    dissect_parse_error(x, "zcl", "OTA command",
                        z->command < AL_ZOTA_COMMANDS ? AL_ERR_SHORT : AL_ERR_NOT_SUPPORTED);
}

void dissect_zcl(struct dissection *x, uint16_t cluster, const uint8_t *asdu, size_t len)
{
    struct al_zcl_frame z;
    int err = al_zcl_parse(&z, asdu, len);
    if (err) {
        dissect_hex(dissect_object(x->doc, "zcl"), "payload", asdu, len);
        dissect_parse_error(x, "zcl", "ZCL header", err);
        return;
    }
    cJSON *o = zigbee_zcl_header_json(&z, asdu[0]);
    cJSON_AddItemToObject(x->doc, "zcl", o);
    cJSON_AddNumberToObject(o, "cluster", cluster);
    if (!z.cluster_specific) {
        if (z.command < sizeof general_names / sizeof *general_names)
            cJSON_AddStringToObject(o, "name", general_names[z.command]);
        general(x, o, &z);
    } else if (cluster == AL_ZOTA_CLUSTER && !z.manufacturer_specific) {
        ota(x, o, &z);
    } else {
        dissect_hex(o, "payload", z.payload, z.payload_len);
    }
}
