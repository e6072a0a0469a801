/* The queue: one frame at a time goes to the radio. First the frames that a child is
 * listening for right now, then the MAC's own requests, then the rest in order. */
#include "zigbee/deadline.h"
#include "zigbee/mac_internal.h"

#define RETRY_US 1000u /* the radio said that it is busy */

void al_mac_init(struct al_mac *m, const struct al_mac_config *c)
{
    memset(m, 0, sizeof *m);
    m->c = *c;
    for (unsigned i = 0; i < c->slot_count; i++) c->slots[i].len = 0;
    for (unsigned i = 0; i < c->seen_count; i++) c->seen[i].mode = AL_MAC_NONE;
    m->seq = (uint8_t)c->random.next(c->random.ctx);
    m->beacon_seq = (uint8_t)c->random.next(c->random.ctx);
    m->radio.pan_id = AL_MAC_BROADCAST;
    m->radio.short_addr = AL_MAC_BROADCAST;
    m->radio.ext_addr = c->ext_addr;
}

void al_mac_tune(struct al_mac *m)
{
    m->radio_due = m->c.radio->configure(m->c.radio->ctx, &m->radio) == AL_ERR_INVALID_STATE;
}

bool al_mac_has_short(const struct al_mac *m)
{
    return m->radio.short_addr < AL_MAC_NO_SHORT;
}

int al_mac_start(struct al_mac *m, uint8_t channel, uint16_t pan_id, uint16_t addr, bool rx_on)
{
    if (channel < 11 || channel > 26) return AL_ERR_INVALID_ARG;
    if (m->scan.kind) return AL_ERR_INVALID_STATE;
    m->radio.channel = channel;
    m->radio.pan_id = pan_id;
    m->radio.short_addr = addr;
    m->radio.rx_on = rx_on;
    int err = m->c.radio->configure(m->c.radio->ctx, &m->radio);
    m->radio_due = err == AL_ERR_INVALID_STATE;
    return m->radio_due ? 0 : err;
}

void al_mac_stop(struct al_mac *m)
{
    for (unsigned i = 0; i < m->top; i++) {
        if (m->c.slots[i].len) al_mac_slot_free(m, &m->c.slots[i]);
    }
    m->own.len = 0;
    m->sending = NULL; /* radio_busy stays until it reports */
    memset(&m->scan, 0, sizeof m->scan);
    memset(&m->assoc, 0, sizeof m->assoc);
    memset(&m->poll, 0, sizeof m->poll);
    m->answers_beacons = false;
    if (!m->radio.channel) return;
    m->radio.rx_on = false;
    m->radio.pan_id = AL_MAC_BROADCAST;
    m->radio.short_addr = AL_MAC_BROADCAST;
    al_mac_tune(m);
}

/* ---- Slots ---- */

struct al_mac_slot *al_mac_slot_take(struct al_mac *m)
{
    for (unsigned i = 0; i < m->c.slot_count; i++) {
        struct al_mac_slot *s = &m->c.slots[i];
        if (s->len) continue;
        memset(s, 0, sizeof *s);
        s->len = 1; /* taken; the frame gives the true length */
        s->order = m->order++;
        m->used++;
        if (i >= m->top) m->top = (uint16_t)(i + 1);
        return s;
    }
    return NULL;
}

void al_mac_slot_free(struct al_mac *m, struct al_mac_slot *s)
{
    bool indirect = s->indirect;
    s->len = 0;
    m->used--;
    while (m->top && !m->c.slots[m->top - 1].len) m->top--;
    if (indirect) al_mac_pending_changed(m, &s->dst, false);
}

unsigned al_mac_free_slots(const struct al_mac *m)
{
    return (unsigned)(m->c.slot_count - m->used);
}

int al_mac_slot_fill(struct al_mac *m, struct al_mac_slot *s, const struct al_mac_frame *f)
{
    struct al_put p = al_put(s->mpdu, sizeof s->mpdu);
    if (al_mac_build(f, &p)) {
        if (s != &m->own) al_mac_slot_free(m, s);
        return AL_ERR_INVALID_SIZE;
    }
    s->len = (uint8_t)p.len;
    return 0;
}

static bool is_broadcast(const struct al_mac_addr *a)
{
    return a->mode == AL_MAC_SHORT && a->short_addr == AL_MAC_BROADCAST;
}

static struct al_mac_addr own_addr(const struct al_mac *m, bool short_src, uint16_t pan)
{
    return short_src ? al_mac_short(pan, m->radio.short_addr) : al_mac_ext(pan, m->c.ext_addr);
}

