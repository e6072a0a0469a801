#include "zigbee/mac_frame.h"

#include "core/err.h"

/* Frame control */
#define TYPE_MASK     0x0007u
#define SECURITY      0x0008u
#define PENDING       0x0010u
#define ACK_REQUEST   0x0020u
#define COMPRESSION   0x0040u
#define DST_SHIFT     10
#define VERSION_SHIFT 12
#define SRC_SHIFT     14

#define MODE_RESERVED 1u

struct al_mac_addr al_mac_short(uint16_t pan, uint16_t addr)
{
    return (struct al_mac_addr){.mode = AL_MAC_SHORT, .pan = pan, .short_addr = addr};
}

struct al_mac_addr al_mac_ext(uint16_t pan, uint64_t addr)
{
    return (struct al_mac_addr){.mode = AL_MAC_EXT, .pan = pan, .ext = addr};
}

static int check_fcf(uint16_t fcf)
{
    unsigned dst = fcf >> DST_SHIFT & 3, src = fcf >> SRC_SHIFT & 3;
    if ((fcf & TYPE_MASK) > AL_MAC_COMMAND || fcf & SECURITY) return AL_ERR_NOT_SUPPORTED;
    if ((fcf >> VERSION_SHIFT & 3) > 1) return AL_ERR_INVALID_VERSION;
    if (dst == MODE_RESERVED || src == MODE_RESERVED) return AL_ERR_INVALID_ARG;
    if (fcf & COMPRESSION && !(dst && src)) return AL_ERR_INVALID_ARG;
    return 0;
}

static void read_address(struct al_mac_addr *a, struct al_cur *c)
{
    if (a->mode == AL_MAC_SHORT) a->short_addr = al_le16(c);
    if (a->mode == AL_MAC_EXT) a->ext = al_le64(c);
}

int al_mac_parse(struct al_mac_frame *f, const uint8_t *mpdu, size_t len)
{
    struct al_cur c = al_cur(mpdu, len);
    *f = (struct al_mac_frame){0};
    if (len < AL_MPDU_MIN || len > AL_MPDU_MAX) return AL_ERR_INVALID_SIZE;
    f->fcf = al_le16(&c);
    f->seq = al_u8(&c);
    f->type = f->fcf & TYPE_MASK;
    f->pending = f->fcf & PENDING;
    f->ack_request = f->fcf & ACK_REQUEST;
    int err = check_fcf(f->fcf);
    if (err) return err;
    f->dst.mode = f->fcf >> DST_SHIFT & 3;
    f->src.mode = (uint8_t)(f->fcf >> SRC_SHIFT & 3);
    if (f->dst.mode) f->dst.pan = al_le16(&c);
    read_address(&f->dst, &c);
    if (f->src.mode) f->src.pan = f->fcf & COMPRESSION ? f->dst.pan : al_le16(&c);
    read_address(&f->src, &c);
    if (c.failed) return AL_ERR_SHORT;
    f->payload = mpdu + c.pos;
    f->payload_len = (uint8_t)(len - c.pos);
    return 0;
}

static void write_address(const struct al_mac_addr *a, struct al_put *p)
{
    if (a->mode == AL_MAC_SHORT) al_put16(p, a->short_addr);
    if (a->mode == AL_MAC_EXT) al_put64(p, a->ext);
}

int al_mac_build(const struct al_mac_frame *f, struct al_put *p)
{
    bool compressed = f->dst.mode && f->src.mode && f->dst.pan == f->src.pan;
    uint32_t fcf =
        f->type | (uint32_t)f->dst.mode << DST_SHIFT | (uint32_t)f->src.mode << SRC_SHIFT;
    if (f->pending) fcf |= PENDING;
    if (f->ack_request) fcf |= ACK_REQUEST;
    if (compressed) fcf |= COMPRESSION;
    al_put16(p, (uint16_t)fcf);
    al_put8(p, f->seq);
    if (f->dst.mode) al_put16(p, f->dst.pan);
    write_address(&f->dst, p);
    if (f->src.mode && !compressed) al_put16(p, f->src.pan);
    write_address(&f->src, p);
    al_put_bytes(p, f->payload, f->payload_len);
    return p->failed ? AL_ERR_INVALID_SIZE : 0;
}

