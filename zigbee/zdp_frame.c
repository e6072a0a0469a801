#include "zigbee/zdp_frame.h"

#include "core/err.h"

#define LEAVE_REMOVE_CHILDREN 0x40u
#define LEAVE_REJOIN          0x80u
#define SCAN_DURATION_MAX     5u
#define CHANGE_CHANNEL        0xfeu
#define CHANGE_MANAGER        0xffu

uint16_t al_zdp_id(const struct al_zdp_ids *ids, uint8_t index)
{
    return ids->own ? ids->own[index] : al_get_le16(ids->wire + 2 * index);
}

static void read_ids(struct al_zdp_ids *ids, uint8_t count, struct al_cur *c)
{
    ids->own = NULL;
    ids->wire = al_take(c, 2u * count);
    ids->count = ids->wire ? count : 0;
}

static void write_ids(const struct al_zdp_ids *ids, struct al_put *p)
{
    for (uint8_t i = 0; i < ids->count; i++) al_put16(p, al_zdp_id(ids, i));
}

/* Requests */

static int read_addr_req(struct al_zdp *z, struct al_cur *c)
{
    if (z->cluster == AL_ZDP_NWK_ADDR)
        z->addr_req.ext = al_le64(c);
    else
        z->addr_req.addr = al_le16(c);
    z->addr_req.type = al_u8(c);
    z->addr_req.start = al_u8(c);
    return 0;
}

static void write_addr_req(const struct al_zdp *z, struct al_put *p)
{
    if (z->cluster == AL_ZDP_NWK_ADDR)
        al_put64(p, z->addr_req.ext);
    else
        al_put16(p, z->addr_req.addr);
    al_put8(p, z->addr_req.type);
    al_put8(p, z->addr_req.start);
}

static int read_desc_req(struct al_zdp *z, struct al_cur *c)
{
    z->desc_req.addr = al_le16(c);
    if (z->cluster == AL_ZDP_SIMPLE_DESC) z->desc_req.endpoint = al_u8(c);
    return 0;
}

static void write_desc_req(const struct al_zdp *z, struct al_put *p)
{
    al_put16(p, z->desc_req.addr);
    if (z->cluster == AL_ZDP_SIMPLE_DESC) al_put8(p, z->desc_req.endpoint);
}

static int read_match_req(struct al_zdp *z, struct al_cur *c)
{
    z->match_req.addr = al_le16(c);
    z->match_req.profile = al_le16(c);
    read_ids(&z->match_req.in, al_u8(c), c);
    read_ids(&z->match_req.out, al_u8(c), c);
    return 0;
}

static void write_match_req(const struct al_zdp *z, struct al_put *p)
{
    al_put16(p, z->match_req.addr);
    al_put16(p, z->match_req.profile);
    al_put8(p, z->match_req.in.count);
    write_ids(&z->match_req.in, p);
    al_put8(p, z->match_req.out.count);
    write_ids(&z->match_req.out, p);
}

static int read_device_annce(struct al_zdp *z, struct al_cur *c)
{
    z->device_annce.addr = al_le16(c);
    z->device_annce.ext = al_le64(c);
    z->device_annce.capability = al_u8(c);
    return 0;
}

static void write_device_annce(const struct al_zdp *z, struct al_put *p)
{
    al_put16(p, z->device_annce.addr);
    al_put64(p, z->device_annce.ext);
    al_put8(p, z->device_annce.capability);
}

static int read_parent_annce(struct al_zdp *z, struct al_cur *c)
{
    uint8_t count = al_u8(c);
    z->parent_annce.exts = al_take(c, 8u * count);
    z->parent_annce.count = z->parent_annce.exts ? count : 0;
    return 0;
}

static void write_parent_annce(const struct al_zdp *z, struct al_put *p)
{
    al_put8(p, z->parent_annce.count);
    al_put_bytes(p, z->parent_annce.exts, 8u * z->parent_annce.count);
}

static int read_bind(struct al_zdp *z, struct al_cur *c)
{
    return al_zdp_binding_get(&z->bind, c);
}

static void write_bind(const struct al_zdp *z, struct al_put *p)
{
    al_zdp_binding_put(&z->bind, p);
}

static int read_mgmt_req(struct al_zdp *z, struct al_cur *c)
{
    z->mgmt_req.start = al_u8(c);
    return 0;
}

static void write_mgmt_req(const struct al_zdp *z, struct al_put *p)
{
    al_put8(p, z->mgmt_req.start);
}

