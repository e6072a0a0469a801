/* OTA cluster frames as JSON, both ways. The fields of a command are listed once, in a
 * function that runs over them and either writes each into the document or reads it. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/zigbee.h"
#include "core/err.h"
#include "host/crypto_openssl.h"
#include "host/zigbee_file.h"
#include "zigbee/ota_frame.h"
#include "zigbee/zcl_frame.h"

#define FRAME_MAX (5 + AL_ZOTA_PAYLOAD_MAX)

struct io {
    cJSON *fields;
    bool reading;  /* from fields; else they are made */
    char why[160]; /* the first thing that was wrong */
    uint8_t data[255];
};

static bool given(const struct io *io, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(io->fields, name) != NULL;
}

static void wrong(struct io *io, const char *name, const char *what)
{
    if (!io->why[0]) snprintf(io->why, sizeof io->why, "%s: %s", name, what);
}

static uint32_t number(struct io *io, const char *name, uint32_t value, uint32_t max)
{
    if (!io->reading) {
        cJSON_AddNumberToObject(io->fields, name, value);
        return value;
    }
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(io->fields, name);
    double d = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (d >= 0 && d <= max && d == floor(d)) return (uint32_t)d;
    char what[80];
    snprintf(what, sizeof what, "%s; a number from 0 to %u is needed",
             item ? "is no such number" : "is missing", max);
    wrong(io, name, what);
    return 0;
}

static void u8(struct io *io, const char *name, uint8_t *v)
{
    *v = (uint8_t)number(io, name, *v, 0xff);
}

static void u16(struct io *io, const char *name, uint16_t *v)
{
    *v = (uint16_t)number(io, name, *v, 0xffff);
}

static void u32(struct io *io, const char *name, uint32_t *v)
{
    *v = number(io, name, *v, UINT32_MAX);
}

static void eui(struct io *io, const char *name, uint64_t *v)
{
    char text[32];
    if (!io->reading) {
        snprintf(text, sizeof text, "0x%016llx", (unsigned long long)*v);
        cJSON_AddStringToObject(io->fields, name, text);
    } else {
        const char *s = cli_text_of(io->fields, name);
        if (!zigbee_eui_parse(s, v))
            wrong(io, name, "an EUI-64 as text is needed, like \"0x744dbdfffe60aa02\"");
    }
}

/* Text of hexadecimal digits to bytes; how many, or -1. */
static int from_hex(const char *text, uint8_t *out, size_t max)
{
    size_t n = 0;
    while (*text) {
        unsigned byte;
        if (isspace((unsigned char)*text)) {
            text++;
            continue;
        }
        if (n == max || !isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
            sscanf(text, "%2x", &byte) != 1)
            return -1;
        out[n++] = (uint8_t)byte;
        text += 2;
    }
    return (int)n;
}

static void data(struct io *io, struct al_zota_image_block_rsp *r)
{
    char hex[2 * 255 + 1];
    if (!io->reading) {
        u8(io, "dataSize", &r->data_size);
        crypto_hex(r->data, r->data_size, hex);
        cJSON_AddStringToObject(io->fields, "data", hex);
        return;
    }
    int n = from_hex(cli_text_of(io->fields, "data"), io->data, sizeof io->data);
    if (!given(io, "data") || n < 0)
        wrong(io, "data", "up to 255 bytes as hexadecimal digits are needed");
    r->data = io->data;
    r->data_size = (uint8_t)n;
    if (given(io, "dataSize")) u8(io, "dataSize", &r->data_size);
    if (n >= 0 && r->data_size != n) wrong(io, "dataSize", "is not the length of data");
}

static void id(struct io *io, struct al_zota_id *v)
{
    u16(io, "manufacturerCode", &v->manufacturer);
    u16(io, "imageType", &v->image_type);
    u32(io, "fileVersion", &v->file_version);
}

/* Field control; left out, it announces what is given. */
static void control(struct io *io, bool *first, const char *first_name, bool *second,
                    const char *second_name)
{
    uint8_t bits = (uint8_t)((*first ? 1 : 0) | (second && *second ? 2 : 0));
    if (io->reading) {
        bits =
            (uint8_t)((given(io, first_name) ? 1 : 0) | (second && given(io, second_name) ? 2 : 0));
        if (given(io, "fieldControl")) u8(io, "fieldControl", &bits);
        *first = bits & 1;
        if (second) *second = bits & 2;
    } else {
        u8(io, "fieldControl", &bits);
    }
}

