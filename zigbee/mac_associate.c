/* The child's side: association, and polls of the parent. */
#include "zigbee/mac_internal.h"

#define FIRST_POLL_US 100000u /* from the request on */
#define POLL_EVERY_US 100000u
#define ANSWERS_SHARE 4u /* of the slots: one in so many for answers to associations */

/* ---- Association ---- */

int al_mac_associate(struct al_mac *m, uint64_t now, uint8_t channel, uint16_t pan_id,
                     uint16_t parent, uint8_t capability)
{
    if (m->scan.kind || m->assoc.state || m->poll.state) return AL_ERR_INVALID_STATE;
    if (parent >= AL_MAC_NO_SHORT) return AL_ERR_INVALID_ARG;
    int err = al_mac_start(m, channel, pan_id, AL_MAC_BROADCAST, true);
    if (err) return err;
    m->assoc.state = AL_ASSOC_ASKING;
    m->assoc.parent = parent;
    m->assoc.parent_ext = 0;
    m->assoc.capability = capability;
    al_mac_own(m, al_mac_short(pan_id, parent), false, AL_MAC_BROADCAST,
               &(struct al_mac_command){.id = AL_MAC_ASSOC_REQUEST, .capability = capability});
    al_mac_kick(m, now);
    return 0;
}

static void assoc_end(struct al_mac *m, uint64_t now, enum al_zb_status status, uint16_t addr)
{
    m->assoc.state = AL_ASSOC_IDLE;
    m->own.len = 0;
    if (m->sending == &m->own) m->sending = NULL; /* what becomes of it no longer matters */
    m->radio.rx_on = status == AL_ZB_OK && (m->assoc.capability & AL_CAP_RX_ON);
    if (status == AL_ZB_OK) m->radio.short_addr = addr;
    al_mac_tune(m);
    if (m->c.up->associated) m->c.up->associated(m->c.up_ctx, now, status, addr);
}

static void assoc_asked(struct al_mac *m, uint64_t now, enum al_radio_status status)
{
    if (status != AL_RADIO_SENT) {
        assoc_end(m, now, al_mac_radio_status(status), AL_MAC_BROADCAST);
        return;
    }
    m->assoc.state = AL_ASSOC_WAITING;
    m->assoc.until = now + AL_MAC_RESPONSE_WAIT_US;
    m->assoc.next_poll = now + FIRST_POLL_US;
}

/* Answered "pending", the response gets its time even when the wait ends meanwhile. */
static void assoc_fetched(struct al_mac *m, uint64_t now, enum al_radio_status status,
                          bool ack_pending)
{
    uint64_t listening = now + AL_RADIO_FRAME_WAIT_US;
    m->assoc.state = AL_ASSOC_WAITING;
    if (status == AL_RADIO_SENT && ack_pending && m->assoc.until < listening)
        m->assoc.until = listening;
}

void al_mac_assoc_response(struct al_mac *m, uint64_t now, const struct al_mac_frame *f,
                           const struct al_mac_command *cmd)
{
    enum al_zb_status status = AL_ZB_DENIED;
    if (m->assoc.state < AL_ASSOC_WAITING || f->dst.mode != AL_MAC_EXT) return;
    if (f->src.mode != AL_MAC_EXT) return;
    if (cmd->status == AL_MAC_ASSOC_OK && cmd->short_addr && cmd->short_addr < 0xfff8)
        status = AL_ZB_OK;
    else if (cmd->status == AL_MAC_ASSOC_FULL)
        status = AL_ZB_PAN_FULL;
    else if (cmd->status == AL_MAC_ASSOC_CONFLICT)
        status = AL_ZB_CONFLICT;
    m->assoc.parent_ext = f->src.ext;
    assoc_end(m, now, status, status == AL_ZB_OK ? cmd->short_addr : AL_MAC_BROADCAST);
}

void al_mac_assoc_run(struct al_mac *m, uint64_t now)
{
    if (m->assoc.state < AL_ASSOC_WAITING) return;
    if (now >= m->assoc.until) {
        assoc_end(m, now, AL_ZB_TIMEOUT, AL_MAC_BROADCAST);
    } else if (m->assoc.state == AL_ASSOC_WAITING && now >= m->assoc.next_poll) {
        m->assoc.state = AL_ASSOC_FETCHING;
        m->assoc.next_poll = now + POLL_EVERY_US;
        al_mac_own(m, al_mac_short(m->radio.pan_id, m->assoc.parent), false, m->radio.pan_id,
                   &(struct al_mac_command){.id = AL_MAC_DATA_REQUEST});
    }
}

/* Requests come from anybody, and their answers lie here for seconds: a newer one to the same
 * device replaces the older, and all together take a part of the room only. */
