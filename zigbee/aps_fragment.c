/* Fragmented messages coming in.
 *
 * Blocks may arrive in any order. Until block 0 is there neither the number of blocks nor
 * (if the last one came first, which may be shorter) their size is certain.
 *
 * An acknowledgement names the first block of a window and a bit for each block. It goes
 * out when the window is complete, for a repeated block, and when the sender pauses: it
 * then has lost the end of the window, or its window is smaller than ours. In the second
 * case it waits for an acknowledgement that begins where it began: that goes out as well.
 *
 * A window is only said to be complete when all before it is there: nothing that the sender
 * takes for delivered is lost. */
#include "zigbee/aps_internal.h"

#define PAUSE_US       (250u * AL_APS_MS)
#define LIFE_US        (6400u * AL_APS_MS)
#define LIFE_SLEEPY_US (40000u * AL_APS_MS)
#define WINDOW_MAX     8u

static bool arrived(const struct al_aps_rx *rx, unsigned block)
{
    return block < 256 && rx->arrived[block / 32] >> (block % 32) & 1;
}

/* Blocks from the start without a gap. */
static unsigned leading(const struct al_aps_rx *rx)
{
    unsigned n = 0;
    while (n < 256 && arrived(rx, n)) n++;
    return n;
}

static unsigned count(const struct al_aps_rx *rx)
{
    unsigned n = 0;
    for (unsigned i = 0; i < 256; i++) n += arrived(rx, i);
    return n;
}

/* ---- Acknowledgements ---- */

/* Bits beyond the message are ones, and those beyond the window if the sender knows it. */
static uint8_t bits_from(const struct al_aps *a, const struct al_aps_rx *rx, unsigned first,
                         unsigned window)
{
    uint8_t bits = 0;
    for (unsigned i = 0; i < WINDOW_MAX; i++) {
        bool beyond =
            (rx->blocks && first + i >= rx->blocks) || (i >= window && window == a->c.window);
        if (beyond || arrived(rx, first + i)) bits |= (uint8_t)(1u << i);
    }
    return bits;
}

/* An acknowledgement needs a frame only for its addressing: made from what rx knows. */
static void send_ack(struct al_aps *a, uint64_t now, const struct al_aps_rx *rx, unsigned first,
                     uint8_t bits)
{
    struct al_nwk_data_ind nwk = {.src = rx->src};
    struct al_aps_in in = {
        .nwk = &nwk,
        .f = {.type = AL_APS_DATA,
              .extended = true,
              .fragment = AL_APS_FIRST,
              .dst_endpoint = rx->dst_ep,
              .src_endpoint = rx->src_ep,
              .cluster = rx->cluster,
              .profile = rx->profile,
              .counter = rx->counter},
        .key_source = rx->src_ext,
        .link_key = rx->link_secured ? a->default_key : NULL, /* only whether there is one */
    };
    al_aps_acknowledge(a, now, &in, (uint8_t)first, bits);
}

/* The block whose window is to be acknowledged when block came. A sender whose window is
 * larger may have gone on with blocks missing: then it is not told that all is well. */
static unsigned block_to_ack(const struct al_aps_rx *rx, unsigned block)
{
    unsigned first = block - block % rx->window, n = leading(rx);
    return n < first ? n : block;
}

static void ack_window(struct al_aps *a, uint64_t now, const struct al_aps_rx *rx, unsigned block)
{
    unsigned first = block - block % rx->window;
    send_ack(a, now, rx, first, bits_from(a, rx, first, rx->window));
}

/* Bits are ones only for what is known. */
static void ack_true(struct al_aps *a, uint64_t now, const struct al_aps_rx *rx, unsigned first)
{
    send_ack(a, now, rx, first, bits_from(a, rx, first, WINDOW_MAX + 1));
}

enum why { COMPLETE, PAUSED, REPEATED };

/* While the window of the sender is uncertain, in its likely other form too: it begins where
 * the sender paused before, or with the first block that it repeats. */