static void image_notify(struct io *io, struct al_zota_image_notify *n)
{
    u8(io, "payloadType", &n->payload_type);
    u8(io, "queryJitter", &n->query_jitter);
    if (io->reading) n->whole = true;
    if (!n->whole) return;
    if (n->payload_type >= 1) u16(io, "manufacturerCode", &n->id.manufacturer);
    if (n->payload_type >= 2) u16(io, "imageType", &n->id.image_type);
    if (n->payload_type >= 3) u32(io, "fileVersion", &n->id.file_version);
}

static void query_next_image_req(struct io *io, struct al_zota_query_next_image_req *q)
{
    control(io, &q->has_hardware_version, "hardwareVersion", NULL, NULL);
    id(io, &q->id);
    if (q->has_hardware_version) u16(io, "hardwareVersion", &q->hardware_version);
}

static void query_next_image_rsp(struct io *io, struct al_zota_query_next_image_rsp *r)
{
    u8(io, "status", &r->status);
    if (r->status != AL_ZOTA_SUCCESS) return;
    id(io, &r->id);
    u32(io, "imageSize", &r->image_size);
}

static void image_block_req(struct io *io, struct al_zota_image_block_req *q)
{
    control(io, &q->has_node_addr, "requestNodeIeeeAddress", &q->has_min_block_period,
            "minimumBlockPeriod");
    id(io, &q->id);
    u32(io, "fileOffset", &q->file_offset);
    u8(io, "maximumDataSize", &q->max_data_size);
    if (q->has_node_addr) eui(io, "requestNodeIeeeAddress", &q->node_addr);
    if (q->has_min_block_period) u16(io, "minimumBlockPeriod", &q->min_block_period);
}

static void image_page_req(struct io *io, struct al_zota_image_page_req *q)
{
    control(io, &q->has_node_addr, "requestNodeIeeeAddress", NULL, NULL);
    id(io, &q->id);
    u32(io, "fileOffset", &q->file_offset);
    u8(io, "maximumDataSize", &q->max_data_size);
    u16(io, "pageSize", &q->page_size);
    u16(io, "responseSpacing", &q->response_spacing);
    if (q->has_node_addr) eui(io, "requestNodeIeeeAddress", &q->node_addr);
}

static void image_block_rsp(struct io *io, struct al_zota_image_block_rsp *r)
{
    u8(io, "status", &r->status);
    if (r->status == AL_ZOTA_SUCCESS) {
        id(io, &r->id);
        u32(io, "fileOffset", &r->file_offset);
        data(io, r);
    } else if (r->status == AL_ZOTA_WAIT_FOR_DATA) {
        u32(io, "currentTime", &r->current_time);
        u32(io, "requestTime", &r->request_time);
        if (io->reading) r->has_min_block_period = given(io, "minimumBlockPeriod");
        if (r->has_min_block_period) u16(io, "minimumBlockPeriod", &r->min_block_period);
    }
}

static void upgrade_end_req(struct io *io, struct al_zota_upgrade_end_req *q)
{
    u8(io, "status", &q->status);
    if (io->reading) q->has_id = q->status == AL_ZOTA_SUCCESS || given(io, "manufacturerCode");
    if (q->has_id) id(io, &q->id);
}

static void upgrade_end_rsp(struct io *io, struct al_zota_upgrade_end_rsp *r)
{
    id(io, &r->id);
    u32(io, "currentTime", &r->current_time);
    u32(io, "upgradeTime", &r->upgrade_time);
}

static void specific_file_req(struct io *io, struct al_zota_specific_file_req *q)
{
    eui(io, "eui64", &q->node_addr);
    id(io, &q->id);
    u16(io, "zigbeeStackVersion", &q->stack_version);
}

static void fields_of(struct io *io, struct al_zota_frame *f)
{
    switch (f->command) {
    case AL_ZOTA_IMAGE_NOTIFY:
        image_notify(io, &f->u.image_notify);
        break;
    case AL_ZOTA_QUERY_NEXT_IMAGE_REQ:
        query_next_image_req(io, &f->u.query_next_image_req);
        break;
    case AL_ZOTA_QUERY_NEXT_IMAGE_RSP:
    case AL_ZOTA_SPECIFIC_FILE_RSP:
        query_next_image_rsp(io, &f->u.query_next_image_rsp);
        break;
    case AL_ZOTA_IMAGE_BLOCK_REQ:
        image_block_req(io, &f->u.image_block_req);
        break;
    case AL_ZOTA_IMAGE_PAGE_REQ:
        image_page_req(io, &f->u.image_page_req);
        break;
    case AL_ZOTA_IMAGE_BLOCK_RSP:
        image_block_rsp(io, &f->u.image_block_rsp);
        break;
    case AL_ZOTA_UPGRADE_END_REQ:
        upgrade_end_req(io, &f->u.upgrade_end_req);
        break;
    case AL_ZOTA_UPGRADE_END_RSP:
        upgrade_end_rsp(io, &f->u.upgrade_end_rsp);
        break;
    default:
        specific_file_req(io, &f->u.specific_file_req);
    }
}

