/* Outgoing messages. A whole message is a window of one block.
 *
 * Frames go to NWK a few at a time, so that its queue stays short: acknowledgements then do
 * not wait long, and everybody's turn comes. The order is that of the calls; a message of
 * several windows goes to the end of the queue after each. */
#include "zigbee/aps_internal.h"

#define NO_ROOM_US     (2u * AL_APS_MS)   /* NWK is full: try again after it */
#define STALL_US       (250u * AL_APS_MS) /* a frame that waits for a route does not count */
#define UNCONFIRMED_US (15000u * AL_APS_MS)
#define PER_DST        8
#define PER_SLEEPY     2 /* indirect frames keep places of NWK for seconds */

/* A handle of NWK: generation (2 bits), block of the window (3), slot + 1 (10). */
#define SLOT_BITS  10
#define BLOCK_BITS 3

static uint16_t handle_of(const struct al_aps *a, const struct al_aps_tx *t, uint8_t bit)
{
    unsigned slot = (unsigned)(t - a->c.tx) + 1;
    return (uint16_t)((t->generation & 3u) << (SLOT_BITS + BLOCK_BITS) |
                      (unsigned)bit << SLOT_BITS | slot);
}

static uint8_t window_mask(const struct al_aps_tx *t)
{
    return (uint8_t)((1u << t->window_size) - 1);
}

struct al_aps_tx *al_aps_tx_take(struct al_aps *a, uint16_t dst, unsigned leave)
{
    struct al_aps_tx *t = NULL;
    unsigned free_slots = 0;
    bool taken[256] = {false};
    for (unsigned i = 0; i < a->c.tx_count; i++) {
        struct al_aps_tx *each = &a->c.tx[i];
        if (each->state == AL_APS_TX_FREE) {
            free_slots++;
            if (!t) t = each;
        } else if (each->dst == dst) {
            taken[each->counter] = true;
        }
    }
    if (free_slots <= leave) return NULL;
    for (unsigned i = 0; i < 255 && taken[a->counter]; i++) a->counter++;
    uint8_t generation = t->generation;
    uint8_t *bytes = t->bytes;
    *t = (struct al_aps_tx){
        .state = AL_APS_TX_READY,
        .generation = generation,
        .dst = dst,
        .counter = a->counter++,
        .key_id = AL_APS_KEY_NONE,
        .window_size = 1,
        .quick = AL_APS_QUICK,
        .order = a->order++,
        .bytes = bytes,
    };
    if (al_nwk_sleepy_child(a->c.nwk, dst)) t->flags = AL_APS_TX_INDIRECT;
    return t;
}

void al_aps_tx_finish(struct al_aps *a, uint64_t now, struct al_aps_tx *t, enum al_zb_status status)
{
    t->state = AL_APS_TX_FREE;
    t->in_flight = 0;
    t->generation++;
    a->tx_messages++;
    if (status != AL_ZB_OK) a->tx_failures++;
    if (!t->handle) return;
    const struct al_aps_up *up = a->c.up;
    void (*tell)(void *, uint64_t, uint16_t, enum al_zb_status) =
        t->flags & AL_APS_TX_COMMAND ? up->command_sent : up->sent;
    if (tell) tell(a->c.up_ctx, now, t->handle, status);
}

/* ---- Repetition ---- */

static void send_again(struct al_aps *a, uint64_t now, struct al_aps_tx *t, uint64_t pause)
{
    a->tx_repeats++;
    t->repeated = true;
    t->given = t->acked;
    t->failed = 0;
    t->state = AL_APS_TX_READY;
    t->not_before = now + pause;
    t->order = a->order++;
}

/* Sends what is not acknowledged once more, or gives up (false: t is free). */
static bool repeat(struct al_aps *a, uint64_t now, struct al_aps_tx *t, uint64_t pause)
{
    if (t->tries >= a->c.retries) {
        enum al_zb_status status = t->failed ? (enum al_zb_status)t->nwk_status : AL_ZB_NO_ACK;
        al_aps_tx_finish(a, now, t, status);
        return false;
    }
    t->tries++;
    send_again(a, now, t, pause);
    return true;
}

/* NWK could not deliver: soon again, later when that does not help. A sleepy child's
 * frame has waited for long already. */
static uint64_t failure_pause(const struct al_aps *a, const struct al_aps_tx *t)
{
    if (t->nwk_status == AL_ZB_EXPIRED) return 0;
    unsigned shift = t->tries < 2 ? 6u - 3u * t->tries : 0;
    return (uint64_t)a->c.ack_wait_ms * AL_APS_MS >> shift;
}

static void await_ack(struct al_aps *a, uint64_t now, struct al_aps_tx *t)
{
    uint64_t wait = al_aps_patience(a, t);
    t->state = AL_APS_TX_WAIT_ACK;
    t->deadline = now + wait;
    if (wait >= a->c.ack_wait_ms * (uint64_t)AL_APS_MS) t->quick = 0;
    if (a->c.nwk->c.rx_off) al_nwk_fast_poll(a->c.nwk, now, t->deadline);
}

