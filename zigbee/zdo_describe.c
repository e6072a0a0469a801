/* What this node is: addresses, descriptors, and whether it has a cluster. */
#include "zigbee/zdo_internal.h"

#define CLUSTERS_MAX  48u /* of one endpoint and side, in its simple descriptor */
#define ENDPOINTS_MAX 32u
#define CHILDREN_MAX  32u /* in an extended answer */

/* Power descriptor: mode (0: as the receiver, 1: from time to time), sources, source, level */
#define POWER_MAINS   0xc110u
#define POWER_BATTERY 0xc440u
#define POWER_SLEEPS  0x0001u

/* ---- Addresses ---- */

static const struct al_nwk_neighbour *child_at(const struct al_nwk *n, unsigned i)
{
    const struct al_nwk_neighbour *who = &n->c.neighbours[i];
    return who->relation == AL_NWK_CHILD && who->role == AL_NWK_ROLE_END_DEVICE ? who : NULL;
}

/* This node, or a child that may be asleep: its parent answers for it. */
static bool known(const struct al_nwk *n, const struct al_zdp *q, uint64_t *ext, uint16_t *addr)
{
    bool by_ext = q->cluster == AL_ZDP_NWK_ADDR;
    if (by_ext ? q->addr_req.ext == n->ext : q->addr_req.addr == n->addr) {
        *ext = n->ext;
        *addr = n->addr;
        return true;
    }
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        const struct al_nwk_neighbour *who = child_at(n, i);
        if (!who || !who->ext) continue;
        if (by_ext ? who->ext != q->addr_req.ext : who->addr != q->addr_req.addr) continue;
        *ext = who->ext;
        *addr = who->addr;
        return true;
    }
    return false;
}

static void list_children(const struct al_nwk *n, uint8_t start, uint16_t *out,
                          struct al_zdp_ids *ids)
{
    unsigned index = 0;
    for (unsigned i = 0; i < n->c.neighbour_count && ids->count < CHILDREN_MAX; i++) {
        const struct al_nwk_neighbour *who = child_at(n, i);
        if (who && index++ >= start) out[ids->count++] = who->addr;
    }
    ids->own = out;
}

void al_zdo_tell_addr(const struct al_zdo_asked *a)
{
    const struct al_nwk *nwk = a->zdo->c.nwk;
    uint16_t children[CHILDREN_MAX];
    struct al_zdp r = {0};
    if (a->q->addr_req.type > 1) {
        al_zdo_refuse(a, AL_ZDP_INVALID_REQUEST);
        return;
    }
    if (!known(nwk, a->q, &r.addr_rsp.ext, &r.addr_rsp.addr)) {
        al_zdo_refuse(a, AL_ZDP_DEVICE_NOT_FOUND);
        return;
    }
    if (a->q->addr_req.type == 1 && r.addr_rsp.addr == nwk->addr) {
        r.addr_rsp.has_list = true;
        r.addr_rsp.start = a->q->addr_req.start;
        list_children(nwk, r.addr_rsp.start, children, &r.addr_rsp.devices);
    }
    al_zdo_answer(a, &r);
}

/* ---- Descriptors ---- */

struct al_zdp_node_desc al_zdo_own_node_desc(const struct al_zdo *z)
{
    static const uint8_t types[] = {
        [AL_NWK_ROLE_COORDINATOR] = AL_ZDP_COORDINATOR,
        [AL_NWK_ROLE_ROUTER] = AL_ZDP_ROUTER,
        [AL_NWK_ROLE_END_DEVICE] = AL_ZDP_END_DEVICE,
    };
    bool coordinator = z->c.nwk->c.role == AL_NWK_ROLE_COORDINATOR;
    uint16_t transfer = z->c.aps->c.asdu_size ? z->c.aps->c.asdu_size : AL_APS_ASDU_PLAIN;
    uint16_t mask = z->c.server_mask;
    if (!mask && coordinator) mask = AL_ZDP_SERVER_TRUST | AL_ZDP_SERVER_NETWORK;
    return (struct al_zdp_node_desc){
        .logical_type = types[z->c.nwk->c.role],
        .band = AL_ZDP_BAND_2400,
        .capability = al_nwk_capability(z->c.nwk),
        .manufacturer = z->c.manufacturer,
        .max_buffer = AL_APS_ASDU_PLAIN,
        .max_incoming = transfer,
        .max_outgoing = transfer,
        .server_mask = (uint16_t)(mask | AL_ZDP_SERVER_REVISION(AL_ZDO_REVISION)),
    };
}