static void default_rsp(struct io *io, struct al_zcl_default_rsp *d)
{
    u8(io, "cmdId", &d->command);
    u8(io, "statusCode", &d->status);
}

cJSON *zigbee_zcl_header_json(const struct al_zcl_frame *z, uint8_t frame_control)
{
    cJSON *h = cJSON_CreateObject();
    cJSON_AddNumberToObject(h, "frame_control", frame_control);
    cJSON_AddStringToObject(h, "frame_type", z->cluster_specific ? "cluster" : "global");
    cJSON_AddStringToObject(h, "direction", z->to_client ? "server_to_client" : "client_to_server");
    cJSON_AddBoolToObject(h, "disable_default_response", z->no_default_response);
    if (z->manufacturer_specific) cJSON_AddNumberToObject(h, "manufacturer_code", z->manufacturer);
    cJSON_AddNumberToObject(h, "tsn", z->seq);
    cJSON_AddNumberToObject(h, "command_id", z->command);
    return h;
}

cJSON *zigbee_zcl_ota_json(const struct al_zcl_frame *z)
{
    struct al_zota_frame f;
    if (!z->cluster_specific || al_zota_parse(z->command, z->payload, z->payload_len, &f))
        return NULL;
    struct io io = {.fields = cJSON_CreateObject()};
    fields_of(&io, &f);
    return io.fields;
}

/* The payload's fields; of a general command that is no default response its bytes. */
static int payload_to_json(struct io *io, const struct al_zcl_frame *z)
{
    struct al_zota_frame f;
    struct al_zcl_default_rsp d;
    if (z->cluster_specific) {
        int err = al_zota_parse(z->command, z->payload, z->payload_len, &f);
        if (err == AL_ERR_NOT_SUPPORTED)
            return cli_fail("the OTA cluster has no command 0x%02x", z->command);
        if (err)
            return cli_fail("%s: a payload of %zu bytes is too short; a device answers "
                            "MALFORMED_COMMAND",
                            al_zota_command_name(z->command), z->payload_len);
        fields_of(io, &f);
    } else if (z->command == AL_ZCL_DEFAULT_RSP) {
        if (al_zcl_default_rsp_parse(&d, z->payload, z->payload_len))
            return cli_fail("Default Response: a payload of %zu bytes, it has 2", z->payload_len);
        default_rsp(io, &d);
    } else {
        char hex[2 * FRAME_MAX + 1];
        crypto_hex(z->payload, z->payload_len, hex);
        cJSON_AddStringToObject(io->fields, "payload", hex);
    }
    return CLI_OK;
}

static void print_object(const char *title, const cJSON *o)
{
    const cJSON *item;
    cli_print("%s\n", title);
    cJSON_ArrayForEach(item, o)
    {
        char *text = cJSON_PrintUnformatted(item);
        cli_print("  %-26s %s\n", item->string, text ? text : "");
        free(text);
    }
}

int zigbee_decode_ota(const struct cli_args *a)
{
    uint8_t frame[FRAME_MAX] = {0};
    struct al_zcl_frame z;
    int n = from_hex(cli_operand(a, 0), frame, sizeof frame);
    if (n < 0)
        return cli_usage(a,
                         "a frame as hexadecimal digits is needed, of at most %d bytes; a file of "
                         "frames takes --layer mac",
                         FRAME_MAX);
    int err = al_zcl_parse(&z, frame, (size_t)n);
    if (err == AL_ERR_NOT_SUPPORTED)
        return cli_fail("frame control 0x%02x at offset 0: frame types 2 and 3 are reserved",
                        frame[0]);
    if (err) return cli_fail("%d bytes are too few for a ZCL header", n);
    struct io io = {.fields = cJSON_CreateObject()};
    cJSON *doc = cJSON_CreateObject();
    cJSON *header = zigbee_zcl_header_json(&z, frame[0]);
    cJSON_AddItemToObject(doc, "header", header);
    cJSON_AddItemToObject(doc, "fields", io.fields);
    int status = payload_to_json(&io, &z);
    if (status == CLI_OK && cli_json_wanted(a)) return cli_print_json(doc);
    if (status == CLI_OK) {
        print_object(z.cluster_specific ? al_zota_command_name(z.command) : "General command",
                     header);
        print_object("fields", io.fields);
    }
    cJSON_Delete(doc);
    return status;
}