static int read_leave_req(struct al_zdp *z, struct al_cur *c)
{
    z->leave_req.ext = al_le64(c);
    uint8_t flags = al_u8(c);
    z->leave_req.remove_children = flags & LEAVE_REMOVE_CHILDREN;
    z->leave_req.rejoin = flags & LEAVE_REJOIN;
    return 0;
}

static void write_leave_req(const struct al_zdp *z, struct al_put *p)
{
    uint32_t flags = 0;
    if (z->leave_req.remove_children) flags |= LEAVE_REMOVE_CHILDREN;
    if (z->leave_req.rejoin) flags |= LEAVE_REJOIN;
    al_put64(p, z->leave_req.ext);
    al_put8(p, (uint8_t)flags);
}

static int read_permit_req(struct al_zdp *z, struct al_cur *c)
{
    z->permit_req.duration = al_u8(c);
    z->permit_req.tc_significance = al_u8(c);
    return 0;
}

static void write_permit_req(const struct al_zdp *z, struct al_put *p)
{
    al_put8(p, z->permit_req.duration);
    al_put8(p, z->permit_req.tc_significance);
}

static int read_update_req(struct al_zdp *z, struct al_cur *c)
{
    z->nwk_update_req.channels = al_le32(c);
    uint8_t duration = z->nwk_update_req.duration = al_u8(c);
    if (duration <= SCAN_DURATION_MAX) z->nwk_update_req.count = al_u8(c);
    if (duration >= CHANGE_CHANNEL) z->nwk_update_req.update_id = al_u8(c);
    if (duration == CHANGE_MANAGER) z->nwk_update_req.manager = al_le16(c);
    return 0;
}

static void write_update_req(const struct al_zdp *z, struct al_put *p)
{
    uint8_t duration = z->nwk_update_req.duration;
    al_put32(p, z->nwk_update_req.channels);
    al_put8(p, duration);
    if (duration <= SCAN_DURATION_MAX) al_put8(p, z->nwk_update_req.count);
    if (duration >= CHANGE_CHANNEL) al_put8(p, z->nwk_update_req.update_id);
    if (duration == CHANGE_MANAGER) al_put16(p, z->nwk_update_req.manager);
}

/* Responses, behind the status */

static int read_addr_rsp(struct al_zdp *z, struct al_cur *c)
{
    z->addr_rsp.ext = al_le64(c);
    z->addr_rsp.addr = al_le16(c);
    z->addr_rsp.has_list = !c->failed && c->pos < c->len;
    if (!z->addr_rsp.has_list) return 0;
    uint8_t count = al_u8(c);
    if (c->pos < c->len) z->addr_rsp.start = al_u8(c); /* some end at an empty list's count */
    read_ids(&z->addr_rsp.devices, count, c);
    return 0;
}

static void write_addr_rsp(const struct al_zdp *z, struct al_put *p)
{
    al_put64(p, z->addr_rsp.ext);
    al_put16(p, z->addr_rsp.addr);
    if (!z->addr_rsp.has_list) return;
    al_put8(p, z->addr_rsp.devices.count);
    al_put8(p, z->addr_rsp.start);
    write_ids(&z->addr_rsp.devices, p);
}

static int read_node_rsp(struct al_zdp *z, struct al_cur *c)
{
    z->node_rsp.addr = al_le16(c);
    al_zdp_node_desc_get(&z->node_rsp.desc, c);
    return 0;
}

static void write_node_rsp(const struct al_zdp *z, struct al_put *p)
{
    al_put16(p, z->node_rsp.addr);
    if (z->status == AL_ZDP_SUCCESS) al_zdp_node_desc_put(&z->node_rsp.desc, p);
}

static int read_power_rsp(struct al_zdp *z, struct al_cur *c)
{
    z->power_rsp.addr = al_le16(c);
    z->power_rsp.desc = al_le16(c);
    return 0;
}

static void write_power_rsp(const struct al_zdp *z, struct al_put *p)
{
    al_put16(p, z->power_rsp.addr);
    if (z->status == AL_ZDP_SUCCESS) al_put16(p, z->power_rsp.desc);
}

static int read_simple_rsp(struct al_zdp *z, struct al_cur *c)
{
    z->simple_rsp.addr = al_le16(c);
    uint8_t len = al_u8(c);
    const uint8_t *desc = al_take(c, len);
    if (!desc || (len == 0 && z->status != AL_ZDP_SUCCESS)) return 0;
    struct al_zdp_simple_desc *d = &z->simple_rsp.desc;
    struct al_cur inner = al_cur(desc, len);
    d->endpoint = al_u8(&inner);
    d->profile = al_le16(&inner);
    d->device_id = al_le16(&inner);
    d->version = al_u8(&inner) & 0x0f;
    read_ids(&d->in, al_u8(&inner), &inner);
    read_ids(&d->out, al_u8(&inner), &inner);
    return inner.failed ? AL_ERR_INVALID_ARG : 0;
}

