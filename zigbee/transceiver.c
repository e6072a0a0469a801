#include "zigbee/transceiver.h"

#include "core/err.h"

#define NEVER       UINT64_MAX
#define COORDINATOR 0x0000u /* its short address */
#define FCF_PENDING 0x10u   /* of the first octet */

/* --- small parts --- */

static bool in_window(const struct al_transceiver *t, uint64_t now)
{
    return now < t->window_until;
}

/* Receives whenever it does not send or scan and is awake. */
static void update_listening(struct al_transceiver *t, uint64_t now)
{
    bool deaf = t->state == AL_TRX_SENDING || t->state == AL_TRX_SCANNING || t->ack_sending;
    bool awake = t->config.rx_on || in_window(t, now) || t->state == AL_TRX_AWAITING;
    bool on = awake && !deaf;
    if (on == t->listening) return;
    t->listening = on;
    if (on) t->listening_since = now;
    t->phy.listen(t->phy.ctx, on);
}

static void set_state(struct al_transceiver *t, uint64_t now, enum al_transceiver_state state,
                      uint64_t deadline)
{
    t->state = state;
    t->deadline = deadline;
    update_listening(t, now);
}

static void open_window(struct al_transceiver *t, uint64_t now)
{
    t->window_until = t->config.rx_on ? 0 : now + AL_RADIO_FRAME_WAIT_US;
    update_listening(t, now);
}

static void close_window(struct al_transceiver *t, uint64_t now)
{
    t->window_until = 0;
    update_listening(t, now);
}

/* Inter-frame spacing behind the frame, or its acknowledgement, that ended now. */
static void space_next(struct al_transceiver *t, uint64_t now)
{
    t->not_before = now + (t->len + AL_FCS_LEN > 18 ? AL_LIFS_US : AL_SIFS_US);
}

static bool asks_for_ack(const struct al_transceiver *t)
{
    return (t->frame[0] & 0x20) != 0;
}

static bool is_data_request(const struct al_mac_frame *f)
{
    return f->type == AL_MAC_COMMAND && f->payload_len > 0 && f->payload[0] == AL_MAC_DATA_REQUEST;
}

/* --- sending: CSMA-CA --- */

static void begin_backoff(struct al_transceiver *t, uint64_t now, uint64_t from)
{
    uint32_t periods = t->phy.random(t->phy.ctx) & ((1u << t->exponent) - 1u);
    set_state(t, now, AL_TRX_BACKOFF, from + (uint64_t)periods * AL_BACKOFF_US);
}

static void begin_attempt(struct al_transceiver *t, uint64_t now)
{
    t->backoffs = 0;
    t->exponent = AL_MIN_BE;
    begin_backoff(t, now, now < t->not_before ? t->not_before : now);
}

static void finish(struct al_transceiver *t, uint64_t now, enum al_radio_status status,
                   bool pending)
{
    t->counts.no_ack += status == AL_RADIO_NO_ACK;
    t->counts.channel_busy += status == AL_RADIO_CHANNEL_BUSY;
    set_state(t, now, AL_TRX_IDLE, NEVER);
    t->user.transmitted(t->user.ctx, now, status, pending);
}

static void channel_was_busy(struct al_transceiver *t, uint64_t now)
{
    t->counts.busy++;
    if (++t->backoffs > AL_MAX_CSMA_BACKOFFS) {
        finish(t, now, AL_RADIO_CHANNEL_BUSY, false);
        return;
    }
    if (t->exponent < AL_MAX_BE) t->exponent++;
    begin_backoff(t, now, now);
}

static void backoff_over(struct al_transceiver *t, uint64_t now)
{
    if (t->ack_sending || t->ack_at != NEVER) {
        /* The acknowledgement goes first. */
        uint64_t end = (t->ack_sending ? now : t->ack_at) + al_airtime(AL_ACK_LEN);
        begin_backoff(t, now, end);
        return;
    }
    set_state(t, now, AL_TRX_SENSING, NEVER);
    t->phy.sense(t->phy.ctx);
}

void al_transceiver_sensed(struct al_transceiver *t, uint64_t now, bool busy)
{
    if (t->state != AL_TRX_SENSING) return;
    if (busy || t->ack_sending || t->ack_at != NEVER)
        channel_was_busy(t, now);
    else
        set_state(t, now, AL_TRX_TURNAROUND, now + AL_TURNAROUND_US);
}

static void put_on_air(struct al_transceiver *t, uint64_t now)
{
    set_state(t, now, AL_TRX_SENDING, NEVER);
    t->counts.sent++;
    t->counts.repetitions += t->repeats > 0;
    t->phy.send(t->phy.ctx, t->frame, t->len);
}

static void frame_is_over(struct al_transceiver *t, uint64_t now)
{
    space_next(t, now);
    if (asks_for_ack(t))
        set_state(t, now, AL_TRX_AWAITING, now + AL_ACK_WAIT_US);
    else
        finish(t, now, AL_RADIO_SENT, false);
}

