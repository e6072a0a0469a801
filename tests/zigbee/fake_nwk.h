/* A network layer for tests of APS and trust, so that they own loss, order and time: it
 * stands in place of zigbee/nwk*.c in a program that includes this (once). Nodes hear each
 * other directly. A frame takes 4 ms of the air; a sleepy node fetches its frames at its
 * polls. A frame secured with a network key is heard by those that have the key. */
#ifndef TESTS_ZIGBEE_FAKE_NWK_H
#define TESTS_ZIGBEE_FAKE_NWK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zigbee_vector.h"
#include "zigbee/hash.h"
#include "zigbee/trust.h"

#define FRAME_US   4000u
#define FAKE_KEYS  8
#define FAKE_TABLE 256
#define FAKE_LOG   64
#define MS         1000u
#define SECOND     1000000u

/* What a node's upper layers heard. */
struct fake_heard {
    uint8_t *asdu;
    struct al_aps_data_ind ind;
};
struct fake_sent {
    uint16_t handle;
    enum al_zb_status status;
    uint64_t at;
};
/* A frame that a node gave to NWK. */
struct fake_frame {
    struct al_nwk_send s;
    uint8_t bytes[AL_RADIO_MPDU_MAX];
    uint64_t at;
};

struct fake_node {
    struct al_nwk nwk;
    struct al_aps aps;
    struct al_trust trust;
    struct al_aps_link_key keys[FAKE_KEYS];
    struct al_trust_device devices[4];
    struct al_zb_store store;
    struct {
        uint8_t bytes[AL_ZB_RECORD_MAX];
        int len;
    } network[16], link[FAKE_KEYS];
    int store_error;
    unsigned saves;
    uint32_t poll_ms; /* sleepy: fetches at multiples of it */
    bool deaf;
    unsigned queued, queue_max;
    struct fake_frame *frames; /* FAKE_LOG, the last ones */
    unsigned frame_count;
    struct fake_heard heard[FAKE_LOG];
    unsigned heard_count;
    struct fake_sent sent[FAKE_LOG];
    unsigned sent_count;
    /* trust */
    int network_key, exchanged; /* status, -1: not told */
    unsigned removed, proved;
    uint64_t proved_ext;
    struct {
        uint64_t ext;
        uint16_t addr, parent;
        int value;
    } update, authorised;
    unsigned updates, authorisations;
    uint64_t refuse_ext;
    bool authenticated, refused; /* by NWK: the last child */
    uint64_t told_to_leave;
    bool open;
};

struct fake_event {
    bool used, is_sent;
    uint64_t at;
    unsigned order;
    struct fake_node *to;
    struct al_nwk_data_ind ind;
    uint8_t bytes[AL_RADIO_MPDU_MAX];
    uint16_t handle;
    enum al_zb_status status;
};

static struct {
    uint64_t now, free_at;
    uint32_t rng;
    unsigned loss, duplicates, disorder; /* per cent */
    unsigned order;
    struct fake_node *nodes[FAKE_TABLE];
    unsigned node_count;
    struct fake_event events[4096];
    /* false: the frame is lost without a trace */
    bool (*filter)(const struct fake_node *from, const struct fake_frame *f);
} air;

static inline uint32_t fake_random(void *ctx)
{
    (void)ctx;
    air.rng ^= air.rng << 13;
    air.rng ^= air.rng >> 17;
    air.rng ^= air.rng << 5;
    return air.rng;
}

static inline bool fake_chance(unsigned percent)
{
    return fake_random(NULL) % 100 < percent;
}

static inline struct fake_node *fake_of(const struct al_nwk *n)
{
    for (unsigned i = 0; i < air.node_count; i++) {
        if (&air.nodes[i]->nwk == n) return air.nodes[i];
    }
    fail_msg("not a node of this test");
    return NULL;
}

/* ---- al_nwk ---- */

static struct fake_event *fake_event(uint64_t at, struct fake_node *to)
{
    for (unsigned i = 0; i < sizeof air.events / sizeof air.events[0]; i++) {
        struct fake_event *e = &air.events[i];
        if (e->used) continue;
        *e = (struct fake_event){.used = true, .at = at, .to = to, .order = air.order++};
        return e;
    }
    fail_msg("too many frames under way");
    return NULL;
}

