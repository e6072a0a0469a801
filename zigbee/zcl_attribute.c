/* Attributes: where their values are, and how they get in and out. */
#include "zigbee/zcl_internal.h"

/* Every cluster has it; its value stands in the cluster itself. */
static const struct al_zcl_attribute revision = {
    .id = AL_ZCL_CLUSTER_REVISION, .type = AL_ZCL_UINT16, .access = AL_ZCL_MAY_READ};

const struct al_zcl_attribute *al_zcl_attribute(const struct al_zcl_cluster *c, uint16_t id,
                                                uint16_t manufacturer)
{
    for (unsigned i = 0; i < c->attribute_count; i++) {
        const struct al_zcl_attribute *a = &c->attributes[i];
        if (a->id == id && a->manufacturer == manufacturer) return a;
    }
    return c->revision && id == revision.id && !manufacturer ? &revision : NULL;
}

const struct al_zcl_attribute *al_zcl_attribute_from(const struct al_zcl_cluster *c, uint32_t id,
                                                     uint16_t manufacturer)
{
    const struct al_zcl_attribute *best = NULL;
    for (unsigned i = 0; i < c->attribute_count; i++) {
        const struct al_zcl_attribute *a = &c->attributes[i];
        if (a->manufacturer != manufacturer || a->id < id) continue;
        if (!best || a->id < best->id) best = a;
    }
    if (best || id > revision.id) return best;
    return al_zcl_attribute(c, revision.id, manufacturer);
}

int al_zcl_value_len(uint8_t type, const void *value, size_t size)
{
    struct al_zcl_value v;
    int fixed = al_zcl_type_size(type);
    if (fixed >= 0) return fixed;
    struct al_cur c = al_cur(value, size);
    int err = al_zcl_value_get(&v, type, &c);
    return err ? err : v.len;
}

int al_zcl_get(const struct al_zcl_cluster *c, const struct al_zcl_attribute *a, void *buf,
               size_t size)
{
    struct al_put p = al_put(buf, size);
    if (a == &revision) {
        al_put16(&p, c->revision);
    } else if (a->value) {
        int len = al_zcl_value_len(a->type, a->value, a->size);
        if (len < 0) return AL_ERR_NOT_FOUND;
        al_put_bytes(&p, a->value, (size_t)len);
    } else if (!c->read || c->read(c->ctx, a, &p) != AL_ZCL_SUCCESS) {
        return AL_ERR_NOT_FOUND;
    }
    return p.failed ? AL_ERR_INVALID_SIZE : (int)p.len;
}

int al_zcl_set_number(struct al_zcl *z, uint64_t now, struct al_zcl_endpoint *e,
                      struct al_zcl_cluster *c, uint16_t attr, uint64_t number)
{
    const struct al_zcl_attribute *a = al_zcl_attribute(c, attr, c->manufacturer);
    if (!a) a = al_zcl_attribute(c, attr, 0);
    int size = a && a->value ? al_zcl_type_size(a->type) : -1;
    if (size <= 0 || size > 8) return AL_ERR_INVALID_ARG;
    struct al_put p = al_put(a->value, (size_t)size);
    al_zcl_put_number(&p, a->type, number);
    if (p.failed) return AL_ERR_INVALID_ARG;
    al_zcl_changed(z, now, e->id, c->id, c->client, attr);
    return 0;
}

int al_zcl_set_string(struct al_zcl *z, uint64_t now, struct al_zcl_endpoint *e,
                      struct al_zcl_cluster *c, uint16_t attr, const void *data, size_t len)
{
    const struct al_zcl_attribute *a = al_zcl_attribute(c, attr, c->manufacturer);
    if (!a) a = al_zcl_attribute(c, attr, 0);
    if (!a || !a->value || a->type < AL_ZCL_OCTETS || a->type > AL_ZCL_LONG_STRING)
        return AL_ERR_INVALID_ARG;
    size_t length_field = a->type >= AL_ZCL_LONG_OCTETS ? 2 : 1;
    size_t longest = length_field == 2 ? 0xfffe : 0xfe;
    if (len > longest || len + length_field > a->size) return AL_ERR_INVALID_SIZE;
    struct al_put p = al_put(a->value, a->size);
    al_zcl_put_string(&p, a->type, data, len);
    al_zcl_changed(z, now, e->id, c->id, c->client, attr);
    return 0;
}
