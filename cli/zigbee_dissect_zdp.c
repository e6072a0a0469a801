/* ZDP frames as JSON. */
#include "cli/zigbee_dissect_impl.h"

#include <stdio.h>

#include "core/err.h"

static const struct {
    uint16_t cluster;
    const char *text;
} names[] = {
    {AL_ZDP_NWK_ADDR, "NWK_addr"},
    {AL_ZDP_IEEE_ADDR, "IEEE_addr"},
    {AL_ZDP_NODE_DESC, "Node_Desc"},
    {AL_ZDP_POWER_DESC, "Power_Desc"},
    {AL_ZDP_SIMPLE_DESC, "Simple_Desc"},
    {AL_ZDP_ACTIVE_EP, "Active_EP"},
    {AL_ZDP_MATCH_DESC, "Match_Desc"},
    {AL_ZDP_DEVICE_ANNCE, "Device_annce"},
    {AL_ZDP_PARENT_ANNCE, "Parent_annce"},
    {AL_ZDP_BIND, "Bind"},
    {AL_ZDP_UNBIND, "Unbind"},
    {AL_ZDP_MGMT_LQI, "Mgmt_Lqi"},
    {AL_ZDP_MGMT_RTG, "Mgmt_Rtg"},
    {AL_ZDP_MGMT_BIND, "Mgmt_Bind"},
    {AL_ZDP_MGMT_LEAVE, "Mgmt_Leave"},
    {AL_ZDP_MGMT_PERMIT_JOINING, "Mgmt_Permit_Joining"},
    {AL_ZDP_MGMT_NWK_UPDATE, "Mgmt_NWK_Update"},
};

static void add_name(cJSON *o, uint16_t cluster)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].cluster != (cluster & ~AL_ZDP_RESPONSE)) continue;
        char text[40];
        bool announces = cluster == AL_ZDP_DEVICE_ANNCE || cluster == AL_ZDP_PARENT_ANNCE;
        const char *kind = cluster & AL_ZDP_RESPONSE ? "_rsp" : announces ? "" : "_req";
        snprintf(text, sizeof text, "%s%s", names[i].text, kind);
        cJSON_AddStringToObject(o, "name", text);
    }
}

static void add_ids(cJSON *o, const char *key, const struct al_zdp_ids *ids)
{
    cJSON *list = cJSON_AddArrayToObject(o, key);
    for (uint8_t i = 0; i < ids->count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber(al_zdp_id(ids, i)));
}

static void add_octets(cJSON *o, const char *key, const uint8_t *octets, uint8_t count)
{
    cJSON *list = cJSON_AddArrayToObject(o, key);
    for (uint8_t i = 0; i < count; i++) cJSON_AddItemToArray(list, cJSON_CreateNumber(octets[i]));
}

static void binding(cJSON *o, const struct al_zdp_binding *b)
{
    dissect_eui(o, "src", b->src);
    cJSON_AddNumberToObject(o, "src_endpoint", b->src_endpoint);
    cJSON_AddNumberToObject(o, "cluster_id", b->cluster);
    cJSON_AddNumberToObject(o, "dst_mode", b->mode);
    if (b->mode == AL_ZDP_BIND_GROUP) {
        cJSON_AddNumberToObject(o, "group", b->group);
        return;
    }
    dissect_eui(o, "dst", b->dst);
    cJSON_AddNumberToObject(o, "dst_endpoint", b->dst_endpoint);
}

