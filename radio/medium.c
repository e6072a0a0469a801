#include "radio/medium.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radio/medium_impl.h"

#define PENDING_MAX 256

/* --- chance: splitmix64 --- */

uint64_t medium_mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint64_t random64(uint64_t *state)
{
    return medium_mix(*state += 0x9e3779b97f4a7c15u);
}

uint32_t medium_random(uint64_t *state)
{
    return (uint32_t)(random64(state) >> 32);
}

double medium_random_unit(uint64_t *state)
{
    return (double)(random64(state) >> 11) * 0x1p-53;
}

/* --- a node's transceiver and its user --- */

static uint32_t slot(const struct medium_node *n, unsigned kind)
{
    return n->index * EVENT_KINDS + kind;
}

void medium_node_sync(struct medium_node *n)
{
    uint64_t next = al_transceiver_next(&n->transceiver);
    if (next < n->medium->now) next = n->medium->now;
    medium_queue_set(&n->medium->queue, slot(n, EVENT_TIMER), next);
}

static void user_received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    struct medium_node *n = ctx;
    if (n->config.events.received) n->config.events.received(n->config.ctx, now, rx);
}

static void user_transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    struct medium_node *n = ctx;
    if (n->config.events.transmitted)
        n->config.events.transmitted(n->config.ctx, now, status, pending);
}

static void user_scanned(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    struct medium_node *n = ctx;
    if (n->config.events.scanned) n->config.events.scanned(n->config.ctx, now, channel, dbm);
}

static int port_configure(void *ctx, const struct al_radio_config *c)
{
    struct medium_node *n = ctx;
    int err = al_transceiver_configure(&n->transceiver, n->medium->now, c);
    medium_node_sync(n);
    return err;
}

static int port_transmit(void *ctx, const uint8_t *mpdu, uint8_t len)
{
    struct medium_node *n = ctx;
    int err = al_transceiver_transmit(&n->transceiver, n->medium->now, mpdu, len);
    medium_node_sync(n);
    return err;
}

static int port_set_pending(void *ctx, bool extended, uint64_t addr, bool pending)
{
    struct medium_node *n = ctx;
    return al_transceiver_set_pending(&n->transceiver, extended, addr, pending);
}

static int port_energy_scan(void *ctx, uint8_t channel, uint32_t us)
{
    struct medium_node *n = ctx;
    int err = al_transceiver_energy_scan(&n->transceiver, n->medium->now, channel, us);
    medium_node_sync(n);
    return err;
}

/* --- the medium --- */

struct medium *medium_new(const struct medium_config *c)
{
    struct medium *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->config = *c;
    m->random = medium_mix(c->seed + 1);
    return m;
}

static void free_node(struct medium_node *n)
{
    if (!n) return;
    free(n->pending);
    free(n);
}

void medium_free(struct medium *m)
{
    if (!m) return;
    for (size_t i = 0; i < m->count; i++) free_node(m->nodes[i]);
    for (size_t c = 0; c < CHANNELS; c++) free(m->air[c].ring);
    medium_queue_free(&m->queue);
    free(m->nodes);
    free(m->links);
    free(m);
}

/* More room, or false and all as before. */
static bool make_room(struct medium *m)
{
    size_t room = m->room ? 2 * m->room : 8;
    if (!medium_queue_reserve(&m->queue, room * EVENT_KINDS)) return false;
    struct medium_node **nodes = realloc(m->nodes, room * sizeof(struct medium_node *));
    if (!nodes) return false;
    m->nodes = nodes;
    struct link *links = calloc(room * room, sizeof *links);
    if (!links) return false;
    for (size_t i = 0; i < m->room; i++)
        memcpy(links + i * room, m->links + i * m->room, m->room * sizeof *links);
    memset(nodes + m->room, 0, (room - m->room) * sizeof(struct medium_node *));
    free(m->links);
    m->links = links;
    m->room = room;
    return true;
}

static bool take_index(struct medium *m, uint32_t *index)
{
    size_t i = 0;
    while (i < m->count && m->nodes[i]) i++;
    if (i == m->room && !make_room(m)) return false;
    if (i == m->count) m->count++;
    *index = (uint32_t)i;
    return true;
}