/* All frames of the round have left NWK. */
static void round_done(struct al_aps *a, uint64_t now, struct al_aps_tx *t)
{
    t->failed &= (uint8_t)~t->acked;
    if (!(t->flags & AL_APS_TX_ACK)) {
        al_aps_tx_finish(a, now, t, t->failed ? (enum al_zb_status)t->nwk_status : AL_ZB_OK);
    } else if (t->failed) {
        /* Only those: the others may have arrived. */
        uint8_t others = (uint8_t)(t->given & ~t->failed);
        if (repeat(a, now, t, failure_pause(a, t))) t->given |= others;
    } else {
        await_ack(a, now, t);
    }
}

void al_aps_nwk_sent(struct al_aps *a, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    if (handle & AL_APS_ACK_HANDLE) {
        al_aps_ack_sent(a, now, handle, status);
        al_aps_pump(a, now);
        return;
    }
    unsigned slot = handle & ((1u << SLOT_BITS) - 1);
    uint8_t bit = handle >> SLOT_BITS & ((1u << BLOCK_BITS) - 1);
    if (slot && slot <= a->c.tx_count) {
        struct al_aps_tx *t = &a->c.tx[slot - 1];
        if (t->state != AL_APS_TX_FREE && t->in_flight && handle_of(a, t, bit) == handle) {
            t->in_flight--;
            if (status != AL_ZB_OK) {
                t->failed |= (uint8_t)(1u << bit);
                t->nwk_status = (uint8_t)status;
            }
            if (t->state == AL_APS_TX_SENDING && !t->in_flight) round_done(a, now, t);
        }
    }
    al_aps_pump(a, now);
}

void al_aps_tx_due(struct al_aps *a, uint64_t now, struct al_aps_tx *t)
{
    if (t->deadline > now) return;
    if (t->state == AL_APS_TX_REFUSED) {
        al_aps_tx_finish(a, now, t, (enum al_zb_status)t->nwk_status);
    } else if (t->state == AL_APS_TX_WAIT_ACK && t->quick) {
        t->quick--;
        send_again(a, now, t, 0);
    } else if (t->state == AL_APS_TX_WAIT_ACK) {
        repeat(a, now, t, 0);
    } else if (t->state == AL_APS_TX_SENDING) { /* NWK forgot it */
        t->generation++;
        t->in_flight = 0;
        t->nwk_status = AL_ZB_TIMEOUT;
        t->failed = (uint8_t)(t->given & ~t->acked);
        round_done(a, now, t);
    }
}

/* ---- Acknowledgements ---- */

static void next_window(struct al_aps *a, uint64_t now, struct al_aps_tx *t)
{
    unsigned start = t->window_start + t->window_size;
    if (start >= t->blocks) {
        al_aps_tx_finish(a, now, t, AL_ZB_OK);
        return;
    }
    unsigned left = t->blocks - start;
    t->window_start = (uint8_t)start;
    t->window_size = (uint8_t)(left < a->c.window ? left : a->c.window);
    t->given = t->failed = t->acked = t->tries = 0;
    t->quick = AL_APS_QUICK;
    t->repeated = false;
    t->in_flight = 0;
    t->generation++; /* confirmations of the old window mean nothing now */
    t->state = AL_APS_TX_READY;
    t->not_before = now;
    t->order = a->order++;
}

/* from: where in the window the acknowledgement begins. Not 0: the window of the receiver is
 * smaller. What its other bits mean depends on a size that nobody tells, but its first block
 * is there, and more of them will come. */
static void blocks_acked(struct al_aps *a, uint64_t now, struct al_aps_tx *t, unsigned from,
                         uint8_t bits)
{
    if (from) bits = (uint8_t)((bits & 1u) << from);
    uint8_t got = bits & window_mask(t) & (uint8_t)~t->acked;
    t->acked |= got;
    t->given |= got;
    if (got) t->tries = 0;
    if (got) t->quick = AL_APS_QUICK;
    bool all_given = t->given == window_mask(t);
    if (t->acked == window_mask(t)) {
        next_window(a, now, t);
    } else if (from) {
        return;
    } else if (all_given && t->in_flight) {
        t->state = AL_APS_TX_SENDING;
    } else if (all_given) {
        t->failed = 0;
        repeat(a, now, t, 0);
    }
}

/* Endpoints and format of an acknowledgement differ among stacks: source and counter say
 * enough. */
static struct al_aps_tx *find(struct al_aps *a, uint16_t dst, uint8_t counter)
{
    for (unsigned i = 0; i < a->c.tx_count; i++) {
        struct al_aps_tx *t = &a->c.tx[i];
        if (t->state != AL_APS_TX_FREE && t->dst == dst && t->counter == counter &&
            t->flags & AL_APS_TX_ACK)
            return t;
    }
    return NULL;
}

