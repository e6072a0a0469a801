/* Frames from the radio: to whom they are, whether they are new, what they ask. */
#include "core/crc32.h"
#include "zigbee/mac_internal.h"

#define SEEN_US 8000000u /* longer than an indirect frame is repeated */

/* A radio may let more through than it should. */
static bool for_us(const struct al_mac *m, const struct al_mac_frame *f)
{
    if (f->dst.mode == AL_MAC_NONE) return false;
    if (f->dst.pan != m->radio.pan_id) return false;
    if (f->dst.mode == AL_MAC_EXT) return f->dst.ext == m->c.ext_addr;
    return f->dst.short_addr == AL_MAC_BROADCAST || f->dst.short_addr == m->radio.short_addr;
}

static bool is_unicast(const struct al_mac_frame *f)
{
    return f->dst.mode == AL_MAC_EXT || f->dst.short_addr != AL_MAC_BROADCAST;
}

/* Remembers the frame; true: it is the neighbour's last one once more. */
static bool repeated(struct al_mac *m, uint64_t now, const struct al_mac_frame *f,
                     const struct al_radio_rx *rx)
{
    uint64_t addr = f->src.mode == AL_MAC_EXT ? f->src.ext : f->src.short_addr;
    uint32_t crc = al_crc32(0, rx->mpdu + 2, rx->len - 2u);
    struct al_mac_seen *place = NULL;
    for (unsigned i = 0; i < m->c.seen_count; i++) {
        struct al_mac_seen *s = &m->c.seen[i];
        if (s->mode == f->src.mode && s->addr == addr) {
            place = s;
            break;
        }
        if (!place || (place->mode && (!s->mode || s->at < place->at))) place = s;
    }
    if (!place) return false;
    bool same = place->mode == f->src.mode && place->addr == addr && place->seq == f->seq &&
                place->crc == crc && now - place->at < SEEN_US;
    *place = (struct al_mac_seen){
        .addr = addr, .mode = f->src.mode, .seq = f->seq, .crc = crc, .at = now};
    return same;
}

static void command(struct al_mac *m, uint64_t now, const struct al_mac_frame *f,
                    const struct al_radio_rx *rx)
{
    struct al_mac_command cmd;
    if (al_mac_command_parse(&cmd, f->payload, f->payload_len)) {
        m->rx_bad++;
        return;
    }
    if (cmd.id == AL_MAC_BEACON_REQUEST) {
        if (f->dst.mode == AL_MAC_SHORT) al_mac_beacon_request(m, now);
        return;
    }
    if (!for_us(m, f) || f->src.mode == AL_MAC_NONE || m->scan.kind) return;
    /* A poll is answered each time: its repetition may mean that the answer was lost. */
    if (cmd.id == AL_MAC_DATA_REQUEST) {
        al_mac_child_polled(m, now, &f->src, rx->pending);
        return;
    }
    if (repeated(m, now, f, rx)) {
        m->rx_duplicates++;
        return;
    }
    switch (cmd.id) {
    case AL_MAC_ASSOC_REQUEST:
        if (f->src.mode == AL_MAC_EXT && is_unicast(f) && m->c.up->association)
            m->c.up->association(m->c.up_ctx, now, f->src.ext, cmd.capability);
        break;
    case AL_MAC_ASSOC_RESPONSE:
        al_mac_assoc_response(m, now, f, &cmd);
        break;
    case AL_MAC_DISASSOC:
        if (is_unicast(f) && m->c.up->disassociated)
            m->c.up->disassociated(m->c.up_ctx, now, &f->src, cmd.status);
        break;
    default:
        break;
    }
    if (is_unicast(f)) al_mac_poll_answered(m, now, &f->src, false);
}

static void data(struct al_mac *m, uint64_t now, const struct al_mac_frame *f,
                 const struct al_radio_rx *rx)
{
    if (f->src.mode == AL_MAC_NONE) {
        m->rx_bad++;
        return;
    }
    if (!for_us(m, f) || m->scan.kind) return;
    bool empty = f->payload_len == 0;
    if (repeated(m, now, f, rx)) {
        m->rx_duplicates++;
    } else if (!empty && m->c.up->data) {
        struct al_mac_data_ind ind = {
            .dst = f->dst,
            .src = f->src,
            .payload = f->payload,
            .len = f->payload_len,
            .lqi = rx->lqi,
            .rssi = rx->rssi,
            .pending = f->pending,
        };
        m->c.up->data(m->c.up_ctx, now, &ind);
    }
    if (is_unicast(f)) al_mac_poll_answered(m, now, &f->src, empty);
}

void al_mac_received(struct al_mac *m, uint64_t now, const struct al_radio_rx *rx)
{
    struct al_mac_frame f;
    if (!m->radio.channel) return;
    m->rx_frames++;
    if (al_mac_parse(&f, rx->mpdu, rx->len)) {
        m->rx_bad++;
        return;
    }
    switch (f.type) {
    case AL_MAC_BEACON:
        al_mac_beacon_received(m, now, &f, rx->lqi);
        break;
    case AL_MAC_DATA:
        data(m, now, &f, rx);
        break;
    case AL_MAC_COMMAND:
        command(m, now, &f, rx);
        break;
    default: /* acknowledgements are the radio's */
        break;
    }
    al_mac_kick(m, now);
}
