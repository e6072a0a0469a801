#include "zigbee/nwk_command.h"

#include "core/err.h"

#define MTO_SHIFT             3
#define MTO_MASK              3u
#define REQUEST_DST_EXT       0x20u
#define REPLY_ORIGINATOR_EXT  0x10u
#define REPLY_RESPONDER_EXT   0x20u
#define LEAVE_REJOIN          0x20u
#define LEAVE_REQUEST         0x40u
#define LEAVE_REMOVE_CHILDREN 0x80u
#define LINKS_COUNT_MASK      0x1fu
#define LINKS_FIRST           0x20u
#define LINKS_LAST            0x40u
#define LINK_SIZE             3u
#define UPDATE_PAN_ID         0x01u /* command in bits 5-7: 0; count in bits 0-4: 1 */

static void read_route_request(struct al_nwk_command *cmd, struct al_cur *c)
{
    uint8_t options = al_u8(c);
    cmd->route_request.many_to_one = options >> MTO_SHIFT & MTO_MASK;
    cmd->route_request.has_dst_ext = options & REQUEST_DST_EXT;
    cmd->route_request.id = al_u8(c);
    cmd->route_request.dst = al_le16(c);
    cmd->route_request.cost = al_u8(c);
    if (cmd->route_request.has_dst_ext) cmd->route_request.dst_ext = al_le64(c);
}

static void write_route_request(const struct al_nwk_command *cmd, struct al_put *p)
{
    uint32_t options = (cmd->route_request.many_to_one & MTO_MASK) << MTO_SHIFT;
    if (cmd->route_request.has_dst_ext) options |= REQUEST_DST_EXT;
    al_put8(p, (uint8_t)options);
    al_put8(p, cmd->route_request.id);
    al_put16(p, cmd->route_request.dst);
    al_put8(p, cmd->route_request.cost);
    if (cmd->route_request.has_dst_ext) al_put64(p, cmd->route_request.dst_ext);
}

static void read_route_reply(struct al_nwk_command *cmd, struct al_cur *c)
{
    uint8_t options = al_u8(c);
    cmd->route_reply.has_originator_ext = options & REPLY_ORIGINATOR_EXT;
    cmd->route_reply.has_responder_ext = options & REPLY_RESPONDER_EXT;
    cmd->route_reply.id = al_u8(c);
    cmd->route_reply.originator = al_le16(c);
    cmd->route_reply.responder = al_le16(c);
    cmd->route_reply.cost = al_u8(c);
    if (cmd->route_reply.has_originator_ext) cmd->route_reply.originator_ext = al_le64(c);
    if (cmd->route_reply.has_responder_ext) cmd->route_reply.responder_ext = al_le64(c);
}

static void write_route_reply(const struct al_nwk_command *cmd, struct al_put *p)
{
    uint32_t options = 0;
    if (cmd->route_reply.has_originator_ext) options |= REPLY_ORIGINATOR_EXT;
    if (cmd->route_reply.has_responder_ext) options |= REPLY_RESPONDER_EXT;
    al_put8(p, (uint8_t)options);
    al_put8(p, cmd->route_reply.id);
    al_put16(p, cmd->route_reply.originator);
    al_put16(p, cmd->route_reply.responder);
    al_put8(p, cmd->route_reply.cost);
    if (cmd->route_reply.has_originator_ext) al_put64(p, cmd->route_reply.originator_ext);
    if (cmd->route_reply.has_responder_ext) al_put64(p, cmd->route_reply.responder_ext);
}

static void read_leave(struct al_nwk_command *cmd, struct al_cur *c)
{
    uint8_t options = al_u8(c);
    cmd->leave.request = options & LEAVE_REQUEST;
    cmd->leave.rejoin = options & LEAVE_REJOIN;
    cmd->leave.remove_children = options & LEAVE_REMOVE_CHILDREN;
}