/* Descriptors of others are not kept here. */
static bool about_us(const struct al_zdo_asked *a)
{
    if (a->q->desc_req.addr == a->zdo->c.nwk->addr) return true;
    al_zdo_refuse(a, AL_ZDP_DEVICE_NOT_FOUND);
    return false;
}

void al_zdo_tell_node(const struct al_zdo_asked *a)
{
    if (!about_us(a)) return;
    struct al_zdp r = {
        .node_rsp = {.desc = al_zdo_own_node_desc(a->zdo), .addr = a->q->desc_req.addr}};
    al_zdo_answer(a, &r);
}

void al_zdo_tell_power(const struct al_zdo_asked *a)
{
    uint8_t capability = al_nwk_capability(a->zdo->c.nwk);
    uint32_t desc = capability & AL_CAP_MAINS ? POWER_MAINS : POWER_BATTERY;
    if (!(capability & AL_CAP_RX_ON)) desc |= POWER_SLEEPS;
    if (a->zdo->c.power_desc) desc = a->zdo->c.power_desc;
    if (!about_us(a)) return;
    struct al_zdp r = {.power_rsp = {.addr = a->q->desc_req.addr, .desc = (uint16_t)desc}};
    al_zdo_answer(a, &r);
}

static struct al_zdp_ids clusters_of(const struct al_zcl_endpoint *e, bool client,
                                     uint16_t ids[CLUSTERS_MAX])
{
    struct al_zdp_ids list = {.own = ids};
    for (const struct al_zcl_cluster *c = e->clusters; c; c = c->next) {
        if (c->client == client && list.count < CLUSTERS_MAX) ids[list.count++] = c->id;
    }
    return list;
}

void al_zdo_tell_simple(const struct al_zdo_asked *a)
{
    uint8_t id = a->q->desc_req.endpoint;
    const struct al_zcl_endpoint *e = al_zcl_endpoint(a->zdo->c.zcl, id);
    uint16_t in[CLUSTERS_MAX], out[CLUSTERS_MAX];
    if (!about_us(a)) return;
    if (!e) {
        bool possible = id >= 1 && id <= AL_ZCL_ENDPOINT_MAX;
        al_zdo_refuse(a, possible ? AL_ZDP_NOT_ACTIVE : AL_ZDP_INVALID_ENDPOINT);
        return;
    }
    struct al_zdp r = {.simple_rsp = {.addr = a->q->desc_req.addr,
                                      .desc = {.endpoint = id,
                                               .profile = e->profile,
                                               .device_id = e->device_id,
                                               .version = e->version,
                                               .in = clusters_of(e, false, in),
                                               .out = clusters_of(e, true, out)}}};
    al_zdo_answer(a, &r);
}

void al_zdo_tell_endpoints(const struct al_zdo_asked *a)
{
    uint8_t ids[ENDPOINTS_MAX], count = 0;
    if (!about_us(a)) return;
    for (const struct al_zcl_endpoint *e = a->zdo->c.zcl->endpoints; e; e = e->next) {
        if (count < ENDPOINTS_MAX) ids[count++] = e->id;
    }
    struct al_zdp r = {
        .endpoints_rsp = {.endpoints = ids, .addr = a->q->desc_req.addr, .count = count}};
    al_zdo_answer(a, &r);
}

/* ---- Match ---- */

static bool has_one_of(const struct al_zcl_endpoint *e, const struct al_zdp_ids *ids, bool client)
{
    for (uint8_t i = 0; i < ids->count; i++) {
        if (al_zcl_cluster(e, al_zdp_id(ids, i), client)) return true;
    }
    return false;
}

static bool matches(const struct al_zcl_endpoint *e, const struct al_zdp *q)
{
    if (q->match_req.profile != e->profile && q->match_req.profile != AL_PROFILE_ANY) return false;
    return has_one_of(e, &q->match_req.in, false) || has_one_of(e, &q->match_req.out, true);
}

void al_zdo_tell_match(const struct al_zdo_asked *a)
{
    uint8_t ids[ENDPOINTS_MAX], count = 0;
    uint16_t own = a->zdo->c.nwk->addr, asked = a->q->match_req.addr;
    if (asked != own && !AL_NWK_BROADCAST(asked)) {
        al_zdo_refuse(a, AL_ZDP_DEVICE_NOT_FOUND);
        return;
    }
    for (const struct al_zcl_endpoint *e = a->zdo->c.zcl->endpoints; e; e = e->next) {
        if (matches(e, a->q) && count < ENDPOINTS_MAX) ids[count++] = e->id;
    }
    if (!count) {
        al_zdo_refuse(a, AL_ZDP_NO_MATCH);
        return;
    }
    struct al_zdp r = {.endpoints_rsp = {.endpoints = ids, .addr = own, .count = count}};
    al_zdo_answer(a, &r);
}