static void ack(struct al_aps *a, uint64_t now, const struct al_aps_rx *rx, unsigned came,
                enum why why)
{
    unsigned block = block_to_ack(rx, came);
    unsigned other = block - block % rx->window;
    ack_window(a, now, rx, block);
    if (rx->window != a->c.window) {
        if (why == REPEATED) other = block - block % a->c.window;
    } else if (why == REPEATED) {
        if (came != rx->last + 1u && leading(rx) > came) other = came;
    } else if (why == PAUSED && rx->paused && rx->paused <= came &&
               came < rx->paused + WINDOW_MAX) {
        other = rx->paused;
    }
    if (other != block - block % rx->window) ack_true(a, now, rx, other);
}

/* Two pauses at equal distances show the window of the sender. */
static void learn(struct al_aps *a, struct al_aps_rx *rx)
{
    unsigned n = leading(rx);
    if (n <= rx->paused || n != count(rx) || rx->window != a->c.window) return;
    unsigned step = n - rx->paused;
    if (rx->paused && step == rx->step && step < rx->window) {
        rx->window = (uint8_t)step;
        al_aps_learn_window(a, rx->src, rx->window);
    }
    rx->step = (uint8_t)step;
}

static void paused(struct al_aps *a, uint64_t now, struct al_aps_rx *rx)
{
    rx->pause = AL_APS_NEVER;
    ack(a, now, rx, rx->last, PAUSED);
    learn(a, rx);
    unsigned n = leading(rx);
    if (n == count(rx) && n < 256) rx->paused = (uint8_t)n;
}

/* ---- Reassembly ---- */

static void restart(struct al_aps_rx *rx)
{
    uint8_t *bytes = rx->bytes;
    *rx = (struct al_aps_rx){.bytes = bytes};
}

/* Offset bookkeeping for block of len bytes; false: it does not fit what is known. */
static bool place_length(struct al_aps_rx *rx, unsigned block, size_t len)
{
    bool is_last = rx->blocks && block == rx->blocks - 1u;
    if (!rx->block_len) {
        rx->block_len = (uint16_t)len;
    } else if (len < rx->block_len) {
        if (block == 0 || rx->short_block || (rx->blocks && !is_last)) return false;
        rx->short_block = (uint8_t)block;
        rx->short_len = (uint16_t)len;
    } else if (len > rx->block_len) {
        /* What came first was the last block. */
        if (count(rx) != 1 || rx->last < block) return false;
        rx->short_block = rx->last;
        rx->short_len = rx->block_len;
        rx->block_len = (uint16_t)len;
    }
    return true;
}

static bool store_block(const struct al_aps *a, struct al_aps_rx *rx, unsigned block,
                        const struct al_aps_frame *f)
{
    uint16_t old_len = rx->block_len;
    if (!place_length(rx, block, f->payload_len)) return false;
    if (rx->block_len != old_len && rx->short_block) {
        size_t to = (size_t)rx->short_block * rx->block_len;
        if (to + rx->short_len > a->c.asdu_size) return false;
        memmove(rx->bytes + to, rx->bytes + (size_t)rx->short_block * old_len, rx->short_len);
    }
    if (rx->blocks && rx->short_block && rx->short_block != rx->blocks - 1u) return false;
    size_t at = (size_t)block * rx->block_len;
    if (at + f->payload_len > a->c.asdu_size) return false;
    memcpy(rx->bytes + at, f->payload, f->payload_len);
    rx->arrived[block / 32] |= 1u << (block % 32);
    rx->last = (uint8_t)block;
    return true;
}

/* Block 0 says how many there are. */
static bool set_blocks(struct al_aps_rx *rx, const struct al_aps_in *in)
{
    rx->digest = in->digest;
    rx->blocks = in->f.block;
    for (unsigned i = rx->blocks; i < 256; i++) {
        if (arrived(rx, i)) return false;
    }
    return !rx->short_block || rx->short_block == rx->blocks - 1u;
}