int al_mac_command_parse(struct al_mac_command *cmd, const uint8_t *payload, size_t len)
{
    struct al_cur c = al_cur(payload, len);
    *cmd = (struct al_mac_command){.id = al_u8(&c)};
    if (c.failed) return AL_ERR_SHORT;
    switch (cmd->id) {
    case AL_MAC_ASSOC_REQUEST:
        cmd->capability = al_u8(&c);
        break;
    case AL_MAC_ASSOC_RESPONSE:
        cmd->short_addr = al_le16(&c);
        cmd->status = al_u8(&c);
        break;
    case AL_MAC_DISASSOC:
        cmd->status = al_u8(&c);
        break;
    case AL_MAC_DATA_REQUEST:
    case AL_MAC_BEACON_REQUEST:
        break;
    default:
        return AL_ERR_NOT_SUPPORTED;
    }
    return c.failed ? AL_ERR_SHORT : 0;
}

int al_mac_command_build(const struct al_mac_command *cmd, struct al_put *p)
{
    al_put8(p, cmd->id);
    switch (cmd->id) {
    case AL_MAC_ASSOC_REQUEST:
        al_put8(p, cmd->capability);
        break;
    case AL_MAC_ASSOC_RESPONSE:
        al_put16(p, cmd->short_addr);
        al_put8(p, cmd->status);
        break;
    case AL_MAC_DISASSOC:
        al_put8(p, cmd->status);
        break;
    case AL_MAC_DATA_REQUEST:
    case AL_MAC_BEACON_REQUEST:
        break;
    default:
        return AL_ERR_NOT_SUPPORTED;
    }
    return p->failed ? AL_ERR_INVALID_SIZE : 0;
}

/* Bits of the two octets behind the protocol id of a Zigbee beacon */
#define ROUTER_CAPACITY     0x0400u
#define DEPTH_SHIFT         11
#define END_DEVICE_CAPACITY 0x8000u

int al_mac_beacon_parse(struct al_mac_beacon *b, const uint8_t *payload, size_t len)
{
    struct al_cur c = al_cur(payload, len);
    *b = (struct al_mac_beacon){.superframe = al_le16(&c)};
    uint8_t slots = al_u8(&c) & 7, pending = al_u8(&c);
    /* Some name the children that frames wait for, although nobody listens for beacons. */
    al_skip(&c, 2u * (pending & 7u) + 8u * (pending >> 4 & 7u));
    uint8_t protocol = al_u8(&c);
    if (!c.failed && (slots || protocol)) return AL_ERR_NOT_SUPPORTED;
    struct al_zb_beacon *z = &b->zigbee;
    uint16_t bits = al_le16(&c);
    z->profile = bits & 0x0f;
    z->version = bits >> 4 & 0x0f;
    z->router_capacity = bits & ROUTER_CAPACITY;
    z->depth = bits >> DEPTH_SHIFT & 0x0f;
    z->end_device_capacity = bits & END_DEVICE_CAPACITY;
    z->epid = al_le64(&c);
    z->tx_offset = al_le16(&c);
    z->tx_offset |= (uint32_t)al_u8(&c) << 16;
    z->update_id = al_u8(&c);
    return c.failed ? AL_ERR_SHORT : 0;
}

int al_mac_beacon_build(const struct al_mac_beacon *b, struct al_put *p)
{
    const struct al_zb_beacon *z = &b->zigbee;
    uint32_t bits =
        (z->profile & 0x0fu) | (z->version & 0x0fu) << 4 | (z->depth & 0x0fu) << DEPTH_SHIFT;
    if (z->router_capacity) bits |= ROUTER_CAPACITY;
    if (z->end_device_capacity) bits |= END_DEVICE_CAPACITY;
    al_put16(p, b->superframe);
    al_put8(p, 0); /* no guaranteed time slots */
    al_put8(p, 0); /* no pending addresses */
    al_put8(p, 0); /* protocol id */
    al_put16(p, (uint16_t)bits);
    al_put64(p, z->epid);
    al_put24(p, z->tx_offset);
    al_put8(p, z->update_id);
    return p->failed ? AL_ERR_INVALID_SIZE : 0;
}
