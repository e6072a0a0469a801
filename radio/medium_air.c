/* What is on the air, who senses it, and who receives it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radio/medium_impl.h"

static struct air *air_of(struct medium *m, uint8_t channel)
{
    return &m->air[channel - 11];
}

static struct transmission *transmission_at(const struct air *a, uint64_t number)
{
    return &a->ring[number & (a->size - 1)];
}

static void forget_old(struct air *a, uint64_t now)
{
    while (a->first < a->end && transmission_at(a, a->first)->end + LONGEST_US < now) a->first++;
}

static bool grow(struct air *a)
{
    size_t size = a->size ? 2 * a->size : 16;
    struct transmission *ring = malloc(size * sizeof *ring);
    if (!ring) return false;
    for (uint64_t i = a->first; i < a->end; i++) ring[i & (size - 1)] = *transmission_at(a, i);
    free(a->ring);
    a->ring = ring;
    a->size = size;
    return true;
}

static bool overlap(const struct transmission *x, uint64_t start, uint64_t end)
{
    return x->from != NO_NODE && x->start < end && x->end > start;
}

/* --- the end of things --- */

static bool was_busy(struct medium_node *n)
{
    struct medium *m = n->medium;
    struct air *a = air_of(m, n->channel);
    for (uint64_t i = a->end; i-- > a->first;) {
        const struct transmission *x = transmission_at(a, i);
        if (overlap(x, n->work_began, m->now) && x->from != n->index &&
            medium_level(m, x, n->index) > LEVEL_NEVER)
            return true;
    }
    return false;
}

/* The strongest of the frames that disturb x at a node. */
static float interference(const struct medium *m, const struct air *a, const struct transmission *x,
                          uint32_t at)
{
    float strongest = LEVEL_NEVER;
    for (uint64_t i = a->first; i < a->end; i++) {
        const struct transmission *other = transmission_at(a, i);
        if (other != x && other->from != at && overlap(other, x->start, x->end))
            strongest = fmaxf(strongest, medium_level(m, other, at));
    }
    return strongest;
}

static bool is_alone(const struct air *a, const struct transmission *x)
{
    for (uint64_t i = a->first; i < a->end; i++)
        if (transmission_at(a, i) != x && overlap(transmission_at(a, i), x->start, x->end))
            return false;
    return true;
}

static int8_t clamp_dbm(float level)
{
    return (int8_t)lrintf(fminf(fmaxf(level, -127), 20));
}

static uint8_t lqi_of(float level)
{
    float share = (level - MEDIUM_SENSITIVITY_DBM) / 35;
    return (uint8_t)(255 * fminf(fmaxf(share, 0), 1));
}

/* Whether the frame that a node waits for reaches it; counts why not. */
static bool survives(struct medium *m, const struct transmission *x, float level, float disturbance,
                     uint32_t to)
{
    if (disturbance > LEVEL_NEVER &&
        (m->config.capture_db <= 0 || level - disturbance < m->config.capture_db)) {
        m->stats.collisions++;
        return false;
    }
    double p = medium_reception(m, x, to, level);
    if (p < 1 && medium_random_unit(&m->random) >= p) {
        m->stats.losses++;
        return false;
    }
    m->stats.delivered++;
    return true;
}

/* Callbacks may remove nodes, but not put anything on the air: x and a stay. */
static void deliver(struct medium *m, const struct air *a, const struct transmission *x,
                    uint8_t channel, bool alone)
{
    struct al_air_frame f = {.mpdu = x->mpdu, .len = x->len, .start = x->start, .end = x->end};
    al_air_frame_parse(&f);
    for (uint32_t i = 0; i < m->count && x->from != NO_NODE; i++) {
        struct medium_node *n = m->nodes[i];
        if (!n || n->channel != channel || i == x->from) continue;
        if (!al_transceiver_hears(&n->transceiver, &f)) continue;
        float level = medium_level(m, x, i);
        if (level <= LEVEL_NEVER) continue;
        if (!survives(m, x, level, alone ? LEVEL_NEVER : interference(m, a, x, i), i)) continue;
        f.rssi = clamp_dbm(level);
        f.lqi = lqi_of(level);
        al_transceiver_received(&n->transceiver, &f);
        medium_node_sync(n);
    }
}