static bool fake_has_key(const struct fake_node *node, const struct al_nwk_key *key)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct al_nwk_key *k = &node->nwk.keys[i];
        if (k->valid && k->seq == key->seq && !memcmp(k->key, key->key, 16)) return true;
    }
    return false;
}

static void fake_deliver(struct fake_node *from, struct fake_node *to, const struct al_nwk_send *s,
                         uint64_t at)
{
    const struct al_nwk_key *key = al_nwk_active_key(&from->nwk);
    if (to->deaf || (!s->unsecured && !(key && fake_has_key(to, key)))) return;
    unsigned copies = 1u + fake_chance(air.duplicates);
    for (unsigned i = 0; i < copies; i++) {
        uint64_t late = fake_chance(air.disorder) ? fake_random(NULL) % 40 * MS : 0;
        struct fake_event *e = fake_event(at + late, to);
        memcpy(e->bytes, s->payload, s->len);
        e->ind = (struct al_nwk_data_ind){.dst = s->dst,
                                          .src = from->nwk.addr,
                                          .relay = from->nwk.addr,
                                          .src_ext = s->with_src_ext ? from->nwk.ext : 0,
                                          .secured = !s->unsecured,
                                          .lqi = 200,
                                          .len = s->len};
    }
}

int al_nwk_send(struct al_nwk *n, uint64_t now, const struct al_nwk_send *s)
{
    struct fake_node *from = fake_of(n);
    if (s->len > al_nwk_room(n, s->dst)) return AL_ERR_INVALID_SIZE;
    if (from->queued >= from->queue_max) return AL_ERR_NO_MEM;
    struct fake_frame *f = &from->frames[from->frame_count++ % FAKE_LOG];
    *f = (struct fake_frame){.s = *s, .at = now};
    memcpy(f->bytes, s->payload, s->len);
    f->s.payload = f->bytes;
    uint64_t at = (air.free_at > now ? air.free_at : now) + FRAME_US;
    air.free_at = at;
    enum al_zb_status status = AL_ZB_OK;
    bool lost = air.filter && !air.filter(from, f);
    if (!lost && fake_chance(air.loss)) {
        lost = true; /* half of it further on, where nobody notices */
        if (fake_chance(50)) status = AL_ZB_NO_ACK;
    }
    for (unsigned i = 0; i < air.node_count; i++) {
        struct fake_node *to = air.nodes[i];
        if (to == from || (to->nwk.addr != s->dst && !AL_NWK_BROADCAST(s->dst))) continue;
        if (to->poll_ms) at = (at / (to->poll_ms * MS) + 1) * (to->poll_ms * MS);
        if (to->poll_ms && to->deaf) {
            at = now + AL_MAC_PERSISTENCE_US;
            status = AL_ZB_EXPIRED;
        }
        if (!lost) fake_deliver(from, to, s, at);
    }
    from->queued++;
    struct fake_event *e = fake_event(at, from);
    e->is_sent = true;
    e->handle = s->handle;
    e->status = status;
    return 0;
}

size_t al_nwk_room(const struct al_nwk *n, uint16_t dst)
{
    return AL_NWK_PAYLOAD_MAX;
}

struct al_nwk_neighbour *al_nwk_neighbour_ext(const struct al_nwk *n, uint64_t ext)
{
    for (unsigned i = 0; ext && i < n->c.neighbour_count; i++) {
        struct al_nwk_neighbour *each = &n->c.neighbours[i];
        if (each->relation != AL_NWK_NOBODY && each->ext == ext) return each;
    }
    return NULL;
}

uint64_t al_nwk_ext_of(const struct al_nwk *n, uint16_t addr)
{
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        const struct al_nwk_neighbour *each = &n->c.neighbours[i];
        if (each->relation != AL_NWK_NOBODY && each->addr == addr) return each->ext;
    }
    for (unsigned i = 0; i < n->c.address_count; i++) {
        if (n->c.addresses[i].ext && n->c.addresses[i].addr == addr) return n->c.addresses[i].ext;
    }
    return 0;
}

uint16_t al_nwk_addr_of(const struct al_nwk *n, uint64_t ext)
{
    const struct al_nwk_neighbour *neighbour = al_nwk_neighbour_ext(n, ext);
    if (neighbour) return neighbour->addr;
    for (unsigned i = 0; i < n->c.address_count; i++) {
        if (n->c.addresses[i].ext == ext) return n->c.addresses[i].addr;
    }
    return AL_NWK_NO_ADDR;
}