static bool text_is(const cJSON *o, const char *key, const char *value)
{
    return strcmp(cli_text_of(o, key), value) == 0;
}

/* By frame_control, or by the words; what is left out is as a device would send it. */
static void header_from_json(struct io *io, struct al_zcl_frame *z)
{
    uint8_t bits = 0;
    u8(io, "tsn", &z->seq);
    u8(io, "command_id", &z->command);
    if (given(io, "frame_control")) {
        u8(io, "frame_control", &bits);
        if (bits & 0xe6) wrong(io, "frame_control", "only bits 0, 3 and 4 are known here");
        z->cluster_specific = bits & 0x01;
        z->to_client = bits & 0x08;
        z->no_default_response = bits & 0x10;
        return;
    }
    const cJSON *quiet = cJSON_GetObjectItemCaseSensitive(io->fields, "disable_default_response");
    z->cluster_specific = !text_is(io->fields, "frame_type", "global");
    z->to_client = given(io, "direction") ? text_is(io->fields, "direction", "server_to_client")
                                          : al_zota_from_server(z->command);
    z->no_default_response = quiet ? cJSON_IsTrue(quiet) : z->to_client || !z->cluster_specific;
}

/* What was given but has no place in the frame: a typing error, or a field that field
 * control, payload type or status leaves out. */
static void refuse_other_fields(struct io *io, struct al_zota_frame *f)
{
    struct io known = {.fields = cJSON_CreateObject()};
    const cJSON *item;
    if (!io->why[0]) fields_of(&known, f);
    cJSON_ArrayForEach(item, io->fields)
    {
        if (!given(&known, item->string)) wrong(io, item->string, "has no place in this frame");
    }
    cJSON_Delete(known.fields);
}

static void payload_from_json(struct io *io, const struct al_zcl_frame *z, struct al_put *p)
{
    struct al_zota_frame f = {.command = z->command};
    struct al_zcl_default_rsp d = {0};
    if (z->cluster_specific && z->command >= AL_ZOTA_COMMANDS) {
        wrong(io, "command_id", "the OTA cluster has commands 0 to 9");
    } else if (z->cluster_specific) {
        fields_of(io, &f);
        refuse_other_fields(io, &f);
        int n = io->why[0] ? 0 : al_zota_build(&f, p->buf + p->len, p->size - p->len);
        if (n >= 0)
            p->len += (size_t)n;
        else
            wrong(io, "fields", "do not make a frame");
    } else if (z->command == AL_ZCL_DEFAULT_RSP) {
        default_rsp(io, &d);
        al_zcl_default_rsp_put(&d, p);
    } else {
        wrong(io, "command_id", "of the general commands only Default Response, 11, is known");
    }
}

static int print_frame(const struct cli_args *a, const struct al_put *p)
{
    char hex[2 * FRAME_MAX + 1];
    crypto_hex(p->buf, p->len, hex);
    if (!cli_json_wanted(a)) {
        cli_print("%s\n", hex);
        return CLI_OK;
    }
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "hex", hex);
    cJSON_AddNumberToObject(doc, "length", (double)p->len);
    return cli_print_json(doc);
}

int zigbee_encode_ota(const struct cli_args *a)
{
    uint8_t frame[FRAME_MAX];
    struct al_put p = al_put(frame, sizeof frame);
    struct al_zcl_frame z = {.payload_len = 0};
    const char *layer = cli_value(a, "--layer");
    if (layer && strcmp(layer, "zcl-ota") != 0)
        return cli_usage(a, "--layer %s cannot be built, only zcl-ota", layer);
    cJSON *doc = cJSON_Parse(cli_operand(a, 0));
    if (!doc) return cli_fail("this is no JSON; it begins like {\"header\": {\"tsn\": 1, ...");
    struct io header = {.fields = cJSON_GetObjectItemCaseSensitive(doc, "header"), .reading = true};
    struct io fields = {.fields = cJSON_GetObjectItemCaseSensitive(doc, "fields"), .reading = true};
    int status = CLI_OK;
    if (!cJSON_IsObject(header.fields) || !cJSON_IsObject(fields.fields)) {
        status = cli_fail("the JSON needs the objects \"header\" and \"fields\"");
    } else {
        header_from_json(&header, &z);
        if (!header.why[0]) {
            al_zcl_build(&z, &p);
            payload_from_json(&fields, &z, &p);
        }
        if (header.why[0])
            status = cli_fail("header.%s", header.why);
        else if (fields.why[0])
            status = cli_fail("fields.%s", fields.why);
        else
            status = print_frame(a, &p);
    }
    cJSON_Delete(doc);
    return status;
}