static void deliver(struct al_aps *a, uint64_t now, struct al_aps_rx *rx,
                    const struct al_aps_in *in)
{
    size_t len = rx->len;
    if (!rx->in_turn) {
        len = (size_t)rx->blocks * rx->block_len;
        if (rx->short_block) len -= rx->block_len - rx->short_len;
    }
    al_aps_remember(a, now, in, rx->digest, rx->window);
    a->rx_messages++;
    rx->state = AL_APS_RX_DELIVERING;
    struct al_aps_data_ind ind = {
        .src = rx->src,
        .dst = in->nwk->dst,
        .src_ext = in->src_ext,
        .src_ep = rx->src_ep,
        .dst_ep = rx->dst_ep,
        .lqi = in->nwk->lqi,
        .counter = rx->counter,
        .profile = rx->profile,
        .cluster = rx->cluster,
        .link_secured = rx->link_secured,
        .asdu = rx->bytes,
        .len = len,
    };
    a->c.up->data(a->c.up_ctx, now, &ind);
    rx->state = AL_APS_RX_FREE;
}

static void normal_block(struct al_aps *a, uint64_t now, struct al_aps_rx *rx,
                         const struct al_aps_in *in)
{
    unsigned block = in->f.fragment == AL_APS_FIRST ? 0 : in->f.block;
    if (arrived(rx, block)) {
        a->rx_duplicates++;
        if (rx->window != a->c.window && block + rx->window < leading(rx))
            al_aps_forget_window(a, rx->src); /* it is larger after all */
        ack(a, now, rx, block, REPEATED);
        rx->last = (uint8_t)block;
        return;
    }
    if (rx->blocks && block >= rx->blocks) return;
    if ((block == 0 && !set_blocks(rx, in)) || !store_block(a, rx, block, &in->f)) {
        rx->state = AL_APS_RX_FREE; /* contradicts itself, or too long: never acknowledged */
        return;
    }
    unsigned first = block - block % rx->window;
    unsigned end = first + rx->window;
    if (rx->blocks && end > rx->blocks) end = rx->blocks;
    bool whole = rx->blocks && leading(rx) >= rx->blocks;
    if (whole) learn(a, rx);
    if (leading(rx) >= end) ack(a, now, rx, block, whole ? PAUSED : COMPLETE);
    bool waits = leading(rx) < end || (rx->paused && rx->window == a->c.window);
    rx->pause = waits ? now + PAUSE_US : AL_APS_NEVER;
    if (whole) deliver(a, now, rx, in);
}

/* zigbee-on-host: no count, the last block is marked, sizes vary, each is acknowledged. */
static void block_in_turn(struct al_aps *a, uint64_t now, struct al_aps_rx *rx,
                          const struct al_aps_in *in)
{
    const struct al_aps_frame *f = &in->f;
    unsigned block = f->fragment == AL_APS_FIRST ? 0 : f->block;
    unsigned next = leading(rx);
    if (block > next) return;
    if (block == next) {
        if (rx->len + f->payload_len > a->c.asdu_size) {
            rx->state = AL_APS_RX_FREE;
            return;
        }
        memcpy(rx->bytes + rx->len, f->payload, f->payload_len);
        rx->len = (uint16_t)(rx->len + f->payload_len);
        rx->arrived[block / 32] |= 1u << (block % 32);
        if (block == 0) rx->digest = in->digest;
    }
    send_ack(a, now, rx, block, 0x01);
    if (block == next && f->fragment == AL_APS_LAST) deliver(a, now, rx, in);
}

/* ---- Which message it belongs to ---- */

static struct al_aps_rx *find(struct al_aps *a, const struct al_aps_in *in)
{
    for (unsigned i = 0; i < a->c.rx_count; i++) {
        struct al_aps_rx *rx = &a->c.rx[i];
        if (rx->state == AL_APS_RX_PARTIAL && rx->src == in->nwk->src &&
            rx->counter == in->f.counter)
            return rx;
    }
    return NULL;
}

