#include "zigbee/aps_command.h"

#include "core/err.h"

static int read_transport_key(struct al_aps_command *cmd, struct al_cur *c)
{
    cmd->transport_key.type = al_u8(c);
    al_bytes(c, cmd->transport_key.key, sizeof cmd->transport_key.key);
    switch (cmd->transport_key.type) {
    case AL_KEY_TYPE_NETWORK:
        cmd->transport_key.key_seq = al_u8(c);
        cmd->transport_key.dst = al_le64(c);
        cmd->transport_key.src = al_le64(c);
        return 0;
    case AL_KEY_TYPE_TC_LINK:
        cmd->transport_key.dst = al_le64(c);
        cmd->transport_key.src = al_le64(c);
        return 0;
    case AL_KEY_TYPE_APP_LINK:
        cmd->transport_key.dst = al_le64(c);
        cmd->transport_key.initiator = al_u8(c);
        return 0;
    default:
        return c->failed ? 0 : AL_ERR_NOT_SUPPORTED;
    }
}

static int write_transport_key(const struct al_aps_command *cmd, struct al_put *p)
{
    al_put8(p, cmd->transport_key.type);
    al_put_bytes(p, cmd->transport_key.key, sizeof cmd->transport_key.key);
    switch (cmd->transport_key.type) {
    case AL_KEY_TYPE_NETWORK:
        al_put8(p, cmd->transport_key.key_seq);
        al_put64(p, cmd->transport_key.dst);
        al_put64(p, cmd->transport_key.src);
        return 0;
    case AL_KEY_TYPE_TC_LINK:
        al_put64(p, cmd->transport_key.dst);
        al_put64(p, cmd->transport_key.src);
        return 0;
    case AL_KEY_TYPE_APP_LINK:
        al_put64(p, cmd->transport_key.dst);
        al_put8(p, cmd->transport_key.initiator);
        return 0;
    default:
        return AL_ERR_NOT_SUPPORTED;
    }
}

static int read_request_key(struct al_aps_command *cmd, struct al_cur *c)
{
    cmd->request_key.type = al_u8(c);
    if (cmd->request_key.type == AL_KEY_TYPE_REQUEST_APP)
        cmd->request_key.partner = al_le64(c);
    else if (cmd->request_key.type != AL_KEY_TYPE_TC_LINK && !c->failed)
        return AL_ERR_NOT_SUPPORTED;
    return 0;
}

static int write_request_key(const struct al_aps_command *cmd, struct al_put *p)
{
    al_put8(p, cmd->request_key.type);
    if (cmd->request_key.type == AL_KEY_TYPE_REQUEST_APP)
        al_put64(p, cmd->request_key.partner);
    else if (cmd->request_key.type != AL_KEY_TYPE_TC_LINK)
        return AL_ERR_NOT_SUPPORTED;
    return 0;
}

static void read_tunnel(struct al_aps_command *cmd, struct al_cur *c)
{
    cmd->tunnel.dst = al_le64(c);
    cmd->tunnel.len = c->len - c->pos;
    cmd->tunnel.frame = al_take(c, cmd->tunnel.len);
}

static int read_fields(struct al_aps_command *cmd, struct al_cur *c)
{
    switch (cmd->id) {
    case AL_APS_TRANSPORT_KEY:
        return read_transport_key(cmd, c);
    case AL_APS_UPDATE_DEVICE:
        cmd->update_device.device = al_le64(c);
        cmd->update_device.short_addr = al_le16(c);
        cmd->update_device.status = al_u8(c);
        return 0;
    case AL_APS_REMOVE_DEVICE:
        cmd->remove_device.target = al_le64(c);
        return 0;
    case AL_APS_REQUEST_KEY:
        return read_request_key(cmd, c);
    case AL_APS_SWITCH_KEY:
        cmd->switch_key.key_seq = al_u8(c);
        return 0;
    case AL_APS_TUNNEL:
        read_tunnel(cmd, c);
        return 0;
    case AL_APS_VERIFY_KEY:
        cmd->verify_key.type = al_u8(c);
        cmd->verify_key.source = al_le64(c);
        al_bytes(c, cmd->verify_key.hash, sizeof cmd->verify_key.hash);
        return 0;
    case AL_APS_CONFIRM_KEY:
        cmd->confirm_key.status = al_u8(c);
        cmd->confirm_key.type = al_u8(c);
        cmd->confirm_key.dst = al_le64(c);
        return 0;
    default:
        return AL_ERR_NOT_SUPPORTED;
    }
}

int al_aps_command_parse(struct al_aps_command *cmd, const uint8_t *payload, size_t len)
{
    struct al_cur c = al_cur(payload, len);
    *cmd = (struct al_aps_command){.id = al_u8(&c)};
    if (c.failed) return AL_ERR_SHORT;
    int err = read_fields(cmd, &c);
    if (!err && c.failed) err = AL_ERR_SHORT;
    return err;
}

static int write_fields(const struct al_aps_command *cmd, struct al_put *p)
{
    switch (cmd->id) {
    case AL_APS_TRANSPORT_KEY:
        return write_transport_key(cmd, p);
    case AL_APS_UPDATE_DEVICE:
        al_put64(p, cmd->update_device.device);
        al_put16(p, cmd->update_device.short_addr);
        al_put8(p, cmd->update_device.status);
        return 0;
    case AL_APS_REMOVE_DEVICE:
        al_put64(p, cmd->remove_device.target);
        return 0;
    case AL_APS_REQUEST_KEY:
        return write_request_key(cmd, p);
    case AL_APS_SWITCH_KEY:
        al_put8(p, cmd->switch_key.key_seq);
        return 0;
    case AL_APS_TUNNEL:
        al_put64(p, cmd->tunnel.dst);
        al_put_bytes(p, cmd->tunnel.frame, cmd->tunnel.len);
        return 0;
    case AL_APS_VERIFY_KEY:
        al_put8(p, cmd->verify_key.type);
        al_put64(p, cmd->verify_key.source);
        al_put_bytes(p, cmd->verify_key.hash, sizeof cmd->verify_key.hash);
        return 0;
    case AL_APS_CONFIRM_KEY:
        al_put8(p, cmd->confirm_key.status);
        al_put8(p, cmd->confirm_key.type);
        al_put64(p, cmd->confirm_key.dst);
        return 0;
    default:
        return AL_ERR_NOT_SUPPORTED;
    }
}

int al_aps_command_build(const struct al_aps_command *cmd, struct al_put *p)
{
    al_put8(p, cmd->id);
    int err = write_fields(cmd, p);
    if (!err && p->failed) err = AL_ERR_INVALID_SIZE;
    return err;
}