int al_mac_send(struct al_mac *m, uint64_t now, const struct al_mac_send *s)
{
    bool broadcast = is_broadcast(&s->dst);
    if (!m->radio.channel) return AL_ERR_INVALID_STATE;
    if (s->dst.mode != AL_MAC_SHORT && s->dst.mode != AL_MAC_EXT) return AL_ERR_INVALID_ARG;
    if (broadcast && s->indirect) return AL_ERR_INVALID_ARG;
    if (s->len > AL_RADIO_MPDU_MAX) return AL_ERR_INVALID_SIZE;
    /* Frames for sleepers lie here for seconds: they may not take all of the room. */
    unsigned reserve = s->indirect && m->c.slot_count > 1 ? m->c.slot_count / 8u + 1 : 0;
    struct al_mac_slot *slot = al_mac_free_slots(m) > reserve ? al_mac_slot_take(m) : NULL;
    if (!slot) return AL_ERR_NO_MEM;

    struct al_mac_frame f = {
        .type = AL_MAC_DATA,
        .dst = s->dst,
        .src = own_addr(m, al_mac_has_short(m), m->radio.pan_id),
        .seq = m->seq,
        .ack_request = !broadcast,
        .payload = s->payload,
        .payload_len = (uint8_t)s->len,
    };
    f.dst.pan = m->radio.pan_id;
    slot->handle = s->handle;
    slot->dst = f.dst;
    int err = al_mac_slot_fill(m, slot, &f);
    if (err) return err;
    m->seq++;
    if (s->indirect) {
        slot->indirect = true;
        slot->expires = now + AL_MAC_PERSISTENCE_US;
        al_mac_pending_changed(m, &slot->dst, true);
    } else {
        al_mac_kick(m, now);
    }
    return 0;
}

void al_mac_own(struct al_mac *m, struct al_mac_addr dst, bool short_src, uint16_t src_pan,
                const struct al_mac_command *cmd)
{
    uint8_t payload[4];
    struct al_put p = al_put(payload, sizeof payload);
    bool beacon_request = cmd->id == AL_MAC_BEACON_REQUEST;
    if (al_mac_command_build(cmd, &p)) return;

    struct al_mac_frame f = {
        .type = AL_MAC_COMMAND,
        .dst = dst,
        .seq = m->seq++,
        .ack_request = !beacon_request,
        .payload = payload,
        .payload_len = (uint8_t)p.len,
    };
    if (!beacon_request) f.src = own_addr(m, short_src, src_pan);
    memset(&m->own, 0, sizeof m->own);
    m->own.dst = dst;
    al_mac_slot_fill(m, &m->own, &f);
}

bool al_mac_purge(struct al_mac *m, uint16_t handle)
{
    if (!handle) return false;
    for (unsigned i = 0; i < m->top; i++) {
        struct al_mac_slot *s = &m->c.slots[i];
        if (!s->len || s->handle != handle || s == m->sending) continue;
        al_mac_slot_free(m, s);
        return true;
    }
    return false;
}

/* ---- To the radio ---- */

/* A child hears a released frame only while it waits for it. */
static bool may_leave(struct al_mac_slot *s, uint64_t now)
{
    if (!s->len || s->failed) return false;
    if (!s->indirect) return s->not_before <= now;
    if (s->released && now > s->release_by) s->released = false;
    return s->released;
}

static bool before(const struct al_mac_slot *a, const struct al_mac_slot *b)
{
    if (a->released != b->released) return a->released;
    return (int32_t)(a->order - b->order) < 0;
}

/* While scanning, joining or waiting for a polled frame nothing else may leave. */
static bool own_only(const struct al_mac *m)
{
    return m->scan.kind || m->assoc.state || m->poll.state;
}

static struct al_mac_slot *choose(struct al_mac *m, uint64_t now)
{
    struct al_mac_slot *best = NULL;
    if (!own_only(m)) {
        for (unsigned i = 0; i < m->top; i++) {
            struct al_mac_slot *s = &m->c.slots[i];
            if (may_leave(s, now) && (!best || before(s, best))) best = s;
        }
    }
    return m->own.len && !m->own.failed ? &m->own : best;
}