static struct al_aps_rx *start(struct al_aps *a, const struct al_aps_in *in)
{
    if (in->f.fragment == AL_APS_LAST) return NULL;
    struct al_aps_rx *rx = NULL;
    for (unsigned i = 0; !rx && i < a->c.rx_count; i++) {
        if (a->c.rx[i].state == AL_APS_RX_FREE) rx = &a->c.rx[i];
    }
    if (!rx) return NULL;
    restart(rx);
    rx->state = AL_APS_RX_PARTIAL;
    rx->src = in->nwk->src;
    rx->counter = in->f.counter;
    rx->src_ep = in->f.src_endpoint;
    rx->dst_ep = in->f.dst_endpoint;
    rx->cluster = in->f.cluster;
    rx->profile = in->f.profile;
    rx->link_secured = in->link_key;
    rx->src_ext = in->link_key ? in->key_source : in->src_ext;
    rx->in_turn = in->f.fragment == AL_APS_FIRST && in->f.block == 0;
    rx->window = rx->in_turn ? 1 : al_aps_window_of(a, rx->src);
    rx->sleepy = al_nwk_sleepy_child(a->c.nwk, rx->src);
    rx->pause = AL_APS_NEVER;
    return rx;
}

/* Another message than the one under way: its counter has come round. */
static bool is_other(const struct al_aps_rx *rx, const struct al_aps_in *in)
{
    const struct al_aps_frame *f = &in->f;
    if (rx->cluster != f->cluster || rx->profile != f->profile || rx->src_ep != f->src_endpoint ||
        rx->dst_ep != f->dst_endpoint || rx->link_secured != (in->link_key != NULL))
        return true;
    if (f->fragment != AL_APS_FIRST) return false;
    bool in_turn = f->block == 0;
    return rx->in_turn != in_turn || (arrived(rx, 0) && rx->digest != in->digest);
}

/* A block of a message that has been delivered: the sender missed the acknowledgement. */
static void block_repeated(struct al_aps *a, uint64_t now, const struct al_aps_in *in,
                           const struct al_aps_duplicate *d)
{
    unsigned block = in->f.fragment == AL_APS_FIRST ? 0 : in->f.block;
    a->rx_duplicates++;
    uint8_t first = (uint8_t)(block - block % d->window);
    al_aps_acknowledge(a, now, in, first, 0xff);
    uint8_t other = (uint8_t)(block - block % a->c.window);
    if (other != first) al_aps_acknowledge(a, now, in, other, 0xff);
}

void al_aps_block_received(struct al_aps *a, uint64_t now, const struct al_aps_in *in)
{
    const struct al_aps_frame *f = &in->f;
    if (!f->ack_request || !f->payload_len) return;
    if (f->fragment != AL_APS_FIRST && f->block == 0) return;
    struct al_aps_duplicate *d = al_aps_duplicate(a, now, in->nwk->src, f->counter);
    if (d && d->window && (f->fragment != AL_APS_FIRST || d->digest == in->digest)) {
        block_repeated(a, now, in, d);
        return;
    }
    if (in->repeated) return;
    if (d) d->expires = 0;
    struct al_aps_rx *rx = find(a, in);
    if (rx && is_other(rx, in)) {
        rx->state = AL_APS_RX_FREE;
        rx = NULL;
    }
    if (!rx) rx = start(a, in);
    if (!rx) return; /* no room: the sender repeats */
    rx->deadline = now + (rx->sleepy ? LIFE_SLEEPY_US : LIFE_US);
    if (a->c.nwk->c.rx_off) al_nwk_fast_poll(a->c.nwk, now, now + LIFE_US / 2);
    if (rx->in_turn)
        block_in_turn(a, now, rx, in);
    else if (f->fragment != AL_APS_LAST)
        normal_block(a, now, rx, in);
}

void al_aps_rx_due(struct al_aps *a, uint64_t now, struct al_aps_rx *rx)
{
    if (rx->state != AL_APS_RX_PARTIAL) return;
    if (rx->deadline <= now)
        rx->state = AL_APS_RX_FREE;
    else if (rx->pause <= now)
        paused(a, now, rx);
}