static void write_leave(const struct al_nwk_command *cmd, struct al_put *p)
{
    uint32_t options = 0;
    if (cmd->leave.request) options |= LEAVE_REQUEST;
    if (cmd->leave.rejoin) options |= LEAVE_REJOIN;
    if (cmd->leave.remove_children) options |= LEAVE_REMOVE_CHILDREN;
    al_put8(p, (uint8_t)options);
}

static int read_route_record(struct al_nwk_command *cmd, struct al_cur *c)
{
    cmd->route_record.count = al_u8(c);
    if (cmd->route_record.count > AL_NWK_RELAYS_MAX) return AL_ERR_NOT_SUPPORTED;
    for (int i = 0; i < cmd->route_record.count; i++) cmd->route_record.relays[i] = al_le16(c);
    return 0;
}

static int write_route_record(const struct al_nwk_command *cmd, struct al_put *p)
{
    if (cmd->route_record.count > AL_NWK_RELAYS_MAX) return AL_ERR_INVALID_ARG;
    al_put8(p, cmd->route_record.count);
    for (int i = 0; i < cmd->route_record.count; i++) al_put16(p, cmd->route_record.relays[i]);
    return 0;
}

static void read_link_status(struct al_nwk_command *cmd, struct al_cur *c)
{
    uint8_t options = al_u8(c);
    cmd->link_status.count = options & LINKS_COUNT_MASK;
    cmd->link_status.first = options & LINKS_FIRST;
    cmd->link_status.last = options & LINKS_LAST;
    cmd->link_status.entries = al_take(c, LINK_SIZE * cmd->link_status.count);
}

static int write_link_status(const struct al_nwk_command *cmd, struct al_put *p)
{
    uint32_t options = cmd->link_status.count;
    if (options > AL_NWK_LINKS_MAX) return AL_ERR_INVALID_ARG;
    if (cmd->link_status.first) options |= LINKS_FIRST;
    if (cmd->link_status.last) options |= LINKS_LAST;
    al_put8(p, (uint8_t)options);
    al_put_bytes(p, cmd->link_status.entries, LINK_SIZE * cmd->link_status.count);
    return 0;
}

static int read_update(struct al_nwk_command *cmd, struct al_cur *c)
{
    uint8_t options = al_u8(c);
    if (!c->failed && options != UPDATE_PAN_ID) return AL_ERR_NOT_SUPPORTED;
    cmd->update.extended_pan = al_le64(c);
    cmd->update.update_id = al_u8(c);
    cmd->update.new_pan = al_le16(c);
    return 0;
}

static void write_update(const struct al_nwk_command *cmd, struct al_put *p)
{
    al_put8(p, UPDATE_PAN_ID);
    al_put64(p, cmd->update.extended_pan);
    al_put8(p, cmd->update.update_id);
    al_put16(p, cmd->update.new_pan);
}

/* Some leave the address out where the code does not need one. */
static void read_status(struct al_nwk_command *cmd, struct al_cur *c)
{
    cmd->status.code = al_u8(c);
    cmd->status.has_addr = c->len - c->pos >= 2;
    if (cmd->status.has_addr) cmd->status.addr = al_le16(c);
}

