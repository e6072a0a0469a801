/* Scans, and beacons: asked for, heard, and sent to others who ask. */
#include "zigbee/mac_internal.h"

#define CHANNELS      0x07fff800u /* 11..26 */
#define BEACON_JITTER 0xffffu     /* us: answers to one request must not collide */
#define MEASURE_GRACE 1000000u    /* us that the radio may be late with a result */
#define SUPERFRAME_US (960u * 16u)

static uint32_t duration_us(uint8_t duration)
{
    return SUPERFRAME_US * ((1u << duration) + 1);
}

int al_mac_scan(struct al_mac *m, uint64_t now, enum al_mac_scan_kind kind, uint32_t mask,
                uint8_t duration)
{
    if (m->scan.kind || m->assoc.state || m->poll.state) return AL_ERR_INVALID_STATE;
    if (!(mask & CHANNELS) || duration > 14) return AL_ERR_INVALID_ARG;
    m->scan.kind = (uint8_t)kind;
    m->scan.state = AL_SCAN_NEXT;
    m->scan.mask = mask & CHANNELS;
    m->scan.channel = 0;
    m->scan.duration = duration;
    m->scan.until = now;
    m->scan.before = m->radio;
    return 0; /* the next run begins it */
}

static void done(struct al_mac *m, uint64_t now)
{
    uint8_t last = m->radio.channel;
    m->radio = m->scan.before;
    memset(&m->scan, 0, sizeof m->scan);
    if (m->radio.channel) {
        al_mac_tune(m);
    } else if (last) { /* it never was on: only the receiver goes off */
        struct al_radio_config off = m->radio;
        off.channel = last;
        m->c.radio->configure(m->c.radio->ctx, &off);
    }
    if (m->c.up->scan_done) m->c.up->scan_done(m->c.up_ctx, now);
}

static void listen_there(struct al_mac *m)
{
    m->radio.channel = m->scan.channel;
    m->radio.pan_id = AL_MAC_BROADCAST;
    m->radio.short_addr = AL_MAC_BROADCAST;
    m->radio.rx_on = true;
    al_mac_tune(m);
}

static void ask_for_beacons(struct al_mac *m)
{
    listen_there(m);
    m->scan.state = AL_SCAN_ASKING;
    al_mac_own(m, al_mac_short(AL_MAC_BROADCAST, AL_MAC_BROADCAST), false, 0,
               &(struct al_mac_command){.id = AL_MAC_BEACON_REQUEST});
}

static void measure(struct al_mac *m, uint64_t now)
{
    uint32_t us = duration_us(m->scan.duration);
    /* A co-processor that was never configured measures nothing. */
    if (!m->scan.before.channel) listen_there(m);
    int err = m->c.radio->energy_scan(m->c.radio->ctx, m->scan.channel, us);
    if (err == AL_ERR_INVALID_STATE) { /* busy: this channel again, soon */
        m->scan.mask |= 1u << m->scan.channel;
        m->scan.until = now + 1000;
        return;
    }
    m->scan.state = AL_SCAN_MEASURING;
    m->scan.until = err ? now : now + us + MEASURE_GRACE;
}

static void next_channel(struct al_mac *m, uint64_t now)
{
    uint8_t channel = 11;
    if (!m->scan.mask) {
        done(m, now);
        return;
    }
    while (!(m->scan.mask >> channel & 1)) channel++;
    m->scan.mask &= ~(1u << channel);
    m->scan.channel = channel;
    if (m->scan.kind == AL_MAC_SCAN_ENERGY)
        measure(m, now);
    else
        ask_for_beacons(m);
}

void al_mac_scan_run(struct al_mac *m, uint64_t now)
{
    if (!m->scan.kind || m->radio_busy || m->scan.state == AL_SCAN_ASKING) return;
    if (now >= m->scan.until) next_channel(m, now);
}

void al_mac_scan_asked(struct al_mac *m, uint64_t now)
{
    if (m->scan.state != AL_SCAN_ASKING) return;
    m->scan.state = AL_SCAN_LISTENING;
    m->scan.until = now + duration_us(m->scan.duration);
}

void al_mac_scanned(struct al_mac *m, uint64_t now, uint8_t channel, int8_t dbm)
{
    if (m->scan.kind != AL_MAC_SCAN_ENERGY || m->scan.state != AL_SCAN_MEASURING) return;
    if (channel != m->scan.channel) return; /* of a scan that was stopped */
    m->scan.state = AL_SCAN_NEXT;
    m->scan.until = now;
    if (m->c.up->energy) m->c.up->energy(m->c.up_ctx, now, channel, dbm);
    al_mac_scan_run(m, now);
}

/* ---- Beacons ---- */

void al_mac_set_beacon(struct al_mac *m, const struct al_mac_beacon_ind *b)
{
    m->answers_beacons = b != NULL;
    if (b) m->own_beacon = *b;
}

static bool beacon_queued(const struct al_mac *m)
{
    for (unsigned i = 0; i < m->top; i++) {
        const struct al_mac_slot *s = &m->c.slots[i];
        if (s->len && s->dst.mode == AL_MAC_NONE) return true;
    }
    return false;
}

void al_mac_beacon_request(struct al_mac *m, uint64_t now)
{
    if (!m->answers_beacons || m->scan.kind || !al_mac_has_short(m)) return;
    if (beacon_queued(m)) return; /* it answers both */
    const struct al_mac_beacon_ind *own = &m->own_beacon;
    struct al_mac_beacon b = {.zigbee = own->zigbee};
    uint8_t payload[32];
    struct al_put p = al_put(payload, sizeof payload);
    b.superframe = (uint16_t)(AL_SUPERFRAME_NO_BEACONS |
                              (own->pan_coordinator ? AL_SUPERFRAME_COORDINATOR : 0) |
                              (own->permit_join ? AL_SUPERFRAME_PERMIT : 0));
    if (al_mac_beacon_build(&b, &p)) return;
    struct al_mac_slot *s = al_mac_slot_take(m);
    if (!s) return;
    struct al_mac_frame f = {
        .type = AL_MAC_BEACON,
        .src = al_mac_short(m->radio.pan_id, m->radio.short_addr),
        .seq = m->beacon_seq++,
        .payload = payload,
        .payload_len = (uint8_t)p.len,
    };
    s->not_before = now + (m->c.random.next(m->c.random.ctx) & BEACON_JITTER);
    al_mac_slot_fill(m, s, &f);
}

void al_mac_beacon_received(struct al_mac *m, uint64_t now, const struct al_mac_frame *f,
                            uint8_t lqi)
{
    struct al_mac_beacon_ind ind = {.channel = m->radio.channel, .lqi = lqi};
    struct al_mac_beacon b;
    if (m->scan.kind != AL_MAC_SCAN_ACTIVE || f->src.mode != AL_MAC_SHORT) return;
    if (al_mac_beacon_parse(&b, f->payload, f->payload_len)) return;
    ind.zigbee = b.zigbee;
    ind.pan_id = f->src.pan;
    ind.addr = f->src.short_addr;
    ind.permit_join = b.superframe & AL_SUPERFRAME_PERMIT;
    ind.pan_coordinator = b.superframe & AL_SUPERFRAME_COORDINATOR;
    if (m->c.up->beacon) m->c.up->beacon(m->c.up_ctx, now, &ind);
}