static void frame_ended(struct medium_node *n)
{
    struct medium *m = n->medium;
    uint8_t channel = n->sending_channel;
    const struct air *a = air_of(m, channel);
    const struct transmission *x = transmission_at(a, n->transmission);
    bool alone = is_alone(a, x);
    if (m->config.frame) {
        const struct medium_frame f = {x->start, x->end,  n,        x->mpdu,
                                       x->len,   channel, x->power, !alone};
        m->config.frame(m->config.frame_ctx, &f);
    }
    al_transceiver_sent(&n->transceiver, m->now);
    medium_node_sync(n);
    deliver(m, a, x, channel, alone);
}

void medium_phy_event(struct medium_node *n)
{
    struct medium *m = n->medium;
    enum phy_work work = n->work;
    n->work = PHY_NOTHING;
    switch (work) {
    case PHY_NOTHING:
        return;
    case PHY_SENDING:
        frame_ended(n);
        return;
    case PHY_SENSING:
        al_transceiver_sensed(&n->transceiver, m->now, was_busy(n));
        break;
    case PHY_MEASURING:
        m->measuring--;
        al_transceiver_measured(&n->transceiver, m->now, clamp_dbm(n->measured));
        break;
    }
    medium_node_sync(n);
}

/* --- the beginning --- */

static void begin(struct medium_node *n, enum phy_work work, uint64_t us)
{
    n->work = work;
    n->work_began = n->medium->now;
    medium_queue_set(&n->medium->queue, n->index * EVENT_KINDS + EVENT_PHY, n->medium->now + us);
}

static void phy_tune(void *ctx, uint8_t channel, int8_t power)
{
    struct medium_node *n = ctx;
    n->channel = channel;
    n->power = power;
}

static void phy_listen(void *ctx, bool on)
{
    (void)ctx;
    (void)on; /* deliver() asks the transceiver */
}

static void phy_sense(void *ctx)
{
    begin(ctx, PHY_SENSING, AL_CCA_US);
}

static void raise_measured(struct medium *m, const struct transmission *x, uint8_t channel)
{
    for (uint32_t i = 0; i < m->count; i++) {
        struct medium_node *n = m->nodes[i];
        if (n && n->work == PHY_MEASURING && n->measured_channel == channel)
            n->measured = fmaxf(n->measured, medium_level(m, x, i));
    }
}

static void count_airtime(struct medium *m, struct air *a, const struct transmission *x)
{
    uint64_t from = a->busy_until > x->start ? a->busy_until : x->start;
    m->stats.frames++;
    m->stats.airtime_us += x->end - x->start;
    if (x->end <= from) return;
    m->stats.air_us[a - m->air] += x->end - from;
    a->busy_until = x->end;
}

static void phy_send(void *ctx, const uint8_t *mpdu, uint8_t len)
{
    struct medium_node *n = ctx;
    struct medium *m = n->medium;
    struct air *a = air_of(m, n->channel);
    begin(n, PHY_SENDING, al_airtime(len));
    n->sending_channel = n->channel;
    forget_old(a, m->now);
    if (a->end - a->first == a->size && !grow(a)) abort(); /* as any program without memory */
    n->transmission = a->end++;
    struct transmission *x = transmission_at(a, n->transmission);
    x->start = m->now;
    x->end = m->now + al_airtime(len);
    x->from = n->index;
    x->power = n->power;
    x->len = len;
    memcpy(x->mpdu, mpdu, len);
    count_airtime(m, a, x);
    if (m->measuring) raise_measured(m, x, n->channel);
}

static void phy_measure(void *ctx, uint8_t channel, uint32_t us)
{
    struct medium_node *n = ctx;
    struct medium *m = n->medium;
    struct air *a = air_of(m, channel);
    begin(n, PHY_MEASURING, us);
    n->measured_channel = channel;
    n->measured = MEDIUM_NOISE_DBM;
    m->measuring++;
    for (uint64_t i = a->first; i < a->end; i++) {
        const struct transmission *x = transmission_at(a, i);
        if (overlap(x, m->now, m->now + 1))
            n->measured = fmaxf(n->measured, medium_level(m, x, n->index));
    }
}

static uint32_t phy_random(void *ctx)
{
    struct medium_node *n = ctx;
    return medium_random(&n->random);
}

struct al_phy medium_phy(struct medium_node *n)
{
    return (struct al_phy){n, phy_tune, phy_listen, phy_sense, phy_send, phy_measure, phy_random};
}

void medium_phy_gone(struct medium_node *n)
{
    struct medium *m = n->medium;
    if (n->work == PHY_MEASURING) m->measuring--;
    for (size_t c = 0; c < CHANNELS; c++) {
        struct air *a = &m->air[c];
        for (uint64_t i = a->first; i < a->end; i++)
            if (transmission_at(a, i)->from == n->index) transmission_at(a, i)->from = NO_NODE;
    }
}
