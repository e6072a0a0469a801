#include "zigbee/zcl_frame.h"

#include "core/err.h"

/* Frame control */
#define TYPE_MASK             0x03u
#define CLUSTER_SPECIFIC      0x01u
#define MANUFACTURER_SPECIFIC 0x04u
#define TO_CLIENT             0x08u
#define NO_DEFAULT_RESPONSE   0x10u

int al_zcl_parse(struct al_zcl_frame *f, const uint8_t *asdu, size_t len)
{
    struct al_cur c = al_cur(asdu, len);
    uint8_t control = al_u8(&c);
    *f = (struct al_zcl_frame){
        .cluster_specific = control & CLUSTER_SPECIFIC,
        .manufacturer_specific = control & MANUFACTURER_SPECIFIC,
        .to_client = control & TO_CLIENT,
        .no_default_response = control & NO_DEFAULT_RESPONSE,
    };
    if ((control & TYPE_MASK) > CLUSTER_SPECIFIC) return AL_ERR_NOT_SUPPORTED;
    if (f->manufacturer_specific) f->manufacturer = al_le16(&c);
    f->seq = al_u8(&c);
    f->command = al_u8(&c);
    if (c.failed) return AL_ERR_SHORT;
    f->payload = asdu + c.pos;
    f->payload_len = len - c.pos;
    return 0;
}

int al_zcl_build(const struct al_zcl_frame *f, struct al_put *p)
{
    uint32_t control = f->cluster_specific ? CLUSTER_SPECIFIC : 0;
    if (f->manufacturer_specific) control |= MANUFACTURER_SPECIFIC;
    if (f->to_client) control |= TO_CLIENT;
    if (f->no_default_response) control |= NO_DEFAULT_RESPONSE;
    al_put8(p, (uint8_t)control);
    if (f->manufacturer_specific) al_put16(p, f->manufacturer);
    al_put8(p, f->seq);
    al_put8(p, f->command);
    al_put_bytes(p, f->payload, f->payload_len);
    return p->failed ? AL_ERR_INVALID_SIZE : 0;
}

struct al_zcl_frame al_zcl_answer_to(const struct al_zcl_frame *f, bool cluster_specific,
                                     uint8_t command)
{
    return (struct al_zcl_frame){
        .manufacturer = f->manufacturer,
        .manufacturer_specific = f->manufacturer_specific,
        .seq = f->seq,
        .command = command,
        .cluster_specific = cluster_specific,
        .to_client = !f->to_client,
        .no_default_response = true,
    };
}

int al_zcl_default_rsp_parse(struct al_zcl_default_rsp *d, const uint8_t *payload, size_t len)
{
    struct al_cur c = al_cur(payload, len);
    d->command = al_u8(&c);
    d->status = al_u8(&c);
    return c.failed ? AL_ERR_SHORT : 0;
}

void al_zcl_default_rsp_put(const struct al_zcl_default_rsp *d, struct al_put *p)
{
    al_put8(p, d->command);
    al_put8(p, d->status);
}

int al_zcl_discover_parse(struct al_zcl_discover *d, const uint8_t *payload, size_t len)
{
    struct al_cur c = al_cur(payload, len);
    d->start = al_le16(&c);
    d->max = al_u8(&c);
    return c.failed ? AL_ERR_SHORT : 0;
}

void al_zcl_discover_put(const struct al_zcl_discover *d, struct al_put *p)
{
    al_put16(p, d->start);
    al_put8(p, d->max);
}

/* Reporting of one attribute, behind direction and attribute id. */
static int read_reporting(struct al_zcl_record *r, struct al_cur *c)
{
    if (r->direction) {
        r->timeout = al_le16(c);
        return 0;
    }
    r->value.type = al_u8(c);
    r->min_interval = al_le16(c);
    r->max_interval = al_le16(c);
    if (!al_zcl_type_analog(r->value.type)) return 0;
    return al_zcl_value_get(&r->change, r->value.type, c);
}

static void write_reporting(const struct al_zcl_record *r, struct al_put *p)
{
    if (r->direction) {
        al_put16(p, r->timeout);
        return;
    }
    al_put8(p, r->value.type);
    al_put16(p, r->min_interval);
    al_put16(p, r->max_interval);
    al_put_bytes(p, r->change.data, r->change.len);
}

static int read_value(struct al_zcl_record *r, struct al_cur *c)
{
    uint8_t type = al_u8(c);
    return c->failed ? AL_ERR_SHORT : al_zcl_value_get(&r->value, type, c);
}