void al_nwk_learn(struct al_nwk *n, uint64_t now, uint16_t addr, uint64_t ext)
{
    struct al_nwk_address *free_entry = NULL;
    for (unsigned i = 0; i < n->c.address_count; i++) {
        struct al_nwk_address *each = &n->c.addresses[i];
        if (each->ext == ext) free_entry = each;
        if (!each->ext && !free_entry) free_entry = each;
    }
    assert_non_null(free_entry);
    *free_entry = (struct al_nwk_address){.ext = ext, .addr = addr};
}

void al_nwk_unlearn(struct al_nwk *n, uint64_t now, uint64_t ext)
{
    for (unsigned i = 0; i < n->c.address_count; i++) {
        if (n->c.addresses[i].ext == ext) n->c.addresses[i].ext = 0;
    }
}

bool al_nwk_sleepy_child(const struct al_nwk *n, uint16_t addr)
{
    for (unsigned i = 0; i < air.node_count; i++) {
        if (air.nodes[i]->nwk.addr == addr) return air.nodes[i]->poll_ms != 0;
    }
    return false;
}

void al_nwk_fast_poll(struct al_nwk *n, uint64_t now, uint64_t until)
{
    n->fast_until = until;
}

const struct al_nwk_key *al_nwk_active_key(const struct al_nwk *n)
{
    return n->keys[n->active_key].valid ? &n->keys[n->active_key] : NULL;
}

void al_nwk_set_key(struct al_nwk *n, uint64_t now, const uint8_t key[16], uint8_t seq)
{
    bool first = !al_nwk_active_key(n);
    struct al_nwk_key *k = &n->keys[first ? n->active_key : 1u - n->active_key];
    memcpy(k->key, key, sizeof k->key);
    k->seq = seq;
    k->valid = true;
}

void al_nwk_switch_key(struct al_nwk *n, uint64_t now, uint8_t seq)
{
    for (uint8_t i = 0; i < 2; i++) {
        if (n->keys[i].valid && n->keys[i].seq == seq) n->active_key = i;
    }
}

int al_nwk_leave(struct al_nwk *n, uint64_t now, uint64_t ext, bool remove_children, bool rejoin)
{
    fake_of(n)->told_to_leave = ext;
    return 0;
}

void al_nwk_child_authenticated(struct al_nwk *n, uint64_t now, uint64_t ext, bool accepted)
{
    struct al_nwk_neighbour *child = al_nwk_neighbour_ext(n, ext);
    struct fake_node *node = fake_of(n);
    node->authenticated = accepted;
    node->refused = !accepted;
    if (child) child->relation = accepted ? AL_NWK_CHILD : AL_NWK_NOBODY;
}

bool al_nwk_permitted(const struct al_nwk *n, uint64_t now)
{
    return fake_of(n)->open;
}

/* ---- Store ---- */

static inline int fake_save(void *ctx, uint16_t record, const void *data, size_t len)
{
    struct fake_node *node = ctx;
    if (node->store_error) return node->store_error;
    node->saves++;
    bool link = record >= AL_ZB_REC_LINK_KEYS;
    unsigned i = link ? record - AL_ZB_REC_LINK_KEYS : record;
    assert_in_range(i, 0, link ? FAKE_KEYS - 1 : 15);
    assert_in_range(len, 0, AL_ZB_RECORD_MAX);
    if (len) memcpy(link ? node->link[i].bytes : node->network[i].bytes, data, len);
    *(link ? &node->link[i].len : &node->network[i].len) = (int)len;
    return 0;
}

static inline int fake_load(void *ctx, uint16_t record, void *data, size_t size)
{
    struct fake_node *node = ctx;
    bool link = record >= AL_ZB_REC_LINK_KEYS;
    unsigned i = link ? record - AL_ZB_REC_LINK_KEYS : record;
    int len = link ? node->link[i].len : node->network[i].len;
    if (!len) return AL_ERR_NOT_FOUND;
    assert_in_range(len, 1, size);
    memcpy(data, link ? node->link[i].bytes : node->network[i].bytes, (size_t)len);
    return len;
}

/* ---- What the layers tell ---- */