struct medium_node *medium_add_node(struct medium *m, const struct medium_node_config *c)
{
    uint16_t pending_max = c->pending_max ? c->pending_max : PENDING_MAX;
    struct medium_node *n = calloc(1, sizeof *n);
    if (n) n->pending = calloc(pending_max, sizeof *n->pending);
    if (!n || !n->pending || !take_index(m, &n->index)) {
        free_node(n);
        return NULL;
    }
    n->medium = m;
    n->config = *c;
    n->random = medium_mix(m->config.seed ^ medium_mix(c->eui64 ? c->eui64 : n->index + 1));
    snprintf(n->name, sizeof n->name, "%s", c->name ? c->name : "");
    n->port =
        (struct al_radio){n, port_configure, port_transmit, port_set_pending, port_energy_scan};
    m->nodes[n->index] = n;
    const struct al_phy phy = medium_phy(n);
    const struct al_transceiver_user user = {n, user_received, user_transmitted, user_scanned};
    al_transceiver_init(&n->transceiver, &phy, &user, n->pending, pending_max);
    medium_link_up(m, n);
    return n;
}

static void add_counts(struct medium_stats *s, const struct medium_node *n)
{
    const struct al_transceiver_counts *c = &n->transceiver.counts;
    s->acks += c->acks;
    s->repetitions += c->repetitions;
    s->no_ack += c->no_ack;
    s->channel_busy += c->channel_busy;
}

void medium_remove_node(struct medium_node *n)
{
    struct medium *m = n->medium;
    medium_phy_gone(n);
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++)
        medium_queue_set(&m->queue, slot(n, kind), UINT64_MAX);
    add_counts(&m->stats, n);
    m->nodes[n->index] = NULL;
    while (m->count && !m->nodes[m->count - 1]) m->count--;
    free_node(n);
}

const struct al_radio *medium_node_port(struct medium_node *n)
{
    return &n->port;
}

uint64_t medium_node_eui64(const struct medium_node *n)
{
    return n->config.eui64;
}

const char *medium_node_name(const struct medium_node *n)
{
    return n->name;
}

const struct al_transceiver *medium_node_transceiver(const struct medium_node *n)
{
    return &n->transceiver;
}

struct medium *medium_of(const struct medium_node *n)
{
    return n->medium;
}

size_t medium_node_room(const struct medium *m)
{
    return m->count;
}

struct medium_node *medium_node_at(const struct medium *m, size_t index)
{
    return index < m->count ? m->nodes[index] : NULL;
}

void medium_node_pending_for_all(struct medium_node *n, bool on)
{
    al_transceiver_pending_for_all(&n->transceiver, on);
}

/* --- time --- */

void medium_node_wake(struct medium_node *n, uint64_t at)
{
    if (at < n->medium->now) at = n->medium->now;
    medium_queue_set(&n->medium->queue, slot(n, EVENT_WAKE), at);
}

uint64_t medium_now(const struct medium *m)
{
    return m->now;
}

uint64_t medium_next(const struct medium *m)
{
    return medium_queue_time(&m->queue);
}

bool medium_step(struct medium *m)
{
    uint64_t at = medium_queue_time(&m->queue);
    if (at == UINT64_MAX) return false;
    m->now = at;
    m->stats.events++;
    uint32_t event = medium_queue_take(&m->queue);
    struct medium_node *n = m->nodes[event / EVENT_KINDS];
    switch (event % EVENT_KINDS) {
    case EVENT_TIMER:
        al_transceiver_run(&n->transceiver, at);
        medium_node_sync(n);
        break;
    case EVENT_PHY:
        medium_phy_event(n);
        break;
    default:
        if (n->config.wake) n->config.wake(n->config.ctx, at);
        break;
    }
    return true;
}

void medium_run_until(struct medium *m, uint64_t until)
{
    while (medium_queue_time(&m->queue) <= until && medium_step(m)) {
    }
    if (until > m->now) m->now = until;
}

void medium_stats(const struct medium *m, struct medium_stats *s)
{
    *s = m->stats;
    for (size_t i = 0; i < m->count; i++)
        if (m->nodes[i]) add_counts(s, m->nodes[i]);
}