static void write_value(const struct al_zcl_record *r, struct al_put *p)
{
    al_put8(p, r->value.type);
    al_put_bytes(p, r->value.data, r->value.len);
}

/* A success that stands alone says that all went well. */
static bool stands_alone(const struct al_zcl_record *r, const struct al_cur *c)
{
    return r->status == AL_ZCL_SUCCESS && c->pos == c->len;
}

static int read_record(struct al_zcl_record *r, uint8_t command, struct al_cur *c)
{
    switch (command) {
    case AL_ZCL_READ:
        r->attr = al_le16(c);
        return 0;
    case AL_ZCL_READ_RSP:
        r->attr = al_le16(c);
        r->status = al_u8(c);
        return r->status == AL_ZCL_SUCCESS ? read_value(r, c) : 0;
    case AL_ZCL_WRITE:
    case AL_ZCL_WRITE_UNDIVIDED:
    case AL_ZCL_WRITE_NO_RSP:
    case AL_ZCL_REPORT:
        r->attr = al_le16(c);
        return read_value(r, c);
    case AL_ZCL_WRITE_RSP:
        r->status = al_u8(c);
        if (!stands_alone(r, c)) r->attr = al_le16(c);
        return 0;
    case AL_ZCL_CONFIGURE_REPORTING_RSP:
        r->status = al_u8(c);
        if (stands_alone(r, c)) return 0;
        r->direction = al_u8(c);
        r->attr = al_le16(c);
        return 0;
    case AL_ZCL_READ_REPORTING_RSP:
        r->status = al_u8(c);
        r->direction = al_u8(c);
        r->attr = al_le16(c);
        return r->status == AL_ZCL_SUCCESS ? read_reporting(r, c) : 0;
    case AL_ZCL_CONFIGURE_REPORTING:
        r->direction = al_u8(c);
        r->attr = al_le16(c);
        return read_reporting(r, c);
    case AL_ZCL_READ_REPORTING:
        r->direction = al_u8(c);
        r->attr = al_le16(c);
        return 0;
    case AL_ZCL_DISCOVER_RSP:
        r->attr = al_le16(c);
        r->value.type = al_u8(c);
        return 0;
    default:
        return AL_ERR_NOT_SUPPORTED;
    }
}

int al_zcl_record_get(struct al_zcl_record *r, uint8_t command, struct al_cur *c)
{
    *r = (struct al_zcl_record){0};
    if (c->failed) return AL_ERR_SHORT;
    if (c->pos == c->len) return 0;
    int err = read_record(r, command, c);
    if (err) return err;
    return c->failed ? AL_ERR_SHORT : 1;
}

void al_zcl_record_put(const struct al_zcl_record *r, uint8_t command, struct al_put *p)
{
    bool good = r->status == AL_ZCL_SUCCESS;
    switch (command) {
    case AL_ZCL_READ:
        al_put16(p, r->attr);
        break;
    case AL_ZCL_READ_RSP:
        al_put16(p, r->attr);
        al_put8(p, r->status);
        if (good) write_value(r, p);
        break;
    case AL_ZCL_WRITE:
    case AL_ZCL_WRITE_UNDIVIDED:
    case AL_ZCL_WRITE_NO_RSP:
    case AL_ZCL_REPORT:
        al_put16(p, r->attr);
        write_value(r, p);
        break;
    case AL_ZCL_WRITE_RSP:
        al_put8(p, r->status);
        if (!good) al_put16(p, r->attr);
        break;
    case AL_ZCL_CONFIGURE_REPORTING_RSP:
        al_put8(p, r->status);
        if (good) break;
        al_put8(p, r->direction);
        al_put16(p, r->attr);
        break;
    case AL_ZCL_READ_REPORTING_RSP:
        al_put8(p, r->status);
        al_put8(p, r->direction);
        al_put16(p, r->attr);
        if (good) write_reporting(r, p);
        break;
    case AL_ZCL_CONFIGURE_REPORTING:
    case AL_ZCL_READ_REPORTING:
        al_put8(p, r->direction);
        al_put16(p, r->attr);
        if (command == AL_ZCL_CONFIGURE_REPORTING) write_reporting(r, p);
        break;
    case AL_ZCL_DISCOVER_RSP:
        al_put16(p, r->attr);
        al_put8(p, r->value.type);
        break;
    default:
        p->failed = true;
    }
}
