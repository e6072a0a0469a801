/* What the OTA client shows of itself: the cluster's attributes, and names for people. */
#include "core/err.h"
#include "zigbee/ota_client_internal.h"

const uint16_t al_zota_attribute_ids[AL_ZOTA_ATTRIBUTES] = {0x0000, 0x0001, 0x0002, 0x0003, 0x0004,
                                                            0x0005, 0x0006, 0x0007, 0x0008, 0x0009,
                                                            0x000a, 0x000b, 0x000c, 0xfffd};

uint8_t al_zota_client_status(const struct al_zota_client *c)
{
    switch (c->state) {
    case AL_ZOTA_CLIENT_IDLE:
        return 0;
    case AL_ZOTA_CLIENT_QUERYING:
        return c->more ? 5 : 0;
    case AL_ZOTA_CLIENT_DOWNLOADING:
        return 1;
    case AL_ZOTA_CLIENT_VERIFYING:
        return 2;
    case AL_ZOTA_CLIENT_WAITING:
        return 3;
    case AL_ZOTA_CLIENT_COUNT_DOWN:
        return 4;
    case AL_ZOTA_CLIENT_MORE:
        return 5;
    case AL_ZOTA_CLIENT_EXTERNAL:
        return 6;
    }
    return 0;
}

/* Of a file there is something while it is fetched, kept or waits to be installed. */
static uint32_t file_offset(const struct al_zota_client *c)
{
    if (al_zota_client_status(c) != 0) return c->offset;
    return c->kept.magic ? c->kept.offset : UINT32_MAX;
}

int al_zota_client_attribute(const struct al_zota_client *c, uint16_t id,
                             struct al_zota_attribute *a)
{
    const struct al_zota_client_config *f = &c->config;
    const struct {
        uint8_t type;
        uint64_t value;
    } table[AL_ZOTA_ATTRIBUTES] = {
        {AL_ZCL_EUI64, c->server_ext_addr},       {AL_ZCL_UINT32, file_offset(c)},
        {AL_ZCL_UINT32, f->file_version},         {AL_ZCL_UINT16, f->stack_version},
        {AL_ZCL_UINT32, c->downloaded_version},   {AL_ZCL_UINT16, c->downloaded_stack},
        {AL_ZCL_ENUM8, al_zota_client_status(c)}, {AL_ZCL_UINT16, f->manufacturer},
        {AL_ZCL_UINT16, f->image_type},           {AL_ZCL_UINT16, c->min_block_period},
        {AL_ZCL_UINT32, f->image_stamp},          {AL_ZCL_ENUM8, f->activation_policy},
        {AL_ZCL_ENUM8, f->timeout_policy},        {AL_ZCL_UINT16, f->cluster_revision},
    };
    for (size_t i = 0; i < AL_ZOTA_ATTRIBUTES; i++) {
        if (al_zota_attribute_ids[i] != id) continue;
        uint8_t type = table[i].type;
        a->id = id;
        a->type = type;
        a->size = type == AL_ZCL_EUI64    ? 8
                  : type == AL_ZCL_UINT32 ? 4
                  : type == AL_ZCL_UINT16 ? 2
                                          : 1;
        a->value = table[i].value;
        return 0;
    }
    return AL_ERR_NOT_FOUND;
}

const char *al_zota_reason_name(enum al_zota_reason r)
{
    static const char *const names[] = {
        "none",         "no server", "no image",     "not authorized", "wrong image",
        "same version", "too large", "refused",      "unanswered",     "aborted",
        "withdrawn",    "rejected",  "write failed", "invalid image",  "stopped"};
    return (size_t)r < sizeof names / sizeof *names ? names[r] : "unknown";
}

const char *al_zota_client_state_name(enum al_zota_client_state s)
{
    static const char *const names[] = {"idle",    "querying",   "downloading",   "verifying",
                                        "waiting", "count-down", "wait for more", "external"};
    return (size_t)s < sizeof names / sizeof *names ? names[s] : "unknown";
}