static void request(cJSON *o, const struct al_zdp *z)
{
    switch (z->cluster) {
    case AL_ZDP_NWK_ADDR:
        dissect_eui(o, "ext", z->addr_req.ext);
        cJSON_AddNumberToObject(o, "request_type", z->addr_req.type);
        cJSON_AddNumberToObject(o, "start", z->addr_req.start);
        break;
    case AL_ZDP_IEEE_ADDR:
        cJSON_AddNumberToObject(o, "addr", z->addr_req.addr);
        cJSON_AddNumberToObject(o, "request_type", z->addr_req.type);
        cJSON_AddNumberToObject(o, "start", z->addr_req.start);
        break;
    case AL_ZDP_SIMPLE_DESC:
        cJSON_AddNumberToObject(o, "endpoint", z->desc_req.endpoint);
        /* fall through */
    case AL_ZDP_NODE_DESC:
    case AL_ZDP_POWER_DESC:
    case AL_ZDP_ACTIVE_EP:
        cJSON_AddNumberToObject(o, "addr", z->desc_req.addr);
        break;
    case AL_ZDP_MATCH_DESC:
        cJSON_AddNumberToObject(o, "addr", z->match_req.addr);
        cJSON_AddNumberToObject(o, "profile", z->match_req.profile);
        add_ids(o, "in_clusters", &z->match_req.in);
        add_ids(o, "out_clusters", &z->match_req.out);
        break;
    case AL_ZDP_DEVICE_ANNCE:
        cJSON_AddNumberToObject(o, "addr", z->device_annce.addr);
        dissect_eui(o, "ext", z->device_annce.ext);
        cJSON_AddNumberToObject(o, "capability", z->device_annce.capability);
        break;
    case AL_ZDP_BIND:
    case AL_ZDP_UNBIND:
        binding(o, &z->bind);
        break;
    case AL_ZDP_MGMT_LQI:
    case AL_ZDP_MGMT_RTG:
    case AL_ZDP_MGMT_BIND:
        cJSON_AddNumberToObject(o, "start", z->mgmt_req.start);
        break;
    case AL_ZDP_MGMT_LEAVE:
        dissect_eui(o, "ext", z->leave_req.ext);
        cJSON_AddBoolToObject(o, "remove_children", z->leave_req.remove_children);
        cJSON_AddBoolToObject(o, "rejoin", z->leave_req.rejoin);
        break;
    case AL_ZDP_MGMT_PERMIT_JOINING:
        cJSON_AddNumberToObject(o, "duration", z->permit_req.duration);
        cJSON_AddNumberToObject(o, "tc_significance", z->permit_req.tc_significance);
        break;
    default: /* Mgmt_NWK_Update */
        cJSON_AddNumberToObject(o, "channels", z->nwk_update_req.channels);
        cJSON_AddNumberToObject(o, "duration", z->nwk_update_req.duration);
        cJSON_AddNumberToObject(o, "count", z->nwk_update_req.count);
        cJSON_AddNumberToObject(o, "update_id", z->nwk_update_req.update_id);
        cJSON_AddNumberToObject(o, "manager", z->nwk_update_req.manager);
    }
}

static void parents(cJSON *o, const struct al_zdp *z)
{
    cJSON *list = cJSON_AddArrayToObject(o, "children");
    for (uint8_t i = 0; i < z->parent_annce.count; i++) {
        cJSON *item = cJSON_CreateObject();
        dissect_eui(item, "ext", al_get_le64(z->parent_annce.exts + 8 * i));
        cJSON_AddItemToArray(list, item);
    }
}

static void node_desc(cJSON *o, const struct al_zdp_node_desc *n)
{
    cJSON_AddNumberToObject(o, "logical_type", n->logical_type);
    cJSON_AddBoolToObject(o, "fragmentation", n->fragmentation);
    cJSON_AddNumberToObject(o, "band", n->band);
    cJSON_AddNumberToObject(o, "capability", n->capability);
    cJSON_AddNumberToObject(o, "manufacturer", n->manufacturer);
    cJSON_AddNumberToObject(o, "max_buffer", n->max_buffer);
    cJSON_AddNumberToObject(o, "max_incoming", n->max_incoming);
    cJSON_AddNumberToObject(o, "server_mask", n->server_mask);
    cJSON_AddNumberToObject(o, "revision", AL_ZDP_REVISION(n->server_mask));
    cJSON_AddNumberToObject(o, "max_outgoing", n->max_outgoing);
    cJSON_AddNumberToObject(o, "desc_capability", n->desc_capability);
}

static void simple_desc(cJSON *o, const struct al_zdp_simple_desc *d)
{
    cJSON_AddNumberToObject(o, "endpoint", d->endpoint);
    cJSON_AddNumberToObject(o, "profile", d->profile);
    cJSON_AddNumberToObject(o, "device_id", d->device_id);
    cJSON_AddNumberToObject(o, "version", d->version);
    add_ids(o, "in_clusters", &d->in);
    add_ids(o, "out_clusters", &d->out);
}

static void neighbour(cJSON *o, struct al_cur *c)
{
    struct al_zdp_neighbour n;
    al_zdp_neighbour_get(&n, c);
    dissect_eui(o, "extended_pan_id", n.epid);
    dissect_eui(o, "ext", n.ext);
    cJSON_AddNumberToObject(o, "addr", n.addr);
    cJSON_AddNumberToObject(o, "type", n.type);
    cJSON_AddNumberToObject(o, "rx_on", n.rx_on);
    cJSON_AddNumberToObject(o, "relation", n.relation);
    cJSON_AddNumberToObject(o, "permit_join", n.permit);
    cJSON_AddNumberToObject(o, "depth", n.depth);
    cJSON_AddNumberToObject(o, "lqi", n.lqi);
}

static void route(cJSON *o, struct al_cur *c)
{
    struct al_zdp_route r;
    al_zdp_route_get(&r, c);
    cJSON_AddNumberToObject(o, "dst", r.dst);
    cJSON_AddNumberToObject(o, "status", r.status);
    cJSON_AddBoolToObject(o, "memory_constrained", r.memory_constrained);
    cJSON_AddBoolToObject(o, "many_to_one", r.many_to_one);
    cJSON_AddBoolToObject(o, "record_required", r.record_required);
    cJSON_AddNumberToObject(o, "next_hop", r.next_hop);
}

