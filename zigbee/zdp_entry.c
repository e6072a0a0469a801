/* Descriptors and list entries of ZDP frames. */
#include "core/err.h"
#include "zigbee/zdp_frame.h"

/* First two octets of a node descriptor */
#define COMPLEX_DESC  0x08u
#define USER_DESC     0x10u
#define FRAGMENTATION 0x20u
#define BAND_SHIFT    3

void al_zdp_node_desc_get(struct al_zdp_node_desc *d, struct al_cur *c)
{
    uint8_t bits = al_u8(c);
    *d = (struct al_zdp_node_desc){
        .logical_type = bits & 7,
        .complex_desc = bits & COMPLEX_DESC,
        .user_desc = bits & USER_DESC,
        .fragmentation = bits & FRAGMENTATION,
    };
    d->band = al_u8(c) >> BAND_SHIFT;
    d->capability = al_u8(c);
    d->manufacturer = al_le16(c);
    d->max_buffer = al_u8(c);
    d->max_incoming = al_le16(c);
    d->server_mask = al_le16(c);
    d->max_outgoing = al_le16(c);
    d->desc_capability = al_u8(c);
}

void al_zdp_node_desc_put(const struct al_zdp_node_desc *d, struct al_put *p)
{
    uint32_t bits = d->logical_type & 7u;
    if (d->complex_desc) bits |= COMPLEX_DESC;
    if (d->user_desc) bits |= USER_DESC;
    if (d->fragmentation) bits |= FRAGMENTATION;
    al_put8(p, (uint8_t)bits);
    al_put8(p, (uint8_t)(d->band << BAND_SHIFT));
    al_put8(p, d->capability);
    al_put16(p, d->manufacturer);
    al_put8(p, d->max_buffer);
    al_put16(p, d->max_incoming);
    al_put16(p, d->server_mask);
    al_put16(p, d->max_outgoing);
    al_put8(p, d->desc_capability);
}

void al_zdp_neighbour_get(struct al_zdp_neighbour *n, struct al_cur *c)
{
    *n = (struct al_zdp_neighbour){.epid = al_le64(c)};
    n->ext = al_le64(c);
    n->addr = al_le16(c);
    uint8_t bits = al_u8(c);
    n->type = bits & 3;
    n->rx_on = bits >> 2 & 3;
    n->relation = bits >> 4 & 7;
    n->permit = al_u8(c) & 3;
    n->depth = al_u8(c);
    n->lqi = al_u8(c);
}

void al_zdp_neighbour_put(const struct al_zdp_neighbour *n, struct al_put *p)
{
    uint32_t bits = (n->type & 3u) | (n->rx_on & 3u) << 2 | (n->relation & 7u) << 4;
    al_put64(p, n->epid);
    al_put64(p, n->ext);
    al_put16(p, n->addr);
    al_put8(p, (uint8_t)bits);
    al_put8(p, n->permit & 3);
    al_put8(p, n->depth);
    al_put8(p, n->lqi);
}

#define ROUTE_CONSTRAINED 0x08u
#define ROUTE_MANY_TO_ONE 0x10u
#define ROUTE_RECORD      0x20u

void al_zdp_route_get(struct al_zdp_route *r, struct al_cur *c)
{
    *r = (struct al_zdp_route){.dst = al_le16(c)};
    uint8_t bits = al_u8(c);
    r->status = bits & 7;
    r->memory_constrained = bits & ROUTE_CONSTRAINED;
    r->many_to_one = bits & ROUTE_MANY_TO_ONE;
    r->record_required = bits & ROUTE_RECORD;
    r->next_hop = al_le16(c);
}

void al_zdp_route_put(const struct al_zdp_route *r, struct al_put *p)
{
    uint32_t bits = r->status & 7u;
    if (r->memory_constrained) bits |= ROUTE_CONSTRAINED;
    if (r->many_to_one) bits |= ROUTE_MANY_TO_ONE;
    if (r->record_required) bits |= ROUTE_RECORD;
    al_put16(p, r->dst);
    al_put8(p, (uint8_t)bits);
    al_put16(p, r->next_hop);
}

int al_zdp_binding_get(struct al_zdp_binding *b, struct al_cur *c)
{
    *b = (struct al_zdp_binding){.src = al_le64(c)};
    b->src_endpoint = al_u8(c);
    b->cluster = al_le16(c);
    b->mode = al_u8(c);
    if (b->mode == AL_ZDP_BIND_EXT) {
        b->dst = al_le64(c);
        b->dst_endpoint = al_u8(c);
    } else if (b->mode == AL_ZDP_BIND_GROUP) {
        b->group = al_le16(c);
    } else if (!c->failed) {
        return AL_ERR_INVALID_ARG;
    }
    return 0;
}

void al_zdp_binding_put(const struct al_zdp_binding *b, struct al_put *p)
{
    al_put64(p, b->src);
    al_put8(p, b->src_endpoint);
    al_put16(p, b->cluster);
    al_put8(p, b->mode);
    if (b->mode == AL_ZDP_BIND_EXT) {
        al_put64(p, b->dst);
        al_put8(p, b->dst_endpoint);
    } else {
        al_put16(p, b->group);
    }
}