static inline void fake_data(void *ctx, uint64_t now, const struct al_aps_data_ind *ind)
{
    struct fake_node *node = ctx;
    struct fake_heard *h = &node->heard[node->heard_count++ % FAKE_LOG];
    free(h->asdu);
    h->asdu = malloc(ind->len + 1);
    memcpy(h->asdu, ind->asdu, ind->len);
    h->ind = *ind;
    h->ind.asdu = h->asdu;
}

static inline void fake_sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    struct fake_node *node = ctx;
    node->sent[node->sent_count++ % FAKE_LOG] = (struct fake_sent){handle, status, now};
}

static inline void fake_command(void *ctx, uint64_t now, const struct al_aps_command_ind *ind)
{
    al_trust_command(&((struct fake_node *)ctx)->trust, now, ind);
}

static inline void fake_command_sent(void *ctx, uint64_t now, uint16_t handle,
                                     enum al_zb_status status)
{
    al_trust_sent(&((struct fake_node *)ctx)->trust, now, handle, status);
}

static const struct al_aps_up fake_aps_up = {fake_data, fake_sent, fake_command, fake_command_sent};

static inline void fake_network_key(void *ctx, uint64_t now, enum al_zb_status status)
{
    ((struct fake_node *)ctx)->network_key = (int)status;
}

static inline void fake_exchanged(void *ctx, uint64_t now, enum al_zb_status status)
{
    ((struct fake_node *)ctx)->exchanged = (int)status;
}

static inline void fake_update(void *ctx, uint64_t now, uint64_t ext, uint16_t addr,
                               uint16_t parent, uint8_t status)
{
    struct fake_node *node = ctx;
    node->update.ext = ext;
    node->update.addr = addr;
    node->update.parent = parent;
    node->update.value = status;
    node->updates++;
}

static inline void fake_authorised(void *ctx, uint64_t now, uint64_t ext, uint16_t addr,
                                   enum al_zb_status status)
{
    struct fake_node *node = ctx;
    node->authorised.ext = ext;
    node->authorised.addr = addr;
    node->authorised.value = (int)status;
    node->authorisations++;
}

static inline void fake_proved(void *ctx, uint64_t now, uint64_t ext, uint16_t addr)
{
    struct fake_node *node = ctx;
    node->proved++;
    node->proved_ext = ext;
}

static inline void fake_removed(void *ctx, uint64_t now)
{
    ((struct fake_node *)ctx)->removed++;
}

static inline bool fake_admit(void *ctx, uint64_t ext)
{
    return ((struct fake_node *)ctx)->refuse_ext != ext;
}

static const struct al_trust_up fake_trust_up = {fake_network_key, fake_exchanged, fake_update,
                                                 fake_authorised,  fake_proved,    fake_removed,
                                                 fake_admit};

/* ---- Nodes and time ---- */

static inline void fake_start(uint32_t seed)
{
    memset(&air, 0, sizeof air);
    air.rng = seed * 2654435761u + 1;
    air.now = 1000 * SECOND;
}

/* tx, rx: how many; c: what of the APS configuration is not the default; may be NULL. */
static inline struct fake_node *fake_node(uint64_t ext, uint16_t addr,
                                          const struct al_aps_config *c, unsigned tx, unsigned rx)
{
    struct fake_node *node = calloc(1, sizeof *node);
    struct al_nwk_config *n = &node->nwk.c;
    n->random.next = fake_random;
    n->neighbours = calloc(4, sizeof *n->neighbours);
    n->neighbour_count = 4;
    n->addresses = calloc(FAKE_TABLE, sizeof *n->addresses);
    n->address_count = FAKE_TABLE;
    node->nwk.ext = ext;
    node->nwk.addr = addr;
    node->queue_max = 6;
    node->frames = calloc(FAKE_LOG, sizeof *node->frames);
    node->network_key = node->exchanged = -1;
    node->store = (struct al_zb_store){node, fake_save, fake_load};
    struct al_aps_config aps = {0};
    if (c) aps = *c;
    aps.nwk = &node->nwk;
    aps.aes = zigbee_aes();
    aps.store = &node->store;
    aps.tx = calloc(tx, sizeof *aps.tx);
    aps.tx_count = (uint16_t)tx;
    aps.rx = calloc(rx, sizeof *aps.rx);
    aps.rx_count = (uint16_t)rx;
    aps.asdu_size = AL_APS_ASDU_MAX;
    aps.bytes = calloc(tx + rx, AL_APS_ASDU_MAX);
    aps.duplicates = calloc(FAKE_TABLE, sizeof *aps.duplicates);
    aps.duplicate_count = FAKE_TABLE;
    aps.keys = node->keys;
    aps.key_count = FAKE_KEYS;
    aps.up = &fake_aps_up;
    aps.up_ctx = node;
    al_aps_init(&node->aps, &aps);
    struct al_trust_config trust = {
        .aps = &node->aps,
        .nwk = &node->nwk,
        .aes = zigbee_aes(),
        .random = {NULL, fake_random},
        .store = &node->store,
        .trust_centre = addr == AL_NWK_COORDINATOR,
        .devices = node->devices,
        .device_count = 4,
        .up = &fake_trust_up,
        .up_ctx = node,
    };
    al_trust_init(&node->trust, &trust);
    air.nodes[air.node_count++] = node;
    return node;
}

