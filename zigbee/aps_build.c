/* Outgoing frames as bytes. */
#include "zigbee/aps_internal.h"

static struct al_aps_frame frame_of(const struct al_aps_tx *t, uint8_t block)
{
    bool command = t->flags & AL_APS_TX_COMMAND;
    struct al_aps_frame f = {
        .type = command ? AL_APS_COMMAND : AL_APS_DATA,
        .delivery = t->group                   ? AL_APS_GROUP
                    : AL_NWK_BROADCAST(t->dst) ? AL_APS_BROADCAST
                                               : AL_APS_UNICAST,
        .group = t->group,
        .dst_endpoint = t->dst_ep,
        .src_endpoint = t->src_ep,
        .cluster = t->cluster,
        .profile = t->profile,
        .counter = t->counter,
        .ack_request = t->flags & AL_APS_TX_ACK,
        .payload = t->bytes,
        .payload_len = t->len,
    };
    if (!t->blocks) return f;
    size_t at = (size_t)block * t->block_len;
    f.extended = true;
    f.fragment = block ? AL_APS_MIDDLE : AL_APS_FIRST;
    f.block = block ? block : t->blocks;
    f.payload = t->bytes + at;
    f.payload_len = t->len - at < t->block_len ? t->len - at : t->block_len;
    return f;
}

int al_aps_tx_frame(struct al_aps *a, const struct al_aps_tx *t, uint8_t block, struct al_put *p)
{
    if (t->flags & AL_APS_TX_RAW) {
        al_put_bytes(p, t->bytes, t->len);
        return p->failed ? AL_ERR_INVALID_SIZE : 0;
    }
    struct al_aps_frame f = frame_of(t, block);
    if (t->key_id == AL_APS_KEY_NONE) return al_aps_build(&f, p);
    return al_aps_protect(a, &f, t->dst_ext, t->key_id, t->flags & AL_APS_TX_FRESH, p);
}

int al_aps_build_command(struct al_aps *a, uint64_t now, const struct al_aps_send_command *s,
                         uint8_t *out, size_t size)
{
    uint8_t payload[AL_RADIO_MPDU_MAX];
    struct al_put p = al_put(payload, sizeof payload);
    int err = al_aps_command_build(s->command, &p);
    if (err) return err;
    struct al_aps_tx t = {
        .flags = AL_APS_TX_COMMAND | (s->fresh_key ? AL_APS_TX_FRESH : 0u),
        .counter = a->counter++,
        .key_id = s->key_id,
        .dst = s->dst,
        .dst_ext = s->dst_ext,
        .len = (uint16_t)p.len,
        .bytes = payload,
    };
    struct al_put frame = al_put(out, size);
    err = al_aps_tx_frame(a, &t, 0, &frame);
    return err ? err : (int)frame.len;
}