static void management(cJSON *o, const struct al_zdp *z)
{
    struct al_cur c = al_cur(z->mgmt_rsp.entries, z->mgmt_rsp.len);
    cJSON_AddNumberToObject(o, "total", z->mgmt_rsp.total);
    cJSON_AddNumberToObject(o, "start", z->mgmt_rsp.start);
    cJSON *list = cJSON_AddArrayToObject(o, "entries");
    for (uint8_t i = 0; i < z->mgmt_rsp.count; i++) {
        cJSON *item = cJSON_CreateObject();
        struct al_zdp_binding b;
        cJSON_AddItemToArray(list, item);
        if (z->cluster == (AL_ZDP_MGMT_LQI | AL_ZDP_RESPONSE))
            neighbour(item, &c);
        else if (z->cluster == (AL_ZDP_MGMT_RTG | AL_ZDP_RESPONSE))
            route(item, &c);
        else if (al_zdp_binding_get(&b, &c) == 0)
            binding(item, &b);
    }
}

/* The fields behind the status. */
static void response(cJSON *o, const struct al_zdp *z)
{
    switch (z->cluster & ~AL_ZDP_RESPONSE) {
    case AL_ZDP_NWK_ADDR:
    case AL_ZDP_IEEE_ADDR:
        dissect_eui(o, "ext", z->addr_rsp.ext);
        cJSON_AddNumberToObject(o, "addr", z->addr_rsp.addr);
        if (!z->addr_rsp.has_list) break;
        cJSON_AddNumberToObject(o, "start", z->addr_rsp.start);
        add_ids(o, "devices", &z->addr_rsp.devices);
        break;
    case AL_ZDP_NODE_DESC:
        cJSON_AddNumberToObject(o, "addr", z->node_rsp.addr);
        if (z->status == AL_ZDP_SUCCESS) node_desc(o, &z->node_rsp.desc);
        break;
    case AL_ZDP_POWER_DESC:
        cJSON_AddNumberToObject(o, "addr", z->power_rsp.addr);
        cJSON_AddNumberToObject(o, "power_desc", z->power_rsp.desc);
        break;
    case AL_ZDP_SIMPLE_DESC:
        cJSON_AddNumberToObject(o, "addr", z->simple_rsp.addr);
        if (z->status == AL_ZDP_SUCCESS) simple_desc(o, &z->simple_rsp.desc);
        break;
    case AL_ZDP_ACTIVE_EP:
    case AL_ZDP_MATCH_DESC:
        cJSON_AddNumberToObject(o, "addr", z->endpoints_rsp.addr);
        add_octets(o, "endpoints", z->endpoints_rsp.endpoints, z->endpoints_rsp.count);
        break;
    case AL_ZDP_PARENT_ANNCE:
        parents(o, z);
        break;
    case AL_ZDP_MGMT_LQI:
    case AL_ZDP_MGMT_RTG:
    case AL_ZDP_MGMT_BIND:
        management(o, z);
        break;
    case AL_ZDP_MGMT_NWK_UPDATE:
        cJSON_AddNumberToObject(o, "channels", z->nwk_update_rsp.channels);
        cJSON_AddNumberToObject(o, "transmissions", z->nwk_update_rsp.transmissions);
        cJSON_AddNumberToObject(o, "failures", z->nwk_update_rsp.failures);
        add_octets(o, "energy", z->nwk_update_rsp.energy, z->nwk_update_rsp.count);
        break;
    default:
        break;
    }
}

void dissect_zdp(struct dissection *x, uint16_t cluster, const uint8_t *asdu, size_t len)
{
    struct al_zdp z;
    cJSON *o = dissect_object(x->doc, "zdp");
    int err = al_zdp_parse(&z, cluster, asdu, len);
    add_name(o, cluster);
    cJSON_AddNumberToObject(o, "cluster", cluster);
    cJSON_AddNumberToObject(o, "seq", z.seq);
    if (cluster & AL_ZDP_RESPONSE) cJSON_AddNumberToObject(o, "status", z.status);
    if (err) {
        /* A cluster that is not known here is no fault of the frame. */
        if (err != AL_ERR_NOT_SUPPORTED) dissect_parse_error(x, "zdp", "ZDP frame", err);
        dissect_hex(o, "payload", asdu, len);
        return;
    }
    if (cluster == AL_ZDP_DEVICE_ANNCE)
        dissect_learn_address(x->d, z.device_annce.addr, z.device_annce.ext);
    if (cluster & AL_ZDP_RESPONSE)
        response(o, &z);
    else if (cluster == AL_ZDP_PARENT_ANNCE)
        parents(o, &z);
    else
        request(o, &z);
}
