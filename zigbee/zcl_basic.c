#include "zigbee/zcl_basic.h"

#define ZCL_VERSION    8 /* of the library: revision 8 */
#define DATE_CODE_MAX  16
#define BASIC_REVISION 3

static void number(struct al_zcl_basic *b, uint16_t id, uint8_t type, uint8_t value)
{
    unsigned n = b->cluster.attribute_count++;
    b->numbers[n] = value;
    b->attributes[n] = (struct al_zcl_attribute){
        .id = id, .type = type, .access = AL_ZCL_MAY_READ, .value = &b->numbers[n]};
}

static void string(struct al_zcl_basic *b, uint16_t id, uint8_t *place, size_t longest,
                   const char *text)
{
    size_t len = 0;
    if (!text) return;
    while (len < longest && text[len]) len++;
    place[0] = (uint8_t)len;
    memcpy(place + 1, text, len);
    b->attributes[b->cluster.attribute_count++] = (struct al_zcl_attribute){
        .id = id,
        .type = AL_ZCL_STRING,
        .access = AL_ZCL_MAY_READ,
        .size = AL_ZCL_BASIC_STRING,
        .value = place,
    };
}

void al_zcl_basic_init(struct al_zcl_basic *b, const struct al_zcl_basic_config *c)
{
    memset(b, 0, sizeof *b);
    number(b, 0x0000, AL_ZCL_UINT8, ZCL_VERSION);
    number(b, 0x0001, AL_ZCL_UINT8, c->application_version);
    number(b, 0x0002, AL_ZCL_UINT8, c->stack_version);
    number(b, 0x0003, AL_ZCL_UINT8, c->hardware_version);
    number(b, 0x0007, AL_ZCL_ENUM8, c->power_source);
    string(b, 0x0004, b->strings[0], AL_ZCL_BASIC_STRING - 1, c->manufacturer);
    string(b, 0x0005, b->strings[1], AL_ZCL_BASIC_STRING - 1, c->model);
    string(b, 0x0006, b->strings[2], DATE_CODE_MAX, c->date_code);
    string(b, 0x4000, b->strings[3], AL_ZCL_BASIC_STRING - 1, c->software_build);
    b->cluster.id = AL_ZCL_BASIC;
    b->cluster.revision = BASIC_REVISION;
    b->cluster.attributes = b->attributes;
}