static void write_simple_rsp(const struct al_zdp *z, struct al_put *p)
{
    const struct al_zdp_simple_desc *d = &z->simple_rsp.desc;
    al_put16(p, z->simple_rsp.addr);
    if (z->status != AL_ZDP_SUCCESS) {
        al_put8(p, 0);
        return;
    }
    size_t len = 8u + 2u * d->in.count + 2u * d->out.count;
    if (len > UINT8_MAX) p->failed = true;
    al_put8(p, (uint8_t)len);
    al_put8(p, d->endpoint);
    al_put16(p, d->profile);
    al_put16(p, d->device_id);
    al_put8(p, d->version & 0x0f);
    al_put8(p, d->in.count);
    write_ids(&d->in, p);
    al_put8(p, d->out.count);
    write_ids(&d->out, p);
}

static int read_endpoints_rsp(struct al_zdp *z, struct al_cur *c)
{
    z->endpoints_rsp.addr = al_le16(c);
    uint8_t count = al_u8(c);
    z->endpoints_rsp.endpoints = al_take(c, count);
    z->endpoints_rsp.count = z->endpoints_rsp.endpoints ? count : 0;
    return 0;
}

static void write_endpoints_rsp(const struct al_zdp *z, struct al_put *p)
{
    uint8_t count = z->status == AL_ZDP_SUCCESS ? z->endpoints_rsp.count : 0;
    al_put16(p, z->endpoints_rsp.addr);
    al_put8(p, count);
    al_put_bytes(p, z->endpoints_rsp.endpoints, count);
}

/* Walks over one entry of the list of z's cluster. */
static int skip_entry(const struct al_zdp *z, struct al_cur *c)
{
    struct al_zdp_binding b;
    switch (z->cluster & ~AL_ZDP_RESPONSE) {
    case AL_ZDP_MGMT_LQI:
        al_skip(c, AL_ZDP_NEIGHBOUR_SIZE);
        return 0;
    case AL_ZDP_MGMT_RTG:
        al_skip(c, AL_ZDP_ROUTE_SIZE);
        return 0;
    default:
        return al_zdp_binding_get(&b, c);
    }
}

static int read_mgmt_rsp(struct al_zdp *z, struct al_cur *c)
{
    z->mgmt_rsp.total = al_u8(c);
    z->mgmt_rsp.start = al_u8(c);
    uint8_t count = al_u8(c);
    if (c->failed) return 0;
    size_t begin = c->pos;
    for (uint8_t i = 0; i < count; i++) {
        int err = skip_entry(z, c);
        if (err) return err;
    }
    if (c->failed) return 0;
    z->mgmt_rsp.entries = c->buf + begin;
    z->mgmt_rsp.len = c->pos - begin;
    z->mgmt_rsp.count = count;
    return 0;
}

static void write_mgmt_rsp(const struct al_zdp *z, struct al_put *p)
{
    if (z->status != AL_ZDP_SUCCESS) return;
    al_put8(p, z->mgmt_rsp.total);
    al_put8(p, z->mgmt_rsp.start);
    al_put8(p, z->mgmt_rsp.count);
    al_put_bytes(p, z->mgmt_rsp.entries, z->mgmt_rsp.len);
}

static int read_update_rsp(struct al_zdp *z, struct al_cur *c)
{
    z->nwk_update_rsp.channels = al_le32(c);
    z->nwk_update_rsp.transmissions = al_le16(c);
    z->nwk_update_rsp.failures = al_le16(c);
    uint8_t count = al_u8(c);
    z->nwk_update_rsp.energy = al_take(c, count);
    z->nwk_update_rsp.count = z->nwk_update_rsp.energy ? count : 0;
    return 0;
}

static void write_update_rsp(const struct al_zdp *z, struct al_put *p)
{
    if (z->status != AL_ZDP_SUCCESS) return;
    al_put32(p, z->nwk_update_rsp.channels);
    al_put16(p, z->nwk_update_rsp.transmissions);
    al_put16(p, z->nwk_update_rsp.failures);
    al_put8(p, z->nwk_update_rsp.count);
    al_put_bytes(p, z->nwk_update_rsp.energy, z->nwk_update_rsp.count);
}