void al_aps_tx_acked(struct al_aps *a, uint64_t now, const struct al_aps_in *in)
{
    struct al_aps_tx *t = find(a, in->nwk->src, in->f.counter);
    if (!t || (t->key_id != AL_APS_KEY_NONE && !in->link_key)) return;
    if (!t->given && !t->repeated) return; /* of an older message */
    unsigned from = (unsigned)in->f.block - t->window_start;
    if (t->given == window_mask(t)) al_aps_measured(a, now, t);
    if (!t->blocks)
        al_aps_tx_finish(a, now, t, AL_ZB_OK);
    else if (in->f.extended && in->f.fragment && from < t->window_size)
        blocks_acked(a, now, t, from, in->f.ack_bits);
    al_aps_pump(a, now);
}

/* ---- Sending ---- */

static bool dst_busy(const struct al_aps *a, const struct al_aps_tx *t)
{
    unsigned in_flight = 0;
    unsigned max = t->flags & AL_APS_TX_INDIRECT ? PER_SLEEPY : PER_DST;
    for (unsigned i = 0; i < a->c.tx_count; i++) {
        const struct al_aps_tx *each = &a->c.tx[i];
        if (each->state != AL_APS_TX_FREE && each->dst == t->dst) in_flight += each->in_flight;
    }
    return in_flight >= max;
}

static void wake_at(struct al_aps *a, uint64_t at)
{
    if (at < a->pump_at) a->pump_at = at;
}

/* Frames in the queue of NWK; wakes when one has stalled. */
static unsigned in_flight(struct al_aps *a, uint64_t now)
{
    unsigned n = 0;
    for (unsigned i = 0; i < a->c.tx_count; i++) {
        const struct al_aps_tx *t = &a->c.tx[i];
        if (t->state == AL_APS_TX_FREE || !t->in_flight || t->flags & AL_APS_TX_INDIRECT) continue;
        if (t->given_at + STALL_US <= now) continue;
        n += t->in_flight;
        wake_at(a, t->given_at + STALL_US);
    }
    return n;
}

static struct al_aps_tx *next_ready(struct al_aps *a, uint64_t now)
{
    struct al_aps_tx *best = NULL;
    bool full = in_flight(a, now) >= a->c.in_flight;
    for (unsigned i = 0; i < a->c.tx_count; i++) {
        struct al_aps_tx *t = &a->c.tx[i];
        if (t->state != AL_APS_TX_READY) continue;
        if (t->not_before > now) {
            wake_at(a, t->not_before);
            continue;
        }
        if (full && !(t->flags & AL_APS_TX_INDIRECT)) continue;
        if (best && (int32_t)(t->order - best->order) >= 0) continue;
        if (!dst_busy(a, t)) best = t;
    }
    return best;
}

/* Who called al_aps_send() does not expect its end before the call's. */
static void refuse(struct al_aps_tx *t, uint64_t now, enum al_zb_status status)
{
    t->state = AL_APS_TX_REFUSED;
    t->nwk_status = (uint8_t)status;
    t->deadline = now;
}

/* Gives the next frame of t to NWK; false: it has no room. */
static bool give(struct al_aps *a, uint64_t now, struct al_aps_tx *t)
{
    uint8_t bit = 0;
    while (t->given >> bit & 1) bit++;
    uint8_t frame[AL_RADIO_MPDU_MAX];
    struct al_put p = al_put(frame, sizeof frame);
    if (al_aps_tx_frame(a, t, (uint8_t)(t->window_start + bit), &p)) {
        refuse(t, now, AL_ZB_SECURITY);
        return true;
    }
    struct al_aps_tx before = *t;
    t->given |= (uint8_t)(1u << bit);
    t->failed &= (uint8_t) ~(1u << bit);
    t->in_flight++;
    t->given_at = now;
    t->not_before = now + (uint64_t)a->c.interframe_ms * AL_APS_MS;
    t->deadline = now + UNCONFIRMED_US;
    if (t->given == window_mask(t)) t->state = AL_APS_TX_SENDING;
    struct al_nwk_send s = {
        .dst = t->dst,
        .dst_ext = t->flags & AL_APS_TX_UNSECURED ? t->dst_ext : 0,
        .payload = frame,
        .len = p.len,
        .radius = t->radius,
        .unsecured = t->flags & AL_APS_TX_UNSECURED,
        .with_src_ext = t->flags & AL_APS_TX_SRC_EXT,
        .handle = handle_of(a, t, bit),
    };
    int err = al_nwk_send(a->c.nwk, now, &s);
    if (!err) return true;
    *t = before;
    if (err == AL_ERR_NO_MEM) return false;
    refuse(t, now, err == AL_ERR_INVALID_STATE ? AL_ZB_NOT_THERE : AL_ZB_NO_ROUTE);
    return true;
}

void al_aps_pump(struct al_aps *a, uint64_t now)
{
    if (a->pumping) return; /* the loop below goes on with what has changed */
    a->pumping = true;
    for (;;) {
        a->pump_at = AL_APS_NEVER;
        bool room = al_aps_acks_pump(a, now);
        struct al_aps_tx *t = room ? next_ready(a, now) : NULL;
        if (room && !t) break;
        if (!room || !give(a, now, t)) {
            wake_at(a, now + NO_ROOM_US);
            break;
        }
    }
    a->pumping = false;
}