void al_transceiver_sent(struct al_transceiver *t, uint64_t now)
{
    if (t->ack_sending) {
        t->ack_sending = false;
        update_listening(t, now);
        if (t->state == AL_TRX_SCANNING) t->phy.measure(t->phy.ctx, t->scan_channel, t->scan_us);
    } else if (t->state == AL_TRX_SENDING) {
        frame_is_over(t, now);
    }
}

static void no_ack_came(struct al_transceiver *t, uint64_t now)
{
    if (t->repeats >= AL_MAX_FRAME_RETRIES) {
        finish(t, now, AL_RADIO_NO_ACK, false);
        return;
    }
    t->repeats++;
    begin_attempt(t, now);
}

static void ack_came(struct al_transceiver *t, const struct al_air_frame *f)
{
    struct al_mac_frame own;
    bool pending = (f->mpdu[0] & FCF_PENDING) != 0;
    space_next(t, f->end);
    bool poll = al_mac_parse(&own, t->frame, t->len) == 0 && is_data_request(&own);
    if (poll && pending) open_window(t, f->end);
    finish(t, f->end, AL_RADIO_SENT, pending);
}

/* --- receiving --- */

void al_air_frame_parse(struct al_air_frame *f)
{
    f->good = al_mac_parse(&f->mac, f->mpdu, f->len) == 0;
}

static bool is_own_address(const struct al_radio_config *c, const struct al_mac_addr *a)
{
    if (a->mode == AL_MAC_EXT) return a->ext == c->ext_addr;
    return a->short_addr == c->short_addr && a->short_addr < AL_MAC_NO_SHORT;
}

/* For this node alone: to be acknowledged when that is asked for. */
static bool is_for_me(const struct al_radio_config *c, const struct al_mac_frame *f)
{
    const struct al_mac_addr *d = &f->dst;
    if (d->mode == AL_MAC_NONE)
        return f->type != AL_MAC_BEACON && f->src.mode != AL_MAC_NONE &&
               c->short_addr == COORDINATOR && f->src.pan == c->pan_id;
    if (d->pan != c->pan_id && d->pan != AL_MAC_BROADCAST && c->pan_id != AL_MAC_BROADCAST)
        return false;
    return is_own_address(c, d);
}

static bool is_for_all(const struct al_radio_config *c, const struct al_mac_frame *f)
{
    const struct al_mac_addr *d = &f->dst;
    if (f->type == AL_MAC_BEACON) return true;
    return d->mode == AL_MAC_SHORT && d->short_addr == AL_MAC_BROADCAST &&
           (d->pan == c->pan_id || d->pan == AL_MAC_BROADCAST || c->pan_id == AL_MAC_BROADCAST);
}

static bool is_awaited_ack(const struct al_transceiver *t, const struct al_air_frame *f)
{
    return t->state == AL_TRX_AWAITING && f->mac.type == AL_MAC_ACK && f->len == AL_ACK_LEN &&
           f->mac.seq == t->frame[2];
}

bool al_transceiver_hears(const struct al_transceiver *t, const struct al_air_frame *f)
{
    if (!t->listening || f->start < t->listening_since) return false;
    if (f->len < AL_MPDU_MIN || f->len > AL_RADIO_MPDU_MAX) return false;
    if (t->config.promiscuous) return true;
    if (!f->good) return false;
    if (f->mac.type == AL_MAC_ACK) return is_awaited_ack(t, f);
    return is_for_me(&t->config, &f->mac) || is_for_all(&t->config, &f->mac);
}

static size_t find_pending(const struct al_transceiver *t, bool extended, uint64_t addr)
{
    size_t i = 0;
    while (i < t->pending_count &&
           (t->pending[i].addr != addr || t->pending[i].extended != extended))
        i++;
    return i;
}

static bool has_pending(const struct al_transceiver *t, const struct al_mac_frame *f)
{
    bool extended = f->src.mode == AL_MAC_EXT;
    if (!is_data_request(f) || f->src.mode == AL_MAC_NONE) return false;
    if (t->pending_all) return true;
    uint64_t addr = extended ? f->src.ext : f->src.short_addr;
    return find_pending(t, extended, addr) < t->pending_count;
}

static void owe_ack(struct al_transceiver *t, const struct al_air_frame *f, bool pending)
{
    t->ack[0] = (uint8_t)(AL_MAC_ACK | (pending ? FCF_PENDING : 0));
    t->ack[1] = 0;
    t->ack[2] = f->mac.seq;
    t->ack_at = f->end + AL_TURNAROUND_US;
    /* Not sensed, but received: the channel was not idle after all. */
    if (t->state == AL_TRX_TURNAROUND) channel_was_busy(t, f->end);
}

void al_transceiver_received(struct al_transceiver *t, const struct al_air_frame *f)
{
    struct al_radio_rx rx = {.mpdu = f->mpdu, .len = f->len, .rssi = f->rssi, .lqi = f->lqi};
    if (!al_transceiver_hears(t, f)) return;
    if (f->good && is_awaited_ack(t, f)) {
        ack_came(t, f);
        if (!t->config.promiscuous) return;
    } else if (f->good && !t->config.promiscuous && is_for_me(&t->config, &f->mac)) {
        if (f->mac.ack_request) {
            rx.pending = has_pending(t, &f->mac);
            owe_ack(t, f, rx.pending);
        }
        close_window(t, f->end);
    }
    t->counts.received++;
    t->user.received(t->user.ctx, f->end, &rx);
}