static struct al_mac_slot *answer_slot(struct al_mac *m, uint64_t ext)
{
    unsigned answers = 0;
    for (unsigned i = 0; i < m->top; i++) {
        struct al_mac_slot *s = &m->c.slots[i];
        if (!s->len || !s->answer) continue;
        if (s->dst.ext == ext && s != m->sending)
            al_mac_slot_free(m, s);
        else
            answers++;
    }
    unsigned most = m->c.slot_count / ANSWERS_SHARE;
    if (answers > 0 && answers >= most) return NULL;
    struct al_mac_slot *s = al_mac_slot_take(m);
    if (s) s->answer = true;
    return s;
}

int al_mac_association_answer(struct al_mac *m, uint64_t now, uint64_t ext, uint16_t addr,
                              enum al_zb_status status, uint16_t handle)
{
    struct al_mac_command cmd = {.id = AL_MAC_ASSOC_RESPONSE, .short_addr = AL_MAC_BROADCAST};
    uint8_t payload[4];
    struct al_put p = al_put(payload, sizeof payload);
    switch (status) {
    case AL_ZB_OK:
        cmd.short_addr = addr;
        break;
    case AL_ZB_PAN_FULL:
        cmd.status = AL_MAC_ASSOC_FULL;
        break;
    case AL_ZB_CONFLICT:
        cmd.status = AL_MAC_ASSOC_CONFLICT;
        break;
    default:
        cmd.status = AL_MAC_ASSOC_DENIED;
        break;
    }
    struct al_mac_slot *s = answer_slot(m, ext);
    if (!s) return AL_ERR_NO_MEM;
    al_mac_command_build(&cmd, &p);
    struct al_mac_frame f = {
        .type = AL_MAC_COMMAND,
        .dst = al_mac_ext(m->radio.pan_id, ext),
        .src = al_mac_ext(m->radio.pan_id, m->c.ext_addr),
        .seq = m->seq++,
        .ack_request = true,
        .payload = payload,
        .payload_len = (uint8_t)p.len,
    };
    s->dst = f.dst;
    s->handle = handle;
    s->expires = now + AL_MAC_PERSISTENCE_US;
    int err = al_mac_slot_fill(m, s, &f);
    if (err) return err;
    s->indirect = true;
    al_mac_pending_changed(m, &s->dst, true);
    return 0;
}

/* ---- Polls ---- */

int al_mac_poll(struct al_mac *m, uint64_t now, uint16_t parent)
{
    if (m->scan.kind || m->assoc.state || m->poll.state || !m->radio.channel)
        return AL_ERR_INVALID_STATE;
    m->poll.state = AL_POLL_ASKING;
    m->poll.parent = parent;
    al_mac_own(m, al_mac_short(m->radio.pan_id, parent), al_mac_has_short(m), m->radio.pan_id,
               &(struct al_mac_command){.id = AL_MAC_DATA_REQUEST});
    al_mac_kick(m, now);
    return 0;
}

static void poll_end(struct al_mac *m, uint64_t now, enum al_zb_status status)
{
    m->poll.state = AL_POLL_IDLE;
    if (m->c.up->poll_done) m->c.up->poll_done(m->c.up_ctx, now, status);
}

static void poll_asked(struct al_mac *m, uint64_t now, enum al_radio_status status,
                       bool ack_pending)
{
    if (status == AL_RADIO_SENT && ack_pending) {
        m->poll.state = AL_POLL_WAITING;
        m->poll.until = now + AL_RADIO_FRAME_WAIT_US;
        return;
    }
    poll_end(m, now, status == AL_RADIO_SENT ? AL_ZB_NO_DATA : al_mac_radio_status(status));
}

void al_mac_poll_answered(struct al_mac *m, uint64_t now, const struct al_mac_addr *src, bool empty)
{
    if (m->poll.state != AL_POLL_WAITING) return;
    if (src->mode == AL_MAC_SHORT && src->short_addr != m->poll.parent) return;
    poll_end(m, now, empty ? AL_ZB_NO_DATA : AL_ZB_OK);
}

void al_mac_poll_run(struct al_mac *m, uint64_t now)
{
    if (m->poll.state == AL_POLL_WAITING && now >= m->poll.until) poll_end(m, now, AL_ZB_NO_DATA);
}

/* ---- What became of the MAC's own requests ---- */

void al_mac_own_done(struct al_mac *m, uint64_t now, enum al_radio_status status, bool ack_pending)
{
    if (m->scan.kind)
        al_mac_scan_asked(m, now);
    else if (m->assoc.state == AL_ASSOC_ASKING)
        assoc_asked(m, now, status);
    else if (m->assoc.state == AL_ASSOC_FETCHING)
        assoc_fetched(m, now, status, ack_pending);
    else if (m->poll.state == AL_POLL_ASKING)
        poll_asked(m, now, status, ack_pending);
}