static int read_fields(struct al_nwk_command *cmd, struct al_cur *c)
{
    switch (cmd->id) {
    case AL_NWK_ROUTE_REQUEST:
        read_route_request(cmd, c);
        return 0;
    case AL_NWK_ROUTE_REPLY:
        read_route_reply(cmd, c);
        return 0;
    case AL_NWK_STATUS:
        read_status(cmd, c);
        return 0;
    case AL_NWK_LEAVE:
        read_leave(cmd, c);
        return 0;
    case AL_NWK_ROUTE_RECORD:
        return read_route_record(cmd, c);
    case AL_NWK_REJOIN_REQUEST:
        cmd->rejoin_request.capability = al_u8(c);
        return 0;
    case AL_NWK_REJOIN_RESPONSE:
        cmd->rejoin_response.addr = al_le16(c);
        cmd->rejoin_response.status = al_u8(c);
        return 0;
    case AL_NWK_LINK_STATUS:
        read_link_status(cmd, c);
        return 0;
    case AL_NWK_UPDATE:
        return read_update(cmd, c);
    case AL_NWK_TIMEOUT_REQUEST:
        cmd->timeout_request.index = al_u8(c);
        cmd->timeout_request.configuration = al_u8(c);
        return 0;
    case AL_NWK_TIMEOUT_RESPONSE:
        cmd->timeout_response.status = al_u8(c);
        cmd->timeout_response.parent = al_u8(c);
        return 0;
    case AL_NWK_REPORT:
    case AL_NWK_LINK_POWER_DELTA:
        return 0;
    default:
        return AL_ERR_NOT_SUPPORTED;
    }
}

int al_nwk_command_parse(struct al_nwk_command *cmd, const uint8_t *payload, size_t len)
{
    struct al_cur c = al_cur(payload, len);
    *cmd = (struct al_nwk_command){.id = al_u8(&c)};
    if (c.failed) return AL_ERR_SHORT;
    int err = read_fields(cmd, &c);
    if (!err && c.failed) err = AL_ERR_SHORT;
    return err;
}

static int write_fields(const struct al_nwk_command *cmd, struct al_put *p)
{
    switch (cmd->id) {
    case AL_NWK_ROUTE_REQUEST:
        write_route_request(cmd, p);
        return 0;
    case AL_NWK_ROUTE_REPLY:
        write_route_reply(cmd, p);
        return 0;
    case AL_NWK_STATUS:
        al_put8(p, cmd->status.code);
        al_put16(p, cmd->status.addr);
        return 0;
    case AL_NWK_LEAVE:
        write_leave(cmd, p);
        return 0;
    case AL_NWK_ROUTE_RECORD:
        return write_route_record(cmd, p);
    case AL_NWK_REJOIN_REQUEST:
        al_put8(p, cmd->rejoin_request.capability);
        return 0;
    case AL_NWK_REJOIN_RESPONSE:
        al_put16(p, cmd->rejoin_response.addr);
        al_put8(p, cmd->rejoin_response.status);
        return 0;
    case AL_NWK_LINK_STATUS:
        return write_link_status(cmd, p);
    case AL_NWK_UPDATE:
        write_update(cmd, p);
        return 0;
    case AL_NWK_TIMEOUT_REQUEST:
        al_put8(p, cmd->timeout_request.index);
        al_put8(p, cmd->timeout_request.configuration);
        return 0;
    case AL_NWK_TIMEOUT_RESPONSE:
        al_put8(p, cmd->timeout_response.status);
        al_put8(p, cmd->timeout_response.parent);
        return 0;
    default:
        return AL_ERR_NOT_SUPPORTED;
    }
}

int al_nwk_command_build(const struct al_nwk_command *cmd, struct al_put *p)
{
    al_put8(p, cmd->id);
    int err = write_fields(cmd, p);
    if (!err && p->failed) err = AL_ERR_INVALID_SIZE;
    return err;
}

struct al_nwk_link al_nwk_link_get(const struct al_nwk_command *cmd, uint8_t index)
{
    const uint8_t *e = cmd->link_status.entries + LINK_SIZE * index;
    return (struct al_nwk_link){
        .addr = al_get_le16(e), .incoming = e[2] & 7, .outgoing = e[2] >> 4 & 7};
}

void al_nwk_link_put(struct al_put *p, const struct al_nwk_link *link)
{
    al_put16(p, link->addr);
    al_put8(p, (uint8_t)((link->incoming & 7u) | (link->outgoing & 7u) << 4));
}

uint32_t al_nwk_timeout_seconds(uint8_t index)
{
    if (index > 14) return 0;
    return index ? 60u << index : 10u;
}