static inline void fake_end(void)
{
    for (unsigned i = 0; i < air.node_count; i++) {
        struct fake_node *node = air.nodes[i];
        for (unsigned k = 0; k < FAKE_LOG; k++) free(node->heard[k].asdu);
        free(node->nwk.c.neighbours);
        free(node->nwk.c.addresses);
        free(node->frames);
        free(node->aps.c.tx);
        free(node->aps.c.rx);
        free(node->aps.c.bytes);
        free(node->aps.c.duplicates);
        free(node);
    }
    air.node_count = 0;
}

/* Members of one network that know each other. */
static inline void fake_members(void)
{
    for (unsigned i = 0; i < air.node_count; i++) {
        al_nwk_set_key(&air.nodes[i]->nwk, air.now, zigbee_network_key, 0);
        air.nodes[i]->trust.centre = ZIGBEE_COORDINATOR;
        for (unsigned k = 0; k < air.node_count; k++) {
            if (k != i)
                al_nwk_learn(&air.nodes[i]->nwk, air.now, air.nodes[k]->nwk.addr,
                             air.nodes[k]->nwk.ext);
        }
    }
}

static inline struct fake_event *fake_next_event(void)
{
    struct fake_event *best = NULL;
    for (unsigned i = 0; i < sizeof air.events / sizeof air.events[0]; i++) {
        struct fake_event *e = &air.events[i];
        if (!e->used) continue;
        if (!best || e->at < best->at || (e->at == best->at && e->order < best->order)) best = e;
    }
    return best;
}

static inline uint64_t fake_node_next(const struct fake_node *node)
{
    uint64_t aps = al_aps_next(&node->aps), trust = al_trust_next(&node->trust);
    return aps < trust ? aps : trust;
}

/* One step: the next frame, confirmation or timer. false: nothing up to until. */
static inline bool fake_step(uint64_t until)
{
    struct fake_event *e = fake_next_event();
    uint64_t next = e ? e->at : UINT64_MAX;
    struct fake_node *due = NULL;
    for (unsigned i = 0; i < air.node_count; i++) {
        uint64_t at = fake_node_next(air.nodes[i]);
        if (at >= next) continue;
        next = at;
        due = air.nodes[i];
    }
    if (next > until) return false;
    if (next > air.now) air.now = next;
    if (due) {
        al_aps_run(&due->aps, air.now);
        al_trust_run(&due->trust, air.now);
        return true;
    }
    struct fake_event now = *e;
    e->used = false;
    if (now.is_sent) {
        now.to->queued--;
        if (now.handle) al_aps_nwk_sent(&now.to->aps, air.now, now.handle, now.status);
    } else {
        now.ind.payload = now.bytes;
        al_aps_nwk_data(&now.to->aps, air.now, &now.ind);
    }
    return true;
}

static inline void fake_run(uint64_t us)
{
    uint64_t until = air.now + us;
    unsigned steps = 0;
    while (fake_step(until)) {
        if (++steps > 4000000) fail_msg("the nodes never come to rest");
    }
    air.now = until;
}

/* The n-th last frame that node gave to NWK. */
static inline const struct fake_frame *fake_last(const struct fake_node *node, unsigned n)
{
    assert_true(node->frame_count > n);
    return &node->frames[(node->frame_count - 1 - n) % FAKE_LOG];
}

#endif