static int read_nothing(struct al_zdp *z, struct al_cur *c)
{
    return 0;
}

static void write_nothing(const struct al_zdp *z, struct al_put *p)
{
}

/* Every cluster that is handled; without read_rsp there is no response. */
static const struct family {
    uint16_t cluster;
    int (*read_req)(struct al_zdp *z, struct al_cur *c);
    void (*write_req)(const struct al_zdp *z, struct al_put *p);
    int (*read_rsp)(struct al_zdp *z, struct al_cur *c);
    void (*write_rsp)(const struct al_zdp *z, struct al_put *p);
} families[] = {
    {AL_ZDP_NWK_ADDR, read_addr_req, write_addr_req, read_addr_rsp, write_addr_rsp},
    {AL_ZDP_IEEE_ADDR, read_addr_req, write_addr_req, read_addr_rsp, write_addr_rsp},
    {AL_ZDP_NODE_DESC, read_desc_req, write_desc_req, read_node_rsp, write_node_rsp},
    {AL_ZDP_POWER_DESC, read_desc_req, write_desc_req, read_power_rsp, write_power_rsp},
    {AL_ZDP_SIMPLE_DESC, read_desc_req, write_desc_req, read_simple_rsp, write_simple_rsp},
    {AL_ZDP_ACTIVE_EP, read_desc_req, write_desc_req, read_endpoints_rsp, write_endpoints_rsp},
    {AL_ZDP_MATCH_DESC, read_match_req, write_match_req, read_endpoints_rsp, write_endpoints_rsp},
    {AL_ZDP_DEVICE_ANNCE, read_device_annce, write_device_annce, NULL, NULL},
    {AL_ZDP_PARENT_ANNCE, read_parent_annce, write_parent_annce, read_parent_annce,
     write_parent_annce},
    {AL_ZDP_BIND, read_bind, write_bind, read_nothing, write_nothing},
    {AL_ZDP_UNBIND, read_bind, write_bind, read_nothing, write_nothing},
    {AL_ZDP_MGMT_LQI, read_mgmt_req, write_mgmt_req, read_mgmt_rsp, write_mgmt_rsp},
    {AL_ZDP_MGMT_RTG, read_mgmt_req, write_mgmt_req, read_mgmt_rsp, write_mgmt_rsp},
    {AL_ZDP_MGMT_BIND, read_mgmt_req, write_mgmt_req, read_mgmt_rsp, write_mgmt_rsp},
    {AL_ZDP_MGMT_LEAVE, read_leave_req, write_leave_req, read_nothing, write_nothing},
    {AL_ZDP_MGMT_PERMIT_JOINING, read_permit_req, write_permit_req, read_nothing, write_nothing},
    {AL_ZDP_MGMT_NWK_UPDATE, read_update_req, write_update_req, read_update_rsp, write_update_rsp},
};

static const struct family *family_of(uint16_t cluster)
{
    bool response = cluster & AL_ZDP_RESPONSE;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (families[i].cluster == (cluster & ~AL_ZDP_RESPONSE) &&
            (!response || families[i].read_rsp))
            return &families[i];
    return NULL;
}

int al_zdp_parse(struct al_zdp *z, uint16_t cluster, const uint8_t *asdu, size_t len)
{
    struct al_cur c = al_cur(asdu, len);
    const struct family *f = family_of(cluster);
    bool response = cluster & AL_ZDP_RESPONSE;
    *z = (struct al_zdp){.cluster = cluster};
    z->seq = al_u8(&c);
    if (response) z->status = al_u8(&c);
    if (c.failed) return AL_ERR_SHORT;
    if (!f) return AL_ERR_NOT_SUPPORTED;
    int err = response ? f->read_rsp(z, &c) : f->read_req(z, &c);
    if (err) return err;
    return c.failed && z->status == AL_ZDP_SUCCESS ? AL_ERR_SHORT : 0;
}

int al_zdp_build(const struct al_zdp *z, struct al_put *p)
{
    const struct family *f = family_of(z->cluster);
    bool response = z->cluster & AL_ZDP_RESPONSE;
    if (!f && !response) return AL_ERR_NOT_SUPPORTED;
    al_put8(p, z->seq);
    if (response) al_put8(p, z->status);
    if (f && response) f->write_rsp(z, p);
    if (f && !response) f->write_req(z, p);
    return p->failed ? AL_ERR_INVALID_SIZE : 0;
}
