/* Typed values of the ZCL. */
#include "core/err.h"
#include "zigbee/zcl_frame.h"

#define VARIABLE (-1)

/* Ranges of types: the size of the first, and how much each further one has more. */
static const struct {
    uint8_t first, last;
    int8_t size;
    uint8_t step;
} sizes[] = {
    {AL_ZCL_NODATA, AL_ZCL_NODATA, 0, 0},
    {0x08, 0x0f, 1, 1}, /* general data of 8 to 64 bits */
    {AL_ZCL_BOOL, AL_ZCL_BOOL, 1, 0},
    {0x18, 0x1f, 1, 1}, /* bitmaps */
    {0x20, 0x27, 1, 1}, /* unsigned */
    {0x28, 0x2f, 1, 1}, /* signed */
    {AL_ZCL_ENUM8, AL_ZCL_ENUM16, 1, 1},
    {AL_ZCL_SEMI, AL_ZCL_SEMI, 2, 0},
    {AL_ZCL_SINGLE, AL_ZCL_DOUBLE, 4, 4},
    {AL_ZCL_OCTETS, AL_ZCL_LONG_STRING, VARIABLE, 0},
    {AL_ZCL_ARRAY, AL_ZCL_ARRAY, VARIABLE, 0},
    {AL_ZCL_STRUCT, AL_ZCL_STRUCT, VARIABLE, 0},
    {AL_ZCL_SET, AL_ZCL_BAG, VARIABLE, 0},
    {AL_ZCL_TIME_OF_DAY, AL_ZCL_UTC, 4, 0},
    {AL_ZCL_CLUSTER_ID, AL_ZCL_ATTRIBUTE_ID, 2, 0},
    {AL_ZCL_BACNET_OID, AL_ZCL_BACNET_OID, 4, 0},
    {AL_ZCL_EUI64, AL_ZCL_EUI64, 8, 0},
    {AL_ZCL_KEY128, AL_ZCL_KEY128, 16, 0},
    {AL_ZCL_UNKNOWN, AL_ZCL_UNKNOWN, 0, 0},
};

int al_zcl_type_size(uint8_t type)
{
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (type >= sizes[i].first && type <= sizes[i].last)
            return sizes[i].size + sizes[i].step * (type - sizes[i].first);
    return AL_ERR_NOT_SUPPORTED;
}

bool al_zcl_type_analog(uint8_t type)
{
    return (type >= 0x20 && type <= 0x2f) || (type >= AL_ZCL_SEMI && type <= AL_ZCL_DOUBLE) ||
           (type >= AL_ZCL_TIME_OF_DAY && type <= AL_ZCL_UTC);
}

static bool is_string(uint8_t type)
{
    return type >= AL_ZCL_OCTETS && type <= AL_ZCL_LONG_STRING;
}

static bool is_long(uint8_t type)
{
    return type == AL_ZCL_LONG_OCTETS || type == AL_ZCL_LONG_STRING;
}

static int skip_value(uint8_t type, struct al_cur *c, unsigned depth);

/* count values of one fixed or variable type. A fixed size is skipped at once, so that a large
 * count costs no time. */
static int skip_values(uint8_t type, uint16_t count, struct al_cur *c, unsigned depth)
{
    int size = al_zcl_type_size(type), err = 0;
    if (size >= 0) {
        al_skip(c, (size_t)size * count);
        return 0;
    }
    while (count-- && !err && !c->failed) err = skip_value(type, c, depth);
    return err;
}

static int skip_collection(uint8_t type, struct al_cur *c, unsigned depth)
{
    int err = 0;
    if (depth == AL_ZCL_DEPTH_MAX) return AL_ERR_NOT_SUPPORTED;
    if (type == AL_ZCL_STRUCT) {
        uint16_t count = al_le16(c);
        if (count == 0xffff) count = 0; /* the invalid structure */
        while (count-- && !err && !c->failed) err = skip_value(al_u8(c), c, depth + 1);
        return err;
    }
    uint8_t element = al_u8(c);
    uint16_t count = al_le16(c);
    if (count == 0xffff) count = 0;
    return c->failed ? 0 : skip_values(element, count, c, depth + 1);
}

static int skip_value(uint8_t type, struct al_cur *c, unsigned depth)
{
    int size = al_zcl_type_size(type);
    if (size >= 0) {
        al_skip(c, (size_t)size);
        return 0;
    }
    if (size != VARIABLE) return size;
    if (!is_string(type)) return skip_collection(type, c, depth);
    uint16_t none = is_long(type) ? 0xffff : 0xff;
    uint16_t len = is_long(type) ? al_le16(c) : al_u8(c);
    if (len != none) al_skip(c, len);
    return 0;
}

int al_zcl_value_get(struct al_zcl_value *v, uint8_t type, struct al_cur *c)
{
    size_t begin = c->pos;
    *v = (struct al_zcl_value){.type = type};
    int err = skip_value(type, c, 0);
    if (err) return err;
    if (c->failed || c->pos - begin > UINT16_MAX) return AL_ERR_SHORT;
    v->data = c->buf + begin;
    v->len = (uint16_t)(c->pos - begin);
    return 0;
}

uint64_t al_zcl_value_unsigned(const struct al_zcl_value *v)
{
    uint64_t n = 0;
    if (v->len > 8 || al_zcl_type_size(v->type) < 0) return 0;
    for (unsigned i = v->len; i-- > 0;) n = n << 8 | v->data[i];
    return n;
}

int64_t al_zcl_value_signed(const struct al_zcl_value *v)
{
    uint64_t n = al_zcl_value_unsigned(v);
    unsigned bits = 8u * v->len;
    if (bits && bits < 64 && n >> (bits - 1) & 1) n |= UINT64_MAX << bits;
    return (int64_t)n;
}

const uint8_t *al_zcl_value_string(const struct al_zcl_value *v, size_t *len)
{
    size_t prefix = is_long(v->type) ? 2 : 1;
    *len = 0;
    if (!is_string(v->type) || v->len < prefix) return NULL;
    if (v->len == prefix && v->data[0] == 0xff) return NULL; /* no text of 255 octets: the prefix */
    *len = v->len - prefix;
    return v->data + prefix;
}

void al_zcl_put_number(struct al_put *p, uint8_t type, uint64_t value)
{
    int size = al_zcl_type_size(type);
    if (size < 0 || size > 8) {
        p->failed = true;
        return;
    }
    for (int i = 0; i < size; i++) al_put8(p, (uint8_t)(value >> 8 * i));
}

void al_zcl_put_string(struct al_put *p, uint8_t type, const void *data, size_t len)
{
    if (!is_string(type) || len >= (is_long(type) ? 0xffffu : 0xffu)) {
        p->failed = true;
        return;
    }
    if (is_long(type))
        al_put16(p, (uint16_t)len);
    else
        al_put8(p, (uint8_t)len);
    al_put_bytes(p, data, len);
}