static void mark_pending(struct al_mac *m, struct al_mac_slot *s)
{
    const uint8_t bit = 1u << 4;
    bool more = s->indirect && al_mac_waiting_for(m, &s->dst) > 1;
    s->mpdu[0] = (uint8_t)(more ? s->mpdu[0] | bit : s->mpdu[0] & ~bit);
}

void al_mac_kick(struct al_mac *m, uint64_t now)
{
    if (m->radio_busy || (m->retry_at && now < m->retry_at)) return;
    m->retry_at = 0;
    if (m->radio_due) al_mac_tune(m);
    struct al_mac_slot *s = m->radio_due ? NULL : choose(m, now);
    if (m->radio_due) m->retry_at = now + RETRY_US;
    if (!s) return;
    mark_pending(m, s);
    int err = m->c.radio->transmit(m->c.radio->ctx, s->mpdu, s->len);
    if (err == AL_ERR_INVALID_STATE) {
        m->retry_at = now + RETRY_US;
    } else if (err) {
        s->failed = true; /* told in the next run: the caller may be in the middle of it */
    } else {
        m->sending = s;
        m->radio_busy = true;
        m->tx_frames++;
    }
}

enum al_zb_status al_mac_radio_status(enum al_radio_status status)
{
    switch (status) {
    case AL_RADIO_SENT:
        return AL_ZB_OK;
    case AL_RADIO_NO_ACK:
        return AL_ZB_NO_ACK;
    case AL_RADIO_CHANNEL_BUSY:
        return AL_ZB_CHANNEL_BUSY;
    case AL_RADIO_FAILED:
        break;
    }
    return AL_ZB_RADIO;
}

static void finish(struct al_mac *m, uint64_t now, struct al_mac_slot *s,
                   enum al_radio_status status, bool ack_pending)
{
    if (status != AL_RADIO_SENT) m->tx_failures++;
    if (s == &m->own) {
        s->len = 0;
        al_mac_own_done(m, now, status, ack_pending);
    } else if (s->indirect) {
        al_mac_indirect_done(m, now, s, status);
    } else {
        uint16_t handle = s->handle;
        al_mac_slot_free(m, s);
        if (handle && m->c.up->sent)
            m->c.up->sent(m->c.up_ctx, now, handle, al_mac_radio_status(status));
    }
}

void al_mac_transmitted(struct al_mac *m, uint64_t now, enum al_radio_status status,
                        bool ack_pending)
{
    struct al_mac_slot *s = m->sending;
    m->radio_busy = false;
    m->sending = NULL;
    if (s) finish(m, now, s, status, ack_pending);
    al_mac_scan_run(m, now);
    al_mac_kick(m, now);
}

/* ---- Time ---- */

static void fail_refused(struct al_mac *m, uint64_t now)
{
    if (m->own.len && m->own.failed) finish(m, now, &m->own, AL_RADIO_FAILED, false);
    for (unsigned i = 0; i < m->top; i++) {
        struct al_mac_slot *s = &m->c.slots[i];
        if (s->len && s->failed) finish(m, now, s, AL_RADIO_FAILED, false);
    }
}

uint64_t al_mac_next(const struct al_mac *m)
{
    bool retrying = !m->radio_busy && (m->retry_at || m->radio_due);
    bool may_start = !m->radio_busy && !retrying && !own_only(m);
    uint64_t at = retrying ? m->retry_at : AL_MAC_NEVER;
    if (m->own.len && m->own.failed) return 0;
    if (m->scan.kind && m->scan.state != AL_SCAN_ASKING && !m->radio_busy)
        at = al_earlier(at, m->scan.until);
    if (m->assoc.state == AL_ASSOC_WAITING) at = al_earlier(at, m->assoc.next_poll);
    if (m->assoc.state >= AL_ASSOC_WAITING) at = al_earlier(at, m->assoc.until);
    if (m->poll.state == AL_POLL_WAITING) at = al_earlier(at, m->poll.until);
    for (unsigned i = 0; i < m->top; i++) {
        const struct al_mac_slot *s = &m->c.slots[i];
        if (!s->len || s == m->sending) continue;
        if (s->failed) return 0;
        if (s->indirect)
            at = al_earlier(at, s->expires);
        else if (may_start)
            at = al_earlier(at, s->not_before);
    }
    return at;
}

void al_mac_run(struct al_mac *m, uint64_t now)
{
    fail_refused(m, now);
    al_mac_indirect_run(m, now);
    al_mac_scan_run(m, now);
    al_mac_assoc_run(m, now);
    al_mac_poll_run(m, now);
    al_mac_kick(m, now);
}