static void send_ack(struct al_transceiver *t, uint64_t now)
{
    t->ack_at = NEVER;
    t->ack_sending = true;
    t->counts.acks++;
    update_listening(t, now);
    t->phy.send(t->phy.ctx, t->ack, AL_ACK_LEN);
}

/* --- the user's side --- */

void al_transceiver_init(struct al_transceiver *t, const struct al_phy *phy,
                         const struct al_transceiver_user *user, struct al_pending_addr *pending,
                         uint16_t pending_max)
{
    memset(t, 0, sizeof *t);
    t->phy = *phy;
    t->user = *user;
    t->config.channel = 11;
    t->config.pan_id = AL_MAC_BROADCAST;
    t->config.short_addr = AL_MAC_BROADCAST;
    t->pending = pending;
    t->pending_max = pending_max;
    t->deadline = NEVER;
    t->ack_at = NEVER;
    t->phy.tune(t->phy.ctx, t->config.channel, t->config.power);
}

static bool is_channel(uint8_t channel)
{
    return channel >= 11 && channel <= 26;
}

int al_transceiver_configure(struct al_transceiver *t, uint64_t now,
                             const struct al_radio_config *c)
{
    bool moves = c->channel != t->config.channel;
    if (!is_channel(c->channel)) return AL_ERR_INVALID_ARG;
    if (moves && t->state != AL_TRX_IDLE) return AL_ERR_INVALID_STATE;
    if (moves || c->power != t->config.power) t->phy.tune(t->phy.ctx, c->channel, c->power);
    t->config = *c;
    if (moves) {
        t->listening_since = now; /* what is on the new channel already is missed */
        t->ack_at = NEVER;
    }
    update_listening(t, now);
    return 0;
}

int al_transceiver_transmit(struct al_transceiver *t, uint64_t now, const uint8_t *mpdu,
                            uint8_t len)
{
    if (len < AL_MPDU_MIN || len > AL_RADIO_MPDU_MAX) return AL_ERR_INVALID_ARG;
    if (t->state != AL_TRX_IDLE) return AL_ERR_INVALID_STATE;
    memcpy(t->frame, mpdu, len);
    t->len = len;
    t->repeats = 0;
    begin_attempt(t, now);
    return 0;
}

int al_transceiver_set_pending(struct al_transceiver *t, bool extended, uint64_t addr, bool pending)
{
    size_t i = find_pending(t, extended, addr);
    bool known = i < t->pending_count;
    if (known == pending) return 0;
    if (known) {
        t->pending[i] = t->pending[--t->pending_count];
        return 0;
    }
    if (t->pending_count == t->pending_max) return AL_ERR_NO_MEM;
    t->pending[t->pending_count++] = (struct al_pending_addr){.addr = addr, .extended = extended};
    return 0;
}

void al_transceiver_pending_for_all(struct al_transceiver *t, bool on)
{
    t->pending_all = on;
}

int al_transceiver_energy_scan(struct al_transceiver *t, uint64_t now, uint8_t channel, uint32_t us)
{
    if (!is_channel(channel) || us == 0) return AL_ERR_INVALID_ARG;
    if (t->state != AL_TRX_IDLE) return AL_ERR_INVALID_STATE;
    t->scan_channel = channel;
    t->scan_us = us;
    t->ack_at = NEVER;
    set_state(t, now, AL_TRX_SCANNING, NEVER);
    if (!t->ack_sending) t->phy.measure(t->phy.ctx, channel, us);
    return 0;
}

void al_transceiver_measured(struct al_transceiver *t, uint64_t now, int8_t dbm)
{
    if (t->state != AL_TRX_SCANNING) return;
    set_state(t, now, AL_TRX_IDLE, NEVER);
    t->user.scanned(t->user.ctx, now, t->scan_channel, dbm);
}

/* --- time --- */

static uint64_t window_end(const struct al_transceiver *t)
{
    return t->window_until ? t->window_until : NEVER;
}

uint64_t al_transceiver_next(const struct al_transceiver *t)
{
    uint64_t next = t->deadline < t->ack_at ? t->deadline : t->ack_at;
    uint64_t window = window_end(t);
    return next < window ? next : window;
}

static void deadline_reached(struct al_transceiver *t, uint64_t now)
{
    switch (t->state) {
    case AL_TRX_BACKOFF:
        backoff_over(t, now);
        break;
    case AL_TRX_TURNAROUND:
        put_on_air(t, now);
        break;
    case AL_TRX_AWAITING:
        no_ack_came(t, now);
        break;
    case AL_TRX_IDLE:
    case AL_TRX_SENSING:
    case AL_TRX_SENDING:
    case AL_TRX_SCANNING:
        t->deadline = NEVER;
        break;
    }
}

void al_transceiver_run(struct al_transceiver *t, uint64_t now)
{
    if (now >= t->ack_at) send_ack(t, now);
    if (now >= t->deadline) deadline_reached(t, now);
    if (now >= window_end(t)) close_window(t, now);
}
